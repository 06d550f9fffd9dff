//! A server on this computer, and people with clients in folders of their own.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::{Instant, timeout_at};
use tulou_client::{
    Client, InMemory, Secrets, Viewer,
    action::Action,
    view::{Connection, MessageView, Stretch, TimelineView, TreeView},
};
use tulou_protocol::limits::Limits;
use tulou_server::{Config, Hosted, backup};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Stage {
    config: Config,
    server: Option<Hosted>,
    folder: TempDir,
}

impl Stage {
    pub async fn new() -> Self {
        Self::with_messages_per_10s(100_000).await
    }

    /// A server at which nobody writes faster than this in a topic.
    pub async fn with_messages_per_10s(messages_per_10s: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config {
            data: folder.path().join("server"),
            name: "stage".into(),
            limits: Limits {
                requests_per_s: 10_000,
                requests_burst: 10_000,
                messages_per_10s,
                ..Limits::default()
            },
            digest_ms: 100,
            ..Config::default()
        };
        config.listen.set_port(0);
        let server = Hosted::start(config.clone()).await.unwrap();
        // A server that comes back is found where it was.
        config.listen = server.address();
        Self {
            config,
            server: Some(server),
            folder,
        }
    }

    /// Where the server is.
    pub fn link(&self) -> String {
        format!("ws://{}", self.config.listen)
    }

    /// Where somebody's client keeps everything.
    pub fn folder_of(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The server.
    pub fn server(&self) -> &Hosted {
        self.server.as_ref().unwrap()
    }

    /// Backs the server up while it runs; the file.
    pub fn back_up(&self) -> PathBuf {
        let file = self.folder.path().join("the.tulou-backup");
        let source = backup::Source {
            folder: self.config.data.clone(),
            settings: self.config.clone(),
            now: self.server().app().now(),
        };
        backup::make(&source, &file).unwrap();
        file
    }

    /// Restores a backup on "another computer": in another folder, at another port.
    pub async fn restore_elsewhere(&mut self, file: &std::path::Path) {
        self.config.data = self.folder.path().join("another computer");
        backup::open(file)
            .unwrap()
            .restore(&self.config.data, 1)
            .unwrap();
        self.config.listen.set_port(0);
        self.start_server().await;
        self.config.listen = self.server().address();
    }

    pub async fn stop_server(&mut self) {
        self.server.take().unwrap().stop().await;
    }

    pub async fn start_server(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Hosted::start(self.config.clone()).await {
                Ok(server) => {
                    self.server = Some(server);
                    return;
                }
                // The port may be in the kernel's hands for a moment.
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
        }
    }

    /// The first account, which administrates the server.
    pub async fn host(&self, name: &str) -> Person {
        let person =
            Person::open(self.folder.path().join(name), Arc::new(InMemory::default())).await;
        person.register(&self.link(), name).await
    }

    /// An account that there is already, in another folder.
    pub async fn sign_in(&self, folder: &str, name: &str) -> Person {
        let folder = self.folder.path().join(folder);
        let mut person = Person::open(folder, Arc::new(InMemory::default())).await;
        person.account = person
            .client
            .sign_in(&self.link(), name, "correct horse")
            .await
            .unwrap();
        person
    }

    /// Somebody without an account.
    pub async fn newcomer(&self, folder: &str) -> Person {
        let folder = self.folder.path().join(folder);
        Person::open(folder, Arc::new(InMemory::default())).await
    }

    /// Somebody who registers and joins through an invite link.
    pub async fn invite(&self, by: &Person, community: &str, name: &str) -> Person {
        by.settled().await;
        let invite = by
            .client
            .create_invite(&by.account, community, Some(3_600), Some(1))
            .await
            .unwrap();
        let person =
            Person::open(self.folder.path().join(name), Arc::new(InMemory::default())).await;
        let peek = person.client.peek(&invite.link).await.unwrap();
        assert!(peek.community.is_some(), "the link says where it leads");
        let person = person.register(&invite.link, name).await;
        let place = person
            .client
            .join_link(&person.account, &invite.link)
            .await
            .unwrap();
        assert_eq!(place.community.as_deref(), Some(community));
        person
    }

    pub async fn end(self, people: impl IntoIterator<Item = Person>) {
        for person in people {
            person.client.shutdown().await;
        }
        if let Some(server) = self.server {
            server.stop().await;
        }
    }
}

pub struct Person {
    pub client: Client,
    /// The window.
    pub viewer: Viewer,
    pub account: String,
    folder: PathBuf,
    secrets: Arc<dyn Secrets>,
}

impl Person {
    /// Starts in a folder, with whatever is in it.
    pub async fn open(folder: PathBuf, secrets: Arc<dyn Secrets>) -> Self {
        let client = Client::open(folder.clone(), Arc::clone(&secrets))
            .await
            .unwrap();
        let account = client
            .app_view()
            .await
            .accounts
            .first()
            .map_or_else(String::new, |account| account.key.clone());
        Self {
            viewer: client.viewer(),
            client,
            account,
            folder,
            secrets,
        }
    }

    /// Makes an account on the server of a link.
    pub async fn register(mut self, link: &str, name: &str) -> Self {
        self.account = self
            .client
            .register(link, name, name, "correct horse")
            .await
            .unwrap();
        self
    }

    /// Where this person's client keeps the history of its account.
    pub fn store(&self) -> PathBuf {
        self.folder
            .join("accounts")
            .join(format!("{}.sqlite", self.account))
    }

    /// Ends without a farewell; what is there goes on to be done by somebody else. Gives what starts it again.
    pub fn vanish(self) -> Asleep {
        Asleep {
            folder: self.folder,
            secrets: self.secrets,
        }
    }

    /// Ends in order. Gives what starts it again.
    pub async fn sleep(self) -> Asleep {
        self.client.shutdown().await;
        self.vanish()
    }

    /// Ends without a farewell and starts again in the same folder.
    pub async fn crash(self) -> Self {
        let Self {
            client,
            viewer,
            folder,
            secrets,
            ..
        } = self;
        drop((client, viewer));
        Self::open(folder, secrets).await
    }

    pub async fn id(&self) -> String {
        self.client.app_view().await.accounts[0].account_id.clone()
    }

    /// Makes a community; its id and its topic's.
    pub async fn found(&self, name: &str) -> (String, String) {
        let community = self
            .act(Action::CreateCommunity {
                name: name.into(),
                group: "大厅".into(),
                topic: "闲聊".into(),
            })
            .await
            .unwrap();
        let topic = self.tree(&community).await.groups[0].topics[0].id.clone();
        self.settled().await;
        (community, topic)
    }

    pub async fn act(&self, action: Action) -> Option<String> {
        self.viewer.submit(&self.account, action).await.unwrap()
    }

    pub async fn say(&self, topic: &str, text: &str) -> String {
        self.act(Action::SendMessage {
            topic: topic.into(),
            text: text.into(),
            reply_to: None,
        })
        .await
        .unwrap()
    }

    pub async fn reply(&self, topic: &str, text: &str, to: &str) -> String {
        self.act(Action::SendMessage {
            topic: topic.into(),
            text: text.into(),
            reply_to: Some(to.into()),
        })
        .await
        .unwrap()
    }

    pub async fn enter(&self, topic: &str) {
        self.viewer.enter_topic(&self.account, topic).await.unwrap();
    }

    pub async fn tree(&self, community: &str) -> TreeView {
        self.client
            .tree_view(&self.account, community)
            .await
            .unwrap()
    }

    pub async fn timeline(&self, topic: &str) -> TimelineView {
        self.timeline_at(topic, Stretch::End { count: 200 }).await
    }

    pub async fn timeline_at(&self, topic: &str, stretch: Stretch) -> TimelineView {
        self.viewer
            .timeline_view(&self.account, topic, stretch)
            .await
            .unwrap()
    }

    /// Whether the server's row of a message is here.
    pub async fn has(&self, topic: &str, message: &str) -> bool {
        let view = self.timeline(topic).await;
        view.rows.iter().any(|row| row.id == message)
    }

    /// Waits until something holds, looking again at each change.
    pub async fn until<T>(&self, what: &str, probe: impl AsyncFn() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut changes = self.client.changes();
        loop {
            if let Some(found) = probe().await {
                return found;
            }
            match timeout_at(deadline, changes.next()).await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the client ended before {what}"),
                Err(_) => panic!(
                    "not within {PATIENCE:?}: {what}; {:?}",
                    self.client.app_view().await
                ),
            }
        }
    }

    /// Waits until the client has heard that its server is found at an address.
    pub async fn until_known(&self, address: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let known = self.client.addresses(&self.account).await.unwrap();
            if known.iter().any(|one| one == address) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "not heard of {address}: {known:?}"
            );
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the link is complete and nothing waits in the outbox.
    pub async fn settled(&self) {
        self.until("everything is settled", async || {
            let app = self.client.app_view().await;
            let account = &app.accounts[0];
            (account.connection == Connection::Synced && account.waiting == 0).then_some(())
        })
        .await;
    }
}

/// Somebody whose client does not run.
pub struct Asleep {
    folder: PathBuf,
    secrets: Arc<dyn Secrets>,
}

impl Asleep {
    /// The same person's client, with all that it has, in another folder.
    pub fn copied_to(&self, folder: PathBuf) -> Self {
        copy(&self.folder, &folder);
        Self {
            folder,
            secrets: Arc::clone(&self.secrets),
        }
    }

    /// Starts the client.
    pub async fn wake(self) -> Person {
        Person::open(self.folder, self.secrets).await
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// What both sides have to agree on about a message.
fn essence(row: &MessageView) -> String {
    let reactions: Vec<String> = row
        .reactions
        .iter()
        .map(|reaction| format!("{}{}", reaction.key, reaction.count))
        .collect();
    format!(
        "{:?} {} {} {:?} {reactions:?} pinned={} edited={} recalled={} reply={:?}",
        row.seq,
        row.id,
        row.author.name,
        row.text,
        row.is_pinned,
        row.is_edited,
        row.recalled.is_some(),
        row.reply.as_ref().map(|reply| (&reply.id, &reply.excerpt)),
    )
}

/// Waits until both show the same rows and neither waits for anything.
pub async fn same(one: &Person, other: &Person, topic: &str) {
    one.settled().await;
    other.settled().await;
    let shown = async |person: &Person| -> Vec<String> {
        person
            .timeline(topic)
            .await
            .rows
            .iter()
            .map(essence)
            .collect()
    };
    let deadline = Instant::now() + PATIENCE;
    let (mut mine, mut theirs) = (one.client.changes(), other.client.changes());
    loop {
        let (here, there) = (shown(one).await, shown(other).await);
        if here == there {
            return;
        }
        // Either side may be the one that is behind.
        let moved = async {
            tokio::select! {
                _ = mine.next() => {}
                _ = theirs.next() => {}
            }
        };
        assert!(
            timeout_at(deadline, moved).await.is_ok(),
            "not the same within {PATIENCE:?}: {here:#?} {there:#?}"
        );
    }
}

/// Waits until an account is signed out, without having asked for it.
pub async fn is_signed_out(person: &Person) {
    person
        .until("it is signed out", async || {
            let app = person.client.app_view().await;
            (app.accounts[0].connection == Connection::SignedOut).then_some(())
        })
        .await;
}

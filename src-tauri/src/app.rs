//! The app: the client, the controller of its window, and the server that this computer may host.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::sync::OnceCell;
use tulou_client::{
    Client, Secrets, Viewer,
    view::{AppView, Change, Place, SignedUp},
};
use tulou_protocol::invite::InviteLink;

use crate::{
    controller::Controller,
    error::WindowError,
    folders::Folders,
    hosting::Hosting,
    input::{HostInput, HostingInput, JoinInput, Joined},
    viewers::Viewers,
};

/// The web view is not told of changes more often than it can show them.
const FRAME: Duration = Duration::from_millis(16);

/// What the commands work with.
pub struct App {
    folders: Folders,
    /// Between the client and the native window.
    pub controller: Arc<Controller>,
    /// The server on this computer.
    pub hosting: Arc<Hosting>,
    /// Who looks in which window.
    pub viewers: Viewers,
    secrets: Arc<dyn Secrets>,
    /// Opened while the window is being made, so that neither waits for the other.
    client: OnceCell<Client>,
}

impl App {
    /// An app whose client is not open yet.
    pub fn new(folders: Folders, controller: Arc<Controller>, secrets: Arc<dyn Secrets>) -> Self {
        Self {
            hosting: Arc::new(Hosting::in_folder(folders.server(), {
                let controller = Arc::clone(&controller);
                Arc::new(move || controller.tell(vec![Change::App]))
            })),
            folders,
            controller,
            viewers: Viewers::default(),
            secrets,
            client: OnceCell::new(),
        }
    }

    /// The client. The first who asks opens it; a failure is told, and the next who asks tries again. The server that this
    /// computer may host starts meanwhile: after a loss of power it looks through its store first, and nobody waits for that.
    pub async fn client(&self) -> Result<&Client, WindowError> {
        let client = self.client.get_or_try_init(|| async {
            let client = Client::open(self.folders.client(), Arc::clone(&self.secrets)).await?;
            tokio::spawn(follow(client.clone(), self.controller.clone()));
            tokio::spawn(host(Arc::clone(&self.hosting), client.clone()));
            Ok(client)
        });
        client.await
    }

    /// Everything that the frame of the window shows.
    pub async fn view(&self) -> Result<AppView, WindowError> {
        let mut view = self.client().await?.app_view().await;
        if let Some(server) = self.hosting.known_server() {
            // The keys of accounts name their server by its UUID.
            let of_server = format!("{}.", server.0);
            for account in &mut view.accounts {
                account.is_hosted_here = account.key.starts_with(&of_server);
            }
            let administrator = view
                .accounts
                .iter()
                .find(|account| account.is_hosted_here && account.is_server_admin)
                .map(|account| account.key.clone());
            view.hosting = self.hosting.view(administrator);
        }
        Ok(view)
    }

    /// Accounts of this computer on the server that it hosts find it where it is now.
    async fn show_the_way(&self, client: &Client) -> Result<(), WindowError> {
        show_the_way(&self.hosting, client).await
    }

    /// Lets other computers reach the hosted server, or keeps them out.
    pub async fn let_others(&self, input: HostingInput) -> Result<(), WindowError> {
        let client = self.client().await?;
        let done = self
            .hosting
            .let_others(
                input.is_open,
                input.own_address.as_deref(),
                input.is_announced,
            )
            .await;
        self.show_the_way(client).await?;
        client.hurry().await;
        done
    }

    /// Puts the server of a backup in the place of the hosted one; its address here. Accounts on it go there at once.
    pub async fn restore(&self, path: PathBuf) -> Result<String, WindowError> {
        let client = self.client().await?;
        let restored = self.hosting.restore(path).await;
        self.show_the_way(client).await?;
        client.hurry().await;
        restored
    }

    /// Tries again to start the hosted server.
    pub async fn start_hosting(&self) -> Result<(), WindowError> {
        let client = self.client().await?;
        self.hosting.resume().await?;
        self.show_the_way(client).await?;
        client.hurry().await;
        Ok(())
    }

    /// Starts a server on this computer and registers an account on it; the first administrates it.
    pub async fn host(&self, input: HostInput) -> Result<SignedUp, WindowError> {
        let client = self.client().await?;
        let address = self
            .hosting
            .begin(&input.server_name, input.is_open)
            .await?;
        let account = client
            .sign_up(&address, &input.name, &input.display_name, &input.password)
            .await?;
        Ok(account)
    }

    /// Registers or signs in on the server of a link, and joins the community that it invites to.
    pub async fn join(&self, input: JoinInput) -> Result<Joined, WindowError> {
        let client = self.client().await?;
        let mut recovery_codes = Vec::new();
        let mut not_joined = None;
        let account = if input.register {
            let signed_up = client
                .sign_up(
                    &input.link,
                    &input.name,
                    &input.display_name,
                    &input.password,
                )
                .await?;
            recovery_codes = signed_up.recovery_codes;
            signed_up.account
        } else if let Some(code) = &input.code {
            client
                .recover_at(&input.link, &input.name, code, &input.password)
                .await?
        } else {
            client
                .sign_in(&input.link, &input.name, &input.password)
                .await?
        };
        let mut place = Place {
            account,
            community: None,
            topic: None,
        };
        if InviteLink::parse(&input.link).is_ok_and(|link| link.code.is_some()) {
            match client.join_link(&place.account, &input.link).await {
                Ok(joined) => place = joined,
                // The account is new, and its codes are shown now or never; the link can be used again.
                Err(error) if !recovery_codes.is_empty() => not_joined = Some(error.into()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Joined {
            place,
            recovery_codes,
            not_joined,
        })
    }

    /// Who looks in a window.
    pub async fn viewer(&self, label: &str) -> Result<Arc<Viewer>, WindowError> {
        Ok(self.viewers.of(label, self.client().await?)?)
    }

    /// Ends the client and the hosted server in order, so that nothing has to be repaired at the next start.
    pub async fn shut_down(&self) {
        self.viewers.end_all();
        let client = async {
            if let Some(client) = self.client.get() {
                client.shutdown().await;
            }
        };
        tokio::join!(client, self.hosting.end());
    }
}

/// Starts the server that this computer hosts, if it hosts one.
async fn resume(hosting: &Hosting, client: &Client) {
    if let Err(error) = hosting.resume().await {
        tracing::error!("the server on this computer did not start: {error}");
    }
    point_there(hosting, client).await;
}

/// Accounts on the hosted server go where it is now, and the window says how it stands.
async fn point_there(hosting: &Hosting, client: &Client) {
    match show_the_way(hosting, client).await {
        Ok(()) => client.hurry().await,
        Err(error) => tracing::error!("where the server on this computer is was not kept: {error}"),
    }
    hosting.tell();
}

/// Starts the hosted server, and looks after it from then on.
async fn host(hosting: Arc<Hosting>, client: Client) {
    resume(&hosting, &client).await;
    loop {
        hosting.look_after().await;
        point_there(&hosting, &client).await;
    }
}

async fn show_the_way(hosting: &Hosting, client: &Client) -> Result<(), WindowError> {
    if let (Some(server), Some(address)) = (hosting.server().await, hosting.address().await) {
        client
            .set_addresses(&server.to_string(), vec![address])
            .await?;
    }
    Ok(())
}

/// Hands the client's changes on: at once when there was silence, then at most one batch a frame.
async fn follow(client: Client, controller: Arc<Controller>) {
    let mut changes = client.changes();
    controller.badge_is(client.badge().await);
    while let Some(batch) = changes.next().await {
        let moves_numbers = |change: &Change| matches!(change, Change::App | Change::Badge { .. });
        if batch.iter().any(moves_numbers) {
            controller.badge_is(client.badge().await);
        }
        controller.tell(batch);
        tokio::time::sleep(FRAME).await;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tulou_client::InMemory;

    use super::*;
    use crate::controller::Shell;

    /// No window.
    struct Nowhere;

    impl Shell for Nowhere {
        fn set_title(&self, _: &str) {}

        fn show(&self) {}

        fn close(&self) {}

        fn open(&self, _: &str) -> Result<(), String> {
            Ok(())
        }

        fn open_folder(&self, _: &Path) -> Result<(), String> {
            Ok(())
        }
    }

    /// The app of a person in a folder.
    fn app_in(folder: &tempfile::TempDir) -> App {
        let folders = Folders::in_folder(folder.path().to_owned());
        App::new(
            folders,
            Controller::new(Nowhere),
            Arc::new(InMemory::default()),
        )
    }

    #[tokio::test]
    async fn while_the_hosted_server_is_looked_through_the_app_is_there_and_says_that_it_starts() {
        let folder = tempfile::tempdir().unwrap();
        let first = app_in(&folder);
        first.hosting.begin("A house", false).await.unwrap();
        first.shut_down().await;

        let second = app_in(&folder);
        let view = {
            let _looks_through = second.hosting.look_through().await;
            let shown = tokio::time::timeout(Duration::from_secs(20), second.view());
            shown.await.expect("nobody waits for that").unwrap()
        };
        assert!(view.hosting.is_some_and(|hosting| hosting.is_starting));
        let runs = async {
            while second.hosting.address().await.is_none() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), runs)
            .await
            .expect("then it starts");
        second.shut_down().await;
    }
}

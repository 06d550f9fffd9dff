//! What gets lost between the store and the sessions of a node: whoever is connected gets every row all the same.

mod doubtful;
mod given_up;
mod late;

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
};

use rusqlite::Connection;
use tulou_protocol::{
    MessageId, Permissions, ServerFrame,
    command::Edit,
    permission::Place,
    push::{Pushed, Stale},
};

use super::*;
use crate::{
    start::Around,
    store::{Batch, Bus, engine},
};

/// A bus that loses what it is given while it is cut, and keeps it back while it is held.
struct Lossy {
    bus: Arc<dyn Bus>,
    is_cut: Arc<AtomicBool>,
    lost: Arc<Mutex<usize>>,
    held: Arc<Mutex<Option<Vec<Batch>>>>,
    spoils: Arc<Mutex<Option<&'static str>>>,
    file: PathBuf,
}

impl Bus for Lossy {
    fn publish(&self, batch: Batch) {
        if let Some(table) = *self.spoils.lock().unwrap() {
            rename_table(&self.file, table, "elsewhere");
        }
        if self.is_cut.load(Ordering::SeqCst) {
            *self.lost.lock().unwrap() += batch.len();
        } else if let Some(held) = &mut *self.held.lock().unwrap() {
            held.push(batch);
        } else {
            self.bus.publish(batch);
        }
    }
}

fn rename_table(file: &std::path::Path, from: &str, to: &str) {
    let db = Connection::open(file).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    db.execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}"))
        .unwrap();
}

/// A community of alice's that bob has joined; both are connected, and bob watches its topic.
struct House {
    app: App,
    folder: tempfile::TempDir,
    is_cut: Arc<AtomicBool>,
    lost: Arc<Mutex<usize>>,
    held: Arc<Mutex<Option<Vec<Batch>>>>,
    /// The bus without what is laid around it.
    bus: Arc<dyn Bus>,
    /// A table that cannot be read once the next commit is durable.
    spoils: Arc<Mutex<Option<&'static str>>>,
    alice: Arc<Line>,
    bob: Arc<Line>,
    community: CommunityId,
    topic: TopicId,
}

impl House {
    async fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        let (is_cut, lost, spoils) = (Arc::default(), Arc::default(), Arc::default());
        let (held, within): (Arc<_>, OnceLock<Arc<dyn Bus>>) = Default::default();
        let lay = |bus: Arc<dyn Bus>| -> Arc<dyn Bus> {
            assert!(within.set(bus.clone()).is_ok(), "it is laid once");
            Arc::new(Lossy {
                held: Arc::clone(&held),
                bus,
                is_cut: Arc::clone(&is_cut),
                lost: Arc::clone(&lost),
                spoils: Arc::clone(&spoils),
                file: folder.path().join(engine::FILE),
            })
        };
        let app = App::open_over(config, Around::bus(lay)).await.unwrap();
        let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
        let (community, topic) = found(&app, &alice).await;
        let house = Self {
            app,
            folder,
            is_cut,
            lost,
            held,
            bus: within.into_inner().unwrap(),
            spoils,
            alice,
            bob,
            community,
            topic,
        };
        house.join(&house.bob).await;
        house.app.watch(&house.bob, vec![topic]).await.unwrap();
        let _ = house.hears(&house.bob).await;
        house
    }

    async fn join(&self, line: &Arc<Line>) {
        join(&self.app, &self.alice, line, self.community).await;
    }

    /// Gives commands of which nothing is heard.
    async fn unheard(&self, commands: Vec<Command>) {
        let before = *self.lost.lock().unwrap();
        self.is_cut.store(true, Ordering::SeqCst);
        let count = commands.len();
        for command in commands {
            give(&self.app, &self.alice, command).await;
        }
        self.is_cut.store(false, Ordering::SeqCst);
        let lost = *self.lost.lock().unwrap() - before;
        assert_eq!(lost, count, "it is the bus that loses them");
    }

    /// Gives a command of which the node hears while it cannot read a table.
    async fn heard_without(&self, table: &'static str, command: Command) {
        *self.spoils.lock().unwrap() = Some(table);
        give(&self.app, &self.alice, command).await;
        *self.spoils.lock().unwrap() = None;
        rename_table(&self.folder.path().join(engine::FILE), "elsewhere", table);
    }

    /// Somebody who has joined and watches the topic.
    async fn comes(&self, name: &str) -> Arc<Line> {
        let line = account(&self.app, name).await;
        self.join(&line).await;
        self.app.watch(&line, vec![self.topic]).await.unwrap();
        let _ = self.hears(&line).await;
        line
    }

    /// Everyone is denied other rights at the topic.
    fn deny(&self, from: Permissions, to: Permissions) -> Command {
        Command::AccessSet {
            community: self.community,
            place: Place::Topic(self.topic),
            member_group: None,
            allow: Edit {
                from: Permissions::empty(),
                to: Permissions::empty(),
            },
            deny: Edit { from, to },
        }
    }

    fn kick(&self, line: &Line) -> Command {
        Command::MemberKick {
            community: self.community,
            account: line.account(),
            end_invites: false,
        }
    }

    async fn says(&self, no: u128, text: &str) {
        give(&self.app, &self.alice, self.send(no, text)).await;
    }

    fn send(&self, no: u128, text: &str) -> Command {
        Command::MessageSend {
            topic: self.topic,
            message: MessageId(Uuid::from_u128(no)),
            text: text.to_owned(),
            reply_to: None,
            written_at: 1,
        }
    }

    fn rename(&self, from: &str, to: &str) -> Command {
        Command::CommunityEdit {
            community: self.community,
            name: Some(Edit {
                from: from.to_owned(),
                to: to.to_owned(),
            }),
            introduction: None,
        }
    }

    /// What was pushed once everything that was committed is told.
    async fn hears(&self, line: &Line) -> Vec<Pushed> {
        settled(&self.app).await;
        let frames = line.take().0.into_iter();
        frames
            .filter_map(|frame| match ServerFrame::parse(&frame).unwrap() {
                ServerFrame::Pushed(pushed) => Some(pushed),
                ServerFrame::Responses(_) | ServerFrame::Unknown(_) => None,
            })
            .collect()
    }
}

/// Rows of a log that were pushed, by id; each push continues the one before.
fn rows(heard: &[Pushed], log: Log) -> Vec<String> {
    let mut at: Option<Rev> = None;
    let mut ids = Vec::new();
    for pushed in heard {
        if let Pushed::Push(push) = pushed
            && push.log == log
        {
            assert!(
                at.is_none_or(|at| push.prev <= at),
                "nothing is spliced over: {push:?} after {at:?}"
            );
            at = Some(push.rev);
            ids.extend(push.rows.iter().map(|row| row.id.clone()));
        }
    }
    ids
}

/// Rows of a log as a client takes them that has all of it up to a rev: what it holds already is nothing new to it.
fn taken(heard: &[Pushed], log: Log, mut at: Rev) -> Vec<String> {
    let mut ids = Vec::new();
    for pushed in heard {
        if let Pushed::Push(push) = pushed
            && push.log == log
            && push.rev > at
        {
            assert!(
                push.prev <= at,
                "nothing is spliced over: {push:?} at {at:?}"
            );
            let new = push.rows.iter().filter(|row| row.rev > at);
            ids.extend(new.map(|row| row.id.clone()));
            at = push.rev;
        }
    }
    ids
}

/// Whether somebody was told to ask for a log.
fn asks(heard: &[Pushed], log: Log) -> bool {
    let asks =
        |pushed: &Pushed| matches!(pushed, Pushed::Stale(Stale { log: of, .. }) if *of == log);
    heard.iter().any(asks)
}

fn message(no: u128) -> String {
    MessageId(Uuid::from_u128(no)).to_string()
}

#[tokio::test]
async fn of_a_batch_that_was_lost_every_row_of_a_topic_is_told_with_the_next() {
    let house = House::build().await;
    house.says(1, "heard").await;
    let edit = Command::MessageEdit {
        topic: house.topic,
        message: MessageId(Uuid::from_u128(1)),
        text: Edit {
            from: "heard".to_owned(),
            to: "changed".to_owned(),
        },
    };
    house
        .unheard(vec![
            house.send(2, "lost"),
            house.send(3, "lost, too"),
            edit,
        ])
        .await;
    house.says(4, "heard again").await;
    house.says(5, "and again").await;
    let heard = house.hears(&house.bob).await;
    let ids = taken(&heard, Log::Topic(house.topic), Rev::ZERO);
    assert_eq!(
        ids,
        [1, 2, 3, 1, 4, 5].map(message),
        "in the order of rev, each once"
    );
    house.app.close().await;
}

#[tokio::test]
async fn of_a_batch_that_was_lost_every_row_of_an_account_is_told_with_the_next() {
    let house = House::build().await;
    let mention = format!("<@{}>", house.bob.account());
    let own = Log::Account(house.bob.account());
    let before = house.app.store().heads(vec![own]).await.unwrap()[0].unwrap();
    house.says(1, &mention).await;
    house.unheard(vec![house.send(2, &mention)]).await;
    house.says(3, &mention).await;
    let heard = house.hears(&house.bob).await;
    let ids = taken(&heard, own, before.rev);
    let named = |no| format!("{}:{}", house.topic, message(no));
    assert_eq!(ids, [1, 2, 3].map(named), "he is mentioned thrice");
    house.app.close().await;
}

#[tokio::test]
async fn of_a_batch_that_was_lost_every_row_of_a_community_is_told_with_the_next() {
    let house = House::build().await;
    let shelf = GroupId(Uuid::now_v7());
    let make = Command::GroupCreate {
        community: house.community,
        group: shelf,
        name: "书架".to_owned(),
        position: "b".to_owned(),
    };
    house
        .unheard(vec![make, house.rename("土楼", "围楼")])
        .await;
    give(&house.app, &house.alice, house.rename("围楼", "方楼")).await;
    let heard = house.hears(&house.bob).await;
    let log = Log::Community(house.community);
    let ids = rows(&heard, log);
    assert_eq!(
        ids.last(),
        Some(&house.community.to_string()),
        "as it is now"
    );
    let head = house.app.store().heads(vec![log]).await.unwrap()[0].unwrap();
    let reaches = heard.iter().any(
        |pushed| matches!(pushed, Pushed::Push(push) if push.log == log && push.rev == head.rev),
    );
    assert!(reaches, "up to the head: {heard:?}");
    house.app.close().await;
}

#[tokio::test]
async fn whoever_changed_a_community_finds_it_changed_though_the_node_did_not_hear_of_it() {
    let house = House::build().await;
    let (group, topic) = (GroupId(Uuid::now_v7()), TopicId(Uuid::now_v7()));
    let shelf = Command::GroupCreate {
        community: house.community,
        group,
        name: "书架".to_owned(),
        position: "b".to_owned(),
    };
    let make = Command::TopicCreate {
        community: house.community,
        group,
        topic,
        name: "书".to_owned(),
        introduction: String::new(),
        closed: false,
        position: "a".to_owned(),
    };
    let send = Command::MessageSend {
        topic,
        message: MessageId(Uuid::from_u128(9)),
        text: "first".to_owned(),
        reply_to: None,
        written_at: 1,
    };
    house.unheard(vec![shelf, make, send]).await;
    house.app.close().await;
}

#[tokio::test]
async fn a_right_that_was_taken_unheard_is_gone_with_the_next_that_is_heard() {
    let house = House::build().await;
    let hide = house.deny(Permissions::empty(), Permissions::VIEW);
    house.unheard(vec![hide]).await;
    give(&house.app, &house.alice, house.rename("土楼", "围楼")).await;
    house.says(1, "not for bob").await;
    let heard = house.hears(&house.bob).await;
    assert_eq!(rows(&heard, Log::Topic(house.topic)), [""; 0]);
    let log = Log::Community(house.community);
    assert!(asks(&heard, log), "he is told to ask anew: {heard:?}");
    house.app.close().await;
}

#[tokio::test]
async fn who_was_removed_unheard_is_gone_with_the_next_row_of_his_account() {
    let house = House::build().await;
    let carol = house.comes("carol").await;
    house.unheard(vec![house.kick(&carol)]).await;
    let rename = Command::ProfileEdit {
        display_name: Edit {
            from: "carol".to_owned(),
            to: "Carol".to_owned(),
        },
    };
    let other = house.app.hub().attach(
        carol.account(),
        tulou_protocol::SessionId(Uuid::now_v7()),
        Rev(1),
        1 << 20,
    );
    give(&house.app, &other, rename).await;
    house.says(1, "not for carol").await;
    let heard = house.hears(&carol).await;
    let own: HashSet<String> = rows(&heard, Log::Account(carol.account()))
        .into_iter()
        .collect();
    assert!(
        own.contains(&house.community.to_string()),
        "the end of her membership is told"
    );
    assert_eq!(rows(&heard, Log::Topic(house.topic)), [""; 0]);
    house.app.close().await;
}

#[tokio::test]
async fn what_is_durable_is_answered_though_the_bus_brings_nothing() {
    let house = House::build().await;
    house.is_cut.store(true, Ordering::SeqCst);
    house.says(1, "durable").await;
    let heads = house.app.store().heads(vec![Log::Topic(house.topic)]).await;
    assert_eq!(heads.unwrap()[0].unwrap().seq, tulou_protocol::Seq(1));
    assert!(house.bob.take().0.is_empty(), "it was told to nobody");
    house.app.close().await;
}

#[tokio::test]
async fn who_is_removed_while_the_members_cannot_be_counted_hears_nothing_more() {
    let house = House::build().await;
    let carol = house.comes("carol").await;
    house.heard_without("member", house.kick(&carol)).await;
    house.says(1, "not for carol").await;
    let heard = house.hears(&carol).await;
    assert_eq!(rows(&heard, Log::Topic(house.topic)), [""; 0]);
    house.app.close().await;
}

#[tokio::test]
async fn of_a_change_that_cannot_be_told_every_watch_ends_until_it_is_asked_for_again() {
    let (none, view) = (Permissions::empty(), Permissions::VIEW);
    let house = House::build().await;
    house.unheard(vec![house.rename("土楼", "围楼")]).await;
    house.heard_without("row", house.deny(none, view)).await;
    house.says(1, "not for bob").await;
    let heard = house.hears(&house.bob).await;
    let (topic, community) = (Log::Topic(house.topic), Log::Community(house.community));
    assert_eq!(rows(&heard, topic), [""; 0]);
    assert!(asks(&heard, topic), "whoever saw it is told: {heard:?}");
    assert!(asks(&heard, community), "and of the community: {heard:?}");
    give(&house.app, &house.alice, house.deny(view, none)).await;
    let bob = &house.bob;
    house.app.watch(bob, vec![house.topic]).await.unwrap();
    house.says(2, "for bob").await;
    let heard = house.hears(bob).await;
    assert_eq!(rows(&heard, topic), [message(2)]);
    assert!(asks(&heard, community), "he sees it again: {heard:?}");
    house.app.close().await;
}

#[tokio::test]
async fn a_watch_that_rests_on_what_was_unheard_ends_when_the_next_commit_hides_the_topic() {
    let (none, view) = (Permissions::empty(), Permissions::VIEW);
    for kicks in [false, true] {
        let house = House::build().await;
        let bob = &house.bob;
        give(&house.app, &house.alice, house.deny(none, view)).await;
        house.unheard(vec![house.deny(view, none)]).await;
        house.app.watch(bob, vec![house.topic]).await.unwrap();
        assert_eq!(bob.watched(), [house.topic], "it is shown again");
        let hide = if kicks {
            house.kick(bob)
        } else {
            house.deny(none, view)
        };
        give(&house.app, &house.alice, hide).await;
        house.says(1, "not for bob").await;
        let heard = house.hears(bob).await;
        assert_eq!(
            rows(&heard, Log::Topic(house.topic)),
            [""; 0],
            "kicked: {kicks}"
        );
        house.app.close().await;
    }
}

#[tokio::test]
async fn a_watch_that_rests_on_what_was_unheard_goes_on_from_where_the_next_commit_allows() {
    let (none, history) = (Permissions::empty(), Permissions::READ_HISTORY);
    let house = House::build().await;
    house.says(1, "older than carol").await;
    give(&house.app, &house.alice, house.deny(none, history)).await;
    house.app.parts.clock.set_by(1_000);
    let carol = house.comes("carol").await;
    house.unheard(vec![house.deny(history, none)]).await;
    house.app.watch(&carol, vec![house.topic]).await.unwrap();
    give(&house.app, &house.alice, house.deny(none, history)).await;
    let edit = Command::MessageEdit {
        topic: house.topic,
        message: MessageId(Uuid::from_u128(1)),
        text: Edit {
            from: "older than carol".to_owned(),
            to: "not for carol".to_owned(),
        },
    };
    give(&house.app, &house.alice, edit).await;
    let heard = house.hears(&carol).await;
    assert_eq!(rows(&heard, Log::Topic(house.topic)), [""; 0]);
    house.app.close().await;
}

#[tokio::test]
async fn after_more_than_can_be_told_the_next_is_told_again() {
    let house = House::build().await;
    let log = Log::Community(house.community);
    let group = |n: usize| Change::Row {
        log,
        id: GroupId(Uuid::from_u128(n as u128)).to_string(),
        body: Body::Deleted("group".to_owned()),
    };
    house.is_cut.store(true, Ordering::SeqCst);
    let changes = (0..=tulou_protocol::limits::SYNC_ROWS).map(group).collect();
    let commit = Commit::of_server(house.alice.account(), house.app.now(), changes);
    house.app.store().commit(commit).await.unwrap();
    house.is_cut.store(false, Ordering::SeqCst);
    give(&house.app, &house.alice, house.rename("土楼", "围楼")).await;
    let heard = house.hears(&house.bob).await;
    assert!(asks(&heard, log), "it is too much: {heard:?}");
    give(&house.app, &house.alice, house.rename("围楼", "方楼")).await;
    let heard = house.hears(&house.bob).await;
    assert_eq!(rows(&heard, log), [house.community.to_string()]);
    house.app.close().await;
}

/// Notes that what was waited for is there.
#[derive(Default)]
struct There(AtomicBool);

impl Wake for There {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Goes on with something until it waits, and comes back once it need not wait any more. False if it did not wait: what
/// it asked for was there at once.
async fn waits<F: Future>(future: &mut std::pin::Pin<Box<F>>) -> bool {
    let there = Arc::new(There::default());
    let waker = Waker::from(there.clone());
    let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
    if polled.is_ready() {
        return false;
    }
    while !there.0.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    true
}

#[tokio::test]
async fn who_is_removed_while_he_connects_is_not_put_back() {
    let house = House::build().await;
    let carol = house.comes("carol").await;
    let (app, who) = (&house.app, carol.account());
    let loaded = app.communities().loaded(house.community).await.unwrap();
    let loaded = loaded.unwrap();
    let gathering = loop {
        app.communities().refresh(&loaded, &[who]).await.unwrap();
        let mut gathering = Box::pin(app.gather(house.community, who));
        if !waits(&mut gathering).await {
            continue;
        }
        // Members changed meanwhile, so that what was read is not kept and is read once more.
        app.communities().refresh(&loaded, &[who]).await.unwrap();
        if waits(&mut gathering).await {
            break gathering;
        }
    };
    give(app, &house.alice, house.kick(&carol)).await;
    assert_eq!(app.hub().communities_of(who), [], "he is gone");
    gathering.await.unwrap();
    assert_eq!(app.hub().communities_of(who), [], "and stays so");
    app.close().await;
}

#[tokio::test]
async fn of_a_community_that_ends_while_somebody_connects_nothing_is_left() {
    let house = House::build().await;
    let (app, who) = (&house.app, house.bob.account());
    let loaded = app.communities().loaded(house.community).await.unwrap();
    let loaded = loaded.unwrap();
    let gathering = loop {
        app.communities().refresh(&loaded, &[who]).await.unwrap();
        let mut gathering = Box::pin(app.gather(house.community, who));
        if waits(&mut gathering).await {
            break gathering;
        }
    };
    let community = house.community;
    give(app, &house.alice, Command::CommunityDissolve { community }).await;
    gathering.await.unwrap();
    assert_eq!(app.hub().communities_of(who), []);
    assert!(app.hub().state().communities.is_empty());
    app.close().await;
}

#[tokio::test]
async fn what_is_committed_is_answered_so_though_it_is_not_heard_of_and_cannot_be_read() {
    let house = House::build().await;
    house.is_cut.store(true, Ordering::SeqCst);
    let rename = house.rename("土楼", "围楼");
    house.heard_without("row", rename).await;
    house.app.close().await;
}

#[tokio::test]
async fn who_is_answered_again_finds_changed_what_was_committed_unheard() {
    let house = House::build().await;
    let (app, community) = (&house.app, house.community);
    let structure = || app.communities().known_structure(community).unwrap();
    let commanded = Commanded {
        id: CommandId(Uuid::now_v7()),
        command: house.rename("土楼", "围楼"),
    };
    let renamed = tulou_protocol::row::Community {
        name: "围楼".to_owned(),
        ..structure().community.body.clone()
    };
    house.is_cut.store(true, Ordering::SeqCst);
    let commit = Commit {
        command: commanded.id,
        ..Commit::of_server(
            house.alice.account(),
            app.now(),
            vec![Change::Row {
                log: Log::Community(community),
                id: community.to_string(),
                body: renamed.into(),
            }],
        )
    };
    app.store().commit(commit).await.unwrap();
    house.is_cut.store(false, Ordering::SeqCst);
    assert_eq!(structure().community.body.name, "土楼", "it was not heard");
    let again = app.begin(house.alice.actor.clone(), commanded).await.await;
    assert!(again.is_ok(), "{again:?}");
    assert_eq!(structure().community.body.name, "围楼");
    app.close().await;
}

#[tokio::test]
async fn a_send_rests_on_nothing_of_the_community_but_what_gives_the_right_to_it() {
    let house = House::build().await;
    let group = Uuid::now_v7();
    let shelf = Change::Row {
        log: Log::Community(house.community),
        id: GroupId(group).to_string(),
        body: tulou_protocol::row::Group {
            name: "架".to_owned(),
            position: "90".to_owned(),
            more: Default::default(),
        }
        .into(),
    };
    house.is_cut.store(true, Ordering::SeqCst);
    let commit = Commit::of_server(house.alice.account(), house.app.now(), vec![shelf]);
    house.app.store().commit(commit).await.unwrap();
    house.is_cut.store(false, Ordering::SeqCst);
    // A structure that cannot be read is not read.
    let file = house.folder.path().join(engine::FILE);
    rename_table(&file, "seat", "elsewhere");
    house.says(1, "all the same").await;
    rename_table(&file, "elsewhere", "seat");
    house.app.close().await;
}

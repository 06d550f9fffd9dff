use std::sync::atomic::AtomicU64;

use tulou_engine::{Island, LinkState, Write};
use tulou_protocol::{
    AccountId, Log, MessageId, Rev, Row, Seq, ServerFrame, ServerId,
    push::{Clock as ServerClock, Condition, Disk, Pushed},
    row::{Content, Message, More},
};

use super::*;
use crate::{
    account::{Entered, Submitted, ViewerId, WISHES, Writing},
    action::Action,
    known::Known,
    link::Event,
    store::{Store, StoreError, drafts, islands, messages, outbox},
    view::{ClockView, DiskView},
};

const ME: AccountId = AccountId(Uuid::from_u128(1));
const TOPIC: TopicId = TopicId(Uuid::from_u128(2));

/// An account, and what its driver hears.
fn account(folder: &std::path::Path, budget: u64) -> (Arc<Account>, mpsc::Receiver<Wish>) {
    let known = Known {
        server: ServerId(Uuid::from_u128(3)),
        account: ME,
        name: "alice".into(),
        server_name: "s".into(),
        addresses: vec!["ws://127.0.0.1:9".into()],
        key: None,
    };
    let store = Store::open(&folder.join("a.sqlite"), ME).unwrap();
    let (wishes, heard) = mpsc::channel(WISHES);
    let account = Arc::new(Account::new(
        known,
        Arc::new(store),
        wishes,
        crate::changes::Board::default(),
        Arc::default(),
        Arc::new(AtomicU64::new(budget)),
    ));
    (account, heard)
}

/// An account with a driver that has no server.
fn driven(folder: &std::path::Path) -> Arc<Account> {
    let (account, heard) = account(folder, u64::MAX);
    tokio::spawn(Driver::new(Arc::clone(&account), heard).run());
    account
}

/// Messages of a topic, held without a hole.
fn fill(account: &Account, topic: TopicId, count: u64) {
    scatter(account, topic, count);
    let island = Island {
        from: Seq(1),
        to: Seq(count),
        rev: Rev(count),
        is_paged: false,
    };
    let islands = Write::Islands(topic, vec![island]);
    account.store.apply(&[islands], 1).unwrap();
}

/// Messages of a topic that came beyond a gap.
fn scatter(account: &Account, topic: TopicId, count: u64) {
    let row = |seq: u64| {
        let content = Content {
            author: ME,
            sent_at: 1,
            written_at: None,
            text: "text".into(),
            reply_to: None,
            edited_at: None,
            recalled_by: None,
            more: More::new(),
        };
        let message = Message {
            seq: Seq(seq),
            content: Some(content),
            content_rev: Rev(seq),
            marks: None,
            marks_rev: Rev::ZERO,
            more: More::new(),
        };
        Row {
            id: MessageId(Uuid::from_u128(u128::from(seq))).to_string(),
            rev: Rev(seq),
            body: message.into(),
        }
    };
    let rows = Write::Rows(Log::Topic(topic), (1..=count).map(row).collect());
    account.store.apply(&[rows], 1).unwrap();
}

/// The first message held of a topic, how many there are, and how many its islands say there are.
fn held(account: &Account, topic: TopicId) -> (Option<u64>, u64, u64) {
    let read = account.store.read(|db| {
        let found = messages::stretch(db, topic, Seq(0), Seq(10_000), 10_000)?;
        let islands = islands::of_topic(db, topic)?;
        let islands = islands.iter().map(|island| island.to.0 + 1 - island.from.0);
        let first = found.first().map(|held| held.seq.0);
        Ok::<_, StoreError>((first, found.len() as u64, islands.sum()))
    });
    read.unwrap()
}

async fn draft(account: &Account, text: &str) -> Result<(), Error> {
    let (answer, kept) = oneshot::channel();
    let reply_to = Some(MessageId(Uuid::from_u128(4)));
    let draft = Writing::Message(TOPIC, text.into(), reply_to);
    account.wish(Wish::Draft(draft, answer)).await?;
    kept.await.map_err(|_| Error::Stopped)?
}

#[tokio::test]
async fn what_breaks_in_a_driver_is_said_and_it_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let account = driven(folder.path());
    let mut connection = account.connection.subscribe();
    account.use_token(Some("token".into())).await.unwrap();
    draft(&account, "before").await.unwrap();
    account.wish(Wish::Break).await.unwrap();
    let told = connection.wait_for(|connection| {
        matches!(connection, Connection::Offline { cause: Some(cause), .. } if cause.code == "broken")
    });
    told.await.unwrap();
    draft(&account, "and goes on").await.unwrap();
    let kept = account.store.read(|db| drafts::one(db, TOPIC)).unwrap();
    assert_eq!(kept.unwrap().0, "and goes on");
    // It tries to connect again, with the token that it had.
    let again = connection.wait_for(|connection| *connection == Connection::Connecting);
    tokio::time::timeout(Duration::from_secs(20), again)
        .await
        .expect("it is begun again")
        .unwrap();
}

#[tokio::test]
async fn without_an_engine_messages_go_with_the_islands_that_say_that_they_are_held() {
    let folder = tempfile::tempdir().unwrap();
    let (account, heard) = account(folder.path(), 0);
    let mut driver = Driver::new(Arc::clone(&account), heard);
    fill(&account, TOPIC, 900);
    for step in 0..8 {
        driver.keep().await;
        let (_, rows, said) = held(&account, TOPIC);
        assert_eq!(
            rows, said,
            "what an island says to be held is fetched by nobody (step {step})"
        );
    }
    let (_, rows, _) = held(&account, TOPIC);
    assert_eq!(rows, 200, "the end of what was viewed last stays");
}

#[tokio::test]
async fn what_is_on_the_screen_is_no_obstacle_to_what_may_go() {
    let folder = tempfile::tempdir().unwrap();
    let (account, heard) = account(folder.path(), 0);
    let mut driver = Driver::new(Arc::clone(&account), heard);
    driver.token = Some("token".into());
    driver.make().await;
    let other = TopicId(Uuid::from_u128(9));
    for topic in [TOPIC, other] {
        fill(&account, topic, 900);
        let viewed = |db: &rusqlite::Transaction<'_>| messages::view(db, topic, 1);
        account.store.keep(viewed).unwrap();
    }
    driver.make().await;
    account.enter(ViewerId(1), TOPIC, Entered::default());
    for _ in 0..12 {
        driver.keep().await;
    }
    assert_eq!(held(&account, TOPIC).1, 900, "somebody looks at it");
    assert_eq!(held(&account, other), (Some(701), 200, 200));
    account.look_from(ViewerId(1), TOPIC, Seq(850));
    for _ in 0..12 {
        driver.keep().await;
    }
    assert_eq!(
        held(&account, TOPIC),
        (Some(651), 250, 250),
        "what lies far above what he looks at goes when nothing else can"
    );
}

/// A driver with an engine, and more in its store than there is room for: some of a topic that is viewed first, and some of
/// [`TOPIC`].
async fn without_room(folder: &std::path::Path, count: u64) -> (Arc<Account>, Driver) {
    let (account, heard) = account(folder, 0);
    let mut driver = Driver::new(Arc::clone(&account), heard);
    driver.token = Some("token".into());
    // What cannot be read is looked for before: here there is nothing.
    driver.keep().await;
    fill(&account, TOPIC, count);
    driver.make().await;
    (account, driver)
}

fn execute(account: &Account, sql: &str) {
    let executed = |db: &rusqlite::Transaction<'_>| Ok::<_, StoreError>(db.execute_batch(sql)?);
    account.store.keep(executed).unwrap();
}

#[tokio::test]
async fn what_could_not_be_dropped_once_is_dropped_when_the_disk_works_again() {
    let folder = tempfile::tempdir().unwrap();
    let (account, mut driver) = without_room(folder.path(), 900).await;
    execute(
        &account,
        "CREATE TRIGGER stuck BEFORE DELETE ON messages BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    driver.keep().await;
    assert!(driver.engine.is_none(), "the store failed");
    assert_eq!(held(&account, TOPIC).1, 900);
    execute(&account, "DROP TRIGGER stuck");
    driver.make().await;
    for _ in 0..4 {
        driver.keep().await;
    }
    assert_eq!(held(&account, TOPIC), (Some(701), 200, 200));
}

#[tokio::test]
async fn what_is_held_again_is_dropped_again() {
    let folder = tempfile::tempdir().unwrap();
    let (account, mut driver) = without_room(folder.path(), 500).await;
    for _ in 0..2 {
        fill(&account, TOPIC, 500);
        driver.make().await;
        for _ in 0..3 {
            driver.keep().await;
        }
        assert_eq!(held(&account, TOPIC), (Some(301), 200, 200));
    }
}

#[tokio::test]
async fn what_cannot_go_yet_is_no_obstacle_to_what_may() {
    let folder = tempfile::tempdir().unwrap();
    let (account, mut driver) = without_room(folder.path(), 900).await;
    let pushed = TopicId(Uuid::from_u128(9));
    driver.feed(Input::Watch(pushed)).await;
    scatter(&account, pushed, 500);
    // It was viewed longest ago.
    for topic in [pushed, TOPIC] {
        let viewed = |db: &rusqlite::Transaction<'_>| messages::view(db, topic, 1);
        account.store.keep(viewed).unwrap();
    }
    let is_paused = |driver: &Driver| {
        let due = driver.keeping.at().unwrap();
        due - Instant::now() > Duration::from_secs(50)
    };
    let mut steps = 0;
    while steps == 0 || !is_paused(&driver) {
        driver.keep().await;
        steps += 1;
        assert!(steps < 20, "what cannot go is asked for without a pause");
    }
    assert_eq!(
        held(&account, pushed).1,
        500,
        "what came beyond a gap waits for it to close"
    );
    assert_eq!(held(&account, TOPIC), (Some(701), 200, 200));
    driver.feed(Input::Unwatch(pushed)).await;
    for _ in 0..3 {
        driver.keep().await;
    }
    assert_eq!(held(&account, pushed).1, 200, "it may go now");
}

#[tokio::test]
async fn what_could_not_be_looked_through_once_is_looked_through_later() {
    let folder = tempfile::tempdir().unwrap();
    let (account, heard) = account(folder.path(), 0);
    let mut driver = Driver::new(Arc::clone(&account), heard);
    fill(&account, TOPIC, 900);
    execute(
        &account,
        "INSERT INTO rows (log, kind, id, rev, deleted, body) VALUES (1, 'group', 'g', 1, 0, '{');
         ALTER TABLE rows RENAME TO away;",
    );
    for _ in 0..4 {
        driver.keep().await;
    }
    assert_eq!(
        held(&account, TOPIC).1,
        200,
        "room is made although some rows cannot be looked at"
    );
    execute(&account, "ALTER TABLE away RENAME TO rows");
    driver.keep().await;
    let left = account.store.read(|db| {
        let count: i64 = db.query_row("SELECT count(*) FROM rows", [], |row| row.get(0))?;
        Ok::<_, StoreError>(count)
    });
    assert_eq!(left.unwrap(), 0);
}

#[tokio::test]
async fn what_breaks_again_and_again_is_begun_again_ever_later() {
    let folder = tempfile::tempdir().unwrap();
    let (account, heard) = account(folder.path(), u64::MAX);
    let mut driver = Driver::new(account, heard);
    let mut waits = Vec::new();
    for _ in 0..4 {
        driver.begin_again();
        let wait = driver.remake_at.unwrap() - Instant::now();
        waits.push(wait.as_secs_f32().round());
        // What comes with each new link is no sign that it holds.
        driver
            .perform(tulou_engine::Output::Apply(vec![]), &mut VecDeque::new())
            .await
            .unwrap();
    }
    assert_eq!(waits, [1.0, 2.0, 4.0, 8.0]);
}

#[tokio::test]
async fn what_is_durable_is_said_to_be_whatever_breaks_after_that() {
    let folder = tempfile::tempdir().unwrap();
    let (account, heard) = account(folder.path(), u64::MAX);
    let mut driver = Driver::new(Arc::clone(&account), heard);
    driver.is_to_break = true;
    let (answer, told) = oneshot::channel();
    let action = Action::SendMessage {
        topic: TOPIC.to_string(),
        text: "once".into(),
        reply_to: None,
    };
    let wish = Wish::Submit(action, answer);
    let broken = AssertUnwindSafe(driver.grant(wish)).catch_unwind().await;
    assert!(broken.is_err());
    assert!(
        matches!(told.await, Ok(Ok(Submitted::Queued(_)))),
        "who is told that it failed sends it a second time"
    );
    let waiting = account.store.read(outbox::all).unwrap();
    assert_eq!(waiting.len(), 1);
}

#[tokio::test]
async fn what_came_while_it_stood_still_is_heard_before_a_server_is_taken_for_silent() {
    for has_spoken in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let (account, heard) = account(folder.path(), u64::MAX);
        let mut driver = Driver::new(account, heard);
        driver.token = Some("token".into());
        driver.make().await;
        let (say, events) = mpsc::channel(INCOMING);
        driver.link = Some(Link::spoken_for(events));
        let up = Event::Up {
            address: "ws://127.0.0.1:9".into(),
            key: None,
        };
        driver.hear(up).await;
        if has_spoken {
            say.send(Event::Stirred).await.unwrap();
        }
        // The disk stood still for 20 seconds.
        driver.clock.read(now() + 20_000);
        driver.tick().await;
        assert_eq!(driver.link.is_some(), has_spoken);
    }
}

#[tokio::test]
async fn a_link_that_was_cut_is_no_news_of_the_servers_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (account, heard) = account(folder.path(), u64::MAX);
    let mut driver = Driver::new(Arc::clone(&account), heard);
    account.use_token(Some("token".into())).await.unwrap();
    driver.grant(Wish::Token).await;
    let up = || Event::Up {
        address: "ws://127.0.0.1:9".into(),
        key: None,
    };
    driver.hear(up()).await;
    let full = Condition {
        disk: Disk::Full,
        clock: ServerClock::Leapt,
    };
    let told = ServerFrame::Pushed(Pushed::Condition(full));
    driver.hear(Event::Frame(told)).await;
    driver.tell_link(LinkState::Synced);
    driver.hear(up()).await;
    driver.tell_link(LinkState::Syncing);
    assert_eq!(account.disk(), DiskView::Full, "it said nothing yet");
    assert_eq!(account.clock(), ClockView::Leapt);
    driver.tell_link(LinkState::Synced);
    assert_eq!(account.disk(), DiskView::Plenty, "all is well with it");
    assert_eq!(account.clock(), ClockView::Right);
}

//! What a wrong clock does to a server that runs, and to one that is started.

use std::{path::Path, sync::Arc};

use tulou_protocol::{
    CommunityId, MessageId, Permissions, Question, Seq, SessionId, TopicId, command::Edit,
    permission::Place, question::Told,
};
use uuid::Uuid;

use super::{
    App, Command, DAY_MS, account, app, found, give, join, open, room, send, sent_at, written,
};
use crate::{
    hub::Line,
    store::{Commit, NewSession, engine},
};

/// Whether what becomes old now is removed.
fn is_trusted(app: &App) -> bool {
    app.clock().old_by() + 60_000 > app.now()
}

pub(super) async fn set_clock_by(app: &App, by: i64) {
    app.clock().set_by(by);
    app.set_clock().await.unwrap();
}

/// Everybody sees a topic's new messages only.
pub(super) async fn hide_history(
    app: &App,
    owner: &Arc<Line>,
    community: CommunityId,
    topic: TopicId,
) {
    let none_to = |to| Edit {
        from: Permissions::empty(),
        to,
    };
    let deny = Command::AccessSet {
        community,
        place: Place::Topic(topic),
        member_group: None,
        allow: none_to(Permissions::empty()),
        deny: none_to(Permissions::READ_HISTORY),
    };
    give(app, owner, deny).await;
}

/// The first message of a topic that somebody may read.
async fn floor(app: &App, topic: TopicId, line: &Line) -> Seq {
    let seen = app.communities().visible(topic, line.account()).await;
    let (structure, member) = seen.unwrap().expect("it is visible");
    let since = structure.readable_since(&member, topic);
    let floor = app.communities().floor_since(topic, since).await;
    floor.unwrap()
}

/// A server that was closed while its clock was ahead, and is started again.
async fn closed_ahead(by: i64, path: &Path, app: App, texts: (&Arc<Line>, TopicId)) -> App {
    app.clock().set_by(by);
    give(&app, texts.0, send(texts.1, "by a clock that is ahead")).await;
    app.close().await;
    drop(app);
    open(path).await
}

#[tokio::test]
async fn a_clock_that_was_ahead_and_is_set_right_leaves_nothing_of_tomorrow() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let now = app.now();
    set_clock_by(&app, DAY_MS).await;
    let (community, topic) = found(&app, &alice).await;
    give(&app, &alice, send(topic, "by tomorrow's clock")).await;
    assert!(sent_at(&app, topic).await[0] >= now + DAY_MS);

    set_clock_by(&app, -DAY_MS).await;
    let begun = app.hub().state().communities[&community].begun;
    assert!(begun <= app.now(), "a digest begins at no time to come");
    give(&app, &alice, send(topic, "by today's")).await;
    let times = sent_at(&app, topic).await;
    let today = now - 60_000..now + DAY_MS / 2;
    assert!(
        times.iter().all(|time| today.contains(time)),
        "it does not stand still until tomorrow: {times:?}"
    );
    assert!(times.is_sorted(), "the order of times is that of messages");
    let heads = Question::CommunityHeads {
        community,
        since: now + DAY_MS,
        after: None,
    };
    let Ok(Told::Heads(heads)) = app.ask(&alice.actor, heads).await else {
        panic!("she is a member")
    };
    assert_eq!(
        heads.topics.len(),
        1,
        "who heard of tomorrow misses nothing of today"
    );
    app.close().await;
}

#[tokio::test]
async fn who_joined_while_the_clock_was_ahead_reads_what_came_after() {
    let (app, _folder) = app().await;
    let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
    let (community, topic) = found(&app, &alice).await;
    hide_history(&app, &alice, community, topic).await;
    set_clock_by(&app, DAY_MS).await;
    for text in ["of before", "and another"] {
        give(&app, &alice, send(topic, text)).await;
    }
    // Whoever joins in the same moment as a message may read it.
    let written = app.now();
    while app.now() <= written {
        tokio::task::yield_now().await;
    }
    join(&app, &alice, &bob, community).await;
    give(&app, &alice, send(topic, "of after")).await;
    assert_eq!(floor(&app, topic, &bob).await, Seq(3));
    set_clock_by(&app, -DAY_MS).await;
    assert_eq!(
        floor(&app, topic, &bob).await,
        Seq(3),
        "history stays his not"
    );
    app.close().await;
}

#[tokio::test]
async fn a_clock_that_is_behind_at_the_start_rewrites_nothing() {
    let (app, folder) = app().await;
    let alice = account(&app, "alice").await;
    let (_, topic) = found(&app, &alice).await;
    give(&app, &alice, send(topic, "of today")).await;
    let app = closed_ahead(4_000 * DAY_MS, folder.path(), app, (&alice, topic)).await;
    let times = sent_at(&app, topic).await;
    let ahead = app.now();
    assert!(
        times[1] > times[0] + 3_999 * DAY_MS,
        "nobody knows which is wrong"
    );
    assert!(ahead >= times[1], "the time goes on from there");
    assert!(!is_trusted(&app), "nothing becomes old by it");
    // What tells the time on the network is reached.
    set_clock_by(&app, 4_000 * DAY_MS + 3_600_000).await;
    assert_eq!(sent_at(&app, topic).await, times);
    assert!(
        app.now() >= times[1] + 3_000_000,
        "the clock is followed again"
    );
    assert!(!is_trusted(&app), "it leapt");
    app.close().await;
}

#[tokio::test]
async fn a_commit_under_way_goes_back_with_the_clock() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let (_, topic) = found(&app, &alice).await;
    set_clock_by(&app, DAY_MS).await;
    let decided = |no| {
        let message = MessageId(Uuid::from_u128(no));
        let change = written(topic, message, alice.account(), "under way");
        Commit::of_server(alice.account(), app.now(), vec![change])
    };
    let (first, second) = (decided(1), decided(2));
    app.store().commit(first).await.unwrap();
    set_clock_by(&app, -DAY_MS).await;
    app.store().commit(second).await.unwrap();
    let (now, times) = (app.now(), sent_at(&app, topic).await);
    assert!(times.is_sorted() && times[1] <= now, "{times:?} at {now}");
    app.close().await;
}

#[tokio::test]
async fn what_memory_holds_goes_back_with_the_clock() {
    let (app, _folder) = app().await;
    let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
    let (community, _) = found(&app, &alice).await;
    join(&app, &alice, &bob, community).await;
    let topic = room(&app, &alice, community).await;
    hide_history(&app, &alice, community, topic).await;
    set_clock_by(&app, DAY_MS).await;
    let seat = Command::SeatSet {
        community,
        topic,
        account: bob.account(),
        on: true,
    };
    give(&app, &alice, seat).await;
    app.communities().loaded(community).await.unwrap();
    set_clock_by(&app, -DAY_MS).await;
    give(&app, &alice, send(topic, "he has a seat")).await;
    assert_eq!(floor(&app, topic, &bob).await, Seq(1), "he reads it");
    app.close().await;
}

#[tokio::test]
async fn a_restart_does_not_end_the_distrust_of_a_clock_that_leapt() {
    let (app, folder) = app().await;
    let before = app.now();
    set_clock_by(&app, 365 * DAY_MS).await;
    assert!(!is_trusted(&app));
    app.close().await;
    drop(app);
    let app = open(folder.path()).await;
    app.clock().set_by(20 * DAY_MS);
    app.set_clock().await.unwrap();
    let old_by = app.clock().old_by();
    assert!(old_by < before + 60_000, "the year may not have passed");
    app.clock().pass(DAY_MS + 3_600_000);
    app.set_clock().await.unwrap();
    assert!(is_trusted(&app), "nobody set it right");
    app.close().await;
    drop(app);
    let app = open(folder.path()).await;
    assert!(is_trusted(&app));
    app.close().await;
}

#[tokio::test]
async fn what_was_done_while_the_clock_was_ahead_is_not_dated_tomorrow() {
    let (app, folder) = app().await;
    let alice = account(&app, "alice").await;
    let (community, topic) = found(&app, &alice).await;
    let old = MessageId(Uuid::now_v7());
    let written = Command::MessageSend {
        topic,
        message: old,
        text: "of before".to_owned(),
        reply_to: None,
        written_at: 1,
    };
    give(&app, &alice, written).await;
    set_clock_by(&app, DAY_MS).await;
    let edit = Command::MessageEdit {
        topic,
        message: old,
        text: Edit {
            from: "of before".to_owned(),
            to: "edited".to_owned(),
        },
    };
    give(&app, &alice, edit).await;
    let pin = Command::MessagePin {
        topic,
        message: old,
        on: true,
    };
    give(&app, &alice, pin).await;
    let invite = Question::InviteCreate {
        community,
        expires_at: Some(app.now() + DAY_MS),
        max_uses: None,
    };
    app.ask(&alice.actor, invite).await.unwrap();
    let bob = account(&app, "bob").await;
    let session = NewSession {
        session: SessionId(Uuid::now_v7()),
        account: bob.account(),
        token: [7; 32],
        password: "hash".to_owned(),
        device: String::new(),
        address: String::new(),
        now: app.now(),
    };
    let made = app.store().create_session(session).await.unwrap();
    assert!(made.is_some());
    set_clock_by(&app, -DAY_MS).await;
    let now = app.now();
    app.close().await;

    let db = rusqlite::Connection::open(folder.path().join(engine::FILE)).unwrap();
    for (what, latest) in [
        ("max(edited_at) FROM message", now),
        ("max(pinned_at) FROM message", now),
        ("max(json_extract(marks, '$.pinned_at')) FROM message", now),
        ("max(created_at) FROM invite", now),
        ("max(expires_at) FROM invite", now + DAY_MS),
        ("max(created_at) FROM session", now),
        ("max(created_at) FROM account", now),
    ] {
        let time: i64 = db
            .query_row(&format!("SELECT {what}"), (), |row| row.get(0))
            .unwrap();
        let right = latest - 60_000..=latest;
        assert!(right.contains(&time), "{what}: {time} at {now}");
    }
}

//! What a leap of the clock does to what is under way: asked, decided or read before, and written, answered or kept after.

use futures_util::FutureExt;
use rusqlite::Connection;
use tulou_protocol::{
    Digest, SessionId,
    http::Register,
    question::Told,
    row::{Content, Membership},
};

use super::{
    clock::{hide_history, set_clock_by},
    *,
};
use crate::{
    communities::Communities,
    domain::change::{Contents, Marking},
    store::telling::telling,
    store::{NewSession, Pending, Seen, engine},
};

const YEAR_MS: i64 = 365 * DAY_MS;

/// The writer waits for a lock that another program has, until it is let go.
fn lock(folder: &tempfile::TempDir) -> Connection {
    let lock = Connection::open(folder.path().join(engine::FILE)).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    lock
}

async fn heads(app: &App, line: &Arc<Line>, community: CommunityId, since: i64) -> Digest {
    let heads = Question::CommunityHeads {
        community,
        since,
        after: None,
    };
    match app.ask(&line.actor, heads).await {
        Ok(Told::Heads(heads)) => heads,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nobody_is_signed_out_by_a_leap_that_nobody_has_looked_at() {
    let (app, _folder) = app().await;
    let alice = Register {
        account_name: "alice".to_owned(),
        display_name: "Alice".to_owned(),
        password: "a long pass phrase".to_owned(),
        invite: None,
        device: String::new(),
    };
    let made = app.register(alice, None).await.unwrap();
    app.clock().set_by(YEAR_MS);
    let known = app.session(&made.token).await.unwrap();
    assert!(known.is_some(), "half a year may not have passed");
    app.close().await;
}

#[tokio::test]
async fn an_account_that_is_made_while_the_clock_goes_back_keeps_nothing_of_tomorrow() {
    let (app, folder) = app().await;
    let alice = account(&app, "alice").await;
    set_clock_by(&app, YEAR_MS).await;
    let ahead = app.now();
    set_clock_by(&app, -YEAR_MS).await;
    let id = AccountId(Uuid::now_v7());
    let bob = NewAccount {
        id,
        name: "bob".to_owned(),
        display_name: "Bob".to_owned(),
        password: "hash".to_owned(),
        codes: Vec::new(),
        unless_first: None,
        invite: None,
        now: ahead,
    };
    app.store().create_account(bob).await.unwrap().unwrap();
    let session = SessionId(Uuid::now_v7());
    let signed_in = NewSession {
        session,
        account: id,
        token: [7; 32],
        password: "hash".to_owned(),
        device: String::new(),
        address: String::new(),
        now: ahead,
    };
    app.store()
        .create_session(signed_in)
        .await
        .unwrap()
        .unwrap();
    let seen = Seen {
        session,
        at: ahead,
        address: String::new(),
    };
    app.store().see_sessions(vec![seen]).await.unwrap();
    let begun = app.store().begin_deletion(alice.account(), false, ahead);
    begun.await.unwrap();
    let now = app.now();
    let latest = app.store().latest().await.unwrap();
    assert!(latest <= now, "the next start would go on from {latest}");
    let kept = app.store().sessions(id).await.unwrap();
    assert!(kept[0].created_at <= now && kept[0].seen_at <= now);
    app.close().await;
    drop(app);
    let db = Connection::open(folder.path().join(engine::FILE)).unwrap();
    let latest: i64 = db
        .query_row("SELECT max(max(at), (SELECT max(moved_at) FROM log), (SELECT max(created_at) FROM account)) FROM row", (), |row| row.get(0))
        .unwrap();
    assert!(latest <= now, "{latest} at {now}");
}

#[tokio::test]
async fn what_is_done_to_a_message_while_the_clock_goes_back_is_not_dated_tomorrow() {
    let (app, folder) = app().await;
    let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
    let (community, topic) = found(&app, &alice).await;
    set_clock_by(&app, DAY_MS).await;
    join(&app, &alice, &bob, community).await;
    let text = format!("<@{}>", bob.account());
    let message = MessageId(Uuid::now_v7());
    let calls = Command::MessageSend {
        topic,
        message,
        text: text.clone(),
        reply_to: None,
        written_at: 1,
    };
    give(&app, &alice, calls).await;
    let sent = sent_at(&app, topic).await[0];
    let ahead = app.now();
    set_clock_by(&app, -DAY_MS).await;

    let edited = Change::Content(Box::new(Contents {
        topic,
        message,
        seq: Seq(1),
        content: Content {
            author: alice.account(),
            sent_at: sent,
            written_at: None,
            text,
            reply_to: None,
            edited_at: Some(ahead),
            recalled_by: None,
            more: Default::default(),
        },
        mentioned: vec![alice.account()],
        unmentioned: Vec::new(),
        wide: Vec::new(),
    }));
    let pinned = Change::Marks {
        topic,
        message,
        seq: Seq(1),
        marking: Marking::Pin(Some(ahead)),
    };
    let joined = Change::Row {
        log: Log::Account(alice.account()),
        id: CommunityId(Uuid::now_v7()).to_string(),
        body: Membership {
            community,
            joined_at: ahead,
            more: Default::default(),
        }
        .into(),
    };
    let commit = Commit::of_server(alice.account(), ahead, vec![edited, pinned, joined]);
    app.store().commit(commit).await.unwrap();
    let now = app.now();
    app.close().await;

    let db = Connection::open(folder.path().join(engine::FILE)).unwrap();
    for what in [
        "max(sent_at) FROM message",
        "max(edited_at) FROM message",
        "max(pinned_at) FROM message",
        "max(json_extract(marks, '$.pinned_at')) FROM message",
        "max(json_extract(body, '$.sent_at')) FROM row WHERE kind = 'mention'",
        "max(json_extract(body, '$.joined_at')) FROM row WHERE kind = 'membership'",
    ] {
        let time: i64 = db
            .query_row(&format!("SELECT {what}"), (), |row| row.get(0))
            .unwrap();
        assert!(
            time <= now && time > now - 60_000,
            "{what}: {time} at {now}"
        );
    }
    let mentions: i64 = db
        .query_row(
            "SELECT count(*) FROM row WHERE kind = 'mention'",
            (),
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(mentions, 2, "of before and of after");
}

#[tokio::test]
async fn heads_tell_what_a_slow_disk_wrote_long_after_it_was_decided() {
    // Whether something else is written first.
    for waits in [false, true] {
        let (app, folder) = app().await;
        let alice = account(&app, "alice").await;
        let (community, topic) = found(&app, &alice).await;
        app.clock().pass(60_000);
        let held = lock(&folder);
        let before: Option<Pending<()>> = waits.then(|| app.store().try_to_write());
        let message = MessageId(Uuid::now_v7());
        let change = written(topic, message, alice.account(), "slow");
        let commit = Commit::of_server(alice.account(), app.now(), vec![change]);
        let commit = app.store().commit(commit);
        app.clock().pass(30_000);
        let known = heads(&app, &alice, community, 0).await;
        assert_eq!(known.topics[0].head_seq, Seq(0), "nothing is written yet");
        app.clock().pass(30_000);
        held.execute_batch("ROLLBACK").unwrap();
        if let Some(before) = before {
            before.await.unwrap();
        }
        commit.await.unwrap();
        let told = heads(&app, &alice, community, known.to).await;
        assert_eq!(told.topics.len(), 1, "waits: {waits}");
        assert_eq!(told.topics[0].head_seq, Seq(1));
        app.close().await;
    }
}

#[tokio::test]
async fn what_was_read_before_the_clock_went_back_is_read_again() {
    let (app, _folder) = app().await;
    let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
    let (community, _) = found(&app, &alice).await;
    join(&app, &alice, &bob, community).await;
    let room = room(&app, &alice, community).await;
    hide_history(&app, &alice, community, room).await;
    set_clock_by(&app, DAY_MS).await;
    let seat = |on| Command::SeatSet {
        community,
        topic: room,
        account: bob.account(),
        on,
    };
    give(&app, &alice, seat(true)).await;
    // Who tells everybody reads by himself, and goes on when this test does, unless the reader is quicker than a look.
    let (others, loading) = loop {
        let others = Communities::of(app.parts.store.clone());
        let reading = others.clone();
        let loading = async move { reading.loaded(community).await };
        let mut loading = Box::pin(telling(loading));
        if loading.as_mut().now_or_never().is_none() {
            break (others, loading);
        }
    };
    // By now it has been.
    for _ in 0..16 {
        app.store().structure(community).await.unwrap();
    }
    set_clock_by(&app, -DAY_MS).await;
    others.went_back();
    let loaded = loading.await.unwrap().unwrap();
    let his = others.member(&loaded, bob.account()).await.unwrap();
    let since = loaded.structure().readable_since(&his.unwrap(), room);
    assert!(since.unwrap() <= app.now(), "he has his seat by now");

    // The disk failed when it should have been read again.
    set_clock_by(&app, DAY_MS).await;
    give(&app, &alice, seat(false)).await;
    give(&app, &alice, seat(true)).await;
    let late = Communities::of(app.parts.store.clone());
    let loaded = late.loaded(community).await.unwrap().unwrap();
    set_clock_by(&app, -DAY_MS).await;
    late.went_back();
    late.read_what_is_late().await.unwrap();
    let his = late.member(&loaded, bob.account()).await.unwrap();
    let since = loaded.structure().readable_since(&his.unwrap(), room);
    assert!(since.unwrap() <= app.now(), "the next look reads it");
    app.close().await;
}

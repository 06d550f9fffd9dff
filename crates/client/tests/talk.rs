//! Two clients against a real server: what a person does on one side is what the other side sees.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

#[path = "talk/offline.rs"]
mod offline;
#[path = "talk/people.rs"]
mod people;
#[path = "talk/unread.rs"]
mod unread;

use stage::{Person, Stage};
use tulou_client::{
    action::Action,
    view::{Delivery, Stretch},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_talk_and_see_the_same() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    alice.enter(&topic).await;
    bob.enter(&topic).await;

    let first = alice.say(&topic, "你好，**世界**").await;
    bob.until("the first message is there", async || {
        bob.has(&topic, &first).await.then_some(())
    })
    .await;
    let answer = bob.reply(&topic, "안녕 😀", &first).await;
    alice
        .until("the answer is there", async || {
            alice.has(&topic, &answer).await.then_some(())
        })
        .await;
    let third = alice.say(&topic, "one more").await;

    let edited = Action::EditMessage {
        topic: topic.clone(),
        message: first.clone(),
        from: "你好，**世界**".into(),
        text: "你好，全世界".into(),
    };
    alice.act(edited).await;
    let react = |on| Action::React {
        topic: topic.clone(),
        message: first.clone(),
        key: "🔥".into(),
        on,
    };
    bob.act(react(true)).await;
    alice.act(react(true)).await;
    bob.act(Action::RecallMessage {
        topic: topic.clone(),
        message: answer.clone(),
    })
    .await;
    alice
        .act(Action::Pin {
            topic: topic.clone(),
            message: third.clone(),
            on: true,
        })
        .await;
    stage::same(&alice, &bob, &topic).await;

    let view = bob.timeline(&topic).await;
    assert_eq!(view.rows.len(), 3, "three messages, each once");
    assert_eq!(view.rows[0].text, "你好，全世界");
    assert!(view.rows[0].is_edited, "an edit is marked");
    assert_eq!(view.rows[0].reactions[0].count, 2, "both reacted");
    assert!(view.rows[0].reactions[0].is_mine, "one of them was bob");
    let recalled = view.rows.iter().find(|row| row.id == answer).unwrap();
    assert!(recalled.recalled.is_some(), "the answer was recalled");
    assert_eq!(recalled.text, "", "and its text is gone");
    assert_eq!(view.pins.len(), 1, "one message is pinned");
    assert_eq!(
        view.rows[0].author.name, "alice",
        "names come with messages"
    );
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_topic_is_read_page_by_page() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    for number in 1..=450 {
        alice.say(&topic, &format!("line {number}")).await;
    }
    alice.settled().await;
    let bob = stage.invite(&alice, &community, "bob").await;
    bob.enter(&topic).await;
    let end = Stretch::End { count: 50 };
    bob.until("the end is there", async || {
        let view = bob.timeline_at(&topic, end.clone()).await;
        (view.rows.len() == 50 && view.head == 450).then_some(())
    })
    .await;
    let first = alice
        .timeline_at(
            &topic,
            Stretch::Range {
                from: 1,
                to: Some(1),
            },
        )
        .await
        .rows[0]
        .id
        .clone();
    bob.until("a message far away is there", async || {
        let stretch = Stretch::Message {
            id: first.clone(),
            count: 30,
        };
        let view = bob.timeline_at(&topic, stretch).await;
        let seqs: Vec<u64> = view.rows.iter().filter_map(|row| row.seq).collect();
        assert!(seqs.is_empty() || seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]));
        (seqs.first() == Some(&1)).then_some(())
    })
    .await;
    let nowhere = Stretch::Message {
        id: "AY8AAAAAcACAAAAAAAAAAA".into(),
        count: 30,
    };
    let error = bob
        .client
        .timeline_view(&bob.account, &topic, nowhere)
        .await
        .unwrap_err();
    assert_eq!(
        error.code(),
        "not_found",
        "nobody waits for what never comes"
    );
    let mut from = 400;
    while from > 1 {
        from -= 50;
        bob.until("the rows before came", async || {
            let view = bob
                .timeline_at(
                    &topic,
                    Stretch::Range {
                        from: from.max(1),
                        to: None,
                    },
                )
                .await;
            (view.rows.first()?.seq == Some(from.max(1)) && view.rows.last()?.seq == Some(450))
                .then_some(())
        })
        .await;
        from = from.max(1);
    }
    let view = bob
        .timeline_at(&topic, Stretch::Range { from: 1, to: None })
        .await;
    assert_eq!(view.rows.len(), 450);
    assert!(!view.has_before && !view.has_after && !view.is_loading);
    let people: [Person; 2] = [alice, bob];
    stage.end(people).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_that_cannot_be_sent_is_refused_before_it_is_kept() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let long = Action::SendMessage {
        topic: topic.clone(),
        text: "长".repeat(6_000),
        reply_to: None,
    };
    let error = alice.client.submit(&alice.account, long).await.unwrap_err();
    assert_eq!(error.code(), "too_long");
    assert_eq!(error.rejection().unwrap().limit, Some(16_384));
    let empty = Action::CreateGroup {
        community: community.clone(),
        name: " \u{7} ".into(),
    };
    let error = alice
        .client
        .submit(&alice.account, empty)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "empty");
    assert_eq!(alice.client.app_view().await.accounts[0].waiting, 0);

    let group = alice.tree(&community).await.groups[0].id.clone();
    let delete = Action::DeleteGroup { community, group };
    let error = alice
        .client
        .submit(&alice.account, delete)
        .await
        .unwrap_err();
    assert_eq!(
        error.code(),
        "group_not_empty",
        "a live action waits for the answer"
    );
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_too_fast_sees_until_when_it_waits_and_nothing_is_lost() {
    let stage = Stage::with_messages_per_10s(4).await;
    let alice = stage.host("alice").await;
    let (_, topic) = alice.found("星海").await;
    alice.enter(&topic).await;
    let mut written = Vec::new();
    for number in 0..8 {
        written.push(alice.say(&topic, &format!("{number}")).await);
    }
    alice
        .until("the rest is shown as waiting", async || {
            let view = alice.timeline(&topic).await;
            let is_waiting = |row: &tulou_client::view::MessageView| {
                matches!(row.delivery, Delivery::Waiting { .. })
            };
            (!view.pending.is_empty() && view.pending.iter().all(is_waiting)).then_some(())
        })
        .await;
    alice.settled().await;
    alice
        .until("all are there", async || {
            let view = alice.timeline(&topic).await;
            (view.rows.len() == written.len()).then_some(())
        })
        .await;
    let ids: Vec<String> = alice
        .timeline(&topic)
        .await
        .rows
        .into_iter()
        .map(|row| row.id)
        .collect();
    assert_eq!(ids, written, "in the order in which they were written");
    stage.end([alice]).await;
}

//! Two clients against a real server: what a person does on one side is what the other side sees.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

use std::time::Duration;

use stage::{Person, Stage};
use tulou_client::{
    action::Action,
    view::{
        AccessPlace, Change, Connection, Delivery, DraftView, LevelPlace, MembersPart, Stretch,
    },
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
async fn what_is_written_offline_is_sent_in_order_after_a_restart_of_both_sides() {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    bob.enter(&topic).await;
    let before = alice.say(&topic, "before").await;
    bob.until("it came", async || {
        bob.has(&topic, &before).await.then_some(())
    })
    .await;
    alice.settled().await;

    stage.stop_server().await;
    alice
        .until("the link is down", async || {
            let app = alice.client.app_view().await;
            (!matches!(
                app.accounts[0].connection,
                Connection::Synced | Connection::Syncing
            ))
            .then_some(())
        })
        .await;

    let draft = DraftView {
        text: "half a sen".into(),
        reply_to: Some(before.clone()),
    };
    alice
        .client
        .save_draft(&alice.account, &topic, draft.clone())
        .await
        .unwrap();
    let mut written = Vec::new();
    for number in 0..5 {
        written.push(alice.say(&topic, &format!("offline {number}")).await);
    }
    alice
        .client
        .save_draft(&alice.account, &topic, draft.clone())
        .await
        .unwrap();
    alice
        .act(Action::EditMessage {
            topic: topic.clone(),
            message: written[1].clone(),
            from: "offline 1".into(),
            text: "changed before it was sent".into(),
        })
        .await;
    alice
        .act(Action::RecallMessage {
            topic: topic.clone(),
            message: written[2].clone(),
        })
        .await;
    alice
        .act(Action::React {
            topic: topic.clone(),
            message: before.clone(),
            key: "👍".into(),
            on: true,
        })
        .await;
    let group = alice
        .act(Action::CreateGroup {
            community: community.clone(),
            name: "offline group".into(),
        })
        .await
        .unwrap();
    let made = alice
        .act(Action::CreateTopic {
            community: community.clone(),
            group: group.clone(),
            name: "offline topic".into(),
            introduction: String::new(),
            is_closed: false,
        })
        .await
        .unwrap();
    let in_made = alice
        .say(&made, "in a topic that nobody else knows yet")
        .await;

    let shown = alice.timeline(&topic).await;
    let texts: Vec<&str> = shown.pending.iter().map(|row| row.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "offline 0",
            "changed before it was sent",
            "offline 3",
            "offline 4"
        ],
        "what waits is shown at once, as it will be"
    );
    assert!(
        shown
            .pending
            .iter()
            .all(|row| row.delivery == Delivery::Sending)
    );
    assert!(shown.rows[0].has_pending_change, "the reaction waits");
    assert_eq!(shown.rows[0].reactions[0].count, 1, "and is shown");
    let tree = alice.tree(&community).await;
    let pending = tree.groups.iter().find(|held| held.id == group).unwrap();
    assert!(pending.is_pending && pending.topics[0].is_pending);

    // The program ends without a farewell, and starts again without a server.
    let alice = alice.crash().await;
    let again = alice.timeline(&topic).await;
    assert_eq!(again.pending.len(), 4, "nothing that was written is lost");
    assert_eq!(again.draft, draft, "nor what was being written");

    stage.start_server().await;
    alice.settled().await;
    bob.until("the last one came", async || {
        bob.has(&topic, &written[4]).await.then_some(())
    })
    .await;
    stage::same(&alice, &bob, &topic).await;
    let texts: Vec<String> = bob
        .timeline(&topic)
        .await
        .rows
        .into_iter()
        .map(|row| row.text)
        .collect();
    assert_eq!(
        texts,
        [
            "before",
            "offline 0",
            "changed before it was sent",
            "offline 3",
            "offline 4"
        ],
        "all of it, in order, once"
    );
    bob.until("the topic made offline is there", async || {
        let tree = bob.client.tree_view(&bob.account, &community).await.ok()?;
        tree.groups
            .iter()
            .flat_map(|group| &group.topics)
            .any(|topic| topic.id == made)
            .then_some(())
    })
    .await;
    bob.enter(&made).await;
    bob.until("its message came", async || {
        bob.has(&made, &in_made).await.then_some(())
    })
    .await;
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_is_in_the_store_before_a_window_is_told_of_it() {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (_, topic) = alice.found("星海").await;
    stage.stop_server().await;
    // The topic is not shown, so that nothing but what is written names it.
    let named = Change::Timeline {
        account: alice.account.clone(),
        topic: topic.clone(),
    };
    let mut changes = alice.client.changes();
    for number in 0..30 {
        let text = format!("line {number}");
        let look = async {
            while !changes.next().await.unwrap().contains(&named) {}
            let pending = alice.timeline(&topic).await.pending;
            pending.iter().any(|row| row.text == text)
        };
        let look = tokio::time::timeout(Duration::from_secs(30), look);
        let (_, is_there) = tokio::join!(alice.say(&topic, &text), look);
        assert!(
            is_there.unwrap(),
            "who looks too early is told nothing afterwards: {text}"
        );
    }
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_community_made_offline_is_usable_at_once() {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    alice.settled().await;
    stage.stop_server().await;
    let community = alice
        .act(Action::CreateCommunity {
            name: "孤岛".into(),
            group: "g".into(),
            topic: "t".into(),
        })
        .await
        .unwrap();
    let tree = alice.tree(&community).await;
    assert!(tree.is_pending && tree.is_owner);
    let topic = tree.groups[0].topics[0].id.clone();
    assert!(tree.groups[0].topics[0].can_speak);
    let message = alice.say(&topic, "anybody there?").await;
    assert_eq!(alice.timeline(&topic).await.pending.len(), 1);
    assert_eq!(alice.timeline(&topic).await.cannot_speak, None);
    alice.enter(&topic).await;
    stage.start_server().await;
    alice.settled().await;
    alice
        .until("it was sent", async || {
            alice.has(&topic, &message).await.then_some(())
        })
        .await;
    assert!(!alice.tree(&community).await.is_pending);
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_marked_as_read_can_be_taken_back_exactly() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, first) = alice.found("星海").await;
    let group = alice.tree(&community).await.groups[0].id.clone();
    let second = alice
        .act(Action::CreateTopic {
            community: community.clone(),
            group: group.clone(),
            name: "second".into(),
            introduction: String::new(),
            is_closed: false,
        })
        .await
        .unwrap();
    alice.settled().await;
    let bob = stage.invite(&alice, &community, "bob").await;
    for number in 0..4 {
        alice.say(&first, &format!("first {number}")).await;
    }
    alice.say(&second, "second").await;
    let unread = async || {
        let tree = bob.tree(&community).await;
        let of = |topic: &str| {
            let mut topics = tree.groups[0].topics.iter();
            topics.find(|one| one.id == topic).unwrap().badge.unread
        };
        (of(&first), of(&second))
    };
    bob.until("all of it came", async || {
        (unread().await == (4, 1)).then_some(())
    })
    .await;
    bob.until("his account says that he is in", async || {
        let app = bob.client.app_view().await;
        (!app.accounts[0].communities.is_empty()).then_some(())
    })
    .await;
    bob.enter(&first).await;
    bob.act(Action::MarkUnread {
        topic: first.clone(),
        seq: Some(2),
    })
    .await;
    assert_eq!(unread().await, (3, 1));

    let key = bob.client.app_view().await.accounts[0].key.clone();
    let topic_only = LevelPlace::Topic {
        community: community.clone(),
        topic: second.clone(),
    };
    let marks = bob.client.mark_read(&key, topic_only).await.unwrap();
    assert_eq!(marks.len(), 1);
    assert_eq!(unread().await, (3, 0), "a topic alone");
    bob.client.set_read(&key, marks).await.unwrap();
    assert_eq!(unread().await, (3, 1));

    let marks = bob
        .client
        .mark_read(&key, LevelPlace::Global)
        .await
        .unwrap();
    assert_eq!(marks.len(), 2, "{marks:?}");
    assert_eq!(
        unread().await,
        (0, 0),
        "everything, and what was set back too"
    );
    let seen = bob.client.mark_read(
        &key,
        LevelPlace::Community {
            community: community.clone(),
        },
    );
    assert_eq!(seen.await.unwrap(), [], "nothing is left to be marked");
    bob.settled().await;
    bob.client.set_read(&key, marks).await.unwrap();
    assert_eq!(unread().await, (3, 1), "as it was, and not more");

    let of_group = LevelPlace::Group {
        community: community.clone(),
        group,
    };
    let marks = bob.client.mark_read(&key, of_group).await.unwrap();
    assert_eq!(unread().await, (0, 0));
    bob.act(Action::MarkUnread {
        topic: first.clone(),
        seq: None,
    })
    .await;
    assert_eq!(unread().await, (1, 0), "unread from its last message");
    bob.client.set_read(&key, marks).await.unwrap();
    bob.settled().await;
    let bob = bob.crash().await;
    bob.settled().await;
    bob.until("what was taken back is kept", async || {
        (bob.tree(&community).await.groups[0].badge.unread == 4).then_some(())
    })
    .await;
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_and_mentions_are_counted_and_reading_takes_them_away() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    alice.say(&topic, "from before").await;
    alice.settled().await;
    let bob = stage.invite(&alice, &community, "bob").await;
    assert_eq!(
        bob.tree(&community).await.groups[0].badge.unread,
        0,
        "what was said before joining counts as read"
    );
    let bob_id = bob.client.app_view().await.accounts[0].account_id.clone();
    for number in 0..3 {
        alice.say(&topic, &format!("news {number}")).await;
    }
    let last = alice.say(&topic, &format!("hello <@{bob_id}>")).await;
    bob.until("four are unread, one names bob", async || {
        let badge = bob.tree(&community).await.groups[0].badge;
        (badge.unread == 4 && badge.mentions == 1).then_some(())
    })
    .await;
    let app = bob.client.app_view().await;
    assert_eq!(app.badge.unread, 4, "the app's number is the sum");

    bob.enter(&topic).await;
    bob.until("the rows came", async || {
        bob.has(&topic, &last).await.then_some(())
    })
    .await;
    let view = bob.timeline_at(&topic, Stretch::Unread { count: 50 }).await;
    assert_eq!(
        view.first_unread,
        Some(2),
        "the divider stands before the first news"
    );
    assert!(view.rows.last().unwrap().mentions_me);
    bob.act(Action::Advance {
        topic: topic.clone(),
        seq: view.head,
    })
    .await;
    let tree = bob.tree(&community).await;
    assert_eq!(tree.groups[0].badge.unread, 0, "reading counts at once");
    assert_eq!(tree.groups[0].badge.mentions, 0);
    let view = bob.timeline(&topic).await;
    assert_eq!(
        view.first_unread,
        Some(2),
        "the divider stays while the topic is shown"
    );

    bob.act(Action::MarkUnread {
        topic: topic.clone(),
        seq: Some(4),
    })
    .await;
    bob.act(Action::Advance {
        topic: topic.clone(),
        seq: view.head,
    })
    .await;
    assert_eq!(
        bob.tree(&community).await.groups[0].badge.unread,
        2,
        "after a set-back nothing advances until the topic is left"
    );
    bob.settled().await;
    let bob = bob.crash().await;
    bob.settled().await;
    assert_eq!(
        bob.tree(&community).await.groups[0].badge.unread,
        2,
        "the server keeps it"
    );
    let view = bob.timeline(&topic).await;
    assert_eq!(view.first_unread, Some(4));
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_are_shown_and_a_refusal_waits_where_it_happened() {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    bob.enter(&topic).await;
    bob.settled().await;
    let deny = |value| Action::SetAccess {
        community: community.clone(),
        place: AccessPlace::Topic { id: topic.clone() },
        member_group: "everyone".into(),
        permission: "speak".into(),
        value,
    };
    alice.act(deny(Some(false))).await;
    bob.until("bob is told that he may not speak", async || {
        bob.timeline(&topic).await.cannot_speak.map(|_| ())
    })
    .await;
    let tree = bob.tree(&community).await;
    assert!(tree.groups[0].topics[0].is_announcement);
    let refused = bob.say(&topic, "may I?").await;
    bob.until("the refusal is shown", async || {
        let view = bob.timeline(&topic).await;
        matches!(&view.pending.first()?.delivery, Delivery::Failed { rejection } if rejection.code == "not_allowed")
            .then_some(())
    })
    .await;
    assert!(bob.tree(&community).await.groups[0].topics[0].has_failed);
    let why = bob
        .client
        .explain(&bob.account, &community, Some(&topic), &bob.id().await)
        .await
        .unwrap();
    let mut rights = why.rights.iter();
    let speak = rights.find(|why| why.permission == "speak").unwrap();
    assert!(!speak.is_held && speak.reason == "access" && speak.place_name == "闲聊");

    alice.act(deny(None)).await;
    bob.until("he may again", async || {
        bob.timeline(&topic)
            .await
            .cannot_speak
            .is_none()
            .then_some(())
    })
    .await;
    let command = bob.timeline(&topic).await.pending[0]
        .refused
        .clone()
        .unwrap()
        .command;
    bob.client
        .outbox_retry(&bob.account, &command)
        .await
        .unwrap();
    bob.until("it was sent", async || {
        bob.has(&topic, &refused).await.then_some(())
    })
    .await;

    let helpers = alice
        .act(Action::CreateMemberGroup {
            community: community.clone(),
            name: "帮手".into(),
            is_shown: true,
            has_tag: true,
        })
        .await
        .unwrap();
    alice.settled().await;
    alice
        .act(Action::AssignMemberGroup {
            community: community.clone(),
            member: bob.id().await,
            member_group: helpers.clone(),
            on: true,
        })
        .await;
    let members = alice
        .client
        .members_view(&alice.account, &community, None, MembersPart::first("", 50))
        .await
        .unwrap();
    assert!(members.is_fresh);
    assert_eq!(
        members.sections[0].member_group.as_deref(),
        Some(helpers.as_str())
    );
    assert_eq!(members.sections[0].members[0].name, "bob");
    in_parts(&alice, &community, true).await;
    alice.enter(&topic).await;
    alice
        .until("the tag is shown beside the name", async || {
            let view = alice.timeline(&topic).await;
            let row = view.rows.iter().find(|row| row.id == refused)?;
            (row.author.tag.as_deref() == Some("帮手")).then_some(())
        })
        .await;
    stage.stop_server().await;
    alice
        .until("what is remembered is told without a link", async || {
            let first = MembersPart::first("", 1);
            let members = alice
                .client
                .members_view(&alice.account, &community, None, first);
            (!members.await.ok()?.is_fresh).then_some(())
        })
        .await;
    in_parts(&alice, &community, false).await;
    stage.start_server().await;
    stage.end([alice, bob]).await;
}

/// The two members of a community, of whom each is in a section of his own, come one at a time.
async fn in_parts(alice: &Person, community: &str, is_fresh: bool) {
    let mut part = MembersPart::first("", 1);
    let mut names = Vec::new();
    loop {
        let view = alice
            .client
            .members_view(&alice.account, community, None, part.clone())
            .await
            .unwrap();
        assert_eq!(view.is_fresh, is_fresh);
        let counts: Vec<u64> = view.sections.iter().map(|section| section.count).collect();
        assert_eq!(counts, [1, 1], "each part knows of all sections");
        let members = view.sections.iter().flat_map(|section| &section.members);
        names.extend(members.map(|member| member.name.clone()));
        let Some(next) = view.next else { break };
        part.after = Some(next);
    }
    assert_eq!(names, ["bob", "alice"], "section by section, nobody twice");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tag_of_an_author_is_shown_who_was_never_heard_of_before() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    bob.enter(&topic).await;
    let line = bob.say(&topic, "hello").await;
    let create = Action::CreateMemberGroup {
        community: community.clone(),
        name: "Helpers".into(),
        is_shown: false,
        has_tag: true,
    };
    let group = alice.act(create).await.unwrap();
    alice.settled().await;
    let assign = Action::AssignMemberGroup {
        community: community.clone(),
        member: bob.id().await,
        member_group: group,
        on: true,
    };
    alice.act(assign).await;
    bob.settled().await;

    // Carol has never asked for a member.
    let carol = stage.invite(&alice, &community, "carol").await;
    carol.enter(&topic).await;
    carol
        .until("the tag beside the author", async || {
            let view = carol.timeline(&topic).await;
            let row = view.rows.into_iter().find(|row| row.id == line)?;
            (row.author.tag.as_deref() == Some("Helpers")).then_some(())
        })
        .await;
    stage.end([alice, bob, carol]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_known_by_what_is_remembered_and_by_what_the_server_says() {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    bob.enter(&topic).await;
    alice.enter(&topic).await;
    bob.say(&topic, "hello").await;
    let group = Action::CreateMemberGroup {
        community: community.clone(),
        name: "Helpers".into(),
        is_shown: false,
        has_tag: false,
    };
    let group = alice.act(group).await.unwrap();
    alice.settled().await;
    let assign = Action::AssignMemberGroup {
        community: community.clone(),
        member: bob.id().await,
        member_group: group,
        on: true,
    };
    alice.act(assign).await;
    alice.settled().await;
    let whom = bob.id().await;
    let known = async |asks| {
        alice
            .client
            .person_view(&alice.account, &community, Some(&topic), &whom, asks)
            .await
            .unwrap()
    };

    let person = known(true).await;
    assert!(person.is_fresh, "the server named him");
    assert_eq!(
        (person.name.as_str(), person.account_name.as_str()),
        ("bob", "bob")
    );
    let groups: Vec<&str> = person
        .member_groups
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    assert_eq!(
        groups,
        ["Helpers"],
        "also those that are not shown beside names"
    );
    assert!(person.joined_at.is_some_and(|at| at > 0));
    let member = person.member.unwrap();
    assert!(member.is_online && member.can_kick && member.can_assign);
    let speak = person
        .rights
        .iter()
        .find(|right| right.permission == "speak")
        .unwrap();
    assert!(speak.is_held, "what he may do here is said");

    bob.act(Action::LeaveCommunity {
        community: community.clone(),
    })
    .await;
    bob.settled().await;
    let gone = known(true).await;
    assert!(
        gone.member.is_none() && gone.rights.is_empty(),
        "he is no member"
    );
    assert_eq!(gone.name, "bob", "his name stands beside what he wrote");
    assert!(
        known(false).await.member.is_none(),
        "that is remembered, too"
    );

    let me = alice.id().await;
    stage.stop_server().await;
    alice
        .until("the link is down", async || {
            let view = alice.client.app_view().await;
            matches!(view.accounts[0].connection, Connection::Offline { .. }).then_some(())
        })
        .await;
    let remembered = alice
        .client
        .person_view(&alice.account, &community, Some(&topic), &me, true)
        .await
        .unwrap();
    assert!(!remembered.is_fresh, "nobody could be asked");
    assert!(
        remembered
            .member
            .is_some_and(|member| member.is_owner && member.is_me)
    );
    assert!(
        remembered
            .rights
            .iter()
            .all(|right| right.reason == "owner")
    );
    stage.end([alice, bob]).await;
}

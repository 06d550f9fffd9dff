//! What is unread and who is mentioned: counted, read, and set back.

use tulou_client::{
    action::Action,
    view::{LevelPlace, Stretch},
};

use crate::stage::Stage;

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

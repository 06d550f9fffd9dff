//! What is written without a server: kept, shown at once, and sent in order later.

use std::time::Duration;

use tulou_client::{
    action::Action,
    view::{Change, Connection, Delivery, DraftView},
};

use crate::stage::{self, Stage};

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

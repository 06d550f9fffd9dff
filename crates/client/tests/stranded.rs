//! What a person wrote for a topic that goes: it stays, and is shown where the person can get at it.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

use stage::{Person, Stage};
use tulou_client::{
    action::Action,
    view::{AccountView, DraftView, StrandedView},
};

/// More than any line shows.
fn long() -> String {
    "周六晚上八点集合，先打两把热身。\nWe lack a tank. ".repeat(60)
}

async fn draft(person: &Person, topic: &str, text: &str) {
    let draft = DraftView {
        text: text.to_owned(),
        reply_to: None,
    };
    person
        .client
        .save_draft(&person.account, topic, draft)
        .await
        .unwrap();
}

async fn account(person: &Person) -> AccountView {
    person.client.app_view().await.accounts.swap_remove(0)
}

async fn stranded(person: &Person) -> Vec<StrandedView> {
    account(person).await.stranded
}

/// Waits until this is what is listed.
async fn lists(person: &Person, expected: &[StrandedView]) {
    person
        .until(&format!("listed: {expected:?}"), async || {
            (stranded(person).await == expected).then_some(())
        })
        .await;
}

fn view(topic: &str, name: &str, text: &str) -> StrandedView {
    StrandedView {
        topic: topic.to_owned(),
        message: None,
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

async fn create_topic(person: &Person, community: &str, name: &str, is_closed: bool) -> String {
    let create = Action::CreateTopic {
        community: community.to_owned(),
        group: person.tree(community).await.groups[0].id.clone(),
        name: name.to_owned(),
        introduction: String::new(),
        is_closed,
    };
    let topic = person.act(create).await.unwrap();
    person.settled().await;
    topic
}

/// Waits until a topic can be opened.
async fn sees(person: &Person, community: &str, topic: &str) {
    person
        .until("the topic is there", async || {
            let tree = person.tree(community).await;
            let mut topics = tree.groups.iter().flat_map(|group| &group.topics);
            topics
                .any(|one| one.id == topic && !one.is_locked)
                .then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_for_a_topic_that_is_deleted_is_listed_whole() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, first) = alice.found("星海").await;
    let topic = create_topic(&alice, &community, "招募", false).await;
    let bob = stage.invite(&alice, &community, "bob").await;
    sees(&bob, &community, &topic).await;
    draft(&bob, &topic, &long()).await;
    draft(&bob, &first, "stays in its topic").await;
    assert_eq!(stranded(&bob).await, [], "both topics show theirs");

    let delete = Action::DeleteTopic {
        community: community.clone(),
        topic: topic.clone(),
    };
    alice.act(delete).await;
    lists(&bob, &[view(&topic, "招募", &long())]).await;
    bob.act(Action::SendMessage {
        topic: topic.clone(),
        text: long(),
        reply_to: None,
    })
    .await;
    let refused = bob
        .until("the message is refused", async || {
            account(&bob).await.rejected.pop()
        })
        .await;
    assert_eq!(refused.rejection.code, "not_found");
    let text = refused.text.unwrap_or_default();
    assert_eq!(text, long().trim(), "it can be copied as it was sent");
    assert_eq!(
        stranded(&bob).await,
        [],
        "what was sent is no draft any more"
    );

    draft(&bob, &topic, "once more").await;
    let nameless = view(&topic, "", "once more");
    assert_eq!(
        stranded(&bob).await,
        [nameless],
        "begun when nobody knew the name"
    );
    draft(&bob, &topic, "").await;
    assert_eq!(stranded(&bob).await, [], "discarded");
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_listed_while_its_seat_is_lost_and_after_its_community_is_left() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, open) = alice.found("星海").await;
    let closed = create_topic(&alice, &community, "编剧室", true).await;
    let bob = stage.invite(&alice, &community, "bob").await;
    let member = bob.id().await;
    let seat = |on| Action::SetSeat {
        community: community.clone(),
        topic: closed.clone(),
        member: member.clone(),
        on,
    };
    alice.act(seat(true)).await;
    sees(&bob, &community, &closed).await;
    draft(&bob, &closed, "half a senten").await;
    alice.act(seat(false)).await;
    let locked = view(&closed, "编剧室", "half a senten");
    lists(&bob, std::slice::from_ref(&locked)).await;

    let bob = bob.crash().await;
    assert_eq!(stranded(&bob).await, [locked], "also before the link is up");
    bob.settled().await;
    alice.act(seat(true)).await;
    lists(&bob, &[]).await;
    let shown = bob.timeline(&closed).await.draft.text;
    assert_eq!(shown, "half a senten", "it is in its composer again");

    draft(&bob, &open, "and another").await;
    let leave = Action::LeaveCommunity {
        community: community.clone(),
    };
    bob.act(leave).await;
    bob.until("both are listed", async || {
        let mut listed = stranded(&bob).await;
        listed.sort_by(|a, b| a.text.cmp(&b.text));
        let expected = [
            view(&open, "闲聊", "and another"),
            view(&closed, "编剧室", "half a senten"),
        ];
        (listed == expected).then_some(())
    })
    .await;
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_in_a_topic_that_a_restored_server_never_had_is_listed() {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, first) = alice.found("星海").await;
    let file = stage.back_up();
    let topic = create_topic(&alice, &community, "after", false).await;
    draft(&alice, &first, "in the backup").await;
    draft(&alice, &topic, "not in it").await;
    assert_eq!(stranded(&alice).await, []);
    stage.stop_server().await;
    stage.restore_elsewhere(&file).await;
    alice
        .client
        .relocate(&alice.account, &stage.link(), None)
        .await
        .unwrap();
    let expected = [view(&topic, "after", "not in it")];
    let what = "only what the restored server does not have";
    alice
        .until(what, async || {
            let listed = stranded(&alice).await;
            assert!(
                listed.iter().all(|one| one.topic == topic),
                "nothing is listed that is on its way: {listed:?}"
            );
            (listed == expected).then_some(())
        })
        .await;
    stage.end([alice]).await;
}

//! A server that is restored from a backup, or that has no room, and what its people see of it.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use stage::{Person, Stage, same};
use tulou_client::view::{Delivery, DiskView, DraftView, LostMessage, LostView};

async fn lost(person: &Person) -> Vec<LostView> {
    person.client.app_view().await.accounts[0].lost.clone()
}

async fn texts(person: &Person, topic: &str) -> Vec<String> {
    let view = person.timeline(topic).await;
    view.rows.into_iter().map(|row| row.text).collect()
}

async fn follow(person: &Person, stage: &Stage) {
    person
        .client
        .relocate(&person.account, &stage.link(), None)
        .await
        .unwrap();
    person.settled().await;
}

async fn offered(person: &Person, count: u32) {
    person
        .until("what was lost is offered", async || {
            let all: u32 = lost(person).await.iter().map(|lost| lost.count).sum();
            (all == count).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_follow_a_backup_to_another_computer_and_are_offered_what_it_does_not_have() {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    alice.enter(&topic).await;
    bob.enter(&topic).await;
    alice.say(&topic, "before").await;
    bob.say(&topic, "以前").await;
    same(&alice, &bob, &topic).await;

    let backup = stage.back_up();

    let second = alice.say(&topic, "after, one").await;
    alice.reply(&topic, "after, two", &second).await;
    same(&alice, &bob, &topic).await;
    bob.say(&topic, "之后").await;
    same(&alice, &bob, &topic).await;
    stage.stop_server().await;
    alice.say(&topic, "while it was away").await;
    let draft = DraftView {
        text: "unfinished".into(),
        reply_to: None,
    };
    alice
        .client
        .save_draft(&alice.account, &topic, draft.clone())
        .await
        .unwrap();

    stage.restore_elsewhere(&backup).await;
    // He is there first, and writes more than was lost: places say nothing about what is missing.
    follow(&bob, &stage).await;
    offered(&bob, 1).await;
    for number in 1..=5 {
        bob.say(&topic, &format!("新的 {number}")).await;
    }
    bob.settled().await;
    follow(&alice, &stage).await;
    offered(&alice, 2).await;

    let here = lost(&alice).await;
    assert_eq!(here.len(), 1);
    assert_eq!(
        (
            &*here[0].topic,
            here[0].community.as_deref(),
            &*here[0].name
        ),
        (&*topic, Some(&*community), "闲聊")
    );
    same(&alice, &bob, &topic).await;
    let now = texts(&alice, &topic).await;
    assert_eq!(now[..2], ["before", "以前"], "what was backed up is there");
    assert!(
        now.contains(&"while it was away".to_owned()),
        "what waited in the outbox was sent: {now:?}"
    );
    assert!(!now.contains(&"after, one".to_owned()), "{now:?}");
    assert_eq!(alice.timeline(&topic).await.draft, draft, "drafts stay");

    // The offer survives the end of the program.
    let alice = alice.crash().await;
    alice.enter(&topic).await;
    offered(&alice, 2).await;
    let messages = alice
        .client
        .lost_messages(&alice.account, &topic)
        .await
        .unwrap();
    let words: Vec<&str> = messages
        .iter()
        .map(|LostMessage { text, .. }| text.as_str())
        .collect();
    assert_eq!(words, ["after, one", "after, two"], "in their order");

    alice.settled().await;
    alice
        .client
        .send_lost(&alice.account, &topic, None)
        .await
        .unwrap();
    assert_eq!(lost(&alice).await, [], "they are on their way");
    let gone = bob
        .client
        .lost_messages(&bob.account, &topic)
        .await
        .unwrap();
    bob.client
        .discard_lost(&bob.account, &topic, Some(&gone[0].id))
        .await
        .unwrap();
    assert_eq!(lost(&bob).await, [], "he does not want it back");
    same(&alice, &bob, &topic).await;
    let now = texts(&bob, &topic).await;
    assert_eq!(now[now.len() - 2..], ["after, one", "after, two"]);
    let view = bob.timeline(&topic).await;
    let reply = view.rows.last().unwrap().reply.as_ref().unwrap();
    assert_eq!(
        reply.id, second,
        "a reply still leads to what it replied to"
    );
    assert_eq!(reply.excerpt, "after, one");
    assert!(!now.contains(&"之后".to_owned()), "{now:?}");
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_room_reads_on_and_what_is_written_waits_until_there_is_room() {
    const MIB: u64 = 1 << 20;
    let stage = Stage::new().await;
    let free = Arc::new(AtomicU64::new(5_000 * MIB));
    let probe = free.clone();
    stage
        .server()
        .app()
        .measure_with(Arc::new(move |_| Ok(probe.load(Ordering::Relaxed))))
        .await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    alice.enter(&topic).await;
    alice.say(&topic, "there is room").await;
    alice.settled().await;
    let is = async |person: &Person, disk: DiskView| {
        person
            .until("the client knows how the server is", async || {
                let view = person.client.app_view().await;
                (view.accounts[0].disk == disk).then_some(())
            })
            .await;
    };

    free.store(900 * MIB, Ordering::Relaxed);
    stage.server().app().look_at_disk().await;
    is(&alice, DiskView::Low).await;
    alice.say(&topic, "little room").await;
    alice.settled().await;

    free.store(100 * MIB, Ordering::Relaxed);
    stage.server().app().look_at_disk().await;
    is(&alice, DiskView::Full).await;
    alice.say(&topic, "no room").await;
    let waiting = alice
        .until("the server asks to wait", async || {
            let view = alice.timeline(&topic).await;
            let waiting = view.pending.first()?.delivery.clone();
            matches!(waiting, Delivery::Waiting { .. }).then_some(waiting)
        })
        .await;
    assert!(matches!(waiting, Delivery::Waiting { .. }));
    bob.enter(&topic).await;
    bob.until("reading goes on", async || {
        (texts(&bob, &topic).await == ["there is room", "little room"]).then_some(())
    })
    .await;
    let refused = bob
        .client
        .register(&stage.link(), "carol", "carol", "correct horse")
        .await;
    assert_eq!(
        refused.unwrap_err().code(),
        "server_full",
        "nobody new is taken"
    );
    let refused = alice
        .client
        .create_invite(&alice.account, &community, None, None)
        .await;
    assert_eq!(
        refused.unwrap_err().code(),
        "server_full",
        "it says what is to be waited for"
    );
    let bob = bob.crash().await;
    is(&bob, DiskView::Full).await;

    free.store(5_000 * MIB, Ordering::Relaxed);
    stage.server().app().look_at_disk().await;
    is(&alice, DiskView::Plenty).await;
    bob.enter(&topic).await;
    same(&alice, &bob, &topic).await;
    assert_eq!(
        texts(&bob, &topic).await,
        ["there is room", "little room", "no room"],
        "nothing is lost, nothing is doubled"
    );
    stage.end([alice, bob]).await;
}

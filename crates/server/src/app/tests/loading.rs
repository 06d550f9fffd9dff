//! Communities come to memory, however long it takes to read them and however many ask, and stand there once.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use tulou_protocol::{Permissions, ServerFrame, push::Pushed};

use super::{house::House, *};
use crate::communities::Communities;

const SEATS: u128 = 1_000;

/// A community of alice's with so many seats that it is not read at once.
async fn large(app: &App, alice: &Arc<Line>) -> CommunityId {
    let (community, topic) = found(app, alice).await;
    let seats = (0..SEATS).map(|no| Change::Seat {
        community,
        topic,
        account: AccountId(Uuid::from_u128(no)),
        since: Some(1),
    });
    let commit = Commit::of_server(alice.account(), app.now(), seats.collect());
    app.store().commit(commit).await.unwrap();
    settled(app).await;
    community
}

/// Others come to what they are at.
async fn turns() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_community_that_takes_longer_to_read_than_anybody_may_ask_comes_to_memory() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let community = large(&app, &alice).await;
    app.store().hurry();
    let anew = Communities::of(app.parts.store.clone());
    let loaded = anew.loaded(community).await.unwrap().unwrap();
    assert_eq!(loaded.structure().id, community);
    app.close().await;
}

#[tokio::test]
async fn an_account_leaves_for_good_a_community_that_takes_long_to_read() {
    let (app, _folder) = app().await;
    let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
    let community = large(&app, &alice).await;
    join(&app, &alice, &bob, community).await;
    settled(&app).await;
    let begun = app.store().begin_deletion(bob.account(), false, app.now());
    begun.await.unwrap();
    for line in [&alice, &bob] {
        app.hub().detach(line);
    }
    app.communities().drop_community(community);
    app.store().hurry();
    app.clone().finish_deletions().await;
    let unfinished = app.store().unfinished_deletions().await.unwrap();
    assert!(unfinished.is_empty(), "it ends without another start");
    app.close().await;
}

#[tokio::test]
async fn however_many_ask_for_a_community_it_is_read_once_at_a_time() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let (community, _) = found(&app, &alice).await;
    let anew = Communities::of(app.parts.store.clone());
    let held = app.store().hold_readers();
    while app.store().waiting() > 0 {
        tokio::task::yield_now().await;
    }
    let mut asking: Vec<_> = (0..50).map(|_| Box::pin(anew.loaded(community))).collect();
    for one in &mut asking {
        assert!(one.as_mut().now_or_never().is_none(), "it is being read");
    }
    turns().await;
    assert_eq!(app.store().waiting(), 1, "fifty wait for one reading");
    drop(held);
    let mut all = Vec::new();
    for one in asking {
        all.push(one.await.unwrap().unwrap());
    }
    assert!(all.iter().all(|one| Arc::ptr_eq(one, &all[0])));
    app.close().await;
}

#[tokio::test]
async fn what_somebody_began_to_read_of_a_community_comes_to_memory_though_he_hangs_up() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let (community, _) = found(&app, &alice).await;
    let anew = Communities::of(app.parts.store.clone());
    let held = app.store().hold_readers();
    let mut asking = Box::pin(anew.loaded(community));
    assert!(asking.as_mut().now_or_never().is_none(), "it is being read");
    turns().await;
    drop(asking);
    drop(held);
    let comes = async {
        while anew.count() == 0 {
            tokio::task::yield_now().await;
        }
    };
    let comes = tokio::time::timeout(Duration::from_secs(20), comes).await;
    assert!(comes.is_ok(), "the next one finds it read");
    app.close().await;
}

#[tokio::test]
async fn while_communities_are_read_a_reader_is_left_for_other_questions() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let mut communities = Vec::new();
    for _ in 0..5 {
        communities.push(found(&app, &alice).await.0);
    }
    let anew = Communities::of(app.parts.store.clone());
    let held = app.store().hold_readers();
    while app.store().waiting() > 0 {
        tokio::task::yield_now().await;
    }
    let all = communities.iter().map(|community| anew.loaded(*community));
    let mut all = Box::pin(futures_util::future::join_all(all));
    assert!(all.as_mut().now_or_never().is_none());
    turns().await;
    assert_eq!(app.store().waiting(), 2, "the others have their turn later");
    drop(held);
    assert!(all.await.into_iter().all(|one| one.unwrap().is_some()));
    app.close().await;
}

#[tokio::test]
async fn who_joins_copies_nothing_of_the_community() {
    let house = House::build(Permissions::empty()).await;
    let known = || house.app.communities().known_structure(house.community);
    let before = known().unwrap();
    let carol = account(&house.app, "carol").await;
    join(&house.app, &house.alice, &carol, house.community).await;
    settled(&house.app).await;
    let after = known().unwrap();
    assert!(
        Arc::ptr_eq(&before, &after),
        "10,000 who join would hold 10,000 copies"
    );
    assert_eq!(after.members(), 3, "and is counted all the same");
    house.app.close().await;
}

#[tokio::test]
async fn what_moves_in_a_topic_that_nobody_asked_for_since_the_start_is_in_the_digest() {
    let house = House::build(Permissions::empty()).await;
    // As after a start, when nobody has come to the topic yet: a deletion recalls what was written in it.
    let communities = house.app.communities();
    communities.drop_community(house.community);
    communities.loaded(house.community).await.unwrap();
    assert_eq!(communities.known_home(house.topic), None);
    let message = MessageId(Uuid::from_u128(7));
    let change = written(house.topic, message, house.alice.account(), "moved");
    let commit = Commit::of_server(house.alice.account(), house.app.now(), vec![change]);
    {
        let mut state = house.app.hub().state();
        let gathering = state.communities.get_mut(&house.community);
        gathering.unwrap().moved.clear();
    }
    house.app.store().commit(commit).await.unwrap();
    settled(&house.app).await;
    // The next digest names it, or one did a moment ago.
    let is_next = {
        let state = house.app.hub().state();
        let gathering = &state.communities[&house.community];
        gathering.moved.contains(&house.topic)
    };
    let frames = house.bob.take().0;
    let is_told = frames.iter().any(|frame| {
        let Ok(ServerFrame::Pushed(Pushed::Digest(digest))) = ServerFrame::parse(frame) else {
            return false;
        };
        digest.topics.iter().any(|head| head.head_seq == Seq(2))
    });
    assert!(is_next || is_told, "those who do not watch it hear of it");
}

/// Asks for a community when it is dropped.
struct AsksAtLast(Arc<Communities>, CommunityId);

impl Drop for AsksAtLast {
    fn drop(&mut self) {
        let _ = self.0.loaded(self.1).now_or_never();
    }
}

#[test]
fn a_runtime_that_ends_is_not_held_up_by_what_is_asked_for_at_its_end() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
    let (app, _folder) = runtime.block_on(app());
    let asks = AsksAtLast(
        Communities::of(app.parts.store.clone()),
        CommunityId(Uuid::now_v7()),
    );
    runtime.spawn(async move {
        std::future::pending::<()>().await;
        drop(asks);
    });
    let (ended, has_ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        drop(runtime);
        let _ = ended.send(());
    });
    let has_ended = has_ended.recv_timeout(Duration::from_secs(20));
    assert!(has_ended.is_ok(), "a lock is waited for that is held");
}

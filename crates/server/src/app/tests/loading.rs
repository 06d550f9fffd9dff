//! Communities come to memory, however long it takes to read them and however many ask.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use tulou_protocol::question::Told;

use super::*;
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
    let invite = Question::InviteCreate {
        community,
        expires_at: None,
        max_uses: None,
    };
    let Told::Invite(invite) = app.ask(&alice.actor, invite).await.unwrap() else {
        panic!("the owner has every right")
    };
    let join = Command::CommunityJoin {
        community,
        invite: Some(invite.code),
    };
    give(&app, &bob, join).await;
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

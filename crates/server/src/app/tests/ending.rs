//! What ends is removed to the end, also if it could not be when it ended.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use tulou_protocol::question::Told;

use super::*;
use crate::{app::upkeep::sweep, store::sqlite::FILE};

/// So often something waits in vain: it has been tried a few times by then.
const WAITS: usize = 30;

/// Goes on with something until it has waited so often, or for long; whether it came to its end.
async fn ends<F: Future<Output = ()>>(work: &mut Pin<Box<F>>) -> bool {
    let mut waited = 0;
    let tried = poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(true),
        Poll::Pending if waited == WAITS => Poll::Ready(false),
        Poll::Pending => {
            waited += 1;
            Poll::Pending
        }
    });
    tokio::time::timeout(Duration::from_secs(5), tried)
        .await
        .unwrap_or(false)
}

/// So much is free on the disk.
async fn free(app: &App, bytes: u64) {
    app.measure_with(Arc::new(move |_| Ok(bytes))).await;
}

#[tokio::test]
async fn a_deletion_that_there_was_no_room_for_ends_when_there_is_room() {
    let (app, _folder) = app().await;
    let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
    let (community, topic) = found(&app, &alice).await;
    join(&app, &alice, &bob, community).await;
    give(&app, &bob, send(topic, "bob's own")).await;
    app.hub().detach(&bob);
    free(&app, 0).await;
    let begun = app.store().begin_deletion(bob.account(), true, app.now());
    begun.await.unwrap();
    let mut finishing = Box::pin(app.clone().finish_deletions());
    assert!(!ends(&mut finishing).await, "there is no room to do it");
    let unfinished = app.store().unfinished_deletions().await.unwrap();
    assert_eq!(unfinished.len(), 1);
    free(&app, u64::MAX).await;
    let finished = tokio::time::timeout(Duration::from_secs(20), finishing).await;
    assert!(finished.is_ok(), "it is tried again");
    let unfinished = app.store().unfinished_deletions().await.unwrap();
    assert!(unfinished.is_empty(), "nothing waits for another start");
    let left = app.store().memberships(bob.account()).await.unwrap();
    assert!(left.is_empty(), "he is a member of nothing");
    let page = app.store().page(topic, PageAt::End, 10, None).await;
    let rows = page.unwrap().unwrap().rows;
    let has_text = |row: &tulou_protocol::Row| {
        let Body::Message(message) = &row.body else {
            return false;
        };
        let mut content = message.content.iter();
        content.any(|content| content.recalled_by.is_none())
    };
    assert!(!rows.iter().any(has_text), "{rows:?}");
    app.close().await;
}

#[tokio::test]
async fn what_ended_and_could_not_be_removed_waits_for_nothing_else_to_end() {
    let (app, folder) = app().await;
    let alice = account(&app, "alice").await;
    let (community, _) = found(&app, &alice).await;
    let invite = Question::InviteCreate {
        community,
        expires_at: None,
        max_uses: None,
    };
    let Told::Invite(_) = app.ask(&alice.actor, invite).await.unwrap() else {
        panic!("the owner has every right")
    };
    let store = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
    let rename = |from: &str, to: &str| {
        let rename = format!("ALTER TABLE {from} RENAME TO {to}");
        store.execute_batch(&rename).unwrap();
    };
    rename("ended_group", "elsewhere");
    give(&app, &alice, Command::CommunityDissolve { community }).await;
    let mut sweeping = Box::pin(sweep(app.clone()));
    assert!(!ends(&mut sweeping).await, "it goes on to the server's end");
    let links = async || app.store().invites(community).await.unwrap().len();
    assert_eq!(links().await, 1, "a table is missing");
    rename("elsewhere", "ended_group");
    let all_goes = async {
        while links().await > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = sweeping => {}
        gone = tokio::time::timeout(Duration::from_secs(20), all_goes) => {
            assert!(gone.is_ok(), "it is tried again");
        }
    }
    app.close().await;
}

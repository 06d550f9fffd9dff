//! Accounts of one client: on two computers, on two servers, signed out and in again, and ended again and again.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

use std::collections::BTreeMap;

use stage::Stage;
use tulou_client::{
    action::Action,
    view::{CannotSpeak, Connection, Stretch},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_on_two_computers_sees_the_same_numbers_and_marks() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    let message = alice.say(&topic, "hello").await;
    let laptop = stage.sign_in("laptop", "bob").await;
    laptop
        .until("the community is there, too, with its number", async || {
            let tree = laptop
                .client
                .tree_view(&laptop.account, &community)
                .await
                .ok()?;
            (tree.groups[0].badge.unread == 1).then_some(())
        })
        .await;
    bob.enter(&topic).await;
    bob.until("the message is there", async || {
        bob.has(&topic, &message).await.then_some(())
    })
    .await;
    bob.act(Action::React {
        topic: topic.clone(),
        message: message.clone(),
        key: "👍".into(),
        on: true,
    })
    .await;
    bob.act(Action::Advance {
        topic: topic.clone(),
        seq: 1,
    })
    .await;
    laptop.enter(&topic).await;
    laptop
        .until("what was read there is read here", async || {
            let badge = laptop.tree(&community).await.groups[0].badge;
            (badge.unread == 0).then_some(())
        })
        .await;
    laptop
        .until("my reaction there is mine here", async || {
            let view = laptop.timeline(&topic).await;
            view.rows.first()?.reactions.first()?.is_mine.then_some(())
        })
        .await;
    stage.end([alice, bob, laptop]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_client_keeps_accounts_on_two_servers_at_once() {
    let one = Stage::new().await;
    let other = Stage::new().await;
    let alice = one.host("alice").await;
    let here = alice.account.clone();
    let there = alice
        .client
        .register(&other.link(), "alice2", "Alice", "correct horse")
        .await
        .unwrap();
    let (_, topic) = alice.found("here").await;
    alice
        .until("both are connected", async || {
            let app = alice.client.app_view().await;
            let up = app
                .accounts
                .iter()
                .filter(|account| account.connection == Connection::Synced)
                .count();
            (up == 2).then_some(())
        })
        .await;
    let keys: Vec<String> = alice
        .client
        .app_view()
        .await
        .accounts
        .into_iter()
        .map(|account| account.key)
        .collect();
    assert_eq!(
        keys,
        [here.clone(), there.clone()],
        "in the order in which they were added"
    );
    let error = alice
        .client
        .timeline_view(&there, &topic, Stretch::End { count: 1 })
        .await
        .map(|view| view.cannot_speak);
    assert_eq!(
        error.unwrap(),
        Some(CannotSpeak::Unavailable),
        "an account sees nothing of another server"
    );
    let alice = alice.crash().await;
    alice
        .until("both come back after a start", async || {
            let app = alice.client.app_view().await;
            (app.accounts.len() == 2
                && app
                    .accounts
                    .iter()
                    .all(|account| account.connection == Connection::Synced))
            .then_some(())
        })
        .await;
    one.end([alice]).await;
    other.end([]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signs_out_keeps_the_history_and_comes_back_with_the_password() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    alice.enter(&topic).await;
    let message = alice.say(&topic, "still here").await;
    alice
        .until("it was sent", async || {
            alice.has(&topic, &message).await.then_some(())
        })
        .await;
    alice.client.sign_out(&alice.account).await.unwrap();
    alice
        .until("it is signed out", async || {
            let app = alice.client.app_view().await;
            (app.accounts[0].connection == Connection::SignedOut).then_some(())
        })
        .await;
    assert!(alice.has(&topic, &message).await, "the history stays");
    let waiting = alice.say(&topic, "written while signed out").await;
    let wrong = alice
        .client
        .sign_in_again(&alice.account, "wrong horse")
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), "wrong_password");
    alice
        .client
        .sign_in_again(&alice.account, "correct horse")
        .await
        .unwrap();
    alice
        .until("what waited was sent", async || {
            alice.has(&topic, &waiting).await.then_some(())
        })
        .await;
    assert_eq!(alice.tree(&community).await.name, "星海");
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_however_often_either_side_ends() {
    let mut stage = Stage::new().await;
    let mut alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    bob.enter(&topic).await;
    let mut written = Vec::new();
    for round in 0..6 {
        for line in 0..15 {
            let text = format!("{round}.{line}");
            alice.say(&topic, &text).await;
            written.push(text);
        }
        match round {
            1 | 4 => {
                stage.stop_server().await;
                stage.start_server().await;
            }
            // In the middle of sending, without a farewell.
            _ => alice = alice.crash().await,
        }
    }
    alice.settled().await;
    alice.enter(&topic).await;
    stage::same(&alice, &bob, &topic).await;
    bob.until("everything came", async || {
        (bob.timeline(&topic).await.rows.len() >= written.len()).then_some(())
    })
    .await;
    let texts: Vec<String> = bob
        .timeline(&topic)
        .await
        .rows
        .into_iter()
        .map(|row| row.text)
        .collect();
    assert_eq!(texts, written, "in order, once");
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_whose_invite_is_over_still_leads_to_the_server_and_says_so() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, _) = alice.found("星海").await;
    alice.settled().await;
    let invite = alice
        .client
        .create_invite(&alice.account, &community, Some(3_600), None)
        .await
        .unwrap();
    let bob = stage.newcomer("bob").await;
    let peek = bob.client.peek(&invite.link).await.unwrap();
    assert_eq!(peek.community.as_deref(), Some("星海"));
    assert!(!peek.is_invite_over);
    let bare = bob.client.peek(&stage.link()).await.unwrap();
    assert!(!bare.is_invite_over, "it never invited");

    let mistyped = invite.link.replacen(&invite.code, "mistyped", 1);
    let peek = bob.client.peek(&mistyped).await.unwrap();
    assert!(peek.is_invite_over && peek.community.is_none());
    alice
        .client
        .revoke_invite(&alice.account, &community, &invite.code)
        .await
        .unwrap();
    let peek = bob.client.peek(&invite.link).await.unwrap();
    assert!(peek.is_invite_over && peek.community.is_none());
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_used_up_is_offered_to_the_account_that_was_made_with_it() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, _) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    let invite = alice
        .client
        .create_invite(&alice.account, &community, None, Some(1))
        .await
        .unwrap();
    let made = bob
        .client
        .register(&invite.link, "carol", "Carol", "correct horse")
        .await
        .unwrap();
    let peek = bob.client.peek(&invite.link).await.unwrap();
    assert_eq!(peek.community.as_deref(), Some("星海"));
    assert_eq!(
        peek.accounts,
        std::slice::from_ref(&made),
        "bob cannot come by it"
    );
    assert!(peek.is_invite_over, "and nobody can register by it");
    bob.client.join_link(&made, &invite.link).await.unwrap();
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_that_lose_their_server_together_do_not_come_back_together() {
    /// So many, by chance within half a second, all come within a tenth of one in a run of four million.
    const ACCOUNTS: usize = 12;
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, _) = alice.found("星海").await;
    let invite = alice
        .client
        .create_invite(&alice.account, &community, None, None)
        .await
        .unwrap();
    for number in 1..ACCOUNTS {
        let name = format!("alice{number}");
        alice
            .client
            .register(&invite.link, &name, &name, "correct horse")
            .await
            .unwrap();
    }
    alice
        .until("all are connected", async || {
            let accounts = alice.client.app_view().await.accounts;
            let is_up = accounts
                .iter()
                .all(|account| account.connection == Connection::Synced);
            (is_up && accounts.len() == ACCOUNTS).then_some(())
        })
        .await;

    let first = std::cell::RefCell::new(BTreeMap::new());
    let lost = alice.until("each has lost its server", async || {
        let accounts = alice.client.app_view().await.accounts;
        let mut first = first.borrow_mut();
        for account in accounts {
            if let Connection::Offline { retry_at, .. } = account.connection {
                first.entry(account.key).or_insert(retry_at);
            }
        }
        (first.len() == ACCOUNTS).then_some(())
    });
    tokio::join!(lost, stage.stop_server());
    let first = first.into_inner();
    let (soonest, latest) = (first.values().min().unwrap(), first.values().max().unwrap());
    println!("from {soonest} to {latest}: {} ms", latest - soonest);
    assert!(
        latest - soonest > 100,
        "they come back one after the other, not all at once: {first:?}"
    );
    stage.end([alice]).await;
}

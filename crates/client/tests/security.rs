//! What guards an account: sessions that are revoked, codes that set a new password, the end of an account.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

use stage::{Stage, is_signed_out};
use tulou_client::{
    Error,
    view::{DraftView, MessagesThen},
};

const PASSWORD: &str = "correct horse";

/// The code of an error.
fn code<T>(result: Result<T, Error>) -> String {
    result
        .err()
        .map_or_else(|| "none".into(), |error| error.code())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_client_says_so_at_once_and_loses_nothing() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (_, topic) = alice.found("星海").await;
    alice.enter(&topic).await;
    let laptop = stage.sign_in("laptop", "alice").await;
    laptop.settled().await;
    let view = laptop.client.security_view(&laptop.account).await.unwrap();
    assert_eq!(view.sessions.len(), 2, "{:?}", view.sessions);
    assert!(
        view.sessions.iter().all(|one| one.device.contains(" · ")),
        "each says what it is: {:?}",
        view.sessions
    );
    let other = view.sessions.iter().find(|one| !one.is_current).unwrap();
    laptop
        .client
        .end_sessions(&laptop.account, Some(&other.id))
        .await
        .unwrap();
    is_signed_out(&alice).await;

    let waiting = alice.say(&topic, "written after the end").await;
    let draft = DraftView {
        text: "half a thought".into(),
        reply_to: None,
    };
    alice
        .client
        .save_draft(&alice.account, &topic, draft)
        .await
        .unwrap();
    let refused = alice.client.security_view(&alice.account).await;
    assert_eq!(code(refused), "signed_out");
    let alice = alice.crash().await;
    is_signed_out(&alice).await;
    let app = alice.client.app_view().await;
    assert_eq!(app.accounts[0].waiting, 1, "the outbox waits");
    let view = alice.timeline(&topic).await;
    assert_eq!(view.draft.text, "half a thought");

    alice.enter(&topic).await;
    alice
        .client
        .sign_in_again(&alice.account, PASSWORD)
        .await
        .unwrap();
    alice
        .until("what waited was sent", async || {
            alice.has(&topic, &waiting).await.then_some(())
        })
        .await;
    stage.end([alice, laptop]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_forgotten_the_password_comes_back_with_a_code() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let made = alice
        .client
        .new_recovery_codes(&alice.account, PASSWORD)
        .await
        .unwrap();
    assert_eq!(made.len(), 10);
    alice.client.sign_out(&alice.account).await.unwrap();
    is_signed_out(&alice).await;
    let wrong = alice
        .client
        .recover(&alice.account, "0000-0000-0000-0000", "battery staple")
        .await;
    assert_eq!(code(wrong), "wrong_code");
    alice
        .client
        .recover(&alice.account, &made[0], "battery staple")
        .await
        .unwrap();
    alice.settled().await;

    let laptop = stage.newcomer("laptop").await;
    let key = laptop
        .client
        .recover_at(&stage.link(), "alice", &made[1], "staple battery")
        .await
        .unwrap();
    assert_eq!(key, alice.account, "the same account on another computer");
    is_signed_out(&alice).await;
    let view = laptop.client.security_view(&key).await.unwrap();
    assert_eq!((view.recovery_codes, view.sessions.len()), (8, 1));
    stage.end([alice, laptop]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changing_the_password_signs_the_other_computers_out() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let laptop = stage.sign_in("laptop", "alice").await;
    laptop.settled().await;
    let wrong = alice
        .client
        .change_password(&alice.account, "wrong horse", "battery staple")
        .await;
    assert_eq!(code(wrong), "wrong_password");
    alice
        .client
        .change_password(&alice.account, PASSWORD, "battery staple")
        .await
        .unwrap();
    is_signed_out(&laptop).await;
    let (_, topic) = alice.found("still signed in").await;
    alice.say(&topic, "here").await;
    alice.settled().await;
    let old = laptop.client.sign_in_again(&laptop.account, PASSWORD).await;
    assert_eq!(code(old), "wrong_password");
    laptop
        .client
        .sign_in_again(&laptop.account, "battery staple")
        .await
        .unwrap();
    stage.end([alice, laptop]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_administrator_gives_a_code_to_who_has_nothing_left() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, _) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    let refused = bob.client.server_accounts_view(&bob.account, "", "").await;
    assert_eq!(code(refused), "not_admin");
    let found = alice
        .client
        .server_accounts_view(&alice.account, "b", "")
        .await
        .unwrap();
    let names: Vec<&str> = found.accounts.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["bob"]);
    let reset = alice
        .client
        .reset_account(&alice.account, &found.accounts[0].id)
        .await
        .unwrap();
    is_signed_out(&bob).await;
    let old = bob.client.sign_in_again(&bob.account, PASSWORD).await;
    assert_eq!(code(old), "wrong_password");
    bob.client
        .recover(&bob.account, &reset.code, "battery staple")
        .await
        .unwrap();
    bob.settled().await;
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_account_leaves_this_computer_and_its_name() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    bob.enter(&topic).await;
    let message = bob.say(&topic, "still here").await;
    alice.enter(&topic).await;
    alice
        .until("it came", async || {
            alice.has(&topic, &message).await.then_some(())
        })
        .await;
    let owner = alice
        .client
        .delete_account(&alice.account, PASSWORD, MessagesThen::Keep)
        .await;
    assert_eq!(code(owner), "server_admin");
    let wrong = bob
        .client
        .delete_account(&bob.account, "wrong horse", MessagesThen::Remove)
        .await;
    assert_eq!(code(wrong), "wrong_password");
    let file = bob.store();
    assert!(file.exists(), "nothing happened yet");
    bob.client
        .delete_account(&bob.account, PASSWORD, MessagesThen::Remove)
        .await
        .unwrap();
    assert!(bob.client.app_view().await.accounts.is_empty());
    let left: Vec<_> = std::fs::read_dir(file.parent().unwrap())
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(left.is_empty(), "its history is gone: {left:?}");
    alice
        .until("its message was recalled", async || {
            let row = alice.timeline(&topic).await.rows.into_iter();
            let row = row.rev().find(|row| row.id == message)?;
            row.recalled.is_some().then_some(())
        })
        .await;
    let bob = bob.crash().await;
    assert!(
        bob.client.app_view().await.accounts.is_empty(),
        "nor is it there after a start"
    );
    let again = bob.client.sign_in(&stage.link(), "bob", PASSWORD).await;
    assert_eq!(code(again), "wrong_password");
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_deleted_account_wrote_stays_under_no_name() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    bob.enter(&topic).await;
    for n in 0..3 {
        bob.say(&topic, &format!("line {n}")).await;
    }
    bob.settled().await;
    let names = async || {
        let rows = alice.timeline(&topic).await.rows;
        let of_bob = rows.iter().filter(|row| row.text.starts_with("line"));
        of_bob
            .map(|row| row.author.name.clone())
            .collect::<Vec<_>>()
    };
    alice.enter(&topic).await;
    alice
        .until("they came, with his name", async || {
            (names().await == ["bob", "bob", "bob"]).then_some(())
        })
        .await;
    bob.client
        .delete_account(&bob.account, PASSWORD, MessagesThen::Keep)
        .await
        .unwrap();
    alice
        .until("they stay, without it", async || {
            (names().await == ["", "", ""]).then_some(())
        })
        .await;
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_removed_from_a_computer_stays_on_its_server() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, _) = alice.found("星海").await;
    let laptop = stage.sign_in("laptop", "alice").await;
    laptop.settled().await;
    let key = laptop.account.clone();
    laptop.client.remove_account(&key).await.unwrap();
    assert!(laptop.client.app_view().await.accounts.is_empty());
    let view = alice.client.security_view(&alice.account).await.unwrap();
    assert_eq!(view.sessions.len(), 1, "its session ended: {view:?}");
    let again = laptop
        .client
        .sign_in(&stage.link(), "alice", PASSWORD)
        .await
        .unwrap();
    assert_eq!(again, key);
    laptop
        .until("its history comes again", async || {
            laptop.client.tree_view(&key, &community).await.ok()
        })
        .await;
    stage.end([alice, laptop]).await;
}

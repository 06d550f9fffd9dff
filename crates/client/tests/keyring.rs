//! A keyring in its moods: locked, unlocked late, without a place to keep anything.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

#[path = "keyring/kept.rs"]
mod kept;

use std::{
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use stage::{Person, Stage};
use tulou_client::{
    InMemory, Secrets,
    secrets::NoKeyring,
    view::{AccountView, Connection, KeptView, KeyringView, MessagesThen},
};

const PASSWORD: &str = "correct horse";
/// How long a keyring keeps quiet: longer than anybody waits, and not for ever, should a test end before.
const LATEST: Duration = Duration::from_secs(40);

#[derive(Debug, Clone, Default, PartialEq)]
enum Mood {
    #[default]
    Open,
    /// It asks for its password, and nobody has answered yet: of the entries with this in their names.
    Asks(String),
    /// Nobody gives it its password.
    Locked,
    /// It has no place to keep anything.
    Empty,
}

#[derive(Default)]
struct Moody {
    mood: Mutex<Mood>,
    turned: Condvar,
    /// Of which accounts, in order.
    asked: Mutex<Vec<String>>,
    kept: InMemory,
}

impl Moody {
    fn turn(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
        self.turned.notify_all();
    }

    /// What it is like once nobody is asked for its password any more.
    fn mood(&self, account: &str) -> Mood {
        let asks =
            |mood: &mut Mood| matches!(mood, Mood::Asks(part) if account.contains(part.as_str()));
        let mood = self.mood.lock().unwrap();
        let (mood, _) = self.turned.wait_timeout_while(mood, LATEST, asks).unwrap();
        mood.clone()
    }

    fn wait_until_forgotten(&self, account: &str) {
        let keeps = |_: &mut Mood| self.kept.get(account).unwrap().is_some();
        let mood = self.mood.lock().unwrap();
        let (_mood, waited) = self.turned.wait_timeout_while(mood, LATEST, keeps).unwrap();
        assert!(!waited.timed_out(), "it still keeps that of {account}");
    }

    fn opened(&self, account: &str) -> Result<Mood, NoKeyring> {
        self.asked.lock().unwrap().push(account.to_owned());
        let mood = self.mood(account);
        if mood == Mood::Locked {
            return Err(NoKeyring::Refused("it is locked".into()));
        }
        Ok(mood)
    }
}

impl Secrets for Moody {
    fn get(&self, account: &str) -> Result<Option<String>, NoKeyring> {
        if self.opened(account)? == Mood::Empty {
            return Ok(None);
        }
        self.kept.get(account)
    }

    fn set(&self, account: &str, token: &str) -> Result<(), NoKeyring> {
        if self.opened(account)? == Mood::Empty {
            return Err(NoKeyring::Missing("there is no collection".into()));
        }
        self.kept.set(account, token)
    }

    fn delete(&self, account: &str) -> Result<(), NoKeyring> {
        self.opened(account)?;
        self.kept.delete(account)?;
        let _mood = self.mood.lock().unwrap();
        self.turned.notify_all();
        Ok(())
    }

    fn is_lasting(&self) -> bool {
        true
    }
}

/// Alice with a second account on the same computer; its key.
async fn two_accounts(stage: &Stage, keyring: &Arc<Moody>) -> (Person, String) {
    let secrets: Arc<dyn Secrets> = Arc::<Moody>::clone(keyring);
    let alice = Person::open(stage.folder_of("alice"), secrets).await;
    let alice = alice.register(&stage.link(), "alice").await;
    let (community, _) = alice.found("house").await;
    alice.settled().await;
    let invite = alice
        .client
        .create_invite(&alice.account, &community, None, None);
    let link = invite.await.unwrap().link;
    let register = alice.client.register(&link, "work", "Work", PASSWORD);
    let work = register.await.unwrap();
    alice.settled().await;
    (alice, work)
}

async fn view(person: &Person, account: &str) -> AccountView {
    let app = person.client.app_view().await;
    let mut accounts = app.accounts.into_iter();
    accounts.find(|one| one.key == account).unwrap()
}

/// Waits until something is to be said of how the sign-in of an account is kept, and of the keyring.
async fn until(person: &Person, account: &str, kept: KeptView, keyring: KeyringView) {
    person
        .until(&format!("{kept:?}, {keyring:?}"), async || {
            let is_so = view(person, account).await.kept == kept
                && person.client.app_view().await.keyring == keyring;
            is_so.then_some(())
        })
        .await;
}

async fn until_synced(person: &Person, account: &str) {
    person
        .until("it is signed in", async || {
            (view(person, account).await.connection == Connection::Synced).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_keyring_is_waited_for_by_the_account_that_waits_and_by_no_other() {
    let stage = Stage::new().await;
    let keyring = Arc::new(Moody::default());
    let (alice, work) = two_accounts(&stage, &keyring).await;
    keyring.turn(Mood::Asks(work.clone()));
    let alice = alice.crash().await;
    until(&alice, &work, KeptView::Reading, KeyringView::Waits).await;
    until_synced(&alice, &alice.account).await;
    let other = view(&alice, &alice.account).await;
    assert_eq!(other.kept, KeptView::Settled, "it has its sign-in");

    // Whoever does not wait for it types the password, and hears that it is not kept yet.
    let again = alice.client.sign_in_again(&work, PASSWORD);
    again.await.unwrap();
    until_synced(&alice, &work).await;
    until(&alice, &work, KeptView::Keeping, KeyringView::Waits).await;
    keyring.turn(Mood::Open);
    until(&alice, &work, KeptView::Settled, KeyringView::Works).await;
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_keyring_that_was_not_opened_is_not_missing_and_is_asked_again() {
    let stage = Stage::new().await;
    let keyring = Arc::new(Moody::default());
    let (alice, work) = two_accounts(&stage, &keyring).await;
    keyring.turn(Mood::Locked);
    let alice = alice.crash().await;
    for account in [&alice.account, &work] {
        until(&alice, account, KeptView::Unread, KeyringView::Refused).await;
        alice
            .until("it is not signed in", async || {
                let view = view(&alice, account).await;
                (view.connection == Connection::SignedOut).then_some(())
            })
            .await;
    }
    // Whoever unlocked it says so.
    keyring.turn(Mood::Open);
    alice.client.ask_keyring_again();
    for account in [&alice.account, &work] {
        until_synced(&alice, account).await;
        until(&alice, account, KeptView::Settled, KeyringView::Works).await;
    }

    // Or the system asks for its password again when a sign-in is to be kept: what was not told before is asked for then.
    keyring.turn(Mood::Locked);
    let alice = alice.crash().await;
    until(&alice, &work, KeptView::Unread, KeyringView::Refused).await;
    until(
        &alice,
        &alice.account,
        KeptView::Unread,
        KeyringView::Refused,
    )
    .await;
    keyring.turn(Mood::Open);
    let again = alice.client.sign_in_again(&alice.account, PASSWORD);
    again.await.unwrap();
    until_synced(&alice, &work).await;
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_a_keyring_refuses_late_is_said_and_asked_for_again() {
    let stage = Stage::new().await;
    let keyring = Arc::new(Moody::default());
    let (alice, work) = two_accounts(&stage, &keyring).await;
    let account = alice.account.clone();

    // The prompt is open, the person goes on, and dismisses it a minute later.
    keyring.turn(Mood::Asks(account.clone()));
    alice.client.sign_out(&account).await.unwrap();
    until(&alice, &account, KeptView::Forgetting, KeyringView::Waits).await;
    keyring.turn(Mood::Locked);
    until(
        &alice,
        &account,
        KeptView::Unforgotten,
        KeyringView::Refused,
    )
    .await;
    assert_eq!(view(&alice, &work).await.kept, KeptView::Settled);
    keyring.turn(Mood::Open);
    alice.client.ask_keyring_again();
    until(&alice, &account, KeptView::Settled, KeyringView::Works).await;
    assert_eq!(keyring.kept.get(&account).unwrap(), None);

    keyring.turn(Mood::Asks(account.clone()));
    alice
        .client
        .sign_in_again(&account, PASSWORD)
        .await
        .unwrap();
    keyring.turn(Mood::Locked);
    until(&alice, &account, KeptView::Unkept, KeyringView::Refused).await;
    keyring.turn(Mood::Open);
    alice.client.ask_keyring_again();
    until(&alice, &account, KeptView::Settled, KeyringView::Works).await;
    assert!(keyring.kept.get(&account).unwrap().is_some());
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyring_without_a_place_is_known_at_each_start_before_a_password_is_typed() {
    let stage = Stage::new().await;
    let keyring = Arc::new(Moody::default());
    keyring.turn(Mood::Empty);
    let (alice, work) = two_accounts(&stage, &keyring).await;
    until(&alice, &work, KeptView::Unkept, KeyringView::Missing).await;
    let alice = alice.crash().await;
    for account in [&alice.account, &work] {
        alice
            .until("it is signed out", async || {
                let view = view(&alice, account).await;
                (view.connection == Connection::SignedOut).then_some(())
            })
            .await;
        until(&alice, account, KeptView::Settled, KeyringView::Missing).await;
    }
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_account_is_removed_although_the_keyring_refuses_and_forgotten_when_it_is_unlocked() {
    let stage = Stage::new().await;
    let keyring = Arc::new(Moody::default());
    let (alice, work) = two_accounts(&stage, &keyring).await;
    keyring.turn(Mood::Locked);
    let deleted = alice
        .client
        .delete_account(&work, PASSWORD, MessagesThen::Keep)
        .await;
    assert_eq!(deleted.unwrap_err().code(), "keyring", "it is said");
    let removed = alice.client.remove_account(&alice.account).await;
    assert_eq!(removed.unwrap_err().code(), "keyring", "it is said");
    let accounts = alice.client.app_view().await.accounts;
    assert!(accounts.is_empty(), "they are gone: {accounts:?}");
    for key in [&work, &alice.account] {
        assert!(keyring.kept.get(key).unwrap().is_some());
    }
    keyring.turn(Mood::Open);
    alice.client.ask_keyring_again();
    for key in [&work, &alice.account] {
        keyring.wait_until_forgotten(key);
    }
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_a_keyring_is_to_forget_it_is_told_at_the_next_start_too() {
    let stage = Stage::new().await;
    let keyring = Arc::new(Moody::default());
    let (alice, work) = two_accounts(&stage, &keyring).await;
    keyring.turn(Mood::Locked);
    let removed = alice.client.remove_account(&work).await;
    assert_eq!(removed.unwrap_err().code(), "keyring", "it is said");
    let list = alice.client.list_folder().join("accounts.json");
    let names = || std::fs::read_to_string(&list).unwrap().contains(&work);
    // Nobody unlocks it for as long as the program runs, nor after the next start.
    let alice = alice.crash().await;
    let account = alice.account.clone();
    until(&alice, &account, KeptView::Unread, KeyringView::Refused).await;
    assert!(names(), "it is kept what it is to forget");
    keyring.turn(Mood::Open);
    let alice = alice.crash().await;
    keyring.wait_until_forgotten(&work);
    until_synced(&alice, &account).await;
    assert!(keyring.kept.get(&account).unwrap().is_some(), "not others");
    let deadline = std::time::Instant::now() + LATEST;
    while names() {
        assert!(std::time::Instant::now() < deadline, "that is over");
        tokio::task::yield_now().await;
    }
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_keyring_that_is_being_asked_is_not_asked_the_same_again() {
    let stage = Stage::new().await;
    let keyring = Arc::new(Moody::default());
    let (alice, work) = two_accounts(&stage, &keyring).await;
    keyring.turn(Mood::Locked);
    let alice = alice.crash().await;
    until(&alice, &work, KeptView::Unread, KeyringView::Refused).await;
    let questions = || {
        keyring
            .asked
            .lock()
            .unwrap()
            .iter()
            .filter(|key| **key == work)
            .count()
    };
    let before = questions();
    // Its prompt is open, and the person is in a hurry.
    keyring.turn(Mood::Asks(work.clone()));
    for _ in 0..3 {
        alice.client.ask_keyring_again();
    }
    until(&alice, &work, KeptView::Reading, KeyringView::Waits).await;
    alice.client.ask_keyring_again();
    keyring.turn(Mood::Open);
    until_synced(&alice, &work).await;
    until(&alice, &work, KeptView::Settled, KeyringView::Works).await;
    assert_eq!(questions(), before + 1, "one prompt is enough");

    keyring.turn(Mood::Locked);
    alice.client.sign_out(&work).await.unwrap_err();
    until(&alice, &work, KeptView::Unforgotten, KeyringView::Refused).await;
    let before = questions();
    keyring.turn(Mood::Asks(work.clone()));
    for _ in 0..3 {
        alice.client.ask_keyring_again();
    }
    until(&alice, &work, KeptView::Forgetting, KeyringView::Waits).await;
    keyring.turn(Mood::Open);
    until(&alice, &work, KeptView::Settled, KeyringView::Works).await;
    assert_eq!(questions(), before + 1);
    stage.end([alice]).await;
}

//! What guards an account: sessions that are revoked, codes that set a new password, the end of an account.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use stage::{Person, Stage};
use tulou_client::{
    Client, Error, InMemory, Secrets,
    secrets::NoKeyring,
    view::{Connection, DraftView, KeptView, KeyringView, MessagesThen},
};

const PASSWORD: &str = "correct horse";
/// How long a keyring keeps quiet: longer than anybody waits, and not for ever, should a test end before.
const LATEST: Duration = Duration::from_secs(40);

/// A system without a keyring.
struct Keyless;

impl Secrets for Keyless {
    fn get(&self, _: &str) -> Result<Option<String>, NoKeyring> {
        Err(NoKeyring::Missing("nobody answers".into()))
    }

    fn set(&self, _: &str, _: &str) -> Result<(), NoKeyring> {
        Err(NoKeyring::Missing("nobody answers".into()))
    }

    fn delete(&self, _: &str) -> Result<(), NoKeyring> {
        Err(NoKeyring::Missing("nobody answers".into()))
    }

    fn is_lasting(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn that_there_is_no_keyring_is_known_before_the_first_account_is_made() {
    for keyring in [
        Arc::new(Keyless) as Arc<dyn Secrets>,
        Arc::new(NoCollection),
    ] {
        is_known_at_the_first_start(keyring).await;
    }
}

async fn is_known_at_the_first_start(keyring: Arc<dyn Secrets>) {
    let folder = tempfile::tempdir().unwrap();
    let client = Client::open(folder.path().join("new"), keyring)
        .await
        .unwrap();
    let mut changes = client.changes();
    let known = async {
        while client.app_view().await.keyring != KeyringView::Missing {
            changes.next().await.expect("the client says what is new");
        }
    };
    tokio::time::timeout(Duration::from_secs(20), known)
        .await
        .expect("it asks the keyring although there is nothing to ask for");
    client.shutdown().await;
}

/// A keyring that remembers what it was ever given.
#[derive(Default)]
struct Witness {
    /// As if there were none.
    is_broken: bool,
    /// What it has it gives in the end.
    is_locked: bool,
    /// Whether a question for a token waits; answered in the end with one that no server knows, unless it was locked.
    is_late: Mutex<bool>,
    turned: Condvar,
    /// Questions that waited, and those of them that were answered.
    asked: AtomicU32,
    answered: AtomicU32,
    kept: InMemory,
    given: Mutex<Vec<String>>,
}

impl Witness {
    fn works(&self) -> Result<(), NoKeyring> {
        if self.is_broken {
            return Err(NoKeyring::Missing("nobody answers".into()));
        }
        Ok(())
    }

    fn tokens(&self) -> Vec<String> {
        self.given.lock().unwrap().clone()
    }

    fn turn(&self, is_late: bool) {
        *self.is_late.lock().unwrap() = is_late;
        self.turned.notify_all();
    }

    /// Waits until so many questions waited, or were answered.
    async fn until(&self, count: &AtomicU32, number: u32) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while count.load(Ordering::Acquire) < number {
            assert!(Instant::now() < deadline, "nobody asks, or answers");
            tokio::task::yield_now().await;
        }
    }
}

impl Secrets for Witness {
    fn get(&self, account: &str) -> Result<Option<String>, NoKeyring> {
        self.works()?;
        let is_late = self.is_late.lock().unwrap();
        if !*is_late {
            return self.kept.get(account);
        }
        self.asked.fetch_add(1, Ordering::Release);
        let turned = self
            .turned
            .wait_timeout_while(is_late, LATEST, |is_late| *is_late);
        drop(turned.unwrap());
        self.answered.fetch_add(1, Ordering::Release);
        if self.is_locked {
            return self.kept.get(account);
        }
        Ok(Some("a token that no server knows".into()))
    }

    fn set(&self, account: &str, token: &str) -> Result<(), NoKeyring> {
        // Whether it works is tried with nothing.
        if !token.is_empty() {
            self.given.lock().unwrap().push(token.to_owned());
        }
        self.works()?;
        self.kept.set(account, token)
    }

    fn delete(&self, account: &str) -> Result<(), NoKeyring> {
        self.works()?;
        self.kept.delete(account)
    }

    fn is_lasting(&self) -> bool {
        true
    }
}

/// The files in a folder and below that hold one of some texts.
fn files_with(folder: &Path, texts: &[String]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, texts));
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let holds = |text: &String| bytes.windows(text.len()).any(|it| it == text.as_bytes());
        if texts.iter().any(holds) {
            found.push(path);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_is_in_the_keyring_and_in_no_file() {
    let stage = Stage::new().await;
    let keyring = Arc::new(Witness::default());
    let folder = stage.folder_of("alice");
    let alice = Person::open(folder.clone(), keyring.clone()).await;
    let alice = alice.register(&stage.link(), "alice").await;
    let (_, topic) = alice.found("星海").await;
    alice.say(&topic, "a word that is in a file").await;
    alice.settled().await;
    let account = alice.account.clone();
    let tokens = keyring.tokens();
    assert_eq!(
        keyring.kept.get(&account).unwrap().as_ref(),
        tokens.last(),
        "the keyring has it"
    );
    assert_eq!(alice.client.app_view().await.keyring, KeyringView::Works);

    // The next start needs no password.
    let alice = alice.crash().await;
    alice.settled().await;
    alice.client.shutdown().await;
    let words = ["a word that is in a file".to_owned()];
    assert_ne!(files_with(&folder, &words), [] as [PathBuf; 0]);
    assert_eq!(files_with(&folder, &tokens), [] as [PathBuf; 0]);

    let alice = alice.crash().await;
    alice.settled().await;
    alice.client.sign_out(&account).await.unwrap();
    assert_eq!(
        keyring.kept.get(&account).unwrap(),
        None,
        "who signs out leaves nothing behind"
    );
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_keyring_the_token_is_nowhere_and_the_person_is_told() {
    let stage = Stage::new().await;
    let none = Arc::new(Witness {
        is_broken: true,
        ..Witness::default()
    });
    let folder = stage.folder_of("alice");
    let alice = Person::open(folder.clone(), none.clone()).await;
    let alice = alice.register(&stage.link(), "alice").await;
    assert_eq!(
        alice.client.app_view().await.keyring,
        KeyringView::Missing,
        "the person is told by the time that the account is made"
    );
    alice.settled().await;
    alice.client.shutdown().await;
    let tokens = none.tokens();
    assert_eq!(tokens.len(), 1, "there is one to be found");
    assert_eq!(files_with(&folder, &tokens), [] as [PathBuf; 0]);

    let alice = alice.crash().await;
    is_signed_out(&alice).await;
    assert_eq!(alice.client.app_view().await.keyring, KeyringView::Missing);
    let account = alice.account.clone();
    alice
        .client
        .sign_in_again(&account, PASSWORD)
        .await
        .unwrap();
    alice.settled().await;
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_keyring_that_is_unlocked_late_signs_in() {
    let stage = Stage::new().await;
    let keyring = Arc::new(Witness {
        is_locked: true,
        ..Witness::default()
    });
    let alice = Person::open(stage.folder_of("alice"), keyring.clone()).await;
    let alice = alice.register(&stage.link(), "alice").await;
    alice.settled().await;
    keyring.turn(true);
    let alice = alice.crash().await;
    alice
        .until("it is waited for", async || {
            waits(&alice).await.then_some(())
        })
        .await;
    keyring.turn(false);
    alice.settled().await;
    let view = alice.client.app_view().await;
    assert_eq!(view.keyring, KeyringView::Works);
    assert_eq!(view.accounts[0].kept, KeptView::Settled, "all is well");
    stage.end([alice]).await;
}

/// A keyring that keeps what it is given, come what may.
#[derive(Default)]
struct Miser(InMemory);

impl Secrets for Miser {
    fn get(&self, account: &str) -> Result<Option<String>, NoKeyring> {
        self.0.get(account)
    }

    fn set(&self, account: &str, token: &str) -> Result<(), NoKeyring> {
        self.0.set(account, token)
    }

    fn delete(&self, _: &str) -> Result<(), NoKeyring> {
        Err(NoKeyring::Refused("it is locked".into()))
    }

    fn is_lasting(&self) -> bool {
        true
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_the_keyring_does_not_let_go_of_is_said() {
    let stage = Stage::new().await;
    let alice = Person::open(stage.folder_of("alice"), Arc::new(Miser::default())).await;
    let alice = alice.register(&stage.link(), "alice").await;
    alice.settled().await;
    let refused = alice.client.sign_out(&alice.account).await.unwrap_err();
    assert_eq!(refused.code(), "keyring");
    is_signed_out(&alice).await;
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signed_out_is_signed_in_by_no_token_that_the_keyring_did_not_let_go_of() {
    let mut stage = Stage::new().await;
    let alice = Person::open(stage.folder_of("alice"), Arc::new(Miser::default())).await;
    let alice = alice.register(&stage.link(), "alice").await;
    alice.settled().await;
    // The server does not hear of it, so the token is as good as before.
    stage.stop_server().await;
    assert!(alice.client.sign_out(&alice.account).await.is_err());
    let alice = alice.crash().await;
    stage.start_server().await;
    alice.client.hurry().await;
    is_signed_out(&alice).await;
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signed_in_again_stays_so_although_the_store_did_not_take_it() {
    let stage = Stage::new().await;
    let keyring: Arc<dyn Secrets> = Arc::new(InMemory::default());
    let alice = Person::open(stage.folder_of("alice"), keyring).await;
    let alice = alice.register(&stage.link(), "alice").await;
    alice.settled().await;
    alice.client.sign_out(&alice.account).await.unwrap();
    is_signed_out(&alice).await;
    fill_the_disk(&alice);
    let (client, account) = (&alice.client, &alice.account);
    client.sign_in_again(account, PASSWORD).await.unwrap();
    alice.settled().await;
    let alice = alice.crash().await;
    alice.settled().await;
    stage.end([alice]).await;
}

/// From here on there is no room to take back that the person signed out.
fn fill_the_disk(person: &Person) {
    let db = rusqlite::Connection::open(person.store()).unwrap();
    db.execute_batch(
        "CREATE TRIGGER full BEFORE DELETE ON meta WHEN OLD.key = 'left' BEGIN SELECT RAISE(ABORT, 'no room'); END",
    )
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn who_signed_out_while_the_keyring_was_waited_for_and_in_again_stays_so() {
    let stage = Stage::new().await;
    let keyring = Arc::new(Witness {
        is_locked: true,
        ..Witness::default()
    });
    let alice = Person::open(stage.folder_of("alice"), keyring.clone()).await;
    let alice = alice.register(&stage.link(), "alice").await;
    alice.settled().await;
    keyring.turn(true);
    let alice = alice.crash().await;
    keyring.until(&keyring.asked, 1).await;
    alice.client.sign_out(&alice.account).await.unwrap();
    keyring.turn(false);
    keyring.until(&keyring.answered, 1).await;
    fill_the_disk(&alice);
    let (client, account) = (&alice.client, &alice.account);
    client.sign_in_again(account, PASSWORD).await.unwrap();
    alice.settled().await;
    let alice = alice.crash().await;
    alice.settled().await;
    stage.end([alice]).await;
}

/// A keyring that has no place to keep anything: it is asked in vain, and does not say so.
struct NoCollection;

impl Secrets for NoCollection {
    fn get(&self, _: &str) -> Result<Option<String>, NoKeyring> {
        Ok(None)
    }

    fn set(&self, _: &str, _: &str) -> Result<(), NoKeyring> {
        Err(NoKeyring::Missing("there is no default collection".into()))
    }

    fn delete(&self, _: &str) -> Result<(), NoKeyring> {
        Ok(())
    }

    fn is_lasting(&self) -> bool {
        true
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_keyring_that_takes_its_time_holds_nobody_up_and_takes_nothing_back() {
    let stage = Stage::new().await;
    let keyring = Arc::new(Witness::default());
    let alice = Person::open(stage.folder_of("alice"), keyring.clone()).await;
    let alice = alice.register(&stage.link(), "alice").await;
    let (_, topic) = alice.found("星海").await;
    alice.settled().await;

    // It asks the person for its password, say, who signs in meanwhile.
    keyring.turn(true);
    let alice = alice.crash().await;
    keyring.until(&keyring.asked, 1).await;
    let account = alice.account.clone();
    alice
        .client
        .sign_in_again(&account, PASSWORD)
        .await
        .unwrap();
    alice.settled().await;
    keyring.turn(false);
    keyring.until(&keyring.answered, 1).await;
    alice.say(&topic, "with the token of the person").await;
    alice.settled().await;

    // It does not answer: the person is told that it is waited for, and may sign in.
    keyring.turn(true);
    let alice = alice.crash().await;
    alice
        .until("it is waited for", async || {
            waits(&alice).await.then_some(())
        })
        .await;
    let view = alice.client.app_view().await;
    assert_eq!(view.accounts[0].kept, KeptView::Reading, "of this account");
    assert_eq!(
        view.accounts[0].connection,
        Connection::Connecting,
        "nobody was signed out"
    );
    alice
        .client
        .sign_in_again(&account, PASSWORD)
        .await
        .unwrap();
    alice.settled().await;
    keyring.turn(false);
    stage.end([alice]).await;
}

/// Whether the keyring is waited for.
async fn waits(person: &Person) -> bool {
    person.client.app_view().await.keyring == KeyringView::Waits
}

/// Waits until an account is signed out, without having asked for it.
async fn is_signed_out(person: &Person) {
    person
        .until("it is signed out", async || {
            let app = person.client.app_view().await;
            (app.accounts[0].connection == Connection::SignedOut).then_some(())
        })
        .await;
}

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

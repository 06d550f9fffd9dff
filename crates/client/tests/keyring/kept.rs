//! What a keyring is given and gives back, also late, and what it does not let go of.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};

use tulou_client::Client;

use super::{
    stage::{Person, Stage, is_signed_out},
    *,
};

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

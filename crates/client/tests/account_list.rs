//! Everything that can be wrong with the list of accounts: the client opens all the same, with every account whose
//! history is there, and says so.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value;
use stage::{Person, Stage};
use tulou_client::view::{ListView, StoreTrouble};

async fn list_of(person: &Person) -> ListView {
    person.client.app_view().await.list
}

fn file_of(stage: &Stage) -> PathBuf {
    stage.folder_of("alice").join("accounts.json")
}

fn accounts_in(file: &Path) -> Value {
    let list: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    list["accounts"].clone()
}

/// Alice as if she had met the server at another computer: there it is known by a key.
struct Met {
    alice: Person,
    /// The list of accounts.
    file: PathBuf,
    topic: String,
    /// A message that the server has.
    sent: String,
}

async fn met(stage: &Stage) -> Met {
    let alice = stage.host("alice").await;
    let (_, topic) = alice.found("星海").await;
    let sent = alice.say(&topic, "on the server").await;
    alice.settled().await;
    let file = file_of(stage);
    let asleep = alice.vanish();
    let mut list: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    list["accounts"][0]["key"] = "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ".into();
    fs::write(&file, serde_json::to_vec_pretty(&list).unwrap()).unwrap();
    Met {
        alice: asleep.wake().await,
        file,
        topic,
        sent,
    }
}

/// Waits until the history knows by itself what the list says of its account: key, addresses, names.
async fn is_remembered(alice: &Person, file: &Path) {
    let store = alice.store();
    alice
        .until("the history knows its account", async || {
            let db = rusqlite::Connection::open(&store).ok()?;
            let known: String = db
                .query_row("SELECT value FROM meta WHERE key = 'known'", [], |row| {
                    row.get(0)
                })
                .ok()?;
            let known: Value = serde_json::from_str(&known).ok()?;
            (known == accounts_in(file)[0]).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_list_of_accounts_is_set_aside_and_rebuilt_from_the_histories() {
    let stage = Stage::new().await;
    let Met {
        mut alice,
        file,
        topic,
        sent,
    } = met(&stage).await;
    is_remembered(&alice, &file).await;
    let before = accounts_in(&file);
    let whole = fs::read_to_string(&file).unwrap();
    let wrong_types = whole.replace("\"addresses\": [", "\"addresses\": 7, \"rest\": [");
    assert_ne!(wrong_types, whole);
    let half = whole[..whole.len() / 2].to_owned();

    for damaged in [String::new(), half, wrong_types] {
        let asleep = alice.vanish();
        fs::write(&file, &damaged).unwrap();
        alice = asleep.wake().await;
        let list = list_of(&alice).await;
        assert_eq!(list.trouble, None, "there is a new list");
        let aside = list.aside.unwrap();
        assert_eq!(aside.accounts, 1);
        let kept = Path::new(&aside.folder).join(&aside.file);
        assert_eq!(
            fs::read_to_string(kept).unwrap(),
            damaged,
            "the damaged one is where the window says"
        );
        assert_eq!(
            accounts_in(&file),
            before,
            "names, addresses and key are what they were"
        );
        alice.settled().await;
        assert!(alice.has(&topic, &sent).await, "its history was kept");
        alice.say(&topic, "and goes on").await;
        alice.settled().await;

        alice = alice.crash().await;
        assert_eq!(
            list_of(&alice).await.aside.unwrap(),
            aside,
            "the person is told until he has taken note"
        );
        alice.client.forget_list_aside().await.unwrap();
        alice = alice.crash().await;
        assert_eq!(list_of(&alice).await.aside, None);
    }
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_list_and_word_of_the_account_the_history_tells_what_the_server_said() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    alice.found("星海").await;
    let file = file_of(&stage);
    is_remembered(&alice, &file).await;
    let before = accounts_in(&file);
    let store = alice.store();
    let asleep = alice.vanish();
    let db = rusqlite::Connection::open(&store).unwrap();
    db.execute("DELETE FROM meta WHERE key = 'known'", [])
        .unwrap();
    drop(db);
    fs::write(&file, "").unwrap();

    let alice = asleep.wake().await;
    let after = accounts_in(&file);
    for told in ["server", "account", "name", "server_name"] {
        assert_eq!(after[0][told], before[0][told], "{told}");
    }
    alice.settled().await;
    assert_eq!(
        alice.client.app_view().await.accounts[0].communities.len(),
        1
    );
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_list_and_history_damaged_the_copy_beside_it_tells_how_the_server_is_known() {
    let stage = Stage::new().await;
    let Met {
        alice,
        file,
        topic,
        sent,
    } = met(&stage).await;
    let before = accounts_in(&file);
    let store = alice.store();
    let beside = |added: &str| PathBuf::from(format!("{}{added}", store.display()));
    is_remembered(&alice, &file).await;
    // Nothing tells of a copy.
    alice.say(&topic, "so that it is copied").await;
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let bytes = fs::read(beside(".spare")).unwrap_or_default();
        let copy: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if copy["known"] == before[0] {
            break;
        }
        assert!(Instant::now() < deadline, "not copied: {copy}");
        tokio::task::yield_now().await;
    }
    let asleep = alice.vanish();
    fs::write(&file, "").unwrap();
    fs::write(&store, "nothing of this is a history").unwrap();
    let _ = fs::remove_file(beside("-wal"));

    let alice = asleep.wake().await;
    assert_eq!(
        accounts_in(&file),
        before,
        "no invite link is needed: addresses and key are what they were"
    );
    alice.settled().await;
    alice
        .until("the history is here again", async || {
            alice.has(&topic, &sent).await.then_some(())
        })
        .await;
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_a_newer_version_or_that_cannot_be_read_stays_and_the_accounts_go_on() {
    let stage = Stage::new().await;
    let mut alice = stage.host("alice").await;
    let (_, topic) = alice.found("星海").await;
    let file = file_of(&stage);
    is_remembered(&alice, &file).await;
    let whole = fs::read_to_string(&file).unwrap();
    let account = alice.account.clone();
    let newer = r#"{"version": 99, "accounts": {"of": "another shape"}}"#;
    type Spoil<'a> = &'a dyn Fn();
    let cases: [(StoreTrouble, Spoil<'_>, &str); 2] = [
        (
            StoreTrouble::TooNew,
            &|| fs::write(&file, newer).unwrap(),
            "too_new",
        ),
        (
            // No rights stop the administrator, as whom tests may run; a folder in the file's place stops everybody.
            StoreTrouble::Unreadable,
            &|| fs::create_dir(&file).unwrap(),
            "storage",
        ),
    ];
    for (trouble, spoil, code) in cases {
        let asleep = alice.vanish();
        fs::remove_file(&file).unwrap();
        spoil();
        alice = asleep.wake().await;
        let list = list_of(&alice).await;
        assert_eq!(list.trouble, Some(trouble));
        assert_eq!(list.file, file.to_string_lossy(), "the file is named");
        assert_eq!(list.aside, None, "nothing was set aside");
        assert_eq!(alice.account, account, "the account is there");
        alice.settled().await;
        alice.say(&topic, "as usual").await;
        alice.settled().await;

        // The hosted server may be at another port: that is no reason not to begin.
        let server = stage.server().server().to_string();
        let addresses = alice.client.addresses(&account).await.unwrap();
        alice
            .client
            .set_addresses(&server, addresses)
            .await
            .unwrap();
        let refused = alice.client.forget_list_aside().await.unwrap_err();
        assert_eq!(refused.code(), code, "what is to be kept says why not");
        if file.is_file() {
            assert_eq!(fs::read_to_string(&file).unwrap(), newer, "left as it is");
            fs::remove_file(&file).unwrap();
        } else {
            fs::remove_dir(&file).unwrap();
        }

        // It is mended, and looked at again.
        fs::write(&file, &whole).unwrap();
        alice.client.hurry().await;
        assert_eq!(list_of(&alice).await.trouble, None);
        let app = alice.client.app_view().await;
        assert_eq!(app.accounts.len(), 1, "nobody is there twice");
        alice.settled().await;
    }
    stage.end([alice]).await;
}

//! Everything that can be wrong with a store on disk: the account says so, the others go on, and nothing that the person
//! wrote is lost.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use stage::{Person, Stage};
use tulou_client::{
    action::Action,
    view::{Connection as Link, DraftView, StoreTrouble, StoreView},
};

/// Opening a store answers within this time, whatever is wrong with it.
const CLEAR_ANSWER: Duration = Duration::from_secs(20);

async fn store_of(person: &Person) -> StoreView {
    let app = person.client.app_view().await;
    let account = app
        .accounts
        .iter()
        .find(|account| account.key == person.account);
    account.unwrap().store.clone()
}

async fn trouble_of(person: &Person) -> Option<StoreTrouble> {
    store_of(person).await.trouble
}

/// Waits for a store that is slow to open to say what is wrong with it.
async fn is_in(trouble: StoreTrouble, person: &Person) {
    person
        .until("the store says what is wrong with it", async || {
            (trouble_of(person).await == Some(trouble)).then_some(())
        })
        .await;
}

/// Files beside the store whose name contains `.damaged-`, without logs.
fn set_aside(store: &Path) -> Vec<PathBuf> {
    fs::read_dir(store.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.to_string_lossy();
            name.contains(".sqlite.damaged-") && !name.ends_with("-wal")
        })
        .collect()
}

/// Moves the log into the file, so that what is overwritten in the file counts.
fn settle(store: &Path) {
    let db = Connection::open(store).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
}

fn overwrite(store: &Path, from: u64, bytes: usize) {
    let mut file = File::options().write(true).open(store).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.write_all(&vec![0xA5; bytes]).unwrap();
    file.sync_all().unwrap();
}

/// The first page of a table.
fn root_of(store: &Path, table: &str) -> u64 {
    let db = Connection::open(store).unwrap();
    let page: u32 = db
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?1",
            [table],
            |row| row.get(0),
        )
        .unwrap();
    let size: u32 = db
        .query_row("PRAGMA page_size", [], |row| row.get(0))
        .unwrap();
    u64::from(page - 1) * u64::from(size)
}

/// Alice has history on the server; two messages and a draft wait on her computer while the server is away.
struct Waiting {
    stage: Stage,
    alice: Person,
    topic: String,
    sent: String,
    waiting: Vec<String>,
}

/// Waits for the copy beside the store to have what waits, and the draft.
async fn copied(alice: &Person, store: &Path) {
    let spare = PathBuf::from(format!("{}.spare", store.display()));
    alice
        .until("outbox and draft are copied", async || {
            // Nothing tells of a copy; the link's next attempt makes the client look again.
            tokio::task::yield_now().await;
            let text = fs::read_to_string(&spare).unwrap_or_default();
            (text.contains("等待 2") && text.contains("half a sen")).then_some(())
        })
        .await;
}

async fn waiting() -> Waiting {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (_, topic) = alice.found("星海").await;
    let sent = alice.say(&topic, "on the server").await;
    alice.settled().await;
    stage.stop_server().await;
    let mut waiting = Vec::new();
    for text in ["waits 1", "等待 2"] {
        waiting.push(alice.say(&topic, text).await);
    }
    let draft = DraftView {
        text: "half a sen".into(),
        reply_to: None,
    };
    alice
        .client
        .save_draft(&alice.account, &topic, draft)
        .await
        .unwrap();
    Waiting {
        stage,
        alice,
        topic,
        sent,
        waiting,
    }
}

/// Everything is back after the store was begun anew.
async fn is_back(alice: &Person, topic: &str, sent: &str, waiting: &[String]) {
    alice.settled().await;
    alice.enter(topic).await;
    alice
        .until("history and what waited are there", async || {
            let view = alice.timeline(topic).await;
            let ids: Vec<&str> = view.rows.iter().map(|row| row.id.as_str()).collect();
            (ids == [sent, &waiting[0], &waiting[1]]).then_some(())
        })
        .await;
    let draft = alice.timeline(topic).await.draft;
    assert_eq!(draft.text, "half a sen", "the draft was taken along");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_store_is_set_aside_and_rebuilt_with_what_waited() {
    let Waiting {
        mut stage,
        alice,
        topic,
        sent,
        waiting,
    } = waiting().await;
    let store = alice.store();
    let asleep = alice.vanish();
    settle(&store);
    let root = root_of(&store, "meta");
    overwrite(&store, root, 512);
    stage.start_server().await;

    let mut alice = asleep.wake().await;
    let aside = alice
        .until("the damage is noticed", async || {
            store_of(&alice).await.aside
        })
        .await;
    assert_eq!(
        (aside.commands, aside.drafts, aside.is_whole),
        (2, 1, true),
        "outbox and drafts could be read from the damaged file"
    );
    let files = set_aside(&store);
    assert_eq!(files.len(), 1, "one file was set aside");
    assert!(files[0].ends_with(&aside.file), "and is named");
    assert_eq!(files[0].parent().unwrap(), Path::new(&aside.folder));
    assert_eq!(trouble_of(&alice).await, None, "the new store works");
    is_back(&alice, &topic, &sent, &waiting).await;

    alice.client.forget_aside(&alice.account).await.unwrap();
    alice = alice.crash().await;
    assert_eq!(
        store_of(&alice).await.aside,
        None,
        "the person has taken note"
    );
    assert_eq!(set_aside(&store).len(), 1, "the file stays");
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_damaged_store_does_not_give_comes_from_its_copy() {
    let Waiting {
        mut stage,
        alice,
        topic,
        sent,
        waiting,
    } = waiting().await;
    let store = alice.store();
    copied(&alice, &store).await;
    let asleep = alice.vanish();
    settle(&store);
    // The head of the file: without it nothing can be read.
    overwrite(&store, 0, 4_096);
    stage.start_server().await;

    let alice = asleep.wake().await;
    let aside = alice
        .until("the damage is noticed", async || {
            store_of(&alice).await.aside
        })
        .await;
    assert_eq!(
        (aside.commands, aside.drafts, aside.is_whole),
        (2, 1, false),
        "the copy has them; whether it has all nobody can say"
    );
    is_back(&alice, &topic, &sent, &waiting).await;
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_gone_comes_back_with_what_waited() {
    let Waiting {
        mut stage,
        alice,
        topic,
        sent,
        waiting,
    } = waiting().await;
    let store = alice.store();
    copied(&alice, &store).await;
    let asleep = alice.vanish();
    settle(&store);
    fs::remove_file(&store).unwrap();
    stage.start_server().await;
    let alice = asleep.wake().await;
    is_back(&alice, &topic, &sent, &waiting).await;
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_store_keeps_only_its_own_account_from_opening() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let invite = alice
        .client
        .create_invite(&alice.account, &community, None, None)
        .await
        .unwrap();
    let other = alice
        .client
        .register(&invite.link, "alice2", "alice2", "correct horse")
        .await
        .unwrap();
    alice.client.join_link(&other, &invite.link).await.unwrap();
    let store = alice.store();
    let first = alice.account.clone();
    let asleep = alice.vanish();
    let version = |to: Option<u32>| {
        let db = Connection::open(&store).unwrap();
        if let Some(to) = to {
            db.pragma_update(None, "user_version", to).unwrap();
        }
        db.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0))
            .unwrap()
    };
    let known = version(None);
    version(Some(99));

    let mut alice = asleep.wake().await;
    is_in(StoreTrouble::TooNew, &alice).await;
    let refused = alice.client.submit(&first, say(&topic)).await.unwrap_err();
    assert_eq!(
        refused.code(),
        "too_new",
        "and everything asked of it says so"
    );
    alice.account.clone_from(&other);
    alice
        .until("the other account goes on", async || {
            let app = alice.client.app_view().await;
            let other = app.accounts.iter().find(|account| account.key == other)?;
            (other.store.trouble.is_none() && other.communities.len() == 1).then_some(())
        })
        .await;
    alice.say(&topic, "from the other account").await;
    assert_eq!(version(None), 99, "the newer file is left as it is");
    assert_eq!(set_aside(&store), [] as [PathBuf; 0], "and where it is");

    version(Some(known));
    alice.client.hurry().await;
    alice.account = first;
    alice
        .until("it opens once it fits", async || {
            trouble_of(&alice).await.is_none().then_some(())
        })
        .await;
    stage.end([alice]).await;
}

fn say(topic: &str) -> Action {
    Action::SendMessage {
        topic: topic.into(),
        text: "does this fit?".into(),
        reply_to: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_another_program_uses_gets_a_clear_answer_instead_of_a_hang() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (_, topic) = alice.found("星海").await;
    let store = alice.store();
    let asleep = alice.vanish();

    // First somebody who only knows SQLite's own locks.
    let other = Connection::open(&store).unwrap();
    other
        .pragma_update(None, "locking_mode", "exclusive")
        .unwrap();
    other.execute_batch("BEGIN EXCLUSIVE; COMMIT").unwrap();
    let began = Instant::now();
    let alice = asleep.wake().await;
    is_in(StoreTrouble::Locked, &alice).await;
    assert!(
        began.elapsed() < CLEAR_ANSWER,
        "it took {:?}",
        began.elapsed()
    );
    drop(other);
    alice.client.hurry().await;
    alice.settled().await;

    // Then a second client on the same folder.
    let asleep = alice.vanish();
    let lock = File::options()
        .write(true)
        .open(format!("{}.lock", store.display()))
        .unwrap();
    lock.lock().unwrap();
    let began = Instant::now();
    let alice = asleep.wake().await;
    is_in(StoreTrouble::Locked, &alice).await;
    assert!(
        began.elapsed() < CLEAR_ANSWER,
        "it took {:?}",
        began.elapsed()
    );
    let refused = alice.client.submit(&alice.account, say(&topic)).await;
    assert_eq!(refused.unwrap_err().code(), "storage");
    drop(lock);
    alice.client.hurry().await;
    alice.settled().await;
    alice.say(&topic, "open again").await;
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_while_the_store_could_not_be_written_comes_again() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    alice.settled().await;
    let bob = stage.invite(&alice, &community, "bob").await;
    bob.enter(&topic).await;
    bob.settled().await;

    let other = Connection::open(bob.store()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let unwritten = alice.say(&topic, "while it is locked").await;
    bob.until("the engine ended", async || {
        let app = bob.client.app_view().await;
        let is_offline = matches!(app.accounts[0].connection, Link::Offline { .. });
        (is_offline && trouble_of(&bob).await == Some(StoreTrouble::Locked)).then_some(())
    })
    .await;
    other.execute_batch("ROLLBACK").unwrap();
    let later = alice.say(&topic, "when it is free").await;
    bob.until(
        "both are here: the engine began anew where the store is",
        async || (bob.has(&topic, &unwritten).await && bob.has(&topic, &later).await).then_some(()),
    )
    .await;
    stage.end([alice, bob]).await;
}

/// Something mounted for a test, until it is dropped.
struct Mount(PathBuf);

impl Mount {
    /// None where mounting is not allowed.
    fn new(at: &Path, arguments: &[&str]) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let done = Command::new("mount").args(arguments).arg(at).output();
        match done {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            Ok(output) => {
                println!(
                    "skipped: {}",
                    String::from_utf8_lossy(&output.stderr).trim()
                );
                None
            }
            Err(error) => {
                println!("skipped: mount: {error}");
                None
            }
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_a_send_is_refused_and_goes_on_when_there_is_room() {
    let stage = Stage::new().await;
    let folder = stage.folder_of("alice");
    let Some(_disk) = Mount::new(&folder, &["-t", "tmpfs", "-o", "size=3m", "tmpfs"]) else {
        return;
    };
    let alice = stage.host("alice").await;
    let (_, topic) = alice.found("星海").await;
    let before = alice.say(&topic, "while there is room").await;
    alice.settled().await;

    let filler = folder.join("filler");
    let mut file = File::create(&filler).unwrap();
    // Ends when the disk is full.
    while file.write_all(&[0; 4_096]).is_ok() {}
    let mut durable = Vec::new();
    let refused = loop {
        // The log has some room of its own from before.
        match alice.client.submit(&alice.account, say(&topic)).await {
            Ok(id) => durable.push(id.unwrap()),
            Err(error) => break error,
        }
    };
    assert_eq!(refused.code(), "no_room", "it is told, not kept for later");
    alice
        .until("the person is told", async || {
            (trouble_of(&alice).await == Some(StoreTrouble::NoRoom)).then_some(())
        })
        .await;
    assert!(
        alice.has(&topic, &before).await,
        "what is there can be read without room"
    );

    // It stays so over a restart, and nothing that was durable is lost.
    let alice = alice.crash().await;
    alice
        .until("the person is told", async || {
            (trouble_of(&alice).await == Some(StoreTrouble::NoRoom)).then_some(())
        })
        .await;

    drop(file);
    fs::remove_file(&filler).unwrap();
    alice.client.hurry().await;
    alice.settled().await;
    assert_eq!(trouble_of(&alice).await, None, "there is room again");
    let after = alice.say(&topic, "room again").await;
    alice.settled().await;
    let rows = alice.timeline(&topic).await.rows;
    let mut expected = vec![before];
    expected.extend(durable);
    expected.push(after);
    let ids: Vec<String> = rows.into_iter().map(|row| row.id).collect();
    assert_eq!(
        ids, expected,
        "each durable message is there once, in order"
    );
    stage.end([alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_may_not_be_written_is_named_and_nothing_is_touched() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (_, topic) = alice.found("星海").await;
    let store = alice.store();
    let asleep = alice.vanish();
    let folder = stage.folder_of("alice");
    let name = folder.to_string_lossy().into_owned();
    let Some(bound) = Mount::new(&folder, &["--bind", &name]) else {
        return;
    };
    // What was being written when the client ended may still be open for a moment.
    let deadline = Instant::now() + CLEAR_ANSWER;
    let mut remount = Command::new("mount");
    remount.args(["-o", "remount,ro,bind"]).arg(&folder);
    while !remount.status().unwrap().success() {
        assert!(Instant::now() < deadline, "somebody writes there");
    }

    let alice = asleep.wake().await;
    is_in(StoreTrouble::NoRights, &alice).await;
    let view = store_of(&alice).await;
    assert_eq!(view.file, store.to_string_lossy(), "the file is named");
    let refused = alice.client.submit(&alice.account, say(&topic)).await;
    assert_eq!(refused.unwrap_err().code(), "storage");
    drop(bound);
    alice.client.hurry().await;
    alice.settled().await;
    alice.say(&topic, "it may be written again").await;
    stage.end([alice]).await;
}

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
};

use tulou_engine::OutboxState;
use tulou_protocol::{AccountId, Command, CommandId, MessageId, TopicId};
use uuid::Uuid;

use super::*;
use crate::store::{Store, Trouble, drafts, edits, meta, outbox};

const ME: AccountId = AccountId(Uuid::from_u128(1));
const TOPIC: TopicId = TopicId(Uuid::from_u128(2));
/// 2026-11-23 07:27:37 UTC.
const NOW: Millis = 1_795_418_857_000;

fn send(no: u128, text: &str) -> Command {
    Command::MessageSend {
        topic: TOPIC,
        message: MessageId(Uuid::from_u128(no)),
        text: text.to_owned(),
        reply_to: None,
        written_at: 1,
    }
}

fn push(store: &Store, no: u128, text: &str) {
    store
        .write(|db| {
            let id = CommandId(Uuid::from_u128(no));
            outbox::push(db, id, send(no, text), NOW, OutboxState::Waiting)
        })
        .unwrap();
}

fn texts(store: &Store) -> Vec<String> {
    let entries = store.read(outbox::all).unwrap();
    let text = |entry: tulou_engine::OutboxEntry| {
        if let Command::MessageSend { text, .. } = entry.command {
            text
        } else {
            String::new()
        }
    };
    entries.into_iter().map(text).collect()
}

fn overwrite(path: &Path, from: u64, bytes: usize) {
    let mut file = File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.write_all(&vec![0xA5; bytes]).unwrap();
}

/// The pages that a table is made of, the first first.
fn pages(path: &Path, table: &str) -> Vec<u64> {
    let db = Connection::open(path).unwrap();
    let root: u32 = db
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?1",
            [table],
            |row| row.get(0),
        )
        .unwrap();
    let size: u32 = db
        .query_row("PRAGMA page_size", [], |row| row.get(0))
        .unwrap();
    let bytes = fs::read(path).unwrap();
    let at = |page: u32| (u64::from(page) - 1) * u64::from(size);
    let mut pages = vec![at(root)];
    let page = &bytes[usize::try_from(at(root)).unwrap()..][..size as usize];
    // An inner page of a table (5) names its children after a head of 12 bytes.
    if page[0] == 5 {
        let cells = u16::from_be_bytes([page[3], page[4]]);
        for cell in 0..usize::from(cells) {
            let pointer = 12 + 2 * cell;
            let offset = usize::from(u16::from_be_bytes([page[pointer], page[pointer + 1]]));
            let child = u32::from_be_bytes(page[offset..offset + 4].try_into().unwrap());
            pages.push(at(child));
        }
    }
    pages
}

#[test]
fn a_file_that_is_no_store_is_set_aside_under_a_name_that_says_when() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    fs::write(&path, vec![7; 10_000]).unwrap();
    let store = Store::shut(&path, ME);
    store.reopen(NOW, false).unwrap();
    let aside = store.read(meta::aside).unwrap().unwrap();
    assert_eq!(aside.file, "a.sqlite.damaged-2026-11-23T072737Z");
    assert_eq!(Path::new(&aside.folder), folder.path());
    assert!(!aside.is_whole, "nothing could be read");
    let kept = fs::read(folder.path().join(&aside.file)).unwrap();
    assert_eq!(kept, vec![7; 10_000], "the damaged file is as it was");
}

#[test]
fn damage_that_is_met_while_the_store_is_open_is_mended_and_nothing_of_the_outbox_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let store = Store::open(&path, ME).unwrap();
    push(&store, 1, "first");
    push(&store, 2, "第二");
    store
        .write(|db| drafts::put(db, TOPIC, "half a sen", None))
        .unwrap();
    store
        .write(|db| edits::put(db, TOPIC, MessageId::from_bytes([7; 16]), "befor", "before"))
        .unwrap();
    let large = "x".repeat(2_000);
    store
        .keep(|db| {
            for no in 0..3_000_u32 {
                db.execute(
                    "INSERT INTO rows (log, kind, id, rev, body) VALUES (1, 'k', ?1, 1, ?2)",
                    (format!("{no:05}"), &large),
                )?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    store.checkpoint().unwrap();
    // The end of the file holds rows, more than any connection remembers.
    let bytes = fs::metadata(&path).unwrap().len();
    overwrite(&path, bytes / 2, usize::try_from(bytes / 2).unwrap());
    let count = |db: &Connection| -> Result<u32, StoreError> {
        let sum = "SELECT count(*) FROM rows WHERE body LIKE '%y'";
        Ok(db.query_row(sum, [], |row| row.get(0))?)
    };
    assert!(store.read(count).is_err(), "the rows cannot be read");
    assert_eq!(*store.trouble().borrow(), Some(Trouble::Damaged));

    store.mend(NOW).unwrap();
    assert_eq!(*store.trouble().borrow(), None, "the new store works");
    assert_eq!(store.read(count).unwrap(), 0, "rows come from the server");
    assert_eq!(texts(&store), ["first", "第二"]);
    let draft = store.read(|db| drafts::one(db, TOPIC)).unwrap();
    assert_eq!(draft.unwrap().0, "half a sen");
    let edits = store.read(|db| edits::of_topic(db, TOPIC)).unwrap();
    assert_eq!(edits[0].text, "before", "an edit is a draft like any other");
    let again = store.mend(NOW + 1).unwrap_err();
    assert_eq!(
        again.trouble(),
        Some(Trouble::Damaged),
        "a disk that breaks every file is not fed with new ones"
    );
}

#[test]
fn what_lies_before_and_behind_a_broken_page_of_the_outbox_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let store = Store::open(&path, ME).unwrap();
    let text = |no: u128| format!("{no:03} {}", "x".repeat(500));
    for no in 1..=60 {
        push(&store, no, &text(no));
    }
    store.checkpoint().unwrap();
    drop(store);
    let pages = pages(&path, "outbox");
    assert!(pages.len() > 4, "the outbox is larger than a few pages");
    overwrite(&path, pages[pages.len() / 2], 4_096);

    let store = Store::open(&path, ME).unwrap();
    assert!(store.read(outbox::all).is_err(), "a page is broken");
    store.mend(NOW).unwrap();
    let saved = texts(&store);
    assert!(
        saved.len() >= 40 && saved.len() < 60,
        "one page of several is lost, not {}",
        60 - saved.len()
    );
    assert_eq!(saved.first(), Some(&text(1)), "what lies before it");
    assert_eq!(saved.last(), Some(&text(60)), "what lies behind it");
    assert!(saved.is_sorted(), "in order");
    let aside = store.read(meta::aside).unwrap().unwrap();
    assert!(!aside.is_whole, "and the person is told that some are lost");
    assert_eq!(aside.commands as usize, saved.len());
}

#[test]
fn a_crash_between_setting_aside_and_beginning_anew_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let store = Store::open(&path, ME).unwrap();
    push(&store, 1, "first");
    drop(store);
    set_aside(&path, NOW).unwrap();
    assert!(!path.exists(), "the program ends here");
    let store = Store::open(&path, ME).unwrap();
    assert_eq!(texts(&store), ["first"]);
    let aside = store.read(meta::aside).unwrap().unwrap();
    assert_eq!(aside.commands, 1, "and the person is told");
}

#[test]
fn a_command_that_was_answered_meanwhile_keeps_its_id_so_that_nothing_is_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let store = Store::open(&path, ME).unwrap();
    push(&store, 1, "first");
    push(&store, 2, "second");
    assert!(store.copy_spare().unwrap() > 0, "both are copied");
    store
        .write(|db| outbox::remove(db, CommandId(Uuid::from_u128(1))))
        .unwrap();
    drop(store);
    overwrite(&path, 0, 4_096);
    let store = Store::shut(&path, ME);
    store.reopen(NOW, false).unwrap();
    let ids: Vec<u128> = store
        .read(outbox::all)
        .unwrap()
        .iter()
        .map(|entry| entry.id.0.as_u128())
        .collect();
    assert_eq!(ids, [1, 2], "the server answers the first as it did before");
}

#[test]
fn a_damaged_file_of_an_older_version_gives_its_drafts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let store = Store::open(&path, ME).unwrap();
    store
        .write(|db| drafts::put(db, TOPIC, "half a sen", None))
        .unwrap();
    drop(store);
    let file = Connection::open(&path).unwrap();
    file.execute_batch(
        "DROP TABLE edits; ALTER TABLE drafts DROP COLUMN log; ALTER TABLE drafts DROP COLUMN name;
         ALTER TABLE outbox DROP COLUMN awaits; ALTER TABLE outbox DROP COLUMN first_text; PRAGMA user_version = 3",
    )
    .unwrap();
    drop(file);
    for broken in [pages(&path, "rows"), pages(&path, "rows_by_id")] {
        overwrite(&path, broken[0], 4_096);
    }
    let store = Store::shut(&path, ME);
    store.reopen(NOW, false).unwrap();
    let aside = store.read(meta::aside).unwrap().unwrap();
    assert!(aside.is_whole, "what the person wrote could be read");
    let draft = store.read(|db| drafts::one(db, TOPIC)).unwrap();
    assert_eq!(draft.unwrap().0, "half a sen");
}

#[test]
fn who_signed_out_stays_so_in_a_store_that_is_begun_anew_and_who_signed_in_again_too() {
    let left = |token| Some(meta::Left::with(token));
    // The file says it, and the copy beside it something older; or the copy alone.
    for at in [None, Some(0)] {
        for (before, now) in [
            (None, left(Some("that of then"))),
            (None, left(None)),
            (left(Some("that of then")), None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.sqlite");
            let store = Store::open(&path, ME).unwrap();
            for (left, is_copied) in [(&before, true), (&now, at.is_some())] {
                store.write(|db| meta::set_left(db, left.as_ref())).unwrap();
                if is_copied {
                    store.copy_spare().unwrap();
                }
            }
            store.checkpoint().unwrap();
            drop(store);
            let store = if let Some(from) = at {
                overwrite(&path, from, 4_096);
                let store = Store::shut(&path, ME);
                store.reopen(NOW, false).unwrap();
                store
            } else {
                let store = Store::open(&path, ME).unwrap();
                store.mend(NOW).unwrap();
                store
            };
            assert!(store.read(meta::aside).unwrap().is_some(), "it is anew");
            assert_eq!(store.read(meta::left).unwrap(), now, "{at:?}");
        }
    }
}

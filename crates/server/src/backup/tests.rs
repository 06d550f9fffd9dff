mod kinds;
mod private;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::Connection;

use super::*;
use crate::{
    Config, place,
    store::{Nowhere, Store, engine},
};

const NOW: Millis = 1_795_000_000_000;
const DAY: Millis = 24 * 60 * 60 * 1_000;

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A server with some rows; its store stays open.
    fn server(&self, name: &str) -> Arc<dyn Store> {
        let folder = self.at(name);
        let store = place::open(&folder, Arc::new(Nowhere)).unwrap();
        let mut db = Connection::open(folder.join(engine::FILE)).unwrap();
        let db = db.transaction().unwrap();
        for number in 0..2_000_u32 {
            db.execute(
                "INSERT INTO answer (account, command, at, body) VALUES (x'00', ?1, 0, ?2)",
                (number.to_be_bytes(), format!("answer {number}")),
            )
            .unwrap();
        }
        db.commit().unwrap();
        fs::write(folder.join("server.key"), "the key").unwrap();
        store
    }

    fn source(&self, name: &str) -> Source {
        self.source_at(name, NOW)
    }

    fn source_at(&self, name: &str, now: Millis) -> Source {
        Source {
            folder: self.at(name),
            settings: Config {
                data: self.at(name),
                name: "土楼".into(),
                ..Config::default()
            },
            now,
        }
    }

    fn backup(&self) -> PathBuf {
        let store = self.server("server");
        let path = self.at("one.tulou-backup");
        make(&self.source("server"), &path).unwrap();
        drop(store);
        path
    }
}

fn answers(folder: &Path) -> i64 {
    let db = Connection::open(folder.join(engine::FILE)).unwrap();
    db.query_row("SELECT count(*) FROM answer", [], |row| row.get(0))
        .unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        // SQLite removes these when the last reader is gone.
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_backup_is_made_while_the_server_works_and_holds_everything() {
    let bench = Bench::new();
    let store = bench.server("server");
    let path = bench.at("backups/one.tulou-backup");
    let manifest = make(&bench.source("server"), &path).unwrap();
    assert_eq!(manifest.server, store.identity().server);
    assert_eq!(manifest.server_name, "土楼");
    let packed: Vec<&str> = manifest.files.iter().map(|file| &*file.name).collect();
    assert_eq!(
        packed,
        ["tulou.sqlite", "server.key", "settings.toml"],
        "the store, the key and the settings"
    );
    assert_eq!(
        names(path.parent().unwrap()),
        ["one.tulou-backup"],
        "nothing is left beside it"
    );
    assert_eq!(
        open(&path).unwrap().manifest(),
        &manifest,
        "it says of itself what was written"
    );
    assert!(
        matches!(
            make(&bench.source("server"), &path),
            Err(BackupError::Exists(_))
        ),
        "a file that is there is not replaced"
    );
    assert!(
        matches!(
            make(&bench.source("nowhere"), &bench.at("two")),
            Err(BackupError::NoServer(_))
        ),
        "a folder without a store is not one to back up"
    );
}

#[tokio::test]
async fn a_restored_server_has_its_id_and_key_and_another_epoch() {
    let bench = Bench::new();
    let store = bench.server("server");
    let was = store.identity();
    let path = bench.at("one.tulou-backup");
    make(&bench.source("server"), &path).unwrap();
    let there = bench.at("another computer");
    let restored = open(&path).unwrap().restore(&there, NOW).unwrap();
    assert_eq!(restored.set_aside, None, "nothing was there");
    assert_eq!(answers(&there), 2_000, "everything is there");
    assert_eq!(
        fs::read_to_string(there.join("server.key")).unwrap(),
        "the key"
    );
    let is = place::open(&there, Arc::new(Nowhere)).unwrap().identity();
    assert_eq!(is.server, was.server, "clients know it by its id");
    assert_ne!(is.epoch, was.epoch, "and see that its history was set back");
    assert_eq!(is.epoch, restored.epoch);
    let settings = fs::read_to_string(there.join("settings-of-backup.toml")).unwrap();
    assert!(settings.contains("name = \"土楼\""), "{settings}");
    assert!(
        !settings.contains("listen"),
        "it may live elsewhere: {settings}"
    );
}

#[tokio::test]
async fn restoring_sets_the_store_that_is_there_aside() {
    let bench = Bench::new();
    let path = bench.backup();
    let other = bench.server("other");
    let was = other.identity();
    fs::write(bench.at("other/another.pem"), "another").unwrap();
    other.close().await.unwrap();
    drop(other);
    let restored = open(&path)
        .unwrap()
        .restore(&bench.at("other"), NOW)
        .unwrap();
    let aside = restored.set_aside.unwrap();
    assert!(
        aside.starts_with(bench.at("other")),
        "it stays where it was: {aside:?}"
    );
    assert_eq!(
        fs::read_to_string(aside.join("another.pem")).unwrap(),
        "another"
    );
    assert!(
        !bench.at("other/another.pem").exists(),
        "another server's key does not stay"
    );
    let old = place::open(&aside, Arc::new(Nowhere)).unwrap();
    assert_eq!(old.identity(), was, "the old store is as it was");
}

#[tokio::test]
async fn a_folder_in_which_a_server_works_is_not_restored_into() {
    let bench = Bench::new();
    let path = bench.backup();
    let working = bench.server("other");
    let refused = open(&path).unwrap().restore(&bench.at("other"), NOW);
    assert_eq!(refused.unwrap_err().code(), "in_use");
    let before = working.identity();
    drop(working);
    let after = place::open(&bench.at("other"), Arc::new(Nowhere))
        .unwrap()
        .identity();
    assert_eq!(after, before, "nothing was touched");
}

#[test]
fn why_a_backup_cannot_be_made_or_read_has_a_code_of_its_own() {
    let file = |kind: io::ErrorKind| BackupError::file(Path::new("x"))(kind.into());
    for (error, code) in [
        (StoreError::Before { found: 1 }.into(), "backup_before"),
        (StoreError::Unwritable.into(), "backup_no_room"),
        (file(io::ErrorKind::StorageFull), "backup_no_room"),
        (file(io::ErrorKind::PermissionDenied), "no_rights"),
        (file(io::ErrorKind::UnexpectedEof), "storage"),
    ] {
        let error: BackupError = error;
        assert_eq!(error.code(), code, "{error}");
    }
}

#[tokio::test]
async fn a_damaged_backup_is_refused_and_nothing_is_touched() {
    let bench = Bench::new();
    let path = bench.backup();
    let whole = fs::read(&path).unwrap();
    let store = bench.server("other");
    store.close().await.unwrap();
    drop(store);
    let before = names(&bench.at("other"));
    let mut refused = 0;
    let damaged = bench.at("damaged.tulou-backup");
    let mut try_it = |bytes: &[u8], what: &str| {
        fs::write(&damaged, bytes).unwrap();
        let tried = open(&damaged).and_then(|opened| {
            assert!(opened.verify().is_err(), "{what} does not pass");
            opened.restore(&bench.at("other"), NOW)
        });
        let code = tried.expect_err(what).code();
        assert!(
            matches!(code, "backup_damaged" | "not_a_backup"),
            "{what}: {code}"
        );
        assert_eq!(
            names(&bench.at("other")),
            before,
            "{what} changed something"
        );
        refused += 1;
    };
    for part in [0, 1, 4, 5, 50, 90, 99] {
        try_it(
            &whole[..whole.len() * part / 100],
            &format!("{part} % of it"),
        );
    }
    try_it(&whole[..whole.len() - 1], "all but a byte");
    for part in [0, 5, 20, 50, 80, 95] {
        let mut changed = whole.clone();
        changed[whole.len() * part / 100] ^= 0x10;
        try_it(&changed, &format!("a bit at {part} %"));
    }
    try_it(b"just a text", "a text");
    assert_eq!(refused, 15, "all were tried");
}

#[tokio::test]
async fn a_newer_backup_is_refused_with_the_version_that_wrote_it() {
    let bench = Bench::new();
    for (name, change) in [
        (
            "format",
            r#"{"product": "tulou backup", "format": 9, "program": "9.0.0", "shape": {}}"#,
        ),
        (
            "schema",
            r#"{"product": "tulou backup", "format": 1, "program": "9.0.0", "made_at": 0,
               "server": "AZigAAAAcACAAAAAAAAAAA", "server_name": "x", "accounts": 0, "communities": 0,
               "epoch": "AZigAAAAcACAAAAAAAAAAQ", "schema": 1000, "files": []}"#,
        ),
    ] {
        let path = bench.at(name);
        let packer = zstd::Encoder::new(fs::File::create(&path).unwrap(), 1).unwrap();
        let mut archive = tar::Builder::new(packer);
        let mut header = tar::Header::new_gnu();
        header.set_size(change.len() as u64);
        archive
            .append_data(&mut header, MANIFEST, change.as_bytes())
            .unwrap();
        archive.into_inner().unwrap().finish().unwrap();
        match open(&path) {
            Err(BackupError::Newer { program }) => assert_eq!(program, "9.0.0", "{name}"),
            other => panic!("a newer {name} is refused, not {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_restore_that_was_cut_off_happens_whole_or_not_at_all() {
    let bench = Bench::new();
    let path = bench.backup();
    let id = open(&path).unwrap().manifest().server;
    let reopen = |name: &str| {
        place::open(&bench.at(name), Arc::new(Nowhere))
            .unwrap()
            .identity()
    };

    // Cut off before it was decided: what was there goes on.
    let was = bench.server("before");
    let before = was.identity();
    was.close().await.unwrap();
    let unpacked = swap::begin(&bench.at("before")).unwrap();
    fs::write(unpacked.join(engine::FILE), "half of it").unwrap();
    assert_eq!(reopen("before"), before, "nothing had happened");

    // Cut off after it was decided, with the old store half moved: the next start finishes it.
    bench.server("after").close().await.unwrap();
    let there = bench.at("after");
    open(&path)
        .unwrap()
        .restore(&bench.at("spare"), NOW)
        .unwrap();
    // What is unpacked has no lock of its own.
    fs::remove_file(bench.at("spare").join(crate::store::LOCK_FILE)).unwrap();
    fs::rename(bench.at("spare"), there.join(".restoring")).unwrap();
    swap::decide(&there, "before-restore").unwrap();
    fs::create_dir(there.join("before-restore")).unwrap();
    fs::rename(
        there.join(engine::FILE),
        there.join("before-restore").join(engine::FILE),
    )
    .unwrap();
    assert_eq!(reopen("after").server, id, "the backup is in its place");
    assert!(there.join("before-restore").join(engine::FILE).exists());
    assert!(!there.join(".restored").exists(), "nothing is left to do");
}

/// Says when a folder was changed last.
fn modified(folder: &Path, then: std::time::SystemTime) {
    let mut options = fs::OpenOptions::new();
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;
        // To write its attributes, and as a folder.
        options.access_mode(0x100).custom_flags(0x0200_0000);
    }
    #[cfg(not(windows))]
    options.read(true);
    let folder = options.open(folder).unwrap();
    folder.set_modified(then).unwrap();
}

#[tokio::test]
async fn seven_daily_backups_are_kept_and_those_asked_for_stay() {
    let bench = Bench::new();
    let store = bench.server("server");
    let shelf = Shelf::in_folder(bench.at("backups"));
    assert_eq!(shelf.list().unwrap(), [], "none was made");
    for (name, days) in [(".tulou-left", 2), (".tulou-being-made", 0)] {
        let left = bench.at("backups").join(name);
        fs::create_dir_all(&left).unwrap();
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400);
        modified(&left, then);
    }
    shelf.add(&bench.source("server"), Kind::Manual, 7).unwrap();
    for day in 1..=9 {
        let source = bench.source_at("server", NOW + day * DAY);
        shelf.add(&source, Kind::Daily, 7).unwrap();
    }
    drop(store);
    let kept = shelf.list().unwrap();
    let daily: Vec<Millis> = kept
        .iter()
        .filter(|kept| kept.kind == Kind::Daily)
        .map(|kept| (kept.made_at - NOW) / DAY)
        .collect();
    assert_eq!(daily, [9, 8, 7, 6, 5, 4, 3], "the newest seven");
    assert_eq!(
        kept.last().unwrap().kind,
        Kind::Manual,
        "a person asked for it"
    );
    assert_eq!(
        shelf.last_daily(NOW + 9 * DAY).unwrap(),
        Some(NOW + 9 * DAY)
    );
    let is_there = |name: &str| bench.at("backups").join(name).exists();
    assert!(!is_there(".tulou-left"), "what a crash left is gone");
    assert!(is_there(".tulou-being-made"), "another's work stays");
}

#[test]
fn a_daily_backup_waits_for_a_quiet_moment_but_not_for_ever() {
    const MINUTE: Millis = 60 * 1_000;
    assert!(
        !is_due(Some(NOW), NOW + DAY - 1, DAY),
        "a day has not passed"
    );
    assert!(
        !is_due(Some(NOW), NOW + DAY, MINUTE - 1),
        "somebody is writing"
    );
    assert!(is_due(Some(NOW), NOW + DAY, MINUTE), "it is quiet");
    assert!(
        is_due(Some(NOW), NOW + DAY + 120 * MINUTE, 0),
        "it is never quiet"
    );
    assert!(
        is_due(Some(NOW), NOW + 9 * DAY, MINUTE),
        "the computer was off when it was due"
    );
    assert!(
        is_due(None, NOW, MINUTE) && !is_due(None, NOW, 0),
        "the first one"
    );
}

#[test]
fn a_backup_of_a_time_to_come_neither_counts_nor_takes_anothers_place() {
    let bench = Bench::new();
    let store = bench.server("server");
    let shelf = Shelf::in_folder(bench.at("backups"));
    let add = |days: i64| {
        let source = bench.source_at("server", NOW + days * DAY);
        shelf.add(&source, Kind::Daily, 2).unwrap();
    };
    add(400);
    add(1);
    add(2);
    drop(store);
    let now = NOW + 2 * DAY + 1;
    assert_eq!(shelf.last_daily(now).unwrap(), Some(NOW + 2 * DAY));
    let days: Vec<Millis> = shelf
        .list()
        .unwrap()
        .iter()
        .map(|kept| (kept.made_at - NOW) / DAY)
        .collect();
    assert_eq!(days, [400, 2, 1], "those of the right clock stay");
}

#[tokio::test]
async fn a_damaged_store_is_not_backed_up() {
    let bench = Bench::new();
    drop(bench.server("server"));
    let store = bench.at("server").join(engine::FILE);
    let db = Connection::open(&store).unwrap();
    db.pragma_update(None, "wal_checkpoint", "truncate")
        .unwrap();
    drop(db);
    let mut bytes = fs::read(&store).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8_192].fill(0x5a);
    fs::write(&store, bytes).unwrap();
    let path = bench.at("one.tulou-backup");
    let refused = make(&bench.source("server"), &path);
    assert!(
        matches!(refused, Err(BackupError::DamagedStore)),
        "it says what is damaged: {refused:?}"
    );
    assert!(!path.exists(), "there is no file that looks like one");
}

#[tokio::test]
async fn two_backups_of_the_same_second_are_two_files() {
    let bench = Bench::new();
    let _store = bench.server("server");
    let shelf = Shelf::in_folder(bench.at("backups"));
    for _ in 0..2 {
        shelf.add(&bench.source("server"), Kind::Manual, 7).unwrap();
    }
    assert_eq!(shelf.list().unwrap().len(), 2);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_closed_store_has_let_go_of_its_files() {
    let bench = Bench::new();
    let store = bench.server("server");
    let open = || -> Vec<PathBuf> {
        fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .filter(|path| path.starts_with(bench.at("server")))
            .collect()
    };
    assert!(!open().is_empty(), "a store at work has its files open");
    store.close().await.unwrap();
    assert_eq!(
        open(),
        Vec::<PathBuf>::new(),
        "a connection to a file that was moved would remove the log of the one in its place"
    );
    let asked = store.has_accounts().await;
    assert!(asked.is_err(), "it answers nothing any more");
}

#[test]
fn a_backup_of_a_wrong_clock_is_none_of_a_right_one_when_that_time_has_come() {
    let bench = Bench::new();
    let store = bench.server("server");
    let shelf = Shelf::in_folder(bench.at("backups"));
    let add = |days: i64| {
        let source = bench.source_at("server", NOW + days * DAY);
        shelf.add(&source, Kind::Daily, 2).unwrap();
    };
    add(400);
    add(401);
    add(1);
    add(399);
    add(400);
    drop(store);
    let now = NOW + 402 * DAY;
    assert_eq!(shelf.last_daily(now).unwrap(), Some(NOW + 400 * DAY));
    let kept = shelf.list().unwrap();
    let days = |kind| -> Vec<Millis> {
        let of_kind = kept.iter().filter(|kept| kept.kind == kind);
        of_kind.map(|kept| (kept.made_at - NOW) / DAY).collect()
    };
    assert_eq!(
        days(Kind::Daily),
        [400, 399],
        "the newest two of the right clock"
    );
    assert_eq!(
        days(Kind::Manual),
        [401, 400],
        "nothing is thrown away unasked"
    );
}

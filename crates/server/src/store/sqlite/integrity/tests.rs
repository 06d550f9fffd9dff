use std::{fs, path::PathBuf};

use tempfile::TempDir;

use super::*;

/// A store with something in it, whose last end was in order.
fn store() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let mut db = open(&file).unwrap();
    schema::migrate(&mut db).unwrap();
    db.execute_batch(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
         INSERT INTO row (log, kind, id, rev, body) SELECT x'01', 'k', i, i, hex(zeroblob(200)) FROM n",
    )
    .unwrap();
    drop(db);
    (folder, file)
}

/// Leaves the log behind, as an end without warning does.
fn leave_log(file: &Path) {
    let db = open(file).unwrap();
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .unwrap();
    db.execute("UPDATE row SET deleted = 1 WHERE id = '7'", [])
        .unwrap();
    drop(db);
    assert!(was_left_open(file), "the log is left behind");
}

/// Spoils the middle of the file.
fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8_192].fill(0xA5);
    fs::write(file, bytes).unwrap();
}

/// The file and its log, byte by byte; an empty log says nothing.
fn bytes(file: &Path) -> (Vec<u8>, Option<Vec<u8>>) {
    let log = PathBuf::from(format!("{}-wal", file.display()));
    let log = fs::read(log).ok().filter(|log| !log.is_empty());
    (fs::read(file).unwrap(), log)
}

#[test]
fn a_store_that_was_left_open_is_checked_and_goes_on_with_its_log() {
    let (_folder, file) = store();
    leave_log(&file);
    let db = open(&file).unwrap();
    let deleted: u32 = db
        .query_row("SELECT count(*) FROM row WHERE deleted", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(deleted, 1, "what stood in the log is there");
}

#[test]
fn after_a_crash_a_damaged_store_is_refused_and_stays_as_it_is() {
    let (folder, file) = store();
    leave_log(&file);
    damage(&file);
    let before = bytes(&file);
    let refused = open(&file).map(|_| ()).unwrap_err();
    let said = refused.to_string();
    assert!(
        matches!(refused, StoreError::Damaged { .. })
            && said.contains("tulou.sqlite")
            && said.contains("tulou-server restore"),
        "it says which file, and what to do: {said}"
    );
    assert!(bytes(&file) == before, "nothing was written to it");
    let checked = check(folder.path()).unwrap_err();
    assert!(
        matches!(checked, StoreError::Damaged { .. }),
        "and the check says so too: {checked}"
    );
}

#[test]
fn a_file_that_is_no_store_is_refused_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    fs::write(&file, vec![7; 20_000]).unwrap();
    let refused = open(&file).map(|_| ()).unwrap_err();
    assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
    assert_eq!(fs::read(&file).unwrap(), vec![7; 20_000]);
}

#[test]
fn a_newer_store_is_refused_with_both_versions_and_stays_as_it_is() {
    let (_folder, file) = store();
    let db = open(&file).unwrap();
    db.pragma_update(None, "user_version", 1_000).unwrap();
    drop(db);
    let before = bytes(&file);
    let refused = open(&file).map(|_| ()).unwrap_err().to_string();
    let known = schema::known().to_string();
    assert!(
        refused.contains("1000") && refused.contains(&known),
        "{refused}"
    );
    assert!(bytes(&file) == before, "nothing was written to it");
}

#[test]
fn a_store_that_a_server_works_in_can_be_checked() {
    let (folder, file) = store();
    let db = open(&file).unwrap();
    db.execute("UPDATE row SET deleted = 1 WHERE id = '9'", [])
        .unwrap();
    check(folder.path()).unwrap();
}

//! The store's file: kept from other programs, opened, brought to this program's schema.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{Connection, config::DbConfig};

use super::{StoreError, schema};

/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 96;
/// What a connection keeps of the file, in KiB: there are six to an account, and the system keeps it as well.
const CACHE_KIB: i64 = 1_024;
/// How long a connection waits for another program (a backup) to let go of the file.
const BUSY: Duration = Duration::from_secs(5);
/// How long opening waits for another program that has the store open: one that is ending needs a moment.
const LOCKED: Duration = Duration::from_secs(3);
/// How long it waits between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A file beside the store: its name with something added.
pub(super) fn beside(path: &Path, added: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(added);
    name.into()
}

/// Keeps other programs from opening the store while the file that is returned is open. Two engines on one store would
/// each believe that what it holds is all there is.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(beside(path, ".lock"))?;
    let deadline = Instant::now() + LOCKED;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(LOOK_AGAIN);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(std::io::Error::from(std::io::ErrorKind::WouldBlock).into());
            }
            // Some file systems of networks know no locks: SQLite's own have to do.
            Err(TryLockError::Error(error)) => {
                tracing::warn!("the store could not be kept from other programs: {error}");
                return Ok(file);
            }
        }
    }
}

/// Opens the file with this program's schema.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = connect(path)?;
    schema::migrate(&mut connection)?;
    schema::look_at_tables(&connection)?;
    Ok(connection)
}

/// A connection to the file.
pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Heard only while there is no table yet, and of a log neither.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// What is committed through a connection has reached the disk.
pub(super) fn sync_whole(connection: &Connection) -> Result<(), StoreError> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    // On macOS a sync reaches the disk's own memory only, unless it is asked for more.
    connection.pragma_update(None, "fullfsync", true)?;
    Ok(())
}

/// Closes connections to a damaged file without moving anything into it.
pub(super) fn leave(connections: impl Iterator<Item = Connection>) {
    for connection in connections {
        if let Err(error) =
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        {
            tracing::debug!("closing a damaged file may write to it: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_person_did_is_asked_to_reach_the_disk() {
        let db = Connection::open_in_memory().unwrap();
        sync_whole(&db).unwrap();
        for (pragma, wanted) in [("synchronous", 2), ("fullfsync", 1)] {
            let found: i64 = db
                .pragma_query_value(None, pragma, |row| row.get(0))
                .unwrap();
            assert_eq!(found, wanted, "{pragma}");
        }
    }
}

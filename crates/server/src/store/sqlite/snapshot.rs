//! A copy of the store as of one moment, for a backup; and a copy that becomes a store of its own.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tulou_protocol::{Epoch, ServerId};
use uuid::Uuid;

use super::{FILE, said, schema};
use crate::store::{Identity, StoreError};

/// The first damage is enough to refuse a copy.
const PROBLEMS: u32 = 1;

/// What is in a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// Whose it is.
    pub identity: Identity,
    /// The version of its tables.
    pub schema: i64,
    /// How many accounts are in it.
    pub accounts: u64,
    /// How many communities are in it.
    pub communities: u64,
}

/// Copies the store in a folder into a new file. A server may be working in the folder, this program's or another's:
/// the copy holds what was committed when it began, and nobody waits for it. False if the store is damaged.
///
/// # Errors
/// If there is no store, it was written by a newer version, or the file cannot be written.
pub fn copy(folder: &Path, to: &Path) -> Result<bool, StoreError> {
    let db = Connection::open_with_flags(
        folder.join(FILE),
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(std::time::Duration::from_secs(10))?;
    match copy_all(&db, to) {
        Err(error) if said(&error).is_some_and(is_damage) => Ok(false),
        Err(error) => Err(error),
        Ok(()) => Ok(true),
    }
}

fn copy_all(db: &Connection, to: &Path) -> Result<(), StoreError> {
    schema::check_version(db)?;
    let to = to.to_str().ok_or_else(|| {
        std::io::Error::other("the path of the copy is no text that the database takes")
    })?;
    db.execute("VACUUM INTO ?1", [to])?;
    Ok(())
}

/// Reads a copy through and says what is in it; none if something in it is damaged or missing.
///
/// # Errors
/// If it was written by a newer version, or the file cannot be read.
pub fn contents(file: &Path) -> Result<Option<Contents>, StoreError> {
    let db = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    match read_through(&db) {
        Err(error) if said(&error).is_some_and(is_damage) => Ok(None),
        other => other,
    }
}

fn read_through(db: &Connection) -> Result<Option<Contents>, StoreError> {
    let schema = schema::check_version(db)?;
    let is_whole: String =
        db.query_row(&format!("PRAGMA integrity_check({PROBLEMS})"), [], |row| {
            row.get(0)
        })?;
    if is_whole != "ok" {
        return Ok(None);
    }
    let identity = db
        .query_row("SELECT id, epoch FROM server WHERE one = 1", [], |row| {
            Ok(Identity {
                server: ServerId::from_bytes(row.get(0)?),
                epoch: Epoch::from_bytes(row.get(1)?),
            })
        })
        .optional()?;
    let Some(identity) = identity else {
        return Ok(None);
    };
    let count = |sql: &str| -> Result<u64, StoreError> {
        let count: i64 = db.query_row(sql, [], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    };
    Ok(Some(Contents {
        identity,
        schema,
        accounts: count("SELECT count(*) FROM account")?,
        communities: count("SELECT count(*) FROM row WHERE kind = 'community' AND deleted = 0")?,
    }))
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, Unknown};
    match error.sqlite_error_code() {
        // `Unknown` is SQLite's general error: a table that has to be there is not.
        Some(code) => matches!(code, DatabaseCorrupt | NotADatabase | Unknown),
        // A value has another shape than it has to have.
        None => true,
    }
}

/// Gives a copy an epoch of its own: what it says from here on is another history than that of the store it came from.
///
/// # Errors
/// If the file cannot be written.
pub fn begin_epoch(file: &Path) -> Result<Epoch, StoreError> {
    let db = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    schema::sync_whole(&db)?;
    let epoch = Epoch(Uuid::now_v7());
    db.execute(
        "UPDATE server SET epoch = ?1 WHERE one = 1",
        [epoch.as_bytes()],
    )?;
    Ok(epoch)
}

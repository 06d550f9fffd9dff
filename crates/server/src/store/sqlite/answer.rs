//! Stored answers: a repeat of a command gets the answer that the first got.

use rusqlite::{Connection, OptionalExtension};
use tulou_protocol::{AccountId, CommandId, id::Millis};

use super::log::number;
use crate::store::StoreError;

const FIND: &str = "SELECT body FROM answer WHERE account = ?1 AND command = ?2";
const PUT: &str = "INSERT INTO answer (account, command, at, body) VALUES (?1, ?2, ?3, ?4)";
const FORGET: &str = "DELETE FROM answer WHERE (account, command) IN
    (SELECT account, command FROM answer WHERE at < ?1 ORDER BY at LIMIT ?2)";
/// Statements whose plan is a test.
#[cfg(test)]
pub const HOT: &[&str] = &[FIND, FORGET];

/// The answer of a command.
pub fn find(
    db: &Connection,
    account: AccountId,
    command: CommandId,
) -> Result<Option<String>, StoreError> {
    Ok(db
        .prepare_cached(FIND)?
        .query_row((account.as_bytes(), command.as_bytes()), |row| row.get(0))
        .optional()?)
}

/// Stores an answer.
pub fn put(
    db: &Connection,
    account: AccountId,
    command: CommandId,
    at: Millis,
    body: &str,
) -> Result<(), StoreError> {
    db.prepare_cached(PUT)?
        .execute((account.as_bytes(), command.as_bytes(), at, body))?;
    Ok(())
}

/// Drops answers from before a time, at most `limit`; how many.
pub fn forget(db: &Connection, before: Millis, limit: usize) -> Result<usize, StoreError> {
    Ok(db
        .prepare_cached(FORGET)?
        .execute((before, number(limit as u64)))?)
}

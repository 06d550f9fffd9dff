//! Codes that set a new password once, and the password itself.

use rusqlite::{Connection, OptionalExtension};
use tulou_protocol::{AccountId, SessionId, id::Millis};

use super::session;
use crate::store::{Account, CodeHash, Sessions, StoreError};

const FIND: &str = "SELECT 1 FROM recovery WHERE account = ?1 AND code = ?2
    AND coalesce(expires_at, ?3) >= ?3";
const COUNT: &str = "SELECT count(*) FROM recovery WHERE account = ?1 AND expires_at IS NULL";
const TAKE: &str = "DELETE FROM recovery WHERE account = ?1 AND code = ?2";
const DROP: &str = "DELETE FROM recovery WHERE account = ?1";
const FORGET: &str = "DELETE FROM recovery WHERE expires_at IS NOT NULL AND expires_at < ?1";
/// Statements whose plan is a test.
#[cfg(test)]
pub const HOT: &[&str] = &[FIND, COUNT, TAKE, DROP, FORGET];

fn put(
    db: &Connection,
    account: AccountId,
    code: CodeHash,
    expires_at: Option<Millis>,
) -> Result<(), StoreError> {
    db.prepare_cached("INSERT INTO recovery (account, code, expires_at) VALUES (?1, ?2, ?3)")?
        .execute((account.as_bytes(), code, expires_at))?;
    Ok(())
}

/// Replaces the codes of an account.
pub fn set(db: &Connection, account: AccountId, codes: &[CodeHash]) -> Result<(), StoreError> {
    drop_all(db, account)?;
    for code in codes {
        put(db, account, *code, None)?;
    }
    Ok(())
}

/// The codes of an account go.
pub fn drop_all(db: &Connection, account: AccountId) -> Result<(), StoreError> {
    db.prepare_cached(DROP)?.execute([account.as_bytes()])?;
    Ok(())
}

/// Whether a code is of use.
pub fn has(
    db: &Connection,
    account: AccountId,
    code: CodeHash,
    now: Millis,
) -> Result<bool, StoreError> {
    let found = db
        .prepare_cached(FIND)?
        .query_row((account.as_bytes(), code, now), |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// How many recovery codes an account has left.
pub fn count(db: &Connection, account: AccountId) -> Result<u32, StoreError> {
    Ok(db
        .prepare_cached(COUNT)?
        .query_row([account.as_bytes()], |row| row.get(0))?)
}

fn set_password(db: &Connection, account: AccountId, password: &str) -> Result<bool, StoreError> {
    let set = db
        .prepare_cached("UPDATE account SET password = ?2 WHERE id = ?1 AND deletion = 0")?
        .execute((account.as_bytes(), password))?;
    Ok(set > 0)
}

/// Sets another password if it is still the one that was confirmed; the sessions that ended.
pub fn change_password(
    db: &Connection,
    confirmed: &Account,
    password: &str,
    keep: SessionId,
) -> Result<Option<Vec<SessionId>>, StoreError> {
    let changed = db
        .prepare_cached(
            "UPDATE account SET password = ?3 WHERE id = ?1 AND password = ?2 AND deletion = 0",
        )?
        .execute((confirmed.id.as_bytes(), &confirmed.password, password))?;
    if changed == 0 {
        return Ok(None);
    }
    session::end_some(db, confirmed.id, Sessions::AllBut(keep)).map(Some)
}

/// Uses a code up and sets the password; the sessions that ended.
pub fn take(
    db: &Connection,
    account: AccountId,
    code: CodeHash,
    password: &str,
    now: Millis,
) -> Result<Option<Vec<SessionId>>, StoreError> {
    if !has(db, account, code, now)? || !set_password(db, account, password)? {
        return Ok(None);
    }
    db.prepare_cached(TAKE)?
        .execute((account.as_bytes(), code))?;
    session::end_all(db, account).map(Some)
}

/// Sets an account back to one code; the sessions that ended.
pub fn reset(
    db: &Connection,
    account: AccountId,
    code: CodeHash,
    expires_at: Millis,
) -> Result<Option<Vec<SessionId>>, StoreError> {
    if !set_password(db, account, "")? {
        return Ok(None);
    }
    drop_all(db, account)?;
    put(db, account, code, Some(expires_at))?;
    session::end_all(db, account).map(Some)
}

/// Drops codes that have expired.
pub fn forget(db: &Connection, now: Millis) -> Result<(), StoreError> {
    db.prepare_cached(FORGET)?.execute([now])?;
    Ok(())
}

//! Invite links.

use rusqlite::{Connection, OptionalExtension};
use tulou_protocol::{AccountId, CommunityId, id::Millis, limits, question::Invite};

use super::log::counter;
use crate::store::StoreError;

const LIST: &str = "SELECT code, expires_at, max_uses, uses, made_by, created_at FROM invite
    WHERE community = ?1 ORDER BY created_at DESC";
const FIND: &str = "SELECT community FROM invite WHERE code = ?1
    AND (expires_at IS NULL OR expires_at > ?2) AND (max_uses IS NULL OR uses < max_uses)";
const COUNT: &str = "SELECT count(*) FROM invite WHERE community = ?1";
const CREATE: &str =
    "INSERT INTO invite (community, code, expires_at, max_uses, uses, made_by, created_at)
    VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)";
const USE: &str = "UPDATE invite SET uses = uses + 1 WHERE community = ?1 AND code = ?2
    AND (expires_at IS NULL OR expires_at > ?3) AND (max_uses IS NULL OR uses < max_uses)";
const REVOKE: &str = "DELETE FROM invite WHERE community = ?1 AND code = ?2";

/// The links of a community, newest first.
pub fn list(db: &Connection, community: CommunityId) -> Result<Vec<Invite>, StoreError> {
    let found: Result<Vec<_>, _> = db
        .prepare_cached(LIST)?
        .query_map([community.as_bytes()], |row| {
            Ok(Invite {
                code: row.get(0)?,
                expires_at: row.get(1)?,
                max_uses: row.get(2)?,
                uses: row.get(3)?,
                by: AccountId::from_bytes(row.get(4)?),
                created_at: row.get(5)?,
            })
        })?
        .collect();
    Ok(found?)
}

/// Where a link leads that may be used.
pub fn find(db: &Connection, code: &str, now: Millis) -> Result<Option<CommunityId>, StoreError> {
    Ok(db
        .prepare_cached(FIND)?
        .query_row((code, now), |row| row.get(0).map(CommunityId::from_bytes))
        .optional()?)
}

/// Makes a link unless there are too many.
pub fn create(db: &Connection, community: CommunityId, made: &Invite) -> Result<bool, StoreError> {
    let count = db
        .prepare_cached(COUNT)?
        .query_row([community.as_bytes()], |row| counter(row, 0))?;
    if count >= limits::INVITES as u64 {
        return Ok(false);
    }
    db.prepare_cached(CREATE)?.execute((
        community.as_bytes(),
        &made.code,
        made.expires_at,
        made.max_uses,
        made.by.as_bytes(),
        made.created_at,
    ))?;
    Ok(true)
}

/// Uses a link; false if it may not be used.
pub fn take(
    db: &Connection,
    community: CommunityId,
    code: &str,
    now: Millis,
) -> Result<bool, StoreError> {
    let used = db
        .prepare_cached(USE)?
        .execute((community.as_bytes(), code, now))?;
    Ok(used > 0)
}

/// Ends a link.
pub fn revoke(db: &Connection, community: CommunityId, code: &str) -> Result<bool, StoreError> {
    let ended = db
        .prepare_cached(REVOKE)?
        .execute((community.as_bytes(), code))?;
    Ok(ended > 0)
}

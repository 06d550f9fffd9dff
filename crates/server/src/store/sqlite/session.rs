//! Sessions: where accounts are signed in.

use rusqlite::{Connection, OptionalExtension, Params};
use tulou_protocol::{AccountId, Rev, SessionId, id::Millis, limits};

use super::{account, log::number};
use crate::store::{KeptSession, NewSession, Seen, Sessions, SignedInAs, StoreError, TokenHash};

const BY_TOKEN: &str = "SELECT id, account FROM session WHERE token = ?1 AND seen_at >= ?2";
const OF_ACCOUNT: &str = "SELECT id, device, address, created_at, seen_at FROM session
    INDEXED BY session_account WHERE account = ?1";
const KEPT: &str = "SELECT 1 FROM session WHERE id = ?1";
const SEEN: &str = "UPDATE session SET seen_at = max(seen_at, ?2),
    address = CASE WHEN ?3 = '' THEN address ELSE ?3 END WHERE id = ?1";
const END_ONE: &str = "DELETE FROM session WHERE id = ?1 AND account = ?2 RETURNING id";
const END_OTHERS: &str = "DELETE FROM session WHERE account = ?2 AND id <> ?1 RETURNING id";
const BOUND: &str =
    "DELETE FROM session WHERE token IN (SELECT token FROM session INDEXED BY session_account
    WHERE account = ?1 ORDER BY seen_at DESC, created_at DESC LIMIT -1 OFFSET ?2) RETURNING id";
const FORGET: &str = "DELETE FROM session WHERE seen_at < ?1 RETURNING id";
/// Statements whose plan is a test.
#[cfg(test)]
pub const HOT: &[&str] = &[
    BY_TOKEN, OF_ACCOUNT, KEPT, SEEN, END_ONE, END_OTHERS, FORGET,
];

/// Makes a session, and ends those that are too many then: which they were. None if the password is not the account's any
/// more.
pub fn create(db: &Connection, new: &NewSession) -> Result<Option<Vec<SessionId>>, StoreError> {
    let made = db
        .prepare_cached(
            "INSERT INTO session (token, id, account, created_at, device, address, seen_at)
            SELECT ?1, ?2, id, ?4, ?5, ?6, ?4 FROM account WHERE id = ?3 AND password = ?7 AND password <> '' AND deletion = 0",
        )?
        .execute((
            new.token,
            new.session.as_bytes(),
            new.account.as_bytes(),
            new.now,
            &new.device,
            &new.address,
            &new.password,
        ))?;
    if made == 0 {
        return Ok(None);
    }
    let most = number(limits::SESSIONS as u64);
    ended(db, BOUND, (new.account.as_bytes(), most)).map(Some)
}

/// The session with a token, unless it was last connected before a time.
pub fn find(
    db: &Connection,
    token: TokenHash,
    not_before: Millis,
) -> Result<Option<SignedInAs>, StoreError> {
    let found: Option<(SessionId, AccountId)> = db
        .prepare_cached(BY_TOKEN)?
        .query_row((token, not_before), |row| {
            Ok((
                SessionId::from_bytes(row.get(0)?),
                AccountId::from_bytes(row.get(1)?),
            ))
        })
        .optional()?;
    let Some((session, account)) = found else {
        return Ok(None);
    };
    Ok(Some(SignedInAs {
        session,
        account,
        profile_rev: account::profile(db, account)?.map_or(Rev::ZERO, |(_, rev)| rev),
        communities: account::memberships(db, account)?,
    }))
}

/// The sessions of an account, the last seen first.
pub fn list(db: &Connection, account: AccountId) -> Result<Vec<KeptSession>, StoreError> {
    let found: Result<Vec<_>, _> = db
        .prepare_cached(OF_ACCOUNT)?
        .query_map([account.as_bytes()], |row| {
            Ok(KeptSession {
                session: SessionId::from_bytes(row.get(0)?),
                device: row.get(1)?,
                address: row.get(2)?,
                created_at: row.get(3)?,
                seen_at: row.get(4)?,
            })
        })?
        .collect();
    let mut found = found?;
    found.sort_unstable_by_key(|kept| std::cmp::Reverse((kept.seen_at, kept.session)));
    Ok(found)
}

/// Which of these sessions are not there.
pub fn gone(db: &Connection, sessions: Vec<SessionId>) -> Result<Vec<SessionId>, StoreError> {
    let mut kept = db.prepare_cached(KEPT)?;
    let mut gone = Vec::new();
    for session in sessions {
        if !kept.exists([session.as_bytes()])? {
            gone.push(session);
        }
    }
    Ok(gone)
}

/// Notes that sessions were connected.
pub fn see(db: &Connection, seen: &[Seen]) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(SEEN)?;
    for Seen {
        session,
        address,
        at,
    } in seen
    {
        statement.execute((session.as_bytes(), at, address))?;
    }
    Ok(())
}

/// Ends the session with a token.
pub fn end(db: &Connection, token: TokenHash) -> Result<Option<SessionId>, StoreError> {
    Ok(db
        .prepare_cached("DELETE FROM session WHERE token = ?1 RETURNING id")?
        .query_row([token], |row| row.get(0).map(SessionId::from_bytes))
        .optional()?)
}

/// Ends sessions of an account.
pub fn end_some(
    db: &Connection,
    account: AccountId,
    which: Sessions,
) -> Result<Vec<SessionId>, StoreError> {
    let (sql, session) = match which {
        Sessions::Only(session) => (END_ONE, session),
        Sessions::AllBut(session) => (END_OTHERS, session),
    };
    ended(db, sql, (session.as_bytes(), account.as_bytes()))
}

/// Deletes sessions; which they were.
fn ended(db: &Connection, sql: &str, params: impl Params) -> Result<Vec<SessionId>, StoreError> {
    let ended: Result<Vec<_>, _> = db
        .prepare_cached(sql)?
        .query_map(params, |row| row.get(0).map(SessionId::from_bytes))?
        .collect();
    Ok(ended?)
}

/// Ends all sessions of an account.
pub fn end_all(db: &Connection, account: AccountId) -> Result<Vec<SessionId>, StoreError> {
    end_some(db, account, Sessions::AllBut(SessionId(uuid::Uuid::nil())))
}

/// Drops sessions that were last connected before a time; which they were.
pub fn forget(db: &Connection, before: Millis) -> Result<Vec<SessionId>, StoreError> {
    ended(db, FORGET, [before])
}

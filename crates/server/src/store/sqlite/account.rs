//! Accounts, their profiles and sessions.

use rusqlite::{Connection, OptionalExtension};
use tulou_protocol::{
    AccountId, CommunityId, Log, Rev, Row, SessionId,
    id::Millis,
    row::{Body, Profile},
};

use super::{
    log::{self, number},
    row,
};
use crate::store::{Account, NewAccount, SignedInAs, StoreError, TokenHash};

/// Whether there is an account.
pub fn any(db: &Connection) -> Result<bool, StoreError> {
    Ok(
        db.query_row("SELECT EXISTS (SELECT 1 FROM account)", [], |row| {
            row.get(0)
        })?,
    )
}

/// Makes an account with its profile. The first is the server's administrator.
pub fn create(db: &Connection, new: &NewAccount) -> Result<Option<AccountId>, StoreError> {
    let is_first = !any(db)?;
    if new.only_as_first && !is_first {
        return Ok(None);
    }
    let made = db
        .prepare_cached(
            "INSERT INTO account (id, name, password, created_at) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO NOTHING",
        )?
        .execute((new.id.as_bytes(), &new.name, &new.password, new.now))?;
    if made == 0 {
        return Ok(None);
    }
    let profile: Body = Profile {
        account_name: new.name.clone(),
        display_name: new.display_name.clone(),
        introduction: String::new(),
        server_admin: is_first,
        more: Default::default(),
    }
    .into();
    let own = Log::Account(new.id);
    row::put(db, own, &new.id.to_string(), Rev(1), &profile)?;
    db.prepare_cached("INSERT INTO log (id, kind, rev, moved_at) VALUES (?1, ?2, ?3, ?4)")?
        .execute((new.id.as_bytes(), log::kind(own), number(1), new.now))?;
    Ok(Some(new.id))
}

/// The account with a name.
pub fn find(db: &Connection, name: &str) -> Result<Option<Account>, StoreError> {
    Ok(db
        .prepare_cached("SELECT id, password FROM account WHERE name = ?1")?
        .query_row([name], |row| {
            Ok(Account {
                id: AccountId::from_bytes(row.get(0)?),
                password: row.get(1)?,
            })
        })
        .optional()?)
}

/// The profile of an account.
pub fn profile(db: &Connection, account: AccountId) -> Result<Option<(Profile, Rev)>, StoreError> {
    row::find(db, Log::Account(account), "profile", &account.to_string())
}

/// Profiles as rows.
pub fn profiles(db: &Connection, accounts: &[AccountId]) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    for account in accounts {
        if let Some((profile, rev)) = profile(db, *account)? {
            rows.push(Row {
                id: account.to_string(),
                rev,
                body: profile.into(),
            });
        }
    }
    Ok(rows)
}

/// Makes a session.
pub fn create_session(
    db: &Connection,
    account: AccountId,
    session: SessionId,
    token: TokenHash,
    now: Millis,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO session (token, id, account, created_at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute((token, session.as_bytes(), account.as_bytes(), now))?;
    Ok(())
}

/// The session with a token.
pub fn session(db: &Connection, token: TokenHash) -> Result<Option<SignedInAs>, StoreError> {
    let found: Option<(SessionId, AccountId)> = db
        .prepare_cached("SELECT id, account FROM session WHERE token = ?1")?
        .query_row([token], |row| {
            Ok((
                SessionId::from_bytes(row.get(0)?),
                AccountId::from_bytes(row.get(1)?),
            ))
        })
        .optional()?;
    let Some((session, account)) = found else {
        return Ok(None);
    };
    let communities: Result<Vec<_>, _> = db
        .prepare_cached("SELECT community FROM member WHERE account = ?1 AND has_left = 0")?
        .query_map([account.as_bytes()], |row| {
            row.get(0).map(CommunityId::from_bytes)
        })?
        .collect();
    Ok(Some(SignedInAs {
        session,
        account,
        profile_rev: profile(db, account)?.map_or(Rev::ZERO, |(_, rev)| rev),
        communities: communities?,
    }))
}

/// Ends a session.
pub fn end_session(db: &Connection, token: TokenHash) -> Result<Option<SessionId>, StoreError> {
    Ok(db
        .prepare_cached("DELETE FROM session WHERE token = ?1 RETURNING id")?
        .query_row([token], |row| row.get(0).map(SessionId::from_bytes))
        .optional()?)
}

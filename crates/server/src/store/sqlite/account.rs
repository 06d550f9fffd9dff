//! Accounts and their profiles.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow};
use tulou_protocol::{
    AccountId, Code, CommunityId, Log, Rev, Row,
    authors::FIRST,
    http::{ListedAccount, OwnedCommunity},
    row::{Body, Profile},
};

use super::{
    log::{self, number},
    member::name_key,
    row,
};
use crate::store::{Account, NewAccount, StoreError};

const BY_NAME: &str = "SELECT id, name, password FROM account WHERE name = ?1";
const BY_ID: &str = "SELECT id, name, password FROM account WHERE id = ?1 AND deletion = 0";
const LIST: &str =
    "SELECT id, name, created_at, (SELECT max(seen_at) FROM session WHERE account = account.id)
    FROM account WHERE name > ?1 AND deletion = 0
    AND (substr(name, 1, length(?2)) = ?2 OR instr(name_key, ?2) > 0) ORDER BY name LIMIT ?3";
const MEMBERSHIPS: &str = "SELECT community FROM member WHERE account = ?1 AND has_left = 0";
const OWNED: &str = "SELECT m.community, json_extract(r.body, '$.name') FROM member m
    JOIN row r ON r.log = m.community AND r.kind = 'community' AND r.deleted = 0
    WHERE m.account = ?1 AND m.has_left = 0 AND json_extract(r.body, '$.owner') = ?2";
/// Statements whose plan is a test.
#[cfg(test)]
pub const HOT: &[&str] = &[BY_NAME, BY_ID, MEMBERSHIPS, OWNED];

/// Whether there is an account.
pub fn any(db: &Connection) -> Result<bool, StoreError> {
    Ok(
        db.query_row("SELECT EXISTS (SELECT 1 FROM account)", [], |row| {
            row.get(0)
        })?,
    )
}

/// Makes an account with its profile. The first is the server's administrator.
pub fn create(db: &Connection, new: &NewAccount) -> Result<Result<AccountId, Code>, StoreError> {
    let is_first = !any(db)?;
    if let Some(no) = new.unless_first.filter(|_| !is_first) {
        return Ok(Err(no));
    }
    let made = db
        .prepare_cached(
            "INSERT INTO account (id, name, password, created_at, name_key) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT DO NOTHING",
        )?
        .execute((
            new.id.as_bytes(),
            &new.name,
            &new.password,
            new.now,
            name_key(&new.display_name),
        ))?;
    if made == 0 {
        return Ok(Err(Code::NameTaken));
    }
    let profile: Body = Profile {
        account_name: new.name.clone(),
        display_name: new.display_name.clone(),
        introduction: String::new(),
        server_admin: is_first,
        gone: false,
        more: Default::default(),
    }
    .into();
    let own = Log::Account(new.id);
    let row = Row {
        id: new.id.to_string(),
        rev: FIRST,
        body: profile,
    };
    row::put(db, own, &row, new.now)?;
    db.prepare_cached("INSERT INTO log (id, kind, rev, moved_at) VALUES (?1, ?2, ?3, ?4)")?
        .execute((new.id.as_bytes(), log::kind(own), number(1), new.now))?;
    Ok(Ok(new.id))
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: AccountId::from_bytes(row.get(0)?),
        name: row.get(1)?,
        password: row.get(2)?,
    })
}

/// The account with a name.
pub fn find(db: &Connection, name: &str) -> Result<Option<Account>, StoreError> {
    Ok(db
        .prepare_cached(BY_NAME)?
        .query_row([name], read)
        .optional()?)
}

/// The account with an id, unless it was deleted.
pub fn by_id(db: &Connection, account: AccountId) -> Result<Option<Account>, StoreError> {
    Ok(db
        .prepare_cached(BY_ID)?
        .query_row([account.as_bytes()], read)
        .optional()?)
}

/// Accounts by name.
pub fn list(
    db: &Connection,
    search: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<ListedAccount>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found: Result<Vec<_>, _> = db
        .prepare_cached(LIST)?
        .query_map((after, name_key(search), limit), |row| {
            Ok(ListedAccount {
                account: AccountId::from_bytes(row.get(0)?),
                account_name: row.get(1)?,
                display_name: String::new(),
                created_at: row.get(2)?,
                seen_at: row.get::<_, Option<_>>(3)?.unwrap_or_default(),
                server_admin: false,
            })
        })?
        .collect();
    let mut found = found?;
    for listed in &mut found {
        if let Some((profile, _)) = profile(db, listed.account)? {
            listed.display_name = profile.display_name;
            listed.server_admin = profile.server_admin;
        }
    }
    Ok(found)
}

/// The name to show, as the list of accounts searches it.
pub fn rename(db: &Connection, account: AccountId, display_name: &str) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE account SET name_key = ?2 WHERE id = ?1")?
        .execute((account.as_bytes(), name_key(display_name)))?;
    Ok(())
}

/// The communities that an account is a member of.
pub fn memberships(db: &Connection, account: AccountId) -> Result<Vec<CommunityId>, StoreError> {
    let found: Result<Vec<_>, _> = db
        .prepare_cached(MEMBERSHIPS)?
        .query_map([account.as_bytes()], |row| {
            row.get(0).map(CommunityId::from_bytes)
        })?
        .collect();
    Ok(found?)
}

/// The communities that an account owns.
pub fn owned(db: &Connection, account: AccountId) -> Result<Vec<OwnedCommunity>, StoreError> {
    let found: Result<Vec<_>, _> = db
        .prepare_cached(OWNED)?
        .query_map((account.as_bytes(), account.to_string()), |row| {
            Ok(OwnedCommunity {
                community: CommunityId::from_bytes(row.get(0)?),
                name: row.get(1)?,
            })
        })?
        .collect();
    Ok(found?)
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

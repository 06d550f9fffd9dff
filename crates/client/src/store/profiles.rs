//! Profiles of others, the newest rev of which wins, and those that are lacking.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension, params};
use tulou_protocol::{AccountId, Body, Rev, Row, row::Profile};

use super::{StoreError, era::Era, int, legible, nat};

/// A profile, if it is held.
pub fn one(db: &Connection, account: AccountId) -> Result<Option<Profile>, StoreError> {
    let text: Option<String> = db
        .prepare_cached("SELECT body FROM profiles WHERE account = ?1")?
        .query_row([account.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(text.and_then(|text| legible(&text, "a profile")))
}

/// The profiles of some accounts, as far as they are held.
pub fn some(
    db: &Connection,
    accounts: impl IntoIterator<Item = AccountId>,
) -> Result<HashMap<AccountId, Profile>, StoreError> {
    let mut profiles = HashMap::new();
    for account in accounts {
        if let std::collections::hash_map::Entry::Vacant(entry) = profiles.entry(account)
            && let Some(profile) = one(db, account)?
        {
            entry.insert(profile);
        }
    }
    Ok(profiles)
}

/// The revs of the profiles held.
pub fn revs(db: &Connection) -> Result<BTreeMap<AccountId, Rev>, StoreError> {
    let era = Era::of(db)?;
    by_account(db, "SELECT account, rev FROM profiles", |kept| {
        era.rev(kept)
    })
}

/// The revs that rows name of profiles which are not held as of them.
pub fn lacking(db: &Connection) -> Result<BTreeMap<AccountId, Rev>, StoreError> {
    by_account(db, "SELECT account, rev FROM lacking", |rev| Rev(nat(rev)))
}

fn by_account(
    db: &Connection,
    sql: &str,
    rev: impl Fn(i64) -> Rev,
) -> Result<BTreeMap<AccountId, Rev>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let found = statement.query_map([], |row| {
        Ok((AccountId::from_bytes(row.get(0)?), rev(row.get(1)?)))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// A profile is lacking as of a rev, or with none is lacking no more.
pub(super) fn set_lacking(
    db: &Connection,
    account: AccountId,
    rev: Option<Rev>,
) -> Result<(), StoreError> {
    match rev {
        Some(rev) => db
            .prepare_cached("INSERT OR REPLACE INTO lacking (account, rev) VALUES (?1, ?2)")?
            .execute(params![account.as_bytes(), int(rev.0)])?,
        None => db
            .prepare_cached("DELETE FROM lacking WHERE account = ?1")?
            .execute([account.as_bytes()])?,
    };
    Ok(())
}

pub(super) fn put(db: &Connection, row: &Row) -> Result<(), StoreError> {
    let (Ok(account), Body::Profile(profile)) = (row.id.parse::<AccountId>(), &row.body) else {
        return Ok(());
    };
    db.prepare_cached(
        "INSERT INTO profiles (account, rev, body) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET rev = excluded.rev, body = excluded.body
         WHERE excluded.rev >= profiles.rev",
    )?
    .execute(params![
        account.as_bytes(),
        Era::of(db)?.kept(row.rev),
        serde_json::to_string(profile)?
    ])?;
    Ok(())
}

/// What is lacking of another epoch is named anew by what comes.
pub(super) fn age(db: &Connection) -> Result<(), StoreError> {
    db.execute("DELETE FROM lacking", [])?;
    Ok(())
}

//! Members as the server last named them: not rows of a log, only what this computer remembers.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};
use tulou_protocol::{AccountId, CommunityId, question::Member};

use super::{StoreError, legible};

/// A member as last heard of.
pub fn one(
    db: &Connection,
    community: CommunityId,
    account: AccountId,
) -> Result<Option<Member>, StoreError> {
    let text: Option<String> = db
        .prepare_cached("SELECT body FROM members WHERE community = ?1 AND account = ?2")?
        .query_row(params![community.as_bytes(), account.as_bytes()], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(text.and_then(|text| legible(&text, "a member")))
}

/// Some members as last heard of.
pub fn some(
    db: &Connection,
    community: CommunityId,
    accounts: impl IntoIterator<Item = AccountId>,
) -> Result<HashMap<AccountId, Member>, StoreError> {
    let mut members = HashMap::new();
    for account in accounts {
        if !members.contains_key(&account)
            && let Some(member) = one(db, community, account)?
        {
            members.insert(account, member);
        }
    }
    Ok(members)
}

/// Members as last heard of, at most `limit`.
pub fn of_community(
    db: &Connection,
    community: CommunityId,
    limit: u32,
) -> Result<Vec<Member>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT body FROM members WHERE community = ?1 LIMIT ?2")?;
    let mut found = statement.query(params![community.as_bytes(), limit])?;
    let mut members = Vec::new();
    while let Some(row) = found.next()? {
        let text = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        members.extend(legible(text, "a member"));
    }
    Ok(members)
}

/// Remembers members.
pub fn put(db: &Connection, community: CommunityId, members: &[Member]) -> Result<(), StoreError> {
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO members (community, account, body) VALUES (?1, ?2, ?3)",
    )?;
    for member in members {
        insert.execute(params![
            community.as_bytes(),
            member.account.as_bytes(),
            serde_json::to_string(member)?
        ])?;
    }
    Ok(())
}

/// Somebody is no member any more.
pub fn forget(
    db: &Connection,
    community: CommunityId,
    account: AccountId,
) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM members WHERE community = ?1 AND account = ?2")?
        .execute(params![community.as_bytes(), account.as_bytes()])?;
    Ok(())
}

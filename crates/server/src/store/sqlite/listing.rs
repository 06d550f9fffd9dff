//! Members as lists show them: all, or those of a member group, or those whose names begin somehow.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, ToSql};
use tulou_protocol::{AccountId, CommunityId, MemberGroupId};

use super::{
    log::{counter, number},
    member::{group_ids, name_key, read_member},
};
use crate::store::{Listed, MemberSlice, SliceOf, StoreError};

macro_rules! columns {
    ($key:literal, $rest:literal) => {
        concat!(
            "SELECT m.account, m.joined_at, m.member_groups, m.rev, m.account_name, m.display_name, ",
            $key,
            " FROM ",
            $rest
        )
    };
}

const ALL: &str = columns!(
    "m.name_key",
    "member m WHERE m.community = ?1 AND m.has_left = 0 AND (m.name_key, m.account) > (?2, ?3)
    ORDER BY m.name_key, m.account LIMIT ?4"
);
const NAMED: &str = columns!(
    "m.name_key",
    "member m WHERE m.community = ?1 AND m.has_left = 0 AND (m.name_key, m.account) > (?2, ?3) AND m.name_key < ?5
    ORDER BY m.name_key, m.account LIMIT ?4"
);
const ACCOUNT_NAMED: &str = columns!(
    "m.account_name",
    "member m WHERE m.community = ?1 AND m.has_left = 0 AND (m.account_name, m.account) > (?2, ?3)
    AND m.account_name < ?5 ORDER BY m.account_name, m.account LIMIT ?4"
);
const IN_GROUP: &str = columns!(
    "m.name_key",
    "member_in i JOIN member m ON m.community = i.community AND m.account = i.account
    WHERE i.community = ?1 AND i.member_group = ?5 AND (i.name_key, i.account) > (?2, ?3)
    ORDER BY i.name_key, i.account LIMIT ?4"
);
const ONE: &str = columns!(
    "m.name_key",
    "member m WHERE m.community = ?1 AND m.account = ?2 AND m.has_left = 0"
);
const COUNT: &str = "SELECT members FROM member_count WHERE community = ?1 AND member_group = ?2";
const LISTED_AS: &str =
    "SELECT member_groups, name_key FROM member WHERE community = ?1 AND account = ?2";
/// Statements whose plan is a test.
#[cfg(test)]
pub const HOT: &[&str] = &[ALL, NAMED, ACCOUNT_NAMED, IN_GROUP, ONE, COUNT, LISTED_AS];

fn read(row: &SqlRow<'_>) -> rusqlite::Result<Listed> {
    Ok(Listed {
        member: read_member(row)?,
        account_name: row.get(4)?,
        display_name: row.get(5)?,
        key: row.get(6)?,
    })
}

/// A slice of the members.
pub fn slice(
    db: &Connection,
    community: CommunityId,
    slice: &MemberSlice,
) -> Result<Vec<Listed>, StoreError> {
    let beginning = match &slice.of {
        SliceOf::Display(prefix) => name_key(prefix),
        SliceOf::Account(prefix) => prefix.clone(),
        SliceOf::Community | SliceOf::MemberGroup(_) | SliceOf::These(_) => String::new(),
    };
    // Nothing that begins with the prefix is greater than this.
    let end = format!("{beginning}\u{10ffff}");
    let (key, account) = match &slice.after {
        Some((key, account)) => (key.clone(), account.as_bytes().to_vec()),
        None => (beginning, Vec::new()),
    };
    let (sql, last): (&str, Option<&dyn ToSql>) = match &slice.of {
        SliceOf::Community => (ALL, None),
        SliceOf::Display(_) => (NAMED, Some(&end)),
        SliceOf::Account(_) => (ACCOUNT_NAMED, Some(&end)),
        SliceOf::MemberGroup(id) => (IN_GROUP, Some(id.as_bytes())),
        SliceOf::These(accounts) => return these(db, community, accounts),
    };
    let limit = number(slice.limit as u64);
    let community = community.as_bytes();
    let mut values: Vec<&dyn ToSql> = vec![community, &key, &account, &limit];
    values.extend(last);
    let found: Result<Vec<_>, _> = db
        .prepare_cached(sql)?
        .query_map(values.as_slice(), read)?
        .collect();
    Ok(found?)
}

fn these(
    db: &Connection,
    community: CommunityId,
    accounts: &[AccountId],
) -> Result<Vec<Listed>, StoreError> {
    let mut found = Vec::new();
    let mut statement = db.prepare_cached(ONE)?;
    for account in accounts {
        let listed = statement
            .query_row((community.as_bytes(), account.as_bytes()), read)
            .optional()?;
        found.extend(listed);
    }
    found.sort_by(|one, other| {
        (&one.key, one.member.account).cmp(&(&other.key, other.member.account))
    });
    Ok(found)
}

/// How many members each of these member groups has.
pub fn count(
    db: &Connection,
    community: CommunityId,
    member_groups: &[MemberGroupId],
) -> Result<Vec<u64>, StoreError> {
    let mut statement = db.prepare_cached(COUNT)?;
    let mut counts = Vec::new();
    for id in member_groups {
        let count = statement
            .query_row((community.as_bytes(), id.as_bytes()), |row| counter(row, 0))
            .optional()?;
        counts.push(count.unwrap_or_default());
    }
    Ok(counts)
}

fn listed_as(
    db: &Connection,
    community: CommunityId,
    account: AccountId,
) -> Result<(Vec<MemberGroupId>, String), StoreError> {
    let found = db
        .prepare_cached(LISTED_AS)?
        .query_row((community.as_bytes(), account.as_bytes()), |row| {
            Ok((group_ids(&row.get::<_, Vec<u8>>(0)?), row.get(1)?))
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// A member is listed under his member groups, as his row says.
pub fn list(db: &Connection, community: CommunityId, account: AccountId) -> Result<(), StoreError> {
    for_each_group(
        db,
        community,
        account,
        "INSERT INTO member_in (community, member_group, name_key, account) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO NOTHING",
    )
}

/// Before a member's row changes or goes: he is not listed as it says any more.
pub fn unlist(
    db: &Connection,
    community: CommunityId,
    account: AccountId,
) -> Result<(), StoreError> {
    for_each_group(
        db,
        community,
        account,
        "DELETE FROM member_in WHERE community = ?1 AND member_group = ?2 AND name_key = ?3 AND account = ?4",
    )
}

fn for_each_group(
    db: &Connection,
    community: CommunityId,
    account: AccountId,
    sql: &str,
) -> Result<(), StoreError> {
    let (member_groups, key) = listed_as(db, community, account)?;
    let mut statement = db.prepare_cached(sql)?;
    for id in member_groups {
        statement.execute((
            community.as_bytes(),
            id.as_bytes(),
            &key,
            account.as_bytes(),
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! Structures, members and seats.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow};
use tulou_protocol::{
    AccountId, CommunityId, Log, MemberGroupId, Rev, TopicId, id::Millis, row::Profile,
};

use super::{
    log::{self, counter, number},
    row,
};
use crate::{
    domain::structure::{Member, Structure},
    store::{Listed, StoreError},
};

const MEMBER: &str = "SELECT account, joined_at, member_groups, rev FROM member
    WHERE community = ?1 AND account = ?2 AND has_left = 0";
const MEMBER_REV: &str =
    "SELECT rev FROM member WHERE community = ?1 AND account = ?2 AND has_left = 0";
const COUNT: &str = "SELECT count(*) FROM member WHERE community = ?1 AND has_left = 0";
const SEATS: &str = "SELECT topic, account, since FROM seat WHERE community = ?1";
const LIST: &str =
    "SELECT account, joined_at, member_groups, rev, account_name, display_name FROM member
    WHERE community = ?1 AND has_left = 0 ORDER BY name_key LIMIT ?2";
const LIST_NAMED: &str = "SELECT account, joined_at, member_groups, rev, account_name, display_name FROM member
    WHERE community = ?1 AND has_left = 0 AND name_key >= ?3 AND name_key < ?4 ORDER BY name_key LIMIT ?2";
const LIST_ACCOUNT_NAMED: &str = "SELECT account, joined_at, member_groups, rev, account_name, display_name FROM member
    WHERE community = ?1 AND has_left = 0 AND account_name >= ?3 AND account_name < ?4 ORDER BY account_name LIMIT ?2";
const PUT: &str = "INSERT INTO member (community, account, joined_at, member_groups, rev, has_left, account_name, display_name, name_key)
    VALUES (?1, ?2, ?3, ?4, 1, 0, ?5, ?6, ?7)
    ON CONFLICT (community, account) DO UPDATE SET joined_at = ?3, member_groups = ?4, rev = rev + 1, has_left = 0,
    account_name = ?5, display_name = ?6, name_key = ?7";
const LEAVE: &str = "UPDATE member SET has_left = 1, rev = rev + 1, member_groups = x''
    WHERE community = ?1 AND account = ?2 AND has_left = 0";
const ACCOUNTS: &str = "SELECT account FROM member WHERE community = ?1 AND has_left = 0";
const RENAME: &str = "UPDATE member SET display_name = ?2, name_key = ?3 WHERE account = ?1";
/// Statements whose plan is a test.
#[cfg(test)]
pub const HOT: &[&str] = &[
    MEMBER,
    MEMBER_REV,
    COUNT,
    SEATS,
    LIST,
    LIST_NAMED,
    LIST_ACCOUNT_NAMED,
    ACCOUNTS,
];

/// A community's structure.
pub fn structure(db: &Connection, id: CommunityId) -> Result<Option<Structure>, StoreError> {
    let community = Log::Community(id);
    let Some(head) = log::head(db, community)? else {
        return Ok(None);
    };
    let rows = row::since(db, community, Rev::ZERO, usize::MAX)?;
    let seats: Result<Vec<_>, _> = db
        .prepare_cached(SEATS)?
        .query_map([id.as_bytes()], |row| {
            Ok((
                TopicId::from_bytes(row.get(0)?),
                AccountId::from_bytes(row.get(1)?),
                row.get(2)?,
            ))
        })?
        .collect();
    let members = count(db, id)?;
    let last_no = u32::try_from(head.seq.0).unwrap_or(u32::MAX);
    Ok(Structure::from_rows(
        id, head.rev, rows, seats?, last_no, members,
    ))
}

/// How many members a community has.
pub fn count(db: &Connection, id: CommunityId) -> Result<u64, StoreError> {
    Ok(db
        .prepare_cached(COUNT)?
        .query_row([id.as_bytes()], |row| counter(row, 0))?)
}

fn read_member(row: &SqlRow<'_>) -> rusqlite::Result<Member> {
    let groups: Vec<u8> = row.get(2)?;
    Ok(Member {
        account: AccountId::from_bytes(row.get(0)?),
        joined_at: row.get(1)?,
        member_groups: groups
            .as_chunks::<16>()
            .0
            .iter()
            .map(|id| MemberGroupId::from_bytes(*id))
            .collect(),
        rev: Rev(counter(row, 3)?),
    })
}

/// A member.
pub fn member(
    db: &Connection,
    community: CommunityId,
    account: AccountId,
) -> Result<Option<Member>, StoreError> {
    Ok(db
        .prepare_cached(MEMBER)?
        .query_row((community.as_bytes(), account.as_bytes()), read_member)
        .optional()?)
}

/// The rev of a member's row; 0 for one who is none.
pub fn member_rev(
    db: &Connection,
    community: CommunityId,
    account: AccountId,
) -> Result<Rev, StoreError> {
    let rev = db
        .prepare_cached(MEMBER_REV)?
        .query_row((community.as_bytes(), account.as_bytes()), |row| {
            counter(row, 0)
        })
        .optional()?;
    Ok(Rev(rev.unwrap_or_default()))
}

/// The key that names are ordered and searched by.
pub fn name_key(name: &str) -> String {
    name.to_lowercase()
}

/// Writes a member's row; whether he was none before.
pub fn put_member(
    db: &Connection,
    community: CommunityId,
    member: &Member,
) -> Result<bool, StoreError> {
    let is_new = member_rev(db, community, member.account)? == Rev::ZERO;
    let profile: Option<(Profile, Rev)> = row::find(
        db,
        Log::Account(member.account),
        "profile",
        &member.account.to_string(),
    )?;
    let (account_name, display_name) = profile
        .map(|(profile, _)| (profile.account_name, profile.display_name))
        .unwrap_or_default();
    let groups: Vec<u8> = member
        .member_groups
        .iter()
        .flat_map(|id| *id.as_bytes())
        .collect();
    db.prepare_cached(PUT)?.execute((
        community.as_bytes(),
        member.account.as_bytes(),
        member.joined_at,
        groups,
        &account_name,
        &display_name,
        name_key(&display_name),
    ))?;
    Ok(is_new)
}

/// A member goes; whether he was one.
pub fn remove_member(
    db: &Connection,
    community: CommunityId,
    account: AccountId,
) -> Result<bool, StoreError> {
    let gone = db
        .prepare_cached(LEAVE)?
        .execute((community.as_bytes(), account.as_bytes()))?;
    Ok(gone > 0)
}

/// Everybody who is a member.
pub fn accounts(db: &Connection, community: CommunityId) -> Result<Vec<AccountId>, StoreError> {
    let found: Result<Vec<_>, _> = db
        .prepare_cached(ACCOUNTS)?
        .query_map([community.as_bytes()], |row| {
            row.get(0).map(AccountId::from_bytes)
        })?
        .collect();
    Ok(found?)
}

/// Members, seats and invites of a community end.
pub fn end(db: &Connection, community: CommunityId) -> Result<(), StoreError> {
    for sql in [
        "UPDATE member SET has_left = 1, rev = rev + 1, member_groups = x'' WHERE community = ?1 AND has_left = 0",
        "DELETE FROM seat WHERE community = ?1",
        "DELETE FROM invite WHERE community = ?1",
    ] {
        db.prepare_cached(sql)?.execute([community.as_bytes()])?;
    }
    Ok(())
}

/// The name that member lists show for an account.
pub fn rename(db: &Connection, account: AccountId, display_name: &str) -> Result<(), StoreError> {
    db.prepare_cached(RENAME)?.execute((
        account.as_bytes(),
        display_name,
        name_key(display_name),
    ))?;
    Ok(())
}

/// Gives or takes a seat.
pub fn put_seat(
    db: &Connection,
    community: CommunityId,
    topic: TopicId,
    account: AccountId,
    since: Option<Millis>,
) -> Result<(), StoreError> {
    match since {
        Some(since) => db
            .prepare_cached(
                "INSERT INTO seat (topic, account, community, since) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (topic, account) DO UPDATE SET since = ?4",
            )?
            .execute((
                topic.as_bytes(),
                account.as_bytes(),
                community.as_bytes(),
                since,
            ))?,
        None => db
            .prepare_cached("DELETE FROM seat WHERE topic = ?1 AND account = ?2")?
            .execute((topic.as_bytes(), account.as_bytes()))?,
    };
    Ok(())
}

/// Members by name.
pub fn list(
    db: &Connection,
    community: CommunityId,
    prefix: &str,
    limit: usize,
) -> Result<Vec<Listed>, StoreError> {
    let read = |row: &SqlRow<'_>| {
        Ok(Listed {
            member: read_member(row)?,
            account_name: row.get(4)?,
            display_name: row.get(5)?,
        })
    };
    let limit = number(limit as u64);
    let key = name_key(prefix);
    if key.is_empty() {
        let found: Result<Vec<_>, _> = db
            .prepare_cached(LIST)?
            .query_map((community.as_bytes(), limit), read)?
            .collect();
        return Ok(found?);
    }
    // Nothing that begins with the prefix is greater than this.
    let end = format!("{key}\u{10ffff}");
    let mut members: Vec<Listed> = Vec::new();
    for sql in [LIST_NAMED, LIST_ACCOUNT_NAMED] {
        let mut statement = db.prepare_cached(sql)?;
        for listed in statement.query_map((community.as_bytes(), limit, &key, &end), read)? {
            let listed = listed?;
            let is_known = members
                .iter()
                .any(|known| known.member.account == listed.member.account);
            if !is_known {
                members.push(listed);
            }
        }
    }
    members.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(members)
}

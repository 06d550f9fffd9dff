//! Structures, members and seats.

use rusqlite::{Connection, OptionalExtension};
use tulou_protocol::{AccountId, CommunityId, Log, Rev, TopicId, id::Millis, row::Profile};

use super::{
    invite, listing,
    log::{self, counter},
    member::{name_key, read_member},
    row,
};
use crate::{
    domain::{Member, Structure},
    store::StoreError,
};

const MEMBER: &str = "SELECT account, joined_at, member_groups, rev FROM member
    WHERE community = ?1 AND account = ?2 AND has_left = 0";
const MEMBER_REV: &str =
    "SELECT rev FROM member WHERE community = ?1 AND account = ?2 AND has_left = 0";
const COUNT: &str = "SELECT count(*) FROM member WHERE community = ?1 AND has_left = 0";
const SEATS: &str = "SELECT topic, account, since FROM seat WHERE community = ?1";
const PUT: &str = "INSERT INTO member (community, account, joined_at, member_groups, rev, has_left, account_name, display_name, name_key)
    VALUES (?1, ?2, ?3, ?4, 1, 0, ?5, ?6, ?7)
    ON CONFLICT (community, account) DO UPDATE SET joined_at = ?3, member_groups = ?4, rev = rev + 1, has_left = 0,
    account_name = ?5, display_name = ?6, name_key = ?7";
const LEAVE: &str =
    "UPDATE member SET has_left = 1, rev = rev + 1, member_groups = x'', invite = ''
    WHERE community = ?1 AND account = ?2 AND has_left = 0";
const CAME_BY: &str = "UPDATE member SET invite = ?3 WHERE community = ?1 AND account = ?2";
const COMMUNITIES_OF: &str = "SELECT community FROM member WHERE account = ?1 AND has_left = 0";
const RENAME: &str =
    "UPDATE member SET display_name = ?3, name_key = ?4 WHERE community = ?1 AND account = ?2";
/// Statements whose plan is a test.
#[cfg(test)]
pub const HOT: &[&str] = &[MEMBER, MEMBER_REV, COUNT, SEATS, COMMUNITIES_OF];

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
    listing::unlist(db, community, member.account)?;
    db.prepare_cached(PUT)?.execute((
        community.as_bytes(),
        member.account.as_bytes(),
        member.joined_at,
        groups,
        &account_name,
        &display_name,
        name_key(&display_name),
    ))?;
    listing::list(db, community, member.account)?;
    Ok(is_new)
}

/// The link that a member came by.
pub fn came_by(
    db: &Connection,
    community: CommunityId,
    account: AccountId,
    code: &str,
) -> Result<(), StoreError> {
    db.prepare_cached(CAME_BY)?
        .execute((community.as_bytes(), account.as_bytes(), code))?;
    Ok(())
}

/// A member goes, and nobody comes by his links any more; whether he was one.
pub fn remove_member(
    db: &Connection,
    community: CommunityId,
    account: AccountId,
) -> Result<bool, StoreError> {
    listing::unlist(db, community, account)?;
    invite::lapse(db, community, account)?;
    let gone = db
        .prepare_cached(LEAVE)?
        .execute((community.as_bytes(), account.as_bytes()))?;
    Ok(gone > 0)
}

/// The row of a member goes, because the community ended: no rev of his is asked for again.
pub fn drop_member(
    db: &Connection,
    community: CommunityId,
    account: AccountId,
) -> Result<(), StoreError> {
    listing::unlist(db, community, account)?;
    db.prepare_cached("DELETE FROM member WHERE community = ?1 AND account = ?2")?
        .execute((community.as_bytes(), account.as_bytes()))?;
    Ok(())
}

/// The name that member lists show for an account.
pub fn rename(db: &Connection, account: AccountId, display_name: &str) -> Result<(), StoreError> {
    let key = name_key(display_name);
    for community in communities_of(db, account)? {
        listing::unlist(db, community, account)?;
        db.prepare_cached(RENAME)?.execute((
            community.as_bytes(),
            account.as_bytes(),
            display_name,
            &key,
        ))?;
        listing::list(db, community, account)?;
    }
    Ok(())
}

fn communities_of(db: &Connection, account: AccountId) -> Result<Vec<CommunityId>, StoreError> {
    let found: Result<Vec<_>, _> = db
        .prepare_cached(COMMUNITIES_OF)?
        .query_map([account.as_bytes()], |row| {
            row.get(0).map(CommunityId::from_bytes)
        })?
        .collect();
    Ok(found?)
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

//! Invite links. Whoever registers by one takes a use of it and keeps a place until he joins: as many come as it has uses.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow};
use tulou_protocol::{AccountId, CommunityId, id::Millis, limits, question::Invite};

use super::log::{counter, number};
use crate::store::{Inviting, StoreError};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT code, expires_at, max_uses, uses, made_by, created_at, lapsed FROM invite ",
            $rest
        )
    };
}

const LIST: &str = columns!("WHERE community = ?1 ORDER BY created_at DESC");
const ONE: &str = columns!("WHERE community = ?1 AND code = ?2");
const CAME: &str =
    "SELECT account FROM member WHERE community = ?1 AND invite = ?2 AND invite <> ''
    ORDER BY joined_at DESC LIMIT ?3";
/// A link that has lapsed leads nowhere; one that is over leads those who keep a place of it.
const FIND: &str = "SELECT community, made_by FROM invite WHERE code = ?1 AND lapsed = 0
    AND ((expires_at IS NULL OR expires_at > ?2) AND (max_uses IS NULL OR uses < max_uses)
        OR EXISTS (SELECT 1 FROM kept_place WHERE account = ?3 AND code = ?1))";
const COUNT: &str = "SELECT count(*) FROM invite WHERE community = ?1";
const CREATE: &str =
    "INSERT INTO invite (community, code, expires_at, max_uses, uses, made_by, created_at)
    VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)";
const USE: &str = "UPDATE invite SET uses = uses + 1 WHERE community = ?1 AND code = ?2";
const KEEP: &str = "INSERT INTO kept_place (account, community, code) VALUES (?1, ?2, ?3)";
const GIVE_UP: &str =
    "DELETE FROM kept_place WHERE account = ?1 AND community = ?2 RETURNING code = ?3";
const FORGET_PLACE: &str = "DELETE FROM kept_place WHERE account = ?1 AND community = ?2";
const IS_KEPT: &str = "SELECT 1 FROM kept_place WHERE community = ?1 AND code = ?2 LIMIT 1";
const DROP_PLACES: &str = "DELETE FROM kept_place WHERE community = ?1 AND code = ?2";
const LAPSE: &str = "UPDATE invite SET lapsed = 1 WHERE community = ?1 AND made_by = ?2";
const IS_MEMBER: &str =
    "SELECT 1 FROM member WHERE community = ?1 AND account = ?2 AND has_left = 0";
const TAKE_OVER: &str =
    "UPDATE invite SET made_by = ?3, lapsed = 0 WHERE community = ?1 AND code = ?2";
const REVOKE: &str = "DELETE FROM invite WHERE community = ?1 AND code = ?2";
const OF_MEMBER: &str = "SELECT code FROM invite WHERE community = ?1 AND (made_by = ?2
    OR code = (SELECT invite FROM member WHERE community = ?1 AND account = ?2))";
/// Statements whose plan is a test.
#[cfg(test)]
pub const HOT: &[&str] = &[
    CAME,
    FIND,
    COUNT,
    USE,
    GIVE_UP,
    FORGET_PLACE,
    IS_KEPT,
    DROP_PLACES,
    IS_MEMBER,
    LAPSE,
    OF_MEMBER,
];

fn read(row: &SqlRow<'_>) -> rusqlite::Result<Invite> {
    Ok(Invite {
        code: row.get(0)?,
        expires_at: row.get(1)?,
        max_uses: row.get(2)?,
        uses: row.get(3)?,
        came: Vec::new(),
        by: AccountId::from_bytes(row.get(4)?),
        lapsed: row.get(6)?,
        created_at: row.get(5)?,
    })
}

/// The links of a community, newest first, with members who came by them.
pub fn list(db: &Connection, community: CommunityId) -> Result<Vec<Invite>, StoreError> {
    let mut found = made(db, community)?;
    for invite in &mut found {
        add_who_came(db, community, invite)?;
    }
    Ok(found)
}

fn made(db: &Connection, community: CommunityId) -> Result<Vec<Invite>, StoreError> {
    let found: Result<Vec<_>, _> = db
        .prepare_cached(LIST)?
        .query_map([community.as_bytes()], read)?
        .collect();
    Ok(found?)
}

fn add_who_came(
    db: &Connection,
    community: CommunityId,
    invite: &mut Invite,
) -> Result<(), StoreError> {
    let most = number(limits::INVITE_CAME as u64);
    let came: Result<Vec<_>, _> = db
        .prepare_cached(CAME)?
        .query_map((community.as_bytes(), &invite.code, most), |row| {
            row.get(0).map(AccountId::from_bytes)
        })?
        .collect();
    invite.came = came?;
    Ok(())
}

/// Where a link leads that may be used, by an account that keeps a place of it also when it is over, and whose it is.
pub fn find(
    db: &Connection,
    code: &str,
    account: Option<AccountId>,
    now: Millis,
) -> Result<Option<(CommunityId, AccountId)>, StoreError> {
    let account = account.map(|account| *account.as_bytes());
    Ok(db
        .prepare_cached(FIND)?
        .query_row((code, now, account), |row| {
            Ok((
                CommunityId::from_bytes(row.get(0)?),
                AccountId::from_bytes(row.get(1)?),
            ))
        })
        .optional()?)
}

/// Whether an account is a member by now: he may have been removed while this waited to be written.
fn is_member(
    db: &Connection,
    community: CommunityId,
    account: AccountId,
) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached(IS_MEMBER)?
        .exists((community.as_bytes(), account.as_bytes()))?)
}

/// Makes a link unless there are too many that may be used: of those that may not, also because they are of one of `idle`,
/// one makes room, if possible one that nobody has still to come by.
pub fn create(
    db: &Connection,
    community: CommunityId,
    new: &Invite,
    idle: &[AccountId],
) -> Result<Inviting, StoreError> {
    if !is_member(db, community, new.by)? {
        return Ok(Inviting::NoMember);
    }
    let count = db
        .prepare_cached(COUNT)?
        .query_row([community.as_bytes()], |row| counter(row, 0))?;
    if count >= limits::INVITES as u64 {
        let mut over = made(db, community)?;
        over.retain(|link| is_over(link, new.created_at) || idle.contains(&link.by));
        let mut goes = None;
        for link in over.into_iter().rev() {
            let is_kept = db
                .prepare_cached(IS_KEPT)?
                .exists((community.as_bytes(), &link.code))?;
            if !is_kept || goes.is_none() {
                goes = Some(link.code);
            }
            if !is_kept {
                break;
            }
        }
        let Some(code) = goes else {
            return Ok(Inviting::TooMany);
        };
        revoke(db, community, &code)?;
    }
    db.prepare_cached(CREATE)?.execute((
        community.as_bytes(),
        &new.code,
        new.expires_at,
        new.max_uses,
        new.by.as_bytes(),
        new.created_at,
    ))?;
    Ok(Inviting::Made)
}

fn is_over(link: &Invite, now: Millis) -> bool {
    link.lapsed
        || link.expires_at.is_some_and(|at| at <= now)
        || link.max_uses.is_some_and(|most| link.uses >= most)
}

/// Uses a link; false if it may not be used. Who keeps a place of it takes no other use.
pub fn take(
    db: &Connection,
    community: CommunityId,
    code: &str,
    account: AccountId,
    now: Millis,
) -> Result<bool, StoreError> {
    if find(db, code, Some(account), now)?.is_none_or(|(to, _)| to != community) {
        return Ok(false);
    }
    // A place of another link to the same community is of no use to him any more.
    let kept: Option<bool> = db
        .prepare_cached(GIVE_UP)?
        .query_row((account.as_bytes(), community.as_bytes(), code), |row| {
            row.get(0)
        })
        .optional()?;
    if kept != Some(true) {
        db.prepare_cached(USE)?
            .execute((community.as_bytes(), code))?;
    }
    Ok(true)
}

/// Whoever registers by a link that may be used takes a use of it, and keeps a place.
pub fn keep_place(
    db: &Connection,
    community: CommunityId,
    code: &str,
    account: AccountId,
) -> Result<(), StoreError> {
    db.prepare_cached(USE)?
        .execute((community.as_bytes(), code))?;
    db.prepare_cached(KEEP)?
        .execute((account.as_bytes(), community.as_bytes(), code))?;
    Ok(())
}

/// A member goes: nobody comes any more by links that are his, nor he by a place that he kept and did not come by.
pub fn lapse(
    db: &Connection,
    community: CommunityId,
    account: AccountId,
) -> Result<(), StoreError> {
    db.prepare_cached(LAPSE)?
        .execute((community.as_bytes(), account.as_bytes()))?;
    db.prepare_cached(FORGET_PLACE)?
        .execute((account.as_bytes(), community.as_bytes()))?;
    Ok(())
}

/// A link becomes somebody else's; none if there is no such link, or he is a member no more.
pub fn take_over(
    db: &Connection,
    community: CommunityId,
    code: &str,
    account: AccountId,
) -> Result<Option<Invite>, StoreError> {
    if !is_member(db, community, account)? {
        return Ok(None);
    }
    db.prepare_cached(TAKE_OVER)?
        .execute((community.as_bytes(), code, account.as_bytes()))?;
    let mut found = db
        .prepare_cached(ONE)?
        .query_row((community.as_bytes(), code), read)
        .optional()?;
    if let Some(invite) = &mut found {
        add_who_came(db, community, invite)?;
    }
    Ok(found)
}

/// Ends a link, and the places that are kept of it.
pub fn revoke(db: &Connection, community: CommunityId, code: &str) -> Result<bool, StoreError> {
    db.prepare_cached(DROP_PLACES)?
        .execute((community.as_bytes(), code))?;
    let ended = db
        .prepare_cached(REVOKE)?
        .execute((community.as_bytes(), code))?;
    Ok(ended > 0)
}

/// Ends the links that are a member's, and the one that he came by.
pub fn revoke_of(
    db: &Connection,
    community: CommunityId,
    account: AccountId,
) -> Result<(), StoreError> {
    let codes: Result<Vec<String>, _> = db
        .prepare_cached(OF_MEMBER)?
        .query_map((community.as_bytes(), account.as_bytes()), |row| row.get(0))?
        .collect();
    for code in codes? {
        revoke(db, community, &code)?;
    }
    Ok(())
}

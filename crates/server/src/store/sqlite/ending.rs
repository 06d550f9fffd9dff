//! What ended and is still to be removed. The commit that ends something only says so, which hides it at once; what was
//! in it goes afterwards in bounded steps, also after a crash in between.

use rusqlite::{Connection, OptionalExtension};
use tulou_protocol::{AccountId, CommunityId, MemberGroupId, TopicId};
use uuid::Uuid;

use super::{log::number, member::group_ids};
use crate::store::StoreError;

const NEXT: &str = "SELECT log, kind FROM ending LIMIT 1";
const BEREFT: &str = "SELECT e.log, m.account FROM ending e JOIN member m ON m.community = e.log
    WHERE e.kind = 1 LIMIT ?1";
/// What a topic leaves behind.
const OF_TOPIC: [&str; 4] = [
    "DELETE FROM message WHERE topic = ?1 AND seq IN (SELECT seq FROM message WHERE topic = ?1 LIMIT ?2)",
    "DELETE FROM reaction WHERE topic = ?1 AND (seq, key, account) IN
        (SELECT seq, key, account FROM reaction WHERE topic = ?1 LIMIT ?2)",
    "DELETE FROM wide_mention WHERE topic = ?1 AND (seq, who) IN
        (SELECT seq, who FROM wide_mention WHERE topic = ?1 LIMIT ?2)",
    "DELETE FROM seat WHERE topic = ?1 AND account IN (SELECT account FROM seat WHERE topic = ?1 LIMIT ?2)",
];
/// What a community leaves behind, beside its members.
const OF_COMMUNITY: [&str; 5] = [
    "DELETE FROM kept_place WHERE account IN (SELECT account FROM kept_place WHERE community = ?1 LIMIT ?2)",
    "DELETE FROM ended_group WHERE community = ?1 AND member_group IN
        (SELECT member_group FROM ended_group WHERE community = ?1 LIMIT ?2)",
    "DELETE FROM invite WHERE community = ?1 AND code IN (SELECT code FROM invite WHERE community = ?1 LIMIT ?2)",
    "DELETE FROM member_in WHERE community = ?1 AND (member_group, name_key, account) IN
        (SELECT member_group, name_key, account FROM member_in WHERE community = ?1 LIMIT ?2)",
    "DELETE FROM member_count WHERE community = ?1 AND member_group IN
        (SELECT member_group FROM member_count WHERE community = ?1 LIMIT ?2)",
];

const NEXT_GROUP: &str = "SELECT community, member_group FROM ended_group LIMIT 1";
const STILL_IN: &str = "SELECT m.account, m.member_groups, i.name_key FROM member_in i
    JOIN member m ON m.community = i.community AND m.account = i.account
    WHERE i.community = ?1 AND i.member_group = ?2 LIMIT ?3";
const SET_GROUPS: &str =
    "UPDATE member SET member_groups = ?3 WHERE community = ?1 AND account = ?2";
const UNLIST: &str = "DELETE FROM member_in WHERE community = ?1 AND member_group = ?2
    AND name_key = ?3 AND account = ?4";
/// Statements whose plan is a test.
#[cfg(test)]
pub const HOT: &[&str] = &[STILL_IN, SET_GROUPS, UNLIST];

const TOPIC: i64 = 0;
const COMMUNITY: i64 = 1;

fn note(db: &Connection, log: Uuid, kind: i64) -> Result<(), StoreError> {
    db.prepare_cached("INSERT INTO ending (log, kind) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute((log.as_bytes(), kind))?;
    Ok(())
}

/// A topic ends. Its id stays taken.
pub fn topic(db: &Connection, topic: TopicId) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE log SET kind = 9, community = x'' WHERE id = ?1")?
        .execute([topic.as_bytes()])?;
    note(db, topic.0, TOPIC)
}

/// A community ends.
pub fn community(db: &Connection, community: CommunityId) -> Result<(), StoreError> {
    note(db, community.0, COMMUNITY)
}

/// A member group ends.
pub fn member_group(
    db: &Connection,
    community: CommunityId,
    group: MemberGroupId,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO ended_group (community, member_group) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?
    .execute((community.as_bytes(), group.as_bytes()))?;
    Ok(())
}

/// Members of communities that ended.
pub fn bereft(db: &Connection, limit: usize) -> Result<Vec<(CommunityId, AccountId)>, StoreError> {
    let found: Result<Vec<_>, _> = db
        .prepare_cached(BEREFT)?
        .query_map([number(limit as u64)], |row| {
            Ok((
                CommunityId::from_bytes(row.get(0)?),
                AccountId::from_bytes(row.get(1)?),
            ))
        })?
        .collect();
    Ok(found?)
}

/// Removes at most `limit` rows of something that ended; whether there may be more to do. Members go by commits of their
/// own, because their accounts' logs move.
pub fn sweep(db: &Connection, limit: usize) -> Result<bool, StoreError> {
    let next: Option<([u8; 16], i64)> = db
        .prepare_cached(NEXT)?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((log, kind)) = next else {
        return sweep_group(db, limit);
    };
    let statements: &[&str] = if kind == COMMUNITY {
        &OF_COMMUNITY
    } else {
        &OF_TOPIC
    };
    for sql in statements {
        if db
            .prepare_cached(sql)?
            .execute((log, number(limit as u64)))?
            > 0
        {
            return Ok(true);
        }
    }
    let has_members = kind == COMMUNITY
        && db
            .prepare_cached("SELECT 1 FROM member WHERE community = ?1 LIMIT 1")?
            .exists([log])?;
    if !has_members {
        db.prepare_cached("DELETE FROM ending WHERE log = ?1")?
            .execute([log])?;
    }
    Ok(true)
}

/// A member who has a member group that ended: his account, his member groups, his place in lists.
type StillIn = ([u8; 16], Vec<u8>, String);

/// Takes at most `limit` members out of a member group that ended; whether there may be more to do. Their rows keep their
/// revs: of a group that is not there nobody sees who was in it.
fn sweep_group(db: &Connection, limit: usize) -> Result<bool, StoreError> {
    let next: Option<([u8; 16], [u8; 16])> = db
        .prepare_cached(NEXT_GROUP)?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((community, group)) = next else {
        return Ok(false);
    };
    let members: Result<Vec<StillIn>, _> = db
        .prepare_cached(STILL_IN)?
        .query_map((community, group, number(limit as u64)), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect();
    let members = members?;
    if members.is_empty() {
        db.prepare_cached("DELETE FROM ended_group WHERE community = ?1 AND member_group = ?2")?
            .execute((community, group))?;
        return Ok(true);
    }
    for (account, groups, name_key) in members {
        let mut left = group_ids(&groups);
        left.retain(|id| *id.as_bytes() != group);
        let left: Vec<u8> = left.iter().flat_map(|id| *id.as_bytes()).collect();
        db.prepare_cached(UNLIST)?
            .execute((community, group, name_key, account))?;
        db.prepare_cached(SET_GROUPS)?
            .execute((community, account, left))?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::{
        filled::{ID, filled, left},
        schema,
    };

    #[test]
    fn what_ended_leaves_nothing_in_any_table() {
        let mut db = Connection::open_in_memory().unwrap();
        schema::migrate(&mut db).unwrap();
        // The id of a topic stays taken, members go by commits of their own, seats with their topics.
        let places = [
            ("topic", TOPIC, &[][..]),
            ("community", COMMUNITY, &["log", "member", "seat"][..]),
        ];
        for (column, kind, elsewhere) in places {
            let tables = filled(&db, column, elsewhere);
            note(&db, ID, kind).unwrap();
            while sweep(&db, 10).unwrap() {}
            assert_eq!(left(&db, column, &tables), [""; 0], "nobody clears these");
        }
    }
}

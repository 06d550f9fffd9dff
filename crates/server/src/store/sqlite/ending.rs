//! What ended and is still to be removed. The commit that ends something only says so, which hides it at once; what was
//! in it goes afterwards in bounded steps, also after a crash in between.

use rusqlite::{Connection, OptionalExtension};
use tulou_protocol::{AccountId, CommunityId, TopicId};
use uuid::Uuid;

use super::log::number;
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
const OF_COMMUNITY: [&str; 2] = [
    "DELETE FROM invite WHERE community = ?1 AND code IN (SELECT code FROM invite WHERE community = ?1 LIMIT ?2)",
    "DELETE FROM member_in WHERE community = ?1 AND (member_group, name_key, account) IN
        (SELECT member_group, name_key, account FROM member_in WHERE community = ?1 LIMIT ?2)",
];

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
        return Ok(false);
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

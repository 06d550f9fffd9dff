//! Islands: the stretches of each topic that are held without a hole.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use tulou_engine::Island;
use tulou_protocol::{Rev, Seq, TopicId};

use super::{StoreError, int, nat};

/// The islands of a topic in order.
pub fn of_topic(db: &Connection, topic: TopicId) -> Result<Vec<Island>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT from_seq, to_seq, rev, is_paged FROM islands WHERE topic = ?1 ORDER BY from_seq",
    )?;
    let found = statement.query_map([topic.as_bytes()], |row| {
        Ok(Island {
            from: Seq(nat(row.get(0)?)),
            to: Seq(nat(row.get(1)?)),
            rev: Rev(nat(row.get(2)?)),
            is_paged: row.get(3)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The islands of all topics.
pub fn all(db: &Connection) -> Result<BTreeMap<TopicId, Vec<Island>>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT topic, from_seq, to_seq, rev, is_paged FROM islands ORDER BY topic, from_seq",
    )?;
    let mut found = statement.query([])?;
    let mut islands: BTreeMap<TopicId, Vec<Island>> = BTreeMap::new();
    while let Some(row) = found.next()? {
        islands
            .entry(TopicId::from_bytes(row.get(0)?))
            .or_default()
            .push(Island {
                from: Seq(nat(row.get(1)?)),
                to: Seq(nat(row.get(2)?)),
                rev: Rev(nat(row.get(3)?)),
                is_paged: row.get(4)?,
            });
    }
    Ok(islands)
}

pub(super) fn set(db: &Connection, topic: TopicId, islands: &[Island]) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM islands WHERE topic = ?1")?
        .execute([topic.as_bytes()])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO islands (topic, from_seq, to_seq, rev, is_paged) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for island in islands {
        insert.execute(params![
            topic.as_bytes(),
            int(island.from.0),
            int(island.to.0),
            int(island.rev.0),
            island.is_paged
        ])?;
    }
    Ok(())
}

pub(super) fn clear(db: &Connection) -> Result<(), StoreError> {
    db.execute("DELETE FROM islands", [])?;
    Ok(())
}

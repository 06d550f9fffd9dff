//! Heads of topics, and what is known of communities beside their rows: how I stand in them, their counts.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use tulou_engine::{Counts, TopicHead};
use tulou_protocol::{
    CommunityId, Rev, Seq, TopicId,
    id::Millis,
    limits,
    push::{Me, ReadBefore},
};

use super::{StoreError, int, legible, nat};

/// The head of a topic; nothing known gives zeros.
pub fn of_topic(db: &Connection, topic: TopicId) -> Result<TopicHead, StoreError> {
    let head = db
        .prepare_cached(
            "SELECT topic, seq, rev, floor, wide, read, own, over FROM heads WHERE topic = ?1",
        )?
        .query_row([topic.as_bytes()], read)
        .optional()?;
    Ok(head.map(|(_, head)| head).unwrap_or_default())
}

/// The heads of all topics.
pub fn all(db: &Connection) -> Result<BTreeMap<TopicId, TopicHead>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT topic, seq, rev, floor, wide, read, own, over FROM heads")?;
    let found = statement.query_map([], read)?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<(TopicId, TopicHead)> {
    let wide = row.get_ref(4)?.as_str()?;
    let head = TopicHead {
        seq: Seq(nat(row.get(1)?)),
        rev: Rev(nat(row.get(2)?)),
        floor: Seq(nat(row.get(3)?)),
        // What cannot be read is as good as unknown: the next digest brings it again.
        wide_mentions: if wide == "[]" {
            Vec::new()
        } else {
            serde_json::from_str(wide).unwrap_or_default()
        },
        read: match row.get::<_, Option<i64>>(5)? {
            Some(seq) => Some(ReadBefore {
                seq: Seq(nat(seq)),
                own: nat(row.get(6)?),
                over: Rev(nat(row.get(7)?)),
            }),
            None => None,
        },
    };
    Ok((TopicId::from_bytes(row.get(0)?), head))
}

/// Keeps a head as it is said, an unknown floor included: after a change of rights nothing else remembers that what is
/// held has to be looked through.
pub(super) fn set(db: &Connection, topic: TopicId, head: &TopicHead) -> Result<(), StoreError> {
    let read = head.read.unwrap_or_default();
    db.prepare_cached(
        "INSERT INTO heads (topic, seq, rev, floor, wide, read, own, over)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET seq = excluded.seq, rev = excluded.rev, floor = excluded.floor,
             wide = excluded.wide, read = excluded.read, own = excluded.own, over = excluded.over",
    )?
    .execute(params![
        topic.as_bytes(),
        int(head.seq.0),
        int(head.rev.0),
        int(head.floor.0),
        serde_json::to_string(&head.wide_mentions)?,
        head.read.map(|read| int(read.seq.0)),
        int(read.own),
        int(read.over.0),
    ])?;
    Ok(())
}

pub(super) fn forget(db: &Connection, topic: TopicId) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM heads WHERE topic = ?1")?
        .execute([topic.as_bytes()])?;
    Ok(())
}

pub(super) fn clear(db: &Connection) -> Result<(), StoreError> {
    db.execute("DELETE FROM heads", [])?;
    db.execute("UPDATE communities SET as_of = 0", [])?;
    Ok(())
}

/// What is known of a community beside its rows.
#[derive(Debug, Clone, Default)]
pub struct CommunityHead {
    /// How I stand in it.
    pub me: Option<Me>,
    /// Members and members connected; none before the first digest.
    pub counts: Option<(u64, u64)>,
    /// The server time up to which heads are known.
    pub as_of: Millis,
}

/// What is known of a community beside its rows.
pub fn of_community(db: &Connection, community: CommunityId) -> Result<CommunityHead, StoreError> {
    let found = db
        .prepare_cached("SELECT me, members, online, as_of FROM communities WHERE community = ?1")?
        .query_row([community.as_bytes()], |row| {
            let me: String = row.get(0)?;
            let members: Option<i64> = row.get(1)?;
            let online: Option<i64> = row.get(2)?;
            Ok((me, members, online, row.get(3)?))
        })
        .optional()?;
    let Some((me, members, online, as_of)) = found else {
        return Ok(CommunityHead::default());
    };
    Ok(CommunityHead {
        me: if me.is_empty() {
            None
        } else {
            legible(&me, "how I stand in a community")
        },
        counts: members.zip(online).map(|(all, on)| (nat(all), nat(on))),
        as_of,
    })
}

pub(super) fn set_me(db: &Connection, community: CommunityId, me: &Me) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO communities (community, me) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET me = excluded.me",
    )?
    .execute(params![community.as_bytes(), serde_json::to_string(me)?])?;
    Ok(())
}

/// Up to which time of the server heads are known, as the engine says it: only that knows when they are known no longer.
pub(super) fn set_known(
    db: &Connection,
    community: CommunityId,
    as_of: Millis,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO communities (community, as_of) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET as_of = excluded.as_of",
    )?
    .execute(params![community.as_bytes(), as_of])?;
    Ok(())
}

/// What a digest's counts are to those held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// They are the same.
    Same,
    /// They are others.
    Other,
    /// The community is large now, or not any more: levels that nobody set are others.
    OtherSize,
}

/// Takes a digest's counts.
pub(super) fn set_counts(
    db: &Connection,
    community: CommunityId,
    counts: Counts,
) -> Result<Counted, StoreError> {
    let was = of_community(db, community)?.counts;
    db.prepare_cached(
        "INSERT INTO communities (community, members, online) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET members = excluded.members, online = excluded.online",
    )?
    .execute(params![
        community.as_bytes(),
        int(counts.members),
        int(counts.online)
    ])?;
    let is_large = |members: u64| members > limits::SMALL_COMMUNITY;
    Ok(match was {
        Some(was) if was == (counts.members, counts.online) => Counted::Same,
        Some((members, _)) if is_large(members) == is_large(counts.members) => Counted::Other,
        None if !is_large(counts.members) => Counted::Other,
        Some(_) | None => Counted::OtherSize,
    })
}

pub(super) fn forget_community(db: &Connection, community: CommunityId) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM communities WHERE community = ?1")?
        .execute([community.as_bytes()])?;
    db.prepare_cached("DELETE FROM members WHERE community = ?1")?
        .execute([community.as_bytes()])?;
    Ok(())
}

//! Heads of logs, and which topics moved.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow};
use tulou_protocol::{
    AccountId, CommunityId, Log, MemberGroupId, Rev, Seq, TopicId, id::Millis, push::WideMention,
};

use crate::store::{Head, Moved, StoreError};

const FLOOR: &str = "SELECT floor FROM log WHERE id = ?1";
const HEAD: &str = "SELECT rev, seq FROM log WHERE id = ?1";
const LAST_WRITTEN: &str = "SELECT seq, moved_at FROM log WHERE id = ?1";
const COMMUNITY_OF: &str = "SELECT community FROM log WHERE id = ?1 AND kind = 0";
const MOVED_SINCE: &str = "SELECT id, moved_at FROM log
    WHERE community = ?1 AND kind = 0 AND moved_at >= ?2 AND (moved_at > ?2 OR id > ?3) ORDER BY moved_at, id";
const WRITTEN: &str = "SELECT id FROM log WHERE community = ?1 AND kind = 0 AND seq > 0";
const WIDE: &str = "SELECT w.seq, w.who, m.author FROM wide_mention w
    CROSS JOIN message m ON m.topic = w.topic AND m.seq = w.seq WHERE w.topic = ?1 AND w.seq > ?2
    ORDER BY w.seq DESC, w.who DESC LIMIT ?3";
/// Statements whose plan is a test.
#[cfg(test)]
pub const HOT: &[&str] = &[
    HEAD,
    FLOOR,
    LAST_WRITTEN,
    COMMUNITY_OF,
    MOVED_SINCE,
    WRITTEN,
    WIDE,
];

/// Messages back from the head in which wide mentions are named.
const WIDE_MESSAGES: u64 = 100;
/// Wide mentions of a topic that are named, at most: whoever calls many member groups in each message is named with the last.
const WIDE_MENTIONS: u32 = 100;

/// The number of a kind of log in the table.
pub const fn kind(log: Log) -> i64 {
    match log {
        Log::Topic(_) => 0,
        Log::Community(_) => 1,
        Log::Account(_) => 2,
    }
}

/// A counter from the database.
pub fn counter(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::unsigned_abs)
}

/// A counter for the database.
pub fn number(counter: u64) -> i64 {
    i64::try_from(counter).unwrap_or(i64::MAX)
}

/// The head of a log.
pub fn head(db: &Connection, log: Log) -> Result<Option<Head>, StoreError> {
    Ok(db
        .prepare_cached(HEAD)?
        .query_row([log.uuid().as_bytes()], |row| {
            Ok(Head {
                rev: Rev(counter(row, 0)?),
                seq: Seq(counter(row, 1)?),
            })
        })
        .optional()?)
}

/// The last place of a topic, and when something was last written in it.
pub fn last_written(db: &Connection, topic: TopicId) -> Result<Option<(Seq, Millis)>, StoreError> {
    let mut statement = db.prepare_cached(LAST_WRITTEN)?;
    let last = statement.query_row([topic.as_bytes()], |row| {
        Ok((Seq(counter(row, 0)?), row.get(1)?))
    });
    Ok(last.optional()?)
}

/// The rev up to which tombstones of a log are forgotten.
pub fn floor(db: &Connection, log: Log) -> Result<Rev, StoreError> {
    let floor = db
        .prepare_cached(FLOOR)?
        .query_row([log.uuid().as_bytes()], |row| counter(row, 0))
        .optional()?;
    Ok(Rev(floor.unwrap_or_default()))
}

/// The latest time at which a topic or a community moved, of which everybody is told by time. Looks at all of them.
pub fn latest(db: &Connection) -> Result<Millis, StoreError> {
    let latest = "SELECT coalesce(max(moved_at), 0) FROM log WHERE kind IN (0, 1)";
    Ok(db.query_row(latest, [], |row| row.get(0))?)
}

/// The community of a topic.
pub fn community_of(db: &Connection, topic: TopicId) -> Result<Option<CommunityId>, StoreError> {
    Ok(db
        .prepare_cached(COMMUNITY_OF)?
        .query_row([topic.as_bytes()], |row| {
            row.get(0).map(CommunityId::from_bytes)
        })
        .optional()?)
}

/// Topics of a community that hold messages.
pub fn written_topics(db: &Connection, community: CommunityId) -> Result<Vec<TopicId>, StoreError> {
    let mut statement = db.prepare_cached(WRITTEN)?;
    let topics = statement.query_map([community.as_bytes()], |row| {
        row.get(0).map(TopicId::from_bytes)
    })?;
    Ok(topics.collect::<Result<_, _>>()?)
}

fn read_wide(row: &SqlRow<'_>, at: usize) -> rusqlite::Result<WideMention> {
    let who: Vec<u8> = row.get(at + 1)?;
    Ok(WideMention {
        seq: Seq(counter(row, at)?),
        author: AccountId::from_bytes(row.get(at + 2)?),
        member_group: who.try_into().ok().map(MemberGroupId::from_bytes),
    })
}

/// The last of a topic's wide mentions: no more are read than are told.
fn wide(db: &Connection, topic: TopicId, head: Seq) -> Result<Vec<WideMention>, StoreError> {
    let after = number(head.0.saturating_sub(WIDE_MESSAGES));
    let mut statement = db.prepare_cached(WIDE)?;
    let found = statement.query_map((topic.as_bytes(), after, WIDE_MENTIONS), |row| {
        read_wide(row, 0)
    })?;
    let mut last = found.collect::<Result<Vec<_>, _>>()?;
    last.reverse();
    Ok(last)
}

/// Topics of a community that moved, and when.
pub fn moved_since(
    db: &Connection,
    community: CommunityId,
    since: Millis,
    after: Option<TopicId>,
) -> Result<Vec<(TopicId, Millis)>, StoreError> {
    // No id is empty: each comes after it.
    let after = after
        .as_ref()
        .map_or(&[] as &[u8], |topic| topic.as_bytes());
    let mut statement = db.prepare_cached(MOVED_SINCE)?;
    let moved = statement.query_map((community.as_bytes(), since, after), |row| {
        Ok((TopicId::from_bytes(row.get(0)?), row.get(1)?))
    })?;
    Ok(moved.collect::<Result<_, _>>()?)
}

/// Heads of some topics.
pub fn moved(db: &Connection, topics: Vec<TopicId>) -> Result<Vec<Moved>, StoreError> {
    let mut moved = Vec::new();
    for topic in topics {
        if let Some(head) = head(db, Log::Topic(topic))? {
            let wide = wide(db, topic, head.seq)?;
            moved.push(Moved { topic, head, wide });
        }
    }
    Ok(moved)
}

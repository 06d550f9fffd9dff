//! Messages, by place. Both parts are kept as they came, each with the rev of its last change; the newest wins.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};
use tulou_protocol::{
    AccountId, MessageId, Rev, Seq, TopicId,
    id::Millis,
    row::{Content, Marks, Message},
};

use super::{StoreError, int, legible, nat};

/// A message as it is held.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMessage {
    /// Its place.
    pub seq: Seq,
    /// Which.
    pub id: MessageId,
    /// What was written.
    pub content: Content,
    /// What others put on it.
    pub marks: Marks,
}

const COLUMNS: &str = "seq, id, content, marks";
/// Topics that were viewed last, of which not all goes.
const RECENT: usize = 20;
/// Messages that stay at the end of those, and before what is looked at.
const ENDS: u64 = 200;

/// The messages of a stretch that are held, in order.
pub fn stretch(
    db: &Connection,
    topic: TopicId,
    from: Seq,
    to: Seq,
    limit: u32,
) -> Result<Vec<StoredMessage>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages
         WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND seq BETWEEN ?2 AND ?3 AND content <> '' ORDER BY seq LIMIT ?4"
    ))?;
    read(statement.query(params![topic.as_bytes(), int(from.0), int(to.0), limit])?)
}

/// A message by its id.
pub fn by_id(
    db: &Connection,
    topic: TopicId,
    id: MessageId,
) -> Result<Option<StoredMessage>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages
         WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND id = ?2 AND content <> '' ORDER BY seq DESC LIMIT 1"
    ))?;
    Ok(read(statement.query(params![topic.as_bytes(), id.as_bytes()])?)?.pop())
}

/// Pinned messages, the newest pin first.
pub fn pinned(
    db: &Connection,
    topic: TopicId,
    limit: u32,
) -> Result<Vec<StoredMessage>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages INDEXED BY messages_pinned
         WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND pinned_at > 0 AND content <> '' ORDER BY pinned_at DESC LIMIT ?2"
    ))?;
    read(statement.query(params![topic.as_bytes(), limit])?)
}

/// The topics in which messages of mine are held.
pub(super) fn topics_with_mine(db: &Connection) -> Result<Vec<TopicId>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT topic FROM shelves WHERE topic IS NOT NULL AND EXISTS (
             SELECT 1 FROM messages INDEXED BY messages_mine WHERE shelf = no AND is_mine = 1
         ) ORDER BY topic",
    )?;
    let found = statement.query_map([], |row| Ok(TopicId::from_bytes(row.get(0)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// My messages after a place, as far as they are held.
pub(super) fn mine_since(
    db: &Connection,
    topic: TopicId,
    seq: Seq,
) -> Result<Vec<StoredMessage>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages INDEXED BY messages_mine
         WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND seq > ?2 AND is_mine = 1 AND content <> '' ORDER BY seq"
    ))?;
    read(statement.query(params![topic.as_bytes(), int(seq.0)])?)
}

/// How many of my messages lie after a place, as far as they are held.
pub fn mine_after(db: &Connection, topic: TopicId, seq: Seq) -> Result<u64, StoreError> {
    let count = db
        .prepare_cached(
            "SELECT count(*) FROM messages INDEXED BY messages_mine
             WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND seq > ?2 AND is_mine = 1",
        )?
        .query_row(params![topic.as_bytes(), int(seq.0)], |row| row.get(0))?;
    Ok(nat(count))
}

/// The place of the last message of a topic that is not mine. Those that are not held are taken for others'.
pub fn last_of_others(
    db: &Connection,
    topic: TopicId,
    head: Seq,
) -> Result<Option<Seq>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT seq, is_mine FROM messages WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) ORDER BY seq DESC")?;
    let mut held = statement.query(params![topic.as_bytes()])?;
    let mut place = head.0;
    while let Some(row) = held.next()? {
        let (seq, is_mine): (i64, bool) = (row.get(0)?, row.get(1)?);
        if nat(seq) < place || !is_mine {
            break;
        }
        place = nat(seq).saturating_sub(1);
    }
    Ok((place > 0).then_some(Seq(place)))
}

/// The place of the first message after `seq` that is not mine, of whom at most `own` are. Those that are not held are
/// taken for others'.
pub fn first_of_others(
    db: &Connection,
    topic: TopicId,
    seq: Seq,
    own: u64,
) -> Result<Seq, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT seq, is_mine FROM messages
         WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND seq > ?2 ORDER BY seq LIMIT ?3",
    )?;
    let mut held = statement.query(params![topic.as_bytes(), int(seq.0), int(own)])?;
    let mut place = seq.next();
    while let Some(row) = held.next()? {
        let (seq, is_mine): (i64, bool) = (row.get(0)?, row.get(1)?);
        if nat(seq) > place.0 || !is_mine {
            break;
        }
        place = place.next();
    }
    Ok(place)
}

fn read(mut found: rusqlite::Rows<'_>) -> Result<Vec<StoredMessage>, StoreError> {
    let mut messages = Vec::new();
    while let Some(row) = found.next()? {
        let content = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
        let marks = row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?;
        let seq = Seq(nat(row.get(0)?));
        // One that cannot be read is missing; whoever reads a stretch has it fetched again.
        let Some(content) = legible(content, "a message") else {
            continue;
        };
        messages.push(StoredMessage {
            seq,
            id: MessageId::from_bytes(row.get(1)?),
            content,
            marks: if marks.is_empty() {
                Marks::default()
            } else {
                legible(marks, "what was put on a message").unwrap_or_default()
            },
        });
    }
    Ok(messages)
}

/// Takes the parts of a message that are newer than those held.
pub(super) fn put(
    db: &Connection,
    me: AccountId,
    topic: TopicId,
    id: MessageId,
    message: &Message,
) -> Result<(), StoreError> {
    let at = params![topic.as_bytes(), int(message.seq.0), id.as_bytes()];
    if message.content.is_some() || message.marks.is_some() {
        // A place holds one message; another one there is of an epoch that is gone.
        db.prepare_cached("INSERT OR IGNORE INTO shelves (topic) VALUES (?1)")?
            .execute([topic.as_bytes()])?;
        db.prepare_cached(
            "INSERT INTO messages (shelf, seq, id)
             VALUES ((SELECT no FROM shelves WHERE topic = ?1), ?2, ?3)
             ON CONFLICT DO UPDATE SET id = excluded.id, is_mine = 0, pinned_at = 0,
                 content_rev = 0, content = '', marks_rev = 0, marks = ''
             WHERE messages.id <> excluded.id",
        )?
        .execute(at)?;
    }
    if let Some(content) = &message.content {
        db.prepare_cached(
            "UPDATE messages SET content_rev = ?3, content = ?4, is_mine = ?5
             WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND seq = ?2 AND content_rev <= ?3",
        )?
        .execute(params![
            topic.as_bytes(),
            int(message.seq.0),
            int(message.content_rev.0),
            serde_json::to_string(content)?,
            content.author == me,
        ])?;
    }
    // A whole message without marks never had any, or all were taken back.
    let marks = match (&message.marks, &message.content) {
        (Some(marks), _) => Some(marks.clone()),
        (None, Some(_)) if message.marks_rev == Rev::ZERO => Some(Marks::default()),
        (None, _) => None,
    };
    if let Some(marks) = marks {
        db.prepare_cached(
            "UPDATE messages SET marks_rev = ?3, marks = ?4, pinned_at = ?5
             WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND seq = ?2 AND marks_rev <= ?3",
        )?
        .execute(params![
            topic.as_bytes(),
            int(message.seq.0),
            int(message.marks_rev.0),
            if marks == Marks::default() {
                String::new()
            } else {
                serde_json::to_string(&marks)?
            },
            marks.pinned_at.unwrap_or(0),
        ])?;
    }
    Ok(())
}

/// Drops the messages of a stretch.
pub(super) fn drop_range(
    db: &Connection,
    topic: TopicId,
    from: Seq,
    to: Seq,
) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM messages WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND seq BETWEEN ?2 AND ?3")?
        .execute(params![topic.as_bytes(), int(from.0), int(to.0)])?;
    Ok(())
}

/// Drops what came beyond a gap and was waiting for it to close: no engine knows of it any more.
pub(super) fn drop_loose(db: &Connection) -> Result<(), StoreError> {
    // From shelf to shelf: their messages are not looked at one by one.
    db.execute(
        "WITH ends(shelf, seq) AS MATERIALIZED (
             SELECT no, coalesce((SELECT max(to_seq) FROM islands WHERE islands.topic = shelves.topic), 0)
             FROM shelves WHERE topic IS NOT NULL
         )
         DELETE FROM messages WHERE (shelf, seq) IN (
             SELECT messages.shelf, messages.seq
             FROM ends CROSS JOIN messages ON messages.shelf = ends.shelf AND messages.seq > ends.seq
         )",
        [],
    )?;
    Ok(())
}

/// The messages of a topic are seen no longer, however many there are. They leave the file with [`sweep`].
pub fn forget(db: &Connection, topic: TopicId) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE shelves SET topic = NULL WHERE topic = ?1")?
        .execute([topic.as_bytes()])?;
    Ok(())
}

/// The messages of all topics are seen no longer: their revs are of an epoch that is gone.
pub(super) fn forget_all(db: &Connection) -> Result<(), StoreError> {
    db.execute("UPDATE shelves SET topic = NULL", [])?;
    Ok(())
}

/// Drops some of what is seen no longer; whether there may be more.
pub fn sweep(db: &Connection, most: u32) -> Result<bool, StoreError> {
    let shelf: Option<i64> = db
        .prepare_cached("SELECT no FROM shelves WHERE topic IS NULL LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let Some(shelf) = shelf else {
        return Ok(false);
    };
    let dropped = db
        .prepare_cached(
            "DELETE FROM messages WHERE shelf = ?1 AND seq IN (
                 SELECT seq FROM messages WHERE shelf = ?1 ORDER BY seq LIMIT ?2)",
        )?
        .execute(params![shelf, most])?;
    if dropped < most as usize {
        db.prepare_cached("DELETE FROM shelves WHERE no = ?1")?
            .execute([shelf])?;
    }
    Ok(true)
}

/// A topic is looked at, after all that were before: a clock that was wrong once changes nothing of the order.
pub fn view(db: &Connection, topic: TopicId, now: Millis) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO shelves (topic, viewed_at)
         VALUES (?1, max(?2, 1 + (SELECT coalesce(max(viewed_at), 0) FROM shelves)))
         ON CONFLICT (topic) DO UPDATE SET viewed_at = excluded.viewed_at",
    )?
    .execute(params![topic.as_bytes(), now])?;
    Ok(())
}

/// What there is no room for: of what was viewed longest ago the first messages, up to which place. Of the topics that were
/// viewed last the ends stay, or they would be fetched again each time. Of what is `shown`, with the first place that is
/// looked at, something goes only when there is nothing else, and nothing near that place. Nothing goes of topics that are
/// `stuck`. None if nothing can go.
pub fn oldest(
    db: &Connection,
    most: u32,
    shown: &BTreeMap<TopicId, Seq>,
    stuck: &BTreeSet<TopicId>,
) -> Result<Option<(TopicId, Seq)>, StoreError> {
    let mut shelves: Vec<(i64, TopicId)> = db
        .prepare_cached(
            "SELECT no, topic FROM shelves WHERE topic IS NOT NULL ORDER BY viewed_at, no",
        )?
        .query_map([], |row| {
            Ok((row.get(0)?, TopicId::from_bytes(row.get(1)?)))
        })?
        .collect::<Result<_, _>>()?;
    let on_screen: Vec<_> = shelves
        .extract_if(.., |(_, topic)| shown.contains_key(topic))
        .collect();
    let recent = shelves.split_off(shelves.len().saturating_sub(RECENT));
    let whole = shelves.into_iter().map(|shelf| (shelf, None));
    let but_end = recent.into_iter().map(|shelf| (shelf, Some(Seq(u64::MAX))));
    let seen = on_screen
        .into_iter()
        .map(|shelf| (shelf, shown.get(&shelf.1).copied()));
    let all = whole.chain(but_end).chain(seen);
    for ((shelf, topic), looked_at) in all.filter(|((_, topic), _)| !stuck.contains(topic)) {
        if let Some(to) = first_of(db, shelf, most, looked_at)? {
            return Ok(Some((topic, to)));
        }
    }
    Ok(None)
}

/// Whether something is held of a topic up to a place.
pub fn has_up_to(db: &Connection, topic: TopicId, to: Seq) -> Result<bool, StoreError> {
    let has = db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM messages
             WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND seq <= ?2)",
        )?
        .query_row(params![topic.as_bytes(), int(to.0)], |row| row.get(0))?;
    Ok(has)
}

/// The last of the first messages on a shelf, as many as may go at a time; with a place that is looked at, of those that are
/// neither near it nor at the end.
fn first_of(
    db: &Connection,
    shelf: i64,
    most: u32,
    looked_at: Option<Seq>,
) -> Result<Option<Seq>, StoreError> {
    let (first, to, last): (Option<i64>, Option<i64>, Option<i64>) = db
        .prepare_cached(
            "SELECT (SELECT seq FROM messages WHERE shelf = ?1 ORDER BY seq LIMIT 1),
                 (SELECT max(seq) FROM (
                     SELECT seq FROM messages WHERE shelf = ?1 ORDER BY seq LIMIT ?2)),
                 (SELECT seq FROM messages WHERE shelf = ?1 ORDER BY seq DESC LIMIT 1)",
        )?
        .query_row(params![shelf, most], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let (Some(first), Some(to), Some(last)) = (first, to, last) else {
        return Ok(None);
    };
    let bound = looked_at.map_or(u64::MAX, |at| at.0.min(nat(last)).saturating_sub(ENDS));
    let to = nat(to).min(bound);
    Ok((to >= nat(first)).then_some(Seq(to)))
}

/// Drops the messages of a topic with rev ≤ `rev` whose ids are not among those kept.
pub(super) fn reset(
    db: &Connection,
    topic: TopicId,
    rev: Rev,
    kept: &[(String, String)],
) -> Result<(), StoreError> {
    let kept: std::collections::HashSet<MessageId> =
        kept.iter().filter_map(|(_, id)| id.parse().ok()).collect();
    let held: Vec<(i64, [u8; 16])> = db
        .prepare_cached(
            "SELECT seq, id FROM messages WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND content_rev <= ?2 AND marks_rev <= ?2",
        )?
        .query_map(params![topic.as_bytes(), int(rev.0)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    for (seq, id) in held {
        if !kept.contains(&MessageId::from_bytes(id)) {
            db.prepare_cached("DELETE FROM messages WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND seq = ?2")?
                .execute(params![topic.as_bytes(), seq])?;
        }
    }
    Ok(())
}

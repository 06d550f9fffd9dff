//! Messages: reading them by page, by what changed, one by one.

mod write;

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row as SqlRow};
use tulou_protocol::{
    AccountId, Log, MessageId, Rev, Row, Seq, TopicId, authors,
    id::Millis,
    limits,
    question::{PageAt, Range},
    row::{Body, Content, Marks, Message},
};

pub use write::{insert, put_content, put_marks, put_reaction, put_wide};

use super::{
    account, cursor,
    log::{self, counter, number},
    row,
};
use crate::{
    domain::{
        Reader,
        facts::{Known, Needs, Stored},
    },
    store::{OwnMessage, StoreError, Stretch, TopicChanges},
};

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, seq, author, sent_at, written_at, text, reply_to, edited_at, recalled_by, rev, content_rev, \
             marks, marks_rev FROM message WHERE topic = ?1 AND ",
            $rest
        )
    };
}

const BEFORE: &str = columns!("seq < ?2 AND seq >= ?3 ORDER BY seq DESC LIMIT ?4");
const FROM: &str = columns!("seq >= ?2 ORDER BY seq LIMIT ?3");
const CHANGED: &str = columns!("rev > ?2 AND rev > first_rev ORDER BY rev");
const BY_ID: &str = columns!("id = ?2");
const WRITTEN_BY: &str =
    columns!("seq > ?2 AND author = ?3 AND recalled_by IS NULL ORDER BY seq LIMIT ?4");
const LAST_BY: &str = columns!("author = ?2 ORDER BY seq DESC LIMIT 1");
const AUTHOR_OF: &str = "SELECT author FROM message WHERE topic = ?1 AND seq = ?2";
const SEQ_OF: &str = "SELECT seq FROM message WHERE topic = ?1 AND id = ?2";
const SENT_AT: &str = "SELECT sent_at FROM message WHERE topic = ?1 AND seq = ?2";
const CONTENT_REV_OF: &str = "SELECT content_rev FROM message WHERE topic = ?1 AND id = ?2";
const MARKS_OF: &str = "SELECT marks FROM message WHERE topic = ?1 AND seq = ?2";
const PINS: &str = "SELECT count(*) FROM message WHERE topic = ?1 AND pinned_at IS NOT NULL";
const OWN_AFTER: &str =
    "SELECT count(*) FROM message WHERE topic = ?1 AND seq > ?2 AND author = ?3";
const HAS_REACTED: &str =
    "SELECT 1 FROM reaction WHERE topic = ?1 AND seq = ?2 AND key = ?3 AND account = ?4";
/// Statements whose plan is a test.
#[cfg(test)]
pub const HOT: &[&str] = &[
    BEFORE,
    FROM,
    CHANGED,
    BY_ID,
    WRITTEN_BY,
    LAST_BY,
    AUTHOR_OF,
    SEQ_OF,
    SENT_AT,
    CONTENT_REV_OF,
    MARKS_OF,
    PINS,
    OWN_AFTER,
    HAS_REACTED,
];

fn read(row: &SqlRow<'_>) -> rusqlite::Result<(MessageId, Rev, Message)> {
    let marks: Option<String> = row.get(11)?;
    let marks: Option<Marks> = marks.and_then(|json| serde_json::from_str(&json).ok());
    let message = Message {
        seq: Seq(counter(row, 1)?),
        content: Some(Content {
            author: AccountId::from_bytes(row.get(2)?),
            sent_at: row.get(3)?,
            written_at: row.get(4)?,
            text: row.get(5)?,
            reply_to: row
                .get::<_, Option<[u8; 16]>>(6)?
                .map(MessageId::from_bytes),
            edited_at: row.get(7)?,
            recalled_by: row
                .get::<_, Option<[u8; 16]>>(8)?
                .map(AccountId::from_bytes),
            more: Default::default(),
        }),
        content_rev: Rev(counter(row, 10)?),
        marks,
        marks_rev: Rev(counter(row, 12)?),
        more: Default::default(),
    };
    Ok((
        MessageId::from_bytes(row.get(0)?),
        Rev(counter(row, 9)?),
        message,
    ))
}

fn read_row(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    read(row).map(|(id, rev, message)| Row {
        id: id.to_string(),
        rev,
        body: message.into(),
    })
}

pub fn seq_of(row: &Row) -> Seq {
    if let Body::Message(message) = &row.body {
        message.seq
    } else {
        Seq::ZERO
    }
}

/// What is said of who wrote the messages among these rows.
pub fn authors(db: &Connection, rows: &[Row]) -> Result<Vec<(AccountId, Rev)>, StoreError> {
    let mut authors: Vec<(AccountId, Rev)> = Vec::new();
    for row in rows {
        if let Body::Message(Message {
            content: Some(content),
            ..
        }) = &row.body
            && !authors.iter().any(|(known, _)| *known == content.author)
        {
            let rev = account::profile(db, content.author)?.map_or(Rev::ZERO, |(_, rev)| rev);
            authors.push((content.author, rev));
        }
    }
    authors.retain(authors::is_said);
    Ok(authors)
}

/// When a message was sent; none if there is none.
fn sent_at(db: &Connection, topic: TopicId, seq: Seq) -> Result<Option<Millis>, StoreError> {
    let mut statement = db.prepare_cached(SENT_AT)?;
    let sent_at = statement.query_row((topic.as_bytes(), number(seq.0)), |row| row.get(0));
    Ok(sent_at.optional()?)
}

/// Whether there is a message at a place, sent at a time or later.
pub fn is_sent_since(
    db: &Connection,
    topic: TopicId,
    seq: Seq,
    time: Millis,
) -> Result<bool, StoreError> {
    Ok(sent_at(db, topic, seq)?.is_some_and(|sent_at| sent_at >= time))
}

/// The first place sent at a time or later. Times never go back along a topic, so this is a search by halves.
pub fn first_since(db: &Connection, topic: TopicId, time: Millis) -> Result<Seq, StoreError> {
    let head = log::head(db, Log::Topic(topic))?.unwrap_or_default();
    first_of(db, topic, head.seq, time)
}

/// The same of a topic whose last place is known.
pub fn first_of(
    db: &Connection,
    topic: TopicId,
    head: Seq,
    time: Millis,
) -> Result<Seq, StoreError> {
    // Most often all of it was sent before.
    if sent_at(db, topic, head)?.is_none_or(|sent_at| sent_at < time) {
        return Ok(head.next());
    }
    let (mut low, mut high) = (1, head.0);
    while low < high {
        let middle = low + (high - low) / 2;
        if sent_at(db, topic, Seq(middle))?.is_some_and(|sent_at| sent_at >= time) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(Seq(low))
}

/// The first place that may be read by whoever may read what was sent since a time, or all of it.
pub fn floor(db: &Connection, topic: TopicId, since: Option<Millis>) -> Result<Seq, StoreError> {
    since.map_or(Ok(Seq(1)), |since| first_since(db, topic, since))
}

/// How much may be in an answer: rows, and about so many bytes of them.
#[derive(Clone, Copy)]
struct Room {
    rows: usize,
    bytes: usize,
}

impl Room {
    const fn half(self) -> Self {
        Self {
            rows: self.rows / 2,
            bytes: self.bytes / 2,
        }
    }
}

/// About what a row takes in an answer.
fn bytes_of(row: &Row) -> usize {
    /// Ids, numbers and the names of fields.
    const BESIDE: usize = 200;
    let Body::Message(message) = &row.body else {
        return BESIDE;
    };
    let text = message
        .content
        .as_ref()
        .map_or(0, |content| content.text.len());
    let marks = message.marks.as_ref().map_or(0, |marks| {
        marks.reactions.iter().map(|one| one.key.len() + 40).sum()
    });
    BESIDE + text + marks
}

/// Takes rows while there is room for them, one at least.
fn fill(
    rows: impl Iterator<Item = rusqlite::Result<Row>>,
    room: Room,
) -> Result<Vec<Row>, StoreError> {
    let mut taken = Vec::new();
    let mut bytes = 0;
    for row in rows.take(room.rows) {
        let row = row?;
        bytes += bytes_of(&row);
        if bytes > room.bytes && !taken.is_empty() {
            break;
        }
        taken.push(row);
    }
    Ok(taken)
}

fn before(
    db: &Connection,
    topic: TopicId,
    seq: Seq,
    floor: Seq,
    room: Room,
) -> Result<Vec<Row>, StoreError> {
    let mut statement = db.prepare_cached(BEFORE)?;
    let limit = number(room.rows as u64);
    let range = (topic.as_bytes(), number(seq.0), number(floor.0), limit);
    let mut rows = fill(statement.query_map(range, read_row)?, room)?;
    rows.reverse();
    Ok(rows)
}

fn from(db: &Connection, topic: TopicId, seq: Seq, room: Room) -> Result<Vec<Row>, StoreError> {
    let mut statement = db.prepare_cached(FROM)?;
    let range = (topic.as_bytes(), number(seq.0), number(room.rows as u64));
    fill(statement.query_map(range, read_row)?, room)
}

/// A page.
pub fn page(
    db: &Connection,
    topic: TopicId,
    at: PageAt,
    limit: usize,
    since: Option<Millis>,
) -> Result<Option<Stretch>, StoreError> {
    let floor = floor(db, topic, since)?;
    let head = log::head(db, Log::Topic(topic))?.unwrap_or_default();
    let room = Room {
        rows: limit.clamp(1, limits::PAGE),
        bytes: limits::ANSWER_BYTES,
    };
    let around = |seq: Seq| -> Result<Vec<Row>, StoreError> {
        let seq = Seq(seq.0.clamp(floor.0, head.seq.0.max(floor.0)));
        let half = room.half();
        let mut rows = before(db, topic, seq, floor, half)?;
        let rest = Room {
            rows: room.rows - half.rows,
            ..half
        };
        rows.extend(from(db, topic, seq, rest)?);
        Ok(rows)
    };
    let rows = match at {
        PageAt::End => before(db, topic, head.seq.next(), floor, room)?,
        PageAt::Before(seq) => before(db, topic, seq, floor, room)?,
        PageAt::After(seq) => from(db, topic, seq.next().max(floor), room)?,
        PageAt::Around(seq) => around(seq)?,
        PageAt::Message(id) => {
            let seq: Option<Seq> = db
                .prepare_cached(SEQ_OF)?
                .query_row((topic.as_bytes(), id.as_bytes()), |row| {
                    counter(row, 0).map(Seq)
                })
                .optional()?;
            match seq {
                Some(seq) if seq >= floor => around(seq)?,
                Some(_) | None => return Ok(None),
            }
        }
    };
    let authors = authors(db, &rows)?;
    Ok(Some(Stretch {
        head,
        floor,
        rows,
        authors,
    }))
}

/// Messages that were written or changed after a rev, in the order of rev; one more than `most` if there are more.
pub fn since(
    db: &Connection,
    topic: TopicId,
    since: Rev,
    most: usize,
) -> Result<Vec<Row>, StoreError> {
    let mut found = BTreeMap::new();
    let mut changed = db.prepare_cached(CHANGED)?;
    let changed = changed.query_map((topic.as_bytes(), number(since.0)), read_row)?;
    for row in changed.take(most + 1) {
        let row = row?;
        found.insert(row.rev, row);
    }
    let mut newest = db.prepare_cached(BEFORE)?;
    let range = (topic.as_bytes(), i64::MAX, 0, number(most as u64 + 1));
    for row in newest.query_map(range, read_row)? {
        let row = row?;
        // What stands before it was written earlier still.
        if row.rev <= since {
            break;
        }
        found.insert(row.rev, row);
    }
    Ok(found.into_values().collect())
}

/// What changed in stretches, and, if that is wanted, the tail.
pub fn changes(
    db: &Connection,
    topic: TopicId,
    ranges: &[Range],
    since: Option<Millis>,
    has_tail: bool,
    most: usize,
) -> Result<TopicChanges, StoreError> {
    let floor = floor(db, topic, since)?;
    let head = log::head(db, Log::Topic(topic))?.unwrap_or_default();
    let mut found = TopicChanges {
        head,
        floor,
        rev: head.rev,
        ..TopicChanges::default()
    };
    // What is valid as of the rows that were looked at.
    let mut covered = head.rev;
    let mut bytes = 0;
    if let Some(oldest) = ranges.iter().map(|range| range.rev).min() {
        let mut statement = db.prepare_cached(CHANGED)?;
        let mut rows = statement.query((topic.as_bytes(), number(oldest.0)))?;
        while let Some(row) = rows.next()? {
            let (seq, rev) = (Seq(counter(row, 1)?), Rev(counter(row, 9)?));
            let is_held = ranges.iter().any(|range| {
                range.from <= seq && seq <= range.to && rev > range.rev && seq >= floor
            });
            let is_full = found.rows.len() == limits::SYNC_ROWS || bytes >= limits::ANSWER_BYTES;
            if found.looked_at >= most.max(1) || (is_held && is_full) {
                found.has_more = true;
                break;
            }
            if is_held {
                let row = read_row(row)?;
                bytes += bytes_of(&row);
                found.rows.push(row);
            }
            found.looked_at += 1;
            covered = rev;
        }
    }
    if found.has_more {
        found.rev = covered;
    } else if has_tail {
        let held = ranges
            .iter()
            .map(|range| range.to)
            .max()
            .unwrap_or_default();
        let start = held.next().max(floor);
        if start <= head.seq {
            let room = Room {
                rows: limits::PAGE,
                bytes: limits::ANSWER_BYTES.saturating_sub(bytes),
            };
            let tail = before(db, topic, head.seq.next(), start, room)?;
            found.tail_from = tail.first().map(seq_of);
            found.rows.extend(tail);
        }
    }
    found.authors = authors(db, &found.rows)?;
    Ok(found)
}

/// The rev of a message's last change.
pub fn content_rev(
    db: &Connection,
    topic: TopicId,
    id: MessageId,
) -> Result<Option<Rev>, StoreError> {
    Ok(db
        .prepare_cached(CONTENT_REV_OF)?
        .query_row((topic.as_bytes(), id.as_bytes()), |row| {
            counter(row, 0).map(Rev)
        })
        .optional()?)
}

/// A message's second part, if it ever had any.
pub fn marks(db: &Connection, topic: TopicId, seq: Seq) -> Result<Option<Marks>, StoreError> {
    let found: Option<Option<String>> = db
        .prepare_cached(MARKS_OF)?
        .query_row((topic.as_bytes(), number(seq.0)), |row| row.get(0))
        .optional()?;
    Ok(found
        .flatten()
        .map(|json| serde_json::from_str(&json))
        .transpose()?)
}

/// How many messages of a topic are pinned.
pub fn pins(db: &Connection, topic: TopicId) -> Result<usize, StoreError> {
    let count = db
        .prepare_cached(PINS)?
        .query_row([topic.as_bytes()], |row| counter(row, 0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// A message with the rev of its last change.
pub fn find(
    db: &Connection,
    topic: TopicId,
    id: MessageId,
) -> Result<Option<(Rev, Message)>, StoreError> {
    Ok(db
        .prepare_cached(BY_ID)?
        .query_row((topic.as_bytes(), id.as_bytes()), read)
        .optional()?
        .map(|(_, rev, message)| (rev, message)))
}

/// Messages of an account after a place that were not recalled.
pub fn written_by(
    db: &Connection,
    account: AccountId,
    topic: TopicId,
    after: Seq,
    limit: usize,
) -> Result<Vec<OwnMessage>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found: Result<Vec<_>, _> = db
        .prepare_cached(WRITTEN_BY)?
        .query_map(
            (topic.as_bytes(), number(after.0), account.as_bytes(), limit),
            |row| read(row).map(|(id, rev, message)| OwnMessage { id, rev, message }),
        )?
        .collect();
    Ok(found?)
}

/// The last message of an account in a topic.
pub fn last_written_by(
    db: &Connection,
    account: AccountId,
    topic: TopicId,
) -> Result<Option<OwnMessage>, StoreError> {
    Ok(db
        .prepare_cached(LAST_BY)?
        .query_row((topic.as_bytes(), account.as_bytes()), |row| {
            read(row).map(|(id, rev, message)| OwnMessage { id, rev, message })
        })
        .optional()?)
}

/// Who wrote the message at a place.
pub fn author_of(
    db: &Connection,
    topic: TopicId,
    seq: Seq,
) -> Result<Option<AccountId>, StoreError> {
    Ok(db
        .prepare_cached(AUTHOR_OF)?
        .query_row((topic.as_bytes(), number(seq.0)), |row| {
            row.get(0).map(AccountId::from_bytes)
        })
        .optional()?)
}

/// How many messages after a place are by an account.
pub fn own_after(
    db: &Connection,
    topic: TopicId,
    seq: Seq,
    account: AccountId,
) -> Result<u64, StoreError> {
    Ok(db.prepare_cached(OWN_AFTER)?.query_row(
        (topic.as_bytes(), number(seq.0), account.as_bytes()),
        |row| counter(row, 0),
    )?)
}

/// What a command needs to be known.
pub fn known(db: &Connection, actor: AccountId, needs: &Needs) -> Result<Known, StoreError> {
    let mut known = Known::default();
    if let Some(topic) = needs.topic {
        known.head_seq = log::head(db, Log::Topic(topic))?.unwrap_or_default().seq;
        if let Some((id, reaction)) = &needs.message
            && let Some((rev, message)) = find(db, topic, *id)?
        {
            let has_reacted = match reaction {
                Some(key) => db.prepare_cached(HAS_REACTED)?.exists((
                    topic.as_bytes(),
                    number(message.seq.0),
                    key,
                    actor.as_bytes(),
                ))?,
                None => false,
            };
            known.message = Some(Stored {
                message,
                rev,
                has_reacted,
            });
        }
        if let Some(id) = needs.reply_to {
            known.has_reply_to = content_rev(db, topic, id)?.is_some();
        }
        if needs.pins {
            known.pins = pins(db, topic)?;
        }
        if let Some(seq) = needs.cursor_at {
            known.cursor = cursor::of(db, actor, topic)?;
            known.floor = floor(db, topic, needs.reader.and_then(Reader::readable_since))?;
            if let Some(reader) = needs.reader {
                known.read = cursor::read_before(db, actor, topic, reader)?;
            }
            // An advance to a place behind the cursor changes nothing, whatever is counted after it.
            let seq = seq.max(known.unreadable()).min(known.head_seq);
            known.own_after = own_after(db, topic, seq, actor)?;
        }
    }
    if let Some((kind, id)) = &needs.own {
        let own = Log::Account(actor);
        let is_there = row::rev(db, own, kind, id)?.is_some();
        known.own = (row::count(db, own, kind)?, is_there);
    }
    if needs.profile {
        known.profile = account::profile(db, actor)?;
    }
    if let Some(community) = needs.community
        && needs.heads
    {
        known.written_topics = log::written_topics(db, community)?;
    }
    Ok(known)
}

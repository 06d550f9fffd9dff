//! Rows of a topic for an answer, as many as it holds: a page, what was written since, what changed in what is held.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};
use tulou_protocol::{
    Log, Rev, Row, Seq, TopicId,
    id::Millis,
    limits,
    question::{PageAt, Range},
    row::Body,
};

use super::{BEFORE, CHANGED, FROM, SEQ_OF, authors, floor, read_row, seq_of};
use crate::store::{
    StoreError, Stretch, TopicChanges,
    sqlite::log::{self, counter, number},
};

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

//! Messages, read one by one.
//!
//! * `stretches`: many of them
//! * `write`: what is written

mod stretches;
mod write;

use rusqlite::{Connection, OptionalExtension, Row as SqlRow};
use tulou_protocol::{
    AccountId, Log, MessageId, Rev, Row, Seq, TopicId, authors,
    id::Millis,
    row::{Body, Content, Marks, Message},
};

pub use stretches::{changes, page, since};
pub use write::{insert, put_content, put_marks, put_reaction, put_wide};

use super::{
    account,
    log::{self, counter, number},
};
use crate::store::{OwnMessage, StoreError};

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

/// Whether an account has reacted to a message with a key.
pub fn has_reacted(
    db: &Connection,
    topic: TopicId,
    seq: Seq,
    key: &str,
    account: AccountId,
) -> Result<bool, StoreError> {
    let of = (topic.as_bytes(), number(seq.0), key, account.as_bytes());
    Ok(db.prepare_cached(HAS_REACTED)?.exists(of)?)
}

//! How far an account has read a topic: its `Cursor` row, and what was sent before it was there, which is read.

use rusqlite::Connection;
use tulou_protocol::{
    AccountId, Log, Rev, Seq, TopicId, id::Millis, push::ReadBefore, row::Cursor,
};

use super::{log, message, row};
use crate::{domain::Reader, store::StoreError};

/// The row.
pub fn of(
    db: &Connection,
    account: AccountId,
    topic: TopicId,
) -> Result<Option<(Cursor, Rev)>, StoreError> {
    let found = dated(db, account, topic)?;
    Ok(found.map(|(cursor, rev, _)| (cursor, rev)))
}

/// The row, and when it was written.
pub fn dated(
    db: &Connection,
    account: AccountId,
    topic: TopicId,
) -> Result<Option<(Cursor, Rev, Millis)>, StoreError> {
    row::dated(db, Log::Account(account), "cursor", &topic.to_string())
}

/// How far the topic counts as read, where the row does not say it.
pub fn read_before(
    db: &Connection,
    account: AccountId,
    topic: TopicId,
    reader: Reader,
) -> Result<Option<ReadBefore>, StoreError> {
    let (head, moved_at) = log::last_written(db, topic)?.unwrap_or_default();
    let held = dated(db, account, topic)?;
    if moved_at >= reader.since {
        return beyond(db, (account, topic, head), held.as_ref(), reader);
    }
    // Nothing was sent since he came.
    let read = held_before(held.as_ref(), reader);
    Ok(read
        .filter(|(seq, _)| *seq < head)
        .map(|(_, over)| ReadBefore {
            seq: head,
            own: 0,
            over,
        }))
}

/// Up to where his row says that he has read, and its rev, if it does not say all: he was there when he read, and may read all
/// of it.
fn held_before(held: Option<&(Cursor, Rev, Millis)>, reader: Reader) -> Option<(Seq, Rev)> {
    match held {
        Some((_, _, at)) if *at >= reader.since && reader.has_history => None,
        Some((cursor, rev, _)) => Some((cursor.seq, *rev)),
        None => Some((Seq::ZERO, Rev::ZERO)),
    }
}

/// The same over a row that is known, of a topic whose last place is known.
pub fn beyond(
    db: &Connection,
    (account, topic, head): (AccountId, TopicId, Seq),
    held: Option<&(Cursor, Rev, Millis)>,
    reader: Reader,
) -> Result<Option<ReadBefore>, StoreError> {
    let Some((read, over)) = held_before(held, reader) else {
        return Ok(None);
    };
    if message::is_sent_since(db, topic, read.next(), reader.since)? {
        return Ok(None);
    }
    let seq = Seq(message::first_of(db, topic, head, reader.since)?.0 - 1);
    if seq <= read {
        return Ok(None);
    }
    let own = match held {
        Some(_) => message::own_after(db, topic, seq, account)?,
        // Whoever writes has a row.
        None => 0,
    };
    Ok(Some(ReadBefore { seq, own, over }))
}

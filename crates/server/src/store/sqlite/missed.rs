//! What was written to a log after a rev, read again: for a hub that missed it on the way.

use rusqlite::Connection;
use tulou_protocol::{Log, Rev};

use super::{log, message, row};
use crate::store::{StoreError, Written, WrittenRow};

/// The rows in the order of rev. None if there are more than so many, or if tombstones among them are forgotten.
pub fn after(
    db: &Connection,
    log: Log,
    since: Rev,
    most: usize,
) -> Result<Option<Written>, StoreError> {
    let Some(head) = log::head(db, log)? else {
        return Ok(None);
    };
    if log::floor(db, log)? > since {
        return Ok(None);
    }
    let rows = match log {
        Log::Topic(topic) => message::since(db, topic, since, most)?,
        Log::Community(_) | Log::Account(_) => row::since(db, log, since, most + 1)?,
    };
    if rows.len() > most {
        return Ok(None);
    }
    let authors = message::authors(db, &rows)?;
    let rows = rows.into_iter().map(|row| {
        // Nobody has the changes that say what it means for who is a member.
        let kept = Some(row.clone());
        Ok(WrittenRow {
            row: kept,
            ..WrittenRow::of(log, row)?
        })
    });
    let rows: Result<Vec<_>, StoreError> = rows.collect();
    Ok(Some(Written {
        log,
        prev: since,
        rev: head.rev,
        rows: rows?,
        authors,
    }))
}

//! What was written by a clock that was ahead goes back with it: all of it by as much, so that it stays in order, and who
//! came after a message stays after it. Otherwise what comes next would be older than what came before, and whoever asks by
//! time would miss it.

use rusqlite::{Connection, OptionalExtension};
use tulou_protocol::{TopicId, limits};

use crate::store::{Shift, StoreError};

const LATE: &str = "SELECT id FROM log WHERE kind = 0 AND moved_at > ?1";
/// Times never go back along a topic: those that are late are its last ones.
const LAST_RIGHT: &str =
    "SELECT seq FROM message WHERE topic = ?1 AND sent_at <= ?2 ORDER BY seq DESC LIMIT 1";
const MESSAGES: &str = "UPDATE message SET sent_at = sent_at - ?3 WHERE topic = ?1 AND seq > ?2";
/// What was done to messages, also to those of before.
const DONE_TO_MESSAGES: &[&str] = &[
    "UPDATE message SET edited_at = edited_at - ?3 WHERE topic = ?1 AND rev > first_rev AND edited_at > ?2",
    "UPDATE message SET pinned_at = pinned_at - ?3, marks = json_set(marks, '$.pinned_at', pinned_at - ?3)
     WHERE topic = ?1 AND pinned_at > ?2",
];
/// The rest, table by table.
const SHIFTS: &[&str] = &[
    "UPDATE log SET moved_at = moved_at - ?2 WHERE moved_at > ?1",
    "UPDATE row SET at = at - ?2 WHERE at > ?1 AND kind IN ('cursor', 'mention', 'mark')",
    "UPDATE member SET joined_at = joined_at - ?2 WHERE joined_at > ?1",
    "UPDATE seat SET since = since - ?2 WHERE since > ?1",
    "UPDATE account SET created_at = created_at - ?2 WHERE created_at > ?1",
    "UPDATE invite SET created_at = created_at - ?2, expires_at = expires_at - ?2 WHERE created_at > ?1",
    "UPDATE answer SET at = at - ?2 WHERE at > ?1",
    "UPDATE session SET seen_at = seen_at - ?2 WHERE seen_at > ?1",
    "UPDATE session SET created_at = created_at - ?2 WHERE created_at > ?1",
    "UPDATE row SET body = json_set(body, '$.sent_at', json_extract(body, '$.sent_at') - ?2)
     WHERE deleted = 0 AND kind = 'mention' AND json_extract(body, '$.sent_at') > ?1",
    "UPDATE row SET body = json_set(body, '$.joined_at', json_extract(body, '$.joined_at') - ?2)
     WHERE deleted = 0 AND kind = 'membership' AND json_extract(body, '$.joined_at') > ?1",
    "UPDATE row SET body = json_set(body, '$.created_at', json_extract(body, '$.created_at') - ?2)
     WHERE deleted = 0 AND kind = 'community' AND json_extract(body, '$.created_at') > ?1",
];
/// Codes that the administrator made: that and when shows by when they end.
const CODES: &str = "UPDATE recovery SET expires_at = expires_at - ?2 WHERE expires_at > ?1";

/// What is of later than a time goes back.
pub fn by(db: &Connection, shift: Shift) -> Result<(), StoreError> {
    let mut late = db.prepare_cached(LATE)?;
    let late: Vec<TopicId> = late
        .query_map([shift.after], |row| row.get(0).map(TopicId::from_bytes))?
        .collect::<Result<_, _>>()?;
    for topic in late {
        let right: Option<i64> = db
            .prepare_cached(LAST_RIGHT)?
            .query_row((topic.as_bytes(), shift.after), |row| row.get(0))
            .optional()?;
        db.prepare_cached(MESSAGES)?.execute((
            topic.as_bytes(),
            right.unwrap_or_default(),
            shift.by,
        ))?;
        for done in DONE_TO_MESSAGES {
            let mut done = db.prepare_cached(done)?;
            done.execute((topic.as_bytes(), shift.after, shift.by))?;
        }
    }
    for table in SHIFTS {
        db.execute(table, (shift.after, shift.by))?;
    }
    let valid_ms = limits::RESET_DAYS * 24 * 60 * 60 * 1_000;
    db.execute(CODES, (shift.after + valid_ms, shift.by))?;
    Ok(())
}

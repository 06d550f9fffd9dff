//! What was written by a clock that was ahead: it is of the time at which the clock was set right. Otherwise what comes next
//! would be older than what came before, and whoever asks by time would miss it.

use rusqlite::{Connection, OptionalExtension};
use tulou_protocol::{TopicId, id::Millis};

use crate::store::StoreError;

const LATE: &str = "SELECT id FROM log WHERE kind = 0 AND moved_at > ?1";
/// Times never go back along a topic: those that are late are its last ones.
const LAST_RIGHT: &str =
    "SELECT seq FROM message WHERE topic = ?1 AND sent_at <= ?2 ORDER BY seq DESC LIMIT 1";
/// The rest, table by table.
const CLAMPS: &[&str] = &[
    "UPDATE log SET moved_at = ?1 WHERE moved_at > ?1",
    "UPDATE row SET at = ?1 WHERE at > ?1 AND kind IN ('mention', 'mark')",
    "UPDATE member SET joined_at = ?1 WHERE joined_at > ?1",
    "UPDATE seat SET since = ?1 WHERE since > ?1",
    "UPDATE answer SET at = ?1 WHERE at > ?1",
    "UPDATE session SET seen_at = ?1 WHERE seen_at > ?1",
];

/// Sets right what is of later than a time.
pub fn to(db: &Connection, time: Millis) -> Result<(), StoreError> {
    let mut late = db.prepare(LATE)?;
    let late: Vec<TopicId> = late
        .query_map([time], |row| row.get(0).map(TopicId::from_bytes))?
        .collect::<Result<_, _>>()?;
    for topic in late {
        let right: Option<i64> = db
            .prepare_cached(LAST_RIGHT)?
            .query_row((topic.as_bytes(), time), |row| row.get(0))
            .optional()?;
        db.prepare_cached("UPDATE message SET sent_at = ?3 WHERE topic = ?1 AND seq > ?2")?
            .execute((topic.as_bytes(), right.unwrap_or_default(), time))?;
    }
    for clamp in CLAMPS {
        db.execute(clamp, [time])?;
    }
    Ok(())
}

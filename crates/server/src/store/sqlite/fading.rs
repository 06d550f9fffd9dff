//! What does not stay for good: `Mention` and `Mark` rows become tombstones, tombstones go, stored answers go. All in
//! bounded steps, so that nothing waits long for the writer.

use rusqlite::{Connection, Row as SqlRow};
use tulou_protocol::{AccountId, Rev, id::Millis};

use super::log::{counter, number};
use crate::store::{Fading, StoreError};

const OLD: &str = "SELECT log, kind, id, rev FROM row
    WHERE deleted = 0 AND kind IN ('mention', 'mark') AND at < ?1 ORDER BY at LIMIT ?2";
const MANY: &str = "SELECT log, kind, count(*) FROM row
    WHERE deleted = 0 AND kind IN ('mention', 'mark') GROUP BY log, kind HAVING count(*) > ?1 LIMIT ?2";
const OLDEST: &str = "SELECT log, kind, id, rev FROM row
    WHERE deleted = 0 AND kind IN ('mention', 'mark') AND log = ?1 AND kind = ?2 ORDER BY rev LIMIT ?3";
const GONE: &str = "SELECT log, kind, id, rev FROM row
    WHERE deleted = 1 AND kind IN ('mention', 'mark') AND at < ?1 ORDER BY at LIMIT ?2";
/// Statements whose plan is a test.
#[cfg(test)]
pub const HOT: &[&str] = &[OLD, OLDEST, GONE];

fn read(row: &SqlRow<'_>) -> rusqlite::Result<Fading> {
    Ok(Fading {
        account: AccountId::from_bytes(row.get(0)?),
        kind: row.get(1)?,
        id: row.get(2)?,
        rev: Rev(counter(row, 3)?),
    })
}

/// `Mention` and `Mark` rows from before a time, and the oldest of those of which an account has more than `most` of a
/// kind; at most `limit` in all.
pub fn fading(
    db: &Connection,
    before: Millis,
    most: usize,
    limit: usize,
) -> Result<Vec<Fading>, StoreError> {
    let mut found: Vec<Fading> = db
        .prepare_cached(OLD)?
        .query_map((before, number(limit as u64)), read)?
        .collect::<Result<_, _>>()?;
    let crowds: Vec<([u8; 16], String, u64)> = db
        .prepare_cached(MANY)?
        .query_map((number(most as u64), number(limit as u64)), |row| {
            Ok((row.get(0)?, row.get(1)?, counter(row, 2)?))
        })?
        .collect::<Result<_, _>>()?;
    for (log, kind, count) in crowds {
        let left = limit.saturating_sub(found.len()) as u64;
        let beyond = count.saturating_sub(most as u64).min(left);
        let mut statement = db.prepare_cached(OLDEST)?;
        for row in statement.query_map((log, kind, number(beyond)), read)? {
            let row = row?;
            if !found.contains(&row) {
                found.push(row);
            }
        }
    }
    Ok(found)
}

/// Forgets tombstones of such rows from before a time, at most `limit`; how many. The floors of their logs rise.
pub fn forget_tombstones(
    db: &Connection,
    before: Millis,
    limit: usize,
) -> Result<usize, StoreError> {
    let gone: Vec<Fading> = db
        .prepare_cached(GONE)?
        .query_map((before, number(limit as u64)), read)?
        .collect::<Result<_, _>>()?;
    for row in &gone {
        db.prepare_cached("DELETE FROM row WHERE log = ?1 AND kind = ?2 AND id = ?3")?
            .execute((row.account.as_bytes(), &row.kind, &row.id))?;
        db.prepare_cached("UPDATE log SET floor = max(floor, ?2) WHERE id = ?1")?
            .execute((row.account.as_bytes(), number(row.rev.0)))?;
    }
    Ok(gone.len())
}

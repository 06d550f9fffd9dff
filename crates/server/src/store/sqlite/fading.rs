//! What does not stay for good: `Mention` and `Mark` rows become tombstones, tombstones go, stored answers go. All in
//! bounded steps, so that nothing waits long for the writer.

use rusqlite::{Connection, Row as SqlRow};
use tulou_protocol::{AccountId, Rev, id::Millis};

use super::log::{counter, number};
use crate::store::{Fading, StoreError};

const OLD: &str = "SELECT log, kind, id, rev FROM row
    WHERE deleted = 0 AND kind IN ('mention', 'mark') AND at < ?1 ORDER BY at LIMIT ?2";
const MANY: &str = "SELECT log, kind, count(*) FROM row
    WHERE deleted = 0 AND kind IN ('mention', 'mark') GROUP BY log, kind HAVING count(*) > ?1";
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

/// `Mention` and `Mark` rows from before a time, at most `limit`.
pub fn fading(db: &Connection, before: Millis, limit: usize) -> Result<Vec<Fading>, StoreError> {
    let mut statement = db.prepare_cached(OLD)?;
    let rows = statement.query_map((before, number(limit as u64)), read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Accounts that have more than `most` rows of a kind, with how many more.
pub fn crowded(
    db: &Connection,
    most: usize,
) -> Result<Vec<(AccountId, String, usize)>, StoreError> {
    let mut statement = db.prepare_cached(MANY)?;
    let rows = statement.query_map([number(most as u64)], |row| {
        let beyond = counter(row, 2)?.saturating_sub(most as u64);
        let beyond = usize::try_from(beyond).unwrap_or(usize::MAX);
        Ok((AccountId::from_bytes(row.get(0)?), row.get(1)?, beyond))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The oldest rows of a kind of an account.
pub fn oldest(
    db: &Connection,
    account: AccountId,
    kind: &str,
    limit: usize,
) -> Result<Vec<Fading>, StoreError> {
    let mut statement = db.prepare_cached(OLDEST)?;
    let of = (account.as_bytes(), kind, number(limit as u64));
    let rows = statement.query_map(of, read)?;
    Ok(rows.collect::<Result<_, _>>()?)
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

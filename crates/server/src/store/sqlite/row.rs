//! Rows of community and account logs.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow};
use serde::de::DeserializeOwned;
use tulou_protocol::{GroupId, Log, Rev, Row, TopicId, id::Millis, permission::Place, row::Body};

use super::log::{self, counter, number};
use crate::store::{RowsSince, StoreError};

const SINCE: &str = "SELECT kind, id, rev, deleted, body FROM row WHERE log = ?1 AND rev > ?2 ORDER BY rev LIMIT ?3";
const FIND: &str =
    "SELECT rev, body, at FROM row WHERE log = ?1 AND kind = ?2 AND id = ?3 AND deleted = 0";
const PUT: &str =
    "INSERT INTO row (log, kind, id, rev, deleted, body, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (log, kind, id) DO UPDATE SET rev = ?4, deleted = ?5, body = ?6, at = ?7";
const COUNT: &str = "SELECT count(*) FROM row WHERE log = ?1 AND kind = ?2 AND deleted = 0";
const RIGHTS_MOVED: &str = "SELECT 1 FROM row WHERE log = ?1 AND rev > ?2 AND (kind = 'community' OR (kind = 'topic' AND id = ?3)
    OR (kind = 'access' AND substr(id, 1, instr(id, ':') - 1) IN (?4, ?5, ?6))) LIMIT 1";
/// Statements whose plan is a test.
#[cfg(test)]
pub const HOT: &[&str] = &[SINCE, FIND, COUNT, RIGHTS_MOVED];

fn read(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    let kind: String = row.get(0)?;
    let is_deleted: bool = row.get(3)?;
    let body: String = row.get(4)?;
    let rev = Rev(counter(row, 2)?);
    let value = (!is_deleted).then(|| serde_json::from_str(&body).unwrap_or_default());
    Ok(Row {
        id: row.get(1)?,
        rev,
        body: Body::from_value(&kind, rev, value),
    })
}

/// Rows after a rev, in the order of rev.
pub fn since(db: &Connection, log: Log, since: Rev, limit: usize) -> Result<Vec<Row>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(SINCE)?;
    let rows = statement.query_map((log.uuid().as_bytes(), number(since.0), limit), read)?;
    let rows: Result<Vec<_>, _> = rows.collect();
    Ok(rows?)
}

/// Rows after a rev with the head that they lead to. Where tombstones are forgotten that whoever asks has to hear of, from
/// the first row on.
pub fn of_log(
    db: &Connection,
    log: Log,
    asked: Rev,
    begun: Option<Rev>,
    limit: usize,
) -> Result<RowsSince, StoreError> {
    let floor = log::floor(db, log)?;
    let is_forgotten = asked > Rev::ZERO && begun.unwrap_or(asked) < floor;
    let from = if is_forgotten { Rev::ZERO } else { asked };
    Ok(RowsSince {
        head: log::head(db, log)?.unwrap_or_default(),
        floor,
        since: from,
        rows: since(db, log, from, limit)?,
    })
}

/// A row's body, if it is there.
pub fn find<T: DeserializeOwned>(
    db: &Connection,
    log: Log,
    kind: &str,
    id: &str,
) -> Result<Option<(T, Rev)>, StoreError> {
    let found = dated(db, log, kind, id)?;
    Ok(found.map(|(body, rev, _)| (body, rev)))
}

/// The same, and when it was written.
pub fn dated<T: DeserializeOwned>(
    db: &Connection,
    log: Log,
    kind: &str,
    id: &str,
) -> Result<Option<(T, Rev, Millis)>, StoreError> {
    let found: Option<(Rev, String, Millis)> = db
        .prepare_cached(FIND)?
        .query_row((log.uuid().as_bytes(), kind, id), |row| {
            Ok((Rev(counter(row, 0)?), row.get(1)?, row.get(2)?))
        })
        .optional()?;
    match found {
        Some((rev, body, at)) => Ok(Some((serde_json::from_str(&body)?, rev, at))),
        None => Ok(None),
    }
}

/// How many rows of a kind there are.
pub fn count(db: &Connection, log: Log, kind: &str) -> Result<usize, StoreError> {
    let count = db
        .prepare_cached(COUNT)?
        .query_row((log.uuid().as_bytes(), kind), |row| counter(row, 0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// The rev of a row that is there.
pub fn rev(db: &Connection, log: Log, kind: &str, id: &str) -> Result<Option<Rev>, StoreError> {
    Ok(db
        .prepare_cached(FIND)?
        .query_row((log.uuid().as_bytes(), kind, id), |row| {
            counter(row, 0).map(Rev)
        })
        .optional()?)
}

/// Whether something that decides on rights in a topic of a group has changed in a community's log since a rev.
pub fn rights_moved(
    db: &Connection,
    log: Log,
    (topic, group): (TopicId, GroupId),
    since: Rev,
) -> Result<bool, StoreError> {
    let (community, within) = (Place::Community, Place::Group(group));
    Ok(db.prepare_cached(RIGHTS_MOVED)?.exists((
        log.uuid().as_bytes(),
        number(since.0),
        topic.to_string(),
        community.to_string(),
        within.to_string(),
        Place::Topic(topic).to_string(),
    ))?)
}

/// Writes a row, and when it changed.
pub fn put(db: &Connection, log: Log, row: &Row, at: Millis) -> Result<(), StoreError> {
    let fields = row.fields();
    let is_deleted = fields.is_none();
    let fields = fields.map(|fields| serde_json::to_string(&fields));
    db.prepare_cached(PUT)?.execute((
        log.uuid().as_bytes(),
        row.body.kind(),
        &row.id,
        number(row.rev.0),
        is_deleted,
        fields.transpose()?.unwrap_or_default(),
        at,
    ))?;
    Ok(())
}

//! Rows of community and account logs, as they came, with the cursors of all logs. The rows of a log are under a number:
//! of one that is forgotten the number loses its name at once, and its rows in steps.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use tulou_protocol::{
    Body, CommunityId, Log, Rev, Row, TopicId,
    row::{AccessRow, Cursor, Mention, Topic},
};

use super::{StoreError, era::Era, int, legible, nat};

/// The rows of a log, tombstones left out.
pub fn of_log(db: &Connection, log: Log) -> Result<Vec<Row>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT kind, id, rev, deleted, body FROM rows
         WHERE log = (SELECT no FROM logs WHERE log = ?1) AND deleted = 0",
    )?;
    read(db, statement.query([log.to_string()])?)
}

/// The rows of one kind of a log, tombstones left out.
pub fn of_kind(db: &Connection, log: Log, kind: &str) -> Result<Vec<Row>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT kind, id, rev, deleted, body FROM rows
         WHERE log = (SELECT no FROM logs WHERE log = ?1) AND kind = ?2 AND deleted = 0",
    )?;
    read(db, statement.query(params![log.to_string(), kind])?)
}

/// Mentions in one topic: their names begin with it.
pub fn mentions_in(db: &Connection, log: Log, topic: TopicId) -> Result<Vec<Row>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT kind, id, rev, deleted, body FROM rows
         WHERE log = (SELECT no FROM logs WHERE log = ?1) AND kind = 'mention' AND id > ?2 || ':' AND id < ?2 || ';' AND deleted = 0",
    )?;
    read(db, statement.query([log.to_string(), topic.to_string()])?)
}

/// Those of them that an edit made, and that were not seen since.
pub fn mentions_by_edit(db: &Connection, log: Log, topic: TopicId) -> Result<Vec<Row>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT kind, id, rev, deleted, body FROM rows
         WHERE log = (SELECT no FROM logs WHERE log = ?1) AND kind = 'mention' AND id > ?2 || ':' AND id < ?2 || ';' AND deleted = 0
             AND body LIKE '%\"by_edit\":true%'",
    )?;
    read(db, statement.query([log.to_string(), topic.to_string()])?)
}

/// One row, unless it is a tombstone.
pub fn one(db: &Connection, log: Log, kind: &str, id: &str) -> Result<Option<Row>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT kind, id, rev, deleted, body FROM rows
         WHERE log = (SELECT no FROM logs WHERE log = ?1) AND kind = ?2 AND id = ?3 AND deleted = 0",
    )?;
    Ok(read(db, statement.query(params![log.to_string(), kind, id])?)?.pop())
}

fn read(db: &Connection, mut found: rusqlite::Rows<'_>) -> Result<Vec<Row>, StoreError> {
    let era = Era::of(db)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let kind: &str = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        let text: &str = row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?;
        let rev = era.rev(row.get(2)?);
        let is_deleted: bool = row.get(3)?;
        let body = if is_deleted {
            Body::from_value(kind, rev, None)
        } else {
            match direct(kind, text) {
                Some(body) => body,
                None => match legible(text, kind) {
                    Some(value) => Body::from_value(kind, rev, Some(value)),
                    None => continue,
                },
            }
        };
        rows.push(Row {
            id: row.get(1)?,
            rev,
            body,
        });
    }
    Ok(rows)
}

/// Reads a body of one of the commonest kinds without the detour over a tree of values.
fn direct(kind: &str, text: &str) -> Option<Body> {
    fn read<'a, T: Deserialize<'a> + Into<Body>>(text: &'a str) -> Option<Body> {
        serde_json::from_str::<T>(text).ok().map(Into::into)
    }
    match kind {
        "topic" => read::<Topic>(text),
        "cursor" => read::<Cursor>(text),
        "access" => read::<AccessRow>(text),
        "mention" => read::<Mention>(text),
        _ => None,
    }
}

/// The community that a topic stands in; none for a direct topic, or one that may not be seen.
pub fn community_of(db: &Connection, topic: TopicId) -> Result<Option<CommunityId>, StoreError> {
    let log: Option<String> = db
        .prepare_cached(
            "SELECT logs.log FROM rows JOIN logs ON logs.no = rows.log
             WHERE rows.kind = 'topic' AND rows.id = ?1 AND rows.deleted = 0 AND logs.log IS NOT NULL LIMIT 1",
        )?
        .query_row([topic.to_string()], |row| row.get(0))
        .optional()?;
    Ok(match log.and_then(|log| log.parse().ok()) {
        Some(Log::Community(id)) => Some(id),
        Some(Log::Topic(_) | Log::Account(_)) | None => None,
    })
}

/// What a topic is called; none if it is not known.
pub(super) fn topic_name(db: &Connection, topic: TopicId) -> Result<Option<String>, StoreError> {
    let Some(community) = community_of(db, topic)? else {
        return Ok(None);
    };
    let row = one(db, Log::Community(community), "topic", &topic.to_string())?;
    Ok(row.and_then(|row| {
        if let Body::Topic(topic) = row.body {
            Some(topic.name)
        } else {
            None
        }
    }))
}

/// The topics of a community that are known, with their small numbers.
pub fn topics_of(
    db: &Connection,
    community: CommunityId,
) -> Result<Vec<(TopicId, u32)>, StoreError> {
    Ok(of_kind(db, Log::Community(community), "topic")?
        .into_iter()
        .filter_map(|row| {
            if let Body::Topic(topic) = row.body {
                Some((row.id.parse().ok()?, topic.no))
            } else {
                None
            }
        })
        .collect())
}

/// Takes a row, unless a newer one is held; whether it was taken.
pub(super) fn put(db: &Connection, log: Log, row: &Row) -> Result<bool, StoreError> {
    let fields = row.fields();
    let is_deleted = fields.is_none();
    let fields = fields.map(|fields| serde_json::to_string(&fields));
    let taken = db
        .prepare_cached(
            "INSERT INTO rows (log, kind, id, rev, deleted, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET rev = excluded.rev, deleted = excluded.deleted, body = excluded.body
         WHERE excluded.rev >= rows.rev",
        )?
        .execute(params![
            no_of(db, log)?,
            row.body.kind(),
            row.id,
            Era::of(db)?.kept(row.rev),
            is_deleted,
            fields.transpose()?.unwrap_or_default(),
        ])?;
    Ok(taken > 0)
}

/// Under which number the rows of a log are; it gets one if it has none.
fn no_of(db: &Connection, log: Log) -> Result<i64, StoreError> {
    let log = log.to_string();
    let found: Option<i64> = db
        .prepare_cached("SELECT no FROM logs WHERE log = ?1")?
        .query_row([&log], |row| row.get(0))
        .optional()?;
    if let Some(no) = found {
        return Ok(no);
    }
    db.prepare_cached("INSERT INTO logs (log) VALUES (?1)")?
        .execute([&log])?;
    Ok(db.last_insert_rowid())
}

/// Drops the rows of a log with rev ≤ `rev` that are not among those kept.
pub(super) fn reset(
    db: &Connection,
    log: Log,
    rev: Rev,
    kept: &[(String, String)],
) -> Result<(), StoreError> {
    let kept: std::collections::HashSet<(&str, &str)> = kept
        .iter()
        .map(|(kind, id)| (kind.as_str(), id.as_str()))
        .collect();
    let mut statement =
        db.prepare_cached("SELECT kind, id FROM rows WHERE log = ?1 AND rev <= ?2")?;
    let no = no_of(db, log)?;
    let held: Vec<(String, String)> = statement
        .query_map(params![no, Era::of(db)?.kept(rev)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    let mut drop =
        db.prepare_cached("DELETE FROM rows WHERE log = ?1 AND kind = ?2 AND id = ?3")?;
    for (kind, id) in held {
        if !kept.contains(&(kind.as_str(), id.as_str())) {
            drop.execute(params![no, kind, id])?;
        }
    }
    Ok(())
}

/// Drops tombstones up to a rev: nothing older comes any more.
pub(super) fn bury(db: &Connection, log: Log, rev: Rev) -> Result<(), StoreError> {
    db.prepare_cached(
        "DELETE FROM rows INDEXED BY rows_gone
         WHERE log = (SELECT no FROM logs WHERE log = ?1) AND rev <= ?2 AND deleted = 1",
    )?
    .execute(params![log.to_string(), Era::of(db)?.kept(rev)])?;
    Ok(())
}

/// Names a row: the number of its log, its kind, its id.
pub type RowKey = (i64, String, String);

/// Looks through the next rows after one: the logs of those that cannot be read, and the last that was looked at; none at
/// the end.
pub(super) fn look_through(
    db: &Connection,
    after: &RowKey,
    most: usize,
) -> Result<(BTreeSet<i64>, Option<RowKey>), StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT log, kind, id, deleted = 0 AND NOT json_valid(body) FROM rows
         WHERE (log, kind, id) > (?1, ?2, ?3) ORDER BY log, kind, id LIMIT ?4",
    )?;
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut found = statement.query(params![after.0, after.1, after.2, limit])?;
    let (mut logs, mut looked_at) = (BTreeSet::new(), 0);
    while let Some(row) = found.next()? {
        looked_at += 1;
        if row.get(3)? {
            logs.insert(row.get(0)?);
        }
        if looked_at == most {
            return Ok((logs, Some((row.get(0)?, row.get(1)?, row.get(2)?))));
        }
    }
    Ok((logs, None))
}

/// Drops the rows of logs that cannot be read, and the cursors of these, so that they are fetched again.
pub(super) fn heal(db: &Connection, logs: &BTreeSet<i64>) -> Result<(), StoreError> {
    for no in logs {
        tracing::warn!(
            log = no,
            "some of its rows cannot be read: it is fetched again"
        );
        db.prepare_cached(
            "DELETE FROM rows WHERE log = ?1 AND deleted = 0 AND NOT json_valid(body)",
        )?
        .execute([no])?;
        // The membership says which communities there are; without it this one would be taken for left.
        db.prepare_cached(
            "UPDATE cursors SET rev = 0, view = NULL WHERE log = (SELECT log FROM logs WHERE no = ?1)",
        )?
        .execute([no])?;
    }
    Ok(())
}

/// What is held of a log is seen no longer, whatever comes into it later; [`sweep`] drops the rows.
pub(super) fn forget(db: &Connection, log: Log) -> Result<(), StoreError> {
    let log = log.to_string();
    db.prepare_cached("UPDATE logs SET log = NULL WHERE log = ?1")?
        .execute([&log])?;
    db.prepare_cached("DELETE FROM cursors WHERE log = ?1")?
        .execute([&log])?;
    Ok(())
}

/// Drops some of what is seen no longer; whether there may be more.
pub fn sweep(db: &Connection, most: u32) -> Result<bool, StoreError> {
    let no: Option<i64> = db
        .prepare_cached("SELECT no FROM logs WHERE log IS NULL LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let Some(no) = no else {
        return Ok(false);
    };
    let dropped = db
        .prepare_cached(
            "DELETE FROM rows WHERE log = ?1 AND (kind, id) IN (
                 SELECT kind, id FROM rows WHERE log = ?1 ORDER BY kind, id LIMIT ?2)",
        )?
        .execute(params![no, most])?;
    if dropped < most as usize {
        db.prepare_cached("DELETE FROM logs WHERE no = ?1")?
            .execute([no])?;
    }
    Ok(true)
}

/// Nothing is known of where the logs of another epoch stand.
pub(super) fn age(db: &Connection) -> Result<(), StoreError> {
    db.execute("DELETE FROM cursors", [])?;
    Ok(())
}

/// Cursors of logs, with the view stamps of communities.
pub fn cursors(db: &Connection) -> Result<Vec<(Log, Rev, Option<String>)>, StoreError> {
    let mut statement = db.prepare_cached("SELECT log, rev, view FROM cursors")?;
    let found = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?))
    })?;
    let mut cursors = Vec::new();
    for cursor in found {
        let (log, rev, view) = cursor?;
        if let Ok(log) = log.parse() {
            cursors.push((log, Rev(nat(rev)), view));
        }
    }
    Ok(cursors)
}

/// Communities of which the first pages of a state came, and no more: they have no cursor yet.
pub fn begun(db: &Connection) -> Result<Vec<Log>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT log FROM logs WHERE log LIKE 'community/%' AND log NOT IN (SELECT log FROM cursors)",
    )?;
    let found = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut begun = Vec::new();
    for log in found {
        begun.extend(log?.parse::<Log>());
    }
    Ok(begun)
}

pub(super) fn set_cursor(
    db: &Connection,
    log: Log,
    rev: Rev,
    view: Option<&str>,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO cursors (log, rev, view) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET rev = excluded.rev, view = excluded.view",
    )?
    .execute(params![log.to_string(), int(rev.0), view])?;
    Ok(())
}

//! The outbox: commands that wait for their answer, in the order in which the person gave them.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row, params};
use tulou_engine::{OutboxEntry, OutboxState};
use tulou_protocol::{Command, CommandId, CommunityId, Rejection, TopicId, id::Millis, limits};

use super::{StoreError, int, nat, salvage};

const COLUMNS: &str = "no, id, command, created_at, state, rejection";

/// The whole outbox in order.
pub fn all(db: &Connection) -> Result<Vec<OutboxEntry>, StoreError> {
    let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM outbox ORDER BY no"))?;
    collect(statement.query([])?)
}

/// What waits for one topic, in order.
pub fn of_topic(db: &Connection, topic: TopicId) -> Result<Vec<OutboxEntry>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE topic = ?1 ORDER BY no"
    ))?;
    collect(statement.query([topic.as_bytes()])?)
}

/// Levels that wait, in order.
pub fn levels(db: &Connection) -> Result<Vec<OutboxEntry>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox
         WHERE topic IS NULL AND command LIKE '{{\"method\":\"notify.set%' ORDER BY no"
    ))?;
    collect(statement.query([])?)
}

/// What waits and concerns no topic's messages, in order.
pub fn of_structure(db: &Connection) -> Result<Vec<OutboxEntry>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE topic IS NULL ORDER BY no"
    ))?;
    collect(statement.query([])?)
}

/// The community in which a topic is to be made, and the topic's name; none if nothing here makes it.
pub fn made(db: &Connection, topic: TopicId) -> Result<Option<(CommunityId, String)>, StoreError> {
    Ok(of_structure(db)?.into_iter().find_map(|entry| {
        if let Command::CommunityCreate {
            community,
            topic: made,
            topic_name: name,
            ..
        }
        | Command::TopicCreate {
            community,
            topic: made,
            name,
            ..
        } = entry.command
            && made == topic
        {
            Some((community, name))
        } else {
            None
        }
    }))
}

/// One entry.
pub fn one(db: &Connection, id: CommandId) -> Result<Option<OutboxEntry>, StoreError> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1"))?;
    Ok(collect(statement.query([id.as_bytes()])?)?.pop())
}

fn collect(mut found: rusqlite::Rows<'_>) -> Result<Vec<OutboxEntry>, StoreError> {
    let mut entries = Vec::new();
    while let Some(row) = found.next()? {
        entries.push(read(row)?);
    }
    Ok(entries)
}

/// As many entries as a damaged file gives, and whether those were all.
pub(super) fn salvage(db: &Connection) -> (Vec<OutboxEntry>, bool) {
    salvage::rows(
        db,
        &format!("SELECT {COLUMNS} FROM outbox ORDER BY no"),
        read,
    )
}

fn read(row: &Row<'_>) -> Result<OutboxEntry, StoreError> {
    let command: String = row.get(2)?;
    let state: String = row.get(4)?;
    let rejection: String = row.get(5)?;
    Ok(OutboxEntry {
        no: nat(row.get(0)?),
        id: CommandId::from_bytes(row.get(1)?),
        command: serde_json::from_str(&command)?,
        created_at: row.get(3)?,
        state: match state.as_str() {
            "rejected" => OutboxState::Rejected(serde_json::from_str(&rejection)?),
            "stale" => OutboxState::Stale,
            _ => OutboxState::Waiting,
        },
        awaits: BTreeSet::new(),
    })
}

/// Puts a command at the end.
pub fn push(
    db: &Connection,
    id: CommandId,
    command: Command,
    created_at: Millis,
    state: OutboxState,
) -> Result<OutboxEntry, StoreError> {
    db.prepare_cached(
        "INSERT INTO outbox (id, topic, command, created_at, state, quiet)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        id.as_bytes(),
        command.in_topic().map(|topic| *topic.as_bytes()),
        serde_json::to_string(&command)?,
        created_at,
        match state {
            OutboxState::Stale => "stale",
            OutboxState::Waiting | OutboxState::Rejected(_) => "waiting",
        },
        command.is_quiet(),
    ])?;
    Ok(OutboxEntry {
        id,
        no: nat(db.last_insert_rowid()),
        command,
        created_at,
        state,
        awaits: BTreeSet::new(),
    })
}

/// Puts back an entry that was taken out of a damaged store, at its place; one that is there already stays.
pub(super) fn put_back(db: &Connection, entry: &OutboxEntry) -> Result<(), StoreError> {
    let (state, rejection) = match &entry.state {
        OutboxState::Waiting => ("waiting", String::new()),
        OutboxState::Stale => ("stale", String::new()),
        OutboxState::Rejected(rejection) => ("rejected", serde_json::to_string(rejection)?),
    };
    db.prepare_cached(
        "INSERT OR IGNORE INTO outbox (no, id, topic, command, created_at, state, rejection, quiet)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        int(entry.no),
        entry.id.as_bytes(),
        entry.command.in_topic().map(|topic| *topic.as_bytes()),
        serde_json::to_string(&entry.command)?,
        entry.created_at,
        state,
        rejection,
        entry.command.is_quiet(),
    ])?;
    Ok(())
}

/// Gives an entry another command, id and state; its place stays.
pub fn replace(db: &Connection, was: CommandId, entry: &OutboxEntry) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE outbox SET id = ?2, command = ?3, created_at = ?4, state = 'waiting', rejection = ''
         WHERE id = ?1",
    )?
    .execute(params![
        was.as_bytes(),
        entry.id.as_bytes(),
        serde_json::to_string(&entry.command)?,
        entry.created_at
    ])?;
    Ok(())
}

/// Takes an entry out.
pub fn remove(db: &Connection, id: CommandId) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM outbox WHERE id = ?1")?
        .execute([id.as_bytes()])?;
    Ok(())
}

/// The server refused it: it waits for the person.
pub(super) fn reject(
    db: &Connection,
    id: CommandId,
    rejection: &Rejection,
) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE outbox SET state = 'rejected', rejection = ?2 WHERE id = ?1")?
        .execute(params![id.as_bytes(), serde_json::to_string(rejection)?])?;
    Ok(())
}

/// Marks what is older than the server keeps answers for: repeating it might do it twice, so the person is asked.
pub(super) fn mark_stale(db: &Connection, now: Millis) -> Result<(), StoreError> {
    let oldest = now - limits::ANSWER_DAYS * 24 * 60 * 60 * 1_000;
    db.prepare_cached(
        "UPDATE outbox SET state = 'stale' WHERE state = 'waiting' AND created_at < ?1",
    )?
    .execute([oldest])?;
    Ok(())
}

/// How many commands wait, those left out for which nobody waits.
pub fn waiting(db: &Connection) -> Result<u32, StoreError> {
    Ok(db
        .prepare_cached("SELECT count(*) FROM outbox WHERE state = 'waiting' AND quiet = 0")?
        .query_row([], |row| row.get(0))?)
}

/// Removes older advances of the same cursor that wait: the newest says it all.
pub fn drop_advances(db: &Connection, topic: TopicId, before: u64) -> Result<(), StoreError> {
    for entry in of_topic(db, topic)? {
        let is_advance = matches!(entry.command, Command::CursorAdvance { .. });
        if is_advance && entry.no < before && entry.state == OutboxState::Waiting {
            remove(db, entry.id)?;
        }
    }
    Ok(())
}

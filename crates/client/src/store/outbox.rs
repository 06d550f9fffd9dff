//! The outbox: commands that wait for their answer, in the order in which the person gave them.

use std::collections::{BTreeSet, HashSet};

use rusqlite::{Connection, Row, params};
use tulou_engine::{OutboxEntry, OutboxState};
use tulou_protocol::{
    Code, Command, CommandId, CommunityId, Rejection, TopicId, id::Millis, limits,
};
use uuid::Uuid;

use super::{StoreError, int, legible, nat, salvage};

const COLUMNS: &str = "no, id, command, created_at, state, rejection, awaits, first_text";

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
        entries.extend(RawEntry::read(row)?.known());
    }
    Ok(entries)
}

/// An entry as it is stored. Whoever wrote it may have known commands that this program does not: such stay where they are,
/// and go on when a program reads the store that knows them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RawEntry {
    pub no: u64,
    pub id: CommandId,
    pub command: String,
    pub created_at: Millis,
    pub state: String,
    pub rejection: String,
    pub awaits: BTreeSet<Uuid>,
    pub first_text: Option<String>,
}

impl RawEntry {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let awaits: String = row.get(6)?;
        Ok(Self {
            no: nat(row.get(0)?),
            id: CommandId::from_bytes(row.get(1)?),
            command: row.get(2)?,
            created_at: row.get(3)?,
            state: row.get(4)?,
            rejection: row.get(5)?,
            awaits: if awaits.is_empty() {
                BTreeSet::new()
            } else {
                legible(&awaits, "what a command awaits").unwrap_or_default()
            },
            first_text: row.get(7)?,
        })
    }

    /// The entry, if this program knows its command.
    pub fn known(self) -> Option<OutboxEntry> {
        let command = legible(&self.command, "a command in the outbox")?;
        Some(OutboxEntry {
            no: self.no,
            id: self.id,
            command,
            created_at: self.created_at,
            state: match self.state.as_str() {
                "rejected" => OutboxState::Rejected(
                    legible(&self.rejection, "a rejection").unwrap_or_else(|| Code::Unknown.into()),
                ),
                "stale" => OutboxState::Stale,
                _ => OutboxState::Waiting,
            },
            awaits: self.awaits,
            first_text: self.first_text,
        })
    }
}

/// The whole outbox as it is stored.
pub(super) fn raw(db: &Connection) -> Result<Vec<RawEntry>, StoreError> {
    let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM outbox ORDER BY no"))?;
    let mut found = statement.query([])?;
    let mut entries = Vec::new();
    while let Some(row) = found.next()? {
        entries.push(RawEntry::read(row)?);
    }
    Ok(entries)
}

/// As many entries as a file gives, be it damaged or of an older version, and whether those were all.
pub(super) fn salvage(db: &Connection) -> (Vec<RawEntry>, bool) {
    let given = |column: &str, without: &'static str| {
        let has = db.prepare(&format!("SELECT {column} FROM outbox LIMIT 0"));
        if has.is_ok() {
            column.to_owned()
        } else {
            without.to_owned()
        }
    };
    let columns = format!(
        "no, id, command, created_at, state, rejection, {}, {}",
        given("awaits", "''"),
        given("first_text", "NULL"),
    );
    let query = format!("SELECT {columns} FROM outbox ORDER BY no");
    salvage::rows(db, &query, RawEntry::read)
}

/// What entries await that are not done.
fn awaited(awaits: &BTreeSet<Uuid>) -> Result<String, StoreError> {
    Ok(if awaits.is_empty() {
        String::new()
    } else {
        serde_json::to_string(awaits)?
    })
}

/// An entry awaits things that no command makes.
pub fn set_awaits(
    db: &Connection,
    id: CommandId,
    awaits: &BTreeSet<Uuid>,
) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE outbox SET awaits = ?2 WHERE id = ?1")?
        .execute(params![id.as_bytes(), awaited(awaits)?])?;
    Ok(())
}

/// Something is done: nothing awaits it any more.
pub fn end_awaiting(db: &Connection, thing: Uuid) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached("SELECT id, awaits FROM outbox WHERE awaits LIKE ?1")?;
    let waiting: Vec<([u8; 16], String)> = statement
        .query_map([format!("%{thing}%")], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (id, awaits) in waiting {
        let mut awaits: BTreeSet<Uuid> =
            legible(&awaits, "what a command awaits").unwrap_or_default();
        awaits.remove(&thing);
        set_awaits(db, CommandId::from_bytes(id), &awaits)?;
    }
    Ok(())
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
        first_text: None,
    })
}

/// Puts back an entry that was taken out of a damaged store, at its place; one that is there already stays.
pub(super) fn put_back(db: &Connection, entry: &RawEntry) -> Result<(), StoreError> {
    let known: Option<Command> = legible(&entry.command, "a command in the outbox");
    db.prepare_cached(
        "INSERT OR IGNORE INTO outbox
             (no, id, topic, command, created_at, state, rejection, quiet, awaits, first_text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        int(entry.no),
        entry.id.as_bytes(),
        known
            .as_ref()
            .and_then(Command::in_topic)
            .map(|topic| *topic.as_bytes()),
        entry.command,
        entry.created_at,
        entry.state,
        entry.rejection,
        known.is_some_and(|command| command.is_quiet()),
        awaited(&entry.awaits)?,
        entry.first_text,
    ])?;
    Ok(())
}

/// Gives an entry another command, id and state; its place stays.
pub fn replace(db: &Connection, was: CommandId, entry: &OutboxEntry) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE outbox SET id = ?2, command = ?3, created_at = ?4, state = 'waiting', rejection = '',
             awaits = ?5, first_text = ?6
         WHERE id = ?1",
    )?
    .execute(params![
        was.as_bytes(),
        entry.id.as_bytes(),
        serde_json::to_string(&entry.command)?,
        entry.created_at,
        awaited(&entry.awaits)?,
        entry.first_text,
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

/// Whether something waits that is older than the server keeps answers for.
pub fn has_old(db: &Connection, now: Millis) -> Result<bool, StoreError> {
    let oldest = now - limits::ANSWER_DAYS * 24 * 60 * 60 * 1_000;
    Ok(db
        .prepare_cached("SELECT 1 FROM outbox WHERE state = 'waiting' AND created_at < ?1")?
        .exists([oldest])?)
}

/// Marks what is older than the server keeps answers for: repeating it might do it twice, so the person is asked. Which
/// that is. Those in `confirmed` the person was asked about.
pub fn mark_stale(
    db: &Connection,
    now: Millis,
    confirmed: &HashSet<CommandId>,
) -> Result<Vec<CommandId>, StoreError> {
    let oldest = now - limits::ANSWER_DAYS * 24 * 60 * 60 * 1_000;
    let mut statement =
        db.prepare_cached("SELECT id FROM outbox WHERE state = 'waiting' AND created_at < ?1")?;
    let mut old: Vec<CommandId> = statement
        .query_map([oldest], |row| Ok(CommandId::from_bytes(row.get(0)?)))?
        .collect::<Result<_, _>>()?;
    old.retain(|id| !confirmed.contains(id));
    for id in &old {
        db.prepare_cached("UPDATE outbox SET state = 'stale' WHERE id = ?1")?
            .execute([id.as_bytes()])?;
    }
    Ok(old)
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

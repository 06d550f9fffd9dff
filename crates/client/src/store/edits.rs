//! Edits in progress: what is being written in the place of a message that is there. A draft like any other, except that
//! it knows the text that it began from: if the message says something else meanwhile, the person sees both.

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};
use tulou_protocol::{CommunityId, Log, MessageId, TopicId};

use super::{StoreError, drafts, salvage};

const COLUMNS: &str = "topic, message, base, text, log, name";

/// An edit in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditDraft {
    /// Where.
    pub topic: TopicId,
    /// Which message.
    pub message: MessageId,
    /// What the message said when the edit began.
    pub base: String,
    /// What is being written.
    pub text: String,
    /// The community that the topic stands in, or stood in last; none if that was never known.
    pub community: Option<CommunityId>,
    /// What the topic is called, or was called last; empty if that was never known.
    pub name: String,
}

fn read(row: &Row<'_>) -> rusqlite::Result<EditDraft> {
    let log: Option<String> = row.get(4)?;
    Ok(EditDraft {
        topic: TopicId::from_bytes(row.get(0)?),
        message: MessageId::from_bytes(row.get(1)?),
        base: row.get(2)?,
        text: row.get(3)?,
        community: drafts::community_of(log),
        name: row.get(5)?,
    })
}

/// Those of a topic, in the order in which they were begun.
pub fn of_topic(db: &Connection, topic: TopicId) -> Result<Vec<EditDraft>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM edits WHERE topic = ?1 ORDER BY no"
    ))?;
    let found = statement.query_map([topic.as_bytes()], read)?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// All in which something else is written than the message said.
pub fn written(db: &Connection) -> Result<Vec<EditDraft>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM edits WHERE text <> base ORDER BY no"
    ))?;
    let found = statement.query_map([], read)?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// As many as a file gives, be it damaged or of an older version, and whether those were all.
pub(super) fn salvage(db: &Connection) -> (Vec<EditDraft>, bool) {
    let is_older = db
        .query_row(
            "SELECT count(*) FROM sqlite_master WHERE name = 'edits'",
            [],
            |row| row.get::<_, u32>(0),
        )
        .is_ok_and(|count| count == 0);
    if is_older {
        return (Vec::new(), true);
    }
    salvage::rows(
        db,
        &format!("SELECT {COLUMNS} FROM edits ORDER BY no"),
        |row| Ok(read(row)?),
    )
}

/// Keeps an edit in progress. True if that shows elsewhere than in the composer: in the tree, or because the topic is not
/// there.
pub fn put(
    db: &Connection,
    topic: TopicId,
    message: MessageId,
    base: &str,
    text: &str,
) -> Result<bool, StoreError> {
    let had = is_written(db, topic, message)?;
    let place = drafts::place(db, topic)?;
    let is_there = place.is_some();
    let (community, name) = place.unzip();
    db.prepare_cached(
        "INSERT INTO edits (topic, message, base, text, log, name) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (topic, message) DO UPDATE SET base = excluded.base, text = excluded.text,
             log = iif(excluded.log IS NULL, edits.log, excluded.log),
             name = iif(excluded.log IS NULL, edits.name, excluded.name)",
    )?
    .execute(params![
        topic.as_bytes(),
        message.as_bytes(),
        base,
        text,
        community.map(|id| Log::Community(id).to_string()),
        name.unwrap_or_default(),
    ])?;
    Ok(had != (text != base) || !is_there)
}

/// The edit is over. True if that shows elsewhere than in the composer.
pub fn remove(db: &Connection, topic: TopicId, message: MessageId) -> Result<bool, StoreError> {
    let had = is_written(db, topic, message)?;
    db.prepare_cached("DELETE FROM edits WHERE topic = ?1 AND message = ?2")?
        .execute(params![topic.as_bytes(), message.as_bytes()])?;
    Ok(had)
}

fn is_written(db: &Connection, topic: TopicId, message: MessageId) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached("SELECT 1 FROM edits WHERE topic = ?1 AND message = ?2 AND text <> base")?
        .exists(params![topic.as_bytes(), message.as_bytes()])?)
}

/// Puts back an edit that was taken out of a damaged store.
pub(super) fn put_back(db: &Connection, edit: &EditDraft) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO edits (topic, message, base, text, log, name)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        edit.topic.as_bytes(),
        edit.message.as_bytes(),
        edit.base,
        edit.text,
        edit.community.map(|id| Log::Community(id).to_string()),
        edit.name,
    ])?;
    Ok(())
}

/// A topic is there, under this name: what is being written in it remembers that.
pub(super) fn note_place(
    db: &Connection,
    log: Log,
    topic: TopicId,
    name: &str,
) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE edits SET log = ?2, name = ?3 WHERE topic = ?1")?
        .execute(params![topic.as_bytes(), log.to_string(), name])?;
    Ok(())
}

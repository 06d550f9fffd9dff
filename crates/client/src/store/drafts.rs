//! Drafts: what is being written in each topic. A draft outlives its topic, so it knows where that stood.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use tulou_protocol::{CommunityId, Log, MessageId, TopicId};

use super::{StoreError, outbox, rows, salvage};

/// What is being written in a topic.
pub fn one(
    db: &Connection,
    topic: TopicId,
) -> Result<Option<(String, Option<MessageId>)>, StoreError> {
    let found = db
        .prepare_cached("SELECT text, reply_to FROM drafts WHERE topic = ?1")?
        .query_row([topic.as_bytes()], |row| {
            let reply_to: Option<[u8; 16]> = row.get(1)?;
            Ok((row.get(0)?, reply_to.map(MessageId::from_bytes)))
        })
        .optional()?;
    Ok(found)
}

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Where.
    pub topic: TopicId,
    /// What is being written.
    pub text: String,
    /// What it answers.
    pub reply_to: Option<MessageId>,
    /// The community that the topic stands in, or stood in last; none if that was never known.
    #[serde(default)]
    pub community: Option<CommunityId>,
    /// What the topic is called, or was called last; empty if that was never known.
    #[serde(default)]
    pub name: String,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Draft> {
    let reply_to: Option<[u8; 16]> = row.get(2)?;
    let log: Option<String> = row.get(3)?;
    Ok(Draft {
        topic: TopicId::from_bytes(row.get(0)?),
        text: row.get(1)?,
        reply_to: reply_to.map(MessageId::from_bytes),
        community: community_of(log),
        name: row.get(4)?,
    })
}

/// The community that a stored log names.
pub(super) fn community_of(log: Option<String>) -> Option<CommunityId> {
    log.and_then(|log| match log.parse() {
        Ok(Log::Community(community)) => Some(community),
        Ok(Log::Topic(_) | Log::Account(_)) | Err(_) => None,
    })
}

/// As many drafts as a file gives, be it damaged or of an older version, and whether those were all.
pub(super) fn salvage(db: &Connection) -> (Vec<Draft>, bool) {
    let knows_places = db.prepare("SELECT log, name FROM drafts LIMIT 0").is_ok();
    let places = if knows_places {
        "log, name"
    } else {
        "NULL, ''"
    };
    salvage::rows(
        db,
        &format!("SELECT topic, text, reply_to, {places} FROM drafts ORDER BY topic"),
        |row| Ok(read(row)?),
    )
}

/// All in which something is written.
pub fn written(db: &Connection) -> Result<Vec<Draft>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT topic, text, reply_to, log, name FROM drafts WHERE text <> '' ORDER BY topic",
    )?;
    let found = statement.query_map([], read)?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Topics in which something is being written: a message, or another text for one.
pub fn topics(db: &Connection) -> Result<std::collections::HashSet<TopicId>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT topic FROM drafts WHERE text <> '' UNION SELECT topic FROM edits WHERE text <> base",
    )?;
    let found = statement.query_map([], |row| Ok(TopicId::from_bytes(row.get(0)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Whether something is being written in a topic.
pub fn is_written(db: &Connection, topic: TopicId) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT 1 FROM drafts WHERE topic = ?1 AND text <> ''
             UNION ALL SELECT 1 FROM edits WHERE topic = ?1 AND text <> base",
        )?
        .exists([topic.as_bytes()])?)
}

/// Keeps what is being written; nothing removes it. True if that shows elsewhere than in the topic: whether there is a
/// draft changed, or the topic is not there.
pub fn put(
    db: &Connection,
    topic: TopicId,
    text: &str,
    reply_to: Option<MessageId>,
) -> Result<bool, StoreError> {
    let had = one(db, topic)?.is_some_and(|(text, _)| !text.is_empty());
    let place = place(db, topic)?;
    let is_there = place.is_some();
    if text.is_empty() && reply_to.is_none() {
        db.prepare_cached("DELETE FROM drafts WHERE topic = ?1")?
            .execute([topic.as_bytes()])?;
    } else {
        // What is stored after the topic went is stored where the topic was.
        let (community, name) = place.unzip();
        db.prepare_cached(
            "INSERT INTO drafts (topic, text, reply_to, log, name) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET text = excluded.text, reply_to = excluded.reply_to,
                 log = iif(excluded.log IS NULL, drafts.log, excluded.log),
                 name = iif(excluded.log IS NULL, drafts.name, excluded.name)",
        )?
        .execute(params![
            topic.as_bytes(),
            text,
            reply_to.map(|id| *id.as_bytes()),
            community.map(|id| Log::Community(id).to_string()),
            name.unwrap_or_default(),
        ])?;
    }
    Ok(had == text.is_empty() || !is_there)
}

/// Where a topic stands and what it is called; none if it is not there.
pub(super) fn place(
    db: &Connection,
    topic: TopicId,
) -> Result<Option<(CommunityId, String)>, StoreError> {
    Ok(match rows::community_of(db, topic)? {
        Some(community) => Some((community, rows::topic_name(db, topic)?.unwrap_or_default())),
        None => outbox::made(db, topic)?,
    })
}

/// Puts back a draft that was taken out of a damaged store.
pub(super) fn put_back(db: &Connection, draft: &Draft) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO drafts (topic, text, reply_to, log, name) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        draft.topic.as_bytes(),
        draft.text,
        draft.reply_to.map(|id| *id.as_bytes()),
        draft.community.map(|id| Log::Community(id).to_string()),
        draft.name,
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
    db.prepare_cached("UPDATE drafts SET log = ?2, name = ?3 WHERE topic = ?1")?
        .execute(params![topic.as_bytes(), log.to_string(), name])?;
    Ok(())
}

//! Drafts: what is being written in each topic.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use tulou_protocol::{MessageId, TopicId};

use super::{StoreError, salvage};

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

/// A draft, as it is kept beside the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Where.
    pub topic: TopicId,
    /// What is being written.
    pub text: String,
    /// What it answers.
    pub reply_to: Option<MessageId>,
}

/// As many drafts as a file gives, be it damaged, and whether those were all.
pub(super) fn salvage(db: &Connection) -> (Vec<Draft>, bool) {
    salvage::rows(
        db,
        "SELECT topic, text, reply_to FROM drafts ORDER BY topic",
        |row| {
            let reply_to: Option<[u8; 16]> = row.get(2)?;
            Ok(Draft {
                topic: TopicId::from_bytes(row.get(0)?),
                text: row.get(1)?,
                reply_to: reply_to.map(MessageId::from_bytes),
            })
        },
    )
}

/// Topics in which something is being written.
pub fn topics(db: &Connection) -> Result<std::collections::HashSet<TopicId>, StoreError> {
    let mut statement = db.prepare_cached("SELECT topic FROM drafts WHERE text <> ''")?;
    let found = statement.query_map([], |row| Ok(TopicId::from_bytes(row.get(0)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Keeps what is being written; nothing removes it. True if whether there is a draft changed.
pub fn put(
    db: &Connection,
    topic: TopicId,
    text: &str,
    reply_to: Option<MessageId>,
) -> Result<bool, StoreError> {
    let had = one(db, topic)?.is_some_and(|(text, _)| !text.is_empty());
    if text.is_empty() && reply_to.is_none() {
        db.prepare_cached("DELETE FROM drafts WHERE topic = ?1")?
            .execute([topic.as_bytes()])?;
    } else {
        db.prepare_cached(
            "INSERT OR REPLACE INTO drafts (topic, text, reply_to) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![
            topic.as_bytes(),
            text,
            reply_to.map(|id| *id.as_bytes())
        ])?;
    }
    Ok(had == text.is_empty())
}

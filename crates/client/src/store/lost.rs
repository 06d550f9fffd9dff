//! My messages that a server restored from a backup may not have any more. They are kept when the server greets with
//! another epoch, before what was held is forgotten; the server is asked which of them it has; the others are offered to
//! the person until they are sent again or given up.

use rusqlite::{Connection, OptionalExtension, params};
use tulou_protocol::{Command, MessageId, Seq, TopicId, id::Millis};

use super::{StoreError, int, messages, outbox, rows};

/// A message of mine that the server does not have any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Where it was written.
    pub topic: TopicId,
    /// Which.
    pub id: MessageId,
    /// What was written.
    pub text: String,
    /// The message replied to.
    pub reply_to: Option<MessageId>,
    /// When it was written.
    pub written_at: Millis,
}

/// A topic in which messages are offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostIn {
    /// Which.
    pub topic: TopicId,
    /// What it was called.
    pub name: String,
    /// How many.
    pub count: u32,
}

const COLUMNS: &str = "topic, id, text, reply_to, written_at";

/// Keeps all my messages that are held, those left out that wait in the outbox anyway: nobody knows yet which of them
/// the server still has.
pub(super) fn keep_mine(db: &Connection) -> Result<(), StoreError> {
    let topics = messages::topics_with_mine(db)?;
    for topic in topics {
        let name = rows::topic_name(db, topic)?.unwrap_or_default();
        let waiting: Vec<MessageId> = outbox::of_topic(db, topic)?
            .into_iter()
            .filter_map(|entry| sends(&entry.command))
            .collect();
        for message in messages::mine_since(db, topic, Seq::ZERO)? {
            if message.content.recalled_by.is_some() || waiting.contains(&message.id) {
                continue;
            }
            db.prepare_cached(
                "INSERT OR IGNORE INTO lost (topic, id, seq, text, reply_to, written_at, name)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                topic.as_bytes(),
                message.id.as_bytes(),
                int(message.seq.0),
                message.content.text,
                message.content.reply_to.map(|id| *id.as_bytes()),
                message
                    .content
                    .written_at
                    .unwrap_or(message.content.sent_at),
                name,
            ])?;
        }
        // An offer that was made before is asked about again: another device may have sent it meanwhile.
        db.prepare_cached("UPDATE lost SET is_asked = 0 WHERE topic = ?1")?
            .execute([topic.as_bytes()])?;
    }
    Ok(())
}

/// Messages of one topic that the server has not been asked about, at most `limit`.
pub fn unasked(
    db: &Connection,
    limit: usize,
) -> Result<Option<(TopicId, Vec<MessageId>)>, StoreError> {
    let topic: Option<[u8; 16]> = db
        .prepare_cached("SELECT topic FROM lost WHERE is_asked = 0 LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let Some(topic) = topic.map(TopicId::from_bytes) else {
        return Ok(None);
    };
    let mut statement = db.prepare_cached(
        "SELECT id FROM lost WHERE topic = ?1 AND is_asked = 0 ORDER BY seq DESC LIMIT ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = statement.query_map(params![topic.as_bytes(), limit], |row| {
        Ok(MessageId::from_bytes(row.get(0)?))
    })?;
    Ok(Some((topic, found.collect::<Result<_, _>>()?)))
}

/// The server was asked: what it has needs no offer, the others are offered. True if there is something to offer.
pub fn settle(
    db: &Connection,
    topic: TopicId,
    asked: &[MessageId],
    held: &[MessageId],
) -> Result<bool, StoreError> {
    for message in asked {
        if held.contains(message) {
            remove(db, topic, *message)?;
        } else {
            db.prepare_cached("UPDATE lost SET is_asked = 1 WHERE topic = ?1 AND id = ?2")?
                .execute([topic.as_bytes(), message.as_bytes()])?;
        }
    }
    Ok(asked.len() > held.len())
}

/// The topics in which messages are offered.
pub fn topics(db: &Connection) -> Result<Vec<LostIn>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT topic, max(name), count(*) FROM lost WHERE is_asked = 1 GROUP BY topic ORDER BY min(written_at)",
    )?;
    let found = statement.query_map([], |row| {
        Ok(LostIn {
            topic: TopicId::from_bytes(row.get(0)?),
            name: row.get(1)?,
            count: row.get(2)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// What is offered in a topic, in the order in which it stood there.
pub fn of_topic(db: &Connection, topic: TopicId) -> Result<Vec<Lost>, StoreError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM lost WHERE topic = ?1 AND is_asked = 1 ORDER BY seq, written_at"
    ))?;
    let found = statement.query_map([topic.as_bytes()], |row| {
        let reply_to: Option<[u8; 16]> = row.get(3)?;
        Ok(Lost {
            topic: TopicId::from_bytes(row.get(0)?),
            id: MessageId::from_bytes(row.get(1)?),
            text: row.get(2)?,
            reply_to: reply_to.map(MessageId::from_bytes),
            written_at: row.get(4)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// What is offered in a topic: one message, or all of them.
pub fn offered(
    db: &Connection,
    topic: TopicId,
    message: Option<MessageId>,
) -> Result<Vec<Lost>, StoreError> {
    let mut offered = of_topic(db, topic)?;
    offered.retain(|lost| message.is_none_or(|message| message == lost.id));
    Ok(offered)
}

/// Takes the offer of a message back.
pub fn remove(db: &Connection, topic: TopicId, message: MessageId) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM lost WHERE topic = ?1 AND id = ?2")?
        .execute([topic.as_bytes(), message.as_bytes()])?;
    Ok(())
}

/// The message that a command sends.
fn sends(command: &Command) -> Option<MessageId> {
    if let Command::MessageSend { message, .. } = command {
        Some(*message)
    } else {
        None
    }
}

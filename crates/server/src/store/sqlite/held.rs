//! Whether messages are there.

use rusqlite::Connection;
use tulou_protocol::{AccountId, MessageId, TopicId};

use crate::store::StoreError;

/// By the index on (topic, id).
#[cfg(test)]
pub const HOT: &[&str] = &[HELD];
const HELD: &str = "SELECT 1 FROM message WHERE topic = ?1 AND id = ?2 AND author = ?3";

/// Those of some messages that are there, if an account wrote them.
pub fn of_author(
    db: &Connection,
    topic: TopicId,
    author: AccountId,
    mut messages: Vec<MessageId>,
) -> Result<Vec<MessageId>, StoreError> {
    let mut statement = db.prepare_cached(HELD)?;
    let mut failed = None;
    messages.retain(|message| {
        let key = (topic.as_bytes(), message.as_bytes(), author.as_bytes());
        match statement.exists(key) {
            Ok(is_there) => is_there,
            Err(error) => {
                failed.get_or_insert(error);
                false
            }
        }
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(messages),
    }
}

//! Stored answers: a repeat of a command gets the answer that the first got.

use rusqlite::{Connection, OptionalExtension};
use tulou_protocol::{AccountId, CommandId, Log, Rev, Row, id::Millis, row::MessageKey};

use super::{log::number, message};
use crate::{
    domain::Change,
    store::{Commit, StoreError, wire::NOTHING},
};

const FIND: &str = "SELECT body FROM answer WHERE account = ?1 AND command = ?2";
/// The body is JSON, or the key of the message that the answer holds.
const PUT: &str = "INSERT INTO answer (account, command, at, body) VALUES (?1, ?2, ?3, ?4)";
const FORGET: &str = "DELETE FROM answer WHERE (account, command) IN
    (SELECT account, command FROM answer WHERE at < ?1 ORDER BY at LIMIT ?2)";
/// Statements whose plan is a test.
#[cfg(test)]
pub const HOT: &[&str] = &[FIND, FORGET];

/// The answer of a command.
pub fn find(
    db: &Connection,
    account: AccountId,
    command: CommandId,
) -> Result<Option<String>, StoreError> {
    let stored: Option<String> = db
        .prepare_cached(FIND)?
        .query_row((account.as_bytes(), command.as_bytes()), |row| row.get(0))
        .optional()?;
    stored
        .map(|body| match body.parse() {
            Ok(key) => as_it_is(db, key),
            Err(_) => Ok(body),
        })
        .transpose()
}

/// What is answered to whoever wrote a message: what is written as it is, and nothing that others put on it. It may be
/// asked for by who does not see the topic any more.
pub fn as_it_is(db: &Connection, key: MessageKey) -> Result<String, StoreError> {
    let Some((_, message)) = message::find(db, key.topic, key.message)? else {
        return Ok(NOTHING.to_owned());
    };
    let message = message.as_written();
    let rev = message.content_rev;
    let row = Row {
        id: key.message.to_string(),
        rev,
        body: message.into(),
    };
    let json = serde_json::to_string(&row)?;
    let log = Log::Topic(key.topic);
    let prev = Rev(rev.0.saturating_sub(1));
    Ok(format!(
        r#"{{"pushes":[{{"log":"{log}","prev":{prev},"rev":{rev},"rows":[{json}]}}]}}"#
    ))
}

/// Stores the answer of a commit, if anybody may ask for it again. One that holds what somebody wrote is not stored but looked up again when it is asked
/// for: what was recalled or edited since is nowhere any more.
pub fn put(db: &Connection, commit: &Commit, answer: &str) -> Result<(), StoreError> {
    // Nobody commanded what the server does for itself.
    if !commit.changes.is_empty() && commit.changes.iter().all(Change::is_upkeep) {
        return Ok(());
    }
    let about = commit.changes.iter().find_map(written);
    let about = about.map(|key| key.to_string());
    db.prepare_cached(PUT)?.execute((
        commit.account.as_bytes(),
        commit.command.as_bytes(),
        commit.now,
        about.as_deref().unwrap_or(answer),
    ))?;
    Ok(())
}

/// The message whose text a change writes.
fn written(change: &Change) -> Option<MessageKey> {
    match change {
        Change::Send(sent) => Some(MessageKey::of(sent.topic, sent.message)),
        Change::Content(contents) => Some(MessageKey::of(contents.topic, contents.message)),
        Change::Row { .. }
        | Change::Marks { .. }
        | Change::Numbered { .. }
        | Change::Member { .. }
        | Change::MemberGone { .. }
        | Change::Seat { .. }
        | Change::ReadSoFar { .. }
        | Change::TopicBegins { .. }
        | Change::TopicEnds { .. }
        | Change::CommunityEnds { .. }
        | Change::Bereft { .. }
        | Change::Fades { .. }
        | Change::MentionSeen { .. }
        | Change::InviteUsed { .. }
        | Change::InvitesEnd { .. }
        | Change::Named { .. } => None,
    }
}

/// Drops answers from before a time, at most `limit`; how many.
pub fn forget(db: &Connection, before: Millis, limit: usize) -> Result<usize, StoreError> {
    Ok(db
        .prepare_cached(FORGET)?
        .execute((before, number(limit as u64)))?)
}

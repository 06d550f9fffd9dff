//! Drafts whose topic is not available: deleted, hidden, locked, or its community left.
//!
//! That a topic is not held says too little: after a restore of the server, or while a damaged store is begun anew, the
//! whole community is on its way. So nothing is listed before what could still bring the topic is held.

use std::collections::HashSet;

use rusqlite::Connection;
use tulou_protocol::{AccountId, CommunityId, Log, MessageId, Rev, TopicId};

use crate::{
    store::{StoreError, drafts, edits, rows},
    view::StrandedView,
};

/// A draft of a message, or of another text for one.
struct Written {
    topic: TopicId,
    message: Option<MessageId>,
    community: Option<CommunityId>,
    name: String,
    text: String,
}

/// Drafts whose topic is not available. `communities` are those that I am in; `is_there` says whether a topic can be
/// opened.
pub fn stranded(
    db: &Connection,
    me: AccountId,
    communities: &[CommunityId],
    is_there: impl Fn(TopicId) -> Result<bool, StoreError>,
) -> Result<Vec<StrandedView>, StoreError> {
    let mut written: Vec<Written> = drafts::written(db)?
        .into_iter()
        .map(|draft| Written {
            topic: draft.topic,
            message: None,
            community: draft.community,
            name: draft.name,
            text: draft.text,
        })
        .collect();
    written.extend(edits::written(db)?.into_iter().map(|edit| Written {
        topic: edit.topic,
        message: Some(edit.message),
        community: edit.community,
        name: edit.name,
        text: edit.text,
    }));
    if written.is_empty() {
        return Ok(Vec::new());
    }
    let held: HashSet<Log> = rows::cursors(db)?
        .into_iter()
        .filter(|(_, rev, _)| *rev > Rev::ZERO)
        .map(|(log, ..)| log)
        .collect();
    // Which communities there are is not known yet.
    if !held.contains(&Log::Account(me)) {
        return Ok(Vec::new());
    }
    let coming: HashSet<CommunityId> = communities
        .iter()
        .copied()
        .filter(|community| !held.contains(&Log::Community(*community)))
        .collect();
    let mut views = Vec::new();
    for draft in written {
        let may_come = match draft.community {
            Some(community) => coming.contains(&community),
            None => !coming.is_empty(),
        };
        if may_come || draft.text.trim().is_empty() || is_there(draft.topic)? {
            continue;
        }
        views.push(StrandedView {
            topic: draft.topic.to_string(),
            message: draft.message.map(|id| id.to_string()),
            name: draft.name,
            text: draft.text,
        });
    }
    Ok(views)
}

#[cfg(test)]
mod tests;

//! What an engine needs to know to go on where the last one stopped.

use std::collections::HashSet;

use rusqlite::Connection;
use tulou_engine::Restored;
use tulou_protocol::{AccountId, Body, CommandId, CommunityId, Log, id::Millis};

use super::{StoreError, heads, islands, messages, meta, outbox, profiles, rows};

/// Drops what only the engine before could have made use of, and marks what is too old to be sent unasked.
pub fn tidy(
    db: &Connection,
    now: Millis,
    confirmed: &HashSet<CommandId>,
) -> Result<(), StoreError> {
    messages::drop_loose(db)?;
    outbox::mark_stale(db, now, confirmed).map(drop)
}

/// Everything that an engine goes on from.
pub fn restored(db: &Connection, me: AccountId) -> Result<Restored, StoreError> {
    let mut restored = Restored {
        account: Some(me),
        epoch: meta::greeting(db)?.map(|greeting| greeting.epoch),
        cursors: rows::cursors(db)?
            .into_iter()
            .map(|(log, rev, view)| (log, (rev, view)))
            .collect(),
        islands: islands::all(db)?,
        heads: heads::all(db)?,
        profiles: profiles::revs(db)?,
        lacking: profiles::lacking(db)?,
        outbox: outbox::all(db)?,
        ..Restored::default()
    };
    // Where the membership is not here any more the engine has what came forgotten, as it does with a whole one.
    for log in rows::begun(db)? {
        restored.cursors.entry(log).or_default();
    }
    for row in rows::of_kind(db, Log::Account(me), "membership")? {
        if let Body::Membership(membership) = row.body {
            let community = membership.community;
            let as_of = heads::of_community(db, community)?.as_of;
            restored.communities.insert(community, as_of);
            let numbers = rows::topics_of(db, community)?
                .into_iter()
                .map(|(topic, no)| (no, topic))
                .collect();
            restored.numbers.insert(community, numbers);
        }
    }
    // The rows of a community came, and the program ended before the membership row did: the engine has the community
    // forgotten with everything in it, and begins its topics from nothing.
    let communities: Vec<CommunityId> = restored
        .cursors
        .keys()
        .filter_map(|log| match log {
            Log::Community(community) => Some(*community),
            Log::Topic(_) | Log::Account(_) => None,
        })
        .filter(|community| !restored.communities.contains_key(community))
        .collect();
    for community in communities {
        for (topic, _) in rows::topics_of(db, community)? {
            restored.islands.remove(&topic);
            restored.heads.remove(&topic);
        }
    }
    Ok(restored)
}

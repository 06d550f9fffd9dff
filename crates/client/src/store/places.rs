//! Which communities there are and where topics stand, as the person sees it: what waits in the outbox included.

use rusqlite::Connection;
use tulou_engine::OutboxState;
use tulou_protocol::{AccountId, Body, Command, CommunityId, Log, TopicId};

use super::{StoreError, outbox, rows};

/// The communities that I am a member of, in the order of joining, then those made here.
pub fn memberships(db: &Connection, me: AccountId) -> Result<Vec<CommunityId>, StoreError> {
    let mut joined: Vec<(i64, CommunityId)> = rows::of_kind(db, Log::Account(me), "membership")?
        .into_iter()
        .filter_map(|row| {
            if let Body::Membership(membership) = row.body {
                Some((membership.joined_at, membership.community))
            } else {
                None
            }
        })
        .collect();
    joined.sort_unstable();
    let mut communities: Vec<CommunityId> = joined.into_iter().map(|(_, id)| id).collect();
    for entry in outbox::of_structure(db)? {
        if let Command::CommunityCreate { community, .. } = entry.command
            && !matches!(entry.state, OutboxState::Rejected(_))
            && !communities.contains(&community)
        {
            communities.push(community);
        }
    }
    Ok(communities)
}

/// The community that a topic stands in, one that waits in the outbox included.
pub fn community_of(db: &Connection, topic: TopicId) -> Result<Option<CommunityId>, StoreError> {
    if let Some(community) = rows::community_of(db, topic)? {
        return Ok(Some(community));
    }
    Ok(outbox::made(db, topic)?.map(|(community, _)| community))
}

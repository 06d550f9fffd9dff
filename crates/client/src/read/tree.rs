//! The tree of a community.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;
use tulou_engine::{OutboxEntry, OutboxState};
use tulou_protocol::{CommunityId, Permissions, TopicId, command::Home, permission::Place};

use super::keys;
use crate::{
    account::{Numbered, Snapshot},
    error::Error,
    shape::{Shape, TopicShape},
    store::{StoreError, drafts, heads, outbox},
    unread::{Ledger, sum},
    view::{
        Badge, BadgesView, CountsView, GroupBadge, GroupView, JumpTopic, JumpView, TopicBadge,
        TopicView, TreeView,
    },
};

/// The tree of a community.
///
/// # Errors
/// `not_found` if the community is not held.
pub fn tree(snapshot: &Snapshot<'_>, community: CommunityId) -> Result<TreeView, Error> {
    let shape = &*snapshot.community(community)?;
    let db = snapshot.db;
    let outbox = outbox::all(db)?;
    let ledger = Ledger::load(db, snapshot.as_of, &outbox)?;
    let drafts = drafts::topics(db)?;
    let failed = failed(&outbox);
    let counts = counts(db, community)?;
    let mut groups = Vec::with_capacity(shape.groups.len());
    for group in &shape.groups {
        let mut topics = Vec::new();
        for topic in shape.topics_of(group.id) {
            let mut view = topic_view(shape, &ledger, topic);
            view.has_draft = drafts.contains(&topic.id);
            view.has_failed = failed.contains(&topic.id);
            topics.push(view);
        }
        groups.push(GroupView {
            id: group.id.to_string(),
            name: group.name.clone(),
            badge: sum(topics.iter().map(|topic| topic.badge)),
            permissions: keys(shape.mine(Place::Group(group.id)).permissions),
            topics,
            is_pending: group.is_pending,
        });
    }
    Ok(TreeView {
        id: shape.id.to_string(),
        name: shape.name.clone(),
        introduction: shape.introduction.clone(),
        members: counts.members,
        online: counts.online,
        is_owner: shape.is_owner(),
        permissions: keys(shape.mine(Place::Community).permissions),
        groups,
        // By the clock of this computer, which the window waits by.
        levels_end_at: ledger
            .next_end()
            .map(|end| end.saturating_sub(snapshot.as_of.skew)),
        is_pending: shape.is_pending,
    })
}

/// How many members a community has, as last heard.
pub fn counts(db: &Connection, community: CommunityId) -> Result<CountsView, StoreError> {
    let counts = heads::of_community(db, community)?.counts;
    Ok(CountsView {
        members: counts.map(|(members, _)| members),
        online: counts.map(|(_, online)| online),
    })
}

fn topic_view(shape: &Shape, ledger: &Ledger, topic: &TopicShape) -> TopicView {
    let permissions = shape.mine(Place::Topic(topic.id)).permissions;
    TopicView {
        id: topic.id.to_string(),
        name: topic.name.clone(),
        introduction: topic.introduction.clone(),
        is_closed: topic.is_closed,
        is_locked: topic.is_locked,
        is_announcement: is_announcement(shape, topic),
        badge: if topic.is_locked {
            Badge::default()
        } else {
            ledger.badge(shape, topic.group, topic.id)
        },
        level: ledger.level(shape, topic.group, topic.id).into(),
        can_speak: !topic.is_locked && permissions.contains(Permissions::SPEAK),
        can_manage: permissions.contains(Permissions::MANAGE_TOPICS),
        has_draft: false,
        has_failed: false,
        is_pending: topic.is_pending,
    }
}

/// Whether everyone sees a topic and may not speak in it.
fn is_announcement(shape: &Shape, topic: &TopicShape) -> bool {
    let everyone = shape.of_everyone(Place::Topic(topic.id));
    !topic.is_locked
        && everyone.contains(Permissions::VIEW)
        && !everyone.contains(Permissions::SPEAK)
}

/// The topics of all communities that can be opened, in the order of the trees.
pub fn jumps(snapshot: &Snapshot<'_>) -> Result<Vec<JumpView>, StoreError> {
    let mut jumps = Vec::new();
    for community in snapshot.memberships()? {
        let Some(shape) = snapshot.shape(community)? else {
            continue;
        };
        let ids: Vec<TopicId> = shape.topics.iter().map(|topic| topic.id).collect();
        let badges: HashMap<TopicId, Badge> = snapshot
            .numbered(&shape, &ids)?
            .topics
            .into_iter()
            .collect();
        for group in &shape.groups {
            for topic in shape.topics_of(group.id) {
                // What is counted can be opened.
                let Some(badge) = badges.get(&topic.id) else {
                    continue;
                };
                jumps.push(JumpView {
                    community: community.to_string(),
                    community_name: shape.name.clone(),
                    group: group.name.clone(),
                    topic: JumpTopic {
                        id: topic.id.to_string(),
                        name: topic.name.clone(),
                        is_closed: topic.is_closed,
                        is_announcement: is_announcement(&shape, topic),
                        badge: *badge,
                    },
                });
            }
        }
    }
    Ok(jumps)
}

/// The numbers of some topics of a community, and what stands above them; without those of other communities.
///
/// # Errors
/// `not_found` if the community is not held.
pub fn badges(
    snapshot: &Snapshot<'_>,
    community: CommunityId,
    topics: &[TopicId],
) -> Result<BadgesView, Error> {
    let shape = snapshot.community(community)?;
    let db = snapshot.db;
    let Numbered {
        topics,
        groups,
        whole,
    } = snapshot.numbered(&shape, topics)?;
    let mut of_topics = Vec::with_capacity(topics.len());
    for (topic, badge) in topics {
        of_topics.push(TopicBadge {
            id: topic.to_string(),
            badge,
            has_draft: drafts::is_written(db, topic)?,
            has_failed: !failed(&outbox::of_topic(db, topic)?).is_empty(),
        });
    }
    let groups = groups.into_iter().map(|(group, badge)| GroupBadge {
        id: group.to_string(),
        badge,
    });
    Ok(BadgesView {
        topics: of_topics,
        groups: groups.collect(),
        community: whole,
        app: Badge::default(),
    })
}

/// Topics in which a message was refused or waits for the person.
fn failed(outbox: &[OutboxEntry]) -> HashSet<TopicId> {
    outbox
        .iter()
        .filter(|entry| entry.state != OutboxState::Waiting)
        .filter_map(|entry| match entry.command.spec().home {
            Home::Topic(topic) => Some(topic),
            Home::Community(_) | Home::Account => None,
        })
        .collect()
}

//! A community's structure as the person sees it: its rows with the outbox laid over them, and rights computed from it.

mod overlay;
mod rights;

use std::collections::HashMap;

use rusqlite::Connection;
use tulou_engine::OutboxEntry;
use tulou_protocol::{
    Access, AccountId, Body, CommunityId, GroupId, Log, MemberGroupId, TopicId, id::Millis, limits,
    permission::Place, push::Me,
};

use crate::store::{StoreError, heads, outbox, rows};

/// A community with what waits in the outbox laid over it.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Which.
    pub id: CommunityId,
    /// Who looks.
    pub viewer: AccountId,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub introduction: String,
    /// Who owns it.
    pub owner: AccountId,
    /// How long a message may be recalled by its author.
    pub recall_window_ms: Millis,
    /// How long a message may be edited; none: any time.
    pub edit_window_ms: Option<Millis>,
    /// Made here, not yet acknowledged.
    pub is_pending: bool,
    /// Groups in order.
    pub groups: Vec<GroupShape>,
    /// Topics, those of one group together and in order.
    pub topics: Vec<TopicShape>,
    /// Member groups, highest rank first.
    pub member_groups: Vec<MemberGroupShape>,
    /// How the viewer stands in it.
    pub me: Me,
    /// Members and members online when it was read: whether it is large is so still, the numbers may be others.
    pub counts: Option<(u64, u64)>,
    access: HashMap<Place, PlaceShape>,
    topic_at: HashMap<TopicId, usize>,
}

/// A group.
#[derive(Debug, Clone)]
pub struct GroupShape {
    /// Which.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// Its place.
    pub position: String,
    /// Made or changed here, not yet acknowledged.
    pub is_pending: bool,
}

/// A topic.
#[derive(Debug, Clone)]
pub struct TopicShape {
    /// Which.
    pub id: TopicId,
    /// The group it stands in.
    pub group: GroupId,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub introduction: String,
    /// Closed.
    pub is_closed: bool,
    /// Closed, and the viewer has no seat.
    pub is_locked: bool,
    /// Its place.
    pub position: String,
    /// Made or changed here, not yet acknowledged.
    pub is_pending: bool,
}

/// A member group.
#[derive(Debug, Clone)]
pub struct MemberGroupShape {
    /// Which.
    pub id: MemberGroupId,
    /// Its name.
    pub name: String,
    /// Its rank.
    pub rank: String,
    /// A section of the member panel.
    pub is_shown: bool,
    /// Its name stands beside names.
    pub has_tag: bool,
    /// Made or changed here, not yet acknowledged.
    pub is_pending: bool,
}

/// The access rows of one place.
#[derive(Debug, Clone, Default)]
pub struct PlaceShape {
    /// By member group; none is everyone. The flag says that it is not yet acknowledged.
    pub rows: HashMap<Option<MemberGroupId>, (Access, bool)>,
}

impl Shape {
    /// Reads a community; none if it is neither held nor made here.
    pub fn load(
        db: &Connection,
        viewer: AccountId,
        community: CommunityId,
    ) -> Result<Option<Self>, StoreError> {
        Self::load_over(db, viewer, community, &outbox::of_structure(db)?)
    }

    /// The same, with the outbox read already.
    pub fn load_over(
        db: &Connection,
        viewer: AccountId,
        community: CommunityId,
        outbox: &[OutboxEntry],
    ) -> Result<Option<Self>, StoreError> {
        let standing = heads::of_community(db, community)?;
        let mut shape = Self {
            id: community,
            viewer,
            name: String::new(),
            introduction: String::new(),
            owner: viewer,
            recall_window_ms: limits::RECALL_WINDOW_MS,
            edit_window_ms: None,
            is_pending: false,
            groups: Vec::new(),
            topics: Vec::new(),
            member_groups: Vec::new(),
            me: standing.me.unwrap_or(Me {
                member_groups: Vec::new(),
                seats: Vec::new(),
                joined_at: 0,
            }),
            counts: standing.counts,
            access: HashMap::new(),
            topic_at: HashMap::new(),
        };
        let mut is_known = false;
        for row in rows::of_log(db, Log::Community(community))? {
            is_known |= matches!(row.body, Body::Community(_));
            shape.take(&row.id, row.body);
        }
        is_known |= overlay::lay(&mut shape, outbox);
        if !is_known {
            return Ok(None);
        }
        shape.sort();
        Ok(Some(shape))
    }

    fn take(&mut self, id: &str, body: Body) {
        match body {
            Body::Community(community) => {
                self.name = community.name;
                self.introduction = community.introduction;
                self.owner = community.owner;
                self.recall_window_ms = community.recall_window_ms;
                self.edit_window_ms = community.edit_window_ms;
            }
            Body::Group(group) => {
                if let Ok(id) = id.parse() {
                    self.groups.push(GroupShape {
                        id,
                        name: group.name,
                        position: group.position,
                        is_pending: false,
                    });
                }
            }
            Body::Topic(topic) => {
                if let Ok(id) = id.parse() {
                    self.topics.push(TopicShape {
                        id,
                        group: topic.group,
                        name: topic.name,
                        introduction: topic.introduction,
                        is_closed: topic.closed,
                        is_locked: false,
                        position: topic.position,
                        is_pending: false,
                    });
                }
            }
            Body::LockedTopic(topic) => {
                if let Ok(id) = id.parse() {
                    self.topics.push(TopicShape {
                        id,
                        group: topic.group,
                        name: topic.name,
                        introduction: String::new(),
                        is_closed: true,
                        is_locked: true,
                        position: topic.position,
                        is_pending: false,
                    });
                }
            }
            Body::MemberGroup(group) => {
                if let Ok(id) = id.parse() {
                    self.member_groups.push(MemberGroupShape {
                        id,
                        name: group.name,
                        rank: group.rank,
                        is_shown: group.shown,
                        has_tag: group.tagged,
                        is_pending: false,
                    });
                }
            }
            Body::AccessRow(row) => {
                let access = Access {
                    allow: row.allow,
                    deny: row.deny,
                };
                self.set_access(row.place, row.member_group, access, false);
            }
            Body::Message(_)
            | Body::Profile(_)
            | Body::Membership(_)
            | Body::Cursor(_)
            | Body::Notify(_)
            | Body::Friend(_)
            | Body::Direct(_)
            | Body::Draft(_)
            | Body::Mention(_)
            | Body::Mark(_)
            | Body::Deleted(_)
            | Body::Unknown(..) => {}
        }
    }

    fn set_access(
        &mut self,
        place: Place,
        member_group: Option<MemberGroupId>,
        access: Access,
        is_pending: bool,
    ) {
        self.access
            .entry(place)
            .or_default()
            .rows
            .insert(member_group, (access, is_pending));
    }

    fn sort(&mut self) {
        self.groups
            .sort_by(|a, b| (&a.position, a.id).cmp(&(&b.position, b.id)));
        let order: HashMap<GroupId, usize> = self
            .groups
            .iter()
            .enumerate()
            .map(|(at, group)| (group.id, at))
            .collect();
        self.topics.sort_by(|a, b| {
            let at = |topic: &TopicShape| order.get(&topic.group).copied().unwrap_or(usize::MAX);
            (at(a), a.group, &a.position, a.id).cmp(&(at(b), b.group, &b.position, b.id))
        });
        self.member_groups
            .sort_by(|a, b| (&b.rank, b.id).cmp(&(&a.rank, a.id)));
        self.topic_at = self
            .topics
            .iter()
            .enumerate()
            .map(|(at, topic)| (topic.id, at))
            .collect();
    }

    /// A topic.
    pub fn topic(&self, topic: TopicId) -> Option<&TopicShape> {
        self.topic_at.get(&topic).map(|at| &self.topics[*at])
    }

    /// A group.
    pub fn group(&self, group: GroupId) -> Option<&GroupShape> {
        self.groups.iter().find(|held| held.id == group)
    }

    /// A member group.
    pub fn member_group(&self, id: MemberGroupId) -> Option<&MemberGroupShape> {
        self.member_groups.iter().find(|held| held.id == id)
    }

    /// The topics of a group in order.
    pub fn topics_of(&self, group: GroupId) -> impl Iterator<Item = &TopicShape> {
        self.topics.iter().filter(move |topic| topic.group == group)
    }

    /// Whether the viewer owns it.
    pub fn is_owner(&self) -> bool {
        self.owner == self.viewer
    }
}

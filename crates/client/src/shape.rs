//! A community's structure as the person sees it: its rows with the outbox laid over them, and rights computed from it.

mod overlay;

use std::collections::HashMap;

use rusqlite::Connection;
use tulou_engine::OutboxEntry;
use tulou_protocol::{
    Access, AccountId, Body, CommunityId, GroupId, Log, MemberGroupId, Permissions, Standing,
    TopicId,
    id::Millis,
    limits,
    permission::{Held, Place, PlaceAccess, granted, held},
    push::Me,
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
    /// Members and members online, as of the last digest.
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
        let standing = heads::standing(db, community)?;
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

    /// What is set for a member group (none: everyone) at a place.
    pub fn access_at(&self, place: Place, member_group: Option<MemberGroupId>) -> Access {
        self.set_at(place, member_group).0
    }

    /// What the viewer may do at a place.
    pub fn mine(&self, place: Place) -> Held {
        self.of(self.is_owner(), &self.me.member_groups, place, true)
    }

    /// What everyone who is in no member group may do at a place.
    pub fn of_everyone(&self, place: Place) -> Permissions {
        self.of(false, &[], place, true).permissions
    }

    /// What is set for a member group (none: everyone) at a place, and whether that is not yet acknowledged.
    pub fn set_at(&self, place: Place, member_group: Option<MemberGroupId>) -> (Access, bool) {
        self.access
            .get(&place)
            .and_then(|rows| rows.rows.get(&member_group))
            .copied()
            .unwrap_or_default()
    }

    /// What somebody who is in one member group only (none: in no member group) has at a place from elsewhere: were
    /// nothing set there for that member group. Each right by itself, also where the place cannot be seen.
    pub fn inherited(&self, place: Place, member_group: Option<MemberGroupId>) -> Held {
        let mut places: Vec<PlaceAccess> =
            self.path(place).into_iter().map(|at| self.at(at)).collect();
        if let Some(here) = places.last_mut() {
            match member_group {
                None => here.everyone = Access::default(),
                Some(group) => here.groups.retain(|(other, _)| *other != group),
            }
        }
        granted(
            Standing {
                is_owner: false,
                member_groups: member_group.as_slice(),
                has_seat: None,
            },
            &places,
        )
    }

    /// The places whose access rows count at a place, the community first.
    pub fn path(&self, place: Place) -> Vec<Place> {
        let mut path = vec![Place::Community];
        if let Place::Topic(id) = place
            && let Some(topic) = self.topic(id)
        {
            path.push(Place::Group(topic.group));
        }
        if place != Place::Community {
            path.push(place);
        }
        path
    }

    /// What somebody may do at a place.
    pub fn of(
        &self,
        is_owner: bool,
        member_groups: &[MemberGroupId],
        place: Place,
        has_seat: bool,
    ) -> Held {
        let seat = match place {
            // A topic is shown in full to nobody without a seat.
            Place::Topic(id) => self
                .topic(id)
                .and_then(|topic| topic.is_closed.then_some(has_seat && !topic.is_locked)),
            Place::Community | Place::Group(_) => None,
        };
        let places: Vec<PlaceAccess> = self.path(place).into_iter().map(|at| self.at(at)).collect();
        held(
            Standing {
                is_owner,
                member_groups,
                has_seat: seat,
            },
            &places,
        )
    }

    fn at(&self, place: Place) -> PlaceAccess {
        let mut at = PlaceAccess {
            place,
            everyone: Access::default(),
            groups: Vec::new(),
        };
        for (member_group, (access, _)) in self.access.get(&place).into_iter().flat_map(|p| &p.rows)
        {
            match member_group {
                None => at.everyone = *access,
                Some(group) => at.groups.push((*group, *access)),
            }
        }
        at
    }

    /// How high somebody stands: the order of his highest member group; `usize::MAX` for no member group.
    pub fn order_of(&self, member_groups: &[MemberGroupId]) -> usize {
        self.member_groups
            .iter()
            .position(|group| member_groups.contains(&group.id))
            .unwrap_or(usize::MAX)
    }

    /// Whether the viewer stands above somebody.
    pub fn stands_above(&self, account: AccountId, member_groups: &[MemberGroupId]) -> bool {
        account != self.owner
            && (self.is_owner()
                || self.order_of(&self.me.member_groups) < self.order_of(member_groups))
    }

    /// Whether the viewer stands above a member group.
    pub fn is_above_group(&self, id: MemberGroupId) -> bool {
        self.is_owner() || self.order_of(&self.me.member_groups) < self.order_of(&[id])
    }
}

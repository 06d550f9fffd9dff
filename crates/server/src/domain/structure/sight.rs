//! What a member sees of a community. Computed once per kind of member (owner or not, member groups, seats) and version
//! of the structure; a stamp names it, so that a client notices when it changed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};
use tulou_protocol::{
    GroupId, MemberGroupId, Permissions, Rev, Row, TopicId,
    id::Millis,
    permission::{Place, Standing, held},
    push::Me,
    row::{Body, LockedTopic},
};

use super::{Member, Structure};

/// What a kind of member sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// Topics he may see, with his rights there.
    pub topics: BTreeMap<TopicId, Permissions>,
    /// Closed topics that are listed for him, locked.
    pub locked: BTreeSet<TopicId>,
    /// Groups he sees: those with a topic that he sees, and those where he has `ManageTopics`, all if he has it at the
    /// community.
    pub groups: BTreeSet<GroupId>,
    /// Whether he owns the community.
    pub is_owner: bool,
    /// His rights at the community.
    pub community: Permissions,
    /// Names the topics that he may see: the audience of digests.
    pub audience: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    is_owner: bool,
    member_groups: Vec<MemberGroupId>,
    seats: BTreeSet<TopicId>,
}

/// Sights by kind of member; empty in a new version of a structure.
#[derive(Debug, Default)]
pub(crate) struct Sights(Mutex<HashMap<Kind, Arc<Sight>>>);

impl Clone for Sights {
    fn clone(&self) -> Self {
        Self::default()
    }
}

fn short_hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest[..12].iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl Structure {
    /// What the member sees.
    #[must_use]
    pub fn sight(&self, member: &Member) -> Arc<Sight> {
        let kind = Kind {
            is_owner: self.is_owner(member.account),
            member_groups: self.ranked(member),
            seats: self
                .seats_of(member.account)
                .map(|(topic, _)| topic)
                .collect(),
        };
        let known = self
            .sights
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&kind)
            .cloned();
        known.unwrap_or_else(|| {
            let sight = Arc::new(self.look(&kind));
            self.sights
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(kind, sight.clone());
            sight
        })
    }

    fn look(&self, kind: &Kind) -> Sight {
        let standing = |has_seat| Standing {
            is_owner: kind.is_owner,
            member_groups: &kind.member_groups,
            has_seat,
        };
        let community = self
            .places(Place::Community)
            .map_or(Permissions::empty(), |places| {
                held(standing(None), &places).permissions
            });
        let mut topics = BTreeMap::new();
        let mut locked = BTreeSet::new();
        let mut groups = BTreeSet::new();
        for (id, kept) in &self.topics {
            let Some(places) = self.places(Place::Topic(*id)) else {
                continue;
            };
            let has_seat = kept.body.closed.then(|| kind.seats.contains(id));
            let rights = held(standing(has_seat), &places).permissions;
            if rights.contains(Permissions::VIEW) {
                topics.insert(*id, rights);
                groups.insert(kept.body.group);
            } else if has_seat == Some(false)
                && held(standing(None), &places)
                    .permissions
                    .contains(Permissions::VIEW)
            {
                locked.insert(*id);
                groups.insert(kept.body.group);
            }
        }
        // Whoever may put topics into a group sees it, also while it has none.
        let manages_all = community.contains(Permissions::MANAGE_TOPICS);
        let manages = |group: &GroupId| {
            manages_all
                || self.places(Place::Group(*group)).is_some_and(|places| {
                    held(standing(None), &places)
                        .permissions
                        .contains(Permissions::MANAGE_TOPICS)
                })
        };
        let managed: Vec<GroupId> = self.groups.keys().copied().filter(manages).collect();
        groups.extend(managed);
        let audience = short_hash(&topics.keys().fold(String::new(), |mut text, id| {
            let _ = write!(text, "{id},");
            text
        }));
        Sight {
            topics,
            locked,
            groups,
            is_owner: kind.is_owner,
            community,
            audience,
        }
    }

    /// The stamp of what the member sees: it differs whenever rows would have to appear or vanish, or `me` changed.
    #[must_use]
    pub fn stamp(&self, member: &Member) -> String {
        let sight = self.sight(member);
        let me = self.me(member);
        let mut text = format!("{:?}", (&me.member_groups, me.joined_at, &me.seats));
        if sight.is_owner {
            text.push_str("owner");
        }
        for (id, rights) in &sight.topics {
            let _ = write!(text, "{id}{}", rights.contains(Permissions::READ_HISTORY));
        }
        for id in &sight.locked {
            let _ = write!(text, "locked{id}");
        }
        for id in &sight.groups {
            let _ = write!(text, "group{id}");
        }
        short_hash(&text)
    }

    /// How the member stands.
    #[must_use]
    pub fn me(&self, member: &Member) -> Me {
        let mut seats: Vec<_> = self.seats_of(member.account).collect();
        seats.sort_unstable();
        Me {
            member_groups: self.ranked(member),
            seats,
            joined_at: member.joined_at,
        }
    }

    /// Since when the member may read a topic; none if he may read all of it.
    #[must_use]
    pub fn readable_since(&self, member: &Member, topic: TopicId) -> Option<Millis> {
        self.readable_as_seen(&self.sight(member), member, topic)
    }

    /// The same for whoever knows what the member sees.
    #[must_use]
    pub fn readable_as_seen(
        &self,
        sight: &Sight,
        member: &Member,
        topic: TopicId,
    ) -> Option<Millis> {
        let rights = sight.topics.get(&topic).copied();
        if rights.is_some_and(|rights| rights.contains(Permissions::READ_HISTORY)) {
            return None;
        }
        let seat = self.seat(topic, member.account).flatten();
        Some(seat.unwrap_or(member.joined_at).max(member.joined_at))
    }

    /// A row of the community's log as somebody sees it; none if he may not.
    #[must_use]
    pub fn seen(&self, sight: &Sight, row: &Row) -> Option<Row> {
        let is_seen = match &row.body {
            Body::Community(_) | Body::MemberGroup(_) => true,
            Body::Group(_) => row
                .id
                .parse()
                .is_ok_and(|id: GroupId| sight.groups.contains(&id)),
            Body::Topic(topic) => {
                let Ok(id) = row.id.parse::<TopicId>() else {
                    return None;
                };
                if sight.locked.contains(&id) {
                    return Some(Row {
                        id: row.id.clone(),
                        rev: row.rev,
                        body: LockedTopic {
                            group: topic.group,
                            name: topic.name.clone(),
                            position: topic.position.clone(),
                            seats: self
                                .seats
                                .get(&id)
                                .map_or(0, |seats| u32::try_from(seats.len()).unwrap_or(u32::MAX)),
                            more: Default::default(),
                        }
                        .into(),
                    });
                }
                sight.topics.contains_key(&id)
            }
            Body::AccessRow(access) => match access.place {
                Place::Community => true,
                Place::Group(id) => sight.groups.contains(&id),
                Place::Topic(id) => sight.topics.contains_key(&id),
            },
            // A tombstone names an opaque id and nothing else.
            Body::Deleted(_) => true,
            Body::LockedTopic(_)
            | Body::Message(_)
            | Body::Profile(_)
            | Body::Membership(_)
            | Body::Cursor(_)
            | Body::Notify(_)
            | Body::Friend(_)
            | Body::Direct(_)
            | Body::Draft(_)
            | Body::Mention(_)
            | Body::Mark(_)
            | Body::Unknown(..) => false,
        };
        is_seen.then(|| row.clone())
    }

    /// Rows that a commit wrote to the community's log, as somebody sees them.
    #[must_use]
    pub fn written_as_seen<'a>(
        &self,
        sight: &Sight,
        written: impl Iterator<Item = &'a Row>,
    ) -> Vec<Row> {
        let mut rows = Vec::new();
        for row in written {
            if let Body::Deleted(kind) = &row.body {
                rows.extend(tombstones(kind).iter().map(|kind| Row {
                    id: row.id.clone(),
                    rev: row.rev,
                    body: Body::Deleted((*kind).to_owned()),
                }));
            } else {
                rows.extend(self.seen(sight, row));
            }
        }
        rows
    }

    /// All rows that somebody sees, changed after `since`, in the order of rev.
    #[must_use]
    pub fn rows_since(&self, sight: &Sight, since: Rev, with_tombstones: bool) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut add = |id: String, rev: Rev, body: Body| {
            if rev > since
                && let Some(row) = self.seen(sight, &Row { id, rev, body })
            {
                rows.push(row);
            }
        };
        add(
            self.id.to_string(),
            self.community.rev,
            self.community.body.clone().into(),
        );
        for (id, kept) in &self.groups {
            add(id.to_string(), kept.rev, kept.body.clone().into());
        }
        for (id, kept) in &self.topics {
            add(id.to_string(), kept.rev, kept.body.clone().into());
        }
        for (id, kept) in &self.member_groups {
            add(id.to_string(), kept.rev, kept.body.clone().into());
        }
        for ((place, member_group), kept) in &self.access {
            let id = tulou_protocol::row::AccessRow::id(*place, *member_group);
            add(id, kept.rev, kept.body.clone().into());
        }
        if with_tombstones {
            for ((kind, id), rev) in &self.gone {
                for kind in tombstones(kind) {
                    add(id.clone(), *rev, Body::Deleted((*kind).to_owned()));
                }
            }
        }
        rows.sort_by_key(|row| row.rev);
        rows
    }
}

/// The kinds under which a reader may hold what was deleted.
fn tombstones(kind: &str) -> &'static [&'static str] {
    match kind {
        "topic" => &["topic", "locked_topic"],
        "group" => &["group"],
        "member_group" => &["member_group"],
        "access" => &["access"],
        _ => &["community"],
    }
}

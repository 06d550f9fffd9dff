//! A community's structure in memory: everything of its log, the seats of closed topics, and the rights that follow.
//! Members are not part of it; there may be a million of them. Versions of it share what they have in common: a change
//! copies the way to what it changes, and nothing else.

mod apply;
pub mod audience;
mod paging;
mod reader;
mod rules;
mod seats;
pub mod seen;
pub mod sight;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use imbl::OrdMap;
use tulou_protocol::{
    AccountId, CommunityId, GroupId, Log, MemberGroupId, Permissions, Rev, Row, Standing, TopicId,
    id::Millis,
    permission::{Access, Held, Place, PlaceAccess, held},
    row::{AccessRow, Body, Community, Group, MemberGroup, Topic},
};

use super::membership::Member;
use seats::Seats;
use sight::Sights;

/// A body with the rev that gave it this state.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept<T> {
    /// The rev.
    pub rev: Rev,
    /// The state.
    pub body: T,
}

/// A community's structure at a rev of its log.
#[derive(Debug, Clone)]
pub struct Structure {
    /// Which community.
    pub id: CommunityId,
    /// The rev of its log.
    pub rev: Rev,
    /// The community's row.
    pub community: Kept<Community>,
    /// Groups.
    pub groups: OrdMap<GroupId, Kept<Group>>,
    /// Topics.
    pub topics: OrdMap<TopicId, Kept<Topic>>,
    /// Since when each of them stands in its group, open or closed as it is; no earlier than that, if it was read later.
    placed: OrdMap<TopicId, Rev>,
    /// Member groups.
    pub member_groups: OrdMap<MemberGroupId, Kept<MemberGroup>>,
    /// Access rows.
    pub access: OrdMap<(Place, Option<MemberGroupId>), Kept<AccessRow>>,
    /// Tombstones by kind and id, with their revs.
    pub gone: OrdMap<(String, String), Rev>,
    /// Seats of closed topics.
    pub seats: Seats,
    /// The last number given to a topic.
    pub last_no: u32,
    /// How many members there are: of all versions, as it is now.
    members: Arc<AtomicU64>,
    /// What members see, computed once per kind of member.
    pub(crate) sights: Sights,
}

/// A rank, comparable: the owner's is above all, `everyone`'s below all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// In no member group.
    Everyone,
    /// The highest member group's rank, ties by id.
    Group(String, MemberGroupId),
    /// The owner.
    Owner,
}

impl Structure {
    /// The structure from what a store holds. None without a community row: it was dissolved, or never was.
    #[must_use]
    pub fn from_rows(
        id: CommunityId,
        rev: Rev,
        rows: Vec<Row>,
        seats: Vec<(TopicId, AccountId, Millis)>,
        last_no: u32,
        members: u64,
    ) -> Option<Self> {
        let (mut own, rest): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .partition(|row| matches!(row.body, Body::Community(_)));
        let own = own.pop()?;
        let Body::Community(community) = own.body else {
            return None;
        };
        let mut structure = Self {
            id,
            rev,
            community: Kept {
                rev: own.rev,
                body: community,
            },
            groups: OrdMap::new(),
            topics: OrdMap::new(),
            placed: OrdMap::new(),
            member_groups: OrdMap::new(),
            access: OrdMap::new(),
            gone: OrdMap::new(),
            seats: Seats::default(),
            last_no,
            members: Arc::new(AtomicU64::new(members)),
            sights: Sights::default(),
        };
        for row in rest {
            structure.put(&row);
        }
        // Seats of a topic that ended may still be there to be swept.
        for (topic, account, since) in seats {
            if structure.topics.contains_key(&topic) {
                structure.seats.put(topic, account, Some(since));
            }
        }
        Some(structure)
    }

    /// Applies a row of the community's log.
    fn put(&mut self, row: &Row) {
        let rev = row.rev;
        let kind = row.body.kind().to_owned();
        if !matches!(row.body, Body::Deleted(_)) {
            self.gone.remove(&(kind, row.id.clone()));
        }
        match &row.body {
            Body::Community(body) => {
                self.community = Kept {
                    rev,
                    body: body.clone(),
                };
            }
            Body::Group(body) => {
                if let Ok(id) = row.id.parse() {
                    self.groups.insert(
                        id,
                        Kept {
                            rev,
                            body: body.clone(),
                        },
                    );
                }
            }
            Body::Topic(body) => {
                if let Ok(id) = row.id.parse() {
                    if !self.is_placed_alike(id, body) {
                        self.placed.insert(id, rev);
                    }
                    self.topics.insert(
                        id,
                        Kept {
                            rev,
                            body: body.clone(),
                        },
                    );
                }
            }
            Body::MemberGroup(body) => {
                if let Ok(id) = row.id.parse() {
                    self.member_groups.insert(
                        id,
                        Kept {
                            rev,
                            body: body.clone(),
                        },
                    );
                }
            }
            Body::AccessRow(body) => {
                self.access.insert(
                    (body.place, body.member_group),
                    Kept {
                        rev,
                        body: body.clone(),
                    },
                );
            }
            Body::Deleted(kind) => {
                match kind.as_str() {
                    "group" => drop(row.id.parse().map(|id: GroupId| self.groups.remove(&id))),
                    "topic" => {
                        if let Ok(id) = row.id.parse::<TopicId>() {
                            self.topics.remove(&id);
                            self.placed.remove(&id);
                        }
                    }
                    "member_group" => {
                        drop(
                            row.id
                                .parse()
                                .map(|id: MemberGroupId| self.member_groups.remove(&id)),
                        );
                    }
                    "access" => {
                        drop(AccessRow::named(&row.id).and_then(|key| self.access.remove(&key)));
                    }
                    _ => {}
                }
                self.gone.insert((kind.clone(), row.id.clone()), rev);
            }
            Body::Message(_)
            | Body::LockedTopic(_)
            | Body::Profile(_)
            | Body::Membership(_)
            | Body::Cursor(_)
            | Body::Notify(_)
            | Body::Friend(_)
            | Body::Direct(_)
            | Body::Draft(_)
            | Body::Mention(_)
            | Body::Mark(_)
            | Body::Unknown(..) => {}
        }
    }

    /// Whether a topic is there, in that group and as open or closed: whoever sees it goes on seeing it as he did.
    fn is_placed_alike(&self, id: TopicId, topic: &Topic) -> bool {
        self.topics
            .get(&id)
            .is_some_and(|kept| (kept.body.group, kept.body.closed) == (topic.group, topic.closed))
    }

    /// How many members there are.
    #[must_use]
    pub fn members(&self) -> u64 {
        self.members.load(Ordering::Relaxed)
    }

    /// There are so many members.
    pub fn count_members(&self, members: u64) {
        self.members.store(members, Ordering::Relaxed);
    }

    /// The community's log.
    #[must_use]
    pub const fn log(&self) -> Log {
        Log::Community(self.id)
    }

    /// Whether the member owns the community.
    #[must_use]
    pub fn is_owner(&self, account: AccountId) -> bool {
        self.community.body.owner == account
    }

    /// Whether a member may bring others in: an invite link is good for as long as whoever it belongs to may.
    #[must_use]
    pub fn may_invite(&self, member: &Member) -> bool {
        self.held(member, Place::Community)
            .is_some_and(|held| held.permissions.contains(Permissions::INVITE))
    }

    /// The access rows at one place.
    fn access_at(&self, place: Place) -> PlaceAccess {
        let mut everyone = Access::default();
        let mut groups = Vec::new();
        for ((_, member_group), kept) in self
            .access
            .range((place, None)..)
            .take_while(|((at, _), _)| *at == place)
        {
            let access = Access {
                allow: kept.body.allow,
                deny: kept.body.deny,
            };
            match member_group {
                None => everyone = access,
                Some(id) => groups.push((*id, access)),
            }
        }
        PlaceAccess {
            place,
            everyone,
            groups,
        }
    }

    /// The way from the community down to a place; none if the place does not exist.
    #[must_use]
    pub fn places(&self, place: Place) -> Option<Vec<PlaceAccess>> {
        let mut places = vec![self.access_at(Place::Community)];
        match place {
            Place::Community => {}
            Place::Group(id) => {
                self.groups.get(&id)?;
                places.push(self.access_at(place));
            }
            Place::Topic(id) => {
                let group = self.topics.get(&id)?.body.group;
                places.push(self.access_at(Place::Group(group)));
                places.push(self.access_at(place));
            }
        }
        Some(places)
    }

    /// The member's member groups that exist, highest rank first.
    #[must_use]
    pub fn ranked(&self, member: &Member) -> Vec<MemberGroupId> {
        let mut mine: Vec<(&str, MemberGroupId)> = member
            .member_groups
            .iter()
            .filter_map(|id| {
                self.member_groups
                    .get(id)
                    .map(|kept| (kept.body.rank.as_str(), *id))
            })
            .collect();
        mine.sort_unstable();
        mine.dedup();
        mine.into_iter().rev().map(|(_, id)| id).collect()
    }

    /// The member's seat in a topic: none if the topic is open.
    #[must_use]
    pub fn seat(&self, topic: TopicId, account: AccountId) -> Option<Option<Millis>> {
        let closed = self.topics.get(&topic).is_some_and(|kept| kept.body.closed);
        closed.then(|| self.seats.since(topic, account))
    }

    /// The rights of a member at a place, with the explanation; none if the place does not exist.
    #[must_use]
    pub fn held(&self, member: &Member, place: Place) -> Option<Held> {
        let places = self.places(place)?;
        let ranked = self.ranked(member);
        let has_seat = match place {
            Place::Topic(topic) => self
                .seat(topic, member.account)
                .map(|since| since.is_some()),
            Place::Community | Place::Group(_) => None,
        };
        Some(held(
            Standing {
                is_owner: self.is_owner(member.account),
                member_groups: &ranked,
                has_seat,
            },
            &places,
        ))
    }

    /// What the member may do at a place; nothing where the place does not exist.
    #[must_use]
    pub fn permissions(&self, member: &Member, place: Place) -> Permissions {
        self.held(member, place)
            .map_or(Permissions::empty(), |held| held.permissions)
    }

    /// The member's rank.
    #[must_use]
    pub fn rank(&self, member: &Member) -> Rank {
        if self.is_owner(member.account) {
            return Rank::Owner;
        }
        self.ranked(member)
            .first()
            .map_or(Rank::Everyone, |id| self.rank_of(*id))
    }

    /// A member group's rank.
    #[must_use]
    pub fn rank_of(&self, member_group: MemberGroupId) -> Rank {
        self.member_groups
            .get(&member_group)
            .map_or(Rank::Everyone, |kept| {
                Rank::Group(kept.body.rank.clone(), member_group)
            })
    }

    /// Whether an id was ever used for a thing of this kind.
    #[must_use]
    pub fn was_used(&self, kind: &str, id: &str) -> bool {
        self.gone.contains_key(&(kind.to_owned(), id.to_owned()))
    }

    /// The seats that an account has.
    pub fn seats_of(&self, account: AccountId) -> impl Iterator<Item = (TopicId, Millis)> + '_ {
        self.seats.of(account)
    }

    /// The topics of a group.
    pub fn topics_in(&self, group: GroupId) -> impl Iterator<Item = TopicId> + '_ {
        self.topics
            .iter()
            .filter(move |(_, kept)| kept.body.group == group)
            .map(|(id, _)| *id)
    }
}

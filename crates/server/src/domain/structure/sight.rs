//! What a member sees of a community. Computed once for all who have the same rights, and kept while nothing that rights
//! hang on changes; a stamp names it, so that a client notices when it changed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use sha2::{Digest, Sha256};
use tulou_protocol::{
    GroupId, MemberGroupId, Permissions, Rev, Row, TopicId,
    id::Millis,
    permission::Place,
    push::Me,
    row::{Body, LockedTopic},
};

use super::{
    Member, Structure,
    rules::{Rights, Rules},
};

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
    /// Names what would have to appear or vanish if it were another one.
    pub shape: String,
}

/// What a sight hangs on. Member groups that no access row speaks of are no part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    is_owner: bool,
    member_groups: Vec<MemberGroupId>,
    seats: Vec<TopicId>,
}

/// A sight, before its topics are listed: kinds of members with the same rights have the same one.
type Key = (bool, Rights, Vec<TopicId>);

/// Kinds of members that are known at the same time, before all are computed again.
const KINDS: usize = 20_000;

/// Sights by kind of member. Versions of a structure that are seen alike share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sights(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    rules: OnceLock<Rules>,
    by: Mutex<By>,
}

#[derive(Debug, Default)]
struct By {
    kind: HashMap<Kind, Arc<Sight>>,
    key: HashMap<Key, Arc<Sight>>,
}

impl Known {
    fn by(&self) -> MutexGuard<'_, By> {
        self.by.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn short(hash: Sha256) -> String {
    hex(&hash.finalize()[..12])
}

impl Structure {
    /// What the member sees.
    #[must_use]
    pub fn sight(&self, member: &Member) -> Arc<Sight> {
        let known = &self.sights.0;
        let rules = known.rules.get_or_init(|| Rules::of(self));
        let is_owner = self.is_owner(member.account);
        let mut kind = Kind {
            is_owner,
            member_groups: Vec::new(),
            seats: Vec::new(),
        };
        if !is_owner {
            let exists = |id: &&MemberGroupId| self.member_groups.contains_key(*id);
            let mine = member.member_groups.iter().filter(exists);
            kind.member_groups = mine.filter(|id| rules.speak_of(id)).copied().collect();
            kind.member_groups.sort_unstable();
            kind.member_groups.dedup();
            let seats = self.seats_of(member.account).map(|(topic, _)| topic);
            let is_closed = |topic: &TopicId| {
                let kept = self.topics.get(topic);
                kept.is_some_and(|kept| kept.body.closed)
            };
            kind.seats = seats.filter(is_closed).collect();
        }
        if let Some(sight) = known.by().kind.get(&kind) {
            return sight.clone();
        }
        let rights = rules.rights(is_owner, &kind.member_groups);
        let key = (is_owner, rights, kind.seats.clone());
        let mut by = known.by();
        if by.kind.len() >= KINDS {
            *by = By::default();
        }
        let sight = by.key.get(&key).cloned();
        let sight = sight.unwrap_or_else(|| Arc::new(look(rules, &key)));
        by.key.insert(key, sight.clone());
        by.kind.insert(kind, sight.clone());
        sight
    }

    /// The stamp of what the member sees: it differs whenever rows would have to appear or vanish, or `me` changed.
    #[must_use]
    pub fn stamp(&self, member: &Member) -> String {
        self.stamp_as_seen(&self.sight(member), &self.me(member))
    }

    /// The same for whoever knows what the member sees and how he stands.
    #[must_use]
    pub fn stamp_as_seen(&self, sight: &Sight, me: &Me) -> String {
        let mut hash = Sha256::new();
        hash.update(&sight.shape);
        hash.update(format!(
            "{:?}",
            (&me.member_groups, me.joined_at, &me.seats)
        ));
        short(hash)
    }

    /// How the member stands.
    #[must_use]
    pub fn me(&self, member: &Member) -> Me {
        Me {
            member_groups: self.ranked(member),
            seats: self.seats_of(member.account).collect(),
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
                            seats: u32::try_from(self.seats.count(id)).unwrap_or(u32::MAX),
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
        let is_new = |rev: Rev| rev > since;
        let mut add = |id: String, rev: Rev, body: Body| {
            rows.extend(self.seen(sight, &Row { id, rev, body }));
        };
        let own = &self.community;
        if is_new(own.rev) {
            add(self.id.to_string(), own.rev, own.body.clone().into());
        }
        for (id, kept) in self.groups.iter().filter(|(_, kept)| is_new(kept.rev)) {
            add(id.to_string(), kept.rev, kept.body.clone().into());
        }
        for (id, kept) in self.topics.iter().filter(|(_, kept)| is_new(kept.rev)) {
            add(id.to_string(), kept.rev, kept.body.clone().into());
        }
        let member_groups = self.member_groups.iter();
        for (id, kept) in member_groups.filter(|(_, kept)| is_new(kept.rev)) {
            add(id.to_string(), kept.rev, kept.body.clone().into());
        }
        let access = self.access.iter();
        for ((place, member_group), kept) in access.filter(|(_, kept)| is_new(kept.rev)) {
            let id = tulou_protocol::row::AccessRow::id(*place, *member_group);
            add(id, kept.rev, kept.body.clone().into());
        }
        if with_tombstones {
            rows.extend(self.tombstones_since(since));
        }
        rows.sort_by_key(|row| row.rev);
        rows
    }

    /// Tombstones of what was deleted after a rev.
    #[must_use]
    pub fn tombstones_since(&self, since: Rev) -> Vec<Row> {
        let gone = self.gone.iter().filter(|(_, rev)| **rev > since);
        let rows = gone.flat_map(|((kind, id), rev)| {
            tombstones(kind).iter().map(|kind| Row {
                id: id.clone(),
                rev: *rev,
                body: Body::Deleted((*kind).to_owned()),
            })
        });
        rows.collect()
    }
}

/// Lists what somebody sees.
fn look(rules: &Rules, (is_owner, rights, seats): &Key) -> Sight {
    let mut topics = BTreeMap::new();
    let mut locked = BTreeSet::new();
    // Whoever may put topics into a group sees it, also while it has none.
    let mut groups = rights.manages.clone();
    for (id, group, is_closed, rule) in &rules.topics {
        let held = rights.by_rule[*rule];
        if !held.contains(Permissions::VIEW) {
            continue;
        }
        if *is_owner || !is_closed || seats.binary_search(id).is_ok() {
            topics.insert(*id, held);
        } else {
            locked.insert(*id);
        }
        groups.insert(*group);
    }
    let mut audience = Sha256::new();
    let mut shape = Sha256::new();
    shape.update([u8::from(*is_owner)]);
    for (id, held) in &topics {
        audience.update(id.as_bytes());
        shape.update(id.as_bytes());
        shape.update([u8::from(held.contains(Permissions::READ_HISTORY))]);
    }
    for id in &locked {
        shape.update(id.as_bytes());
        shape.update([2]);
    }
    for id in &groups {
        shape.update(id.as_bytes());
        shape.update([3]);
    }
    Sight {
        topics,
        locked,
        groups,
        is_owner: *is_owner,
        community: rights.community,
        audience: short(audience),
        shape: short(shape),
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

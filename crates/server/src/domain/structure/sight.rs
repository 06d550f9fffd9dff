//! What a member sees of a community. Computed once for all who have the same rights, and kept while nothing that rights
//! hang on changes; a stamp names it, so that a client notices when it changed.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    fmt::Write,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};

use sha2::{Digest, Sha256};
use tulou_protocol::{
    GroupId, MemberGroupId, Permissions, Rev, Row, TopicId,
    permission::Place,
    push::Me,
    row::{Body, LockedTopic},
};

use super::{
    Member, Structure,
    rules::{Rights, Ruled, Rules},
};

/// What a kind of member sees. What hangs on his rights is shared by all who have the same ones; his own are his seats.
#[derive(Debug)]
pub struct Sight {
    outlook: Arc<Outlook>,
    /// The closed topics in which he has a seat, in order.
    seats: Vec<TopicId>,
    shape: OnceLock<String>,
}

/// What all see who have the same rights, but for seats.
#[derive(Debug)]
struct Outlook {
    rules: Arc<Rules>,
    is_owner: bool,
    rights: Rights,
    /// Groups with a topic that is seen or listed, and those where he may manage topics, all if he may at the community.
    groups: BTreeSet<GroupId>,
}

impl Sight {
    /// His rights in a topic that he may see; none if he may not.
    #[must_use]
    pub fn rights(&self, topic: TopicId) -> Option<Permissions> {
        let at = self.outlook.rules.topic(topic)?;
        self.look(at)
            .filter(|(_, is_open)| *is_open)
            .map(|(rights, _)| rights)
    }

    /// Whether he may see a topic.
    #[must_use]
    pub fn sees(&self, topic: TopicId) -> bool {
        self.rights(topic).is_some()
    }

    /// Whether a closed topic is listed for him, locked.
    #[must_use]
    pub fn is_locked(&self, topic: TopicId) -> bool {
        let at = self.outlook.rules.topic(topic);
        let found = at.and_then(|at| self.look(at));
        found.is_some_and(|(_, is_open)| !is_open)
    }

    /// Topics that he may see, in order, with his rights there.
    pub fn topics(&self) -> impl Iterator<Item = (TopicId, Permissions)> {
        self.listed()
            .filter_map(|(topic, rights, is_open)| is_open.then_some((topic, rights)))
    }

    /// Closed topics that are listed for him, locked.
    pub fn locked(&self) -> impl Iterator<Item = TopicId> {
        self.listed()
            .filter_map(|(topic, _, is_open)| (!is_open).then_some(topic))
    }

    /// Groups that he sees.
    #[must_use]
    pub fn groups(&self) -> &BTreeSet<GroupId> {
        &self.outlook.groups
    }

    /// Whether he owns the community.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        self.outlook.is_owner
    }

    /// Names what would have to appear or vanish if it were another one.
    #[must_use]
    pub fn shape(&self) -> &str {
        self.shape.get_or_init(|| shape(self))
    }

    /// Whether it follows from these rules.
    pub(super) fn rests_on(&self, rules: &Arc<Rules>) -> bool {
        Arc::ptr_eq(&self.outlook.rules, rules)
    }

    /// The same for all who have the same rights, and see the same but for seats, while one of these sights is held.
    pub(crate) fn kind(&self) -> usize {
        Arc::as_ptr(&self.outlook).addr()
    }

    /// All topics that he sees or that are listed for him, and whether they are open to him.
    fn listed(&self) -> impl Iterator<Item = (TopicId, Permissions, bool)> {
        let topics = self.outlook.rules.topics.iter();
        topics.filter_map(|at| {
            let (rights, is_open) = self.look(at)?;
            Some((at.id, rights, is_open))
        })
    }

    fn look(&self, at: &Ruled) -> Option<(Permissions, bool)> {
        let rights = self.outlook.rights.by_rule[at.rule];
        let is_listed = rights.contains(Permissions::VIEW);
        is_listed.then(|| {
            let has_seat = || self.seats.binary_search(&at.id).is_ok();
            (rights, self.outlook.is_owner || !at.is_closed || has_seat())
        })
    }

    /// Whether it shares all but its seats with another.
    #[cfg(test)]
    pub fn shares(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.outlook, &other.outlook)
    }

    /// What it holds, in things of some 16 bytes; what it shares is counted as if it were its own.
    pub(crate) fn weight(&self) -> usize {
        let Outlook { rights, groups, .. } = &*self.outlook;
        16 + self.seats.len() + rights.by_rule.len() + groups.len()
    }
}

fn shape(sight: &Sight) -> String {
    let mut shape = Sha256::new();
    shape.update([u8::from(sight.is_owner())]);
    for (id, rights) in sight.topics() {
        shape.update(id.as_bytes());
        shape.update([u8::from(rights.contains(Permissions::READ_HISTORY))]);
    }
    for id in sight.locked() {
        shape.update(id.as_bytes());
        shape.update([2]);
    }
    for id in sight.groups() {
        shape.update(id.as_bytes());
        shape.update([3]);
    }
    short(shape)
}

impl Outlook {
    fn of(rules: &Arc<Rules>, is_owner: bool, rights: Rights) -> Self {
        // Whoever may put topics into a group sees it, also while it has none.
        let mut groups = rights.manages.clone();
        let listed = rules.topics.iter().filter(|at| {
            let rights = rights.by_rule[at.rule];
            rights.contains(Permissions::VIEW)
        });
        groups.extend(listed.map(|at| at.group));
        Self {
            rules: rules.clone(),
            is_owner,
            rights,
            groups,
        }
    }
}

/// Sights by kind of member. Versions of a structure that are seen alike share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sights(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    rules: OnceLock<Arc<Rules>>,
    by: Mutex<By>,
}

/// What is held by nobody else is kept up to so much, in things of some 16 bytes, in the order in which it was made.
const KEPT: usize = 1_000_000;
/// So many names of sights are known before those are looked for that nobody holds any more.
const NAMES: usize = 1_024;

/// The sights that somebody holds.
#[derive(Debug, Default)]
struct By {
    /// By the member groups that access rows speak of, and whether he owns the community.
    groups: HashMap<(bool, Vec<MemberGroupId>), Weak<Outlook>>,
    /// By a hash of the rights: member groups with the same ones see the same.
    rights: HashMap<u64, Weak<Outlook>>,
    /// By the address of what is shared, and the seats.
    seats: HashMap<(usize, Vec<TopicId>), Weak<Sight>>,
    kept: VecDeque<Arc<Sight>>,
    weight: usize,
    sweeps_at: usize,
}

impl Known {
    fn by(&self) -> MutexGuard<'_, By> {
        self.by.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl By {
    fn outlook(
        &mut self,
        key: (bool, Vec<MemberGroupId>),
        rules: &Arc<Rules>,
        rights: Rights,
    ) -> Arc<Outlook> {
        let is_owner = key.0;
        let mut hasher = DefaultHasher::new();
        (is_owner, &rights).hash(&mut hasher);
        let hash = hasher.finish();
        let known = self.rights.get(&hash).and_then(Weak::upgrade);
        let is_same = |known: &Arc<Outlook>| known.is_owner == is_owner && known.rights == rights;
        let outlook = match known.filter(is_same) {
            Some(known) => known,
            None => Arc::new(Outlook::of(rules, is_owner, rights)),
        };
        self.rights.insert(hash, Arc::downgrade(&outlook));
        self.groups.insert(key, Arc::downgrade(&outlook));
        outlook
    }

    fn sight(&mut self, outlook: Arc<Outlook>, seats: Vec<TopicId>) -> Arc<Sight> {
        // As long as a sight is held, what it shares keeps its address.
        let key = (Arc::as_ptr(&outlook).addr(), seats);
        if let Some(known) = self.seats.get(&key).and_then(Weak::upgrade) {
            return known;
        }
        let sight = Arc::new(Sight {
            outlook,
            seats: key.1.clone(),
            shape: OnceLock::new(),
        });
        self.seats.insert(key, Arc::downgrade(&sight));
        self.weight += sight.weight();
        self.kept.push_back(sight.clone());
        while self.weight > KEPT
            && let Some(first) = self.kept.pop_front()
        {
            self.weight -= first.weight();
        }
        self.sweep();
        sight
    }

    /// Forgets the names of what nobody holds, whenever they may be half of all.
    fn sweep(&mut self) {
        let names = self.groups.len() + self.rights.len() + self.seats.len();
        if names < self.sweeps_at.max(NAMES) {
            return;
        }
        self.groups.retain(|_, held| held.strong_count() > 0);
        self.rights.retain(|_, held| held.strong_count() > 0);
        self.seats.retain(|_, held| held.strong_count() > 0);
        let held = self.groups.len() + self.rights.len() + self.seats.len();
        self.sweeps_at = 2 * held;
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

pub(super) fn short(hash: Sha256) -> String {
    hex(&hash.finalize()[..12])
}

impl Structure {
    /// The rules from which rights follow.
    pub(super) fn rules(&self) -> &Arc<Rules> {
        let rules = &self.sights.0.rules;
        rules.get_or_init(|| Arc::new(Rules::of(self)))
    }

    /// Of how many kinds of members it is known what they see.
    #[cfg(test)]
    pub fn kinds(&self) -> usize {
        self.sights.0.by().kept.len()
    }

    /// What the member sees.
    #[must_use]
    pub fn sight(&self, member: &Member) -> Arc<Sight> {
        let known = &self.sights.0;
        let rules = self.rules();
        let is_owner = self.is_owner(member.account);
        let (mut groups, mut seats) = (Vec::new(), Vec::new());
        if !is_owner {
            let exists = |id: &&MemberGroupId| self.member_groups.contains_key(*id);
            let mine = member.member_groups.iter().filter(exists);
            groups.extend(mine.filter(|id| rules.speak_of(id)).copied());
            groups.sort_unstable();
            groups.dedup();
            let all = self.seats_of(member.account).map(|(topic, _)| topic);
            let is_closed = |topic: &TopicId| {
                let kept = self.topics.get(topic);
                kept.is_some_and(|kept| kept.body.closed)
            };
            seats.extend(all.filter(is_closed));
        }
        let key = (is_owner, groups);
        let outlook = known.by().groups.get(&key).and_then(Weak::upgrade);
        let outlook = outlook.unwrap_or_else(|| {
            let rights = rules.rights(is_owner, &key.1);
            known.by().outlook(key, rules, rights)
        });
        known.by().sight(outlook, seats)
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
        hash.update(sight.shape());
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

    /// A row of the community's log as somebody sees it; none if he may not.
    #[must_use]
    pub fn seen(&self, sight: &Sight, row: &Row) -> Option<Row> {
        let is_seen = match &row.body {
            Body::Community(_) | Body::MemberGroup(_) => true,
            Body::Group(_) => row
                .id
                .parse()
                .is_ok_and(|id: GroupId| sight.groups().contains(&id)),
            Body::Topic(topic) => {
                let Ok(id) = row.id.parse::<TopicId>() else {
                    return None;
                };
                if sight.is_locked(id) {
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
                sight.sees(id)
            }
            Body::AccessRow(access) => match access.place {
                Place::Community => true,
                Place::Group(id) => sight.groups().contains(&id),
                Place::Topic(id) => sight.sees(id),
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

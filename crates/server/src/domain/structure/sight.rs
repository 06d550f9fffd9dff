//! What a member sees of a community. Computed once for all who have the same rights, and kept while nothing that rights
//! hang on changes; a stamp names it, so that a client notices when it changed.

mod difference;
mod sights;

use std::{
    collections::BTreeSet,
    fmt::Write,
    sync::{Arc, OnceLock},
};

use sha2::{Digest, Sha256};
use tulou_protocol::{GroupId, Permissions, TopicId, push::Me};

pub(crate) use self::{difference::Difference, sights::Sights};
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
        self.look(at, self.has_seat(topic))
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
        let found = at.and_then(|at| self.look(at, self.has_seat(topic)));
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
            let (rights, is_open) = self.look(at, self.has_seat(at.id))?;
            Some((at.id, rights, is_open))
        })
    }

    /// What a topic is to his kind if one has a seat there, or has none.
    fn look(&self, at: &Ruled, has_seat: bool) -> Option<(Permissions, bool)> {
        let rights = self.outlook.rights.by_rule[at.rule];
        let is_listed = rights.contains(Permissions::VIEW);
        is_listed.then(|| (rights, self.outlook.is_owner || !at.is_closed || has_seat))
    }

    fn has_seat(&self, topic: TopicId) -> bool {
        self.seats.binary_search(&topic).is_ok()
    }

    /// In which of some topics, which are in order, he has a seat that matters.
    pub(super) fn seats_among(&self, topics: &[TopicId]) -> Vec<TopicId> {
        let (few, many) = if topics.len() < self.seats.len() {
            (topics, &*self.seats)
        } else {
            (&*self.seats, topics)
        };
        let is_both = |topic: &&TopicId| many.binary_search(topic).is_ok();
        few.iter().filter(is_both).copied().collect()
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
}

//! The numbers of each community, kept: when something of a topic moves, its numbers are read again and the sums above
//! it move by the difference. So what a message costs does not grow with the topics that it is not in.

use std::collections::{HashMap, HashSet};

use tulou_protocol::{GroupId, TopicId, id::Millis};

use crate::{shape::Shape, unread::Ledger, view::Badge};

/// A sum that badges can be taken out of again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    unread: u64,
    mentions: u64,
    dots: u64,
}

impl Sum {
    fn put(&mut self, badge: Badge) {
        self.unread += u64::from(badge.unread);
        self.mentions += u64::from(badge.mentions);
        self.dots += u64::from(badge.has_dot);
    }

    fn take(&mut self, badge: Badge) {
        self.unread -= u64::from(badge.unread);
        self.mentions -= u64::from(badge.mentions);
        self.dots -= u64::from(badge.has_dot);
    }

    fn badge(self) -> Badge {
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Badge {
            unread: number(self.unread),
            mentions: number(self.mentions),
            has_dot: self.dots > 0,
        }
    }
}

/// The number of a topic, and the group above it.
pub(super) type Placed = (GroupId, Badge);

/// The numbers of a community as of its structure and levels.
#[derive(Debug, Default)]
pub(super) struct Tally {
    topics: HashMap<TopicId, Placed>,
    groups: HashMap<GroupId, Sum>,
    whole: Sum,
    /// A level that is set for a while ends then, and numbers are others.
    pub ends: Option<Millis>,
}

/// The numbers of some topics, and of what stands above them.
#[derive(Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Of those that can be opened.
    pub topics: Vec<(TopicId, Badge)>,
    /// Of their groups.
    pub groups: Vec<(GroupId, Badge)>,
    /// Of the community.
    pub whole: Badge,
}

impl Tally {
    pub fn count(shape: &Shape, ledger: &Ledger) -> Self {
        let mut tally = Self {
            ends: ledger.next_end(),
            ..Self::default()
        };
        let groups: HashSet<GroupId> = shape.groups.iter().map(|group| group.id).collect();
        for topic in shape.topics.iter().filter(|topic| !topic.is_locked) {
            // What stands in no group that is shown adds to nothing.
            if groups.contains(&topic.group) {
                let badge = ledger.badge(shape, topic.group, topic.id);
                tally.set(topic.id, Some((topic.group, badge)));
            }
        }
        tally
    }

    pub fn set(&mut self, topic: TopicId, now: Option<Placed>) {
        let before = match now {
            Some(now) => self.topics.insert(topic, now),
            None => self.topics.remove(&topic),
        };
        if let Some((group, badge)) = before {
            self.groups.entry(group).or_default().take(badge);
            self.whole.take(badge);
        }
        if let Some((group, badge)) = now {
            self.groups.entry(group).or_default().put(badge);
            self.whole.put(badge);
        }
    }

    pub fn numbered(&self, topics: &[TopicId]) -> Numbered {
        let mut found = Vec::with_capacity(topics.len());
        let mut groups = HashMap::new();
        for topic in topics {
            if let Some((group, badge)) = self.topics.get(topic) {
                found.push((*topic, *badge));
                let sum = self.groups.get(group).copied().unwrap_or_default();
                groups.insert(*group, sum.badge());
            }
        }
        Numbered {
            topics: found,
            groups: groups.into_iter().collect(),
            whole: self.whole.badge(),
        }
    }
}

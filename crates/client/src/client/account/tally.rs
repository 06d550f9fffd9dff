//! The numbers of each community, kept: when something of a topic moves, its numbers are read again and the sums above
//! it move by the difference. So what a message costs does not grow with the topics that it is not in.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection as Db;
use tulou_protocol::{CommunityId, GroupId, TopicId, id::Millis};

use super::{Snapshot, State};
use crate::{
    shape::Shape,
    store::{StoreError, outbox},
    unread::Ledger,
    view::Badge,
};

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
type Counted = (GroupId, Badge);

/// The numbers of a community as of its structure and levels.
#[derive(Debug, Default)]
pub(super) struct Tally {
    topics: HashMap<TopicId, Counted>,
    groups: HashMap<GroupId, Sum>,
    whole: Sum,
    /// A level that is set for a while ends then, and numbers are others.
    ends: Option<Millis>,
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
    fn count(db: &Db, shape: &Shape, ledger: &Ledger) -> Result<Self, StoreError> {
        let mut tally = Self {
            ends: ledger.next_end(),
            ..Self::default()
        };
        let groups: HashSet<GroupId> = shape.groups.iter().map(|group| group.id).collect();
        for topic in shape.topics.iter().filter(|topic| !topic.is_locked) {
            // What stands in no group that is shown adds to nothing.
            if groups.contains(&topic.group) {
                let badge = ledger.badge(db, shape, topic.group, topic.id)?;
                tally.set(topic.id, Some((topic.group, badge)));
            }
        }
        Ok(tally)
    }

    fn set(&mut self, topic: TopicId, now: Option<Counted>) {
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

    fn numbered(&self, topics: &[TopicId]) -> Numbered {
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

impl State {
    /// What is shown of a topic's numbers moved.
    pub(super) fn move_number(&mut self, community: CommunityId, topic: TopicId) {
        self.noted += 1;
        let moved = self.moved.entry(community).or_default();
        moved.insert(topic, self.noted);
    }

    /// The structure of a community, or what else its numbers rest on, is another.
    pub(super) fn drop_tally(&mut self, community: CommunityId) {
        self.tallies.remove(&community);
        self.moved.remove(&community);
    }

    /// The same of all communities.
    pub(super) fn drop_tallies(&mut self) {
        self.tallies.clear();
        self.moved.clear();
    }
}

impl Snapshot<'_> {
    /// The numbers of some topics of a community, and of what stands above them.
    pub fn numbered(&self, shape: &Shape, topics: &[TopicId]) -> Result<Numbered, StoreError> {
        if let Some(moved) = self.moved(shape.id) {
            let mut read = Vec::with_capacity(moved.len());
            for (topic, noted) in moved {
                read.push((topic, noted, self.badge_of(shape, topic)?));
            }
            if let Some(found) = self.renumber(shape.id, read, topics) {
                return Ok(found);
            }
        }
        self.recount(shape, topics)
    }

    /// Topics whose numbers moved since they were counted, each with the note that said so; none if nothing is kept of a
    /// community that still holds.
    fn moved(&self, community: CommunityId) -> Option<HashMap<TopicId, u64>> {
        let state = self.account.state();
        let tally = state.tallies.get(&community)?;
        let is_kept = tally.ends.is_none_or(|ends| ends > self.as_of.server_now());
        is_kept.then(|| state.moved.get(&community).cloned().unwrap_or_default())
    }

    /// Puts the numbers that were read again into those that are kept; none if those were dropped meanwhile.
    fn renumber(
        &self,
        community: CommunityId,
        read: Vec<(TopicId, u64, Option<Counted>)>,
        topics: &[TopicId],
    ) -> Option<Numbered> {
        let mut state = self.account.state();
        let State {
            tallies,
            moved,
            dropped,
            ..
        } = &mut *state;
        let tally = tallies.get_mut(&community)?;
        if self.began.is_some_and(|began| began.dropped != *dropped) {
            return None;
        }
        let moved = moved.entry(community).or_default();
        for (topic, noted, badge) in read {
            // Somebody who looked later may have been here first.
            if moved.get(&topic) != Some(&noted) {
                continue;
            }
            tally.set(topic, badge);
            // A snapshot that began before it moved may not have what moved.
            if self.began.is_some_and(|began| noted <= began.noted) {
                moved.remove(&topic);
            }
        }
        Some(tally.numbered(topics))
    }

    /// Counts all numbers of a community, and keeps them.
    fn recount(&self, shape: &Shape, topics: &[TopicId]) -> Result<Numbered, StoreError> {
        let ledger = Ledger::load(self.db, self.as_of, &outbox::all(self.db)?)?;
        let tally = Tally::count(self.db, shape, &ledger)?;
        let found = tally.numbered(topics);
        let mut state = self.account.state();
        if let Some(began) = self.began
            && began.dropped == state.dropped
        {
            if let Some(moved) = state.moved.get_mut(&shape.id) {
                moved.retain(|_, noted| *noted > began.noted);
            }
            state.tallies.insert(shape.id, tally);
        }
        Ok(found)
    }

    /// The number of one topic; none if it cannot be opened. Nothing of any other topic is read.
    fn badge_of(&self, shape: &Shape, topic: TopicId) -> Result<Option<Counted>, StoreError> {
        let held = shape.topic(topic).filter(|topic| !topic.is_locked);
        let Some(held) = held.filter(|topic| shape.group(topic.group).is_some()) else {
            return Ok(None);
        };
        let scopes = Ledger::scopes(shape, Some(held.group), Some(topic));
        let ledger = Ledger::of_shown(self.db, self.as_of, topic, &scopes)?;
        let badge = ledger.badge(self.db, shape, held.group, topic)?;
        Ok(Some((held.group, badge)))
    }

    /// The numbers of all communities.
    pub fn whole_badges(&self) -> Result<Vec<Badge>, StoreError> {
        let mut badges = Vec::new();
        for community in self.memberships()? {
            if let Some(shape) = self.shape(community)? {
                badges.push(self.numbered(&shape, &[])?.whole);
            }
        }
        Ok(badges)
    }
}

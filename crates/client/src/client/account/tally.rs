//! The numbers of each community, kept: when something of a topic moves, its numbers are read again and the sums above
//! it move by the difference. So what a message costs does not grow with the topics that it is not in.

use std::{
    collections::{HashMap, HashSet},
    thread,
};

use rusqlite::Connection as Db;
use tulou_protocol::{CommunityId, GroupId, TopicId, id::Millis};

use super::{Account, State, memberships};
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

/// The numbers of a community as of its structure and levels.
#[derive(Debug, Default)]
pub(super) struct Tally {
    topics: HashMap<TopicId, (GroupId, Badge)>,
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

    fn set(&mut self, topic: TopicId, now: Option<(GroupId, Badge)>) {
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

/// The number of one topic; none if it cannot be opened. Nothing of any other topic is read.
fn badge_of(
    db: &Db,
    account: &Account,
    shape: &Shape,
    topic: TopicId,
) -> Result<Option<(GroupId, Badge)>, StoreError> {
    let held = shape.topic(topic).filter(|topic| !topic.is_locked);
    let Some(held) = held.filter(|topic| shape.group(topic.group).is_some()) else {
        return Ok(None);
    };
    let scopes = Ledger::scopes(shape, Some(held.group), Some(topic));
    let now = account.looking().now;
    let ledger = Ledger::of_shown(db, account.id, topic, &scopes, now)?;
    Ok(Some((
        held.group,
        ledger.badge(db, shape, held.group, topic)?,
    )))
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

impl Account {
    /// The numbers of some topics of a community, and of what stands above them.
    pub fn numbered(
        &self,
        db: &Db,
        shape: &Shape,
        topics: &[TopicId],
    ) -> Result<Numbered, StoreError> {
        let (began, is_kept, moved) = {
            let state = self.state();
            let now = state.now();
            let tally = state.tallies.get(&shape.id);
            let is_kept = tally.is_some_and(|kept| kept.ends.is_none_or(|ends| ends > now));
            let moved = state.moved.get(&shape.id).cloned().unwrap_or_default();
            let began = state.reading.get(&thread::current().id()).copied();
            (began, is_kept, moved)
        };
        if is_kept {
            let mut read = Vec::with_capacity(moved.len());
            for (topic, noted) in moved {
                read.push((topic, noted, badge_of(db, self, shape, topic)?));
            }
            let mut state = self.state();
            let State {
                tallies,
                moved,
                dropped,
                ..
            } = &mut *state;
            if let Some(tally) = tallies.get_mut(&shape.id)
                && began.is_none_or(|began| began.dropped == *dropped)
            {
                let moved = moved.entry(shape.id).or_default();
                for (topic, noted, badge) in read {
                    // Somebody who looked later may have been here first.
                    if moved.get(&topic) != Some(&noted) {
                        continue;
                    }
                    tally.set(topic, badge);
                    // A snapshot that began before it moved may not have what moved.
                    if began.is_some_and(|began| noted <= began.noted) {
                        moved.remove(&topic);
                    }
                }
                return Ok(tally.numbered(topics));
            }
        }
        let now = self.looking().now;
        let ledger = Ledger::load(db, self.id, &outbox::all(db)?, now)?;
        let tally = Tally::count(db, shape, &ledger)?;
        let found = tally.numbered(topics);
        let mut state = self.state();
        if let Some(began) = began
            && began.dropped == state.dropped
        {
            if let Some(moved) = state.moved.get_mut(&shape.id) {
                moved.retain(|_, noted| *noted > began.noted);
            }
            state.tallies.insert(shape.id, tally);
        }
        Ok(found)
    }

    /// The numbers of all communities.
    pub fn whole_badges(&self, db: &Db) -> Result<Vec<Badge>, StoreError> {
        let mut badges = Vec::new();
        for community in memberships(db, self.id)? {
            if let Some(shape) = self.shape(db, community)? {
                badges.push(self.numbered(db, &shape, &[])?.whole);
            }
        }
        Ok(badges)
    }
}

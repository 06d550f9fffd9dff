//! The numbers of a moment: those that are kept, with what moved since read again.

use std::collections::HashMap;

use tulou_protocol::{CommunityId, TopicId};

use super::{
    snapshot::Snapshot,
    tally::{Numbered, Placed, Tally},
    views::Views,
};
use crate::{
    shape::Shape,
    store::{StoreError, outbox},
    unread::Ledger,
    view::Badge,
};

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
        let views = self.account.views();
        let tally = views.tallies.get(&community)?;
        let is_kept = tally.ends.is_none_or(|ends| ends > self.as_of.server_now());
        is_kept.then(|| views.moved.get(&community).cloned().unwrap_or_default())
    }

    /// Puts the numbers that were read again into those that are kept; none if those were dropped meanwhile.
    fn renumber(
        &self,
        community: CommunityId,
        read: Vec<(TopicId, u64, Option<Placed>)>,
        topics: &[TopicId],
    ) -> Option<Numbered> {
        let mut views = self.account.views();
        let Views {
            tallies,
            moved,
            dropped,
            ..
        } = &mut *views;
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
        let tally = Tally::count(shape, &ledger);
        let found = tally.numbered(topics);
        let mut views = self.account.views();
        if let Some(began) = self.began
            && began.dropped == views.dropped
        {
            if let Some(moved) = views.moved.get_mut(&shape.id) {
                moved.retain(|_, noted| *noted > began.noted);
            }
            views.tallies.insert(shape.id, tally);
        }
        Ok(found)
    }

    /// The number of one topic; none if it cannot be opened. Nothing of any other topic is read.
    fn badge_of(&self, shape: &Shape, topic: TopicId) -> Result<Option<Placed>, StoreError> {
        let held = shape.topic(topic).filter(|topic| !topic.is_locked);
        let Some(held) = held.filter(|topic| shape.group(topic.group).is_some()) else {
            return Ok(None);
        };
        let scopes = Ledger::scopes(shape, Some(held.group), Some(topic));
        let ledger = Ledger::of_shown(self.db, self.as_of, topic, &scopes)?;
        let badge = ledger.badge(shape, held.group, topic);
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

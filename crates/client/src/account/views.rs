//! What is kept of an account's views from one reading to the next.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tulou_protocol::{AccountId, CommunityId, Seq, TopicId};

use super::{Account, meeting::Met, tally::Tally};
use crate::{shape::Shape, store::Touched, view::Change};

/// What is kept of views from one reading to the next.
#[derive(Default)]
pub(super) struct Views {
    /// The structures of communities.
    pub shapes: HashMap<CommunityId, Arc<Shape>>,
    /// Counts the times that shapes were dropped: one that was read before is not kept after.
    pub dropped: u64,
    /// The numbers of each community.
    pub tallies: HashMap<CommunityId, Tally>,
    /// Topics whose numbers moved since they were counted, each with the note that said so.
    pub moved: HashMap<CommunityId, HashMap<TopicId, u64>>,
    /// Counts those notes.
    pub noted: u64,
    /// What is remembered of the topics that are shown.
    entered: HashMap<TopicId, Entered>,
    /// Members whom this run has asked for.
    met: Met,
}

/// What had happened to what is kept before a snapshot began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Began {
    /// How often shapes had been dropped.
    pub dropped: u64,
    /// How many numbers had moved.
    pub noted: u64,
}

/// What is remembered of a topic while it is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entered {
    /// The first row that was unread when it was entered.
    pub first_unread: Option<Seq>,
    /// It was marked unread from somewhere: nothing advances until it is left.
    pub is_set_back: bool,
}

impl Views {
    /// What has happened until now.
    pub const fn began(&self) -> Began {
        Began {
            dropped: self.dropped,
            noted: self.noted,
        }
    }

    /// Drops the structure of a community, and what rests on it.
    pub fn drop_shape(&mut self, community: CommunityId) {
        self.shapes.remove(&community);
        self.drop_tally(community);
        self.dropped += 1;
    }

    /// What is shown of a topic's numbers moved.
    pub fn move_number(&mut self, community: CommunityId, topic: TopicId) {
        self.noted += 1;
        let moved = self.moved.entry(community).or_default();
        moved.insert(topic, self.noted);
    }

    /// The structure of a community, or what else its numbers rest on, is another.
    pub fn drop_tally(&mut self, community: CommunityId) {
        self.tallies.remove(&community);
        self.moved.remove(&community);
    }

    /// The same of all communities.
    pub fn drop_tallies(&mut self) {
        self.tallies.clear();
        self.moved.clear();
    }

    /// The topics that are shown.
    pub fn shown(&self) -> Vec<TopicId> {
        self.entered.keys().copied().collect()
    }
}

impl Account {
    /// Those of some accounts whom this run has not asked for; from here on it has.
    pub fn strangers(
        &self,
        community: CommunityId,
        accounts: HashSet<AccountId>,
    ) -> Vec<AccountId> {
        let mut views = self.views();
        accounts
            .into_iter()
            .filter(|account| views.met.insert((community, *account)))
            .collect()
    }

    /// They could not be asked for.
    pub fn forget_met(&self, community: CommunityId, accounts: &[AccountId]) {
        let mut views = self.views();
        for account in accounts {
            views.met.remove(&(community, *account));
        }
    }

    /// The topics that are shown.
    pub fn shown(&self) -> Vec<TopicId> {
        self.views().shown()
    }

    /// What is remembered of a topic while it is shown.
    pub fn entered(&self, topic: TopicId) -> Option<Entered> {
        self.views().entered.get(&topic).copied()
    }

    /// A topic is shown; false if it was already.
    pub fn enter(&self, topic: TopicId, entered: Entered) -> bool {
        match self.views().entered.entry(topic) {
            std::collections::hash_map::Entry::Occupied(_) => false,
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(entered);
                true
            }
        }
    }

    /// A topic is shown no longer.
    pub fn leave(&self, topic: TopicId) -> bool {
        self.views().entered.remove(&topic).is_some()
    }

    /// The divider of a topic that is shown goes elsewhere; false if it stands there.
    pub fn move_divider(&self, topic: TopicId, first_unread: Option<Seq>) -> bool {
        self.views().entered.get_mut(&topic).is_some_and(|entered| {
            let before = std::mem::replace(&mut entered.first_unread, first_unread);
            before != first_unread
        })
    }

    /// A topic that is shown was marked unread.
    pub fn set_back(&self, topic: TopicId) {
        if let Some(entered) = self.views().entered.get_mut(&topic) {
            entered.is_set_back = true;
        }
    }

    /// A topic that is shown was marked read by hand: what is seen of it counts again.
    pub fn set_forth(&self, topic: TopicId) {
        if let Some(entered) = self.views().entered.get_mut(&topic) {
            entered.is_set_back = false;
        }
    }

    /// Everything shown of it is stale: its store was begun anew, or works again.
    pub fn note_all(&self) {
        let communities: Vec<CommunityId> = {
            let mut views = self.views();
            views.dropped += 1;
            views.drop_tallies();
            views
                .shapes
                .drain()
                .map(|(community, _)| community)
                .collect()
        };
        let mut touched = Touched {
            has_account: true,
            ..Touched::default()
        };
        touched.timelines.extend(self.shown());
        touched.structures.extend(communities);
        self.board.put_up([Change::App]);
        if let Err(error) = self.note(&touched) {
            tracing::debug!(account = %self.key, "its views cannot be named: {error}");
        }
    }
}

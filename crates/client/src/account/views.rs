//! What is kept of an account's views from one reading to the next.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tokio::time::Instant;
use tulou_protocol::{AccountId, CommunityId, TopicId, question::PageAt};

use super::{
    Account,
    meeting::{MEET_AGAIN, Met},
    tally::Tally,
};
use crate::{shape::Shape, store::Touched, view::Change};

/// Members asked for that are remembered before old ones are looked for.
const MET: usize = 20_000;
/// Pages asked about that are remembered.
const AWAITED: usize = 256;

/// What is kept of views from one reading to the next.
#[derive(Default)]
pub(super) struct Views {
    /// The structures of communities, each with how often shapes had been dropped before.
    pub shapes: HashMap<CommunityId, (u64, Arc<Shape>)>,
    /// Counts the times that shapes were dropped: one that was read before is not kept after.
    pub dropped: u64,
    /// The numbers of each community.
    pub tallies: HashMap<CommunityId, Tally>,
    /// Topics whose numbers moved since they were counted, each with the note that said so.
    pub moved: HashMap<CommunityId, HashMap<TopicId, u64>>,
    /// Counts those notes.
    pub noted: u64,
    /// Members who were asked for.
    met: Met,
    /// What was asked for because a view needs it, and did not come yet.
    awaited: HashSet<(TopicId, PageAt)>,
}

/// What had happened to what is kept before a snapshot began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Began {
    /// How often shapes had been dropped.
    pub dropped: u64,
    /// How many numbers had moved.
    pub noted: u64,
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
}

impl Account {
    /// A view needs a page that may not be there; whether nobody asked about it yet.
    pub fn awaits(&self, topic: TopicId, at: PageAt) -> bool {
        let awaited = &mut self.views().awaited;
        if awaited.len() >= AWAITED {
            awaited.clear();
        }
        awaited.insert((topic, at))
    }

    /// A page that a view needed is asked about anew when one needs it again.
    pub fn end_awaiting(&self, topic: TopicId, at: PageAt) {
        self.views().awaited.remove(&(topic, at));
    }

    /// Those of some accounts who were not asked for lately; from here on they were.
    pub fn strangers(
        &self,
        community: CommunityId,
        accounts: HashSet<AccountId>,
    ) -> Vec<AccountId> {
        let now = Instant::now();
        let mut views = self.views();
        if views.met.len() > MET {
            views.met.retain(|_, at| now - *at < MEET_AGAIN);
        }
        let mut strangers = Vec::new();
        for account in accounts {
            let before = views.met.get(&(community, account));
            if before.is_none_or(|at| now - *at >= MEET_AGAIN) {
                views.met.insert((community, account), now);
                strangers.push(account);
            }
        }
        strangers
    }

    /// They could not be asked for.
    pub fn forget_met(&self, community: CommunityId, accounts: &[AccountId]) {
        let mut views = self.views();
        for account in accounts {
            views.met.remove(&(community, *account));
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
        touched.timelines.extend(self.on_screen());
        touched.structures.extend(communities);
        self.board.put_up([Change::App]);
        if let Err(error) = self.note(&touched) {
            tracing::debug!(account = %self.key, "its views cannot be named: {error}");
        }
    }
}

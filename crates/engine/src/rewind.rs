//! A server with another epoch: it was restored, so that every log is reset. Before what is held is forgotten, heads
//! are asked for, so that the store can keep the messages of mine that the server lost.

use std::collections::{BTreeMap, BTreeSet};

use tulou_protocol::{CommunityId, Digest, Greeting, Log, Question, Seq, TopicId};

use crate::{
    engine::{Asked, Engine},
    io::Change,
};

/// The time before another epoch is accepted.
#[derive(Debug)]
pub struct Rewind {
    greeting: Greeting,
    heads: BTreeMap<TopicId, Seq>,
    waiting: BTreeSet<CommunityId>,
}

impl Engine {
    pub(crate) fn greeted(&mut self, greeting: Greeting) {
        let is_other = self.epoch.is_some_and(|epoch| epoch != greeting.epoch);
        if !is_other {
            self.begin(greeting);
            return;
        }
        let waiting: BTreeSet<CommunityId> = self.communities.keys().copied().collect();
        for community in &waiting {
            let heads = Question::CommunityHeads {
                community: *community,
                since: 0,
            };
            self.ask(Asked::Heads(*community, 0), heads);
        }
        self.rewind = Some(Rewind {
            greeting,
            heads: BTreeMap::new(),
            waiting,
        });
        self.try_to_rewind();
    }

    /// The heads of a community in the new epoch; none if it is not there any more.
    pub(crate) fn take_rewound_heads(&mut self, community: CommunityId, heads: Option<Digest>) {
        let Some(rewind) = &mut self.rewind else {
            return;
        };
        rewind.waiting.remove(&community);
        if let (Some(heads), Some(state)) = (heads, self.communities.get(&community)) {
            for head in heads.topics {
                if let Some(topic) = state.numbers.get(&head.no) {
                    rewind.heads.insert(*topic, head.head_seq);
                }
            }
        }
        self.try_to_rewind();
    }

    fn try_to_rewind(&mut self) {
        if self
            .rewind
            .as_ref()
            .is_none_or(|rewind| !rewind.waiting.is_empty())
        {
            return;
        }
        let Some(rewind) = self.rewind.take() else {
            return;
        };
        for (topic, state) in std::mem::take(&mut self.topics) {
            let head = rewind.heads.get(&topic).copied().unwrap_or_default();
            if state.held.last().is_some_and(|last| last > head) {
                self.out.apply(Change::Lost(topic, head));
            }
            self.out.apply(Change::Forget(Log::Topic(topic)));
        }
        for log in std::mem::take(&mut self.logs).into_keys() {
            self.out.apply(Change::Forget(log));
        }
        self.communities.clear();
        self.memberships.clear();
        self.to_sync.clear();
        self.behind.clear();
        self.notified.clear();
        self.profiles.forget();
        for topic in self.watches.shown.clone() {
            self.topics.entry(topic).or_default();
        }
        self.begin(rewind.greeting);
    }

    /// The epoch is the store's: sync everything, the account first.
    fn begin(&mut self, greeting: Greeting) {
        self.account = Some(greeting.account);
        self.epoch = Some(greeting.epoch);
        self.outbox.frame_bytes = greeting.limits.frame_bytes;
        self.logs.entry(Log::Account(greeting.account)).or_default();
        for community in std::mem::take(&mut self.orphans) {
            self.out.apply(Change::Forget(Log::Community(community)));
        }
        self.out.apply(Change::Greeted(Box::new(greeting)));
        for state in self.logs.values_mut() {
            state.wants_sync = true;
        }
        for state in self.communities.values_mut() {
            state.ask_heads_since(state.as_of);
        }
        self.watches.is_dirty = !self.watches.shown.is_empty();
    }
}

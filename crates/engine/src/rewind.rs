//! What happens after the greeting. A server with another epoch was restored: everything that is held of it is forgotten
//! and asked for anew. Outbox and drafts stay; the store keeps my own messages, which the server may have lost.

use tulou_protocol::{Greeting, Log};

use crate::{engine::Engine, io::Change};

impl Engine {
    /// The epoch is the store's from here on: sync everything, the account first.
    pub(crate) fn greeted(&mut self, greeting: Greeting) {
        if self.epoch.is_some_and(|epoch| epoch != greeting.epoch) {
            self.forget_everything();
        }
        self.account = Some(greeting.account);
        self.epoch = Some(greeting.epoch);
        self.outbox.greeted(greeting.account, &greeting.limits);
        self.logs.entry(Log::Account(greeting.account)).or_default();
        for community in std::mem::take(&mut self.orphans) {
            self.turn.apply(Change::Forget(Log::Community(community)));
        }
        self.turn.apply(Change::Greeted(Box::new(greeting)));
        for state in self.logs.values_mut() {
            state.wants_sync = true;
        }
        for state in self.communities.values_mut() {
            state.ask_heads_since(state.as_of);
        }
        self.topics.watches.is_dirty = !self.topics.watches.shown.is_empty();
    }

    fn forget_everything(&mut self) {
        for topic in std::mem::take(&mut self.topics.all).into_keys() {
            self.turn.apply(Change::Forget(Log::Topic(topic)));
        }
        for log in std::mem::take(&mut self.logs).into_keys() {
            self.turn.apply(Change::Forget(log));
        }
        self.communities.clear();
        self.memberships.clear();
        self.topics.to_sync.clear();
        self.topics.behind.clear();
        self.notified.clear();
        self.profiles.forget();
        for topic in self.topics.watches.shown.clone() {
            self.topics.all.entry(topic).or_default();
        }
    }
}

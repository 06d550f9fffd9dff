//! Which topics have to be synced, and which are being synced.

use std::collections::BTreeSet;

use tulou_protocol::TopicId;

/// Topics to be synced. One that changes while it is being synced is synced once more.
#[derive(Debug, Default)]
pub struct Rounds {
    due: BTreeSet<TopicId>,
    on_way: BTreeSet<TopicId>,
}

impl Rounds {
    /// The topic is synced as soon as possible.
    pub fn want(&mut self, topic: TopicId) {
        self.due.insert(topic);
    }

    /// It need not be.
    pub fn drop(&mut self, topic: TopicId) {
        self.due.remove(&topic);
    }

    /// The question is on its way.
    pub fn begin(&mut self, topic: TopicId) {
        self.due.remove(&topic);
        self.on_way.insert(topic);
    }

    /// The answer came.
    pub fn end(&mut self, topic: TopicId) {
        self.on_way.remove(&topic);
    }

    pub fn forget(&mut self, topic: TopicId) {
        self.due.remove(&topic);
        self.on_way.remove(&topic);
    }

    /// Nothing is on its way any more; what is due is found out anew.
    pub fn lose(&mut self) {
        self.due.clear();
        self.on_way.clear();
    }

    /// The next topics to be asked about.
    pub fn next(&self, most: usize) -> Vec<TopicId> {
        let free = self.due.difference(&self.on_way);
        free.take(most).copied().collect()
    }

    /// Whether nothing is due of the topic, and nothing on its way.
    pub fn rests(&self, topic: TopicId) -> bool {
        !self.due.contains(&topic) && !self.on_way.contains(&topic)
    }
}

//! Seats of closed topics, found by topic and by account.

use imbl::{HashMap, OrdMap};
use tulou_protocol::{AccountId, TopicId, id::Millis};

/// Who has a seat in which topic, since when.
#[derive(Debug, Clone, Default)]
pub struct Seats {
    by_topic: HashMap<TopicId, HashMap<AccountId, Millis>>,
    by_account: HashMap<AccountId, OrdMap<TopicId, Millis>>,
}

impl Seats {
    /// Gives a seat, or (none) takes it.
    pub fn put(&mut self, topic: TopicId, account: AccountId, since: Option<Millis>) {
        let in_topic = self.by_topic.entry(topic).or_default();
        let of_account = self.by_account.entry(account).or_default();
        if let Some(since) = since {
            in_topic.insert(account, since);
            of_account.insert(topic, since);
            return;
        }
        in_topic.remove(&account);
        of_account.remove(&topic);
        if in_topic.is_empty() {
            self.by_topic.remove(&topic);
        }
        if of_account.is_empty() {
            self.by_account.remove(&account);
        }
    }

    /// A topic ends with its seats.
    pub(super) fn end(&mut self, topic: TopicId) {
        for account in self.by_topic.remove(&topic).unwrap_or_default().keys() {
            if let Some(topics) = self.by_account.get_mut(account) {
                topics.remove(&topic);
                if topics.is_empty() {
                    self.by_account.remove(account);
                }
            }
        }
    }

    /// Since when an account has a seat in a topic.
    #[must_use]
    pub fn since(&self, topic: TopicId, account: AccountId) -> Option<Millis> {
        self.by_account.get(&account)?.get(&topic).copied()
    }

    /// The seats of an account, in the order of topics.
    pub fn of(&self, account: AccountId) -> impl Iterator<Item = (TopicId, Millis)> + '_ {
        let topics = self.by_account.get(&account).into_iter().flatten();
        topics.map(|(topic, since)| (*topic, *since))
    }

    /// Who has a seat in a topic.
    pub fn in_topic(&self, topic: TopicId) -> impl Iterator<Item = AccountId> + '_ {
        let accounts = self.by_topic.get(&topic).into_iter();
        accounts.flat_map(|accounts| accounts.keys().copied())
    }

    /// All seats.
    pub fn all(&self) -> impl Iterator<Item = (TopicId, AccountId, Millis)> + '_ {
        self.by_account.iter().flat_map(|(account, topics)| {
            let topics = topics.iter();
            topics.map(|(topic, since)| (*topic, *account, *since))
        })
    }

    /// How many seats of a topic are taken.
    #[must_use]
    pub fn count(&self, topic: TopicId) -> usize {
        self.by_topic.get(&topic).map_or(0, HashMap::len)
    }
}

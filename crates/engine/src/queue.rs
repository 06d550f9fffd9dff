//! The outbox as the engine holds it: entries by place, which makes what, and a lane per log.

use std::collections::{BTreeMap, BTreeSet};

use tulou_protocol::{
    AccountId, Command, CommandId, Log, Rejection, Seq, TopicId, id::Millis, limits::Limits,
};
use uuid::Uuid;

use crate::{
    depends::{makes, needs},
    io::{OutboxEntry, OutboxState},
};

/// All commands of the person that have no answer yet, and those refused.
#[derive(Debug)]
pub struct Outbox {
    pub entries: BTreeMap<u64, Pending>,
    pub places: BTreeMap<CommandId, u64>,
    /// Which entry makes a thing.
    pub makers: BTreeMap<Uuid, u64>,
    pub lanes: BTreeMap<Log, Lane>,
    /// Messages that were answered and whose rows are on their way into what is held.
    pub answered: BTreeMap<CommandId, Answered>,
    /// When a cursor was sent last.
    pub cursors: BTreeMap<TopicId, Millis>,
    /// Bytes that the server takes in a frame.
    pub frame_bytes: usize,
}

/// An entry and what the engine knows of it.
#[derive(Debug)]
pub struct Pending {
    pub entry: OutboxEntry,
    /// The person said that it is to be sent although it is old.
    pub is_confirmed: bool,
}

/// A message that the server has, and that is not held yet: it stays in the outbox so that the person goes on seeing it.
#[derive(Debug)]
pub struct Answered {
    pub topic: TopicId,
    /// Its place in the topic.
    pub seq: Seq,
    /// The command as it was sent.
    pub sent: Command,
    /// The text that the server has.
    pub text: String,
}

/// The commands of one log.
#[derive(Debug, Default)]
pub struct Lane {
    /// Places of those that wait.
    pub queue: BTreeSet<u64>,
    /// Those in flight, as they were sent.
    pub in_flight: BTreeMap<CommandId, Command>,
    pub sent_at: Millis,
    pub busy_until: Millis,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            places: BTreeMap::new(),
            makers: BTreeMap::new(),
            lanes: BTreeMap::new(),
            answered: BTreeMap::new(),
            cursors: BTreeMap::new(),
            frame_bytes: Limits::default().frame_bytes,
        }
    }
}

impl Outbox {
    /// What was in flight is sent again, with the same ids; so is what was answered and did not come: what the next link
    /// leads to may be a copy that has it not.
    pub(crate) fn lose_link(&mut self) {
        for (id, answered) in std::mem::take(&mut self.answered) {
            if let Some(no) = self.places.get(&id) {
                let lane = self.lanes.entry(Log::Topic(answered.topic)).or_default();
                lane.queue.insert(*no);
            }
        }
        for lane in self.lanes.values_mut() {
            for id in std::mem::take(&mut lane.in_flight).into_keys() {
                if let Some(no) = self.places.get(&id) {
                    lane.queue.insert(*no);
                }
            }
        }
        self.lanes.retain(|_, lane| !lane.queue.is_empty());
    }

    pub(crate) fn is_sending(&self) -> bool {
        self.lanes.values().any(|lane| !lane.in_flight.is_empty())
    }

    pub(crate) fn oldest_sent(&self) -> Option<Millis> {
        self.lanes
            .values()
            .filter(|lane| !lane.in_flight.is_empty())
            .map(|lane| lane.sent_at)
            .min()
    }

    pub fn get(&self, id: CommandId) -> Option<&Pending> {
        self.entries.get(self.places.get(&id)?)
    }

    pub fn is_in_flight(&self, id: CommandId) -> bool {
        self.lanes
            .values()
            .any(|lane| lane.in_flight.contains_key(&id))
    }

    pub fn insert(&mut self, actor: AccountId, entry: OutboxEntry, is_confirmed: bool) {
        let home = entry.command.home(actor);
        self.places.insert(entry.id, entry.no);
        for thing in makes(&entry.command) {
            self.makers.insert(thing, entry.no);
        }
        let is_sent = self.is_in_flight(entry.id) || self.answered.contains_key(&entry.id);
        if entry.state == OutboxState::Waiting && !is_sent {
            self.lanes.entry(home).or_default().queue.insert(entry.no);
        }
        let pending = Pending {
            entry,
            is_confirmed,
        };
        self.entries.insert(pending.entry.no, pending);
    }

    pub fn remove(&mut self, no: u64) -> Option<OutboxEntry> {
        let Pending { entry, .. } = self.entries.remove(&no)?;
        self.places.remove(&entry.id);
        for thing in makes(&entry.command) {
            if self.makers.get(&thing) == Some(&no) {
                self.makers.remove(&thing);
            }
        }
        for lane in self.lanes.values_mut() {
            lane.queue.remove(&no);
        }
        Some(entry)
    }

    /// The entry that makes what this command needs, if it is not done.
    pub fn maker_of(&self, entry: &OutboxEntry) -> Option<&Pending> {
        self.makers_of(entry).next()
    }

    /// Why what this command needs is not made, if that was refused.
    pub fn refusal_of_maker(&self, entry: &OutboxEntry) -> Option<Rejection> {
        self.makers_of(entry)
            .find_map(|maker| match &maker.entry.state {
                OutboxState::Rejected(rejection) => Some(rejection.clone()),
                OutboxState::Waiting | OutboxState::Stale => None,
            })
    }

    fn makers_of(&self, entry: &OutboxEntry) -> impl Iterator<Item = &Pending> {
        needs(&entry.command)
            .into_iter()
            .filter_map(|thing| self.makers.get(&thing))
            .filter(|no| **no != entry.no)
            .filter_map(|no| self.entries.get(no))
            .filter(|pending| !self.answered.contains_key(&pending.entry.id))
    }

    /// Entries that need, directly or not, what this one makes.
    pub fn dependants(&self, no: u64) -> BTreeSet<u64> {
        let mut things: BTreeSet<Uuid> = self
            .entries
            .get(&no)
            .map(|pending| makes(&pending.entry.command))
            .into_iter()
            .flatten()
            .collect();
        let mut found = BTreeSet::new();
        // Whoever needs a thing comes after its maker, but a maker that was tried again may have a later place.
        loop {
            let before = found.len();
            for (other, pending) in &self.entries {
                let command = &pending.entry.command;
                let is_one = *other != no
                    && pending.entry.state == OutboxState::Waiting
                    && !found.contains(other)
                    && needs(command).iter().any(|thing| things.contains(thing));
                if is_one {
                    found.insert(*other);
                    things.extend(makes(command));
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }
}

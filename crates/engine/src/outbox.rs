//! Commands on their way. One outbox; per log one frame is in flight; `busy` stops the rest of that log; a rejection
//! stops only what depends on it.
//!
//! A command that needs what an earlier one makes waits until that one is done. If that one is refused, it is refused
//! with the same rejection, so that the person sees both where they happened and may try again. A command may also await
//! something that is no command, an upload: it is sent when that is done. Later ones of its log overtake it: somebody who
//! sends a film goes on talking. Only what needs what it makes waits with it.
//!
//! A message of a topic that is shown leaves the outbox with the transaction that makes it part of what is held. Where
//! others wrote meanwhile that is later than its answer: its row lies beyond a gap, which the window does not show.
//!
//! * `lanes`: what is sent, log by log
//! * `answers`: what becomes of what was sent
//! * `waits`: which entries wait for what

mod answers;
mod lanes;
#[cfg(test)]
mod tests;
mod waits;

use std::collections::BTreeMap;

use tulou_protocol::{
    AccountId, Command, CommandId, Log, Rejection, TopicId, id::Millis, limits::Limits,
};
use uuid::Uuid;

pub use answers::Accepted;

use crate::{
    io::{OutboxEntry, OutboxState, Write},
    turn::Turn,
};
use lanes::Lane;

/// All commands of the person that have no answer yet, and those refused.
#[derive(Debug)]
pub struct Outbox {
    /// Whose it is. Before the first greeting nobody is known; the home log is then only a name for the lane.
    actor: AccountId,
    /// Entries by place.
    entries: BTreeMap<u64, OutboxEntry>,
    places: BTreeMap<CommandId, u64>,
    /// Which entry makes a thing.
    makers: BTreeMap<Uuid, u64>,
    lanes: BTreeMap<Log, Lane>,
    /// Messages that the server has, and whose rows are on their way into what is held.
    accepted: BTreeMap<CommandId, Accepted>,
    /// When a cursor was sent last.
    cursors: BTreeMap<TopicId, Millis>,
    /// Bytes that the server takes in a frame.
    frame_bytes: usize,
}

impl Outbox {
    /// What the store kept. The program may have ended between the refusal of one entry and that of what depends on it.
    pub fn restored(
        account: Option<AccountId>,
        entries: Vec<OutboxEntry>,
        turn: &mut Turn,
    ) -> Self {
        let mut outbox = Self {
            actor: account.unwrap_or(AccountId(Uuid::nil())),
            entries: BTreeMap::new(),
            places: BTreeMap::new(),
            makers: BTreeMap::new(),
            lanes: BTreeMap::new(),
            accepted: BTreeMap::new(),
            cursors: BTreeMap::new(),
            frame_bytes: Limits::default().frame_bytes,
        };
        for entry in entries {
            outbox.insert(entry);
        }
        let refused: Vec<(u64, Rejection)> = outbox
            .entries
            .iter()
            .filter_map(|(no, entry)| match &entry.state {
                OutboxState::Rejected(rejection) => Some((*no, rejection.clone())),
                OutboxState::Waiting | OutboxState::Stale => None,
            })
            .collect();
        for (no, rejection) in refused {
            let bereft = outbox.dependants(no);
            outbox.mark_refused(bereft.into_iter(), &rejection, turn);
        }
        outbox
    }

    /// The server said who this is, and how much it takes at a time.
    pub const fn greeted(&mut self, account: AccountId, limits: &Limits) {
        self.actor = account;
        self.frame_bytes = limits.frame_bytes;
    }

    /// A command was made.
    pub fn submit(&mut self, entry: OutboxEntry, turn: &mut Turn) {
        self.place(entry, turn);
    }

    /// The person wants it to be tried again.
    pub fn retry(&mut self, mut entry: OutboxEntry, turn: &mut Turn) {
        entry.state = OutboxState::Waiting;
        self.place(entry, turn);
    }

    fn place(&mut self, entry: OutboxEntry, turn: &mut Turn) {
        self.remove(entry.no);
        self.accepted.remove(&entry.id);
        if let Some(no) = self.places.get(&entry.id).copied() {
            self.remove(no);
        }
        // A refused maker of the same things was tried again under a new id and place.
        for thing in entry.command.makes() {
            if let Some(no) = self.makers.get(&thing).copied() {
                self.remove(no);
            }
        }
        if let Command::CursorAdvance { topic, .. } = &entry.command {
            self.supersede_cursor(*topic, entry.no, turn);
        }
        let refused = self.refusal_of_maker(&entry);
        let id = entry.id;
        self.insert(entry);
        if let Some(rejection) = refused {
            self.refuse(id, &rejection, turn);
        }
    }

    /// The newest cursor of a topic takes the place of older ones that were not sent yet.
    fn supersede_cursor(&mut self, topic: TopicId, newest: u64, turn: &mut Turn) {
        let older: Vec<u64> = self
            .lanes
            .get(&Log::Account(self.actor))
            .into_iter()
            .flat_map(|lane| lane.queue.iter().copied())
            .filter(|no| *no < newest)
            .filter(|no| {
                self.entries.get(no).is_some_and(|entry| {
                    matches!(&entry.command, Command::CursorAdvance { topic: other, .. } if *other == topic)
                })
            })
            .collect();
        for no in older {
            if let Some(entry) = self.remove(no) {
                turn.apply(Write::Done(entry.id));
            }
        }
    }

    /// The text of a pending message was changed. If it is on its way already, the difference follows its answer.
    pub fn replace(&mut self, entry: OutboxEntry) {
        let place = self.places.get(&entry.id).copied();
        if let Some(no) = place {
            self.remove(no);
        }
        self.insert(entry);
    }

    /// It is too old to be sent unasked.
    pub fn age(&mut self, id: CommandId) {
        let no = self.places.get(&id);
        let Some(entry) = no.and_then(|no| self.entries.get_mut(no)) else {
            return;
        };
        if entry.state == OutboxState::Waiting {
            entry.state = OutboxState::Stale;
            for lane in self.lanes.values_mut() {
                lane.queue.remove(&entry.no);
            }
        }
    }

    /// The person does not want it any more.
    pub fn discard(&mut self, id: CommandId, turn: &mut Turn) {
        if let Some(no) = self.places.get(&id).copied() {
            self.remove(no);
        }
        if let Some(accepted) = self.accepted.remove(&id) {
            self.finish(id, &accepted.sent, accepted.text, turn);
        }
    }

    fn insert(&mut self, entry: OutboxEntry) {
        let home = entry.command.home(self.actor);
        self.places.insert(entry.id, entry.no);
        for thing in entry.command.makes() {
            self.makers.insert(thing, entry.no);
        }
        let is_sent = self.is_in_flight(entry.id) || self.accepted.contains_key(&entry.id);
        if entry.state == OutboxState::Waiting && !is_sent {
            self.lanes.entry(home).or_default().queue.insert(entry.no);
        }
        self.entries.insert(entry.no, entry);
    }

    fn remove(&mut self, no: u64) -> Option<OutboxEntry> {
        let entry = self.entries.remove(&no)?;
        self.places.remove(&entry.id);
        for thing in entry.command.makes() {
            if self.makers.get(&thing) == Some(&no) {
                self.makers.remove(&thing);
            }
        }
        for lane in self.lanes.values_mut() {
            lane.queue.remove(&no);
        }
        Some(entry)
    }
}

//! Which entries wait for what.

use std::collections::BTreeSet;

use tulou_protocol::Rejection;
use uuid::Uuid;

use super::Outbox;
use crate::io::{OutboxEntry, OutboxState};

/// What an entry waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Something that it awaits, and that no command makes.
    Undone,
    /// The entry at this place, which makes what it needs.
    Maker(u64),
}

impl Outbox {
    /// What the entry waits for, if not for its turn.
    pub(super) fn wait_of(&self, entry: &OutboxEntry) -> Option<Wait> {
        if !entry.awaits.is_empty() {
            return Some(Wait::Undone);
        }
        let maker = self.makers_of(entry).next();
        maker.map(|maker| Wait::Maker(maker.no))
    }

    /// Something that entries await is done.
    pub fn made(&mut self, thing: Uuid) {
        for entry in self.entries.values_mut() {
            entry.awaits.remove(&thing);
        }
    }

    /// Why what this command needs is not made, if that was refused.
    pub(super) fn refusal_of_maker(&self, entry: &OutboxEntry) -> Option<Rejection> {
        self.makers_of(entry).find_map(|maker| match &maker.state {
            OutboxState::Rejected(rejection) => Some(rejection.clone()),
            OutboxState::Waiting | OutboxState::Stale => None,
        })
    }

    fn makers_of(&self, entry: &OutboxEntry) -> impl Iterator<Item = &OutboxEntry> {
        entry
            .command
            .needs()
            .filter_map(|thing| self.makers.get(&thing))
            .filter(|no| **no != entry.no)
            .filter_map(|no| self.entries.get(no))
            .filter(|maker| !self.accepted.contains_key(&maker.id))
    }

    /// Entries that need, directly or not, what this one makes.
    pub(super) fn dependants(&self, no: u64) -> BTreeSet<u64> {
        let mut things: BTreeSet<Uuid> = self
            .entries
            .get(&no)
            .map(|entry| entry.command.makes())
            .into_iter()
            .flatten()
            .collect();
        let mut found = BTreeSet::new();
        // Whoever needs a thing comes after its maker, but a maker that was tried again may have a later place.
        loop {
            let before = found.len();
            for (other, entry) in &self.entries {
                let command = &entry.command;
                let is_one = *other != no
                    && entry.state == OutboxState::Waiting
                    && !found.contains(other)
                    && command.needs().any(|thing| things.contains(&thing));
                if is_one {
                    found.insert(*other);
                    things.extend(command.makes());
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }
}

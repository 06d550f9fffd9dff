//! Commands that are in flight, by their log: they keep their order.

use std::collections::HashMap;

use tulou_protocol::{Command, Log};

/// A command as its log knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flight {
    pub log: Log,
    is_send: bool,
}

impl Flight {
    /// Of a command on its home.
    pub const fn of(log: Log, command: &Command) -> Self {
        Self {
            log,
            is_send: matches!(command, Command::MessageSend { .. }),
        }
    }
}

/// Commands of a log that are in flight.
#[derive(Debug, Default, Clone, Copy)]
struct Flying {
    sends: usize,
    others: usize,
}

/// What is in flight on all logs.
#[derive(Debug, Default)]
pub struct Flights {
    by_log: HashMap<Log, Flying>,
}

impl Flights {
    /// Whether a command may follow those of its log. Sends are handed to the store in order; whatever reads has to see
    /// what was written before it.
    pub fn may_follow(&self, flight: Flight) -> bool {
        let flying = self.by_log.get(&flight.log).copied().unwrap_or_default();
        flying.others == 0 && (flying.sends == 0 || flight.is_send)
    }

    /// A command is on its way.
    pub fn begin(&mut self, flight: Flight) {
        *self.by_log.entry(flight.log).or_default().count(flight) += 1;
    }

    /// Whether nothing is.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.by_log.is_empty()
    }

    /// A command was answered.
    pub fn end(&mut self, flight: Flight) {
        if let Some(flying) = self.by_log.get_mut(&flight.log) {
            *flying.count(flight) -= 1;
            if flying.sends + flying.others == 0 {
                self.by_log.remove(&flight.log);
            }
        }
    }
}

impl Flying {
    const fn count(&mut self, flight: Flight) -> &mut usize {
        if flight.is_send {
            &mut self.sends
        } else {
            &mut self.others
        }
    }
}

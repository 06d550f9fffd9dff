//! What is sent: per log one frame is in flight.

use std::collections::{BTreeMap, BTreeSet};

use tulou_protocol::{
    ClientFrame, Command, CommandId, Commanded, Log,
    frame::Request,
    id::Millis,
    limits::{COMMANDS_PER_FRAME, CURSOR_MS},
};

use super::{Outbox, waits::Wait};
use crate::{io::Output, topics::Topics, turn::Turn};

/// Room that is left in a frame for brackets and commas.
const FRAME_MARGIN: usize = 1_024;
/// Times of sent cursors that are remembered before old ones are cleared.
const CURSOR_TIMES: usize = 256;

/// The commands of one log.
#[derive(Debug, Default)]
pub struct Lane {
    /// Places of those that wait.
    pub queue: BTreeSet<u64>,
    /// Those in flight, as they were sent.
    pub in_flight: BTreeMap<CommandId, Command>,
    /// When one of them was sent, or answered, last.
    pub sent_at: Millis,
    /// The server wants none of this log before this time.
    pub busy_until: Millis,
}

impl Lane {
    fn is_free(&self, now: Millis) -> bool {
        self.in_flight.is_empty() && !self.queue.is_empty() && self.busy_until <= now
    }
}

impl Outbox {
    /// One frame per log that has none in flight.
    pub fn pump(&mut self, topics: &Topics, turn: &mut Turn) {
        let now = turn.now();
        let free = self.lanes.iter().filter(|(_, lane)| lane.is_free(now));
        let logs: Vec<Log> = free.map(|(log, _)| *log).collect();
        for log in logs {
            self.send(log, topics, turn);
        }
        self.lanes.retain(|_, lane| {
            !lane.queue.is_empty() || !lane.in_flight.is_empty() || lane.busy_until > now
        });
    }

    fn send(&mut self, log: Log, topics: &Topics, turn: &mut Turn) {
        let now = turn.now();
        let chosen = self.choose(log, topics, now);
        let lane = self.lanes.get_mut(&log).filter(|_| !chosen.is_empty());
        let Some(lane) = lane else { return };
        lane.sent_at = now;
        let mut requests = Vec::with_capacity(chosen.len());
        for (no, commanded) in chosen {
            lane.queue.remove(&no);
            lane.in_flight
                .insert(commanded.id, commanded.command.clone());
            if let Command::CursorAdvance { topic, .. } = &commanded.command {
                self.cursors.insert(*topic, now);
            }
            requests.push(Request::Command(commanded));
        }
        if self.cursors.len() > CURSOR_TIMES {
            self.cursors.retain(|_, at| *at + CURSOR_MS > now);
        }
        turn.push(Output::Send(ClientFrame(requests)));
    }

    /// The commands of a log's next frame, in order.
    fn choose(&self, log: Log, topics: &Topics, now: Millis) -> Vec<(u64, Commanded)> {
        let mut chosen: Vec<(u64, Commanded)> = Vec::new();
        let mut bytes = FRAME_MARGIN;
        let Some(lane) = self.lanes.get(&log) else {
            return chosen;
        };
        for no in &lane.queue {
            let Some(entry) = self.entries.get(no) else {
                continue;
            };
            if self.cursor_due(&entry.command, topics) > now {
                continue;
            }
            match self.wait_of(entry) {
                None => {}
                // It goes with the next frame, when its maker is known to be done: the order stays.
                Some(Wait::Maker(maker)) if chosen.iter().any(|(no, _)| *no == maker) => break,
                Some(Wait::Maker(_) | Wait::Undone) => continue,
            }
            let request = Request::Command(Commanded {
                id: entry.id,
                command: entry.command.clone(),
            });
            let size = serde_json::to_string(&request.to_wire()).map_or(0, |text| text.len() + 1);
            let is_full = chosen.len() == COMMANDS_PER_FRAME || bytes + size > self.frame_bytes;
            if is_full && !chosen.is_empty() {
                break;
            }
            bytes += size;
            let Request::Command(commanded) = request else {
                continue;
            };
            chosen.push((*no, commanded));
        }
        chosen
    }

    /// When a cursor may be sent: at once the first time and after its topic was left, else every few seconds.
    fn cursor_due(&self, command: &Command, topics: &Topics) -> Millis {
        let Command::CursorAdvance { topic, .. } = command else {
            return 0;
        };
        match self.cursors.get(topic) {
            Some(at) if topics.is_shown(*topic) => at + CURSOR_MS,
            Some(_) | None => 0,
        }
    }

    /// When something that waits for its time may be sent.
    pub fn due(&self, topics: &Topics, now: Millis) -> Option<Millis> {
        let mut due: Option<Millis> = None;
        for lane in self.lanes.values() {
            if !lane.in_flight.is_empty() || lane.queue.is_empty() {
                continue;
            }
            let cursors = lane
                .queue
                .iter()
                .filter_map(|no| self.entries.get(no))
                .map(|entry| self.cursor_due(&entry.command, topics))
                .filter(|at| *at > now);
            let busy = Some(lane.busy_until).filter(|at| *at > now);
            due = cursors.chain(busy).chain(due).min();
        }
        due
    }

    pub fn is_sending(&self) -> bool {
        self.lanes.values().any(|lane| !lane.in_flight.is_empty())
    }

    pub(super) fn is_in_flight(&self, id: CommandId) -> bool {
        self.lanes
            .values()
            .any(|lane| lane.in_flight.contains_key(&id))
    }

    /// When the oldest frame that has no answer yet was sent.
    pub fn oldest(&self) -> Option<Millis> {
        self.lanes
            .values()
            .filter(|lane| !lane.in_flight.is_empty())
            .map(|lane| lane.sent_at)
            .min()
    }

    /// What was in flight is sent again, with the same ids; so is what was accepted and did not come: what the next link
    /// leads to may be a copy that has it not.
    pub fn lose_link(&mut self) {
        for (id, accepted) in std::mem::take(&mut self.accepted) {
            if let Some(no) = self.places.get(&id) {
                let lane = self.lanes.entry(Log::Topic(accepted.topic)).or_default();
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
}

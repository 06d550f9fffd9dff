//! Commands on their way. One outbox; per log one frame is in flight; `busy` stops the rest of that log; a rejection
//! stops only what depends on it.
//!
//! A command that needs what an earlier one makes waits until that one is done. If that one is refused, it is refused
//! with the same rejection, so that the person sees both where they happened and may try again.
//!
//! A message of a topic that is shown leaves the outbox with the transaction that makes it part of what is held. Where
//! others wrote meanwhile that is later than its answer: its row lies beyond a gap, which the window does not show.

use tulou_protocol::{
    AccountId, Answer, Body, ClientFrame, Code, Command, CommandId, Commanded, Log, Rejection,
    TopicId,
    command::Edit,
    frame::{Refusal, Request, Response},
    id::Millis,
    limits::{COMMANDS_PER_FRAME, CURSOR_MS},
};
use uuid::Uuid;

use crate::{
    depends::makes,
    engine::{Engine, brings},
    io::{Change, OutboxEntry, OutboxState, Output},
    link::wait_of,
    queue::Answered,
};

/// Room that is left in a frame for brackets and commas.
const FRAME_MARGIN: usize = 1_024;
/// Times of sent cursors that are remembered before old ones are cleared.
const CURSOR_TIMES: usize = 256;

impl Engine {
    /// Before the first greeting nobody is known; the home log is then only a name for the lane.
    fn actor(&self) -> AccountId {
        self.account.unwrap_or(AccountId(Uuid::nil()))
    }

    pub(crate) fn restore(&mut self, entry: OutboxEntry) {
        self.outbox.insert(self.actor(), entry, false);
    }

    /// The program may have ended between the refusal of one entry and that of what depends on it.
    pub(crate) fn refuse_bereft(&mut self) {
        let refused: Vec<(u64, Rejection)> = self
            .outbox
            .entries
            .iter()
            .filter_map(|(no, pending)| match &pending.entry.state {
                OutboxState::Rejected(rejection) => Some((*no, rejection.clone())),
                OutboxState::Waiting | OutboxState::Stale => None,
            })
            .collect();
        for (no, rejection) in refused {
            let bereft = self.outbox.dependants(no);
            self.mark_refused(bereft.into_iter(), &rejection);
        }
    }

    pub(crate) fn submit(&mut self, entry: OutboxEntry) {
        self.place(entry, false);
    }

    pub(crate) fn retry(&mut self, mut entry: OutboxEntry) {
        entry.state = OutboxState::Waiting;
        self.place(entry, true);
    }

    fn place(&mut self, entry: OutboxEntry, is_confirmed: bool) {
        self.outbox.remove(entry.no);
        self.outbox.answered.remove(&entry.id);
        if let Some(no) = self.outbox.places.get(&entry.id).copied() {
            self.outbox.remove(no);
        }
        // A refused maker of the same things was tried again under a new id and place.
        for thing in makes(&entry.command) {
            if let Some(no) = self.outbox.makers.get(&thing).copied() {
                self.outbox.remove(no);
            }
        }
        if let Command::CursorAdvance { topic, .. } = &entry.command {
            self.supersede_cursor(*topic, entry.no);
        }
        let refused = self.outbox.refusal_of_maker(&entry);
        let id = entry.id;
        self.outbox.insert(self.actor(), entry, is_confirmed);
        if let Some(rejection) = refused {
            self.reject(id, &rejection);
        }
    }

    /// The newest cursor of a topic takes the place of older ones that were not sent yet.
    fn supersede_cursor(&mut self, topic: TopicId, newest: u64) {
        let older: Vec<u64> = self
            .outbox
            .lanes
            .get(&Log::Account(self.actor()))
            .into_iter()
            .flat_map(|lane| lane.queue.iter().copied())
            .filter(|no| *no < newest)
            .filter(|no| {
                self.outbox.entries.get(no).is_some_and(|pending| {
                    matches!(&pending.entry.command, Command::CursorAdvance { topic: other, .. } if *other == topic)
                })
            })
            .collect();
        for no in older {
            if let Some(entry) = self.outbox.remove(no) {
                self.out.apply(Change::Done(entry.id));
            }
        }
    }

    /// The text of a pending message was changed. If it is on its way already, the difference follows its answer.
    pub(crate) fn replace(&mut self, entry: OutboxEntry) {
        let is_confirmed = self
            .outbox
            .get(entry.id)
            .is_some_and(|pending| pending.is_confirmed);
        if let Some(no) = self.outbox.places.get(&entry.id).copied() {
            self.outbox.remove(no);
        }
        self.outbox.insert(self.actor(), entry, is_confirmed);
    }

    pub(crate) fn discard(&mut self, id: CommandId) {
        if let Some(no) = self.outbox.places.get(&id).copied() {
            self.outbox.remove(no);
        }
        if let Some(answered) = self.outbox.answered.remove(&id) {
            self.finish_command(id, &answered.sent, Some(answered.text));
        }
    }

    /// One frame per log that has none in flight.
    pub(crate) fn pump_outbox(&mut self) {
        let ready: Vec<Log> = self
            .outbox
            .lanes
            .iter()
            .filter(|(_, lane)| {
                lane.in_flight.is_empty() && !lane.queue.is_empty() && lane.busy_until <= self.now
            })
            .map(|(log, _)| *log)
            .collect();
        for log in ready {
            self.send_lane(log);
        }
        let now = self.now;
        self.outbox.lanes.retain(|_, lane| {
            !lane.queue.is_empty() || !lane.in_flight.is_empty() || lane.busy_until > now
        });
    }

    fn send_lane(&mut self, log: Log) {
        let chosen = self.choose(log);
        let Some(lane) = self
            .outbox
            .lanes
            .get_mut(&log)
            .filter(|_| !chosen.is_empty())
        else {
            return;
        };
        lane.sent_at = self.now;
        let mut requests = Vec::with_capacity(chosen.len());
        for (no, commanded) in chosen {
            lane.queue.remove(&no);
            lane.in_flight
                .insert(commanded.id, commanded.command.clone());
            if let Command::CursorAdvance { topic, .. } = &commanded.command {
                self.outbox.cursors.insert(*topic, self.now);
            }
            requests.push(Request::Command(commanded));
        }
        if self.outbox.cursors.len() > CURSOR_TIMES {
            let now = self.now;
            self.outbox.cursors.retain(|_, at| *at + CURSOR_MS > now);
        }
        self.out.push(Output::Send(ClientFrame(requests)));
    }

    /// The commands of a log's next frame, in order.
    fn choose(&self, log: Log) -> Vec<(u64, Commanded)> {
        let mut chosen: Vec<(u64, Commanded)> = Vec::new();
        let mut bytes = FRAME_MARGIN;
        let Some(lane) = self.outbox.lanes.get(&log) else {
            return chosen;
        };
        for no in &lane.queue {
            let Some(pending) = self.outbox.entries.get(no) else {
                continue;
            };
            let entry = &pending.entry;
            let is_old = entry.is_stale(self.by_the_clock(self.now)) && !pending.is_confirmed;
            if is_old || self.cursor_due(&entry.command) > self.now {
                continue;
            }
            if let Some(maker) = self.outbox.maker_of(entry) {
                if chosen.iter().any(|(no, _)| *no == maker.entry.no) {
                    // It goes with the next frame, when its maker is known to be done: the order stays.
                    break;
                }
                continue;
            }
            let request = Request::Command(Commanded {
                id: entry.id,
                command: entry.command.clone(),
            });
            let size = serde_json::to_string(&request.to_wire()).map_or(0, |text| text.len() + 1);
            let is_full =
                chosen.len() == COMMANDS_PER_FRAME || bytes + size > self.outbox.frame_bytes;
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
    fn cursor_due(&self, command: &Command) -> Millis {
        let Command::CursorAdvance { topic, .. } = command else {
            return 0;
        };
        match self.outbox.cursors.get(topic) {
            Some(at) if self.is_shown(*topic) => at + CURSOR_MS,
            Some(_) | None => 0,
        }
    }

    pub(crate) fn outbox_due(&self) -> Option<Millis> {
        let mut due: Option<Millis> = None;
        for lane in self.outbox.lanes.values() {
            if !lane.in_flight.is_empty() || lane.queue.is_empty() {
                continue;
            }
            let cursors = lane
                .queue
                .iter()
                .filter_map(|no| self.outbox.entries.get(no))
                .map(|pending| self.cursor_due(&pending.entry.command))
                .filter(|at| *at > self.now);
            let busy = Some(lane.busy_until).filter(|at| *at > self.now);
            due = cursors.chain(busy).chain(due).min();
        }
        due
    }

    pub(crate) fn take_answer(&mut self, id: CommandId, response: Response) {
        let mut found = None;
        for (log, lane) in &mut self.outbox.lanes {
            if let Some(command) = lane.in_flight.remove(&id) {
                lane.sent_at = self.now;
                found = Some((*log, command));
                break;
            }
        }
        let Some((log, sent)) = found else { return };
        match response.into_result::<Answer>() {
            Ok(answer) => {
                let answered = answered(&answer, &sent);
                self.apply_answer(answer, brings(&sent));
                match answered {
                    Some(answered)
                        if self.outbox.places.contains_key(&id) && self.is_coming(&answered) =>
                    {
                        self.outbox.answered.insert(id, answered);
                    }
                    answered => {
                        let text = answered.map(|answered| answered.text);
                        self.finish_command(id, &sent, text);
                    }
                }
            }
            Err(Refusal::Busy(busy)) => {
                let busy_until = self.now + wait_of(busy);
                if let Some(lane) = self.outbox.lanes.get_mut(&log) {
                    lane.busy_until = lane.busy_until.max(busy_until);
                    if let Some(no) = self.outbox.places.get(&id) {
                        lane.queue.insert(*no);
                    }
                }
            }
            Err(refusal) => {
                let rejection: Option<Rejection> = refusal.into();
                let rejection = rejection.unwrap_or_else(|| Code::Unknown.into());
                if rejection.code == Code::SignedOut {
                    if let Some(lane) = self.outbox.lanes.get_mut(&log)
                        && let Some(no) = self.outbox.places.get(&id)
                    {
                        lane.queue.insert(*no);
                    }
                    self.sign_out(rejection.code);
                } else {
                    self.reject(id, &rejection);
                }
            }
        }
    }

    /// Whether the topic's next rows make the message part of what is held. Nothing brings one that may not be read, or
    /// that lies before all that is held, or of a topic that nobody looks at.
    fn is_coming(&self, answered: &Answered) -> bool {
        let Answered { topic, seq, .. } = answered;
        let Some(state) = self.topics.get(topic) else {
            return false;
        };
        let is_followed = state.cursor.is_some()
            && state.gap_at.is_none()
            && !state.is_syncing
            && !self.to_sync.contains(topic);
        self.is_watch_wished(*topic)
            && !is_followed
            && !state.held.contains(*seq)
            && *seq >= state.head.floor
    }

    /// Messages whose rows came, or do not come any more, leave the outbox.
    pub(crate) fn settle_answered(&mut self) {
        let settled: Vec<CommandId> = self
            .outbox
            .answered
            .iter()
            .filter(|(_, answered)| !self.is_coming(answered))
            .map(|(id, _)| *id)
            .collect();
        for id in settled {
            if let Some(answered) = self.outbox.answered.remove(&id) {
                self.finish_command(id, &answered.sent, Some(answered.text));
            }
        }
    }

    /// Out of the outbox. What the person changed while it was on its way, be it on an earlier link, is made up for.
    fn finish_command(&mut self, id: CommandId, sent: &Command, answered: Option<String>) {
        let place = self.outbox.places.get(&id).copied();
        let entry = place.and_then(|no| self.outbox.remove(no));
        self.out.apply(Change::Done(id));
        let Command::MessageSend {
            topic,
            message,
            text,
            ..
        } = sent
        else {
            return;
        };
        let was = answered.unwrap_or_else(|| text.clone());
        match entry.map(|entry| entry.command) {
            None => self.out.apply(Change::FollowUp(Command::MessageRecall {
                topic: *topic,
                message: *message,
            })),
            Some(Command::MessageSend { text, .. }) if text != was => {
                self.out.apply(Change::FollowUp(Command::MessageEdit {
                    topic: *topic,
                    message: *message,
                    text: Edit {
                        from: was,
                        to: text,
                    },
                }));
            }
            Some(_) => {}
        }
    }

    /// The command is refused, and with it all that wait for what it would have made.
    fn reject(&mut self, id: CommandId, rejection: &Rejection) {
        let Some(no) = self.outbox.places.get(&id).copied() else {
            return;
        };
        let refused = self.outbox.dependants(no);
        self.mark_refused(std::iter::once(no).chain(refused), rejection);
    }

    fn mark_refused(&mut self, places: impl Iterator<Item = u64>, rejection: &Rejection) {
        for no in places {
            for lane in self.outbox.lanes.values_mut() {
                lane.queue.remove(&no);
            }
            if let Some(pending) = self.outbox.entries.get_mut(&no) {
                pending.entry.state = OutboxState::Rejected(rejection.clone());
                self.out
                    .apply(Change::Rejected(pending.entry.id, rejection.clone()));
            }
        }
    }
}

/// What the server has of a message that was sent.
fn answered(answer: &Answer, sent: &Command) -> Option<Answered> {
    let Command::MessageSend { topic, message, .. } = sent else {
        return None;
    };
    let id = message.to_string();
    let rows = answer.pushes.iter().flat_map(|push| &push.rows);
    rows.filter(|row| row.id == id).find_map(|row| {
        let Body::Message(message) = &row.body else {
            return None;
        };
        Some(Answered {
            topic: *topic,
            seq: message.seq,
            sent: sent.clone(),
            text: message.content.as_ref()?.text.clone(),
        })
    })
}

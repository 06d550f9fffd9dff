//! What becomes of what was sent: done, put off, or refused.

use tulou_protocol::{
    Answer, Body, Command, CommandId, Log, Rejection, Seq, TopicId, command::Edit, id::Millis,
};

use super::Outbox;
use crate::{
    io::{OutboxState, Write},
    topics::Topics,
    turn::Turn,
};

/// A message that the server has, and that is not held yet: it stays in the outbox so that the person goes on seeing it.
#[derive(Debug)]
pub struct Accepted {
    pub topic: TopicId,
    /// Its place in the topic.
    pub seq: Seq,
    /// The command as it was sent.
    pub sent: Command,
    /// The text as the server took it; none where it was edited or recalled since: a repeat is answered by the message as
    /// it is.
    pub text: Option<String>,
}

impl Accepted {
    /// What the server has of a message that was sent.
    pub fn of(answer: &Answer, sent: &Command) -> Option<Self> {
        let Command::MessageSend { topic, message, .. } = sent else {
            return None;
        };
        let id = message.to_string();
        let rows = answer.pushes.iter().flat_map(|push| &push.rows);
        rows.filter(|row| row.id == id).find_map(|row| {
            let Body::Message(message) = &row.body else {
                return None;
            };
            let content = message.content.as_ref()?;
            Some(Self {
                topic: *topic,
                seq: message.seq,
                sent: sent.clone(),
                text: content.is_as_sent().then(|| content.text.clone()),
            })
        })
    }
}

impl Outbox {
    /// A command was answered: it is not in flight any more. Its log, and the command as it was sent.
    pub fn land(&mut self, id: CommandId, now: Millis) -> Option<(Log, Command)> {
        self.lanes.iter_mut().find_map(|(log, lane)| {
            let sent = lane.in_flight.remove(&id)?;
            lane.sent_at = now;
            Some((*log, sent))
        })
    }

    /// It was done, and what it changed was taken up.
    pub fn done(
        &mut self,
        id: CommandId,
        sent: &Command,
        accepted: Option<Accepted>,
        topics: &Topics,
        turn: &mut Turn,
    ) {
        match accepted {
            Some(accepted)
                if self.places.contains_key(&id)
                    && topics.is_coming(accepted.topic, accepted.seq) =>
            {
                self.accepted.insert(id, accepted);
            }
            accepted => {
                let text = accepted.and_then(|accepted| accepted.text);
                self.finish(id, sent, text, turn);
            }
        }
    }

    /// It is sent again; with the rest of its log, not before `until`.
    pub fn put_off(&mut self, id: CommandId, log: Log, until: Millis) {
        if let Some(lane) = self.lanes.get_mut(&log) {
            lane.busy_until = lane.busy_until.max(until);
            if let Some(no) = self.places.get(&id) {
                lane.queue.insert(*no);
            }
        }
    }

    /// Messages whose rows came, or do not come any more, leave the outbox.
    pub fn settle(&mut self, topics: &Topics, turn: &mut Turn) {
        let settled: Vec<CommandId> = self
            .accepted
            .iter()
            .filter(|(_, accepted)| !topics.is_coming(accepted.topic, accepted.seq))
            .map(|(id, _)| *id)
            .collect();
        for id in settled {
            if let Some(accepted) = self.accepted.remove(&id) {
                self.finish(id, &accepted.sent, accepted.text, turn);
            }
        }
    }

    /// Out of the outbox. What the person changed while it was on its way, be it on an earlier link, is made up for. If it
    /// was edited or recalled elsewhere meanwhile, the edit starts from what was sent first, so that the server refuses it
    /// and the person sees both; where he changed nothing, what somebody did elsewhere is nothing to make up for.
    pub(super) fn finish(
        &mut self,
        id: CommandId,
        sent: &Command,
        text_there: Option<String>,
        turn: &mut Turn,
    ) {
        let place = self.places.get(&id).copied();
        let entry = place.and_then(|no| self.remove(no));
        turn.apply(Write::Done(id));
        let Command::MessageSend {
            topic,
            message,
            text,
            ..
        } = sent
        else {
            return;
        };
        let first = entry.as_ref().and_then(|entry| entry.first_text.clone());
        let was = text_there.or(first).unwrap_or_else(|| text.clone());
        match entry.map(|entry| entry.command) {
            None => turn.apply(Write::FollowUp(Command::MessageRecall {
                topic: *topic,
                message: *message,
            })),
            Some(Command::MessageSend { text, .. }) if text != was => {
                turn.apply(Write::FollowUp(Command::MessageEdit {
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
    pub fn refuse(&mut self, id: CommandId, rejection: &Rejection, turn: &mut Turn) {
        let Some(no) = self.places.get(&id).copied() else {
            return;
        };
        let bereft = self.dependants(no);
        self.mark_refused(std::iter::once(no).chain(bereft), rejection, turn);
    }

    pub(super) fn mark_refused(
        &mut self,
        places: impl Iterator<Item = u64>,
        rejection: &Rejection,
        turn: &mut Turn,
    ) {
        for no in places {
            for lane in self.lanes.values_mut() {
                lane.queue.remove(&no);
            }
            if let Some(entry) = self.entries.get_mut(&no) {
                entry.state = OutboxState::Rejected(rejection.clone());
                turn.apply(Write::Rejected(entry.id, rejection.clone()));
            }
        }
    }
}

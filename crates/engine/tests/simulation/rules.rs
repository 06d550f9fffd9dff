//! Rules of a client that are looked at while it runs, because at rest another rule would have made up for a broken one:
//! what has to be asked soon, what may not be sent yet, what may not be refused.

use std::collections::{BTreeMap, BTreeSet};

use tulou_engine::{OutboxEntry, OutboxState, Write};
use tulou_protocol::{
    AccountId, Answer, Body, ClientFrame, Code, Command, CommandId, Commanded, Log, Question, Rev,
    Row, Seq, ServerFrame, TopicId,
    frame::{Refusal, Request, Response},
    id::Millis,
    limits::{CURSOR_MS, Limits},
    push::{Pushed, SyncOutcome, SyncedLog},
    question::{Synced, Watched},
};

use crate::store::Store;

/// A gap may close by itself for a moment, a busy server is left alone for some seconds, an answer that is on its way may
/// take fifteen. It is less than the time between two heartbeats, which would make up for it.
const SOON_MS: Millis = 20_000;

/// What is expected of a client from here on.
#[derive(Debug, Default)]
pub struct Rules {
    /// Logs that have to be synced, since when, unless their cursor comes to a rev by itself.
    owed: BTreeMap<Log, (Millis, Rev)>,
    /// Until when the server does not want to be asked.
    quiet_until: Millis,
    /// When something was synced last.
    synced_at: Millis,
    /// Questions on their way that only the engine asks.
    asked: BTreeSet<u64>,
    /// Until when the server does not want commands of these logs.
    busy: BTreeMap<Log, Millis>,
    /// The home of each command on its way.
    homes: BTreeMap<CommandId, Log>,
    /// Commands that the server refused.
    refused: BTreeSet<CommandId>,
    /// Commands that were answered on this link.
    answered: BTreeSet<CommandId>,
    /// Messages that were sent.
    sends: BTreeSet<CommandId>,
    /// The places of those that were answered.
    places: BTreeMap<CommandId, (TopicId, Seq)>,
    /// Watches on their way, by question.
    watches: BTreeMap<u64, Vec<TopicId>>,
    /// Questions of logs on their way.
    syncs: BTreeSet<u64>,
    /// Logs whose present state came in part.
    in_parts: BTreeSet<Log>,
    /// Messages that the person gave up.
    given_up: BTreeSet<CommandId>,
    /// Topics that the server does not let be watched.
    unwatched: Vec<TopicId>,
    /// When the cursor of a topic was sent last, since the topic is shown.
    cursors: BTreeMap<TopicId, Millis>,
}

impl Rules {
    /// The link is lost: everything is asked anew on the next.
    pub fn lose_link(&mut self) {
        self.owed.clear();
        self.busy.clear();
        self.homes.clear();
        self.asked.clear();
        self.answered.clear();
        self.watches.clear();
        self.syncs.clear();
        self.unwatched.clear();
        self.quiet_until = 0;
    }

    /// The clock says another time, or another process looks at it: what was timed is timed anew.
    pub fn lose_time(&mut self) {
        self.owed.clear();
        self.busy.clear();
        self.cursors.clear();
        self.synced_at = 0;
        self.quiet_until = 0;
    }

    /// Another engine knows nothing of what came in part.
    pub fn begin_anew(&mut self) {
        self.in_parts.clear();
    }

    /// The topic is not shown any more.
    pub fn hide(&mut self, topic: TopicId) {
        self.owed.remove(&Log::Topic(topic));
        self.cursors.remove(&topic);
    }

    /// What the server said, before the engine hears it.
    pub fn hear(&mut self, frame: &ServerFrame, shown: &[TopicId], store: &Store, now: Millis) {
        for (log, (since, _)) in &self.owed {
            // The account comes first, page by page.
            let waited = now - self.synced_at.max(self.quiet_until).max(*since);
            assert!(waited <= SOON_MS, "{log} was to be synced {waited} ms ago");
        }
        match frame {
            ServerFrame::Responses(responses) => {
                for response in responses {
                    self.hear_answer(response.clone(), now);
                }
            }
            ServerFrame::Pushed(Pushed::Push(push)) => {
                let has_gap = store
                    .cursors
                    .get(&push.log)
                    .is_some_and(|(cursor, _)| push.prev > *cursor && *cursor > Rev::ZERO);
                if has_gap {
                    self.owe(push.log, push.rev, now);
                }
            }
            ServerFrame::Pushed(Pushed::Stale(stale)) => {
                let is_held = match stale.log {
                    Log::Topic(topic) => shown.contains(&topic),
                    log => store.cursors.contains_key(&log),
                };
                if is_held {
                    // Rights may have changed without a row.
                    self.owe(stale.log, Rev(u64::MAX), now);
                }
            }
            ServerFrame::Pushed(Pushed::Heartbeat(heartbeat)) => {
                for (log, rev) in &heartbeat.heads {
                    if store.cursors.get(log).is_some_and(|(held, _)| held < rev) {
                        self.owe(*log, *rev, now);
                    }
                }
            }
            ServerFrame::Pushed(_) | ServerFrame::Unknown(_) => {}
        }
    }

    fn owe(&mut self, log: Log, rev: Rev, now: Millis) {
        let (_, until) = self.owed.entry(log).or_insert((now, rev));
        *until = rev.max(*until);
    }

    fn hear_answer(&mut self, response: Response, now: Millis) {
        if let Some(number) = response.id.as_u64() {
            if self.syncs.remove(&number)
                && let Ok(synced) = response.clone().into_result::<Synced>()
            {
                for SyncedLog { log, outcome } in synced.logs {
                    if matches!(outcome, SyncOutcome::Reset { begun: Some(_), .. }) {
                        self.in_parts.insert(log);
                    }
                }
            }
            if let Some(topics) = self.watches.remove(&number) {
                let watched = response.clone().into_result::<Watched>();
                let named: Vec<TopicId> = watched.map_or(vec![], |watched| {
                    watched.topics.iter().map(|found| found.topic).collect()
                });
                self.unwatched = topics;
                self.unwatched.retain(|topic| !named.contains(topic));
            }
            if self.asked.remove(&number)
                && let Err(Refusal::Busy(busy)) = response.into_result::<serde_json::Value>()
            {
                self.quiet_until = now + Millis::try_from(busy.retry_after_ms).unwrap();
            }
            return;
        }
        let id = response.id.as_str().and_then(|id| id.parse().ok());
        let Some(id) = id else { return };
        let home = self.homes.remove(&id);
        match response.into_result::<Answer>() {
            Err(Refusal::Busy(busy)) => {
                if let Some(home) = home {
                    let until = self.busy.entry(home).or_default();
                    *until = now + Millis::try_from(busy.retry_after_ms).unwrap();
                }
            }
            // Whoever signs in again sends it again.
            Err(Refusal::Rejected(refused)) if refused.code == Code::SignedOut => {}
            Err(Refusal::Rejected(_) | Refusal::Misunderstood(_)) => {
                self.refused.insert(id);
            }
            Ok(answer) => {
                self.answered.insert(id);
                for push in &answer.pushes {
                    let Log::Topic(topic) = push.log else {
                        continue;
                    };
                    if let [
                        Row {
                            body: Body::Message(message),
                            ..
                        },
                    ] = push.rows.as_slice()
                        && self.sends.contains(&id)
                    {
                        self.places.insert(id, (topic, message.seq));
                    }
                }
            }
        }
    }

    /// The person does not want it any more.
    pub fn give_up(&mut self, id: CommandId) {
        self.given_up.insert(id);
    }

    /// What the engine sends.
    pub fn send(
        &mut self,
        frame: &ClientFrame,
        me: AccountId,
        shown: &[TopicId],
        store: &Store,
        now: Millis,
    ) {
        assert!(frame.0.len() <= 32, "a frame has at most 32 requests");
        let wire: Vec<_> = frame.0.iter().map(Request::to_wire).collect();
        let bytes = serde_json::to_string(&wire).unwrap().len();
        assert!(
            frame.0.len() == 1 || bytes <= Limits::default().frame_bytes,
            "a frame of {bytes} bytes is too big"
        );
        for request in &frame.0 {
            match request {
                Request::Command(commanded) => self.send_command(commanded, me, shown, store, now),
                // A person asks it, whatever the server said.
                Request::Question(_, Question::MemberList { .. }) => {}
                Request::Question(number, question) => {
                    assert!(now >= self.quiet_until, "the server is busy: {question:?}");
                    self.asked.insert(*number);
                    if let Question::SessionWatch { topics } = question {
                        self.watches.insert(*number, topics.clone());
                    }
                    if let Question::LogSync { logs } = question {
                        self.syncs.insert(*number);
                        self.synced_at = now;
                        for asked in logs {
                            self.owed.remove(&asked.log);
                        }
                    }
                }
            }
        }
    }

    fn send_command(
        &mut self,
        commanded: &Commanded,
        me: AccountId,
        shown: &[TopicId],
        store: &Store,
        now: Millis,
    ) {
        let Commanded { id, command } = commanded;
        if command.is_live() {
            return;
        }
        let home = command.home(me);
        self.homes.insert(*id, home);
        if matches!(command, Command::MessageSend { .. }) {
            self.sends.insert(*id);
        }
        let busy_until = self.busy.get(&home).copied().unwrap_or_default();
        assert!(
            now >= busy_until,
            "{home} is busy for another {} ms",
            busy_until - now
        );
        let is_waiting =
            |entry: &&OutboxEntry| entry.id != *id && !self.answered.contains(&entry.id);
        let mut others = store.outbox.values().filter(is_waiting);
        assert!(
            !others.any(|other| needs(command, other)),
            "{command:?} needs what is not there yet"
        );
        let unmade = store.outbox.values().find(|entry| entry.id == *id);
        assert!(
            unmade.is_none_or(|entry| entry.awaits.is_empty()),
            "{unmade:?} awaits what is not done"
        );
        if let Command::CursorAdvance { topic, .. } = command {
            // After a cut, one that was on its way may go along with its successor.
            let before = self.cursors.insert(*topic, now).filter(|at| *at != now);
            assert!(
                !shown.contains(topic) || before.is_none_or(|before| now - before >= CURSOR_MS),
                "the cursor of {topic} was sent at {before:?} and is sent at {now}"
            );
        }
    }

    /// Whether a change is one that [`Self::applied`] looks at.
    pub fn cares(change: &&Write) -> bool {
        matches!(
            change,
            Write::Forget(_)
                | Write::Cursor { .. }
                | Write::Rejected(..)
                | Write::Done(_)
                | Write::Reset { .. }
                | Write::Bury(..)
        )
    }

    /// What was applied to the store.
    pub fn applied(&mut self, changes: &[Write], shown: &[TopicId], store: &Store) {
        for change in changes {
            match change {
                Write::Reset { log, .. } => {
                    self.in_parts.remove(log);
                }
                Write::Bury(log, _) => assert!(
                    !self.in_parts.contains(log),
                    "tombstones of {log} go before its present state is whole"
                ),
                Write::Forget(log) => {
                    self.in_parts.remove(log);
                    self.owed.remove(log);
                    self.unwatched.extend(log.topic());
                }
                Write::Done(id) => self.check_shown(*id, shown, store),
                Write::Cursor { log, rev, .. }
                    if self.owed.get(log).is_some_and(|(_, until)| until <= rev) =>
                {
                    self.owed.remove(log);
                }
                Write::Rejected(id, _) if !self.refused.contains(id) => {
                    let entry = store.outbox.values().find(|entry| entry.id == *id);
                    let is_bereft = entry.is_none_or(|entry| {
                        refused(store).any(|other| needs(&entry.command, other))
                    });
                    assert!(is_bereft, "nobody refused {entry:?}");
                }
                _ => {}
            }
        }
    }

    /// A message of a topic that is shown does not vanish from it when it leaves the outbox.
    fn check_shown(&self, id: CommandId, shown: &[TopicId], store: &Store) {
        let Some((topic, seq)) = self.places.get(&id) else {
            return;
        };
        let is_gone = !store.topics().iter().any(|(_, seen)| seen == topic)
            || store.heads.get(topic).is_some_and(|head| head.floor > *seq);
        if !shown.contains(topic)
            || is_gone
            || self.unwatched.contains(topic)
            || self.given_up.contains(&id)
        {
            return;
        }
        let islands = store.islands.get(topic).map_or(&[][..], Vec::as_slice);
        assert!(
            islands.last().is_some_and(|last| last.to >= *seq),
            "message {seq} of {topic} is not seen any more: {islands:?}"
        );
    }

    /// Nothing waits for what was refused.
    pub fn check_outbox(store: &Store) {
        for other in refused(store) {
            let mut waiting = store
                .outbox
                .values()
                .filter(|entry| entry.state == OutboxState::Waiting);
            let found = waiting.find(|entry| needs(&entry.command, other));
            assert!(
                found.is_none(),
                "{found:?} waits for what was refused: {other:?}"
            );
        }
    }
}

fn refused(store: &Store) -> impl Iterator<Item = &OutboxEntry> {
    store
        .outbox
        .values()
        .filter(|entry| matches!(entry.state, OutboxState::Rejected(_)))
}

/// Whether a command names a thing that another one makes.
pub fn needs(command: &Command, other: &OutboxEntry) -> bool {
    let made = match &other.command {
        Command::MessageSend { message, .. } => vec![message.to_string()],
        Command::CommunityCreate {
            community,
            group,
            topic,
            ..
        } => vec![community.to_string(), group.to_string(), topic.to_string()],
        Command::GroupCreate { group, .. } => vec![group.to_string()],
        Command::TopicCreate { topic, .. } => vec![topic.to_string()],
        Command::MemberGroupCreate { member_group, .. } => vec![member_group.to_string()],
        _ => return false,
    };
    let said = serde_json::to_string(command).unwrap();
    made.iter().any(|thing| said.contains(thing))
}

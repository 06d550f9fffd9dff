//! The state, and the way of an input through it: what it says, then what is due.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;
use tulou_protocol::{
    AccountId, Answer, Code, Command, CommandId, CommunityId, Epoch, Greeting, Log, Question,
    Rejection, Rev, Seq, ServerFrame, TopicId,
    frame::{Refusal, Response},
    id::Millis,
    push::Pushed,
};

use crate::{
    community::Community,
    io::{Change, Input, Output, Restored, Ticket, Untold},
    island::Held,
    link::{Link, is_final, wait_of},
    live::{LiveCommands, brings},
    outbox::{Accepted, Outbox},
    profiles::Profiles,
    questions::{Asked, Questions},
    sync::LogState,
    topics::Topics,
    turn::Turn,
};

/// How long nothing is asked after the server did not understand a question.
const PAUSE_MS: Millis = 5_000;

/// How a client keeps up. See the crate's documentation.
#[derive(Debug)]
pub struct Engine {
    pub(crate) account: Option<AccountId>,
    pub(crate) epoch: Option<Epoch>,
    /// What the input that is being taken comes to.
    pub(crate) turn: Turn,
    pub(crate) link: Link,
    pub(crate) questions: Questions,
    live: LiveCommands,
    /// The server's time minus ours.
    pub(crate) clock_ahead: Millis,
    /// The account's log and those of its communities.
    pub(crate) logs: BTreeMap<Log, LogState>,
    pub(crate) communities: BTreeMap<CommunityId, Community>,
    /// Communities that the store has rows of without a membership: forgotten at the greeting, synced when it comes.
    pub(crate) orphans: Vec<CommunityId>,
    /// The rev of the last membership row, or its tombstone.
    pub(crate) memberships: BTreeMap<CommunityId, Rev>,
    pub(crate) topics: Topics,
    /// Since when nothing was on its way.
    pub(crate) quiet_since: Millis,
    /// Messages that were notified of last.
    pub(crate) notified: VecDeque<(TopicId, Seq)>,
    pub(crate) profiles: Profiles,
    pub(crate) outbox: Outbox,
}

impl Engine {
    /// An engine for what the store holds. The seed decides the chance in the back-off. It wants to be ticked at once.
    #[must_use]
    pub fn new(restored: Restored, token: String, seed: u64, now: Millis) -> Self {
        let mut turn = Turn::new(now);
        let outbox = Outbox::restored(restored.account, restored.outbox, &mut turn);
        let mut engine = Self {
            account: restored.account,
            epoch: restored.epoch,
            turn,
            link: Link::new(token, seed, now),
            questions: Questions::new(),
            live: LiveCommands::default(),
            clock_ahead: 0,
            logs: BTreeMap::new(),
            communities: BTreeMap::new(),
            orphans: Vec::new(),
            memberships: BTreeMap::new(),
            topics: Topics::default(),
            quiet_since: now,
            notified: VecDeque::new(),
            profiles: Profiles::new(restored.profiles, restored.lacking),
            outbox,
        };
        for (topic, head) in restored.heads {
            engine.topics.all.entry(topic).or_default().head = head;
        }
        for (topic, islands) in restored.islands {
            let state = engine.topics.all.entry(topic).or_default();
            state.held = Held::restored(&islands);
            state.is_seen = !islands.is_empty();
        }
        for (log, (cursor, view)) in restored.cursors {
            match log {
                Log::Topic(_) => {}
                // The rows of a community came, and the program ended before the membership row did.
                Log::Community(community) if !restored.communities.contains_key(&community) => {
                    engine.orphans.push(community);
                }
                Log::Community(_) | Log::Account(_) => {
                    engine.logs.insert(log, LogState::restored(cursor, view));
                }
            }
        }
        let account_cursor = engine
            .account
            .map_or(Rev::ZERO, |account| engine.cursor(Log::Account(account)));
        for (community, as_of) in restored.communities {
            engine.memberships.insert(community, account_cursor);
            let log = Log::Community(community);
            let cursor = engine.logs.entry(log).or_default().cursor;
            engine
                .communities
                .insert(community, Community::restored(as_of));
            for (no, topic) in restored.numbers.get(&community).into_iter().flatten() {
                engine.number_topic(community, *topic, *no, cursor);
            }
        }
        for topic in engine.topics.all.keys().copied().collect::<Vec<_>>() {
            engine.note_behind(topic);
        }
        engine
    }

    /// Takes an input; says what is to be done, in order.
    #[must_use]
    pub fn handle(&mut self, input: Input, now: Millis) -> Vec<Output> {
        self.turn.begin(now);
        match input {
            Input::LinkUp => self.link_up(),
            Input::LinkDown => self.link_down(),
            Input::Frame(frame) => self.take_frame(frame),
            Input::Submit(entry) => self.outbox.submit(entry, &mut self.turn),
            Input::Replace(entry) => self.outbox.replace(entry),
            Input::Retry(entry) => self.outbox.retry(entry, &mut self.turn),
            Input::Discard(command) => self.outbox.discard(command, &mut self.turn),
            Input::Watch(topic) => self.show(topic),
            Input::Unwatch(topic) => self.hide(topic),
            Input::Want(topic, at) => self.want(topic, at),
            Input::Ask(ticket, question) => self.ask_for(ticket, question),
            Input::Live(ticket, id, command) => self.send_live(ticket, id, command),
            Input::Hurry => self.link.hurry(self.turn.now()),
            Input::Tick => {}
        }
        self.pump();
        self.finish()
    }

    /// When [`Input::Tick`] is due, if nothing else happens. A time that is past means at once.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        let now = self.turn.now();
        let paused_until = self.questions.paused_until();
        let ready = self.link.is_ready().then(|| {
            [
                self.logs_due(),
                self.topics_due(),
                self.outbox.due(&self.topics, now),
                self.idle_due(),
                (paused_until > now).then_some(paused_until),
            ]
        });
        ready
            .into_iter()
            .flatten()
            .flatten()
            .chain(self.link.limit(self.oldest_request()))
            .min()
            .map(|at| self.turn.by_the_clock(at))
    }

    /// What is due, whatever the input was.
    fn pump(&mut self) {
        if self.link.pump(self.oldest_request(), &mut self.turn) {
            self.cut_link(0);
        }
        if !self.link.is_ready() {
            return;
        }
        self.close_gaps();
        if self.turn.now() >= self.questions.paused_until() {
            self.pump_watch();
            self.pump_sync();
            self.pump_heads();
            self.pump_wants();
            self.profiles.pump(&mut self.questions, &mut self.turn);
        }
        self.outbox.settle(&self.topics, &mut self.turn);
        self.outbox.pump(&self.topics, &mut self.turn);
        if !self.questions.is_empty() || !self.live.is_empty() || self.outbox.is_sending() {
            self.quiet_since = self.turn.now();
        }
        self.pump_idle();
        if self.link.is_syncing() && self.is_complete() {
            self.link.complete(&mut self.turn);
            self.doubt_topics_without_row();
        }
    }

    /// Everything that this input changed in the store is one transaction; the rest comes after it.
    fn finish(&mut self) -> Vec<Output> {
        for topic in std::mem::take(&mut self.turn.islands) {
            let Some(held) = self.topics.all.get_mut(&topic).map(|topic| &mut topic.held) else {
                continue;
            };
            for (from, to) in held.shrink() {
                self.turn.apply(Change::DropRange(topic, from, to));
            }
            self.turn.apply(Change::Islands(topic, held.islands()));
            self.note_behind(topic);
        }
        for topic in std::mem::take(&mut self.turn.heads) {
            if let Some(state) = self.topics.all.get(&topic) {
                self.turn.apply(Change::Head(topic, state.head.clone()));
                self.note_behind(topic);
            }
        }
        self.turn.end()
    }

    /// When the oldest request that is still unanswered was sent.
    fn oldest_request(&self) -> Option<Millis> {
        let oldest = [
            self.questions.oldest(),
            self.live.oldest(),
            self.outbox.oldest(),
        ];
        oldest.into_iter().flatten().min()
    }

    fn ask_for(&mut self, ticket: Ticket, question: Question) {
        if self.link.is_ready() {
            self.questions
                .ask(Asked::Told(ticket), question, &mut self.turn);
        } else {
            self.turn.push(Output::Told(ticket, Err(Untold::Offline)));
        }
    }

    fn send_live(&mut self, ticket: Ticket, id: CommandId, command: Command) {
        if self.link.is_ready() {
            self.live.send(ticket, id, command, &mut self.turn);
        } else {
            self.turn.push(Output::Told(ticket, Err(Untold::Offline)));
        }
    }

    fn link_up(&mut self) {
        if let Some(open) = self.link.open(self.turn.now()) {
            self.questions.ask(Asked::Open, open, &mut self.turn);
        }
    }

    fn link_down(&mut self) {
        self.lose_link();
        self.link.close(&mut self.turn);
    }

    /// The link is of no use; the next is not opened before `wait` has passed.
    pub(crate) fn cut_link(&mut self, wait: Millis) {
        self.lose_link();
        self.link.cut(wait, &mut self.turn);
    }

    fn sign_out(&mut self, code: Code) {
        self.lose_link();
        self.link.sign_out(code, &mut self.turn);
    }

    /// Everything that was known only of this link is forgotten; what was asked is asked again on the next.
    fn lose_link(&mut self) {
        for asked in self.questions.lose_link() {
            match asked {
                Asked::Told(ticket) => self.turn.push(Output::Told(ticket, Err(Untold::Offline))),
                Asked::Page(topic, at) => self.topics.wants.push_front((topic, at)),
                Asked::Open
                | Asked::Sync(_)
                | Asked::Watch(_)
                | Asked::Profiles(_)
                | Asked::Heads(..) => {}
            }
        }
        for ticket in self.live.lose_link() {
            self.turn.push(Output::Told(ticket, Err(Untold::Offline)));
        }
        self.lose_logs();
        self.lose_topics();
        self.profiles.lose_link();
        self.outbox.lose_link();
    }

    fn take_frame(&mut self, frame: ServerFrame) {
        if !self.link.hear(self.turn.now()) {
            return;
        }
        match frame {
            ServerFrame::Responses(responses) => {
                for response in responses {
                    self.take_response(response);
                }
            }
            ServerFrame::Pushed(Pushed::Goodbye(goodbye)) => self.take_goodbye(goodbye.reason),
            ServerFrame::Pushed(pushed) => {
                if self.link.is_ready() {
                    self.take_pushed(pushed);
                }
            }
            ServerFrame::Unknown(_) => {}
        }
    }

    pub(crate) fn take_goodbye(&mut self, reason: Code) {
        if is_final(reason) {
            self.sign_out(reason);
        } else {
            self.cut_link(0);
        }
    }

    fn take_response(&mut self, response: Response) {
        if let Some(number) = response.id.as_u64() {
            let Some(asked) = self.questions.take(number) else {
                return;
            };
            match asked {
                Asked::Open => self.take_greeting(response),
                Asked::Sync(logs) => self.take_synced(logs, response),
                Asked::Watch(topics) => self.take_watched(&topics, response),
                Asked::Page(topic, at) => self.take_page(topic, at, response),
                Asked::Profiles(wanted) => {
                    let refused = self.profiles.take(wanted, response, &mut self.turn);
                    if let Err(refusal) = refused {
                        self.question_refused(&refusal);
                    }
                }
                Asked::Heads(community, since) => self.take_heads(community, since, response),
                Asked::Told(ticket) => {
                    let told = response.into_result::<Value>().map_err(Untold::Refused);
                    self.turn.push(Output::Told(ticket, told));
                }
            }
            return;
        }
        let id = response.id.as_str().and_then(|id| id.parse().ok());
        let Some(id) = id else { return };
        match self.live.take(id) {
            Some(live) => {
                let told = response.into_result::<Value>().map_err(Untold::Refused);
                if let Ok(value) = &told
                    && let Ok(answer) = serde::Deserialize::deserialize(value)
                {
                    self.apply_answer(answer, live.brings);
                }
                self.turn.push(Output::Told(live.ticket, told));
            }
            None => self.take_answer(id, response),
        }
    }

    fn take_greeting(&mut self, response: Response) {
        match response.into_result::<Greeting>() {
            Ok(greeting) => {
                self.link.greeted(&mut self.turn);
                self.clock_ahead = greeting.now.saturating_sub(self.turn.now());
                self.greeted(greeting);
            }
            Err(Refusal::Rejected(rejection)) if is_final(rejection.code) => {
                self.sign_out(rejection.code);
            }
            Err(Refusal::Rejected(rejection)) if rejection.code == Code::Outdated => {
                self.lose_link();
                self.link
                    .meet_other_version(rejection.version, &mut self.turn);
            }
            Err(Refusal::Busy(busy)) => self.cut_link(wait_of(busy)),
            Err(Refusal::Rejected(_) | Refusal::Misunderstood(_)) => self.cut_link(0),
        }
    }

    /// The answer to a command of the outbox.
    fn take_answer(&mut self, id: CommandId, response: Response) {
        let now = self.turn.now();
        let Some((log, sent)) = self.outbox.land(id, now) else {
            return;
        };
        match response.into_result::<Answer>() {
            Ok(answer) => {
                let accepted = Accepted::of(&answer, &sent);
                self.apply_answer(answer, brings(&sent));
                self.outbox
                    .done(id, &sent, accepted, &self.topics, &mut self.turn);
            }
            Err(Refusal::Busy(busy)) => self.outbox.put_off(id, log, now + wait_of(busy)),
            Err(refusal) => {
                let rejection: Option<Rejection> = refusal.into();
                let rejection = rejection.unwrap_or_else(|| Code::Unknown.into());
                if rejection.code == Code::SignedOut {
                    self.outbox.put_off(id, log, now);
                    self.sign_out(rejection.code);
                } else {
                    self.outbox.refuse(id, &rejection, &mut self.turn);
                }
            }
        }
    }

    /// The server wants to be left alone for a while, or does not understand a question.
    pub(crate) fn question_refused(&mut self, refusal: &Refusal) {
        let now = self.turn.now();
        match refusal {
            Refusal::Busy(busy) => self.questions.pause(now + wait_of(*busy)),
            Refusal::Rejected(rejection) if rejection.code == Code::SignedOut => {
                self.sign_out(rejection.code);
            }
            Refusal::Rejected(_) | Refusal::Misunderstood(_) => {
                self.questions.pause(now + PAUSE_MS);
            }
        }
    }
}

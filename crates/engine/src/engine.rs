//! The state, and the way of an input through it: what it says, then what is due.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;
use tulou_protocol::{
    AccountId, ClientFrame, Command, CommandId, Commanded, CommunityId, Epoch, Log, Question, Rev,
    Seq, ServerFrame, TopicId,
    frame::{Request, Response},
    id::Millis,
    push::Pushed,
    question::{PageAt, SyncLog},
};

use crate::{
    community::Community,
    io::{Batch, Change, Input, LinkState, Output, Restored, Ticket, Untold},
    island::Held,
    link::{Link, Stage},
    profiles::Profiles,
    queue::Outbox,
    sync::LogState,
    topics::{Topic, Watches},
};

/// How a client keeps up. See the crate's documentation.
#[derive(Debug)]
pub struct Engine {
    pub(crate) token: String,
    pub(crate) account: Option<AccountId>,
    pub(crate) epoch: Option<Epoch>,
    /// The time of the input that is being taken. It never goes back, whatever the clock does.
    pub(crate) now: Millis,
    /// How much the clock was set back: the time of the engine minus what the clock says.
    set_back: Millis,
    pub(crate) out: Out,
    pub(crate) link: Link,
    /// Questions on their way, by number, with the time they were sent.
    pub(crate) requests: BTreeMap<u64, (Millis, Asked)>,
    next_request: u64,
    /// Live commands on their way.
    pub(crate) live: BTreeMap<CommandId, Live>,
    /// The server asked not to be asked before this time.
    pub(crate) pause_until: Millis,
    /// The account's log and those of its communities.
    pub(crate) logs: BTreeMap<Log, LogState>,
    pub(crate) communities: BTreeMap<CommunityId, Community>,
    /// Communities that the store has rows of without a membership: forgotten at the greeting, synced when it comes.
    pub(crate) orphans: Vec<CommunityId>,
    /// The rev of the last membership row, or its tombstone.
    pub(crate) memberships: BTreeMap<CommunityId, Rev>,
    pub(crate) topics: BTreeMap<TopicId, Topic>,
    pub(crate) watches: Watches,
    /// Pages wanted, in the order of asking.
    pub(crate) wants: VecDeque<(TopicId, PageAt)>,
    /// Topics to be synced as soon as possible.
    pub(crate) to_sync: BTreeSet<TopicId>,
    /// Unwatched topics that are known to have changed since they were held.
    pub(crate) behind: BTreeSet<TopicId>,
    /// Since when nothing was on its way.
    pub(crate) quiet_since: Millis,
    /// Messages that were notified of last.
    pub(crate) notified: VecDeque<(TopicId, Seq)>,
    pub(crate) profiles: Profiles,
    pub(crate) outbox: Outbox,
}

/// What a question on its way was asked for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The greeting.
    Open,
    /// Changes of these logs.
    Sync(Vec<SyncLog>),
    /// To watch these topics.
    Watch(Vec<TopicId>),
    /// A page of history.
    Page(TopicId, PageAt),
    /// Profiles, with the revs that were said to be there.
    Profiles(Vec<(AccountId, Rev)>),
    /// Heads of a community's topics that moved since this time.
    Heads(CommunityId, Millis),
    /// By somebody else.
    Told(Ticket),
}

/// A live command on its way.
#[derive(Debug)]
pub(crate) struct Live {
    /// Who gave it.
    pub ticket: Ticket,
    /// When it was sent.
    pub sent_at: Millis,
    /// The community that it may bring.
    pub brings: Option<CommunityId>,
}

/// What is to be done about one input.
#[derive(Debug, Default)]
pub(crate) struct Out {
    batch: Batch,
    after: Vec<Output>,
    /// Topics whose islands changed.
    pub islands: BTreeSet<TopicId>,
    /// Topics whose heads changed.
    pub heads: BTreeSet<TopicId>,
}

impl Out {
    /// Part of the one transaction.
    pub fn apply(&mut self, change: Change) {
        self.batch.push(change);
    }

    /// After the transaction.
    pub fn push(&mut self, output: Output) {
        self.after.push(output);
    }
}

impl Engine {
    /// An engine for what the store holds. The seed decides the chance in the back-off. It wants to be ticked at once.
    #[must_use]
    pub fn new(restored: Restored, token: String, seed: u64, now: Millis) -> Self {
        let mut engine = Self {
            token,
            account: restored.account,
            epoch: restored.epoch,
            now,
            set_back: 0,
            out: Out::default(),
            link: Link::new(seed, now),
            requests: BTreeMap::new(),
            next_request: 1,
            live: BTreeMap::new(),
            pause_until: 0,
            logs: BTreeMap::new(),
            communities: BTreeMap::new(),
            orphans: Vec::new(),
            memberships: BTreeMap::new(),
            topics: BTreeMap::new(),
            watches: Watches::default(),
            wants: VecDeque::new(),
            to_sync: BTreeSet::new(),
            behind: BTreeSet::new(),
            quiet_since: now,
            notified: VecDeque::new(),
            profiles: Profiles::new(restored.profiles, restored.lacking),
            outbox: Outbox::default(),
        };
        for (topic, head) in restored.heads {
            engine.topics.entry(topic).or_default().head = head;
        }
        for (topic, islands) in restored.islands {
            let state = engine.topics.entry(topic).or_default();
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
        for topic in engine.topics.keys().copied().collect::<Vec<_>>() {
            engine.note_behind(topic);
        }
        for entry in restored.outbox {
            engine.restore(entry);
        }
        engine.refuse_bereft();
        engine
    }

    /// Takes an input; says what is to be done, in order.
    #[must_use]
    pub fn handle(&mut self, input: Input, now: Millis) -> Vec<Output> {
        // A clock that is set back must not make anything wait longer than it was meant to.
        self.set_back = self.set_back.max(self.now - now);
        self.now = now + self.set_back;
        match input {
            Input::LinkUp => self.link_up(),
            Input::LinkDown => self.link_down(),
            Input::Frame(frame) => self.take_frame(frame),
            Input::Submit(entry) => self.submit(entry),
            Input::Replace(entry) => self.replace(entry),
            Input::Retry(entry) => self.retry(entry),
            Input::Discard(command) => self.discard(command),
            Input::Watch(topic) => self.show(topic),
            Input::Unwatch(topic) => self.hide(topic),
            Input::Want(topic, at) => self.want(topic, at),
            Input::Ask(ticket, question) => self.ask_for(ticket, question),
            Input::Live(ticket, id, command) => self.send_live(ticket, id, command),
            Input::Hurry => self.hurry(),
            Input::Tick => {}
        }
        self.pump();
        self.finish()
    }

    /// When [`Input::Tick`] is due, if nothing else happens. A time that is past means at once.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        let ready = self.is_ready().then(|| {
            [
                self.logs_due(),
                self.topics_due(),
                self.outbox_due(),
                self.idle_due(),
                (self.pause_until > self.now).then_some(self.pause_until),
            ]
        });
        ready
            .into_iter()
            .flatten()
            .flatten()
            .chain(self.link_limit())
            .min()
            .map(|at| self.by_the_clock(at))
    }

    /// A time of the engine as the clock says it.
    pub(crate) const fn by_the_clock(&self, at: Millis) -> Millis {
        at - self.set_back
    }

    /// What is due, whatever the input was.
    fn pump(&mut self) {
        self.pump_link();
        if !self.is_ready() {
            return;
        }
        self.close_gaps();
        if self.now >= self.pause_until {
            self.pump_watch();
            self.pump_sync();
            self.pump_heads();
            self.pump_wants();
            self.pump_profiles();
        }
        self.settle_answered();
        self.pump_outbox();
        if !self.requests.is_empty() || !self.live.is_empty() || self.outbox.is_sending() {
            self.quiet_since = self.now;
        }
        self.pump_idle();
        if self.link.told == Some(LinkState::Syncing) && self.is_complete() {
            self.tell_link(LinkState::Synced);
            self.doubt_topics_without_row();
        }
    }

    /// Everything that this input changed in the store is one transaction; the rest comes after it.
    fn finish(&mut self) -> Vec<Output> {
        let mut out = std::mem::take(&mut self.out);
        for topic in std::mem::take(&mut out.islands) {
            let Some(held) = self.topics.get_mut(&topic).map(|topic| &mut topic.held) else {
                continue;
            };
            for (from, to) in held.shrink() {
                out.batch.push(Change::DropRange(topic, from, to));
            }
            out.batch.push(Change::Islands(topic, held.islands()));
            self.note_behind(topic);
        }
        for topic in std::mem::take(&mut out.heads) {
            if let Some(state) = self.topics.get(&topic) {
                out.batch.push(Change::Head(topic, state.head.clone()));
                self.note_behind(topic);
            }
        }
        let mut outputs = Vec::with_capacity(out.after.len() + 1);
        if !out.batch.is_empty() {
            outputs.push(Output::Apply(out.batch));
        }
        outputs.append(&mut out.after);
        outputs
    }

    /// Sends a question.
    pub(crate) fn ask(&mut self, asked: Asked, question: Question) {
        let number = self.next_request;
        self.next_request += 1;
        self.requests.insert(number, (self.now, asked));
        let frame = ClientFrame(vec![Request::Question(number, question)]);
        self.out.push(Output::Send(frame));
    }

    /// How many questions of a kind are on their way.
    pub(crate) fn asking(&self, is_kind: impl Fn(&Asked) -> bool) -> usize {
        self.requests
            .values()
            .filter(|(_, asked)| is_kind(asked))
            .count()
    }

    /// When the oldest request that is still unanswered was sent.
    pub(crate) fn oldest_request(&self) -> Option<Millis> {
        let questions = self.requests.values().map(|(at, _)| *at);
        let live = self.live.values().map(|live| live.sent_at);
        questions.chain(live).chain(self.outbox.oldest_sent()).min()
    }

    fn ask_for(&mut self, ticket: Ticket, question: Question) {
        if self.is_ready() {
            self.ask(Asked::Told(ticket), question);
        } else {
            self.out.push(Output::Told(ticket, Err(Untold::Offline)));
        }
    }

    fn send_live(&mut self, ticket: Ticket, id: CommandId, command: Command) {
        if !self.is_ready() {
            self.out.push(Output::Told(ticket, Err(Untold::Offline)));
            return;
        }
        let live = Live {
            ticket,
            sent_at: self.now,
            brings: brings(&command),
        };
        self.live.insert(id, live);
        let frame = ClientFrame(vec![Request::Command(Commanded { id, command })]);
        self.out.push(Output::Send(frame));
    }

    fn take_frame(&mut self, frame: ServerFrame) {
        if !matches!(self.link.stage, Stage::Greeting | Stage::Ready) {
            return;
        }
        self.link.heard_at = self.now;
        match frame {
            ServerFrame::Responses(responses) => {
                for response in responses {
                    self.take_response(response);
                }
            }
            ServerFrame::Pushed(Pushed::Goodbye(goodbye)) => self.take_goodbye(goodbye.reason),
            ServerFrame::Pushed(pushed) => {
                if self.is_ready() {
                    self.take_pushed(pushed);
                }
            }
            ServerFrame::Unknown(_) => {}
        }
    }

    fn take_response(&mut self, response: Response) {
        if let Some(number) = response.id.as_u64() {
            let Some((_, asked)) = self.requests.remove(&number) else {
                return;
            };
            match asked {
                Asked::Open => self.take_greeting(response),
                Asked::Sync(logs) => self.take_synced(logs, response),
                Asked::Watch(topics) => self.take_watched(&topics, response),
                Asked::Page(topic, at) => self.take_page(topic, at, response),
                Asked::Profiles(wanted) => self.take_profiles(wanted, response),
                Asked::Heads(community, since) => self.take_heads(community, since, response),
                Asked::Told(ticket) => {
                    let told = response.into_result::<Value>().map_err(Untold::Refused);
                    self.out.push(Output::Told(ticket, told));
                }
            }
            return;
        }
        let id = response.id.as_str().and_then(|id| id.parse().ok());
        let Some(id) = id else { return };
        match self.live.remove(&id) {
            Some(live) => self.take_live_answer(live, response),
            None => self.take_answer(id, response),
        }
    }

    fn take_live_answer(&mut self, live: Live, response: Response) {
        let told = response.into_result::<Value>().map_err(Untold::Refused);
        if let Ok(value) = &told
            && let Ok(answer) = serde::Deserialize::deserialize(value)
        {
            self.apply_answer(answer, live.brings);
        }
        self.out.push(Output::Told(live.ticket, told));
    }
}

/// The community that a command makes known, before the membership row says so.
pub(crate) const fn brings(command: &Command) -> Option<CommunityId> {
    if let Command::CommunityCreate { community, .. } | Command::CommunityJoin { community, .. } =
        command
    {
        Some(*community)
    } else {
        None
    }
}

//! The way of an input: to the parts that it concerns, then to what is due. `hear` is for what the server says.

mod hear;

use tulou_protocol::{Code, Command, CommandId, Epoch, Question, id::Millis};

use crate::{
    idle::IdleSince,
    io::{Input, Output, Restored, Ticket, Untold},
    link::Link,
    live::LiveCommands,
    logs::Logs,
    notices::Notices,
    outbox::Outbox,
    profiles::Profiles,
    questions::{Asked, Questions},
    topics::Topics,
    turn::Turn,
};

/// How a client keeps up. See the crate's documentation.
///
/// It only says who has to do with an input, and in which order. What there is to know belongs to the parts.
#[derive(Debug)]
pub struct Engine {
    epoch: Option<Epoch>,
    /// What the input that is being taken comes to.
    turn: Turn,
    link: Link,
    questions: Questions,
    live: LiveCommands,
    logs: Logs,
    topics: Topics,
    profiles: Profiles,
    notices: Notices,
    outbox: Outbox,
    idle_since: IdleSince,
}

impl Engine {
    /// An engine for what the store holds. The seed decides the chance in the back-off, and
    /// what is looked through first. It wants to be ticked at once.
    #[must_use]
    pub fn new(mut restored: Restored, token: String, seed: u64, now: Millis) -> Self {
        let mut turn = Turn::new(now);
        let heads = std::mem::take(&mut restored.heads);
        let islands = std::mem::take(&mut restored.islands);
        let mut topics = Topics::restored(heads, islands, seed);
        Self {
            epoch: restored.epoch,
            link: Link::new(token, seed, now),
            questions: Questions::new(),
            live: LiveCommands::default(),
            logs: Logs::restored(&restored, &mut topics, &mut turn),
            topics,
            profiles: Profiles::new(restored.profiles, restored.lacking),
            notices: Notices::restored(restored.account),
            outbox: Outbox::restored(restored.account, restored.outbox, &mut turn),
            idle_since: IdleSince::until(now),
            turn,
        }
    }

    /// Takes an input; says what is to be done, in order. `now` never goes back: the driver sees to that, and it alone.
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
            Input::Made(thing) => self.outbox.made(thing),
            Input::Aged(command) => self.outbox.age(command),
            Input::LetGo(topic, to) => self.topics.let_go(topic, to, &mut self.turn),
            Input::Stirred => self.link.stir(self.turn.now()),
            Input::Watch(topic) => self.topics.show(topic),
            Input::Unwatch(topic) => self.topics.hide(topic, &mut self.turn),
            Input::Want(topic, at) => self.topics.want(topic, at, &self.questions),
            Input::Ask(ticket, question) => self.ask_for(ticket, question),
            Input::Live(ticket, id, command) => self.send_live(ticket, id, command),
            Input::Hurry => self.link.hurry(self.turn.now()),
            Input::Tick => {}
        }
        self.notices.tell(&mut self.turn);
        let authors = self.turn.take_authors();
        self.profiles.want(authors, &mut self.turn);
        self.pump();
        self.topics.settle(&mut self.turn);
        self.turn.end()
    }

    /// When [`Input::Tick`] is due, if nothing else happens. A time that is past means at once.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        let now = self.turn.now();
        let paused_until = self.questions.paused_until();
        let ready = self.link.is_ready().then(|| {
            [
                self.logs.due(now),
                self.topics.due(),
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
    }

    /// What is due, whatever the input was.
    fn pump(&mut self) {
        if self.link.pump(self.oldest_request(), &mut self.turn) {
            self.cut_link(0);
        }
        if !self.link.is_ready() {
            return;
        }
        let now = self.turn.now();
        self.logs.close_gaps(now);
        self.topics.close_gaps(now);
        if now >= self.questions.paused_until() {
            let (questions, turn) = (&mut self.questions, &mut self.turn);
            self.topics.pump_watch(questions, turn);
            self.logs.pump_sync(questions, turn);
            self.topics.pump_sync(questions, turn);
            self.logs.pump_heads(questions, turn);
            self.topics.pump_wants(questions, turn);
            self.profiles.pump(questions, turn);
        }
        self.outbox.settle(&self.topics, &mut self.turn);
        self.outbox.pump(&self.topics, &mut self.turn);
        if !self.questions.is_empty() || !self.live.is_empty() || self.outbox.is_sending() {
            self.idle_since = IdleSince::until(now);
        }
        self.pump_idle();
        if self.link.is_syncing() && self.is_complete() {
            self.link.complete(&mut self.turn);
            self.topics.doubt_rowless();
        }
    }

    /// When the link is idle, what is held of unwatched topics is looked through, a few at a time, and then heads.
    fn pump_idle(&mut self) {
        let idle_at = self.idle_since.idle_at().max(self.questions.paused_until());
        if !self.link.is_synced() || self.turn.now() < idle_at {
            return;
        }
        self.idle_since = IdleSince::until(self.turn.now());
        let (questions, turn) = (&mut self.questions, &mut self.turn);
        self.topics.look_through(questions, turn);
        self.logs.refresh_heads(questions, turn);
    }

    fn idle_due(&self) -> Option<Millis> {
        let due = [self.topics.idle_due(), self.logs.refresh_due()];
        let due = due.into_iter().flatten().min();
        let idle_at = self.idle_since.idle_at().max(self.questions.paused_until());
        due.filter(|_| self.link.is_synced())
            .map(|due| due.max(idle_at))
    }

    /// Whether everything of the account, its communities and watched topics is here.
    fn is_complete(&self) -> bool {
        self.logs.are_complete()
            && self
                .questions
                .count(|asked| matches!(asked, Asked::Heads(..)))
                == 0
            && self.topics.are_watches_complete(&self.questions)
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
    fn cut_link(&mut self, wait: Millis) {
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
                Asked::Page(topic, at) => self.topics.want_again(topic, at),
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
        self.logs.lose_link();
        self.topics.lose_link(&mut self.turn);
        self.profiles.lose_link();
        self.outbox.lose_link();
    }
}

//! A client: an engine, its store, and a driver that may crash. What the person did is remembered for the checks.

use std::collections::{BTreeMap, BTreeSet};

use tulou_engine::{Engine, Input, LinkState, OutboxEntry, OutboxState, Output, Ticket, Write};
use tulou_protocol::{
    AccountId, ClientFrame, Command, CommandId, MessageId, TopicId, frame::Request, id::Millis,
};
use uuid::Uuid;

use crate::{
    chance::Chance,
    habits::Habit,
    rules::{Rules, needs},
    store::Store,
};

/// What the driver wants of the world.
pub enum Wish {
    Connect,
    Disconnect,
    Send(ClientFrame),
}

pub struct Client {
    pub number: usize,
    pub account: AccountId,
    pub store: Store,
    /// None while the program is not running.
    pub engine: Option<Engine>,
    pub link: Option<LinkState>,
    /// What the server knows it by.
    pub token: String,
    /// Its person is about to sign in again.
    pub is_signing_in: bool,
    pub shown: Vec<TopicId>,
    pub chance: Chance,
    /// What its clock says, less what the world's says.
    pub clock: Millis,
    /// By how much the time of its engine is ahead of its clock, which was set back.
    ahead: Millis,
    /// The time of its engine when it was read last.
    last: Millis,
    /// Messages in the order of sending, by topic; retried ones are left out.
    pub sent: BTreeMap<TopicId, Vec<MessageId>>,
    /// Texts that were last given to pending messages.
    pub replaced: BTreeMap<MessageId, String>,
    /// Texts that an edit makes up for, because the server had the message as it was before.
    pub made_up: BTreeSet<(MessageId, String)>,
    /// Everything else that may not be checked for its text, because it was edited.
    pub edited: BTreeSet<MessageId>,
    pub withdrawn: BTreeSet<MessageId>,
    /// Ids of others' messages that messages of its own have in another topic.
    pub borrowed: BTreeSet<MessageId>,
    /// Of the devices of an account one borrows ids.
    pub borrows: bool,
    /// Pending messages that were given up, and whose answer would come on this link.
    pub discarded: BTreeSet<MessageId>,
    /// Commands that were sent on this link.
    on_way: BTreeSet<CommandId>,
    /// Commands that were sent on an earlier link: nobody knows what became of them.
    pub unknown: BTreeSet<CommandId>,
    pub tickets: BTreeSet<u64>,
    pub given: BTreeSet<CommandId>,
    /// Commands that are out of the outbox because they became a change, or a later one took their place.
    pub done: BTreeSet<CommandId>,
    /// Commands that need no trace: superseded, discarded, or tried again under another id.
    pub dropped: BTreeSet<CommandId>,
    /// Messages of which a command was given up.
    pub failed: BTreeSet<String>,
    next_ticket: u64,
    pub may_crash: bool,
    /// What its person likes to do.
    pub habit: Habit,
    rules: Rules,
    timer: Option<Millis>,
    is_traced: bool,
}

impl Client {
    pub fn new(number: usize, account: AccountId) -> Self {
        Self {
            number,
            account,
            store: Store::default(),
            engine: None,
            link: None,
            token: format!("token {number}"),
            is_signing_in: false,
            shown: vec![],
            chance: Chance::new(0),
            clock: 0,
            ahead: 0,
            last: 0,
            sent: BTreeMap::new(),
            replaced: BTreeMap::new(),
            made_up: BTreeSet::new(),
            edited: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
            borrowed: BTreeSet::new(),
            borrows: false,
            discarded: BTreeSet::new(),
            on_way: BTreeSet::new(),
            unknown: BTreeSet::new(),
            tickets: BTreeSet::new(),
            given: BTreeSet::new(),
            done: BTreeSet::new(),
            dropped: BTreeSet::new(),
            failed: BTreeSet::new(),
            next_ticket: 0,
            may_crash: true,
            habit: Habit::Everything,
            rules: Rules::default(),
            timer: None,
            is_traced: std::env::var_os("TULOU_TRACE").is_some(),
        }
    }

    pub fn start(&mut self, now: Millis) -> Vec<Wish> {
        self.be_another_version();
        if self.may_crash && self.chance.one_in(6) {
            self.store.heal(&mut self.chance);
        }
        self.store.tidy(now + self.clock);
        let time = self.time(now);
        let seed = self.chance.next();
        self.engine = Some(Engine::new(
            self.store.restored(),
            self.token.clone(),
            seed,
            time,
        ));
        self.link = None;
        let mut wishes = self.input(Input::Tick, now);
        for topic in self.shown.clone() {
            wishes.extend(self.input(Input::Watch(topic), now));
        }
        wishes
    }

    /// The program ends at once; what was not applied is gone.
    pub fn crash(&mut self) {
        self.engine = None;
        self.rules.lose_time();
        self.rules.begin_anew();
        self.lose_link();
        self.tickets.clear();
    }

    /// The person signs in: the engine begins again with another token.
    pub fn sign_in(&mut self) {
        self.is_signing_in = false;
        self.token.push('+');
        self.crash();
    }

    /// When its timer rings, in the time of the world. It was set when the engine spoke last: a clock that is set to
    /// another time meanwhile does not change how long a timer runs.
    pub fn deadline(&self) -> Option<Millis> {
        self.engine.as_ref()?;
        self.timer
    }

    pub fn set_timer(&mut self) {
        let deadline = self.engine.as_ref().and_then(Engine::deadline);
        self.timer = deadline.map(|at| at - self.ahead - self.clock);
    }

    /// The time of its engine, which never goes back.
    fn time(&mut self, now: Millis) -> Millis {
        let clock = now + self.clock;
        self.ahead = self.ahead.max(self.last - clock);
        self.last = clock + self.ahead;
        self.last
    }

    pub fn input(&mut self, input: Input, now: Millis) -> Vec<Wish> {
        if input == Input::LinkDown {
            self.lose_link();
        }
        if self.engine.is_none() {
            return vec![];
        }
        let clock = self.time(now);
        let Some(engine) = &mut self.engine else {
            return vec![];
        };
        match &input {
            Input::Frame(frame) => self.rules.hear(frame, &self.shown, &self.store, clock),
            Input::Unwatch(topic) => self.rules.hide(*topic),
            Input::Discard(id) => self.rules.give_up(*id),
            _ => {}
        }
        let said = self.is_traced.then(|| format!("{input:?}"));
        let outputs = engine.handle(input, clock);
        self.set_timer();
        if let Some(said) = said {
            println!("{now} {} ← {said}", self.number);
            for output in &outputs {
                println!("{now} {} → {output:?}", self.number);
            }
        }
        let mut wishes = Vec::new();
        let mut follow_ups = Vec::new();
        let mut aged = Vec::new();
        for output in outputs {
            match output {
                Output::Connect => {
                    assert!(
                        !matches!(self.link, Some(LinkState::SignedOut(_))),
                        "a token that is not accepted is tried again"
                    );
                    aged.extend(self.store.mark_old(now + self.clock));
                    wishes.push(Wish::Connect);
                }
                Output::Disconnect => {
                    self.lose_link();
                    wishes.push(Wish::Disconnect);
                }
                Output::Send(frame) => {
                    self.rules
                        .send(&frame, self.account, &self.shown, &self.store, clock);
                    self.check_age(&frame);
                    self.on_way
                        .extend(frame.0.iter().filter_map(|request| match request {
                            Request::Command(commanded) => Some(commanded.id),
                            Request::Question(..) => None,
                        }));
                    wishes.push(Wish::Send(frame));
                }
                Output::Apply(batch) => {
                    if self.may_crash && self.chance.one_in(600) {
                        self.crash();
                        return wishes;
                    }
                    for change in &batch {
                        if let Write::Done(id) = change {
                            self.done.insert(*id);
                            // A later one of the same topic may have taken its place.
                            let entry = self.store.outbox.values().find(|entry| entry.id == *id);
                            let command = entry.map(|entry| &entry.command);
                            if matches!(command, Some(Command::CursorAdvance { .. })) {
                                self.dropped.insert(*id);
                            }
                        }
                    }
                    let noted: Vec<Write> = batch.iter().filter(Rules::cares).cloned().collect();
                    follow_ups.extend(self.store.apply(batch));
                    self.rules.applied(&noted, &self.shown, &self.store);
                    if self.may_crash && self.chance.one_in(600) {
                        // The store puts follow-ups into the outbox in the same transaction.
                        for command in follow_ups {
                            self.check_follow_up(&command);
                            self.put(command, now);
                        }
                        self.crash();
                        return wishes;
                    }
                }
                Output::Told(Ticket(ticket), _) => {
                    assert!(self.tickets.remove(&ticket), "each asker is told once");
                }
                Output::Link(state) => self.link = Some(state),
                Output::Notify { .. } => {}
            }
        }
        for command in follow_ups {
            self.check_follow_up(&command);
            wishes.extend(self.submit(command, now));
        }
        for id in aged {
            wishes.extend(self.input(Input::Aged(id), now));
        }
        self.forget_order();
        if self.engine.is_some() {
            Rules::check_outbox(&self.store);
        }
        wishes
    }

    pub fn lose_link(&mut self) {
        self.rules.lose_link();
        self.discarded.clear();
        self.unknown.append(&mut self.on_way);
    }

    /// What is older than answers are kept is sent only if the person said so.
    pub fn check_age(&self, frame: &ClientFrame) {
        for request in &frame.0 {
            let Request::Command(commanded) = request else {
                continue;
            };
            let mut entries = self.store.outbox.values();
            let entry = entries.find(|entry| entry.id == commanded.id);
            assert!(
                entry.is_none_or(|entry| entry.state != OutboxState::Stale),
                "{entry:?} is too old to be sent without asking"
            );
        }
    }

    /// Whether the server may have heard of a command.
    pub fn may_be_sent(&self, id: CommandId) -> bool {
        self.on_way.contains(&id) || self.unknown.contains(&id)
    }

    /// What a client makes up for is what its person did, and nothing that somebody did elsewhere.
    fn check_follow_up(&mut self, command: &Command) {
        if let Command::MessageEdit { message, text, .. } = command {
            self.made_up.insert((*message, text.to.clone()));
        }
        let is_his = match command {
            Command::MessageEdit { message, text, .. } => {
                self.replaced.get(message) == Some(&text.to)
            }
            Command::MessageRecall { message, .. } => self.withdrawn.contains(message),
            _ => false,
        };
        assert!(is_his, "nobody did this at {}: {command:?}", self.number);
    }

    pub fn put(&mut self, command: Command, now: Millis) -> OutboxEntry {
        let id = CommandId(self.chance.uuid());
        self.given.insert(id);
        self.store.put(id, command, now + self.clock)
    }

    pub fn submit(&mut self, command: Command, now: Millis) -> Vec<Wish> {
        let entry = self.put(command, now);
        self.input(Input::Submit(entry), now)
    }

    /// A command that awaits an upload.
    pub fn submit_awaiting(&mut self, command: Command, now: Millis) -> Vec<Wish> {
        let upload = self.chance.uuid();
        self.store.uploads.insert(upload);
        let mut entry = self.put(command, now);
        entry.awaits.insert(upload);
        self.store.outbox.insert(entry.no, entry.clone());
        self.input(Input::Submit(entry), now)
    }

    /// One of the uploads is done.
    pub fn finish_upload(&mut self, now: Millis) -> Option<Vec<Wish>> {
        let uploads: Vec<Uuid> = self.store.uploads.iter().copied().collect();
        let upload = *self.chance.pick(&uploads)?;
        self.store.made(upload);
        Some(self.input(Input::Made(upload), now))
    }

    /// After a calm time only what waits for the person, or for an upload, is still in the outbox, and what needs such.
    pub fn check_waiting(&self) {
        let (mut held, mut others): (Vec<&OutboxEntry>, Vec<&OutboxEntry>) = self
            .store
            .outbox
            .values()
            .partition(|entry| entry.state != OutboxState::Waiting || !entry.awaits.is_empty());
        loop {
            let needs_one =
                |entry: &&OutboxEntry| held.iter().any(|one| needs(&entry.command, one));
            let (more, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(needs_one);
            if more.is_empty() {
                assert!(
                    rest.is_empty(),
                    "nothing keeps these from being sent: {rest:?}"
                );
                return;
            }
            held.extend(more);
            others = rest;
        }
    }

    pub fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        self.tickets.insert(self.next_ticket);
        Ticket(self.next_ticket)
    }

    pub fn live(&mut self, command: Command, now: Millis) -> Vec<Wish> {
        assert!(command.is_live(), "{} is queued", command.method());
        let ticket = self.ticket();
        let id = CommandId(self.chance.uuid());
        self.input(Input::Live(ticket, id, command), now)
    }

    /// The clock says another time.
    pub fn lose_time(&mut self) {
        self.rules.lose_time();
    }

    /// The program that starts may be an older one, to which a command in the outbox means nothing: it stays where it is
    /// until a newer one starts.
    fn be_another_version(&mut self) {
        let store = &mut self.store;
        store.outbox.append(&mut store.raw);
        let places: Vec<u64> = store.outbox.keys().copied().collect();
        if self.may_crash
            && self.chance.one_in(3)
            && let Some(no) = self.chance.pick(&places)
            && let Some(entry) = store.outbox.remove(no)
        {
            self.lose_place(&entry);
            self.store.raw.insert(entry.no, entry);
        }
    }

    /// A message loses its place among the others.
    fn lose_place(&mut self, entry: &OutboxEntry) {
        if let Command::MessageSend { message, topic, .. } = &entry.command
            && let Some(sent) = self.sent.get_mut(topic)
        {
            sent.retain(|other| other != message);
        }
    }

    /// What became too old to be sent without asking is overtaken by what did not.
    fn forget_order(&mut self) {
        let outbox = self.store.outbox.values();
        let stale = outbox.filter(|entry| entry.state == OutboxState::Stale);
        for entry in stale.cloned().collect::<Vec<_>>() {
            self.lose_place(&entry);
        }
    }

    /// Retries or discards what was refused, or is too old to be sent without asking.
    pub fn settle_refused(&mut self, now: Millis) -> Option<Vec<Wish>> {
        let waits = |entry: &&OutboxEntry| entry.state != OutboxState::Waiting;
        let waiting: Vec<u64> = self
            .store
            .outbox
            .values()
            .filter(waits)
            .map(|entry| entry.no)
            .collect();
        let no = *self.chance.pick(&waiting)?;
        let mut entry = self.store.outbox[&no].clone();
        if let Command::MessageEdit { message, .. } = &entry.command {
            self.edited.insert(*message);
        }
        if let Command::MessageSend { message, topic, .. } = &entry.command {
            // It loses its place among the others.
            let message = *message;
            if let Some(sent) = self.sent.get_mut(topic) {
                sent.retain(|other| *other != message);
            }
        }
        if let Command::MessageSend { message, .. }
        | Command::MessageEdit { message, .. }
        | Command::MessageRecall { message, .. } = &entry.command
        {
            self.failed.insert(message.to_string());
        }
        if self.chance.one_in(2) {
            self.dropped.insert(entry.id);
            self.store.outbox.remove(&no);
            return Some(self.input(Input::Discard(entry.id), now));
        }
        if matches!(entry.state, OutboxState::Rejected(_)) {
            self.dropped.insert(entry.id);
            entry.id = CommandId(self.chance.uuid());
            entry.first_text = None;
            self.given.insert(entry.id);
        }
        entry.state = OutboxState::Waiting;
        self.store.confirmed.insert(entry.id);
        self.store.outbox.insert(no, entry.clone());
        Some(self.input(Input::Retry(entry), now))
    }
}

//! A client: an engine, its store, and a driver that may crash. What the person did is remembered for the checks.

use std::collections::{BTreeMap, BTreeSet};

use tulou_engine::{Change, Engine, Input, LinkState, OutboxState, Output, Ticket};
use tulou_protocol::{
    AccountId, Body, ClientFrame, Command, CommandId, CommunityId, GroupId, Log, MessageId,
    Question, Seq, TopicId, command::Edit, id::Millis, question::PageAt,
};

use crate::{chance::Chance, store::Store};

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
    pub shown: Vec<TopicId>,
    pub chance: Chance,
    /// Messages in the order of sending, by topic; retried ones are left out.
    pub sent: BTreeMap<TopicId, Vec<MessageId>>,
    /// Texts that were last given to pending messages.
    pub replaced: BTreeMap<MessageId, String>,
    /// Everything else that may not be checked for its text, because it was edited.
    pub edited: BTreeSet<MessageId>,
    pub withdrawn: BTreeSet<MessageId>,
    pub tickets: BTreeSet<u64>,
    pub given: BTreeSet<CommandId>,
    /// Commands that need no trace: superseded or discarded.
    pub dropped: BTreeSet<CommandId>,
    next_ticket: u64,
    may_crash: bool,
    is_traced: bool,
}

impl Client {
    pub fn new(number: usize, account: AccountId, chance: Chance) -> Self {
        Self {
            number,
            account,
            store: Store::default(),
            engine: None,
            link: None,
            shown: vec![],
            chance,
            sent: BTreeMap::new(),
            replaced: BTreeMap::new(),
            edited: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
            tickets: BTreeSet::new(),
            given: BTreeSet::new(),
            dropped: BTreeSet::new(),
            next_ticket: 0,
            may_crash: true,
            is_traced: std::env::var_os("TULOU_TRACE").is_some(),
        }
    }

    pub fn start(&mut self, now: Millis) -> Vec<Wish> {
        let seed = self.chance.next();
        self.engine = Some(Engine::new(
            self.store.restored(),
            "token".into(),
            seed,
            now,
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
        self.tickets.clear();
    }

    pub fn calm(&mut self) {
        self.may_crash = false;
    }

    pub fn input(&mut self, input: Input, now: Millis) -> Vec<Wish> {
        let Some(engine) = &mut self.engine else {
            return vec![];
        };
        let said = self.is_traced.then(|| format!("{input:?}"));
        let outputs = engine.handle(input, now);
        if let Some(said) = said {
            println!("{now} {} ← {said}", self.number);
            for output in &outputs {
                println!("{now} {} → {output:?}", self.number);
            }
        }
        let mut wishes = Vec::new();
        let mut follow_ups = Vec::new();
        for output in outputs {
            match output {
                Output::Connect => wishes.push(Wish::Connect),
                Output::Disconnect => wishes.push(Wish::Disconnect),
                Output::Send(frame) => {
                    assert!(frame.0.len() <= 32, "a frame has at most 32 requests");
                    wishes.push(Wish::Send(frame));
                }
                Output::Apply(batch) => {
                    if self.may_crash && self.chance.one_in(400) {
                        self.crash();
                        return wishes;
                    }
                    for change in &batch {
                        if let Change::Done(id) = change {
                            self.dropped.insert(*id);
                        }
                    }
                    follow_ups.extend(self.store.apply(batch));
                    if self.may_crash && self.chance.one_in(400) {
                        // The store puts follow-ups into the outbox in the same transaction.
                        for command in follow_ups {
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
            wishes.extend(self.submit(command, now));
        }
        wishes
    }

    fn put(&mut self, command: Command, now: Millis) -> tulou_engine::OutboxEntry {
        let id = CommandId(self.chance.uuid());
        self.given.insert(id);
        self.store.put(id, command, now)
    }

    pub fn submit(&mut self, command: Command, now: Millis) -> Vec<Wish> {
        let entry = self.put(command, now);
        self.input(Input::Submit(entry), now)
    }

    fn message(&mut self, topic: TopicId) -> Option<(MessageId, String, AccountId, Seq)> {
        let islands = self.store.islands.get(&topic)?;
        let island = self.chance.pick(islands)?;
        let seq = Seq(island.from.0 + self.chance.below(island.to.0 - island.from.0 + 1));
        let (id, message) = &self.store.messages[&topic][&seq];
        let content = message.content.as_ref()?;
        Some((
            id.parse().unwrap(),
            content.text.clone(),
            content.author,
            seq,
        ))
    }

    fn text(&mut self) -> String {
        let refuse = if self.chance.one_in(12) {
            "refuse me "
        } else {
            ""
        };
        format!("{refuse}言葉 {}", self.chance.below(1_000))
    }

    /// The person does something.
    pub fn act(&mut self, communities: &[CommunityId], now: Millis) -> Vec<Wish> {
        if self.engine.is_none() || self.store.account.is_none() {
            return vec![];
        }
        let mut topics: Vec<(CommunityId, TopicId)> = self.store.topics();
        for entry in self.store.outbox.values() {
            match &entry.command {
                Command::TopicCreate {
                    community, topic, ..
                }
                | Command::CommunityCreate {
                    community, topic, ..
                } => {
                    topics.push((*community, *topic));
                }
                _ => {}
            }
        }
        let Some((community, topic)) = self.chance.pick(&topics).copied() else {
            return match self.chance.below(3) {
                0 => self.create(now),
                1 => self.join(communities, now),
                _ => vec![],
            };
        };
        match self.chance.below(40) {
            0..=11 => self.send(topic, now),
            12..=14 => self.edit(topic, now),
            15 => match self.message(topic) {
                Some((message, _, author, _)) if author == self.account => {
                    self.withdrawn.insert(message);
                    self.submit(Command::MessageRecall { topic, message }, now)
                }
                _ => vec![],
            },
            16..=18 => match self.message(topic) {
                Some((message, ..)) => {
                    let on = !self.chance.one_in(3);
                    let key = (*self.chance.pick(&["🔥", "👍"]).unwrap()).to_owned();
                    self.submit(
                        Command::MessageReact {
                            topic,
                            message,
                            key,
                            on,
                        },
                        now,
                    )
                }
                None => vec![],
            },
            19..=22 => {
                let seq = self
                    .store
                    .heads
                    .get(&topic)
                    .map(|head| head.seq)
                    .unwrap_or_default();
                let account = Log::Account(self.account);
                let row = self
                    .store
                    .rows
                    .get(&account)
                    .and_then(|rows| rows.get(&("cursor".to_owned(), topic.to_string())));
                let set_no = match row.map(|row| &row.body) {
                    Some(Body::Cursor(cursor)) => cursor.set_no,
                    _ => 0,
                };
                self.submit(Command::CursorAdvance { topic, seq, set_no }, now)
            }
            23 => match self.message(topic) {
                Some((.., seq)) => self.submit(Command::CursorSet { topic, seq }, now),
                None => vec![],
            },
            24 => {
                let to = self.text();
                self.submit(
                    Command::ProfileEdit {
                        display_name: Edit {
                            from: String::new(),
                            to,
                        },
                    },
                    now,
                )
            }
            25 | 26 => self.create_topic(community, now),
            27 => self.create(now),
            28 => self.join(communities, now),
            29 => {
                if self.chance.one_in(4) {
                    let leave = Command::CommunityLeave { community };
                    self.live(leave, now)
                } else if self.chance.one_in(4) {
                    self.live(Command::TopicDelete { community, topic }, now)
                } else {
                    self.rename(community, topic, now)
                }
            }
            30..=32 => {
                if self.shown.len() >= 2 {
                    let hidden = self.shown.remove(0);
                    return self.input(Input::Unwatch(hidden), now);
                }
                if self.shown.contains(&topic) {
                    return vec![];
                }
                self.shown.push(topic);
                self.input(Input::Watch(topic), now)
            }
            33..=35 => {
                let seq = Seq(1 + self.chance.below(40));
                let at = match self.chance.below(4) {
                    0 => PageAt::End,
                    1 => PageAt::Before(seq),
                    2 => PageAt::After(seq),
                    _ => PageAt::Around(seq),
                };
                self.input(Input::Want(topic, at), now)
            }
            36 => self.input(Input::Hurry, now),
            37 => {
                let ticket = self.ticket();
                let question = Question::MemberList {
                    community,
                    topic: None,
                    prefix: String::new(),
                    limit: 1,
                };
                self.input(Input::Ask(ticket, question), now)
            }
            38 => self.replace(now),
            _ => self.settle_refused(now),
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        self.tickets.insert(self.next_ticket);
        Ticket(self.next_ticket)
    }

    fn live(&mut self, command: Command, now: Millis) -> Vec<Wish> {
        let ticket = self.ticket();
        let id = CommandId(self.chance.uuid());
        self.input(Input::Live(ticket, id, command), now)
    }

    fn send(&mut self, topic: TopicId, now: Millis) -> Vec<Wish> {
        let message = MessageId(self.chance.uuid());
        let text = self.text();
        self.sent.entry(topic).or_default().push(message);
        let send = Command::MessageSend {
            topic,
            message,
            text,
            reply_to: None,
            written_at: now,
        };
        let mut wishes = self.submit(send, now);
        if self.chance.one_in(6) {
            // Something that needs the message before it is there.
            let key = "👍".to_owned();
            wishes.extend(self.submit(
                Command::MessageReact {
                    topic,
                    message,
                    key,
                    on: true,
                },
                now,
            ));
        }
        wishes
    }

    fn edit(&mut self, topic: TopicId, now: Millis) -> Vec<Wish> {
        let Some((message, from, ..)) = self.message(topic) else {
            return vec![];
        };
        self.edited.insert(message);
        let to = self.text();
        self.submit(
            Command::MessageEdit {
                topic,
                message,
                text: Edit { from, to },
            },
            now,
        )
    }

    fn create(&mut self, now: Millis) -> Vec<Wish> {
        let create = Command::CommunityCreate {
            community: CommunityId(self.chance.uuid()),
            name: "星海".into(),
            group: GroupId(self.chance.uuid()),
            group_name: "大厅".into(),
            topic: TopicId(self.chance.uuid()),
            topic_name: "闲聊".into(),
        };
        self.submit(create, now)
    }

    fn create_topic(&mut self, community: CommunityId, now: Millis) -> Vec<Wish> {
        let topic = TopicId(self.chance.uuid());
        let name = self.text();
        let create = Command::TopicCreate {
            community,
            group: GroupId(self.chance.uuid()),
            topic,
            name,
            introduction: String::new(),
            closed: false,
            position: "80".into(),
        };
        let mut wishes = self.submit(create, now);
        for _ in 0..self.chance.below(3) {
            wishes.extend(self.send(topic, now));
        }
        wishes
    }

    fn rename(&mut self, community: CommunityId, topic: TopicId, now: Millis) -> Vec<Wish> {
        let row = self
            .store
            .rows
            .get(&Log::Community(community))
            .and_then(|rows| rows.get(&("topic".to_owned(), topic.to_string())));
        let Some(Body::Topic(body)) = row.map(|row| &row.body) else {
            return vec![];
        };
        let from = body.name.clone();
        let to = self.text();
        let edit = Command::TopicEdit {
            community,
            topic,
            name: Some(Edit { from, to }),
            introduction: None,
            group: None,
            position: None,
        };
        self.submit(edit, now)
    }

    fn join(&mut self, communities: &[CommunityId], now: Millis) -> Vec<Wish> {
        match self.chance.pick(communities).copied() {
            Some(community) => self.live(
                Command::CommunityJoin {
                    community,
                    invite: None,
                },
                now,
            ),
            None => vec![],
        }
    }

    /// Changes or discards a pending message.
    fn replace(&mut self, now: Millis) -> Vec<Wish> {
        let pending: Vec<u64> = self
            .store
            .outbox
            .values()
            .filter(|entry| {
                entry.state == OutboxState::Waiting
                    && matches!(entry.command, Command::MessageSend { .. })
            })
            .map(|entry| entry.no)
            .collect();
        let Some(no) = self.chance.pick(&pending).copied() else {
            return vec![];
        };
        let mut entry = self.store.outbox[&no].clone();
        let Command::MessageSend { message, text, .. } = &mut entry.command else {
            return vec![];
        };
        let message = *message;
        if self.chance.one_in(3) {
            self.withdrawn.insert(message);
            self.dropped.insert(entry.id);
            self.store.outbox.remove(&no);
            return self.input(Input::Discard(entry.id), now);
        }
        *text = format!("anders {}", self.chance.below(1_000));
        self.replaced.insert(message, text.clone());
        self.store.outbox.insert(no, entry.clone());
        self.input(Input::Replace(entry), now)
    }

    /// Retries or discards what was refused.
    pub fn settle_refused(&mut self, now: Millis) -> Vec<Wish> {
        let refused: Vec<u64> = self
            .store
            .outbox
            .values()
            .filter(|entry| matches!(entry.state, OutboxState::Rejected(_)))
            .map(|entry| entry.no)
            .collect();
        let Some(no) = self.chance.pick(&refused).copied() else {
            return vec![];
        };
        let mut entry = self.store.outbox[&no].clone();
        if let Command::MessageEdit { message, .. } = &entry.command {
            self.edited.insert(*message);
        }
        self.dropped.insert(entry.id);
        if let Command::MessageSend { message, topic, .. } = &entry.command {
            // It loses its place among the others.
            let message = *message;
            if let Some(sent) = self.sent.get_mut(topic) {
                sent.retain(|other| *other != message);
            }
        }
        if self.chance.one_in(2) {
            self.store.outbox.remove(&no);
            return self.input(Input::Discard(entry.id), now);
        }
        entry.id = CommandId(self.chance.uuid());
        self.given.insert(entry.id);
        entry.state = OutboxState::Waiting;
        self.store.outbox.insert(no, entry.clone());
        self.input(Input::Retry(entry), now)
    }
}

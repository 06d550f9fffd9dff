//! An engine with a hand-driven server opposite it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tulou_engine::{
    Engine, Input, Island, LinkState, OutboxEntry, OutboxState, Output, Restored, TopicHead, Write,
};
use tulou_protocol::{
    AccountId, Answer, Code, Command, CommandId, CommunityId, Digest, Epoch, Greeting, GroupId,
    Log, Push, Question, Rev, Seq, ServerFrame, ServerId, SessionId, TopicId,
    frame::{Busy, Refusal, Request, Response},
    id::Millis,
    limits::Limits,
    push::{Pushed, SyncOutcome, SyncedLog},
    question::{Synced, Told, Watched, WatchedTopic},
};
use uuid::Uuid;

pub use crate::rows::*;

pub const ME: AccountId = AccountId(Uuid::from_u128(1));
pub const OTHER: AccountId = AccountId(Uuid::from_u128(2));
pub const COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(10));
pub const GROUP: GroupId = GroupId(Uuid::from_u128(11));
pub const TOPIC: TopicId = TopicId(Uuid::from_u128(20));
pub const TOPIC_2: TopicId = TopicId(Uuid::from_u128(21));
pub const EPOCH: Epoch = Epoch(Uuid::from_u128(30));
pub const START: Millis = 1_000_000;

pub struct Stage {
    pub engine: Engine,
    pub now: Millis,
    /// What came out and was not looked at yet.
    pub outputs: Vec<Output>,
    /// Requests that were sent and have no answer yet.
    pub asked: Vec<Request>,
    next_no: u64,
}

impl Stage {
    pub fn new(restored: Restored) -> Self {
        Self::seeded(restored, 7)
    }

    pub fn seeded(restored: Restored, seed: u64) -> Self {
        let engine = Engine::new(restored, "token".into(), seed, START);
        Self {
            engine,
            now: START,
            outputs: vec![],
            asked: vec![],
            next_no: 1,
        }
    }

    /// A member of [`COMMUNITY`] with [`TOPIC`] as number 1, whose store is as new as the server, connected.
    pub fn synced(islands: Vec<Island>) -> Self {
        let mut stage = Self::new(member(islands));
        stage.greet();
        stage.answer_all();
        assert_eq!(
            stage.link(),
            Some(LinkState::Synced),
            "all questions have answers"
        );
        stage.outputs.clear();
        stage
    }

    pub fn input(&mut self, input: Input) {
        let outputs = self.engine.handle(input, self.now);
        for output in &outputs {
            if let Output::Send(frame) = output {
                self.asked.extend(frame.0.iter().cloned());
            }
        }
        self.outputs.extend(outputs);
    }

    pub fn hear(&mut self, frame: ServerFrame) {
        self.input(Input::Frame(frame));
    }

    pub fn pushed(&mut self, pushed: Pushed) {
        self.hear(ServerFrame::Pushed(pushed));
    }

    /// Time passes; the engine is ticked when it wants to be.
    pub fn pass(&mut self, by: Millis) {
        let end = self.now + by;
        while let Some(at) = self.engine.deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.input(Input::Tick);
        }
        self.now = end;
    }

    pub fn connect(&mut self) {
        self.pass(0);
        self.input(Input::LinkUp);
    }

    pub fn greet(&mut self) {
        self.connect();
        self.greet_as(EPOCH);
    }

    pub fn greet_as(&mut self, epoch: Epoch) {
        let greeting = Greeting {
            version: tulou_protocol::VERSION,
            server: ServerId(Uuid::nil()),
            server_name: "server".into(),
            epoch,
            session: SessionId(Uuid::nil()),
            account: ME,
            now: self.now,
            limits: Limits::default(),
            account_limits: tulou_protocol::push::AccountLimits::default(),
            addresses: vec![],
        };
        let (number, _) = self.question("session.open");
        self.told(number, Told::Greeting(Box::new(greeting)));
    }

    /// The oldest question of a method that has no answer yet.
    pub fn question(&mut self, method: &str) -> (u64, Question) {
        let found = self.try_question(method);
        found.unwrap_or_else(|| panic!("{method} was asked: {:?}", self.asked))
    }

    pub fn try_question(&mut self, method: &str) -> Option<(u64, Question)> {
        let at = self.asked.iter().position(
            |request| matches!(request, Request::Question(_, question) if question.method() == method),
        )?;
        match self.asked.remove(at) {
            Request::Question(number, question) => Some((number, question)),
            Request::Command(_) => None,
        }
    }

    /// Commands that were sent and have no answer yet.
    pub fn commands(&self) -> Vec<CommandId> {
        self.asked
            .iter()
            .filter_map(|request| match request {
                Request::Command(commanded) => Some(commanded.id),
                Request::Question(..) => None,
            })
            .collect()
    }

    pub fn told(&mut self, number: u64, told: Told) {
        self.hear(ServerFrame::Responses(vec![
            Response::told(number, &told).unwrap(),
        ]));
    }

    pub fn answer(&mut self, id: CommandId, pushes: Vec<Push>) {
        self.forget(id);
        let id = Value::from(id.to_string());
        self.hear(ServerFrame::Responses(vec![
            Response::ok(id, &Answer { pushes }).unwrap(),
        ]));
    }

    pub fn refuse(&mut self, id: CommandId, code: Code) {
        self.forget(id);
        let refusal = Refusal::Rejected(code.into());
        self.hear(ServerFrame::Responses(vec![Response::refused(
            Value::from(id.to_string()),
            &refusal,
        )]));
    }

    pub fn busy(&mut self, ids: &[CommandId], retry_after_ms: u64) {
        let refusal = Refusal::Busy(Busy { retry_after_ms });
        let responses = ids
            .iter()
            .map(|id| Response::refused(Value::from(id.to_string()), &refusal))
            .collect();
        for id in ids {
            self.forget(*id);
        }
        self.hear(ServerFrame::Responses(responses));
    }

    fn forget(&mut self, id: CommandId) {
        self.asked.retain(
            |request| !matches!(request, Request::Command(commanded) if commanded.id == id),
        );
    }

    /// Answers the syncs of the account and the community with "nothing new".
    pub fn answer_account(&mut self) {
        for _ in 0..2 {
            let at = self.asked.iter().position(|request| {
                matches!(request, Request::Question(_, Question::LogSync { logs }) if logs[0].log.topic().is_none())
            });
            let Some(at) = at else { return };
            let Request::Question(number, Question::LogSync { logs }) = self.asked.remove(at)
            else {
                return;
            };
            let logs = logs
                .into_iter()
                .map(|asked| SyncedLog {
                    log: asked.log,
                    outcome: nothing_new(asked.log, asked.since),
                })
                .collect();
            self.told(number, Told::Synced(Synced { logs }));
        }
    }

    /// Answers every question with "nothing new".
    pub fn answer_all(&mut self) {
        loop {
            if let Some((number, question)) = self.try_question("log.sync") {
                let Question::LogSync { logs } = question else {
                    unreachable!()
                };
                let logs = logs
                    .into_iter()
                    .map(|asked| SyncedLog {
                        log: asked.log,
                        outcome: nothing_new(asked.log, asked.since),
                    })
                    .collect();
                self.told(number, Told::Synced(Synced { logs }));
            } else if let Some((number, _)) = self.try_question("community.heads") {
                self.told(number, Told::Heads(digest(0, self.now, vec![])));
            } else if let Some((number, question)) = self.try_question("session.watch") {
                let Question::SessionWatch { topics } = question else {
                    unreachable!()
                };
                let topics = topics
                    .into_iter()
                    .map(|topic| WatchedTopic {
                        topic,
                        head_seq: Seq(10),
                        rev: Rev(10),
                    })
                    .collect();
                self.told(number, Told::Watched(Watched { topics }));
            } else {
                return;
            }
        }
    }

    /// Changes of the store since they were last looked at.
    pub fn changes(&mut self) -> Vec<Write> {
        let outputs = std::mem::take(&mut self.outputs);
        outputs
            .into_iter()
            .filter_map(|output| match output {
                Output::Apply(batch) => Some(batch),
                _ => None,
            })
            .flatten()
            .collect()
    }

    pub fn link(&self) -> Option<LinkState> {
        self.outputs
            .iter()
            .filter_map(|output| match output {
                Output::Link(state) => Some(state.clone()),
                _ => None,
            })
            .next_back()
    }

    pub fn count(&self, is_one: impl Fn(&Output) -> bool) -> usize {
        self.outputs.iter().filter(|output| is_one(output)).count()
    }

    pub fn entry(&mut self, command: Command) -> OutboxEntry {
        let no = self.next_no;
        self.next_no += 1;
        OutboxEntry {
            id: CommandId(Uuid::from_u128(1_000 + u128::from(no))),
            no,
            command,
            created_at: self.now,
            state: OutboxState::Waiting,
            awaits: BTreeSet::new(),
            first_text: None,
        }
    }

    pub fn submit(&mut self, command: Command) -> CommandId {
        self.submit_awaiting(command, &[])
    }

    /// A command that awaits something that no command makes.
    pub fn submit_awaiting(&mut self, command: Command, things: &[Uuid]) -> CommandId {
        let mut entry = self.entry(command);
        entry.awaits.extend(things);
        let id = entry.id;
        self.input(Input::Submit(entry));
        id
    }
}

pub fn member(islands: Vec<Island>) -> Restored {
    Restored {
        account: Some(ME),
        epoch: Some(EPOCH),
        cursors: BTreeMap::from([
            (Log::Account(ME), (Rev(5), None)),
            (Log::Community(COMMUNITY), (Rev(5), Some("view".into()))),
        ]),
        islands: BTreeMap::from([(TOPIC, islands)]),
        heads: BTreeMap::from([(
            TOPIC,
            TopicHead {
                floor: Seq(1),
                ..TopicHead::default()
            },
        )]),
        numbers: BTreeMap::from([(COMMUNITY, BTreeMap::from([(1, TOPIC)]))]),
        communities: BTreeMap::from([(COMMUNITY, START)]),
        profiles: BTreeMap::from([(ME, Rev(1)), (OTHER, Rev(1))]),
        lacking: BTreeMap::new(),
        outbox: vec![],
    }
}

fn nothing_new(log: Log, since: Rev) -> SyncOutcome {
    match log {
        Log::Topic(_) => SyncOutcome::Topic {
            rev: Rev(10),
            head_seq: Seq(10),
            floor: Seq(1),
            rows: vec![],
            tail_from: None,
            has_more: false,
            authors: vec![],
        },
        Log::Account(_) => SyncOutcome::Rows {
            rev: since,
            rows: vec![],
            has_more: false,
            view: None,
        },
        Log::Community(_) => SyncOutcome::Rows {
            rev: since,
            rows: vec![],
            has_more: false,
            view: Some("view".into()),
        },
    }
}

pub fn digest(from: Millis, to: Millis, topics: Vec<tulou_protocol::push::TopicHead>) -> Digest {
    Digest {
        community: COMMUNITY,
        audience: "a".into(),
        from,
        to,
        topics,
        members: 2,
        online: 1,
        after: None,
    }
}

//! A server as a model: decides with the real rules, writes to memory, answers and tells. Memory is durable at once;
//! sessions are not. What leaves it is looked at by the [oracle](crate::oracle).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;
use tulou_protocol::{
    AccountId, Answer, Body, ClientFrame, Command, CommandId, CommunityId, Epoch, Greeting,
    Heartbeat, Log, MessageId, Question, Rev, Seq, ServerFrame, ServerId, SessionId, TopicId,
    command::Home,
    frame::{Busy, Refusal, Request, Response},
    id::Millis,
    limits::Limits,
    push::Pushed,
    question::Told,
};
use tulou_server::domain::{Change, Decision};

use crate::{
    chance::Chance,
    clock::Leap,
    memory::{Memory, Outcome},
    oracle::Oracle,
    weather::Weather,
};

#[derive(Debug)]
pub struct Session {
    pub account: AccountId,
    /// Topics that it watches, each from a floor on.
    pub watched: BTreeMap<TopicId, Seq>,
}

/// Members of a community that are connected, as far as digests are concerned.
#[derive(Debug)]
pub struct Gathering {
    pub moved: BTreeSet<TopicId>,
    pub begun: Millis,
    /// Up to when each audience was told, by its name.
    pub told: BTreeMap<String, Millis>,
    /// Members, as it was said last.
    pub said: u64,
}

pub struct Server {
    pub memory: Memory,
    pub oracle: Oracle,
    /// By connection.
    pub sessions: BTreeMap<u64, Session>,
    pub gatherings: BTreeMap<CommunityId, Gathering>,
    /// Logs that sessions are to sync, and will be told later: until then they get no rows of them.
    pub owed: BTreeMap<(u64, Log), Rev>,
    pub chance: Chance,
    pub weather: Weather,
    /// Heads that an answer holds.
    pub page_of_heads: usize,
    /// What its clock says.
    pub wall: Millis,
    /// Messages that were refused once: if nobody heard of it they may come again later, after others.
    pub refused: BTreeSet<MessageId>,
    /// How things were a while ago: what somebody decides on who has not heard of the last commits yet.
    pub earlier: Option<Memory>,
    /// Commands that asked for what was so already.
    pub idle: BTreeSet<CommandId>,
    /// Leaps of its clock that were not taken back.
    pub leaps: Vec<Leap>,
    /// Times that it gave went back.
    pub has_gone_back: bool,
    /// Tokens that are not accepted any more.
    pub revoked: BTreeSet<String>,
    /// Connections that are over after so many more commands.
    pub ends: BTreeMap<u64, u64>,
    /// Connections whose session is over.
    pub ended: BTreeSet<u64>,
    /// Frames to be delivered: (connection, frame, may be lost or late).
    pub outgoing: Vec<(u64, ServerFrame, bool)>,
}

impl Server {
    pub fn new(epoch: Epoch, accounts: &[AccountId]) -> Self {
        Self {
            memory: Memory::new(epoch, accounts),
            oracle: Oracle::new(accounts),
            sessions: BTreeMap::new(),
            gatherings: BTreeMap::new(),
            owed: BTreeMap::new(),
            chance: Chance::new(0),
            weather: Weather::default(),
            page_of_heads: usize::MAX,
            wall: 0,
            refused: BTreeSet::new(),
            earlier: None,
            idle: BTreeSet::new(),
            leaps: Vec::new(),
            has_gone_back: false,
            revoked: BTreeSet::new(),
            ends: BTreeMap::new(),
            ended: BTreeSet::new(),
            outgoing: Vec::new(),
        }
    }

    /// The time that things are given: it never goes back.
    pub fn now(&mut self) -> Millis {
        self.memory.clock = self.memory.clock.max(self.wall);
        self.memory.clock
    }

    pub fn say(&mut self, to: u64, pushed: Pushed, may_be_lost: bool) {
        let account = self.sessions[&to].account;
        if let Pushed::Digest(digest) = &pushed {
            self.look_at_digest(account, digest);
        } else {
            self.oracle.look_at_push(account, &pushed);
        }
        self.outgoing
            .push((to, ServerFrame::Pushed(pushed), may_be_lost));
    }

    pub fn restart(&mut self) {
        self.sessions.clear();
        self.gatherings.clear();
        self.owed.clear();
        self.ends.clear();
        // What its clock did before is not known to it.
        self.leaps.clear();
    }

    pub fn detach(&mut self, connection: u64) {
        self.sessions.remove(&connection);
        self.owed.retain(|(session, _), _| *session != connection);
        let memory = &self.memory;
        let sessions = &self.sessions;
        self.gatherings.retain(|community, _| {
            memory.communities.get(community).is_some_and(|home| {
                sessions
                    .values()
                    .any(|session| home.members.contains_key(&session.account))
            })
        });
    }

    pub fn take(&mut self, from: u64, account: AccountId, frame: ClientFrame) {
        let mut responses = Vec::new();
        let mut is_busy = self.weather.is_busy(&mut self.chance);
        for request in frame.0 {
            is_busy |= self.weather.is_busy(&mut self.chance) && self.chance.one_in(5);
            let retry_after_ms = 1 + self.chance.below(3_000);
            let busy = Refusal::Busy(Busy { retry_after_ms });
            let response = match request {
                Request::Question(number, Question::SessionOpen { token, .. })
                    if self.revoked.contains(&token) =>
                {
                    Response::refused(Value::from(number), &Self::signed_out())
                }
                Request::Question(number, Question::SessionOpen { .. }) => {
                    self.open(from, account, number)
                }
                Request::Question(number, _) if self.ended.contains(&from) => {
                    Response::refused(Value::from(number), &Self::signed_out())
                }
                Request::Question(number, _) if !self.sessions.contains_key(&from) => {
                    panic!("question {number} before the greeting")
                }
                Request::Question(number, _) if is_busy => {
                    Response::refused(Value::from(number), &busy)
                }
                Request::Question(number, question) => {
                    let response = self.answer(from, account, number, question);
                    response
                        .unwrap_or_else(|refusal| Response::refused(Value::from(number), &refusal))
                }
                Request::Command(commanded) => {
                    let id = Value::from(commanded.id.to_string());
                    let answered = if self.ended.contains(&from) {
                        Err(Self::signed_out())
                    } else if is_busy {
                        Err(busy)
                    } else {
                        self.execute(from, account, &commanded)
                    };
                    self.worked_for(from);
                    match answered {
                        Ok(answer) => Response::ok(id, &answer).unwrap(),
                        Err(refusal) => Response::refused(id, &refusal),
                    }
                }
            };
            responses.push(response);
        }
        self.outgoing
            .push((from, ServerFrame::Responses(responses), false));
    }

    fn answer(
        &mut self,
        from: u64,
        account: AccountId,
        number: u64,
        question: Question,
    ) -> Result<Response, Refusal> {
        let told = self.tell(from, account, question);
        let told = told.map_err(Refusal::Rejected)?;
        if let Told::Heads(heads) = &told {
            self.look_at_digest(account, heads);
        }
        self.oracle.look_at_told(account, &told);
        Ok(Response::told(number, &told).unwrap())
    }

    pub fn open(&mut self, from: u64, account: AccountId, number: u64) -> Response {
        let now = self.now();
        let session = Session {
            account,
            watched: BTreeMap::new(),
        };
        self.sessions.insert(from, session);
        for community in self.memory.communities_of(account) {
            self.gather(community, now);
        }
        let greeting = Greeting {
            version: tulou_protocol::VERSION,
            server: ServerId(uuid::Uuid::nil()),
            server_name: "model".into(),
            epoch: self.memory.epoch,
            session: SessionId(self.chance.uuid()),
            account,
            now,
            limits: Limits::default(),
            account_limits: tulou_protocol::push::AccountLimits::default(),
            addresses: vec![],
        };
        Response::told(number, &Told::Greeting(Box::new(greeting))).unwrap()
    }

    pub fn gather(&mut self, community: CommunityId, now: Millis) {
        self.gatherings.entry(community).or_insert(Gathering {
            moved: BTreeSet::new(),
            begun: now,
            told: BTreeMap::new(),
            said: 0,
        });
    }

    /// A repeat gets the stored answer; everything else is decided.
    pub fn execute(
        &mut self,
        from: u64,
        account: AccountId,
        commanded: &tulou_protocol::Commanded,
    ) -> Result<Answer, Refusal> {
        let (id, command) = (commanded.id, &commanded.command);
        if let Some(answer) = self.memory.answer(account, id, command) {
            Oracle::look_at_repeat(command, &answer);
            return Ok(answer);
        }
        let now = self.now();
        let expected = self.oracle.may(account, command, now);
        let late = self.decided_before(account, command, now);
        let facts = self.memory.facts(account, command);
        let decided = match late {
            Some(late) => Ok(late),
            None => tulou_server::domain::decide(&facts, account, command, now),
        };
        let is_apart = tulou_server::domain::is_apart(&facts, account, command);
        let origin = if is_apart { 0 } else { from };
        let outcome = match decided {
            Ok(decision) if decision.changes.is_empty() => {
                let is_changed = expected.is_ok() && self.oracle.apply(account, command, now);
                assert!(!is_changed, "{command:?} asked for what is so already");
                Outcome::Done(vec![])
            }
            Ok(decision) => {
                let home = self.memory.home_of(command);
                let before = home
                    .and_then(|id| self.memory.communities.get(&id))
                    .map(|home| (home.structure.clone(), home.members.clone()));
                let outcome =
                    self.memory
                        .commit(account, now, &decision.expects, &decision.changes);
                if let Outcome::Done(logs) = &outcome {
                    crate::note_done(command);
                    self.apply(&decision.changes, logs);
                    self.oracle.apply(account, command, now);
                    self.publish(origin, before.clone(), &decision.changes, logs);
                    self.sweep(account, home, before);
                }
                outcome
            }
            Err(rejection) => Outcome::Refused(rejection),
        };
        match (&outcome, &expected) {
            (Outcome::Refused(rejection), Ok(())) => {
                panic!("{account} may {command:?}, but was refused: {rejection:?}")
            }
            (Outcome::Done(_) | Outcome::Repeat(_), Err(reason)) => {
                panic!("{account} may not {command:?}, because {reason}, but did")
            }
            _ => {}
        }
        let answer = match outcome {
            Outcome::Conflict => panic!("{command:?} was decided on what is there"),
            Outcome::Refused(rejection) => {
                if let Command::MessageSend { message, .. } = command {
                    self.refused.insert(*message);
                }
                return Err(Refusal::Rejected(rejection));
            }
            Outcome::Repeat(answer) => {
                self.idle.insert(id);
                answer
            }
            Outcome::Done(logs) if logs.is_empty() => {
                self.idle.insert(id);
                return Ok(Answer::default());
            }
            Outcome::Done(logs) => {
                let is_his = |log: Log| match log {
                    Log::Account(other) => other == account,
                    Log::Community(_) => !is_apart,
                    Log::Topic(_) => true,
                };
                let pushes = logs.iter().filter(|written| is_his(written.log));
                let answer = Answer {
                    pushes: pushes.map(|written| written.push(Seq::ZERO)).collect(),
                };
                self.oracle.commanded(account, id);
                self.compare(account, command);
                self.memory.answers.insert((account, id), answer.clone());
                answer
            }
        };
        self.oracle.look_at_answer(account, &answer);
        Ok(answer)
    }

    /// What was decided on how things were a while ago, if that still holds. Then nobody is mentioned who does not see the
    /// topic by now; who came to see it since is not mentioned, so what was decided names all whom it would name now, or
    /// it is left out.
    fn decided_before(
        &mut self,
        account: AccountId,
        command: &Command,
        now: Millis,
    ) -> Option<Decision> {
        let is_in_topic = matches!(command.spec().home, Home::Topic(_));
        let earlier = if is_in_topic {
            self.earlier.take()
        } else {
            None
        };
        let is_new = self.chance.one_in(10);
        let decided = earlier.and_then(|earlier| {
            let mut facts = earlier.facts(account, command);
            facts.profile_rev = self.memory.profile_rev(account);
            tulou_server::domain::decide(&facts, account, command, now).ok()
        });
        if is_new {
            self.earlier = Some(self.memory.clone());
        }
        let decided = decided.filter(|decision| !decision.changes.is_empty())?;
        let refusal = self
            .memory
            .refusal(account, &decided.expects, &decided.changes);
        if matches!(refusal, Some(Outcome::Conflict)) {
            return None;
        }
        if !serde_json::to_string(command).unwrap().contains("<@") {
            return Some(decided);
        }
        let facts = self.memory.facts(account, command);
        let anew = tulou_server::domain::decide(&facts, account, command, now);
        let anew = anew.map(|decision| named(&decision)).unwrap_or_default();
        let before = named(&decided);
        assert!(
            before.0.is_subset(&anew.0),
            "{command:?} was decided before, and mentions who does not see it any more"
        );
        (before == anew).then_some(decided)
    }

    /// Members of a community that ended are members no more.
    pub fn sweep(
        &mut self,
        account: AccountId,
        home: Option<CommunityId>,
        before: Option<crate::publish::Before>,
    ) {
        let (Some(community), Some((_, members))) = (home, before) else {
            return;
        };
        if self.memory.communities.contains_key(&community) {
            return;
        }
        for member in members.into_keys() {
            let bereft = Change::Bereft {
                community,
                account: member,
            };
            self.write(account, &bereft);
        }
    }

    /// The server writes something of its own.
    pub fn write(&mut self, account: AccountId, change: &Change) {
        let now = self.now();
        let changes = std::slice::from_ref(change);
        if let Outcome::Done(logs) = self.memory.commit(account, now, &[], changes) {
            self.publish(0, None, changes, &logs);
        }
    }

    /// Some of what an account's log holds has become old.
    pub fn age(&mut self, account: AccountId) {
        for row in self.memory.since(account, Rev::ZERO) {
            let kind = row.body.kind().to_owned();
            let can_fade = matches!(row.body, Body::Mention(_) | Body::Mark(_));
            if can_fade && self.chance.one_in(2) {
                self.oracle.fades(account, &kind, row.id.parse().unwrap());
                let change = Change::Fades {
                    account,
                    kind,
                    id: row.id,
                    rev: row.rev,
                };
                self.write(account, &change);
            }
        }
        if self.chance.one_in(2) {
            self.memory.forget_tombstones(account);
        }
        self.oracle.check_account(account, &self.memory);
    }

    /// What the command touched is what it means.
    pub fn compare(&self, account: AccountId, command: &tulou_protocol::Command) {
        self.oracle.check_account(account, &self.memory);
        match command.home(account) {
            Log::Topic(topic) => self.oracle.check_topic(topic, &self.memory),
            Log::Community(community) => self.oracle.check_community(community, &self.memory),
            Log::Account(_) => {}
        }
    }

    /// Brings the structures up to date with what was written.
    pub fn apply(&mut self, changes: &[Change], logs: &[crate::memory::Written]) {
        for written in logs {
            if let Log::Community(community) = written.log
                && let Some(home) = self.memory.communities.get_mut(&community)
            {
                let rows = written.rows.iter().map(|(_, row)| row);
                Arc::make_mut(&mut home.structure).apply(written.rev, rows, changes);
            }
        }
        for home in self.memory.communities.values() {
            let members = home.members.len() as u64;
            home.structure.count_members(members);
        }
    }

    pub fn send_heartbeats(&mut self) {
        let now = self.now();
        for (id, session) in &self.sessions {
            let account = session.account;
            let mut heads = vec![(Log::Account(account), self.memory.accounts[&account].rev)];
            for community in self.memory.communities_of(account) {
                let rev = self.memory.communities[&community].structure.rev;
                heads.push((Log::Community(community), rev));
            }
            for topic in session.watched.keys() {
                if let Some(log) = self.memory.topics.get(topic) {
                    heads.push((Log::Topic(*topic), log.rev));
                }
            }
            let heartbeat = Pushed::Heartbeat(Heartbeat { now, heads });
            self.outgoing
                .push((*id, ServerFrame::Pushed(heartbeat), false));
        }
    }
}

/// Who is mentioned by what was decided, and who is not any more.
fn named(decision: &Decision) -> (BTreeSet<AccountId>, BTreeSet<AccountId>) {
    let (mut mentioned, mut unmentioned) = (BTreeSet::new(), BTreeSet::new());
    for change in &decision.changes {
        match change {
            Change::Send(sent) => mentioned.extend(sent.mentions.iter().copied()),
            Change::Content(content) => {
                mentioned.extend(content.mentioned.iter().copied());
                unmentioned.extend(content.unmentioned.iter().copied());
            }
            _ => {}
        }
    }
    (mentioned, unmentioned)
}

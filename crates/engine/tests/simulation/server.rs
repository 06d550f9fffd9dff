//! A server as a model: decides with the real rules, writes to memory, answers and tells. Memory is durable at once;
//! sessions are not. What leaves it is looked at by the [oracle](crate::oracle).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;
use tulou_protocol::{
    AccountId, Answer, Body, ClientFrame, Code, Command, CommandId, CommunityId, Epoch, Greeting,
    Heartbeat, Log, MessageId, Question, Rejection, Rev, Row, Seq, ServerFrame, ServerId,
    SessionId, TopicId,
    frame::{Busy, Refusal, Request, Response},
    id::Millis,
    limits::Limits,
    push::{Pushed, SyncOutcome, SyncedLog},
    question::{Page, PageAt, Profiles, SyncLog, Synced, Told, Watched, WatchedTopic},
};
use tulou_server::domain::{Change, Member, Structure};

use crate::{
    chance::Chance,
    memory::{Memory, Outcome, TopicLog},
    oracle::Oracle,
    weather::Weather,
};

/// Rows in a page of changes: few, so that there are pages.
const SYNC_ROWS: usize = 5;
/// Rows of the tail.
const TAIL: u64 = 8;

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
    pub said_at: Millis,
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
    /// What its clock says.
    pub wall: Millis,
    /// Messages that were refused once: if nobody heard of it they may come again later, after others.
    pub refused: BTreeSet<MessageId>,
    /// Commands that asked for what was so already.
    pub idle: BTreeSet<CommandId>,
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
            wall: 0,
            refused: BTreeSet::new(),
            idle: BTreeSet::new(),
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
        self.oracle.look_at_push(account, &pushed);
        self.outgoing
            .push((to, ServerFrame::Pushed(pushed), may_be_lost));
    }

    pub fn restart(&mut self) {
        self.sessions.clear();
        self.gatherings.clear();
        self.owed.clear();
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
                Request::Question(number, Question::SessionOpen { .. }) => {
                    self.open(from, account, number)
                }
                Request::Question(number, _) if !self.sessions.contains_key(&from) => {
                    panic!("question {number} before the greeting")
                }
                Request::Question(number, _) if is_busy => {
                    Response::refused(Value::from(number), &busy)
                }
                Request::Question(number, question) => match self.tell(from, account, question) {
                    Ok(told) => {
                        self.oracle.look_at_told(account, &told);
                        Response::told(number, &told).unwrap()
                    }
                    Err(code) => Response::refused(Value::from(number), &Refusal::Rejected(code)),
                },
                Request::Command(commanded) => {
                    let id = Value::from(commanded.id.to_string());
                    let answered = if is_busy {
                        Err(busy)
                    } else {
                        self.execute(from, account, &commanded)
                    };
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

    fn open(&mut self, from: u64, account: AccountId, number: u64) -> Response {
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
            version: 1,
            server: ServerId(uuid::Uuid::nil()),
            server_name: "model".into(),
            epoch: self.memory.epoch,
            session: SessionId(self.chance.uuid()),
            account,
            now,
            limits: Limits::default(),
            addresses: vec![],
        };
        Response::told(number, &Told::Greeting(Box::new(greeting))).unwrap()
    }

    pub fn gather(&mut self, community: CommunityId, now: Millis) {
        self.gatherings.entry(community).or_insert(Gathering {
            moved: BTreeSet::new(),
            said_at: now,
            said: 0,
        });
    }

    /// A repeat gets the stored answer; everything else is decided.
    fn execute(
        &mut self,
        from: u64,
        account: AccountId,
        commanded: &tulou_protocol::Commanded,
    ) -> Result<Answer, Refusal> {
        let (id, command) = (commanded.id, &commanded.command);
        if let Some(answer) = self.memory.answers.get(&(account, id)) {
            return Ok(answer.clone());
        }
        let now = self.now();
        let expected = self.oracle.may(account, command, now);
        let facts = self.memory.facts(account, command);
        let decided = tulou_server::domain::decide(&facts, account, command, now);
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

    /// Members of a community that ended are members no more.
    fn sweep(
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
    fn write(&mut self, account: AccountId, change: &Change) {
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
    fn compare(&self, account: AccountId, command: &tulou_protocol::Command) {
        self.oracle.check_account(account, &self.memory);
        match command.home(account) {
            Log::Topic(topic) => self.oracle.check_topic(topic, &self.memory),
            Log::Community(community) => self.oracle.check_community(community, &self.memory),
            Log::Account(_) => {}
        }
    }

    /// Brings the structures up to date with what was written.
    fn apply(&mut self, changes: &[Change], logs: &[crate::memory::Written]) {
        for written in logs {
            if let Log::Community(community) = written.log
                && let Some(home) = self.memory.communities.get_mut(&community)
            {
                let rows = written.rows.iter().map(|(_, row)| row);
                Arc::make_mut(&mut home.structure).apply(written.rev, rows, changes);
            }
        }
        for home in self.memory.communities.values_mut() {
            let members = home.members.len() as u64;
            if home.structure.members != members {
                Arc::make_mut(&mut home.structure).members = members;
            }
        }
    }

    fn tell(
        &mut self,
        from: u64,
        account: AccountId,
        question: Question,
    ) -> Result<Told, Rejection> {
        match question {
            Question::LogSync { logs } => Ok(Told::Synced(Synced {
                logs: logs
                    .into_iter()
                    .map(|asked| SyncedLog {
                        log: asked.log,
                        outcome: self.sync(account, &asked),
                    })
                    .collect(),
            })),
            Question::SessionWatch { topics } => {
                let mut watched = BTreeMap::new();
                let mut told = Vec::new();
                for topic in topics {
                    let Some((_, _, log)) = self.memory.visible(account, topic) else {
                        continue;
                    };
                    watched.insert(topic, self.memory.floor(account, topic));
                    told.push(WatchedTopic {
                        topic,
                        head_seq: log.head(),
                        rev: log.rev,
                    });
                }
                self.sessions.get_mut(&from).unwrap().watched = watched;
                Ok(Told::Watched(Watched { topics: told }))
            }
            Question::TopicPage { topic, at, limit } => {
                if self.memory.visible(account, topic).is_none() {
                    return Err(Code::NotFound.into());
                }
                let page = self.page(account, topic, at, limit.min(7));
                page.map(Told::Page).ok_or_else(|| Code::NotFound.into())
            }
            Question::ProfileList { accounts } => Ok(Told::Profiles(Profiles {
                rows: accounts
                    .iter()
                    .filter_map(|account| self.memory.row(*account, "profile", account).cloned())
                    .collect(),
            })),
            Question::CommunityHeads { community, since } => {
                let now = self.now();
                self.memory
                    .membership(account, community)
                    .ok_or(Code::NotAMember)?;
                Ok(Told::Heads(self.heads(account, community, since, now)))
            }
            Question::MemberList { .. } => Ok(Told::Nothing {}),
            other => panic!("nobody asks {}", other.method()),
        }
    }

    fn page(&self, account: AccountId, topic: TopicId, at: PageAt, limit: usize) -> Option<Page> {
        let log = &self.memory.topics[&topic];
        let floor = self.memory.floor(account, topic).0;
        let (head, limit) = (log.head().0, limit as u64);
        let around = |seq: Seq| {
            let seq = seq.0.clamp(floor, head.max(floor));
            (seq.saturating_sub(limit / 2), (seq + limit / 2).min(head))
        };
        let (from, to) = match at {
            PageAt::End => (head.saturating_sub(limit - 1), head),
            PageAt::Before(seq) => (
                seq.0.saturating_sub(limit),
                seq.0.saturating_sub(1).min(head),
            ),
            PageAt::After(seq) => {
                let from = (seq.0 + 1).max(floor);
                (from, (from + limit - 1).min(head))
            }
            PageAt::Around(seq) => around(seq),
            PageAt::Message(id) => {
                let seq = log.find(id)?.message.seq;
                if seq.0 < floor {
                    return None;
                }
                around(seq)
            }
        };
        let from = from.max(floor).max(1);
        let rows: Vec<Row> = (from..=to)
            .map(|seq| log.messages[seq as usize - 1].row())
            .collect();
        let (from, to) = if rows.is_empty() { (0, 0) } else { (from, to) };
        Some(Page {
            topic,
            rev: log.rev,
            head_seq: log.head(),
            floor: Seq(floor),
            from: Seq(from),
            to: Seq(to),
            authors: self.memory.authors(&rows),
            rows,
        })
    }

    fn sync(&mut self, account: AccountId, asked: &SyncLog) -> SyncOutcome {
        match asked.log {
            Log::Account(id) if id != account => SyncOutcome::Gone {},
            Log::Account(_) => {
                let head = self.memory.accounts[&account].rev;
                if asked.since > head {
                    return SyncOutcome::Ahead { rev: head };
                }
                if asked.since > Rev::ZERO && asked.since < self.memory.accounts[&account].floor {
                    let mut rows = self.memory.since(account, Rev::ZERO);
                    rows.retain(|row| !matches!(row.body, Body::Deleted(_)));
                    return SyncOutcome::Reset {
                        rev: head,
                        rows,
                        view: None,
                        me: None,
                    };
                }
                let mut rows = self.memory.since(account, asked.since);
                let has_more = rows.len() > SYNC_ROWS;
                rows.truncate(SYNC_ROWS);
                let last = rows.last().map(|row| row.rev).filter(|_| has_more);
                if asked.since == Rev::ZERO {
                    rows.retain(|row| !matches!(row.body, Body::Deleted(_)));
                }
                SyncOutcome::Rows {
                    rev: last.unwrap_or(head),
                    rows,
                    has_more,
                    view: None,
                }
            }
            Log::Community(community) => self.sync_community(account, community, asked),
            Log::Topic(topic) => self.sync_topic(account, topic, asked),
        }
    }

    fn sync_community(
        &mut self,
        account: AccountId,
        community: CommunityId,
        asked: &SyncLog,
    ) -> SyncOutcome {
        let Some((home, member)) = self.memory.membership(account, community) else {
            return SyncOutcome::Gone {};
        };
        let structure = &home.structure;
        let stamp = structure.stamp(member);
        let sight = structure.sight(member);
        let rev = structure.rev;
        if asked.since > rev || asked.since == Rev::ZERO || asked.view.as_ref() != Some(&stamp) {
            let reset = SyncOutcome::Reset {
                rev,
                rows: structure.rows_since(&sight, Rev::ZERO, false),
                view: Some(stamp),
                me: Some(structure.me(member)),
            };
            self.read_before(account, community);
            return reset;
        }
        SyncOutcome::Rows {
            rev,
            rows: structure.rows_since(&sight, asked.since, true),
            has_more: false,
            view: Some(stamp),
        }
    }

    /// What was written before the member joined, or got his seat, is read.
    fn read_before(&mut self, account: AccountId, community: CommunityId) {
        let now = self.now();
        let (home, member) = self.memory.membership(account, community).unwrap();
        let mut changes = Vec::new();
        for topic in home.structure.sight(member).topics.keys() {
            let seat = home.structure.seat(*topic, account).flatten();
            let since = seat.unwrap_or(member.joined_at).max(member.joined_at);
            let has_history = home.structure.readable_since(member, *topic).is_none();
            let has_cursor = self.memory.row(account, "cursor", topic).is_some();
            if has_cursor && has_history {
                continue;
            }
            let first = self.memory.topics[topic].first_since(since);
            changes.push(Change::ReadUpTo {
                account,
                topic: *topic,
                seq: Seq(first.0 - 1),
            });
        }
        self.oracle.reads_before(account, community);
        if let Outcome::Done(logs) = self.memory.commit(account, now, &[], &changes) {
            self.publish(0, None, &changes, &logs);
        }
        self.oracle.check_account(account, &self.memory);
    }

    fn sync_topic(&self, account: AccountId, topic: TopicId, asked: &SyncLog) -> SyncOutcome {
        let Some((_, _, log)) = self.memory.visible(account, topic) else {
            return SyncOutcome::Gone {};
        };
        let newest = asked.ranges.iter().map(|range| range.rev).max();
        let highest = asked
            .ranges
            .iter()
            .map(|range| range.to)
            .max()
            .unwrap_or_default();
        if newest.unwrap_or_default().max(asked.since) > log.rev || highest > log.head() {
            return SyncOutcome::Ahead { rev: log.rev };
        }
        let floor = self.memory.floor(account, topic);
        let is_changed = |sent: &&crate::memory::Sent| {
            let seq = sent.message.seq;
            let is_held = asked
                .ranges
                .iter()
                .any(|range| range.from <= seq && seq <= range.to && sent.rev > range.rev);
            is_held && seq >= floor && sent.rev > sent.first_rev
        };
        let mut changed: Vec<Row> = log
            .messages
            .iter()
            .filter(is_changed)
            .map(|sent| sent.row())
            .collect();
        changed.sort_by_key(|row| row.rev);
        let has_more = changed.len() > SYNC_ROWS;
        changed.truncate(SYNC_ROWS);
        let rev = if has_more {
            changed[SYNC_ROWS - 1].rev
        } else {
            log.rev
        };
        let mut tail_from = None;
        if !has_more {
            let from = (highest.0 + 1)
                .max(log.head().0.saturating_sub(TAIL - 1))
                .max(floor.0);
            if from <= log.head().0 {
                tail_from = Some(Seq(from));
                changed
                    .extend((from..=log.head().0).map(|seq| log.messages[seq as usize - 1].row()));
            }
        }
        SyncOutcome::Topic {
            rev,
            head_seq: log.head(),
            floor,
            authors: self.memory.authors(&changed),
            rows: changed,
            tail_from,
            has_more,
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

impl Memory {
    pub fn communities_of(&self, account: AccountId) -> Vec<CommunityId> {
        let mine = self
            .communities
            .iter()
            .filter(|(_, home)| home.members.contains_key(&account));
        mine.map(|(community, _)| *community).collect()
    }

    pub fn membership(
        &self,
        account: AccountId,
        community: CommunityId,
    ) -> Option<(&crate::memory::Home, &Member)> {
        let home = self.communities.get(&community)?;
        Some((home, home.members.get(&account)?))
    }

    /// A topic that an account may see.
    pub fn visible(
        &self,
        account: AccountId,
        topic: TopicId,
    ) -> Option<(&Structure, &Member, &TopicLog)> {
        let log = self.topics.get(&topic)?;
        let (home, member) = self.membership(account, log.community)?;
        let sight = home.structure.sight(member);
        sight
            .topics
            .contains_key(&topic)
            .then_some((&home.structure, member, log))
    }

    /// The first message that an account may read of a topic that it sees.
    pub fn floor(&self, account: AccountId, topic: TopicId) -> Seq {
        let (structure, member, log) = self.visible(account, topic).unwrap();
        let since = structure.readable_since(member, topic);
        since.map_or(Seq(1), |since| log.first_since(since))
    }

    pub fn authors(&self, rows: &[Row]) -> Vec<(AccountId, Rev)> {
        let authors: BTreeSet<AccountId> = rows
            .iter()
            .filter_map(|row| match &row.body {
                Body::Message(message) => Some(message.content.as_ref()?.author),
                _ => None,
            })
            .collect();
        let with_rev = |author| (author, self.profile_rev(author));
        authors.into_iter().map(with_rev).collect()
    }
}

impl TopicLog {
    pub fn first_since(&self, time: Millis) -> Seq {
        let before = self
            .messages
            .iter()
            .filter(|sent| sent.content().sent_at < time);
        Seq(before.count() as u64 + 1)
    }
}

//! A server as a model: the protocol said simply. State is durable at once; sessions are not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tulou_protocol::{
    AccountId, Body, ClientFrame, Code, CommunityId, Digest, Epoch, Greeting, Heartbeat, Log,
    Question, Rev, Row, Seq, ServerFrame, ServerId, SessionId, TopicId,
    frame::{Busy, Refusal, Request, Response},
    id::Millis,
    limits::Limits,
    push::{Me, Pushed, SyncOutcome, SyncedLog, TopicHead},
    question::{Page, PageAt, Profiles, SyncLog, Synced, Told, Watched, WatchedTopic},
};

use crate::{
    chance::Chance,
    decide::profile,
    model::{RowLog, Sent, State},
};

/// Rows in a page of changes: few, so that there are pages.
const SYNC_ROWS: usize = 5;
/// Rows of the tail.
const TAIL: u64 = 8;

#[derive(Debug)]
pub struct Session {
    pub account: AccountId,
    pub watched: BTreeSet<TopicId>,
    pub digest_at: Millis,
}

pub struct Server {
    pub state: State,
    /// By connection.
    pub sessions: BTreeMap<u64, Session>,
    pub chance: Chance,
    pub is_calm: bool,
    pub now: Millis,
    /// Frames to be delivered: (connection, frame, may be lost or late).
    pub outgoing: Vec<(u64, ServerFrame, bool)>,
}

impl Server {
    pub fn new(mut chance: Chance, accounts: &[AccountId]) -> Self {
        let state = State {
            epoch: Epoch(chance.uuid()),
            accounts: accounts
                .iter()
                .map(|account| {
                    let mut log = RowLog::default();
                    log.put(account.to_string(), profile("name").into());
                    (*account, log)
                })
                .collect(),
            communities: BTreeMap::new(),
            topics: BTreeMap::new(),
            answers: BTreeMap::new(),
        };
        Self {
            state,
            sessions: BTreeMap::new(),
            chance,
            is_calm: false,
            now: 0,
            outgoing: Vec::new(),
        }
    }

    pub fn say(&mut self, to: u64, pushed: Pushed, may_be_lost: bool) {
        self.outgoing
            .push((to, ServerFrame::Pushed(pushed), may_be_lost));
    }

    pub fn take(&mut self, from: u64, account: AccountId, frame: ClientFrame) {
        let mut responses = Vec::new();
        let mut is_busy = !self.is_calm && self.chance.one_in(12);
        for request in frame.0 {
            is_busy |= !self.is_calm && self.chance.one_in(60);
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
                    Ok(told) => Response::told(number, &told).unwrap(),
                    Err(code) => {
                        Response::refused(Value::from(number), &Refusal::Rejected(code.into()))
                    }
                },
                Request::Command(commanded) => {
                    let id = Value::from(commanded.id.to_string());
                    if is_busy {
                        Response::refused(id, &busy)
                    } else {
                        match self.execute(from, account, commanded.id, commanded.command) {
                            Ok(answer) => Response::ok(id, &answer).unwrap(),
                            Err(rejection) => Response::refused(id, &Refusal::Rejected(rejection)),
                        }
                    }
                }
            };
            responses.push(response);
        }
        self.outgoing
            .push((from, ServerFrame::Responses(responses), false));
    }

    pub fn open(&mut self, from: u64, account: AccountId, number: u64) -> Response {
        let session = Session {
            account,
            watched: BTreeSet::new(),
            digest_at: self.now,
        };
        self.sessions.insert(from, session);
        let greeting = Greeting {
            version: 1,
            server: ServerId(uuid::Uuid::nil()),
            server_name: "model".into(),
            epoch: self.state.epoch,
            session: SessionId(self.chance.uuid()),
            account,
            now: self.now,
            limits: Limits::default(),
            addresses: vec![],
        };
        Response::told(number, &Told::Greeting(Box::new(greeting))).unwrap()
    }

    pub fn tell(
        &mut self,
        from: u64,
        account: AccountId,
        question: Question,
    ) -> Result<Told, Code> {
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
                let seen: Vec<TopicId> = topics
                    .into_iter()
                    .filter(|topic| self.state.is_seen(account, *topic))
                    .collect();
                self.sessions.get_mut(&from).unwrap().watched = seen.iter().copied().collect();
                let topics = seen
                    .into_iter()
                    .map(|topic| {
                        let log = &self.state.topics[&topic];
                        WatchedTopic {
                            topic,
                            head_seq: log.head(),
                            rev: log.rev,
                        }
                    })
                    .collect();
                Ok(Told::Watched(Watched { topics }))
            }
            Question::TopicPage { topic, at, limit } => {
                if !self.state.is_seen(account, topic) {
                    return Err(Code::NotFound);
                }
                Ok(Told::Page(self.page(account, topic, at, limit.min(7))))
            }
            Question::ProfileList { accounts } => Ok(Told::Profiles(Profiles {
                rows: accounts
                    .iter()
                    .filter_map(|account| self.profile(*account).cloned())
                    .collect(),
            })),
            Question::CommunityHeads { community, since } => {
                let is_member = self
                    .state
                    .communities
                    .get(&community)
                    .is_some_and(|(_, members)| members.joined.contains_key(&account));
                if !is_member {
                    return Err(Code::NotAMember);
                }
                Ok(Told::Heads(self.digest(
                    account,
                    community,
                    since - 1,
                    self.now,
                )))
            }
            Question::MemberList { .. } => Ok(Told::Nothing {}),
            other => panic!("nobody asks {}", other.method()),
        }
    }

    pub fn profile(&self, account: AccountId) -> Option<&Row> {
        let rows = &self.state.accounts.get(&account)?.rows;
        rows.get(&("profile".to_owned(), account.to_string()))
    }

    pub fn authors(&self, rows: &[Row]) -> Vec<(AccountId, Rev)> {
        let authors: BTreeSet<AccountId> = rows
            .iter()
            .filter_map(|row| match &row.body {
                Body::Message(message) => Some(message.content.as_ref()?.author),
                _ => None,
            })
            .collect();
        authors
            .into_iter()
            .filter_map(|author| Some((author, self.profile(author)?.rev)))
            .collect()
    }

    pub fn page(&self, account: AccountId, topic: TopicId, at: PageAt, limit: usize) -> Page {
        let log = &self.state.topics[&topic];
        let floor = self.state.floor(account, topic).0;
        let (head, limit) = (log.head().0, limit as u64);
        let (from, to) = match at {
            PageAt::End => (head.saturating_sub(limit - 1), head),
            PageAt::Before(seq) => (
                seq.0.saturating_sub(limit),
                seq.0.saturating_sub(1).min(head),
            ),
            PageAt::After(seq) => (seq.0 + 1, (seq.0 + limit).min(head)),
            PageAt::Around(seq) => (
                seq.0.saturating_sub(limit / 2),
                (seq.0 + limit / 2).min(head),
            ),
            PageAt::Message(_) => (1, 0),
        };
        let from = from.max(floor).max(1);
        let rows: Vec<Row> = (from..=to)
            .map(|seq| log.messages[seq as usize - 1].row())
            .collect();
        let (from, to) = if rows.is_empty() { (0, 0) } else { (from, to) };
        Page {
            topic,
            rev: log.rev,
            head_seq: log.head(),
            floor: Seq(floor),
            from: Seq(from),
            to: Seq(to),
            authors: self.authors(&rows),
            rows,
        }
    }

    pub fn sync(&self, account: AccountId, asked: &SyncLog) -> SyncOutcome {
        match asked.log {
            Log::Account(id) => {
                let log = &self.state.accounts[&id];
                if asked.since > log.rev {
                    return SyncOutcome::Ahead { rev: log.rev };
                }
                let mut rows = log.since(asked.since);
                let has_more = rows.len() > SYNC_ROWS;
                rows.truncate(SYNC_ROWS);
                let rev = if has_more {
                    rows[SYNC_ROWS - 1].rev
                } else {
                    log.rev
                };
                SyncOutcome::Rows {
                    rev,
                    rows,
                    has_more,
                    view: None,
                }
            }
            Log::Community(community) => self.sync_community(account, community, asked),
            Log::Topic(topic) => self.sync_topic(account, topic, asked),
        }
    }

    pub fn sync_community(
        &self,
        account: AccountId,
        community: CommunityId,
        asked: &SyncLog,
    ) -> SyncOutcome {
        let Some((log, members)) = self.state.communities.get(&community) else {
            return SyncOutcome::Gone {};
        };
        let Some(joined_at) = members.joined.get(&account).copied() else {
            return SyncOutcome::Gone {};
        };
        if asked.since > log.rev {
            return SyncOutcome::Ahead { rev: log.rev };
        }
        let view = members.view(account);
        if asked.view.as_ref() != Some(&view) {
            return SyncOutcome::Reset {
                rev: log.rev,
                rows: self
                    .state
                    .seen_rows(account, community)
                    .into_values()
                    .collect(),
                view: Some(view),
                me: Some(Me {
                    member_groups: vec![],
                    seats: vec![],
                    joined_at,
                }),
            };
        }
        let mut rows = log.since(asked.since);
        let has_more = rows.len() > SYNC_ROWS;
        rows.truncate(SYNC_ROWS);
        let rev = if has_more {
            rows[SYNC_ROWS - 1].rev
        } else {
            log.rev
        };
        rows.retain(|row| members.sees_row(account, row));
        SyncOutcome::Rows {
            rev,
            rows,
            has_more,
            view: Some(view),
        }
    }

    pub fn sync_topic(&self, account: AccountId, topic: TopicId, asked: &SyncLog) -> SyncOutcome {
        if !self.state.is_seen(account, topic) {
            return SyncOutcome::Gone {};
        }
        let log = &self.state.topics[&topic];
        if asked.since > log.rev {
            return SyncOutcome::Ahead { rev: log.rev };
        }
        let floor = self.state.floor(account, topic);
        let mut changed: Vec<Row> = asked
            .ranges
            .iter()
            .flat_map(|range| {
                log.messages
                    .iter()
                    .filter(move |sent| {
                        let seq = sent.message.seq;
                        range.from <= seq && seq <= range.to && seq >= floor
                    })
                    .map(Sent::row)
                    .filter(move |row| row.rev > range.rev)
            })
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
            let highest = asked
                .ranges
                .iter()
                .map(|range| range.to.0)
                .max()
                .unwrap_or_default();
            let from = (highest + 1)
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
            authors: self.authors(&changed),
            rows: changed,
            tail_from,
            has_more,
        }
    }

    pub fn digest(
        &self,
        account: AccountId,
        community: CommunityId,
        from: Millis,
        to: Millis,
    ) -> Digest {
        let (log, members) = &self.state.communities[&community];
        let topics = log
            .rows
            .values()
            .filter_map(|row| match &row.body {
                Body::Topic(topic) => Some((topic.no, row.id.parse::<TopicId>().unwrap())),
                _ => None,
            })
            .filter(|(_, topic)| members.sees(account, *topic))
            .filter_map(|(no, topic)| {
                let state = &self.state.topics[&topic];
                (state.moved_at > from && state.moved_at <= to).then(|| TopicHead {
                    no,
                    head_seq: state.head(),
                    rev: state.rev,
                    wide_mentions: vec![],
                })
            })
            .collect();
        Digest {
            community,
            audience: members.view(account),
            from,
            to,
            topics,
            members: members.joined.len() as u64,
            online: 1,
        }
    }

    /// The slow lane.
    pub fn send_digests(&mut self) {
        let sessions: Vec<(u64, AccountId, Millis)> = self
            .sessions
            .iter()
            .map(|(id, session)| (*id, session.account, session.digest_at))
            .collect();
        for (id, account, from) in sessions {
            for community in self.state.communities.keys().copied().collect::<Vec<_>>() {
                if !self.state.communities[&community]
                    .1
                    .joined
                    .contains_key(&account)
                {
                    continue;
                }
                let digest = self.digest(account, community, from, self.now);
                if !digest.topics.is_empty() {
                    self.say(id, Pushed::Digest(digest), true);
                }
            }
            self.sessions.get_mut(&id).unwrap().digest_at = self.now;
        }
    }

    pub fn send_heartbeats(&mut self) {
        for (id, session) in &self.sessions {
            let account = session.account;
            let mut heads = vec![(Log::Account(account), self.state.accounts[&account].rev)];
            for (community, (log, members)) in &self.state.communities {
                if members.joined.contains_key(&account) {
                    heads.push((Log::Community(*community), log.rev));
                }
            }
            for topic in &session.watched {
                if let Some(log) = self.state.topics.get(topic) {
                    heads.push((Log::Topic(*topic), log.rev));
                }
            }
            let heartbeat = Heartbeat {
                now: self.now,
                heads,
            };
            self.outgoing.push((
                *id,
                ServerFrame::Pushed(Pushed::Heartbeat(heartbeat)),
                false,
            ));
        }
    }
}

//! A server as a model: the protocol said simply. State is durable at once; sessions are not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tulou_protocol::{
    AccountId, Answer, Body, ClientFrame, Code, Command, CommandId, CommunityId, Digest, Epoch,
    Greeting, Heartbeat, Log, MessageId, Push, Question, Rejection, Rev, Row, Seq, ServerFrame,
    ServerId, SessionId, Stale, TopicId,
    frame::{Busy, Refusal, Request, Response},
    id::Millis,
    limits::Limits,
    push::{Me, Pushed, SyncOutcome, SyncedLog, TopicHead},
    question::{Page, PageAt, Profiles, SyncLog, Synced, Told, Watched, WatchedTopic},
    row::{
        Community, Content, Cursor, Group, Join, Marks, Membership, Message, Profile, Reaction,
        Topic,
    },
};

use crate::{chance::Chance, store::Rows};

/// Rows in a page of changes: few, so that there are pages.
const SYNC_ROWS: usize = 5;
/// Rows of the tail.
const TAIL: u64 = 8;

/// A message and who reacted.
#[derive(Debug, Clone)]
pub struct Sent {
    pub id: MessageId,
    pub created_rev: Rev,
    pub message: Message,
    reactions: Vec<(AccountId, String)>,
}

#[derive(Debug, Clone)]
pub struct TopicLog {
    pub community: CommunityId,
    pub rev: Rev,
    pub messages: Vec<Sent>,
    moved_at: Millis,
}

/// The account's log or a community's.
#[derive(Debug, Clone, Default)]
pub struct RowLog {
    pub rev: Rev,
    pub rows: Rows,
}

#[derive(Debug, Clone, Default)]
pub struct Members {
    pub joined: BTreeMap<AccountId, Millis>,
    /// Topics that a member does not see.
    pub hidden: BTreeMap<AccountId, BTreeSet<TopicId>>,
    /// Nobody reads what was sent before he joined.
    pub is_forgetful: bool,
    next_no: u32,
}

/// What is durable.
#[derive(Debug, Clone)]
pub struct State {
    pub epoch: Epoch,
    pub accounts: BTreeMap<AccountId, RowLog>,
    pub communities: BTreeMap<CommunityId, (RowLog, Members)>,
    pub topics: BTreeMap<TopicId, TopicLog>,
    answers: BTreeMap<(AccountId, CommandId), Result<Answer, Rejection>>,
}

#[derive(Debug)]
pub struct Session {
    pub account: AccountId,
    watched: BTreeSet<TopicId>,
    digest_at: Millis,
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

fn key(row: &Row) -> (String, String) {
    (row.body.kind().to_owned(), row.id.clone())
}

impl RowLog {
    fn put(&mut self, id: String, body: Body) -> Row {
        self.rev = self.rev.next();
        let row = Row {
            id,
            rev: self.rev,
            body,
        };
        self.rows.insert(key(&row), row.clone());
        row
    }

    fn push(&self, log: Log, prev: Rev, rows: Vec<Row>) -> Push {
        Push {
            log,
            prev,
            rev: self.rev,
            rows,
            authors: vec![],
        }
    }

    fn since(&self, rev: Rev) -> Vec<Row> {
        let mut rows: Vec<Row> = self
            .rows
            .values()
            .filter(|row| row.rev > rev)
            .cloned()
            .collect();
        rows.sort_by_key(|row| row.rev);
        rows
    }
}

impl TopicLog {
    pub fn head(&self) -> Seq {
        Seq(self.messages.len() as u64)
    }

    fn find(&mut self, id: MessageId) -> Option<&mut Sent> {
        self.messages.iter_mut().find(|sent| sent.id == id)
    }
}

impl Sent {
    fn row(&self) -> Row {
        Row {
            id: self.id.to_string(),
            rev: self.message.content_rev.max(self.message.marks_rev),
            body: self.message.clone().into(),
        }
    }
}

impl State {
    pub fn is_seen(&self, account: AccountId, topic: TopicId) -> bool {
        self.topics.get(&topic).is_some_and(|log| {
            self.communities
                .get(&log.community)
                .is_some_and(|(_, members)| members.sees(account, topic))
        })
    }

    pub fn floor(&self, account: AccountId, topic: TopicId) -> Seq {
        let Some(log) = self.topics.get(&topic) else {
            return Seq(1);
        };
        let (_, members) = &self.communities[&log.community];
        let joined = members.joined.get(&account).copied().unwrap_or_default();
        if !members.is_forgetful {
            return Seq(1);
        }
        let before = log.messages.iter().filter(|sent| {
            sent.message
                .content
                .as_ref()
                .is_some_and(|content| content.sent_at < joined)
        });
        Seq(before.count() as u64 + 1)
    }

    /// The rows of a community that an account sees, without tombstones.
    pub fn seen_rows(&self, account: AccountId, community: CommunityId) -> Rows {
        let (log, members) = &self.communities[&community];
        log.rows
            .iter()
            .filter(|(_, row)| !matches!(row.body, Body::Deleted(_)))
            .filter(|(_, row)| members.sees_row(account, row))
            .map(|(key, row)| (key.clone(), row.clone()))
            .collect()
    }
}

impl Members {
    fn sees(&self, account: AccountId, topic: TopicId) -> bool {
        self.joined.contains_key(&account)
            && !self
                .hidden
                .get(&account)
                .is_some_and(|hidden| hidden.contains(&topic))
    }

    fn sees_row(&self, account: AccountId, row: &Row) -> bool {
        match row.body.kind() {
            "topic" => self.sees(account, row.id.parse().unwrap()),
            _ => self.joined.contains_key(&account),
        }
    }

    fn view(&self, account: AccountId) -> String {
        format!(
            "{:?} {:?} {}",
            self.hidden.get(&account),
            self.joined.get(&account),
            self.is_forgetful
        )
    }
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

    fn say(&mut self, to: u64, pushed: Pushed, may_be_lost: bool) {
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

    fn open(&mut self, from: u64, account: AccountId, number: u64) -> Response {
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

    fn tell(&mut self, from: u64, account: AccountId, question: Question) -> Result<Told, Code> {
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

    fn profile(&self, account: AccountId) -> Option<&Row> {
        let rows = &self.state.accounts.get(&account)?.rows;
        rows.get(&("profile".to_owned(), account.to_string()))
    }

    fn authors(&self, rows: &[Row]) -> Vec<(AccountId, Rev)> {
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

    fn page(&self, account: AccountId, topic: TopicId, at: PageAt, limit: usize) -> Page {
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

    fn sync(&self, account: AccountId, asked: &SyncLog) -> SyncOutcome {
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

    fn sync_community(
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

    fn sync_topic(&self, account: AccountId, topic: TopicId, asked: &SyncLog) -> SyncOutcome {
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

    fn digest(
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

    fn execute(
        &mut self,
        from: u64,
        account: AccountId,
        id: CommandId,
        command: Command,
    ) -> Result<Answer, Rejection> {
        if let Some(answer) = self.state.answers.get(&(account, id)) {
            return answer.clone();
        }
        let decided = self.decide(from, account, command).map_err(Rejection::from);
        self.state.answers.insert((account, id), decided.clone());
        decided
    }

    fn decide(&mut self, from: u64, actor: AccountId, command: Command) -> Result<Answer, Code> {
        match command {
            Command::MessageSend {
                topic,
                message,
                text,
                reply_to,
                written_at,
            } => self.message(from, actor, topic, |log, rev, now| {
                if text.contains("refuse me") {
                    return Err(Code::TooLong);
                }
                if let Some(sent) = log.find(message) {
                    return Ok(sent.row());
                }
                let seq = log.head().next();
                let content = Content {
                    author: actor,
                    sent_at: now,
                    written_at,
                    text,
                    reply_to,
                    edited_at: None,
                    recalled_by: None,
                    more: serde_json::Map::new(),
                };
                let sent = Sent {
                    id: message,
                    created_rev: rev,
                    message: Message {
                        seq,
                        content: Some(content),
                        content_rev: rev,
                        marks: None,
                        marks_rev: Rev::ZERO,
                        more: serde_json::Map::new(),
                    },
                    reactions: vec![],
                };
                let row = sent.row();
                log.messages.push(sent);
                Ok(row)
            }),
            Command::MessageEdit {
                topic,
                message,
                text,
            } => self.message(from, actor, topic, |log, rev, now| {
                let sent = log.find(message).ok_or(Code::NotFound)?;
                let content = sent.message.content.as_mut().ok_or(Code::NotFound)?;
                if content.author != actor {
                    return Err(Code::NotAllowed);
                }
                if content.text != text.from {
                    return Err(Code::ChangedMeanwhile);
                }
                content.text = text.to;
                content.edited_at = Some(now);
                sent.message.content_rev = rev;
                Ok(part(sent, true))
            }),
            Command::MessageRecall { topic, message } => {
                self.message(from, actor, topic, |log, rev, _| {
                    let sent = log.find(message).ok_or(Code::NotFound)?;
                    let content = sent.message.content.as_mut().ok_or(Code::NotFound)?;
                    if content.author != actor {
                        return Err(Code::NotAllowed);
                    }
                    content.text.clear();
                    content.recalled_by = Some(actor);
                    sent.message.content_rev = rev;
                    Ok(part(sent, true))
                })
            }
            Command::MessageReact {
                topic,
                message,
                key,
                on,
            } => self.message(from, actor, topic, |log, rev, _| {
                let sent = log.find(message).ok_or(Code::NotFound)?;
                sent.reactions
                    .retain(|given| *given != (actor, key.clone()));
                if on {
                    sent.reactions.push((actor, key));
                }
                let mut reactions: Vec<Reaction> = vec![];
                for (_, key) in &sent.reactions {
                    match reactions.iter_mut().find(|reaction| reaction.key == *key) {
                        Some(reaction) => reaction.count += 1,
                        None => reactions.push(Reaction {
                            key: key.clone(),
                            count: 1,
                        }),
                    }
                }
                sent.message.marks = Some(Marks {
                    reactions,
                    ..Marks::default()
                });
                sent.message.marks_rev = rev;
                Ok(part(sent, false))
            }),
            Command::CursorAdvance { topic, seq, set_no } => self.cursor(actor, topic, |cursor| {
                if set_no == cursor.set_no && seq > cursor.seq {
                    cursor.seq = seq;
                }
            }),
            Command::CursorSet { topic, seq } => self.cursor(actor, topic, |cursor| {
                cursor.seq = seq;
                cursor.set_no += 1;
            }),
            Command::ProfileEdit { display_name } => {
                let log = self.state.accounts.get_mut(&actor).unwrap();
                let prev = log.rev;
                let row = log.put(actor.to_string(), profile(&display_name.to).into());
                Ok(self.account_answer(actor, prev, vec![row]))
            }
            Command::CommunityCreate {
                community,
                name,
                group,
                group_name,
                topic,
                topic_name,
            } => {
                if self.state.communities.contains_key(&community) {
                    return Err(Code::IdTaken);
                }
                let mut log = RowLog::default();
                let mut members = Members::default();
                members.joined.insert(actor, self.now);
                members.next_no = 2;
                let rows = vec![
                    log.put(
                        community.to_string(),
                        community_row(actor, name, self.now).into(),
                    ),
                    log.put(
                        group.to_string(),
                        Group {
                            name: group_name,
                            position: "80".into(),
                            more: serde_json::Map::new(),
                        }
                        .into(),
                    ),
                    log.put(topic.to_string(), topic_row(group, topic_name, 1).into()),
                ];
                let push = log.push(Log::Community(community), Rev::ZERO, rows);
                self.state.communities.insert(community, (log, members));
                self.new_topic(community, topic);
                self.join(actor, community, true);
                Ok(Answer { pushes: vec![push] })
            }
            Command::TopicCreate {
                community,
                group,
                topic,
                name,
                ..
            } => {
                if self.state.topics.contains_key(&topic) {
                    return Err(Code::IdTaken);
                }
                let no = {
                    let (_, members) = self.member(actor, community)?;
                    if name.contains("refuse me") {
                        return Err(Code::TooLong);
                    }
                    members.next_no += 1;
                    members.next_no
                };
                self.new_topic(community, topic);
                Ok(self.structure(
                    from,
                    community,
                    topic.to_string(),
                    topic_row(group, name, no).into(),
                ))
            }
            Command::TopicEdit {
                community,
                topic,
                name,
                ..
            } => {
                if !self.state.is_seen(actor, topic) {
                    return Err(Code::NotFound);
                }
                let (log, _) = self.member(actor, community)?;
                let row = log
                    .rows
                    .get(&("topic".to_owned(), topic.to_string()))
                    .cloned()
                    .ok_or(Code::NotFound)?;
                let Body::Topic(mut body) = row.body else {
                    return Err(Code::NotFound);
                };
                let name = name.ok_or(Code::Malformed)?;
                if body.name != name.from {
                    return Err(Code::ChangedMeanwhile);
                }
                body.name = name.to;
                Ok(self.structure(from, community, topic.to_string(), body.into()))
            }
            Command::TopicDelete { community, topic } => {
                if !self.state.is_seen(actor, topic) {
                    return Err(Code::NotFound);
                }
                let (log, _) = self.member(actor, community)?;
                if !log
                    .rows
                    .contains_key(&("topic".to_owned(), topic.to_string()))
                {
                    return Err(Code::NotFound);
                }
                self.state.topics.remove(&topic);
                Ok(self.structure(
                    from,
                    community,
                    topic.to_string(),
                    Body::Deleted("topic".into()),
                ))
            }
            Command::CommunityJoin { community, .. } => {
                let (log, members) = self
                    .state
                    .communities
                    .get_mut(&community)
                    .ok_or(Code::NotFound)?;
                if members.joined.contains_key(&actor) {
                    return Err(Code::Already);
                }
                members.joined.insert(actor, self.now);
                let _ = log;
                self.join(actor, community, true);
                Ok(Answer::default())
            }
            Command::CommunityLeave { community } => {
                let (_, members) = self.member(actor, community)?;
                members.joined.remove(&actor);
                self.join(actor, community, false);
                Ok(Answer::default())
            }
            other => panic!("nobody does {}", other.method()),
        }
    }

    fn member(
        &mut self,
        actor: AccountId,
        community: CommunityId,
    ) -> Result<&mut (RowLog, Members), Code> {
        let state = self
            .state
            .communities
            .get_mut(&community)
            .ok_or(Code::NotFound)?;
        if !state.1.joined.contains_key(&actor) {
            return Err(Code::NotAMember);
        }
        Ok(state)
    }

    fn new_topic(&mut self, community: CommunityId, topic: TopicId) {
        let log = TopicLog {
            community,
            rev: Rev::ZERO,
            messages: vec![],
            moved_at: self.now,
        };
        self.state.topics.insert(topic, log);
    }

    /// A row of a community changed: everybody who is there sees it.
    fn structure(&mut self, from: u64, community: CommunityId, id: String, body: Body) -> Answer {
        let (log, members) = self.state.communities.get_mut(&community).unwrap();
        let prev = log.rev;
        let row = log.put(id.clone(), body);
        // A tombstone takes the place of the row in the model as well.
        let push = log.push(Log::Community(community), prev, vec![row]);
        let mut said = Vec::new();
        for (session, state) in &self.sessions {
            if *session != from && members.joined.contains_key(&state.account) {
                let mut push = push.clone();
                push.rows.retain(|row| members.sees_row(state.account, row));
                said.push((*session, push));
            }
        }
        for (session, push) in said {
            self.say(session, Pushed::Push(push), true);
        }
        Answer { pushes: vec![push] }
    }

    fn join(&mut self, account: AccountId, community: CommunityId, is_member: bool) {
        let body = if is_member {
            Membership {
                community,
                joined_at: self.now,
                more: serde_json::Map::new(),
            }
            .into()
        } else {
            Body::Deleted("membership".into())
        };
        let log = self.state.accounts.get_mut(&account).unwrap();
        let prev = log.rev;
        let row = log.put(community.to_string(), body);
        self.account_answer(account, prev, vec![row]);
        if !is_member {
            let gone: Vec<TopicId> = self
                .state
                .topics
                .iter()
                .filter(|(_, log)| log.community == community)
                .map(|(id, _)| *id)
                .collect();
            for session in self
                .sessions
                .values_mut()
                .filter(|session| session.account == account)
            {
                session.watched.retain(|topic| !gone.contains(topic));
            }
        }
    }

    /// Rows of an account go to all its sessions.
    fn account_answer(&mut self, account: AccountId, prev: Rev, rows: Vec<Row>) -> Answer {
        let push = self.state.accounts[&account].push(Log::Account(account), prev, rows);
        let sessions: Vec<u64> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.account == account)
            .map(|(id, _)| *id)
            .collect();
        for session in sessions {
            self.say(session, Pushed::Push(push.clone()), true);
        }
        Answer { pushes: vec![push] }
    }

    fn message(
        &mut self,
        from: u64,
        actor: AccountId,
        topic: TopicId,
        change: impl FnOnce(&mut TopicLog, Rev, Millis) -> Result<Row, Code>,
    ) -> Result<Answer, Code> {
        if !self.state.is_seen(actor, topic) {
            return Err(Code::NotFound);
        }
        let now = self.now;
        let log = self.state.topics.get_mut(&topic).unwrap();
        let (prev, head) = (log.rev, log.head());
        let row = change(log, prev.next(), now)?;
        if row.rev == prev.next() {
            log.rev = prev.next();
            log.moved_at = now;
        }
        let (rev, is_new) = (log.rev, log.head() > head);
        let push = Push {
            log: Log::Topic(topic),
            prev,
            rev,
            authors: self.authors(std::slice::from_ref(&row)),
            rows: vec![row],
        };
        if is_new {
            self.own_message(actor, topic, head);
        }
        let watchers: Vec<(u64, AccountId)> = self
            .sessions
            .iter()
            .filter(|(session, state)| **session != from && state.watched.contains(&topic))
            .map(|(session, state)| (*session, state.account))
            .collect();
        for (session, account) in watchers {
            if !self.state.is_seen(account, topic) {
                continue;
            }
            let floor = self.state.floor(account, topic);
            let mut push = push.clone();
            push.rows
                .retain(|row| matches!(&row.body, Body::Message(message) if message.seq >= floor));
            if self.chance.one_in(15) && !self.is_calm {
                self.say(
                    session,
                    Pushed::Stale(Stale {
                        log: Log::Topic(topic),
                        rev,
                    }),
                    false,
                );
            } else {
                self.say(session, Pushed::Push(push), true);
            }
        }
        Ok(Answer { pushes: vec![push] })
    }

    fn cursor_row(&self, account: AccountId, topic: TopicId) -> Cursor {
        let row = self.state.accounts[&account]
            .rows
            .get(&("cursor".to_owned(), topic.to_string()));
        match row.map(|row| &row.body) {
            Some(Body::Cursor(cursor)) => cursor.clone(),
            _ => Cursor {
                seq: Seq::ZERO,
                own: 0,
                set_no: 0,
                more: serde_json::Map::new(),
            },
        }
    }

    fn put_cursor(&mut self, account: AccountId, topic: TopicId, cursor: Cursor) -> Answer {
        let log = self.state.accounts.get_mut(&account).unwrap();
        let prev = log.rev;
        let row = log.put(topic.to_string(), cursor.into());
        self.account_answer(account, prev, vec![row])
    }

    /// A send moves the cursor only if nothing was unread.
    fn own_message(&mut self, account: AccountId, topic: TopicId, head: Seq) {
        let mut cursor = self.cursor_row(account, topic);
        if cursor.seq.0 + cursor.own == head.0 {
            cursor.seq = head.next();
            cursor.own = 0;
        } else {
            cursor.own += 1;
        }
        self.put_cursor(account, topic, cursor);
    }

    fn cursor(
        &mut self,
        actor: AccountId,
        topic: TopicId,
        change: impl FnOnce(&mut Cursor),
    ) -> Result<Answer, Code> {
        if !self.state.is_seen(actor, topic) {
            return Err(Code::NotFound);
        }
        let mut cursor = self.cursor_row(actor, topic);
        change(&mut cursor);
        let log = &self.state.topics[&topic];
        cursor.seq = cursor.seq.min(log.head());
        cursor.own = log
            .messages
            .iter()
            .filter(|sent| {
                sent.message.seq > cursor.seq
                    && sent
                        .message
                        .content
                        .as_ref()
                        .is_some_and(|content| content.author == actor)
            })
            .count() as u64;
        Ok(self.put_cursor(actor, topic, cursor))
    }

    /// The owner changes who sees what. The hub ends watches, and says so.
    pub fn change_rights(&mut self) {
        let Some(community) = self
            .chance
            .clone()
            .pick(&self.state.communities.keys().copied().collect::<Vec<_>>())
            .copied()
        else {
            return;
        };
        let topics: Vec<TopicId> = self
            .state
            .topics
            .iter()
            .filter(|(_, log)| log.community == community)
            .map(|(id, _)| *id)
            .collect();
        let (_, members) = self.state.communities.get_mut(&community).unwrap();
        let accounts: Vec<AccountId> = members.joined.keys().copied().collect();
        let (Some(account), Some(topic)) = (
            self.chance.pick(&accounts).copied(),
            self.chance.pick(&topics).copied(),
        ) else {
            return;
        };
        let changed: Vec<AccountId> = if self.chance.one_in(3) {
            members.is_forgetful = !members.is_forgetful;
            accounts
        } else {
            let hidden = members.hidden.entry(account).or_default();
            if !hidden.remove(&topic) {
                hidden.insert(topic);
            }
            vec![account]
        };
        let (log, members) = &self.state.communities[&community];
        let rev = log.rev;
        let mut stale = Vec::new();
        for (id, session) in &mut self.sessions {
            if changed.contains(&session.account) {
                let account = session.account;
                session
                    .watched
                    .retain(|topic| !topics.contains(topic) || members.sees(account, *topic));
                stale.push(*id);
            }
        }
        for id in stale {
            self.say(
                id,
                Pushed::Stale(Stale {
                    log: Log::Community(community),
                    rev,
                }),
                false,
            );
        }
    }
}

/// The row with the part that changed only.
fn part(sent: &Sent, is_content: bool) -> Row {
    let mut row = sent.row();
    if let Body::Message(message) = &mut row.body {
        if is_content {
            message.marks = None;
        } else {
            message.content = None;
        }
    }
    row
}

fn profile(name: &str) -> Profile {
    Profile {
        account_name: "name".into(),
        display_name: name.into(),
        introduction: String::new(),
        server_admin: false,
        more: serde_json::Map::new(),
    }
}

fn community_row(owner: AccountId, name: String, now: Millis) -> Community {
    Community {
        name,
        introduction: String::new(),
        owner,
        join: Join::Open,
        recall_window_ms: 0,
        edit_window_ms: None,
        created_at: now,
        more: serde_json::Map::new(),
    }
}

fn topic_row(group: tulou_protocol::GroupId, name: String, no: u32) -> Topic {
    Topic {
        group,
        name,
        introduction: String::new(),
        closed: false,
        position: "80".into(),
        no,
        more: serde_json::Map::new(),
    }
}

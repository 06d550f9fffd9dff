//! What commands do to a model server, and who is told.

use tulou_protocol::{
    AccountId, Answer, Body, Code, Command, CommandId, CommunityId, Log, Push, Rejection, Rev, Row,
    Seq, Stale, TopicId,
    id::Millis,
    push::Pushed,
    row::{
        Community, Content, Cursor, Group, Join, Marks, Membership, Message, Profile, Reaction,
        Topic,
    },
};

use crate::{
    model::{Members, RowLog, Sent, TopicLog},
    server::Server,
};

impl Server {
    pub fn execute(
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

    pub fn decide(
        &mut self,
        from: u64,
        actor: AccountId,
        command: Command,
    ) -> Result<Answer, Code> {
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

    pub fn member(
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

    pub fn new_topic(&mut self, community: CommunityId, topic: TopicId) {
        let log = TopicLog {
            community,
            rev: Rev::ZERO,
            messages: vec![],
            moved_at: self.now,
        };
        self.state.topics.insert(topic, log);
    }

    /// A row of a community changed: everybody who is there sees it.
    pub fn structure(
        &mut self,
        from: u64,
        community: CommunityId,
        id: String,
        body: Body,
    ) -> Answer {
        let (log, members) = self.state.communities.get_mut(&community).unwrap();
        let prev = log.rev;
        let row = log.put(id, body);
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

    pub fn join(&mut self, account: AccountId, community: CommunityId, is_member: bool) {
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
    pub fn account_answer(&mut self, account: AccountId, prev: Rev, rows: Vec<Row>) -> Answer {
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

    pub fn message(
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

    pub fn cursor_row(&self, account: AccountId, topic: TopicId) -> Cursor {
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

    pub fn put_cursor(&mut self, account: AccountId, topic: TopicId, cursor: Cursor) -> Answer {
        let log = self.state.accounts.get_mut(&account).unwrap();
        let prev = log.rev;
        let row = log.put(topic.to_string(), cursor.into());
        self.account_answer(account, prev, vec![row])
    }

    /// A send moves the cursor only if nothing was unread.
    pub fn own_message(&mut self, account: AccountId, topic: TopicId, head: Seq) {
        let mut cursor = self.cursor_row(account, topic);
        if cursor.seq.0 + cursor.own == head.0 {
            cursor.seq = head.next();
            cursor.own = 0;
        } else {
            cursor.own += 1;
        }
        self.put_cursor(account, topic, cursor);
    }

    pub fn cursor(
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

pub fn profile(name: &str) -> Profile {
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

//! What the person at a client does: everything that a person can, with what he sees.

use std::collections::BTreeSet;

use tulou_engine::{Input, OutboxState};
use tulou_protocol::{
    AccountId, Body, Command, CommunityId, GroupId, Log, MessageId, Question, Row, Seq, TopicId,
    command::Edit,
    id::Millis,
    question::PageAt,
    row::{Level, MessageKey, NotifyScope},
};
use uuid::Uuid;

use crate::client::{Client, Wish};

/// Communities at most: people shall meet.
const COMMUNITIES: usize = 3;

/// What everybody knows without being told by the server.
pub struct Known {
    pub communities: Vec<CommunityId>,
    pub accounts: Vec<AccountId>,
}

/// The code of a link that is somebody's, or its owner's. Links are not made: everybody has one to each community.
pub fn invite_of(community: CommunityId, by: Option<AccountId>) -> String {
    by.map_or_else(|| community.to_string(), |by| format!("{community}:{by}"))
}

/// Whose link it is that leads to a community; its owner's, if nobody is named.
pub fn invited_by(community: CommunityId, code: &str) -> Option<Option<AccountId>> {
    let rest = code.strip_prefix(&community.to_string())?;
    match rest.strip_prefix(':') {
        Some(by) => by.parse().ok().map(Some),
        None => rest.is_empty().then_some(None),
    }
}

pub fn edit<T>(from: T, to: T) -> Edit<T> {
    Edit { from, to }
}

impl Client {
    /// The person does something.
    pub fn act(&mut self, known: &Known, now: Millis) -> Vec<Wish> {
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
                } => topics.push((*community, *topic)),
                _ => {}
            }
        }
        if let Some(topic) = self.set_back()
            && self.chance.one_in(4)
        {
            let advance = self.advance(topic);
            return self.submit(advance, now);
        }
        let Some((community, topic)) = self.chance.pick(&topics).copied() else {
            return match self.chance.below(3) {
                0 => self.create(known, now),
                1 => self.join(known, now),
                _ => self.about_me(known, now),
            };
        };
        if self.chance.one_in(8)
            && let Some(wishes) = self.finish_upload(now)
        {
            return wishes;
        }
        if self.chance.one_in(3)
            && let Some(wishes) = self.follow_habit(community, topic, known, now)
        {
            return wishes;
        }
        match self.chance.below(100) {
            0..=23 => self.send(topic, known, now),
            24..=40 => self.about_message(topic, known, now),
            41..=50 => self.about_me(known, now),
            51..=64 => self.manage(community, topic, known, now),
            65..=80 => self.grant(community, topic, known, now),
            81..=84 => self.show(topic, now),
            85..=89 => {
                let seq = Seq(1 + self.chance.below(40));
                let at = match self.chance.below(5) {
                    0 => PageAt::End,
                    1 => PageAt::Before(seq),
                    2 => PageAt::After(seq),
                    3 => match self.message(topic) {
                        Some((message, ..)) => PageAt::Message(message),
                        None => PageAt::End,
                    },
                    _ => PageAt::Around(seq),
                };
                self.input(Input::Want(topic, at), now)
            }
            90 if self.chance.one_in(2) => {
                let to = Seq(1 + self.chance.below(40));
                self.input(Input::LetGo(topic, to), now)
            }
            90 => self.input(Input::Hurry, now),
            91 => {
                let ticket = self.ticket();
                let question = Question::MemberList {
                    community,
                    topic: None,
                    seats_of: None,
                    prefix: String::new(),
                    accounts: vec![],
                    after: None,
                    limit: 1,
                };
                self.input(Input::Ask(ticket, question), now)
            }
            92..=94 => self.replace(now),
            95..=96 => self.join(known, now),
            _ => self.settle_refused(now).unwrap_or_default(),
        }
    }

    /// A message that is held.
    pub fn message(&mut self, topic: TopicId) -> Option<(MessageId, String, AccountId, Seq)> {
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

    pub fn row(&self, log: Log, kind: &str, id: impl ToString) -> Option<Row> {
        let rows = self.store.rows.get(&log)?;
        rows.get(&(kind.to_owned(), id.to_string())).cloned()
    }

    /// Ids of the rows of a kind in a community.
    pub fn ids<T: std::str::FromStr>(&self, community: CommunityId, kind: &str) -> Vec<T> {
        let rows = self.store.rows.get(&Log::Community(community));
        rows.into_iter()
            .flatten()
            .filter(|((of, _), row)| of == kind && !matches!(row.body, Body::Deleted(_)))
            .filter_map(|((_, id), _)| id.parse().ok())
            .collect()
    }

    pub fn name(&mut self) -> String {
        let much = if self.chance.one_in(15) { 60 } else { 0 };
        format!("名字 {}{}", self.chance.below(1_000), "长".repeat(much))
    }

    pub fn position(&mut self) -> String {
        format!("{:02x}", self.chance.below(200))
    }

    pub fn text(&mut self, known: &Known) -> String {
        let much = if self.chance.one_in(30) { 6_000 } else { 0 };
        let mention = match self.chance.below(8) {
            0 | 1 => self
                .chance
                .pick(&known.accounts)
                .map(|account| format!("<@{account}> ")),
            2 if self.chance.one_in(2) => Some("<@everyone> ".to_owned()),
            _ => None,
        };
        let mention = mention.unwrap_or_default();
        format!(
            "{mention}言葉 {}{}",
            self.chance.below(1_000),
            "長".repeat(much)
        )
    }

    /// Whether something in the outbox names a message. No program gives its id to another one then: each would wait for
    /// the other.
    fn is_named(&self, message: MessageId) -> bool {
        let id = message.to_string();
        let mut entries = self.store.outbox.values();
        entries.any(|entry| format!("{:?}", entry.command).contains(&id))
    }

    /// An id for a message; now and then that of somebody's in another topic. No program gives one id twice, so one that was
    /// taken from elsewhere is not taken again, and what one device of an account takes no other does.
    pub fn new_message(&mut self, topic: TopicId) -> MessageId {
        // The end of an id says for which topic it was made.
        let end_of = |id: Uuid| id.as_u128() << 96;
        if self.borrows && self.chance.one_in(3) {
            let others = self.store.islands.keys().copied();
            let others: Vec<TopicId> = others.filter(|other| *other != topic).collect();
            let other = self.chance.pick(&others).copied();
            let found = other.and_then(|other| Some((other, self.message(other)?)));
            if let Some((other, (message, _, author, _))) = found
                && author != self.account
                && end_of(message.0) == end_of(other.0)
                && !self.is_named(message)
                && self.borrowed.insert(message)
            {
                return message;
            }
        }
        let id = self.chance.uuid().as_u128() >> 32 << 32;
        MessageId(Uuid::from_u128(id | end_of(topic.0) >> 96))
    }

    pub fn send(&mut self, topic: TopicId, known: &Known, now: Millis) -> Vec<Wish> {
        let message = self.new_message(topic);
        let text = self.text(known);
        let reply_to = if self.chance.one_in(5) {
            self.message(topic).map(|(id, ..)| id)
        } else {
            None
        };
        let has_upload = self.chance.one_in(9);
        if reply_to.is_none() && !has_upload {
            // A reply waits for what it replies to, and what is written later overtakes what awaits an upload.
            self.sent.entry(topic).or_default().push(message);
        }
        let send = Command::MessageSend {
            topic,
            message,
            text: text.clone(),
            reply_to,
            written_at: now,
        };
        let mut wishes = if has_upload {
            self.submit_awaiting(send, now)
        } else {
            self.submit(send, now)
        };
        match self.chance.below(18) {
            // Something that needs the message before it is there.
            0 | 1 => {
                let key = "👍".to_owned();
                let on = true;
                wishes.extend(self.submit(
                    Command::MessageReact {
                        topic,
                        message,
                        key,
                        on,
                    },
                    now,
                ));
            }
            2 => {
                self.edited.insert(message);
                let to = self.text(known);
                let text = edit(text, to);
                wishes.extend(self.submit(
                    Command::MessageEdit {
                        topic,
                        message,
                        text,
                    },
                    now,
                ));
            }
            _ => {}
        }
        wishes
    }

    pub fn about_message(&mut self, topic: TopicId, known: &Known, now: Millis) -> Vec<Wish> {
        let Some((message, text, author, seq)) = self.message(topic) else {
            return vec![];
        };
        let command = match self.chance.below(13) {
            0..=2 => {
                self.edited.insert(message);
                let to = self.text(known);
                let text = edit(text, to);
                Command::MessageEdit {
                    topic,
                    message,
                    text,
                }
            }
            3 | 4 if author == self.account || self.chance.one_in(4) => {
                self.withdrawn.insert(message);
                Command::MessageRecall { topic, message }
            }
            3..=7 => {
                let on = !self.chance.one_in(3);
                let key = (*self.chance.pick(&["🔥", "👍"]).unwrap()).to_owned();
                Command::MessageReact {
                    topic,
                    message,
                    key,
                    on,
                }
            }
            8 => {
                let on = !self.chance.one_in(3);
                Command::MessagePin { topic, message, on }
            }
            9 => Command::CursorSet { topic, seq },
            10 => self.see(topic, message),
            _ => self.advance(topic),
        };
        self.submit(command, now)
    }

    /// A mention is seen, or that is taken back: mostly one of his own, and now and then something that is none.
    pub fn see(&mut self, topic: TopicId, message: MessageId) -> Command {
        let rows = self.store.rows.get(&Log::Account(self.account));
        let mentions: Vec<(TopicId, MessageId, bool)> = rows
            .into_iter()
            .flatten()
            .filter_map(|((_, id), row)| match &row.body {
                Body::Mention(mention) => {
                    let name: MessageKey = id.parse().unwrap();
                    Some((name.topic, name.message, mention.by_edit))
                }
                _ => None,
            })
            .collect();
        let is_any = self.chance.one_in(5);
        let (of, message, is_new) = self.chance.pick(&mentions).copied().unwrap_or((
            topic,
            message,
            !self.chance.one_in(4),
        ));
        Command::MentionSeen {
            topic: if is_any { topic } else { of },
            message,
            seen: is_new != is_any,
        }
    }

    /// A topic that he marked as unread, when that is not answered yet.
    pub fn set_back(&self) -> Option<TopicId> {
        let mut entries = self.store.outbox.values();
        entries.find_map(|entry| match entry.command {
            Command::CursorSet { topic, .. } => Some(topic),
            _ => None,
        })
    }

    pub fn advance(&self, topic: TopicId) -> Command {
        let head = self.store.heads.get(&topic);
        let seq = head.map(|head| head.seq).unwrap_or_default();
        let row = self.row(Log::Account(self.account), "cursor", topic);
        let held = match row.map(|row| row.body) {
            Some(Body::Cursor(cursor)) => cursor.set_no,
            _ => 0,
        };
        // Set-backs of his own that wait count, though the server may have made a row of them already.
        let waiting = self.store.outbox.values().filter(|entry| {
            !matches!(entry.state, OutboxState::Rejected(_))
                && matches!(&entry.command, Command::CursorSet { topic: of, .. } if *of == topic)
        });
        let set_no = held + waiting.count() as u32;
        Command::CursorAdvance { topic, seq, set_no }
    }

    pub fn about_me(&mut self, known: &Known, now: Millis) -> Vec<Wish> {
        let topics = self.store.topics();
        let topic = self.chance.pick(&topics).copied();
        let command = match (self.chance.below(6), topic) {
            (0..=2, Some((_, topic))) => self.advance(topic),
            (3, Some((community, topic))) => {
                let scopes = [
                    NotifyScope::Global,
                    NotifyScope::Community(community),
                    NotifyScope::Topic(topic),
                ];
                let levels = [Level::All, Level::Mentions, Level::Nothing, Level::Inherit];
                let until = self.chance.one_in(3).then_some(now + 60_000);
                Command::NotifySet {
                    scope: *self.chance.pick(&scopes).unwrap(),
                    level: *self.chance.pick(&levels).unwrap(),
                    until,
                }
            }
            (4, _) => {
                let row = self.row(Log::Account(self.account), "profile", self.account);
                let Some(Body::Profile(profile)) = row.map(|row| row.body) else {
                    return vec![];
                };
                let display_name = edit(profile.display_name, self.name());
                Command::ProfileEdit { display_name }
            }
            _ => return self.create(known, now),
        };
        self.submit(command, now)
    }

    pub fn create(&mut self, known: &Known, now: Millis) -> Vec<Wish> {
        if known.communities.len() >= COMMUNITIES {
            return vec![];
        }
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

    pub fn join(&mut self, known: &Known, now: Millis) -> Vec<Wish> {
        let Some(community) = self.chance.pick(&known.communities).copied() else {
            return vec![];
        };
        let invite = match self.chance.below(10) {
            0 => None,
            1 => Some("wrong".to_owned()),
            2..=4 => {
                let by = self.chance.pick(&known.accounts).copied();
                Some(invite_of(community, by))
            }
            _ => Some(invite_of(community, None)),
        };
        self.live(Command::CommunityJoin { community, invite }, now)
    }

    pub fn show(&mut self, topic: TopicId, now: Millis) -> Vec<Wish> {
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

    /// Changes or discards a pending message.
    pub fn replace(&mut self, now: Millis) -> Vec<Wish> {
        let needed: BTreeSet<MessageId> = self
            .store
            .outbox
            .values()
            .filter_map(|entry| match &entry.command {
                Command::MessageEdit { message, .. } => Some(*message),
                _ => None,
            })
            .collect();
        let pending: Vec<u64> = self
            .store
            .outbox
            .values()
            .filter(|entry| {
                entry.state == OutboxState::Waiting
                    && matches!(&entry.command, Command::MessageSend { message, .. } if !needed.contains(message))
            })
            .map(|entry| entry.no)
            .collect();
        let Some(no) = self.chance.pick(&pending).copied() else {
            return vec![];
        };
        let mut entry = self.store.outbox[&no].clone();
        let Command::MessageSend { message, .. } = &entry.command else {
            return vec![];
        };
        let message = *message;
        if self.chance.one_in(3) {
            self.withdrawn.insert(message);
            if !self.unknown.contains(&entry.id) {
                self.discarded.insert(message);
            }
            self.dropped.insert(entry.id);
            self.store.outbox.remove(&no);
            return self.input(Input::Discard(entry.id), now);
        }
        let text = format!("anders {}", self.chance.below(1_000));
        self.replaced.insert(message, text.clone());
        entry.reword(text, self.may_be_sent(entry.id));
        if self.chance.one_in(2) {
            entry.awaits.clear();
        }
        self.store.outbox.insert(no, entry.clone());
        self.input(Input::Replace(entry), now)
    }
}

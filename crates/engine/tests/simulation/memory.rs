//! What a model server keeps, and what it writes when a command was decided: the store's part, said simply.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tulou_protocol::{
    AccountId, Answer, Body, Code, Command, CommandId, CommunityId, Epoch, GroupId, Log,
    MemberGroupId, MessageId, Push, Rejection, Rev, Row, Seq, TopicId,
    authors::is_said,
    id::Millis,
    permission::Place,
    push::{ReadBefore, WideMention},
    row::{Content, Cursor, Message, Profile},
};
use tulou_server::domain::{
    Change, Facts, Member, Reader, Structure, change::Expect, facts::Stored, needs,
};
use uuid::Uuid;

use crate::{acts::invited_by, room::Room, store::Rows};

/// A message, who reacted to it, and whom it addresses at large.
#[derive(Debug, Clone)]
pub struct Sent {
    pub id: MessageId,
    pub message: Message,
    pub rev: Rev,
    pub first_rev: Rev,
    pub reactions: BTreeSet<(AccountId, String)>,
    pub wide: Vec<Option<MemberGroupId>>,
}

#[derive(Debug, Clone)]
pub struct TopicLog {
    pub community: CommunityId,
    pub rev: Rev,
    pub messages: Vec<Sent>,
    pub moved_at: Millis,
}

/// An account's log.
#[derive(Debug, Clone, Default)]
pub struct Account {
    pub rev: Rev,
    /// Tombstones up to here may be forgotten.
    pub floor: Rev,
    pub rows: Rows,
    /// When the cursor of each topic was written last.
    pub read_at: BTreeMap<String, Millis>,
}

#[derive(Debug, Clone)]
pub struct Hall {
    pub structure: Arc<Structure>,
    pub members: BTreeMap<AccountId, Member>,
    /// The rev of each member's row, also of those who left.
    pub member_revs: BTreeMap<AccountId, Rev>,
    /// The last change of each row, by kind and id.
    pub row_revs: BTreeMap<(String, String), Rev>,
}

impl Hall {
    /// Whether something that decides on rights in a topic of a group has changed since a rev.
    pub fn have_rights_moved(&self, topic: TopicId, group: GroupId, since: Rev) -> bool {
        let places = [Place::Community, Place::Group(group), Place::Topic(topic)];
        self.row_revs.iter().any(|((kind, id), rev)| {
            let decides = match kind.as_str() {
                "community" => true,
                "topic" => *id == topic.to_string(),
                "access" => places
                    .iter()
                    .any(|place| id.starts_with(&format!("{place}:"))),
                _ => false,
            };
            decides && *rev > since
        })
    }
}

/// What is durable.
#[derive(Debug, Clone)]
pub struct Memory {
    pub epoch: Epoch,
    pub accounts: BTreeMap<AccountId, Account>,
    pub communities: BTreeMap<CommunityId, Hall>,
    pub topics: BTreeMap<TopicId, TopicLog>,
    /// Logs that ended: their ids are never used again.
    pub ended: BTreeMap<Uuid, Rev>,
    pub answers: BTreeMap<(AccountId, CommandId), Answer>,
    /// The last time that was given to anything.
    pub clock: Millis,
    pub room: Room,
}

/// What was written to one log.
#[derive(Debug, Clone)]
pub struct Written {
    pub log: Log,
    pub prev: Rev,
    pub rev: Rev,
    pub rows: Vec<(Seq, Row)>,
    pub authors: Vec<(AccountId, Rev)>,
}

/// One transaction.
pub struct Commit {
    pub now: Millis,
    pub logs: Vec<Written>,
}

pub enum Outcome {
    Done(Vec<Written>),
    /// The message was sent before, by another command of its author.
    Repeat(Answer),
    Refused(Rejection),
    /// What it rested on has moved: it is decided again.
    Conflict,
}

pub fn key(kind: &str, id: impl ToString) -> (String, String) {
    (kind.to_owned(), id.to_string())
}

impl Written {
    /// As somebody reads it who may read messages from `floor` on.
    pub fn push(&self, floor: Seq) -> Push {
        let rows = self.rows.iter().filter(|(seq, _)| *seq >= floor);
        Push {
            log: self.log,
            prev: self.prev,
            rev: self.rev,
            rows: rows.map(|(_, row)| row.clone()).collect(),
            authors: self.authors.iter().copied().filter(is_said).collect(),
        }
    }
}

impl TopicLog {
    pub fn pins(&self) -> usize {
        let marks = self
            .messages
            .iter()
            .filter_map(|sent| sent.message.marks.as_ref());
        marks.filter(|marks| marks.pinned_at.is_some()).count()
    }

    pub fn head(&self) -> Seq {
        Seq(self.messages.len() as u64)
    }

    pub fn find(&self, id: MessageId) -> Option<&Sent> {
        self.messages.iter().find(|sent| sent.id == id)
    }

    pub fn wide(&self) -> Vec<WideMention> {
        let from = self.messages.len().saturating_sub(100);
        self.messages[from..]
            .iter()
            .flat_map(|sent| {
                let seq = sent.message.seq;
                sent.wide.iter().map(move |member_group| WideMention {
                    seq,
                    author: sent.content().author,
                    member_group: *member_group,
                })
            })
            .collect()
    }
}

impl Sent {
    pub fn row(&self) -> Row {
        Row {
            id: self.id.to_string(),
            rev: self.rev,
            body: self.message.clone().into(),
        }
    }

    /// What is answered to whoever wrote it before.
    pub fn answer(&self, topic: TopicId) -> Answer {
        let rev = self.message.content_rev;
        let row = Row {
            rev,
            body: self.message.clone().as_written().into(),
            ..self.row()
        };
        let push = Push {
            log: Log::Topic(topic),
            prev: Rev(rev.0 - 1),
            rev,
            rows: vec![row],
            authors: vec![],
        };
        Answer { pushes: vec![push] }
    }

    pub fn content(&self) -> &Content {
        self.message.content.as_ref().unwrap()
    }
}

impl Memory {
    pub fn new(epoch: Epoch, accounts: &[AccountId]) -> Self {
        let mut memory = Self {
            epoch,
            accounts: BTreeMap::new(),
            communities: BTreeMap::new(),
            topics: BTreeMap::new(),
            ended: BTreeMap::new(),
            answers: BTreeMap::new(),
            clock: 0,
            room: Room::default(),
        };
        for account in accounts {
            let body = Profile {
                account_name: "name".into(),
                display_name: "name".into(),
                introduction: String::new(),
                server_admin: false,
                gone: false,
                more: Default::default(),
            };
            let mut commit = Commit::new(0);
            memory.put(
                &mut commit,
                Log::Account(*account),
                account.to_string(),
                body.into(),
            );
        }
        memory
    }

    /// The row of an account's log, if it was not deleted.
    pub fn row(&self, account: AccountId, kind: &str, id: impl ToString) -> Option<&Row> {
        let row = self.accounts.get(&account)?.rows.get(&key(kind, id))?;
        (!matches!(row.body, Body::Deleted(_))).then_some(row)
    }

    /// The answer that a command got. Of what somebody wrote it is looked up again, as it is.
    pub fn answer(&self, account: AccountId, id: CommandId, command: &Command) -> Option<Answer> {
        let stored = self.answers.get(&(account, id))?;
        let (Command::MessageSend { topic, message, .. }
        | Command::MessageEdit { topic, message, .. }
        | Command::MessageRecall { topic, message }) = command
        else {
            return Some(stored.clone());
        };
        let found = self.topics.get(topic).and_then(|log| log.find(*message));
        Some(found.map_or_else(Answer::default, |sent| sent.answer(*topic)))
    }

    pub fn profile_rev(&self, account: AccountId) -> Rev {
        self.row(account, "profile", account)
            .map_or(Rev::ZERO, |row| row.rev)
    }

    pub fn cursor(&self, account: AccountId, topic: TopicId) -> Option<(Cursor, Rev)> {
        let row = self.row(account, "cursor", topic)?;
        match &row.body {
            Body::Cursor(cursor) => Some((cursor.clone(), row.rev)),
            _ => None,
        }
    }

    /// How far a topic counts as read for somebody who reads it since then, where the row does not say it.
    pub fn read_before(
        &self,
        account: AccountId,
        topic: TopicId,
        reader: Reader,
    ) -> Option<ReadBefore> {
        let held = self.cursor(account, topic);
        let (read, over) = held.map_or((Seq::ZERO, Rev::ZERO), |(held, rev)| (held.seq, rev));
        let read_at = self.accounts[&account].read_at.get(&topic.to_string());
        let was_there = read_at.is_some_and(|at| *at >= reader.since);
        let log = &self.topics[&topic];
        let seq = Seq(log.first_since(reader.since).0 - 1);
        if seq <= read || was_there && reader.has_history {
            return None;
        }
        let after = log.messages.iter().skip(seq.0 as usize);
        let own = after.filter(|sent| sent.content().author == account);
        let own = own.count() as u64;
        Some(ReadBefore { seq, own, over })
    }

    pub fn since(&self, account: AccountId, rev: Rev) -> Vec<Row> {
        let rows = self.accounts[&account].rows.values();
        let mut rows: Vec<Row> = rows.filter(|row| row.rev > rev).cloned().collect();
        rows.sort_by_key(|row| row.rev);
        rows
    }

    /// The community that a command is about.
    pub fn home_of(&self, command: &Command) -> Option<CommunityId> {
        let needs = needs(command);
        match needs.topic {
            Some(topic) => Some(self.topics.get(&topic)?.community),
            None => needs.community,
        }
    }

    /// What the decision is made from.
    pub fn facts(&self, actor: AccountId, command: &Command) -> Facts<'_> {
        let needs = needs(command);
        let home = self
            .home_of(command)
            .and_then(|id| self.communities.get(&id));
        let mut facts = Facts {
            structure: home.map(|home| &*home.structure),
            actor: home.and_then(|home| home.members.get(&actor)).cloned(),
            profile_rev: self.profile_rev(actor),
            asked_message: needs.message.as_ref().map(|(message, _)| *message),
            ..Facts::default()
        };
        for account in &needs.members {
            if let Some(member) = home.and_then(|home| home.members.get(account)) {
                facts.members.insert(*account, member.clone());
            }
        }
        if let (
            Some(home),
            Command::CommunityJoin {
                community,
                invite: Some(code),
            },
        ) = (home, command)
        {
            let by = invited_by(*community, code);
            let by = by.map(|by| by.unwrap_or(home.structure.community.body.owner));
            facts.inviter = by.and_then(|by| home.members.get(&by).cloned());
        }
        let log = needs.topic.and_then(|topic| self.topics.get(&topic));
        if let (Some(topic), Some(log)) = (needs.topic, log) {
            facts.known.head_seq = log.head();
            if let Some((id, reaction)) = &needs.message {
                facts.known.message = log.find(*id).map(|sent| Stored {
                    message: sent.message.clone(),
                    rev: sent.rev,
                    has_reacted: reaction
                        .as_ref()
                        .is_some_and(|key| sent.reactions.contains(&(actor, key.clone()))),
                });
            }
            facts.known.has_reply_to = needs.reply_to.is_some_and(|id| log.find(id).is_some());
            facts.known.pins = self.room.pins(log.pins());
            if let Some(seq) = needs.cursor_at {
                if let Some((structure, member, _)) = self.visible(actor, topic) {
                    facts.known.floor = self.floor(actor, topic);
                    let reader = structure.reader(member, topic);
                    facts.known.read = self.read_before(actor, topic, reader);
                }
                facts.known.cursor = self.cursor(actor, topic);
                let at = seq.max(facts.known.unreadable()).min(log.head());
                let after = log.messages.iter().filter(|sent| sent.message.seq > at);
                facts.known.own_after =
                    after.filter(|sent| sent.content().author == actor).count() as u64;
            }
        }
        if needs.profile
            && let Some(Body::Profile(profile)) =
                self.row(actor, "profile", actor).map(|row| &row.body)
        {
            facts.known.profile = Some((profile.clone(), facts.profile_rev));
        }
        if let Some((kind, id)) = &needs.own {
            let rows = &self.accounts[&actor].rows;
            let is_own = |((of, _), row): &(&(String, String), &Row)| {
                of == kind && !matches!(row.body, Body::Deleted(_))
            };
            let count = rows.iter().filter(is_own).count();
            let is_there = self.row(actor, kind, id).is_some();
            facts.known.own = (self.room.own(kind, count), is_there);
        }
        if needs.heads {
            facts.known.written_topics = self
                .topics
                .iter()
                .filter(|(_, log)| {
                    Some(log.community) == needs.community && !log.messages.is_empty()
                })
                .map(|(topic, _)| *topic)
                .collect();
        }
        facts
    }

    pub fn rev_of(&self, log: Log) -> Option<Rev> {
        let ended = self.ended.get(&log.uuid()).copied();
        ended.or_else(|| match log {
            Log::Topic(id) => self.topics.get(&id).map(|log| log.rev),
            Log::Community(id) => self.communities.get(&id).map(|home| home.structure.rev),
            Log::Account(id) => self.accounts.get(&id).map(|log| log.rev),
        })
    }

    pub fn is_used(&self, id: Uuid) -> bool {
        self.ended.contains_key(&id)
            || self.topics.contains_key(&TopicId(id))
            || self.communities.contains_key(&CommunityId(id))
            || self.accounts.contains_key(&AccountId(id))
    }

    /// What a decision rests on holds, for nobody writes in between; only ids may be taken.
    pub fn refusal(
        &self,
        actor: AccountId,
        expects: &[Expect],
        changes: &[Change],
    ) -> Option<Outcome> {
        for expect in expects {
            let holds = match *expect {
                Expect::New(log) if self.is_used(log.uuid()) => {
                    return Some(Outcome::Refused(Code::IdTaken.into()));
                }
                Expect::New(_) => true,
                Expect::Head(log, rev) => self.rev_of(log) == Some(rev),
                Expect::Member(community, account, rev) => {
                    let home = self.communities.get(&community);
                    let member = home.and_then(|home| home.members.get(&account));
                    member.map_or(Rev::ZERO, |member| member.rev) == rev
                }
                Expect::Rights(community, topic, group, since) => self
                    .communities
                    .get(&community)
                    .is_some_and(|home| !home.have_rights_moved(topic, group, since)),
                Expect::Content(topic, id, rev) => self
                    .topics
                    .get(&topic)
                    .and_then(|log| log.find(id))
                    .is_some_and(|sent| sent.message.content_rev == rev),
                Expect::Cursor(account, topic, rev) => {
                    self.cursor(account, topic)
                        .map_or(Rev::ZERO, |(_, rev)| rev)
                        == rev
                }
                Expect::Profile(account, rev) => self.profile_rev(account) == rev,
                Expect::Lives(account) => self.accounts.contains_key(&account),
            };
            if !holds {
                return Some(Outcome::Conflict);
            }
        }
        for change in changes {
            match change {
                Change::Send(new) => {
                    let Some(sent) = self.topics[&new.topic].find(new.message) else {
                        continue;
                    };
                    if sent.content().author != actor {
                        return Some(Outcome::Refused(Code::IdTaken.into()));
                    }
                    return Some(Outcome::Repeat(sent.answer(new.topic)));
                }
                Change::Marks {
                    topic,
                    seq,
                    marking,
                    ..
                } => {
                    let log = &self.topics[topic];
                    let before = &log.messages[seq.0 as usize - 1].message.marks;
                    if let Err(no) = marking.done_to(before.as_ref(), self.room.pins(log.pins())) {
                        return Some(Outcome::Refused(no));
                    }
                }
                _ => {}
            }
        }
        None
    }
}

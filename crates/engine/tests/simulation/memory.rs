//! What a model server keeps, and what it writes when a command was decided: the store's part, said simply.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tulou_protocol::{
    AccountId, Answer, Body, Code, Command, CommandId, CommunityId, Epoch, Log, MemberGroupId,
    MessageId, Push, Rejection, Rev, Row, Seq, TopicId,
    id::Millis,
    push::WideMention,
    row::{Content, Cursor, Mark, Mention, Message, Profile},
};
use tulou_server::domain::{
    Change, Facts, Member, Structure,
    change::{Contents, Expect, Sent as NewMessage},
    facts::Stored,
    needs,
};
use uuid::Uuid;

use crate::store::Rows;

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
}

#[derive(Debug, Clone)]
pub struct Home {
    pub structure: Arc<Structure>,
    pub members: BTreeMap<AccountId, Member>,
    /// The rev of each member's row, also of those who left.
    pub member_revs: BTreeMap<AccountId, Rev>,
}

/// What is durable.
#[derive(Debug, Clone)]
pub struct Memory {
    pub epoch: Epoch,
    pub accounts: BTreeMap<AccountId, Account>,
    pub communities: BTreeMap<CommunityId, Home>,
    pub topics: BTreeMap<TopicId, TopicLog>,
    /// Logs that ended: their ids are never used again.
    pub ended: BTreeMap<Uuid, Rev>,
    pub answers: BTreeMap<(AccountId, CommandId), Answer>,
    /// The last time that was given to anything.
    pub clock: Millis,
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
            authors: self.authors.clone(),
        }
    }
}

impl TopicLog {
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
        };
        for account in accounts {
            let body = Profile {
                account_name: "name".into(),
                display_name: "name".into(),
                introduction: String::new(),
                server_admin: false,
                deleted: false,
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

    pub fn profile_rev(&self, account: AccountId) -> Rev {
        self.row(account, "profile", account)
            .map_or(Rev::ZERO, |row| row.rev)
    }

    fn cursor(&self, account: AccountId, topic: TopicId) -> Option<(Cursor, Rev)> {
        let row = self.row(account, "cursor", topic)?;
        match &row.body {
            Body::Cursor(cursor) => Some((cursor.clone(), row.rev)),
            _ => None,
        }
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
        let log = needs.topic.and_then(|topic| self.topics.get(&topic));
        if let (Some(topic), Some(log)) = (needs.topic, log) {
            facts.head_seq = log.head();
            if let Some((id, reaction)) = &needs.message {
                facts.message = log.find(*id).map(|sent| Stored {
                    message: sent.message.clone(),
                    rev: sent.rev,
                    has_reacted: reaction
                        .as_ref()
                        .is_some_and(|key| sent.reactions.contains(&(actor, key.clone()))),
                });
            }
            facts.has_reply_to = needs.reply_to.is_some_and(|id| log.find(id).is_some());
            let is_pinned = |sent: &&Sent| {
                sent.message
                    .marks
                    .as_ref()
                    .is_some_and(|marks| marks.pinned_at.is_some())
            };
            facts.pins = log.messages.iter().filter(is_pinned).count();
            if let Some(seq) = needs.cursor_at {
                if self.visible(actor, topic).is_some() {
                    facts.floor = self.floor(actor, topic);
                }
                facts.cursor = self.cursor(actor, topic);
                let at = seq.max(facts.unreadable()).min(log.head());
                let after = log.messages.iter().filter(|sent| sent.message.seq > at);
                facts.own_after =
                    after.filter(|sent| sent.content().author == actor).count() as u64;
            }
        }
        if needs.profile
            && let Some(Body::Profile(profile)) =
                self.row(actor, "profile", actor).map(|row| &row.body)
        {
            facts.profile = Some(profile.clone());
        }
        if needs.heads {
            facts.written_topics = self
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

    fn rev_of(&self, log: Log) -> Option<Rev> {
        let ended = self.ended.get(&log.uuid()).copied();
        ended.or_else(|| match log {
            Log::Topic(id) => self.topics.get(&id).map(|log| log.rev),
            Log::Community(id) => self.communities.get(&id).map(|home| home.structure.rev),
            Log::Account(id) => self.accounts.get(&id).map(|log| log.rev),
        })
    }

    fn is_used(&self, id: Uuid) -> bool {
        self.ended.contains_key(&id)
            || self.topics.contains_key(&TopicId(id))
            || self.communities.contains_key(&CommunityId(id))
            || self.accounts.contains_key(&AccountId(id))
    }

    /// What a decision rests on holds, for nobody writes in between; only ids may be taken.
    fn refusal(&self, actor: AccountId, expects: &[Expect], changes: &[Change]) -> Option<Outcome> {
        for expect in expects {
            let holds = match *expect {
                Expect::New(log) if self.is_used(log.uuid()) => {
                    return Some(Outcome::Refused(Code::IdTaken.into()));
                }
                Expect::New(_) => true,
                Expect::Head(log, rev) => self.rev_of(log) == Some(rev),
                Expect::Member(community, account, rev) => {
                    let member = self.communities[&community].members.get(&account);
                    member.map_or(Rev::ZERO, |member| member.rev) == rev
                }
                Expect::Message(topic, id, rev) => self.topics[&topic]
                    .find(id)
                    .is_some_and(|sent| sent.rev == rev),
                Expect::Cursor(account, topic, rev) => {
                    self.cursor(account, topic)
                        .map_or(Rev::ZERO, |(_, rev)| rev)
                        == rev
                }
                Expect::Profile(account, rev) => self.profile_rev(account) == rev,
                Expect::Lives(account) => self.accounts.contains_key(&account),
            };
            assert!(
                holds,
                "a decision names the revs of what it read: {expect:?}"
            );
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
                    let push = Push {
                        log: Log::Topic(new.topic),
                        prev: Rev(sent.rev.0 - 1),
                        rev: sent.rev,
                        rows: vec![sent.row()],
                        authors: vec![],
                    };
                    return Some(Outcome::Repeat(Answer { pushes: vec![push] }));
                }
                Change::InviteUsed { community, code } if *code != community.to_string() => {
                    return Some(Outcome::Refused(Code::InviteInvalid.into()));
                }
                _ => {}
            }
        }
        None
    }

    /// Writes changes in one transaction.
    pub fn commit(
        &mut self,
        account: AccountId,
        now: Millis,
        expects: &[Expect],
        changes: &[Change],
    ) -> Outcome {
        if let Some(outcome) = self.refusal(account, expects, changes) {
            return outcome;
        }
        let mut commit = Commit::new(now);
        for change in changes {
            self.change(&mut commit, change);
        }
        Outcome::Done(commit.logs)
    }

    fn change(&mut self, commit: &mut Commit, change: &Change) {
        match change {
            Change::Row { log, id, body } => self.put(commit, *log, id.clone(), body.clone()),
            Change::Send(sent) => self.send(commit, sent),
            Change::Content(contents) => self.contents(commit, contents),
            Change::Marks {
                topic,
                message,
                seq,
                marks,
                reaction,
            } => {
                let rev = self.touch(*topic, commit.now);
                let sent = self.sent(*topic, *seq);
                sent.message.marks = Some(marks.clone());
                sent.message.marks_rev = rev;
                sent.rev = rev;
                let mut row = sent.row();
                if let Body::Message(message) = &mut row.body {
                    message.content = None;
                }
                if let Some((account, key, on)) = reaction {
                    let given = (*account, key.clone());
                    if *on {
                        sent.reactions.insert(given);
                    } else {
                        sent.reactions.remove(&given);
                    }
                }
                commit.add(Log::Topic(*topic), rev, *seq, row);
                if let Some((account, key, on)) = reaction {
                    self.mark(commit, *account, (*topic, *message, *seq), key, *on);
                }
            }
            Change::Numbered { .. } => {}
            Change::Member { community, member } => {
                let home = self.communities.get_mut(community).unwrap();
                let rev = home.member_revs.entry(member.account).or_default();
                *rev = rev.next();
                let member = Member {
                    rev: *rev,
                    ..member.clone()
                };
                home.members.insert(member.account, member);
            }
            Change::MemberGone { community, account } => {
                let home = self.communities.get_mut(community).unwrap();
                home.members.remove(account);
                let rev = home.member_revs.entry(*account).or_default();
                *rev = rev.next();
            }
            Change::Seat { .. } => {}
            Change::ReadSoFar { account, topic } => {
                let head = self.topics[topic].head();
                self.read_up_to(commit, *account, *topic, head);
            }
            Change::ReadUpTo {
                account,
                topic,
                seq,
            } => self.read_up_to(commit, *account, *topic, *seq),
            Change::TopicBegins { community, topic } => {
                let log = TopicLog {
                    community: *community,
                    rev: Rev::ZERO,
                    messages: vec![],
                    moved_at: commit.now,
                };
                self.topics.insert(*topic, log);
            }
            Change::TopicEnds { topic, .. } => {
                let log = self.topics.remove(topic).unwrap();
                self.ended.insert(topic.0, log.rev);
            }
            Change::CommunityEnds { community } => {
                let home = self.communities.remove(community).unwrap();
                self.ended.insert(community.0, home.structure.rev);
            }
            Change::Bereft { community, account } => {
                self.delete(commit, *account, "membership", &community.to_string());
            }
            Change::Fades {
                account,
                kind,
                id,
                rev,
            } => {
                let row = self.row(*account, kind, id);
                if row.is_some_and(|row| row.rev == *rev) {
                    self.delete(commit, *account, kind, id);
                }
            }
            Change::MentionSeen {
                account,
                topic,
                message,
                seen,
            } => {
                let row = self.row(*account, "mention", message);
                if let Some(Body::Mention(mention)) = row.map(|row| row.body.clone())
                    && mention.by_edit == *seen
                    && mention.topic == *topic
                {
                    let body = Mention {
                        by_edit: !seen,
                        ..mention
                    };
                    let log = Log::Account(*account);
                    self.put(commit, log, message.to_string(), body.into());
                }
            }
            Change::InviteUsed { .. } | Change::Named { .. } => {}
        }
    }

    pub fn put(&mut self, commit: &mut Commit, log: Log, id: String, body: Body) {
        let rev = match log {
            Log::Account(account) => {
                let kept = self.accounts.entry(account).or_default();
                kept.rev = kept.rev.next();
                let row = Row {
                    id: id.clone(),
                    rev: kept.rev,
                    body: body.clone(),
                };
                kept.rows.insert(key(body.kind(), &id), row);
                kept.rev
            }
            Log::Community(community) => {
                let known = self
                    .communities
                    .get(&community)
                    .map(|home| home.structure.rev);
                let last = commit.logs.iter().find(|written| written.log == log);
                let last = last
                    .map(|written| written.rev)
                    .or(known)
                    .unwrap_or_default();
                last.next()
            }
            Log::Topic(_) => panic!("messages have changes of their own"),
        };
        commit.add(log, rev, Seq::ZERO, Row { id, rev, body });
        if let Log::Community(community) = log {
            let written = commit
                .logs
                .iter()
                .find(|written| written.log == log)
                .unwrap();
            let row = &written.rows.last().unwrap().1;
            if matches!(row.body, Body::Community(_)) && !self.communities.contains_key(&community)
            {
                let rows = vec![row.clone()];
                let structure = Structure::from_rows(community, rev, rows, vec![], 0, 1).unwrap();
                let home = Home {
                    structure: Arc::new(structure),
                    members: BTreeMap::new(),
                    member_revs: BTreeMap::new(),
                };
                self.communities.insert(community, home);
            }
        }
    }

    fn touch(&mut self, topic: TopicId, now: Millis) -> Rev {
        let log = self.topics.get_mut(&topic).unwrap();
        log.rev = log.rev.next();
        log.moved_at = log.moved_at.max(now);
        log.rev
    }

    fn sent(&mut self, topic: TopicId, seq: Seq) -> &mut Sent {
        &mut self.topics.get_mut(&topic).unwrap().messages[seq.0 as usize - 1]
    }

    fn send(&mut self, commit: &mut Commit, new: &NewMessage) {
        let rev = self.touch(new.topic, commit.now);
        let log = self.topics.get_mut(&new.topic).unwrap();
        let before = log.head();
        let seq = before.next();
        let sent_at = log.moved_at;
        let content = Content {
            author: new.author,
            sent_at,
            written_at: new.written_at,
            text: new.text.clone(),
            reply_to: new.reply_to,
            edited_at: None,
            recalled_by: None,
            more: Default::default(),
        };
        let sent = Sent {
            id: new.message,
            message: Message {
                seq,
                content: Some(content),
                content_rev: rev,
                marks: None,
                marks_rev: Rev::ZERO,
                more: Default::default(),
            },
            rev,
            first_rev: rev,
            reactions: BTreeSet::new(),
            wide: new.wide.clone(),
        };
        let row = sent.row();
        log.messages.push(sent);
        let author = (new.author, new.author_rev);
        commit
            .add(Log::Topic(new.topic), rev, seq, row)
            .authors
            .push(author);
        let known = self.cursor(new.author, new.topic).map(|(cursor, _)| cursor);
        let mut cursor = known.unwrap_or(Cursor {
            seq: Seq::ZERO,
            own: 0,
            set_no: 0,
            more: Default::default(),
        });
        if before.0 <= cursor.seq.0 + cursor.own {
            cursor.seq = seq;
            cursor.own = 0;
        } else {
            cursor.own += 1;
        }
        let own = Log::Account(new.author);
        self.put(commit, own, new.topic.to_string(), cursor.into());
        self.mention(
            commit,
            (new.topic, new.message, seq),
            (sent_at, false),
            &new.mentions,
        );
    }

    fn contents(&mut self, commit: &mut Commit, contents: &Contents) {
        let rev = self.touch(contents.topic, commit.now);
        let sent = self.sent(contents.topic, contents.seq);
        sent.message.content = Some(contents.content.clone());
        sent.message.content_rev = rev;
        sent.rev = rev;
        sent.wide = contents.wide.clone();
        let mut row = sent.row();
        if let Body::Message(message) = &mut row.body {
            message.marks = None;
        }
        let author = contents.content.author;
        let named = (author, self.profile_rev(author));
        commit
            .add(Log::Topic(contents.topic), rev, contents.seq, row)
            .authors
            .push(named);
        for account in &contents.unmentioned {
            self.delete(commit, *account, "mention", &contents.message.to_string());
        }
        let at = (contents.topic, contents.message, contents.seq);
        let sent_at = contents.content.sent_at;
        self.mention(commit, at, (sent_at, true), &contents.mentioned);
    }

    fn mention(
        &mut self,
        commit: &mut Commit,
        (topic, message, seq): (TopicId, MessageId, Seq),
        (sent_at, by_edit): (Millis, bool),
        accounts: &[AccountId],
    ) {
        for account in accounts {
            let body = Mention {
                topic,
                seq,
                sent_at,
                by_edit,
                more: Default::default(),
            };
            self.put(
                commit,
                Log::Account(*account),
                message.to_string(),
                body.into(),
            );
        }
    }

    fn mark(
        &mut self,
        commit: &mut Commit,
        account: AccountId,
        (topic, message, seq): (TopicId, MessageId, Seq),
        key: &str,
        on: bool,
    ) {
        let before = self.row(account, "mark", message).map(|row| &row.body);
        let mut reactions = match before {
            Some(Body::Mark(mark)) => mark.reactions.clone(),
            _ => vec![],
        };
        reactions.retain(|known| known != key);
        if on {
            reactions.push(key.to_owned());
        }
        let body = if reactions.is_empty() {
            Body::Deleted("mark".into())
        } else {
            Mark {
                topic,
                seq,
                reactions,
                more: Default::default(),
            }
            .into()
        };
        self.put(commit, Log::Account(account), message.to_string(), body);
    }

    fn read_up_to(&mut self, commit: &mut Commit, account: AccountId, topic: TopicId, seq: Seq) {
        let known = self.cursor(account, topic).map(|(cursor, _)| cursor);
        if seq <= known.as_ref().map_or(Seq::ZERO, |cursor| cursor.seq) {
            return;
        }
        let after = self.topics[&topic].messages.iter().skip(seq.0 as usize);
        let body = Cursor {
            seq,
            own: after
                .filter(|sent| sent.content().author == account)
                .count() as u64,
            set_no: known.map_or(0, |cursor| cursor.set_no),
            more: Default::default(),
        };
        self.put(
            commit,
            Log::Account(account),
            topic.to_string(),
            body.into(),
        );
    }

    fn delete(&mut self, commit: &mut Commit, account: AccountId, kind: &str, id: &str) {
        if self.row(account, kind, id).is_some() {
            let gone = Body::Deleted(kind.into());
            self.put(commit, Log::Account(account), id.to_owned(), gone);
        }
    }

    /// Tombstones of rows that fade are forgotten.
    pub fn forget_tombstones(&mut self, account: AccountId) {
        let log = self.accounts.get_mut(&account).unwrap();
        let mut floor = log.floor;
        log.rows.retain(|(kind, _), row| {
            let goes =
                matches!(row.body, Body::Deleted(_)) && (kind == "mention" || kind == "mark");
            if goes {
                floor = floor.max(row.rev);
            }
            !goes
        });
        log.floor = floor;
    }
}

impl Commit {
    pub const fn new(now: Millis) -> Self {
        Self { now, logs: vec![] }
    }

    fn add(&mut self, log: Log, rev: Rev, seq: Seq, row: Row) -> &mut Written {
        let at = self.logs.iter().position(|written| written.log == log);
        let at = at.unwrap_or_else(|| {
            self.logs.push(Written {
                log,
                prev: Rev(rev.0 - 1),
                rev,
                rows: vec![],
                authors: vec![],
            });
            self.logs.len() - 1
        });
        let written = &mut self.logs[at];
        written.rev = rev;
        written.rows.push((seq, row));
        written
    }
}

//! What a model server writes when a command was decided.

use crate::memory::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tulou_protocol::{
    AccountId, Body, Log, MessageId, Rev, Row, Seq, TopicId,
    id::Millis,
    row::{Content, Cursor, Mark, Marks, Mention, Message, MessageKey},
};
use tulou_server::domain::{
    Change, Member, Structure,
    change::{Contents, Expect, Marking, Sent as NewMessage},
};

impl Memory {
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

    pub fn change(&mut self, commit: &mut Commit, change: &Change) {
        match change {
            Change::Row { log, id, body } => self.put(commit, *log, id.clone(), body.clone()),
            Change::Send(sent) => self.send(commit, sent),
            Change::Content(contents) => self.contents(commit, contents),
            Change::Marks {
                topic,
                message,
                seq,
                marking,
            } => self.put_marks(commit, (*topic, *message, *seq), marking),
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
                let name = MessageKey::of(*topic, *message);
                let row = self.row(*account, "mention", name);
                if let Some(Body::Mention(mention)) = row.map(|row| row.body.clone())
                    && mention.by_edit == *seen
                {
                    let body = Mention {
                        by_edit: !seen,
                        ..mention
                    };
                    let log = Log::Account(*account);
                    self.put(commit, log, name.to_string(), body.into());
                }
            }
            Change::InviteUsed { .. } | Change::InvitesEnd { .. } | Change::Named { .. } => {}
        }
    }

    pub fn put_marks(
        &mut self,
        commit: &mut Commit,
        (topic, message, seq): (TopicId, MessageId, Seq),
        marking: &Marking,
    ) {
        let sent = self.sent(topic, seq);
        let is_pinned = |marks: &Marks| marks.pinned_at.is_some();
        let is_new = match marking {
            Marking::Reaction { account, key, on } => {
                let given = (*account, key.clone());
                if *on {
                    sent.reactions.insert(given)
                } else {
                    sent.reactions.remove(&given)
                }
            }
            Marking::Pin(at) => sent.message.marks.as_ref().is_some_and(is_pinned) != at.is_some(),
            Marking::Touch => true,
        };
        if !is_new {
            // His row may have faded.
            if let Marking::Reaction {
                account,
                key,
                on: true,
            } = marking
                && !self.has_mark(*account, MessageKey::of(topic, message), key)
            {
                self.mark(commit, *account, (topic, message, seq), key, true);
            }
            return;
        }
        let pins = self.room.pins(self.topics[&topic].pins());
        let before = self.sent(topic, seq).message.marks.clone();
        let marks = marking.done_to(before.as_ref(), pins).unwrap();
        let rev = self.touch(topic, commit.now);
        let sent = self.sent(topic, seq);
        sent.message.marks = Some(marks);
        sent.message.marks_rev = rev;
        sent.rev = rev;
        let mut row = sent.row();
        if let Body::Message(message) = &mut row.body {
            message.content = None;
        }
        commit.add(Log::Topic(topic), rev, seq, row);
        if let Marking::Reaction { account, key, on } = marking {
            self.mark(commit, *account, (topic, message, seq), key, *on);
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
                if body.kind() == "cursor" {
                    kept.read_at.insert(id.clone(), commit.now);
                }
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
                let home = Hall {
                    structure: Arc::new(structure),
                    members: BTreeMap::new(),
                    member_revs: BTreeMap::new(),
                    row_revs: BTreeMap::new(),
                };
                self.communities.insert(community, home);
            }
            let name = key(row.body.kind(), &row.id);
            if let Some(home) = self.communities.get_mut(&community) {
                home.row_revs.insert(name, row.rev);
            }
        }
    }

    pub fn touch(&mut self, topic: TopicId, now: Millis) -> Rev {
        let log = self.topics.get_mut(&topic).unwrap();
        log.rev = log.rev.next();
        log.moved_at = log.moved_at.max(now);
        log.rev
    }

    pub fn sent(&mut self, topic: TopicId, seq: Seq) -> &mut Sent {
        &mut self.topics.get_mut(&topic).unwrap().messages[seq.0 as usize - 1]
    }

    pub fn send(&mut self, commit: &mut Commit, new: &NewMessage) {
        let read = self.read_before(new.author, new.topic, new.reader);
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
        if let Some(read) = read {
            (cursor.seq, cursor.own) = (read.seq, read.own);
        }
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

    pub fn contents(&mut self, commit: &mut Commit, contents: &Contents) {
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
            let name = MessageKey::of(contents.topic, contents.message).to_string();
            self.delete(commit, *account, "mention", &name);
        }
        let at = (contents.topic, contents.message, contents.seq);
        let sent_at = contents.content.sent_at;
        self.mention(commit, at, (sent_at, true), &contents.mentioned);
    }

    pub fn mention(
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
                MessageKey::of(topic, message).to_string(),
                body.into(),
            );
        }
    }

    fn has_mark(&self, account: AccountId, name: MessageKey, key: &str) -> bool {
        let row = self.row(account, "mark", name);
        row.is_some_and(
            |row| matches!(&row.body, Body::Mark(mark) if mark.reactions.iter().any(|known| known == key)),
        )
    }

    pub fn mark(
        &mut self,
        commit: &mut Commit,
        account: AccountId,
        (topic, message, seq): (TopicId, MessageId, Seq),
        key: &str,
        on: bool,
    ) {
        let name = MessageKey::of(topic, message).to_string();
        let before = self.row(account, "mark", &name).map(|row| &row.body);
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
        self.put(commit, Log::Account(account), name, body);
    }

    pub fn read_up_to(
        &mut self,
        commit: &mut Commit,
        account: AccountId,
        topic: TopicId,
        seq: Seq,
    ) {
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

    pub fn delete(&mut self, commit: &mut Commit, account: AccountId, kind: &str, id: &str) {
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

    pub fn add(&mut self, log: Log, rev: Rev, seq: Seq, row: Row) -> &mut Written {
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

//! One transaction of the writer: heads are read once, counted in memory, and written back at its end. Within the
//! transaction nobody else writes, so the counting is the store's own.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};
use tulou_protocol::{
    AccountId, Code, CommunityId, Log, Rev, Row, Seq, TopicId,
    id::Millis,
    row::{Body, Cursor, Mark, Mention, Message, MessageKey},
};
use uuid::Uuid;

use super::{
    account, answer, community, ending, invite,
    log::{self, counter, number},
    message, row,
};
use crate::{
    domain::{
        change::{Change, Contents, Expect, Marking, Sent},
        message::mark_after,
    },
    store::{Commit, Head, Outcome, StoreError, Written, WrittenRow, wire::answer_json},
};

/// How one commit of a group went.
pub enum Done {
    /// Written.
    Written {
        logs: Vec<Written>,
        joined: Option<(CommunityId, i64)>,
        /// The revs of members' rows, in the order of their changes.
        members: Vec<Rev>,
        answer: String,
    },
    /// Nothing was written.
    Other(Outcome),
}

#[derive(Clone, Copy)]
pub struct LogState {
    kind: i64,
    rev: Rev,
    seq: Seq,
    moved_at: Millis,
    community: Option<CommunityId>,
    is_stored: bool,
    is_moved: bool,
}

/// The transaction.
pub struct Group<'a> {
    pub db: &'a Connection,
    /// When the writer took what is in it.
    pub began_at: Millis,
    pub heads: HashMap<Uuid, LogState>,
}

/// What one commit has written so far.
struct Progress<'a> {
    commit: &'a Commit,
    logs: Vec<Written>,
    joined: Option<(CommunityId, i64)>,
    members: Vec<Rev>,
}

impl Group<'_> {
    /// Writes one commit, unless it was written before or what it rests on has moved.
    pub fn write(&mut self, commit: &Commit) -> Result<Done, StoreError> {
        if let Some(body) = answer::find(self.db, commit.account, commit.command)? {
            return Ok(Done::Other(Outcome::Repeat(body)));
        }
        if let Some(outcome) = self.refusal(commit)? {
            return Ok(Done::Other(outcome));
        }
        let mut progress = Progress {
            commit,
            logs: Vec::new(),
            joined: None,
            members: Vec::new(),
        };
        for change in &commit.changes {
            self.change(&mut progress, change)?;
        }
        let Progress {
            logs,
            joined,
            members,
            ..
        } = progress;
        let answered = answer_json(commit, &logs);
        answer::put(self.db, commit, &answered)?;
        Ok(Done::Written {
            logs,
            joined,
            members,
            answer: answered,
        })
    }

    /// Why the commit cannot be written. Writes nothing, but for the use of an invite, which is the last to be checked.
    fn refusal(&mut self, commit: &Commit) -> Result<Option<Outcome>, StoreError> {
        for expect in &commit.expects {
            let holds = match *expect {
                Expect::Head(log, rev) => self.state(log)?.rev == rev,
                Expect::New(log) => {
                    if self.state(log)?.is_stored || self.state(log)?.is_moved {
                        return Ok(Some(Outcome::Refused(Code::IdTaken.into())));
                    }
                    true
                }
                Expect::Member(community, account, rev) => {
                    community::member_rev(self.db, community, account)? == rev
                }
                Expect::Rights(community, topic, group, since) => {
                    let log = Log::Community(community);
                    // Most often nothing at all has.
                    self.state(log)?.rev <= since
                        || !row::rights_moved(self.db, log, (topic, group), since)?
                }
                Expect::Content(topic, id, rev) => {
                    message::content_rev(self.db, topic, id)? == Some(rev)
                }
                Expect::Cursor(account, topic, rev) => {
                    message::cursor(self.db, account, topic)?.map_or(Rev::ZERO, |(_, rev)| rev)
                        == rev
                }
                Expect::Profile(account, rev) => {
                    account::profile(self.db, account)?.map_or(Rev::ZERO, |(_, rev)| rev) == rev
                }
                Expect::Lives(account) => {
                    if account::by_id(self.db, account)?.is_none() {
                        return Ok(Some(Outcome::Refused(Code::NotFound.into())));
                    }
                    true
                }
            };
            if !holds {
                return Ok(Some(Outcome::Conflict));
            }
        }
        for change in &commit.changes {
            match change {
                Change::Send(sent) => {
                    if let Some((_, present)) = message::find(self.db, sent.topic, sent.message)? {
                        return Ok(Some(self.sent_before(sent, &present)?));
                    }
                }
                Change::Marks {
                    topic,
                    seq,
                    marking,
                    ..
                } => {
                    let before = message::marks(self.db, *topic, *seq)?;
                    let pins = match marking {
                        Marking::Pin(Some(_)) => message::pins(self.db, *topic)?,
                        Marking::Pin(None) | Marking::Reaction { .. } | Marking::Touch => 0,
                    };
                    if let Err(no) = marking.done_to(before.as_ref(), pins) {
                        return Ok(Some(Outcome::Refused(no)));
                    }
                }
                Change::InviteUsed { community, code } => {
                    if !invite::take(self.db, *community, code, commit.account, commit.now)? {
                        return Ok(Some(Outcome::Refused(Code::InviteInvalid.into())));
                    }
                }
                Change::Row { .. }
                | Change::Content(_)
                | Change::Numbered { .. }
                | Change::Member { .. }
                | Change::MemberGone { .. }
                | Change::Seat { .. }
                | Change::ReadSoFar { .. }
                | Change::ReadUpTo { .. }
                | Change::TopicBegins { .. }
                | Change::TopicEnds { .. }
                | Change::CommunityEnds { .. }
                | Change::Bereft { .. }
                | Change::Fades { .. }
                | Change::MentionSeen { .. }
                | Change::InvitesEnd { .. }
                | Change::Named { .. } => {}
            }
        }
        Ok(None)
    }

    /// The same message again, under another command: the author gets the row as it is, anybody else gets nothing of it.
    fn sent_before(&self, sent: &Sent, present: &Message) -> Result<Outcome, StoreError> {
        let author = present.content.as_ref().map(|content| content.author);
        if author != Some(sent.author) {
            return Ok(Outcome::Refused(Code::IdTaken.into()));
        }
        let key = MessageKey::of(sent.topic, sent.message);
        Ok(Outcome::Repeat(answer::as_it_is(self.db, key)?))
    }

    fn state(&mut self, log: Log) -> Result<LogState, StoreError> {
        if let Some(state) = self.heads.get(&log.uuid()) {
            return Ok(*state);
        }
        let stored = self
            .db
            .prepare_cached("SELECT kind, rev, seq, moved_at FROM log WHERE id = ?1")?
            .query_row([log.uuid().as_bytes()], |row| {
                Ok(LogState {
                    kind: row.get(0)?,
                    rev: Rev(counter(row, 1)?),
                    seq: Seq(counter(row, 2)?),
                    moved_at: row.get(3)?,
                    community: None,
                    is_stored: true,
                    is_moved: false,
                })
            })
            .optional()?;
        let state = stored.unwrap_or(LogState {
            kind: log::kind(log),
            rev: Rev::ZERO,
            seq: Seq::ZERO,
            moved_at: 0,
            community: None,
            is_stored: false,
            is_moved: false,
        });
        self.heads.insert(log.uuid(), state);
        Ok(state)
    }

    /// Gives the log's next rev.
    fn next(&mut self, log: Log, now: Millis) -> Result<LogState, StoreError> {
        let mut state = self.state(log)?;
        state.rev = state.rev.next();
        state.moved_at = state.moved_at.max(now);
        state.is_moved = true;
        self.heads.insert(log.uuid(), state);
        Ok(state)
    }

    /// Writes the heads back. None of them moved before the transaction began, whenever it was decided: whoever asked until
    /// then what has moved was not told of it.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        for (id, state) in &mut self.heads {
            if !state.is_moved {
                continue;
            }
            if state.is_stored {
                self.db
                    .prepare_cached(
                        "UPDATE log SET rev = ?2, seq = ?3, moved_at = ?4 WHERE id = ?1",
                    )?
                    .execute((
                        id.as_bytes(),
                        number(state.rev.0),
                        number(state.seq.0),
                        state.moved_at.max(self.began_at),
                    ))?;
            } else {
                self.db
                    .prepare_cached(
                        "INSERT INTO log (id, kind, rev, seq, moved_at, community) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute((
                        id.as_bytes(),
                        state.kind,
                        number(state.rev.0),
                        number(state.seq.0),
                        state.moved_at.max(self.began_at),
                        state
                            .community
                            .as_ref()
                            .map_or(&[] as &[u8], |id| id.as_bytes()),
                    ))?;
            }
            state.is_stored = true;
            state.is_moved = false;
        }
        Ok(())
    }

    fn change(&mut self, progress: &mut Progress<'_>, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Row { log, id, body } => {
                if let (Log::Community(community), Some(group)) = (log, change.ended_group()) {
                    ending::member_group(self.db, *community, group)?;
                }
                self.put(progress, *log, id, body)
            }
            Change::Send(sent) => self.send(progress, sent),
            Change::Content(contents) => self.contents(progress, contents),
            Change::Marks {
                topic,
                message,
                seq,
                marking,
            } => self.mark(progress, MessageKey::of(*topic, *message), *seq, marking),
            Change::Numbered { community, last } => {
                let log = Log::Community(*community);
                let mut state = self.state(log)?;
                state.seq = Seq(u64::from(*last));
                state.is_moved = true;
                self.heads.insert(log.uuid(), state);
                Ok(())
            }
            Change::Member { community, member } => {
                if community::put_member(self.db, *community, member)? {
                    progress.joined = Some((*community, 1));
                }
                let rev = community::member_rev(self.db, *community, member.account)?;
                progress.members.push(rev);
                Ok(())
            }
            Change::MemberGone { community, account } => {
                if community::remove_member(self.db, *community, *account)? {
                    progress.joined = Some((*community, -1));
                }
                Ok(())
            }
            Change::Seat {
                community,
                topic,
                account,
                since,
            } => community::put_seat(self.db, *community, *topic, *account, *since),
            Change::ReadSoFar { account, topic } => {
                let head = self.state(Log::Topic(*topic))?.seq;
                self.read_up_to(progress, *account, *topic, head)
            }
            Change::ReadUpTo {
                account,
                topic,
                seq,
            } => self.read_up_to(progress, *account, *topic, *seq),
            Change::TopicBegins { community, topic } => {
                let log = Log::Topic(*topic);
                let mut state = self.state(log)?;
                state.community = Some(*community);
                state.moved_at = progress.commit.now;
                state.is_moved = true;
                self.heads.insert(log.uuid(), state);
                Ok(())
            }
            Change::TopicEnds { topic, .. } => {
                self.flush()?;
                self.heads.remove(&topic.0);
                ending::topic(self.db, *topic)
            }
            Change::CommunityEnds { community } => ending::community(self.db, *community),
            Change::Bereft { community, account } => {
                community::drop_member(self.db, *community, *account)?;
                self.delete(
                    progress,
                    *account,
                    "membership",
                    &community.to_string(),
                    None,
                )
            }
            Change::Fades {
                account,
                kind,
                id,
                rev,
            } => self.delete(progress, *account, kind, id, Some(*rev)),
            Change::MentionSeen {
                account,
                topic,
                message,
                seen,
            } => self.see_mention(progress, *account, MessageKey::of(*topic, *message), *seen),
            // Its use was taken when it was checked.
            Change::InviteUsed { community, code } => {
                community::came_by(self.db, *community, progress.commit.account, code)
            }
            Change::InvitesEnd { community, account } => {
                invite::revoke_of(self.db, *community, *account)
            }
            Change::Named {
                account,
                display_name,
            } => {
                account::rename(self.db, *account, display_name)?;
                community::rename(self.db, *account, display_name)
            }
        }
    }

    /// Does something to a message's marks, unless it is done.
    fn mark(
        &mut self,
        progress: &mut Progress<'_>,
        key: MessageKey,
        seq: Seq,
        marking: &Marking,
    ) -> Result<(), StoreError> {
        let before = message::marks(self.db, key.topic, seq)?;
        let is_new = match marking {
            Marking::Reaction {
                account,
                key: of,
                on,
            } => message::put_reaction(self.db, key.topic, seq, of, *account, *on)?,
            Marking::Pin(at) => {
                before
                    .as_ref()
                    .is_some_and(|marks| marks.pinned_at.is_some())
                    != at.is_some()
            }
            // It may be swept since it was looked up.
            Marking::Touch => message::author_of(self.db, key.topic, seq)?.is_some(),
        };
        if !is_new {
            return match marking {
                Marking::Reaction {
                    account,
                    key: of,
                    on: true,
                } => self.own_mark(progress, *account, (key, seq), (of, true)),
                Marking::Reaction { .. } | Marking::Pin(_) | Marking::Touch => Ok(()),
            };
        }
        // Refused before anything was written, if they are too many.
        let after = marking.done_to(before.as_ref(), 0).unwrap_or_default();
        let state = self.next(Log::Topic(key.topic), progress.commit.now)?;
        let row = message::put_marks(self.db, key, seq, &after, state.rev)?;
        progress.add(Log::Topic(key.topic), state, row)?;
        let Marking::Reaction {
            account,
            key: of,
            on,
        } = marking
        else {
            // Rare enough to say who wrote it: the profile may be newer than what readers hold.
            return match message::author_of(self.db, key.topic, seq)? {
                Some(author) => self.name_author(progress, author),
                None => Ok(()),
            };
        };
        self.own_mark(progress, *account, (key, seq), (of, *on))
    }

    /// A reaction in the log of who gave it; nothing if it is there. It may be missing though the reaction counts: these
    /// rows fade, and without one nobody could take the reaction back.
    fn own_mark(
        &mut self,
        progress: &mut Progress<'_>,
        account: AccountId,
        (key, seq): (MessageKey, Seq),
        (of, on): (&str, bool),
    ) -> Result<(), StoreError> {
        let (own, name) = (Log::Account(account), key.to_string());
        let before: Option<(Mark, Rev)> = row::find(self.db, own, "mark", &name)?;
        let before = before.map(|(mark, _)| mark);
        let holds = |mark: &Mark| mark.reactions.iter().any(|known| known == of);
        if on && before.as_ref().is_some_and(holds) {
            return Ok(());
        }
        let after = mark_after(before, key.topic, seq, of, on);
        let body = after.map_or_else(|| Body::Deleted("mark".to_owned()), Body::from);
        self.put(progress, own, &name, &body)
    }

    /// A row of an account's log becomes a tombstone if it is there, and at this rev if one is named.
    fn delete(
        &mut self,
        progress: &mut Progress<'_>,
        account: AccountId,
        kind: &str,
        id: &str,
        rev: Option<Rev>,
    ) -> Result<(), StoreError> {
        let own = Log::Account(account);
        let found = row::rev(self.db, own, kind, id)?;
        if found.is_some_and(|found| rev.is_none_or(|rev| rev == found)) {
            self.put(progress, own, id, &Body::Deleted(kind.to_owned()))?;
        }
        Ok(())
    }

    /// A mention that an edit added was seen, or counts again; one that is not there, or is so already, stays as it is.
    fn see_mention(
        &mut self,
        progress: &mut Progress<'_>,
        account: AccountId,
        mention: MessageKey,
        seen: bool,
    ) -> Result<(), StoreError> {
        let own = Log::Account(account);
        let name = mention.to_string();
        let held: Option<(Mention, Rev)> = row::find(self.db, own, "mention", &name)?;
        match held {
            Some((mention, _)) if mention.by_edit == seen => {
                let body = Mention {
                    by_edit: !seen,
                    ..mention
                };
                self.put(progress, own, &name, &body.into())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The cursor rises to a place, if it is not there yet.
    fn read_up_to(
        &mut self,
        progress: &mut Progress<'_>,
        account: AccountId,
        topic: TopicId,
        seq: Seq,
    ) -> Result<(), StoreError> {
        let known = message::cursor(self.db, account, topic)?.map(|(cursor, _)| cursor);
        if seq <= known.as_ref().map_or(Seq::ZERO, |cursor| cursor.seq) {
            return Ok(());
        }
        let own = message::own_after(self.db, topic, seq, account)?;
        let body = match known {
            Some(cursor) => Cursor { seq, own, ..cursor },
            None => Cursor {
                seq,
                own,
                set_no: 0,
                more: Default::default(),
            },
        };
        self.put(
            progress,
            Log::Account(account),
            &topic.to_string(),
            &body.into(),
        )
    }

    fn put(
        &mut self,
        progress: &mut Progress<'_>,
        log: Log,
        id: &str,
        body: &Body,
    ) -> Result<(), StoreError> {
        let state = self.next(log, progress.commit.now)?;
        let row = Row {
            id: id.to_owned(),
            rev: state.rev,
            body: body.clone(),
        };
        row::put(self.db, log, &row, progress.commit.now)?;
        progress.add(log, state, row)
    }

    fn send(&mut self, progress: &mut Progress<'_>, sent: &Sent) -> Result<(), StoreError> {
        let log = Log::Topic(sent.topic);
        let before = self.state(log)?.seq;
        let mut state = self.next(log, progress.commit.now)?;
        state.seq = before.next();
        self.heads.insert(log.uuid(), state);
        let head = Head {
            rev: state.rev,
            seq: state.seq,
        };
        let row = message::insert(self.db, sent, head, state.moved_at)?;
        progress.add(log, state, row)?;
        if let Some(written) = progress.logs.last_mut() {
            written.authors.push((sent.author, sent.author_rev));
        }
        message::put_wide(self.db, sent.topic, state.seq, &sent.wide, true)?;
        self.own_message(progress, sent, before)?;
        self.mention(
            progress,
            MessageKey::of(sent.topic, sent.message),
            (state.seq, state.moved_at, false),
            &sent.mentions,
        )
    }

    /// The author's cursor: what he writes is read by him.
    fn own_message(
        &mut self,
        progress: &mut Progress<'_>,
        sent: &Sent,
        before: Seq,
    ) -> Result<(), StoreError> {
        let known = message::cursor(self.db, sent.author, sent.topic)?;
        let mut cursor = known.map_or_else(
            || Cursor {
                seq: Seq::ZERO,
                own: 0,
                set_no: 0,
                more: Default::default(),
            },
            |(cursor, _)| cursor,
        );
        if before.0 <= cursor.seq.0 + cursor.own {
            cursor.seq = before.next();
            cursor.own = 0;
        } else {
            cursor.own += 1;
        }
        self.put(
            progress,
            Log::Account(sent.author),
            &sent.topic.to_string(),
            &cursor.into(),
        )
    }

    fn mention(
        &mut self,
        progress: &mut Progress<'_>,
        key: MessageKey,
        (seq, sent_at, by_edit): (Seq, Millis, bool),
        accounts: &[AccountId],
    ) -> Result<(), StoreError> {
        let name = key.to_string();
        for account in accounts {
            let body = Mention {
                topic: key.topic,
                seq,
                sent_at,
                by_edit,
                more: Default::default(),
            };
            self.put(progress, Log::Account(*account), &name, &body.into())?;
        }
        Ok(())
    }

    /// The log written last goes out with the rev of an author's profile.
    fn name_author(
        &self,
        progress: &mut Progress<'_>,
        author: AccountId,
    ) -> Result<(), StoreError> {
        let rev = account::profile(self.db, author)?.map_or(Rev::ZERO, |(_, rev)| rev);
        if let Some(written) = progress.logs.last_mut() {
            written.authors.push((author, rev));
        }
        Ok(())
    }

    fn contents(
        &mut self,
        progress: &mut Progress<'_>,
        contents: &Contents,
    ) -> Result<(), StoreError> {
        let log = Log::Topic(contents.topic);
        let state = self.next(log, progress.commit.now)?;
        let key = MessageKey::of(contents.topic, contents.message);
        let row = message::put_content(
            self.db,
            contents.topic,
            contents.message,
            contents.seq,
            &contents.content,
            state.rev,
        )?;
        progress.add(log, state, row)?;
        self.name_author(progress, contents.content.author)?;
        message::put_wide(self.db, contents.topic, contents.seq, &contents.wide, false)?;
        for account in &contents.unmentioned {
            self.delete(progress, *account, "mention", &key.to_string(), None)?;
        }
        self.mention(
            progress,
            key,
            (contents.seq, contents.content.sent_at, true),
            &contents.mentioned,
        )
    }
}

impl Progress<'_> {
    fn add(&mut self, log: Log, state: LogState, row: Row) -> Result<(), StoreError> {
        let at = self.logs.iter().position(|written| written.log == log);
        let at = at.unwrap_or_else(|| {
            self.logs.push(Written {
                log,
                prev: Rev(state.rev.0 - 1),
                rev: state.rev,
                rows: Vec::new(),
                authors: Vec::new(),
            });
            self.logs.len() - 1
        });
        let written = &mut self.logs[at];
        written.rev = state.rev;
        written.rows.push(WrittenRow::of(log, row)?);
        Ok(())
    }
}

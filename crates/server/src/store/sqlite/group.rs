//! One transaction of the writer.
//!
//! * `heads` counts what the logs stand at
//! * `refusal` why a commit is not written
//! * `topic` what is written to the log of a topic
//! * `own` what is written to the logs of accounts

mod heads;
mod own;
mod refusal;
mod topic;

use rusqlite::Connection;
use tulou_protocol::{
    AccountId, CommunityId, Log, MemberGroupId, Rev, Row, Seq,
    id::Millis,
    row::{Body, MessageKey},
};

use super::{account, answer, community, ending, invite, row};
use crate::{
    domain::{Member, change::Change},
    store::{Commit, Outcome, StoreError, Written, WrittenRow, wire::answer_json},
};
use heads::{Heads, LogState};

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

/// The transaction.
pub struct Group<'a> {
    db: &'a Connection,
    heads: Heads<'a>,
}

/// What one commit has written so far.
struct Progress<'a> {
    commit: &'a Commit,
    logs: Vec<Written>,
    joined: Option<(CommunityId, i64)>,
    members: Vec<Rev>,
}

impl<'a> Group<'a> {
    /// One that begins; when the writer took what is in it.
    pub fn new(db: &'a Connection, began_at: Millis) -> Self {
        Self {
            db,
            heads: Heads::new(db, began_at),
        }
    }

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

    /// Writes back what was counted; nothing is written after it.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.heads.flush()
    }

    /// Writes one change. Each kind is a line here; what has more to it has a function.
    fn change(&mut self, progress: &mut Progress<'_>, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Row { log, id, body } => {
                self.end_group(*log, change.ended_group())?;
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
                let last = Seq(u64::from(*last));
                self.heads.number(Log::Community(*community), last)
            }
            Change::Member { community, member } => self.put_member(progress, *community, member),
            Change::MemberGone { community, account } => {
                self.remove_member(progress, *community, *account)
            }
            Change::Seat {
                community,
                topic,
                account,
                since,
            } => community::put_seat(self.db, *community, *topic, *account, *since),
            Change::ReadSoFar { account, topic } => {
                let head = self.heads.at(Log::Topic(*topic))?.seq;
                self.read_up_to(progress, *account, *topic, head)
            }
            Change::TopicBegins { community, topic } => {
                self.heads.begin(*topic, *community, progress.commit.now)
            }
            Change::TopicEnds { topic, .. } => {
                self.heads.end(*topic)?;
                ending::topic(self.db, *topic)
            }
            Change::CommunityEnds { community } => ending::community(self.db, *community),
            Change::Bereft { community, account } => {
                community::drop_member(self.db, *community, *account)?;
                let of = community.to_string();
                self.delete(progress, *account, "membership", &of, None)
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

    /// With a member group goes what names it.
    fn end_group(&self, log: Log, ended: Option<MemberGroupId>) -> Result<(), StoreError> {
        match (log, ended) {
            (Log::Community(community), Some(group)) => {
                ending::member_group(self.db, community, group)
            }
            (Log::Community(_) | Log::Topic(_) | Log::Account(_), _) => Ok(()),
        }
    }

    fn put_member(
        &self,
        progress: &mut Progress<'_>,
        community: CommunityId,
        member: &Member,
    ) -> Result<(), StoreError> {
        if community::put_member(self.db, community, member)? {
            progress.joined = Some((community, 1));
        }
        let rev = community::member_rev(self.db, community, member.account)?;
        progress.members.push(rev);
        Ok(())
    }

    fn remove_member(
        &self,
        progress: &mut Progress<'_>,
        community: CommunityId,
        account: AccountId,
    ) -> Result<(), StoreError> {
        if community::remove_member(self.db, community, account)? {
            progress.joined = Some((community, -1));
        }
        Ok(())
    }

    /// A row of a log takes the log's next rev.
    fn put(
        &mut self,
        progress: &mut Progress<'_>,
        log: Log,
        id: &str,
        body: &Body,
    ) -> Result<(), StoreError> {
        let state = self.heads.next(log, progress.commit.now)?;
        let row = Row {
            id: id.to_owned(),
            rev: state.rev,
            body: body.clone(),
        };
        row::put(self.db, log, &row, progress.commit.now)?;
        progress.add(log, state, row)
    }
}

impl Progress<'_> {
    /// A row was written: it goes out with its log.
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

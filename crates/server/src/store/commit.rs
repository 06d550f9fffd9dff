//! What is written together, and what was. All of it is plain data: it goes from one process to another as it is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tulou_protocol::{
    AccountId, Body, CommandId, CommunityId, Log, Rejection, Rev, Row, Seq, id::Millis,
};

use super::StoreError;
use crate::{
    actor::Origin,
    domain::change::{Change, Expect},
};

/// Changes to be written in one transaction, with the answer that a repeat of the command gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// Who acts.
    pub account: AccountId,
    /// The command; its answer is stored.
    pub command: CommandId,
    /// Where it came from, and where the answer goes.
    pub origin: Origin,
    /// The actor sees what is written of the community like everybody else: as a push, and not in the answer.
    pub is_apart: bool,
    /// The server's time.
    pub now: Millis,
    /// What the decision rests on.
    pub expects: Vec<Expect>,
    /// What is written.
    pub changes: Vec<Change>,
}

impl Commit {
    /// The server's own: nobody commanded it, and it rests on nothing.
    #[must_use]
    pub fn of_server(account: AccountId, now: Millis, changes: Vec<Change>) -> Self {
        Self {
            account,
            command: CommandId(uuid::Uuid::now_v7()),
            origin: Origin::SERVER,
            is_apart: false,
            now,
            expects: Vec::new(),
            changes,
        }
    }

    /// It was decided before the clock went back: its times go back as well, and none is later than now.
    pub fn go_back(&mut self, shifts: &[Shift], now: Millis) {
        let back = |time: Millis| Shift::back(shifts, time).min(now);
        self.now = back(self.now);
        for change in &mut self.changes {
            for time in change.times() {
                *time = back(*time);
            }
        }
    }
}

/// What is of later than a time goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// Than which.
    pub after: Millis,
    /// By how much.
    pub by: Millis,
}

impl Shift {
    /// Where a time goes.
    #[must_use]
    pub fn back(shifts: &[Self], time: Millis) -> Millis {
        shifts.iter().fold(time, |time, shift| {
            if time > shift.after {
                time - shift.by
            } else {
                time
            }
        })
    }
}

/// The clock leapt forward, or the server did not run for long: the time may be ahead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Doubt {
    /// The time before, by which what became old is told meanwhile.
    pub stood: Millis,
    /// Until when nobody has set it right.
    pub until: Millis,
}

/// The time, as a store hears of it.
pub trait Time: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> Millis;
    /// What is stored went back, and so does the time.
    fn went_back(&self, shifts: &[Shift]);
}

/// How a commit ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Written, and durable.
    Done(Arc<Committed>),
    /// The command was committed before: its stored answer, as JSON.
    Repeat(String),
    /// Something that the decision rests on has moved: decide again.
    Conflict,
    /// Refused by what only the store knows: `id_taken`, `invite_invalid`.
    Refused(Rejection),
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Committed {
    /// Who acted.
    pub account: AccountId,
    /// The command.
    pub command: CommandId,
    /// Where it came from.
    pub origin: Origin,
    /// What changed, by log, the home first.
    pub logs: Vec<Written>,
    /// The changes, for structures in memory.
    pub changes: Vec<Change>,
    /// By how much the number of members of a community changed.
    pub joined: Option<(CommunityId, i64)>,
    /// The answer as JSON: what changed in the home log and in the actor's own. Nobody else is told of it.
    #[serde(skip)]
    pub answer: String,
    /// Rows that were written, whatever they hold: what it cost. Nobody else pays for it.
    #[serde(skip)]
    pub rows: u64,
}

impl Committed {
    /// What was written to a log, if anything was.
    #[must_use]
    pub fn of(&self, log: Log) -> Option<&Written> {
        self.logs.iter().find(|written| written.log == log)
    }

    /// The community whose structure or members it changed.
    #[must_use]
    pub fn community(&self) -> Option<CommunityId> {
        self.changes.iter().find_map(Change::community)
    }
}

/// What was written to one log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Written {
    /// Which.
    pub log: Log,
    /// The rev before.
    pub prev: Rev,
    /// The rev after.
    pub rev: Rev,
    /// The rows.
    pub rows: Vec<WrittenRow>,
    /// Authors of messages in it, with the revs of their profiles.
    pub authors: Vec<(AccountId, Rev)>,
}

/// A row that was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WrittenRow {
    /// The row; only for a community's log, whose rows are sent as each reader may see them, and for what was read again.
    pub row: Option<Row>,
    /// For a message: its place.
    pub seq: Seq,
    /// The row as it is pushed.
    pub json: String,
}

impl WrittenRow {
    /// Encodes a row of a log, once for everybody that it goes to.
    ///
    /// # Errors
    /// If it cannot be written as JSON, which no row is.
    pub fn of(log: Log, row: Row) -> Result<Self, StoreError> {
        let seq = if let Body::Message(message) = &row.body {
            message.seq
        } else {
            Seq::ZERO
        };
        Ok(Self {
            seq,
            json: serde_json::to_string(&row)?,
            row: matches!(log, Log::Community(_)).then_some(row),
        })
    }
}

/// Writes of one log, each of which continues where the one before ended: they may go out as one.
#[derive(Debug)]
pub struct Run<'a> {
    first: &'a Written,
    rest: Vec<&'a Written>,
    rev: Rev,
}

impl<'a> Run<'a> {
    /// A run of one.
    #[must_use]
    pub const fn of(first: &'a Written) -> Self {
        Self {
            first,
            rest: Vec::new(),
            rev: first.rev,
        }
    }

    /// Goes on with a write; false, and nothing is done, if others are missing between.
    #[must_use]
    pub fn goes_on(&mut self, written: &'a Written) -> bool {
        let continues = written.log == self.first.log && written.prev <= self.rev();
        if continues {
            self.rest.push(written);
            self.rev = self.rev.max(written.rev);
        }
        continues
    }

    /// Of which log.
    #[must_use]
    pub const fn log(&self) -> Log {
        self.first.log
    }

    /// The rev before it.
    #[must_use]
    pub const fn prev(&self) -> Rev {
        self.first.prev
    }

    /// The rev after it.
    #[must_use]
    pub const fn rev(&self) -> Rev {
        self.rev
    }

    /// Its writes in order.
    pub fn writes(&self) -> impl Iterator<Item = &'a Written> + '_ {
        std::iter::once(self.first).chain(self.rest.iter().copied())
    }

    /// Its rows in order.
    pub fn rows(&self) -> impl Iterator<Item = &'a WrittenRow> + '_ {
        self.writes().flat_map(|written| &written.rows)
    }
}

#[cfg(test)]
mod tests {
    use tulou_protocol::{MessageId, TopicId};
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Reader, change::Sent};

    fn written(log: u128, prev: u64, rev: u64) -> Written {
        Written {
            log: Log::Topic(TopicId(Uuid::from_u128(log))),
            prev: Rev(prev),
            rev: Rev(rev),
            rows: Vec::new(),
            authors: Vec::new(),
        }
    }

    #[test]
    fn a_run_takes_what_continues_it_and_nothing_beyond_a_gap() {
        let (first, second) = (written(1, 4, 6), written(1, 6, 7));
        let (beyond, other) = (written(1, 8, 9), written(2, 7, 8));
        let mut run = Run::of(&first);
        assert!(run.goes_on(&second));
        assert!(!run.goes_on(&beyond), "the one from 7 to 8 is missing");
        assert!(!run.goes_on(&other), "it is of another log");
        assert_eq!((run.prev(), run.rev()), (Rev(4), Rev(7)));
        assert_eq!(run.writes().count(), 2);
        let known = written(1, 4, 5);
        assert!(run.goes_on(&known));
        assert_eq!(run.rev(), Rev(7), "it brought that far already");
    }

    #[test]
    fn since_when_an_author_is_there_goes_back_with_the_clock() {
        let sent = Sent {
            topic: TopicId(Uuid::from_u128(1)),
            message: MessageId(Uuid::from_u128(2)),
            author: AccountId(Uuid::from_u128(3)),
            author_rev: Rev(1),
            text: String::new(),
            reply_to: None,
            written_at: None,
            mentions: Vec::new(),
            wide: Vec::new(),
            reader: Reader {
                since: 90,
                has_history: true,
            },
        };
        let mut commit = Commit::of_server(sent.author, 95, vec![Change::Send(Box::new(sent))]);
        let shifts = [Shift { after: 50, by: 80 }];
        commit.go_back(&shifts, 20);
        let [Change::Send(sent)] = &commit.changes[..] else {
            panic!("{commit:?}")
        };
        assert!(sent.reader.since <= 20, "he has read what was sent since");
    }
}

//! Heads of logs within a transaction: read once, counted in memory, written back at its end. Nobody else writes meanwhile,
//! so the counting is the store's own.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};
use tulou_protocol::{CommunityId, Log, Rev, Seq, TopicId, id::Millis};
use uuid::Uuid;

use crate::store::{
    StoreError,
    sqlite::log::{self, counter, number},
};

/// Where a log stands.
#[derive(Clone, Copy)]
pub struct LogState {
    kind: i64,
    pub rev: Rev,
    pub seq: Seq,
    pub moved_at: Millis,
    community: Option<CommunityId>,
    is_stored: bool,
    is_moved: bool,
}

impl LogState {
    /// Whether there is such a log, also if it began in this transaction.
    pub const fn is_there(&self) -> bool {
        self.is_stored || self.is_moved
    }
}

/// The heads of the logs that the transaction has asked for.
pub struct Heads<'a> {
    db: &'a Connection,
    /// When the writer took what is in it.
    began_at: Millis,
    known: HashMap<Uuid, LogState>,
}

impl<'a> Heads<'a> {
    /// Of a transaction that begins.
    pub fn new(db: &'a Connection, began_at: Millis) -> Self {
        Self {
            db,
            began_at,
            known: HashMap::new(),
        }
    }

    /// Where a log stands by now.
    pub fn at(&mut self, log: Log) -> Result<LogState, StoreError> {
        if let Some(state) = self.known.get(&log.uuid()) {
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
        self.known.insert(log.uuid(), state);
        Ok(state)
    }

    /// Gives the log's next rev.
    pub fn next(&mut self, log: Log, now: Millis) -> Result<LogState, StoreError> {
        let mut state = self.at(log)?;
        state.rev = state.rev.next();
        state.moved_at = state.moved_at.max(now);
        state.is_moved = true;
        self.known.insert(log.uuid(), state);
        Ok(state)
    }

    /// Gives the topic that is written to its next seq, too: the one that it has now.
    pub fn next_seq(&mut self, log: Log, now: Millis) -> Result<LogState, StoreError> {
        let mut state = self.next(log, now)?;
        state.seq = state.seq.next();
        self.known.insert(log.uuid(), state);
        Ok(state)
    }

    /// The last number that was given in a log.
    pub fn number(&mut self, log: Log, last: Seq) -> Result<(), StoreError> {
        let mut state = self.at(log)?;
        state.seq = last;
        state.is_moved = true;
        self.known.insert(log.uuid(), state);
        Ok(())
    }

    /// A topic's log begins.
    pub fn begin(
        &mut self,
        topic: TopicId,
        community: CommunityId,
        now: Millis,
    ) -> Result<(), StoreError> {
        let log = Log::Topic(topic);
        let mut state = self.at(log)?;
        state.community = Some(community);
        state.moved_at = now;
        state.is_moved = true;
        self.known.insert(log.uuid(), state);
        Ok(())
    }

    /// A topic's log ends: what was counted is written back before it is removed.
    pub fn end(&mut self, topic: TopicId) -> Result<(), StoreError> {
        self.flush()?;
        self.known.remove(&topic.0);
        Ok(())
    }

    /// Writes the heads back. None of them moved before the transaction began, whenever it was decided: whoever asked until
    /// then what has moved was not told of it.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        for (id, state) in &mut self.known {
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
}

//! The store in one SQLite file: one writer thread that commits in groups, several readers.
//!
//! * `schema`: tables and migrations
//! * `writer`: the thread
//! * `integrity`: whether the file is whole
//! * `group`: the transaction of a group of commits
//! * `times`: the times of what is written, which go back with the clock
//! * `readers`: the threads that read
//! * `known`: what a command needs to be known
//! * one file per group of tables: `log`, `row`, `message`, `community`, `account`, `listing`, `session`,
//!   `recovery`, `invite`, `answer`; `deletion`, `ending`, `fading` and `rewind` go across them

mod account;
mod answer;
mod as_accounts;
mod as_upkeep;
mod community;
mod cursor;
mod deletion;
mod ending;
mod fading;
#[cfg(test)]
mod filled;
mod group;
mod held;
pub(crate) mod integrity;
mod invite;
mod known;
mod listing;
mod log;
mod log_file;
#[cfg(test)]
mod looks;
mod member;
mod message;
mod missed;
pub(crate) mod readers;
mod recovery;
mod rewind;
mod row;
mod schema;
mod session;
pub(crate) mod snapshot;
mod times;
mod writer;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tulou_protocol::{
    AccountId, CommandId, CommunityId, Log, MemberGroupId, MessageId, Rev, Row, Seq, TopicId,
    id::Millis,
    push::ReadBefore,
    question::{Invite, PageAt, Range},
};

use super::{
    Bus, Commit, Doubt, Head, Hold, Identity, Inviting, Listed, MemberSlice, Moved, Outcome,
    Pending, RowsSince, Shift, Store, StoreError, Stretch, Time, TopicChanges, Written,
    make_file_private, make_private,
};
use crate::{
    certificate::KEY_FILE,
    domain::{
        Member, Reader, Structure,
        facts::{Known, Needs},
    },
};

/// The name of the file in the folder.
pub const FILE: &str = "tulou.sqlite";

/// Pages of the log after which it is moved into the file. Pages that were written often are moved once, so the more, the
/// less is written in all; 16 MiB are read back quickly at the next start.
const CHECKPOINT_PAGES: i64 = 4_096;

/// The newest version of a store that this program knows.
pub(super) fn known_schema() -> i64 {
    schema::known()
}

/// Whether a store of this version was made before the first release.
pub(super) const fn is_before(version: i64) -> bool {
    schema::is_before(version)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(Box::new(error))
    }
}

/// What SQLite says, if it is why something failed.
fn said(error: &StoreError) -> Option<&rusqlite::Error> {
    if let StoreError::Engine(error) = error {
        error.downcast_ref()
    } else {
        None
    }
}

/// A store in one SQLite file.
pub struct Sqlite {
    identity: Identity,
    writer: writer::Writer,
    readers: readers::Readers,
    /// None once it is closed.
    hold: Mutex<Option<Hold>>,
}

impl Sqlite {
    /// Takes hold of a folder and opens the store in it, making both if need be.
    ///
    /// # Errors
    /// If the folder cannot be used, another program works in it, or the store is damaged or was written by a newer
    /// version; it stays as it is then.
    pub fn open(folder: &Path, bus: Arc<dyn Bus>) -> Result<Self, StoreError> {
        make_private(folder)?;
        Self::open_held(Hold::take(folder)?, folder, bus)
    }

    /// Opens the store in a folder that is held.
    ///
    /// # Errors
    /// If the store is lost or damaged, or was written by a newer version; it stays as it is then.
    pub fn open_held(hold: Hold, folder: &Path, bus: Arc<dyn Bus>) -> Result<Self, StoreError> {
        let file = folder.join(FILE);
        let key = folder.join(KEY_FILE);
        // The key is made when the store has been written: without a store it is what is left of a server.
        if integrity::is_void(&file) && key.exists() {
            return Err(StoreError::Lost { file, beside: key });
        }
        make_file_private(&file)?;
        let mut connection = integrity::open(&file)?;
        let identity = schema::migrate(&mut connection)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        let readers = readers::Readers::start(&file)?;
        Ok(Self {
            identity,
            writer: writer::Writer::start(connection, bus, readers.queue()),
            readers,
            hold: Mutex::new(Some(hold)),
        })
    }

    /// Reads: for somebody, as long as that may take, or to tell everybody.
    fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        self.readers.read(Some(readers::LONGEST), read)
    }

    /// Reads for the server's own work, which nobody asks for, as long as it takes.
    fn look<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        self.readers.read(None, read)
    }

    fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        self.writer.write(write)
    }
}

impl Store for Sqlite {
    fn identity(&self) -> Identity {
        self.identity
    }

    fn commit(&self, commit: Commit) -> Pending<Outcome> {
        self.writer.commit(commit)
    }

    fn answer(&self, account: AccountId, command: CommandId) -> Pending<Option<String>> {
        self.read(move |db| answer::find(db, account, command))
    }

    fn structure(&self, community: CommunityId) -> Pending<Option<Structure>> {
        // It is read once for everybody, and kept: whoever ended it would have it begun again.
        self.look(move |db| community::structure(db, community))
    }

    fn community_of(&self, topic: TopicId) -> Pending<Option<CommunityId>> {
        self.read(move |db| log::community_of(db, topic))
    }

    fn members(&self, community: CommunityId, accounts: Vec<AccountId>) -> Pending<Vec<Member>> {
        self.read(move |db| {
            let mut members = Vec::new();
            for account in accounts {
                members.extend(community::member(db, community, account)?);
            }
            Ok(members)
        })
    }

    fn count_members(&self, community: CommunityId) -> Pending<u64> {
        self.read(move |db| community::count(db, community))
    }

    fn known(&self, actor: AccountId, needs: Needs) -> Pending<Known> {
        self.read(move |db| known::of(db, actor, &needs))
    }

    fn latest(&self) -> Pending<Millis> {
        self.look(log::latest)
    }

    fn doubt(&self) -> Pending<Option<Doubt>> {
        self.look(|db| {
            let doubt = db.query_row("SELECT stood, doubted_until FROM server", [], |row| {
                Ok(Doubt {
                    stood: row.get(0)?,
                    until: row.get(1)?,
                })
            })?;
            Ok(Some(doubt).filter(|doubt| *doubt != Doubt::default()))
        })
    }

    fn set_doubt(&self, doubt: Option<Doubt>) -> Pending<()> {
        let Doubt { stood, until } = doubt.unwrap_or_default();
        self.write(move |db| {
            db.execute(
                "UPDATE server SET stood = ?1, doubted_until = ?2",
                (stood, until),
            )?;
            Ok(())
        })
    }

    fn follow(&self, time: Arc<dyn Time>) {
        self.writer.times().follow(time);
    }

    fn settled(&self, now: Millis) -> Pending<Millis> {
        // Nobody else writes the file.
        let settled = self.writer.settled(now);
        Box::pin(async move { Ok(settled) })
    }

    fn rewind(&self, shifts: Vec<Shift>) -> Pending<()> {
        let times = self.writer.times();
        self.write(move |db| {
            shifts.iter().try_for_each(|shift| rewind::by(db, *shift))?;
            times.go_back(shifts);
            Ok(())
        })
    }

    fn heads(&self, logs: Vec<Log>) -> Pending<Vec<Option<Head>>> {
        self.read(move |db| logs.into_iter().map(|log| log::head(db, log)).collect())
    }

    fn rows_since(
        &self,
        log: Log,
        since: Rev,
        begun: Option<Rev>,
        limit: usize,
    ) -> Pending<RowsSince> {
        self.read(move |db| row::of_log(db, log, since, begun, limit))
    }

    fn missed(&self, log: Log, since: Rev, most: usize) -> Pending<Option<Written>> {
        self.read(move |db| missed::after(db, log, since, most))
    }

    fn first_since(&self, topic: TopicId, time: Millis) -> Pending<Seq> {
        self.read(move |db| message::first_since(db, topic, time))
    }

    fn read_before(
        &self,
        account: AccountId,
        topics: Vec<(TopicId, Reader)>,
    ) -> Pending<Vec<Option<ReadBefore>>> {
        self.read(move |db| {
            let topics = topics.into_iter();
            topics
                .map(|(topic, reader)| cursor::read_before(db, account, topic, reader))
                .collect()
        })
    }

    fn page(
        &self,
        topic: TopicId,
        at: PageAt,
        limit: usize,
        since: Option<Millis>,
    ) -> Pending<Option<Stretch>> {
        self.read(move |db| message::page(db, topic, at, limit, since))
    }

    fn held_messages(
        &self,
        topic: TopicId,
        author: AccountId,
        messages: Vec<MessageId>,
    ) -> Pending<Vec<MessageId>> {
        self.read(move |db| held::of_author(db, topic, author, messages))
    }

    fn topic_changes(
        &self,
        topic: TopicId,
        ranges: Vec<Range>,
        since: Option<Millis>,
        has_tail: bool,
        most: usize,
    ) -> Pending<TopicChanges> {
        self.read(move |db| message::changes(db, topic, &ranges, since, has_tail, most))
    }

    fn moved_since(
        &self,
        community: CommunityId,
        since: Millis,
        after: Option<TopicId>,
    ) -> Pending<Vec<(TopicId, Millis)>> {
        self.read(move |db| log::moved_since(db, community, since, after))
    }

    fn moved(&self, topics: Vec<TopicId>) -> Pending<Vec<Moved>> {
        self.read(move |db| log::moved(db, topics))
    }

    fn profiles(&self, accounts: Vec<AccountId>) -> Pending<Vec<Row>> {
        self.read(move |db| account::profiles(db, &accounts))
    }

    fn list_members(&self, community: CommunityId, slice: MemberSlice) -> Pending<Vec<Listed>> {
        self.read(move |db| listing::slice(db, community, &slice))
    }

    fn count_in_member_groups(
        &self,
        community: CommunityId,
        member_groups: Vec<MemberGroupId>,
    ) -> Pending<Vec<u64>> {
        self.read(move |db| listing::count(db, community, &member_groups))
    }

    fn invites(&self, community: CommunityId) -> Pending<Vec<Invite>> {
        self.read(move |db| invite::list(db, community))
    }

    fn invite(
        &self,
        code: String,
        account: Option<AccountId>,
        now: Millis,
    ) -> Pending<Option<(CommunityId, AccountId)>> {
        self.read(move |db| invite::find(db, &code, account, now))
    }

    fn take_over_invite(
        &self,
        community: CommunityId,
        code: String,
        account: AccountId,
    ) -> Pending<Option<Invite>> {
        self.write(move |db| invite::take_over(db, community, &code, account))
    }

    fn create_invite(
        &self,
        community: CommunityId,
        made: Invite,
        idle: Vec<AccountId>,
    ) -> Pending<Inviting> {
        let times = self.writer.times();
        self.write(move |db| {
            let created_at = times.right(made.created_at);
            let back = made.created_at - created_at;
            let made = Invite {
                created_at,
                expires_at: made.expires_at.map(|at| at - back),
                ..made
            };
            invite::create(db, community, &made, &idle)
        })
    }

    fn revoke_invite(&self, community: CommunityId, code: String) -> Pending<bool> {
        self.write(move |db| invite::revoke(db, community, &code))
    }

    fn has_failed(&self) -> bool {
        self.writer.has_failed()
    }

    fn try_to_write(&self) -> Pending<()> {
        self.write(schema::touch)
    }

    #[cfg(test)]
    fn hold_readers(&self) -> Box<dyn std::any::Any + Send> {
        Box::new(self.readers.hold())
    }

    #[cfg(test)]
    fn hurry(&self) {
        self.readers.hurry();
    }

    #[cfg(test)]
    fn waiting(&self) -> usize {
        self.readers.waiting()
    }

    fn close(&self) -> Pending<()> {
        let read = self.readers.close();
        let closed = self.writer.close();
        let hold = self
            .hold
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        Box::pin(async move {
            read.await?;
            let closed = closed.await;
            drop(hold);
            closed
        })
    }
}

//! The store in one SQLite file: one writer thread that commits in groups, several readers.
//!
//! * `schema`: tables and migrations
//! * `writer`: the thread
//! * `group`: the transaction of a group of commits
//! * `readers`: the threads that read
//! * one file per group of tables: `log`, `row`, `message`, `community`, `account`, `invite`, `answer`

mod account;
mod answer;
mod community;
mod group;
mod invite;
mod log;
mod message;
mod readers;
mod row;
mod schema;
mod writer;

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use tulou_protocol::{
    AccountId, CommandId, CommunityId, Log, Rev, Row, Seq, SessionId, TopicId,
    id::Millis,
    question::{Invite, PageAt, Range},
};

use super::{
    Account, Bus, Commit, Head, Identity, Known, Listed, Moved, NewAccount, Outcome, Pending,
    SignedInAs, Store, StoreError, Stretch, TokenHash, TopicChanges,
};
use crate::domain::{
    facts::Needs,
    structure::{Member, Structure},
};

/// The name of the file in the folder.
const FILE: &str = "tulou.sqlite";

/// Pages of the log after which it is moved into the file. Pages that were written often are moved once, so the more, the
/// less is written in all; 16 MiB are read back quickly at the next start.
const CHECKPOINT_PAGES: i64 = 4_096;

/// Makes the folder, readable for nobody else; one that is there stays as it is.
fn make_private(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// A store in one SQLite file.
pub struct Sqlite {
    identity: Identity,
    writer: writer::Writer,
    readers: readers::Readers,
}

impl Sqlite {
    /// Opens the store in a folder, making both if need be.
    ///
    /// # Errors
    /// If the folder cannot be used, or the store was written by a newer version.
    pub fn open(folder: &Path, bus: Bus) -> Result<Self, StoreError> {
        make_private(folder)?;
        let file = folder.join(FILE);
        let mut connection = Connection::open_with_flags(
            &file,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        schema::prepare(&connection)?;
        let identity = schema::migrate(&mut connection)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        Ok(Self {
            identity,
            writer: writer::Writer::start(connection, bus),
            readers: readers::Readers::start(&file)?,
        })
    }

    fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        self.readers.read(read)
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
        self.read(move |db| community::structure(db, community))
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
        self.read(move |db| message::known(db, actor, &needs))
    }

    fn heads(&self, logs: Vec<Log>) -> Pending<Vec<Option<Head>>> {
        self.read(move |db| logs.into_iter().map(|log| log::head(db, log)).collect())
    }

    fn rows_since(&self, log: Log, since: Rev, limit: usize) -> Pending<(Head, Vec<Row>)> {
        self.read(move |db| {
            let head = log::head(db, log)?.unwrap_or_default();
            Ok((head, row::since(db, log, since, limit)?))
        })
    }

    fn first_since(&self, topic: TopicId, time: Millis) -> Pending<Seq> {
        self.read(move |db| message::first_since(db, topic, time))
    }

    fn never_read(
        &self,
        account: AccountId,
        topics: Vec<(TopicId, Millis)>,
    ) -> Pending<Vec<(TopicId, Seq)>> {
        self.read(move |db| message::never_read(db, account, &topics))
    }

    fn page(
        &self,
        topic: TopicId,
        at: PageAt,
        limit: usize,
        floor: Seq,
    ) -> Pending<Option<Stretch>> {
        self.read(move |db| message::page(db, topic, at, limit, floor))
    }

    fn topic_changes(
        &self,
        topic: TopicId,
        ranges: Vec<Range>,
        floor: Seq,
    ) -> Pending<TopicChanges> {
        self.read(move |db| message::changes(db, topic, &ranges, floor))
    }

    fn moved_since(&self, community: CommunityId, since: Millis) -> Pending<Vec<Moved>> {
        self.read(move |db| log::moved_since(db, community, since))
    }

    fn moved(&self, topics: Vec<TopicId>) -> Pending<Vec<Moved>> {
        self.read(move |db| log::moved(db, topics))
    }

    fn profiles(&self, accounts: Vec<AccountId>) -> Pending<Vec<Row>> {
        self.read(move |db| account::profiles(db, &accounts))
    }

    fn list_members(
        &self,
        community: CommunityId,
        prefix: String,
        limit: usize,
    ) -> Pending<Vec<Listed>> {
        self.read(move |db| community::list(db, community, &prefix, limit))
    }

    fn create_account(&self, account: NewAccount) -> Pending<Option<AccountId>> {
        self.write(move |db| account::create(db, &account))
    }

    fn account(&self, name: String) -> Pending<Option<Account>> {
        self.read(move |db| account::find(db, &name))
    }

    fn has_accounts(&self) -> Pending<bool> {
        self.read(account::any)
    }

    fn create_session(
        &self,
        account: AccountId,
        session: SessionId,
        token: TokenHash,
        now: Millis,
    ) -> Pending<()> {
        self.write(move |db| account::create_session(db, account, session, token, now))
    }

    fn session(&self, token: TokenHash) -> Pending<Option<SignedInAs>> {
        self.read(move |db| account::session(db, token))
    }

    fn end_session(&self, token: TokenHash) -> Pending<Option<SessionId>> {
        self.write(move |db| account::end_session(db, token))
    }

    fn invites(&self, community: CommunityId) -> Pending<Vec<Invite>> {
        self.read(move |db| invite::list(db, community))
    }

    fn invite(&self, code: String, now: Millis) -> Pending<Option<CommunityId>> {
        self.read(move |db| invite::find(db, &code, now))
    }

    fn create_invite(&self, community: CommunityId, made: Invite) -> Pending<bool> {
        self.write(move |db| invite::create(db, community, &made))
    }

    fn revoke_invite(&self, community: CommunityId, code: String) -> Pending<bool> {
        self.write(move |db| invite::revoke(db, community, &code))
    }

    fn forget_answers(&self, before: Millis) -> Pending<()> {
        self.write(move |db| answer::forget(db, before))
    }

    fn close(&self) -> Pending<()> {
        self.writer.close()
    }
}

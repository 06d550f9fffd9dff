//! What is kept. A store speaks in the words of the domain; no SQL leaves it, and none of its methods assumes that this
//! process is the only one that writes.

use std::{future::Future, pin::Pin, sync::Arc};

use tulou_protocol::{
    AccountId, CommandId, CommunityId, Epoch, Log, MemberGroupId, MessageId, Rev, Row, Seq,
    ServerId, TopicId,
    id::Millis,
    push::{ReadBefore, WideMention},
    question::{Invite, PageAt, Range},
};

use crate::domain::{
    Member, Reader, Structure,
    facts::{Known, Needs},
};

mod accounts;
mod bus;
mod commit;
pub mod engine;
mod hold;
pub mod sqlite;
#[cfg(test)]
mod suite;
pub(crate) mod telling;
mod upkeep;
pub(crate) mod wire;

pub use accounts::*;
pub use bus::*;
pub use commit::*;
pub use hold::*;
pub use upkeep::*;

/// What a method of a store comes to, later.
pub type Pending<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// What comes of a wish to make an invite link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inviting {
    /// There it is.
    Made,
    /// There are too many that may be used.
    TooMany,
    /// Whose it was to be is a member no more.
    NoMember,
}

/// Something broke; the command was not applied, or it is not known whether it was.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine's.
    #[error("use the database")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A body could not be written or read.
    #[error("read or write a row")]
    Json(#[from] serde_json::Error),
    /// The folder cannot be used.
    #[error("use the folder of the store")]
    Folder(#[from] std::io::Error),
    /// The file was written by a newer version.
    #[error(
        "the store has version {found}, this program knows {known}: it was written by a newer version, which has to be used for it"
    )]
    Newer {
        /// The file's version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The file was written before the first release. It was left as it is.
    #[error(
        "the store has version {found}: it was made before the first release of Tulou, which this program cannot read. It was \
         left as it is; begin with another folder (`data`), or move this one away"
    )]
    Before {
        /// The file's version.
        found: i64,
    },
    /// The file is damaged. It was left as it is.
    #[error(
        "the store {} is damaged and was left as it is; restore a backup with `tulou-server restore BACKUP`. \
         What was found: {found}", .file.display()
    )]
    Damaged {
        /// The file.
        file: std::path::PathBuf,
        /// What was found, in the engine's words.
        found: String,
    },
    /// The file is not there, or has nothing in it, although a server was here.
    #[error(
        "the store {} is gone or empty, though {} beside it was made with one: put it back, or restore a backup with \
         `tulou-server restore BACKUP`; for a new server, with new invite links, take another folder",
        .file.display(), .beside.display()
    )]
    Lost {
        /// The file.
        file: std::path::PathBuf,
        /// What is made after the store.
        beside: std::path::PathBuf,
    },
    /// Another program works in the folder.
    #[error("another program works in {}", .0.display())]
    InUse(std::path::PathBuf),
    /// The read took longer than anybody may keep others waiting.
    #[error("the read took too long")]
    TooLong,
    /// The disk is full, or fails: nothing was written. It may be later.
    #[error("the disk takes nothing to be written")]
    Unwritable,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// Who the store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The server: made with the store.
    pub server: ServerId,
    /// The epoch.
    pub epoch: Epoch,
}

/// The head of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// The last rev.
    pub rev: Rev,
    /// For a topic: the last `seq`.
    pub seq: Seq,
}

/// Rows of a topic, with what they are valid as of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stretch {
    /// The topic's head.
    pub head: Head,
    /// The first message that may be among the rows.
    pub floor: Seq,
    /// Rows in the order of `seq`.
    pub rows: Vec<Row>,
    /// Their authors.
    pub authors: Vec<(AccountId, Rev)>,
}

/// What changed in a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicChanges {
    /// The topic's head.
    pub head: Head,
    /// The first message that may be among the rows.
    pub floor: Seq,
    /// The rev that the ranges are valid as of after these rows.
    pub rev: Rev,
    /// Changed rows in the order of rev, then the tail.
    pub rows: Vec<Row>,
    /// Where the tail begins; none if nothing is new, or if there are more changed rows.
    pub tail_from: Option<Seq>,
    /// There are more changed rows.
    pub has_more: bool,
    /// Changed rows that were looked at, held or not.
    pub looked_at: usize,
    /// Authors of the rows.
    pub authors: Vec<(AccountId, Rev)>,
}

/// A topic that moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub topic: TopicId,
    /// Its head.
    pub head: Head,
    /// Messages among the last 100 that mention everyone or a member group.
    pub wide: Vec<WideMention>,
}

/// Rows of a log that changed after a rev.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowsSince {
    /// The log's head.
    pub head: Head,
    /// Tombstones up to this rev may be forgotten: who asks from before it has to be told everything.
    pub floor: Rev,
    /// After which rev these rows changed: the one that was asked for, or 0 if tombstones that are needed are forgotten.
    pub since: Rev,
    /// The rows in the order of rev, tombstones among them.
    pub rows: Vec<Row>,
}

/// Which members are listed, in the order of `key` and account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberSlice {
    /// Which.
    pub of: SliceOf,
    /// After this key and account; none: from the first on.
    pub after: Option<(String, AccountId)>,
    /// At most so many.
    pub limit: usize,
}

/// What members have in common that are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SliceOf {
    /// They are members; by display name.
    Community,
    /// A member group; by display name.
    MemberGroup(MemberGroupId),
    /// How the display name begins, in lower case; by it.
    Display(String),
    /// How the account's name begins; by it.
    Account(String),
    /// They are named here; by display name, whatever `after` and `limit` say.
    These(Vec<AccountId>),
}

/// A member as a list shows him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What the list is ordered by: the display name in lower case, or the account's name.
    pub key: String,
    /// The member.
    pub member: Member,
    /// The name signed in with.
    pub account_name: String,
    /// The name to show.
    pub display_name: String,
}

/// What is kept, and how it is asked for.
pub trait Store: Accounts + Upkeep + Send + Sync + 'static {
    /// Who the store is.
    fn identity(&self) -> Identity;

    /// Writes a commit. Answered when it is durable; what was written is handed to the [`Bus`].
    fn commit(&self, commit: Commit) -> Pending<Outcome>;
    /// The stored answer of a command, as JSON.
    fn answer(&self, account: AccountId, command: CommandId) -> Pending<Option<String>>;

    /// A community's structure; none if there is none (any more).
    fn structure(&self, community: CommunityId) -> Pending<Option<Structure>>;
    /// The community that a topic belongs to.
    fn community_of(&self, topic: TopicId) -> Pending<Option<CommunityId>>;
    /// Members among some accounts.
    fn members(&self, community: CommunityId, accounts: Vec<AccountId>) -> Pending<Vec<Member>>;
    /// How many members a community has.
    fn count_members(&self, community: CommunityId) -> Pending<u64>;
    /// What a command needs to be known.
    fn known(&self, actor: AccountId, needs: Needs) -> Pending<Known>;

    /// The latest time at which a topic or a community moved.
    fn latest(&self) -> Pending<Millis>;
    /// What the clock was doubted for when the store was used last.
    fn doubt(&self) -> Pending<Option<Doubt>>;
    /// It is kept for whoever opens the store after this.
    fn set_doubt(&self, doubt: Option<Doubt>) -> Pending<()>;
    /// What tells the time from now on: nothing is written as if it had been earlier.
    fn follow(&self, time: Arc<dyn Time>);
    /// Up to when everything that moved can be read, if it is so late, whoever writes it: nothing comes to be read later that
    /// moved before then.
    fn settled(&self, now: Millis) -> Pending<Millis>;
    /// What a clock that was ahead wrote goes back, and the clock with it at the same moment; nothing that is written from
    /// then on is of later than it shows, whenever it was decided.
    fn rewind(&self, shifts: Vec<Shift>) -> Pending<()>;
    /// Heads of logs, in order; none for a log that does not exist.
    fn heads(&self, logs: Vec<Log>) -> Pending<Vec<Option<Head>>>;
    /// Rows of an account's log after a rev, tombstones among them. In the middle of its present state: that at which the
    /// state begins.
    fn rows_since(
        &self,
        log: Log,
        since: Rev,
        begun: Option<Rev>,
        limit: usize,
    ) -> Pending<RowsSince>;
    /// What was written to a log after a rev, rows of messages as they are; none if that is too much to be told, or not known
    /// any more.
    fn missed(&self, log: Log, since: Rev, most: usize) -> Pending<Option<Written>>;
    /// The first `seq` of a topic sent at a time or later; the one after the last if there is none.
    fn first_since(&self, topic: TopicId, time: Millis) -> Pending<Seq>;
    /// How far topics count as read for somebody who reads them since then, where his `Cursor` rows do not say it: he was
    /// not there before, or may not read what was sent before. In order.
    fn read_before(
        &self,
        account: AccountId,
        topics: Vec<(TopicId, Reader)>,
    ) -> Pending<Vec<Option<ReadBefore>>>;
    /// A page of a topic, of what was sent since a time, or of all of it; none if it is asked for around a message that does
    /// not exist.
    fn page(
        &self,
        topic: TopicId,
        at: PageAt,
        limit: usize,
        since: Option<Millis>,
    ) -> Pending<Option<Stretch>>;
    /// Which of these messages are there, written by an account.
    fn held_messages(
        &self,
        topic: TopicId,
        author: AccountId,
        messages: Vec<MessageId>,
    ) -> Pending<Vec<MessageId>>;
    /// What changed in stretches of a topic, of what was sent since a time, or of all of it; and, if that is wanted, its tail.
    /// No more than `most` rows are looked at for the first.
    fn topic_changes(
        &self,
        topic: TopicId,
        ranges: Vec<Range>,
        since: Option<Millis>,
        has_tail: bool,
        most: usize,
    ) -> Pending<TopicChanges>;
    /// Topics of a community that moved at a time or later, with when they did, in the order of that and of their ids. Of
    /// those of that very time, only those whose ids come after a topic's.
    fn moved_since(
        &self,
        community: CommunityId,
        since: Millis,
        after: Option<TopicId>,
    ) -> Pending<Vec<(TopicId, Millis)>>;
    /// Heads of some topics.
    fn moved(&self, topics: Vec<TopicId>) -> Pending<Vec<Moved>>;
    /// Profiles.
    fn profiles(&self, accounts: Vec<AccountId>) -> Pending<Vec<Row>>;
    /// A slice of the members.
    fn list_members(&self, community: CommunityId, slice: MemberSlice) -> Pending<Vec<Listed>>;
    /// How many members each of these member groups has.
    fn count_in_member_groups(
        &self,
        community: CommunityId,
        member_groups: Vec<MemberGroupId>,
    ) -> Pending<Vec<u64>>;

    /// Invite links of a community, newest first. Of each it is told whether it has lapsed because somebody left; whether
    /// whoever it belongs to may invite, is not looked at.
    fn invites(&self, community: CommunityId) -> Pending<Vec<Invite>>;
    /// Where an invite link leads that may be used at this time, and whose it is. An account that keeps a place of it may
    /// use it though it is used up or has expired.
    fn invite(
        &self,
        code: String,
        account: Option<AccountId>,
        now: Millis,
    ) -> Pending<Option<(CommunityId, AccountId)>>;
    /// An invite link becomes a member's; none if there is no such link, or he is a member no more.
    fn take_over_invite(
        &self,
        community: CommunityId,
        code: String,
        account: AccountId,
    ) -> Pending<Option<Invite>>;
    /// Makes an invite link of a member's. Of those that there are, those of `idle` may not be used, and those that are over.
    fn create_invite(
        &self,
        community: CommunityId,
        invite: Invite,
        idle: Vec<AccountId>,
    ) -> Pending<Inviting>;
    /// Ends an invite link; false if there is none.
    fn revoke_invite(&self, community: CommunityId, code: String) -> Pending<bool>;

    /// Whether the disk failed the last write.
    fn has_failed(&self) -> bool;
    /// Writes something that changes nothing, to see whether the disk takes it.
    fn try_to_write(&self) -> Pending<()>;
    /// Nothing is read for those who ask, until what is given back is dropped.
    #[cfg(test)]
    fn hold_readers(&self) -> Box<dyn std::any::Any + Send>;
    /// What is read for somebody ends as soon as anybody looks at how long it takes.
    #[cfg(test)]
    fn hurry(&self);
    /// Reads that wait until those before them have ended, but for what is told to everybody.
    #[cfg(test)]
    fn waiting(&self) -> usize;
    /// Writes what is on its way and closes.
    fn close(&self) -> Pending<()>;
}

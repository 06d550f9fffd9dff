//! Pushes: what the server sends on its own, and the answers that carry rows in the same shape.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{
        AccountId, CommunityId, Epoch, Log, MemberGroupId, Millis, Rev, Seq, ServerId, SessionId,
        TopicId,
    },
    limits::{self, Limits},
    row::Row,
};

/// The answer to `session.open`: what the client needs to know before anything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Greeting {
    /// The version of the protocol that both speak.
    pub version: u32,
    /// The server. Accounts and stores are named by it.
    pub server: ServerId,
    /// The server's name.
    pub server_name: String,
    /// The store's epoch. Another one than held: every log is reset.
    pub epoch: Epoch,
    /// The session.
    pub session: SessionId,
    /// Who signed in.
    pub account: AccountId,
    /// The server's time.
    pub now: Millis,
    /// The limits that an operator may have changed.
    pub limits: Limits,
    /// How much the account may have.
    #[serde(default)]
    pub account_limits: AccountLimits,
    /// The addresses that invite links should carry.
    #[serde(default)]
    pub addresses: Vec<String>,
}

/// How much an account may have: a person can come that far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountLimits {
    /// Communities that it is in.
    pub communities: usize,
    /// Levels of notifications that it has set.
    pub levels: usize,
    /// Sessions: signing in beyond them ends the one that was connected longest ago.
    pub sessions: usize,
    /// Sockets that are open at the same time; one more is refused.
    pub sockets: usize,
    /// All its sessions together may ask for as much as so many of them: beyond that they are told to wait.
    pub busy_sessions: usize,
}

impl Default for AccountLimits {
    fn default() -> Self {
        Self {
            communities: limits::COMMUNITIES,
            levels: limits::LEVELS,
            sessions: limits::SESSIONS,
            sockets: limits::SOCKETS,
            busy_sessions: limits::BUSY_SESSIONS,
        }
    }
}

/// From `prev` to `rev` these rows of the log changed. Rows that the receiver may not see are left out.
///
/// With the receiver's cursor *c*: `rev ≤ c` ignore; `prev ≤ c < rev` apply, move to `rev`; `prev > c` apply the rows,
/// keep *c*, and sync if the gap has not closed in [`crate::limits::GAP_MS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Push {
    /// Which log.
    pub log: Log,
    /// The rev before.
    pub prev: Rev,
    /// The rev it brings to.
    pub rev: Rev,
    /// The rows that changed, each in its latest state.
    pub rows: Vec<Row>,
    /// Authors of messages in it whose profiles have changed since they were made, and the revs of those; the others'
    /// have rev 1. See [`crate::authors`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<(AccountId, Rev)>,
}

/// The answer to a command: the rows it changed, its home log first. Applied like pushes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// The changes.
    pub pushes: Vec<Push>,
}

/// What the server sends on its own. The method is the JSON-RPC method of the notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", content = "params", rename_all = "snake_case")]
pub enum Pushed {
    /// Rows of a log changed.
    Push(Push),
    /// Rows were dropped, or rights changed: sync the log.
    Stale(Stale),
    /// Topics moved.
    Digest(Digest),
    /// The server is there; heads of quiet logs.
    Heartbeat(Heartbeat),
    /// The addresses that reach the server have changed. The client keeps them, so that it finds the server when the
    /// one in use goes away.
    Addresses(Addresses),
    /// How the server is: said after the greeting unless all is well, and whenever it changes.
    Condition(Condition),
    /// The session ends; `reason` says why. With `signed_out` the client asks for the password.
    Goodbye(Goodbye),
}

/// The methods of notifications from the server.
pub const METHODS: &[&str] = &[
    "push",
    "stale",
    "digest",
    "heartbeat",
    "addresses",
    "condition",
    "goodbye",
];

/// The log is at `rev` or beyond, or the view of it changed: sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stale {
    /// Which log.
    pub log: Log,
    /// Its head.
    pub rev: Rev,
}

/// Where the server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Addresses {
    /// `wss://…`, or `ws://…` on loopback; the best first. They replace those of the greeting.
    pub addresses: Vec<String>,
}

/// How the server is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// Room on its disk.
    pub disk: Disk,
    /// What is wrong with its clock, as far as it knows.
    #[serde(default)]
    pub clock: Clock,
}

/// What a server knows of its computer's clock. Every time that it names is by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// Nothing speaks against it.
    #[default]
    Right,
    /// It was not believed in the last day: it leapt, or nothing was written for so long that it may be ahead. For a day
    /// nothing that became old by that is removed.
    Doubted,
    /// It was seen to leap while the server ran: it was set, or is wrong. For a day nothing that became old by it is removed.
    Leapt,
    /// It is behind what is stored, so one of the two is wrong. The server's time goes on from the later one.
    Behind,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Room on a server's disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disk {
    /// All is well.
    #[default]
    Plenty,
    /// It runs short: the administrator should make room.
    Low,
    /// Nothing is written: commands are answered with `busy` until there is room; reading goes on.
    Full,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

/// The session ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Goodbye {
    /// Why.
    pub reason: crate::rejection::Code,
}

/// Topics of an audience that moved in the server-time window (`from`, `to`]. If `from` is later than the receiver's last
/// `to` of that audience, and than that of the last answer with heads, it asks for `community.heads` since the later one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Digest {
    /// Which community.
    pub community: CommunityId,
    /// Open topics with the same View rule are an audience, and so is each closed topic; a session receives what is said to
    /// its audiences. Opaque, and other after a change of rights.
    ///
    /// Empty: none of them; there are no topics then, and the window is compared with the last answer alone. With `from` 0
    /// only the counts have changed; otherwise something was said that the receiver could not be told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub audience: String,
    /// The window's begin.
    pub from: Millis,
    /// The window's end.
    pub to: Millis,
    /// Topics that moved.
    pub topics: Vec<TopicHead>,
    /// How many members the community has.
    pub members: u64,
    /// How many of them are connected.
    pub online: u64,
    /// In `community.heads` only: there are more. Absent: all that moved up to `to` is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<HeadsAfter>,
}

/// Where an answer with heads goes on that was full: asked on with its `to` as `since` and with this `topic` as `after`. What
/// moves meanwhile is told once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeadsAfter {
    /// The last topic of the answer.
    pub topic: TopicId,
    /// The server's time: what moves later, digests tell. So whoever asks on is done when `to` is later than what the first
    /// answer said here, however much goes on moving.
    pub until: Millis,
}

/// The head of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TopicHead {
    /// The topic's small number in its community.
    pub no: u32,
    /// The last `seq`.
    pub head_seq: Seq,
    /// The last rev.
    pub rev: Rev,
    /// Mentions of everyone or a member group in the last 100 messages; of these the last 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wide_mentions: Vec<WideMention>,
    /// In `community.heads` only, which is personal: how far I have read, where my `Cursor` row does not say it. What was
    /// sent before I was there is read. Absent there: the row says it, or nothing is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<ReadBefore>,
}

/// How far a topic counts as read for somebody who was not there before, or may not read what was sent before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadBefore {
    /// Read up to here.
    pub seq: Seq,
    /// My own messages after `seq`.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub own: u64,
    /// It holds over a `Cursor` row of this rev or an earlier one (0: there was no row). A later row says more.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub over: Rev,
}

impl ReadBefore {
    /// Whether it says more than a `Cursor` row of this rev.
    #[must_use]
    pub fn holds_over(&self, rev: Rev) -> bool {
        rev <= self.over
    }
}

fn is_nothing<T: Default + PartialEq>(count: &T) -> bool {
    *count == T::default()
}

/// A message that mentions everyone or a member group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WideMention {
    /// Its place.
    pub seq: Seq,
    /// Who wrote it: nobody is mentioned by himself, and the message may not be held.
    pub author: AccountId,
    /// Which member group; absent: everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_group: Option<MemberGroupId>,
}

/// Every [`crate::limits::HEARTBEAT_S`] seconds: heads of my account, of watched topics, of my communities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Heartbeat {
    /// The server's time.
    pub now: Millis,
    /// The heads.
    pub heads: Vec<(Log, Rev)>,
}

/// What changed in one log since the client's cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SyncedLog {
    /// Which log.
    pub log: Log,
    /// What to do.
    #[serde(flatten)]
    pub outcome: SyncOutcome,
}

/// What a client does with a synced log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum SyncOutcome {
    /// Apply the rows and move to `rev`; with `has_more` ask again from there.
    Rows {
        /// The rev they bring to.
        rev: Rev,
        /// Changed rows.
        rows: Vec<Row>,
        /// There are more.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        has_more: bool,
        /// For a community: the view stamp.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        view: Option<String>,
    },
    /// The present state of a community or account log, whole: rows that are not in it and have rev ≤ `rev` are gone.
    ///
    /// With `begun` this is its first page: rows up to `rev`. What is missing is asked for with `since` and `view` of the
    /// page before and the same `begun`, and comes as [`SyncOutcome::Rows`], tombstones of what was deleted meanwhile
    /// among them, until `has_more` is false; the state is whole then, as of the last page's `rev` and with its `view`.
    /// Another `Reset` instead begins from the beginning: what may be seen is other than what was told.
    Reset {
        /// The rev of the state, or of the first page.
        rev: Rev,
        /// The rows.
        rows: Vec<Row>,
        /// There are more: the log's rev when the first page was made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        begun: Option<Rev>,
        /// For a community: the view stamp.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        view: Option<String>,
        /// For a community: how I stand in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        me: Option<Me>,
    },
    /// A topic: rows of the named ranges that changed since each range's rev, and the newest rows.
    Topic {
        /// The rev that the ranges and the tail are valid as of, once `has_more` is false.
        rev: Rev,
        /// The last `seq`.
        head_seq: Seq,
        /// The first `seq` that the reader may read.
        floor: Seq,
        /// Changed rows of the ranges, in the order of rev; then, on the last page, the tail.
        rows: Vec<Row>,
        /// The tail: the newest contiguous rows after the highest range, complete from here to `head_seq`; absent if
        /// nothing is new. If it begins later than the highest range ends, there is a gap between them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tail_from: Option<Seq>,
        /// There are more changed rows: ask again with the ranges' rev set to `rev`.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        has_more: bool,
        /// Authors of messages in it whose profiles have changed since they were made, and the revs of those; the
        /// others' have rev 1.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        authors: Vec<(AccountId, Rev)>,
    },
    /// The client holds more than the server has (`since` > head): drop what is held of this log and sync from 0.
    Ahead {
        /// The server's head.
        rev: Rev,
    },
    /// The log does not exist, or may not be seen any more: delete what is held of it; drafts and pending messages stay.
    Gone {},
}

/// How I stand in a community.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Me {
    /// My member groups, highest rank first.
    pub member_groups: Vec<MemberGroupId>,
    /// Closed topics that I have a seat in, with the time I got it.
    pub seats: Vec<(TopicId, Millis)>,
    /// When I joined.
    pub joined_at: Millis,
}

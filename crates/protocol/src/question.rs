//! Questions: what a client asks to be told, and what changes nothing in a log (watching, invite links).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{AccountId, CommunityId, Log, MemberGroupId, MessageId, Millis, Rev, Seq, TopicId},
    push::{Digest, SyncedLog},
    row::Row,
};

/// What is asked. The method is the JSON-RPC method, the fields are its params; the answer's type is named at each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", content = "params")]
pub enum Question {
    /// Opens the session; the first request on a link. Answer: [`crate::Greeting`].
    #[serde(rename = "session.open")]
    SessionOpen {
        /// The token from signing in.
        token: String,
        /// The version of the protocol that the client speaks.
        version: u32,
    },
    /// Which rows changed in these logs. Answer: [`Synced`].
    #[serde(rename = "log.sync")]
    LogSync {
        /// The logs, at most [`crate::limits::SYNC_LOGS`], each once.
        logs: Vec<SyncLog>,
    },
    /// Which topics are shown now, all of them: replaces what was watched before. Answer: [`Watched`].
    #[serde(rename = "session.watch")]
    SessionWatch {
        /// At most [`crate::limits::WATCHES`].
        topics: Vec<TopicId>,
    },
    /// A page of history. Answer: [`Page`].
    #[serde(rename = "topic.page")]
    TopicPage {
        /// Of which topic.
        topic: TopicId,
        /// Where.
        at: PageAt,
        /// How many rows, at most [`crate::limits::PAGE`].
        limit: usize,
    },
    /// Which of my own messages the server has, by id. A client asks it when the server was restored from a backup, of
    /// the messages that it held before. Answer: [`HeldMessages`].
    #[serde(rename = "message.held")]
    MessageHeld {
        /// In which topic.
        topic: TopicId,
        /// Which, at most [`crate::limits::HELD_MESSAGES`].
        messages: Vec<MessageId>,
    },
    /// Profiles by id. Answer: [`Profiles`]. Unknown ids are left out.
    #[serde(rename = "profile.list")]
    ProfileList {
        /// Whose, at most [`crate::limits::PROFILES`].
        accounts: Vec<AccountId>,
    },
    /// Members of a community: a page of the sections, those whose name begins with a prefix, or those of a list of ids.
    /// Answer: [`Members`].
    #[serde(rename = "member.list")]
    MemberList {
        /// Of which community.
        community: CommunityId,
        /// Only those who may see this topic.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        topic: Option<TopicId>,
        /// Say of each whether he has a seat in this topic, which the one who asks has to see.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seats_of: Option<TopicId>,
        /// Only those whose display or account name begins so, whatever the case; empty: everybody.
        #[serde(default)]
        prefix: String,
        /// Only those of these accounts who are members, at most [`crate::limits::MEMBERS_PAGE`]; empty: everybody. The
        /// prefix and the limit have no effect then.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        accounts: Vec<AccountId>,
        /// Where to go on: the last answer's [`Members::next`]. Absent: from the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
        /// At most [`crate::limits::MEMBERS_PAGE`]; a page that is full ([`crate::limits::ANSWER_BYTES`]) has fewer.
        limit: usize,
    },
    /// Heads of the topics of a community that moved since a time of the server, in the order in which they moved.
    /// Answer: [`Digest`]; one that is full ([`crate::limits::ANSWER_BYTES`]) says where to go on.
    #[serde(rename = "community.heads")]
    CommunityHeads {
        /// Of which community.
        community: CommunityId,
        /// Since when; 0: all. To go on: `to` of the answer before.
        since: Millis,
        /// To go on: `after` of the answer before. Of what moved at `since` itself, only topics that come after it are told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<TopicId>,
    },
    /// The invite links of a community. Needs `Invite`. Answer: [`Invites`].
    #[serde(rename = "invite.list")]
    InviteList {
        /// Of which community.
        community: CommunityId,
    },
    /// Makes an invite link. Needs `Invite`. Answer: [`Invite`].
    #[serde(rename = "invite.create")]
    InviteCreate {
        /// To which community.
        community: CommunityId,
        /// When it ends; absent: never.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Millis>,
        /// How often it may be used; absent: any number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_uses: Option<u32>,
    },
    /// Makes an invite link my own, so that it rests on my right to invite. Needs `Invite`. Answer: [`Invite`].
    #[serde(rename = "invite.take")]
    InviteTake {
        /// Of which community.
        community: CommunityId,
        /// Its code.
        code: String,
    },
    /// Ends an invite link. Needs `Invite`. Answer: `{}`.
    #[serde(rename = "invite.revoke")]
    InviteRevoke {
        /// To which community.
        community: CommunityId,
        /// Its code.
        code: String,
    },
}

/// A log and what the client has of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SyncLog {
    /// Which.
    pub log: Log,
    /// The cursor: all rows up to this rev are held. 0: none.
    pub since: Rev,
    /// In the middle of a reset: what its first page said. `since` and `view` are the rev and the stamp of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Rev>,
    /// For a community: the view stamp last given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// For a topic: the stretches of `seq` held, each with the rev as of which it is valid. At most
    /// [`crate::limits::SYNC_RANGES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
    /// For a topic: only what changed in the ranges is wanted, and not what was written after them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_tail: bool,
}

/// The answer to `message.held`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldMessages {
    /// Those that the server has, recalled ones among them.
    pub messages: Vec<MessageId>,
}

/// A stretch of contiguous `seq` of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Range {
    /// The first.
    pub from: Seq,
    /// The last.
    pub to: Seq,
    /// Valid as of this rev.
    pub rev: Rev,
}

/// The answer to `log.sync`: one entry per log asked for, in the same order. An answer that is full
/// ([`crate::limits::ANSWER_BYTES`]) has fewer entries, at least one: the other logs are asked for again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Synced {
    /// What changed.
    pub logs: Vec<SyncedLog>,
}

/// The answer to `session.watch`: the heads of the topics that are watched now; those that may not be seen are missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Watched {
    /// Their heads.
    pub topics: Vec<WatchedTopic>,
}

/// The head of a watched topic. Every change after `rev` is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WatchedTopic {
    /// Which.
    pub topic: TopicId,
    /// The last `seq`.
    pub head_seq: Seq,
    /// The last rev.
    pub rev: Rev,
}

/// Where a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PageAt {
    /// The newest rows.
    End,
    /// Rows before this one, nearest last.
    Before(Seq),
    /// Rows after this one, nearest first.
    After(Seq),
    /// Half before, half from this one on.
    Around(Seq),
    /// The same around a message whose place is not known.
    Message(MessageId),
}

/// A page of history: contiguous `seq`, complete from `from` to `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// Of which topic.
    pub topic: TopicId,
    /// Valid as of this rev of the topic.
    pub rev: Rev,
    /// The last `seq` of the topic.
    pub head_seq: Seq,
    /// The first `seq` that the reader may read; 1 for those with `ReadHistory`.
    pub floor: Seq,
    /// The first row's `seq`; 0 for an empty page.
    pub from: Seq,
    /// The last row's `seq`; 0 for an empty page.
    pub to: Seq,
    /// The rows, both parts, in the order of `seq`.
    pub rows: Vec<Row>,
    /// Authors whose profiles have changed since they were made, and the revs of those; the others' have rev 1. What is
    /// newer than held is fetched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<(AccountId, Rev)>,
}

/// Profiles. The rows' ids are the accounts'.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profiles {
    /// The rows.
    pub rows: Vec<Row>,
}

/// Members, by section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Members {
    /// One per shown member group by rank, then everybody else (`member_group` absent).
    pub sections: Vec<MemberSection>,
    /// Where the next page goes on, as `after` of the next question; absent: there is nobody else. Opaque. A page may have
    /// fewer members than asked for, or none, and still not be the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A section of members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberSection {
    /// Which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_group: Option<MemberGroupId>,
    /// How many members it has in all; with a prefix or a list of accounts, in this page. In a community of more than 2,000
    /// members who is in several shown member groups is counted in each, and a topic's are those whose member group
    /// alone lets them see it.
    pub count: u64,
    /// Those of this page.
    pub members: Vec<Member>,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// Who.
    pub account: AccountId,
    /// The name signed in with.
    pub account_name: String,
    /// The name to show.
    pub display_name: String,
    /// When he joined.
    pub joined_at: Millis,
    /// His member groups, highest rank first.
    pub member_groups: Vec<MemberGroupId>,
    /// Connected now.
    pub online: bool,
    /// Has a seat in the topic that seats were asked about; the owner has one in each.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seat: bool,
}

/// Invite links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invites {
    /// The links, newest first.
    pub invites: Vec<Invite>,
}

/// An invite link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invite {
    /// Its code.
    pub code: String,
    /// When it ends; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
    /// How often it may be used; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
    /// How often it was used.
    pub uses: u32,
    /// Members who came by it, the latest first, at most `INVITE_CAME`. Where a list of links would be too long
    /// ([`crate::limits::ANSWER_BYTES`]), the last links in it name fewer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub came: Vec<AccountId>,
    /// Whose it is: who made it, or took it over.
    pub by: AccountId,
    /// Nobody comes by it: whoever it belongs to may not invite any more, or has left. The first may pass, the second does
    /// not; in both cases it can be taken over (`invite.take`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lapsed: bool,
    /// When it was made.
    pub created_at: Millis,
}

/// The methods that are questions.
pub const METHODS: &[&str] = &[
    "session.open",
    "log.sync",
    "session.watch",
    "topic.page",
    "message.held",
    "profile.list",
    "member.list",
    "community.heads",
    "invite.list",
    "invite.create",
    "invite.take",
    "invite.revoke",
];

impl Question {
    /// The method as it is written.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        match self {
            Self::SessionOpen { .. } => "session.open",
            Self::LogSync { .. } => "log.sync",
            Self::SessionWatch { .. } => "session.watch",
            Self::TopicPage { .. } => "topic.page",
            Self::MessageHeld { .. } => "message.held",
            Self::ProfileList { .. } => "profile.list",
            Self::MemberList { .. } => "member.list",
            Self::CommunityHeads { .. } => "community.heads",
            Self::InviteList { .. } => "invite.list",
            Self::InviteCreate { .. } => "invite.create",
            Self::InviteTake { .. } => "invite.take",
            Self::InviteRevoke { .. } => "invite.revoke",
        }
    }
}

/// The answer to a question, in the type that the question names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Told {
    /// To `session.open`.
    Greeting(Box<crate::Greeting>),
    /// To `log.sync`.
    Synced(Synced),
    /// To `session.watch`.
    Watched(Watched),
    /// To `topic.page`.
    Page(Page),
    /// To `message.held`.
    HeldMessages(HeldMessages),
    /// To `profile.list`.
    Profiles(Profiles),
    /// To `member.list`.
    Members(Members),
    /// To `community.heads`.
    Heads(Digest),
    /// To `invite.list`.
    Invites(Invites),
    /// To `invite.create`.
    Invite(Invite),
    /// Done.
    Nothing {},
}

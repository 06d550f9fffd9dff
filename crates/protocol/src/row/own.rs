//! The rows of an account's log: what belongs to one person.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::More;
use crate::id::{AccountId, CommunityId, GroupId, MessageId, Millis, NotAnId, Rev, Seq, TopicId};

/// An account's profile, as its owner and everybody else sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// The name signed in with, unique on the server.
    pub account_name: String,
    /// The name to show.
    pub display_name: String,
    /// A few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub introduction: String,
    /// Whether the account administrates the server.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub server_admin: bool,
    /// The account was deleted: its names are empty.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// The account is a member of a community. What it sees there is named by the view stamp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Membership {
    /// The community.
    pub community: CommunityId,
    /// When it joined.
    pub joined_at: Millis,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// How far a topic was read: `unread = head_seq − seq − own`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cursor {
    /// Read up to here.
    pub seq: Seq,
    /// My own messages after `seq`.
    pub own: u64,
    /// Counts explicit settings (mark unread, undo): an advance that has not seen the last one is ignored.
    pub set_no: u32,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// A notification level at one of the scopes. The nearest that is not `inherit` decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notify {
    /// The level.
    pub level: Level,
    /// Until when; afterwards it inherits. Absent: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// Which messages count and notify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Every message.
    All,
    /// Those that mention me.
    Mentions,
    /// None: a dot.
    Nothing,
    /// As the next wider scope says.
    Inherit,
}

/// Where a notification level applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotifyScope {
    /// Everywhere.
    Global,
    /// In a community.
    Community(CommunityId),
    /// In a group.
    Group(GroupId),
    /// In a topic.
    Topic(TopicId),
}

impl NotifyScope {
    /// The row's id: `global`, `community/<id>`, `group/<id>`, `topic/<id>`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Global => "global".to_owned(),
            Self::Community(id) => format!("community/{id}"),
            Self::Group(id) => format!("group/{id}"),
            Self::Topic(id) => format!("topic/{id}"),
        }
    }
}

/// A friend, a request, a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Friend {
    /// How the two stand.
    pub state: FriendState,
    /// My name for this person, which wins over all others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// How an account stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FriendState {
    /// I asked.
    Asked,
    /// I was asked.
    Asking,
    /// Friends.
    Friends,
    /// I blocked this account.
    Blocked,
}

/// A direct conversation: carries what a digest carries for other topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Direct {
    /// Who takes part.
    pub members: Vec<AccountId>,
    /// The last `seq`.
    pub head_seq: Seq,
    /// The topic's rev.
    pub topic_rev: Rev,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// What is being written in a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// The message replied to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// What names the rows that belong to one message: topic and message, for a message's id is unique in its topic only.
/// Written `<topic>:<message>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey {
    /// The topic.
    pub topic: TopicId,
    /// The message.
    pub message: MessageId,
}

impl MessageKey {
    /// Of a message.
    #[must_use]
    pub const fn of(topic: TopicId, message: MessageId) -> Self {
        Self { topic, message }
    }
}

impl fmt::Display for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.topic, self.message)
    }
}

impl FromStr for MessageKey {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (topic, message) = text.split_once(':').ok_or(NotAnId)?;
        Ok(Self {
            topic: topic.parse()?,
            message: message.parse()?,
        })
    }
}

/// A message that mentions the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mention {
    /// The topic.
    pub topic: TopicId,
    /// The message's place.
    pub seq: Seq,
    /// When the message was sent.
    pub sent_at: Millis,
    /// An edit added it to a message that may have been read before: it counts until the account has seen it
    /// (`mention.seen`), wherever the cursor is, and again when that is taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_edit: bool,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// The account's own marks on a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// The topic.
    pub topic: TopicId,
    /// The message's place.
    pub seq: Seq,
    /// My reactions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<String>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

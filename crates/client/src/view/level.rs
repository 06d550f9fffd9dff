//! Notification levels: what is set at a place, what holds there, and which place decides (DESIGN §5).

use serde::{Deserialize, Serialize};
use specta::Type;
use specta_typescript::Number;
use tulou_protocol::row::Level;

/// A place that a notification level can be set at, from the widest to the nearest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "at", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LevelPlace {
    /// Everywhere, for one account.
    Global,
    /// A community.
    Community {
        /// The community.
        community: String,
    },
    /// A group.
    Group {
        /// Its community.
        community: String,
        /// The group.
        group: String,
    },
    /// A topic.
    Topic {
        /// Its community.
        community: String,
        /// The topic.
        topic: String,
    },
}

/// What of a topic was marked as read, for whoever takes that back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ReadMark {
    /// The topic.
    pub topic: String,
    /// The place of the last message that was read before; none if only mentions were marked.
    #[specta(type = Option<Number>)]
    pub seq: Option<u64>,
    /// Messages that an edit made mention me, and that count as seen since.
    pub mentions: Vec<String>,
}

/// Which messages count and notify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum LevelName {
    /// Every message.
    All,
    /// Those that mention me.
    Mentions,
    /// None: a dot says that something is unread.
    Nothing,
    /// As the next wider place says.
    Inherit,
}

impl From<Level> for LevelName {
    fn from(level: Level) -> Self {
        match level {
            Level::All => Self::All,
            Level::Mentions => Self::Mentions,
            Level::Nothing => Self::Nothing,
            Level::Inherit => Self::Inherit,
        }
    }
}

impl From<LevelName> for Level {
    fn from(level: LevelName) -> Self {
        match level {
            LevelName::All => Self::All,
            LevelName::Mentions => Self::Mentions,
            LevelName::Nothing => Self::Nothing,
            LevelName::Inherit => Self::Inherit,
        }
    }
}

/// The notification level of a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LevelView {
    /// What is set at the place itself; `inherit` when nothing is, or its time is over.
    pub set: LevelName,
    /// Until when that holds, in milliseconds since 1970; none: for good.
    #[specta(type = Option<Number>)]
    pub until: Option<i64>,
    /// What holds. `inherit` only for [`LevelPlace::Global`]: there each community's size decides.
    pub holds: LevelName,
    /// Whose setting that is.
    pub decided_by: LevelDecider,
}

/// What decided a notification level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "by", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LevelDecider {
    /// The topic's own setting.
    Topic,
    /// The group's setting.
    Group {
        /// Its name.
        name: String,
    },
    /// The community's setting.
    Community {
        /// Its name.
        name: String,
    },
    /// The account's setting for everything.
    Global,
    /// Nothing is set: every message in small communities, mentions in large ones.
    Size,
}

//! Ids, places and names of logs.
//!
//! Ids of things are made by who creates them and are opaque: order is [`Seq`], time is the server's. Both counters
//! start at 1; 0 means "nothing yet".

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The id as 16 bytes: what stores keep.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// An id from the 16 bytes that a store kept.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// A server: made with its store, kept wherever it moves.
    ServerId,
    /// Made with the store, and again at every restore from a backup.
    Epoch,
    /// An account on a server.
    AccountId,
    /// A community.
    CommunityId,
    /// A group: a shelf of topics.
    GroupId,
    /// A topic.
    TopicId,
    /// A member group.
    MemberGroupId,
    /// A message, unique in its topic.
    MessageId,
    /// A command (UUIDv7): a repeat of the same command gets the same answer.
    CommandId,
    /// A session: one sign-in of one account on one machine.
    SessionId,
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// Before the first.
            pub const ZERO: Self = Self(0);

            /// The next one. After the last there is none: it stays.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

counters! {
    /// A message's place in its topic: 1, 2, 3 … given at commit, never changed.
    Seq,
    /// A log's revision: every change to a row takes the log's next one.
    Rev,
}

/// The name of a log: `topic/<id>`, `community/<id>` or `account/<id>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Log {
    /// Messages of one topic.
    Topic(TopicId),
    /// Structure of one community.
    Community(CommunityId),
    /// What belongs to one account.
    Account(AccountId),
}

impl Log {
    /// The id within its kind. Unique on a server, whatever the kind.
    #[must_use]
    pub const fn uuid(&self) -> Uuid {
        match self {
            Self::Topic(id) => id.0,
            Self::Community(id) => id.0,
            Self::Account(id) => id.0,
        }
    }

    /// The topic, if this is a topic's log.
    #[must_use]
    pub const fn topic(&self) -> Option<TopicId> {
        match self {
            Self::Topic(id) => Some(*id),
            Self::Community(_) | Self::Account(_) => None,
        }
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(id) => write!(f, "topic/{id}"),
            Self::Community(id) => write!(f, "community/{id}"),
            Self::Account(id) => write!(f, "account/{id}"),
        }
    }
}

/// A text that names no log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a log: {0}")]
pub struct NotALog(String);

impl FromStr for Log {
    type Err = NotALog;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotALog(text.chars().take(60).collect());
        let (kind, id) = text.split_once('/').ok_or_else(wrong)?;
        let id: Uuid = id.parse().map_err(|_| wrong())?;
        match kind {
            "topic" => Ok(Self::Topic(TopicId(id))),
            "community" => Ok(Self::Community(CommunityId(id))),
            "account" => Ok(Self::Account(AccountId(id))),
            _ => Err(wrong()),
        }
    }
}

impl Serialize for Log {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Log {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Log {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Log".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^(topic|community|account)/[0-9a-f-]{36}$"})
    }
}

/// Milliseconds since 1970-01-01 UTC.
pub type Millis = i64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_written_as_its_kind_and_id() {
        let log = Log::Topic(TopicId(Uuid::from_u128(7)));
        let text = serde_json::to_string(&log).unwrap();
        assert_eq!(text, r#""topic/00000000-0000-0000-0000-000000000007""#);
        assert_eq!(
            serde_json::from_str::<Log>(&text).unwrap(),
            log,
            "it reads back"
        );
    }

    #[test]
    fn a_text_that_names_no_log_is_refused() {
        for text in [
            "",
            "topic",
            "topic/",
            "room/00000000-0000-0000-0000-000000000007",
            "topic/7",
        ] {
            assert!(text.parse::<Log>().is_err(), "{text:?} names no log");
        }
    }
}

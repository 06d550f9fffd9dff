//! Ids, places and names of logs.
//!
//! Ids of things are made by who creates them and are opaque: order is [`Seq`], time is the server's. An id is 16 bytes,
//! written as 22 letters: base64url without padding. Each is written in one way only, so that written ids can be compared;
//! they differ in capital and small letters too, so where those are the same (names of files and hosts, keyrings) an id
//! stands as a UUID is written ([`Uuid`]'s own form).
//!
//! Both counters start at 1; 0 means "nothing yet".

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// Letters of an id.
pub const ID_LETTERS: usize = 22;

/// What every id matches: 128 bits in letters of six, so four kinds of letters may be the last.
pub(crate) const ID_PATTERN: &str = "[A-Za-z0-9_-]{21}[AQgw]";

/// A text that is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of 22 letters")]
pub struct NotAnId;

/// An id as it is written.
fn letters(id: Uuid) -> [u8; ID_LETTERS] {
    let mut letters = [b'A'; ID_LETTERS];
    // 16 bytes fill 22 letters.
    let _ = URL_SAFE_NO_PAD.encode_slice(id.as_bytes(), &mut letters);
    letters
}

fn with_letters<T>(id: Uuid, with: impl FnOnce(&str) -> T) -> T {
    let letters = letters(id);
    with(std::str::from_utf8(&letters).unwrap_or_default())
}

/// An id that was written. No other text than the one that is written for it is taken.
fn from_letters(text: &str) -> Result<Uuid, NotAnId> {
    let mut bytes = [0; 18];
    match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
        Ok(16) if text.len() == ID_LETTERS => {
            let mut id = [0; 16];
            id.copy_from_slice(&bytes[..16]);
            Ok(Uuid::from_bytes(id))
        }
        Ok(_) | Err(_) => Err(NotAnId),
    }
}

struct Letters;

impl de::Visitor<'_> for Letters {
    type Value = Uuid;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id of 22 letters")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Uuid, E> {
        from_letters(text).map_err(E::custom)
    }
}

macro_rules! ids {
    ($($(#[doc = $doc:literal])* $name:ident),* $(,)?) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
                with_letters(self.0, |letters| f.pad(letters))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                from_letters(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                with_letters(self.0, |letters| serializer.serialize_str(letters))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Letters).map(Self)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": concat!($($doc),*).trim(),
                    "type": "string",
                    "pattern": format!("^{ID_PATTERN}$"),
                })
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

            /// Whether it is before the first.
            #[must_use]
            pub const fn is_zero(&self) -> bool {
                self.0 == 0
            }

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
        let id = from_letters(id).map_err(|_| wrong())?;
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
        schemars::json_schema!({
            "type": "string",
            "pattern": format!("^(topic|community|account)/{ID_PATTERN}$"),
        })
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
        assert_eq!(text, r#""topic/AAAAAAAAAAAAAAAAAAAABw""#);
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
            "room/AAAAAAAAAAAAAAAAAAAABw",
            "topic/7",
        ] {
            assert!(text.parse::<Log>().is_err(), "{text:?} names no log");
        }
    }

    #[test]
    fn an_id_is_written_in_one_way_only() {
        let id = TopicId(Uuid::from_u128(0x0193_a000_0000_7000_8000_0000_0000_b07a));
        let text = id.to_string();
        assert_eq!(text.len(), ID_LETTERS);
        assert_eq!(text.parse(), Ok(id), "it reads back");
        let hyphenated = id.0.to_string();
        let simple = id.0.simple().to_string();
        let padded = format!("{text}==");
        let last = text.chars().last().unwrap();
        // The bits that the last letter has to spare are nothing.
        let spare = format!("{}{}", &text[..21], char::from(last as u8 + 1));
        for other in [
            &*hyphenated,
            &simple,
            &padded,
            &spare,
            &text[..21],
            "",
            "everyone",
        ] {
            assert_eq!(other.parse::<TopicId>(), Err(NotAnId), "{other:?}");
            assert!(
                serde_json::from_value::<TopicId>(other.into()).is_err(),
                "{other:?}"
            );
        }
    }

    #[test]
    fn what_every_id_matches_is_what_is_taken() {
        let pattern = |text: &str| {
            let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            text.len() == 22 && text.chars().all(is_letter) && text.ends_with(['A', 'Q', 'g', 'w'])
        };
        for last in (0x20..0x7f_u8).map(char::from) {
            let text = format!("{}{last}", "-_9zZ".repeat(5)[..21].to_owned());
            assert_eq!(text.parse::<MessageId>().is_ok(), pattern(&text), "{text}");
        }
    }
}

//! The server's typed no: final, with a stable code. A client shows it where the command was given.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::permission::{Decision, Permissions};

/// Why a command or question was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{code:?}")]
pub struct Rejection {
    /// The stable code.
    pub code: Code,
    /// The right that was missing, with `not_allowed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<Permissions>,
    /// What decided that the right is missing, with `not_allowed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Decision>,
    /// The limit that was passed, with `too_long` and `too_many`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// What the limit counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Counted>,
    /// How many there are, with a limit of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The present row, with `changed_meanwhile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<Box<crate::row::Row>>,
    /// The version of the protocol that the server speaks, with `outdated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Characters of a text as a person counts them: grapheme clusters.
    Characters,
    /// Bytes of a text in UTF-8.
    Bytes,
    /// Persons mentioned in a message.
    Mentions,
    /// Kinds of reactions to a message.
    Reactions,
    /// Pins of a topic.
    Pins,
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

/// Stable codes. A client that meets an unknown one reads it as [`Code::Unknown`] and shows a general sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A right is missing; `permission` and `decided_by` say which and why.
    NotAllowed,
    /// A text or list is too long; `limit` is in what `of` names, in bytes without it.
    TooLong,
    /// There are too many of them; `limit` says how many may be.
    TooMany,
    /// A text that must not be empty is.
    Empty,
    /// A text holds control characters or is not NFC; a name holds what cannot be seen in it.
    BadCharacters,
    /// A reaction is none of the emoji that Unicode recommends.
    NotAnEmoji,
    /// A value has no sense: an absurd number, a wrong combination.
    Malformed,
    /// The thing does not exist, or may not be known to.
    NotFound,
    /// The id belongs to somebody else's thing.
    IdTaken,
    /// A field moved since the command was written; `present` is the row as it is.
    ChangedMeanwhile,
    /// The actor is not a member of the community.
    NotAMember,
    /// The person is a member already, the thing is so already.
    Already,
    /// The person named stands at the actor's rank or above, or the right given is not the actor's own.
    RankTooLow,
    /// A group with topics in it cannot be deleted.
    GroupNotEmpty,
    /// The owner cannot leave or be removed; the community is handed over first (`community.transfer`).
    LastOwner,
    /// The message was recalled.
    Gone,
    /// The window for recalling has passed.
    RecallTooLate,
    /// The window for editing has passed.
    EditTooLate,
    /// The actor is muted here.
    Muted,
    /// The invite link is unknown, expired or used up.
    InviteInvalid,
    /// The account's name is taken.
    NameTaken,
    /// Name and password do not fit.
    WrongPassword,
    /// The password is too short or too long.
    WeakPassword,
    /// The recovery code is unknown, used or expired, or it is not this account's.
    WrongCode,
    /// The account owns communities: they are handed over or dissolved first.
    OwnsCommunities,
    /// The account administrates the server, and somebody has to.
    ServerAdmin,
    /// The server does not register accounts, or only with an invite.
    Closed,
    /// The token is unknown, expired or revoked: sign in again.
    SignedOut,
    /// The server does not speak this client's version of the protocol; `version` is its own, newer or older.
    Outdated,
    /// The method is unknown to this server.
    UnknownMethod,
    /// There is no room on the server's disk: nothing new is taken until there is.
    ServerFull,
    /// The server's fault; the command was not applied.
    Internal,
    /// A code that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Code {
    /// The code as it is written.
    #[must_use]
    pub fn key(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(key)) => key,
            _ => "unknown".to_owned(),
        }
    }
}

impl Rejection {
    /// A rejection with nothing but its code.
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self {
            code,
            permission: None,
            decided_by: None,
            limit: None,
            of: None,
            count: None,
            present: None,
            version: None,
        }
    }

    /// A limit was passed.
    #[must_use]
    pub const fn limit(code: Code, limit: usize) -> Self {
        Self {
            code,
            permission: None,
            decided_by: None,
            limit: Some(limit as u64),
            of: None,
            count: None,
            present: None,
            version: None,
        }
    }

    /// A text has `count` of what may be there `limit` times.
    #[must_use]
    pub fn too_long(of: Counted, limit: usize, count: usize) -> Self {
        Self {
            count: Some(count as u64),
            ..Self::limit(Code::TooLong, limit).of(of)
        }
    }

    /// Says what the limit counts.
    #[must_use]
    pub fn of(self, of: Counted) -> Self {
        Self {
            of: Some(of),
            ..self
        }
    }

    /// A right is missing.
    #[must_use]
    pub const fn not_allowed(permission: Permissions, decided_by: Decision) -> Self {
        Self {
            code: Code::NotAllowed,
            permission: Some(permission),
            decided_by: Some(decided_by),
            limit: None,
            of: None,
            count: None,
            present: None,
            version: None,
        }
    }

    /// The server speaks another version of the protocol: this one.
    #[must_use]
    pub const fn outdated(version: u32) -> Self {
        Self {
            code: Code::Outdated,
            permission: None,
            decided_by: None,
            limit: None,
            of: None,
            count: None,
            present: None,
            version: Some(version),
        }
    }

    /// A field moved meanwhile.
    #[must_use]
    pub fn changed(present: crate::row::Row) -> Self {
        Self {
            code: Code::ChangedMeanwhile,
            permission: None,
            decided_by: None,
            limit: None,
            of: None,
            count: None,
            present: Some(Box::new(present)),
            version: None,
        }
    }
}

impl From<Code> for Rejection {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_a_newer_server_is_read_as_unknown() {
        let rejection: Rejection =
            serde_json::from_str(r#"{"code":"brand_new","detail":1}"#).unwrap();
        assert_eq!(
            rejection.code,
            Code::Unknown,
            "an old client shows a general sentence"
        );
    }

    #[test]
    fn a_code_is_written_in_snake_case() {
        assert_eq!(Code::ChangedMeanwhile.key(), "changed_meanwhile");
    }
}

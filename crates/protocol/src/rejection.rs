//! The server's typed no: final, with a stable code. A client shows it where the command was given.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::permission::{Decision, Lacking, Permissions};

/// Why a command, question or HTTP request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{code:?}")]
pub struct Rejection {
    /// The stable code.
    pub code: Code,
    /// Which field of the params, or of the body, was wrong, where it is one: `text`, `name.to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The right that was missing, with `not_allowed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<Permissions>,
    /// What decided that the right is missing, with `not_allowed`; `rank` with `rank_too_low`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Decision>,
    /// The limit that was passed, with `too_long`, `too_short`, `too_many`, `weak_password`, `frame_too_long` and
    /// `too_many_sign_ups`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// What the limit counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Counted>,
    /// How many there are, with a limit of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
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
    /// Persons and member groups mentioned in a message.
    Mentions,
    /// Kinds of reactions to a message.
    Reactions,
    /// Pins of a topic.
    Pins,
    /// Communities of an account.
    Communities,
    /// Levels of notifications that an account has set.
    Levels,
    /// Groups of a community.
    Groups,
    /// Topics of a community.
    Topics,
    /// Member groups of a community.
    MemberGroups,
    /// Cells of a community's table of rights in which something is set.
    Access,
    /// Links of a community by which somebody can come.
    Invites,
    /// Sockets of an account.
    Sockets,
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

/// Stable codes: each means one thing. A client that meets an unknown one reads it as [`Code::Unknown`] and shows a general
/// sentence. When each occurs, and what to do then, also stands in `docs/protocol.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A right is missing; `permission` and `decided_by` say which and why. Also where the actor would give or take a right
    /// that he has not got himself. Final: somebody who may has to do it, or has to allow it.
    NotAllowed,
    /// Only the author may do this with the message. Final.
    NotYours,
    /// Only the owner of the community may do this. Final.
    NotOwner,
    /// Only the administrator of the server may do this. Final.
    NotAdmin,
    /// A text is too long; `limit` is what it may have, in what `of` names. Shorten it.
    TooLong,
    /// A text is too short; `limit` is what it needs. Lengthen it.
    TooShort,
    /// There are too many of them; `limit` says how many may be. Ask for fewer, or remove some first.
    TooMany,
    /// A text that must not be empty is, or shows nothing. Fill it.
    Empty,
    /// A text holds characters that may not stand in it, or is not NFC; a name holds what cannot be seen in it. Clean it.
    BadCharacters,
    /// A reaction is none of the emoji that Unicode recommends. Choose another.
    NotAnEmoji,
    /// The value of `field` has no sense: an absurd number, a wrong combination, something of another type. A fault of the
    /// client: mend it.
    Malformed,
    /// The thing that `field` names does not exist, or may not be known to. Forget it, or sync.
    NotFound,
    /// The id belongs to something else. Make another one.
    IdTaken,
    /// A field moved since the command was written; `present` is the row as it is. Look at it, and decide again.
    ChangedMeanwhile,
    /// The actor is not a member of the community. Join it, or forget it.
    NotAMember,
    /// It is so already: the account is a member, the session is open. Go on.
    Already,
    /// The person or member group that is acted on stands at the actor's rank or above. Final.
    RankTooLow,
    /// A group with topics in it cannot be deleted. Move or delete them first.
    GroupNotEmpty,
    /// The owner cannot leave or be removed; the community is handed over first (`community.transfer`).
    LastOwner,
    /// The message was recalled. Give it up.
    Gone,
    /// The window for recalling has passed. Final.
    RecallTooLate,
    /// The window for editing has passed. Final.
    EditTooLate,
    /// The actor is muted here. Kept for later: no server of this version says it.
    Muted,
    /// The invite link is unknown, expired or used up, or whoever it belongs to may not invite any more. Ask for another.
    InviteInvalid,
    /// Nobody gets in here without an invite link, and none was given. Ask for one.
    InviteNeeded,
    /// The account's name is taken. Choose another.
    NameTaken,
    /// Name and password do not fit. Ask for them again.
    WrongPassword,
    /// The password is too short; `limit` is what it needs. Choose a longer one.
    WeakPassword,
    /// The recovery code is unknown, used or expired, or it is not this account's. Try another code.
    WrongCode,
    /// Too many names and passwords did not fit: nothing is looked at before `retry_after_s`. Wait.
    TooManyAttempts,
    /// Too many accounts are being made: none is made before `retry_after_s`; `limit` is how many an hour may bring. Wait.
    TooManySignUps,
    /// The account owns communities: they are handed over or dissolved first.
    OwnsCommunities,
    /// The account administrates the server, and somebody has to: it is neither deleted nor set back.
    ServerAdmin,
    /// The server takes no new accounts. Sign in with one that exists.
    Closed,
    /// The token is unknown, expired or revoked: sign in again.
    SignedOut,
    /// The first request on a link is `session.open`, and this was another one. The link ends; open a session first.
    NotOpen,
    /// The server does not speak this client's version of the protocol; `version` is its own, newer or older. The older of
    /// the two has to be updated; try again in ten minutes.
    Outdated,
    /// What a client makes of JSON-RPC's error for an unknown method. No server says it.
    UnknownMethod,
    /// A frame is longer than `limit` bytes. The link ends; send less at once.
    FrameTooLong,
    /// What came is no frame of a WebSocket. The link ends. A fault of the client, or of what is in between.
    BadFrame,
    /// There is no room on the server's disk: nothing new is taken until there is. Try again in minutes.
    ServerFull,
    /// The server's fault; nothing was changed. Try again later, with the same id.
    Internal,
    /// A code that this version does not know. No server says it.
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
            field: None,
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
    pub fn limit(code: Code, limit: usize) -> Self {
        Self {
            limit: Some(limit as u64),
            ..Self::new(code)
        }
    }

    /// A text has `count` of what may be there `limit` times.
    #[must_use]
    pub fn too_long(of: Counted, limit: usize, count: usize) -> Self {
        Self {
            count: Some(u32::try_from(count).unwrap_or(u32::MAX)),
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
    pub fn not_allowed(permission: Permissions, decided_by: Decision) -> Self {
        Self {
            permission: Some(permission),
            decided_by: Some(decided_by),
            ..Self::new(Code::NotAllowed)
        }
    }

    /// The server speaks another version of the protocol: this one.
    #[must_use]
    pub fn outdated(version: u32) -> Self {
        Self {
            version: Some(version),
            ..Self::new(Code::Outdated)
        }
    }

    /// A field moved meanwhile.
    #[must_use]
    pub fn changed(present: crate::row::Row) -> Self {
        Self {
            present: Some(Box::new(present)),
            ..Self::new(Code::ChangedMeanwhile)
        }
    }

    /// The same, of this field. What checks a text does not know where it stands; whoever asked for the check does.
    #[must_use]
    pub fn at(self, field: &str) -> Self {
        Self {
            field: Some(field.to_owned()),
            ..self
        }
    }
}

impl Code {
    /// A rejection with this code, of this field.
    #[must_use]
    pub fn at(self, field: &str) -> Rejection {
        Rejection::new(self).at(field)
    }
}

impl From<Lacking> for Rejection {
    fn from(lacking: Lacking) -> Self {
        Self::not_allowed(lacking.permission, lacking.decided_by)
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

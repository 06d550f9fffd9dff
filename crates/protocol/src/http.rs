//! Bodies of the HTTP requests, which are not part of a conversation: registering, signing in and out, looking at a
//! server or an invite link before joining. All are JSON; a refusal is status 4xx with [`Refused`] as its body.
//!
//! Which request goes where, and what it takes, gives and refuses, stands in [`crate::openapi::DOORS`], from which
//! `docs/openapi.json` is generated.
//!
//! Names and passwords that do not fit slow down whoever tries them: status 429, with the seconds to wait. Whether a
//! name has an account is not told.

mod account;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fingerprint::Fingerprint,
    id::{AccountId, CommunityId, ServerId},
    limits::Limits,
    rejection::{Code, Rejection},
};

pub use account::{
    AccountCard, AccountList, ChangePassword, Confirm, DeleteAccount, ListedAccount, Messages,
    OwnedCommunity, Recover, RecoveryCodes, Registered, Reset, SessionCard,
};

/// The header of every answer, also of the one that opens the WebSocket, that names the server. A client looks at it
/// before it sends a token: behind an address that it knew there may be another server by now.
pub const SERVER_HEADER: &str = "tulou-server";
/// The header beside it with the fingerprint of the server's own key, where it has one.
pub const KEY_HEADER: &str = "tulou-key";
/// How a request for a WebSocket came that was none when it arrived, `HTTP/1.0` for example: something on the way did not
/// pass it on.
pub const CAME_AS_HEADER: &str = "tulou-came-as";

/// A server as strangers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerCard {
    /// Its id.
    pub server: ServerId,
    /// Its name.
    pub name: String,
    /// The version of the protocol it speaks.
    pub version: u32,
    /// Who may register.
    pub registration: Registration,
    /// Addresses that reach it, the best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// The fingerprint of its own key; none if the system's certificates verify it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Fingerprint>,
    /// Its limits.
    #[serde(default)]
    pub limits: Limits,
}

/// Who may register on a server. The first account always may, and is its administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Anybody.
    Open,
    /// Whoever has an invite link to one of its communities.
    Invite,
    /// Nobody.
    Closed,
}

/// What an invite link leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InviteCard {
    /// The community.
    pub community: CommunityId,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub introduction: String,
    /// How many members it has.
    pub members: u64,
}

/// Makes an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Register {
    /// The name to sign in with: see [`crate::text::check_account_name`].
    pub account_name: String,
    /// The name to show.
    pub display_name: String,
    /// The password.
    pub password: String,
    /// An invite's code, where the server asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
    /// What the list of sessions calls this device: see [`crate::limits::NAME_BYTES`].
    #[serde(default)]
    pub device: String,
}

/// Signs in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignIn {
    /// The account's name.
    pub account_name: String,
    /// The password.
    pub password: String,
    /// What the list of sessions calls this device: see [`crate::limits::NAME_BYTES`].
    #[serde(default)]
    pub device: String,
}

/// A session was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignedIn {
    /// The account.
    pub account: AccountId,
    /// The token: random, revocable, kept in the system's keyring only.
    pub token: String,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// Why.
    pub rejection: Rejection,
    /// With status 429: seconds to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

/// The HTTP status of a refusal.
#[must_use]
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other refusal is a bad request"
)]
pub const fn status(code: Code) -> u16 {
    match code {
        Code::WrongPassword | Code::WrongCode | Code::SignedOut => 401,
        Code::Closed | Code::InviteNeeded | Code::NotAllowed | Code::NotAdmin => 403,
        Code::InviteInvalid | Code::NotFound => 404,
        Code::NameTaken | Code::OwnsCommunities | Code::ServerAdmin => 409,
        Code::TooManyAttempts | Code::TooManySignUps => 429,
        Code::Internal => 500,
        Code::ServerFull => 503,
        _ => 400,
    }
}

//! Bodies of the HTTP requests, which are not part of a conversation: registering, signing in and out, looking at a
//! server or an invite link before joining. All are JSON; a refusal is status 4xx with [`Refused`] as its body.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET /v1/server` | – | [`ServerCard`] |
//! | `GET /v1/invites/{code}` | – | [`InviteCard`] |
//! | `POST /v1/accounts` | [`Register`] | [`SignedIn`] |
//! | `POST /v1/sessions` | [`SignIn`] | [`SignedIn`] |
//! | `DELETE /v1/sessions/current` | – (bearer token) | – |
//! | `GET /health` | – | `ok` |

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    id::{AccountId, CommunityId, ServerId},
    rejection::Rejection,
};

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
}

/// Signs in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignIn {
    /// The account's name.
    pub account_name: String,
    /// The password.
    pub password: String,
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

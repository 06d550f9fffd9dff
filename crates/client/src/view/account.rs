//! An account as its owner sees it, and accounts as the server's administrator sees them.

use serde::{Deserialize, Serialize};
use specta::Type;
use specta_typescript::Number;

/// A new account.
#[derive(Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SignedUp {
    /// The account's key.
    pub account: String,
    /// Its recovery codes, as people read them. They are shown once.
    pub recovery_codes: Vec<String>,
}

/// What guards an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SecurityView {
    /// Recovery codes that were not used yet.
    pub recovery_codes: u32,
    /// Where it is signed in, the last seen first.
    pub sessions: Vec<SessionView>,
    /// So many there may be: signing in once more ends the one that was seen longest ago.
    pub most_sessions: u32,
    /// The communities that it owns: it cannot be deleted while there is one.
    pub owned: Vec<OwnedView>,
    /// It administrates the server: it cannot be deleted.
    pub is_server_admin: bool,
}

/// A community that an account owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct OwnedView {
    /// The community.
    pub community: String,
    /// Its name.
    pub name: String,
}

/// A session of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// Its id.
    pub id: String,
    /// What the device calls itself; may be empty.
    pub device: String,
    /// The address that it was last seen at; may be empty.
    pub address: String,
    /// When it signed in.
    #[specta(type = Number)]
    pub created_at: i64,
    /// When it was last connected.
    #[specta(type = Number)]
    pub seen_at: i64,
    /// Connected now.
    pub is_online: bool,
    /// This one.
    pub is_current: bool,
}

/// What becomes of the messages of an account that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum MessagesThen {
    /// They stay, under no name.
    Keep,
    /// They are recalled, everywhere.
    Remove,
}

/// Accounts of a server, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ServerAccountsView {
    /// The accounts.
    pub accounts: Vec<ServerAccountView>,
    /// There are more after the last one.
    pub has_more: bool,
}

/// An account of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ServerAccountView {
    /// Its id.
    pub id: String,
    /// The name signed in with.
    pub name: String,
    /// The name others see.
    pub display_name: String,
    /// When it was made.
    #[specta(type = Number)]
    pub created_at: i64,
    /// When it was last connected; none if it is signed in nowhere.
    #[specta(type = Option<Number>)]
    pub seen_at: Option<i64>,
    /// Whether it administrates the server.
    pub is_server_admin: bool,
}

/// A code that sets a new password for an account, once.
#[derive(Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ResetView {
    /// The code, as people read it.
    pub code: String,
    /// When it is of no use any more.
    #[specta(type = Number)]
    pub expires_at: i64,
}

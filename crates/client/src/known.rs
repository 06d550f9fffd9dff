//! What this computer knows of an account before it is heard from: how it is found, and what it is called.

use serde::{Deserialize, Serialize};
use tulou_protocol::{AccountId, Fingerprint, ServerId};

/// An account that this computer has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its server.
    pub server: ServerId,
    /// Its id there.
    pub account: AccountId,
    /// The name signed in with.
    pub name: String,
    /// The server's name, when it was last heard.
    pub server_name: String,
    /// Addresses of the server, the best first.
    pub addresses: Vec<String>,
    /// The key that the server is known by; without one the system's certificates verify it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Fingerprint>,
}

impl Known {
    /// The account's key: `<server id>.<account id>`, each in the form of a UUID: files and keyrings are named by it, and
    /// some systems take capital and small letters there for the same.
    pub fn key(&self) -> String {
        format!("{}.{}", self.server.0, self.account.0)
    }
}

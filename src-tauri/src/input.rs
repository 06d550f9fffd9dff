//! What a person typed in a form, as the window hands it over, and where he got to by it.

use serde::{Deserialize, Serialize};
use specta::Type;
use tulou_client::view::Place;

use crate::error::WindowError;

/// Who the person wants to be on a server that starts on this computer.
#[derive(Debug, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HostInput {
    /// The server's name.
    pub server_name: String,
    /// The name to sign in with.
    pub name: String,
    /// The name others see.
    pub display_name: String,
    /// The password.
    pub password: String,
    /// Whether other computers may reach the server.
    pub is_open: bool,
}

/// How the hosted server is reached.
#[derive(Debug, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HostingInput {
    /// Whether other computers may reach it.
    pub is_open: bool,
    /// An address of the person's own that leads here.
    pub own_address: Option<String>,
    /// Whether it is announced in the local network, so that clients find it there at a new address.
    pub is_announced: bool,
}

/// Who the person wants to be on somebody else's server.
#[derive(Debug, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct JoinInput {
    /// The invite link, or the server's address.
    pub link: String,
    /// The name to sign in with.
    pub name: String,
    /// The name others see; for a new account.
    pub display_name: String,
    /// The password.
    pub password: String,
    /// Make a new account.
    pub register: bool,
    /// A code that sets the password, which is forgotten.
    pub code: Option<String>,
}

/// Where a person got to by joining.
#[derive(Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Joined {
    /// The place.
    pub place: Place,
    /// The recovery codes of an account that is new; shown once.
    pub recovery_codes: Vec<String>,
    /// Why a new account is there, but not in the community.
    pub not_joined: Option<WindowError>,
}

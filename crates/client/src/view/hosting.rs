//! The server on this computer, and from where it is reached.

use serde::Serialize;
use specta::Type;
use specta_typescript::Number;

use super::{ClockView, DiskView};

/// The server hosted on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HostingView {
    /// The account that administrates it.
    pub account: Option<String>,
    /// Addresses that invite links carry, the best first; none while it does not run.
    pub addresses: Vec<HostAddress>,
    /// The folder with all its data.
    pub folder: String,
    /// Whether other computers may reach it.
    pub is_open: bool,
    /// An address of the person's own that leads here.
    pub own_address: Option<String>,
    /// Whether it is announced in the local network while other computers may reach it.
    pub is_announced: bool,
    /// The fingerprint of its key; none while it does not run.
    pub key: Option<String>,
    /// The port it listens at.
    pub port: u16,
    /// The port that it should have, when another program has that.
    pub taken_port: Option<u16>,
    /// It does not run yet: it may be looking through its store.
    pub is_starting: bool,
    /// Why it does not run.
    pub failure: Option<HostFailure>,
    /// Room on the disk of this computer.
    pub disk: DiskView,
    /// Bytes that are free there; none while it is not known.
    #[specta(type = Option<Number>)]
    pub free_bytes: Option<u64>,
    /// What is wrong with the clock of this computer, as far as the server knows.
    pub clock: ClockView,
    /// Why the last backup was not made, by code; none if it was.
    pub backup_failure: Option<String>,
}

/// An address of the server hosted on this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HostAddress {
    /// `wss://…`, or `ws://…` on this computer.
    pub address: String,
    /// From where it is reached.
    pub reach: HostReach,
}

/// From where an address is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum HostReach {
    /// From the internet, if no firewall and no router is in the way.
    Internet,
    /// From the same network.
    LocalNetwork,
    /// From this computer only.
    ThisComputer,
}

/// Why the server on this computer does not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HostFailure {
    /// A stable code that the window has a sentence for: `in_use`, `store_damaged` …
    pub code: String,
    /// What was attempted and why it failed, for whoever helps.
    pub details: String,
}

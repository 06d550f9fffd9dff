//! Backups of the server that this computer hosts.

use serde::{Deserialize, Serialize};
use specta::Type;
use specta_typescript::Number;

/// The backups that there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BackupsView {
    /// The folder they lie in.
    pub folder: String,
    /// How many of the daily ones are kept.
    pub kept: u32,
    /// Why the last one was not made, by code; none if it was.
    pub failure: Option<String>,
    /// Newest first.
    pub backups: Vec<BackupView>,
}

/// A backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BackupView {
    /// The file.
    pub path: String,
    /// The file's name.
    pub name: String,
    /// When it was made.
    #[specta(type = Number)]
    pub made_at: i64,
    /// Its size.
    #[specta(type = Number)]
    pub bytes: u64,
    /// Made by itself, and removed by itself when there are newer ones.
    pub is_daily: bool,
    /// Whether it is one that this program can read.
    pub is_readable: bool,
}

/// What a backup says of itself, and what it would replace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BackupPeek {
    /// The server's name.
    pub server_name: String,
    /// When it was made.
    #[specta(type = Number)]
    pub made_at: i64,
    /// How many accounts are in it.
    #[specta(type = Number)]
    pub accounts: u64,
    /// How many communities are in it.
    #[specta(type = Number)]
    pub communities: u64,
    /// The name of the server on this computer that would be set aside.
    pub replaces: Option<String>,
    /// Whether that is the same server.
    pub is_same_server: bool,
}

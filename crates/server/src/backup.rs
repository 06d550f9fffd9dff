//! Backups: everything that makes a server, in one file.
//!
//! A backup is a tar archive, compressed with zstd, so that it can be looked into without Tulou. Its first entry is
//! `manifest.json` ([`Manifest`]): what is in it, with sizes and SHA-256 sums. Then come the store as of one moment
//! (`tulou.sqlite`), the small files beside it (the key and certificate, how it is hosted), and the operator's settings
//! (`settings.toml`): `kinds` is the table of what there may be.
//!
//! * `make` writes one, while the server runs or not
//! * `open` reads one; [`Opened::restore`] puts it into a folder
//! * [`Shelf`] is a folder of backups, with those that are made daily
//! * `swap` puts what was unpacked into its place, in one step as seen by the next start
//!
//! A restored store has another epoch, so that clients look at everything anew; its server's id and key are those of the
//! backup, so that they find it.

mod daily;
mod kinds;
mod make;
mod open;
mod shelf;
mod sum;
pub(crate) mod swap;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tulou_protocol::{Epoch, ServerId, id::Millis};

use crate::{error::of_folder, store::StoreError};

pub use daily::{Daily, is_due};
pub use make::{Source, make};
pub use open::{Opened, Restored, open};
pub use shelf::{Backup, Kind, Shelf};

/// The version of the format that is written; a backup with a newer one is refused.
pub const FORMAT: u32 = 1;
/// How the name of a backup ends.
pub const EXTENSION: &str = "tulou-backup";

/// The entry that says what is in the archive.
const MANIFEST: &str = "manifest.json";
/// The entry with the operator's settings.
const SETTINGS: &str = "settings.toml";
/// What marks the archive as a backup of this product.
const PRODUCT: &str = "tulou backup";

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// `tulou backup`.
    pub product: String,
    /// The version of the format.
    pub format: u32,
    /// The version of the program that wrote it.
    pub program: String,
    /// When it was begun, in milliseconds since 1970 of the server's clock.
    pub made_at: Millis,
    /// The server.
    pub server: ServerId,
    /// The server's name.
    pub server_name: String,
    /// The epoch of the store that it was made of.
    pub epoch: Epoch,
    /// The version of the store's tables.
    pub schema: i64,
    /// How many accounts it holds.
    pub accounts: u64,
    /// How many communities it holds.
    pub communities: u64,
    /// The entries after this one, in order.
    pub files: Vec<Packed>,
}

/// An entry of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    /// Its name in the server's folder; in a folder within it with `/`.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its SHA-256 sum in hexadecimal digits.
    pub sha256: String,
}

/// Why a backup was not made or not restored. What was there before is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is no backup of Tulou.
    #[error("{} is not a backup of a Tulou server", .0.display())]
    NotABackup(PathBuf),
    /// The backup is cut off or was changed; nothing of it can be relied on.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// The store itself is damaged, so there is nothing to back up; earlier backups stay as they are.
    #[error("the store is damaged, so no backup was made of it: restore an earlier one")]
    DamagedStore,
    /// It was written by a newer version.
    #[error(
        "the backup was written by Tulou {program}, which is newer than this program: update this one first"
    )]
    Newer {
        /// The version that wrote it.
        program: String,
    },
    /// There is something at the place where the backup was to be written.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// The folder holds no store.
    #[error("there is no server in {}", .0.display())]
    NoServer(PathBuf),
    /// There is too little room on the disk.
    #[error("the backup needs {needed} bytes, and {free} are free")]
    NoRoom {
        /// How many bytes are needed at least.
        needed: u64,
        /// How many are free.
        free: u64,
    },
    /// A file could not be read or written.
    #[error("use {}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The store could not be copied or held.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// A stable code: the window says something different for each.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotABackup(_) => "not_a_backup",
            Self::Damaged(_) => "backup_damaged",
            Self::DamagedStore => "store_damaged",
            Self::Newer { .. } | Self::Store(StoreError::Newer { .. }) => "backup_newer",
            Self::Exists(_) => "exists",
            Self::NoServer(_) => "not_found",
            Self::NoRoom { .. } => "backup_no_room",
            Self::Store(StoreError::InUse(_)) => "in_use",
            Self::Store(StoreError::Before { .. }) => "backup_before",
            Self::Store(StoreError::Unwritable) => "backup_no_room",
            Self::File { source, .. } | Self::Store(StoreError::Folder(source)) => {
                match of_folder(source.kind()) {
                    "no_room" => "backup_no_room",
                    "no_rights" => "no_rights",
                    _ => "storage",
                }
            }
            Self::Store(_) => "storage",
        }
    }
}

/// A moment as it stands in names of files: `2026-11-23T07-29-36Z`.
fn stamp(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at)
        .unwrap_or_default()
        .strftime("%Y-%m-%dT%H-%M-%SZ")
        .to_string()
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Has what was renamed into a folder survive a loss of power.
fn sync_folder(folder: &std::path::Path) -> std::io::Result<()> {
    // Elsewhere than on Unix a folder cannot be opened as a file, and renames are durable by themselves.
    if cfg!(unix) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

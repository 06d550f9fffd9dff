//! What can be wrong with a store, in kinds that a person can do something about.

use std::io;

use rusqlite::{ErrorCode, ffi};

/// A store that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file was written by a newer version of the program.
    #[error(
        "the file has schema {found}, this program knows {known}: it was written by a newer version"
    )]
    TooNew {
        /// The file's schema.
        found: u32,
        /// This program's.
        known: u32,
    },
    /// The file is of a schema from before the first that this program reads.
    #[error("the file has schema {found}, which this program does not read")]
    TooOld {
        /// The file's schema.
        found: u32,
    },
    /// SQLite failed.
    #[error("could not access the store")]
    Sqlite(#[from] rusqlite::Error),
    /// A value could not be written or read as JSON.
    #[error("could not read what the store holds")]
    Json(#[from] serde_json::Error),
    /// A file beside the store, or its folder, could not be used.
    #[error("could not access the store's folder")]
    Folder(#[from] io::Error),
    /// The store is not open.
    #[error("the store is shut: {0:?}")]
    Shut(Trouble),
}

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A newer version of the program wrote it. It is left as it is.
    TooNew {
        /// The file's schema.
        found: u32,
        /// This program's.
        known: u32,
    },
    /// It is no store, or pages of it are broken.
    Damaged,
    /// Another program uses it.
    Locked,
    /// The file or its folder may not be written.
    NoRights,
    /// The disk is full.
    NoRoom,
    /// The disk does not give it, or take it, for another reason.
    Unreadable,
}

/// An error that may say that a store is in trouble.
pub trait Troubled: From<StoreError> {
    /// The trouble; none if the store has nothing to do with it.
    fn trouble(&self) -> Option<Trouble>;
}

impl StoreError {
    /// The trouble that the store is in; none if a value in it is at fault, not the file.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::TooNew { found, known } => Some(Trouble::TooNew {
                found: *found,
                known: *known,
            }),
            Self::Sqlite(rusqlite::Error::SqliteFailure(failure, _)) => of_sqlite(*failure),
            // It is set aside like one that cannot be read.
            Self::TooOld { .. } => Some(Trouble::Damaged),
            Self::Sqlite(_) | Self::Json(_) => None,
            Self::Folder(error) => Some(of_system(error)),
            Self::Shut(trouble) => Some(*trouble),
        }
    }
}

impl Troubled for StoreError {
    fn trouble(&self) -> Option<Trouble> {
        Self::trouble(self)
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "SQLite's other codes speak of statements, not of the file"
)]
fn of_sqlite(failure: ffi::Error) -> Option<Trouble> {
    match failure.code {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Some(Trouble::Damaged),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Some(Trouble::Locked),
        ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen => {
            Some(Trouble::NoRights)
        }
        ErrorCode::DiskFull => Some(Trouble::NoRoom),
        // The file that connections share their index through could not be made larger.
        ErrorCode::SystemIoFailure if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
            Some(Trouble::NoRoom)
        }
        ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed => {
            Some(Trouble::Unreadable)
        }
        _ => None,
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the system's other kinds are one to a person"
)]
fn of_system(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Trouble::NoRights,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Trouble::NoRoom,
        io::ErrorKind::WouldBlock => Trouble::Locked,
        _ => Trouble::Unreadable,
    }
}

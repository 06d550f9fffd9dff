//! Why a server could not start or go on.

use std::io::ErrorKind;

use crate::{certificate::CertificateError, store::StoreError};

/// Why a server could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store cannot be used.
    #[error("open the store: {0}")]
    Store(#[from] StoreError),
    /// The key or the certificate cannot be used.
    #[error("open the certificate: {0}")]
    Certificate(#[from] CertificateError),
    /// The address cannot be listened at.
    #[error("listen at {address}")]
    Listen {
        /// Which address.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// A part without which nothing may go on has broken; it was said in the log how.
    #[error("{0} broke, so the server ended; the next start goes on with what was written")]
    Broken(&'static str),
    /// The server's task ended.
    #[error("serve connections")]
    Serve(#[source] std::io::Error),
    /// The configuration cannot be read.
    #[error("read the configuration: {0}")]
    Config(#[from] Box<figment::Error>),
}

/// What a person can do about a folder that cannot be used.
pub(crate) fn of_folder(why: ErrorKind) -> &'static str {
    if matches!(
        why,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
    ) {
        "no_rights"
    } else if why == ErrorKind::StorageFull {
        "no_room"
    } else {
        "storage"
    }
}

impl Error {
    /// A stable code for what a person can do about it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(StoreError::Newer { .. }) => "store_newer",
            Self::Store(StoreError::Before { .. }) => "store_before",
            Self::Store(StoreError::Damaged { .. } | StoreError::Json(_)) => "store_damaged",
            Self::Store(StoreError::Lost { .. }) => "store_lost",
            Self::Store(StoreError::InUse(_)) => "in_use",
            Self::Store(StoreError::Unwritable) => "no_room",
            Self::Store(StoreError::Folder(error)) => of_folder(error.kind()),
            Self::Store(StoreError::Engine(_) | StoreError::Closed | StoreError::TooLong) => {
                "storage"
            }
            Self::Certificate(CertificateError::KeyLost(_)) => "key_lost",
            Self::Certificate(_) => "key_unreadable",
            Self::Listen { .. } => "no_port",
            Self::Broken(_) => "broken",
            Self::Serve(_) | Self::Config(_) => "host_failed",
        }
    }

    /// With its causes, in one line.
    #[must_use]
    pub fn told(&self) -> String {
        let mut told = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            if !told.contains(&text) {
                told.push_str(": ");
                told.push_str(&text);
            }
            cause = error.source();
        }
        told
    }
}

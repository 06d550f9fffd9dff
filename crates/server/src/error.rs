//! Why a server could not start or go on.

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
    /// The server's task ended.
    #[error("serve connections")]
    Serve(#[source] std::io::Error),
    /// The configuration cannot be read.
    #[error("read the configuration: {0}")]
    Config(#[from] Box<figment::Error>),
}

//! Connections for reading. Each read is a transaction of its own, on a thread for blocking work.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::schema;
use crate::store::{Pending, StoreError};

/// Reads at the same time.
const READERS: usize = 4;

/// A pool of connections.
pub struct Readers {
    shared: Arc<Shared>,
}

struct Shared {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// A pool for a file. Connections are made when they are needed.
    pub fn new(file: PathBuf) -> Self {
        Self {
            shared: Arc::new(Shared {
                file,
                idle: Mutex::new(Vec::new()),
                permits: Arc::new(Semaphore::new(READERS)),
            }),
        }
    }

    /// Reads in one transaction.
    pub fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let shared = self.shared.clone();
        Box::pin(async move {
            let permit = shared
                .permits
                .clone()
                .acquire_owned()
                .await
                .map_err(|_| StoreError::Closed)?;
            tokio::task::spawn_blocking(move || {
                let mut db = shared.take()?;
                let result = {
                    let tx = db.transaction()?;
                    read(&tx)
                };
                shared
                    .idle
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(db);
                drop(permit);
                result
            })
            .await
            .map_err(|_| StoreError::Closed)?
        })
    }
}

impl Shared {
    fn take(&self) -> Result<Connection, StoreError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        if let Some(db) = idle {
            return Ok(db);
        }
        let db = Connection::open_with_flags(
            &self.file,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        schema::prepare(&db)?;
        db.pragma_update(None, "query_only", true)?;
        Ok(db)
    }
}

//! The history of one account on disk: one SQLite file, one writer, several readers. The only module with SQL.
//!
//! What the person did (outbox, drafts) commits with `synchronous=FULL`, what the server sent with `NORMAL`: it can be
//! fetched again. The two ways of committing are two connections behind one lock, so there is one writer at a time.
//! A view is read in one read transaction and so sees rows and outbox as of the same moment.

pub mod apply;
pub mod drafts;
pub mod heads;
pub mod islands;
pub mod members;
pub mod messages;
pub mod meta;
pub mod outbox;
pub mod profiles;
pub mod restore;
pub mod rows;
mod schema;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tulou_engine::Change;
use tulou_protocol::{AccountId, id::Millis};

pub use apply::Touched;

/// Readers kept open for the next view.
const IDLE_READERS: usize = 4;
/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 96;
/// How long a connection waits for another program (a backup) to let go of the file.
const BUSY: Duration = Duration::from_secs(5);

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
    /// SQLite failed.
    #[error("could not access the store")]
    Sqlite(#[from] rusqlite::Error),
    /// A value could not be written or read as JSON.
    #[error("could not read what the store holds")]
    Json(#[from] serde_json::Error),
}

/// The store of one account.
pub struct Store {
    path: PathBuf,
    me: AccountId,
    writer: Mutex<Writer>,
    readers: Mutex<Vec<Connection>>,
}

struct Writer {
    durable: Connection,
    ordinary: Connection,
}

impl Store {
    /// Opens or makes the store of an account.
    ///
    /// # Errors
    /// If the file cannot be opened, or was written by a newer version.
    pub fn open(path: &Path, me: AccountId) -> Result<Self, StoreError> {
        let mut durable = connect(path)?;
        schema::migrate(&mut durable)?;
        durable.pragma_update(None, "synchronous", "FULL")?;
        let ordinary = connect(path)?;
        ordinary.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(Self {
            path: path.to_owned(),
            me,
            writer: Mutex::new(Writer { durable, ordinary }),
            readers: Mutex::default(),
        })
    }

    /// Reads one snapshot.
    ///
    /// # Errors
    /// What the reading says, or if the file cannot be read.
    pub fn read<T, E: From<rusqlite::Error>>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = lock(&self.readers).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => {
                let reader = connect(&self.path)?;
                reader.pragma_update(None, "query_only", true)?;
                reader
            }
        };
        let transaction = reader.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let answer = read(&transaction);
        transaction.finish()?;
        let mut readers = lock(&self.readers);
        if readers.len() < IDLE_READERS {
            readers.push(reader);
        }
        answer
    }

    /// Writes what the person did. When this returns, it survives a loss of power.
    ///
    /// # Errors
    /// What the writing says; nothing was written then.
    pub fn write<T, E: From<rusqlite::Error>>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut writer = lock(&self.writer);
        transact(&mut writer.durable, write)
    }

    /// Writes what can be had again.
    ///
    /// # Errors
    /// What the writing says; nothing was written then.
    pub fn keep<T, E: From<rusqlite::Error>>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut writer = lock(&self.writer);
        transact(&mut writer.ordinary, write)
    }

    /// Applies what belongs together; says which views it made stale.
    ///
    /// # Errors
    /// If it could not be written; then nothing of it was.
    pub fn apply(&self, batch: &[Change], now: Millis) -> Result<Touched, StoreError> {
        let is_persons = batch
            .iter()
            .any(|change| matches!(change, Change::FollowUp(_) | Change::Lost(..)));
        if is_persons {
            self.write(|transaction| apply::batch(transaction, self.me, batch, now))
        } else {
            self.keep(|transaction| apply::batch(transaction, self.me, batch, now))
        }
    }

    /// Moves what was written into the main file: at the end of the program.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        let writer = lock(&self.writer);
        writer
            .durable
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        Ok(())
    }
}

fn transact<T, E: From<rusqlite::Error>>(
    connection: &mut Connection,
    write: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let answer = write(&transaction)?;
    transaction.commit()?;
    Ok(answer)
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// A panic while a value was held leaves it whole: SQLite rolls the transaction back when it is dropped.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A counter as SQLite keeps it. Counters of this protocol never come near the end of either.
const fn int(number: u64) -> i64 {
    number.cast_signed()
}

/// A counter from what SQLite kept.
const fn nat(number: i64) -> u64 {
    number.cast_unsigned()
}

#[cfg(test)]
mod tests;

//! The history of one account on disk: one SQLite file, one writer, several readers. The only module with SQL.
//!
//! What the person did (outbox, drafts) commits with `synchronous=FULL`, what the server sent with `NORMAL`: it can be
//! fetched again. The two ways of committing are two connections behind one lock, so there is one writer at a time.
//! A view is read in one read transaction and so sees rows and outbox as of the same moment.
//!
//! A store that cannot be opened is *shut*: everything asked of it says why, and [`Store::reopen`] tries again. A damaged
//! file is set aside under another name and begun anew (`aside`); what the person wrote is taken along, from the file as
//! far as it can be read and from a second copy beside it (`spare`).

pub mod apply;
mod aside;
pub mod drafts;
pub mod edits;
mod era;
mod file;
pub mod heads;
pub mod islands;
pub mod lost;
pub mod members;
pub mod messages;
pub mod meta;
pub mod outbox;
pub mod places;
pub mod profiles;
pub mod restore;
pub mod rows;
mod salvage;
mod schema;
mod spare;
mod tidying;
mod trouble;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tulou_engine::Write;
use tulou_protocol::{AccountId, id::Millis};

pub use apply::Touched;
pub(crate) use aside::free_name;
pub use meta::Aside;
pub use tidying::{Looked, Tidied};
pub use trouble::{StoreError, Trouble, Troubled};

/// Readers kept open for the next view.
const IDLE_READERS: usize = 4;
/// A file that is damaged again so soon is not set aside again by itself: the disk is at fault, and a folder full of
/// damaged files helps nobody.
const MEND_AGAIN_AFTER: Duration = Duration::from_secs(10 * 60);
/// Bytes that have to fit on the disk before a store that ran out of room is used again.
const ROOM: usize = 128 * 1_024;

/// The store of one account.
pub struct Store {
    path: PathBuf,
    me: AccountId,
    /// Held by whoever opens the file, sets it aside or removes it, which may take long; taken before `open`.
    opening: Mutex<Opening>,
    /// Held for reading by whoever uses the file. None while it is shut: who wants to use it is told, and does not wait.
    open: RwLock<Option<Open>>,
    trouble: watch::Sender<Option<Trouble>>,
    /// Outbox or drafts changed since they were copied.
    is_spare_old: AtomicBool,
}

#[derive(Default)]
struct Opening {
    /// Keeps other programs away from the file.
    lock: Option<File>,
    mended_at: Option<Instant>,
    /// Nobody wants it any more: it stays shut.
    is_removed: bool,
}

struct Open {
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
    /// If the file cannot be opened, is damaged, or was written by a newer version. It stays as it is then.
    pub fn open(path: &Path, me: AccountId) -> Result<Self, StoreError> {
        let store = Self::shut(path, me);
        store.open_file(&mut lock(&store.opening))?;
        Ok(store)
    }

    /// The store of an account, not opened yet.
    #[must_use]
    pub fn shut(path: &Path, me: AccountId) -> Self {
        Self {
            path: path.to_owned(),
            me,
            opening: Mutex::default(),
            open: RwLock::default(),
            trouble: watch::Sender::new(None),
            is_spare_old: AtomicBool::new(false),
        }
    }

    /// Opens a store that is shut, or makes sure that there is room again for one that had run out of it. A damaged file
    /// is set aside, and a new one begun; `is_wished`: even if that was done just before.
    ///
    /// # Errors
    /// Why it stays shut.
    pub fn reopen(&self, now: Millis, is_wished: bool) -> Result<(), StoreError> {
        let mut opening = lock(&self.opening);
        let opened = match self.open_file(&mut opening) {
            Err(error) if error.trouble() == Some(Trouble::Damaged) => {
                self.mend_file(&mut opening, now, is_wished)
            }
            other => other,
        };
        drop(opening);
        self.note(&opened);
        opened?;
        if *self.trouble.borrow() == Some(Trouble::NoRoom) {
            self.write(|db| meta::probe(db, ROOM))?;
            self.write(meta::end_probe)?;
        }
        self.trouble
            .send_if_modified(|trouble| trouble.take().is_some());
        Ok(())
    }

    /// Sets the file aside because something in it cannot be read, and begins a new one.
    ///
    /// # Errors
    /// If that is not possible, or was done just before; the store may be shut then.
    pub fn mend(&self, now: Millis) -> Result<(), StoreError> {
        let mut opening = lock(&self.opening);
        let mended = self.mend_file(&mut opening, now, false);
        drop(opening);
        self.note(&mended);
        mended?;
        self.trouble
            .send_if_modified(|trouble| trouble.take().is_some());
        Ok(())
    }

    /// What is wrong with the store, and when that changes.
    #[must_use]
    pub fn trouble(&self) -> watch::Receiver<Option<Trouble>> {
        self.trouble.subscribe()
    }

    /// Closes the store for good and removes its files: nobody wants the account on this computer any more. What was set
    /// aside stays.
    ///
    /// # Errors
    /// If a file stays.
    pub fn remove(&self) -> Result<(), StoreError> {
        let mut opening = lock(&self.opening);
        opening.is_removed = true;
        opening.lock = None;
        drop(write(&self.open).take());
        for added in ["", "-wal", "-shm", ".spare", ".spare.new", ".lock"] {
            match std::fs::remove_file(file::beside(&self.path, added)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn open_file(&self, opening: &mut Opening) -> Result<(), StoreError> {
        if opening.is_removed {
            return Err(StoreError::Shut(Trouble::Unreadable));
        }
        if read(&self.open).is_some() {
            return Ok(());
        }
        if opening.lock.is_none() {
            opening.lock = Some(file::lock(&self.path)?);
        }
        let durable = file::open(&self.path)?;
        // A file that was just made, or whose program ended between making the tables and this.
        if meta::is_blank(&durable)? {
            spare::bring_in(&durable, &self.path)?;
            self.is_spare_old.store(true, Ordering::Relaxed);
        }
        file::sync_whole(&durable)?;
        let ordinary = file::connect(&self.path)?;
        ordinary.pragma_update(None, "synchronous", "NORMAL")?;
        *write(&self.open) = Some(Open {
            writer: Mutex::new(Writer { durable, ordinary }),
            readers: Mutex::default(),
        });
        Ok(())
    }

    fn mend_file(
        &self,
        opening: &mut Opening,
        now: Millis,
        is_wished: bool,
    ) -> Result<(), StoreError> {
        let is_soon = opening
            .mended_at
            .is_some_and(|at| at.elapsed() < MEND_AGAIN_AFTER);
        if is_soon && !is_wished {
            return Err(StoreError::Shut(Trouble::Damaged));
        }
        let open = write(&self.open).take();
        if let Some(open) = open {
            file::leave(open.into_connections());
        }
        if opening.lock.is_none() {
            opening.lock = Some(file::lock(&self.path)?);
        }
        aside::set_aside(&self.path, now)?;
        opening.mended_at = Some(Instant::now());
        self.open_file(opening)
    }

    /// Reads one snapshot.
    ///
    /// # Errors
    /// What the reading says, or if the file cannot be read.
    pub fn read<T, E: Troubled>(
        &self,
        look: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.using(|open| self.read_open(open, look))
    }

    /// Uses the file, and remembers what turned out to be wrong with it. That it is shut is known already.
    fn using<T, E: Troubled>(&self, act: impl FnOnce(&Open) -> Result<T, E>) -> Result<T, E> {
        let held = read(&self.open);
        let answer = act(self.opened(&held)?);
        drop(held);
        self.note(&answer);
        answer
    }

    fn read_open<T, E: Troubled>(
        &self,
        open: &Open,
        look: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = lock(&open.readers).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => {
                let reader = file::connect(&self.path)?;
                reader
                    .pragma_update(None, "query_only", true)
                    .map_err(StoreError::from)?;
                reader
            }
        };
        let transaction = reader
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(StoreError::from)?;
        let answer = look(&transaction);
        transaction.finish().map_err(StoreError::from)?;
        let mut readers = lock(&open.readers);
        if readers.len() < IDLE_READERS {
            readers.push(reader);
        }
        answer
    }

    fn opened<'a>(&self, held: &'a Option<Open>) -> Result<&'a Open, StoreError> {
        held.as_ref()
            .ok_or_else(|| StoreError::Shut(self.trouble.borrow().unwrap_or(Trouble::Unreadable)))
    }

    /// Writes what the person did. When this returns, it survives a loss of power.
    ///
    /// # Errors
    /// What the writing says; nothing was written then.
    pub fn write<T, E: Troubled>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let written = self.transact(|writer| &mut writer.durable, write);
        self.is_spare_old
            .fetch_or(written.is_ok(), Ordering::Relaxed);
        written
    }

    /// Writes what can be had again.
    ///
    /// # Errors
    /// What the writing says; nothing was written then.
    pub fn keep<T, E: Troubled>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transact(|writer| &mut writer.ordinary, write)
    }

    /// Applies what belongs together; says which views it made stale.
    ///
    /// # Errors
    /// If it could not be written; then nothing of it was.
    pub fn apply(&self, batch: &[Write], now: Millis) -> Result<Touched, StoreError> {
        let is_persons = batch
            .iter()
            .any(|change| matches!(change, Write::FollowUp(_) | Write::Greeted(_)));
        if is_persons {
            return self.write(|transaction| apply::batch(transaction, self.me, batch, now));
        }
        let touched = self.keep(|transaction| apply::batch(transaction, self.me, batch, now))?;
        self.is_spare_old
            .fetch_or(touched.has_outbox, Ordering::Relaxed);
        Ok(touched)
    }

    fn transact<T, E: Troubled>(
        &self,
        choose: impl FnOnce(&mut Writer) -> &mut Connection,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.using(|open| transact(choose(&mut lock(&open.writer)), write))
    }

    /// Remembers what is wrong with the store, for those who listen.
    fn note<T, E: Troubled>(&self, answer: &Result<T, E>) {
        let Some(trouble) = answer.as_ref().err().and_then(Troubled::trouble) else {
            return;
        };
        self.trouble.send_if_modified(|held| {
            let is_other = *held != Some(trouble);
            *held = Some(trouble);
            is_other
        });
    }

    /// Copies outbox, drafts and how the server is known to the file beside the store, if they changed since; how many
    /// bytes that took. The copy is for the day on which the store cannot be read, so it need not be synced.
    ///
    /// # Errors
    /// If the store cannot be read or the copy not written; the one before stays then.
    pub fn copy_spare(&self) -> Result<usize, StoreError> {
        if !self.is_spare_old.swap(false, Ordering::Relaxed) {
            return Ok(0);
        }
        let spare = self.read(spare::Spare::of)?;
        spare.keep(&self.path, false)
    }

    /// Whether [`Store::copy_spare`] has something to do.
    #[must_use]
    pub fn is_spare_old(&self) -> bool {
        self.is_spare_old.load(Ordering::Relaxed)
    }

    /// How many bytes the file takes.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn file_bytes(&self) -> Result<u64, StoreError> {
        self.read(|db| {
            let number = |pragma: &str| db.query_row(pragma, [], |row| row.get::<_, i64>(0));
            Ok::<_, StoreError>(nat(
                number("PRAGMA page_count")? * number("PRAGMA page_size")?
            ))
        })
    }

    /// How many bytes what is held takes. The file may be larger: what was removed leaves room that is used again.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn bytes(&self) -> Result<u64, StoreError> {
        self.read(|db| {
            let number = |pragma: &str| db.query_row(pragma, [], |row| row.get::<_, i64>(0));
            let pages = number("PRAGMA page_count")? - number("PRAGMA freelist_count")?;
            Ok::<_, StoreError>(nat(pages * number("PRAGMA page_size")?))
        })
    }

    /// Gives pages that nothing is in back to the disk; whether there may be more.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn shrink(&self, most: u32) -> Result<bool, StoreError> {
        let free = self.read(|db| {
            let free = db.query_row("PRAGMA freelist_count", [], |row| row.get::<_, u32>(0))?;
            Ok::<_, StoreError>(free)
        })?;
        let held = read(&self.open);
        let writer = lock(&self.opened(&held)?.writer);
        let mut statement = writer
            .ordinary
            .prepare(&format!("PRAGMA incremental_vacuum({most})"))?;
        let mut steps = statement.query([])?;
        while steps.next()?.is_some() {}
        Ok(free > most)
    }

    /// Moves what was written into the main file: at the end of the program.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        let held = read(&self.open);
        let writer = lock(&self.opened(&held)?.writer);
        writer
            .durable
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        Ok(())
    }
}

impl Open {
    fn into_connections(self) -> impl Iterator<Item = Connection> {
        let writer = self
            .writer
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let readers = self
            .readers
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        [writer.durable, writer.ordinary].into_iter().chain(readers)
    }
}

fn transact<T, E: Troubled>(
    connection: &mut Connection,
    write: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(StoreError::from)?;
    let answer = write(&transaction)?;
    transaction.commit().map_err(StoreError::from)?;
    Ok(answer)
}

/// A panic while a value was held leaves it whole: SQLite rolls the transaction back when it is dropped.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// What a text of JSON says; none if it says nothing that this program knows. One value is never worth a whole history.
fn legible<T: DeserializeOwned>(text: &str, what: &str) -> Option<T> {
    serde_json::from_str(text)
        .inspect_err(|error| tracing::warn!("{what} in the store cannot be read: {error}"))
        .ok()
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

//! Threads that read, each with a connection of its own. A read makes progress whether or not who asked looks after it,
//! so nobody can hold up another's read by being busy. Each read is a transaction of its own.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock, mpsc},
    thread::JoinHandle,
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use super::schema;
use crate::store::{Pending, StoreError};

/// Reads at the same time.
const READERS: usize = 4;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The threads' entrance. Their queue is bounded by what all sessions together may have in flight.
pub struct Readers {
    /// None once they are closed.
    jobs: RwLock<Option<mpsc::Sender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    /// Starts the threads for a file.
    pub fn start(file: &std::path::Path) -> Result<Self, StoreError> {
        let (jobs, waiting) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let mut threads = Vec::new();
        for _ in 0..READERS {
            let (file, waiting) = (file.to_owned(), waiting.clone());
            let mut db = open(file)?;
            let thread = std::thread::Builder::new()
                .name("tulou-reader".to_owned())
                .spawn(move || {
                    while let Some(job) = next(&waiting) {
                        // A thread that ended would be missed by everybody.
                        if catch_unwind(AssertUnwindSafe(|| job(&mut db))).is_err() {
                            tracing::error!("a read of the store panicked");
                        }
                    }
                })?;
            threads.push(thread);
        }
        Ok(Self {
            jobs: RwLock::new(Some(jobs)),
            threads: Mutex::new(threads),
        })
    }

    /// Answers what waits, then ends the threads. Afterwards none of them has the file open: the last connection of a
    /// file that was moved away would remove the log beside the file that took its place.
    pub fn close(&self) -> Pending<()> {
        self.jobs
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        Box::pin(async move {
            let ended = tokio::task::spawn_blocking(move || {
                for thread in threads {
                    // A panic was told when it happened.
                    let _ = thread.join();
                }
            });
            ended.await.map_err(|_| StoreError::Closed)
        })
    }

    /// Reads in one transaction.
    pub fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |db| {
            let result = db
                .transaction()
                .map_err(StoreError::from)
                .and_then(|tx| read(&tx));
            // Nobody waits any more if the request was dropped.
            let _ = answer.send(result);
        });
        let is_sent = self
            .jobs
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .is_some_and(|jobs| jobs.send(job).is_ok());
        Box::pin(async move {
            if !is_sent {
                return Err(StoreError::Closed);
            }
            answered.await.map_err(|_| StoreError::Closed)?
        })
    }
}

/// The next job; none once the store is dropped.
fn next(waiting: &Mutex<mpsc::Receiver<Job>>) -> Option<Job> {
    waiting
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .recv()
        .ok()
}

fn open(file: PathBuf) -> Result<Connection, StoreError> {
    let db = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    schema::prepare(&db)?;
    db.pragma_update(None, "query_only", true)?;
    Ok(db)
}

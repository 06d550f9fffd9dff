//! Threads that read, each with a connection of its own. A read makes progress whether or not who asked looks after it,
//! so nobody can hold up another's read by being busy. Each read is a transaction of its own.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use super::{said, schema};
use crate::store::{Pending, StoreError};

/// Whoever asks gets an answer, or none, after so long: nobody else waits for it longer.
pub const LONGEST: Duration = if cfg!(test) {
    Duration::from_millis(300)
} else {
    Duration::from_secs(5)
};
/// Instructions of the engine between two looks at the time.
const LOOK_EVERY: i32 = 10_000;

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

    /// Reads in one transaction, with an end to how long if one is given.
    pub fn read<T: Send + 'static>(
        &self,
        longest: Option<Duration>,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |db| {
            let result = within(db, longest, |db| {
                db.transaction()
                    .map_err(StoreError::from)
                    .and_then(|tx| read(&tx))
            });
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

/// Reads for a time at most.
fn within<T>(
    db: &mut Connection,
    longest: Option<Duration>,
    read: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let Some(longest) = longest else {
        return read(db);
    };
    let until = Instant::now() + longest;
    db.progress_handler(LOOK_EVERY, Some(move || Instant::now() >= until))?;
    let result = read(db);
    db.progress_handler(0, None::<fn() -> bool>)?;
    result.map_err(|error| {
        let code = said(&error).and_then(rusqlite::Error::sqlite_error_code);
        if code == Some(rusqlite::ErrorCode::OperationInterrupted) {
            StoreError::TooLong
        } else {
            error
        }
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_read_that_takes_too_long_ends_and_the_next_one_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.sqlite");
        Connection::open(&file)
            .unwrap()
            .execute_batch("CREATE TABLE a (a)")
            .unwrap();
        let readers = Readers::start(&file).unwrap();
        let endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
        let read = |sql: &'static str| {
            readers.read(Some(LONGEST), move |db| {
                Ok(db.query_row(sql, [], |row| row.get::<_, i64>(0))?)
            })
        };
        let held: Vec<_> = (0..READERS).map(|_| read(endless)).collect();
        let next = read("SELECT 7");
        for one in held {
            let ended = one.await;
            assert!(matches!(ended, Err(StoreError::TooLong)), "{ended:?}");
        }
        assert_eq!(next.await.unwrap(), 7, "nobody holds the readers");
    }
}

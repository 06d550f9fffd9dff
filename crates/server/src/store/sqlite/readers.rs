//! Threads that read, each with a connection of its own. A read makes progress whether or not who asked looks after it,
//! so nobody can hold up another's read by being busy. Each read is a transaction of its own.
//!
//! What is read for somebody has an end to how long it takes. What is told to everybody comes first, and one thread is kept
//! for it, so that it waits for nobody who asks.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use super::{said, schema};
use tulou_protocol::AccountId;

use crate::store::{
    Pending, StoreError,
    telling::{is_telling, who_asks},
};

/// Whoever asks gets an answer, or none, after so long: nobody else waits for it longer.
pub const LONGEST: Duration = Duration::from_secs(5);
/// Instructions of the engine between two looks at the time, and at whether anybody waits.
const LOOK_EVERY: i32 = 1_000;

/// Reads at the same time.
const READERS: usize = 4;
/// Of these, for anything but what is told to everybody.
const ASKING: usize = READERS - 1;
/// Of these, for one account, and for the server's own work.
const FOR_ONE: usize = ASKING - 1;

/// Whom something is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// It is told to everybody.
    Everybodys,
    /// An account's question or command.
    Account(AccountId),
    /// The server's own work, which may take long.
    Servers,
    /// Somebody's who has not said who he is.
    Nobodys,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The threads' entrance. Their queue is bounded by what all sessions together may have in flight.
pub struct Readers {
    #[cfg(test)]
    is_hurried: std::sync::atomic::AtomicBool,
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What waits for a thread.
#[derive(Default)]
pub struct Queue {
    jobs: Mutex<Jobs>,
    wake: Condvar,
    /// The last read under way has ended.
    still: Condvar,
}

#[derive(Default)]
struct Jobs {
    /// What is told to everybody.
    own: VecDeque<Job>,
    asked: VecDeque<(Whose, Job)>,
    /// Threads that read.
    busy: usize,
    /// Whom those read for that do not read what is told to everybody.
    asking: Vec<Whose>,
    /// None begins.
    is_held: bool,
    is_closed: bool,
}

impl Jobs {
    /// The next one that may begin, and whose it is.
    fn begin(&mut self) -> Option<(Whose, Job)> {
        if self.is_held {
            return None;
        }
        let own = self.own.pop_front().map(|job| (Whose::Everybodys, job));
        let next = own.or_else(|| self.begin_asked())?;
        self.busy += 1;
        Some(next)
    }

    /// The first that was asked for by somebody who is not read for as often as may be.
    fn begin_asked(&mut self) -> Option<(Whose, Job)> {
        if self.asking.len() >= ASKING {
            return None;
        }
        let of = |whose: &Whose| self.asking.iter().filter(|other| *other == whose).count();
        let may_begin = |(whose, _): &(Whose, Job)| *whose == Whose::Nobodys || of(whose) < FOR_ONE;
        let at = self.asked.iter().position(may_begin)?;
        let next = self.asked.remove(at)?;
        self.asking.push(next.0);
        Some(next)
    }

    /// One has ended.
    fn end(&mut self, whose: Whose) {
        self.busy -= 1;
        if let Some(at) = self.asking.iter().position(|other| *other == whose) {
            self.asking.swap_remove(at);
        }
    }
}

impl Queue {
    /// Does something while nobody reads, if all that is being read ends within a time; what comes meanwhile waits.
    pub fn while_still<T>(&self, longest: Duration, work: impl FnOnce() -> T) -> Option<T> {
        let mut jobs = self.jobs();
        jobs.is_held = true;
        let (jobs, _) = self
            .still
            .wait_timeout_while(jobs, longest, |jobs| jobs.busy > 0)
            .unwrap_or_else(PoisonError::into_inner);
        let is_still = jobs.busy == 0;
        drop(jobs);
        let done = is_still.then(work);
        self.jobs().is_held = false;
        self.wake.notify_all();
        done
    }

    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one; false if the threads are ending.
    fn add(&self, job: Job, whose: Whose) -> bool {
        let mut jobs = self.jobs();
        if jobs.is_closed {
            return false;
        }
        if whose == Whose::Everybodys {
            jobs.own.push_back(job);
        } else {
            jobs.asked.push_back((whose, job));
        }
        self.wake.notify_one();
        true
    }

    /// The next one, and whose it is; none once the threads are to end. Of the one before, if there was one, it is given
    /// whose it was.
    fn next(&self, last: Option<Whose>) -> Option<(Whose, Job)> {
        let mut jobs = self.jobs();
        if let Some(whose) = last {
            jobs.end(whose);
            if jobs.busy == 0 {
                self.still.notify_all();
            }
        }
        loop {
            if let Some(next) = jobs.begin() {
                return Some(next);
            }
            if jobs.is_closed && !jobs.is_held {
                // Whoever is busy does what is left.
                return None;
            }
            jobs = self.wake.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self) {
        self.jobs().is_closed = true;
        self.wake.notify_all();
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Readers {
    /// Starts the threads for a file.
    pub fn start(file: &std::path::Path) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::default());
        let mut threads = Vec::new();
        for _ in 0..READERS {
            let (file, queue) = (file.to_owned(), queue.clone());
            let mut db = open(file)?;
            let thread = std::thread::Builder::new()
                .name("tulou-reader".to_owned())
                .spawn(move || {
                    let mut last = None;
                    while let Some((whose, job)) = queue.next(last) {
                        last = Some(whose);
                        // A thread that ended would be missed by everybody.
                        if catch_unwind(AssertUnwindSafe(|| job(&mut db))).is_err() {
                            tracing::error!("a read of the store panicked");
                        }
                    }
                })?;
            threads.push(thread);
        }
        Ok(Self {
            #[cfg(test)]
            is_hurried: false.into(),
            queue,
            threads: Mutex::new(threads),
        })
    }

    /// Answers what waits, then ends the threads. Afterwards none of them has the file open: the last connection of a
    /// file that was moved away would remove the log beside the file that took its place.
    pub fn close(&self) -> Pending<()> {
        self.queue.close();
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

    /// What waits, for whoever must not meet a reader.
    pub fn queue(&self) -> Arc<Queue> {
        self.queue.clone()
    }

    /// Keeps all threads that read for those who ask, until what is given back is dropped.
    #[cfg(test)]
    pub fn hold(&self) -> (std::sync::mpsc::Sender<()>, Vec<Pending<()>>) {
        let (let_go, held) = std::sync::mpsc::channel();
        let held = Arc::new(Mutex::new(held));
        let (begin, begun) = std::sync::mpsc::channel();
        let reading = (0..ASKING).map(|_| {
            let (held, begin) = (held.clone(), begin.clone());
            self.read(Some(LONGEST), move |_| {
                let _ = begin.send(());
                let held = held.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = held.recv();
                Ok(())
            })
        });
        let reading = reading.collect();
        for _ in 0..ASKING {
            let _ = begun.recv();
        }
        (let_go, reading)
    }

    /// What has an end ends at the first look at the time.
    #[cfg(test)]
    pub fn hurry(&self) {
        self.is_hurried
            .store(true, std::sync::atomic::Ordering::SeqCst);
    }

    /// How many wait that somebody asked for.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.queue.jobs().asked.len()
    }

    /// Reads in one transaction, with an end to how long unless it is told to everybody.
    pub fn read<T: Send + 'static>(
        &self,
        longest: Option<Duration>,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let whose = match (is_telling(), who_asks(), longest) {
            (true, ..) => Whose::Everybodys,
            (false, Some(account), _) => Whose::Account(account),
            (false, None, None) => Whose::Servers,
            (false, None, Some(_)) => Whose::Nobodys,
        };
        let longest = longest.filter(|_| whose != Whose::Everybodys);
        #[cfg(test)]
        let longest = if self.is_hurried.load(std::sync::atomic::Ordering::SeqCst) {
            longest.map(|_| Duration::ZERO)
        } else {
            longest
        };
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |db| {
            // Nobody waits any more if the request was dropped.
            if answer.is_closed() {
                return;
            }
            let answer = Arc::new(answer);
            let asker = Arc::downgrade(&answer);
            let is_left = move || asker.upgrade().is_none_or(|answer| answer.is_closed());
            let result = within(db, longest, is_left, |db| {
                db.transaction()
                    .map_err(StoreError::from)
                    .and_then(|tx| read(&tx))
            });
            if let Some(answer) = Arc::into_inner(answer) {
                let _ = answer.send(result);
            }
        });
        let is_sent = self.queue.add(job, whose);
        Box::pin(async move {
            if !is_sent {
                return Err(StoreError::Closed);
            }
            answered.await.map_err(|_| StoreError::Closed)?
        })
    }
}

/// Reads for a time at most, and while somebody waits.
fn within<T>(
    db: &mut Connection,
    longest: Option<Duration>,
    is_left: impl Fn() -> bool + Send + 'static,
    read: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let until = longest.map(|longest| Instant::now() + longest);
    let ends = move || is_left() || until.is_some_and(|until| Instant::now() >= until);
    db.progress_handler(LOOK_EVERY, Some(ends))?;
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
    use crate::store::telling::{asking, telling};

    const SHORT: Duration = Duration::from_millis(300);

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
            readers.read(Some(SHORT), move |db| {
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

    #[tokio::test]
    async fn what_is_told_to_everybody_does_not_wait_behind_what_is_read_for_somebody() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.sqlite");
        Connection::open(&file)
            .unwrap()
            .execute_batch("CREATE TABLE a (a)")
            .unwrap();
        let readers = Readers::start(&file).unwrap();
        let endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
        let read = |longest, sql: &'static str| {
            readers.read(longest, move |db| {
                Ok(db.query_row(sql, [], |row| row.get::<_, i64>(0))?)
            })
        };
        let mut asked: Vec<_> = (0..4 * READERS)
            .map(|_| read(Some(SHORT), endless))
            .collect();
        let told = telling(async { read(Some(SHORT), "SELECT 7").await });
        assert_eq!(told.await.unwrap(), 7);
        let still = futures_util::FutureExt::now_or_never(&mut asked[2 * READERS]);
        assert!(still.is_none(), "a reader is kept for it");
        for one in asked.drain(..2 * READERS) {
            assert!(matches!(one.await, Err(StoreError::TooLong)));
        }
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.sqlite");
        Connection::open(&file).unwrap();
        let readers = Readers::start(&file).unwrap();
        let (let_go, holding) = readers.hold();
        let read = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        for _ in 0..100 {
            let read = read.clone();
            drop(readers.read(Some(LONGEST), move |_| {
                read.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                Ok(())
            }));
        }
        drop(let_go);
        for one in holding {
            one.await.unwrap();
        }
        readers.close().await.unwrap();
        let read = read.load(std::sync::atomic::Ordering::SeqCst);
        assert_eq!(read, 0, "who hangs up keeps no reader");
    }

    #[tokio::test]
    async fn a_read_ends_when_nobody_waits_for_it_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.sqlite");
        Connection::open(&file).unwrap();
        let readers = Readers::start(&file).unwrap();
        let endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
        let mut reading = Vec::new();
        for _ in 0..ASKING {
            let (tell, told) = oneshot::channel();
            let read = readers.read(Some(Duration::from_secs(60)), move |db| {
                let _ = tell.send(());
                Ok(db.query_row(endless, [], |row| row.get::<_, i64>(0))?)
            });
            told.await.unwrap();
            reading.push(read);
        }
        drop(reading);
        let closed = tokio::time::timeout(Duration::from_secs(20), readers.close()).await;
        assert!(closed.is_ok(), "nobody asks for what would come of it");
    }

    #[tokio::test]
    async fn however_much_one_account_asks_for_another_is_read_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.sqlite");
        Connection::open(&file).unwrap();
        let readers = Readers::start(&file).unwrap();
        let (let_go, held) = std::sync::mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let holds = |longest| {
            let held = held.clone();
            readers.read(longest, move |_| {
                let _ = held.lock().unwrap_or_else(PoisonError::into_inner).recv();
                Ok(())
            })
        };
        let reads = || {
            let read = readers.read(Some(LONGEST), |_| Ok(7));
            async {
                tokio::time::timeout(Duration::from_secs(20), read)
                    .await
                    .expect("he is read for")
            }
        };
        let [greedy, other] = [1, 2].map(|n| AccountId(uuid::Uuid::from_u128(n)));
        let greedily = asking(greedy, async {
            [0; 2 * READERS].map(|_| holds(Some(LONGEST)))
        });
        let greedily = greedily.await;
        assert_eq!(asking(other, async { reads().await }).await.unwrap(), 7);
        assert_eq!(reads().await.unwrap(), 7, "who has not said who he is");
        drop(let_go);
        for one in greedily {
            one.await.unwrap();
        }
        let (let_go, held) = std::sync::mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let own = [0; READERS].map(|_| {
            let held = held.clone();
            readers.read(None, move |_| {
                let _ = held.lock().unwrap_or_else(PoisonError::into_inner).recv();
                Ok(())
            })
        });
        assert_eq!(reads().await.unwrap(), 7, "nor does the server's own work");
        drop(let_go);
        for one in own {
            one.await.unwrap();
        }
    }
}

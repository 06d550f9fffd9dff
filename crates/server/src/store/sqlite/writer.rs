//! The thread that writes. It takes whatever waits, writes it in one transaction, and answers after the commit, which is
//! an fsync: the more there is to do, the more shares one. What was committed is handed to the bus; who waits for it is
//! answered beside the thread, which goes on with the next transaction.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
    mpsc,
};

use rusqlite::Connection;
use tokio::{runtime::Handle, sync::oneshot};
use tulou_protocol::{Rev, id::Millis};

use super::{
    group::{Done, Group},
    log_file::LogFile,
    readers::Queue,
    said,
    times::{IDLE, Times},
};
use crate::{
    domain::Change,
    store::{Bus, Commit, Committed, Outcome, Pending, StoreError},
};

/// Most commits in one transaction: bounds how long the first waits for the last.
const GROUP: usize = 1_024;

/// So few are answered by the thread itself: they have one way less to go.
const FEW: usize = 2;

type Answer = oneshot::Sender<Result<Outcome, StoreError>>;

/// Answers to a group of commits. Unbounded, because what is in it is bounded by the requests in flight of all sessions.
type Answers = tokio::sync::mpsc::UnboundedSender<Vec<(Answer, Outcome)>>;

/// Where what was written goes.
struct Ways {
    times: Times,
    /// When it took the commits that it is writing.
    began_at: Arc<AtomicI64>,
    bus: Arc<dyn Bus>,
    /// None outside a runtime: the thread answers itself.
    answers: Option<Answers>,
    /// The disk failed the last write.
    has_failed: Arc<AtomicBool>,
}

enum Job {
    Commit(Box<Commit>, Answer),
    Write(Box<dyn FnOnce(&mut Connection) + Send>),
    Close(oneshot::Sender<()>),
}

/// The thread's entrance. Its queue is bounded by what all sessions together may have in flight.
pub struct Writer {
    jobs: mpsc::Sender<Job>,
    /// The disk failed the last write: it is full, or breaks.
    has_failed: Arc<AtomicBool>,
    times: Times,
    began_at: Arc<AtomicI64>,
}

impl Writer {
    /// Starts the thread.
    pub fn start(connection: Connection, bus: Arc<dyn Bus>, readers: Arc<Queue>) -> Self {
        let (jobs, waiting) = mpsc::channel();
        let has_failed = Arc::new(AtomicBool::new(false));
        let answers = Handle::try_current().ok().map(|runtime| {
            let (answers, mut answered) = tokio::sync::mpsc::unbounded_channel();
            runtime.spawn(async move {
                while let Some(group) = answered.recv().await {
                    answer_all(group);
                }
            });
            answers
        });
        let times = Times::default();
        let began_at = Arc::new(AtomicI64::new(IDLE));
        let ways = Ways {
            times: times.clone(),
            began_at: began_at.clone(),
            bus,
            answers,
            has_failed: has_failed.clone(),
        };
        std::thread::Builder::new()
            .name("tulou-writer".to_owned())
            .spawn(move || run(connection, &waiting, &ways, &readers))
            .map_err(|error| tracing::error!(%error, "the writer's thread did not start"))
            .ok();
        Self {
            jobs,
            has_failed,
            times,
            began_at,
        }
    }

    /// The times of what it writes.
    pub fn times(&self) -> Times {
        self.times.clone()
    }

    /// Up to when all that was written can be read, if it is so late: what is being written is dated no earlier than it was
    /// taken.
    pub fn settled(&self, now: Millis) -> Millis {
        now.min(self.began_at.load(Ordering::SeqCst))
    }

    /// Whether the disk failed the last write.
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// Commits.
    pub fn commit(&self, commit: Commit) -> Pending<Outcome> {
        let (answer, answered) = oneshot::channel();
        let sent = self.jobs.send(Job::Commit(Box::new(commit), answer));
        Box::pin(async move {
            sent.map_err(|_| StoreError::Closed)?;
            answered.await.map_err(|_| StoreError::Closed)?
        })
    }

    /// Writes in a transaction of its own, after what waits already.
    pub fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let (answer, answered) = oneshot::channel();
        let has_failed = self.has_failed.clone();
        let job = Job::Write(Box::new(move |db| {
            let result = (|| {
                let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                let result = write(&tx)?;
                tx.commit()?;
                Ok(result)
            })();
            let result = result.map_err(of_the_disk);
            note(&has_failed, &result);
            // Nobody waits any more if the request was dropped.
            let _ = answer.send(result);
        }));
        let sent = self.jobs.send(job);
        Box::pin(async move {
            sent.map_err(|_| StoreError::Closed)?;
            answered.await.map_err(|_| StoreError::Closed)?
        })
    }

    /// Writes what waits, then ends the thread.
    pub fn close(&self) -> Pending<()> {
        let (closed, is_closed) = oneshot::channel();
        let sent = self.jobs.send(Job::Close(closed));
        Box::pin(async move {
            if sent.is_ok() {
                let _ = is_closed.await;
            }
            Ok(())
        })
    }
}

fn answer_all(group: Vec<(Answer, Outcome)>) {
    for (answer, outcome) in group {
        // Nobody waits any more if the session has ended.
        let _ = answer.send(Ok(outcome));
    }
}

fn run(mut db: Connection, jobs: &mpsc::Receiver<Job>, ways: &Ways, readers: &Queue) {
    let mut log = LogFile::of(&db);
    let mut next = None;
    while let Some(job) = next.take().or_else(|| jobs.recv().ok()) {
        match job {
            Job::Write(write) => write(&mut db),
            Job::Close(closed) => {
                let _ = db.pragma_update(None, "wal_checkpoint", "truncate");
                drop(db);
                let _ = closed.send(());
                return;
            }
            Job::Commit(commit, answer) => {
                let mut group = vec![(*commit, answer)];
                while group.len() < GROUP {
                    match jobs.try_recv() {
                        Ok(Job::Commit(commit, answer)) => group.push((*commit, answer)),
                        Ok(other) => {
                            next = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                // Whoever read the time before this was stored read an earlier one than the group is dated.
                ways.began_at
                    .store(ways.times.now().unwrap_or(IDLE), Ordering::SeqCst);
                let now = ways.times.now();
                for (commit, _) in &mut group {
                    ways.times.set_right(commit);
                }
                commit_all(&mut db, group, now, ways);
                ways.began_at.store(IDLE, Ordering::SeqCst);
            }
        }
        log.shorten(&db, readers);
    }
}

/// What the disk refuses is told apart: it may take it later, and nothing is wrong with what was to be written.
fn of_the_disk(error: StoreError) -> StoreError {
    use rusqlite::ErrorCode::{CannotOpen, DiskFull, ReadOnly, SystemIoFailure};
    let Some(cause) = said(&error) else {
        return error;
    };
    match cause.sqlite_error_code() {
        Some(DiskFull | SystemIoFailure | CannotOpen | ReadOnly) => {
            tracing::error!(error = ?cause, "the disk refused a write");
            StoreError::Unwritable
        }
        Some(_) | None => error,
    }
}

fn note<T>(has_failed: &AtomicBool, result: &Result<T, StoreError>) {
    match result {
        Ok(_) => has_failed.store(false, Ordering::Relaxed),
        Err(StoreError::Unwritable) => has_failed.store(true, Ordering::Relaxed),
        Err(_) => {}
    }
}

fn commit_all(db: &mut Connection, group: Vec<(Commit, Answer)>, now: Option<Millis>, ways: &Ways) {
    let commits: Vec<&Commit> = group.iter().map(|(commit, _)| commit).collect();
    let written = write_all(db, &commits, now).map_err(of_the_disk);
    note(&ways.has_failed, &written);
    match written {
        Ok(results) => {
            let mut batch = Vec::new();
            let mut answers = Vec::with_capacity(results.len());
            for ((commit, answer), (done, rows)) in group.into_iter().zip(results) {
                let outcome = match done {
                    Done::Written {
                        logs,
                        joined,
                        members,
                        answer: body,
                    } => {
                        let mut changes = commit.changes;
                        put_revs(&mut changes, members);
                        let committed = Arc::new(Committed {
                            account: commit.account,
                            command: commit.command,
                            origin: commit.origin,
                            logs,
                            changes,
                            joined,
                            answer: body,
                            rows,
                        });
                        batch.push(committed.clone());
                        Outcome::Done(committed)
                    }
                    Done::Other(outcome) => outcome,
                };
                answers.push((answer, outcome));
            }
            if !batch.is_empty() {
                ways.bus.publish(batch);
            }
            let unsent = match &ways.answers {
                Some(beside) if answers.len() > FEW => {
                    beside.send(answers).err().map(|unsent| unsent.0)
                }
                Some(_) | None => Some(answers),
            };
            answer_all(unsent.unwrap_or_default());
        }
        // Nothing of it is on the disk, so nobody is told that it is.
        Err(StoreError::Unwritable) => {
            for (_, answer) in group {
                drop(answer.send(Err(StoreError::Unwritable)));
            }
        }
        Err(error) if group.len() == 1 => {
            if let Some((_, answer)) = group.into_iter().next() {
                drop(answer.send(Err(error)));
            }
        }
        // One of them spoils the transaction: each gets one of its own.
        Err(_) => {
            for one in group {
                commit_all(db, vec![one], now, ways);
            }
        }
    }
}

/// Members whose rows were written have the revs that these got.
fn put_revs(changes: &mut [Change], revs: Vec<Rev>) {
    let mut revs = revs.into_iter();
    for change in changes {
        if let Change::Member { member, .. } = change
            && let Some(rev) = revs.next()
        {
            member.rev = rev;
        }
    }
}

fn write_all(
    db: &mut Connection,
    commits: &[&Commit],
    now: Option<Millis>,
) -> Result<Vec<(Done, u64)>, StoreError> {
    let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut group = Group::new(&tx, now.unwrap_or_default());
    let mut results = Vec::with_capacity(commits.len());
    for commit in commits {
        let before = tx.total_changes();
        let done = group.write(commit)?;
        results.push((done, tx.total_changes() - before));
    }
    group.flush()?;
    tx.commit()?;
    Ok(results)
}

#[cfg(test)]
mod tests {
    use tulou_protocol::{
        AccountId, CommandId, CommunityId, Log, id::Millis, row::Community, row::Join,
    };
    use uuid::Uuid;

    use super::*;
    use crate::{
        actor::Origin,
        store::{Nowhere, sqlite::schema},
    };

    const NOW: Millis = 10;

    /// A commit that needs many pages.
    fn large(number: u128) -> Commit {
        let id = CommunityId(Uuid::from_u128(number));
        let account = AccountId(Uuid::from_u128(1));
        let row = Community {
            name: "土楼".to_owned(),
            introduction: "x".repeat(100_000),
            owner: account,
            join: Join::Invite,
            recall_window_ms: 1,
            edit_window_ms: None,
            created_at: NOW,
            more: Default::default(),
        };
        Commit {
            account,
            command: CommandId(Uuid::from_u128(number)),
            origin: Origin::SERVER,
            is_apart: false,
            now: NOW,
            expects: Vec::new(),
            changes: vec![Change::Row {
                log: Log::Community(id),
                id: id.to_string(),
                body: row.into(),
            }],
        }
    }

    /// Lets the file grow to so many pages and no more.
    async fn allow(writer: &Writer, pages: Option<u32>) {
        let allow = writer.write(move |db| {
            let used: u32 = db.pragma_query_value(None, "page_count", |row| row.get(0))?;
            db.pragma_update(None, "max_page_count", pages.unwrap_or(used))?;
            Ok(())
        });
        allow.await.unwrap();
    }

    #[tokio::test]
    async fn what_a_full_disk_refuses_is_not_answered_as_written_and_goes_on_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.sqlite");
        let mut db = Connection::open(&file).unwrap();
        schema::prepare(&db).unwrap();
        schema::migrate(&mut db).unwrap();
        let writer = Writer::start(db, Arc::new(Nowhere), Arc::default());
        allow(&writer, None).await;

        let commits: Vec<_> = (1..=5).map(|number| writer.commit(large(number))).collect();
        for commit in commits {
            let refused = commit.await;
            assert!(
                matches!(refused, Err(StoreError::Unwritable)),
                "nobody is told that it was written: {refused:?}"
            );
        }
        assert!(writer.has_failed(), "the server takes nothing more");
        let reader = Connection::open(&file).unwrap();
        let count = |reader: &Connection| -> u32 {
            reader
                .query_row("SELECT count(*) FROM row", [], |row| row.get(0))
                .unwrap()
        };
        assert_eq!(
            count(&reader),
            0,
            "nothing of it is there, and reading goes on"
        );

        allow(&writer, Some(100_000)).await;
        assert!(!writer.has_failed(), "a write succeeded");
        for number in 1..=5 {
            let done = writer.commit(large(number)).await;
            assert!(matches!(done, Ok(Outcome::Done(_))), "{done:?}");
        }
        assert_eq!(count(&reader), 5, "each is there once");
        let again = writer.commit(large(5)).await;
        assert!(
            matches!(again, Ok(Outcome::Repeat(_))),
            "a repeat gets the stored answer: {again:?}"
        );
        writer.close().await.unwrap();
    }
}

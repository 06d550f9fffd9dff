//! The thread that writes. It takes whatever waits, writes it in one transaction, and answers after the commit, which is
//! an fsync: the more there is to do, the more shares one.

use std::{
    collections::HashMap,
    sync::{Arc, mpsc},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::group::{Done, Group};
use crate::store::{Bus, Commit, Committed, Delivery, Outcome, Pending, StoreError};

/// Most commits in one transaction: bounds how long the first waits for the last.
const GROUP: usize = 1_024;

type Answer = oneshot::Sender<Result<Outcome, StoreError>>;

enum Job {
    Commit(Box<Commit>, Answer),
    Write(Box<dyn FnOnce(&mut Connection) + Send>),
    Close(oneshot::Sender<()>),
}

/// The thread's entrance. Its queue is bounded by what all sessions together may have in flight.
pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the thread.
    pub fn start(connection: Connection, bus: Bus) -> Self {
        let (jobs, waiting) = mpsc::channel();
        std::thread::Builder::new()
            .name("tulou-writer".to_owned())
            .spawn(move || run(connection, &waiting, &bus))
            .map_err(|error| tracing::error!(%error, "the writer's thread did not start"))
            .ok();
        Self { jobs }
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
        let job = Job::Write(Box::new(move |db| {
            let result = (|| {
                let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                let result = write(&tx)?;
                tx.commit()?;
                Ok(result)
            })();
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

fn run(mut db: Connection, jobs: &mpsc::Receiver<Job>, bus: &Bus) {
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
                commit_all(&mut db, group, bus);
            }
        }
    }
}

fn commit_all(db: &mut Connection, group: Vec<(Commit, Answer)>, bus: &Bus) {
    let commits: Vec<&Commit> = group.iter().map(|(commit, _)| commit).collect();
    match write_all(db, &commits) {
        Ok(results) => {
            let mut deliveries = Vec::new();
            for ((commit, answer), done) in group.into_iter().zip(results) {
                match done {
                    Done::Written {
                        logs,
                        joined,
                        answer: body,
                    } => deliveries.push(Delivery {
                        committed: Arc::new(Committed {
                            account: commit.account,
                            origin: commit.origin,
                            logs,
                            changes: commit.changes,
                            joined,
                            answer: body,
                        }),
                        done: answer,
                    }),
                    Done::Other(outcome) => drop(answer.send(Ok(outcome))),
                }
            }
            if !deliveries.is_empty()
                && let Err(unsent) = bus.send(deliveries)
            {
                // The hub is gone, the commits are not: they are answered here.
                for Delivery { committed, done } in unsent.0 {
                    drop(done.send(Ok(Outcome::Done(committed))));
                }
            }
        }
        Err(error) if group.len() == 1 => {
            for (_, answer) in group {
                drop(answer.send(Err(StoreError::Closed)));
            }
            tracing::error!(error = ?error, "a commit failed");
        }
        // One of them spoils the transaction: each gets one of its own.
        Err(_) => {
            for one in group {
                commit_all(db, vec![one], bus);
            }
        }
    }
}

fn write_all(db: &mut Connection, commits: &[&Commit]) -> Result<Vec<Done>, StoreError> {
    let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut group = Group {
        db: &tx,
        heads: HashMap::new(),
    };
    let results: Result<Vec<_>, _> = commits.iter().map(|commit| group.write(commit)).collect();
    let results = results?;
    group.flush()?;
    tx.commit()?;
    Ok(results)
}

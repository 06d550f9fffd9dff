//! Takes commits from the bus in their order: brings the structures in memory up to date, ends watches of what is hidden,
//! and only then fans out. Each write says the rev that it continues from; where others are missing before it, the store
//! is asked for them, so that nobody misses what was lost on the way.

use std::{
    collections::HashMap,
    sync::{Arc, MutexGuard},
    time::Duration,
};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::Notify;
use tulou_protocol::{Log, Rev, Seq, limits};

use super::{Floor, Hub, State};
use crate::{
    actor::Origin,
    clock::Clock,
    communities::Communities,
    domain::Change,
    store::{Committed, Heard, Run, Store, wire},
};

/// Tells this node what was committed.
pub(crate) struct Publisher {
    /// Whom it tells.
    pub hub: Arc<Hub>,
    /// What is brought up to date first.
    pub communities: Arc<Communities>,
    /// What is asked for what is missing.
    pub store: Arc<dyn Store>,
    pub clock: Arc<Clock>,
    /// Woken when something ended, and is to be removed.
    pub ended: Arc<Notify>,
    /// Those whose view changed are told within so long.
    pub stale_over: Duration,
}

impl Publisher {
    /// Fans out until the store is closed.
    pub async fn run(self, mut bus: Heard) {
        while let Some(batch) = bus.recv().await {
            let mut merged = Merged::default();
            for committed in &batch {
                if let Some(community) = committed.community() {
                    // What was committed before goes out with the rights that held then.
                    std::mem::take(&mut merged).send(&mut self.hub.state());
                    if self.publish_community(community, committed).await {
                        self.hub.expected().hears(committed);
                    }
                }
                self.note(committed).await;
                let missing = merged.take(committed, &self.hub.state());
                if !missing.is_empty() {
                    std::mem::take(&mut merged).send(&mut self.hub.state());
                    for (log, since) in missing {
                        self.mend(log, since).await;
                    }
                }
            }
            merged.send(&mut self.hub.state());
        }
    }

    /// What moved is told with the next digest, and whoever has another name writes under it.
    async fn note(&self, committed: &Committed) {
        for change in &committed.changes {
            if let Change::Named { account, .. } = change {
                let rev = committed.of(Log::Account(*account));
                let rev = rev.map(|written| written.rev).unwrap_or_default();
                let state = self.hub.state();
                for line in state.accounts.get(account).into_iter().flatten() {
                    line.actor.set_profile_rev(rev);
                }
            }
        }
        for written in &committed.logs {
            let Log::Topic(topic) = written.log else {
                continue;
            };
            match self.communities.home_of(topic).await {
                Ok(Some(community)) => self.hub.moved(community, topic),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, topic.id = %topic, "a digest leaves out what moved");
                }
            }
        }
    }

    /// Tells what a log's sessions have not been told since a rev.
    async fn mend(&self, log: Log, since: Rev) {
        tracing::warn!(%log, %since, "what is missing is read from the store");
        let missed = self.store.missed(log, since, limits::SYNC_ROWS).await;
        if let Ok(Some(written)) = &missed {
            self.hub.state().send(&Run::of(written), None);
        } else {
            // Too much, or the store fails: each session asks by itself.
            self.hub.state().stale(log);
        }
        if let Log::Account(account) = log {
            self.look_at_memberships(account, missed.ok().flatten().as_ref())
                .await;
        }
    }
}

/// Writes of a group of commits, merged per log.
#[derive(Default)]
struct Merged<'a> {
    runs: Vec<(Run<'a>, Vec<Origin>)>,
    at: HashMap<Log, usize>,
}

impl<'a> Merged<'a> {
    /// Takes what was written to logs of topics and accounts, but for what continues nothing that sessions were told: of
    /// which logs something is missing, since when.
    fn take(&mut self, committed: &'a Committed, state: &MutexGuard<'_, State>) -> Vec<(Log, Rev)> {
        let mut missing = Vec::new();
        for written in &committed.logs {
            let log = written.log;
            if matches!(log, Log::Community(_)) {
                continue;
            }
            if let Some(at) = self.at.get(&log) {
                let (run, origins) = &mut self.runs[*at];
                if !run.goes_on(written) {
                    missing.push((log, run.rev()));
                } else if !origins.contains(&committed.origin) {
                    origins.push(committed.origin);
                }
            } else if let Some(told) = state.told.get(&log).filter(|told| written.prev > **told) {
                missing.push((log, *told));
            } else {
                self.at.insert(log, self.runs.len());
                self.runs.push((Run::of(written), vec![committed.origin]));
            }
        }
        missing
    }

    /// A session gets no push of what it was answered with, unless it is merged with others'.
    fn send(self, state: &mut State) {
        for (run, origins) in &self.runs {
            let only = match origins.as_slice() {
                [one] => Some(*one),
                _ => None,
            };
            state.send(run, only);
        }
    }
}

impl State {
    /// Tells those who listen to a log what was written to it, but for whoever wrote it.
    fn send(&mut self, run: &Run<'_>, author: Option<Origin>) {
        let is_told = match run.log() {
            Log::Topic(topic) => {
                let watchers = self.watchers.get_mut(&topic).map(Vec::as_mut_slice);
                let watchers = watchers.unwrap_or_default();
                let mut seqs: Vec<Seq> = run.rows().map(|row| row.seq).collect();
                seqs.sort_unstable();
                // By how many rows are left out: floors between the same two rows leave out the same ones.
                let mut frames: HashMap<usize, Utf8Bytes> = HashMap::new();
                for watcher in watchers.iter_mut() {
                    if author == Some(watcher.line.actor.origin) {
                        continue;
                    }
                    let floor = match &mut watcher.floor {
                        Floor::At(floor) => *floor,
                        Floor::Sought(came) => {
                            *came = Some(run.rev()).max(*came);
                            continue;
                        }
                    };
                    let left_out = seqs.partition_point(|seq| *seq < floor);
                    let frame = frames
                        .entry(left_out)
                        .or_insert_with(|| wire::push_frame(run, floor).into());
                    watcher.line.push(frame.clone(), run.log(), run.rev());
                }
                !watchers.is_empty()
            }
            Log::Account(account) => {
                let lines = self.accounts.get(&account).map(Vec::as_slice);
                let lines = lines.unwrap_or_default();
                let mut whole: Option<Utf8Bytes> = None;
                for line in lines {
                    if author != Some(line.actor.origin) {
                        let frame =
                            whole.get_or_insert_with(|| wire::push_frame(run, Seq::ZERO).into());
                        line.push(frame.clone(), run.log(), run.rev());
                    }
                }
                !lines.is_empty()
            }
            Log::Community(_) => false,
        };
        if is_told {
            self.tell(run.log(), run.rev());
        }
    }

    /// Has those who listen to a log ask for it. What they were told of it is not known from here on.
    pub(super) fn stale(&mut self, log: Log) {
        let rev = self.told.remove(&log).unwrap_or_default();
        match log {
            Log::Topic(topic) => {
                for watcher in self.watchers.get(&topic).into_iter().flatten() {
                    watcher.line.stale(log, rev.next());
                }
            }
            Log::Account(account) => {
                for line in self.accounts.get(&account).into_iter().flatten() {
                    line.stale(log, rev.next());
                }
            }
            Log::Community(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tulou_protocol::{AccountId, SessionId, TopicId};
    use uuid::Uuid;

    use super::*;
    use crate::store::{Written, WrittenRow};

    fn written(log: Log, rev: u64, seq: u64) -> Written {
        Written {
            log,
            prev: Rev(rev - 1),
            rev: Rev(rev),
            rows: vec![WrittenRow {
                row: None,
                seq: Seq(seq),
                json: format!(r#"{{"seq":{seq}}}"#),
            }],
            authors: Vec::new(),
        }
    }

    #[test]
    fn who_may_not_read_the_same_rows_gets_the_same_bytes() {
        let hub = Hub::default();
        let topic = TopicId(Uuid::from_u128(1));
        let watching = |n: u128, floor: u64| {
            let account = AccountId(Uuid::from_u128(n));
            let line = hub.attach(account, SessionId(Uuid::from_u128(n)), Rev(1), 1 << 20);
            hub.watch(&line, &[topic]);
            for watcher in hub.state().watchers.get_mut(&topic).unwrap() {
                if watcher.line.is(&line) {
                    watcher.floor = Floor::At(Seq(floor));
                }
            }
            line
        };
        let lines = [
            watching(1, 1),
            watching(2, 3),
            watching(3, 9),
            watching(4, 10),
        ];
        // An edit of the second message, and the tenth one.
        let log = Log::Topic(topic);
        let (edit, sent) = (written(log, 20, 2), written(log, 21, 10));
        let mut run = Run::of(&edit);
        assert!(run.goes_on(&sent));
        hub.state().send(&run, None);
        let frames: Vec<_> = lines.iter().map(|line| line.take().0.remove(0)).collect();
        assert!(frames[0].contains(r#"{"seq":2}"#));
        for frame in &frames[1..] {
            assert!(
                !frame.contains(r#"{"seq":2}"#),
                "nobody reads below his floor"
            );
            assert!(frame.contains(r#"{"seq":10}"#));
            assert_eq!(
                frame.as_ptr(),
                frames[1].as_ptr(),
                "each floor between the two rows leaves out the same one"
            );
        }
    }
}

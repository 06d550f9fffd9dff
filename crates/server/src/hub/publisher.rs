//! Takes commits in their order: brings the structures in memory up to date, ends watches of what is hidden, and only
//! then fans out.

use std::{
    collections::HashMap,
    sync::{Arc, MutexGuard},
    time::Duration,
};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::{Notify, mpsc};
use tulou_protocol::{CommunityId, Log, Seq};

use super::{Hub, State};
use crate::{
    actor::Origin,
    clock::Clock,
    communities::Communities,
    domain::change::Change,
    store::{Committed, Delivery, Outcome, Written},
    wire,
};

/// Tells this node what was committed.
pub(crate) struct Publisher {
    /// Whom it tells.
    pub hub: Arc<Hub>,
    /// What is brought up to date first.
    pub communities: Arc<Communities>,
    pub clock: Arc<Clock>,
    /// Woken when something ended, and is to be removed.
    pub ended: Arc<Notify>,
    /// Those whose view changed are told within so long.
    pub stale_over: Duration,
}

impl Publisher {
    /// Fans out until the store is closed.
    pub async fn run(self, mut bus: mpsc::UnboundedReceiver<Vec<Delivery>>) {
        while let Some(deliveries) = bus.recv().await {
            let mut merged = Merged::default();
            for delivery in &deliveries {
                let committed = &delivery.committed;
                if let Some(community) = touches_community(committed) {
                    // What was committed before goes out with the rights that held then.
                    merged.send(self.hub.state());
                    merged = Merged::default();
                    self.publish_community(community, committed).await;
                }
                self.note(committed);
                merged.take(committed);
            }
            merged.send(self.hub.state());
            for Delivery { committed, done } in deliveries {
                // Nobody waits any more if the session has ended.
                let _ = done.send(Ok(Outcome::Done(committed)));
            }
        }
    }

    /// What moved is told with the next digest, and whoever has another name writes under it.
    fn note(&self, committed: &Committed) {
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
            if let Log::Topic(topic) = written.log
                && let Some(community) = self.communities.known_home(topic)
            {
                self.hub.moved(community, topic);
            }
        }
    }
}

/// The community whose structure or members a commit changed.
fn touches_community(committed: &Committed) -> Option<CommunityId> {
    committed.changes.iter().find_map(|change| match change {
        Change::Row {
            log: Log::Community(id),
            ..
        } => Some(*id),
        Change::Numbered { community, .. }
        | Change::Member { community, .. }
        | Change::MemberGone { community, .. }
        | Change::Seat { community, .. }
        | Change::TopicBegins { community, .. }
        | Change::TopicEnds { community, .. }
        | Change::CommunityEnds { community } => Some(*community),
        Change::Row { .. }
        | Change::Send(_)
        | Change::Content(_)
        | Change::Marks { .. }
        | Change::ReadSoFar { .. }
        | Change::ReadUpTo { .. }
        | Change::InviteUsed { .. }
        | Change::Bereft { .. }
        | Change::Fades { .. }
        | Change::MentionSeen { .. }
        | Change::Named { .. } => None,
    })
}

/// Writes of a group of commits, merged per log.
#[derive(Default)]
struct Merged<'a> {
    logs: Vec<(Log, Vec<&'a Written>, Vec<Origin>)>,
    at: HashMap<Log, usize>,
}

impl<'a> Merged<'a> {
    fn take(&mut self, committed: &'a Committed) {
        for written in &committed.logs {
            if matches!(written.log, Log::Community(_)) {
                continue;
            }
            let at = *self.at.entry(written.log).or_insert_with(|| {
                self.logs.push((written.log, Vec::new(), Vec::new()));
                self.logs.len() - 1
            });
            let (_, writes, origins) = &mut self.logs[at];
            writes.push(written);
            if !origins.contains(&committed.origin) {
                origins.push(committed.origin);
            }
        }
    }

    /// A session gets no push of what it was answered with, unless it is merged with others'.
    fn send(&self, state: MutexGuard<'_, State>) {
        for (log, writes, origins) in &self.logs {
            let rev = writes.last().map(|written| written.rev).unwrap_or_default();
            let only = match origins.as_slice() {
                [one] => Some(*one),
                _ => None,
            };
            match log {
                Log::Topic(topic) => {
                    let Some(watchers) = state.watchers.get(topic) else {
                        continue;
                    };
                    let oldest = writes
                        .iter()
                        .flat_map(|written| &written.rows)
                        .map(|row| row.seq)
                        .min()
                        .unwrap_or_default();
                    let mut whole: Option<Utf8Bytes> = None;
                    let mut parts: HashMap<Seq, Utf8Bytes> = HashMap::new();
                    for watcher in watchers {
                        if only == Some(watcher.line.actor.origin) {
                            continue;
                        }
                        let frame = if watcher.floor <= oldest {
                            whole.get_or_insert_with(|| wire::push_frame(writes, Seq::ZERO).into())
                        } else {
                            parts
                                .entry(watcher.floor)
                                .or_insert_with(|| wire::push_frame(writes, watcher.floor).into())
                        };
                        watcher.line.push(frame.clone(), *log, rev);
                    }
                }
                Log::Account(account) => {
                    let Some(lines) = state.accounts.get(account) else {
                        continue;
                    };
                    let mut whole: Option<Utf8Bytes> = None;
                    for line in lines {
                        if only != Some(line.actor.origin) {
                            let frame = whole
                                .get_or_insert_with(|| wire::push_frame(writes, Seq::ZERO).into());
                            line.push(frame.clone(), *log, rev);
                        }
                    }
                }
                Log::Community(_) => {}
            }
        }
    }
}

//! A queue to a socket. It is bounded in bytes: when it is full, the waiting rows of a log are replaced
//! by a note that the log changed, so that nothing grows with a slow reader.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::Notify;
use tulou_protocol::{
    AccountId, Code, CommunityId, Log, Rev, SessionId, TopicId,
    push::{Pushed, Stale},
};

use crate::{actor::Actor, store::wire};

/// A frame that waits.
struct Waiting {
    frame: Utf8Bytes,
    of: Of,
}

/// What is in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Rows of a log, and the rev that they bring to.
    Rows(Log, Rev),
    /// A digest of a community.
    Digest(CommunityId),
    /// Something that the next one says again.
    Other,
}

/// A session's queue, with who acts at its other end.
pub struct Line {
    /// Who acts.
    pub actor: Actor,
    /// Which sign-in.
    pub session: SessionId,
    queue: Mutex<Queue>,
    wake: Notify,
    queue_bytes: usize,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    watched: Vec<TopicId>,
    /// Logs that it will soon be told to sync, with their revs; their rows are held back.
    owed: HashMap<Log, Rev>,
    ended: Option<Code>,
}

impl Line {
    /// A session with an empty queue.
    pub(crate) fn new(actor: Actor, session: SessionId, queue_bytes: usize) -> Self {
        Self {
            actor,
            session,
            queue: Mutex::default(),
            wake: Notify::new(),
            queue_bytes,
        }
    }

    /// Whose.
    pub fn account(&self) -> AccountId {
        self.actor.account
    }

    /// Whether it is the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.actor.origin == other.actor.origin
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rows of a log are to be sent.
    pub fn push(&self, frame: Utf8Bytes, log: Log, rev: Rev) {
        let mut queue = self.queue();
        if let Some(owed) = queue.owed.get_mut(&log) {
            *owed = rev.max(*owed);
            return;
        }
        if queue.bytes + frame.len() > self.queue_bytes {
            queue.make_stale(log, rev);
            queue.shrink(self.queue_bytes);
        } else {
            queue.add(frame, Of::Rows(log, rev));
        }
        drop(queue);
        self.wake.notify_one();
    }

    /// A frame without rows is to be sent: a heartbeat. It is left out when the queue is full, because the next one says
    /// the same.
    pub fn tell(&self, frame: Utf8Bytes) {
        let mut queue = self.queue();
        if queue.bytes + frame.len() <= self.queue_bytes {
            queue.add(frame, Of::Other);
        }
        drop(queue);
        self.wake.notify_one();
    }

    /// Digests of a community are to be sent. When the queue is full they are replaced, with those that wait, by a note that
    /// makes its reader ask: no other digest says what is in them.
    pub(crate) fn digest(&self, community: CommunityId, frames: &[Utf8Bytes], note: &Utf8Bytes) {
        let mut queue = self.queue();
        let bytes: usize = frames.iter().map(|frame| frame.len()).sum();
        let of = Of::Digest(community);
        if queue.bytes + bytes > self.queue_bytes {
            queue.remove(|waiting| waiting == of);
            queue.add(note.clone(), of);
        } else {
            for frame in frames {
                queue.add(frame.clone(), of);
            }
        }
        drop(queue);
        self.wake.notify_one();
    }

    /// The log is to be synced.
    pub fn stale(&self, log: Log, rev: Rev) {
        let mut queue = self.queue();
        let owed = queue.owed.remove(&log).unwrap_or_default();
        queue.make_stale(log, rev.max(owed));
        drop(queue);
        self.wake.notify_one();
    }

    /// The log is to be synced; it will be told later. Until then it gets no rows of it.
    pub(crate) fn owe(&self, log: Log, rev: Rev) {
        let mut queue = self.queue();
        let owed = queue.owed.entry(log).or_default();
        *owed = rev.max(*owed);
    }

    /// Tells it what it is owed of a log, if it was not told meanwhile.
    pub(crate) fn pay(&self, log: Log) {
        let mut queue = self.queue();
        if let Some(rev) = queue.owed.remove(&log) {
            queue.make_stale(log, rev);
            drop(queue);
            self.wake.notify_one();
        }
    }

    /// The session is to end. Of one that was revoked nothing that waits is written any more.
    pub fn end(&self, reason: Code) {
        let mut queue = self.queue();
        queue.ended.get_or_insert(reason);
        if reason == Code::SignedOut {
            queue.ended = Some(reason);
            queue.waiting.clear();
            queue.bytes = 0;
        }
        drop(queue);
        self.wake.notify_one();
        if reason == Code::SignedOut {
            self.actor.revoke();
        }
    }

    /// Whether its sign-in was revoked.
    pub fn is_revoked(&self) -> bool {
        self.actor.is_revoked()
    }

    /// Until its sign-in is revoked.
    pub async fn revoked(&self) {
        self.actor.revoked().await;
    }

    /// What waits, and why the session is to end if it is.
    pub fn take(&self) -> (Vec<Utf8Bytes>, Option<Code>) {
        let mut queue = self.queue();
        queue.bytes = 0;
        let frames = queue
            .waiting
            .drain(..)
            .map(|waiting| waiting.frame)
            .collect();
        (frames, queue.ended)
    }

    /// Until something may wait.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// The topics that it watches.
    pub fn watched(&self) -> Vec<TopicId> {
        self.queue().watched.clone()
    }

    pub(crate) fn set_watched(&self, topics: Vec<TopicId>) {
        self.queue().watched = topics;
    }

    pub(crate) fn forget(&self, topic: TopicId) {
        self.queue().watched.retain(|watched| *watched != topic);
    }
}

impl Queue {
    /// Of what was revoked nothing is written but that it was.
    fn add(&mut self, frame: Utf8Bytes, of: Of) {
        if self.ended == Some(Code::SignedOut) {
            return;
        }
        self.bytes += frame.len();
        self.waiting.push_back(Waiting { frame, of });
    }

    fn remove(&mut self, mut is_meant: impl FnMut(Of) -> bool) {
        let mut freed = 0;
        self.waiting.retain(|waiting| {
            let is_meant = is_meant(waiting.of);
            if is_meant {
                freed += waiting.frame.len();
            }
            !is_meant
        });
        self.bytes -= freed;
    }

    /// Replaces the waiting rows of a log by a note.
    fn make_stale(&mut self, log: Log, rev: Rev) {
        let mut newest = rev;
        self.remove(|of| match of {
            Of::Rows(rows, to) if rows == log => {
                newest = newest.max(to);
                true
            }
            Of::Rows(..) | Of::Digest(_) | Of::Other => false,
        });
        let note = wire::pushed_frame(Pushed::Stale(Stale { log, rev: newest }));
        self.add(note.into(), Of::Rows(log, newest));
    }

    /// Makes room by doing the same to the logs with the most bytes.
    fn shrink(&mut self, to: usize) {
        while self.bytes > to {
            let mut sizes: Vec<(Log, Rev, usize, usize)> = Vec::new();
            for waiting in &self.waiting {
                if let Of::Rows(log, rev) = waiting.of {
                    match sizes.iter_mut().find(|(known, ..)| *known == log) {
                        Some(size) => {
                            size.2 += waiting.frame.len();
                            size.3 += 1;
                        }
                        None => sizes.push((log, rev, waiting.frame.len(), 1)),
                    }
                }
            }
            let largest = sizes
                .into_iter()
                .filter(|(.., frames)| *frames > 1)
                .max_by_key(|(_, _, bytes, _)| *bytes);
            match largest {
                Some((log, rev, ..)) => self.make_stale(log, rev),
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tulou_protocol::ServerFrame;
    use uuid::Uuid;

    use super::*;

    fn line(queue_bytes: usize) -> Line {
        Line::new(
            Actor::new(AccountId(Uuid::from_u128(1)), Rev(1)),
            SessionId(Uuid::from_u128(2)),
            queue_bytes,
        )
    }

    fn stale_to(line: &Line) -> Vec<(Log, Rev)> {
        let (frames, _) = line.take();
        frames
            .iter()
            .filter_map(|frame| match ServerFrame::parse(frame) {
                Ok(ServerFrame::Pushed(Pushed::Stale(stale))) => Some((stale.log, stale.rev)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn rows_are_held_back_until_a_session_is_told_that_its_view_changed() {
        let line = line(10_000);
        let log = Log::Topic(TopicId(Uuid::from_u128(3)));
        line.owe(log, Rev(5));
        line.push("x".into(), log, Rev(6));
        assert!(line.take().0.is_empty(), "nothing of a view it has not");
        line.pay(log);
        assert_eq!(stale_to(&line), [(log, Rev(6))], "all of it is covered");
        line.pay(log);
        assert_eq!(stale_to(&line), [], "it is told once");
        line.push("x".into(), log, Rev(7));
        assert_eq!(line.take().0.len(), 1, "from then on rows come again");
    }

    #[test]
    fn of_a_session_that_was_revoked_nothing_that_waits_is_written() {
        let log = Log::Topic(TopicId(Uuid::from_u128(3)));
        for (reason, left) in [(Code::ServerFull, 1), (Code::SignedOut, 0)] {
            let line = line(10_000);
            line.push("x".into(), log, Rev(5));
            line.owe(log, Rev(5));
            line.end(reason);
            line.push("x".into(), log, Rev(6));
            if reason == Code::SignedOut {
                line.tell("x".into());
                line.pay(log);
                line.stale(log, Rev(6));
            }
            let (frames, ended) = line.take();
            assert_eq!((frames.len(), ended), (left, Some(reason)));
            assert_eq!(line.is_revoked(), left == 0);
        }
    }

    #[test]
    fn a_full_queue_replaces_the_rows_of_a_log_by_a_note() {
        let line = line(1_000);
        let log = Log::Topic(TopicId(Uuid::from_u128(3)));
        for rev in 1..=20 {
            line.push("x".repeat(100).into(), log, Rev(rev));
        }
        let (frames, ended) = line.take();
        assert_eq!(ended, None, "nobody is cut off for being slow");
        assert!(
            frames.iter().map(|frame| frame.len()).sum::<usize>() <= 1_000,
            "the queue is bounded"
        );
        let notes: Vec<_> = frames
            .iter()
            .filter_map(|frame| ServerFrame::parse(frame).ok())
            .collect();
        assert!(
            notes.iter().any(
                |note| matches!(note, ServerFrame::Pushed(Pushed::Stale(stale)) if stale.log == log)
            ),
            "the reader is told to sync: {notes:?}"
        );
    }

    #[test]
    fn a_full_queue_replaces_the_digests_of_a_community_by_one_note() {
        let line = line(1_000);
        let community = |n| CommunityId(Uuid::from_u128(n));
        let told = |n, bytes: usize| {
            let frame = format!("{n}{}", "d".repeat(bytes - 1));
            line.digest(community(n), &[frame.into()], &format!("note {n}").into());
        };
        told(1, 300);
        told(2, 300);
        told(1, 300);
        let log = Log::Topic(TopicId(Uuid::from_u128(3)));
        line.push("x".repeat(80).into(), log, Rev(5));
        told(1, 100);
        let waits = || {
            let (frames, _) = line.take();
            let frames = frames.iter().map(|frame| frame[..6].to_owned());
            frames.collect::<Vec<_>>()
        };
        let expected = ["2ddddd", "xxxxxx", "note 1"];
        assert_eq!(waits(), expected, "what was in them is asked for");
        // One that is larger than the queue.
        told(1, 2_000);
        assert_eq!(waits(), ["note 1"]);
        for _ in 0..100 {
            told(1, 2_000);
            told(2, 2_000);
        }
        assert_eq!(waits(), ["note 1", "note 2"], "one for each community");
    }
}

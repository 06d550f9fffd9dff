//! Notes that views are stale, coalesced per listener: a view that is named is named once until the listener has heard
//! of it, so what waits is never more than there are views.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::Notify;

use crate::view::Change;

#[derive(Default)]
struct Waiting {
    notes: Mutex<BTreeSet<Change>>,
    wake: Notify,
}

/// Somebody who listens. Dropping it ends that.
pub struct Changes {
    waiting: Arc<Waiting>,
    board: Weak<Listeners>,
}

impl Changes {
    /// The views that became stale since the last call; waits for at least one. None once the client is gone.
    pub async fn next(&mut self) -> Option<Vec<Change>> {
        loop {
            let woken = self.waiting.wake.notified();
            let notes = std::mem::take(&mut *lock(&self.waiting.notes));
            if !notes.is_empty() {
                return Some(notes.into_iter().collect());
            }
            if self.board.strong_count() == 0 {
                return None;
            }
            woken.await;
        }
    }
}

#[derive(Default)]
struct Listeners(Mutex<Vec<Weak<Waiting>>>);

impl Drop for Listeners {
    fn drop(&mut self) {
        for listener in lock(&self.0).iter().filter_map(Weak::upgrade) {
            listener.wake.notify_one();
        }
    }
}

/// Where notes are put up.
#[derive(Clone, Default)]
pub(crate) struct Board(Arc<Listeners>);

impl Board {
    /// A new listener; hears what is put up from here on.
    pub fn listen(&self) -> Changes {
        let waiting = Arc::new(Waiting::default());
        lock(&self.0.0).push(Arc::downgrade(&waiting));
        Changes {
            waiting,
            board: Arc::downgrade(&self.0),
        }
    }

    /// Tells every listener.
    pub fn put_up(&self, notes: impl IntoIterator<Item = Change>) {
        let notes: Vec<Change> = notes.into_iter().collect();
        if notes.is_empty() {
            return;
        }
        lock(&self.0.0).retain(|listener| {
            let Some(listener) = listener.upgrade() else {
                return false;
            };
            lock(&listener.notes).extend(notes.iter().cloned());
            listener.wake.notify_one();
            true
        });
    }
}

/// A panic while a value was held leaves it whole: each is changed in one step.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_view_named_twice_is_told_once() {
        let board = Board::default();
        let mut changes = board.listen();
        board.put_up([Change::App, Change::App]);
        board.put_up([Change::App]);
        assert_eq!(changes.next().await, Some(vec![Change::App]));
        drop(board);
        assert_eq!(changes.next().await, None, "the client is gone");
    }
}

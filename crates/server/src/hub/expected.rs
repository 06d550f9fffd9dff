//! Commits that this node waits to hear of before it answers: whoever changed a community finds it changed.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;
use tulou_protocol::{AccountId, CommandId};

use crate::store::Committed;

type Key = (AccountId, CommandId);

/// Who waits for what.
#[derive(Default)]
pub(crate) struct Expected {
    waiting: Mutex<HashMap<Key, oneshot::Sender<()>>>,
}

/// Somebody waits for a commit until this is dropped.
pub(crate) struct Expecting<'a> {
    expected: &'a Expected,
    key: Key,
    heard: oneshot::Receiver<()>,
}

impl Expected {
    fn waiting(&self) -> MutexGuard<'_, HashMap<Key, oneshot::Sender<()>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A command is about to be committed.
    pub fn expect(&self, account: AccountId, command: CommandId) -> Expecting<'_> {
        let (hears, heard) = oneshot::channel();
        let key = (account, command);
        self.waiting().insert(key, hears);
        Expecting {
            expected: self,
            key,
            heard,
        }
    }

    /// It was heard of.
    pub fn hears(&self, committed: &Committed) {
        let key = (committed.account, committed.command);
        if let Some(waits) = self.waiting().remove(&key) {
            // Nobody waits any more if the session has ended.
            let _ = waits.send(());
        }
    }
}

impl Expecting<'_> {
    /// Whether it was heard of within a time.
    pub async fn comes(&mut self, within: Duration) -> bool {
        let heard = tokio::time::timeout(within, &mut self.heard).await;
        matches!(heard, Ok(Ok(())))
    }
}

impl Drop for Expecting<'_> {
    fn drop(&mut self) {
        self.expected.waiting().remove(&self.key);
    }
}

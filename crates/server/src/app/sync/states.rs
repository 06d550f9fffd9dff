//! Present states of communities as they are sent, encoded once for all who see the same: after a change of rights
//! everybody who is connected asks for one. At the limits that takes tens of milliseconds, so it is done beside the async threads.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::OnceCell;
use tulou_protocol::{CommunityId, Rev};

use super::pages::{Encoded, encode};
use crate::{
    domain::{Sight, Structure},
    store::StoreError,
};

/// Bytes of states that are kept; beyond, all are made anew when they are asked for.
const KEPT_BYTES: usize = 64 << 20;

/// The rows of a state in the order of rev.
type State = Arc<[(Rev, Encoded)]>;

/// A version of a community, and what is seen of it.
type Key = (CommunityId, Rev, String);

/// The states that were asked for.
#[derive(Debug, Default)]
pub struct States {
    by_key: Mutex<HashMap<Key, Arc<OnceCell<State>>>>,
    bytes: AtomicUsize,
}

impl States {
    /// What somebody sees of a community.
    ///
    /// # Errors
    /// If the server ends.
    pub(super) async fn of(
        &self,
        structure: &Arc<Structure>,
        sight: &Arc<Sight>,
    ) -> Result<State, StoreError> {
        let key = (structure.id, structure.rev, sight.shape().to_owned());
        let made = {
            let mut by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
            if self.bytes.load(Ordering::Relaxed) > KEPT_BYTES {
                by_key.clear();
                self.bytes.store(0, Ordering::Relaxed);
            }
            by_key.entry(key).or_default().clone()
        };
        // Who asks for the same meanwhile waits for it.
        let state = made.get_or_try_init(async || {
            let (structure, sight) = (structure.clone(), sight.clone());
            let encoding = tokio::task::spawn_blocking(move || {
                let rows = structure.rows_since(&sight, Rev::ZERO, false);
                let rows = rows.iter().map(|row| (row.rev, encode(row)));
                rows.collect::<State>()
            });
            let state = encoding.await.map_err(|_| StoreError::Closed)?;
            let bytes = state.iter().map(|(_, row)| row.len() + 64).sum();
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            Ok(state)
        });
        state.await.cloned()
    }
}

//! Communities are read for the first time: each once at a time, however many ask for it.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tulou_protocol::{CommunityId, Log};

use super::{Communities, Loaded};
use crate::store::{StoreError, telling};

/// So many are read at the same time for those who asked: a reader is left for what is read quickly.
const AT_ONCE: usize = 2;

type Found = Result<Option<Arc<Loaded>>, Arc<StoreError>>;

/// What is being read, for all who wait for it.
pub(super) struct Readings {
    by_id: Mutex<HashMap<CommunityId, Shared<BoxFuture<'static, Found>>>>,
    turns: Semaphore,
    closing: CancellationToken,
}

impl Default for Readings {
    fn default() -> Self {
        Self {
            by_id: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
            closing: CancellationToken::new(),
        }
    }
}

impl Readings {
    fn by_id(&self) -> MutexGuard<'_, HashMap<CommunityId, Shared<BoxFuture<'static, Found>>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reading, until it ends in whatever way.
struct Ends(Arc<Communities>, CommunityId);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.readings.by_id().remove(&self.1);
    }
}

impl Communities {
    /// A community, from memory or the store; none if there is none.
    pub(crate) async fn loaded(
        self: &Arc<Self>,
        community: CommunityId,
    ) -> Result<Option<Arc<Loaded>>, StoreError> {
        if let Some(known) = self.known(community) {
            return Ok(Some(known));
        }
        // What is told to everybody waits for nobody who asks.
        if telling::is_telling() {
            return self.read_first(community).await;
        }
        let found = self.reading(community).await;
        found.map_err(|error| of_all(&error))
    }

    /// It is read to its end, whether or not who asked for it waits so long: the next one finds it.
    fn reading(self: &Arc<Self>, community: CommunityId) -> impl Future<Output = Found> + use<> {
        let mut readings = self.readings.by_id();
        let reading = readings.entry(community).or_insert_with(|| {
            let communities = self.clone();
            let task = tokio::spawn(async move {
                // A runtime that ends drops what is spawned on the spot, while the lock is held that this takes.
                let ends = Ends(communities, community);
                let communities = &ends.0;
                let Readings { turns, closing, .. } = &communities.readings;
                let read = async {
                    let _turn = turns.acquire().await.map_err(|_| StoreError::Closed)?;
                    communities.read_first(community).await
                };
                tokio::select! {
                    () = closing.cancelled() => Err(Arc::new(StoreError::Closed)),
                    found = read => found.map_err(Arc::new),
                }
            });
            let found = task.map(|found| found.unwrap_or_else(|_| Err(StoreError::Closed.into())));
            found.boxed().shared()
        });
        reading.clone()
    }

    /// Nothing is read any more for those who asked.
    pub(crate) fn close(&self) {
        self.readings.closing.cancel();
    }

    async fn read_first(&self, community: CommunityId) -> Result<Option<Arc<Loaded>>, StoreError> {
        loop {
            if let Some(known) = self.known(community) {
                return Ok(Some(known));
            }
            let rewinds = self.rewinds();
            let Some(structure) = self.store.structure(community).await? else {
                return Ok(None);
            };
            self.keep(Arc::new(Loaded::new(structure, rewinds)));
            // What was committed while it was read, the publisher found nobody to tell: it is read again.
            let head = self.head(Log::Community(community)).await?;
            if let Some(known) = self.known(community)
                && (known.structure().rev < head.rev || known.rewinds() != self.rewinds())
            {
                self.read_again(&known).await?;
            }
        }
    }
}

/// Why something could not be read, for each of those who waited for it.
fn of_all(error: &Arc<StoreError>) -> StoreError {
    if matches!(**error, StoreError::Closed) {
        StoreError::Closed
    } else if matches!(**error, StoreError::TooLong) {
        StoreError::TooLong
    } else {
        StoreError::Engine(Box::new(error.clone()))
    }
}

//! The server's middle: gathers what a decision needs, has it decided and committed, and answers questions.
//!
//! * [`execute`] commands
//! * [`ask`] questions
//! * `sync` the question that everything else rests on
//! * `communities` structures and members in memory

pub mod ask;
mod communities;
pub mod execute;
mod sync;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Instant, SystemTime},
};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tulou_protocol::{
    AccountId, CommunityId, TopicId,
    frame::{Busy, Refusal},
    id::Millis,
    limits::Limits,
};

use crate::{
    Config, Error,
    accounts::Attempts,
    hub::{self, Hub},
    rate::{Buckets, Rate},
    store::{Identity, Store, StoreError, sqlite::Sqlite},
};
use communities::Loaded;

/// A server without its connections. Cheap to clone.
#[derive(Clone)]
pub struct App {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    store: Arc<dyn Store>,
    hub: Hub,
    communities: RwLock<HashMap<CommunityId, Arc<Loaded>>>,
    homes: RwLock<HashMap<TopicId, CommunityId>>,
    sends: Buckets<(AccountId, TopicId)>,
    attempts: Attempts,
    started: Instant,
    closing: CancellationToken,
}

/// Between two times that old answers are dropped, in seconds.
const FORGET_S: u64 = 3_600;

impl App {
    /// Opens the store and starts what runs beside the connections. Needs a tokio runtime.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let (bus, commits) = mpsc::unbounded_channel();
        let folder = config.data.clone();
        let store = tokio::task::spawn_blocking(move || Sqlite::open(&folder, bus))
            .await
            .map_err(|_| StoreError::Closed)??;
        let messages = f64::from(config.limits.messages_per_10s.max(1));
        let app = Self {
            shared: Arc::new(Shared {
                store: Arc::new(store),
                hub: Hub::default(),
                communities: RwLock::default(),
                homes: RwLock::default(),
                sends: Buckets::new(Rate {
                    capacity: messages,
                    per_ms: messages / 10_000.0,
                }),
                attempts: Attempts::default(),
                started: Instant::now(),
                closing: CancellationToken::new(),
                config,
            }),
        };
        tokio::spawn(hub::publisher::run(app.clone(), commits));
        tokio::spawn(hub::digest::run(app.clone()));
        tokio::spawn(forget_answers(app.clone()));
        Ok(app)
    }

    /// Ends the sessions, writes what is on its way, and closes the store.
    pub async fn close(&self) {
        self.shared.closing.cancel();
        if let Err(error) = self.shared.store.close().await {
            tracing::error!(%error, "the store did not close");
        }
    }

    /// Until the server stops.
    pub(crate) async fn closing(&self) {
        self.shared.closing.cancelled().await;
    }

    /// Has the sessions end.
    pub(crate) fn end_sessions(&self) {
        self.shared.closing.cancel();
    }

    /// What the operator has set.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The limits that clients are told.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.config.limits
    }

    /// Who the server is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.shared.store.identity()
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.shared.store
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.shared.hub
    }

    pub(crate) fn attempts(&self) -> &Attempts {
        &self.shared.attempts
    }

    /// The server's time. Read here and nowhere else.
    #[must_use]
    pub fn now(&self) -> Millis {
        SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
    }

    /// Milliseconds since the server started, which never go back.
    #[must_use]
    pub fn uptime_ms(&self) -> u64 {
        u64::try_from(self.shared.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A message takes its part of the sender's rate in the topic.
    fn take_send(&self, account: AccountId, topic: TopicId) -> Result<(), Refusal> {
        self.shared
            .sends
            .take((account, topic), self.uptime_ms())
            .map_err(|retry_after_ms| Refusal::Busy(Busy { retry_after_ms }))
    }

    /// Something broke: logged once, here.
    pub(crate) fn broken(error: &StoreError) -> Refusal {
        tracing::error!(error = ?error, "the store failed a request");
        Refusal::Misunderstood(tulou_protocol::frame::INTERNAL_ERROR)
    }

    /// The community of a topic.
    async fn home_of(&self, topic: TopicId) -> Result<Option<CommunityId>, StoreError> {
        let known = self
            .shared
            .homes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&topic)
            .copied();
        if known.is_some() {
            return Ok(known);
        }
        let found = self.store().community_of(topic).await?;
        if let Some(community) = found {
            self.shared
                .homes
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(topic, community);
        }
        Ok(found)
    }

    /// A topic moved: the next digest names it.
    pub(crate) fn topic_moved(&self, topic: TopicId) {
        let community = self
            .shared
            .homes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&topic)
            .copied();
        if let Some(community) = community
            && let Some(gathering) = self.hub().state().communities.get_mut(&community)
        {
            gathering.moved.insert(topic);
        }
    }
}

async fn forget_answers(app: App) {
    let mut ticks = tokio::time::interval(std::time::Duration::from_secs(FORGET_S));
    loop {
        tokio::select! {
            () = app.closing() => return,
            _ = ticks.tick() => {}
        }
        let days = tulou_protocol::limits::ANSWER_DAYS;
        let before = app.now() - days * 24 * 3_600 * 1_000;
        if let Err(error) = app.store().forget_answers(before).await {
            tracing::error!(%error, "old answers were not dropped");
        }
    }
}

//! The server's middle: gathers what a decision needs, has it decided and committed, and answers questions.
//!
//! * [`execute`] commands
//! * [`ask`] questions
//! * `sync` the question that everything else rests on
//! * `members` lists of them
//! * `upkeep` what became old or ended

pub mod ask;
pub mod execute;
mod members;
mod sync;
#[cfg(test)]
mod tests;
mod upkeep;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tulou_protocol::{
    AccountId, CommunityId, Fingerprint, TopicId,
    frame::{Busy, Refusal},
    id::Millis,
    limits::Limits,
};

use crate::{
    Config, Error,
    accounts::{Attempts, Seeing, SignUps},
    backup::{Daily, Shelf},
    certificate::Certificate,
    clock::Clock,
    communities::Communities,
    domain::View,
    gateway::crowd::Crowd,
    hub::{Hub, digest::Digests, publisher::Publisher},
    place,
    rate::{Buckets, Rate},
    reach,
    room::{self, Watcher},
    store::{Bus, Identity, Store, StoreError, Within},
};

/// A server without its connections. Cheap to clone.
#[derive(Clone)]
pub struct App {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    communities: Arc<Communities>,
    clock: Arc<Clock>,
    sends: Buckets<(AccountId, TopicId)>,
    attempts: Attempts,
    sign_ups: SignUps,
    seeing: Seeing,
    crowd: Crowd,
    certificate: Certificate,
    listens_at: OnceLock<SocketAddr>,
    addresses: watch::Sender<Vec<String>>,
    room: Watcher,
    /// When something was last written, in milliseconds since the start.
    written_at: AtomicU64,
    /// The code of the last automatic backup's failure, if it failed.
    backup_failure: Mutex<Option<&'static str>>,
    closing: CancellationToken,
    /// Something ended, and is to be removed.
    ended: Arc<Notify>,
}

/// Between two looks at the computer's addresses and at the certificate's files.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// What comes while the server stops is asked for again after so many milliseconds.
const CLOSING_MS: u64 = 1_000;
/// What is to be written is asked for again after so many milliseconds, while there is no room.
const NO_ROOM_MS: u64 = 10_000;

impl App {
    /// Opens the store and starts what runs beside the connections. Needs a tokio runtime.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub async fn open(config: Config) -> Result<Self, Error> {
        Self::open_over(config, |bus| bus).await
    }

    /// Opens it over a bus that may be laid around this process's own.
    pub(crate) async fn open_over(
        config: Config,
        lay: impl FnOnce(Arc<dyn Bus>) -> Arc<dyn Bus>,
    ) -> Result<Self, Error> {
        let (bus, heard) = Within::new();
        let bus = lay(Arc::new(bus));
        let opening = config.clone();
        let (store, certificate) = tokio::task::spawn_blocking(move || {
            let store = place::open(&opening.data, bus)?;
            // The folder is there by now; the key is made with the store.
            Ok::<_, Error>((store, Certificate::open(&opening)))
        })
        .await
        .map_err(|_| StoreError::Closed)??;
        let certificate = match certificate {
            Ok(certificate) => certificate,
            Err(error) => {
                // Else the next start would take this for an end without warning.
                store.close().await?;
                return Err(error.into());
            }
        };
        let clock = Arc::new(Clock::from(store.latest().await?));
        let hub = Arc::new(Hub::default());
        let communities = Arc::new(Communities::of(store.clone()));
        let ended = Arc::new(Notify::new());
        let closing = CancellationToken::new();
        let publisher = Publisher {
            hub: hub.clone(),
            communities: communities.clone(),
            store: store.clone(),
            clock: clock.clone(),
            ended: ended.clone(),
            stale_over: Duration::from_millis(config.stale_ms),
        };
        let digests = Digests {
            hub: hub.clone(),
            communities: communities.clone(),
            store: store.clone(),
            clock: clock.clone(),
            period: Duration::from_millis(config.digest_ms.max(10)),
        };
        let messages = f64::from(config.limits.messages_per_10s.max(1));
        let app = Self {
            shared: Arc::new(Shared {
                store,
                hub,
                communities,
                clock,
                sends: Buckets::new(Rate {
                    capacity: messages,
                    per_ms: messages / 10_000.0,
                }),
                attempts: Attempts::default(),
                sign_ups: SignUps::new(&config),
                seeing: Seeing::default(),
                crowd: Crowd::default(),
                certificate,
                listens_at: OnceLock::new(),
                addresses: watch::Sender::default(),
                room: Watcher::default(),
                written_at: AtomicU64::new(0),
                backup_failure: Mutex::default(),
                closing: closing.clone(),
                ended,
                config,
            }),
        };
        tokio::spawn(publisher.run(heard));
        tokio::spawn(digests.run(closing));
        tokio::spawn(upkeep::fade(app.clone()));
        tokio::spawn(upkeep::sweep(app.clone()));
        tokio::spawn(app.clone().look_after_sessions());
        tokio::spawn(app.clone().finish_deletions());
        app.look_at_disk().await;
        tokio::spawn(room::run(app.clone()));
        if let Some(folder) = app.config().backups.clone() {
            let shelf = Shelf::in_folder(folder);
            tokio::spawn(Daily::new(app.clone(), shelf).run());
        }
        Ok(app)
    }

    /// Ends the sessions, writes what is on its way, and closes the store.
    pub async fn close(&self) {
        self.shared.closing.cancel();
        if let Err(error) = self.write_seen().await {
            tracing::warn!(%error, "it was not written which sessions were connected");
        }
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

    /// It is reached where it listens: from here on its addresses are known, and kept up to date.
    pub(crate) fn listens_at(&self, at: SocketAddr) {
        if self.shared.listens_at.set(at).is_ok() {
            self.look_around(at);
            tokio::spawn(look_around(self.clone(), at));
        }
    }

    fn look_around(&self, at: SocketAddr) {
        let found = reach::addresses(self.config(), at);
        self.shared.addresses.send_if_modified(|held| {
            let is_other = *held != found;
            *held = found;
            is_other
        });
    }

    /// The addresses that reach it, the best first.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        self.shared.addresses.borrow().clone()
    }

    /// The addresses that reach it, and when they change: a computer moves from one network to another.
    #[must_use]
    pub fn watch_addresses(&self) -> watch::Receiver<Vec<String>> {
        self.shared.addresses.subscribe()
    }

    /// The fingerprint that links carry and clients keep; none if it has no key of its own, or is reached on this computer
    /// only: then what others reach is a proxy, which has another key.
    #[must_use]
    pub fn key(&self) -> Option<Fingerprint> {
        let listens_at = self.shared.listens_at.get()?;
        let is_reached = !listens_at.ip().is_loopback();
        self.shared.certificate.key().filter(|_| is_reached)
    }

    /// Who came from where.
    pub(crate) fn crowd(&self) -> &Crowd {
        &self.shared.crowd
    }

    /// What it shows to those who come from other computers.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.shared.certificate
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

    pub(crate) fn sign_ups(&self) -> &SignUps {
        &self.shared.sign_ups
    }

    pub(crate) fn seeing(&self) -> &Seeing {
        &self.shared.seeing
    }

    pub(crate) fn communities(&self) -> &Communities {
        &self.shared.communities
    }

    /// The server's time.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.shared.clock.now()
    }

    /// Milliseconds since the server started, which never go back.
    #[must_use]
    pub fn uptime_ms(&self) -> u64 {
        u64::try_from(self.shared.clock.uptime().as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn watcher(&self) -> &Watcher {
        &self.shared.room
    }

    /// Something is being written.
    fn note_write(&self) {
        self.shared
            .written_at
            .store(self.uptime_ms(), Ordering::Relaxed);
    }

    /// Milliseconds since something was written, or since the start.
    #[must_use]
    pub fn quiet_ms(&self) -> Millis {
        let since = self
            .uptime_ms()
            .saturating_sub(self.shared.written_at.load(Ordering::Relaxed));
        Millis::try_from(since).unwrap_or(Millis::MAX)
    }

    /// Why the last backup was not made; none if it was.
    #[must_use]
    pub fn backup_failure(&self) -> Option<&'static str> {
        *self
            .shared
            .backup_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_backup_failure(&self, code: Option<&'static str>) {
        *self
            .shared
            .backup_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = code;
    }

    /// A message takes its part of the sender's rate in the topic.
    fn take_send(&self, account: AccountId, topic: TopicId) -> Result<(), Refusal> {
        self.shared
            .sends
            .take((account, topic), self.uptime_ms())
            .map_err(|retry_after_ms| Refusal::Busy(Busy { retry_after_ms }))
    }

    /// Something broke: logged once, here. What the disk did not take may be asked for again.
    pub(crate) fn broken(error: &StoreError) -> Refusal {
        match error {
            StoreError::Unwritable => return Self::no_room(),
            // The server stops: a rejection would be final, and the next start can do it.
            StoreError::Closed => {
                return Refusal::Busy(Busy {
                    retry_after_ms: CLOSING_MS,
                });
            }
            StoreError::Engine(_)
            | StoreError::Json(_)
            | StoreError::Folder(_)
            | StoreError::Newer { .. }
            | StoreError::Damaged { .. }
            | StoreError::Lost { .. }
            | StoreError::InUse(_) => {}
        }
        tracing::error!(error = ?error, "the store failed a request");
        Refusal::Misunderstood(tulou_protocol::frame::INTERNAL_ERROR)
    }

    /// Nothing is written until there is room: not now.
    pub(crate) fn no_room() -> Refusal {
        Refusal::Busy(Busy {
            retry_after_ms: NO_ROOM_MS,
        })
    }

    /// The account is connected and may be a member of a community: from here on its changes reach it.
    pub(crate) async fn gather(
        &self,
        community: CommunityId,
        account: AccountId,
    ) -> Result<(), StoreError> {
        let Some(loaded) = self.communities().loaded(community).await? else {
            return Ok(());
        };
        // What changed between the look and being present is seen by the second look; what changes later, the publisher
        // tells.
        for _ in 0..2 {
            match self.communities().member(&loaded, account).await? {
                Some(member) => {
                    let view = View::of(loaded.structure(), member);
                    self.hub().present(&loaded, view, self.now());
                }
                None => self.hub().absent(community, account),
            }
        }
        Ok(())
    }
}

async fn look_around(app: App, at: SocketAddr) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            () = app.closing() => return,
            _ = ticks.tick() => {}
        }
        let looking = app.clone();
        let looked = tokio::task::spawn_blocking(move || {
            looking.look_around(at);
            looking.certificate().refresh();
        });
        if let Err(error) = looked.await {
            tracing::error!(%error, "looking at the computer's addresses broke");
        }
    }
}

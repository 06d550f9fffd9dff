//! The server's middle: gathers what a decision needs, has it decided and committed, and answers questions.
//!
//! * [`execute`] commands
//! * [`ask`] questions
//! * `answer` what questions come to
//! * `disk` what there is room for
//! * `joining` who may not come
//! * `sight` what is read as one may see it
//! * `sync` the question that everything else rests on
//! * `members` lists of them
//! * `parts` what runs beside the connections
//! * `turns` nobody is read for more than others
//! * `upkeep` what became old or ended

mod answer;
pub mod ask;
mod clock;
mod disk;
pub mod execute;
mod heads;
mod joining;
mod links;
mod members;
pub(crate) mod parts;
mod sight;
pub(crate) mod sync;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod turns;
mod upkeep;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sync::States;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tulou_protocol::{
    AccountId, CommunityId, Fingerprint, TopicId,
    frame::{Busy, Refusal},
    id::Millis,
    limits::Limits,
};
use turns::{Turn, Turns};

use crate::{
    Config,
    certificate::Certificate,
    clock::Clock,
    communities::Communities,
    crowd::Crowd,
    domain::View,
    hub::{Hub, floors},
    presence::Presence,
    rate::Rates,
    reach,
    revocation::Revocation,
    room::Gauge,
    seeing::Seeing,
    sockets::Sockets,
    store::{Identity, Store, StoreError},
};

/// A server without its connections. Cheap to clone.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
}

/// What a server is made of.
pub(crate) struct Parts {
    pub config: Config,
    pub store: Arc<dyn Store>,
    pub hub: Arc<Hub>,
    pub communities: Arc<Communities>,
    pub clock: Arc<Clock>,
    pub presence: Arc<dyn Presence>,
    pub seeing: Seeing,
    pub revocation: Revocation,
    pub rates: Rates,
    pub crowd: Crowd,
    pub states: States,
    pub certificate: Certificate,
    pub listens_at: OnceLock<SocketAddr>,
    pub addresses: watch::Sender<Vec<String>>,
    pub room: Gauge,
    /// Whose turn it is to be read for: who asks, and who gives commands; and who changes a community.
    pub turns: Turns,
    pub giving: Turns,
    pub changing: Turns,
    pub sockets: Arc<Sockets>,
    pub visits: Arc<Sockets>,
    /// What broke, if anything did: then the server ends.
    pub broken: OnceLock<&'static str>,
    /// When something was last written, in milliseconds since the start.
    pub written_at: AtomicU64,
    /// The code of the last automatic backup's failure, if it failed.
    pub backup_failure: Mutex<Option<&'static str>>,
    pub closing: CancellationToken,
    /// Something ended, and is to be removed.
    pub ended: Arc<Notify>,
}

/// Between two looks at the computer's addresses and at the certificate's files.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// What comes while the server stops is asked for again after so many milliseconds.
const CLOSING_MS: u64 = 1_000;
/// What took too long is asked for again after so many milliseconds.
const TOO_LONG_MS: u64 = 5_000;
/// What is to be written is asked for again after so many milliseconds, while there is no room.
const NO_ROOM_MS: u64 = 10_000;

impl App {
    /// A server of these parts.
    pub(crate) fn of(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
        }
    }

    /// Ends the sessions, writes what is on its way, and closes the store.
    pub async fn close(&self) {
        self.parts.closing.cancel();
        if let Err(error) = self.write_seen().await {
            tracing::warn!(%error, "it was not written which sessions were connected");
        }
        self.parts.communities.close();
        if let Err(error) = self.parts.store.close().await {
            tracing::error!(%error, "the store did not close");
        }
    }

    /// A part without which nothing may go on has broken: the server ends, and says why.
    pub fn break_off(&self, part: &'static str) {
        let _ = self.parts.broken.set(part);
        self.end_sessions();
    }

    /// What broke.
    pub(crate) fn broken_part(&self) -> Option<&'static str> {
        self.parts.broken.get().copied()
    }

    /// The account's turn to be read for.
    pub(crate) async fn turn(&self, account: AccountId) -> Turn {
        self.parts.turns.turn(account).await
    }

    /// The account's turn to be read for by what a command needs. Questions do not keep it waiting.
    pub(crate) async fn turn_to_give(&self, account: AccountId) -> Turn {
        self.parts.giving.turn(account).await
    }

    /// The account's turn to change a community. Who has it waits for the community's, in whose queue an account stands
    /// once, from however many sessions.
    pub(crate) async fn turn_to_change(&self, account: AccountId) -> Turn {
        self.parts.changing.turn(account).await
    }

    /// The sockets that are open.
    pub(crate) fn sockets(&self) -> &Arc<Sockets> {
        &self.parts.sockets
    }

    /// The connections that speak HTTP.
    pub(crate) fn visits(&self) -> &Arc<Sockets> {
        &self.parts.visits
    }

    pub(crate) fn clock(&self) -> &Arc<Clock> {
        &self.parts.clock
    }

    /// Until the server stops.
    pub(crate) async fn closing(&self) {
        self.parts.closing.cancelled().await;
    }

    /// Whether it stops.
    pub(crate) fn is_closing(&self) -> bool {
        self.parts.closing.is_cancelled()
    }

    /// Has the sessions end.
    pub(crate) fn end_sessions(&self) {
        self.parts.closing.cancel();
    }

    /// It is reached where it listens: from here on its addresses are known, and kept up to date.
    pub(crate) fn listens_at(&self, at: SocketAddr) {
        if self.parts.listens_at.set(at).is_ok() {
            self.look_around(at);
            self.keep("what looks at addresses", move |app| look_around(app, at));
        }
    }

    fn look_around(&self, at: SocketAddr) {
        let found = reach::addresses(self.config(), at);
        self.parts.addresses.send_if_modified(|held| {
            let is_other = *held != found;
            *held = found;
            is_other
        });
    }

    /// The addresses that reach it, the best first.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        self.parts.addresses.borrow().clone()
    }

    /// The addresses that reach it, and when they change: a computer moves from one network to another.
    #[must_use]
    pub fn watch_addresses(&self) -> watch::Receiver<Vec<String>> {
        self.parts.addresses.subscribe()
    }

    /// The fingerprint that links carry and clients keep; none if it has no key of its own, or is reached on this computer
    /// only: then what others reach is a proxy, which has another key.
    #[must_use]
    pub fn key(&self) -> Option<Fingerprint> {
        let listens_at = self.parts.listens_at.get()?;
        let is_reached = !listens_at.ip().is_loopback();
        self.parts.certificate.key().filter(|_| is_reached)
    }

    /// Who came from where.
    pub(crate) fn crowd(&self) -> &Crowd {
        &self.parts.crowd
    }

    /// What it shows to those who come from other computers.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.parts.certificate
    }

    /// What the operator has set.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.parts.config
    }

    /// The limits that clients are told.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.parts.config.limits
    }

    /// Who the server is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.parts.store.identity()
    }

    #[cfg(test)]
    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.parts.store
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.parts.hub
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.parts.rates
    }

    pub(crate) fn presence(&self) -> &dyn Presence {
        &*self.parts.presence
    }

    pub(crate) fn seeing(&self) -> &Seeing {
        &self.parts.seeing
    }

    pub(crate) fn revocation(&self) -> &Revocation {
        &self.parts.revocation
    }

    fn states(&self) -> &States {
        &self.parts.states
    }

    pub(crate) fn communities(&self) -> &Arc<Communities> {
        &self.parts.communities
    }

    /// The server's time.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.parts.clock.now()
    }

    /// Milliseconds since the server started, which never go back.
    #[must_use]
    pub fn uptime_ms(&self) -> u64 {
        u64::try_from(self.parts.clock.uptime().as_millis()).unwrap_or(u64::MAX)
    }

    /// Something is being written.
    fn note_write(&self) {
        self.parts
            .written_at
            .store(self.uptime_ms(), Ordering::Relaxed);
    }

    /// Milliseconds since something was written, or since the start.
    #[must_use]
    pub fn quiet_ms(&self) -> Millis {
        let since = self
            .uptime_ms()
            .saturating_sub(self.parts.written_at.load(Ordering::Relaxed));
        Millis::try_from(since).unwrap_or(Millis::MAX)
    }

    /// Why the last backup was not made; none if it was.
    #[must_use]
    pub fn backup_failure(&self) -> Option<&'static str> {
        *self
            .parts
            .backup_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_backup_failure(&self, code: Option<&'static str>) {
        *self
            .parts
            .backup_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = code;
    }

    /// A message takes its part of the sender's rate in the topic.
    fn take_send(&self, account: AccountId, topic: TopicId) -> Result<(), Refusal> {
        self.parts
            .rates
            .sends
            .take((account, topic), self.uptime_ms())
            .map_err(|retry_after_ms| Refusal::Busy(Busy { retry_after_ms }))
    }

    /// A new name takes its part of what an account may change its name.
    fn take_name(&self, account: AccountId) -> Result<(), Refusal> {
        self.parts
            .rates
            .names
            .take(account, self.uptime_ms())
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
            StoreError::TooLong => {
                tracing::warn!("a question took too long to answer");
                return Refusal::Busy(Busy {
                    retry_after_ms: TOO_LONG_MS,
                });
            }
            StoreError::Engine(_)
            | StoreError::Json(_)
            | StoreError::Folder(_)
            | StoreError::Newer { .. }
            | StoreError::Before { .. }
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
        // What changed between a look and being present, of the member or of the community, is seen by the next look; what
        // changes later, the publisher tells.
        let mut seen = None;
        loop {
            let loaded = self.communities().loaded(community).await?;
            let member = match &loaded {
                Some(loaded) => self.communities().member(loaded, account).await?,
                None => None,
            };
            let structure = loaded.as_ref().map(|loaded| loaded.structure());
            let found = (member.clone(), structure.as_ref().map(|it| it.rev));
            if seen.as_ref() == Some(&found) {
                return Ok(());
            }
            if let (Some(loaded), Some(structure), Some(member)) = (&loaded, &structure, &member) {
                let view = View::of(structure.clone(), member.clone());
                let sought = self.hub().present(loaded, view, self.now());
                if !sought.is_empty() {
                    // Other devices watch them, too: whoever opens this one may give it up.
                    let settling = self.clone().settle_all(community, account, sought);
                    tokio::spawn(settling)
                        .await
                        .map_err(|_| StoreError::Closed)??;
                }
            } else {
                self.hub().absent(community, account, structure.as_deref());
            }
            seen = Some(found);
        }
    }

    /// An account's watches of some topics go on from where it may read them. If that cannot be looked up, they end.
    async fn settle_all(
        self,
        community: CommunityId,
        account: AccountId,
        topics: Vec<TopicId>,
    ) -> Result<(), StoreError> {
        let mut settled = Ok(());
        for topic in topics {
            if let Err(error) = self.settle(community, account, topic).await {
                self.hub().state().end_watches(topic, Some(account));
                settled = Err(error);
            }
        }
        settled
    }

    /// An account's watches of a topic go on from where it may read it, if it is there and sees it: whether it does.
    pub(crate) async fn settle(
        &self,
        community: CommunityId,
        account: AccountId,
        topic: TopicId,
    ) -> Result<bool, StoreError> {
        floors::settle(self.hub(), self.communities(), (community, account), topic).await
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

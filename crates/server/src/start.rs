//! A server, put together: the one place that says which store and bus it has, where its clock begins, and who counts
//! rates, knows who is connected and ends what was revoked.

use std::{
    future::Future,
    sync::{Arc, Mutex, OnceLock, atomic::AtomicU64},
    time::Duration,
};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    App, Config, Error,
    app::{
        Parts,
        sync::States,
        turns::{CHANGING, READING, Turns},
    },
    certificate::Certificate,
    clock::Clock,
    communities::Communities,
    crowd::Crowd,
    hub::{
        Hub,
        digest::{self, Digests},
        publisher::Publisher,
    },
    place,
    presence::Presence,
    rate::Rates,
    revocation::Revocation,
    room::Gauge,
    seeing::Seeing,
    sockets::Sockets,
    store::{Bus, StoreError, Within, telling::telling},
};

/// What is laid around something of this process.
type Lay<'a, T> = Box<dyn FnOnce(Arc<T>) -> Arc<T> + Send + 'a>;

/// What is laid around this process's own parts, which know of no other node.
pub(crate) struct Around<'a> {
    pub bus: Lay<'a, dyn Bus>,
    pub presence: Lay<'a, dyn Presence>,
}

impl Default for Around<'_> {
    fn default() -> Self {
        Self {
            bus: Box::new(|bus| bus),
            presence: Box::new(|presence| presence),
        }
    }
}

impl<'a> Around<'a> {
    /// Over another bus.
    #[cfg(test)]
    pub fn bus(lay: impl FnOnce(Arc<dyn Bus>) -> Arc<dyn Bus> + Send + 'a) -> Self {
        let bus = Box::new(lay);
        Self {
            bus,
            ..Self::default()
        }
    }

    /// With another presence.
    #[cfg(test)]
    pub fn presence(lay: impl FnOnce(Arc<dyn Presence>) -> Arc<dyn Presence> + Send + 'a) -> Self {
        let presence = Box::new(lay);
        Self {
            presence,
            ..Self::default()
        }
    }
}

impl App {
    /// Opens the store and starts what runs beside the connections. Needs a tokio runtime.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub async fn open(config: Config) -> Result<Self, Error> {
        Self::open_over(config, Around::default()).await
    }

    /// Opens it over what may be laid around this process's own.
    pub(crate) async fn open_over(config: Config, around: Around<'_>) -> Result<Self, Error> {
        let closing = CancellationToken::new();
        let (bus, heard) = Within::new(closing.clone());
        let bus = (around.bus)(Arc::new(bus));
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
        if let Err(error) = rlimit::increase_nofile_limit(config.most_open) {
            tracing::warn!(%error, "the system lets the program have no more connections open");
        }
        let clock = Arc::new(Clock::of(store.latest().await?, store.doubt().await?));
        store.follow(clock.clone());
        clock.say();
        let hub = Arc::new(Hub::default());
        let presence = (around.presence)(hub.clone());
        let communities = Communities::of(store.clone());
        let ended = Arc::new(Notify::new());
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
            presence: presence.clone(),
            period: Duration::from_millis(config.digest_ms.max(10)),
        };
        let app = Self::of(Parts {
            presence,
            seeing: Seeing::default(),
            revocation: Revocation::at(hub.clone()),
            rates: Rates::of(&config),
            store,
            hub,
            communities,
            clock,
            turns: Turns::of(READING),
            giving: Turns::of(READING),
            changing: Turns::of(CHANGING),
            sockets: Arc::default(),
            visits: Arc::new(Sockets::visits()),
            broken: OnceLock::new(),
            crowd: Crowd::default(),
            states: States::default(),
            certificate,
            listens_at: OnceLock::new(),
            addresses: watch::Sender::default(),
            room: Gauge::default(),
            written_at: AtomicU64::new(0),
            backup_failure: Mutex::default(),
            closing: closing.clone(),
            ended,
            config,
        });
        tokio::spawn(guard(app.clone(), telling(publisher.run(heard))));
        app.keep("what says what moved", move |_| {
            telling(digest::run(digests.clone(), closing.clone()))
        });
        app.look_at_disk().await;
        app.begin_upkeep();
        Ok(app)
    }
}

/// Watches over what tells everybody of what was committed. It ends with the store; if it ends before, because it broke or
/// what writes the store did, nobody would hear of anything again.
async fn guard(app: App, publishing: impl Future<Output = ()> + Send + 'static) {
    let ended = tokio::spawn(publishing).await;
    let part = match ended {
        Err(error) => {
            tracing::error!(%error, "what tells of commits broke");
            "what tells of commits"
        }
        Ok(()) if !app.is_closing() => {
            tracing::error!("what writes the store broke");
            "what writes the store"
        }
        Ok(()) => return,
    };
    app.break_off(part);
}

//! A server, put together: the one place that says which store and bus it has, where its clock begins, and who counts
//! rates, knows who is connected and ends what was revoked.

use std::{
    sync::{Arc, Mutex, OnceLock, atomic::AtomicU64},
    time::Duration,
};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    App, Config, Error,
    app::Parts,
    certificate::Certificate,
    clock::Clock,
    communities::Communities,
    crowd::Crowd,
    hub::{Hub, digest::Digests, publisher::Publisher},
    place,
    presence::Presence,
    rate::Rates,
    revocation::Revocation,
    room::Watcher,
    store::{Bus, StoreError, Within},
};

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
        let closing = CancellationToken::new();
        let (bus, heard) = Within::new(closing.clone());
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
        let app = Self::of(Parts {
            presence: Presence::at(hub.clone()),
            revocation: Revocation::at(hub.clone()),
            rates: Rates::of(&config),
            store,
            hub,
            communities,
            clock,
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
        });
        tokio::spawn(publisher.run(heard));
        tokio::spawn(digests.run(closing));
        app.begin_upkeep();
        tokio::spawn(app.clone().look_after_sessions());
        tokio::spawn(app.clone().finish_deletions());
        app.look_at_disk().await;
        tokio::spawn(app.clone().keep_looking_at_disk());
        Ok(app)
    }
}

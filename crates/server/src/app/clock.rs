//! Looking at the server's clock, and setting right what was written while it was wrong.

use std::time::Duration;

use tokio::sync::watch;
use tulou_protocol::{id::Millis, push};

use crate::{App, store::StoreError};

/// Between two looks at the clock.
const LOOK_EVERY: Duration = Duration::from_secs(10);

impl App {
    /// Looks at the system's clock until the server stops.
    pub(crate) async fn look_at_clock(self) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                () = self.closing() => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.set_clock().await {
                tracing::error!(%error, "what was written while the clock was ahead was not set right");
            }
        }
    }

    /// What is wrong with its time, as far as it knows, and when that changes.
    #[must_use]
    pub fn watch_clock(&self) -> watch::Receiver<push::Clock> {
        self.clock().watch()
    }

    /// Looks at the system's clock once.
    pub(crate) async fn set_clock(&self) -> Result<(), StoreError> {
        let set = self.set_clock_right().await;
        self.clock().say();
        set
    }

    async fn set_clock_right(&self) -> Result<(), StoreError> {
        let clock = self.clock();
        if let Some(leapt) = clock.look() {
            tracing::warn!(
                leapt_s = leapt / 1_000,
                "this computer's clock was set forward, or is wrong: for a day nothing is removed that became old since"
            );
        }
        if let Some(doubt) = clock.doubted_anew() {
            self.store().set_doubt(doubt).await?;
            clock.kept(doubt);
        }
        self.communities().read_what_is_late().await?;
        let Some(shifts) = clock.goes_back() else {
            return Ok(());
        };
        if shifts.is_empty() {
            clock.go_on();
            return Ok(());
        }
        tracing::warn!(
            ahead_s = shifts.iter().map(|shift| shift.by).sum::<Millis>() / 1_000,
            "this computer's clock was ahead and was set back: what was written meanwhile goes back with it"
        );
        let before = clock.state().clone();
        let written = self.store().rewind(shifts).await;
        if let Err(error) = written {
            // Nothing went back in the store.
            *clock.state() = before;
            return Err(error);
        }
        self.hub().went_back();
        self.communities().went_back();
        self.communities().read_what_is_late().await
    }
}

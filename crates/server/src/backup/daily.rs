//! Backups that are made by themselves: once a day, at a quiet moment. If the server did not run when one was due, it is
//! made soon after the start.

use std::time::Duration;

use tulou_protocol::id::Millis;

use super::{BackupError, Kind, Shelf, Source};
use crate::App;

const MINUTE_MS: Millis = 60 * 1_000;
/// From one backup to the next.
const DAY_MS: Millis = 24 * 60 * MINUTE_MS;
/// Nothing written for so long is a quiet moment.
const QUIET_MS: Millis = MINUTE_MS;
/// A server at which it is never quiet is backed up so long after the backup was due.
const PATIENCE_MS: Millis = 2 * 60 * MINUTE_MS;
/// Between two looks at whether one is due.
const LOOK: Duration = Duration::from_secs(60);

/// Whether a daily backup is to be made, if the last one was made at `last` and nothing was written for `quiet_ms`.
#[must_use]
pub fn is_due(last: Option<Millis>, now: Millis, quiet_ms: Millis) -> bool {
    let is_quiet = quiet_ms >= QUIET_MS;
    match last {
        None => is_quiet,
        Some(last) => {
            let due = last + DAY_MS;
            now >= due && (is_quiet || now >= due + PATIENCE_MS)
        }
    }
}

/// The backups of a server that runs.
#[derive(Clone)]
pub struct Daily {
    app: App,
    shelf: Shelf,
}

impl Daily {
    /// Backups of a server into a folder.
    #[must_use]
    pub fn new(app: App, shelf: Shelf) -> Self {
        Self { app, shelf }
    }

    /// Makes one each day, until the server stops.
    pub async fn run(self) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.app.closing() => return,
                _ = looks.tick() => {}
            }
            self.look(self.app.now(), self.app.quiet_ms()).await;
        }
    }

    /// Makes one if it is due. A failure is logged and remembered; the next look tries again.
    pub async fn look(&self, now: Millis, quiet_ms: Millis) {
        let shelf = self.shelf.clone();
        let last = tokio::task::spawn_blocking(move || shelf.last_daily(now)).await;
        // A folder that cannot be read is told by the attempt to write there.
        let last = last.ok().and_then(Result::ok).flatten();
        if !is_due(last, now, quiet_ms) || self.app.room().is_full() {
            return;
        }
        match self.make_at(now, Kind::Daily).await {
            Ok(()) => tracing::info!("the daily backup was made"),
            Err(error) => tracing::error!(%error, "the daily backup was not made"),
        }
    }

    /// Makes one now. How it went is remembered as [`App::backup_failure`].
    ///
    /// # Errors
    /// What making it says.
    pub async fn make(&self, kind: Kind) -> Result<(), BackupError> {
        self.make_at(self.app.now(), kind).await
    }

    async fn make_at(&self, now: Millis, kind: Kind) -> Result<(), BackupError> {
        let source = Source {
            folder: self.app.config().data.clone(),
            settings: self.app.config().clone(),
            now,
        };
        let (shelf, keep) = (self.shelf.clone(), self.app.config().backups_kept);
        let made = tokio::task::spawn_blocking(move || shelf.add(&source, kind, keep))
            .await
            .unwrap_or_else(|error| {
                Err(BackupError::Damaged(format!(
                    "the making of it broke: {error}"
                )))
            });
        self.app
            .set_backup_failure(made.as_ref().err().map(BackupError::code));
        made.map(drop)
    }
}

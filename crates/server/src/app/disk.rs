//! Room on the disk: looked at again and again, and what follows from it.

use std::time::Duration;

use tokio::sync::watch;

use super::App;
use crate::room::{Probe, Room};

/// Between two looks at the disk.
const LOOK: Duration = Duration::from_secs(2);

impl App {
    /// How much room there is.
    #[must_use]
    pub fn room(&self) -> Room {
        self.parts.room.room()
    }

    /// Hears when [`App::room`] changes.
    #[must_use]
    pub fn watch_room(&self) -> watch::Receiver<Room> {
        self.parts.room.subscribe()
    }

    /// Nothing is written: there is no room, or the disk failed a write a moment ago.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.room().is_full() || self.store().has_failed()
    }

    /// Has somebody else say how much is free, and looks at once.
    pub async fn measure_with(&self, probe: Probe) {
        self.parts.room.measure_with(probe);
        self.look_at_disk().await;
    }

    /// Looks at the disk now.
    pub async fn look_at_disk(&self) {
        self.parts.room.look(self.config(), self.store()).await;
    }

    /// Looks at the disk until the server stops.
    pub(crate) async fn keep_looking_at_disk(self) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.closing() => return,
                _ = looks.tick() => self.look_at_disk().await,
            }
        }
    }
}

//! Room on the disk. When it runs short the administrator is told; before it runs out the server takes nothing more to
//! be written, so that it never stops in the middle, and goes on as soon as there is room again. Reading always goes on.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;
use tulou_protocol::push::Disk;

use crate::{Config, store::Store};

/// Says how many bytes are free for a folder.
pub type Probe = Arc<dyn Fn(&Path) -> io::Result<u64> + Send + Sync>;

/// What is known of the room on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// How it stands.
    pub disk: Disk,
    /// Bytes that are free; none where the system does not say.
    pub free: Option<u64>,
}

impl Room {
    /// Nothing is written any more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.disk == Disk::Full
    }
}

/// Looks at the disk and remembers what it saw.
pub(crate) struct Gauge {
    probe: Mutex<Probe>,
    room: watch::Sender<Room>,
}

impl Default for Gauge {
    fn default() -> Self {
        Self {
            probe: Mutex::new(Arc::new(|folder| fs4::available_space(folder))),
            room: watch::Sender::new(Room {
                disk: Disk::Plenty,
                free: None,
            }),
        }
    }
}

/// How the disk stands with so many bytes free.
fn judge(config: &Config, free: Option<u64>) -> Disk {
    match free {
        Some(free) if free < config.read_only_below_bytes => Disk::Full,
        Some(free) if free < config.warn_below_bytes => Disk::Low,
        Some(_) | None => Disk::Plenty,
    }
}

impl Gauge {
    /// How much room there is.
    pub fn room(&self) -> Room {
        *self.room.borrow()
    }

    /// Hears when that changes.
    pub fn subscribe(&self) -> watch::Receiver<Room> {
        self.room.subscribe()
    }

    /// Has somebody else say how much is free.
    pub fn measure_with(&self, probe: Probe) {
        *self.probe.lock().unwrap_or_else(PoisonError::into_inner) = probe;
    }

    /// Looks at the disk now.
    pub async fn look(&self, config: &Config, store: &dyn Store) {
        let probe = self
            .probe
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let folder = config.data.clone();
        let free = tokio::task::spawn_blocking(move || probe(&folder)).await;
        let free = free.ok().and_then(Result::ok);
        let mut disk = judge(config, free);
        // A write that failed says more than any number: until one succeeds nothing is taken.
        if store.has_failed() && store.try_to_write().await.is_err() {
            disk = Disk::Full;
        }
        let room = Room { disk, free };
        let mut was = room.disk;
        self.room.send_if_modified(|held| {
            was = held.disk;
            *held = room;
            was != disk
        });
        if was != disk {
            tell(room);
        }
    }
}

fn tell(room: Room) {
    let free_mib = room.free.map(|free| free >> 20);
    match room.disk {
        Disk::Full => tracing::error!(free_mib, "no room on the disk: the server only reads"),
        Disk::Low => tracing::warn!(free_mib, "little room is left on the disk"),
        Disk::Plenty | Disk::Unknown => tracing::info!(free_mib, "there is room on the disk"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_warns_at_one_gibibyte_and_only_reads_at_two_hundred_mebibytes() {
        let config = Config::default();
        let mib = |mib: u64| judge(&config, Some(mib << 20));
        assert_eq!(mib(1_024), Disk::Plenty);
        assert_eq!(mib(1_023), Disk::Low, "it warns");
        assert_eq!(mib(200), Disk::Low);
        assert_eq!(mib(199), Disk::Full, "it only reads");
        assert_eq!(
            judge(&config, None),
            Disk::Plenty,
            "where the system does not say, the writing will"
        );
    }
}

//! The server's time, which orders digests and everything that is asked for by time.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, Instant, SystemTime},
};

use tulou_protocol::id::Millis;

/// The server's clock. The system's is read here and nowhere else. It never goes back, whatever is done to the system's: who
/// asks what moved since a time would miss what moved in an hour that came twice.
#[derive(Debug)]
pub struct Clock {
    /// The latest time that was read, or that something in the store moved at.
    latest: AtomicI64,
    started: Instant,
}

impl Clock {
    /// A clock that goes on from the time at which something moved last.
    #[must_use]
    pub fn from(latest: Millis) -> Self {
        Self {
            latest: AtomicI64::new(latest),
            started: Instant::now(),
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Millis {
        let system = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        });
        let latest = self.latest.fetch_max(system, Ordering::Relaxed);
        latest.max(system)
    }

    /// How long the server runs, which says nothing about the time and never goes back.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Something moved at a time that the system's clock has not reached.
    #[cfg(test)]
    pub fn move_to(&self, time: Millis) {
        self.latest.fetch_max(time, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_waits_where_the_systems_went_back() {
        let clock = Clock::from(0);
        let ahead = clock.now() + 3_600_000;
        clock.move_to(ahead);
        assert_eq!(clock.now(), ahead);
        assert_eq!(Clock::from(ahead).now(), ahead, "also after a restart");
    }
}

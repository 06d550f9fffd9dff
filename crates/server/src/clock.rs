//! The server's time, which orders digests and everything that is asked for by time.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use tulou_protocol::id::Millis;

use crate::{
    App,
    store::{Store, StoreError},
};

/// A clock that goes back by less stands still until it is reached again; one that goes back by more was wrong before.
const STANDS_STILL_MS: Millis = 60_000;
/// A clock that leaves what passed by so much was set, or is wrong.
const LEAPS_MS: Millis = 60 * 60 * 1_000;
/// A server that slept for longer than this may as well have a clock that is ahead.
const SLEPT_MS: Millis = 30 * 24 * 60 * 60 * 1_000;
/// So long nothing that became old is removed then: whoever sees that the time is wrong can mend it.
const DISTRUST: Duration = Duration::from_secs(24 * 60 * 60);
/// Between two looks at the clock.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The server's clock. The system's is read here and nowhere else. It does not go back with it by moments: who asks what moved
/// since a time would miss what moved in a minute that came twice. Where the system's was ahead and was set right, it goes
/// back, and so does what was written meanwhile.
#[derive(Debug)]
pub struct Clock {
    /// The latest time that was read, or that something in the store moved at.
    latest: AtomicI64,
    started: Instant,
    watched: Mutex<Watched>,
    /// What the system's clock is off, in tests.
    #[cfg(test)]
    off: AtomicI64,
}

/// The system's clock beside the time that passed.
#[derive(Debug)]
struct Watched {
    system: Millis,
    at: Duration,
    distrusted_until: Option<Duration>,
}

impl Clock {
    /// The clock of a store in which something moved last at a time.
    #[must_use]
    pub fn of(latest: Millis) -> Self {
        let system = read_system();
        let slept = latest > 0 && system - latest > SLEPT_MS;
        if slept {
            tracing::warn!(
                days = (system - latest) / (24 * 60 * 60 * 1_000),
                "nothing moved in the store for long, or this computer's clock is ahead: nothing that became old is removed \
                 for a day"
            );
        }
        Self {
            latest: AtomicI64::new(latest),
            started: Instant::now(),
            watched: Mutex::new(Watched {
                system,
                at: Duration::ZERO,
                distrusted_until: slept.then_some(DISTRUST),
            }),
            #[cfg(test)]
            off: AtomicI64::new(0),
        }
    }

    fn system(&self) -> Millis {
        let system = read_system();
        #[cfg(test)]
        let system = system + self.off.load(Ordering::Relaxed);
        system
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Millis {
        let system = self.system();
        let latest = self.latest.fetch_max(system, Ordering::Relaxed);
        latest.max(system)
    }

    /// How long the server runs, which says nothing about the time and never goes back.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// By how many milliseconds the time was ahead of the system's clock, which was set right since.
    #[must_use]
    pub fn goes_back(&self) -> Option<Millis> {
        let ahead = self.latest.load(Ordering::Relaxed) - self.system();
        (ahead > STANDS_STILL_MS).then_some(ahead)
    }

    /// Whether what became old may be removed by it: the system's clock did not leap in the last day.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched
            .distrusted_until
            .is_none_or(|until| self.uptime() >= until)
    }

    /// Looks whether the system's clock went as time did; by how much it leapt if it did not.
    fn look(&self) -> Option<Millis> {
        let (system, at) = (self.system(), self.uptime());
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = i64::try_from((at - watched.at).as_millis()).unwrap_or(i64::MAX);
        let leapt = system - watched.system - passed;
        (watched.system, watched.at) = (system, at);
        if leapt.abs() < LEAPS_MS {
            return None;
        }
        watched.distrusted_until = Some(at + DISTRUST);
        Some(leapt)
    }

    /// The time is the system's again.
    fn set_right(&self) {
        self.latest.store(self.system(), Ordering::Relaxed);
    }

    /// The system's clock is set, forward or back.
    #[cfg(test)]
    pub fn set_by(&self, by: Millis) {
        self.off.fetch_add(by, Ordering::Relaxed);
    }
}

fn read_system() -> Millis {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// The system's clock was ahead and was set right: so is what was written meanwhile, and the time goes on from there.
pub(crate) async fn rewind(
    store: &dyn Store,
    clock: &Clock,
    ahead_ms: Millis,
) -> Result<(), StoreError> {
    tracing::warn!(
        ahead_s = ahead_ms / 1_000,
        "this computer's clock was ahead, or is behind now: what is of later than now is taken to be of now. If the time is \
         wrong now, set it right"
    );
    store.rewind(clock.system()).await?;
    clock.set_right();
    Ok(())
}

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

    /// Looks at the system's clock once.
    pub(crate) async fn set_clock(&self) -> Result<(), StoreError> {
        let clock = self.clock();
        if let Some(leapt) = clock.look() {
            tracing::warn!(
                leapt_s = leapt / 1_000,
                "this computer's clock was set, or is wrong: nothing that became old is removed for a day"
            );
        }
        if let Some(ahead_ms) = clock.goes_back() {
            rewind(self.store(), clock, ahead_ms).await?;
            self.communities().forget_members();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: Millis = 3_600_000;

    #[test]
    fn a_clock_waits_where_the_systems_went_back_a_little() {
        let clock = Clock::of(0);
        let before = clock.now();
        clock.set_by(-30_000);
        assert!(clock.now() >= before, "no moment comes twice");
        assert_eq!(clock.goes_back(), None);
    }

    #[test]
    fn a_clock_that_was_ahead_goes_back_with_the_systems() {
        let clock = Clock::of(0);
        clock.set_by(24 * HOUR_MS);
        let ahead = clock.now();
        assert_eq!(clock.goes_back(), None, "nobody can know it yet");
        clock.set_by(-24 * HOUR_MS);
        assert!(clock.goes_back().is_some_and(|by| by > 23 * HOUR_MS));
        clock.set_right();
        assert!(
            clock.now() < ahead - 23 * HOUR_MS,
            "it does not stand still"
        );
        let again = Clock::of(ahead);
        assert!(again.goes_back().is_some(), "also after a restart");
    }

    #[test]
    fn by_a_clock_that_leapt_nothing_becomes_old_for_a_day() {
        let clock = Clock::of(read_system());
        assert_eq!(clock.look(), None);
        assert!(clock.is_trusted());
        clock.set_by(365 * 24 * HOUR_MS);
        assert!(clock.look().is_some());
        assert!(!clock.is_trusted(), "a year may not have passed");
        assert!(!Clock::of(1_000_000).is_trusted(), "nor while it was off");
    }
}

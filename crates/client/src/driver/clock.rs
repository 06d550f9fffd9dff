//! The time that an engine lives by: it runs as the computer's monotonic clock does, whatever people do to the other one.
//!
//! If the clock is set back, time goes on as if it had not been. If it leaps ahead (it was set, or the computer slept), so
//! does the engine's time: what was due meanwhile is due at once.

use std::time::Duration;

use tokio::time::Instant;
use tulou_protocol::id::Millis;

/// How long a leap of the clock may go unnoticed.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The time of an engine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// The engine's time when it was read last, and when that was.
    read: (Millis, Instant),
    /// By how much it is ahead of the computer's clock, which was set back.
    ahead: Millis,
}

impl Clock {
    /// A clock that agrees with the computer's, which says `wall`.
    pub fn new(wall: Millis) -> Self {
        Self {
            read: (wall, Instant::now()),
            ahead: 0,
        }
    }

    /// The engine's time, when the computer's clock says `wall`.
    pub fn read(&mut self, wall: Millis) -> Millis {
        let at = Instant::now();
        let (before, since) = self.read;
        let passed = Millis::try_from((at - since).as_millis()).unwrap_or(Millis::MAX);
        let now = (wall + self.ahead).max(before.saturating_add(passed));
        self.ahead = now - wall;
        self.read = (now, at);
        now
    }

    /// A time of the engine, as the computer's clock says it.
    pub const fn by_wall(&self, time: Millis) -> Millis {
        time - self.ahead
    }

    /// Waits until it is `deadline` by the engine's time; for ever if there is none.
    pub async fn until(mut self, deadline: Option<Millis>, wall: impl Fn() -> Millis) {
        let Some(deadline) = deadline else {
            return std::future::pending().await;
        };
        loop {
            let left = deadline - self.read(wall());
            let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) else {
                return;
            };
            tokio::time::sleep(Duration::from_millis(left).min(LOOK_AGAIN)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    const NOON: Millis = 1_800_000_000_000;
    const HOUR: Millis = 3_600_000;

    /// The computer's clock: as far as the monotonic one, and set by hand.
    struct Wall {
        began: Instant,
        set: AtomicI64,
    }

    impl Wall {
        fn new() -> Self {
            Self {
                began: Instant::now(),
                set: AtomicI64::new(NOON),
            }
        }

        fn now(&self) -> Millis {
            let passed = i64::try_from(self.began.elapsed().as_millis()).unwrap();
            self.set.load(Ordering::Relaxed) + passed
        }

        fn turn(&self, by: Millis) {
            self.set.fetch_add(by, Ordering::Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_back_without_input_lengthens_no_wait() {
        let wall = Wall::new();
        let mut clock = Clock::new(wall.now());
        let deadline = clock.read(wall.now()) + 30_000;
        let began = Instant::now();
        wall.turn(-HOUR);
        // Something else wakes the driver, which waits again.
        let woken = tokio::time::timeout(
            Duration::from_secs(10),
            clock.until(Some(deadline), || wall.now()),
        );
        assert!(woken.await.is_err(), "it is not due yet");
        wall.turn(-HOUR);
        clock.until(Some(deadline), || wall.now()).await;
        let waited = began.elapsed();
        assert!(
            waited >= Duration::from_secs(30) && waited < Duration::from_secs(31),
            "{waited:?}"
        );
        let now = clock.read(wall.now());
        assert!(now >= deadline, "and the engine agrees that it is due");
        assert_eq!(
            clock.by_wall(now),
            wall.now(),
            "people are told the time that their clock shows"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_due_while_the_computer_slept_is_due_when_it_wakes() {
        let wall = Wall::new();
        let mut clock = Clock::new(wall.now());
        let deadline = clock.read(wall.now()) + HOUR;
        let began = Instant::now();
        // While a computer sleeps its monotonic clock may stand still.
        wall.turn(8 * HOUR);
        clock.until(Some(deadline), || wall.now()).await;
        assert!(began.elapsed() < Duration::from_secs(1), "at once");

        let deadline = clock.read(wall.now()) + HOUR;
        let waiting = clock.until(Some(deadline), || wall.now());
        tokio::pin!(waiting);
        let early = tokio::time::timeout(Duration::from_secs(1), &mut waiting);
        assert!(early.await.is_err(), "it is not due yet");
        wall.turn(2 * HOUR);
        let began = Instant::now();
        waiting.await;
        assert!(
            began.elapsed() <= LOOK_AGAIN,
            "a wait that is under way notices the leap"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn many_readings_within_a_millisecond_do_not_hold_time_up() {
        let wall = Wall::new();
        let mut clock = Clock::new(wall.now());
        wall.turn(-HOUR);
        for _ in 0..3_000 {
            tokio::time::advance(Duration::from_micros(500)).await;
            clock.read(wall.now());
        }
        let passed = clock.read(wall.now()) - NOON;
        assert!((1_490..=1_510).contains(&passed), "{passed}");
    }
}

//! A computer that wakes up: nothing tells of it but its clock. A keyring that could not be opened while nobody was there is
//! asked again then. (Engines have clocks of their own: what was due meanwhile is due at once.)

use std::{sync::Arc, time::Duration};

use tulou_protocol::id::Millis;

use super::{Client, lock};
use crate::as_of::now;

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_secs(10);
/// Whoever was not looked at for so much longer slept.
const LEAP: Duration = Duration::from_secs(30);

impl Client {
    /// Asks the keyring again whenever the computer wakes up, for as long as the client is there.
    pub(super) fn watch_for_waking(&self) {
        let client = Arc::downgrade(&self.inner);
        let watching = tokio::spawn(async move {
            loop {
                woken(now).await;
                let Some(inner) = client.upgrade() else {
                    return;
                };
                Client { inner }.ask_keyring_again();
            }
        });
        lock(&self.inner.drivers).push(watching.abort_handle());
    }
}

/// Waits until the computer has slept. Not every monotonic clock goes on while it does, and none that people set shows how
/// long it was: the one of the two that went on by too much says so.
async fn woken(wall: impl Fn() -> Millis) {
    loop {
        let before = wall();
        tokio::time::sleep(LOOK).await;
        let passed = u64::try_from(wall() - before).unwrap_or(0);
        if Duration::from_millis(passed) > LOOK + LEAP {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_computer_that_slept_is_noticed_and_a_clock_that_is_set_back_is_not_taken_for_it() {
        let (began, set) = (Instant::now(), AtomicI64::new(0));
        let wall = || {
            let passed = Millis::try_from(began.elapsed().as_millis()).unwrap();
            1_800_000_000_000 + set.load(Ordering::Relaxed) + passed
        };
        let waking = woken(wall);
        tokio::pin!(waking);
        let hour = Duration::from_secs(3_600);
        let awake = tokio::time::timeout(hour, &mut waking).await;
        assert!(awake.is_err(), "for an hour nothing happened");
        set.fetch_sub(3_600_000, Ordering::Relaxed);
        let awake = tokio::time::timeout(hour, &mut waking).await;
        assert!(awake.is_err(), "somebody set the clock back");
        set.fetch_add(8 * 3_600_000, Ordering::Relaxed);
        let woke = Instant::now();
        waking.await;
        assert!(woke.elapsed() <= LOOK, "it was soon noticed");
    }
}

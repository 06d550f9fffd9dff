//! Time that passes whatever the system's clock is set to. Where the system can tell, it also passes while the computer
//! sleeps: who wakes has not been set.

use std::time::Duration;

/// Whether sleep of the computer counts.
pub const COUNTS_SLEEP: bool = cfg!(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    windows
));

/// What has passed since some moment before.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub fn passed() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    #[cfg(not(target_vendor = "apple"))]
    let clock = ClockId::Boottime;
    // There it counts sleep.
    #[cfg(target_vendor = "apple")]
    let clock = ClockId::Monotonic;
    clock_gettime(clock).try_into().unwrap_or_default()
}

/// What has passed since some moment before. Windows counts sleep.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub fn passed() -> Duration {
    use std::{sync::LazyLock, time::Instant};
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGAN.elapsed()
}

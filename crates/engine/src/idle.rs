//! Idle time: how long nothing has been on its way. What is held of unwatched topics is looked through then.

use tulou_protocol::id::Millis;

/// How long nothing must be on its way.
const IDLE_MS: Millis = 2_000;

/// How long it has been quiet.
#[derive(Debug)]
pub struct IdleSince {
    since: Millis,
}

impl IdleSince {
    /// Something is, or was, on its way at this time.
    pub const fn until(now: Millis) -> Self {
        Self { since: now }
    }

    /// When it will have been quiet for long enough, if it stays so.
    pub const fn idle_at(&self) -> Millis {
        self.since + IDLE_MS
    }
}

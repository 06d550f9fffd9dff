//! What a session may ask for: a bucket that fills with time, and what was given beyond it.

use std::time::Duration;

use tulou_protocol::frame::Busy;

use crate::{
    App,
    rate::{Bucket, Rate},
};

/// What is given to a session, and what it owes.
pub struct Allowance {
    app: App,
    rate: Rate,
    bucket: Bucket,
    /// What nothing is given for: requests that are refused for their rate, and what keeps a link alive. It has a bucket of
    /// its own, so that whoever waits as long as he is told is not told to wait again.
    idle: Bucket,
}

impl Allowance {
    /// Of a session that begins.
    pub fn of(app: &App) -> Self {
        let limits = app.limits();
        let rate = Rate {
            capacity: f64::from(limits.requests_burst.max(1)),
            per_ms: f64::from(limits.requests_per_s.max(1)) / 1_000.0,
        };
        Self {
            rate,
            bucket: Bucket::full(rate, app.uptime_ms()),
            idle: Bucket::full(rate, app.uptime_ms()),
            app: app.clone(),
        }
    }

    /// What something cost beyond a request is taken from the session's rate.
    pub fn charge(&mut self, cost: f64) {
        self.bucket.charge(self.rate, self.app.uptime_ms(), cost);
    }

    /// Something was read for nothing.
    pub fn charge_idle(&mut self) {
        self.idle.charge(self.rate, self.app.uptime_ms(), 1.0);
    }

    /// A request takes its part of the session's rate. One that is refused for it was read all the same.
    pub fn take(&mut self) -> Result<(), Busy> {
        let now = self.app.uptime_ms();
        let taken = self.bucket.take(self.rate, now);
        taken.map_err(|retry_after_ms| {
            self.charge_idle();
            Busy { retry_after_ms }
        })
    }

    /// How long nothing is read from whoever was given, or asked, too much.
    pub fn owes(&mut self) -> Duration {
        let now = self.app.uptime_ms();
        let owes = self.bucket.owes_ms(self.rate, now);
        Duration::from_millis(owes.max(self.idle.owes_ms(self.rate, now)))
    }

    /// As many requests as there are at most in so many milliseconds.
    #[cfg(test)]
    pub fn most_in(&self, ms: u64) -> f64 {
        self.rate.capacity + self.rate.per_ms * ms as f64
    }
}

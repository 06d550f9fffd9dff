//! What a session may ask for: a bucket that fills with time, and what was given beyond it. What its account may ask for
//! stands beside it: that outlives the session, so that whoever hangs up and comes again owes what he owed, and is shared
//! by all sessions of the account.

use std::time::Duration;

use tulou_protocol::{AccountId, frame::Busy};

use crate::{
    App,
    rate::{Bucket, Rate, SharedBucket, of_requests},
};

/// Communities of whoever opens a session that cost as much as a request.
const COMMUNITIES: f64 = 16.0;
/// Whose account owes more than this opens no session: opening is work, too.
const DEEP_MS: u64 = 5_000;

/// What is given to a session, and what it owes.
pub struct Allowance {
    app: App,
    account: SharedBucket,
    rate: Rate,
    bucket: Bucket,
    /// What nothing is given for: requests that are refused for their rate, and what keeps a link alive. It has a bucket of
    /// its own, so that whoever waits as long as he is told is not told to wait again.
    idle: Bucket,
}

impl Allowance {
    /// Of a session that begins.
    pub fn of(app: &App, account: AccountId) -> Self {
        let (rate, now) = (of_requests(app.config()), app.uptime_ms());
        Self {
            account: app.rates().accounts.of(account, now),
            rate,
            bucket: Bucket::full(rate, now),
            idle: Bucket::full(rate, now),
            app: app.clone(),
        }
    }

    /// Opening a session takes its part of what the account may ask for, by how many communities it has.
    ///
    /// # Errors
    /// If the account owes too much.
    pub fn open(app: &App, account: AccountId, communities: usize) -> Result<(), Busy> {
        let now = app.uptime_ms();
        let account = app.rates().accounts.of(account, now);
        let retry_after_ms = account.owes_ms(now);
        if retry_after_ms > DEEP_MS {
            return Err(Busy { retry_after_ms });
        }
        account.charge(now, 1.0 + communities as f64 / COMMUNITIES);
        Ok(())
    }

    /// What its account may ask for, for what goes on although the session ends.
    pub fn account(&self) -> SharedBucket {
        self.account.clone()
    }

    /// What something cost beyond a request is taken from the session's rate, and from its account's.
    pub fn charge(&mut self, cost: f64) {
        self.charge_session(cost);
        self.account.charge(self.app.uptime_ms(), cost);
    }

    /// What something cost for which its account has paid is taken from the session's rate.
    pub fn charge_session(&mut self, cost: f64) {
        self.bucket.charge(self.rate, self.app.uptime_ms(), cost);
    }

    /// Something was read for nothing.
    pub fn charge_idle(&mut self) {
        self.idle.charge(self.rate, self.app.uptime_ms(), 1.0);
    }

    /// A request takes its part of the session's rate, and of its account's. One that is refused for it was read all the
    /// same.
    pub fn take(&mut self) -> Result<(), Busy> {
        let now = self.app.uptime_ms();
        let mut taken = self.bucket.take(self.rate, now);
        if taken.is_ok() {
            taken = self.account.take(now);
            if taken.is_err() {
                self.bucket.give_back();
            }
        }
        taken.map_err(|retry_after_ms| {
            self.charge_idle();
            Busy { retry_after_ms }
        })
    }

    /// How long nothing is read from whoever was given, or asked, too much.
    pub fn owes(&mut self) -> Duration {
        let now = self.app.uptime_ms();
        let owes = self.bucket.owes_ms(self.rate, now);
        let owes = owes.max(self.idle.owes_ms(self.rate, now));
        Duration::from_millis(owes.max(self.account.owes_ms(now)))
    }

    /// As many requests as a session is given at most in so many milliseconds.
    #[cfg(test)]
    pub fn most_in(&self, ms: u64) -> f64 {
        self.rate.capacity + self.rate.per_ms * ms as f64
    }
}

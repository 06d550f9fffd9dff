//! Rates: buckets that fill with time. `now` is passed in, in milliseconds of any clock that only goes forward.
//!
//! * `attempts`: who tries too often has to wait
//! * `sign_ups`: how many accounts are made

mod attempts;
mod sign_ups;

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use tulou_protocol::{AccountId, TopicId};

use crate::config::Config;

pub(crate) use attempts::place_of;
pub use attempts::{Admitted, Attempts};
pub use sign_ups::{SignUps, TooMany};

/// The longest that anybody is told to wait.
const LONGEST_MS: u64 = 60 * 60 * 1_000;

/// Nobody has to wait longer than this for what he was given already.
const DEBT_MS: f64 = 10_000.0;

/// What sums of fractions may lack: who waited as long as he was told is not told to wait again.
const ROUNDING: f64 = 1e-6;

/// What is slowed for everybody together, counted by this process.
#[derive(Debug)]
pub struct Rates {
    /// Messages, by sender and topic.
    pub sends: Buckets<(AccountId, TopicId)>,
    /// Attempts to prove who one is.
    pub attempts: Attempts,
    /// New accounts.
    pub sign_ups: SignUps,
}

impl Rates {
    /// As the operator has set them; nobody has done anything yet.
    pub fn of(config: &Config) -> Self {
        let messages = f64::from(config.limits.messages_per_10s.max(1));
        Self {
            sends: Buckets::new(Rate {
                capacity: messages,
                per_ms: messages / 10_000.0,
            }),
            attempts: Attempts::default(),
            sign_ups: SignUps::new(config),
        }
    }
}

/// A bucket. Taking from an empty one says how long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    left: f64,
    filled_at: u64,
}

/// How fast a bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// How much it holds.
    pub capacity: f64,
    /// How much comes in a millisecond.
    pub per_ms: f64,
}

impl Bucket {
    /// A full bucket.
    pub const fn full(rate: Rate, now: u64) -> Self {
        Self {
            left: rate.capacity,
            filled_at: now,
        }
    }

    fn fill(&mut self, rate: Rate, now: u64) {
        let passed = now.saturating_sub(self.filled_at) as f64;
        self.left = (self.left + passed * rate.per_ms).min(rate.capacity);
        self.filled_at = now;
    }

    /// Takes what something cost, also if there is less: then the bucket owes, at most [`DEBT_MS`] of its filling.
    pub fn charge(&mut self, rate: Rate, now: u64, cost: f64) {
        self.fill(rate, now);
        self.left = (self.left - cost).max(-DEBT_MS * rate.per_ms);
    }

    /// How many milliseconds it takes until nothing is owed; 0: nothing is.
    pub fn owes_ms(&mut self, rate: Rate, now: u64) -> u64 {
        self.fill(rate, now);
        if self.left >= 0.0 {
            return 0;
        }
        let wait = -self.left / rate.per_ms.max(f64::MIN_POSITIVE);
        (wait.ceil() as u64).clamp(1, LONGEST_MS)
    }

    /// Takes one, or says how many milliseconds to wait.
    pub fn take(&mut self, rate: Rate, now: u64) -> Result<(), u64> {
        self.fill(rate, now);
        if self.left >= 1.0 - ROUNDING {
            self.left -= 1.0;
            return Ok(());
        }
        let wait = (1.0 - ROUNDING - self.left) / rate.per_ms.max(f64::MIN_POSITIVE);
        Err((wait.ceil() as u64).clamp(1, LONGEST_MS))
    }

    fn is_full(&self, rate: Rate, now: u64) -> bool {
        let passed = now.saturating_sub(self.filled_at) as f64;
        self.left + passed * rate.per_ms >= rate.capacity
    }
}

/// Buckets by key. Full ones are forgotten when there are many.
#[derive(Debug)]
pub struct Buckets<K> {
    rate: Rate,
    by_key: Mutex<HashMap<K, Bucket>>,
}

/// Buckets at which the full ones are looked for.
const MANY: usize = 10_000;

impl<K: Eq + Hash> Buckets<K> {
    /// No buckets yet.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            by_key: Mutex::default(),
        }
    }

    /// Takes one from a key's bucket, or says how many milliseconds to wait.
    pub fn take(&self, key: K, now: u64) -> Result<(), u64> {
        let mut by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        if by_key.len() >= MANY && by_key.len().is_power_of_two() {
            by_key.retain(|_, bucket| !bucket.is_full(self.rate, now));
        }
        by_key
            .entry(key)
            .or_insert_with(|| Bucket::full(self.rate, now))
            .take(self.rate, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_bucket_says_how_long_to_wait() {
        let rate = Rate {
            capacity: 2.0,
            per_ms: 0.001,
        };
        let mut bucket = Bucket::full(rate, 0);
        assert_eq!(bucket.take(rate, 0), Ok(()));
        assert_eq!(bucket.take(rate, 0), Ok(()));
        assert_eq!(bucket.take(rate, 0), Err(1_000), "one comes in a second");
        assert_eq!(bucket.take(rate, 400), Err(600), "part of it has passed");
        assert_eq!(bucket.take(rate, 1_000), Ok(()), "and is welcome then");
    }

    #[test]
    fn what_was_given_beyond_the_rate_is_owed_and_not_for_ever() {
        let rate = Rate {
            capacity: 2.0,
            per_ms: 0.001,
        };
        let mut bucket = Bucket::full(rate, 0);
        bucket.charge(rate, 0, 2.0);
        assert_eq!(bucket.owes_ms(rate, 0), 0, "all that there was");
        bucket.charge(rate, 0, 3.0);
        assert_eq!(bucket.owes_ms(rate, 0), 3_000);
        assert_eq!(bucket.take(rate, 3_000), Err(1_000), "nothing is left then");
        bucket.charge(rate, 3_000, 1e9);
        assert_eq!(bucket.owes_ms(rate, 3_000), 10_000);
    }
}

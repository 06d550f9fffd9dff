//! Rates: buckets that fill with time. `now` is passed in, in milliseconds of any clock that only goes forward.
//!
//! * `attempts`: who tries too often has to wait
//! * `sign_ups`: how many accounts are made

mod attempts;
mod sign_ups;

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tulou_protocol::{AccountId, TopicId, limits};

use crate::config::Config;

pub(crate) use attempts::place_of;
pub use attempts::{Admitted, Attempts};
pub use sign_ups::{SignUps, TooMany};

/// So often an account may take another name in a minute.
const NAMES: f64 = 10.0;

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
    /// New names, by account: each is written in every list that shows it.
    pub names: Buckets<AccountId>,
    /// What accounts ask for, from all their sessions together.
    pub accounts: Buckets<AccountId>,
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
            names: Buckets::new(Rate {
                capacity: NAMES,
                per_ms: NAMES / 60_000.0,
            }),
            accounts: Buckets::new(of_requests(config).times(limits::BUSY_SESSIONS as f64)),
            attempts: Attempts::default(),
            sign_ups: SignUps::new(config),
        }
    }
}

/// How fast a session may ask.
pub fn of_requests(config: &Config) -> Rate {
    let limits = &config.limits;
    Rate {
        capacity: f64::from(limits.requests_burst.max(1)),
        per_ms: f64::from(limits.requests_per_s.max(1)) / 1_000.0,
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

impl Rate {
    /// That of so many together.
    #[must_use]
    pub const fn times(self, many: f64) -> Self {
        Self {
            capacity: self.capacity * many,
            per_ms: self.per_ms * many,
        }
    }
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

    /// What was taken was not used.
    pub const fn give_back(&mut self) {
        self.left += 1.0;
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

/// A bucket that is taken from in several places.
#[derive(Debug, Clone)]
pub struct SharedBucket {
    rate: Rate,
    bucket: Arc<Mutex<Bucket>>,
}

impl SharedBucket {
    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one, or says how many milliseconds to wait.
    ///
    /// # Errors
    /// The milliseconds.
    pub fn take(&self, now: u64) -> Result<(), u64> {
        self.bucket().take(self.rate, now)
    }

    /// Takes what something cost, also if there is less.
    pub fn charge(&self, now: u64, cost: f64) {
        self.bucket().charge(self.rate, now, cost);
    }

    /// How many milliseconds it takes until nothing is owed; 0: nothing is.
    pub fn owes_ms(&self, now: u64) -> u64 {
        self.bucket().owes_ms(self.rate, now)
    }
}

/// Buckets by key. Full ones that nobody holds are forgotten when there are many.
#[derive(Debug)]
pub struct Buckets<K> {
    rate: Rate,
    kept: Mutex<Kept<K>>,
}

#[derive(Debug)]
struct Kept<K> {
    by_key: HashMap<K, Arc<Mutex<Bucket>>>,
    /// At so many the full ones are looked for.
    look_at: usize,
}

/// Buckets below which none are forgotten.
const MANY: usize = if cfg!(test) { 100 } else { 10_000 };

impl<K: Eq + Hash> Buckets<K> {
    /// No buckets yet.
    pub fn new(rate: Rate) -> Self {
        let kept = Kept {
            by_key: HashMap::new(),
            look_at: MANY,
        };
        Self {
            rate,
            kept: Mutex::new(kept),
        }
    }

    /// A key's bucket.
    pub fn of(&self, key: K, now: u64) -> SharedBucket {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let rate = self.rate;
        let Kept { by_key, look_at } = &mut *kept;
        let bucket = match by_key.get(&key) {
            Some(bucket) => bucket.clone(),
            None => {
                if by_key.len() >= *look_at {
                    by_key.retain(|_, bucket| {
                        let is_held = Arc::strong_count(bucket) > 1;
                        let bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
                        is_held || !bucket.is_full(rate, now)
                    });
                    // Those that stay are not looked at again for each that comes.
                    *look_at = MANY.max(2 * by_key.len());
                }
                let bucket = Arc::new(Mutex::new(Bucket::full(rate, now)));
                by_key.insert(key, bucket.clone());
                bucket
            }
        };
        SharedBucket { rate, bucket }
    }

    /// Takes one from a key's bucket, or says how many milliseconds to wait.
    pub fn take(&self, key: K, now: u64) -> Result<(), u64> {
        self.of(key, now).take(now)
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

    #[test]
    fn a_bucket_is_forgotten_when_it_is_full_and_nobody_holds_it_once_others_come() {
        let rate = Rate {
            capacity: 1.0,
            per_ms: 0.001,
        };
        let buckets = Buckets::new(rate);
        let kept = || buckets.kept.lock().unwrap().by_key.len();
        let held = buckets.of(0, 0);
        held.charge(0, 2.0);
        for key in 1..MANY {
            assert_eq!(buckets.take(key, 0), Ok(()));
        }
        assert_eq!(kept(), MANY);
        let later = 10_000;
        assert_eq!(buckets.take(1, later), Ok(()), "it was full again");
        assert_eq!(kept(), MANY, "who is known costs no look at all others");
        assert_eq!(buckets.take(MANY, later), Ok(()));
        assert_eq!(kept(), 3, "the held, the one in use, the one that came");
        held.charge(later, 2.0);
        assert_eq!(buckets.of(0, later).owes_ms(later), 1_000, "it is the same");
    }

    #[test]
    fn buckets_that_are_in_use_are_not_all_looked_at_for_each_that_comes() {
        let rate = Rate {
            capacity: 1.0,
            per_ms: 0.001,
        };
        let buckets = Buckets::new(rate);
        for key in 0..=MANY {
            assert_eq!(buckets.take(key, 0), Ok(()));
        }
        let look_at = buckets.kept.lock().unwrap().look_at;
        assert_eq!(look_at, 2 * MANY, "the next look is far");
    }
}

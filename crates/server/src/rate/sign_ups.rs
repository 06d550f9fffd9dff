//! New accounts, counted by where they come from and over all, so that nobody fills the server with them. What an hour
//! allows may come at once, and comes back evenly over the hour.

use std::net::IpAddr;

use super::{Buckets, Rate, attempts::place_of};
use crate::config::Config;

const HOUR_MS: f64 = 3_600_000.0;

/// So many accounts were made in an hour as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// How many may be made in an hour.
    pub limit: u32,
    /// Seconds to wait, at least one.
    pub retry_after_s: u64,
}

/// New accounts of the last hour. Times are milliseconds of a clock that only goes forward.
#[derive(Debug)]
pub struct SignUps {
    of_place: Limited<IpAddr>,
    of_all: Limited<()>,
}

#[derive(Debug)]
struct Limited<K> {
    limit: u32,
    buckets: Buckets<K>,
}

impl<K: Eq + std::hash::Hash> Limited<K> {
    fn new(limit: u32) -> Self {
        let limit = limit.max(1);
        Self {
            limit,
            buckets: Buckets::new(Rate {
                capacity: f64::from(limit),
                per_ms: f64::from(limit) / HOUR_MS,
            }),
        }
    }

    fn take(&self, key: K, now: u64) -> Result<(), TooMany> {
        self.buckets.take(key, now).map_err(|wait_ms| TooMany {
            limit: self.limit,
            retry_after_s: wait_ms.div_ceil(1_000),
        })
    }
}

impl SignUps {
    /// Nobody has signed up yet.
    pub fn new(config: &Config) -> Self {
        Self {
            of_place: Limited::new(config.sign_ups_per_address),
            of_all: Limited::new(config.sign_ups_per_hour),
        }
    }

    /// Somebody asks for an account. Those who are refused count too, so that nobody tries out many invites or names.
    ///
    /// # Errors
    /// Later.
    pub fn admit_place(&self, from: Option<IpAddr>, now: u64) -> Result<(), TooMany> {
        self.of_place.take(place_of(from), now)
    }

    /// An account is about to be made. Only those count who may have one: nobody else keeps others out.
    ///
    /// # Errors
    /// Later.
    pub fn admit(&self, now: u64) -> Result<(), TooMany> {
        self.of_all.take((), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> Option<IpAddr> {
        Some(IpAddr::V4(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n)))
    }

    fn wait(refused: Result<(), TooMany>) -> Option<(u32, u64)> {
        refused.err().map(|no| (no.limit, no.retry_after_s))
    }

    #[test]
    fn an_address_makes_so_many_accounts_an_hour_and_others_are_not_slowed() {
        let sign_ups = SignUps::new(&Config {
            sign_ups_per_address: 4,
            ..Config::default()
        });
        for _ in 0..4 {
            assert_eq!(wait(sign_ups.admit_place(address(1), 0)), None);
        }
        let (limit, seconds) = wait(sign_ups.admit_place(address(1), 0)).unwrap();
        assert_eq!((limit, seconds), (4, 900), "one comes in a quarter");
        assert_eq!(wait(sign_ups.admit_place(address(2), 0)), None);
        assert_eq!(wait(sign_ups.admit_place(address(1), 900_000)), None);
    }

    #[test]
    fn over_all_addresses_there_is_a_limit_too() {
        let sign_ups = SignUps::new(&Config {
            sign_ups_per_hour: 60,
            ..Config::default()
        });
        for _ in 0..60 {
            assert_eq!(wait(sign_ups.admit(0)), None);
        }
        assert_eq!(wait(sign_ups.admit(0)), Some((60, 60)));
        assert_eq!(wait(sign_ups.admit(60_000)), None);
    }
}

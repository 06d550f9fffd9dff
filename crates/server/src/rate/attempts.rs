//! Attempts to sign in, slowed down by whom they name and where they come from.
//!
//! An attempt counts as failed from the moment it is admitted until it turns out right, so that many at once gain nothing.
//! Three counts slow it: that of the name at this address, that of the address, and, for an address that has not tried
//! the name yet, that of the name. The last makes such an address wait before its first attempt is looked at; then its
//! turn comes, whatever others do meanwhile. So nobody can keep the right password out for longer than the longest wait.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Buckets, Rate};

/// How a count slows.
#[derive(Debug, Clone, Copy)]
struct Slope {
    /// Attempts that cost nothing. Each after them doubles the wait, from one second on.
    free: u32,
    /// The longest wait, in seconds.
    longest_s: u64,
}

/// A name at an address: somebody who has forgotten his password, or one who guesses it.
const OF_PAIR: Slope = Slope {
    free: 5,
    longest_s: 300,
};
/// An address: many people may share one.
const OF_PLACE: Slope = Slope {
    free: 30,
    longest_s: 300,
};
/// A name, tried from many addresses.
const OF_NAME: Slope = Slope {
    free: 20,
    longest_s: 60,
};
/// Milliseconds without an attempt after which a count is forgotten.
const FORGET_MS: u64 = 15 * 60 * 1_000;
/// Entries of each kind. The oldest go first.
const ENTRIES: usize = 20_000;

/// Where attempts come from: an IPv4 address, or the 64 bits of an IPv6 address that one customer has.
type Place = IpAddr;

/// The place of an address; that of nobody in particular stands for those that have none.
pub(crate) fn place_of(address: Option<IpAddr>) -> Place {
    match address.map(|address| address.to_canonical()) {
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        Some(address) => address,
        None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    }
}

/// Attempts of a place, right or wrong: each has a password looked at, which is work for all who want to come in.
const LOOKS: Rate = Rate {
    capacity: 60.0,
    per_ms: 2.0 / 1_000.0,
};

/// Attempts that may have failed. Times are milliseconds of a clock that only goes forward.
#[derive(Debug)]
pub struct Attempts {
    counts: Mutex<Counts>,
    looks: Buckets<Place>,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            counts: Mutex::default(),
            looks: Buckets::new(LOOKS),
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    pairs: HashMap<(String, Place), Count>,
    places: HashMap<Place, Count>,
    names: HashMap<String, Count>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    attempts: u32,
    last: u64,
    /// The next attempt is looked at from here on.
    until: u64,
}

impl Count {
    fn wait_ms(self, slope: Slope) -> u64 {
        match self.attempts.checked_sub(slope.free) {
            Some(over) => (1_u64 << over.min(20)).min(slope.longest_s) * 1_000,
            None => 0,
        }
    }

    const fn is_old(self, now: u64) -> bool {
        now.saturating_sub(self.last) > FORGET_MS && self.until <= now
    }

    fn add(&mut self, slope: Slope, now: u64) {
        self.attempts = self.attempts.saturating_add(1);
        self.last = now;
        self.until = now + self.wait_ms(slope);
    }
}

/// The count of a key; one that is old begins anew.
fn count<K: Eq + Hash + Clone>(counts: &mut HashMap<K, Count>, key: &K, now: u64) -> Count {
    match counts.get(key) {
        Some(count) if !count.is_old(now) => *count,
        Some(_) | None => Count::default(),
    }
}

fn put<K: Eq + Hash + Clone>(counts: &mut HashMap<K, Count>, key: K, kept: Count, now: u64) {
    if counts.len() >= ENTRIES && !counts.contains_key(&key) {
        counts.retain(|_, count| !count.is_old(now));
        if counts.len() >= ENTRIES {
            let mut ages: Vec<u64> = counts.values().map(|count| count.last).collect();
            let middle = ages.len() / 2;
            let (_, cut, _) = ages.select_nth_unstable(middle);
            let cut = *cut;
            counts.retain(|_, count| count.last > cut);
        }
    }
    counts.insert(key, kept);
}

/// An attempt that is being looked at.
#[derive(Debug)]
#[must_use = "an attempt that turned out right has to be forgiven"]
pub struct Admitted {
    name: String,
    place: Place,
}

impl Attempts {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits an attempt, or says in how many seconds it is welcome.
    ///
    /// # Errors
    /// The seconds to wait, at least one.
    pub fn admit(&self, name: &str, address: Option<IpAddr>, now: u64) -> Result<Admitted, u64> {
        let place = place_of(address);
        let mut counts = self.counts();
        let key = (name.to_owned(), place);
        let mut of_place = count(&mut counts.places, &place, now);
        let mut of_name = count(&mut counts.names, &key.0, now);
        let is_first = counts.pairs.get(&key).is_none_or(|count| count.is_old(now));
        let mut of_pair = count(&mut counts.pairs, &key, now);
        if is_first {
            of_pair.until = now + of_name.wait_ms(OF_NAME);
            of_pair.last = now;
            put(&mut counts.pairs, key.clone(), of_pair, now);
        }
        let until = of_pair.until.max(of_place.until);
        if until > now {
            return Err((until - now).div_ceil(1_000));
        }
        self.looks
            .take(place, now)
            .map_err(|wait_ms| wait_ms.div_ceil(1_000))?;
        of_pair.add(OF_PAIR, now);
        of_place.add(OF_PLACE, now);
        of_name.add(OF_NAME, now);
        put(&mut counts.pairs, key.clone(), of_pair, now);
        put(&mut counts.places, place, of_place, now);
        put(&mut counts.names, key.0.clone(), of_name, now);
        Ok(Admitted { name: key.0, place })
    }

    /// The attempt was right: it counts nowhere, and the name at this address begins anew.
    pub fn forgive(&self, admitted: Admitted) {
        let Admitted { name, place } = admitted;
        let mut counts = self.counts();
        if let Some(count) = counts.places.get_mut(&place) {
            count.attempts = count.attempts.saturating_sub(1);
            count.until = 0;
        }
        if let Some(count) = counts.names.get_mut(&name) {
            count.attempts = count.attempts.saturating_sub(1);
        }
        // An entry stays: who was right here waits for nobody's attempts elsewhere.
        if let Some(count) = counts.pairs.get_mut(&(name, place)) {
            count.attempts = 0;
            count.until = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));

    fn address(n: u32) -> Option<IpAddr> {
        Some(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + n)))
    }

    #[test]
    fn a_name_at_an_address_has_to_wait_longer_each_time() {
        let attempts = Attempts::default();
        for _ in 0..OF_PAIR.free {
            let _ = attempts.admit("alice", HOME, 0).unwrap();
        }
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..10 {
            let wait = attempts.admit("alice", HOME, now).unwrap_err();
            waits.push(wait);
            now += wait * 1_000;
            let _ = attempts.admit("alice", HOME, now).unwrap();
        }
        assert_eq!(
            waits,
            [1, 2, 4, 8, 16, 32, 64, 128, 256, 300],
            "the wait doubles, up to the longest"
        );
        assert!(attempts.admit("bob", HOME, now).is_ok(), "others do not");
        assert!(
            attempts.admit("alice", address(1), now).is_ok(),
            "nor does the name elsewhere"
        );
        assert!(
            attempts
                .admit("alice", HOME, now + FORGET_MS + 300_000)
                .is_ok(),
            "and it is forgotten in time"
        );
    }

    #[test]
    fn the_right_password_ends_the_wait_of_a_name_at_its_address() {
        let attempts = Attempts::default();
        for _ in 1..OF_PAIR.free {
            let _ = attempts.admit("alice", HOME, 0).unwrap();
        }
        let right = attempts.admit("alice", HOME, 0).unwrap();
        assert!(
            attempts.admit("alice", HOME, 0).is_err(),
            "six are too many"
        );
        attempts.forgive(right);
        for _ in 0..OF_PAIR.free {
            let _ = attempts.admit("alice", HOME, 0).unwrap();
        }
    }

    #[test]
    fn whoever_is_right_each_time_has_no_more_passwords_looked_at_than_others() {
        let attempts = Attempts::default();
        let right = |address, now| {
            let admitted = attempts.admit("mallory", address, now)?;
            attempts.forgive(admitted);
            Ok::<_, u64>(())
        };
        let at_once = (0..1_000).filter(|_| right(HOME, 0).is_ok()).count();
        assert_eq!(at_once, 60, "at once");
        assert_eq!(right(HOME, 0), Err(1));
        let later = (0..60_000).filter(|now| right(HOME, *now).is_ok()).count();
        assert_eq!(later, 119, "in a minute, then two a second");
        assert_eq!(right(address(1), 0), Ok(()), "others do not wait");
    }

    #[test]
    fn attempts_at_the_same_time_count_before_they_are_answered() {
        let attempts = Attempts::default();
        let admitted = (0..100)
            .filter(|_| attempts.admit("alice", HOME, 0).is_ok())
            .count();
        assert_eq!(admitted, 5, "a hundred at once are five");
    }

    #[test]
    fn an_address_that_tries_many_names_has_to_wait() {
        let attempts = Attempts::default();
        for n in 0..OF_PLACE.free {
            let _ = attempts.admit(&format!("n{n}"), HOME, 0).unwrap();
        }
        assert_eq!(attempts.admit("alice", HOME, 0).unwrap_err(), 1);
        assert!(
            attempts.admit("alice", address(1), 0).is_ok(),
            "other addresses do not"
        );
    }

    #[test]
    fn signing_in_with_an_own_account_does_not_wipe_out_an_addresss_failures() {
        let attempts = Attempts::default();
        for n in 0..OF_PLACE.free - 1 {
            let _ = attempts.admit(&format!("n{n}"), HOME, 0).unwrap();
            let own = attempts.admit("mallory", HOME, 0).unwrap();
            attempts.forgive(own);
        }
        let _ = attempts.admit("last", HOME, 0).unwrap();
        assert!(attempts.admit("alice", HOME, 0).is_err());
    }

    #[test]
    fn nobody_keeps_the_right_password_out_for_longer_than_the_longest_wait() {
        let attempts = Attempts::default();
        let mut now = 0;
        for n in 0..1_000 {
            let _ = attempts.admit("alice", address(n), now);
            now += 10;
        }
        let wait = attempts.admit("alice", HOME, now).unwrap_err();
        assert!(wait <= OF_NAME.longest_s, "{wait} s");
        let comes = now + wait * 1_000;
        let mut n = 1_000;
        while now < comes {
            // Others go on trying the name from ever new addresses, and from those whose turn came.
            let _ = attempts.admit("alice", address(n), now);
            let _ = attempts.admit("alice", address(n % 1_000), now);
            n += 1;
            now += 10;
        }
        assert!(
            attempts.admit("alice", HOME, comes).is_ok(),
            "the turn that was promised is kept"
        );
    }

    #[test]
    fn the_addresses_of_one_network_count_as_one() {
        let v6 = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        assert_eq!(
            place_of(v6("2001:db8:1:2:3::4")),
            place_of(v6("2001:db8:1:2::"))
        );
        assert_ne!(
            place_of(v6("2001:db8:1:3::")),
            place_of(v6("2001:db8:1:2::"))
        );
        assert_eq!(place_of(v6("::ffff:192.0.2.1")), place_of(HOME));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let attempts = Attempts::default();
        for n in 0..3 * ENTRIES as u32 {
            let _ = attempts.admit(&format!("n{n}"), address(n), u64::from(n));
        }
        let counts = attempts.counts();
        assert!(counts.pairs.len() <= ENTRIES);
        assert!(counts.places.len() <= ENTRIES);
        assert!(counts.names.len() <= ENTRIES);
    }
}

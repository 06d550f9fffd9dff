//! How many connections one address may have open. Otherwise one client takes all that the system gives. Those that became
//! sockets are counted by themselves: they may come through a proxy.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::rate::place_of;

/// Sockets from one place: a school behind one address, or people who share a mobile network's. This computer is not
/// counted, nor is whoever comes through a proxy on it that the operator did not name.
const FROM_ADDRESS: usize = if cfg!(test) { 3 } else { 2_000 };
/// Connections from one place that speak HTTP: they last for moments, so it is as much for a school that comes at once.
const VISITS: usize = 500;

/// The connections of a kind that are open, by where they come from.
#[derive(Debug)]
pub struct Sockets {
    kind: &'static str,
    most: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
    /// Whether it was logged that somebody has too many.
    is_told: AtomicBool,
}

/// A socket, until it is dropped.
#[derive(Debug)]
pub struct Open {
    sockets: Arc<Sockets>,
    from: Option<IpAddr>,
}

impl Default for Sockets {
    fn default() -> Self {
        Self::of("sockets", FROM_ADDRESS)
    }
}

impl Sockets {
    fn of(kind: &'static str, most: usize) -> Self {
        Self {
            kind,
            most,
            open: Mutex::default(),
            is_told: AtomicBool::new(false),
        }
    }

    /// Connections that have not become sockets.
    pub fn visits() -> Self {
        Self::of("connections", VISITS)
    }

    /// A few for a test.
    #[cfg(test)]
    pub fn few(most: usize) -> Self {
        Self::of("connections", most)
    }

    /// One more from an address; none if there are too many.
    pub fn open(self: &Arc<Self>, from: Option<IpAddr>) -> Option<Open> {
        let from = from.filter(|from| !from.to_canonical().is_loopback());
        let from = from.map(|from| place_of(Some(from)));
        if let Some(from) = from {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let count = open.entry(from).or_default();
            if *count >= self.most {
                if !self.is_told.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "{from} has {} {} and gets no more. If it is a proxy, name it in `proxies`",
                        self.most,
                        self.kind
                    );
                }
                return None;
            }
            *count += 1;
        }
        let sockets = self.clone();
        Some(Open { sockets, from })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(from) = self.from else { return };
        let mut open = self
            .sockets
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&from) {
            *count -= 1;
            if *count == 0 {
                open.remove(&from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_sockets_and_gets_back_those_that_it_gives_up() {
        let sockets = Arc::new(Sockets::default());
        let [one, other]: [IpAddr; 2] =
            ["203.0.113.7", "203.0.113.8"].map(|address| address.parse().unwrap());
        let mut held: Vec<_> = (0..FROM_ADDRESS).map(|_| sockets.open(Some(one))).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(sockets.open(Some(one)).is_none(), "no more");
        assert!(sockets.open(Some(other)).is_some(), "others have theirs");
        held.pop();
        assert!(sockets.open(Some(one)).is_some());
        drop(held);
        assert_eq!(sockets.open.lock().unwrap().len(), 0, "nothing is kept");
    }

    #[test]
    fn addresses_of_one_customer_are_one() {
        let sockets = Arc::new(Sockets::default());
        let from = |no: usize| Some(format!("2001:db8:1:2::{no:x}").parse::<IpAddr>().unwrap());
        let held: Vec<_> = (0..FROM_ADDRESS).map(|no| sockets.open(from(no))).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(
            sockets.open(from(FROM_ADDRESS)).is_none(),
            "he has 2^64 of them"
        );
        let other: IpAddr = "2001:db8:1:3::1".parse().unwrap();
        assert!(sockets.open(Some(other)).is_some());
    }
}

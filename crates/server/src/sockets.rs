//! How many sockets one address may have open, and one account. Otherwise one client takes all that the system gives.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Sockets from one address: a school behind one, or people who share a mobile network's. This computer is not counted;
/// a proxy on it that the operator did not name is.
const FROM_ADDRESS: usize = if cfg!(test) { 3 } else { 2_000 };

/// The sockets that are open, by where they come from.
#[derive(Debug, Default)]
pub struct Sockets(Mutex<HashMap<IpAddr, usize>>);

/// A socket, until it is dropped.
#[derive(Debug)]
pub struct Open {
    sockets: Arc<Sockets>,
    from: Option<IpAddr>,
}

impl Sockets {
    /// One more from an address; none if there are too many.
    pub fn open(self: &Arc<Self>, from: Option<IpAddr>) -> Option<Open> {
        let from = from.filter(|from| !from.is_loopback());
        if let Some(from) = from {
            let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let count = open.entry(from).or_default();
            if *count >= FROM_ADDRESS {
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
            .0
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
        assert_eq!(sockets.0.lock().unwrap().len(), 0, "nothing is kept");
    }
}

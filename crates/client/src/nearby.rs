//! Servers that announce themselves in the local network, listened to while one of them is not where it was.
//!
//! What is heard is hearsay, from anybody in the network: it names addresses to try, and the server still has to prove its
//! key there. Nothing is sent or listened to while every server is reached. Where there is no multicast nothing is heard.
//!
//! A listener asks ever more seldom, and one that the system gave no socket never gets one. So who still looks after a
//! while has another one begin, which knows what was heard so far.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use mdns_sd::{IfKind, ResolvedService, ServiceDaemon, ServiceEvent};
use tokio::{sync::watch, time::Instant};
use tulou_protocol::{ServerId, nearby};

/// Addresses that are remembered of one server, the newest: somebody who announces more in its name gains nothing.
const ADDRESSES: usize = 8;
/// Servers that are remembered.
const SERVERS: usize = 64;
/// How long one listens before another takes its place, at the next attempt: it has asked after 1, 3, 7 and 15 seconds.
const OLD_AFTER: Duration = Duration::from_secs(16);

/// Listens for those of a client's accounts that look for their server: all of them share one listener.
#[derive(Debug, Default)]
pub struct Nearby(Mutex<Weak<Search>>);

impl Nearby {
    /// Listens from here on, until the last who listens lets go; none if the system does not let it. An old listener is
    /// not given to anybody any more, unless no other can begin.
    pub fn search(&self) -> Option<Arc<Search>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = held.upgrade();
        if let Some(search) = before.as_ref().filter(|search| !search.is_old()) {
            return Some(Arc::clone(search));
        }
        let heard = before.as_ref().map(|search| search.heard());
        match Search::begin(heard.unwrap_or_default()) {
            Ok(search) => {
                let search = Arc::new(search);
                *held = Arc::downgrade(&search);
                Some(search)
            }
            Err(error) => {
                tracing::debug!(%error, "the local network cannot be searched");
                before
            }
        }
    }
}

/// The local network, listened to; its thread ends when this is dropped.
pub struct Search {
    daemon: ServiceDaemon,
    sighted: watch::Receiver<Sighted>,
    began: Instant,
}

impl Search {
    fn begin(heard: Sighted) -> Result<Self, mdns_sd::Error> {
        let (tell, sighted) = watch::channel(heard);
        let search = Self {
            daemon: ServiceDaemon::new()?,
            sighted,
            began: Instant::now(),
        };
        let inside = [IfKind::LoopbackV4, IfKind::LoopbackV6];
        search.daemon.disable_interface(inside.to_vec())?;
        let events = search.daemon.browse(nearby::SERVICE)?;
        // It ends with the daemon, which lets go of the other end.
        tokio::spawn(async move {
            while let Ok(event) = events.recv_async().await {
                if let ServiceEvent::ServiceResolved(service) = event {
                    tell.send_if_modified(|sighted| sighted.add(&service));
                }
            }
        });
        Ok(search)
    }

    /// What was heard so far, and what is heard from here on.
    pub fn sighted(&self) -> watch::Receiver<Sighted> {
        let mut sighted = self.sighted.clone();
        sighted.mark_changed();
        sighted
    }

    /// Whether it has listened in vain for so long that another one should.
    pub fn is_old(&self) -> bool {
        self.began.elapsed() >= OLD_AFTER
    }

    fn heard(&self) -> Sighted {
        self.sighted.borrow().clone()
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        // One that has ended already needs no word.
        let _ = self.daemon.shutdown();
    }
}

/// Where servers are, as somebody in the local network says.
#[derive(Debug, Default, Clone)]
pub struct Sighted(HashMap<ServerId, Vec<Sighting>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Sighting {
    address: String,
    /// The beginning of its key's fingerprint.
    key: String,
}

impl Sighted {
    /// Where a server with a key is said to be, the newest first.
    pub fn of(&self, server: ServerId, key: &str) -> Vec<String> {
        let sightings = self.0.get(&server).into_iter().flatten();
        sightings
            .filter(|sighting| sighting.key == key)
            .map(|sighting| sighting.address.clone())
            .collect()
    }

    /// Adds what somebody announced; whether there is news in it.
    fn add(&mut self, service: &ResolvedService) -> bool {
        let told = |property| service.get_property_val_str(property);
        let server = told(nearby::ID).and_then(|id| id.parse().ok());
        let (Some(server), Some(key)) = (server, told(nearby::KEY)) else {
            return false;
        };
        let ips = service.addresses.iter().map(|ip| ip.to_ip_addr());
        self.note(server, key, ips, service.port)
    }

    fn note(
        &mut self,
        server: ServerId,
        key: &str,
        ips: impl Iterator<Item = IpAddr>,
        port: u16,
    ) -> bool {
        if !self.0.contains_key(&server) && self.0.len() >= SERVERS {
            return false;
        }
        let mut is_news = false;
        for ip in ips.filter(|ip| is_of_use(*ip)) {
            let sighting = Sighting {
                address: format!("wss://{}", SocketAddr::new(ip, port)),
                key: key.to_owned(),
            };
            let held = self.0.entry(server).or_default();
            if !held.contains(&sighting) {
                held.insert(0, sighting);
                held.truncate(ADDRESSES);
                is_news = true;
            }
        }
        is_news
    }
}

/// Whether an address leads to another computer as it is. Link-local ones of IPv6 need the name of an interface.
const fn is_of_use(ip: IpAddr) -> bool {
    let is_special = ip.is_loopback() || ip.is_unspecified() || ip.is_multicast();
    match ip {
        IpAddr::V4(ip) => !is_special && !ip.is_broadcast(),
        IpAddr::V6(ip) => !is_special && !ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(no: u128) -> ServerId {
        ServerId(uuid::Uuid::from_u128(no))
    }

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|ip| ip.parse().unwrap()).collect()
    }

    #[test]
    fn only_addresses_of_the_server_with_the_key_are_told_the_newest_first() {
        let mut sighted = Sighted::default();
        let lan = ips(&["192.0.2.7", "127.0.0.1", "fe80::1", "::", "224.0.0.1"]);
        assert!(sighted.note(server(1), "abc", lan.into_iter(), 4780));
        assert!(sighted.note(server(1), "abc", ips(&["2001:db8::7"]).into_iter(), 4781));
        assert!(!sighted.note(server(1), "abc", ips(&["192.0.2.7"]).into_iter(), 4780));
        sighted.note(server(1), "other", ips(&["192.0.2.8"]).into_iter(), 4780);
        sighted.note(server(2), "abc", ips(&["192.0.2.9"]).into_iter(), 4780);
        assert_eq!(
            sighted.of(server(1), "abc"),
            ["wss://[2001:db8::7]:4781", "wss://192.0.2.7:4780"]
        );
    }

    #[test]
    fn whoever_announces_without_end_fills_nothing() {
        let mut sighted = Sighted::default();
        for no in 0..1_000 {
            let ip = IpAddr::from([10, 0, (no / 250) as u8, (no % 250) as u8 + 1]);
            sighted.note(server(1), "abc", [ip].into_iter(), 4780);
            sighted.note(server(no), "abc", [ip].into_iter(), 4780);
        }
        assert_eq!(sighted.of(server(1), "abc").len(), ADDRESSES);
        assert_eq!(sighted.0.len(), SERVERS);
    }
}

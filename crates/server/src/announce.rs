//! The server made known in the local network, so that clients find it there when its only address has changed while
//! nobody was connected to hear of it.
//!
//! It says its id, its port and the beginning of its key's fingerprint, and nothing else (`protocol::nearby`). A computer
//! or a network without multicast does not hold anything up: nobody hears it then.

use std::net::{IpAddr, SocketAddr};

use mdns_sd::{IfKind, IfPredicate, ServiceDaemon, ServiceInfo};
use tulou_protocol::{Fingerprint, ServerId, nearby};

use crate::reach;

/// A server that is made known, until this is dropped; its thread ends then.
pub(crate) struct Announced(ServiceDaemon);

impl Announced {
    /// Makes a server known that listens at `at` and has a key. Returns at once; none if the system does not let it.
    pub fn begin(server: ServerId, key: Fingerprint, at: SocketAddr) -> Option<Self> {
        match begin(server, key, at) {
            Ok(announced) => Some(announced),
            Err(error) => {
                tracing::debug!(%error, "the server is not announced in the local network");
                None
            }
        }
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        // It says farewell and ends its thread; one that has ended already needs no word.
        let _ = self.0.shutdown();
    }
}

fn begin(server: ServerId, key: Fingerprint, at: SocketAddr) -> Result<Announced, mdns_sd::Error> {
    let announced = Announced(ServiceDaemon::new()?);
    let daemon = &announced.0;
    daemon.disable_interface(IfKind::Predicate(IfPredicate::new(|interface| {
        interface.is_loopback() || reach::is_inside(&interface.name)
    })))?;
    // Names of hosts and instances are the same in capital and small letters.
    let id = server.0.to_string();
    let properties = [
        (nearby::ID, server.to_string()),
        (nearby::KEY, nearby::short(key)),
    ];
    // The host's name is made up as well: the computer's own would say whose it is.
    let host = format!("{id}.local.");
    let ip = at.ip().to_canonical();
    let service = if ip.is_unspecified() {
        ServiceInfo::new(nearby::SERVICE, &id, &host, (), at.port(), &properties[..])?
            .enable_addr_auto()
    } else {
        let ip: &[IpAddr] = &[ip];
        ServiceInfo::new(nearby::SERVICE, &id, &host, ip, at.port(), &properties[..])?
    };
    daemon.register(service)?;
    Ok(announced)
}

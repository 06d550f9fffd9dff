//! Where an account's server is found: what the person gave, and what the server says of itself.

use std::sync::Arc;

use tulou_protocol::{Fingerprint, invite};

use super::Account;
use crate::{
    known::Known,
    route::Route,
    store::{StoreError, meta, meta::Addresses},
};

/// Addresses that are remembered. A server that moves among more is asked for a new link.
const MOST: usize = 16;

/// Where a server is found.
pub(super) struct Whereabouts {
    /// What the list of accounts says of it.
    known: Known,
    /// The address in use.
    address: String,
    /// Where somebody in the local network says that the server is, the newest first.
    sighted: Vec<String>,
}

impl From<Known> for Whereabouts {
    fn from(known: Known) -> Self {
        Self {
            address: known.addresses.first().cloned().unwrap_or_default(),
            known,
            sighted: Vec::new(),
        }
    }
}

impl Account {
    /// What the list of accounts says of it.
    pub fn known(&self) -> Known {
        self.whereabouts().known.clone()
    }

    /// The server's name as last heard.
    pub fn set_server_name(&self, name: &str) {
        name.clone_into(&mut self.whereabouts().known.server_name);
    }

    /// The way to its server: the address that last answered, then those that the server names, then older ones.
    pub async fn route(self: &Arc<Self>) -> Route {
        let heard = self
            .read(|snapshot| Ok(meta::addresses(snapshot.db)?))
            .await
            .unwrap_or_else(|error| {
                tracing::debug!(account = %self.key, "the server's addresses cannot be read: {error}");
                Addresses::default()
            });
        let at = self.whereabouts();
        let mut addresses = Vec::new();
        let all = [at.address.clone()].into_iter();
        let all = all.chain(heard.named).chain(at.known.addresses.clone());
        for address in all.chain(heard.past) {
            remember(&mut addresses, address);
        }
        Route {
            server: Some(self.server),
            addresses,
            sighted: at.sighted.clone(),
            key: at.known.key,
        }
    }

    /// Whether it may be in the local network, and would be known there: it is reached from other computers, by its key.
    pub async fn may_be_nearby(self: &Arc<Self>) -> Option<Fingerprint> {
        let route = self.route().await;
        let is_elsewhere = route.addresses.iter().any(|address| !is_here(address));
        route.key.filter(|_| is_elsewhere)
    }

    /// Somebody in the local network says where the server is; whether there is news in that.
    pub fn set_sighted(&self, sighted: Vec<String>) -> bool {
        let before = std::mem::replace(&mut self.whereabouts().sighted, sighted.clone());
        sighted.iter().any(|address| !before.contains(address))
    }

    /// The server was found at an address. If that was hearsay, it is kept among those where it has been: the next start
    /// tries it.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn end_sighting(&self, found: &str) -> Result<(), StoreError> {
        let sighted = std::mem::take(&mut self.whereabouts().sighted);
        let mut heard = self.store.read(meta::addresses)?;
        let is_known = heard.named.iter().chain(&heard.past).any(|it| it == found);
        if is_known || !sighted.iter().any(|address| address == found) {
            return Ok(());
        }
        heard.past.insert(0, found.to_owned());
        heard.past.truncate(MOST);
        self.store.write(|db| meta::set_addresses(db, &heard))
    }

    /// The address in use.
    pub fn address(&self) -> String {
        self.whereabouts().address.clone()
    }

    /// The key that its server is known by.
    pub fn server_key(&self) -> Option<Fingerprint> {
        self.whereabouts().known.key
    }

    /// The server answered at an address. One on this computer, that nobody else can be, may name its key.
    pub fn found_at(&self, address: String, key: Option<Fingerprint>) {
        let mut at = self.whereabouts();
        if address.starts_with("ws://") && at.known.key.is_none() {
            at.known.key = key;
        }
        at.address = address;
    }

    /// The person says where the server is, and by which key it is known.
    pub fn set_route(&self, addresses: Vec<String>, key: Option<Fingerprint>) {
        let mut at = self.whereabouts();
        if let Some(first) = addresses.first() {
            at.address.clone_from(first);
        }
        at.known.addresses = addresses;
        at.known.key = key;
    }

    /// The server names its addresses. They are kept, and the older ones, too: a computer that goes from one network to
    /// another comes back.
    ///
    /// # Errors
    /// If they cannot be kept.
    pub fn hear_addresses(&self, named: &[String]) -> Result<(), StoreError> {
        let is_elsewhere = !self.address().starts_with("ws://");
        let mut heard = Vec::new();
        for address in named {
            let read = invite::InviteLink::parse(address).map(|link| link.addresses);
            for address in read.unwrap_or_default() {
                // "This computer" is another one there.
                if !(is_elsewhere && address.starts_with("ws://")) {
                    remember(&mut heard, address);
                }
            }
        }
        let known = self.store.read(meta::addresses)?;
        if known.named == heard {
            return Ok(());
        }
        let mut past = Vec::new();
        for address in known.named.into_iter().chain(known.past) {
            if !heard.contains(&address) {
                remember(&mut past, address);
            }
        }
        let news = Addresses { named: heard, past };
        self.store.write(|db| meta::set_addresses(db, &news))
    }
}

/// Whether an address leads to this computer only.
fn is_here(address: &str) -> bool {
    let host = address.strip_prefix("wss://").unwrap_or_default();
    let inside = ["127.", "[::1]", "localhost"];
    address.starts_with("ws://") || inside.iter().any(|inside| host.starts_with(inside))
}

fn remember(addresses: &mut Vec<String>, address: String) {
    if addresses.len() < MOST && !address.is_empty() && !addresses.contains(&address) {
        addresses.push(address);
    }
}

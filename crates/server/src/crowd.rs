//! Notices that everybody seems to come from one address: a proxy that the operator did not name, so that all share its
//! patience with wrong passwords and new accounts. Each thing is logged once in a run.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tulou_protocol::AccountId;

use crate::{config::Network, reach::Reach};

/// So many accounts at one address are more than a household.
const CROWD: usize = 20;
/// Addresses that are counted; a server with more is not behind one proxy.
const ADDRESSES: usize = 256;

/// Who came from where.
#[derive(Debug, Default)]
pub struct Crowd(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    accounts: HashMap<IpAddr, HashSet<AccountId>>,
    is_crowd_told: bool,
    is_proxy_told: bool,
    is_upgrade_told: bool,
}

impl Crowd {
    /// Somebody at an address says who is behind it; a proxy does.
    pub fn spoke_for_others(&self, from: IpAddr, proxies: &[Network]) {
        if proxies.iter().any(|proxy| proxy.contains(from)) || !is_near(from) {
            return;
        }
        let mut seen = self.seen();
        if !std::mem::replace(&mut seen.is_proxy_told, true) {
            tracing::warn!(
                "a proxy at {from} says who is behind it, but `proxies` does not name it, so it is not believed: everybody \
                 who comes through it shares one limit on sign-ups and wrong passwords. Set proxies = [\"{from}\"]"
            );
        }
    }

    /// An account is connected from an address, as far as is known.
    pub fn connected(&self, from: Option<IpAddr>, account: AccountId, proxies: &[Network]) {
        let Some(from) = from else {
            return;
        };
        let mut seen = self.seen();
        if seen.is_crowd_told
            || (seen.accounts.len() >= ADDRESSES && !seen.accounts.contains_key(&from))
        {
            return;
        }
        let accounts = seen.accounts.entry(from).or_default();
        accounts.insert(account);
        if accounts.len() < CROWD {
            return;
        }
        seen.is_crowd_told = true;
        seen.accounts = HashMap::new();
        let address = if is_near(from) {
            format!(" ({from})")
        } else {
            // It may be somebody's.
            String::new()
        };
        let remedy = if proxies.iter().any(|proxy| proxy.contains(from)) {
            "it is named in `proxies`, but does not say who is behind it: let it set X-Forwarded-For"
        } else {
            "if it is a proxy, name it in `proxies`"
        };
        tracing::warn!(
            "{CROWD} accounts come from one address{address}, and share one limit on sign-ups and wrong passwords; {remedy}"
        );
    }

    /// A request for a WebSocket came that was none when it arrived.
    pub fn lost_an_upgrade(&self, version: &str) {
        let mut seen = self.seen();
        if !std::mem::replace(&mut seen.is_upgrade_told, true) {
            tracing::warn!(
                "a request for /ws came as {version} without what makes it a WebSocket: a proxy has to speak HTTP/1.1 and to \
                 pass the headers Upgrade and Connection on (docs/hosting.md has a block for it)"
            );
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where proxies are: on the same computer or in the same network. An address farther away may be a person's, and those
/// are not logged.
fn is_near(ip: IpAddr) -> bool {
    Reach::of(ip) != Reach::Internet
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn account(n: usize) -> AccountId {
        AccountId(Uuid::from_u128(n as u128))
    }

    #[test]
    fn a_crowd_is_noticed_once_and_a_household_never() {
        let crowd = Crowd::default();
        let proxy: IpAddr = "172.18.0.2".parse().unwrap();
        for n in 0..CROWD - 1 {
            crowd.connected(Some(proxy), account(n), &[]);
            crowd.connected(Some(proxy), account(n), &[]);
            crowd.connected(None, account(n), &[]);
        }
        assert!(!crowd.seen().is_crowd_told, "the same ones come again");
        crowd.connected(Some(proxy), account(CROWD), &[]);
        assert!(crowd.seen().is_crowd_told);
        assert!(crowd.seen().accounts.is_empty(), "nothing is counted on");
    }

    #[test]
    fn what_is_counted_has_a_bound() {
        let crowd = Crowd::default();
        for n in 0..2_000_u32 {
            let from = IpAddr::from(n.to_be_bytes());
            crowd.connected(Some(from), account(n as usize), &[]);
        }
        assert_eq!(crowd.seen().accounts.len(), ADDRESSES);
    }

    #[test]
    fn a_proxy_that_is_not_named_is_noticed_and_a_stranger_who_claims_to_be_one_is_not() {
        let crowd = Crowd::default();
        let named: IpAddr = "127.0.0.1".parse().unwrap();
        crowd.spoke_for_others(named, &[named.into()]);
        crowd.spoke_for_others("203.0.113.7".parse().unwrap(), &[]);
        assert!(!crowd.seen().is_proxy_told);
        crowd.spoke_for_others(named, &[]);
        assert!(crowd.seen().is_proxy_told);
    }
}

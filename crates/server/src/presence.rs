//! Who is connected: as far as this process knows, which is all that there is of the server.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use tulou_protocol::{AccountId, CommunityId, SessionId};

use crate::{hub::Hub, store::Seen};

/// Who is connected, and who was until it was last written down.
pub struct Presence {
    hub: Arc<Hub>,
    seeing: Seeing,
}

impl Presence {
    /// Of those who are connected to a hub.
    pub fn at(hub: Arc<Hub>) -> Self {
        Self {
            hub,
            seeing: Seeing::default(),
        }
    }

    /// Who of these accounts is connected.
    pub fn online(&self, accounts: &[AccountId]) -> Vec<bool> {
        self.hub.online(accounts)
    }

    /// How many members of a community are connected.
    pub fn count_online(&self, community: CommunityId) -> u64 {
        self.hub.count_online(community)
    }

    /// The sessions that are connected.
    pub fn sessions(&self) -> BTreeSet<SessionId> {
        self.hub.sessions()
    }

    /// The sessions of an account that are connected.
    pub fn sessions_of(&self, account: AccountId) -> BTreeSet<SessionId> {
        self.hub.sessions_of(account)
    }

    /// A session is connected, or was until now.
    pub fn note(&self, seen: Seen) {
        self.seeing.note(seen);
    }

    /// Who was connected since this was last asked.
    pub fn take(&self) -> Vec<Seen> {
        self.seeing.take()
    }
}

/// Sessions that were connected since that was last written. Bounded by the sessions that come and go in a minute.
#[derive(Debug, Default)]
struct Seeing(Mutex<HashMap<SessionId, Seen>>);

impl Seeing {
    fn note(&self, seen: Seen) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(&seen.session) {
            Some(known) => {
                known.at = seen.at;
                if !seen.address.is_empty() {
                    known.address = seen.address;
                }
            }
            None => {
                all.insert(seen.session, seen);
            }
        }
    }

    fn take(&self) -> Vec<Seen> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.drain().map(|(_, seen)| seen).collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_was_seen_last_counts_and_an_unknown_address_hides_no_known_one() {
        let seeing = Seeing::default();
        let session = SessionId(Uuid::nil());
        let seen = |address: &str, at| Seen {
            session,
            address: address.into(),
            at,
        };
        seeing.note(seen("192.0.2.1", 1));
        seeing.note(seen("", 2));
        assert_eq!(seeing.take(), [seen("192.0.2.1", 2)]);
        assert_eq!(seeing.take(), [], "it is told once");
    }
}

//! Who is connected to this node, which is everybody while there is no other.

use std::collections::BTreeSet;

use tulou_protocol::{AccountId, CommunityId, SessionId};

use super::Hub;
use crate::presence::Presence;

impl Presence for Hub {
    fn online(&self, accounts: &[AccountId]) -> Vec<bool> {
        let state = self.state();
        accounts
            .iter()
            .map(|account| state.accounts.contains_key(account))
            .collect()
    }

    fn count_online(&self, community: CommunityId) -> u64 {
        self.state()
            .communities
            .get(&community)
            .map_or(0, |gathering| gathering.present.len() as u64)
    }

    fn count_sockets(&self, account: AccountId) -> usize {
        self.state().accounts.get(&account).map_or(0, Vec::len)
    }

    fn sessions_of(&self, account: AccountId) -> BTreeSet<SessionId> {
        let state = self.state();
        let lines = state.accounts.get(&account);
        lines
            .into_iter()
            .flatten()
            .map(|line| line.session)
            .collect()
    }

    fn moved_elsewhere(&self) -> Vec<CommunityId> {
        Vec::new()
    }
}

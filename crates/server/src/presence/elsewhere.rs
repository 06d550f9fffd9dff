//! A presence that knows of another node.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, OnceLock},
};

use tulou_protocol::{AccountId, CommunityId, SessionId};

use super::Presence;
use crate::{App, Config, start::Around};

/// Who is connected here, and who is connected elsewhere.
pub struct Elsewhere {
    here: Arc<dyn Presence>,
    there: Mutex<There>,
}

/// The other node.
#[derive(Default)]
struct There {
    sessions: HashMap<AccountId, BTreeSet<SessionId>>,
    in_community: HashMap<CommunityId, BTreeSet<AccountId>>,
    moved: Vec<CommunityId>,
}

impl Elsewhere {
    /// A server with another node, to which nobody is connected yet.
    pub async fn open(config: Config) -> (App, Arc<Self>) {
        let elsewhere = OnceLock::new();
        let around = Around::presence(|here| {
            let there = Mutex::default();
            let beside = || Arc::new(Self { here, there });
            elsewhere.get_or_init(beside).clone()
        });
        let app = App::open_over(config, around).await.unwrap();
        (app, elsewhere.into_inner().unwrap())
    }

    fn there(&self) -> MutexGuard<'_, There> {
        self.there.lock().unwrap()
    }

    /// A member comes to the other node.
    pub fn comes(&self, account: AccountId, session: SessionId, communities: &[CommunityId]) {
        let mut there = self.there();
        there.sessions.entry(account).or_default().insert(session);
        for community in communities {
            let members = there.in_community.entry(*community).or_default();
            members.insert(account);
        }
        there.moved.extend(communities);
    }
}

impl Presence for Elsewhere {
    fn online(&self, accounts: &[AccountId]) -> Vec<bool> {
        let mut online = self.here.online(accounts);
        let there = self.there();
        for (account, online) in accounts.iter().zip(&mut online) {
            *online |= there.sessions.contains_key(account);
        }
        online
    }

    fn count_online(&self, community: CommunityId) -> u64 {
        let here = self.here.count_online(community);
        let there = self.there();
        let members = there.in_community.get(&community);
        here + members.map_or(0, BTreeSet::len) as u64
    }

    fn count_sockets(&self, account: AccountId) -> usize {
        let here = self.here.count_sockets(account);
        let there = self.there();
        let sessions = there.sessions.get(&account);
        here + sessions.map_or(0, BTreeSet::len)
    }

    fn sessions_of(&self, account: AccountId) -> BTreeSet<SessionId> {
        let mut sessions = self.here.sessions_of(account);
        let there = self.there();
        sessions.extend(there.sessions.get(&account).into_iter().flatten());
        sessions
    }

    fn moved_elsewhere(&self) -> Vec<CommunityId> {
        let mut moved = self.here.moved_elsewhere();
        moved.append(&mut self.there().moved);
        moved
    }
}

//! Which sessions of this node watch what. What was committed is encoded once and shared by all that get it.
//!
//! * [`mod@line`]: a session as the hub knows it, with its bounded queue
//! * `publisher`: takes commits in their order and fans them out
//! * `community`: what a commit changes for those who are connected
//! * `digest`: the slow lane
//! * `spread`: telling many that they have to sync

mod community;
pub(crate) mod digest;
pub mod line;
pub(crate) mod publisher;
mod spread;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tulou_protocol::{AccountId, CommunityId, Rev, Seq, SessionId, TopicId, id::Millis};

pub use line::Line;

use crate::domain::{Sight, structure::Member};

/// Who on this node watches what.
#[derive(Default)]
pub struct Hub {
    state: Mutex<State>,
}

/// What the hub's lock protects. It is held for moments, never while waiting.
#[derive(Default)]
pub(crate) struct State {
    pub lines: HashMap<u64, Arc<Line>>,
    pub watchers: HashMap<TopicId, Vec<Watcher>>,
    pub accounts: HashMap<AccountId, Vec<Arc<Line>>>,
    pub communities: HashMap<CommunityId, Gathering>,
    last_no: u64,
}

/// A session that watches a topic.
pub(crate) struct Watcher {
    pub line: Arc<Line>,
    /// The first message that it may read.
    pub floor: Seq,
}

/// The members of a community that are connected to this node.
pub(crate) struct Gathering {
    pub present: HashMap<AccountId, Present>,
    /// Topics that moved since the last digest.
    pub moved: BTreeSet<TopicId>,
    /// What the last digest said: its end, members, online. Before the first: when the gathering began; who came asked
    /// for the heads after that.
    pub said: (Millis, u64, u64),
    /// No digest before this time.
    pub next_at: Millis,
}

impl Gathering {
    fn begun(now: Millis) -> Self {
        Self {
            present: HashMap::new(),
            moved: BTreeSet::new(),
            said: (now, 0, 0),
            next_at: 0,
        }
    }
}

/// A member that is connected.
pub(crate) struct Present {
    pub member: Member,
    pub sight: Arc<Sight>,
}

impl Hub {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session has begun.
    pub fn attach(
        &self,
        account: AccountId,
        session: SessionId,
        profile_rev: Rev,
        queue_bytes: usize,
    ) -> Arc<Line> {
        let mut state = self.state();
        state.last_no += 1;
        let line = Arc::new(Line::new(
            state.last_no,
            account,
            session,
            profile_rev,
            queue_bytes,
        ));
        state.lines.insert(line.no, line.clone());
        state
            .accounts
            .entry(account)
            .or_default()
            .push(line.clone());
        line
    }

    /// An account is not present in a community after all.
    pub fn absent(&self, community: CommunityId, account: AccountId) {
        if let Some(gathering) = self.state().communities.get_mut(&community) {
            gathering.present.remove(&account);
        }
    }

    /// A session has ended.
    pub fn detach(&self, line: &Line) {
        let mut state = self.state();
        state.lines.remove(&line.no);
        state.unwatch(line);
        let is_last = match state.accounts.get_mut(&line.account) {
            Some(lines) => {
                lines.retain(|other| other.no != line.no);
                lines.is_empty()
            }
            None => false,
        };
        if is_last {
            state.accounts.remove(&line.account);
            state.communities.retain(|_, gathering| {
                gathering.present.remove(&line.account);
                !gathering.present.is_empty()
            });
        }
    }

    /// A member is connected; what he sees of the community.
    pub fn present(&self, community: CommunityId, member: Member, sight: Arc<Sight>, now: Millis) {
        let mut state = self.state();
        if state.accounts.contains_key(&member.account) {
            state
                .communities
                .entry(community)
                .or_insert_with(|| Gathering::begun(now))
                .present
                .insert(member.account, Present { member, sight });
        }
    }

    /// The session watches these topics, each from a floor on, and no others.
    pub fn watch(&self, line: &Arc<Line>, topics: &[(TopicId, Seq)]) {
        let mut state = self.state();
        state.unwatch(line);
        for (topic, floor) in topics {
            state.watchers.entry(*topic).or_default().push(Watcher {
                line: line.clone(),
                floor: *floor,
            });
        }
        line.set_watched(topics.iter().map(|(topic, _)| *topic).collect());
    }

    /// The session does not watch a topic any more.
    pub fn unwatch(&self, line: &Line, topic: TopicId) {
        if let Some(watchers) = self.state().watchers.get_mut(&topic) {
            watchers.retain(|watcher| watcher.line.no != line.no);
        }
        line.forget(topic);
    }

    /// Ends what is connected with these sessions, which were revoked.
    pub fn sign_out(&self, sessions: &[SessionId]) {
        if sessions.is_empty() {
            return;
        }
        let lines: Vec<_> = self.state().lines.values().cloned().collect();
        for line in lines {
            if sessions.contains(&line.session) {
                line.end(tulou_protocol::Code::SignedOut);
            }
        }
    }

    /// The sessions that are connected.
    pub fn sessions(&self) -> BTreeSet<SessionId> {
        let state = self.state();
        state.lines.values().map(|line| line.session).collect()
    }

    /// The sessions of an account that are connected.
    pub fn sessions_of(&self, account: AccountId) -> BTreeSet<SessionId> {
        let state = self.state();
        let lines = state.accounts.get(&account);
        lines
            .into_iter()
            .flatten()
            .map(|line| line.session)
            .collect()
    }

    /// The communities that the account is a member of, as far as it is connected.
    pub fn communities_of(&self, account: AccountId) -> Vec<CommunityId> {
        self.state()
            .communities
            .iter()
            .filter(|(_, gathering)| gathering.present.contains_key(&account))
            .map(|(id, _)| *id)
            .collect()
    }

    /// The communities whose members are connected.
    pub fn communities(&self) -> HashSet<CommunityId> {
        self.state().communities.keys().copied().collect()
    }

    /// Who of these accounts is connected.
    pub fn online(&self, accounts: &[AccountId]) -> Vec<bool> {
        let state = self.state();
        accounts
            .iter()
            .map(|account| state.accounts.contains_key(account))
            .collect()
    }

    /// How many members of a community are connected.
    pub fn count_online(&self, community: CommunityId) -> u64 {
        self.state()
            .communities
            .get(&community)
            .map_or(0, |gathering| gathering.present.len() as u64)
    }
}

impl State {
    /// The session watches nothing any more.
    pub fn unwatch(&mut self, line: &Line) {
        for topic in line.watched() {
            if let Some(watchers) = self.watchers.get_mut(&topic) {
                watchers.retain(|watcher| watcher.line.no != line.no);
                if watchers.is_empty() {
                    self.watchers.remove(&topic);
                }
            }
        }
        line.set_watched(Vec::new());
    }
}

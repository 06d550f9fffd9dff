//! Which sessions of this node watch what. What was committed is encoded once and shared by all that get it.
//!
//! * [`mod@line`]: a session's bounded queue
//! * `publisher`: takes commits in their order and fans them out
//! * `community`: what a commit changes for those who are connected
//! * `expected`: commits that somebody waits to be heard of
//! * `floors`: from where on watches go
//! * `digest`: the slow lane
//! * `here`: who is connected
//! * `spread`: telling many that they have to sync

mod community;
pub(crate) mod digest;
mod expected;
pub(crate) mod floors;
mod here;
pub mod line;
pub(crate) mod publisher;
mod spread;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tulou_protocol::{AccountId, CommunityId, Log, Rev, Seq, SessionId, TopicId, id::Millis};

use expected::Expected;
pub use line::Line;

use crate::{
    actor::{Actor, Origin},
    communities::Loaded,
    domain::{Structure, View, view::Compared},
    store::Written,
};

/// Who on this node watches what.
#[derive(Default)]
pub struct Hub {
    state: Mutex<State>,
    expected: Expected,
}

/// What the hub's lock protects. It is held for moments, never while waiting.
#[derive(Default)]
pub(crate) struct State {
    pub lines: HashMap<Origin, Arc<Line>>,
    pub watchers: HashMap<TopicId, Vec<Watcher>>,
    pub accounts: HashMap<AccountId, Vec<Arc<Line>>>,
    pub communities: HashMap<CommunityId, Gathering>,
    /// The lines of a sign-in.
    signed_in: HashMap<SessionId, Vec<Arc<Line>>>,
    /// In which gatherings an account is.
    present_in: HashMap<AccountId, HashSet<CommunityId>>,
    /// Communities of which there may be something to be said in the next round of digests.
    stirred: HashSet<CommunityId>,
    /// Up to which rev those who listen to a log have been told of it, or know it by themselves.
    pub told: HashMap<Log, Rev>,
}

/// A session that watches a topic.
pub(crate) struct Watcher {
    pub line: Arc<Line>,
    pub floor: Floor,
}

/// From where on a watch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Floor {
    /// The first message that it may read.
    At(Seq),
    /// That is looked up: until then it gets no rows, and is told then to ask for what came meanwhile (up to a rev).
    Sought(Option<Rev>),
}

/// The members of a community that are connected to this node.
pub(crate) struct Gathering {
    /// Keeps the community in memory.
    loaded: Arc<Loaded>,
    /// The members, with what each sees of it.
    pub present: HashMap<AccountId, View>,
    /// What a commit means for them was not found out: with the next all of them are looked at again.
    pub is_doubtful: bool,
    /// Topics that moved since the last digest.
    pub moved: BTreeSet<TopicId>,
    /// When it began. Who came asked for the heads after that, so the first window of an audience begins there.
    pub begun: Millis,
    /// What was told to audiences, by their names.
    told: HashMap<String, digest::Told>,
    /// Members and those of them who are connected, as it was said last.
    pub counts: (u64, u64),
    /// No digest before the server has run for so long.
    pub next_at: Duration,
    /// How long the last round of digests took.
    pub took: Duration,
}

impl Gathering {
    fn begun(loaded: Arc<Loaded>, now: Millis) -> Self {
        Self {
            loaded,
            present: HashMap::new(),
            is_doubtful: false,
            moved: BTreeSet::new(),
            begun: now,
            told: HashMap::new(),
            counts: (0, 0),
            next_at: Duration::ZERO,
            took: Duration::ZERO,
        }
    }

    /// Whether there is something that the last digest did not say, so many being connected.
    fn has_news(&self, online: u64) -> bool {
        let counts = (self.loaded.structure().members(), online);
        !self.moved.is_empty() || self.counts != counts
    }
}

impl Hub {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who waits to hear of commits.
    pub(crate) fn expected(&self) -> &Expected {
        &self.expected
    }

    /// Where a log stands of which nothing was told yet: whoever listens to it knows, or asks for, what it held before.
    pub fn stands_at(&self, log: Log, rev: Rev) {
        let mut state = self.state();
        if state.is_listened_to(log) {
            state.told.entry(log).or_insert(rev);
        }
    }

    /// A session has begun.
    pub fn attach(
        &self,
        account: AccountId,
        session: SessionId,
        profile_rev: Rev,
        queue_bytes: usize,
    ) -> Arc<Line> {
        let actor = Actor::new(account, profile_rev);
        let line = Arc::new(Line::new(actor, session, queue_bytes));
        let mut state = self.state();
        state.lines.insert(line.actor.origin, line.clone());
        let signed_in = state.signed_in.entry(session).or_default();
        signed_in.push(line.clone());
        state
            .accounts
            .entry(account)
            .or_default()
            .push(line.clone());
        line
    }

    /// The time went back, and times of members and seats with it: with the next commit all members who are connected are
    /// looked at again.
    pub fn went_back(&self) {
        for gathering in self.state().communities.values_mut() {
            // Digests from the beginning miss nothing.
            gathering.begun = 0;
            gathering.told.clear();
            gathering.is_doubtful = true;
        }
    }

    /// An account is not present in a community after all, which has this structure if it is still there.
    pub fn absent(
        &self,
        community: CommunityId,
        account: AccountId,
        structure: Option<&Structure>,
    ) {
        let mut state = self.state();
        let gone = state.leaves(community, account);
        let Some(view) = gone else { return };
        for topic in state.watched_by(account) {
            if view.has(topic)
                || structure.is_some_and(|structure| structure.topics.contains_key(&topic))
            {
                state.end_watches(topic, Some(account));
            }
        }
    }

    /// A session has ended.
    pub fn detach(&self, line: &Line) {
        let mut state = self.state();
        state.lines.remove(&line.actor.origin);
        if let Some(lines) = state.signed_in.get_mut(&line.session) {
            lines.retain(|other| !other.is(line));
            if lines.is_empty() {
                state.signed_in.remove(&line.session);
            }
        }
        state.unwatch(line);
        let is_last = match state.accounts.get_mut(&line.account()) {
            Some(lines) => {
                lines.retain(|other| !other.is(line));
                lines.is_empty()
            }
            None => false,
        };
        if is_last {
            state.accounts.remove(&line.account());
            state.told.remove(&Log::Account(line.account()));
            for community in state.communities_of(line.account()) {
                state.leaves(community, line.account());
            }
        }
    }

    /// A member is connected; what he sees of the community. If he was connected before and sees it otherwise now, watches
    /// of what is hidden end, and his sessions ask anew. Watched topics that he reads from another place now.
    pub fn present(&self, loaded: &Arc<Loaded>, view: View, now: Millis) -> Vec<TopicId> {
        let mut state = self.state();
        let account = view.member.account;
        if !state.accounts.contains_key(&account) {
            return Vec::new();
        }
        let watched = state.watched_by(account);
        let rev = view.rev();
        let log = Log::Community(loaded.id);
        if !state.communities.contains_key(&loaded.id) {
            state.told.insert(log, rev);
        }
        let gathering = state
            .communities
            .entry(loaded.id)
            .or_insert_with(|| Gathering::begun(loaded.clone(), now));
        let Some(held) = gathering.present.get(&account) else {
            gathering.present.insert(account, view);
            state
                .present_in
                .entry(account)
                .or_default()
                .insert(loaded.id);
            state.stirred.insert(loaded.id);
            return Vec::new();
        };
        if view.is_older_than(held) {
            return Vec::new();
        }
        let diff = held.diff(&view, &watched, &mut Compared::default());
        let is_newer = held.rev() < rev;
        gathering.present.insert(account, view);
        // Others may not have been told yet of what he is told here.
        let is_told = is_newer && gathering.present.len() == 1;
        if is_told {
            state.tell(log, rev);
        }
        if is_told || diff.is_other {
            for line in state.accounts.get(&account).into_iter().flatten() {
                line.stale(log, rev);
            }
        }
        for topic in diff.hidden {
            state.end_watches(topic, Some(account));
        }
        for topic in &diff.refloored {
            state.seek(account, *topic);
        }
        diff.refloored
    }

    /// Whether it was not found out what a commit means for the members of a community: what is known of them may be of
    /// before.
    pub fn is_doubtful(&self, community: CommunityId) -> bool {
        let state = self.state();
        let gathering = state.communities.get(&community);
        gathering.is_some_and(|gathering| gathering.is_doubtful)
    }

    /// Of which communities there may be something to be said, since this was last asked.
    fn take_stirred(&self) -> HashSet<CommunityId> {
        std::mem::take(&mut self.state().stirred)
    }

    /// The topic of a community moved: the next digest names it.
    pub fn moved(&self, community: CommunityId, topic: TopicId) {
        let mut state = self.state();
        if let Some(gathering) = state.communities.get_mut(&community) {
            gathering.moved.insert(topic);
            state.stirred.insert(community);
        }
    }

    /// The session watches these topics and no others. Those that it watched before go on as they do; the others get rows
    /// once it is known from where on.
    pub fn watch(&self, line: &Arc<Line>, topics: &[TopicId]) {
        let mut state = self.state();
        if !state.lines.contains_key(&line.actor.origin) {
            // The session has ended: nobody would end the watch.
            return;
        }
        let watched = line.watched();
        for topic in watched.iter().filter(|topic| !topics.contains(topic)) {
            state.unwatch_topic(line, *topic);
        }
        for topic in topics.iter().filter(|topic| !watched.contains(topic)) {
            state.watchers.entry(*topic).or_default().push(Watcher {
                line: line.clone(),
                floor: Floor::Sought(None),
            });
        }
        line.set_watched(topics.to_vec());
    }

    /// The session does not watch a topic any more.
    pub fn unwatch(&self, line: &Line, topic: TopicId) {
        self.state().unwatch_topic(line, topic);
        line.forget(topic);
    }

    /// Ends what is connected with these sessions, which were revoked.
    pub fn sign_out(&self, sessions: &[SessionId]) {
        let lines: Vec<Arc<Line>> = {
            let state = self.state();
            let lines = sessions.iter().filter_map(|it| state.signed_in.get(it));
            lines.flatten().cloned().collect()
        };
        for line in lines {
            line.end(tulou_protocol::Code::SignedOut);
        }
    }

    /// The sessions that are connected to this node.
    pub fn sessions(&self) -> BTreeSet<SessionId> {
        self.state().signed_in.keys().copied().collect()
    }

    /// The communities that the account is a member of, as far as it is connected.
    pub fn communities_of(&self, account: AccountId) -> Vec<CommunityId> {
        self.state().communities_of(account)
    }
}

impl State {
    fn communities_of(&self, account: AccountId) -> Vec<CommunityId> {
        let communities = self.present_in.get(&account).into_iter().flatten();
        communities.copied().collect()
    }

    /// An account is not in a community's gathering any more, which is over with the last one. What it saw.
    fn leaves(&mut self, community: CommunityId, account: AccountId) -> Option<View> {
        let gathering = self.communities.get_mut(&community)?;
        let view = gathering.present.remove(&account);
        if gathering.present.is_empty() {
            self.ends(community);
        } else {
            self.stirred.insert(community);
        }
        self.is_not_in(account, community);
        view
    }

    /// A community's gathering is over.
    fn ends(&mut self, community: CommunityId) -> Option<Gathering> {
        let gathering = self.communities.remove(&community)?;
        self.stirred.remove(&community);
        self.told.remove(&Log::Community(community));
        for account in gathering.present.keys() {
            self.is_not_in(*account, community);
        }
        Some(gathering)
    }

    fn is_not_in(&mut self, account: AccountId, community: CommunityId) {
        if let Some(communities) = self.present_in.get_mut(&account) {
            communities.remove(&community);
            if communities.is_empty() {
                self.present_in.remove(&account);
            }
        }
    }

    /// The session watches nothing any more.
    pub fn unwatch(&mut self, line: &Line) {
        for topic in line.watched() {
            self.unwatch_topic(line, topic);
        }
        line.set_watched(Vec::new());
    }

    fn unwatch_topic(&mut self, line: &Line, topic: TopicId) {
        if let Some(watchers) = self.watchers.get_mut(&topic) {
            watchers.retain(|watcher| !watcher.line.is(line));
            if watchers.is_empty() {
                self.watchers.remove(&topic);
                self.told.remove(&Log::Topic(topic));
            }
        }
    }

    fn is_listened_to(&self, log: Log) -> bool {
        match log {
            Log::Topic(topic) => self.watchers.contains_key(&topic),
            Log::Account(account) => self.accounts.contains_key(&account),
            Log::Community(community) => self.communities.contains_key(&community),
        }
    }

    /// Whether those who listen to a log know already what was written to it.
    pub fn has_told(&self, written: &Written) -> bool {
        let told = self.told.get(&written.log);
        told.is_some_and(|told| written.rev <= *told)
    }

    /// Those who listen to a log have been told of it up to a rev.
    pub fn tell(&mut self, log: Log, rev: Rev) {
        let told = self.told.entry(log).or_default();
        *told = rev.max(*told);
    }

    /// Ends the watches of a topic: an account's, or everybody's.
    pub fn end_watches(&mut self, topic: TopicId, account: Option<AccountId>) {
        if let Some(watchers) = self.watchers.get_mut(&topic) {
            watchers.retain(|watcher| {
                let ends = account.is_none_or(|account| watcher.line.account() == account);
                if ends {
                    watcher.line.forget(topic);
                }
                !ends
            });
            if watchers.is_empty() {
                self.watchers.remove(&topic);
                self.told.remove(&Log::Topic(topic));
            }
        }
    }

    /// The topics that the sessions of an account watch.
    pub fn watched_by(&self, account: AccountId) -> Vec<TopicId> {
        let lines = self.accounts.get(&account).into_iter().flatten();
        let mut watched: Vec<TopicId> = lines.flat_map(|line| line.watched()).collect();
        watched.sort_unstable();
        watched.dedup();
        watched
    }
}

#[cfg(test)]
mod tests;

//! The account's log and those of its communities: cursors, what they say of communities and topics, and what is asked.
//!
//! * `log`: a log with a cursor; `community`: what is known of one
//! * `pushes`: what is pushed; `syncs`: changes and resets
//! * `heads`: digests, and heads of topics; `round`: answers that tell them

mod community;
mod heads;
mod log;
mod pushes;
mod round;
mod syncs;

use std::collections::BTreeMap;

use tulou_protocol::{AccountId, Body, CommunityId, Log, Push, Rev, TopicId, id::Millis};

use crate::{
    io::{Restored, Write},
    topics::Topics,
    turn::Turn,
};
use community::Community;
use log::LogState;

/// What is known of the account and its communities.
#[derive(Debug, Default)]
pub struct Logs {
    account: Option<(AccountId, LogState)>,
    communities: BTreeMap<CommunityId, Community>,
    /// The rev of the last membership row, or its tombstone.
    memberships: BTreeMap<CommunityId, Rev>,
    /// Communities that the store has rows of without a membership: the program ended before that came. They are forgotten
    /// at the greeting, and synced when it comes.
    orphans: Vec<CommunityId>,
    /// Places that logs had in answers, so far.
    answers: u64,
}

impl Logs {
    /// What the store kept.
    pub fn restored(restored: &Restored, topics: &mut Topics, turn: &mut Turn) -> Self {
        let mut logs = Self::default();
        let kept = |log: Log| {
            let kept = restored.cursors.get(&log);
            kept.map(|(cursor, view)| LogState::restored(*cursor, view.clone()))
                .unwrap_or_default()
        };
        if let Some(account) = restored.account {
            logs.account = Some((account, kept(Log::Account(account))));
        }
        for log in restored.cursors.keys() {
            if let Log::Community(community) = log
                && !restored.communities.contains_key(community)
            {
                logs.orphans.push(*community);
            }
        }
        let account_cursor = logs.account.as_ref().map(|(_, log)| log.cursor);
        for (community, as_of) in &restored.communities {
            logs.memberships
                .insert(*community, account_cursor.unwrap_or_default());
            let log = kept(Log::Community(*community));
            let cursor = log.cursor;
            logs.communities
                .insert(*community, Community::restored(log, *as_of));
            for (no, topic) in restored.numbers.get(community).into_iter().flatten() {
                logs.number_topic(*community, *topic, (*no, cursor), topics, turn);
            }
        }
        logs
    }

    fn get(&self, log: Log) -> Option<&LogState> {
        match log {
            Log::Account(id) => {
                let (account, state) = self.account.as_ref()?;
                (*account == id).then_some(state)
            }
            Log::Community(id) => Some(&self.communities.get(&id)?.log),
            Log::Topic(_) => None,
        }
    }

    fn get_mut(&mut self, log: Log) -> Option<&mut LogState> {
        match log {
            Log::Account(id) => {
                let (account, state) = self.account.as_mut()?;
                (*account == id).then_some(state)
            }
            Log::Community(id) => Some(&mut self.communities.get_mut(&id)?.log),
            Log::Topic(_) => None,
        }
    }

    /// Communities first, then the account.
    fn all(&self) -> impl Iterator<Item = &LogState> {
        let communities = self.communities.values().map(|community| &community.log);
        communities.chain(self.account.iter().map(|(_, log)| log))
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut LogState> {
        let communities = self.communities.values_mut();
        let communities = communities.map(|community| &mut community.log);
        communities.chain(self.account.iter_mut().map(|(_, log)| log))
    }

    /// Everything is asked for on a new link.
    pub fn greeted(&mut self, account: AccountId) {
        let is_known = self.account.as_ref().is_some_and(|(id, _)| *id == account);
        if !is_known {
            self.account = Some((account, LogState::default()));
        }
        for log in self.all_mut() {
            log.wants_sync = true;
        }
        for state in self.communities.values_mut() {
            state.ask_heads_since(state.as_of);
        }
    }

    /// What came of communities without a membership is forgotten.
    pub fn forget_orphans(&mut self, turn: &mut Turn) {
        for community in std::mem::take(&mut self.orphans) {
            turn.apply(Write::Forget(Log::Community(community)));
        }
    }

    /// The server was restored: nothing that is known holds.
    pub fn forget_all(&mut self, turn: &mut Turn) {
        for community in std::mem::take(&mut self.communities).into_keys() {
            turn.apply(Write::Forget(Log::Community(community)));
        }
        if let Some((account, _)) = self.account.take() {
            turn.apply(Write::Forget(Log::Account(account)));
        }
        self.memberships.clear();
    }

    /// What was in flight is asked again after the next greeting.
    pub fn lose_link(&mut self) {
        for log in self.all_mut() {
            log.lose_link();
        }
        for state in self.communities.values_mut() {
            state.lose_link();
        }
    }

    /// Logs whose gap did not close by itself are synced.
    pub fn close_gaps(&mut self, now: Millis) {
        for log in self.all_mut() {
            log.close_gap(now);
        }
    }

    /// When the next gap is synced, or what the server failed at is asked for again.
    pub fn due(&self, now: Millis) -> Option<Millis> {
        let gaps = self.all().filter_map(|log| log.gap_at);
        let put_off = self.communities.values().filter_map(Community::due);
        gaps.chain(put_off.filter(|at| *at > now)).min()
    }

    /// Whether a push says that the community is one of mine, and nothing later said otherwise: the answer to a command
    /// that is sent again tells what was true when the command was done.
    pub fn is_news_of(&self, community: CommunityId, push: &Push) -> bool {
        let id = community.to_string();
        let last = self.memberships.get(&community).copied();
        let last = last.unwrap_or_default();
        matches!(push.log, Log::Account(_))
            && self.get(push.log).is_some_and(|log| push.rev > log.cursor)
            && push.rows.iter().any(|row| {
                row.id == id && row.rev >= last && matches!(row.body, Body::Membership(_))
            })
    }

    /// The community is one of mine.
    pub fn know_community(&mut self, community: CommunityId) {
        let state = self.communities.entry(community).or_insert_with(|| {
            let mut state = Community::default();
            state.lose_heads();
            state
        });
        let log = &mut state.log;
        log.wants_sync |= log.view.is_none() && !log.is_syncing;
    }

    fn forget_community(&mut self, community: CommunityId, topics: &mut Topics, turn: &mut Turn) {
        if let Some(state) = self.communities.remove(&community) {
            for topic in state.numbers.into_values() {
                topics.forget(topic, turn);
            }
        }
        turn.apply(Write::Forget(Log::Community(community)));
        topics.doubt_rowless();
    }

    /// A row of a topic that I see.
    fn number_topic(
        &mut self,
        community: CommunityId,
        topic: TopicId,
        (no, rev): (u32, Rev),
        topics: &mut Topics,
        turn: &mut Turn,
    ) {
        let Some(state) = self.communities.get_mut(&community) else {
            return;
        };
        if state.topic_revs.get(&topic).is_some_and(|row| *row > rev) {
            return;
        }
        state.topic_revs.insert(topic, rev);
        let is_new = state.numbers.insert(no, topic).is_none();
        topics.see_row(topic, is_new);
        if let Some(head) = state.early.remove(&no) {
            topics.take_head(topic, head);
            if state.round.has_come(no) && state.know_heads(false) {
                turn.apply(Write::HeadsKnown(community, state.as_of));
            }
        }
    }

    /// A topic that I do not see any more.
    fn remove_topic(
        &mut self,
        community: CommunityId,
        topic: TopicId,
        rev: Rev,
        topics: &mut Topics,
        turn: &mut Turn,
    ) {
        let Some(state) = self.communities.get_mut(&community) else {
            return;
        };
        if state.topic_revs.get(&topic).is_some_and(|row| *row > rev) {
            return;
        }
        state.topic_revs.insert(topic, rev);
        let before = state.numbers.len();
        state.numbers.retain(|_, other| *other != topic);
        if state.numbers.len() < before {
            topics.forget(topic, turn);
        }
    }

    /// Whether everything of the account and its communities is here.
    pub fn are_complete(&self) -> bool {
        self.all().all(LogState::is_complete) && self.communities.values().all(Community::has_heads)
    }
}

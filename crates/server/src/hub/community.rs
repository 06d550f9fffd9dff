//! What a commit changes for the members of a community who are connected: the structure in memory is brought up to date,
//! watches of what is hidden end, and each is told what he may see of it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::extract::ws::Utf8Bytes;
use tulou_protocol::{
    AccountId, CommunityId, Log, Permissions, Push, Row, TopicId, push::Pushed, row::Body,
};

use super::{Line, spread};
use crate::{
    App,
    domain::{Sight, Structure, change::Change, sight::tombstones},
    store::{Committed, Written},
    wire,
};

impl App {
    /// Brings a community up to date and tells those of its members who are connected.
    pub(super) async fn publish_community(&self, community: CommunityId, committed: &Committed) {
        let before = self.known_structure(community);
        let is_over = committed
            .changes
            .iter()
            .any(|change| matches!(change, Change::CommunityEnds { .. }));
        self.forget_members(community, committed);
        if committed.changes.iter().any(ends) {
            self.something_ended();
        }
        if is_over {
            self.community_ended(community, committed);
            return;
        }
        self.apply(community, committed);
        if committed.joined.is_some()
            && self.known_structure(community).is_some()
            && let Ok(members) = self.store().count_members(community).await
        {
            self.set_members(community, members);
        }
        self.newcomers(community, committed).await;
        // If nobody is connected, nobody on this node is concerned with it.
        if !self.hub().state().communities.contains_key(&community) {
            return;
        }
        let Ok(Some(loaded)) = self.loaded(community).await else {
            return;
        };
        let after = loaded.structure();
        let refloored = self.tell_members(community, committed, before.as_deref(), &after);
        for (account, topic) in refloored {
            self.refloor(&after, account, topic).await;
        }
    }

    /// Accounts that became members while they are connected.
    async fn newcomers(&self, community: CommunityId, committed: &Committed) {
        for change in &committed.changes {
            if let Change::Member { member, .. } = change {
                let is_connected = self.hub().state().accounts.contains_key(&member.account);
                let is_present = self
                    .hub()
                    .state()
                    .communities
                    .get(&community)
                    .is_some_and(|gathering| gathering.present.contains_key(&member.account));
                if is_connected
                    && !is_present
                    && let Ok(Some(loaded)) = self.loaded(community).await
                {
                    let structure = loaded.structure();
                    let sight = structure.sight(member);
                    self.hub()
                        .present(community, member.clone(), sight, self.now());
                    self.stale_for(member.account, &structure);
                }
            }
        }
    }

    fn stale_for(&self, account: AccountId, structure: &Structure) {
        if let Some(lines) = self.hub().state().accounts.get(&account) {
            for line in lines {
                line.stale(structure.log(), structure.rev);
            }
        }
    }

    fn community_ended(&self, community: CommunityId, committed: &Committed) {
        self.drop_community(community);
        let mut state = self.hub().state();
        let log = Log::Community(community);
        let rev = committed
            .logs
            .iter()
            .find(|written| written.log == log)
            .map(|written| written.rev)
            .unwrap_or_default();
        for change in &committed.changes {
            if let Change::TopicEnds { topic, .. } = change {
                end_watches(&mut state, *topic, None);
            }
        }
        let mut told = Vec::new();
        if let Some(gathering) = state.communities.remove(&community) {
            for account in gathering.present.keys() {
                told.extend(state.accounts.get(account).into_iter().flatten().cloned());
            }
        }
        spread::stale(told, log, rev, self.stale_over());
    }

    fn stale_over(&self) -> Duration {
        Duration::from_millis(self.config().stale_ms)
    }

    /// Tells everybody who is connected what changed for him. Topics that a member reads from another place now.
    fn tell_members(
        &self,
        community: CommunityId,
        committed: &Committed,
        before: Option<&Structure>,
        after: &Structure,
    ) -> Vec<(AccountId, TopicId)> {
        let log = after.log();
        let written = committed.logs.iter().find(|written| written.log == log);
        let mut refloored = Vec::new();
        let mut frames: HashMap<*const Sight, Utf8Bytes> = HashMap::new();
        let mut state = self.hub().state();
        let state = &mut *state;
        let Some(gathering) = state.communities.get_mut(&community) else {
            return refloored;
        };
        let mut hidden: Vec<(AccountId, Vec<TopicId>)> = Vec::new();
        for change in &committed.changes {
            if let Change::MemberGone { account, .. } = change
                && let Some(present) = gathering.present.remove(account)
            {
                hidden.push((*account, present.sight.topics.keys().copied().collect()));
                for line in state.accounts.get(account).into_iter().flatten() {
                    line.stale(log, after.rev);
                }
            }
        }
        let mut ended: Vec<TopicId> = Vec::new();
        for change in &committed.changes {
            if let Change::TopicEnds { topic, .. } = change {
                ended.push(*topic);
            }
        }
        let was = before.unwrap_or(after);
        let mut changed: Vec<Arc<Line>> = Vec::new();
        for (account, present) in &mut gathering.present {
            let groups_were = was.ranked(&present.member);
            let mut me_changed = false;
            for change in &committed.changes {
                if let Change::Member { member, .. } = change
                    && member.account == *account
                {
                    me_changed |= present.member.joined_at != member.joined_at;
                    present.member = member.clone();
                }
                if let Change::Seat {
                    account: whose,
                    topic,
                    ..
                } = change
                    && whose == account
                {
                    me_changed = true;
                    refloored.push((*account, *topic));
                }
            }
            me_changed |= groups_were != after.ranked(&present.member);
            let old = std::mem::replace(&mut present.sight, after.sight(&present.member));
            let sight = &present.sight;
            if !Arc::ptr_eq(&old, sight) {
                let lost: Vec<TopicId> = old
                    .topics
                    .keys()
                    .filter(|topic| !sight.topics.contains_key(topic))
                    .copied()
                    .collect();
                if !lost.is_empty() {
                    hidden.push((*account, lost));
                }
                let reads = |sight: &Sight, topic: &TopicId| {
                    sight
                        .topics
                        .get(topic)
                        .is_some_and(|rights| rights.contains(Permissions::READ_HISTORY))
                };
                refloored.extend(
                    sight
                        .topics
                        .keys()
                        .filter(|topic| reads(&old, topic) != reads(sight, topic))
                        .map(|topic| (*account, *topic)),
                );
            }
            let lines = state.accounts.get(account).into_iter().flatten();
            if me_changed || after.must_reset(&old, sight, was) {
                changed.extend(lines.cloned());
            } else if let Some(written) = written {
                for line in lines {
                    if line.no == committed.origin {
                        continue;
                    }
                    let frame = frames
                        .entry(Arc::as_ptr(sight))
                        .or_insert_with(|| seen_frame(after, sight, written));
                    line.push(frame.clone(), log, written.rev);
                }
            }
        }
        spread::stale(changed, log, after.rev, self.stale_over());
        for topic in ended {
            end_watches(state, topic, None);
        }
        for (account, topics) in hidden {
            for topic in topics {
                end_watches(state, topic, Some(account));
            }
        }
        refloored
    }

    /// A member reads a watched topic from another place on.
    async fn refloor(&self, structure: &Structure, account: AccountId, topic: TopicId) {
        let member = {
            let state = self.hub().state();
            let is_watched = state
                .watchers
                .get(&topic)
                .is_some_and(|watchers| watchers.iter().any(|w| w.line.account == account));
            if !is_watched {
                return;
            }
            state
                .communities
                .get(&structure.id)
                .and_then(|gathering| gathering.present.get(&account))
                .map(|present| present.member.clone())
        };
        let Some(member) = member else { return };
        let floor = match self.floor(structure, &member, topic).await {
            Ok(floor) => floor,
            Err(error) => {
                tracing::error!(%error, topic.id = %topic, "a watch lost its floor and ends");
                let mut state = self.hub().state();
                end_watches(&mut state, topic, Some(account));
                return;
            }
        };
        let mut state = self.hub().state();
        for watcher in state.watchers.get_mut(&topic).into_iter().flatten() {
            if watcher.line.account == account {
                watcher.floor = floor;
            }
        }
    }
}

/// Whether a change leaves something to be removed.
const fn ends(change: &Change) -> bool {
    matches!(
        change,
        Change::TopicEnds { .. } | Change::CommunityEnds { .. }
    )
}

/// Ends the watches of a topic: an account's, or everybody's.
fn end_watches(state: &mut super::State, topic: TopicId, account: Option<AccountId>) {
    if let Some(watchers) = state.watchers.get_mut(&topic) {
        watchers.retain(|watcher| {
            let ends = account.is_none_or(|account| watcher.line.account == account);
            if ends {
                watcher.line.forget(topic);
            }
            !ends
        });
    }
}

/// The rows of a community as a kind of member sees them.
fn seen_frame(structure: &Structure, sight: &Sight, written: &Written) -> Utf8Bytes {
    let mut rows: Vec<Row> = Vec::new();
    for row in written
        .rows
        .iter()
        .filter_map(|written| written.row.as_ref())
    {
        if let Body::Deleted(kind) = &row.body {
            rows.extend(tombstones(kind).iter().map(|kind| Row {
                id: row.id.clone(),
                rev: row.rev,
                body: Body::Deleted((*kind).to_owned()),
            }));
        } else {
            rows.extend(structure.seen(sight, row));
        }
    }
    wire::pushed_frame(Pushed::Push(Push {
        log: written.log,
        prev: written.prev,
        rev: written.rev,
        rows,
        authors: Vec::new(),
    }))
    .into()
}

//! What a commit changes for the members of a community who are connected: each gets another view of it, watches of what
//! is hidden end, and each is told what he may see.

use std::{collections::HashMap, sync::Arc};

use axum::extract::ws::Utf8Bytes;
use tulou_protocol::{AccountId, CommunityId, Log, Push, TopicId, push::Pushed};

use super::{Line, State, publisher::Publisher, spread};
use crate::{
    communities::Loaded,
    domain::{
        Member, Sight, Structure, View,
        change::Change,
        view::{Compared, Diff},
    },
    store::{Committed, StoreError, Written},
    wire,
};

impl Publisher {
    /// Brings a community up to date and tells those of its members who are connected.
    pub(super) async fn publish_community(&self, community: CommunityId, committed: &Committed) {
        if committed.changes.iter().any(ends) {
            self.ended.notify_one();
        }
        let is_over = |change: &Change| matches!(change, Change::CommunityEnds { .. });
        if committed.changes.iter().any(is_over) {
            self.community_ended(community, committed);
        } else if let Err(error) = self.community_moved(community, committed).await {
            tracing::error!(%error, community.id = %community, "members were not told of a change");
        }
    }

    async fn community_moved(
        &self,
        community: CommunityId,
        committed: &Committed,
    ) -> Result<(), StoreError> {
        self.communities.follow(community, committed).await?;
        let changed = members(&committed.changes);
        let is_concerned = {
            let state = self.hub.state();
            let is_connected = |account| state.accounts.contains_key(account);
            state.communities.contains_key(&community) || changed.keys().any(is_connected)
        };
        // If nobody is connected, nobody on this node is concerned with it.
        if is_concerned && let Some(loaded) = self.communities.loaded(community).await? {
            self.welcome(&loaded, &changed);
            for (account, topic) in self.tell_members(&loaded, committed, &changed) {
                self.refloor(&loaded.structure(), account, topic).await;
            }
        }
        Ok(())
    }

    /// Accounts that became members while they are connected.
    fn welcome(&self, loaded: &Arc<Loaded>, changed: &HashMap<AccountId, &Member>) {
        let structure = loaded.structure();
        for (account, member) in changed {
            let lines = {
                let state = self.hub.state();
                let gathering = state.communities.get(&loaded.id);
                if gathering.is_some_and(|gathering| gathering.present.contains_key(account)) {
                    continue;
                }
                state.accounts.get(account).cloned().unwrap_or_default()
            };
            let view = View::of(structure.clone(), (*member).clone());
            self.hub.present(loaded, view, self.clock.now());
            for line in lines {
                line.stale(structure.log(), structure.rev);
            }
        }
    }

    fn community_ended(&self, community: CommunityId, committed: &Committed) {
        self.communities.drop_community(community);
        let log = Log::Community(community);
        let rev = committed.of(log).map(|written| written.rev);
        let mut state = self.hub.state();
        for topic in ended_topics(committed) {
            state.end_watches(topic, None);
        }
        let mut told = Vec::new();
        if let Some(gathering) = state.communities.remove(&community) {
            for account in gathering.present.keys() {
                told.extend(state.accounts.get(account).into_iter().flatten().cloned());
            }
        }
        spread::stale(told, log, rev.unwrap_or_default(), self.stale_over);
    }

    /// Tells everybody who is connected what changed for him. Watched topics that a member reads from another place now.
    fn tell_members(
        &self,
        loaded: &Loaded,
        committed: &Committed,
        changed: &HashMap<AccountId, &Member>,
    ) -> Vec<(AccountId, TopicId)> {
        let after = loaded.structure();
        let mut telling = Telling {
            written: committed.of(after.log()),
            committed,
            after: &after,
            frames: HashMap::new(),
            asking: Vec::new(),
            hidden: Vec::new(),
            refloored: Vec::new(),
        };
        let mut state = self.hub.state();
        let Some(mut gathering) = state.communities.remove(&loaded.id) else {
            return Vec::new();
        };
        for change in &committed.changes {
            if let Change::MemberGone { account, .. } = change
                && let Some(view) = gathering.present.remove(account)
            {
                telling.goes(&state, &view);
            }
        }
        let mut compared = Compared::default();
        for (account, view) in &mut gathering.present {
            let member = changed.get(account).copied().unwrap_or(&view.member);
            let next = View::of(after.clone(), member.clone());
            let before = std::mem::replace(view, next);
            let diff = before.diff(view, &state.watched_by(*account), &mut compared);
            telling.differs(&state, view, diff);
        }
        state.communities.insert(loaded.id, gathering);
        let Telling {
            asking,
            hidden,
            refloored,
            ..
        } = telling;
        spread::stale(asking, after.log(), after.rev, self.stale_over);
        for topic in ended_topics(committed) {
            state.end_watches(topic, None);
        }
        for (account, topic) in hidden {
            state.end_watches(topic, Some(account));
        }
        refloored
    }

    /// A member reads a watched topic from another place on.
    async fn refloor(&self, structure: &Structure, account: AccountId, topic: TopicId) {
        let member = {
            let state = self.hub.state();
            let gathering = state.communities.get(&structure.id);
            gathering
                .and_then(|gathering| gathering.present.get(&account))
                .map(|view| view.member.clone())
        };
        let Some(member) = member else { return };
        match self.communities.floor(structure, &member, topic).await {
            Ok(floor) => {
                let mut state = self.hub.state();
                for watcher in state.watchers.get_mut(&topic).into_iter().flatten() {
                    if watcher.line.account() == account {
                        watcher.floor = floor;
                    }
                }
            }
            Err(error) => {
                tracing::error!(%error, topic.id = %topic, "a watch lost its floor and ends");
                self.hub.state().end_watches(topic, Some(account));
            }
        }
    }
}

/// The telling of a commit to the members of a community who are connected.
struct Telling<'a> {
    committed: &'a Committed,
    /// What was written to the community's log.
    written: Option<&'a Written>,
    after: &'a Structure,
    /// The rows by kind of member.
    frames: HashMap<*const Sight, Utf8Bytes>,
    /// Sessions that have to ask for the community anew.
    asking: Vec<Arc<Line>>,
    /// Watches that end.
    hidden: Vec<(AccountId, TopicId)>,
    /// Watches that go on from another place.
    refloored: Vec<(AccountId, TopicId)>,
}

impl Telling<'_> {
    /// Somebody is no member any more.
    fn goes(&mut self, state: &State, view: &View) {
        let account = view.member.account;
        for line in state.accounts.get(&account).into_iter().flatten() {
            line.stale(self.after.log(), self.after.rev);
        }
        let watched = state.watched_by(account).into_iter();
        let seen = watched.filter(|topic| view.sight.topics.contains_key(topic));
        self.hidden.extend(seen.map(|topic| (account, topic)));
    }

    /// A member has another view.
    fn differs(&mut self, state: &State, view: &View, diff: Diff) {
        let account = view.member.account;
        let of_his = |topic| (account, topic);
        self.hidden.extend(diff.hidden.into_iter().map(of_his));
        self.refloored
            .extend(diff.refloored.into_iter().map(of_his));
        let lines = state.accounts.get(&account).into_iter().flatten();
        if diff.is_other {
            self.asking.extend(lines.cloned());
        } else if let Some(written) = self.written {
            for line in lines.filter(|line| line.actor.origin != self.committed.origin) {
                let frame = self
                    .frames
                    .entry(Arc::as_ptr(&view.sight))
                    .or_insert_with(|| seen_frame(self.after, &view.sight, written));
                line.push(frame.clone(), written.log, written.rev);
            }
        }
    }
}

/// Members as a commit left them.
fn members(changes: &[Change]) -> HashMap<AccountId, &Member> {
    let mut members = HashMap::new();
    for change in changes {
        if let Change::Member { member, .. } = change {
            members.insert(member.account, member);
        }
    }
    members
}

fn ended_topics(committed: &Committed) -> impl Iterator<Item = TopicId> + '_ {
    committed.changes.iter().filter_map(|change| {
        if let Change::TopicEnds { topic, .. } = change {
            Some(*topic)
        } else {
            None
        }
    })
}

/// Whether a change leaves something to be removed.
const fn ends(change: &Change) -> bool {
    matches!(
        change,
        Change::TopicEnds { .. } | Change::CommunityEnds { .. }
    )
}

/// The rows of a community as a kind of member sees them.
fn seen_frame(structure: &Structure, sight: &Sight, written: &Written) -> Utf8Bytes {
    let rows = written.rows.iter().filter_map(|row| row.row.as_ref());
    wire::pushed_frame(Pushed::Push(Push {
        log: written.log,
        prev: written.prev,
        rev: written.rev,
        rows: structure.written_as_seen(sight, rows),
        authors: Vec::new(),
    }))
    .into()
}

//! From where on those who watch a topic may read it. It hangs on rights that may change while it is looked up, so what was
//! found is taken only by who may still read as much as was asked for.

use std::sync::Arc;

use tulou_protocol::{AccountId, CommunityId, Log, Seq, TopicId, id::Millis};

use super::{Floor, Hub, Line, State, Watcher, publisher::Publisher};
use crate::{
    communities::Communities,
    store::{StoreError, telling::telling},
};

/// So many are looked up while what was committed next waits. More are looked up beside it: until then they get no rows, and
/// then they ask for what came.
const FEW: usize = if cfg!(test) { 2 } else { 32 };

/// A member of a community.
type Member = (CommunityId, AccountId);

/// Looks up from where members go on to read topics that they watch.
pub(super) async fn look(
    publisher: &Publisher,
    community: CommunityId,
    mut refloored: Vec<(AccountId, TopicId)>,
) {
    let later = refloored.split_off(refloored.len().min(FEW));
    let looking = Looking {
        hub: publisher.hub.clone(),
        communities: publisher.communities.clone(),
        community,
    };
    for (account, topic) in refloored {
        looking.look(account, topic).await;
    }
    if later.is_empty() {
        return;
    }
    // Until then they get no rows, so it waits behind nobody who asks.
    tokio::spawn(telling(async move {
        for (account, topic) in later {
            looking.look(account, topic).await;
            tokio::task::yield_now().await;
        }
    }));
}

struct Looking {
    hub: Arc<Hub>,
    communities: Arc<Communities>,
    community: CommunityId,
}

impl Looking {
    async fn look(&self, account: AccountId, topic: TopicId) {
        let member = (self.community, account);
        if let Err(error) = settle(&self.hub, &self.communities, member, topic).await {
            tracing::error!(%error, topic.id = %topic, "a watch lost its floor and ends");
            self.hub.state().end_watches(topic, Some(account));
        }
    }
}

/// Has a member's watches of a topic go on from where he may read it, whatever changes while that is looked up. Whether he
/// is connected and sees it; if it cannot be looked up, they get nothing.
pub(crate) async fn settle(
    hub: &Hub,
    communities: &Communities,
    member: Member,
    topic: TopicId,
) -> Result<bool, StoreError> {
    loop {
        let Some(since) = hub.state().readable_since(member, topic) else {
            return Ok(false);
        };
        let floor = communities.floor_since(topic, since).await?;
        if hub.goes_on(member, topic, since, floor) {
            return Ok(true);
        }
    }
}

impl Hub {
    /// Whether a session's watch does not know yet from where on it goes.
    pub fn seeks(&self, line: &Line, topic: TopicId) -> bool {
        let state = self.state();
        let mut watchers = state.watchers.get(&topic).into_iter().flatten();
        let watcher = watchers.find(|watcher| watcher.line.is(line));
        watcher.is_some_and(|watcher| matches!(watcher.floor, Floor::Sought(_)))
    }

    /// A member's watches of a topic go on from a floor, if he may still read it since the time for which that was looked
    /// up: whether he may. They are told to ask for what came meanwhile.
    pub(crate) fn goes_on(
        &self,
        member: Member,
        topic: TopicId,
        since: Option<Millis>,
        floor: Seq,
    ) -> bool {
        let mut state = self.state();
        if state.readable_since(member, topic) != Some(since) {
            return false;
        }
        for watcher in state.watches_of(member.1, topic) {
            let before = std::mem::replace(&mut watcher.floor, Floor::At(floor));
            if let Floor::Sought(Some(rev)) = before {
                watcher.line.stale(Log::Topic(topic), rev);
            }
        }
        true
    }
}

impl State {
    /// Since when a member may read a topic (none: always), as far as he is connected and sees it.
    fn readable_since(
        &self,
        (community, account): Member,
        topic: TopicId,
    ) -> Option<Option<Millis>> {
        let view = self.communities.get(&community)?.present.get(&account)?;
        let is_seen = view.sight.sees(topic);
        is_seen.then(|| view.readable_since(topic))
    }

    fn watches_of(
        &mut self,
        account: AccountId,
        topic: TopicId,
    ) -> impl Iterator<Item = &mut Watcher> {
        let watchers = self.watchers.get_mut(&topic).into_iter().flatten();
        watchers.filter(move |watcher| watcher.line.account() == account)
    }

    /// From where on an account's watches of a topic go is not known from here on.
    pub(crate) fn seek(&mut self, account: AccountId, topic: TopicId) {
        for watcher in self.watches_of(account, topic) {
            if let Floor::At(_) = watcher.floor {
                watcher.floor = Floor::Sought(None);
            }
        }
    }
}

//! Where watches go on from, when their readers read from another place on.

use std::sync::Arc;

use tulou_protocol::{AccountId, Log, Seq, TopicId};

use super::{Hub, publisher::Publisher};
use crate::{communities::Communities, domain::Structure};

/// So many are looked up while what was committed next waits. More are looked up beside it: until then nobody gets rows
/// that he may not read, and then he asks for those that he did not get.
const FEW: usize = 32;

/// Looks up from where members go on to read topics that they watch.
pub(super) async fn look(
    publisher: &Publisher,
    structure: &Arc<Structure>,
    mut refloored: Vec<(AccountId, TopicId)>,
) {
    if refloored.is_empty() {
        return;
    }
    let later = refloored.split_off(refloored.len().min(FEW));
    let looking = Looking {
        hub: publisher.hub.clone(),
        communities: publisher.communities.clone(),
        structure: structure.clone(),
    };
    for (account, topic) in refloored {
        looking.look(account, topic).await;
    }
    if later.is_empty() {
        return;
    }
    for (account, topic) in &later {
        looking.hub.refloor(*account, *topic, Seq(u64::MAX));
    }
    tokio::spawn(async move {
        for (account, topic) in later {
            looking.look(account, topic).await;
            looking.hub.ask_for(account, topic);
        }
    });
}

struct Looking {
    hub: Arc<Hub>,
    communities: Arc<Communities>,
    structure: Arc<Structure>,
}

impl Looking {
    async fn look(&self, account: AccountId, topic: TopicId) {
        let member = {
            let state = self.hub.state();
            let gathering = state.communities.get(&self.structure.id);
            gathering
                .and_then(|gathering| gathering.present.get(&account))
                .map(|view| view.member.clone())
        };
        let Some(member) = member else { return };
        match self
            .communities
            .floor(&self.structure, &member, topic)
            .await
        {
            Ok(floor) => self.hub.refloor(account, topic, floor),
            Err(error) => {
                tracing::error!(%error, topic.id = %topic, "a watch lost its floor and ends");
                self.hub.state().end_watches(topic, Some(account));
            }
        }
    }
}

impl Hub {
    /// An account's sessions that watch a topic ask for what changed in it.
    fn ask_for(&self, account: AccountId, topic: TopicId) {
        let state = self.state();
        let log = Log::Topic(topic);
        let rev = state.told.get(&log).copied().unwrap_or_default();
        for watcher in state.watchers.get(&topic).into_iter().flatten() {
            if watcher.line.account() == account {
                watcher.line.stale(log, rev);
            }
        }
    }
}

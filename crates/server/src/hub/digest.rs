//! The slow lane: per community and window, the heads of the topics that moved, encoded once per audience.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::extract::ws::Utf8Bytes;
use tokio_util::sync::CancellationToken;
use tulou_protocol::{
    CommunityId, Digest, TopicId,
    id::Millis,
    push::{Pushed, TopicHead},
};

use super::{Gathering, Hub, Line};
use crate::{
    clock::Clock,
    communities::Communities,
    domain::{Sight, Structure},
    store::{Moved, Store, StoreError, wire},
};

/// Bytes of digests of a community in a second, at most.
const BYTES_PER_S: i64 = 2_048;

/// So many sessions are told at a time.
const AT_ONCE: usize = 256;
/// A community's digests take at most one part in so many of the time.
const SHARE: u32 = 20;

/// Says what moved.
#[derive(Clone)]
pub(crate) struct Digests {
    /// To whom.
    pub hub: Arc<Hub>,
    pub communities: Arc<Communities>,
    pub store: Arc<dyn Store>,
    pub clock: Arc<Clock>,
    /// From one look to the next.
    pub period: Duration,
}

impl Digests {
    /// Sends digests until the server stops.
    pub async fn run(self, closing: CancellationToken) {
        let mut ticks = tokio::time::interval(self.period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = closing.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let due = self.due(self.clock.now());
            // One after the other over most of the period: nobody is told everything at once.
            let pause = self.period * 3 / 4 / u32::try_from(due.len()).unwrap_or(u32::MAX).max(1);
            for (at, community) in due.into_iter().enumerate() {
                if at > 0 {
                    tokio::select! {
                        () = closing.cancelled() => return,
                        () = tokio::time::sleep(pause) => {}
                    }
                }
                let begun = Instant::now();
                if let Err(error) = self.send(community, self.clock.now()).await {
                    tracing::error!(%error, community.id = %community, "a digest could not be made");
                }
                self.rest(community, begun.elapsed());
            }
        }
    }

    /// A community whose digests take long to make is told of it less often.
    fn rest(&self, community: CommunityId, took: Duration) {
        let rest = i64::try_from((took * SHARE).as_millis()).unwrap_or(i64::MAX);
        if let Some(gathering) = self.hub.state().communities.get_mut(&community)
            && rest > 2_000
        {
            gathering.next_at = gathering.next_at.max(self.clock.now() + rest);
        }
    }

    fn due(&self, now: Millis) -> Vec<CommunityId> {
        let state = self.hub.state();
        let due =
            |(id, gathering): (&CommunityId, &Gathering)| (gathering.next_at <= now).then_some(*id);
        state.communities.iter().filter_map(due).collect()
    }

    async fn send(&self, community: CommunityId, now: Millis) -> Result<(), StoreError> {
        let Some(structure) = self.communities.known_structure(community) else {
            return Ok(());
        };
        let (topics, from) = {
            let mut state = self.hub.state();
            let Some(gathering) = state.communities.get_mut(&community) else {
                return Ok(());
            };
            let online = gathering.present.len() as u64;
            let (from, members, was_online) = gathering.said;
            let topics: Vec<TopicId> = std::mem::take(&mut gathering.moved).into_iter().collect();
            if topics.is_empty() && (members, was_online) == (structure.members(), online) {
                return Ok(());
            }
            gathering.said = (now, structure.members(), online);
            (topics, from)
        };
        let moved = self.store.moved(topics).await?;
        let mut frames: HashMap<usize, Utf8Bytes> = HashMap::new();
        let mut largest = 0;
        let mut sends: Vec<(Arc<Line>, Utf8Bytes)> = Vec::new();
        {
            let mut state = self.hub.state();
            let state = &mut *state;
            let Some(gathering) = state.communities.get_mut(&community) else {
                return Ok(());
            };
            let (_, members, online) = gathering.said;
            for (account, view) in &gathering.present {
                let frame = frames
                    .entry(Arc::as_ptr(&view.sight).addr())
                    .or_insert_with(|| {
                        let digest = Digest {
                            from,
                            members,
                            online,
                            ..seen(&structure, &view.sight, &moved, now)
                        };
                        wire::pushed_frame(Pushed::Digest(digest)).into()
                    });
                largest = largest.max(frame.len());
                for line in state.accounts.get(account).into_iter().flatten() {
                    sends.push((line.clone(), frame.clone()));
                }
            }
            let pause = i64::try_from(largest).unwrap_or(i64::MAX) * 1_000 / BYTES_PER_S;
            gathering.next_at = if pause > 2_000 { now + pause } else { 0 };
        }
        for some in sends.chunks(AT_ONCE) {
            for (line, frame) in some {
                line.tell(frame.clone());
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// The heads of topics that somebody may see.
pub(crate) fn seen(structure: &Structure, sight: &Sight, moved: &[Moved], to: Millis) -> Digest {
    Digest {
        community: structure.id,
        audience: sight.audience.clone(),
        from: to,
        to,
        topics: moved
            .iter()
            .filter(|moved| sight.topics.contains_key(&moved.topic))
            .filter_map(|moved| {
                Some(TopicHead {
                    no: structure.topics.get(&moved.topic)?.body.no,
                    head_seq: moved.head.seq,
                    rev: moved.head.rev,
                    wide_mentions: moved.wide.clone(),
                })
            })
            .collect(),
        members: structure.members(),
        online: 0,
    }
}

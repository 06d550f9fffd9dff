//! The slow lane: per community and window, the heads of the topics that moved, to each audience its own.
//!
//! * [`saying`]: what is said in a round, encoded once for each audience, and who hears what
//! * [`rounds`]: which community has its turn when, so that none waits for another that takes long

mod rounds;
mod saying;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tulou_protocol::{AccountId, CommunityId, TopicId, id::Millis, push::TopicHead};

pub(crate) use rounds::run;
use saying::Saying;

use super::{Hub, Line, State, community::MOMENT};
use crate::{
    clock::Clock,
    communities::Communities,
    domain::{Audience, Sight, Structure},
    presence::Presence,
    store::{Moved, Store, StoreError},
};

/// Bytes of digests of an audience in a second, at most.
const BYTES_PER_S: u32 = 2_048;

/// A larger digest would fill the queues of those whom it is for, and is not said: they ask. So does who would hear more than
/// that of one round.
const LARGEST: usize = 64 * 1_024;

/// So many names of audiences that are no more are known before they are looked for.
const NAMES: usize = 64;

/// So many members are told at a time.
const AT_ONCE: usize = 256;
/// A community's digests take at most one part in so many of the time.
const SHARE: u32 = 20;
/// A rest that need not be kept.
const SHORT: Duration = Duration::from_secs(2);

/// Says what moved.
#[derive(Clone)]
pub(crate) struct Digests {
    /// To whom.
    pub hub: Arc<Hub>,
    pub communities: Arc<Communities>,
    pub store: Arc<dyn Store>,
    pub clock: Arc<Clock>,
    pub presence: Arc<dyn Presence>,
    /// From one look to the next.
    pub period: Duration,
}

/// Those who are connected, and what each of them sees.
type Present = Vec<(AccountId, Arc<Sight>)>;

/// What an audience was told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    /// Up to when.
    pub to: Millis,
    /// It is told nothing before the server has run for so long.
    pub next_at: Duration,
}

/// What a round cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Digests that were encoded.
    pub encoded: usize,
    /// How often it was looked whether somebody hears of something.
    pub looks: usize,
    /// Members who were told something.
    pub told: usize,
    /// Bytes that the one heard, or was to hear, who heard most, of audiences that may be told again at once.
    pub most: usize,
}

/// What is to be said in a round, before it is known how far the topics moved.
struct News {
    /// With the beginning of each one's window.
    audiences: Vec<(Audience, Millis)>,
    counts: (u64, u64),
    /// What was said before.
    were: (u64, u64),
}

impl Digests {
    /// Of which communities something is to be told.
    fn due(&self) -> Vec<CommunityId> {
        let now = self.clock.uptime();
        // Those that stir while it is counted are looked at the next time.
        let mut stirred = self.hub.take_stirred();
        stirred.extend(self.presence.moved_elsewhere());
        let counted: Vec<(CommunityId, u64)> = stirred
            .into_iter()
            .map(|id| (id, self.presence.count_online(id)))
            .collect();
        let mut state = self.hub.state();
        let State {
            communities,
            stirred,
            ..
        } = &mut *state;
        let mut due = Vec::new();
        for (id, online) in counted {
            let gathering = communities.get(&id);
            let Some(gathering) = gathering.filter(|gathering| gathering.has_news(online)) else {
                continue;
            };
            if gathering.next_at <= now {
                due.push(id);
            }
            stirred.insert(id);
        }
        due
    }

    /// A community's round.
    async fn round(&self, community: CommunityId) {
        let begun = Instant::now();
        let told = async {
            // What is being written moves in the next one.
            let now = self.store.settled(self.clock.now()).await?;
            self.send(community, now).await
        };
        let most = match told.await {
            Ok(cost) => {
                tracing::trace!(community.id = %community, ?cost, "digests were sent");
                cost.most
            }
            Err(error) => {
                tracing::error!(%error, community.id = %community, "a digest could not be made");
                0
            }
        };
        self.rest(community, begun.elapsed(), most);
    }

    /// A community whose digests take long to make, or of which somebody hears much in many audiences, is told of it less
    /// often.
    fn rest(&self, community: CommunityId, took: Duration, most: usize) {
        let rest = pause_after(took).max(pause_between(most));
        if let Some(gathering) = self.hub.state().communities.get_mut(&community) {
            gathering.took = took;
            if !rest.is_zero() {
                gathering.next_at = self.clock.uptime() + rest;
            }
        }
    }

    async fn send(&self, community: CommunityId, now: Millis) -> Result<Cost, StoreError> {
        let Some((mut saying, present)) = self.prepare(community, now).await? else {
            return Ok(Cost::default());
        };
        self.say(&mut saying, present).await;
        Ok(saying.cost)
    }

    /// What is to be said, and who is there to hear it. None: there is nothing, or it is in the next round.
    async fn prepare(
        &self,
        community: CommunityId,
        now: Millis,
    ) -> Result<Option<(Saying, Present)>, StoreError> {
        let Some(structure) = self.communities.known_structure(community) else {
            return Ok(None);
        };
        let Some(news) = self.news(&structure) else {
            return Ok(None);
        };
        let topics = news.topics().collect();
        let moved = match self.store.moved(topics).await {
            Ok(moved) => moved,
            Err(error) => {
                self.take_back(community, &news);
                return Err(error);
            }
        };
        if self.clock.now() < now {
            // The clock went back meanwhile: a window that ends in a time to come would hide what moves before that.
            self.take_back(community, &news);
            return Ok(None);
        }
        let mut saying = Saying::of(&structure, &news, &moved, now).await;
        let Some(present) = self.begins(&structure, &saying, now) else {
            return Ok(None);
        };
        saying.find(&structure, &present).await;
        Ok(Some((saying, present)))
    }

    async fn say(&self, saying: &mut Saying, present: Present) {
        let hearers: Vec<AccountId> = if saying.is_for_few() {
            saying.seated().collect()
        } else {
            saying.look(present.iter().map(|(_, sight)| sight)).await;
            present.into_iter().map(|(account, _)| account).collect()
        };
        self.tell(saying, &hearers).await;
    }

    /// Takes what moved, but for what is to be told to audiences that were told much a moment ago. None: there is nothing.
    fn news(&self, structure: &Structure) -> Option<News> {
        let uptime = self.clock.uptime();
        let moved = {
            let mut state = self.hub.state();
            let gathering = state.communities.get_mut(&structure.id)?;
            std::mem::take(&mut gathering.moved)
        };
        let audiences = structure.audiences(moved.iter().copied());
        // Those that were made since the structure was taken; one that has ended is none of them.
        let known = self.communities.known_structure(structure.id);
        let mut made = moved;
        made.retain(|topic| {
            let is_new = !structure.topics.contains_key(topic);
            is_new
                && known
                    .as_ref()
                    .is_some_and(|known| known.topics.contains_key(topic))
        });
        let counts = (
            structure.members(),
            self.presence.count_online(structure.id),
        );
        let mut state = self.hub.state();
        let gathering = state.communities.get_mut(&structure.id)?;
        gathering.moved.extend(made);
        let were = std::mem::replace(&mut gathering.counts, counts);
        let mut ready = Vec::new();
        for audience in audiences {
            let told = gathering.told.get(&audience.name);
            if told.is_some_and(|told| told.next_at > uptime) {
                gathering.moved.extend(audience.topics);
            } else {
                // What it was told under another name, or before anybody listened, whoever sees it knows.
                let from = told.map_or(gathering.begun, |told| told.to);
                ready.push((audience, from));
            }
        }
        let news = News {
            audiences: ready,
            counts,
            were,
        };
        (!news.audiences.is_empty() || counts != were).then_some(news)
    }

    /// It could not be told: it is in the next round.
    fn take_back(&self, community: CommunityId, news: &News) {
        let mut state = self.hub.state();
        let State {
            communities,
            stirred,
            ..
        } = &mut *state;
        if let Some(gathering) = communities.get_mut(&community) {
            gathering.moved.extend(news.topics());
            gathering.counts = news.were;
            // A round that came meanwhile found nothing to tell.
            stirred.insert(community);
        }
    }

    /// Notes what is told, and to whom it may be.
    fn begins(&self, structure: &Structure, saying: &Saying, now: Millis) -> Option<Present> {
        let uptime = self.clock.uptime();
        let mut state = self.hub.state();
        let gathering = state.communities.get_mut(&structure.id)?;
        for said in saying.audiences() {
            let pause = pause_of(said.bytes);
            let next_at = if pause > SHORT {
                uptime + pause
            } else {
                Duration::ZERO
            };
            let told = Told { to: now, next_at };
            gathering.told.insert(said.audience.name.clone(), told);
        }
        if gathering.told.len() > NAMES + 2 * structure.topics.len() {
            // Names of rules and closed topics that are no more.
            let all = structure.audiences(structure.topics.keys().copied());
            let names: Vec<&String> = all.iter().map(|audience| &audience.name).collect();
            gathering
                .told
                .retain(|name, _| names.binary_search(&name).is_ok());
        }
        let present = gathering.present.iter();
        Some(
            present
                .map(|(account, view)| (*account, view.sight.clone()))
                .collect(),
        )
    }

    /// Tells members what each hears by what he sees as it is told. Where that is not known, they hear that there is
    /// something, and ask.
    async fn tell(&self, saying: &mut Saying, all: &[AccountId]) {
        for some in all.chunks(AT_ONCE) {
            let mut is_doubtful = false;
            let hearers: Vec<(AccountId, Arc<Sight>, Vec<Arc<Line>>)> = {
                let state = self.hub.state();
                let Some(gathering) = state.communities.get(&saying.community) else {
                    return;
                };
                is_doubtful |= gathering.is_doubtful;
                let hearer = |account: &AccountId| {
                    let view = gathering.present.get(account)?;
                    let lines = state.accounts.get(account)?;
                    Some((*account, view.sight.clone(), lines.clone()))
                };
                some.iter().filter_map(hearer).collect()
            };
            for (account, sight, lines) in hearers {
                let frames = if is_doubtful {
                    vec![saying.note().clone()]
                } else {
                    saying.heard_by(account, &sight)
                };
                if frames.is_empty() {
                    continue;
                }
                saying.cost.told += 1;
                for line in lines {
                    line.digest(saying.community, &frames, saying.note());
                }
            }
            tokio::task::yield_now().await;
        }
    }
}

impl News {
    fn topics(&self) -> impl Iterator<Item = TopicId> {
        let audiences = self.audiences.iter();
        audiences.flat_map(|(audience, _)| audience.topics.iter().copied())
    }
}

/// How long an audience is told nothing after so many bytes.
fn pause_of(bytes: usize) -> Duration {
    Duration::from_secs(bytes as u64) / BYTES_PER_S
}

/// For how long a community is not told anything after a round in which somebody heard so many bytes; none if they were
/// few. Who was to hear more asks, for no more than an answer holds.
fn pause_between(bytes: usize) -> Duration {
    let pause = pause_of(bytes.min(LARGEST));
    if pause > SHORT { pause } else { Duration::ZERO }
}

/// For how long a community is not told anything after a round that took so long; none if that was little.
fn pause_after(took: Duration) -> Duration {
    let rest = took.saturating_mul(SHARE);
    if rest > SHORT { rest } else { Duration::ZERO }
}

/// The head of a topic that is there, as it is told to everybody.
pub(crate) fn head(structure: &Structure, moved: &Moved) -> Option<TopicHead> {
    Some(TopicHead {
        no: structure.topics.get(&moved.topic)?.body.no,
        head_seq: moved.head.seq,
        rev: moved.head.rev,
        wide_mentions: moved.wide.clone(),
        read: None,
    })
}

#[cfg(test)]
mod tests;

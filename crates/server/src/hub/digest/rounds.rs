//! Which community has its turn when. One after the other over most of a period, so that nobody is told everything at once;
//! and none waits for another whose digests take long to make.

use std::{
    collections::HashSet,
    pin::{Pin, pin},
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio_util::sync::CancellationToken;
use tulou_protocol::CommunityId;

use super::Digests;

/// No shorter pause is made, because the system's timers know none: what is to come meanwhile comes at once.
const SHORTEST: Duration = Duration::from_millis(5);
/// The next one waits so long for one that has its turn.
const PATIENCE: Duration = Duration::from_millis(50);
/// So many may take longer at the same time. Those that did so before then wait for one of them.
const LATE: usize = 4;

/// Sends digests until the server stops.
pub(crate) async fn run(digests: Digests, closing: CancellationToken) {
    let mut ticks = tokio::time::interval(digests.period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut rounds = Rounds::default();
    loop {
        tokio::select! {
            () = closing.cancelled() => return,
            () = rounds.until(ticks.tick().map(drop)) => {}
        }
        tokio::select! {
            () = closing.cancelled() => return,
            () = rounds.all(&digests) => {}
        }
    }
}

/// Ends with the community whose round it was.
type Round = Pin<Box<dyn Future<Output = CommunityId> + Send>>;

/// Rounds that are under way.
#[derive(Default)]
pub(super) struct Rounds {
    running: FuturesUnordered<Round>,
    of: HashSet<CommunityId>,
}

impl Rounds {
    /// Of all communities of which there is something to be told.
    async fn all(&mut self, digests: &Digests) {
        let due = digests.due();
        let begun = Instant::now();
        let count = due.len();
        for (at, community) in due.into_iter().enumerate() {
            let pause = turn(digests.period, at, count).saturating_sub(begun.elapsed());
            if pause >= SHORTEST {
                self.until(tokio::time::sleep(pause)).await;
            }
            let took = {
                let state = digests.hub.state();
                let gathering = state.communities.get(&community);
                gathering.map_or(Duration::ZERO, |gathering| gathering.took)
            };
            let telling = digests.clone();
            let round = async move { telling.round(community).await };
            self.one(community, took, round).await;
        }
    }

    /// Those that are under way go on until something is over.
    async fn until(&mut self, over: impl Future<Output = ()>) {
        let mut over = pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return,
                Some(ended) = self.running.next() => {
                    self.of.remove(&ended);
                }
            }
        }
    }

    /// Of one community, whose last one took so long: waits for it, but not for long.
    async fn one(
        &mut self,
        community: CommunityId,
        took: Duration,
        round: impl Future<Output = ()> + Send + 'static,
    ) {
        while let Some(Some(ended)) = self.running.next().now_or_never() {
            self.of.remove(&ended);
        }
        let is_too_many = self.running.len() >= LATE && took > PATIENCE;
        if is_too_many || !self.of.insert(community) {
            return;
        }
        self.running.push(Box::pin(round.map(move |()| community)));
        let mut patience = pin!(tokio::time::sleep(PATIENCE));
        while self.of.contains(&community) {
            let is_enough = self.running.len() > LATE;
            tokio::select! {
                Some(ended) = self.running.next() => {
                    self.of.remove(&ended);
                }
                () = &mut patience, if !is_enough => return,
            }
        }
    }
}

/// When in a period one of so many has its turn.
fn turn(period: Duration, at: usize, of: usize) -> Duration {
    let most = period.as_nanos() * 3 / 4;
    let nanos = most * at as u128 / (of.max(1) as u128);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::sync::Notify;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn rounds_are_spread_over_most_of_a_period() {
        let period = Duration::from_secs(2);
        let at = |no| turn(period, no, 10_000);
        assert_eq!(at(0), Duration::ZERO);
        assert_eq!(at(5_000), Duration::from_millis(750));
        assert!(at(9_999) < Duration::from_millis(1_500));
        assert_eq!(turn(period, 0, 0), Duration::ZERO);
    }

    #[tokio::test]
    async fn communities_whose_digests_take_long_delay_no_others() {
        let mut rounds = Rounds::default();
        let community = |n| CommunityId(Uuid::from_u128(n));
        let go_on = Arc::new(Notify::new());
        let ended = Arc::new(AtomicUsize::new(0));
        let takes_long = || {
            let (go_on, ended) = (go_on.clone(), ended.clone());
            async move {
                go_on.notified().await;
                ended.fetch_add(1, Ordering::Relaxed);
            }
        };
        let dear = Duration::from_secs(1);
        for n in 0..100 {
            rounds.one(community(n), dear, takes_long()).await;
        }
        assert_eq!(rounds.running.len(), LATE, "the others are due still");
        let told = Arc::new(AtomicUsize::new(0));
        for n in 100..200 {
            let told = told.clone();
            let round = async move {
                tokio::task::yield_now().await;
                told.fetch_add(1, Ordering::Relaxed);
            };
            rounds.one(community(n), Duration::ZERO, round).await;
        }
        assert_eq!(told.load(Ordering::Relaxed), 100);
        assert_eq!(ended.load(Ordering::Relaxed), 0);
        // The same one is not told twice at once.
        rounds.one(community(0), Duration::ZERO, takes_long()).await;
        assert_eq!(rounds.running.len(), LATE);
        go_on.notify_waiters();
        rounds.one(community(7), dear, async {}).await;
        assert_eq!(ended.load(Ordering::Relaxed), LATE);
        assert!(rounds.of.is_empty());
    }
}

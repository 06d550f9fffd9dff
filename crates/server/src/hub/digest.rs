//! The slow lane: per community and window, the heads of the topics that moved, encoded once per audience.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::extract::ws::Utf8Bytes;
use tokio_util::sync::CancellationToken;
use tulou_protocol::{
    AccountId, CommunityId, Digest, TopicId,
    id::Millis,
    push::{Pushed, TopicHead},
};

use super::{Gathering, Hub, Line, community::MOMENT};
use crate::{
    clock::Clock,
    communities::Communities,
    domain::{Sight, Structure},
    store::{Moved, Store, StoreError, wire},
};

/// Bytes of digests of a community in a second, at most.
const BYTES_PER_S: u32 = 2_048;

/// A larger digest would fill the queues of those whom it is for, and is not said: they ask.
const LARGEST: usize = 64 * 1_024;

/// So many members are told at a time.
const AT_ONCE: usize = 256;
/// So often it is looked at who sees something else by now. Who does even then learns it from the next digest, which begins
/// later than what he has.
const LOOKS: usize = 3;
/// A community's digests take at most one part in so many of the time.
const SHARE: u32 = 20;
/// A rest that need not be kept.
const SHORT: Duration = Duration::from_secs(2);
/// No shorter pause is made, because the system's timers know none: what is to come meanwhile comes at once.
const SHORTEST: Duration = Duration::from_millis(5);

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
            let due = self.due();
            let round = Instant::now();
            let count = due.len();
            for (at, community) in due.into_iter().enumerate() {
                let pause = turn(self.period, at, count).saturating_sub(round.elapsed());
                if pause >= SHORTEST {
                    tokio::select! {
                        () = closing.cancelled() => return,
                        () = tokio::time::sleep(pause) => {}
                    }
                }
                let begun = Instant::now();
                // What is being written moves in the next one.
                let now = self.store.settled(self.clock.now());
                if let Err(error) = self.send(community, now).await {
                    tracing::error!(%error, community.id = %community, "a digest could not be made");
                }
                self.rest(community, begun.elapsed());
            }
        }
    }

    /// A community whose digests take long to make is told of it less often.
    fn rest(&self, community: CommunityId, took: Duration) {
        let rest = pause_after(took);
        if let Some(gathering) = self.hub.state().communities.get_mut(&community)
            && !rest.is_zero()
        {
            gathering.next_at = gathering.next_at.max(self.clock.uptime() + rest);
        }
    }

    /// Of which communities something is to be told.
    fn due(&self) -> Vec<CommunityId> {
        let now = self.clock.uptime();
        let state = self.hub.state();
        let due = |(id, gathering): (&CommunityId, &Gathering)| {
            (gathering.next_at <= now && gathering.has_news()).then_some(*id)
        };
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
        let (mut left, counts) = {
            let state = self.hub.state();
            let Some(gathering) = state.communities.get(&community) else {
                return Ok(());
            };
            let present = gathering.present.iter();
            let left: Vec<Seeing> = present
                .map(|(account, view)| (*account, view.sight.clone()))
                .collect();
            let (_, members, online) = gathering.said;
            (left, (members, online))
        };
        let mut saying = Saying {
            structure: &structure,
            moved: &moved,
            from,
            now,
            counts,
            frames: HashMap::new(),
            largest: 0,
        };
        for _ in 0..LOOKS {
            saying.prepare(&left).await;
            left = self.tell(&saying, &left).await;
            if left.is_empty() {
                break;
            }
        }
        let pause = pause_of(saying.largest);
        if let Some(gathering) = self.hub.state().communities.get_mut(&community) {
            gathering.next_at = if pause > SHORT {
                self.clock.uptime() + pause
            } else {
                Duration::ZERO
            };
        }
        Ok(())
    }

    /// Tells members what was made ready for them. Whoever is here still and sees something else by now was not told.
    async fn tell(&self, saying: &Saying<'_>, all: &[Seeing]) -> Vec<Seeing> {
        let mut others = Vec::new();
        for some in all.chunks(AT_ONCE) {
            let mut sends: Vec<(Arc<Line>, Utf8Bytes)> = Vec::new();
            {
                let state = self.hub.state();
                let Some(gathering) = state.communities.get(&saying.structure.id) else {
                    return Vec::new();
                };
                for (account, sight) in some {
                    let Some(view) = gathering.present.get(account) else {
                        continue;
                    };
                    if !Arc::ptr_eq(&view.sight, sight) {
                        others.push((*account, view.sight.clone()));
                        continue;
                    }
                    let Some(frame) = saying.frames.get(sight.audience()) else {
                        continue;
                    };
                    let lines = state.accounts.get(account).into_iter().flatten();
                    sends.extend(lines.map(|line| (line.clone(), frame.clone())));
                }
            }
            for (line, frame) in sends {
                line.tell(frame);
            }
            tokio::task::yield_now().await;
        }
        others
    }
}

/// Who is told, and what he sees.
type Seeing = (AccountId, Arc<Sight>);

/// A digest of a community, encoded once for each audience.
struct Saying<'a> {
    structure: &'a Structure,
    moved: &'a [Moved],
    from: Millis,
    now: Millis,
    /// Members, and those who are connected.
    counts: (u64, u64),
    /// By audience.
    frames: HashMap<String, Utf8Bytes>,
    /// The bytes of the largest, also if it was too large to be said.
    largest: usize,
}

impl Saying<'_> {
    /// Encodes it for some members while nobody waits for the hub: to name what a kind of member sees takes as long as
    /// there are topics.
    async fn prepare(&mut self, all: &[Seeing]) {
        let mut begun = Instant::now();
        for (_, sight) in all {
            if !self.frames.contains_key(sight.audience()) {
                let (frame, bytes) = self.frame(sight);
                self.largest = self.largest.max(bytes);
                self.frames.insert(sight.audience().to_owned(), frame);
            }
            if begun.elapsed() >= MOMENT {
                tokio::task::yield_now().await;
                begun = Instant::now();
            }
        }
    }

    fn frame(&self, sight: &Sight) -> (Utf8Bytes, usize) {
        let (members, online) = self.counts;
        let digest = Digest {
            from: self.from,
            members,
            online,
            ..seen(self.structure, sight, self.moved, self.now)
        };
        said(digest)
    }
}

/// A digest as it goes out. One that is too large names no topics, and begins where it ends: whoever hears it misses what was
/// before, and asks for it. Also how many bytes there were to say: whoever asks gets as many.
fn said(digest: Digest) -> (Utf8Bytes, usize) {
    let frame = wire::pushed_frame(Pushed::Digest(digest.clone()));
    let bytes = frame.len();
    if bytes <= LARGEST {
        return (frame.into(), bytes);
    }
    let without = Digest {
        from: digest.to,
        topics: Vec::new(),
        ..digest
    };
    (wire::pushed_frame(Pushed::Digest(without)).into(), bytes)
}

/// How long nothing is said after so many bytes to each.
fn pause_of(bytes: usize) -> Duration {
    Duration::from_secs(bytes as u64) / BYTES_PER_S
}

/// When in a period one of so many has its turn. One after the other over most of it: nobody is told everything at once.
fn turn(period: Duration, at: usize, of: usize) -> Duration {
    let most = period.as_nanos() * 3 / 4;
    let nanos = most * at as u128 / (of.max(1) as u128);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// For how long a community is not told anything after a digest that took so long to make; none if that was little.
fn pause_after(took: Duration) -> Duration {
    let rest = took.saturating_mul(SHARE);
    if rest > SHORT { rest } else { Duration::ZERO }
}

/// The heads of topics that somebody may see.
pub(crate) fn seen(structure: &Structure, sight: &Sight, moved: &[Moved], to: Millis) -> Digest {
    Digest {
        community: structure.id,
        audience: sight.audience().to_owned(),
        from: to,
        to,
        topics: moved
            .iter()
            .filter(|moved| sight.sees(moved.topic))
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tulou_protocol::{
        Command, CommandId, Commanded, GroupId, Log, MessageId, Rev, ServerFrame, SessionId,
        row::Topic,
    };
    use uuid::Uuid;

    use super::*;
    use crate::{
        App, Config,
        domain::{Change, Member, View},
        store::Commit,
    };

    #[tokio::test]
    async fn of_ten_thousand_communities_the_one_that_moved_is_told_within_two_periods() {
        let folder = tempfile::tempdir().unwrap();
        let period = Duration::from_millis(1_500);
        let config = Config {
            data: folder.path().to_owned(),
            digest_ms: u64::try_from(period.as_millis()).unwrap(),
            ..Config::default()
        };
        let app = App::open(config).await.unwrap();
        let account = AccountId(Uuid::now_v7());
        let line = app
            .hub()
            .attach(account, SessionId(Uuid::now_v7()), Rev(1), 1 << 20);
        let give = async |command| {
            let id = CommandId(Uuid::now_v7());
            let given = app.begin(line.actor.clone(), Commanded { id, command });
            given.await.await.unwrap();
        };
        let (community, topic) = (CommunityId(Uuid::now_v7()), TopicId(Uuid::now_v7()));
        give(Command::CommunityCreate {
            community,
            name: "土楼".to_owned(),
            group: GroupId(Uuid::now_v7()),
            group_name: "大厅".to_owned(),
            topic,
            topic_name: "闲聊".to_owned(),
        })
        .await;
        let loaded = app.communities().loaded(community).await.unwrap().unwrap();
        // In the others nothing moves, and nobody comes or goes.
        for no in 0..10_000 {
            let mut gathering = Gathering::begun(loaded.clone(), app.now());
            gathering.said.1 = loaded.structure().members();
            let other = CommunityId(Uuid::from_u128(no));
            app.hub().state().communities.insert(other, gathering);
        }
        let is_told = |frame: &Utf8Bytes| {
            let told = ServerFrame::parse(frame).unwrap();
            matches!(told, ServerFrame::Pushed(Pushed::Digest(digest)) if !digest.topics.is_empty())
        };
        // Where it stands among the others does not matter.
        for _ in 0..2 {
            give(Command::MessageSend {
                topic,
                message: MessageId(Uuid::now_v7()),
                text: "moved".to_owned(),
                reply_to: None,
                written_at: 1,
            })
            .await;
            let begun = Instant::now();
            while !line.take().0.iter().any(is_told) {
                line.woken().await;
            }
            let took = begun.elapsed();
            assert!(took < 2 * period, "it was told after {took:?}");
        }
        app.close().await;
    }

    #[test]
    fn a_digest_that_is_too_large_makes_those_who_hear_it_ask() {
        let digest = |topics: u32| Digest {
            community: CommunityId(Uuid::from_u128(1)),
            audience: "a".to_owned(),
            from: 10,
            to: 20,
            topics: (0..topics)
                .map(|no| TopicHead {
                    no,
                    head_seq: tulou_protocol::Seq(1),
                    rev: Rev(1),
                    wide_mentions: Vec::new(),
                })
                .collect(),
            members: 7,
            online: 3,
        };
        let heard = |digest: Digest| {
            let (frame, _) = said(digest);
            let ServerFrame::Pushed(Pushed::Digest(digest)) = ServerFrame::parse(&frame).unwrap()
            else {
                panic!("{frame}")
            };
            digest
        };
        assert_eq!(heard(digest(500)), digest(500));
        let large = heard(digest(20_000));
        assert_eq!(
            (large.from, large.to),
            (20, 20),
            "what is before is missing"
        );
        assert_eq!((large.topics.len(), large.members, large.online), (0, 7, 3));
        let (frame, bytes) = said(digest(20_000));
        assert!(frame.len() < 1_000 && bytes > 20_000);
        assert!(
            pause_of(bytes) > Duration::from_secs(60),
            "all ask for as much, and not again at once"
        );
    }

    /// The server says nothing by itself; a community with so many closed topics, each with somebody who has a seat in it.
    struct House {
        app: App,
        digests: Digests,
        community: CommunityId,
        open: TopicId,
        seats: Vec<(TopicId, AccountId)>,
        _folder: tempfile::TempDir,
    }

    impl House {
        async fn with(closed: u32) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let config = Config {
                data: folder.path().to_owned(),
                digest_ms: 24 * 3_600 * 1_000,
                ..Config::default()
            };
            let app = App::open(config).await.unwrap();
            let owner = AccountId(Uuid::now_v7());
            let (community, open) = (CommunityId(Uuid::now_v7()), TopicId(Uuid::now_v7()));
            let group = GroupId(Uuid::now_v7());
            let command = Command::CommunityCreate {
                community,
                name: "土楼".to_owned(),
                group,
                group_name: "大厅".to_owned(),
                topic: open,
                topic_name: "闲聊".to_owned(),
            };
            let id = CommandId(Uuid::now_v7());
            let actor = crate::actor::Actor::server(owner);
            let given = app.begin(actor, Commanded { id, command });
            given.await.await.unwrap();
            let mut changes = Vec::new();
            let mut seats = Vec::new();
            for no in 0..closed {
                let (topic, account) = (TopicId(Uuid::now_v7()), AccountId(Uuid::now_v7()));
                let body = Topic {
                    group,
                    name: format!("密室{no}"),
                    introduction: String::new(),
                    closed: true,
                    position: "80".to_owned(),
                    no: no + 2,
                    more: Default::default(),
                };
                changes.push(Change::Row {
                    log: Log::Community(community),
                    id: topic.to_string(),
                    body: body.into(),
                });
                changes.push(Change::TopicBegins { community, topic });
                changes.push(Change::Seat {
                    community,
                    topic,
                    account,
                    since: Some(1),
                });
                seats.push((topic, account));
            }
            if !changes.is_empty() {
                let commit = Commit::of_server(owner, app.now(), changes);
                app.store().commit(commit).await.unwrap();
            }
            let digests = Digests {
                hub: app.parts().hub.clone(),
                communities: app.communities().clone(),
                store: app.parts().store.clone(),
                clock: app.parts().clock.clone(),
                period: Duration::from_secs(1),
            };
            Self {
                app,
                digests,
                community,
                open,
                seats,
                _folder: folder,
            }
        }

        async fn structure(&self) -> Arc<Structure> {
            let loaded = self.app.communities().loaded(self.community).await;
            loaded.unwrap().unwrap().structure()
        }

        /// Somebody is connected; what he sees.
        async fn comes(&self, account: AccountId) -> (Arc<Line>, Arc<Sight>) {
            let session = SessionId(Uuid::now_v7());
            let line = self.app.hub().attach(account, session, Rev(1), 1 << 20);
            let loaded = self.app.communities().loaded(self.community).await;
            let loaded = loaded.unwrap().unwrap();
            let view = View::of(loaded.structure(), member(account));
            let sight = view.sight.clone();
            self.app.hub().present(&loaded, view, self.app.now());
            (line, sight)
        }

        fn moves(&self, topics: &[TopicId]) {
            let mut state = self.app.hub().state();
            let gathering = state.communities.get_mut(&self.community).unwrap();
            gathering.moved.extend(topics);
        }
    }

    fn member(account: AccountId) -> Member {
        Member {
            account,
            joined_at: 1,
            member_groups: Vec::new(),
            rev: Rev(1),
        }
    }

    fn told(line: &Line) -> Option<(Digest, Utf8Bytes)> {
        line.take().0.into_iter().find_map(|frame| {
            let ServerFrame::Pushed(Pushed::Digest(digest)) = ServerFrame::parse(&frame).unwrap()
            else {
                return None;
            };
            Some((digest, frame))
        })
    }

    #[tokio::test]
    async fn the_hub_is_free_while_digests_are_made_for_many_kinds_of_members() {
        const KINDS: u32 = 200;
        let house = House::with(KINDS).await;
        let mut all = Vec::new();
        for (_, account) in &house.seats {
            all.push(house.comes(*account).await);
        }
        let named = || all.iter().filter(|(_, sight)| sight.is_named()).count();
        assert_eq!(named(), 0, "nobody asked yet what they see");
        let (room, loser) = house.seats[0];
        house.moves(&[house.open, room]);
        let mut sending = Box::pin(house.digests.send(house.community, house.app.now()));
        let (mut at_once, mut before) = (0, 0);
        let mut lost = None;
        while sending.as_mut().now_or_never().is_none() {
            at_once = at_once.max(named() - before);
            before = named();
            if before > 0 && lost.is_none() {
                // Meanwhile somebody loses his seat.
                let mut structure = (*house.structure().await).clone();
                structure.seats.put(room, loser, None);
                let view = View::of(Arc::new(structure), member(loser));
                lost = Some(view.sight.clone());
                let mut state = house.app.hub().state();
                let gathering = state.communities.get_mut(&house.community).unwrap();
                gathering.present.insert(loser, view);
            }
            tokio::task::yield_now().await;
        }
        at_once = at_once.max(named() - before);
        assert_eq!(named(), all.len());
        assert!(
            at_once <= all.len() / 4,
            "{at_once} kinds were looked at in one go"
        );
        let (digest, _) = told(&all[0].0).unwrap();
        assert_eq!(digest.audience, lost.unwrap().audience());
        assert_eq!(
            digest.topics.len(),
            1,
            "what he may not see any more is not told"
        );
        for (line, sight) in &all[1..] {
            let (digest, _) = told(line).unwrap();
            assert_eq!(digest.audience, sight.audience());
            assert_eq!(digest.topics.len(), 1);
        }
        house.app.close().await;
    }

    #[tokio::test]
    async fn a_digest_is_encoded_once_for_all_who_see_the_same_topics() {
        let house = House::with(0).await;
        let owner = house.structure().await.community.body.owner;
        let (one, his) = house.comes(owner).await;
        let (other, hers) = house.comes(AccountId(Uuid::now_v7())).await;
        assert!(!Arc::ptr_eq(&his, &hers), "they have other rights");
        house.moves(&[house.open]);
        let now = house.app.now();
        house.digests.send(house.community, now).await.unwrap();
        let (one, other) = (told(&one).unwrap().1, told(&other).unwrap().1);
        assert_eq!(one.as_ptr(), other.as_ptr());
        house.app.close().await;
    }

    #[test]
    fn digests_are_spread_over_most_of_a_period_and_a_dear_one_has_a_long_rest() {
        let period = Duration::from_secs(2);
        let at = |no| turn(period, no, 10_000);
        assert_eq!(at(0), Duration::ZERO);
        assert_eq!(at(5_000), Duration::from_millis(750));
        assert!(at(9_999) < Duration::from_millis(1_500));
        assert_eq!(turn(period, 0, 0), Duration::ZERO);
        assert_eq!(pause_after(Duration::from_millis(50)), Duration::ZERO);
        assert_eq!(pause_after(Duration::from_secs(1)), Duration::from_secs(20));
    }
}

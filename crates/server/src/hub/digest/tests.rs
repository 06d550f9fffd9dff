mod doubtful;

use axum::extract::ws::Utf8Bytes;
use tulou_protocol::{
    Command, CommandId, Commanded, Digest, GroupId, Log, MessageId, Rev, ServerFrame, SessionId,
    push::Pushed, row::Topic,
};
use uuid::Uuid;

use super::{super::Gathering, saying::encoded, *};
use crate::{
    App, Config,
    app::tests::settled,
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
        gathering.counts.0 = loaded.structure().members();
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
                read: None,
            })
            .collect(),
        members: 7,
        online: 3,
        after: None,
    };
    let heard = |digest: Digest| {
        let (frame, _) = encoded(digest);
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
    let (frame, bytes) = encoded(digest(20_000));
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
    owner: AccountId,
    open: TopicId,
    rooms: Vec<Room>,
    _folder: tempfile::TempDir,
}

/// A closed topic.
struct Room {
    topic: TopicId,
    seats: Vec<AccountId>,
}

impl House {
    async fn with(closed: u32) -> Self {
        Self::of(closed, 1).await
    }

    async fn of(closed: u32, seats: usize) -> Self {
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
        let mut rooms = Vec::new();
        for no in 0..closed {
            let topic = TopicId(Uuid::now_v7());
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
            let seats: Vec<AccountId> = (0..seats).map(|_| AccountId(Uuid::now_v7())).collect();
            changes.extend(seats.iter().map(|account| Change::Seat {
                community,
                topic,
                account: *account,
                since: Some(1),
            }));
            rooms.push(Room { topic, seats });
        }
        if !changes.is_empty() {
            let commit = Commit::of_server(owner, app.now(), changes);
            app.store().commit(commit).await.unwrap();
        }
        settled(&app).await;
        let digests = Digests {
            hub: app.parts().hub.clone(),
            communities: app.communities().clone(),
            store: app.parts().store.clone(),
            clock: app.parts().clock.clone(),
            presence: app.parts().presence.clone(),
            period: Duration::from_secs(1),
        };
        Self {
            app,
            digests,
            community,
            owner,
            open,
            rooms,
            _folder: folder,
        }
    }

    async fn structure(&self) -> Arc<Structure> {
        let loaded = self.app.communities().loaded(self.community).await;
        loaded.unwrap().unwrap().structure()
    }

    /// Somebody is connected.
    async fn comes(&self, account: AccountId) -> Arc<Line> {
        let session = SessionId(Uuid::now_v7());
        let line = self.app.hub().attach(account, session, Rev(1), 1 << 20);
        let loaded = self.app.communities().loaded(self.community).await;
        let loaded = loaded.unwrap().unwrap();
        let view = View::of(loaded.structure(), member(account));
        self.app.hub().present(&loaded, view, self.app.now());
        line
    }

    fn in_gathering<T>(&self, look: impl FnOnce(&mut Gathering) -> T) -> T {
        let mut state = self.app.hub().state();
        look(state.communities.get_mut(&self.community).unwrap())
    }

    fn moves(&self, topics: &[TopicId]) {
        self.in_gathering(|gathering| gathering.moved.extend(topics));
    }

    async fn sends(&self, to: Millis) -> Cost {
        self.digests.send(self.community, to).await.unwrap()
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

/// What somebody was told: the digests, and their bytes.
fn told(line: &Line) -> Vec<(Digest, Utf8Bytes)> {
    let digest = |frame: Utf8Bytes| {
        let told = ServerFrame::parse(&frame).unwrap();
        if let ServerFrame::Pushed(Pushed::Digest(digest)) = told {
            Some((digest, frame))
        } else {
            None
        }
    };
    line.take().0.into_iter().filter_map(digest).collect()
}

/// The windows that somebody was told of, with the numbers of topics.
fn windows(line: &Line) -> Vec<(Millis, Millis, Vec<u32>)> {
    let window = |(digest, _): (Digest, Utf8Bytes)| {
        let numbers = digest.topics.iter().map(|head| head.no).collect();
        (digest.from, digest.to, numbers)
    };
    let mut all: Vec<_> = told(line).into_iter().map(window).collect();
    all.sort();
    all
}

#[tokio::test]
async fn what_a_round_costs_does_not_grow_with_who_is_connected_times_what_moved() {
    const ROOMS: usize = 2_000;
    const SEATS: usize = 5;
    const MOVED: usize = 50;
    let house = House::of(u32::try_from(ROOMS).unwrap(), SEATS).await;
    let mut lines = Vec::new();
    for room in &house.rooms {
        for account in &room.seats {
            lines.push(house.comes(*account).await);
        }
    }
    lines.push(house.comes(house.owner).await);
    let everybody = ROOMS * SEATS + 1;
    let now = house.app.now() - 100;
    let counted = house.sends(now).await;
    assert_eq!((counted.encoded, counted.told), (1, everybody));
    // Only closed topics: nobody is looked at who has no seat there.
    let closed: Vec<TopicId> = house.rooms[..MOVED].iter().map(|room| room.topic).collect();
    house.moves(&closed);
    let few = house.sends(now + 1).await;
    let hearers = MOVED * SEATS + 1;
    assert_eq!((few.encoded, few.told), (MOVED, hearers));
    assert!(few.looks <= 4 * hearers, "{few:?}");
    // An open one, too: each who is connected is looked at once.
    house.moves(&closed);
    house.moves(&[house.open]);
    let all = house.sends(now + 2).await;
    assert_eq!((all.encoded, all.told), (MOVED + 1, everybody));
    assert!(all.looks <= everybody + 4 * hearers, "{all:?}");
    house.app.close().await;
}

#[tokio::test]
async fn each_audience_has_windows_of_its_own_and_only_it_hears_of_them() {
    let house = House::with(2).await;
    let (bob, carol) = (house.rooms[0].seats[0], house.rooms[1].seats[0]);
    let (room, other) = (house.rooms[0].topic, house.rooms[1].topic);
    let (owner, bob, carol) = (
        house.comes(house.owner).await,
        house.comes(bob).await,
        house.comes(carol).await,
    );
    let begun = house.in_gathering(|gathering| gathering.begun);
    let at = |n: i64| house.app.now() - 1_000 + n;
    let (first, second, third, fourth) = (at(1), at(2), at(3), at(4));
    house.moves(&[room]);
    house.sends(first).await;
    assert_eq!(windows(&bob), [(begun, first, vec![2])]);
    assert_eq!(windows(&carol), [(0, first, vec![])], "counts alone");
    assert_eq!(windows(&owner), [(begun, first, vec![2])]);
    house.moves(&[house.open]);
    house.sends(second).await;
    for line in [&owner, &bob, &carol] {
        let open = [(begun, second, vec![1])];
        assert_eq!(windows(line), open, "to this audience it is the first");
    }
    house.moves(&[room, other]);
    house.sends(third).await;
    assert_eq!(windows(&bob), [(first, third, vec![2])]);
    assert_eq!(windows(&carol), [(begun, third, vec![3])]);
    let both = [(begun, third, vec![3]), (first, third, vec![2])];
    let mut expected = both.to_vec();
    expected.sort();
    assert_eq!(windows(&owner), expected);
    house.moves(&[house.open]);
    house.sends(fourth).await;
    let open: Vec<_> = [&owner, &bob, &carol].map(|line| told(line)).into();
    for told in &open {
        let (digest, frame) = &told[0];
        assert_eq!((digest.from, digest.to), (second, fourth));
        assert_eq!(frame.as_ptr(), open[0][0].1.as_ptr(), "the same bytes");
    }
    house.app.close().await;
}

#[tokio::test]
async fn who_loses_a_seat_while_digests_are_made_hears_nothing_of_it() {
    let house = House::with(1).await;
    let (room, loser) = (house.rooms[0].topic, house.rooms[0].seats[0]);
    let line = house.comes(loser).await;
    house.moves(&[house.open, room]);
    let now = house.app.now();
    let prepared = house.digests.prepare(house.community, now).await;
    let (mut saying, present) = prepared.unwrap().unwrap();
    let mut structure = (*house.structure().await).clone();
    structure.seats.put(room, loser, None);
    let view = View::of(Arc::new(structure), member(loser));
    house.in_gathering(|gathering| gathering.present.insert(loser, view));
    house.digests.say(&mut saying, present).await;
    let told = told(&line);
    assert_eq!(told.len(), 1);
    let numbers: Vec<u32> = told[0].0.topics.iter().map(|head| head.no).collect();
    assert_eq!(numbers, [1], "the open one");
    house.app.close().await;
}

#[tokio::test]
async fn who_sees_a_part_of_an_audience_by_a_newer_rule_is_told_to_ask() {
    let house = House::with(0).await;
    let bob = AccountId(Uuid::now_v7());
    let line = house.comes(bob).await;
    let group = *house.structure().await.groups.keys().next().unwrap();
    let open = |no: u32, closed| Topic {
        group,
        name: format!("{no}"),
        introduction: String::new(),
        closed,
        position: "80".to_owned(),
        no,
        more: Default::default(),
    };
    let topic = TopicId(Uuid::now_v7());
    let row = |closed| Change::Row {
        log: Log::Community(house.community),
        id: topic.to_string(),
        body: open(2, closed).into(),
    };
    let begins = Change::TopicBegins {
        community: house.community,
        topic,
    };
    let commit = Commit::of_server(house.owner, house.app.now(), vec![row(false), begins]);
    house.app.store().commit(commit).await.unwrap();
    settled(&house.app).await;
    line.take();
    house.moves(&[house.open, topic]);
    let now = house.app.now();
    let prepared = house.digests.prepare(house.community, now).await;
    let (mut saying, present) = prepared.unwrap().unwrap();
    let mut closed = (*house.structure().await).clone();
    let row = tulou_protocol::Row {
        id: topic.to_string(),
        rev: Rev(100),
        body: open(2, true).into(),
    };
    closed.apply(Rev(100), [&row].into_iter(), &[]);
    let view = View::of(Arc::new(closed), member(bob));
    assert!(!view.sight.sees(topic) && view.sight.sees(house.open));
    house.in_gathering(|gathering| gathering.present.insert(bob, view));
    house.digests.say(&mut saying, present).await;
    assert_eq!(windows(&line), [(now, now, vec![])]);
    house.app.close().await;
}

#[tokio::test]
async fn who_would_hear_more_of_a_round_than_is_good_for_him_is_told_to_ask() {
    let house = House::with(400).await;
    let owner = house.comes(house.owner).await;
    let one = house.comes(house.rooms[7].seats[0]).await;
    let all: Vec<TopicId> = house.rooms.iter().map(|room| room.topic).collect();
    house.moves(&all);
    let now = house.app.now();
    house.sends(now).await;
    assert_eq!(windows(&owner), [(now, now, vec![])]);
    let heard = windows(&one);
    assert_eq!(heard.len(), 1, "the others hear what they would");
    assert_eq!(heard[0].2, [9]);
    house.app.close().await;
}

#[tokio::test]
async fn a_community_rests_for_as_long_as_whoever_hears_most_of_it_needs() {
    let seconds = Duration::from_secs;
    for (rooms, least, most) in [(300, 30, 40), (60, 5, 12), (10, 0, 0)] {
        let house = House::with(rooms).await;
        house.comes(house.owner).await;
        house.comes(house.rooms[7].seats[0]).await;
        let all: Vec<TopicId> = house.rooms.iter().map(|room| room.topic).collect();
        house.moves(&all);
        let cost = house.sends(house.app.now()).await;
        let rest = pause_between(cost.most);
        let is_meant = seconds(least) <= rest && rest <= seconds(most);
        assert!(is_meant, "{rooms} rooms: {rest:?}");
        house.moves(&all);
        house.digests.round(house.community).await;
        let next_at = house.in_gathering(|gathering| gathering.next_at);
        let rests = next_at.saturating_sub(house.digests.clock.uptime());
        assert!(rests + seconds(1) >= rest, "{rooms} rooms: {rests:?}");
        house.app.close().await;
    }
}

#[tokio::test]
async fn an_audience_that_was_told_much_delays_no_other() {
    let house = House::with(1).await;
    let line = house.comes(house.rooms[0].seats[0]).await;
    let room = house.rooms[0].topic;
    house.moves(&[house.open]);
    let (now, later) = (house.app.now() - 2, house.app.now() - 1);
    house.sends(now).await;
    line.take();
    let rests = |until| {
        house.in_gathering(|gathering| {
            for told in gathering.told.values_mut() {
                told.next_at = until;
            }
        });
    };
    rests(Duration::from_secs(3_600));
    house.moves(&[house.open, room]);
    house.sends(later).await;
    let told: Vec<Vec<u32>> = windows(&line).into_iter().map(|window| window.2).collect();
    assert_eq!(told, [[2]], "the room has not been told anything yet");
    let waits = house.in_gathering(|gathering| gathering.moved.clone());
    assert_eq!(waits.into_iter().collect::<Vec<_>>(), [house.open]);
    rests(Duration::ZERO);
    house.sends(house.app.now()).await;
    let told = windows(&line);
    assert_eq!((told[0].0, &told[0].2), (now, &vec![1]), "nothing is lost");
    house.app.close().await;
}

#[tokio::test]
async fn what_could_not_be_told_is_told_in_the_next_round() {
    let house = House::with(0).await;
    let line = house.comes(house.owner).await;
    house.moves(&[house.open]);
    // The clock was a day ahead when the round began.
    house.sends(house.app.now() + 86_400_000).await;
    assert_eq!(told(&line), [], "no window ends tomorrow");
    let waits = || house.in_gathering(|gathering| (gathering.moved.len(), gathering.counts));
    assert_eq!(waits(), (1, (0, 0)));
    let now = house.app.now();
    house.sends(now).await;
    assert_eq!(windows(&line)[0].1, now);
    house.moves(&[house.open]);
    let counts = waits().1;
    house.app.close().await;
    let sent = house.digests.send(house.community, now).await;
    assert!(sent.is_err(), "the store is closed");
    assert_eq!(waits(), (1, counts), "it moved all the same");
}

#[tokio::test]
async fn what_could_not_be_told_is_due_though_a_round_came_meanwhile() {
    let house = House::with(0).await;
    house.comes(house.owner).await;
    let structure = house.structure().await;
    house.moves(&[house.open]);
    let news = house.digests.news(&structure).unwrap();
    assert_eq!(house.digests.due(), [], "all of it is on its way");
    house.digests.take_back(house.community, &news);
    assert_eq!(house.digests.due(), [house.community]);
    house.app.close().await;
}

#[tokio::test]
async fn names_of_audiences_that_are_no_more_are_forgotten() {
    let house = House::with(1).await;
    let line = house.comes(house.rooms[0].seats[0]).await;
    let old = Told {
        to: 1,
        next_at: Duration::ZERO,
    };
    house.moves(&[house.open]);
    let now = house.app.now() - 1;
    house.sends(now).await;
    house.in_gathering(|gathering| {
        let names = (0..100).map(|no| (format!("old {no}"), old));
        gathering.told.extend(names);
    });
    house.moves(&[house.rooms[0].topic]);
    house.sends(now + 1).await;
    assert_eq!(house.in_gathering(|gathering| gathering.told.len()), 2);
    line.take();
    house.moves(&[house.open]);
    house.sends(house.app.now()).await;
    assert_eq!(windows(&line)[0].0, now, "those that are stay");
    house.app.close().await;
}

#[test]
fn a_dear_round_has_a_long_rest() {
    assert_eq!(pause_after(Duration::from_millis(50)), Duration::ZERO);
    assert_eq!(pause_after(Duration::from_secs(1)), Duration::from_secs(20));
}

#[tokio::test]
async fn a_topic_that_was_made_and_written_in_since_the_structure_was_taken_is_in_the_next_round() {
    let house = House::with(0).await;
    house.comes(house.owner).await;
    let before = house.structure().await;
    let (new, ended) = (TopicId(Uuid::now_v7()), TopicId(Uuid::now_v7()));
    let command = Command::TopicCreate {
        community: house.community,
        topic: new,
        group: *before.groups.keys().next().unwrap(),
        name: "新".to_owned(),
        introduction: String::new(),
        closed: false,
        position: "90".to_owned(),
    };
    let id = CommandId(Uuid::now_v7());
    let actor = crate::actor::Actor::server(house.owner);
    let given = house.app.begin(actor, Commanded { id, command });
    given.await.await.unwrap();
    house.moves(&[house.open, new, ended]);
    let news = house.digests.news(&before).unwrap();
    assert_eq!(news.topics().collect::<Vec<_>>(), [house.open]);
    let mut left = Vec::new();
    house.in_gathering(|gathering| left.extend(gathering.moved.iter().copied()));
    assert_eq!(left, [new], "and nothing of what is no more");
    house.app.close().await;
}

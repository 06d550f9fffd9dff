//! What telling a change costs that concerns many.

use tulou_protocol::{
    GroupId, MemberGroupId, Permissions, Row, ServerFrame, SessionId,
    permission::Place,
    row::{AccessRow, Body, Community, Group, Join, MemberGroup, Topic},
};
use uuid::Uuid;

use super::*;
use crate::store::WrittenRow;

const MEMBERS: usize = 10_000;
const TOPICS: usize = 2_000;
/// Every member is in one of so many member groups, which do not have the same rights.
const KINDS: usize = 4;
/// Seats of each member: nobody has the same ones as another.
const SEATS: usize = 2;
const COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(1));
const GROUP: GroupId = GroupId(Uuid::from_u128(2));

fn account(no: usize) -> AccountId {
    AccountId(Uuid::from_u128(10_000_000 + no as u128))
}

fn topic(no: usize) -> TopicId {
    TopicId(Uuid::from_u128(20_000_000 + no as u128))
}

fn kind(no: usize) -> MemberGroupId {
    MemberGroupId(Uuid::from_u128(300 + no as u128))
}

fn member(no: usize) -> Member {
    Member {
        account: account(no),
        joined_at: 1,
        member_groups: vec![kind(no % KINDS)],
        rev: Rev(1),
    }
}

/// In which topics a member has a seat.
fn seats(no: usize) -> [TopicId; SEATS] {
    [topic(no % TOPICS), topic((no + 1 + no / TOPICS) % TOPICS)]
}

fn row(rev: u64, id: impl ToString, body: impl Into<Body>) -> Row {
    Row {
        id: id.to_string(),
        rev: Rev(rev),
        body: body.into(),
    }
}

fn access(rev: u64, place: Place, kind: Option<MemberGroupId>, allow: Permissions) -> Row {
    let body = AccessRow {
        place,
        member_group: kind,
        allow,
        deny: Permissions::empty(),
        more: Default::default(),
    };
    row(rev, AccessRow::id(place, kind), body)
}

/// All topics are closed.
fn founded() -> Structure {
    let community = Community {
        name: "土楼".to_owned(),
        introduction: String::new(),
        owner: AccountId(Uuid::from_u128(7)),
        join: Join::Invite,
        recall_window_ms: 120_000,
        edit_window_ms: None,
        created_at: 0,
        more: Default::default(),
    };
    let group = Group {
        name: "大厅".to_owned(),
        position: "80".to_owned(),
        more: Default::default(),
    };
    let mut rows = vec![row(1, COMMUNITY, community), row(1, GROUP, group)];
    rows.push(access(
        1,
        Place::Community,
        None,
        Permissions::NEW_COMMUNITY,
    ));
    for no in 0..KINDS {
        let body = MemberGroup {
            name: "组".to_owned(),
            rank: "80".to_owned(),
            shown: false,
            tagged: false,
            more: Default::default(),
        };
        rows.push(row(1, kind(no), body));
        let rights = [
            Permissions::PIN,
            Permissions::MUTE,
            Permissions::KICK,
            Permissions::RECALL_OTHERS,
        ];
        rows.push(access(1, Place::Community, Some(kind(no)), rights[no]));
    }
    for no in 0..TOPICS {
        let body = Topic {
            group: GROUP,
            name: format!("密室{no}"),
            introduction: String::new(),
            closed: true,
            position: "80".to_owned(),
            no: u32::try_from(no).unwrap() + 1,
            more: Default::default(),
        };
        rows.push(row(1, topic(no), body));
    }
    let taken = (0..MEMBERS).flat_map(|no| seats(no).map(|topic| (topic, account(no), 1)));
    Structure::from_rows(COMMUNITY, Rev(1), rows, taken.collect(), 0, 2).unwrap()
}

/// Members who are connected, each with a seat or two.
struct House {
    hub: Hub,
    structure: Structure,
    lines: Vec<Arc<Line>>,
}

/// What was counted.
#[derive(Debug)]
struct Cost {
    looks: usize,
    frames: usize,
    asking: usize,
}

impl House {
    fn new() -> Self {
        let hub = Hub::default();
        let structure = founded();
        let loaded = Arc::new(Loaded::new(structure.clone(), 0));
        let comes = |no| {
            let session = SessionId(Uuid::from_u128(no as u128));
            let line = hub.attach(account(no), session, Rev(1), 1 << 20);
            hub.present(&loaded, View::of(loaded.structure(), member(no)), 1);
            line
        };
        let lines = (0..MEMBERS).map(comes).collect();
        Self {
            hub,
            structure,
            lines,
        }
    }

    /// One row is written.
    async fn hears(&mut self, row: Row) -> Cost {
        let prev = self.structure.rev;
        self.structure.apply(row.rev, std::iter::once(&row), &[]);
        let written = Written {
            log: Log::Community(COMMUNITY),
            prev,
            rev: row.rev,
            rows: vec![WrittenRow::of(Log::Community(COMMUNITY), row).unwrap()],
            authors: Vec::new(),
        };
        let news = News {
            written: Some(Cow::Owned(written)),
            ..News::default()
        };
        let loaded = Arc::new(Loaded::new(self.structure.clone(), 0));
        let after = loaded.structure();
        let mut telling = Telling::of(&news, &after);
        let accounts = telling.begins(&mut self.hub.state(), &loaded).unwrap();
        assert_eq!(accounts.len(), MEMBERS);
        telling.goes_through(&self.hub, &accounts).await;
        Cost {
            looks: telling.compared.looks(),
            frames: telling.frames.len(),
            asking: telling.asking.len(),
        }
    }

    /// The kinds of the rows that a member was told.
    fn told(&self, no: usize) -> Vec<String> {
        let frames = self.lines[no].take().0.into_iter();
        let rows = frames.flat_map(|frame| {
            let told = ServerFrame::parse(&frame).unwrap();
            let ServerFrame::Pushed(Pushed::Push(push)) = told else {
                panic!("{told:?}")
            };
            push.rows
        });
        rows.map(|row| row.body.kind().to_owned()).collect()
    }
}

#[tokio::test]
async fn what_a_change_of_rights_costs_does_not_grow_with_topics_times_who_has_seats_of_his_own() {
    let mut house = House::new();
    // Of each kind one is looked at in all topics, and everybody in those where he has a seat: before the hub is held, and then.
    let looks = KINDS * TOPICS + 2 * MEMBERS * SEATS;
    let of_group = access(2, Place::Group(GROUP), None, Permissions::SPEAK);
    let nothing = house.hears(of_group).await;
    assert_eq!((nothing.frames, nothing.asking), (KINDS, 0), "{nothing:?}");
    assert!(nothing.looks <= looks, "{nothing:?}");
    for no in 0..MEMBERS {
        assert_eq!(house.told(no), ["access"], "member {no}");
    }
    // Who has a seat in the topic that a row speaks of sees the row, and nobody else.
    let of_topic = access(3, Place::Topic(topic(5)), None, Permissions::SPEAK);
    let one = house.hears(of_topic).await;
    assert_eq!((one.frames, one.asking), (2 * KINDS, 0), "{one:?}");
    assert!(one.looks <= looks, "{one:?}");
    for no in 0..MEMBERS {
        let is_told = !house.told(no).is_empty();
        assert_eq!(is_told, seats(no).contains(&topic(5)), "member {no}");
    }
    // Everybody sees otherwise.
    let mut hides = access(4, Place::Group(GROUP), None, Permissions::empty());
    if let Body::AccessRow(row) = &mut hides.body {
        row.deny = Permissions::VIEW;
    }
    let all = house.hears(hides).await;
    assert_eq!((all.frames, all.asking), (0, MEMBERS), "{all:?}");
    assert!(all.looks <= looks, "{all:?}");
}

//! What is told together is seen by the same people, and a name says nothing of what is not seen.

use super::*;
use crate::domain::{Audience, Hears};

fn added(structure: &Structure, rev: u64, rows: &[Row]) -> Structure {
    let mut after = structure.clone();
    after.apply(Rev(rev), rows.iter(), &[]);
    after
}

fn rule(place: Place, group: Option<MemberGroupId>, allow: Permissions, deny: Permissions) -> Row {
    let mut body = access(place, group, allow);
    body.deny = deny;
    row(20, AccessRow::id(place, group), body)
}

fn audience_of(structure: &Structure, topic: TopicId) -> Audience {
    structure.audiences([topic]).remove(0)
}

fn topic_id(n: u128) -> TopicId {
    TopicId(Uuid::from_u128(n))
}

/// A community with another group, in which are more topics.
fn house() -> Structure {
    let group = GroupId(Uuid::from_u128(400));
    let mut rows = vec![row(
        10,
        group,
        Group {
            name: "偏厅".to_owned(),
            position: "90".to_owned(),
            more: Default::default(),
        },
    )];
    for n in 0..4_u128 {
        let no = u32::try_from(n).unwrap() + 10;
        let mut body = topic("房", n == 3, no);
        body.group = group;
        rows.push(row(10, topic_id(500 + n), body));
    }
    added(&structure(), 10, &rows)
}

#[test]
fn topics_are_one_audience_where_the_rows_say_the_same_of_view() {
    let speak = [
        rule(
            Place::Topic(topic_id(500)),
            None,
            Permissions::empty(),
            Permissions::SPEAK,
        ),
        rule(
            Place::Topic(topic_id(501)),
            Some(KEEPERS),
            Permissions::PIN,
            Permissions::empty(),
        ),
    ];
    let house = added(&house(), 20, &speak);
    let all = [OPEN, topic_id(500), topic_id(501), topic_id(502)];
    let audiences = house.audiences(all);
    assert_eq!(audiences.len(), 1, "whoever sees one of them sees all");
    assert_eq!(audiences[0].topics, all);
    let hidden = [rule(
        Place::Topic(topic_id(500)),
        Some(HIGH),
        Permissions::empty(),
        Permissions::VIEW,
    )];
    let audiences = added(&house, 21, &hidden).audiences(all);
    let topics: Vec<usize> = audiences
        .iter()
        .map(|audience| audience.topics.len())
        .collect();
    assert!(topics == [1, 3] || topics == [3, 1], "{audiences:?}");
}

#[test]
fn each_closed_topic_is_an_audience_and_nobody_hears_of_it_without_a_seat() {
    let mut house = house();
    let closed = topic_id(503);
    for topic in [CLOSED, closed] {
        house.seats.put(topic, BOB, Some(7));
    }
    house.seats.put(closed, CAROL, Some(7));
    house.seats.put(CLOSED, CAROL, None);
    let audiences = house.audiences([CLOSED, closed]);
    assert_eq!(
        audiences.len(),
        2,
        "the same seats today are others tomorrow"
    );
    let hears = |account| {
        let sight = house.sight(&member(account, &[]));
        let heard = |topic| audience_of(&house, topic).heard_by(&sight) == Hears::All;
        [heard(OPEN), heard(CLOSED), heard(closed)]
    };
    assert_eq!(hears(BOB), [true, true, true]);
    assert_eq!(hears(CAROL), [true, false, true]);
    assert_eq!(hears(OWNER), [true, true, true]);
    assert_eq!(hears(AccountId(Uuid::from_u128(99))), [true, false, false]);
}

#[test]
fn a_name_stays_while_topics_and_seats_come_and_go_and_is_another_after_a_change_of_view() {
    let before = house();
    let names =
        |structure: &Structure| [OPEN, CLOSED].map(|topic| audience_of(structure, topic).name);
    let rows = [
        row(20, topic_id(600), topic("新", false, 60)),
        row(20, topic_id(601), topic("密", true, 61)),
        rule(
            Place::Topic(topic_id(600)),
            None,
            Permissions::empty(),
            Permissions::VIEW,
        ),
        rule(
            Place::Topic(OPEN),
            None,
            Permissions::empty(),
            Permissions::REACT,
        ),
    ];
    let mut more = added(&before, 20, &rows);
    more.seats.put(CLOSED, CAROL, Some(7));
    assert_eq!(names(&more), names(&before), "nothing hidden changes them");
    let opened = added(&before, 20, &[row(20, CLOSED, topic("开", false, 2))]);
    assert_eq!(
        audience_of(&opened, CLOSED).name,
        names(&before)[0],
        "it is told with the others now"
    );
    let shown = rule(
        Place::Community,
        Some(HIGH),
        Permissions::VIEW,
        Permissions::empty(),
    );
    let shown = added(&before, 20, &[shown]);
    assert_ne!(names(&shown)[0], names(&before)[0]);
}

#[test]
fn by_other_rules_an_audience_is_heard_in_part_or_not_at_all() {
    let before = house();
    let audience = before.audiences([OPEN, topic_id(500)]).remove(0);
    let bob = member(BOB, &[]);
    let hidden = |topic| {
        let place = Place::Topic(topic);
        let row = rule(place, None, Permissions::empty(), Permissions::VIEW);
        added(&before, 20, &[row]).sight(&bob)
    };
    assert_eq!(audience.heard_by(&before.sight(&bob)), Hears::All);
    assert_eq!(audience.heard_by(&hidden(OPEN)), Hears::Some);
    assert_eq!(audience.heard_by(&hidden(topic_id(500))), Hears::Some);
    assert_eq!(audience.heard_by(&hidden(topic_id(501))), Hears::All);
    let place = Place::Community;
    let nothing = rule(place, None, Permissions::empty(), Permissions::VIEW);
    let nothing = added(&before, 20, &[nothing]).sight(&bob);
    assert_eq!(audience.heard_by(&nothing), Hears::Nothing);
}

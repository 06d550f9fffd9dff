//! Whether a state that is told in pages may go on is asked with a stamp that a client may have made up.

use std::time::{Duration, Instant};

use tulou_protocol::limits;

use super::*;

const PLACES: u128 = 500;

fn group_no(no: u128) -> GroupId {
    GroupId(Uuid::from_u128(2_000_000 + no))
}

fn topic_no(no: usize) -> TopicId {
    TopicId(Uuid::from_u128(1_000_000 + no as u128))
}

/// A community at its limits, whose access rows are at groups.
fn at_the_limits() -> Structure {
    let mut structure = structure();
    let mut rows = Vec::new();
    for no in 0..PLACES {
        let group = Group {
            name: "组".into(),
            position: "80".into(),
            more: Default::default(),
        };
        rows.push(row(10, group_no(no), group));
    }
    for no in 0..limits::ACCESS_ROWS as u128 {
        let place = Place::Group(group_no(no % PLACES));
        let of = MemberGroupId(Uuid::from_u128(300 + no / PLACES));
        let kept = access(place, Some(of), Permissions::SPEAK);
        rows.push(row(10, AccessRow::id(place, Some(of)), kept));
    }
    for no in 0..limits::TOPICS {
        rows.push(row(10, topic_no(no), topic("话题", false, 10)));
    }
    structure.apply(Rev(10), rows.iter(), &[]);
    structure
}

#[test]
fn whatever_stamp_somebody_makes_up_each_row_is_looked_at_once() {
    let mut structure = at_the_limits();
    let owner = member(OWNER, &[]);
    let me = structure.me(&owner);
    let honest = structure.page_stamp(&structure.sight(&owner), &me);
    let rows: Vec<Row> = (0..limits::TOPICS)
        .map(|no| {
            let mut body = topic("话题", false, 10);
            body.group = group_no(no as u128 % PLACES);
            row(11, topic_no(no), body)
        })
        .collect();
    structure.apply(Rev(11), rows.iter(), &[]);
    let (begun, sight) = (Instant::now(), structure.sight(&owner));
    for _ in 0..10 {
        for made_up in ["x.0.4294967295", "x.0.0", "x.18446744073709551615.1"] {
            assert!(!structure.goes_on(&sight, &me, made_up));
        }
        assert!(
            structure.goes_on(&sight, &me, &honest),
            "each of them is told again"
        );
    }
    let took = begun.elapsed();
    assert!(
        took < Duration::from_secs(10),
        "25,000 rows and not 100 million pairs, forty times: {took:?}"
    );
}

//! What members see is computed for those who see alike, and as often as it changes.

use std::sync::Arc;

use super::*;

#[test]
fn members_of_other_groups_with_the_same_rights_have_one_sight() {
    let mut structure = structure();
    let quiet = MemberGroupId(Uuid::from_u128(300));
    let made = row(10, quiet, member_group("静", "10"));
    structure.apply(Rev(10), [&made].into_iter(), &[]);
    let before = structure.sight(&member(CAROL, &[]));
    let carol = structure.sight(&member(CAROL, &[quiet]));
    assert!(
        Arc::ptr_eq(&before, &carol),
        "no access row speaks of the group that only carol is in"
    );
    let keeper = structure.sight(&member(CAROL, &[KEEPERS]));
    assert!(!Arc::ptr_eq(&before, &keeper), "keepers may do more");
}

#[test]
fn another_name_leaves_what_is_seen_and_another_right_does_not() {
    let before = structure();
    let mut renamed = before.clone();
    let named = row(10, OPEN, topic("新名", false, 1));
    renamed.apply(Rev(10), [&named].into_iter(), &[]);
    let bob = member(BOB, &[]);
    assert!(
        Arc::ptr_eq(&before.sight(&bob), &renamed.sight(&bob)),
        "nothing that rights hang on has changed"
    );
    let mut denied = before.clone();
    let mut deny = access(Place::Topic(OPEN), None, Permissions::empty());
    deny.deny = Permissions::VIEW;
    let deny = row(10, AccessRow::id(Place::Topic(OPEN), None), deny);
    denied.apply(Rev(10), [&deny].into_iter(), &[]);
    assert!(before.sight(&bob).topics.contains_key(&OPEN));
    assert!(!denied.sight(&bob).topics.contains_key(&OPEN));
}

#[test]
fn tombstones_of_access_rows_are_found_by_what_they_name() {
    let places = (0..10_000_u128).map(|n| Place::Topic(TopicId(Uuid::from_u128(1_000_000 + n))));
    let ids: Vec<(Place, Option<MemberGroupId>)> = places
        .flat_map(|place| [(place, None), (place, Some(KEEPERS))])
        .collect();
    let mut structure = structure();
    let there = structure.access.len();
    let rows: Vec<Row> = ids
        .iter()
        .map(|(place, group)| {
            let id = AccessRow::id(*place, *group);
            row(10, id, access(*place, *group, Permissions::SPEAK))
        })
        .collect();
    structure.apply(Rev(10), rows.iter(), &[]);
    assert_eq!(structure.access.len(), there + 20_000);
    let gone: Vec<Row> = rows
        .iter()
        .map(|kept| row(11, &kept.id, Body::Deleted("access".into())))
        .collect();
    let begun = std::time::Instant::now();
    structure.apply(Rev(11), gone.iter(), &[]);
    assert_eq!(structure.access.len(), there, "each one takes its row");
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(10),
        "20,000 of them look at 20,000 rows, and not at 400 million"
    );
}

#[test]
fn a_topic_that_ends_takes_its_seats_and_leaves_the_others() {
    let mut structure = structure();
    for (topic, account) in [(CLOSED, BOB), (CLOSED, CAROL), (OPEN, CAROL)] {
        structure.seats.put(topic, account, Some(7));
    }
    let ends = Change::TopicEnds {
        community: COMMUNITY,
        topic: CLOSED,
    };
    structure.apply(Rev(10), std::iter::empty(), &[ends]);
    assert_eq!(
        structure.seats.all().collect::<Vec<_>>(),
        [(OPEN, CAROL, 7)]
    );
    assert_eq!(structure.seats.count(CLOSED), 0);
    assert_eq!(structure.seats_of(BOB).count(), 0);
}

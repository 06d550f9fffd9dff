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
    assert!(before.sight(&bob).sees(OPEN));
    assert!(!denied.sight(&bob).sees(OPEN));
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

#[test]
fn sights_that_nobody_holds_any_more_are_kept_within_a_bound() {
    const RARE: [Permissions; 3] = [
        Permissions::PIN,
        Permissions::MUTE,
        Permissions::RECALL_OTHERS,
    ];
    let mut structure = structure();
    let groups: Vec<MemberGroupId> = (0..10)
        .map(|no| MemberGroupId(Uuid::from_u128(300 + no)))
        .collect();
    let topics: Vec<TopicId> = (0..2_000)
        .map(|no| TopicId(Uuid::from_u128(1_000_000 + no)))
        .collect();
    let mut rows: Vec<Row> = Vec::new();
    for group in &groups {
        rows.push(row(10, group, member_group("组", "10")));
        let speaks = access(Place::Topic(OPEN), Some(*group), Permissions::SPEAK);
        rows.push(row(
            10,
            AccessRow::id(Place::Topic(OPEN), Some(*group)),
            speaks,
        ));
    }
    for (no, id) in topics.iter().enumerate() {
        rows.push(row(
            10,
            id,
            topic("话题", false, 10 + u32::try_from(no).unwrap()),
        ));
        // Each has rows of its own.
        for (at, group) in groups
            .iter()
            .enumerate()
            .filter(|(at, _)| no >> at & 1 == 1)
        {
            let rights = RARE[(at + no / 1_024) % RARE.len()];
            let rights = access(Place::Topic(*id), Some(*group), rights);
            rows.push(row(
                10,
                AccessRow::id(Place::Topic(*id), Some(*group)),
                rights,
            ));
        }
    }
    structure.apply(Rev(10), rows.iter(), &[]);
    let kind = |no: usize| {
        let his = groups
            .iter()
            .enumerate()
            .filter(|(at, _)| no >> at & 1 == 1);
        member(CAROL, &his.map(|(_, group)| *group).collect::<Vec<_>>())
    };
    let held = structure.sight(&kind(1));
    let seen: Vec<_> = (0..700)
        .map(|no| Arc::downgrade(&structure.sight(&kind(no))))
        .collect();
    let alive = seen.iter().filter(|sight| sight.strong_count() > 0).count();
    assert!(
        alive * topics.len() <= 1_000_000,
        "{alive} kinds of members with their rights in {} topics each",
        topics.len()
    );
    assert!(
        Arc::ptr_eq(&held, &structure.sight(&kind(1))),
        "what somebody holds is the one that there is"
    );
}

#[test]
fn of_members_with_other_seats_and_the_same_rights_each_has_his_seats_and_the_rest_is_shared() {
    let mut structure = structure();
    let topics: Vec<TopicId> = (0..2_000)
        .map(|no| TopicId(Uuid::from_u128(1_000_000 + no)))
        .collect();
    let rows: Vec<Row> = topics
        .iter()
        .zip(10..)
        .map(|(id, no)| row(10, id, topic("密", true, no)))
        .collect();
    structure.apply(Rev(10), rows.iter(), &[]);
    let account = |no: usize| AccountId(Uuid::from_u128(5_000_000 + no as u128));
    for no in 0..20_000 {
        for seat in 0..3 {
            let topic = topics[(no * 7 + seat * 501 * (1 + no / 2_000)) % topics.len()];
            structure.seats.put(topic, account(no), Some(7));
        }
    }
    let first = structure.sight(&member(account(0), &[]));
    let mut sum = 0;
    for no in 0..20_000 {
        let sight = structure.sight(&member(account(no), &[]));
        assert!(sight.shares(&first), "all but their seats is the same");
        sum += sight.weight();
    }
    assert!(sum < 1_000_000, "20,000 kinds hold {sum}, not 40 million");
    let seats: Vec<TopicId> = structure.seats_of(account(0)).map(|(id, _)| id).collect();
    for id in &topics {
        assert_eq!(first.sees(*id), seats.contains(id));
        assert_eq!(first.is_locked(*id), !seats.contains(id), "they are listed");
    }
}

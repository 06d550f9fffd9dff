//! What the difference of two views says: enough for whoever held what the first one shows, and no more.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;

use super::{
    rights::{GROUPS, MEMBER_GROUPS, Plan, TOPICS, plan},
    *,
};
use crate::domain::{
    View,
    view::{Compared, Diff},
};

/// What one commit does to a community.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Grants(Place, Option<MemberGroupId>, Permissions),
    Moves(TopicId, usize),
    Ends(TopicId),
    Makes,
    Transfers,
    /// Bob gets or loses a seat.
    Seats(TopicId, Option<i64>),
    /// Bob's member groups.
    Assigns(Vec<MemberGroupId>),
    Nothing,
}

pub(super) const MADE: TopicId = TopicId(Uuid::from_u128(209));

pub(super) fn step() -> impl Strategy<Value = Step> {
    let topic = || prop::sample::select(TOPICS.to_vec());
    let group = prop::sample::select(MEMBER_GROUPS.to_vec());
    let place = prop_oneof![
        Just(Place::Community),
        prop::sample::select(GROUPS.to_vec()).prop_map(Place::Group),
        topic().prop_map(Place::Topic),
    ];
    let rights = prop::sample::subsequence(
        vec![
            Permissions::VIEW,
            Permissions::READ_HISTORY,
            Permissions::SPEAK,
            Permissions::MANAGE_TOPICS,
        ],
        0..=4,
    );
    prop_oneof![
        (place, prop::option::of(group), rights).prop_map(|(place, group, rights)| Step::Grants(
            place,
            group,
            rights.into_iter().collect()
        )),
        (topic(), 0..2_usize).prop_map(|(topic, to)| Step::Moves(topic, to)),
        topic().prop_map(Step::Ends),
        Just(Step::Makes),
        Just(Step::Transfers),
        (topic(), prop::option::of(Just(700))).prop_map(|(topic, since)| Step::Seats(topic, since)),
        prop::sample::subsequence(MEMBER_GROUPS.to_vec(), 0..=3).prop_map(Step::Assigns),
        Just(Step::Nothing),
    ]
}

/// The community after a step, with the rows that were written, and bob.
pub(super) fn after(plan: &Plan, before: &Structure, step: &Step) -> (Structure, Vec<Row>, Member) {
    let mut bob = plan.bob();
    let mut changes = Vec::new();
    let rev = Rev(6);
    let topic_row = |id: &TopicId| {
        let kept = before.topics.get(id).map(|kept| kept.body.clone());
        row(rev.0, id, kept.unwrap())
    };
    let rows = match step {
        Step::Grants(place, group, rights) => {
            let id = AccessRow::id(*place, *group);
            vec![row(rev.0, id, access(*place, *group, *rights))]
        }
        Step::Moves(id, to) => {
            let mut moved = topic_row(id);
            if let Body::Topic(topic) = &mut moved.body {
                topic.group = GROUPS[*to];
            }
            vec![moved]
        }
        Step::Ends(topic) => {
            let (community, topic) = (COMMUNITY, *topic);
            changes.push(Change::TopicEnds { community, topic });
            let of_it = |(place, _): &&(Place, _)| *place == Place::Topic(topic);
            let mut rows: Vec<Row> = before
                .access
                .keys()
                .filter(of_it)
                .map(|(place, group)| {
                    let id = AccessRow::id(*place, *group);
                    row(rev.0, id, Body::Deleted("access".into()))
                })
                .collect();
            rows.push(row(rev.0, topic, Body::Deleted("topic".into())));
            rows
        }
        Step::Makes => {
            let made = Topic {
                group: GROUPS[0],
                ..topic("新", false, 9)
            };
            vec![row(rev.0, MADE, made)]
        }
        Step::Transfers => {
            let mut own = before.community.body.clone();
            own.owner = if own.owner == BOB { OWNER } else { BOB };
            vec![row(rev.0, COMMUNITY, own)]
        }
        Step::Seats(topic, since) => {
            changes.push(Change::Seat {
                community: COMMUNITY,
                topic: *topic,
                account: BOB,
                since: *since,
            });
            vec![topic_row(topic)]
        }
        Step::Assigns(groups) => {
            bob.member_groups.clone_from(groups);
            Vec::new()
        }
        Step::Nothing => Vec::new(),
    };
    let mut after = before.clone();
    after.apply(rev, rows.iter(), &changes);
    (after, rows, bob)
}

/// What somebody holds of a community.
fn held(structure: &Structure, member: &Member) -> BTreeMap<(String, String), Body> {
    let sight = structure.sight(member);
    let rows = structure.rows_since(&sight, Rev::ZERO, false).into_iter();
    rows.map(|row| ((row.body.kind().to_owned(), row.id), row.body))
        .collect()
}

proptest! {
    #[test]
    fn who_need_not_ask_anew_gets_by_rows_what_asking_would_bring(plan in plan(), step in step()) {
        let before = plan.structure();
        let (after, written, bob) = after(&plan, &before, &step);
        let was = View::of(Arc::new(before), plan.bob());
        let is = View::of(Arc::new(after.clone()), bob.clone());
        let diff = was.diff(&is, &TOPICS, &mut Compared::default());
        if !diff.is_other {
            let mut has = held(&plan.structure(), &plan.bob());
            for row in after.written_as_seen(&is.sight, written.iter()) {
                let key = (row.body.kind().to_owned(), row.id);
                if matches!(row.body, Body::Deleted(_)) {
                    has.remove(&key);
                } else {
                    has.insert(key, row.body);
                }
            }
            prop_assert_eq!(has, held(&after, &bob), "{:?}", step);
        }
    }

    #[test]
    fn of_what_is_watched_the_hidden_ends_and_what_is_read_from_elsewhere_is_named(
        plan in plan(),
        step in step(),
    ) {
        let before = plan.structure();
        let (after, _, bob) = after(&plan, &before, &step);
        let was = View::of(Arc::new(before.clone()), plan.bob());
        let is = View::of(Arc::new(after.clone()), bob.clone());
        let diff = was.diff(&is, &TOPICS, &mut Compared::default());
        for topic in TOPICS {
            let sees = |structure: &Structure, member: &Member| {
                structure.permissions(member, Place::Topic(topic)).contains(Permissions::VIEW)
            };
            let (saw, still) = (sees(&before, &plan.bob()), sees(&after, &bob));
            let is_or_was = before.topics.contains_key(&topic) || after.topics.contains_key(&topic);
            prop_assert_eq!(diff.hidden.contains(&topic), is_or_was && !still);
            let moves = before.readable_since(&plan.bob(), topic) != after.readable_since(&bob, topic);
            prop_assert_eq!(diff.refloored.contains(&topic), still && (moves || !saw));
        }
    }
}

#[test]
fn a_view_differs_from_itself_in_nothing() {
    let structure = Arc::new(structure());
    for account in [OWNER, BOB, CAROL] {
        let view = || View::of(structure.clone(), member(account, &[KEEPERS]));
        let seen: Vec<TopicId> = view().sight.topics().map(|(topic, _)| topic).collect();
        let diff = view().diff(&view(), &seen, &mut Compared::default());
        assert_eq!(diff, Diff::default());
    }
}

#[test]
fn who_gets_a_seat_or_a_member_group_asks_anew_and_others_of_the_same_kind_do_not() {
    let before = structure();
    let mut seated = before.clone();
    let seat = Change::Seat {
        community: COMMUNITY,
        topic: OPEN,
        account: BOB,
        since: Some(NOW),
    };
    seated.apply(Rev(10), [].iter(), &[seat]);
    let (before, seated) = (Arc::new(before), Arc::new(seated));
    let mut compared = Compared::default();
    let mut asks = |account, groups: &[MemberGroupId]| {
        let was = View::of(before.clone(), member(account, &[]));
        let is = View::of(seated.clone(), member(account, groups));
        was.diff(&is, &[], &mut compared).is_other
    };
    assert!(asks(BOB, &[]), "he has a seat, though the topic is open");
    assert!(!asks(CAROL, &[]), "nothing is new for her");
    assert!(asks(CAROL, &[KEEPERS]), "she is a keeper now");
}

#[test]
fn a_view_that_was_made_earlier_is_older() {
    let (before, mut after) = (structure(), structure());
    after.apply(Rev(10), [].iter(), &[]);
    let bob = |rev| Member {
        rev: Rev(rev),
        ..member(BOB, &[])
    };
    let (before, after) = (Arc::new(before), Arc::new(after));
    let first = View::of(before.clone(), bob(1));
    assert!(first.is_older_than(&View::of(after.clone(), bob(1))));
    assert!(first.is_older_than(&View::of(before.clone(), bob(2))));
    assert!(!View::of(after.clone(), bob(1)).is_older_than(&first));
    assert!(!first.is_older_than(&View::of(before.clone(), bob(1))));
    let late = View::of(after, bob(1));
    assert!(
        late.is_older_than(&View::of(before, bob(2))),
        "of him it is"
    );
}

//! Members of one kind, who differ in their seats: what is found out for all of them together is what each would find.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use proptest::prelude::*;

use super::{
    rights::{Plan, TOPICS, plan},
    view::{after, step},
    *,
};
use crate::domain::{
    Sight, View,
    structure::seen::{SeenBy, spoken_of},
    view::Compared,
};

/// One for every choice of seats.
const SEATED: usize = 1 << TOPICS.len();

fn account(no: usize) -> AccountId {
    AccountId(Uuid::from_u128(5_000 + no as u128))
}

fn seat(structure: &mut Structure, no: usize, seats: usize) {
    for (at, topic) in TOPICS.iter().enumerate() {
        if structure.topics.contains_key(topic) {
            let since = (seats >> at & 1 == 1).then_some(NOW);
            structure.seats.put(*topic, account(no), since);
        }
    }
}

/// Of each choice of seats one as bob, and one as carol.
fn members(plan: &Plan) -> Vec<Member> {
    let both = [plan.bob(), plan.carol()];
    let all = both.iter().enumerate().flat_map(|(who, like)| {
        (0..SEATED).map(move |no| Member {
            account: account(who * SEATED + no),
            ..like.clone()
        })
    });
    all.collect()
}

/// What things are to somebody that are there in two versions, looked at one by one.
fn seen(sight: &Sight, was: &Structure, is: &Structure) -> BTreeMap<String, String> {
    let topics = was.topics.keys().filter(|id| is.topics.contains_key(*id));
    let topic = |id: &TopicId| {
        let history = |rights: Permissions| rights.contains(Permissions::READ_HISTORY);
        let is_seen = sight.rights(*id).map(history);
        (
            id.to_string(),
            format!("{is_seen:?} {}", sight.is_locked(*id)),
        )
    };
    let groups = was.groups.keys().filter(|id| is.groups.contains_key(*id));
    let group = |id: &GroupId| (id.to_string(), sight.groups().contains(id).to_string());
    let owner = ("owner".to_owned(), sight.is_owner().to_string());
    let things = topics.map(topic).chain(groups.map(group));
    things.chain([owner]).collect()
}

proptest! {
    #[test]
    fn whoever_sees_otherwise_is_told_so_whatever_seats_others_of_his_kind_have(
        plan in plan(),
        step in step(),
        changed in prop::collection::vec(prop::option::weighted(0.3, 0..SEATED), 2 * SEATED),
    ) {
        let mut before = plan.structure();
        for no in 0..2 * SEATED {
            seat(&mut before, no, no % SEATED);
        }
        let (mut is, ..) = after(&plan, &before, &step);
        for (no, seats) in changed.iter().enumerate() {
            if let Some(seats) = seats {
                seat(&mut is, no, *seats);
            }
        }
        let (was, is) = (Arc::new(before), Arc::new(is));
        let mut compared = Compared::default();
        for member in members(&plan) {
            let one = View::of(was.clone(), member.clone());
            let other = View::of(is.clone(), member.clone());
            let differs = seen(&one.sight, &was, &is) != seen(&other.sight, &was, &is);
            prop_assert_eq!(compared.differ(&one, &other), differs, "{:?}: {:?}", step, member);
        }
    }

    #[test]
    fn rows_are_the_same_to_all_of_whom_that_is_the_same_on_which_they_hang(
        plan in plan(),
        step in step(),
    ) {
        let mut before = plan.structure();
        for no in 0..2 * SEATED {
            seat(&mut before, no, no % SEATED);
        }
        let (is, written, _) = after(&plan, &before, &step);
        let topics = spoken_of(written.iter());
        let mut told: HashMap<SeenBy, (Arc<Sight>, Vec<Row>)> = HashMap::new();
        let mut kinds = BTreeSet::new();
        for member in members(&plan) {
            let sight = is.sight(&member);
            let rows = is.written_as_seen(&sight, written.iter());
            kinds.insert(sight.kind());
            let known = told.entry(SeenBy::of(&sight, &topics));
            let (_, known) = known.or_insert_with(|| (sight, rows.clone()));
            prop_assert_eq!(&*known, &rows, "{:?}: {:?}", step, member);
        }
        prop_assert!(told.len() <= kinds.len() << topics.len());
    }
}

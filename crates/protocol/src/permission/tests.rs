//! Rights against an oracle written apart from the function, and by example.

mod example;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::id::{GroupId, TopicId};

fn group(n: u128) -> MemberGroupId {
    MemberGroupId(Uuid::from_u128(n))
}

fn place(n: usize) -> Place {
    match n {
        0 => Place::Community,
        1 => Place::Group(GroupId(Uuid::from_u128(1))),
        _ => Place::Topic(TopicId(Uuid::from_u128(2))),
    }
}

/// The rule of the design read bit by bit: the last word spoken on a bit counts.
fn oracle(
    bit: Permissions,
    owner: bool,
    mine: &[MemberGroupId],
    seat: Option<bool>,
    places: &[PlaceAccess],
) -> bool {
    if owner {
        return true;
    }
    let last_word = |bit: Permissions| {
        let mut word = false;
        for level in places {
            if level.place != Place::Community && Permissions::COMMUNITY_ONLY.contains(bit) {
                continue;
            }
            if level.everyone.allow.contains(bit) {
                word = true;
            } else if level.everyone.deny.contains(bit) {
                word = false;
            }
            let spoken: Vec<&Access> = level
                .groups
                .iter()
                .filter(|(id, _)| mine.contains(id))
                .map(|(_, a)| a)
                .collect();
            if spoken.iter().any(|access| access.allow.contains(bit)) {
                word = true;
            } else if spoken.iter().any(|access| access.deny.contains(bit)) {
                word = false;
            }
        }
        word
    };
    seat != Some(false) && last_word(Permissions::VIEW) && last_word(bit)
}

fn bits() -> impl Strategy<Value = Permissions> {
    prop::collection::vec(0..KEYS.len(), 0..6)
        .prop_map(|at| at.into_iter().map(|at| KEYS[at].0).collect())
}

fn access() -> impl Strategy<Value = Access> {
    (bits(), bits()).prop_map(|(allow, deny)| Access { allow, deny })
}

fn places() -> impl Strategy<Value = Vec<PlaceAccess>> {
    prop::collection::vec((access(), prop::collection::vec(access(), 4)), 1..4).prop_map(|levels| {
        levels
            .into_iter()
            .enumerate()
            .map(|(n, (everyone, groups))| PlaceAccess {
                place: place(n),
                everyone,
                groups: groups
                    .into_iter()
                    .enumerate()
                    .map(|(g, access)| (group(g as u128), access))
                    .collect(),
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn rights_are_what_the_oracle_says(
        places in places(),
        mine in prop::sample::subsequence((0..4).map(group).collect::<Vec<_>>(), 0..4),
        owner in prop::bool::weighted(0.05),
        seat in prop::option::of(any::<bool>()),
    ) {
        let held = held(Standing { is_owner: owner, member_groups: &mine, has_seat: seat }, &places);
        for (bit, key) in KEYS {
            prop_assert_eq!(held.permissions.contains(bit), oracle(bit, owner, &mine, seat, &places), "{}", key);
        }
    }

    #[test]
    fn the_explanation_names_a_row_that_speaks_of_the_bit(
        places in places(),
        mine in prop::sample::subsequence((0..4).map(group).collect::<Vec<_>>(), 0..4),
    ) {
        let held = held(Standing { is_owner: false, member_groups: &mine, has_seat: None }, &places);
        for (bit, key) in KEYS {
            if let Decision::Access { place, member_group } = held.decision(bit) {
                let level = places.iter().find(|level| level.place == place).unwrap();
                let access = match member_group {
                    None => level.everyone,
                    Some(id) => level.groups.iter().find(|(group, _)| *group == id).unwrap().1,
                };
                let spoken = if held.permissions.contains(bit) { access.allow } else { access.deny };
                prop_assert!(spoken.contains(bit), "{} was decided by a row that says so", key);
            } else {
                prop_assert!(!held.permissions.contains(bit), "{} is held only because a row allows it", key);
            }
        }
    }
}

#[test]
fn the_owner_is_never_locked_out() {
    let all = Access {
        allow: Permissions::empty(),
        deny: Permissions::all(),
    };
    let places = [PlaceAccess {
        place: Place::Community,
        everyone: all,
        groups: vec![],
    }];
    let held = held(
        Standing {
            is_owner: true,
            member_groups: &[],
            has_seat: Some(false),
        },
        &places,
    );
    assert_eq!(
        held.permissions,
        Permissions::all(),
        "whatever the rows say"
    );
}

#[test]
fn without_view_nothing_else_holds() {
    let allow = Access {
        allow: Permissions::SPEAK,
        deny: Permissions::empty(),
    };
    let places = [PlaceAccess {
        place: Place::Community,
        everyone: allow,
        groups: vec![],
    }];
    let held = held(
        Standing {
            is_owner: false,
            member_groups: &[],
            has_seat: None,
        },
        &places,
    );
    assert_eq!(
        held.permissions,
        Permissions::empty(),
        "speak alone is worth nothing"
    );
    assert_eq!(
        held.decision(Permissions::SPEAK),
        Decision::NoView,
        "and the explanation says why"
    );
}

#[test]
fn of_two_member_groups_the_one_that_allows_wins() {
    let level = PlaceAccess {
        place: Place::Community,
        everyone: Access {
            allow: Permissions::VIEW,
            deny: Permissions::empty(),
        },
        groups: vec![
            (
                group(1),
                Access {
                    allow: Permissions::empty(),
                    deny: Permissions::SPEAK,
                },
            ),
            (
                group(2),
                Access {
                    allow: Permissions::SPEAK,
                    deny: Permissions::empty(),
                },
            ),
        ],
    };
    let held = held(
        Standing {
            is_owner: false,
            member_groups: &[group(1), group(2)],
            has_seat: None,
        },
        &[level],
    );
    assert!(
        held.permissions.contains(Permissions::SPEAK),
        "groups.allow comes after groups.deny"
    );
}

#[test]
fn rights_of_the_community_cannot_be_given_below_it() {
    let level = |n, allow| PlaceAccess {
        place: place(n),
        everyone: Access {
            allow,
            deny: Permissions::empty(),
        },
        groups: vec![],
    };
    let places = [level(0, Permissions::VIEW), level(1, Permissions::BAN)];
    let held = held(
        Standing {
            is_owner: false,
            member_groups: &[],
            has_seat: None,
        },
        &places,
    );
    assert!(
        !held.permissions.contains(Permissions::BAN),
        "a group has no members to ban"
    );
}

#[test]
fn every_right_has_a_key_of_its_own() {
    let all: Permissions = KEYS.iter().map(|(bit, _)| *bit).collect();
    assert_eq!(all, Permissions::all(), "each bit has a key");
    for (bit, key) in KEYS {
        assert_eq!(Permissions::from_key(key), Some(bit), "{key} reads back");
    }
}

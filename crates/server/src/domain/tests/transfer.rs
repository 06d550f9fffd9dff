//! A community that is handed over.

use std::sync::Arc;

use super::*;
use crate::domain::{View, change::Expect, view::Compared};

const DAVE: AccountId = AccountId(Uuid::from_u128(4));

fn hand_over(from: AccountId, to: AccountId) -> Command {
    Command::CommunityTransfer {
        community: COMMUNITY,
        owner: Edit { from, to },
    }
}

/// What is known when somebody commands it; Bob and Carol are members, and there are messages in both topics.
fn known<'a>(structure: &'a Structure, actor: Member) -> Facts<'a> {
    let mut facts = facts(structure, actor);
    for heir in [OWNER, BOB, CAROL] {
        facts.members.insert(heir, member(heir, &[]));
    }
    facts.known.written_topics = vec![OPEN, CLOSED];
    facts
}

/// The structure after an accepted command.
fn after(structure: &Structure, decision: &Decision) -> Structure {
    let rows: Vec<Row> = decision
        .changes
        .iter()
        .filter_map(|change| {
            if let Change::Row { id, body, .. } = change {
                Some(row(10, id, body.clone()))
            } else {
                None
            }
        })
        .collect();
    let mut structure = structure.clone();
    structure.apply(Rev(10), rows.iter(), &decision.changes);
    structure
}

#[test]
fn the_owner_hands_the_community_over_and_stays_a_plain_member() {
    let before = structure();
    let owner = member(OWNER, &[KEEPERS]);
    let decision = run(&known(&before, owner.clone()), &hand_over(OWNER, BOB)).unwrap();
    let after = after(&before, &decision);
    let bob = member(BOB, &[]);
    assert_eq!(
        after.permissions(&bob, Place::Topic(CLOSED)),
        Permissions::all(),
        "the owner has everything"
    );
    let his = after.permissions(&owner, Place::Community);
    assert!(
        his.contains(Permissions::KICK) && !his.contains(Permissions::MANAGE_COMMUNITY),
        "the one before has what his member groups give him: {his:?}"
    );
    assert!(
        !after.sight(&owner).sees(CLOSED),
        "where he has no seat he is not let in"
    );
    assert_eq!(after.community.body.name, "土楼", "nothing else changes");
    let leave = Command::CommunityLeave {
        community: COMMUNITY,
    };
    assert!(run(&facts(&after, owner), &leave).is_ok());
    assert_eq!(code(&facts(&after, bob.clone()), &leave), Code::LastOwner);
    assert!(
        run(&known(&after, bob), &hand_over(BOB, OWNER)).is_ok(),
        "and back again"
    );
}

#[test]
fn a_transfer_changes_the_view_stamps_of_both_persons_and_of_nobody_else() {
    // Nothing is hidden from anybody, so that only the ownership makes the difference.
    let mut before = structure();
    before.apply(
        Rev(10),
        [row(10, CLOSED, Body::Deleted("topic".into()))].iter(),
        &[],
    );
    let decision = run(&known(&before, member(OWNER, &[])), &hand_over(OWNER, BOB)).unwrap();
    let after = after(&before, &decision);
    for (account, changes) in [(OWNER, true), (BOB, true), (CAROL, false)] {
        let member = member(account, &[]);
        assert_eq!(before.stamp(&member) != after.stamp(&member), changes);
        let view = |structure: &Structure| View::of(Arc::new(structure.clone()), member.clone());
        let diff = view(&before).diff(&view(&after), &[], &mut Compared::default());
        assert_eq!(diff.is_other, changes);
    }
}

#[test]
fn what_a_new_owner_gets_a_seat_of_counts_as_read() {
    let structure = structure();
    let owner = || known(&structure, member(OWNER, &[]));
    let read = |heir: AccountId| {
        let decision = run(&owner(), &hand_over(OWNER, heir)).unwrap();
        let read = |topic| {
            decision.changes.contains(&Change::ReadSoFar {
                account: heir,
                topic,
            })
        };
        [read(OPEN), read(CLOSED)]
    };
    assert_eq!(read(BOB), [false, true], "he had no seat there");
    assert_eq!(read(CAROL), [false, false], "she had one");
}

#[test]
fn nobody_but_the_owner_hands_a_community_over() {
    let structure = structure();
    let keeper = known(&structure, member(BOB, &[KEEPERS, HIGH]));
    assert_eq!(code(&keeper, &hand_over(OWNER, BOB)), Code::NotOwner);
    let mut stranger = known(&structure, member(DAVE, &[]));
    stranger.actor = None;
    let refused = decide(&stranger, DAVE, &hand_over(OWNER, DAVE), NOW).unwrap_err();
    assert_eq!(refused.code, Code::NotAMember);
}

#[test]
fn a_community_goes_to_a_living_member_only() {
    let structure = structure();
    let owner = known(&structure, member(OWNER, &[]));
    assert_eq!(
        code(&owner, &hand_over(OWNER, DAVE)),
        Code::NotFound,
        "who is no member cannot own it"
    );
    let decision = run(&owner, &hand_over(OWNER, BOB)).unwrap();
    for expected in [
        Expect::Lives(BOB),
        Expect::Member(COMMUNITY, BOB, Rev(1)),
        Expect::Member(COMMUNITY, OWNER, Rev(1)),
    ] {
        assert!(
            decision.expects.contains(&expected),
            "{expected:?}: looked at again at commit"
        );
    }
}

#[test]
fn a_transfer_names_the_owner_that_its_sender_knows() {
    let structure = structure();
    let refused = run(&known(&structure, member(BOB, &[])), &hand_over(BOB, CAROL)).unwrap_err();
    assert_eq!(refused.code, Code::ChangedMeanwhile);
    let Some(Body::Community(present)) = refused.present.map(|row| row.body) else {
        panic!("the present row says who owns it")
    };
    assert_eq!(present.owner, OWNER);
    let owner = known(&structure, member(OWNER, &[]));
    let to_himself = run(&owner, &hand_over(OWNER, OWNER)).unwrap();
    assert_eq!(to_himself.changes, [], "it is so already");
}

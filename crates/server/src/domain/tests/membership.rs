//! Who comes in, who stays, and what a member reads from when on.

use super::*;
use crate::domain::change::Expect;

#[test]
fn a_stranger_learns_nothing() {
    let structure = structure();
    let mut stranger = facts(&structure, member(BOB, &[]));
    stranger.actor = None;
    let refused = decide(&stranger, BOB, &send(OPEN, "x"), NOW).unwrap_err();
    assert_eq!(refused.code, Code::NotAMember);
    let join = |invite: Option<&str>| Command::CommunityJoin {
        community: COMMUNITY,
        invite: invite.map(str::to_owned),
    };
    let refused = decide(&stranger, BOB, &join(None), NOW).unwrap_err();
    assert_eq!(refused.code, Code::InviteNeeded);
    let refused = decide(&stranger, BOB, &join(Some("code")), NOW).unwrap_err();
    assert_eq!(refused.code, Code::InviteInvalid, "it leads nowhere");
    stranger.inviter = Some(member(CAROL, &[]));
    assert!(!structure.may_invite(&member(CAROL, &[])));
    let refused = decide(&stranger, BOB, &join(Some("code")), NOW).unwrap_err();
    assert_eq!(refused.code, Code::InviteInvalid, "she may not invite");
    stranger.inviter = Some(member(OWNER, &[]));
    let decision = decide(&stranger, BOB, &join(Some("code")), NOW).unwrap();
    let is_use = |change: &Change| matches!(change, Change::InviteUsed { .. });
    assert!(
        decision.changes.iter().any(is_use),
        "the invite is used in the same transaction"
    );
    let inviter = Expect::Member(COMMUNITY, OWNER, Rev(1));
    assert!(
        decision.expects.contains(&inviter),
        "and whoever it belongs to is a member at commit"
    );
}

#[test]
fn the_owner_stays() {
    let structure = structure();
    let leave = Command::CommunityLeave {
        community: COMMUNITY,
    };
    let owner = facts(&structure, member(OWNER, &[]));
    assert_eq!(code(&owner, &leave), Code::LastOwner);
    let carol = facts(&structure, member(CAROL, &[]));
    let decision = run(&carol, &leave).unwrap();
    assert!(
        decision.changes.contains(&Change::Seat {
            community: COMMUNITY,
            topic: CLOSED,
            account: CAROL,
            since: None
        }),
        "her seats go with her"
    );
}

#[test]
fn history_is_read_from_joining_without_the_right() {
    let mut structure = structure();
    let less = Permissions::NEW_COMMUNITY - Permissions::READ_HISTORY;
    let changed = row(
        10,
        AccessRow::id(Place::Community, None),
        access(Place::Community, None, less),
    );
    structure.apply(Rev(10), [&changed].into_iter(), &[]);
    assert_eq!(
        structure.readable_since(&member(BOB, &[]), OPEN),
        Some(1_000),
        "since he joined"
    );
    assert_eq!(
        structure.readable_since(&member(OWNER, &[]), OPEN),
        None,
        "the owner reads everything"
    );
}

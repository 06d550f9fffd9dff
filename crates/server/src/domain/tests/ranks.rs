//! Nobody acts on his own rank or above, gives what he lacks, or frees himself of what he is denied.

use super::*;

#[test]
fn nobody_acts_on_his_own_rank_or_above() {
    let structure = structure();
    let mut keeper = facts(&structure, member(BOB, &[KEEPERS]));
    keeper.members.insert(CAROL, member(CAROL, &[HIGH]));
    keeper.members.insert(OWNER, member(OWNER, &[]));
    let kick = |account| Command::MemberKick {
        community: COMMUNITY,
        account,
        end_invites: false,
    };
    assert_eq!(code(&keeper, &kick(CAROL)), Code::RankTooLow);
    assert_eq!(code(&keeper, &kick(OWNER)), Code::LastOwner);
    keeper.members.insert(CAROL, member(CAROL, &[KEEPERS]));
    assert_eq!(
        code(&keeper, &kick(CAROL)),
        Code::RankTooLow,
        "his own rank"
    );
    keeper.members.insert(CAROL, member(CAROL, &[]));
    assert!(run(&keeper, &kick(CAROL)).is_ok());
    let assign = |member_group, account| Command::MemberGroupAssign {
        community: COMMUNITY,
        member_group,
        account,
        on: true,
    };
    assert_eq!(code(&keeper, &assign(HIGH, CAROL)), Code::RankTooLow);
    assert_eq!(code(&keeper, &assign(KEEPERS, CAROL)), Code::RankTooLow);
    let owner = Facts {
        members: keeper.members.clone(),
        ..facts(&structure, member(OWNER, &[]))
    };
    assert!(run(&owner, &assign(HIGH, CAROL)).is_ok());
}

#[test]
fn nobody_grants_a_right_that_he_lacks() {
    let structure = structure();
    let keeper = facts(&structure, member(BOB, &[KEEPERS]));
    let set = |place, allow| Command::AccessSet {
        community: COMMUNITY,
        place,
        member_group: None,
        allow: Edit {
            from: Permissions::empty(),
            to: allow,
        },
        deny: Edit {
            from: Permissions::empty(),
            to: Permissions::empty(),
        },
    };
    assert_eq!(
        refused(&keeper, &set(Place::Topic(OPEN), Permissions::PIN)),
        (Code::NotAllowed, Some(Permissions::PIN))
    );
    assert!(run(&keeper, &set(Place::Topic(OPEN), Permissions::SPEAK)).is_ok());
    assert_eq!(
        code(&keeper, &set(Place::Topic(OPEN), Permissions::KICK)),
        Code::Malformed,
        "it exists only at the community"
    );
    assert_eq!(
        code(&keeper, &set(Place::Topic(CLOSED), Permissions::SPEAK)),
        Code::NotAllowed,
        "he has no seat there"
    );
    assert_eq!(
        code(&keeper, &set(Place::Community, Permissions::SPEAK)),
        Code::ChangedMeanwhile,
        "the row is not what he thinks"
    );
}

#[test]
fn nobody_frees_himself_of_what_a_member_group_denies() {
    let mut structure = structure();
    let muted = MemberGroupId(Uuid::from_u128(20));
    let deny = AccessRow {
        deny: Permissions::SPEAK,
        ..access(Place::Topic(OPEN), Some(muted), Permissions::empty())
    };
    let rows = [
        row(10, muted, member_group("禁言", "20")),
        row(10, AccessRow::id(Place::Topic(OPEN), Some(muted)), deny),
    ];
    structure.apply(Rev(10), rows.iter(), &[]);
    let bob = member(BOB, &[KEEPERS, muted]);
    let mut keeper = facts(&structure, bob.clone());
    keeper.members.insert(BOB, bob);
    assert_eq!(code(&keeper, &send(OPEN, "x")), Code::NotAllowed);
    let leave = Command::MemberGroupAssign {
        community: COMMUNITY,
        member_group: muted,
        account: BOB,
        on: false,
    };
    let delete = Command::MemberGroupDelete {
        community: COMMUNITY,
        member_group: muted,
    };
    for command in [leave, delete] {
        assert_eq!(
            refused(&keeper, &command),
            (Code::NotAllowed, Some(Permissions::SPEAK)),
            "he would give himself a right that he lacks: {command:?}"
        );
    }
}

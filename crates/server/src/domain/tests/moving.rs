//! Topics that go to another group, and seats: nobody comes to more than he had, and nobody acts on those who stand as
//! high as he does.

use super::*;

const OTHER: GroupId = GroupId(Uuid::from_u128(21));

/// The same community with a second group, in which `rows` hold.
fn with_other_group(rows: &[(Option<MemberGroupId>, Permissions, Permissions)]) -> Structure {
    let mut structure = structure();
    let group = Group {
        name: "仓库".into(),
        position: "90".into(),
        more: Default::default(),
    };
    let mut added = vec![row(10, OTHER, group)];
    for (subject, allow, deny) in rows {
        let place = Place::Group(OTHER);
        let body = AccessRow {
            deny: *deny,
            ..access(place, *subject, *allow)
        };
        added.push(row(10, AccessRow::id(place, *subject), body));
    }
    structure.apply(Rev(10), added.iter(), &[]);
    structure
}

fn move_open() -> Command {
    Command::TopicEdit {
        community: COMMUNITY,
        topic: OPEN,
        name: None,
        introduction: None,
        group: Some(Edit {
            from: GROUP,
            to: OTHER,
        }),
        position: None,
    }
}

fn moved(
    rows: &[(Option<MemberGroupId>, Permissions, Permissions)],
    groups: &[MemberGroupId],
) -> Result<(), Code> {
    let structure = with_other_group(rows);
    let bob = facts(&structure, member(BOB, groups));
    run(&bob, &move_open())
        .map(drop)
        .map_err(|refused| refused.code)
}

const NONE: Permissions = Permissions::empty();

#[test]
fn a_topic_is_moved_with_the_right_to_manage_topics_there_and_where_it_goes() {
    assert_eq!(moved(&[], &[]), Err(Code::NotAllowed), "not by everybody");
    assert_eq!(moved(&[], &[KEEPERS]), Ok(()));
    let not_there = (None, NONE, Permissions::MANAGE_TOPICS);
    assert_eq!(
        moved(&[not_there], &[KEEPERS]),
        Err(Code::NotAllowed),
        "he manages nothing there"
    );
}

#[test]
fn a_moved_topic_gives_nobody_a_right_that_its_mover_lacks() {
    let pinning = (None, Permissions::PIN, NONE);
    assert_eq!(
        moved(&[pinning], &[KEEPERS]),
        Err(Code::NotAllowed),
        "everybody could pin there, he too"
    );
    let speaking = (None, NONE, Permissions::SPEAK);
    assert_eq!(
        moved(&[speaking], &[KEEPERS]),
        Ok(()),
        "he may take what he has: an archive is a group in which nobody speaks"
    );
    let structure = with_other_group(&[pinning]);
    let owner = facts(&structure, member(OWNER, &[]));
    assert!(run(&owner, &move_open()).is_ok(), "the owner has all");
}

#[test]
fn a_moved_topic_changes_nothing_for_member_groups_as_high_as_its_movers() {
    let above = (Some(HIGH), NONE, Permissions::SPEAK);
    assert_eq!(moved(&[above], &[KEEPERS]), Err(Code::RankTooLow));
    assert_eq!(moved(&[above], &[KEEPERS, HIGH]), Err(Code::RankTooLow));
    let low = MemberGroupId(Uuid::from_u128(22));
    assert_eq!(
        moved(&[(Some(low), NONE, Permissions::SPEAK)], &[KEEPERS]),
        Ok(()),
        "below his rank he may say so himself"
    );
    let everybody = (None, Permissions::MANAGE_TOPICS, NONE);
    let structure = {
        let mut structure = with_other_group(&[everybody]);
        let all = Permissions::NEW_COMMUNITY | Permissions::MANAGE_TOPICS;
        let place = Place::Community;
        let changed = row(11, AccessRow::id(place, None), access(place, None, all));
        structure.apply(Rev(11), [changed].iter(), &[]);
        structure
    };
    let bob = facts(&structure, member(BOB, &[]));
    assert_eq!(
        code(&bob, &move_open()),
        Code::RankTooLow,
        "who is in no member group says nothing about everyone"
    );
}

#[test]
fn a_topic_that_goes_nowhere_asks_for_nothing() {
    let structure = with_other_group(&[(None, Permissions::PIN, NONE)]);
    let keeper = facts(&structure, member(BOB, &[KEEPERS]));
    let stays = Command::TopicEdit {
        community: COMMUNITY,
        topic: OPEN,
        name: Some(Edit {
            from: "闲聊".into(),
            to: "茶馆".into(),
        }),
        introduction: None,
        group: Some(Edit {
            from: GROUP,
            to: GROUP,
        }),
        position: None,
    };
    assert!(run(&keeper, &stays).is_ok());
}

#[test]
fn nobody_takes_the_seat_of_one_who_stands_as_high() {
    let mut structure = structure();
    let seat = |account| Change::Seat {
        community: COMMUNITY,
        topic: CLOSED,
        account,
        since: Some(NOW),
    };
    structure.apply(Rev(10), std::iter::empty(), &[seat(BOB), seat(OWNER)]);
    let set = |account, on| Command::SeatSet {
        community: COMMUNITY,
        topic: CLOSED,
        account,
        on,
    };
    let with_carol = |groups: &[MemberGroupId]| {
        let mut keeper = facts(&structure, member(BOB, &[KEEPERS]));
        keeper.members.insert(BOB, member(BOB, &[KEEPERS]));
        keeper.members.insert(OWNER, member(OWNER, &[]));
        keeper.members.insert(CAROL, member(CAROL, groups));
        keeper
    };
    for high in [KEEPERS, HIGH] {
        assert_eq!(
            code(&with_carol(&[high]), &set(CAROL, false)),
            Code::RankTooLow
        );
    }
    assert_eq!(
        code(&with_carol(&[]), &set(OWNER, false)),
        Code::RankTooLow,
        "least of all the owner's"
    );
    assert!(run(&with_carol(&[]), &set(CAROL, false)).is_ok(), "below");
    assert!(
        run(&with_carol(&[]), &set(BOB, false)).is_ok(),
        "his own he may leave"
    );
    let mut carol = facts(&structure, member(CAROL, &[]));
    carol.members.insert(BOB, member(BOB, &[KEEPERS]));
    assert_eq!(
        code(&carol, &set(BOB, false)),
        Code::NotAllowed,
        "a seat is no right to give or take seats"
    );
}

//! What managing asks for: each act has its right, ranks bound it, and what is done already is no refusal.

use super::*;
use crate::domain::is_apart;

const LOW: MemberGroupId = MemberGroupId(Uuid::from_u128(41));
/// A group without topics.
const EMPTY: GroupId = GroupId(Uuid::from_u128(45));

fn edit<T>(from: T, to: T) -> Option<Edit<T>> {
    Some(Edit { from, to })
}

/// Everything that is managed, with the right that it needs at the community.
fn acts() -> Vec<(Command, Permissions)> {
    let community = COMMUNITY;
    vec![
        (
            Command::CommunityEdit {
                community,
                name: edit("土楼".into(), "围楼".into()),
                introduction: None,
            },
            Permissions::MANAGE_COMMUNITY,
        ),
        (
            Command::GroupCreate {
                community,
                group: GroupId(Uuid::from_u128(42)),
                name: "新".into(),
                position: "90".into(),
            },
            Permissions::MANAGE_TOPICS,
        ),
        (
            Command::GroupEdit {
                community,
                group: GROUP,
                name: edit("大厅".into(), "前厅".into()),
                position: None,
            },
            Permissions::MANAGE_TOPICS,
        ),
        (
            Command::GroupDelete {
                community,
                group: EMPTY,
            },
            Permissions::MANAGE_TOPICS,
        ),
        (
            Command::TopicCreate {
                community,
                group: GROUP,
                topic: TopicId(Uuid::from_u128(43)),
                name: "新".into(),
                introduction: String::new(),
                closed: false,
                position: "90".into(),
            },
            Permissions::MANAGE_TOPICS,
        ),
        (
            Command::TopicEdit {
                community,
                topic: OPEN,
                name: edit("闲聊".into(), "茶馆".into()),
                introduction: None,
                group: None,
                position: None,
            },
            Permissions::MANAGE_TOPICS,
        ),
        (
            Command::TopicDelete {
                community,
                topic: OPEN,
            },
            Permissions::MANAGE_TOPICS,
        ),
        (
            Command::SeatSet {
                community,
                topic: CLOSED,
                account: OWNER,
                on: true,
            },
            Permissions::MANAGE_TOPICS,
        ),
        (
            Command::AccessSet {
                community,
                place: Place::Topic(OPEN),
                member_group: Some(LOW),
                allow: Edit {
                    from: Permissions::empty(),
                    to: Permissions::SPEAK,
                },
                deny: Edit {
                    from: Permissions::empty(),
                    to: Permissions::empty(),
                },
            },
            Permissions::MANAGE_TOPICS,
        ),
        (
            Command::AccessSet {
                community,
                place: Place::Community,
                member_group: Some(LOW),
                allow: Edit {
                    from: Permissions::empty(),
                    to: Permissions::SPEAK,
                },
                deny: Edit {
                    from: Permissions::empty(),
                    to: Permissions::empty(),
                },
            },
            Permissions::MANAGE_MEMBER_GROUPS,
        ),
        (
            Command::MemberGroupCreate {
                community,
                member_group: MemberGroupId(Uuid::from_u128(44)),
                name: "新".into(),
                rank: "10".into(),
                shown: true,
                tagged: false,
            },
            Permissions::MANAGE_MEMBER_GROUPS,
        ),
        (
            Command::MemberGroupEdit {
                community,
                member_group: LOW,
                name: edit("新人".into(), "客人".into()),
                rank: None,
                shown: None,
                tagged: None,
            },
            Permissions::MANAGE_MEMBER_GROUPS,
        ),
        (
            Command::MemberGroupDelete {
                community,
                member_group: LOW,
            },
            Permissions::MANAGE_MEMBER_GROUPS,
        ),
        (
            Command::MemberGroupAssign {
                community,
                member_group: LOW,
                account: CAROL,
                on: true,
            },
            Permissions::ASSIGN_MEMBER_GROUPS,
        ),
        (
            Command::MemberKick {
                community,
                account: CAROL,
                end_invites: false,
            },
            Permissions::KICK,
        ),
    ]
}

/// Keepers have these rights at the community and nobody else any but to see it; bob, who is one, has a seat.
fn with_keepers_rights(rights: Permissions) -> Structure {
    let mut structure = structure();
    let at = |group, allow| {
        let body = access(Place::Community, group, allow);
        row(10, AccessRow::id(Place::Community, group), body)
    };
    let empty = Group {
        name: "空".into(),
        position: "95".into(),
        more: Default::default(),
    };
    let rows = [
        row(10, EMPTY, empty),
        row(10, LOW, member_group("新人", "20")),
        at(None, Permissions::VIEW),
        at(Some(KEEPERS), rights),
    ];
    let seat = Change::Seat {
        community: COMMUNITY,
        topic: CLOSED,
        account: BOB,
        since: Some(NOW),
    };
    structure.apply(Rev(10), rows.iter(), &[seat]);
    structure
}

fn keeper(structure: &Structure) -> Facts<'_> {
    let mut keeper = facts(structure, member(BOB, &[KEEPERS]));
    keeper.members.insert(OWNER, member(OWNER, &[]));
    keeper.members.insert(CAROL, member(CAROL, &[]));
    keeper
}

#[test]
fn each_act_of_managing_needs_its_right() {
    for (command, right) in acts() {
        let without = with_keepers_rights(Permissions::all() - right);
        let refused = run(&keeper(&without), &command).unwrap_err();
        assert_eq!(
            (refused.code, refused.permission),
            (Code::NotAllowed, Some(right)),
            "{command:?}"
        );
        // Nobody grants what he lacks: speaking is granted among these.
        let with = with_keepers_rights(right | Permissions::SPEAK);
        let done = run(&keeper(&with), &command);
        assert!(done.is_ok(), "{command:?}: {done:?}");
    }
}

#[test]
fn of_every_command_it_is_said_which_right_it_needs() {
    // What is one's own, what is the owner's, and coming and going.
    let mut said = vec![
        "cursor.advance",
        "cursor.set",
        "mention.seen",
        "notify.set",
        "profile.edit",
        "community.create",
        "community.transfer",
        "community.dissolve",
        "community.join",
        "community.leave",
    ];
    said.extend(acts().iter().map(|(act, _)| act.method()));
    said.extend(
        super::messages::deeds()
            .iter()
            .map(|(deed, ..)| deed.method()),
    );
    for method in tulou_protocol::command::METHODS {
        assert!(said.contains(method), "add {method} to `acts` or `deeds`");
    }
}

#[test]
fn nobody_raises_a_member_group_to_his_own_rank() {
    let structure = with_keepers_rights(Permissions::all());
    let rank = |to: &str| Command::MemberGroupEdit {
        community: COMMUNITY,
        member_group: LOW,
        name: None,
        rank: edit("20".into(), to.into()),
        shown: None,
        tagged: None,
    };
    let keeper = keeper(&structure);
    assert!(run(&keeper, &rank("40")).is_ok(), "below his 50");
    for to in ["50", "90"] {
        assert_eq!(code(&keeper, &rank(to)), Code::RankTooLow, "{to}");
    }
}

#[test]
fn what_was_deleted_is_deleted_again_without_a_refusal_and_never_made_again() {
    let mut structure = with_keepers_rights(Permissions::all());
    let group = GroupId(Uuid::from_u128(42));
    let body = Group {
        name: "新".into(),
        position: "90".into(),
        more: Default::default(),
    };
    structure.apply(Rev(11), [row(11, group, body)].iter(), &[]);
    let community = COMMUNITY;
    let topic = OPEN;
    let member_group = LOW;
    let deletions = [
        Command::GroupDelete { community, group },
        Command::TopicDelete { community, topic },
        Command::MemberGroupDelete {
            community,
            member_group,
        },
    ];
    for deletion in &deletions {
        let decision = run(&keeper(&structure), deletion).unwrap();
        let rows: Vec<Row> = decision
            .changes
            .iter()
            .filter_map(|change| {
                if let Change::Row { id, body, .. } = change {
                    Some(row(12, id, body.clone()))
                } else {
                    None
                }
            })
            .collect();
        assert!(!rows.is_empty(), "{deletion:?}");
        structure.apply(Rev(12), rows.iter(), &decision.changes);
        let again = run(&keeper(&structure), deletion).unwrap();
        assert_eq!(again.changes, [], "{deletion:?}");
    }
    let name = "旧".to_owned();
    let makings = [
        Command::GroupCreate {
            community,
            group,
            name: name.clone(),
            position: "90".into(),
        },
        Command::TopicCreate {
            community,
            group: GROUP,
            topic,
            name: name.clone(),
            introduction: String::new(),
            closed: false,
            position: "90".into(),
        },
        Command::MemberGroupCreate {
            community,
            member_group,
            name,
            rank: "10".into(),
            shown: true,
            tagged: false,
        },
    ];
    for making in makings {
        let refused = code(&keeper(&structure), &making);
        assert_eq!(refused, Code::IdTaken, "{making:?}");
    }
}

#[test]
fn who_may_have_hidden_something_from_himself_gets_it_as_everybody_does() {
    let structure = with_keepers_rights(Permissions::all());
    let known = keeper(&structure);
    let community = COMMUNITY;
    let seat = Command::SeatSet {
        community,
        topic: CLOSED,
        account: CAROL,
        on: false,
    };
    let leave = Command::CommunityLeave { community };
    assert!(is_apart(&known, BOB, &seat));
    assert!(is_apart(&known, BOB, &leave));
    let hides = |command: &Command| {
        matches!(
            command,
            Command::SeatSet { .. } | Command::AccessSet { .. } | Command::MemberKick { .. }
        )
    };
    for (command, _) in acts() {
        assert_eq!(
            is_apart(&known, BOB, &command),
            hides(&command),
            "{command:?}"
        );
        assert!(!is_apart(&known, OWNER, &command), "the owner sees all");
    }
    assert!(!is_apart(&known, BOB, &send(OPEN, "x")));
}

#[test]
fn a_stamp_names_how_the_member_stands() {
    let mut structure = with_keepers_rights(Permissions::all());
    let bob = member(BOB, &[]);
    let stamp = structure.stamp(&bob);
    let in_group = member(BOB, &[LOW]);
    assert_ne!(
        structure.stamp(&in_group),
        stamp,
        "a member group, though it shows and hides nothing"
    );
    let newer = Member {
        joined_at: 2_000,
        ..bob.clone()
    };
    assert_ne!(structure.stamp(&newer), stamp, "since when he is one");
    let seat = Change::Seat {
        community: COMMUNITY,
        topic: CLOSED,
        account: BOB,
        since: Some(NOW + 1),
    };
    structure.apply(Rev(11), std::iter::empty(), &[seat]);
    assert_ne!(structure.stamp(&bob), stamp, "since when he has a seat");
}

#[test]
fn a_topic_that_one_may_not_see_does_not_exist_for_him() {
    let mut structure = structure();
    let place = Place::Topic(OPEN);
    let body = AccessRow {
        deny: Permissions::VIEW,
        ..access(place, None, Permissions::empty())
    };
    let hidden = row(10, AccessRow::id(place, None), body);
    structure.apply(Rev(10), [hidden].iter(), &[]);
    let bob = facts(&structure, member(BOB, &[]));
    let delete = Command::TopicDelete {
        community: COMMUNITY,
        topic: OPEN,
    };
    let read = Command::CursorSet {
        topic: OPEN,
        seq: Seq(1),
    };
    for command in [send(OPEN, "x"), delete, read] {
        assert_eq!(code(&bob, &command), Code::NotFound, "{command:?}");
    }
}

#[test]
fn a_seat_is_read_from_its_own_time_on_without_the_right_to_read_history() {
    let structure = with_keepers_rights(Permissions::SPEAK);
    let bob = member(BOB, &[]);
    assert_eq!(
        structure.readable_since(&bob, OPEN),
        Some(1_000),
        "since he joined"
    );
    assert_eq!(
        structure.readable_since(&bob, CLOSED),
        Some(NOW),
        "since he has the seat"
    );
    let newer = Member {
        joined_at: NOW + 1,
        ..bob
    };
    assert_eq!(
        structure.readable_since(&newer, CLOSED),
        Some(NOW + 1),
        "and never from before he joined"
    );
}

#[test]
fn access_rows_are_set_for_member_groups_below_ones_own_rank_only() {
    let structure = with_keepers_rights(Permissions::all());
    let set = |member_group| Command::AccessSet {
        community: COMMUNITY,
        place: Place::Topic(OPEN),
        member_group,
        allow: Edit {
            from: Permissions::empty(),
            to: Permissions::SPEAK,
        },
        deny: Edit {
            from: Permissions::empty(),
            to: Permissions::empty(),
        },
    };
    let keeper = keeper(&structure);
    for below in [None, Some(LOW)] {
        assert!(run(&keeper, &set(below)).is_ok(), "{below:?}");
    }
    for high in [KEEPERS, HIGH] {
        assert_eq!(code(&keeper, &set(Some(high))), Code::RankTooLow);
    }
}

#[test]
fn a_seat_that_is_given_writes_nothing_of_what_is_read() {
    let structure = with_keepers_rights(Permissions::all());
    let seat = Command::SeatSet {
        community: COMMUNITY,
        topic: CLOSED,
        account: OWNER,
        on: true,
    };
    let decision = run(&keeper(&structure), &seat).unwrap();
    let reads = |change: &Change| matches!(change, Change::ReadSoFar { .. });
    assert!(!decision.changes.iter().any(reads), "{decision:?}");
}

#[test]
fn a_seat_that_is_given_or_taken_moves_the_row_on_which_rights_rest() {
    let mut structure = with_keepers_rights(Permissions::all());
    for account in [BOB, CAROL] {
        structure.seats.put(CLOSED, account, Some(1));
    }
    let seat = |account, on| Command::SeatSet {
        community: COMMUNITY,
        topic: CLOSED,
        account,
        on,
    };
    let community = COMMUNITY;
    let kick = Command::MemberKick {
        community,
        account: CAROL,
        end_invites: false,
    };
    let leave = Command::CommunityLeave { community };
    for command in [seat(OWNER, true), seat(CAROL, false), kick, leave] {
        let decision = run(&keeper(&structure), &command).unwrap();
        let is_seat = |change: &Change| matches!(change, Change::Seat { topic: CLOSED, .. });
        assert!(decision.changes.iter().any(is_seat), "{command:?}");
        let is_row = |change: &Change| matches!(change, Change::Row { id, body: Body::Topic(_), .. } if *id == CLOSED.to_string());
        assert!(
            decision.changes.iter().any(is_row),
            "what was decided before rests on it: {command:?}"
        );
    }
}

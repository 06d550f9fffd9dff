//! An example from the documentation of a product that many communities come from, with its rights read as ours: what a
//! topic allows everyone by default is a row of `everyone` there, what a group of its allows is a row of a member group,
//! and everybody sees the community.

use super::*;

const COMMUNITY_MANAGEMENT: MemberGroupId = MemberGroupId(Uuid::from_u128(11));
const TOPIC_MANAGEMENT: MemberGroupId = MemberGroupId(Uuid::from_u128(12));

/// Its bits of a topic, as far as we have them.
fn of_topic(mask: u64) -> Permissions {
    let bits = [
        (0, Permissions::MANAGE_TOPICS),
        (2, Permissions::MUTE),
        (3, Permissions::SPEAK),
        (4, Permissions::READ_HISTORY),
        (5, Permissions::RECALL_OTHERS),
        (6, Permissions::MENTION_ALL),
    ];
    let set = bits.into_iter().filter(|(bit, _)| mask & (1 << bit) != 0);
    set.map(|(_, right)| right).collect()
}

/// Its bits of a community, as far as the example uses them: editing it, and its members.
fn of_community(mask: u64) -> Permissions {
    let members = Permissions::KICK | Permissions::APPROVE_MEMBERS;
    let bits = [(0, Permissions::MANAGE_COMMUNITY), (1, members)];
    let set = bits.into_iter().filter(|(bit, _)| mask & (1 << bit) != 0);
    set.map(|(_, right)| right).collect()
}

fn allowing(allow: Permissions) -> Access {
    Access {
        allow,
        deny: Permissions::empty(),
    }
}

/// The way to a topic: its default, and what the member groups have there.
fn way(default: u64, groups: &[(MemberGroupId, u64)]) -> Vec<PlaceAccess> {
    vec![
        PlaceAccess {
            place: Place::Community,
            everyone: allowing(Permissions::VIEW | of_community(0)),
            groups: vec![
                (COMMUNITY_MANAGEMENT, allowing(of_community(3))),
                (TOPIC_MANAGEMENT, allowing(of_community(0))),
            ],
        },
        PlaceAccess {
            place: place(1),
            everyone: Access::default(),
            groups: Vec::new(),
        },
        PlaceAccess {
            place: place(2),
            everyone: allowing(of_topic(default)),
            groups: groups
                .iter()
                .map(|(id, mask)| (*id, allowing(of_topic(*mask))))
                .collect(),
        },
    ]
}

#[test]
fn the_worked_example_of_permission_groups_comes_out_as_documented() {
    let notices = way(16, &[(COMMUNITY_MANAGEMENT, 8)]);
    let basketball = way(8, &[(TOPIC_MANAGEMENT, 4)]);
    let football = way(8, &[(TOPIC_MANAGEMENT, 4)]);
    let rights = |mine: &[MemberGroupId], is_owner, places: &[PlaceAccess]| {
        let standing = Standing {
            is_owner,
            member_groups: mine,
            has_seat: None,
        };
        held(standing, places).permissions
    };
    let a: &[MemberGroupId] = &[COMMUNITY_MANAGEMENT];
    let b_and_c: &[MemberGroupId] = &[TOPIC_MANAGEMENT];
    let others: &[MemberGroupId] = &[];
    let (speak, history, mute) = (
        Permissions::SPEAK,
        Permissions::READ_HISTORY,
        Permissions::MUTE,
    );

    assert!(
        rights(a, false, &notices).contains(speak),
        "a may post there"
    );
    assert!(
        rights(others, true, &notices).contains(speak),
        "the owner may"
    );
    for mine in [b_and_c, others] {
        let there = rights(mine, false, &notices);
        assert!(!there.contains(speak), "nobody else posts in the notices");
        assert!(there.contains(history), "everybody reads them");
    }
    let community = &notices[..1];
    let manages = Permissions::MANAGE_COMMUNITY | Permissions::KICK;
    assert!(
        rights(a, false, community).contains(manages),
        "a edits the community and manages its members"
    );
    for mine in [b_and_c, others] {
        assert_eq!(rights(mine, false, community), Permissions::VIEW);
    }
    for topic in [&basketball, &football] {
        for mine in [a, b_and_c, others] {
            let there = rights(mine, false, topic);
            assert!(there.contains(speak), "everybody chats");
            assert_eq!(there.contains(mute), mine == b_and_c, "b and c may mute");
            assert!(!there.contains(history), "nothing says more");
        }
    }
}

//! How much there may be of something (DESIGN §9): the refusal names the limit.

use tulou_protocol::{
    Counted, limits,
    row::{Level, NotifyScope},
};

use super::*;
use crate::domain::facts::Known;

/// Of what there are too many, and how many there may be.
fn too_many(facts: &Facts<'_>, command: &Command) -> (Option<Counted>, Option<u64>) {
    let refused = run(facts, command).unwrap_err();
    assert_eq!(refused.code, Code::TooMany);
    (refused.of, refused.limit)
}

/// The same community with as many groups, topics and member groups as there may be, but for `free` of each.
fn crowded(free: usize) -> Structure {
    let mut structure = structure();
    let id = |n: usize| Uuid::from_u128(1_000_000 + n as u128);
    let mut rows = Vec::new();
    for n in structure.groups.len()..limits::GROUPS - free {
        let body = Group {
            name: "分组".into(),
            position: "80".into(),
            more: Default::default(),
        };
        rows.push(row(10, GroupId(id(n)), body));
    }
    for n in structure.topics.len()..limits::TOPICS - free {
        rows.push(row(10, TopicId(id(n)), topic("话题", false, 3)));
    }
    for n in structure.member_groups.len()..limits::MEMBER_GROUPS - free {
        rows.push(row(10, MemberGroupId(id(n)), member_group("组", "20")));
    }
    structure.apply(Rev(10), rows.iter(), &[]);
    structure
}

#[test]
fn an_account_has_so_many_communities_and_levels_and_no_more() {
    let structure = structure();
    let make = Command::CommunityCreate {
        community: CommunityId(Uuid::from_u128(40)),
        name: "新".into(),
        group: GROUP,
        group_name: "大厅".into(),
        topic: TopicId(Uuid::from_u128(41)),
        topic_name: "闲聊".into(),
    };
    let join = Command::CommunityJoin {
        community: COMMUNITY,
        invite: Some("ABCDEFGHIJKL".into()),
    };
    let level = Command::NotifySet {
        scope: NotifyScope::Topic(OPEN),
        level: Level::Nothing,
        until: None,
    };
    for (command, place, limit, of) in [
        (make, None, limits::COMMUNITIES, Counted::Communities),
        (
            join,
            Some(&structure),
            limits::COMMUNITIES,
            Counted::Communities,
        ),
        (level, None, limits::LEVELS, Counted::Levels),
    ] {
        let facts = |count, is_there| Facts {
            structure: place,
            inviter: Some(member(OWNER, &[])),
            known: Known {
                own: (count, is_there),
                ..Known::default()
            },
            ..Facts::default()
        };
        let decided = |count, is_there| decide(&facts(count, is_there), CAROL, &command, NOW);
        let many = decided(limit, false).unwrap_err();
        assert_eq!(many, Rejection::limit(Code::TooMany, limit).of(of));
        assert!(decided(limit - 1, false).is_ok(), "{command:?}");
        assert!(decided(limit, true).is_ok(), "what is there is no more");
    }
}

#[test]
fn a_community_has_so_many_groups_topics_and_member_groups_and_no_more() {
    let group = Command::GroupCreate {
        community: COMMUNITY,
        group: GroupId(Uuid::from_u128(31)),
        name: "新".into(),
        position: "90".into(),
    };
    let topic = Command::TopicCreate {
        community: COMMUNITY,
        group: GROUP,
        topic: TopicId(Uuid::from_u128(32)),
        name: "新".into(),
        introduction: String::new(),
        closed: false,
        position: "90".into(),
    };
    let member_group = Command::MemberGroupCreate {
        community: COMMUNITY,
        member_group: MemberGroupId(Uuid::from_u128(33)),
        name: "新".into(),
        rank: "10".into(),
        shown: true,
        tagged: false,
    };
    let limits = [
        (group, limits::GROUPS, Counted::Groups),
        (topic, limits::TOPICS, Counted::Topics),
        (member_group, limits::MEMBER_GROUPS, Counted::MemberGroups),
    ];
    let (full, last) = (crowded(0), crowded(1));
    let (full, last) = (
        facts(&full, member(OWNER, &[])),
        facts(&last, member(OWNER, &[])),
    );
    for (command, limit, of) in limits {
        assert!(run(&last, &command).is_ok(), "the last one: {command:?}");
        let limit = u64::try_from(limit).unwrap();
        assert_eq!(too_many(&full, &command), (Some(of), Some(limit)));
    }
}

#[test]
fn a_community_has_so_many_access_rows_and_no_more() {
    let mut structure = crowded(0);
    let subjects: Vec<MemberGroupId> = structure.member_groups.keys().copied().collect();
    let topics: Vec<TopicId> = structure.topics.keys().copied().collect();
    let places = topics
        .iter()
        .flat_map(|topic| subjects.iter().map(|subject| (*topic, *subject)));
    let rows: Vec<Row> = places
        .take(limits::ACCESS_ROWS - structure.access.len())
        .map(|(topic, subject)| {
            let place = Place::Topic(topic);
            let body = access(place, Some(subject), Permissions::PIN);
            row(11, AccessRow::id(place, Some(subject)), body)
        })
        .collect();
    structure.apply(Rev(11), rows.iter(), &[]);
    let owner = facts(&structure, member(OWNER, &[]));
    let set = |topic, from| Command::AccessSet {
        community: COMMUNITY,
        place: Place::Topic(topic),
        member_group: Some(subjects[0]),
        allow: Edit {
            from,
            to: Permissions::SPEAK,
        },
        deny: Edit {
            from: Permissions::empty(),
            to: Permissions::empty(),
        },
    };
    let last = *topics.last().unwrap();
    let limit = u64::try_from(limits::ACCESS_ROWS).unwrap();
    assert_eq!(
        too_many(&owner, &set(last, Permissions::empty())),
        (Some(Counted::Access), Some(limit))
    );
    assert!(
        run(&owner, &set(topics[0], Permissions::PIN)).is_ok(),
        "those that are there may change"
    );
}

#[test]
fn a_message_has_so_many_kinds_of_reactions_and_no_more() {
    let structure = structure();
    let mut message = stored(CAROL, NOW, "x");
    let keys = "👍 ❤️ 😂 🎉 🔥 👀 🙏 ✅ 🙋 👏 💯 🤔 😮 😢 😡 👎 😀 😄 😁 😅";
    assert_eq!(keys.split(' ').count(), limits::REACTION_KINDS);
    let reactions = keys.split(' ').map(|key| Reaction {
        key: key.to_owned(),
        count: 1,
    });
    message.message.marks = Some(Marks {
        reactions: reactions.collect(),
        ..Marks::default()
    });
    let bob = with_message(facts(&structure, member(BOB, &[])), message);
    let react = |key: &str| Command::MessageReact {
        topic: OPEN,
        message: MESSAGE,
        key: key.into(),
        on: true,
    };
    let refused = run(&bob, &react("🚀")).unwrap_err();
    let limit = Rejection::limit(Code::TooMany, 20).of(Counted::Reactions);
    assert_eq!(refused, limit, "it says which limit");
    assert!(
        run(&bob, &react("❤")).is_ok(),
        "it is among them, however it is written"
    );
}

#[test]
fn a_topic_has_so_many_pins_and_no_more() {
    let structure = structure();
    let mut owner = with_message(
        facts(&structure, member(OWNER, &[])),
        stored(CAROL, NOW, "x"),
    );
    let pin = Command::MessagePin {
        topic: OPEN,
        message: MESSAGE,
        on: true,
    };
    owner.known.pins = limits::PINS - 1;
    assert!(run(&owner, &pin).is_ok());
    owner.known.pins = limits::PINS;
    assert_eq!(too_many(&owner, &pin), (Some(Counted::Pins), Some(250)));
}

#[test]
fn a_message_mentions_so_many_persons_and_no_more() {
    let structure = structure();
    let bob = facts(&structure, member(BOB, &[]));
    let text = |persons: u128| -> String {
        let persons = (0..persons).map(|n| format!("<@{}>", AccountId(Uuid::from_u128(n + 100))));
        persons.collect()
    };
    assert!(run(&bob, &send(OPEN, &text(50))).is_ok());
    let all = text(51);
    assert_eq!(
        too_many(&bob, &send(OPEN, &all)),
        (Some(Counted::Mentions), Some(50))
    );
    let bob = with_message(bob, stored(BOB, NOW, "x"));
    let edit = Command::MessageEdit {
        topic: OPEN,
        message: MESSAGE,
        text: Edit {
            from: "x".into(),
            to: all,
        },
    };
    assert_eq!(too_many(&bob, &edit), (Some(Counted::Mentions), Some(50)));
}

#[test]
fn names_and_introductions_end_somewhere() {
    let structure = structure();
    let owner = facts(&structure, member(OWNER, &[]));
    let edit = |name: Option<String>, introduction: Option<String>| {
        let edit = |from: &str, to| Edit {
            from: from.to_owned(),
            to,
        };
        Command::TopicEdit {
            community: COMMUNITY,
            topic: OPEN,
            name: name.map(|to| edit("闲聊", to)),
            introduction: introduction.map(|to| edit("", to)),
            group: None,
            position: None,
        }
    };
    // As many characters as a person counts, in every script.
    for letter in ["x", "字", "👍"] {
        let most = edit(Some(letter.repeat(60)), Some(letter.repeat(1_000)));
        assert!(run(&owner, &most).is_ok(), "{letter}");
        for (over, field, limit, count) in [
            (edit(Some(letter.repeat(61)), None), "name.to", 60, 61),
            (
                edit(None, Some(letter.repeat(1_001))),
                "introduction.to",
                1_000,
                1_001,
            ),
        ] {
            let refused = run(&owner, &over).unwrap_err();
            let expected = Rejection::too_long(Counted::Characters, limit, count).at(field);
            assert_eq!(
                refused, expected,
                "it says which limit, and by how much: {letter}"
            );
        }
    }
    let family = "👨\u{200D}👩\u{200D}👧\u{200D}👦".repeat(10);
    let refused = run(&owner, &edit(Some(family), None)).unwrap_err();
    let expected = Rejection::too_long(Counted::Bytes, 240, 250).at("name.to");
    assert_eq!(refused, expected);
}

#[test]
fn a_message_is_edited_as_long_as_the_community_says() {
    let mut structure = structure();
    let edit = Command::MessageEdit {
        topic: OPEN,
        message: MESSAGE,
        text: Edit {
            from: "x".into(),
            to: "y".into(),
        },
    };
    let at = |structure: &Structure, age| {
        let bob = with_message(
            facts(structure, member(BOB, &[])),
            stored(BOB, NOW - age, "x"),
        );
        run(&bob, &edit)
            .map(drop)
            .map_err(|rejection| rejection.code)
    };
    assert_eq!(at(&structure, 900_000_000), Ok(()), "any time");
    let mut community = structure.community.body.clone();
    community.edit_window_ms = Some(60_000);
    structure.apply(Rev(10), [row(10, COMMUNITY, community)].iter(), &[]);
    assert_eq!(at(&structure, 60_000), Ok(()));
    assert_eq!(at(&structure, 60_001), Err(Code::EditTooLate));
}

#[test]
fn one_picture_is_one_reaction_however_it_is_written_and_what_is_no_emoji_is_none() {
    let structure = structure();
    let mut message = stored(CAROL, NOW, "x");
    message.message.marks = Some(Marks {
        reactions: vec![Reaction {
            key: "\u{2764}\u{FE0F}".into(),
            count: 1,
        }],
        ..Marks::default()
    });
    let bob = with_message(facts(&structure, member(BOB, &[])), message);
    let react = |key: &str| Command::MessageReact {
        topic: OPEN,
        message: MESSAGE,
        key: key.into(),
        on: true,
    };
    for written in ["\u{2764}", "\u{2764}\u{FE0F}", "\u{2764}\u{FE0E}"] {
        let decision = run(&bob, &react(written)).unwrap();
        let marks = marked_by(&bob, &decision.changes[0]);
        assert_eq!(marks.reactions.len(), 1, "{written:?}");
        assert_eq!(marks.reactions[0].count, 2, "{written:?}");
    }
    for picture in [
        "👍🏽",
        "👩🏻\u{200D}❤\u{FE0F}\u{200D}💋\u{200D}👨🏿",
        "1\u{FE0F}\u{20E3}",
    ] {
        assert!(run(&bob, &react(picture)).is_ok(), "{picture:?} fits");
    }
    for other in ["中文", "\u{202E}", "\u{200D}", "ok"] {
        assert_eq!(
            refused(&bob, &react(other)),
            (Code::NotAnEmoji, None),
            "{other:?}"
        );
    }
}

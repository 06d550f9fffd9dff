//! What is said of a decision: the field that was wrong, or the rows that it rests on.

use super::*;
use crate::domain::change::Expect;

#[test]
fn a_refusal_names_the_field_that_was_wrong() {
    let structure = structure();
    let owner = facts(&structure, member(OWNER, &[]));
    let wrong = |command: &Command, code: Code, name: &str| {
        assert_eq!(
            field(&owner, command),
            (code, Some(name.to_owned())),
            "{command:?}"
        );
    };
    let (nowhere, nothing) = (TopicId(Uuid::from_u128(77)), GroupId(Uuid::from_u128(78)));
    wrong(&send(OPEN, " "), Code::Empty, "text");
    wrong(&send(nowhere, "x"), Code::NotFound, "topic");
    let reply = Command::MessageSend {
        topic: OPEN,
        message: MESSAGE,
        text: "x".into(),
        reply_to: Some(MESSAGE),
        written_at: NOW,
    };
    wrong(&reply, Code::NotFound, "reply_to");
    let create = |name: &str, position: &str, group: GroupId| Command::TopicCreate {
        community: COMMUNITY,
        group,
        topic: nowhere,
        name: name.into(),
        introduction: String::new(),
        closed: false,
        position: position.into(),
    };
    wrong(&create("", "80", GROUP), Code::Empty, "name");
    wrong(&create("x", "", GROUP), Code::Empty, "position");
    wrong(&create("x", "80", nothing), Code::NotFound, "group");
    let edit = |topic, name: &str| Command::TopicEdit {
        community: COMMUNITY,
        topic,
        name: Some(Edit {
            from: "闲聊".into(),
            to: name.into(),
        }),
        introduction: None,
        group: None,
        position: None,
    };
    wrong(&edit(OPEN, "a\nb"), Code::BadCharacters, "name.to");
    wrong(&edit(nowhere, "x"), Code::NotFound, "topic");
    let shelf = Command::GroupEdit {
        community: COMMUNITY,
        group: nothing,
        name: None,
        position: None,
    };
    wrong(&shelf, Code::NotFound, "group");
    let access = Command::AccessSet {
        community: COMMUNITY,
        place: Place::Topic(nowhere),
        member_group: None,
        allow: Edit {
            from: Permissions::empty(),
            to: Permissions::PIN,
        },
        deny: Edit {
            from: Permissions::empty(),
            to: Permissions::empty(),
        },
    };
    wrong(&access, Code::NotFound, "place");
    let kick = Command::MemberKick {
        community: COMMUNITY,
        account: CAROL,
        end_invites: false,
    };
    wrong(&kick, Code::NotFound, "account");
    let seat = Command::SeatSet {
        community: COMMUNITY,
        topic: OPEN,
        account: BOB,
        on: true,
    };
    wrong(&seat, Code::Malformed, "topic");
    let mut lost = facts(&structure, member(OWNER, &[]));
    lost.structure = None;
    assert_eq!(
        field(&lost, &send(OPEN, "x")),
        (Code::NotFound, Some("topic".into())),
        "a topic that leads nowhere"
    );
    assert_eq!(
        field(&lost, &kick),
        (Code::NotFound, Some("community".into()))
    );
}

#[test]
fn a_decision_names_the_rows_that_it_rests_on() {
    let structure = structure();
    let head = Expect::Head(structure.log(), Rev(9));
    let rights = Expect::Rights(COMMUNITY, OPEN, structure.topics[&OPEN].body.group, Rev(9));
    let bob = Expect::Member(COMMUNITY, BOB, Rev(1));
    let mut keeper = facts(&structure, member(BOB, &[KEEPERS]));
    let sent = run(&keeper, &send(OPEN, "x")).unwrap();
    assert_eq!(
        sent.expects,
        [rights, bob],
        "rights are those at commit: what gives them in the topic, and the actor's"
    );
    keeper.members.insert(CAROL, member(CAROL, &[]));
    let kick = Command::MemberKick {
        community: COMMUNITY,
        account: CAROL,
        end_invites: false,
    };
    let carol = Expect::Member(COMMUNITY, CAROL, Rev(1));
    let kicked = run(&keeper, &kick).unwrap();
    assert_eq!(kicked.expects, [carol, head, bob], "and the target's");
    let recall = Command::MessageRecall {
        topic: OPEN,
        message: MESSAGE,
    };
    let facts = with_message(
        facts(&structure, member(BOB, &[])),
        stored(BOB, NOW, "mine"),
    );
    let recalled = run(&facts, &recall).unwrap();
    assert_eq!(
        recalled.expects,
        [Expect::Content(OPEN, MESSAGE, Rev(2)), rights, bob],
        "and the message's"
    );
}

//! Groups and topics: how they are made, edited and deleted, and which of it moves the stamp of a view.

use super::*;

#[test]
fn who_makes_a_closed_topic_has_its_first_seat() {
    let structure = structure();
    let keeper = facts(&structure, member(BOB, &[KEEPERS]));
    let made = TopicId(Uuid::from_u128(99));
    let decision = run(
        &keeper,
        &Command::TopicCreate {
            community: COMMUNITY,
            group: GROUP,
            topic: made,
            name: "新".into(),
            introduction: String::new(),
            closed: true,
            position: "90".into(),
        },
    )
    .unwrap();
    assert!(decision.changes.contains(&Change::Seat {
        community: COMMUNITY,
        topic: made,
        account: BOB,
        since: Some(NOW)
    }));
    assert!(
        decision.changes.contains(&Change::Numbered {
            community: COMMUNITY,
            last: 3
        }),
        "numbers are not given twice"
    );
}

#[test]
fn an_edit_keeps_the_fields_of_a_newer_version() {
    let mut structure = structure();
    let mut newer = topic("闲聊", false, 1);
    newer.more.insert("colour".to_owned(), "red".into());
    structure.apply(Rev(10), [row(10, OPEN, newer)].iter(), &[]);
    let owner = facts(&structure, member(OWNER, &[]));
    let rename = Command::TopicEdit {
        community: COMMUNITY,
        topic: OPEN,
        name: Some(Edit {
            from: "闲聊".into(),
            to: "茶馆".into(),
        }),
        introduction: None,
        group: None,
        position: None,
    };
    let decision = run(&owner, &rename).unwrap();
    let [
        Change::Row {
            body: Body::Topic(edited),
            ..
        },
    ] = &decision.changes[..]
    else {
        panic!("{decision:?}")
    };
    assert_eq!(
        (edited.name.as_str(), &edited.more["colour"]),
        ("茶馆", &"red".into())
    );
}

#[test]
fn a_group_with_topics_in_it_stays() {
    let structure = structure();
    let owner = facts(&structure, member(OWNER, &[]));
    let delete = Command::GroupDelete {
        community: COMMUNITY,
        group: GROUP,
    };
    assert_eq!(code(&owner, &delete), Code::GroupNotEmpty);
}

#[test]
fn the_stamp_moves_with_what_is_seen_and_with_nothing_else() {
    let mut structure = structure();
    let bob = member(BOB, &[]);
    let before = structure.stamp(&bob);
    let renamed = row(10, OPEN, topic("新名", false, 1));
    structure.apply(Rev(10), [&renamed].into_iter(), &[]);
    assert_eq!(structure.stamp(&bob), before, "a name is only a row");
    structure.apply(
        Rev(11),
        std::iter::empty(),
        &[Change::Seat {
            community: COMMUNITY,
            topic: CLOSED,
            account: BOB,
            since: Some(NOW),
        }],
    );
    assert_ne!(structure.stamp(&bob), before, "he sees one topic more");
    assert_eq!(structure.log(), Log::Community(COMMUNITY));
}

//! What is sent: who speaks where, what a text may be, and whom it mentions.

use super::*;

#[test]
fn a_member_speaks_where_he_may() {
    let structure = structure();
    let bob = facts(&structure, member(BOB, &[]));
    let decision = run(&bob, &send(OPEN, "你好")).unwrap();
    assert!(matches!(&decision.changes[..], [Change::Send(sent)] if sent.text == "你好"));
    let refused = run(&bob, &send(CLOSED, "hello")).unwrap_err();
    assert_eq!(
        refused.decided_by,
        Some(Why::NoSeat),
        "he sees that it is there, and has no seat"
    );
    let carol = facts(&structure, member(CAROL, &[]));
    assert!(
        run(&carol, &send(CLOSED, "hello")).is_ok(),
        "she has a seat"
    );
}

#[test]
fn a_text_that_may_not_be_is_refused_with_its_limit() {
    let structure = structure();
    let bob = facts(&structure, member(BOB, &[]));
    assert_eq!(code(&bob, &send(OPEN, " ")), Code::Empty);
    assert_eq!(code(&bob, &send(OPEN, "a\u{0}b")), Code::BadCharacters);
    let long = run(&bob, &send(OPEN, &"x".repeat(20_000))).unwrap_err();
    assert_eq!((long.code, long.limit), (Code::TooLong, Some(16_384)));
}

#[test]
fn mentioning_everyone_is_a_right_of_its_own() {
    let structure = structure();
    let bob = facts(&structure, member(BOB, &[]));
    let refused = run(&bob, &send(OPEN, "<@everyone>")).unwrap_err();
    assert_eq!(refused.permission, Some(Permissions::MENTION_ALL));
    let explained = run(&bob, &send(OPEN, "`<@everyone>` calls all")).unwrap();
    let Change::Send(sent) = &explained.changes[0] else {
        panic!("{explained:?}")
    };
    assert_eq!(sent.wide, [], "in code nobody is called");
    let owner = facts(&structure, member(OWNER, &[]));
    let decision = run(&owner, &send(OPEN, &format!("<@everyone> <@&{KEEPERS}>"))).unwrap();
    let Change::Send(sent) = &decision.changes[0] else {
        panic!("{decision:?}")
    };
    assert_eq!(sent.wide, [Some(KEEPERS), None]);
}

#[test]
fn persons_who_may_not_see_the_topic_are_not_mentioned() {
    let structure = structure();
    let mut carol = facts(&structure, member(CAROL, &[]));
    for account in [BOB, OWNER] {
        carol.members.insert(account, member(account, &[]));
    }
    let decision = run(&carol, &send(CLOSED, &format!("<@{BOB}> <@{OWNER}>"))).unwrap();
    let Change::Send(sent) = &decision.changes[0] else {
        panic!("{decision:?}")
    };
    assert_eq!(sent.mentions, [OWNER], "bob has no seat");
}

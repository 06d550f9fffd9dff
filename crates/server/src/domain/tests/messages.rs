//! What may be done with messages: each deed has its right, and what was recalled or may not be read is left alone.

use super::*;

fn edit(to: &str) -> Command {
    Command::MessageEdit {
        topic: OPEN,
        message: MESSAGE,
        text: Edit {
            from: "x".into(),
            to: to.into(),
        },
    }
}

fn react(on: bool) -> Command {
    Command::MessageReact {
        topic: OPEN,
        message: MESSAGE,
        key: "👍".into(),
        on,
    }
}

fn pin(on: bool) -> Command {
    Command::MessagePin {
        topic: OPEN,
        message: MESSAGE,
        on,
    }
}

fn recall() -> Command {
    Command::MessageRecall {
        topic: OPEN,
        message: MESSAGE,
    }
}

/// Everyone has exactly these rights in the open topic.
fn with_rights(rights: Permissions) -> Structure {
    let mut structure = structure();
    let place = Place::Topic(OPEN);
    let all = Permissions::all() - Permissions::COMMUNITY_ONLY;
    let body = AccessRow {
        deny: all - rights,
        ..access(place, None, rights)
    };
    structure.apply(
        Rev(10),
        [row(10, AccessRow::id(place, None), body)].iter(),
        &[],
    );
    structure
}

/// What may be done, the right that it needs, and who wrote the message.
pub(super) fn deeds() -> Vec<(Command, Permissions, AccountId)> {
    vec![
        (send(OPEN, "hello"), Permissions::SPEAK, BOB),
        (edit("y"), Permissions::SPEAK, BOB),
        (react(true), Permissions::REACT, BOB),
        (pin(true), Permissions::PIN, BOB),
        (recall(), Permissions::RECALL_OTHERS, CAROL),
    ]
}

#[test]
fn each_deed_needs_its_right_and_no_other() {
    let seen = Permissions::VIEW | Permissions::READ_HISTORY;
    let all = Permissions::all() - Permissions::COMMUNITY_ONLY;
    for (command, right, author) in deeds() {
        let try_with = |rights| {
            let structure = with_rights(rights);
            let bob = facts(&structure, member(BOB, &[]));
            run(&with_message(bob, stored(author, NOW, "x")), &command)
                .map(drop)
                .map_err(|refused| (refused.code, refused.permission))
        };
        assert_eq!(try_with(seen | right), Ok(()), "{command:?}");
        assert_eq!(
            try_with(all - right),
            Err((Code::NotAllowed, Some(right))),
            "{command:?}"
        );
    }
}

#[test]
fn a_reaction_is_taken_back_without_the_right_to_give_it() {
    let structure = with_rights(Permissions::VIEW | Permissions::READ_HISTORY);
    let mut message = stored(CAROL, NOW, "x");
    message.has_reacted = true;
    let bob = with_message(facts(&structure, member(BOB, &[])), message);
    assert!(run(&bob, &react(false)).is_ok());
}

#[test]
fn what_may_not_be_read_is_left_alone() {
    let all = Permissions::all() - Permissions::COMMUNITY_ONLY;
    let structure = with_rights(all - Permissions::READ_HISTORY);
    // He joined at 1,000.
    for (sent_at, expected) in [(999, Err(Code::NotAllowed)), (1_000, Ok(()))] {
        for command in [react(true), pin(true), recall()] {
            let bob = with_message(
                facts(&structure, member(BOB, &[])),
                stored(CAROL, sent_at, "x"),
            );
            let found = run(&bob, &command)
                .map(drop)
                .map_err(|refused| refused.code);
            assert_eq!(found, expected, "{command:?} of what was sent at {sent_at}");
        }
    }
}

#[test]
fn what_was_recalled_is_not_edited_pinned_or_reacted_to() {
    let structure = structure();
    let mut message = stored(OWNER, NOW, "");
    message.message.content.as_mut().unwrap().recalled_by = Some(OWNER);
    let owner = with_message(facts(&structure, member(OWNER, &[])), message);
    for command in [edit("y"), react(true), pin(true)] {
        assert_eq!(code(&owner, &command), Code::Gone, "{command:?}");
    }
    assert_eq!(
        run(&owner, &recall()).unwrap().changes,
        [],
        "it is recalled already"
    );
}

#[test]
fn a_recalled_message_keeps_no_pin_and_mentions_nobody() {
    let structure = structure();
    let mut message = stored(BOB, NOW, &format!("<@{CAROL}>"));
    message.message.marks = Some(Marks {
        pinned_at: Some(NOW),
        ..Marks::default()
    });
    let bob = with_message(facts(&structure, member(BOB, &[])), message);
    let decision = run(&bob, &recall()).unwrap();
    let [Change::Content(contents), unpin] = &decision.changes[..] else {
        panic!("{decision:?}")
    };
    assert_eq!(contents.content.text, "", "nothing of it is kept");
    assert_eq!(contents.unmentioned, [CAROL]);
    assert_eq!(marked_by(&bob, unpin).pinned_at, None);
}

#[test]
fn a_claim_of_when_a_message_was_written_is_kept_if_it_is_far_off() {
    let structure = structure();
    let bob = facts(&structure, member(BOB, &[]));
    let kept = |written_at: i64| {
        let command = Command::MessageSend {
            topic: OPEN,
            message: MessageId(Uuid::from_u128(17)),
            text: "你好".into(),
            reply_to: None,
            written_at,
        };
        let changes = run(&bob, &command).unwrap().changes;
        let [Change::Send(sent)] = changes.as_slice() else {
            panic!("{changes:?}")
        };
        sent.written_at
    };
    let near = [
        NOW,
        NOW - tulou_protocol::limits::CLOCK_MS,
        NOW + tulou_protocol::limits::CLOCK_MS,
    ];
    assert_eq!(near.map(kept), [None; 3]);
    let far = [
        NOW - tulou_protocol::limits::CLOCK_MS - 1,
        NOW + tulou_protocol::limits::CLOCK_MS + 1,
        i64::MIN,
        i64::MAX,
    ];
    assert_eq!(far.map(kept), far.map(Some));
}

#[test]
fn a_reply_is_to_a_message_of_the_topic() {
    let structure = structure();
    let reply = Command::MessageSend {
        topic: OPEN,
        message: MessageId(Uuid::from_u128(17)),
        text: "你好".into(),
        reply_to: Some(MESSAGE),
        written_at: NOW,
    };
    let mut bob = facts(&structure, member(BOB, &[]));
    assert_eq!(code(&bob, &reply), Code::NotFound);
    bob.known.has_reply_to = true;
    assert!(run(&bob, &reply).is_ok());
}

#[test]
fn an_edit_mentions_whom_it_adds_and_unmentions_whom_it_leaves_out() {
    let structure = structure();
    let mut bob = with_message(
        facts(&structure, member(BOB, &[])),
        stored(BOB, NOW, &format!("<@{CAROL}> <@{BOB}>")),
    );
    for account in [BOB, CAROL, OWNER] {
        bob.members.insert(account, member(account, &[]));
    }
    let text = |persons: &[AccountId]| -> String {
        persons.iter().map(|id| format!("<@{id}> ")).collect()
    };
    let change = Command::MessageEdit {
        topic: OPEN,
        message: MESSAGE,
        text: Edit {
            from: format!("<@{CAROL}> <@{BOB}>"),
            to: text(&[OWNER, BOB]),
        },
    };
    let decision = run(&bob, &change).unwrap();
    let [Change::Content(contents)] = &decision.changes[..] else {
        panic!("{decision:?}")
    };
    assert_eq!(contents.mentioned, [OWNER], "and not himself");
    assert_eq!(contents.unmentioned, [CAROL]);
}

#[test]
fn an_edit_that_comes_too_late_names_the_present_row() {
    let structure = structure();
    let bob = with_message(facts(&structure, member(BOB, &[])), stored(BOB, NOW, "b"));
    let edit = |from: &str, to: &str| Command::MessageEdit {
        topic: OPEN,
        message: MESSAGE,
        text: Edit {
            from: from.into(),
            to: to.into(),
        },
    };
    let refused = run(&bob, &edit("a", "c")).unwrap_err();
    assert_eq!(refused.code, Code::ChangedMeanwhile);
    assert_eq!(refused.present.unwrap().rev, Rev(4));
    assert!(run(&bob, &edit("b", "c")).is_ok(), "from what it is");
    assert_eq!(
        run(&bob, &edit("a", "b")).unwrap().changes,
        [],
        "it is so already"
    );
    let others = with_message(facts(&structure, member(BOB, &[])), stored(CAROL, NOW, "b"));
    assert_eq!(code(&others, &edit("b", "c")), Code::NotYours);
}

#[test]
fn a_message_is_recalled_by_its_author_for_two_minutes_and_by_keepers_always() {
    let structure = structure();
    let recall = Command::MessageRecall {
        topic: OPEN,
        message: MESSAGE,
    };
    let at = |who, groups: &[MemberGroupId], author, age| {
        let facts = with_message(
            facts(&structure, member(who, groups)),
            stored(author, NOW - age, "x"),
        );
        run(&facts, &recall).map_err(|rejection| rejection.code)
    };
    assert!(at(BOB, &[], BOB, 120_000).is_ok());
    assert_eq!(at(BOB, &[], BOB, 120_001), Err(Code::RecallTooLate));
    assert_eq!(at(BOB, &[], CAROL, 0), Err(Code::NotAllowed));
    assert!(at(BOB, &[KEEPERS], CAROL, 9_000_000).is_ok());
}

#[test]
fn a_reaction_counts_once_and_goes_when_nobody_gives_it() {
    let structure = structure();
    let mut message = stored(CAROL, NOW, "x");
    message.message.marks = Some(Marks {
        reactions: vec![Reaction {
            key: "👍".into(),
            count: 1,
        }],
        ..Marks::default()
    });
    message.has_reacted = true;
    let bob = with_message(facts(&structure, member(BOB, &[])), message);
    let react = |on| Command::MessageReact {
        topic: OPEN,
        message: MESSAGE,
        key: "👍".into(),
        on,
    };
    let again = run(&bob, &react(true)).unwrap().changes;
    assert_eq!(again.len(), 1, "the store knows whether he has a row of it");
    let decision = run(&bob, &react(false)).unwrap();
    let marks = marked_by(&bob, &decision.changes[0]);
    assert_eq!(marks.reactions, [], "the last one took it back");
}

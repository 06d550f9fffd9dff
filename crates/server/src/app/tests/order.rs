//! Commits that share one transaction: each row goes out with the rights of its own commit, in the order of commit.

use tulou_protocol::{
    MessageId, Permissions, Seq, ServerFrame, command::Edit, frame::Refusal, push::Pushed,
    question::PageAt,
};

use super::{
    house::{Heard, House, none_to, row},
    *,
};
use crate::store::Outcome;

#[tokio::test]
async fn of_one_transaction_what_comes_before_a_topic_is_hidden_is_told_and_what_comes_after_is_not()
 {
    let house = House::build(Permissions::empty()).await;
    let again = house.app.hub().attach(
        house.alice.account(),
        tulou_protocol::SessionId(Uuid::now_v7()),
        Rev(1),
        1 << 20,
    );
    house.app.watch(&again, vec![house.topic]).await.unwrap();

    let held_up = house.hold_up();
    let before = house.hand_over(&house.alice, house.send(2, "before")).await;
    let hide = house.deny(none_to(Permissions::VIEW));
    let hidden = house.hand_over(&house.alice, hide).await;
    let message = MessageId(Uuid::from_u128(3));
    let after = written(house.topic, message, house.alice.account(), "after");
    let after = house.commit_elsewhere(after);
    held_up.let_go().await;
    before.await.unwrap().unwrap();
    hidden.await.unwrap().unwrap();
    assert!(matches!(after.await, Ok(Outcome::Done(_))));

    settled(&house.app).await;
    assert_eq!(
        house.heard_by(&house.bob),
        [row("before"), Heard::Community],
        "what was committed while he saw the topic, then that it is gone, and nothing of what came then"
    );
    assert_eq!(
        house.heard_by(&again),
        [row("before"), Heard::Community, row("after")],
        "who sees all of it hears it in the order of commit"
    );
    house.app.close().await;
}

#[tokio::test]
async fn of_one_transaction_old_rows_are_told_from_the_commit_on_that_lets_them_be_read() {
    let (none, history) = (Permissions::empty(), Permissions::READ_HISTORY);
    for (from, to, heard) in [
        (history, none, [Heard::LeftOut, Heard::Community, row("2")]),
        (none, history, [row("1"), Heard::Community, Heard::LeftOut]),
    ] {
        let house = House::build(from).await;
        let held_up = house.hold_up();
        let before = house.commit_elsewhere(house.reacted());
        let change = house.deny(Edit { from, to });
        let changed = house.hand_over(&house.alice, change).await;
        let after = house.commit_elsewhere(house.reacted());
        held_up.let_go().await;
        assert!(matches!(before.await, Ok(Outcome::Done(_))));
        changed.await.unwrap().unwrap();
        assert!(matches!(after.await, Ok(Outcome::Done(_))));
        settled(&house.app).await;
        assert_eq!(
            house.heard_by(&house.bob),
            heard,
            "each with the rights of its own commit: {from:?} denied, then {to:?}"
        );
        house.app.close().await;
    }
}

#[tokio::test]
async fn of_one_transaction_what_was_decided_before_a_right_was_taken_is_decided_again() {
    let house = House::build(Permissions::empty()).await;
    let held_up = house.hold_up();
    let mute = house.deny(none_to(Permissions::SPEAK));
    let denied = house.hand_over(&house.alice, mute).await;
    let sent = house
        .hand_over(&house.bob, house.send(2, "a moment too late"))
        .await;
    held_up.let_go().await;
    denied.await.unwrap().unwrap();
    let Err(Refusal::Rejected(refused)) = sent.await.unwrap() else {
        panic!("rights are those at commit")
    };
    assert_eq!(refused.permission, Some(Permissions::SPEAK));
    let heads = house.app.store().heads(vec![Log::Topic(house.topic)]);
    let head = heads.await.unwrap()[0].unwrap();
    assert_eq!(head.seq, Seq(1), "nothing of it was written");
    house.app.close().await;
}

#[tokio::test]
async fn of_one_transaction_what_many_put_on_one_message_is_all_written() {
    let house = House::build(Permissions::empty()).await;
    let message = MessageId(Uuid::from_u128(1));
    let react = |key: &str, on| Command::MessageReact {
        topic: house.topic,
        message,
        key: key.to_owned(),
        on,
    };
    let held_up = house.hold_up();
    let mut given = Vec::new();
    for (line, command) in [
        (&house.alice, react("👍", true)),
        (&house.bob, react("👍", true)),
        (&house.alice, react("🔥", true)),
        (
            &house.alice,
            Command::MessagePin {
                topic: house.topic,
                message,
                on: true,
            },
        ),
        (
            &house.alice,
            Command::MessageEdit {
                topic: house.topic,
                message,
                text: Edit {
                    from: "older than bob".to_owned(),
                    to: "edited".to_owned(),
                },
            },
        ),
    ] {
        given.push(house.hand_over(line, command).await);
    }
    held_up.let_go().await;
    for given in given {
        given.await.unwrap().unwrap();
    }
    settled(&house.app).await;
    let store = house.app.store();
    let page = store.page(house.topic, PageAt::End, 1, None).await;
    let Body::Message(found) = &page.unwrap().unwrap().rows[0].body else {
        panic!("it is a message")
    };
    let text = found.content.as_ref().map(|content| content.text.as_str());
    assert_eq!(text, Some("edited"));
    let marks = found.marks.as_ref().unwrap();
    assert!(marks.pinned_at.is_some());
    let counts: Vec<(&str, u32)> = marks
        .reactions
        .iter()
        .map(|given| (given.key.as_str(), given.count))
        .collect();
    assert_eq!(counts, [("👍", 2), ("🔥", 1)], "of two people and of one");
    for (line, given) in [(&house.alice, vec!["👍", "🔥"]), (&house.bob, vec!["👍"])] {
        let log = Log::Account(line.account());
        let own = store.rows_since(log, Rev::ZERO, None, usize::MAX).await;
        let own = own.unwrap();
        let marks = own.rows.iter().filter_map(|row| {
            let Body::Mark(mark) = &row.body else {
                return None;
            };
            Some(mark.reactions.clone())
        });
        assert_eq!(marks.collect::<Vec<_>>(), [given], "each has his own");
    }
    let pushes = house.bob.take().0.into_iter().filter(|frame| {
        matches!(ServerFrame::parse(frame), Ok(ServerFrame::Pushed(Pushed::Push(push))) if push.log == Log::Topic(house.topic))
    });
    assert_eq!(pushes.count(), 1, "none of them was decided again");
    house.app.close().await;
}

#[tokio::test]
async fn of_one_transaction_nobody_is_mentioned_who_has_left_before() {
    let house = House::build(Permissions::empty()).await;
    let bob = house.bob.account();
    let community = house.community;
    let held_up = house.hold_up();
    let left = house.hand_over(&house.bob, Command::CommunityLeave { community });
    let left = left.await;
    let text = format!("<@{bob}> stays, I think");
    let sent = house.hand_over(&house.alice, house.send(2, &text)).await;
    held_up.let_go().await;
    left.await.unwrap().unwrap();
    sent.await.unwrap().unwrap();
    let log = Log::Account(bob);
    let own = house
        .app
        .store()
        .rows_since(log, Rev::ZERO, None, usize::MAX);
    let own = own.await.unwrap().rows;
    assert!(
        own.iter().all(|row| row.body.kind() != "mention"),
        "it was decided while he was a member: {own:?}"
    );
    house.app.close().await;
}

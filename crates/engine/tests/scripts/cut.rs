//! What becomes of everything on its way when a link does not open, or is lost, or the program ends.

use tulou_engine::{Input, Output, Restored, Write};
use tulou_protocol::{Log, Question};

use crate::stage::*;

#[test]
fn a_socket_that_does_not_open_is_given_up() {
    let mut stage = Stage::new(member(vec![]));
    stage.pass(0);
    stage.pass(19_999);
    let is_cut = |output: &Output| *output == Output::Disconnect;
    assert_eq!(stage.count(is_cut), 0, "there is still time");
    stage.pass(1);
    assert_eq!(stage.count(is_cut), 1, "twenty seconds are enough");
    stage.input(Input::LinkDown);
    stage.outputs.clear();
    stage.pass(1_000);
    assert_eq!(
        stage.count(|output| *output == Output::Connect),
        1,
        "it is tried again"
    );
}

#[test]
fn what_was_asked_on_a_lost_link_is_asked_again_on_the_next() {
    let mut stage = Stage::new(member(vec![]));
    stage.greet();
    stage.question("log.sync");
    stage.input(Input::LinkDown);
    stage.asked.clear();
    stage.pass(1_000);
    stage.input(Input::LinkUp);
    stage.greet_as(EPOCH);
    let (_, question) = stage.question("log.sync");
    let Question::LogSync { logs } = question else {
        panic!("{question:?}")
    };
    assert_eq!(logs[0].log, Log::Account(ME));
}

#[test]
fn the_outbox_is_sent_after_a_restart() {
    let mut before = Stage::new(Restored::default());
    let first = before.entry(send(TOPIC, 100, "first"));
    let second = before.entry(send(TOPIC, 101, "second"));
    let mut restored = member(vec![]);
    restored.outbox = vec![first.clone(), second.clone()];
    let mut stage = Stage::new(restored);
    stage.greet();
    assert_eq!(
        stage.commands(),
        vec![first.id, second.id],
        "with the same ids: the server knows whether it was there before"
    );
}

#[test]
fn rows_of_a_community_whose_membership_never_came_are_forgotten_at_the_greeting() {
    let mut restored = member(vec![]);
    restored.communities.clear();
    let mut stage = Stage::new(restored);
    stage.connect();
    stage.greet_as(EPOCH);
    assert!(
        stage
            .changes()
            .contains(&Write::Forget(Log::Community(COMMUNITY))),
        "if it is one of mine, the account's log brings it, and then it is learnt from the beginning"
    );
}

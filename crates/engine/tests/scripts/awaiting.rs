//! Commands that await something that no command makes: an upload.

use tulou_engine::{Input, Restored};
use tulou_protocol::{Command, MessageId};
use uuid::Uuid;

use crate::stage::*;

const FILM: Uuid = Uuid::from_u128(900);
const SONG: Uuid = Uuid::from_u128(901);

fn reply(message: u128, to: u128) -> Command {
    let mut command = send(TOPIC, message, "reply");
    if let Command::MessageSend { reply_to, .. } = &mut command {
        *reply_to = Some(MessageId(Uuid::from_u128(to)));
    }
    command
}

#[test]
fn a_message_that_awaits_uploads_is_sent_when_all_are_done() {
    let mut stage = Stage::synced(vec![]);
    let film = stage.submit_awaiting(send(TOPIC, 100, "film and song"), &[FILM, SONG]);
    assert!(stage.commands().is_empty(), "neither is done");
    stage.input(Input::Made(SONG));
    assert!(stage.commands().is_empty(), "the film is not");
    stage.input(Input::Made(FILM));
    assert_eq!(stage.commands(), vec![film], "both are");
}

#[test]
fn later_texts_overtake_a_message_that_awaits_an_upload() {
    let mut stage = Stage::synced(vec![]);
    let film = stage.submit_awaiting(send(TOPIC, 100, "film"), &[FILM]);
    let text = stage.submit(send(TOPIC, 101, "it is long"));
    assert_eq!(
        stage.commands(),
        vec![text],
        "who sends a film goes on talking"
    );
    let next = stage.submit(send(TOPIC, 102, "and good"));
    stage.input(Input::Made(FILM));
    assert_eq!(stage.commands(), vec![text], "one frame is in flight");
    stage.answer(text, vec![]);
    assert_eq!(
        stage.commands(),
        vec![film, next],
        "once it is done it has its place again among those that wait"
    );
}

#[test]
fn what_needs_a_message_that_awaits_an_upload_waits_with_it() {
    let mut stage = Stage::synced(vec![]);
    let film = stage.submit_awaiting(send(TOPIC, 100, "film"), &[FILM]);
    let reply = stage.submit(reply(101, 100));
    assert!(stage.commands().is_empty(), "there is nothing to reply to");
    stage.input(Input::Made(FILM));
    assert_eq!(stage.commands(), vec![film], "first the message");
    stage.answer(film, vec![]);
    assert_eq!(stage.commands(), vec![reply], "then what replies to it");
}

#[test]
fn what_awaits_an_upload_awaits_it_after_a_restart_too() {
    let mut before = Stage::synced(vec![]);
    let mut entry = before.entry(send(TOPIC, 100, "film"));
    entry.awaits.insert(FILM);
    let mut stage = Stage::new(Restored {
        outbox: vec![entry.clone()],
        ..member(vec![])
    });
    stage.greet();
    stage.answer_all();
    assert!(stage.commands().is_empty(), "the upload is not done");
    stage.input(Input::LinkDown);
    stage.input(Input::Made(FILM));
    stage.pass(1_000);
    stage.greet();
    assert_eq!(
        stage.commands(),
        vec![entry.id],
        "it was done without a link"
    );
}

#[test]
fn a_message_whose_upload_is_left_out_is_sent() {
    let mut stage = Stage::synced(vec![]);
    let mut entry = stage.entry(send(TOPIC, 100, "film"));
    entry.awaits.insert(FILM);
    stage.input(Input::Submit(entry.clone()));
    entry.awaits.clear();
    stage.input(Input::Replace(entry.clone()));
    assert_eq!(stage.commands(), vec![entry.id], "it awaits nothing");
}

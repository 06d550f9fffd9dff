//! Messages that the server has and that are not held yet: what others wrote before them comes later than their answer.

use tulou_engine::{Batch, Input, OutboxEntry, Output, Write};
use tulou_protocol::{
    AccountId, Body, Command, CommandId, Log, MessageId, Rev, Row, Seq,
    command::Edit,
    push::{Pushed, SyncOutcome, SyncedLog},
    question::{Synced, Told, Watched, WatchedTopic},
};
use uuid::Uuid;

use crate::stage::*;

const LOG: Log = Log::Topic(TOPIC);
const MINE: u128 = 100;

/// My message as the server has it.
fn mine(seq: u64) -> Row {
    Row {
        id: MessageId(Uuid::from_u128(MINE)).to_string(),
        ..message(seq, seq, ME)
    }
}

/// The place where a message of mine is answered though four of others come before it: connected again, and nothing of
/// the topic is known on this link.
fn answered() -> (Stage, OutboxEntry) {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    stage.input(Input::Watch(TOPIC));
    stage.answer_all();
    stage.input(Input::LinkDown);
    let entry = stage.entry(send(TOPIC, MINE, "第15句"));
    stage.input(Input::Submit(entry.clone()));
    stage.pass(1_000);
    stage.input(Input::LinkUp);
    stage.greet_as(EPOCH);
    stage.changes();
    stage.answer(entry.id, vec![push(LOG, 14, 15, vec![mine(15)])]);
    (stage, entry)
}

fn watched(stage: &mut Stage, head: u64) {
    let (number, _) = stage.question("session.watch");
    let topics = vec![WatchedTopic {
        topic: TOPIC,
        head_seq: Seq(head),
        rev: Rev(head),
    }];
    stage.told(number, Told::Watched(Watched { topics }));
}

/// The answer to the sync of the topic: its rows from a place on.
fn tail(stage: &mut Stage, from: u64, floor: u64) {
    stage.answer_account();
    let (number, _) = stage.question("log.sync");
    let mut rows = messages(from..=14);
    rows.push(mine(15));
    let logs = vec![SyncedLog {
        log: LOG,
        outcome: SyncOutcome::Topic {
            rev: Rev(15),
            head_seq: Seq(15),
            floor: Seq(floor),
            rows,
            tail_from: Some(Seq(from)),
            has_more: false,
            authors: vec![],
        },
    }];
    stage.told(number, Told::Synced(Synced { logs }));
}

fn batches(stage: &mut Stage) -> Vec<Batch> {
    std::mem::take(&mut stage.outputs)
        .into_iter()
        .filter_map(|output| match output {
            Output::Apply(batch) => Some(batch),
            _ => None,
        })
        .collect()
}

fn is_done(stage: &mut Stage, id: CommandId) -> bool {
    stage.changes().contains(&Write::Done(id))
}

#[test]
fn a_message_of_mine_is_pending_until_what_others_wrote_before_it_is_here() {
    let (mut stage, entry) = answered();
    assert!(
        !is_done(&mut stage, entry.id),
        "the window would show it neither as sent nor as being sent"
    );
    watched(&mut stage, 15);
    tail(&mut stage, 11, 1);
    let of_end: Vec<Batch> = batches(&mut stage)
        .into_iter()
        .filter(|batch| batch.contains(&Write::Done(entry.id)))
        .collect();
    assert!(
        of_end.len() == 1 && of_end[0].contains(&Write::Islands(TOPIC, vec![island(1, 15, 15)])),
        "it is held with the transaction that ends it: {of_end:?}"
    );
    assert!(stage.commands().is_empty(), "and it was sent once");
}

#[test]
fn a_message_of_mine_beyond_a_gap_is_pending_until_the_gap_closes() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    stage.input(Input::Watch(TOPIC));
    stage.answer_all();
    let id = stage.submit(send(TOPIC, MINE, "第12句"));
    stage.answer(id, vec![push(LOG, 11, 12, vec![mine(12)])]);
    assert!(!is_done(&mut stage, id));
    stage.pushed(Pushed::Push(push(LOG, 10, 11, messages(11..=11))));
    let changes = stage.changes();
    assert!(
        changes.contains(&Write::Done(id))
            && changes.contains(&Write::Islands(TOPIC, vec![island(1, 12, 12)])),
        "{changes:?}"
    );
}

#[test]
fn a_message_that_follows_on_what_is_held_is_done_at_once() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    stage.input(Input::Watch(TOPIC));
    stage.answer_all();
    let id = stage.submit(send(TOPIC, MINE, "第11句"));
    stage.answer(id, vec![push(LOG, 10, 11, vec![mine(11)])]);
    assert!(is_done(&mut stage, id));
}

#[test]
fn a_message_whose_rows_do_not_come_leaves_the_outbox() {
    let (mut stage, entry) = answered();
    assert!(!is_done(&mut stage, entry.id));
    stage.input(Input::Unwatch(TOPIC));
    assert!(is_done(&mut stage, entry.id), "nobody looks at its topic");

    let (mut stage, entry) = answered();
    let (number, _) = stage.question("session.watch");
    stage.told(number, Told::Watched(Watched { topics: vec![] }));
    assert!(is_done(&mut stage, entry.id), "its topic is not seen");

    let (mut stage, entry) = answered();
    watched(&mut stage, 15);
    stage.changes();
    tail(&mut stage, 15, 16);
    assert!(is_done(&mut stage, entry.id), "it may not be read any more");

    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    let id = stage.submit(send(TOPIC, MINE, "第15句"));
    stage.answer(id, vec![push(LOG, 14, 15, vec![mine(15)])]);
    assert!(is_done(&mut stage, id), "its topic is not shown");
}

#[test]
fn what_comes_after_a_message_that_was_answered_is_not_held_up() {
    let (mut stage, _) = answered();
    let mut reply = send(TOPIC, 101, "reply");
    if let Command::MessageSend { reply_to, .. } = &mut reply {
        *reply_to = Some(MessageId(Uuid::from_u128(MINE)));
    }
    let reply = stage.submit(reply);
    assert_eq!(
        stage.commands(),
        vec![reply],
        "the server has what it replies to"
    );
}

#[test]
fn a_message_changed_after_its_answer_is_followed_by_an_edit_or_a_recall() {
    let (mut stage, mut entry) = answered();
    entry.command = send(TOPIC, MINE, "anders");
    stage.input(Input::Replace(entry));
    assert!(stage.commands().is_empty(), "it is not sent a second time");
    watched(&mut stage, 15);
    tail(&mut stage, 11, 1);
    assert!(
        stage
            .changes()
            .contains(&Write::FollowUp(Command::MessageEdit {
                topic: TOPIC,
                message: MessageId(Uuid::from_u128(MINE)),
                text: Edit {
                    from: "第15句".into(),
                    to: "anders".into(),
                },
            }))
    );

    let (mut stage, entry) = answered();
    stage.input(Input::Discard(entry.id));
    assert!(
        stage
            .changes()
            .contains(&Write::FollowUp(Command::MessageRecall {
                topic: TOPIC,
                message: MessageId(Uuid::from_u128(MINE)),
            })),
        "the server has it"
    );
}

/// My message as the server has it after somebody changed it.
fn changed(text: &str, recalled_by: Option<AccountId>) -> Row {
    let mut row = mine(11);
    row.rev = Rev(12);
    if let Body::Message(message) = &mut row.body {
        message.content_rev = Rev(12);
        let content = message.content.as_mut().unwrap();
        text.clone_into(&mut content.text);
        content.edited_at = Some(5);
        content.recalled_by = recalled_by;
    }
    row
}

#[test]
fn a_repeat_answered_by_a_message_that_was_edited_or_recalled_meanwhile_is_followed_by_nothing() {
    for row in [changed("corrected", None), changed("", Some(OTHER))] {
        let mut stage = Stage::synced(vec![island(1, 10, 10)]);
        let id = stage.submit(send(TOPIC, MINE, "第11句"));
        stage.input(Input::LinkDown);
        stage.asked.clear();
        stage.pass(1_000);
        stage.input(Input::LinkUp);
        stage.greet_as(EPOCH);
        assert_eq!(stage.commands(), vec![id]);
        stage.changes();
        stage.answer(id, vec![push(LOG, 11, 12, vec![row])]);
        let changes = stage.changes();
        assert!(
            changes.contains(&Write::Done(id))
                && !changes
                    .iter()
                    .any(|change| matches!(change, Write::FollowUp(_))),
            "nobody changed it here: {changes:?}"
        );
    }
}

#[test]
fn what_was_changed_here_is_followed_up_also_if_the_message_was_edited_or_recalled_meanwhile() {
    for (row, is_new_program) in [
        (changed("corrected", None), false),
        (changed("corrected", None), true),
        (changed("", Some(OTHER)), true),
    ] {
        let mut stage = Stage::synced(vec![island(1, 10, 10)]);
        let mut entry = stage.entry(send(TOPIC, MINE, "第11句"));
        let id = entry.id;
        stage.input(Input::Submit(entry.clone()));
        stage.input(Input::LinkDown);
        stage.asked.clear();
        entry.reword("anders".into(), true);
        entry.reword("ganz anders".into(), true);
        if is_new_program {
            let mut restored = member(vec![island(1, 10, 10)]);
            restored.outbox = vec![entry];
            stage = Stage::new(restored);
            stage.greet();
        } else {
            stage.input(Input::Replace(entry));
            stage.pass(1_000);
            stage.input(Input::LinkUp);
            stage.greet_as(EPOCH);
        }
        assert_eq!(stage.commands(), vec![id]);
        stage.changes();
        stage.answer(id, vec![push(LOG, 11, 12, vec![row])]);
        let edit = Command::MessageEdit {
            topic: TOPIC,
            message: MessageId(Uuid::from_u128(MINE)),
            text: Edit {
                from: "第11句".into(),
                to: "ganz anders".into(),
            },
        };
        let changes = stage.changes();
        assert!(
            changes.contains(&Write::FollowUp(edit)),
            "the person sees both and decides: {changes:?}"
        );
    }
}

#[test]
fn what_was_answered_and_did_not_come_is_sent_again_on_the_next_link() {
    let (mut stage, entry) = answered();
    stage.input(Input::LinkDown);
    stage.asked.clear();
    stage.pass(2_000);
    stage.input(Input::LinkUp);
    stage.greet_as(EPOCH);
    assert_eq!(
        stage.commands(),
        vec![entry.id],
        "the same id gets the same answer, and a restored server may not have it"
    );
}

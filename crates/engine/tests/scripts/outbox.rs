//! Commands on their way.

use tulou_engine::{Input, OutboxState, Write};
use tulou_protocol::{
    Code, Command, CommandId, Log, MessageId, Seq, TopicId, command::Edit, frame::Request,
};
use uuid::Uuid;

use crate::stage::*;

fn texts(stage: &Stage) -> Vec<String> {
    stage
        .asked
        .iter()
        .filter_map(|request| match request {
            Request::Command(commanded) => match &commanded.command {
                Command::MessageSend { text, .. } => Some(text.clone()),
                _ => None,
            },
            Request::Question(..) => None,
        })
        .collect()
}

fn advance(topic: TopicId, seq: u64) -> Command {
    Command::CursorAdvance {
        topic,
        seq: Seq(seq),
        set_no: 0,
    }
}

#[test]
fn what_is_written_offline_is_sent_in_order_after_the_greeting() {
    let mut stage = Stage::new(member(vec![]));
    for at in 0..40 {
        stage.submit(send(TOPIC, 100 + at, &format!("{at}")));
    }
    assert!(stage.commands().is_empty(), "there is no link");
    stage.greet();
    let first = stage.commands();
    assert_eq!(first.len(), 32, "a frame has at most 32 commands");
    for id in &first {
        stage.answer(*id, vec![]);
    }
    let all: Vec<String> = (0..40).map(|at| format!("{at}")).collect();
    assert_eq!(
        texts(&stage),
        all[32..],
        "the rest follows when the first frame is answered"
    );
}

#[test]
fn a_cut_link_resends_pending_commands_with_the_same_ids() {
    let mut stage = Stage::synced(vec![]);
    let done = stage.submit(send(TOPIC, 100, "done"));
    stage.answer(done, vec![]);
    let first = stage.submit(send(TOPIC, 101, "first"));
    let second = stage.submit(send(TOPIC, 102, "second"));
    assert_eq!(stage.commands(), vec![first], "one frame is in flight");
    stage.input(Input::LinkDown);
    stage.asked.clear();
    stage.pass(1_000);
    stage.input(Input::LinkUp);
    stage.greet_as(EPOCH);
    assert_eq!(
        stage.commands(),
        vec![first, second],
        "nobody knows whether the first arrived"
    );
}

#[test]
fn the_rows_of_an_answer_and_the_end_of_the_command_are_one_transaction() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    let id = stage.submit(send(TOPIC, 511, "第11句"));
    stage.outputs.clear();
    let log = Log::Topic(TOPIC);
    stage.answer(id, vec![push(log, 10, 11, vec![message(11, 11, ME)])]);
    assert_eq!(
        stage.count(|output| matches!(output, tulou_engine::Output::Apply(_))),
        1
    );
    let changes = stage.changes();
    assert!(
        changes.contains(&Write::Rows(log, vec![message(11, 11, ME)])),
        "the message is there"
    );
    assert!(
        changes.contains(&Write::Done(id)),
        "and is not pending any more"
    );
}

#[test]
fn busy_stops_the_rest_of_its_log_only() {
    let mut stage = Stage::synced(vec![]);
    let slow = stage.submit(send(TOPIC, 100, "slow"));
    stage.busy(&[slow], 3_000);
    let other = stage.submit(send(TOPIC_2, 101, "other"));
    let late = stage.submit(send(TOPIC, 102, "late"));
    assert_eq!(stage.commands(), vec![other], "other logs go on");
    stage.pass(2_999);
    assert_eq!(stage.commands(), vec![other]);
    stage.pass(1);
    assert_eq!(
        stage.commands(),
        vec![other, slow, late],
        "in the old order"
    );
}

#[test]
fn a_message_in_a_topic_made_offline_waits_for_the_topic() {
    let mut stage = Stage::new(member(vec![]));
    let create = stage.submit(create_topic(TOPIC_2));
    let inside = stage.submit(send(TOPIC_2, 100, "inside"));
    let beside = stage.submit(send(TOPIC, 101, "beside"));
    stage.greet();
    let sent = stage.commands();
    assert!(
        sent.contains(&create) && sent.contains(&beside) && !sent.contains(&inside),
        "{sent:?}"
    );
    stage.answer(create, vec![]);
    assert!(stage.commands().contains(&inside), "the topic is there");
}

#[test]
fn a_rejection_takes_what_depends_on_it_and_nothing_else() {
    let mut stage = Stage::new(member(vec![]));
    let create = stage.submit(create_topic(TOPIC_2));
    let inside = stage.submit(send(TOPIC_2, 100, "inside"));
    let message = MessageId(Uuid::from_u128(100));
    let key = "🔥".to_owned();
    let react = stage.submit(Command::MessageReact {
        topic: TOPIC_2,
        message,
        key,
        on: true,
    });
    let beside = stage.submit(send(TOPIC, 101, "beside"));
    stage.greet();
    stage.outputs.clear();
    stage.refuse(create, Code::TooMany);
    let changes = stage.changes();
    for id in [create, inside, react] {
        assert!(
            changes.contains(&rejected(id, Code::TooMany)),
            "{id} is shown where it happened"
        );
    }
    assert!(
        !changes.contains(&rejected(beside, Code::TooMany)),
        "the other topic is there"
    );
    let later = stage.submit(send(TOPIC_2, 102, "later"));
    assert!(
        stage.changes().contains(&rejected(later, Code::TooMany)),
        "nor does a later one wait for ever"
    );
}

#[test]
fn a_refused_command_is_tried_again_with_a_new_id() {
    let mut stage = Stage::synced(vec![]);
    let entry = stage.entry(send(TOPIC, 100, "again"));
    stage.input(Input::Submit(entry.clone()));
    stage.refuse(entry.id, Code::Muted);
    let mut again = entry;
    again.id = CommandId(Uuid::from_u128(77));
    stage.input(Input::Retry(again.clone()));
    assert_eq!(stage.commands(), vec![again.id]);
    stage.input(Input::LinkDown);
    stage.asked.clear();
    stage.pass(1_000);
    stage.input(Input::LinkUp);
    stage.greet_as(EPOCH);
    assert_eq!(
        stage.commands(),
        vec![again.id],
        "the refused one is not sent"
    );
}

#[test]
fn the_newest_cursor_takes_the_place_of_one_that_waits() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    stage.input(Input::Watch(TOPIC));
    stage.answer_all();
    let first = stage.submit(advance(TOPIC, 1));
    assert_eq!(stage.commands(), vec![first], "the first goes at once");
    stage.answer(first, vec![]);
    let second = stage.submit(advance(TOPIC, 2));
    let other = stage.submit(advance(TOPIC_2, 9));
    assert_eq!(
        stage.commands(),
        vec![other],
        "another topic has a time of its own"
    );
    stage.answer(other, vec![]);
    stage.changes();
    let third = stage.submit(advance(TOPIC, 3));
    assert!(
        stage.changes().contains(&Write::Done(second)),
        "the second is out of the outbox"
    );
    stage.pass(4_999);
    assert!(stage.commands().is_empty(), "five seconds have not passed");
    stage.pass(1);
    assert_eq!(stage.commands(), vec![third]);
}

#[test]
fn an_older_cursor_that_is_tried_again_takes_the_place_of_none() {
    let mut stage = Stage::new(member(vec![]));
    let mut old = stage.entry(advance(TOPIC, 3));
    old.state = OutboxState::Rejected(Code::NotFound.into());
    let newer = stage.submit(advance(TOPIC, 9));
    old.id = CommandId(Uuid::from_u128(77));
    let again = old.id;
    stage.input(Input::Retry(old));
    stage.greet();
    assert_eq!(stage.commands(), vec![again, newer], "the furthest is kept");
}

#[test]
fn a_cursor_is_sent_at_once_when_its_topic_is_left() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    stage.input(Input::Watch(TOPIC));
    stage.answer_all();
    let first = stage.submit(advance(TOPIC, 1));
    stage.answer(first, vec![]);
    let second = stage.submit(advance(TOPIC, 2));
    assert!(stage.commands().is_empty());
    stage.input(Input::Unwatch(TOPIC));
    assert_eq!(stage.commands(), vec![second]);
}

#[test]
fn an_entry_older_than_answers_are_kept_waits_for_the_person() {
    let mut stage = Stage::new(member(vec![]));
    let mut entry = stage.entry(send(TOPIC, 100, "old"));
    stage.input(Input::Submit(entry.clone()));
    stage.input(Input::Aged(entry.id));
    stage.greet();
    stage.answer_all();
    let young = stage.submit(send(TOPIC, 101, "young"));
    assert_eq!(
        stage.commands(),
        vec![young],
        "it could become a second message"
    );
    stage.answer(young, vec![]);
    entry.state = OutboxState::Stale;
    stage.input(Input::Retry(entry.clone()));
    assert_eq!(stage.commands(), vec![entry.id], "the person said so");
}

#[test]
fn an_entry_is_sent_whatever_the_clock_said_when_it_was_made() {
    let mut stage = Stage::synced(vec![]);
    let mut entry = stage.entry(send(TOPIC, 100, "hello"));
    entry.created_at = stage.now - 31 * 24 * 60 * 60 * 1_000;
    stage.input(Input::Submit(entry.clone()));
    assert_eq!(
        stage.commands(),
        vec![entry.id],
        "the clock was set back 31 days: the time of the engine is another one"
    );
}

#[test]
fn a_message_changed_before_it_is_sent_is_sent_as_changed() {
    let mut stage = Stage::new(member(vec![]));
    let mut entry = stage.entry(send(TOPIC, 100, "before"));
    stage.input(Input::Submit(entry.clone()));
    entry.command = send(TOPIC, 100, "after");
    stage.input(Input::Replace(entry));
    stage.greet();
    assert_eq!(texts(&stage), vec!["after"]);
}

#[test]
fn a_message_changed_on_its_way_is_followed_by_an_edit() {
    let mut stage = Stage::synced(vec![]);
    let mut entry = stage.entry(send(TOPIC, 100, "before"));
    let id = entry.id;
    stage.input(Input::Submit(entry.clone()));
    entry.command = send(TOPIC, 100, "after");
    stage.input(Input::Replace(entry));
    stage.changes();
    stage.answer(id, vec![]);
    let edit = Command::MessageEdit {
        topic: TOPIC,
        message: MessageId(Uuid::from_u128(100)),
        text: Edit {
            from: "before".into(),
            to: "after".into(),
        },
    };
    assert_eq!(
        stage.changes(),
        vec![Write::Done(id), Write::FollowUp(edit)]
    );
}

#[test]
fn a_message_withdrawn_on_its_way_is_followed_by_a_recall() {
    let mut stage = Stage::synced(vec![]);
    let id = stage.submit(send(TOPIC, 100, "never mind"));
    stage.input(Input::Discard(id));
    stage.changes();
    stage.answer(id, vec![]);
    let recall = Command::MessageRecall {
        topic: TOPIC,
        message: MessageId(Uuid::from_u128(100)),
    };
    assert_eq!(
        stage.changes(),
        vec![Write::Done(id), Write::FollowUp(recall)]
    );
}

#[test]
fn a_discarded_command_is_not_sent() {
    let mut stage = Stage::new(member(vec![]));
    let id = stage.submit(send(TOPIC, 100, "never mind"));
    stage.input(Input::Discard(id));
    stage.greet();
    assert!(stage.commands().is_empty());
}

#[test]
fn a_frame_stays_below_the_limit_of_bytes() {
    let mut stage = Stage::new(member(vec![]));
    let long = "長".repeat(5_000);
    for at in 0..8 {
        stage.submit(send(TOPIC, 100 + at, &long));
    }
    stage.greet();
    assert_eq!(stage.commands().len(), 4, "four of 15 kB fit into 64 KiB");
}

#[test]
fn an_answer_that_says_signed_out_keeps_the_command() {
    let mut stage = Stage::synced(vec![]);
    let id = stage.submit(send(TOPIC, 100, "kept"));
    stage.outputs.clear();
    stage.refuse(id, Code::SignedOut);
    assert_eq!(
        stage.link(),
        Some(tulou_engine::LinkState::SignedOut(Code::SignedOut))
    );
    assert!(
        stage.changes().is_empty(),
        "it is not refused; it waits for the person to sign in"
    );
}

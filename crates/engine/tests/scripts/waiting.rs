//! Commands that wait for others, and what a refusal takes along.

use tulou_engine::{Input, OutboxState, Output, Restored, Write};
use tulou_protocol::{
    Code, Command, CommandId, GroupId, Log, MessageId, Push, command::Edit, frame::Request,
};
use uuid::Uuid;

use crate::stage::*;

const LOG: Log = Log::Community(COMMUNITY);

fn rename(to: &str) -> Command {
    Command::CommunityEdit {
        community: COMMUNITY,
        name: Some(Edit {
            from: "星海".into(),
            to: to.into(),
        }),
        introduction: None,
    }
}

fn react(message: u128) -> Command {
    Command::MessageReact {
        topic: TOPIC_2,
        message: MessageId(Uuid::from_u128(message)),
        key: "🔥".into(),
        on: true,
    }
}

#[test]
fn a_rejection_stops_nothing_else_of_its_log() {
    let mut stage = Stage::synced(vec![]);
    let refused = stage.submit(send(TOPIC, 100, "refused"));
    let late = stage.submit(send(TOPIC, 101, "late"));
    assert_eq!(stage.commands(), vec![refused], "one frame is in flight");
    stage.refuse(refused, Code::Muted);
    assert!(!stage.changes().contains(&rejected(late, Code::Muted)));
    assert_eq!(stage.commands(), vec![late], "the rest goes on");
}

#[test]
fn what_comes_after_one_that_waits_for_its_maker_does_not_overtake_it() {
    let mut stage = Stage::new(member(vec![]));
    let group = GroupId(Uuid::from_u128(12));
    let make_group = stage.submit(Command::GroupCreate {
        community: COMMUNITY,
        group,
        name: "新分组".into(),
        position: "80".into(),
    });
    let mut make_topic = create_topic(TOPIC_2);
    if let Command::TopicCreate { group: of, .. } = &mut make_topic {
        *of = group;
    }
    let make_topic = stage.submit(make_topic);
    let renamed = stage.submit(rename("新海"));
    stage.greet();
    assert_eq!(stage.commands(), vec![make_group]);
    stage.answer(make_group, vec![]);
    assert_eq!(
        stage.commands(),
        vec![make_topic, renamed],
        "in the order in which the person gave them"
    );
}

#[test]
fn what_needs_two_things_is_refused_with_either() {
    let mut stage = Stage::synced(vec![]);
    let create = stage.entry(create_topic(TOPIC_2));
    stage.input(Input::Submit(create.clone()));
    let message = stage.submit(send(TOPIC_2, 100, "inside"));
    stage.refuse(create.id, Code::TooMany);
    assert!(stage.changes().contains(&rejected(message, Code::TooMany)));
    let mut again = create;
    again.id = CommandId(Uuid::from_u128(77));
    stage.input(Input::Retry(again));
    stage.changes();
    let reaction = stage.submit(react(100));
    assert!(
        stage.changes().contains(&rejected(reaction, Code::TooMany)),
        "the topic may come, the message does not"
    );
}

#[test]
fn what_depends_on_a_refused_command_is_refused_after_a_crash_too() {
    let mut before = Stage::new(Restored::default());
    let mut create = before.entry(create_topic(TOPIC_2));
    create.state = OutboxState::Rejected(Code::TooMany.into());
    let inside = before.entry(send(TOPIC_2, 100, "inside"));
    let beside = before.entry(send(TOPIC, 101, "beside"));
    let mut restored = member(vec![]);
    restored.outbox = vec![create, inside.clone(), beside.clone()];
    let mut stage = Stage::new(restored);
    stage.greet();
    let changes = stage.changes();
    assert!(
        changes.contains(&rejected(inside.id, Code::TooMany)),
        "it was written when the program ended"
    );
    assert_eq!(stage.commands(), vec![beside.id]);
}

#[test]
fn a_refused_command_is_not_sent_after_a_restart() {
    let mut before = Stage::new(Restored::default());
    let mut refused = before.entry(send(TOPIC, 100, "refused"));
    refused.state = OutboxState::Rejected(Code::Muted.into());
    let mut restored = member(vec![]);
    restored.outbox = vec![refused];
    let mut stage = Stage::new(restored);
    stage.greet();
    assert!(stage.commands().is_empty(), "it waits for the person");
}

#[test]
fn what_an_answer_brings_is_applied_before_the_next_is_sent() {
    let mut stage = Stage::synced(vec![]);
    let create = stage.submit(create_topic(TOPIC_2));
    stage.submit(send(TOPIC_2, 100, "inside"));
    stage.outputs.clear();
    let made: Vec<Push> = vec![push(LOG, 5, 6, vec![topic_row(TOPIC_2, 2, 6)])];
    stage.answer(create, made);
    let at = |is_one: &dyn Fn(&Output) -> bool| stage.outputs.iter().position(is_one);
    let applied = at(&|output| matches!(output, Output::Apply(_)));
    let sent = at(&|output| match output {
        Output::Send(frame) => matches!(frame.0[0], Request::Command(_)),
        _ => false,
    });
    assert!(
        applied.is_some() && applied < sent,
        "what the network hears is durable: {applied:?} {sent:?}"
    );
}

#[test]
fn the_edit_that_follows_starts_from_the_text_that_the_server_has() {
    let mut stage = Stage::synced(vec![]);
    let mut entry = stage.entry(send(TOPIC, 511, "第11句"));
    let id = entry.id;
    stage.input(Input::Submit(entry.clone()));
    stage.input(Input::LinkDown);
    stage.asked.clear();
    entry.command = send(TOPIC, 511, "after");
    stage.input(Input::Replace(entry));
    stage.pass(1_000);
    stage.input(Input::LinkUp);
    stage.greet_as(EPOCH);
    assert_eq!(stage.commands(), vec![id], "it is sent again as changed");
    stage.changes();
    // The server took it on the first link, and answers with what it stored then.
    let stored = push(Log::Topic(TOPIC), 10, 11, vec![message(11, 11, ME)]);
    stage.answer(id, vec![stored]);
    let edit = Command::MessageEdit {
        topic: TOPIC,
        message: MessageId(Uuid::from_u128(511)),
        text: Edit {
            from: "第11句".into(),
            to: "after".into(),
        },
    };
    assert!(stage.changes().contains(&Write::FollowUp(edit)));
}

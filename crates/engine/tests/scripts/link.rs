//! Opening, greeting, back-off, silence, and what happens to askers.

use serde_json::Value;
use tulou_engine::{Engine, Input, LinkState, Output, Restored, Ticket, Untold};
use tulou_protocol::{
    Code, Command, CommandId, Question, Rejection, ServerFrame, VERSION,
    frame::{Refusal, Response},
    push::{Goodbye, Heartbeat, Pushed},
};
use uuid::Uuid;

use crate::stage::*;

#[test]
fn the_first_tick_connects_and_the_first_request_opens_the_session() {
    let mut stage = Stage::new(Restored::default());
    stage.pass(0);
    assert_eq!(
        stage.count(|output| *output == Output::Connect),
        1,
        "it wants a link at once"
    );
    stage.input(Input::LinkUp);
    let (_, question) = stage.question("session.open");
    assert!(
        matches!(question, Question::SessionOpen { token, version: VERSION } if token == "token")
    );
    assert!(
        stage.asked.is_empty(),
        "nothing else is said before the greeting"
    );
}

#[test]
fn a_link_that_fails_is_tried_later_each_time_and_soon_again_after_a_greeting() {
    let mut stage = Stage::new(Restored::default());
    let mut waits = vec![];
    for _ in 0..8 {
        stage.pass(0);
        stage.input(Input::LinkDown);
        let Some(LinkState::Offline { retry_at }) = stage.link() else {
            panic!("people are told when it is tried again")
        };
        waits.push(retry_at - stage.now);
        stage.pass(retry_at - stage.now);
    }
    for (at, wait) in waits.iter().enumerate() {
        let whole = (1_000 << at).min(30_000);
        assert!(
            (whole / 2..=whole).contains(wait),
            "wait {at} is {wait} of {whole}"
        );
    }
    stage.input(Input::LinkUp);
    stage.greet_as(EPOCH);
    stage.input(Input::LinkDown);
    let Some(LinkState::Offline { retry_at }) = stage.link() else {
        panic!("offline")
    };
    assert!(
        retry_at - stage.now <= 1_000,
        "a greeting makes it hopeful again"
    );
}

#[test]
fn clients_that_lost_their_link_together_do_not_return_together() {
    let waits = |seed: u64| -> Vec<i64> {
        let mut engine = Engine::new(Restored::default(), "token".into(), seed, START);
        let mut now = START;
        let mut waits = vec![];
        for _ in 0..8 {
            let connects = engine.handle(Input::Tick, now);
            assert!(connects.contains(&Output::Connect), "it is time to try");
            let outputs = engine.handle(Input::LinkDown, now);
            let told = outputs.iter().find_map(|output| match output {
                Output::Link(LinkState::Offline { retry_at }) => Some(*retry_at),
                _ => None,
            });
            let retry_at = told.expect("people are told when it is tried again");
            waits.push(retry_at - now);
            now = retry_at;
        }
        waits
    };
    let clients: Vec<Vec<i64>> = (0..1_000).map(waits).collect();
    for attempt in 0..8 {
        let whole: i64 = (1_000 << attempt).min(30_000);
        let half = whole / 2;
        for part in 0..10 {
            let from = half + part * half / 10;
            let to = half + (part + 1) * half / 10;
            let count = clients
                .iter()
                .filter(|waits| (from..to).contains(&waits[attempt]))
                .count();
            assert!(
                (50..150).contains(&count),
                "of 1,000 that wait {half} to {whole} ms, {count} come from {from} to {to}"
            );
        }
    }
    assert!(
        clients.iter().any(|waits| waits[6] != waits[7]),
        "the same client waits another time, too"
    );
}

#[test]
fn a_person_in_a_hurry_does_not_wait() {
    let mut stage = Stage::new(Restored::default());
    for _ in 0..5 {
        stage.pass(0);
        stage.input(Input::LinkDown);
        stage.outputs.clear();
        stage.input(Input::Hurry);
        assert_eq!(
            stage.count(|output| *output == Output::Connect),
            1,
            "it connects at once"
        );
    }
}

#[test]
fn a_token_that_is_not_accepted_ends_the_attempts() {
    let mut stage = Stage::new(Restored::default());
    refuse(&mut stage, Code::SignedOut.into());
    assert_eq!(stage.link(), Some(LinkState::SignedOut(Code::SignedOut)));
    stage.outputs.clear();
    stage.input(Input::LinkDown);
    stage.input(Input::Hurry);
    stage.pass(3_600_000);
    assert_eq!(stage.engine.deadline(), None, "it has nothing more to do");
    assert_eq!(
        stage.count(|output| *output == Output::Connect),
        0,
        "it does not try again"
    );
}

/// Connects, and the greeting is refused.
fn refuse(stage: &mut Stage, rejection: Rejection) {
    stage.connect();
    let (number, _) = stage.question("session.open");
    let refused = Response::refused(Value::from(number), &Refusal::Rejected(rejection));
    stage.hear(ServerFrame::Responses(vec![refused]));
}

#[test]
fn a_server_of_another_version_is_left_alone_for_a_while_and_nothing_is_lost() {
    for (version, is_server_newer) in [(VERSION + 1, true), (VERSION - 1, false)] {
        let mut stage = Stage::new(member(vec![]));
        let waiting = stage.submit(send(TOPIC, 100, "still here"));
        stage.outputs.clear();
        refuse(&mut stage, Rejection::outdated(version));
        let Some(LinkState::OtherVersion {
            is_server_newer: told,
            retry_at,
        }) = stage.link()
        else {
            panic!("it says that the versions differ: {:?}", stage.link())
        };
        assert_eq!(told, is_server_newer, "and which of the two is the newer");
        assert_eq!(
            stage.count(|output| matches!(output, Output::Apply(_))),
            0,
            "what is held and what waits stays as it is"
        );
        stage.input(Input::LinkDown);
        stage.outputs.clear();
        stage.pass(retry_at - stage.now - 1);
        let connects = |stage: &Stage| stage.count(|output| *output == Output::Connect);
        assert_eq!(connects(&stage), 0, "neither learns another one at once");
        stage.pass(1);
        assert_eq!(connects(&stage), 1, "one of the two may have been updated");
        refuse(&mut stage, Rejection::outdated(version));
        stage.input(Input::LinkDown);
        stage.outputs.clear();
        stage.input(Input::Hurry);
        assert_eq!(connects(&stage), 1, "nor does the person have to wait");
        stage.greet();
        stage.answer_all();
        assert_eq!(stage.commands(), [waiting], "it goes on where it was");
    }
}

#[test]
fn a_server_with_too_many_sockets_of_the_account_is_left_alone_for_a_minute() {
    let mut stage = Stage::new(Restored::default());
    refuse(&mut stage, Rejection::limit(Code::TooMany, 100));
    let Some(LinkState::Offline { retry_at }) = stage.link() else {
        panic!("it is no sign-out: another device may go")
    };
    assert!(retry_at - stage.now >= 60_000, "{retry_at}");
}

#[test]
fn a_goodbye_for_another_reason_is_a_cut() {
    let mut stage = Stage::synced(vec![]);
    stage.pushed(Pushed::Goodbye(Goodbye {
        reason: Code::Internal,
    }));
    assert!(
        matches!(stage.link(), Some(LinkState::Offline { .. })),
        "it comes back"
    );
    assert_eq!(stage.count(|output| *output == Output::Disconnect), 1);
}

#[test]
fn an_answer_that_is_overdue_cuts_the_link() {
    let mut stage = Stage::synced(vec![]);
    stage.input(Input::Watch(TOPIC));
    stage.pass(14_999);
    assert_eq!(
        stage.count(|output| *output == Output::Disconnect),
        0,
        "there is still time"
    );
    stage.pass(1);
    assert_eq!(
        stage.count(|output| *output == Output::Disconnect),
        1,
        "fifteen seconds are enough"
    );
    stage.input(Input::LinkDown);
    stage.pass(1_000);
    assert_eq!(
        stage.count(|output| *output == Output::Connect),
        1,
        "a new link is opened"
    );
}

#[test]
fn silence_of_two_heartbeats_cuts_the_link() {
    let mut stage = Stage::synced(vec![]);
    stage.pass(60_000);
    stage.pushed(Pushed::Heartbeat(Heartbeat {
        now: stage.now,
        heads: vec![],
    }));
    stage.pass(64_999);
    assert_eq!(
        stage.count(|output| *output == Output::Disconnect),
        0,
        "a heartbeat was heard"
    );
    stage.pass(1);
    assert_eq!(
        stage.count(|output| *output == Output::Disconnect),
        1,
        "two were missed"
    );
}

#[test]
fn an_asker_is_told_at_once_while_offline_and_when_the_link_is_cut() {
    let mut stage = Stage::new(member(vec![]));
    let invites = Question::InviteList {
        community: COMMUNITY,
    };
    let leave = Command::CommunityLeave {
        community: COMMUNITY,
    };
    stage.input(Input::Ask(Ticket(1), invites.clone()));
    stage.input(Input::Live(
        Ticket(2),
        CommandId(Uuid::from_u128(9)),
        leave.clone(),
    ));
    let is_offline = |stage: &Stage, ticket| {
        stage.count(|output| *output == Output::Told(Ticket(ticket), Err(Untold::Offline))) == 1
    };
    assert!(
        is_offline(&stage, 1) && is_offline(&stage, 2),
        "nobody waits for a link"
    );
    stage.greet();
    stage.answer_all();
    stage.input(Input::Ask(Ticket(3), invites));
    stage.input(Input::Live(Ticket(4), CommandId(Uuid::from_u128(9)), leave));
    assert!(
        !is_offline(&stage, 3) && !is_offline(&stage, 4),
        "the server may answer"
    );
    stage.input(Input::LinkDown);
    assert!(
        is_offline(&stage, 3) && is_offline(&stage, 4),
        "it cannot any more"
    );
}

#[test]
fn a_refusal_is_told_to_the_asker_as_it_is() {
    let mut stage = Stage::synced(vec![]);
    stage.input(Input::Ask(
        Ticket(1),
        Question::InviteList {
            community: COMMUNITY,
        },
    ));
    let (number, _) = stage.question("invite.list");
    let refusal = Refusal::Rejected(Code::NotAllowed.into());
    stage.hear(ServerFrame::Responses(vec![Response::refused(
        Value::from(number),
        &refusal,
    )]));
    let told = Output::Told(Ticket(1), Err(Untold::Refused(refusal)));
    assert_eq!(stage.count(|output| *output == told), 1);
}

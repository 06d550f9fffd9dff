//! Answers after which the same question would be asked: a broken server, or one that wants to be busy, is not asked as fast as
//! the link is.

use crate::logs::*;
use crate::stage::*;
use tulou_engine::Input;
use tulou_protocol::{
    Log, Rev, Seq, Stale,
    push::{Pushed, SyncOutcome, SyncedLog},
    question::{Synced, Told, Watched, WatchedTopic},
};

/// How long a server is left alone whose answer leads nowhere.
const PAUSE_MS: i64 = 5_000;

/// Something of a log changed, it is asked for, and answered; then it is asked for again, but not at once.
fn is_asked_again_later(what: &str, log: Log, logs: Vec<SyncedLog>) {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    stage.pushed(Pushed::Stale(Stale { log, rev: Rev(50) }));
    let (number, _) = stage.question("log.sync");
    stage.told(number, Told::Synced(Synced { logs }));
    assert_eq!(stage.try_question("log.sync"), None, "{what}: at once");
    stage.pass(PAUSE_MS - 1_000);
    assert_eq!(stage.try_question("log.sync"), None, "{what}: soon");
    stage.pass(2_000);
    let (_, question) = stage.question("log.sync");
    assert_eq!(synced_logs(question)[0].log, log, "{what}");
}

fn rows(rev: u64) -> SyncOutcome {
    SyncOutcome::Rows {
        rev: Rev(rev),
        rows: vec![],
        has_more: true,
        view: None,
    }
}

#[test]
fn an_answer_that_names_nothing_is_asked_for_again_later() {
    is_asked_again_later("nothing", LOG, vec![]);
}

#[test]
fn what_an_answer_does_not_say_of_the_log_in_its_place_is_asked_for_again_later() {
    let outcome = SyncOutcome::Gone {};
    let other = SyncedLog {
        log: ACCOUNT,
        outcome,
    };
    is_asked_again_later("another one", LOG, vec![other]);
}

#[test]
fn pages_that_come_to_no_end_are_asked_for_later() {
    let of = |log, outcome| vec![SyncedLog { log, outcome }];
    // The cursors of the stage are at 5.
    is_asked_again_later("as far as before", LOG, of(LOG, rows(5)));
    let reset = SyncOutcome::Reset {
        rev: Rev::ZERO,
        rows: vec![],
        begun: Some(Rev(50)),
        view: None,
        me: None,
    };
    is_asked_again_later("a page of nothing", LOG, of(LOG, reset));
}

#[test]
fn a_page_that_leads_on_is_followed_by_the_next_at_once() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    let rev = Rev(50);
    stage.pushed(Pushed::Stale(Stale { log: LOG, rev }));
    let (number, _) = stage.question("log.sync");
    let outcome = rows(20);
    let logs = vec![SyncedLog { log: LOG, outcome }];
    stage.told(number, Told::Synced(Synced { logs }));
    let (_, question) = stage.question("log.sync");
    assert_eq!(synced_logs(question)[0].since, Rev(20));
}

#[test]
fn a_topic_whose_changes_come_to_no_end_is_asked_for_later() {
    let topic = Log::Topic(TOPIC);
    let outcome = SyncOutcome::Topic {
        rev: Rev(10),
        head_seq: Seq(10),
        floor: Seq(1),
        rows: vec![],
        tail_from: None,
        has_more: true,
        authors: vec![],
    };
    let logs = vec![SyncedLog {
        log: topic,
        outcome,
    }];
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    stage.input(Input::Watch(TOPIC));
    let (number, _) = stage.question("session.watch");
    let topics = vec![WatchedTopic {
        topic: TOPIC,
        head_seq: Seq(20),
        rev: Rev(50),
    }];
    stage.told(number, Told::Watched(Watched { topics }));
    let (number, _) = stage.question("log.sync");
    stage.told(number, Told::Synced(Synced { logs }));
    assert_eq!(stage.try_question("log.sync"), None);
    stage.pass(PAUSE_MS + 1_000);
    stage.question("log.sync");
}

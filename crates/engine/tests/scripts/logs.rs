//! The account's log and those of communities: pushes, gaps, resets, another epoch.

use serde_json::Value;
use tulou_engine::{Restored, Write};
use tulou_protocol::{
    Body, Code, Epoch, Log, Question, Rev, Row, ServerFrame, Stale,
    frame::{Busy, Refusal, Response},
    push::{Heartbeat, Pushed, SyncOutcome, SyncedLog},
    question::{SyncLog, Synced, Told},
};
use uuid::Uuid;

use crate::stage::*;

pub const ACCOUNT: Log = Log::Account(ME);
pub const LOG: Log = Log::Community(COMMUNITY);

pub fn cursor(log: Log, rev: u64) -> Write {
    let view = (log == LOG).then(|| "view".to_owned());
    Write::Cursor {
        log,
        rev: Rev(rev),
        view,
    }
}

pub fn synced_logs(question: Question) -> Vec<SyncLog> {
    match question {
        Question::LogSync { logs } => logs,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_account_is_synced_first_then_communities_with_their_stamps_and_heads() {
    let mut stage = Stage::new(member(vec![]));
    stage.greet();
    let (number, question) = stage.question("log.sync");
    let first = SyncLog {
        log: ACCOUNT,
        since: Rev(5),
        begun: None,
        view: None,
        ranges: vec![],
        without_tail: false,
    };
    assert_eq!(synced_logs(question), vec![first], "memberships come first");
    assert!(stage.asked.is_empty(), "the rest waits for them");
    let outcome = SyncOutcome::Rows {
        rev: Rev(6),
        rows: vec![],
        has_more: false,
        view: None,
    };
    stage.told(
        number,
        Told::Synced(Synced {
            logs: vec![SyncedLog {
                log: ACCOUNT,
                outcome,
            }],
        }),
    );
    let (number, question) = stage.question("log.sync");
    let second = SyncLog {
        log: LOG,
        since: Rev(5),
        begun: None,
        view: Some("view".into()),
        ranges: vec![],
        without_tail: false,
    };
    assert_eq!(synced_logs(question), vec![second]);
    let outcome = SyncOutcome::Rows {
        rev: Rev(7),
        rows: vec![],
        has_more: true,
        view: Some("view".into()),
    };
    stage.told(
        number,
        Told::Synced(Synced {
            logs: vec![SyncedLog { log: LOG, outcome }],
        }),
    );
    let (_, question) = stage.question("log.sync");
    assert_eq!(
        synced_logs(question)[0].since,
        Rev(7),
        "the next page follows"
    );
}

#[test]
fn a_push_that_is_covered_is_ignored_and_the_next_is_applied() {
    let mut stage = Stage::synced(vec![]);
    stage.pushed(Pushed::Push(push(LOG, 4, 5, vec![topic_row(TOPIC, 1, 5)])));
    assert_eq!(stage.changes(), vec![], "it is held already");
    let row = topic_row(TOPIC, 1, 6);
    stage.pushed(Pushed::Push(push(LOG, 5, 6, vec![row.clone()])));
    assert_eq!(
        stage.changes(),
        vec![Write::Rows(LOG, vec![row]), cursor(LOG, 6)]
    );
}

#[test]
fn nothing_beyond_a_gap_is_kept_before_the_first_answer() {
    let mut stage = Stage::new(Restored::default());
    stage.greet();
    stage.changes();
    let joined = push(ACCOUNT, 4, 5, vec![membership(5, true)]);
    stage.pushed(Pushed::Push(joined));
    assert!(
        stage.changes().is_empty(),
        "the first answer leaves out what was deleted, and this may be by then"
    );
}

#[test]
fn what_was_not_kept_before_the_first_answer_is_asked_for_with_it() {
    let mut stage = Stage::new(Restored::default());
    stage.greet();
    let (number, _) = stage.question("log.sync");
    let joined = push(ACCOUNT, 4, 5, vec![membership(5, true)]);
    stage.pushed(Pushed::Push(joined));
    let outcome = SyncOutcome::Rows {
        rev: Rev(4),
        rows: vec![],
        has_more: false,
        view: None,
    };
    let logs = vec![SyncedLog {
        log: ACCOUNT,
        outcome,
    }];
    stage.told(number, Told::Synced(Synced { logs }));
    let (_, question) = stage.question("log.sync");
    let again = SyncLog {
        log: ACCOUNT,
        since: Rev(4),
        begun: None,
        view: None,
        ranges: vec![],
        without_tail: false,
    };
    assert_eq!(
        synced_logs(question),
        vec![again],
        "no push brings it again, so nothing is waited for"
    );
}

#[test]
fn a_kind_that_nobody_knows_is_kept_as_it_came() {
    let mut stage = Stage::synced(vec![]);
    let row = Row {
        id: "thing".into(),
        rev: Rev(6),
        body: Body::Unknown("newer".into(), serde_json::json!({"said": 1})),
    };
    stage.pushed(Pushed::Push(push(ACCOUNT, 5, 6, vec![row.clone()])));
    assert!(
        stage.changes().contains(&Write::Rows(ACCOUNT, vec![row])),
        "a newer version will read it"
    );
}

#[test]
fn a_reset_of_the_account_forgets_communities_that_are_not_in_it() {
    let mut stage = Stage::new(member(vec![]));
    stage.greet();
    stage.changes();
    let (number, _) = stage.question("log.sync");
    let reset = SyncedLog {
        log: ACCOUNT,
        outcome: SyncOutcome::Reset {
            rev: Rev(9),
            rows: vec![],
            begun: None,
            view: None,
            me: None,
        },
    };
    stage.told(number, Told::Synced(Synced { logs: vec![reset] }));
    let changes = stage.changes();
    assert!(
        changes.contains(&Write::Forget(LOG)),
        "the tombstone of the membership was forgotten before it was seen"
    );
    assert!(changes.contains(&Write::Reset {
        log: ACCOUNT,
        rev: Rev(9),
        kept: vec![]
    }));
}

#[test]
fn a_gap_that_closes_by_itself_asks_nothing() {
    let mut stage = Stage::synced(vec![]);
    let (early, late) = (topic_row(TOPIC, 1, 6), topic_row(TOPIC, 1, 7));
    stage.pushed(Pushed::Push(push(LOG, 6, 7, vec![late.clone()])));
    assert_eq!(
        stage.changes(),
        vec![Write::Rows(LOG, vec![late])],
        "rows count, the cursor waits"
    );
    stage.pass(499);
    stage.pushed(Pushed::Push(push(LOG, 5, 6, vec![early.clone()])));
    assert_eq!(
        stage.changes(),
        vec![Write::Rows(LOG, vec![early]), cursor(LOG, 7)],
        "both are covered"
    );
    stage.pass(1_000);
    assert!(
        stage.try_question("log.sync").is_none(),
        "nothing is missing"
    );
}

#[test]
fn a_gap_that_stays_open_is_synced_after_half_a_second() {
    let mut stage = Stage::synced(vec![]);
    stage.pushed(Pushed::Push(push(LOG, 6, 7, vec![])));
    stage.pass(499);
    assert!(
        stage.try_question("log.sync").is_none(),
        "it may still close"
    );
    stage.pass(1);
    let (_, question) = stage.question("log.sync");
    assert_eq!(synced_logs(question)[0].since, Rev(5));
}

#[test]
fn stale_and_a_heartbeat_that_is_ahead_are_synced_at_once() {
    let mut stage = Stage::synced(vec![]);
    stage.pushed(Pushed::Stale(Stale {
        log: LOG,
        rev: Rev(5),
    }));
    let (_, question) = stage.question("log.sync");
    assert_eq!(
        synced_logs(question)[0].log,
        LOG,
        "rights may have changed without a row"
    );
    let heads = vec![(ACCOUNT, Rev(6)), (LOG, Rev(5))];
    stage.pushed(Pushed::Heartbeat(Heartbeat {
        now: stage.now,
        heads,
    }));
    let (_, question) = stage.question("log.sync");
    assert_eq!(
        synced_logs(question)[0].log,
        ACCOUNT,
        "a lost push in a quiet log is noticed"
    );
}

#[test]
fn another_epoch_forgets_everything_and_asks_for_it_anew() {
    let mut stage = Stage::new(member(vec![island(1, 10, 10)]));
    stage.connect();
    stage.greet_as(Epoch(Uuid::from_u128(31)));
    let changes = stage.changes();
    for log in [Log::Topic(TOPIC), ACCOUNT, LOG] {
        assert!(
            changes.contains(&Write::Forget(log)),
            "{log} is of another time"
        );
    }
    assert!(
        matches!(changes.last(), Some(Write::Greeted(_))),
        "the epoch is taken in the same transaction"
    );
    let (_, question) = stage.question("log.sync");
    assert_eq!(synced_logs(question)[0].since, Rev::ZERO);
}

#[test]
fn a_log_that_is_ahead_of_the_server_is_learnt_from_the_beginning() {
    let mut stage = Stage::new(member(vec![]));
    stage.greet();
    let (number, _) = stage.question("log.sync");
    let outcome = SyncOutcome::Ahead { rev: Rev(3) };
    stage.changes();
    stage.told(
        number,
        Told::Synced(Synced {
            logs: vec![SyncedLog {
                log: ACCOUNT,
                outcome,
            }],
        }),
    );
    assert_eq!(stage.changes(), vec![Write::Forget(ACCOUNT)]);
    let (_, question) = stage.question("log.sync");
    assert_eq!(synced_logs(question)[0].since, Rev::ZERO);
}

#[test]
fn a_busy_server_is_left_alone_for_a_while() {
    let mut stage = Stage::new(member(vec![]));
    stage.greet();
    let (number, _) = stage.question("log.sync");
    let busy = Refusal::Busy(Busy {
        retry_after_ms: 2_000,
    });
    stage.hear(ServerFrame::Responses(vec![Response::refused(
        Value::from(number),
        &busy,
    )]));
    stage.pass(1_999);
    assert!(
        stage.try_question("log.sync").is_none(),
        "it asked for two seconds"
    );
    stage.pass(1);
    assert!(
        stage.try_question("log.sync").is_some(),
        "then the same is asked again"
    );
}

#[test]
fn a_busy_answer_counts_though_what_it_was_asked_for_is_gone() {
    let mut stage = Stage::new(member(vec![]));
    stage.greet();
    stage.answer_account();
    let (number, _) = stage.question("community.heads");
    stage.pushed(Pushed::Push(push(
        ACCOUNT,
        5,
        6,
        vec![membership(6, false)],
    )));
    let busy = Refusal::Busy(Busy {
        retry_after_ms: 2_000,
    });
    stage.hear(ServerFrame::Responses(vec![Response::refused(
        Value::from(number),
        &busy,
    )]));
    stage.pushed(Pushed::Stale(Stale {
        log: ACCOUNT,
        rev: Rev(9),
    }));
    stage.pass(1_999);
    assert!(
        stage.try_question("log.sync").is_none(),
        "the community is gone, the server is as busy as it was"
    );
    stage.pass(1);
    assert!(stage.try_question("log.sync").is_some());
}

#[test]
fn a_question_that_says_signed_out_ends_the_link() {
    let mut stage = Stage::new(member(vec![]));
    stage.greet();
    let (number, _) = stage.question("log.sync");
    let refusal = Refusal::Rejected(Code::SignedOut.into());
    stage.hear(ServerFrame::Responses(vec![Response::refused(
        Value::from(number),
        &refusal,
    )]));
    assert_eq!(
        stage.link(),
        Some(tulou_engine::LinkState::SignedOut(Code::SignedOut))
    );
}

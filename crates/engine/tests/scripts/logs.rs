//! The account's log and communities: pushes, gaps, resets, heads, another epoch.

use serde_json::Value;
use tulou_engine::{Counts, Input, Output, Restored, TopicHead, Write};
use tulou_protocol::{
    Body, Code, Epoch, Log, Question, Rev, Row, Seq, ServerFrame, Stale,
    frame::{Busy, Refusal, Response},
    permission::{Permissions, Place},
    push::{Heartbeat, Pushed, SyncOutcome, SyncedLog, TopicHead as Moved},
    question::{SyncLog, Synced, Told},
    row::AccessRow,
};
use uuid::Uuid;

use crate::stage::*;

const ACCOUNT: Log = Log::Account(ME);
const LOG: Log = Log::Community(COMMUNITY);

fn cursor(log: Log, rev: u64) -> Write {
    let view = (log == LOG).then(|| "view".to_owned());
    Write::Cursor {
        log,
        rev: Rev(rev),
        view,
    }
}

fn synced_logs(question: Question) -> Vec<SyncLog> {
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
        view: None,
        ranges: vec![],
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
        view: Some("view".into()),
        ranges: vec![],
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
fn a_membership_brings_a_community_and_its_end_takes_everything_of_it() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    stage.pushed(Pushed::Push(push(
        ACCOUNT,
        5,
        6,
        vec![membership(6, false)],
    )));
    let changes = stage.changes();
    assert!(
        changes.contains(&Write::Forget(Log::Topic(TOPIC))),
        "its topics go"
    );
    assert!(changes.contains(&Write::Forget(LOG)), "its rows go");
    stage.pushed(Pushed::Push(push(ACCOUNT, 6, 7, vec![membership(7, true)])));
    let (_, question) = stage.question("log.sync");
    let anew = SyncLog {
        log: LOG,
        since: Rev::ZERO,
        view: None,
        ranges: vec![],
    };
    assert_eq!(
        synced_logs(question),
        vec![anew],
        "it is learnt from the beginning"
    );
    stage.changes();
    stage.pushed(Pushed::Push(push(
        ACCOUNT,
        8,
        9,
        vec![membership(6, false)],
    )));
    assert!(
        !stage.changes().contains(&Write::Forget(LOG)),
        "an older row changes nothing"
    );
}

#[test]
fn an_answer_that_comes_after_its_community_is_gone_brings_nothing_back() {
    let mut stage = Stage::synced(vec![]);
    stage.pushed(Pushed::Push(push(
        ACCOUNT,
        5,
        9,
        vec![membership(9, false)],
    )));
    let create = stage.submit(create_community());
    stage.changes();
    // What was stored of the answer when the community was made.
    let rows = vec![topic_row(TOPIC, 1, 3)];
    stage.answer(
        create,
        vec![
            push(LOG, 0, 3, rows.clone()),
            push(ACCOUNT, 5, 6, vec![membership(6, true)]),
        ],
    );
    assert_eq!(
        stage.changes(),
        vec![Write::Done(create)],
        "the command is done, and that is all"
    );
    let create = stage.submit(create_community());
    let again = vec![
        push(LOG, 0, 3, rows.clone()),
        push(ACCOUNT, 9, 10, vec![membership(10, true)]),
    ];
    stage.answer(create, again);
    assert!(
        stage.changes().contains(&Write::Rows(LOG, rows)),
        "what is newer than the end counts"
    );
}

#[test]
fn a_topic_that_came_by_push_is_not_named_by_the_stamp() {
    let mut stage = Stage::synced(vec![]);
    let stamps = |changes: &[Write]| -> Vec<Option<String>> {
        changes
            .iter()
            .filter_map(|change| match change {
                Write::Cursor { log: LOG, view, .. } => Some(view.clone()),
                _ => None,
            })
            .collect()
    };
    let renamed = push(LOG, 5, 6, vec![topic_row(TOPIC, 1, 6)]);
    stage.pushed(Pushed::Push(renamed));
    assert_eq!(
        stamps(&stage.changes()),
        vec![Some("view".into())],
        "what was seen is seen"
    );
    let made = push(LOG, 6, 7, vec![topic_row(TOPIC_2, 2, 7)]);
    stage.pushed(Pushed::Push(made));
    assert_eq!(
        stamps(&stage.changes()).last(),
        Some(&None),
        "were it hidden again, the stamp would be the one before"
    );
    stage.pushed(Pushed::Stale(Stale {
        log: LOG,
        rev: Rev(8),
    }));
    let (_, question) = stage.question("log.sync");
    assert_eq!(
        synced_logs(question)[0].view,
        None,
        "the whole present state is asked for"
    );
}

#[test]
fn rights_at_a_topic_that_is_not_seen_yet_cost_the_stamp() {
    let mut stage = Stage::synced(vec![]);
    // The topic itself came in a push that was lost; if it is gone again, nothing but the whole present state tells.
    let rights = Row {
        id: format!("topic/{TOPIC_2}:everyone"),
        rev: Rev(8),
        body: AccessRow {
            place: Place::Topic(TOPIC_2),
            member_group: None,
            allow: Permissions::empty(),
            deny: Permissions::MENTION_ALL,
            more: Default::default(),
        }
        .into(),
    };
    stage.pushed(Pushed::Push(push(LOG, 7, 8, vec![rights])));
    stage.pass(500);
    let (_, question) = stage.question("log.sync");
    assert_eq!(synced_logs(question)[0].view, None);
}

#[test]
fn other_rights_make_the_floor_of_a_topic_unknown_also_where_nothing_is_held() {
    let mut restored = member(vec![]);
    let head = TopicHead {
        seq: Seq(10),
        rev: Rev(10),
        floor: Seq(11),
        ..TopicHead::default()
    };
    restored.heads.insert(TOPIC, head);
    let mut stage = Stage::new(restored);
    stage.input(Input::Watch(TOPIC));
    stage.connect();
    stage.greet_as(EPOCH);
    stage.answer_account();
    stage.changes();
    stage.pushed(Pushed::Stale(Stale {
        log: LOG,
        rev: Rev(6),
    }));
    let (number, question) = stage.question("log.sync");
    let log = synced_logs(question).remove(0).log;
    let outcome = SyncOutcome::Reset {
        rev: Rev(6),
        rows: vec![topic_row(TOPIC, 1, 3)],
        view: Some("other".into()),
        me: None,
    };
    stage.told(
        number,
        Told::Synced(Synced {
            logs: vec![SyncedLog { log, outcome }],
        }),
    );
    let floors: Vec<Seq> = stage
        .changes()
        .into_iter()
        .filter_map(|change| match change {
            Write::Head(TOPIC, head) => Some(head.floor),
            _ => None,
        })
        .collect();
    assert_eq!(floors, [Seq::ZERO], "the store forgets what could be read");
}

#[test]
fn a_topic_that_vanishes_from_a_reset_is_forgotten() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    stage.pushed(Pushed::Stale(Stale {
        log: LOG,
        rev: Rev(5),
    }));
    let (number, _) = stage.question("log.sync");
    let row = topic_row(TOPIC_2, 2, 3);
    let outcome = SyncOutcome::Reset {
        rev: Rev(6),
        rows: vec![row.clone()],
        view: Some("other".into()),
        me: None,
    };
    stage.told(
        number,
        Told::Synced(Synced {
            logs: vec![SyncedLog { log: LOG, outcome }],
        }),
    );
    let changes = stage.changes();
    let kept = vec![("topic".to_owned(), TOPIC_2.to_string())];
    let reset = Write::Reset {
        log: LOG,
        rev: Rev(6),
        kept,
    };
    let at = |change: &Write| changes.iter().position(|other| other == change);
    assert!(
        at(&Write::Forget(Log::Topic(TOPIC))).is_some(),
        "it may not be seen any more"
    );
    assert!(
        at(&Write::Rows(LOG, vec![row])) < at(&reset),
        "the present rows come before the reset"
    );
    assert!(changes.contains(&Write::Cursor {
        log: LOG,
        rev: Rev(6),
        view: Some("other".into())
    }));
    let (_, question) = stage.question("community.heads");
    assert_eq!(
        question,
        Question::CommunityHeads {
            community: COMMUNITY,
            since: 0
        },
        "new topics have heads"
    );
}

#[test]
fn a_digest_moves_heads_and_a_lost_one_is_asked_for() {
    let mut stage = Stage::synced(vec![]);
    let moved = |seq| Moved {
        no: 1,
        head_seq: Seq(seq),
        rev: Rev(seq),
        wide_mentions: vec![],
    };
    let known = stage.now;
    stage.pushed(Pushed::Digest(digest(
        known - 5,
        known + 1_000,
        vec![moved(4)],
    )));
    let head = TopicHead {
        seq: Seq(4),
        rev: Rev(4),
        floor: Seq(1),
        ..TopicHead::default()
    };
    assert!(
        stage.changes().contains(&Write::Head(TOPIC, head)),
        "the topic moved"
    );
    assert!(
        stage.try_question("community.heads").is_none(),
        "the windows touch"
    );
    stage.pushed(Pushed::Digest(digest(
        known + 2_000,
        known + 3_000,
        vec![moved(3)],
    )));
    assert!(stage.changes().is_empty(), "a head never goes back");
    let (_, question) = stage.question("community.heads");
    let since = known + 1_000 - 10_000;
    assert_eq!(
        question,
        Question::CommunityHeads {
            community: COMMUNITY,
            since
        },
        "a window was lost"
    );
}

#[test]
fn a_head_that_comes_before_its_topic_is_kept_for_it() {
    let mut stage = Stage::synced(vec![]);
    let moved = Moved {
        no: 2,
        head_seq: Seq(4),
        rev: Rev(4),
        wide_mentions: vec![],
    };
    let from = stage.now - 5;
    stage.pushed(Pushed::Digest(digest(from, stage.now, vec![moved])));
    assert!(
        !stage
            .changes()
            .iter()
            .any(|change| matches!(change, Write::Head(..))),
        "nobody knows number 2"
    );
    stage.pushed(Pushed::Push(push(
        LOG,
        5,
        6,
        vec![topic_row(TOPIC_2, 2, 6)],
    )));
    let head = TopicHead {
        seq: Seq(4),
        rev: Rev(4),

        ..TopicHead::default()
    };
    assert!(stage.changes().contains(&Write::Head(TOPIC_2, head)));
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
fn heads_count_as_known_only_from_what_was_known_on() {
    let mut stage = Stage::synced(vec![]);
    let known = stage.now;
    let moved = Moved {
        no: 2,
        head_seq: Seq(4),
        rev: Rev(4),
        wide_mentions: vec![],
    };
    let digests = [
        (known, known + 20_000, vec![moved]),
        (known + 30_000, known + 40_000, vec![]),
    ];
    for (from, to, topics) in digests {
        stage.pushed(Pushed::Digest(digest(from, to, topics)));
    }
    stage.changes();
    let (number, question) = stage.question("community.heads");
    let since = known + 10_000;
    let heads = Question::CommunityHeads {
        community: COMMUNITY,
        since,
    };
    assert_eq!(question, heads, "a window was lost");
    stage.told(number, Told::Heads(digest(since, known + 41_000, vec![])));
    let is_later =
        |change: &Write| matches!(change, Write::Counts(_, counts) if counts.as_of > known);
    assert!(
        !stage.changes().iter().any(is_later),
        "the head of number 2 is not in the store: after a crash it has to be asked for again"
    );
}

#[test]
fn counts_come_with_the_heads() {
    let mut stage = Stage::new(member(vec![]));
    stage.greet();
    stage.answer_all();
    let counts = Counts {
        members: 2,
        online: 1,
        as_of: stage.now,
    };
    assert!(stage.changes().contains(&Write::Counts(COMMUNITY, counts)));
    stage
        .outputs
        .retain(|output| matches!(output, Output::Apply(_)));
    stage.input(Input::Tick);
    assert!(stage.outputs.is_empty(), "nothing is repeated");
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

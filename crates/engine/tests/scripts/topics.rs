//! Watching, islands, pages, notices.

use serde_json::Value;
use tulou_engine::{Input, Island, Output, TopicHead, Write};
use tulou_protocol::{
    Code, Log, Push, Question, Rev, Seq, ServerFrame,
    frame::{Refusal, Response},
    push::{Heartbeat, Pushed, SyncOutcome, SyncedLog},
    question::{Page, PageAt, Range, Synced, Told, Watched, WatchedTopic},
};

use crate::stage::*;

const LOG: Log = Log::Topic(TOPIC);
const NOTHING: std::ops::RangeInclusive<u64> = std::ops::RangeInclusive::new(1, 0);

fn watch(stage: &mut Stage, head_seq: u64, rev: u64) {
    stage.input(Input::Watch(TOPIC));
    let (number, question) = stage.question("session.watch");
    assert_eq!(
        question,
        Question::SessionWatch {
            topics: vec![TOPIC]
        }
    );
    let topic = WatchedTopic {
        topic: TOPIC,
        head_seq: Seq(head_seq),
        rev: Rev(rev),
    };
    stage.told(
        number,
        Told::Watched(Watched {
            topics: vec![topic],
        }),
    );
}

/// Watched, with the messages 1 to 10 held as of rev 10.
fn watching() -> Stage {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    watch(&mut stage, 10, 10);
    stage.outputs.clear();
    stage
}

fn synced(stage: &mut Stage, rev: u64, head: u64, tail: std::ops::RangeInclusive<u64>) {
    let (number, _) = stage.question("log.sync");
    let outcome = SyncOutcome::Topic {
        rev: Rev(rev),
        head_seq: Seq(head),
        floor: Seq(1),
        tail_from: (!tail.is_empty()).then(|| Seq(*tail.start())),
        rows: messages(tail),
        has_more: false,
        authors: vec![],
    };
    stage.told(
        number,
        Told::Synced(Synced {
            logs: vec![SyncedLog { log: LOG, outcome }],
        }),
    );
}

fn asked_ranges(stage: &mut Stage) -> Vec<(u64, u64, u64)> {
    let found = stage.asked.iter().rev().find_map(|request| match request {
        tulou_protocol::frame::Request::Question(_, Question::LogSync { logs }) => {
            Some(logs[0].ranges.clone())
        }
        _ => None,
    });
    found
        .expect("log.sync was asked")
        .into_iter()
        .map(|Range { from, to, rev }| (from.0, to.0, rev.0))
        .collect()
}

fn page(from: u64, to: u64, rev: u64, head: u64) -> Page {
    Page {
        topic: TOPIC,
        rev: Rev(rev),
        head_seq: Seq(head),
        floor: Seq(1),
        from: Seq(from),
        to: Seq(to),
        rows: messages(from..=to),
        authors: vec![],
    }
}

fn islands(changes: &[Write]) -> Option<Vec<Island>> {
    changes.iter().rev().find_map(|change| match change {
        Write::Islands(TOPIC, islands) => Some(islands.clone()),
        _ => None,
    })
}

fn next(prev: u64, rev: u64, seq: u64) -> Push {
    push(LOG, prev, rev, vec![message(seq, rev, OTHER)])
}

#[test]
fn a_watched_topic_that_is_held_to_its_end_asks_nothing() {
    let mut stage = watching();
    assert!(
        stage.try_question("log.sync").is_none(),
        "it is as new as the server"
    );
    stage.pushed(Pushed::Push(next(10, 11, 11)));
    let changes = stage.changes();
    assert!(changes.contains(&Write::Rows(LOG, vec![message(11, 11, OTHER)])));
    assert_eq!(
        islands(&changes),
        Some(vec![island(1, 11, 11)]),
        "the island is live and grows"
    );
}

#[test]
fn a_watched_topic_that_is_behind_is_synced_with_its_ranges() {
    let mut stage = Stage::synced(vec![island(1, 3, 4), island(6, 10, 9)]);
    watch(&mut stage, 12, 14);
    assert_eq!(asked_ranges(&mut stage), vec![(1, 3, 4), (6, 10, 9)]);
    stage.changes();
    synced(&mut stage, 14, 12, 11..=12);
    let changes = stage.changes();
    assert_eq!(
        islands(&changes),
        Some(vec![island(1, 3, 14), island(6, 12, 14)]),
        "all is valid now"
    );
}

#[test]
fn a_tail_that_leaves_a_gap_is_an_island_of_its_own() {
    let mut stage = Stage::synced(vec![island(1, 3, 4)]);
    watch(&mut stage, 90, 90);
    stage.changes();
    synced(&mut stage, 90, 90, 81..=90);
    assert_eq!(
        islands(&stage.changes()),
        Some(vec![island(1, 3, 90), island(81, 90, 90)])
    );
}

#[test]
fn a_page_that_touches_an_island_becomes_part_of_it() {
    let mut stage = Stage::synced(vec![island(81, 90, 90)]);
    watch(&mut stage, 90, 90);
    stage.changes();
    stage.input(Input::Want(TOPIC, PageAt::Before(Seq(81))));
    stage.input(Input::Want(TOPIC, PageAt::Before(Seq(81))));
    let (number, _) = stage.question("topic.page");
    assert!(
        stage.try_question("topic.page").is_none(),
        "the same page is asked for once"
    );
    stage.told(number, Told::Page(page(71, 80, 90, 90)));
    let changes = stage.changes();
    assert!(changes.contains(&Write::Rows(LOG, messages(71..=80))));
    assert_eq!(islands(&changes), Some(vec![paged(71, 90, 90)]));
    assert!(
        stage.try_question("log.sync").is_none(),
        "it is as new as the cursor"
    );
}

#[test]
fn a_page_beyond_what_is_held_leaves_nothing_loose_before_it() {
    let mut stage = Stage::synced(vec![island(1, 1, 10)]);
    stage.input(Input::Want(TOPIC, PageAt::End));
    let (number, _) = stage.question("topic.page");
    stage.told(number, Told::Page(page(4, 7, 10, 10)));
    let changes = stage.changes();
    assert!(
        changes.contains(&Write::DropRange(TOPIC, Seq(2), Seq(3))),
        "the program may have ended while something waited beyond a gap"
    );
}

#[test]
fn a_page_that_is_older_than_the_cursor_is_asked_once_for_its_changes() {
    let mut stage = Stage::synced(vec![island(81, 90, 90)]);
    watch(&mut stage, 90, 90);
    stage.input(Input::Want(TOPIC, PageAt::Before(Seq(81))));
    let (number, _) = stage.question("topic.page");
    stage.pushed(Pushed::Push(push(
        LOG,
        90,
        91,
        vec![message(75, 91, OTHER)],
    )));
    assert!(
        !stage
            .changes()
            .iter()
            .any(|change| matches!(change, Write::Rows(..))),
        "what is not held is not kept"
    );
    stage.told(number, Told::Page(page(71, 80, 90, 90)));
    assert_eq!(asked_ranges(&mut stage), vec![(71, 80, 90), (81, 90, 91)]);
    synced(&mut stage, 91, 90, NOTHING);
    assert_eq!(
        islands(&stage.changes()),
        Some(vec![paged(71, 90, 91)]),
        "it is live"
    );
    stage.pass(5_000);
    assert!(stage.try_question("log.sync").is_none(), "once is enough");
}

#[test]
fn messages_beyond_a_gap_join_the_island_when_it_closes() {
    let mut stage = watching();
    stage.pushed(Pushed::Push(next(11, 12, 12)));
    let changes = stage.changes();
    assert_eq!(
        islands(&changes),
        Some(vec![island(1, 10, 10)]),
        "the timeline shows contiguous messages only"
    );
    stage.pushed(Pushed::Push(next(10, 11, 11)));
    assert_eq!(islands(&stage.changes()), Some(vec![island(1, 12, 12)]));
    stage.pass(1_000);
    assert!(
        stage.try_question("log.sync").is_none(),
        "the gap closed by itself"
    );
}

#[test]
fn a_gap_of_a_topic_is_synced_after_half_a_second() {
    let mut stage = watching();
    stage.pushed(Pushed::Push(next(11, 12, 12)));
    stage.pass(500);
    assert_eq!(asked_ranges(&mut stage), vec![(1, 10, 10)]);
    synced(&mut stage, 12, 12, 11..=12);
    assert_eq!(islands(&stage.changes()), Some(vec![island(1, 12, 12)]));
}

#[test]
fn what_came_while_changes_were_asked_for_is_not_taken_for_newer_than_it_is() {
    let mut stage = watching();
    stage.pushed(Pushed::Push(next(12, 13, 13)));
    stage.pass(500);
    assert_eq!(asked_ranges(&mut stage), vec![(1, 10, 10)]);
    stage.pushed(Pushed::Push(next(10, 11, 11)));
    stage.changes();
    synced(&mut stage, 20, 19, 15..=19);
    let held = islands(&stage.changes());
    let expected = vec![island(1, 11, 11), island(15, 19, 20)];
    assert_eq!(held, Some(expected), "nobody asked what changed in 11");
    stage.pass(500);
    assert_eq!(
        asked_ranges(&mut stage),
        vec![(1, 10, 20), (11, 11, 11), (15, 19, 20)],
        "now somebody does"
    );
}

#[test]
fn a_topic_that_was_left_keeps_its_islands_and_what_waited_beyond_a_gap_is_dropped() {
    let mut stage = watching();
    stage.pushed(Pushed::Push(next(11, 12, 12)));
    stage.changes();
    stage.input(Input::Unwatch(TOPIC));
    let changes = stage.changes();
    assert!(
        changes.contains(&Write::DropRange(TOPIC, Seq(12), Seq(12))),
        "it is in no island"
    );
    assert_eq!(islands(&changes), Some(vec![island(1, 10, 10)]));
    let (_, question) = stage.question("session.watch");
    assert_eq!(
        question,
        Question::SessionWatch { topics: vec![] },
        "the server is told"
    );
}

#[test]
fn all_watches_are_named_again_on_a_new_link() {
    let mut stage = watching();
    stage.input(Input::LinkDown);
    stage.asked.clear();
    stage.pass(1_000);
    stage.input(Input::LinkUp);
    stage.greet_as(EPOCH);
    let (_, question) = stage.question("session.watch");
    assert_eq!(
        question,
        Question::SessionWatch {
            topics: vec![TOPIC]
        }
    );
}

#[test]
fn a_topic_that_is_not_there_yet_is_watched_when_it_comes() {
    let mut stage = Stage::synced(vec![]);
    stage.input(Input::Watch(TOPIC_2));
    let (number, _) = stage.question("session.watch");
    stage.told(number, Told::Watched(Watched { topics: vec![] }));
    assert!(
        stage.try_question("session.watch").is_none(),
        "the server does not know it"
    );
    let row = topic_row(TOPIC_2, 2, 6);
    stage.pushed(Pushed::Push(push(
        Log::Community(COMMUNITY),
        5,
        6,
        vec![row],
    )));
    let (_, question) = stage.question("session.watch");
    assert_eq!(
        question,
        Question::SessionWatch {
            topics: vec![TOPIC_2]
        }
    );
}

#[test]
fn a_watch_that_the_heartbeat_does_not_name_is_asked_for_again() {
    let mut stage = watching();
    let heads = vec![(LOG, Rev(10))];
    stage.pushed(Pushed::Heartbeat(Heartbeat {
        now: stage.now,
        heads,
    }));
    assert!(
        stage.try_question("session.watch").is_none(),
        "it is watched"
    );
    stage.pushed(Pushed::Heartbeat(Heartbeat {
        now: stage.now,
        heads: vec![],
    }));
    assert!(
        stage.try_question("session.watch").is_some(),
        "the server ended it"
    );
}

#[test]
fn a_topic_that_is_gone_is_forgotten() {
    let mut stage = Stage::synced(vec![island(1, 3, 4)]);
    watch(&mut stage, 12, 14);
    let (number, _) = stage.question("log.sync");
    let gone = SyncedLog {
        log: LOG,
        outcome: SyncOutcome::Gone {},
    };
    stage.told(number, Told::Synced(Synced { logs: vec![gone] }));
    assert!(stage.changes().contains(&Write::Forget(LOG)));
}

#[test]
fn what_lies_before_the_floor_is_dropped() {
    let mut stage = Stage::synced(vec![island(1, 10, 9)]);
    watch(&mut stage, 10, 10);
    let (number, _) = stage.question("log.sync");
    let outcome = SyncOutcome::Topic {
        rev: Rev(10),
        head_seq: Seq(10),
        floor: Seq(6),
        rows: vec![],
        tail_from: None,
        has_more: false,
        authors: vec![],
    };
    stage.changes();
    stage.told(
        number,
        Told::Synced(Synced {
            logs: vec![SyncedLog { log: LOG, outcome }],
        }),
    );
    let changes = stage.changes();
    assert!(
        changes.contains(&Write::DropRange(TOPIC, Seq(1), Seq(5))),
        "it may not be read any more"
    );
    assert_eq!(islands(&changes), Some(vec![island(6, 10, 10)]));
}

#[test]
fn a_topic_that_is_ahead_of_the_server_starts_again() {
    let mut stage = watching();
    stage.pushed(Pushed::Push(next(10, 11, 11)));
    stage.input(Input::LinkDown);
    stage.asked.clear();
    stage.pass(1_000);
    stage.input(Input::LinkUp);
    stage.greet_as(EPOCH);
    let (number, _) = stage.question("session.watch");
    let topic = WatchedTopic {
        topic: TOPIC,
        head_seq: Seq(8),
        rev: Rev(12),
    };
    stage.told(
        number,
        Told::Watched(Watched {
            topics: vec![topic],
        }),
    );
    stage.answer_account();
    let (number, _) = stage.question("log.sync");
    let ahead = SyncedLog {
        log: LOG,
        outcome: SyncOutcome::Ahead { rev: Rev(8) },
    };
    stage.told(number, Told::Synced(Synced { logs: vec![ahead] }));
    assert_eq!(
        asked_ranges(&mut stage),
        vec![],
        "nothing that is held counts"
    );
    stage.changes();
    synced(&mut stage, 12, 8, 5..=8);
    let changes = stage.changes();
    assert!(
        matches!(changes[0], Write::DropRange(TOPIC, Seq(1), _)),
        "the old rows go"
    );
    assert_eq!(islands(&changes), Some(vec![island(5, 8, 12)]));
}

#[test]
fn what_is_held_of_unwatched_topics_is_looked_through_in_idle_time() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    let moved = tulou_protocol::push::TopicHead {
        no: 1,
        head_seq: Seq(10),
        rev: Rev(12),
        wide_mentions: vec![],
        read: None,
    };
    let from = stage.now - 5;
    stage.pushed(Pushed::Digest(digest(from, stage.now, vec![moved])));
    stage.pass(1_999);
    assert!(
        stage.try_question("log.sync").is_none(),
        "not while the person may be busy"
    );
    stage.pass(1);
    assert_eq!(
        asked_ranges(&mut stage),
        vec![(1, 10, 10)],
        "something of it may have been recalled"
    );
    stage.changes();
    synced(&mut stage, 12, 10, NOTHING);
    assert_eq!(islands(&stage.changes()), Some(vec![island(1, 10, 12)]));
    stage.pass(20_000);
    assert!(
        stage.try_question("log.sync").is_none(),
        "it is as new as its head"
    );
}

#[test]
fn a_wanted_page_waits_for_the_link() {
    let mut stage = Stage::new(member(vec![]));
    stage.input(Input::Want(TOPIC, PageAt::End));
    stage.greet();
    let (number, _) = stage.question("topic.page");
    stage.input(Input::LinkDown);
    stage.asked.clear();
    stage.pass(1_000);
    stage.input(Input::LinkUp);
    stage.greet_as(EPOCH);
    let (again, _) = stage.question("topic.page");
    assert!(again > number, "it is asked for again");
    let refusal = Refusal::Rejected(Code::NotFound.into());
    stage.hear(ServerFrame::Responses(vec![Response::refused(
        Value::from(again),
        &refusal,
    )]));
    assert!(
        stage.try_question("topic.page").is_none(),
        "a refusal is final"
    );
}

#[test]
fn a_new_message_of_somebody_else_is_notified_of_once() {
    let mut stage = watching();
    stage.pushed(Pushed::Push(next(10, 11, 11)));
    let notice = Output::Notify {
        topic: TOPIC,
        seq: Seq(11),
        mentions_me: false,
    };
    assert_eq!(stage.count(|output| *output == notice), 1);
    stage.outputs.clear();
    stage.pushed(Pushed::Push(push(LOG, 11, 12, vec![message(12, 12, ME)])));
    stage.pushed(Pushed::Push(push(
        LOG,
        12,
        13,
        vec![message(11, 13, OTHER)],
    )));
    assert_eq!(
        stage.count(|output| matches!(output, Output::Notify { .. })),
        0,
        "mine and edits are no news"
    );
}

#[test]
fn a_head_is_never_moved_back_by_a_watch() {
    let mut stage = watching();
    stage.pushed(Pushed::Push(next(10, 11, 11)));
    let head = TopicHead {
        seq: Seq(11),
        rev: Rev(11),
        floor: Seq(1),
        ..TopicHead::default()
    };
    assert!(stage.changes().contains(&Write::Head(TOPIC, head)));
    stage.input(Input::Watch(TOPIC_2));
    let (number, _) = stage.question("session.watch");
    let topic = WatchedTopic {
        topic: TOPIC,
        head_seq: Seq(10),
        rev: Rev(10),
    };
    stage.told(
        number,
        Told::Watched(Watched {
            topics: vec![topic],
        }),
    );
    assert!(
        !stage
            .changes()
            .iter()
            .any(|change| matches!(change, Write::Head(TOPIC, _)))
    );
}

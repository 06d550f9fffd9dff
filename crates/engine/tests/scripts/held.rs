//! What is kept of a topic: notes, pages of changes, halves of messages, what comes before the tail.

use tulou_engine::{Input, TopicHead, Write};
use tulou_protocol::{
    Body, Log, Question, Rev, Row, Seq, Stale,
    push::{Heartbeat, Pushed, SyncOutcome, SyncedLog},
    question::{Page, PageAt, Synced, Told, Watched, WatchedTopic},
    row::Marks,
};

use crate::stage::*;

const LOG: Log = Log::Topic(TOPIC);

/// Watched, with `last` messages held as of the same rev.
fn watching(last: u64, head: u64) -> Stage {
    let islands = (last > 0).then(|| island(1, last, last));
    let mut stage = Stage::synced(islands.into_iter().collect());
    stage.input(Input::Watch(TOPIC));
    let (number, _) = stage.question("session.watch");
    let topic = WatchedTopic {
        topic: TOPIC,
        head_seq: Seq(head),
        rev: Rev(head),
    };
    let topics = vec![topic];
    stage.told(number, Told::Watched(Watched { topics }));
    stage.outputs.clear();
    stage
}

fn ranges(stage: &mut Stage) -> (u64, Vec<(u64, u64, u64)>) {
    let (number, question) = stage.question("log.sync");
    let Question::LogSync { logs } = question else {
        panic!("{question:?}")
    };
    let ranges = logs[0].ranges.iter();
    let ranges = ranges.map(|range| (range.from.0, range.to.0, range.rev.0));
    (number, ranges.collect())
}

fn changes_of(rev: u64, rows: Vec<Row>, tail_from: Option<u64>, has_more: bool) -> Told {
    let outcome = SyncOutcome::Topic {
        rev: Rev(rev),
        head_seq: Seq(12),
        floor: Seq(1),
        rows,
        tail_from: tail_from.map(Seq),
        has_more,
        authors: vec![],
    };
    let logs = vec![SyncedLog { log: LOG, outcome }];
    Told::Synced(Synced { logs })
}

fn keeps_rows(change: &Write) -> bool {
    matches!(change, Write::Rows(LOG, _))
}

#[test]
fn a_note_that_a_watched_topic_changed_is_synced_at_once() {
    let mut stage = watching(10, 10);
    stage.pushed(Pushed::Stale(Stale {
        log: LOG,
        rev: Rev(12),
    }));
    assert_eq!(ranges(&mut stage).1, vec![(1, 10, 10)]);
}

#[test]
fn a_push_of_a_topic_that_is_covered_is_ignored() {
    let mut stage = watching(10, 10);
    let edited = message(10, 10, OTHER);
    stage.pushed(Pushed::Push(push(LOG, 9, 10, vec![edited])));
    assert_eq!(stage.changes(), vec![], "it is held already");
}

#[test]
fn what_comes_before_the_tail_of_a_topic_just_opened_is_not_kept() {
    let mut stage = watching(0, 10);
    let new = message(11, 11, OTHER);
    stage.pushed(Pushed::Push(push(LOG, 10, 11, vec![new])));
    assert!(
        !stage.changes().iter().any(keeps_rows),
        "the tail that is on its way brings it"
    );
}

#[test]
fn changes_of_a_topic_come_in_pages_by_rev() {
    let mut stage = watching(10, 14);
    let (number, asked) = ranges(&mut stage);
    assert_eq!(asked, vec![(1, 10, 10)]);
    let first = vec![message(3, 11, OTHER)];
    stage.told(number, changes_of(11, first, None, true));
    let (number, asked) = ranges(&mut stage);
    assert_eq!(asked, vec![(1, 10, 11)], "the next page follows");
    stage.changes();
    stage.told(number, changes_of(14, messages(11..=12), Some(11), false));
    let whole = Write::Islands(TOPIC, vec![island(1, 12, 14)]);
    assert!(stage.changes().contains(&whole), "and then the tail");
}

#[test]
fn half_a_message_is_not_kept_alone() {
    let mut stage = watching(10, 10);
    let mut half = message(11, 12, OTHER);
    if let Body::Message(message) = &mut half.body {
        message.marks_rev = Rev(11);
    }
    stage.pushed(Pushed::Push(push(LOG, 10, 12, vec![half])));
    assert!(
        !stage.changes().iter().any(keeps_rows),
        "its marks are not known"
    );
}

#[test]
fn what_came_beyond_a_gap_counts_only_with_all_its_rows() {
    let mut stage = watching(10, 10);
    let mut reacted = message(11, 12, OTHER);
    if let Body::Message(message) = &mut reacted.body {
        message.content = None;
        message.content_rev = Rev(11);
        message.marks = Some(Marks::default());
        message.marks_rev = Rev(12);
    }
    stage.pushed(Pushed::Push(push(LOG, 11, 12, vec![reacted])));
    assert!(
        !stage.changes().iter().any(keeps_rows),
        "a reaction to a message that did not come yet"
    );
    stage.pushed(Pushed::Push(push(LOG, 10, 11, messages(11..=11))));
    assert!(
        stage
            .changes()
            .contains(&Write::Islands(TOPIC, vec![island(1, 11, 11)])),
        "the gap is closed, but what lay beyond it is not held"
    );
    stage.pass(500);
    assert_eq!(
        ranges(&mut stage).1,
        vec![(1, 11, 11)],
        "the reaction is asked for"
    );
}

#[test]
fn a_heartbeat_that_names_a_newer_head_of_a_watched_topic_is_synced() {
    let mut stage = watching(10, 10);
    let now = stage.now;
    let heads = vec![(LOG, Rev(12))];
    stage.pushed(Pushed::Heartbeat(Heartbeat { now, heads }));
    assert_eq!(
        ranges(&mut stage).1,
        vec![(1, 10, 10)],
        "a lost push in a quiet topic is noticed"
    );
}

#[test]
fn a_head_never_goes_back_by_what_knows_only_its_rev() {
    let mut stage = watching(10, 10);
    stage.pushed(Pushed::Stale(Stale {
        log: LOG,
        rev: Rev(12),
    }));
    let head = TopicHead {
        seq: Seq(10),
        rev: Rev(12),
        floor: Seq(1),
        ..TopicHead::default()
    };
    assert!(stage.changes().contains(&Write::Head(TOPIC, head)));
}

#[test]
fn of_a_page_only_what_may_be_read_is_kept() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    stage.input(Input::Want(TOPIC, PageAt::End));
    let (number, _) = stage.question("topic.page");
    let page = Page {
        topic: TOPIC,
        rev: Rev(10),
        head_seq: Seq(10),
        floor: Seq(6),
        from: Seq(4),
        to: Seq(10),
        rows: messages(4..=10),
        authors: vec![],
    };
    stage.told(number, Told::Page(page));
    let changes = stage.changes();
    assert!(changes.contains(&Write::DropRange(TOPIC, Seq(1), Seq(5))));
    assert!(
        changes.contains(&Write::Rows(LOG, messages(6..=10))),
        "what lies below the floor is not put back by the same answer"
    );
}

//! What may be seen: stamps, resets, other rights, what is gone, older rows.

use std::collections::BTreeMap;

use tulou_engine::{Input, TopicHead, Write};
use tulou_protocol::{
    Body, Log, Question, Rev, Row, Seq, Stale,
    push::{Pushed, SyncOutcome, SyncedLog, TopicHead as Moved},
    question::{Synced, Told, Watched, WatchedTopic},
};

use crate::stage::*;

const ACCOUNT: Log = Log::Account(ME);
const LOG: Log = Log::Community(COMMUNITY);
const TOPIC_LOG: Log = Log::Topic(TOPIC);

/// The server says that a log is another, and is asked for it.
pub fn stale(stage: &mut Stage, log: Log) -> u64 {
    let rev = Rev(5);
    stage.pushed(Pushed::Stale(Stale { log, rev }));
    let (number, _) = stage.question("log.sync");
    number
}

pub fn answer(stage: &mut Stage, number: u64, log: Log, outcome: SyncOutcome) {
    let logs = vec![SyncedLog { log, outcome }];
    stage.told(number, Told::Synced(Synced { logs }));
}

pub fn present(rev: u64, rows: Vec<Row>) -> SyncOutcome {
    SyncOutcome::Reset {
        rev: Rev(rev),
        rows,
        begun: None,
        view: Some("other".into()),
        me: None,
    }
}

fn deleted(rev: u64) -> Row {
    Row {
        id: TOPIC.to_string(),
        rev: Rev(rev),
        body: Body::Deleted("topic".into()),
    }
}

fn last_stamp(changes: &[Write]) -> Option<Option<String>> {
    changes.iter().rev().find_map(|change| match change {
        Write::Cursor { log: LOG, view, .. } => Some(view.clone()),
        _ => None,
    })
}

/// From, to, as of.
type Ranges = Vec<(u64, u64, u64)>;

/// What the engine asks about the messages that it holds of a topic.
fn looked_through(stage: &mut Stage) -> Option<(u64, Ranges)> {
    let (number, question) = stage.try_question("log.sync")?;
    let Question::LogSync { logs } = question else {
        return None;
    };
    let ranges = logs[0].ranges.iter();
    Some((
        number,
        ranges
            .map(|range| (range.from.0, range.to.0, range.rev.0))
            .collect(),
    ))
}

fn reads_from(floor: u64) -> SyncOutcome {
    SyncOutcome::Topic {
        rev: Rev(10),
        head_seq: Seq(10),
        floor: Seq(floor),
        rows: vec![],
        tail_from: None,
        has_more: false,
        authors: vec![],
    }
}

fn watch(stage: &mut Stage, found: Vec<WatchedTopic>) {
    let (number, _) = stage.question("session.watch");
    stage.told(number, Told::Watched(Watched { topics: found }));
}

#[test]
fn with_other_rights_what_is_held_is_looked_through_in_idle_time() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    let number = stale(&mut stage, LOG);
    let rows = vec![topic_row(TOPIC, 1, 5)];
    answer(&mut stage, number, LOG, present(6, rows));
    let unknown = Write::Head(TOPIC, TopicHead::default());
    assert!(
        stage.changes().contains(&unknown),
        "from where it may be read is not known any more, even after a crash"
    );
    let (heads, _) = stage.question("community.heads");
    stage.told(heads, Told::Heads(digest(0, stage.now, vec![])));
    stage.pass(2_000);
    let (number, ranges) = looked_through(&mut stage).expect("it is asked about");
    assert_eq!(ranges, vec![(1, 10, 10)]);
    stage.changes();
    answer(&mut stage, number, TOPIC_LOG, reads_from(6));
    assert!(
        stage
            .changes()
            .contains(&Write::DropRange(TOPIC, Seq(1), Seq(5))),
        "what was written before the person came may not be read any more"
    );
}

#[test]
fn with_other_rights_what_is_shown_is_looked_through_at_once() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    stage.input(Input::Watch(TOPIC));
    let topic = WatchedTopic {
        topic: TOPIC,
        head_seq: Seq(10),
        rev: Rev(10),
    };
    watch(&mut stage, vec![topic]);
    let number = stale(&mut stage, LOG);
    let rows = vec![topic_row(TOPIC, 1, 5)];
    answer(&mut stage, number, LOG, present(6, rows));
    let (number, ranges) = looked_through(&mut stage).expect("it is asked about");
    assert_eq!(ranges, vec![(1, 10, 10)]);
    stage.changes();
    answer(&mut stage, number, TOPIC_LOG, reads_from(6));
    assert!(
        stage
            .changes()
            .contains(&Write::DropRange(TOPIC, Seq(1), Seq(5)))
    );
}

#[test]
fn a_restart_remembers_that_what_is_held_has_to_be_looked_through() {
    let mut restored = member(vec![island(1, 10, 10)]);
    restored.heads = BTreeMap::from([(TOPIC, TopicHead::default())]);
    let mut stage = Stage::new(restored);
    stage.greet();
    stage.answer_all();
    stage.pass(2_000);
    let (_, ranges) = looked_through(&mut stage).expect("it is asked about");
    assert_eq!(ranges, vec![(1, 10, 10)]);
}

#[test]
fn what_is_held_of_a_topic_that_may_not_be_watched_is_looked_through() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    stage.input(Input::Watch(TOPIC));
    watch(&mut stage, vec![]);
    stage.pass(2_000);
    let (number, _) = looked_through(&mut stage).expect("it is asked about");
    stage.changes();
    answer(&mut stage, number, TOPIC_LOG, SyncOutcome::Gone {});
    assert!(stage.changes().contains(&Write::Forget(TOPIC_LOG)));
}

#[test]
fn what_is_held_of_a_topic_without_a_row_is_looked_through() {
    let mut restored = member(vec![]);
    restored.islands = BTreeMap::from([(TOPIC_2, vec![island(1, 3, 3)])]);
    let known = TopicHead {
        floor: Seq(1),
        ..TopicHead::default()
    };
    restored.heads = BTreeMap::from([(TOPIC_2, known)]);
    let mut stage = Stage::new(restored);
    stage.greet();
    stage.answer_all();
    stage.pass(2_000);
    let (_, ranges) = looked_through(&mut stage).expect("it is asked about");
    assert_eq!(
        ranges,
        vec![(1, 3, 3)],
        "its row may have gone while the program did not run"
    );
}

#[test]
fn a_watch_that_was_refused_is_asked_for_again_with_other_rights() {
    let mut stage = Stage::synced(vec![]);
    stage.input(Input::Watch(TOPIC));
    watch(&mut stage, vec![]);
    let number = stale(&mut stage, LOG);
    assert!(stage.try_question("session.watch").is_none());
    let rows = vec![topic_row(TOPIC, 1, 5)];
    answer(&mut stage, number, LOG, present(6, rows));
    assert!(
        stage.try_question("session.watch").is_some(),
        "the right may have come back"
    );
}

#[test]
fn rights_that_came_back_before_the_answer_are_other_rights_too() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    stage.input(Input::Watch(TOPIC_2));
    watch(&mut stage, vec![]);
    let number = stale(&mut stage, LOG);
    let as_before = SyncOutcome::Rows {
        rev: Rev(7),
        rows: vec![],
        has_more: false,
        view: Some("view".into()),
    };
    answer(&mut stage, number, LOG, as_before);
    let (_, heads) = stage.question("community.heads");
    let anew = Question::CommunityHeads {
        community: COMMUNITY,
        since: 0,
        after: None,
    };
    assert_eq!(
        heads, anew,
        "what was answered while they were taken away left out what I see"
    );
    assert!(
        stage.try_question("session.watch").is_some(),
        "so did the answer to the watch"
    );
}

#[test]
fn a_community_that_is_gone_is_forgotten_with_its_topics() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    let number = stale(&mut stage, LOG);
    answer(&mut stage, number, LOG, SyncOutcome::Gone {});
    let changes = stage.changes();
    assert!(changes.contains(&Write::Forget(LOG)));
    assert!(changes.contains(&Write::Forget(TOPIC_LOG)));
}

#[test]
fn a_reset_takes_no_topic_that_is_newer_than_it_is() {
    let mut stage = Stage::synced(vec![]);
    let number = stale(&mut stage, LOG);
    let row = topic_row(TOPIC_2, 2, 8);
    stage.pushed(Pushed::Push(push(LOG, 7, 8, vec![row])));
    let rows = vec![topic_row(TOPIC, 1, 5)];
    answer(&mut stage, number, LOG, present(6, rows));
    let newer = Write::Forget(Log::Topic(TOPIC_2));
    assert!(
        !stage.changes().contains(&newer),
        "it was made after the answer"
    );
}

#[test]
fn a_reset_takes_no_membership_that_is_newer_than_it_is() {
    let mut stage = Stage::synced(vec![]);
    let number = stale(&mut stage, ACCOUNT);
    let joined = push(ACCOUNT, 7, 8, vec![membership(8, true)]);
    stage.pushed(Pushed::Push(joined));
    answer(&mut stage, number, ACCOUNT, present(6, vec![]));
    assert!(
        !stage.changes().contains(&Write::Forget(LOG)),
        "it began after the answer"
    );
}

#[test]
fn an_answer_of_the_view_before_brings_no_stamp_back() {
    let mut stage = Stage::synced(vec![]);
    let number = stale(&mut stage, LOG);
    let made = push(LOG, 5, 6, vec![topic_row(TOPIC_2, 2, 6)]);
    stage.pushed(Pushed::Push(made));
    let outcome = SyncOutcome::Rows {
        rev: Rev(6),
        rows: vec![],
        has_more: false,
        view: Some("view".into()),
    };
    answer(&mut stage, number, LOG, outcome);
    assert_eq!(
        last_stamp(&stage.changes()),
        Some(None),
        "the stamp does not name the topic that came meanwhile"
    );
}

#[test]
fn a_reset_that_is_older_than_the_last_change_of_the_view_brings_no_stamp() {
    let mut stage = Stage::synced(vec![]);
    let number = stale(&mut stage, LOG);
    let made = push(LOG, 7, 8, vec![topic_row(TOPIC_2, 2, 8)]);
    stage.pushed(Pushed::Push(made));
    answer(&mut stage, number, LOG, present(6, vec![]));
    assert_eq!(last_stamp(&stage.changes()), Some(None));
}

#[test]
fn an_older_row_does_not_bring_a_topic_back() {
    let mut stage = Stage::synced(vec![]);
    stage.pushed(Pushed::Push(push(LOG, 7, 8, vec![deleted(8)])));
    assert!(stage.changes().contains(&Write::Forget(TOPIC_LOG)));
    let older = push(LOG, 5, 6, vec![topic_row(TOPIC, 1, 6)]);
    stage.pushed(Pushed::Push(older));
    let moved = Moved {
        no: 1,
        head_seq: Seq(4),
        rev: Rev(4),
        wide_mentions: vec![],
        read: None,
    };
    let from = stage.now - 5;
    stage.pushed(Pushed::Digest(digest(from, stage.now, vec![moved])));
    let has_head = |change: &Write| matches!(change, Write::Head(TOPIC, _));
    assert!(
        !stage.changes().iter().any(has_head),
        "number 1 is no topic of mine any more"
    );
}

#[test]
fn an_older_tombstone_does_not_take_a_topic_away() {
    let mut stage = Stage::synced(vec![]);
    let newer = push(LOG, 7, 8, vec![topic_row(TOPIC, 1, 8)]);
    stage.pushed(Pushed::Push(newer));
    stage.changes();
    stage.pushed(Pushed::Push(push(LOG, 5, 6, vec![deleted(6)])));
    assert!(!stage.changes().contains(&Write::Forget(TOPIC_LOG)));
}

#[test]
fn heads_are_asked_for_without_a_reason_every_ten_minutes() {
    let mut stage = Stage::synced(vec![]);
    for _ in 0..20 {
        stage.pass(30_000);
        let heads = vec![(ACCOUNT, Rev(5)), (LOG, Rev(5))];
        let now = stage.now;
        stage.pushed(Pushed::Heartbeat(tulou_protocol::Heartbeat { now, heads }));
    }
    assert!(
        stage.try_question("community.heads").is_some(),
        "the last digest may have been lost"
    );
}

//! What keeps a client going over years: large answers, many topics, what goes again.

use tulou_engine::{Input, Output, Restored, Write};
use tulou_protocol::{
    Body, Log, Question, Rev, Row, Seq, TopicId,
    push::{Pushed, SyncOutcome, SyncedLog, TopicHead},
    question::{PageAt, Synced, Told},
};
use uuid::Uuid;

use crate::stage::*;

const LOG: Log = Log::Community(COMMUNITY);

fn is_cut(stage: &Stage) -> bool {
    stage.count(|output| *output == Output::Disconnect) > 0
}

#[test]
fn an_answer_is_waited_for_while_bytes_come() {
    let mut stage = Stage::new(Restored::default());
    stage.greet();
    stage.outputs.clear();
    for _ in 0..30 {
        stage.pass(14_000);
        stage.input(Input::Stirred);
    }
    assert!(!is_cut(&stage), "seven minutes at 100 KB/s are 40 MB");
    stage.pass(15_000);
    assert!(is_cut(&stage), "a link on which nothing comes is dead");
}

#[test]
fn an_answer_that_never_comes_is_not_waited_for_without_end() {
    let mut stage = Stage::new(Restored::default());
    stage.greet();
    stage.outputs.clear();
    for _ in 0..43 {
        stage.pass(14_000);
        stage.input(Input::Stirred);
    }
    assert!(is_cut(&stage), "what comes is something else");
}

fn topic(no: u32) -> TopicId {
    TopicId(Uuid::from_u128(1_000 + u128::from(no)))
}

/// A member of a community with many topics, of each of which something is held that changed since.
fn behind(topics: u32) -> Stage {
    behind_at(topics, 7)
}

/// The same at one of many starts.
fn behind_at(topics: u32, seed: u64) -> Stage {
    let mut restored = member(vec![]);
    for no in 2..topics + 2 {
        restored.islands.insert(topic(no), vec![island(1, 10, 10)]);
        let numbers = restored.numbers.entry(COMMUNITY).or_default();
        numbers.insert(no, topic(no));
        let head = tulou_engine::TopicHead {
            seq: Seq(10),
            rev: Rev(12),
            floor: Seq(1),
            wide_mentions: vec![],
            read: None,
        };
        restored.heads.insert(topic(no), head);
    }
    let mut stage = Stage::seeded(restored, seed);
    stage.greet();
    stage.answer_account();
    while let Some((number, _)) = stage.try_question("community.heads") {
        stage.told(number, Told::Heads(digest(0, stage.now, vec![])));
    }
    stage
}

/// Time passes; what is asked of topics meanwhile. Each was changed again by the time of the answer.
fn asked_in(stage: &mut Stage, minutes: i64) -> (Vec<TopicId>, usize) {
    let (mut asked, mut heads) = (Vec::new(), 0);
    for _ in 0..minutes * 60 {
        stage.pass(1_000);
        stage.input(Input::Stirred);
        while let Some((number, question)) = stage.try_question("log.sync") {
            let Question::LogSync { logs } = question else {
                panic!("{question:?}")
            };
            let mut answers = Vec::new();
            let mut moved = Vec::new();
            for sync in logs {
                let Log::Topic(id) = sync.log else { continue };
                assert!(sync.without_tail, "nobody looks: what is new can wait");
                asked.push(id);
                let outcome = SyncOutcome::Topic {
                    rev: sync.since.next(),
                    head_seq: Seq(10),
                    floor: Seq(1),
                    rows: vec![],
                    tail_from: None,
                    has_more: false,
                    authors: vec![],
                };
                answers.push(SyncedLog {
                    log: sync.log,
                    outcome,
                });
                moved.push(TopicHead {
                    no: u32::try_from(id.0.as_u128() - 1_000).unwrap(),
                    head_seq: Seq(10),
                    rev: Rev(sync.since.0 + 5),
                    wide_mentions: vec![],
                    read: None,
                });
            }
            stage.told(number, Told::Synced(Synced { logs: answers }));
            let from = stage.now - 5;
            stage.pushed(Pushed::Digest(digest(from, stage.now, moved)));
        }
        while let Some((number, _)) = stage.try_question("community.heads") {
            heads += 1;
            stage.told(number, Told::Heads(digest(0, stage.now, vec![])));
        }
    }
    (asked, heads)
}

#[test]
fn each_topic_has_its_turn_however_many_change_all_the_time() {
    let mut stage = behind(400);
    let (asked, _) = asked_in(&mut stage, 6);
    for no in 2..402 {
        assert!(
            asked.contains(&topic(no)),
            "topic {no} is among the last by its id, and was recalled in, too"
        );
    }
}

#[test]
fn who_never_stays_for_long_has_another_part_looked_through_each_time() {
    let mut looked_at = std::collections::BTreeSet::new();
    for start in 1..=12 {
        let (asked, _) = asked_in(&mut behind_at(400, start), 1);
        assert!(asked.len() < 200, "nobody gets through in a minute");
        looked_at.extend(asked);
    }
    assert!(
        looked_at.len() > 300,
        "what was recalled in the last ones by their ids goes, too: {}",
        looked_at.len()
    );
}

#[test]
fn heads_are_asked_for_again_although_there_is_always_something_to_look_through() {
    let mut stage = behind(400);
    let (_, heads) = asked_in(&mut stage, 12);
    assert!(heads > 0, "the last digest may have been lost");
}

#[test]
fn a_topic_that_is_opened_while_it_is_looked_through_gets_its_tail() {
    let mut stage = behind(1);
    stage.pass(2_000);
    let (number, question) = stage.question("log.sync");
    let Question::LogSync { logs } = question else {
        panic!("{question:?}")
    };
    assert!(logs[0].without_tail);
    stage.input(Input::Watch(topic(2)));
    let (watch, _) = stage.question("session.watch");
    let watched = tulou_protocol::question::WatchedTopic {
        topic: topic(2),
        head_seq: Seq(30),
        rev: Rev(40),
    };
    let topics = vec![watched];
    stage.told(
        watch,
        Told::Watched(tulou_protocol::question::Watched { topics }),
    );
    let outcome = SyncOutcome::Topic {
        rev: Rev(40),
        head_seq: Seq(30),
        floor: Seq(1),
        rows: vec![],
        tail_from: None,
        has_more: false,
        authors: vec![],
    };
    let log = Log::Topic(topic(2));
    let logs = vec![SyncedLog { log, outcome }];
    stage.told(number, Told::Synced(Synced { logs }));
    let (_, question) = stage.question("log.sync");
    let Question::LogSync { logs } = question else {
        panic!("{question:?}")
    };
    assert!(!logs[0].without_tail, "somebody looks at it now");
}

#[test]
fn what_there_is_no_room_for_is_held_no_longer() {
    let mut stage = Stage::synced(vec![island(1, 4, 10), island(6, 10, 10)]);
    stage.input(Input::LetGo(TOPIC, Seq(7)));
    let dropped = Write::DropRange(TOPIC, Seq(1), Seq(7));
    let held = Write::Islands(TOPIC, vec![island(8, 10, 10)]);
    assert_eq!(stage.changes(), vec![dropped, held]);
    stage.input(Input::Watch(TOPIC));
    stage.answer_all();
    stage.changes();
    stage.input(Input::LetGo(TOPIC, Seq(99)));
    let held = Write::Islands(TOPIC, vec![island(10, 10, 10)]);
    assert!(
        stage.changes().contains(&held),
        "of what is on the screen the end stays"
    );
    stage.input(Input::Unwatch(TOPIC));
    stage.input(Input::LetGo(TOPIC, Seq(99)));
    assert!(stage.changes().contains(&Write::Islands(TOPIC, vec![])));
    // What no engine knows of is in no island, and goes all the same.
    stage.input(Input::LetGo(TOPIC_2, Seq(5)));
    let dropped = Write::DropRange(TOPIC_2, Seq(1), Seq(5));
    assert_eq!(stage.changes(), vec![dropped]);
    stage.input(Input::Want(TOPIC, PageAt::End));
    stage.question("topic.page");
}

fn gone(rev: u64) -> Row {
    Row {
        id: TOPIC.to_string(),
        rev: Rev(rev),
        body: Body::Deleted("topic".into()),
    }
}

#[test]
fn tombstones_go_when_the_cursor_has_passed_them() {
    let mut stage = Stage::synced(vec![]);
    stage.pushed(Pushed::Push(push(LOG, 6, 7, vec![gone(7)])));
    let buries = |changes: Vec<Write>| -> Vec<Write> {
        let buries = |change: &Write| matches!(change, Write::Bury(log, _) if *log == LOG);
        changes.into_iter().filter(buries).collect()
    };
    assert!(
        buries(stage.changes()).is_empty(),
        "an older row may be in the gap"
    );
    stage.pushed(Pushed::Push(push(LOG, 5, 6, vec![])));
    assert_eq!(buries(stage.changes()), vec![Write::Bury(LOG, Rev(7))]);
}

#[test]
fn a_tombstone_stays_while_an_older_answer_is_on_its_way() {
    let mut stage = Stage::synced(vec![]);
    stage.pushed(Pushed::Stale(tulou_protocol::push::Stale {
        log: LOG,
        rev: Rev(6),
    }));
    let (number, _) = stage.question("log.sync");
    stage.pushed(Pushed::Push(push(LOG, 5, 7, vec![gone(7)])));
    let is_buried = |changes: Vec<Write>| changes.contains(&Write::Bury(LOG, Rev(7)));
    assert!(
        !is_buried(stage.changes()),
        "the answer may bring the topic as of rev 6"
    );
    let outcome = SyncOutcome::Rows {
        rev: Rev(6),
        rows: vec![topic_row(TOPIC, 1, 6)],
        has_more: false,
        view: Some("view".into()),
    };
    let logs = vec![SyncedLog { log: LOG, outcome }];
    stage.told(number, Told::Synced(Synced { logs }));
    assert!(is_buried(stage.changes()), "it came, and cannot any more");
}

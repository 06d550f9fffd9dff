//! Heads of topics: digests, and what is asked when one was lost.

use crate::logs::*;
use crate::stage::*;
use tulou_engine::{Counts, Input, Output, TopicHead, Write};
use tulou_protocol::{
    Question, Rev, Seq,
    push::{Pushed, ReadBefore, SyncOutcome, SyncedLog, TopicHead as Moved},
    question::{Synced, Told},
};

/// The times up to which heads are said to be known.
fn known_from(changes: &[Write]) -> Vec<i64> {
    let times = changes.iter().filter_map(|change| match change {
        Write::HeadsKnown(_, as_of) => Some(*as_of),
        _ => None,
    });
    times.collect()
}

#[test]
fn a_digest_moves_heads_and_a_lost_one_is_asked_for() {
    let mut stage = Stage::synced(vec![]);
    let moved = |seq| Moved {
        no: 1,
        head_seq: Seq(seq),
        rev: Rev(seq),
        wide_mentions: vec![],
        read: None,
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
            since,
            after: None,
        },
        "a window was lost"
    );
}

#[test]
fn a_gap_in_the_windows_of_one_audience_is_noticed_whatever_others_say() {
    let mut stage = Stage::synced(vec![]);
    let known = stage.now;
    let told = |stage: &mut Stage, audience: &str, from, to| {
        let mut digest = digest(known + from, known + to, vec![]);
        digest.audience = audience.into();
        stage.pushed(Pushed::Digest(digest));
    };
    told(&mut stage, "a", -5, 1_000);
    told(&mut stage, "b", -5, 2_000);
    // To the first one nothing was said in between.
    told(&mut stage, "a", 1_000, 3_000);
    assert!(
        stage.try_question("community.heads").is_none(),
        "each one's windows touch"
    );
    told(&mut stage, "b", 2_500, 3_000);
    let (_, question) = stage.question("community.heads");
    let since = known + 2_000 - 10_000;
    let heads = Question::CommunityHeads {
        community: COMMUNITY,
        since,
        after: None,
    };
    assert_eq!(
        question, heads,
        "what was said to the second one is missing"
    );
}

#[test]
fn a_digest_to_no_audience_brings_counts_or_says_that_something_was_missed() {
    let mut stage = Stage::synced(vec![]);
    let known = stage.now;
    let told = |stage: &mut Stage, audience: &str, from, to| {
        let mut digest = digest(from, to, vec![]);
        digest.audience = audience.into();
        digest.members = 7;
        stage.pushed(Pushed::Digest(digest));
    };
    told(&mut stage, "", 0, known + 1_000);
    let counts = Counts {
        members: 7,
        online: 1,
    };
    assert!(stage.changes().contains(&Write::Counts(COMMUNITY, counts)));
    told(&mut stage, "a", known, known + 2_000);
    assert!(
        stage.try_question("community.heads").is_none(),
        "nothing was missed"
    );
    // What was missed may be of any audience, however late the last one is.
    told(&mut stage, "", known + 500, known + 500);
    let (number, question) = stage.question("community.heads");
    let since = known - 10_000;
    let heads = Question::CommunityHeads {
        community: COMMUNITY,
        since,
        after: None,
    };
    assert_eq!(question, heads);
    let to = known + 3_000;
    stage.told(number, Told::Heads(digest(since, to, vec![])));
    told(&mut stage, "", to, to);
    assert!(
        stage.try_question("community.heads").is_none(),
        "the answer was later"
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
        read: None,
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
        read: Some(ReadBefore::default()),
        ..TopicHead::default()
    };
    assert!(
        stage.changes().contains(&Write::Head(TOPIC_2, head)),
        "it was made just now: all of it is unread"
    );
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
        read: None,
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
        after: None,
    };
    assert_eq!(question, heads, "a window was lost");
    stage.told(number, Told::Heads(digest(since, known + 41_000, vec![])));
    let is_later = |change: &Write| matches!(change, Write::HeadsKnown(_, as_of) if *as_of > known);
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
    };
    let changes = stage.changes();
    assert!(changes.contains(&Write::Counts(COMMUNITY, counts)));
    stage
        .outputs
        .retain(|output| matches!(output, Output::Apply(_)));
    stage.input(Input::Tick);
    assert!(stage.outputs.is_empty(), "nothing is repeated");
}

#[test]
fn a_servers_clock_that_went_back_takes_what_is_known_with_it() {
    const AHEAD: i64 = 600_000;
    let mut stage = Stage::synced(vec![]);
    let known = stage.now;
    let moved = |seq| Moved {
        no: 1,
        head_seq: Seq(seq),
        rev: Rev(seq),
        wide_mentions: vec![],
        read: None,
    };
    // The clock was ten minutes ahead when the heads were told, and was set right.
    let now = known - AHEAD;
    stage.pushed(Pushed::Digest(digest(now, now + 2_000, vec![moved(4)])));
    let (number, question) = stage.question("community.heads");
    let all = Question::CommunityHeads {
        community: COMMUNITY,
        since: 0,
        after: None,
    };
    assert_eq!(question, all, "what moved in between was told to nobody");
    let to = now + 3_000;
    stage.told(number, Told::Heads(digest(0, to, vec![moved(5)])));
    assert_eq!(
        known_from(&stage.changes()),
        [0, to],
        "the next start asks from there"
    );
    stage.pushed(Pushed::Digest(digest(to + 9_000, to + 11_000, vec![])));
    let (_, question) = stage.question("community.heads");
    let since = Question::CommunityHeads {
        community: COMMUNITY,
        since: to - 10_000,
        after: None,
    };
    assert_eq!(question, since, "one that was lost is noticed at once");
}

#[test]
fn an_answer_of_before_what_is_known_takes_it_back() {
    let mut stage = Stage::synced(vec![]);
    let known = stage.now;
    stage.pushed(Pushed::Digest(digest(known + 5_000, known + 6_000, vec![])));
    let (number, _) = stage.question("community.heads");
    stage.changes();
    let to = known - 600_000;
    stage.told(number, Told::Heads(digest(0, to, vec![])));
    assert_eq!(known_from(&stage.changes()), [to]);
}

#[test]
fn other_rights_at_a_start_say_nothing_of_how_many_are_there() {
    let mut stage = Stage::new(member(vec![]));
    stage.greet();
    let (number, _) = stage.question("log.sync");
    let outcome = SyncOutcome::Rows {
        rev: Rev(5),
        rows: vec![],
        has_more: false,
        view: None,
    };
    let log = ACCOUNT;
    let logs = vec![SyncedLog { log, outcome }];
    stage.told(number, Told::Synced(Synced { logs }));
    let (number, _) = stage.question("log.sync");
    stage.changes();
    let outcome = SyncOutcome::Reset {
        rev: Rev(6),
        rows: vec![topic_row(TOPIC, 1, 3)],
        begun: None,
        view: Some("other".into()),
        me: None,
    };
    let logs = vec![SyncedLog { log: LOG, outcome }];
    stage.told(number, Told::Synced(Synced { logs }));
    let changes = stage.changes();
    assert_eq!(
        known_from(&changes),
        [0],
        "all heads are asked for, at the next start too"
    );
    let is_counted = |change: &Write| matches!(change, Write::Counts(..));
    assert!(
        !changes.iter().any(is_counted),
        "nobody has told yet, and what is held holds: {changes:?}"
    );
}

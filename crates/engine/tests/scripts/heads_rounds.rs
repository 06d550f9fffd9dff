//! Rounds of answers with heads: in whose turn they are asked for, where they end, and how far heads are known by them.

use crate::logs::*;
use crate::stage::*;
use std::collections::BTreeMap;
use tulou_engine::{LinkState, Restored, TopicHead, Write};
use tulou_protocol::{
    Code, CommunityId, Digest, Log, Question, Rev, Seq, ServerFrame, TopicId,
    frame::{INTERNAL_ERROR, Refusal, Response},
    id::Millis,
    push::{HeadsAfter, Pushed, TopicHead as Moved},
    question::Told,
};
use uuid::Uuid;

fn moved(no: u32, seq: u64) -> Moved {
    Moved {
        no,
        head_seq: Seq(seq),
        rev: Rev(seq),
        ..Moved::default()
    }
}

fn told(community: CommunityId, to: Millis, after: Option<HeadsAfter>, topics: Vec<Moved>) -> Told {
    Told::Heads(Digest {
        community,
        after,
        ..digest(0, to, topics)
    })
}

/// A full answer of a round that began at a time of the server.
fn full(to: Millis, until: Millis, topics: Vec<Moved>) -> Told {
    let topic = TOPIC;
    told(COMMUNITY, to, Some(HeadsAfter { topic, until }), topics)
}

fn last(to: Millis, topics: Vec<Moved>) -> Told {
    told(COMMUNITY, to, None, topics)
}

/// The next question for heads: whose, since when, after which topic.
fn heads(stage: &mut Stage) -> (u64, CommunityId, Millis, Option<TopicId>) {
    match stage.question("community.heads") {
        (
            number,
            Question::CommunityHeads {
                community,
                since,
                after,
            },
        ) => (number, community, since, after),
        (_, other) => panic!("{other:?}"),
    }
}

/// A window was lost: heads are asked for.
fn missed(stage: &mut Stage) -> (u64, Millis) {
    let known = stage.now;
    stage.pushed(Pushed::Digest(digest(known + 8_000, known + 9_000, vec![])));
    let (number, ..) = heads(stage);
    stage.changes();
    (number, known)
}

fn knows(stage: &mut Stage) -> Vec<Millis> {
    let changes = stage.changes().into_iter();
    let known = changes.filter_map(|change| match change {
        Write::HeadsKnown(_, as_of) => Some(as_of),
        _ => None,
    });
    known.collect()
}

fn fails(stage: &mut Stage, number: u64) {
    let refusal = Refusal::Misunderstood(INTERNAL_ERROR);
    let refused = Response::refused(number.into(), &refusal);
    stage.hear(ServerFrame::Responses(vec![refused]));
}

#[test]
fn who_has_many_pages_waits_for_who_was_not_asked() {
    let communities = [1, 2, 3].map(|id| CommunityId(Uuid::from_u128(id)));
    let mut restored: Restored = member(vec![]);
    for community in communities {
        let log = Log::Community(community);
        restored.cursors.insert(log, (Rev(5), Some("view".into())));
        restored.communities.insert(community, START);
        restored.numbers.insert(community, BTreeMap::new());
    }
    let mut stage = Stage::new(restored);
    stage.greet();
    stage.answer_account();
    let mut asked: Vec<CommunityId> = Vec::new();
    for page in 1..=6 {
        let (number, community, since, _) = heads(&mut stage);
        asked.push(community);
        stage.pass(10);
        let topic = TOPIC;
        let until = START + 60_000;
        let after = Some(HeadsAfter { topic, until });
        stage.told(number, told(community, since + page, after, vec![]));
    }
    let mut first = asked[..4].to_vec();
    first.sort();
    let mut all = communities.to_vec();
    all.push(COMMUNITY);
    assert_eq!(
        first, all,
        "each has its first page before anybody's second"
    );
}

#[test]
fn a_round_ends_with_what_moved_before_it_began() {
    let mut stage = Stage::synced(vec![]);
    let (mut number, known) = missed(&mut stage);
    let began = known + 9_500;
    let mut to = known;
    // Topics move faster than they are told.
    for page in 0..5 {
        to += 2_000;
        stage.pass(2_000);
        let until = began + page * 2_000;
        stage.told(number, full(to, until, vec![moved(1, 4)]));
        if page < 4 {
            number = heads(&mut stage).0;
        }
    }
    let more = stage.try_question("community.heads");
    assert!(more.is_none(), "what moved later, digests tell: {more:?}");
    assert_eq!(knows(&mut stage).last(), Some(&began));
    stage.pushed(Pushed::Digest(digest(known + 9_000, to, vec![])));
    assert!(stage.try_question("community.heads").is_none());
    assert_ne!(stage.link(), Some(LinkState::Syncing));
}

#[test]
fn a_later_page_of_one_moment_does_not_hide_a_head_that_is_not_known() {
    let mut stage = Stage::synced(vec![]);
    let (number, known) = missed(&mut stage);
    let (at, until) = (known + 2_000, known + 9_000);
    stage.told(number, full(at, until, vec![moved(1, 4)]));
    let (number, ..) = heads(&mut stage);
    let after = Some(HeadsAfter {
        topic: TOPIC_2,
        until,
    });
    let page = told(COMMUNITY, at, after, vec![moved(9, 4)]);
    stage.told(number, page);
    let (number, ..) = heads(&mut stage);
    stage.told(number, last(until, vec![]));
    assert_eq!(
        knows(&mut stage),
        [at],
        "the head of number 9 is not in the store"
    );
}

#[test]
fn heads_are_known_to_the_end_of_the_round_once_the_last_row_has_come() {
    let mut stage = Stage::synced(vec![]);
    let (number, known) = missed(&mut stage);
    let until = known + 9_000;
    stage.told(number, full(known + 2_000, until, vec![moved(2, 4)]));
    let (number, ..) = heads(&mut stage);
    stage.told(number, full(known + 3_000, until, vec![moved(1, 5)]));
    let (number, ..) = heads(&mut stage);
    stage.told(number, last(until, vec![]));
    assert_eq!(
        knows(&mut stage),
        [0; 0],
        "the first head is not in the store"
    );
    stage.pushed(Pushed::Push(push(
        LOG,
        5,
        6,
        vec![topic_row(TOPIC_2, 2, 6)],
    )));
    let changes = stage.changes();
    let is_head = |change: &Write| matches!(change, Write::Head(topic, head) if *topic == TOPIC_2 && head.seq == Seq(4));
    assert!(changes.iter().any(is_head));
    assert!(
        changes.contains(&Write::HeadsKnown(COMMUNITY, until)),
        "all of the round is in the store: {changes:?}"
    );
}

#[test]
fn a_round_that_is_not_kept_whole_is_not_known_when_its_rows_come() {
    let mut stage = Stage::synced(vec![]);
    let (number, known) = missed(&mut stage);
    // More than is kept of topics that nobody has heard of.
    let many = (2..600).map(|no| moved(no, 4)).collect();
    stage.told(number, last(known + 9_000, many));
    let rows = (2..600).map(|no| topic_row(TopicId(Uuid::from_u128(u128::from(no))), no, 6));
    stage.pushed(Pushed::Push(push(LOG, 5, 6, rows.collect())));
    assert_eq!(knows(&mut stage), [0; 0], "some were not kept");
}

#[test]
fn of_two_heads_that_come_before_their_row_the_later_is_kept() {
    let mut stage = Stage::synced(vec![]);
    let (number, known) = missed(&mut stage);
    let later = digest(known + 9_000, known + 11_000, vec![moved(2, 7)]);
    stage.pushed(Pushed::Digest(later));
    stage.told(number, last(known + 10_000, vec![moved(2, 6)]));
    stage.pushed(Pushed::Push(push(
        LOG,
        5,
        6,
        vec![topic_row(TOPIC_2, 2, 6)],
    )));
    let heads = stage.changes().into_iter();
    let heads: Vec<TopicHead> = heads
        .filter_map(|change| match change {
            Write::Head(TOPIC_2, head) => Some(head),
            _ => None,
        })
        .collect();
    assert_eq!(heads.last().map(|head| head.seq), Some(Seq(7)));
}

#[test]
fn a_page_that_the_server_fails_at_is_asked_for_again_and_holds_up_nothing() {
    let mut stage = Stage::synced(vec![]);
    let (number, known) = missed(&mut stage);
    stage.told(number, full(known + 2_000, known + 9_000, vec![]));
    let (number, _, since, after) = heads(&mut stage);
    assert_eq!((since, after), (known + 2_000, Some(TOPIC)));
    fails(&mut stage, number);
    assert!(
        stage.try_question("community.heads").is_none(),
        "not at once"
    );
    stage.pass(4_900);
    assert!(stage.try_question("community.heads").is_none());
    stage.pass(200);
    let (number, _, since, after) = heads(&mut stage);
    assert_eq!(
        (since, after),
        (known + 2_000, Some(TOPIC)),
        "the same page"
    );
    fails(&mut stage, number);
    stage.pass(9_900);
    assert!(
        stage.try_question("community.heads").is_none(),
        "less often"
    );
    stage.pass(200);
    let (number, ..) = heads(&mut stage);
    stage.told(number, last(known + 9_000, vec![]));
    assert_eq!(knows(&mut stage).last(), Some(&(known + 9_000)));
}

#[test]
fn a_server_that_fails_at_heads_keeps_nobody_from_being_in_step() {
    let mut stage = Stage::new(member(vec![]));
    stage.greet();
    stage.answer_account();
    let (number, ..) = heads(&mut stage);
    fails(&mut stage, number);
    stage.answer_all();
    assert_eq!(stage.link(), Some(LinkState::Synced));
    let rejected = |stage: &mut Stage, number: u64| {
        let refusal = Refusal::Rejected(Code::NotAMember.into());
        let refused = Response::refused(number.into(), &refusal);
        stage.hear(ServerFrame::Responses(vec![refused]));
    };
    stage.pass(5_100);
    let (number, ..) = heads(&mut stage);
    rejected(&mut stage, number);
    stage.pass(60_000);
    let again = stage.try_question("community.heads");
    assert!(again.is_none(), "its log says that it is none of mine");
}

//! Heads that come in several answers.

use crate::logs::*;
use crate::sight::{answer, present, stale};
use crate::stage::*;
use tulou_engine::{Input, Write};
use tulou_protocol::{
    Digest, Question, Rev, Seq, ServerFrame, TopicId,
    frame::{Busy, Refusal, Response},
    id::Millis,
    push::{HeadsAfter, Pushed, TopicHead as Moved},
    question::Told,
};

fn moved(no: u32, seq: u64) -> Moved {
    Moved {
        no,
        head_seq: Seq(seq),
        rev: Rev(seq),
        ..Moved::default()
    }
}

/// Asks that go on after a topic, or begin.
fn from(since: Millis, after: Option<TopicId>) -> Question {
    Question::CommunityHeads {
        community: COMMUNITY,
        since,
        after,
    }
}

/// An answer that is full.
fn full(to: Millis, topics: Vec<Moved>) -> Told {
    Told::Heads(Digest {
        after: Some(HeadsAfter {
            topic: TOPIC,
            until: to + 60_000,
        }),
        ..digest(0, to, topics)
    })
}

/// A window was lost: heads are asked for, and the first answer is full.
fn first_page() -> (Stage, Millis) {
    let mut stage = Stage::synced(vec![]);
    let known = stage.now;
    stage.pushed(Pushed::Digest(digest(known + 8_000, known + 9_000, vec![])));
    let (number, question) = stage.question("community.heads");
    assert_eq!(question, from(known - 10_000, None));
    stage.changes();
    stage.told(number, full(known + 2_000, vec![moved(1, 4)]));
    (stage, known)
}

fn knows(stage: &mut Stage) -> Vec<Millis> {
    let changes = stage.changes().into_iter();
    let known = changes.filter_map(|change| match change {
        Write::HeadsKnown(_, as_of) => Some(as_of),
        _ => None,
    });
    known.collect()
}

#[test]
fn an_answer_that_is_full_goes_on_where_it_ended() {
    let (mut stage, known) = first_page();
    assert_eq!(knows(&mut stage), [known + 2_000], "so far it is known");
    let (number, question) = stage.question("community.heads");
    assert_eq!(question, from(known + 2_000, Some(TOPIC)));
    stage.told(number, full(known + 2_000, vec![]));
    let heads = stage.try_question("community.heads");
    assert!(heads.is_none(), "that led nowhere: not at once");
    stage.pass(6_000);
    let (number, question) = stage.question("community.heads");
    assert_eq!(question, from(known + 2_000, Some(TOPIC)));
    let last = digest(0, known + 9_000, vec![moved(1, 5)]);
    stage.told(number, Told::Heads(last));
    assert_eq!(knows(&mut stage), [known + 9_000]);
    assert!(stage.try_question("community.heads").is_none());
}

#[test]
fn a_page_that_is_refused_or_lost_is_asked_for_again() {
    let (mut stage, known) = first_page();
    let (number, _) = stage.question("community.heads");
    let busy = Refusal::Busy(Busy {
        retry_after_ms: 700,
    });
    let refused = Response::refused(number.into(), &busy);
    stage.hear(ServerFrame::Responses(vec![refused]));
    assert!(stage.try_question("community.heads").is_none());
    stage.pass(800);
    let (_, question) = stage.question("community.heads");
    assert_eq!(question, from(known + 2_000, Some(TOPIC)));
    stage.input(Input::LinkDown);
    stage.pass(1_000);
    stage.greet();
    stage.answer_account();
    let (_, question) = stage.question("community.heads");
    assert_eq!(
        question,
        from(known + 2_000 - 10_000, None),
        "from what is known"
    );
}

#[test]
fn a_digest_between_two_pages_loses_nothing_and_asks_after_the_last() {
    let (mut stage, known) = first_page();
    let (number, _) = stage.question("community.heads");
    let mut missed = digest(known + 20_000, known + 20_000, vec![]);
    missed.audience = String::new();
    stage.pushed(Pushed::Digest(missed));
    assert!(
        stage.try_question("community.heads").is_none(),
        "one at a time"
    );
    stage.told(number, full(known + 3_000, vec![]));
    let (number, question) = stage.question("community.heads");
    assert_eq!(question, from(known + 3_000, Some(TOPIC)), "it goes on");
    stage.told(number, Told::Heads(digest(0, known + 10_000, vec![])));
    let (_, question) = stage.question("community.heads");
    assert_eq!(question, from(known, None), "then what was missed");
}

#[test]
fn other_rights_between_two_pages_begin_anew() {
    let (mut stage, known) = first_page();
    let (heads, _) = stage.question("community.heads");
    stage.changes();
    let number = stale(&mut stage, LOG);
    answer(
        &mut stage,
        number,
        LOG,
        present(6, vec![topic_row(TOPIC, 1, 5)]),
    );
    stage.told(heads, full(known + 5_000, vec![moved(1, 6)]));
    assert_eq!(
        knows(&mut stage),
        [0],
        "what was told was told with other rights"
    );
    let (_, question) = stage.question("community.heads");
    assert_eq!(question, from(0, None));
}

//! How far topics count as read where no row says it: told with their heads, to one member alone.

use crate::logs::LOG;
use crate::sight::{answer, present, stale};
use crate::stage::*;
use tulou_engine::{TopicHead, Write};
use tulou_protocol::{
    Rev, Seq,
    push::{Pushed, ReadBefore, TopicHead as Moved},
    question::Told,
};

const fn up_to(seq: u64, over: u64) -> ReadBefore {
    ReadBefore {
        seq: Seq(seq),
        own: 0,
        over: Rev(over),
    }
}

fn moved(seq: u64, read: Option<ReadBefore>) -> Moved {
    Moved {
        no: 1,
        head_seq: Seq(seq),
        rev: Rev(seq),
        wide_mentions: vec![],
        read,
    }
}

/// What the store is told last of how far the topic counts as read; none if it is told nothing.
fn read(stage: &mut Stage) -> Option<Option<ReadBefore>> {
    let changes = stage.changes().into_iter();
    let mut heads = changes.filter_map(|change| match change {
        Write::Head(TOPIC, TopicHead { read, .. }) => Some(read),
        _ => None,
    });
    heads.next_back()
}

/// What is seen of the community becomes another thing; heads are asked for and told.
fn with_other_rights(stage: &mut Stage, rev: u64, told: Option<ReadBefore>) {
    let number = stale(stage, LOG);
    let rows = vec![topic_row(TOPIC, 1, 5)];
    answer(stage, number, LOG, present(rev, rows));
    let (heads, _) = stage.question("community.heads");
    let told = digest(0, stage.now, vec![moved(20, told)]);
    stage.told(heads, Told::Heads(told));
}

#[test]
fn what_is_told_with_other_rights_replaces_what_was_told_before() {
    let mut stage = Stage::synced(vec![]);
    for (rev, told) in [
        (6, Some(up_to(7, 3))),
        (7, Some(up_to(9, 3))),
        (8, None),
        (9, Some(up_to(7, 3))),
    ] {
        with_other_rights(&mut stage, rev, told);
        assert_eq!(read(&mut stage), Some(Some(told.unwrap_or_default())));
    }
}

#[test]
fn a_digest_says_nothing_of_what_is_read() {
    let mut stage = Stage::synced(vec![]);
    stage.pushed(Pushed::Digest(digest(0, stage.now, vec![moved(12, None)])));
    assert_eq!(read(&mut stage), Some(None), "it is not known yet");
    with_other_rights(&mut stage, 6, Some(up_to(7, 0)));
    assert_eq!(read(&mut stage), Some(Some(up_to(7, 0))));
    let now = stage.now;
    stage.pushed(Pushed::Digest(digest(now, now, vec![moved(21, None)])));
    assert_eq!(read(&mut stage), Some(Some(up_to(7, 0))), "it holds on");
}

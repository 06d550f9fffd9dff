//! Present states that come in pages, and answers that are full.

use crate::logs::*;
use crate::stage::*;
use tulou_engine::Write;
use tulou_protocol::{
    Body, CommunityId, Log, Rev, Row, ServerFrame, Stale, TopicId,
    frame::{Busy, Refusal, Response},
    push::{Pushed, SyncOutcome, SyncedLog},
    question::{SyncLog, Synced, Told},
};
use uuid::Uuid;

const LATER: TopicId = TopicId(Uuid::from_u128(22));

fn gone(topic: TopicId, rev: u64) -> Row {
    Row {
        id: topic.to_string(),
        rev: Rev(rev),
        body: Body::Deleted("topic".into()),
    }
}

impl Stage {
    fn synced_as(&mut self, number: u64, log: Log, outcome: SyncOutcome) {
        let logs = vec![SyncedLog { log, outcome }];
        self.told(number, Told::Synced(Synced { logs }));
    }

    /// What is seen of the community has changed, and the first page of it came.
    fn first_page(rows: Vec<Row>) -> Self {
        let mut stage = Self::synced(vec![island(1, 10, 10)]);
        stage.pushed(Pushed::Stale(Stale {
            log: LOG,
            rev: Rev(6),
        }));
        let (number, _) = stage.question("log.sync");
        stage.changes();
        let page = SyncOutcome::Reset {
            rev: rows.last().unwrap().rev,
            rows,
            begun: Some(Rev(6)),
            view: Some("other".into()),
            me: None,
        };
        stage.synced_as(number, LOG, page);
        stage
    }
}

#[test]
fn a_state_in_pages_takes_nothing_away_before_it_is_whole() {
    let mut stage = Stage::first_page(vec![topic_row(TOPIC_2, 2, 3)]);
    let changes = stage.changes();
    let unstamped = Write::Cursor {
        log: LOG,
        rev: Rev(5),
        view: None,
    };
    assert_eq!(
        changes,
        [unstamped, Write::Rows(LOG, vec![topic_row(TOPIC_2, 2, 3)])],
        "rows are shown as they come; what they leave out may come yet, and a program that ends here begins it anew"
    );
    let (number, question) = stage.question("log.sync");
    let on = SyncLog {
        log: LOG,
        since: Rev(3),
        begun: Some(Rev(6)),
        view: Some("other".into()),
        ranges: vec![],
        without_tail: false,
    };
    assert_eq!(synced_logs(question), [on], "it goes on where it ended");
    let last = SyncOutcome::Rows {
        rev: Rev(8),
        rows: vec![topic_row(LATER, 3, 5), gone(TOPIC_2, 8)],
        has_more: false,
        view: Some("other".into()),
    };
    stage.synced_as(number, LOG, last);
    let changes = stage.changes();
    assert!(
        changes.contains(&Write::Reset {
            log: LOG,
            rev: Rev(8),
            kept: vec![("topic".into(), LATER.to_string())],
        }),
        "without what was deleted between two pages: {changes:?}"
    );
    assert!(
        changes.contains(&Write::Forget(Log::Topic(TOPIC))),
        "no page named it"
    );
    assert!(changes.contains(&Write::Cursor {
        log: LOG,
        rev: Rev(8),
        view: Some("other".into()),
    }));
}

#[test]
fn tombstones_stay_until_a_state_in_pages_is_whole() {
    let mut stage = Stage::first_page(vec![topic_row(TOPIC_2, 2, 3)]);
    let is_buried = |changes: Vec<Write>| {
        let mut changes = changes.iter();
        changes.any(|change| matches!(change, Write::Bury(log, _) if *log == LOG))
    };
    let (number, _) = stage.question("log.sync");
    let busy = Refusal::Busy(Busy {
        retry_after_ms: 3_000,
    });
    stage.hear(ServerFrame::Responses(vec![Response::refused(
        number.into(),
        &busy,
    )]));
    stage.pushed(Pushed::Push(push(LOG, 5, 7, vec![gone(TOPIC, 7)])));
    assert!(
        !is_buried(stage.changes()),
        "nothing is on its way, and there are pages to come"
    );
    stage.pass(3_000);
    let (number, _) = stage.question("log.sync");
    let last = SyncOutcome::Rows {
        rev: Rev(7),
        rows: vec![gone(TOPIC, 7)],
        has_more: false,
        view: Some("other".into()),
    };
    stage.synced_as(number, LOG, last);
    assert!(is_buried(stage.changes()));
}

#[test]
fn a_state_that_begins_again_is_what_it_says_then() {
    let mut stage = Stage::first_page(vec![topic_row(TOPIC_2, 2, 3)]);
    stage.changes();
    let (number, _) = stage.question("log.sync");
    let anew = SyncOutcome::Reset {
        rev: Rev(9),
        rows: vec![topic_row(LATER, 3, 5)],
        begun: None,
        view: Some("third".into()),
        me: None,
    };
    stage.synced_as(number, LOG, anew);
    let changes = stage.changes();
    assert!(
        changes.contains(&Write::Reset {
            log: LOG,
            rev: Rev(9),
            kept: vec![("topic".into(), LATER.to_string())],
        }),
        "what the pages before named may not be seen any more: {changes:?}"
    );
    assert!(changes.contains(&Write::Forget(Log::Topic(TOPIC_2))));
}

#[test]
fn a_state_goes_on_with_the_next_link() {
    let mut stage = Stage::first_page(vec![topic_row(TOPIC_2, 2, 3)]);
    stage.input(tulou_engine::Input::LinkDown);
    stage.pass(60_000);
    stage.connect();
    stage.greet_as(EPOCH);
    stage.answer_account();
    let (_, question) = stage.question("log.sync");
    let log = synced_logs(question).remove(0);
    assert_eq!(
        (log.since, log.begun),
        (Rev(3), Some(Rev(6))),
        "on a link that breaks every minute it ends all the same"
    );
}

#[test]
fn what_an_answer_had_no_room_for_comes_first_in_the_next_question() {
    let mut stage = Stage::synced(vec![]);
    let other = CommunityId(Uuid::from_u128(u128::MAX));
    let mut joined = membership(6, true);
    joined.id = other.to_string();
    if let Body::Membership(membership) = &mut joined.body {
        membership.community = other;
    }
    stage.pushed(Pushed::Push(push(ACCOUNT, 5, 6, vec![joined])));
    stage.input(tulou_engine::Input::LinkDown);
    stage.pass(60_000);
    stage.asked.clear();
    stage.connect();
    stage.greet_as(EPOCH);
    let (number, _) = stage.question("log.sync");
    stage.synced_as(
        number,
        ACCOUNT,
        SyncOutcome::Rows {
            rev: Rev(6),
            rows: vec![],
            has_more: false,
            view: None,
        },
    );
    let asked = |question| -> Vec<Log> {
        let logs = synced_logs(question).into_iter();
        logs.map(|log| log.log).collect()
    };
    let (number, question) = stage.question("log.sync");
    let other = Log::Community(other);
    assert_eq!(asked(question), [other, LOG], "the new one was never told");
    // It is so large that its page fills the answer.
    let page = SyncOutcome::Reset {
        rev: Rev(3),
        rows: vec![topic_row(TOPIC_2, 2, 3)],
        begun: Some(Rev(6)),
        view: Some("other".into()),
        me: None,
    };
    stage.synced_as(number, other, page);
    let (_, question) = stage.question("log.sync");
    assert_eq!(
        asked(question),
        [LOG, other],
        "nobody waits for as long as the first one takes"
    );
}

#[test]
fn what_a_second_state_of_the_account_does_not_name_was_left() {
    let mut stage = Stage::new(member(vec![]));
    let state = |rev: u64, rows: Vec<Row>| SyncOutcome::Reset {
        rev: Rev(rev),
        rows,
        begun: None,
        view: None,
        me: None,
    };
    stage.greet();
    let (number, _) = stage.question("log.sync");
    stage.synced_as(number, ACCOUNT, state(6, vec![membership(4, true)]));
    stage.answer_all();
    // So long without a link that the server has forgotten tombstones.
    stage.input(tulou_engine::Input::LinkDown);
    stage.pass(60_000);
    stage.asked.clear();
    stage.connect();
    stage.greet_as(EPOCH);
    stage.changes();
    let (number, _) = stage.question("log.sync");
    stage.synced_as(number, ACCOUNT, state(9, vec![]));
    let changes = stage.changes();
    assert!(changes.contains(&Write::Forget(LOG)), "{changes:?}");
}

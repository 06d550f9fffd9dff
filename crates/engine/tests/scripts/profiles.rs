//! Profiles of authors.

use std::collections::BTreeMap;

use tulou_engine::{Output, Write};
use tulou_protocol::{
    Body, Log, Question, Rev, Row, ServerFrame,
    frame::{Busy, Refusal, Response},
    push::Pushed,
    question::{Profiles, Told},
};

use crate::stage::*;

const LOG: Log = Log::Community(COMMUNITY);

#[test]
fn profiles_that_are_newer_than_held_are_asked_for_once() {
    let mut stage = Stage::synced(vec![]);
    let mut pushed = push(LOG, 5, 6, vec![]);
    pushed.authors = vec![(ME, Rev(1)), (OTHER, Rev(2))];
    stage.pushed(Pushed::Push(pushed));
    let (number, question) = stage.question("profile.list");
    assert_eq!(
        question,
        Question::ProfileList {
            accounts: vec![OTHER]
        },
        "mine is held"
    );
    let mut pushed = push(LOG, 6, 7, vec![]);
    pushed.authors = vec![(OTHER, Rev(2))];
    stage.pushed(Pushed::Push(pushed));
    stage.told(number, Told::Profiles(Profiles { rows: vec![] }));
    assert!(
        stage.try_question("profile.list").is_none(),
        "who is left out is not asked for again"
    );
    assert!(
        stage.changes().contains(&Write::Lacking(OTHER, None)),
        "nor after a restart"
    );
}

#[test]
fn a_profile_that_is_lacking_is_asked_for_after_a_crash_too() {
    let mut stage = Stage::synced(vec![]);
    let mut pushed = push(LOG, 5, 6, vec![topic_row(TOPIC_2, 2, 6)]);
    pushed.authors = vec![(OTHER, Rev(2))];
    stage.pushed(Pushed::Push(pushed));
    let batches = stage.outputs.iter().filter_map(|output| match output {
        Output::Apply(batch) => Some(batch),
        _ => None,
    });
    let of_rows: Vec<_> = batches
        .filter(|batch| batch.iter().any(|change| matches!(change, Write::Rows(..))))
        .collect();
    assert!(
        of_rows.len() == 1 && of_rows[0].contains(&Write::Lacking(OTHER, Some(Rev(2)))),
        "what names it and that it is lacking are one transaction"
    );
    let mut restored = member(vec![]);
    restored.lacking = BTreeMap::from([(OTHER, Rev(2))]);
    let mut stage = Stage::new(restored);
    stage.greet();
    let (number, question) = stage.question("profile.list");
    assert_eq!(
        question,
        Question::ProfileList {
            accounts: vec![OTHER]
        },
        "though nothing names it any more"
    );
    stage.hear(ServerFrame::Responses(vec![Response::refused(
        number.into(),
        &Refusal::Busy(Busy {
            retry_after_ms: 2_000,
        }),
    )]));
    assert!(
        !stage.changes().contains(&Write::Lacking(OTHER, None)),
        "a busy server has not answered"
    );
    stage.pass(2_000);
    let (number, _) = stage.question("profile.list");
    let row = Row {
        id: OTHER.to_string(),
        rev: Rev(3),
        body: Body::Unknown("profile".into(), serde_json::json!({})),
    };
    stage.told(
        number,
        Told::Profiles(Profiles {
            rows: vec![row.clone()],
        }),
    );
    let changes = stage.changes();
    assert!(
        changes.contains(&Write::Lacking(OTHER, None))
            && changes.contains(&Write::Profiles(vec![row])),
        "it came, and is lacking no more"
    );
}

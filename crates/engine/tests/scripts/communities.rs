//! Communities: how they come and go, and what is seen of them.

use crate::logs::*;
use crate::stage::*;
use tulou_engine::{Input, TopicHead, Write};
use tulou_protocol::{
    Log, Question, Rev, Row, Seq, Stale,
    permission::{Permissions, Place},
    push::{Pushed, SyncOutcome, SyncedLog},
    question::{SyncLog, Synced, Told},
    row::AccessRow,
};

#[test]
fn a_membership_brings_a_community_and_its_end_takes_everything_of_it() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    stage.pushed(Pushed::Push(push(
        ACCOUNT,
        5,
        6,
        vec![membership(6, false)],
    )));
    let changes = stage.changes();
    assert!(
        changes.contains(&Write::Forget(Log::Topic(TOPIC))),
        "its topics go"
    );
    assert!(changes.contains(&Write::Forget(LOG)), "its rows go");
    stage.pushed(Pushed::Push(push(ACCOUNT, 6, 7, vec![membership(7, true)])));
    let (_, question) = stage.question("log.sync");
    let anew = SyncLog {
        log: LOG,
        since: Rev::ZERO,
        begun: None,
        view: None,
        ranges: vec![],
        without_tail: false,
    };
    assert_eq!(
        synced_logs(question),
        vec![anew],
        "it is learnt from the beginning"
    );
    stage.changes();
    stage.pushed(Pushed::Push(push(
        ACCOUNT,
        8,
        9,
        vec![membership(6, false)],
    )));
    assert!(
        !stage.changes().contains(&Write::Forget(LOG)),
        "an older row changes nothing"
    );
}

#[test]
fn an_answer_that_comes_after_its_community_is_gone_brings_nothing_back() {
    let mut stage = Stage::synced(vec![]);
    stage.pushed(Pushed::Push(push(
        ACCOUNT,
        5,
        9,
        vec![membership(9, false)],
    )));
    let create = stage.submit(create_community());
    stage.changes();
    // What was stored of the answer when the community was made.
    let rows = vec![topic_row(TOPIC, 1, 3)];
    stage.answer(
        create,
        vec![
            push(LOG, 0, 3, rows.clone()),
            push(ACCOUNT, 5, 6, vec![membership(6, true)]),
        ],
    );
    assert_eq!(
        stage.changes(),
        vec![Write::Done(create)],
        "the command is done, and that is all"
    );
    let create = stage.submit(create_community());
    let again = vec![
        push(LOG, 0, 3, rows.clone()),
        push(ACCOUNT, 9, 10, vec![membership(10, true)]),
    ];
    stage.answer(create, again);
    assert!(
        stage.changes().contains(&Write::Rows(LOG, rows)),
        "what is newer than the end counts"
    );
}

#[test]
fn a_topic_that_came_by_push_is_not_named_by_the_stamp() {
    let mut stage = Stage::synced(vec![]);
    let stamps = |changes: &[Write]| -> Vec<Option<String>> {
        changes
            .iter()
            .filter_map(|change| match change {
                Write::Cursor { log: LOG, view, .. } => Some(view.clone()),
                _ => None,
            })
            .collect()
    };
    let renamed = push(LOG, 5, 6, vec![topic_row(TOPIC, 1, 6)]);
    stage.pushed(Pushed::Push(renamed));
    assert_eq!(
        stamps(&stage.changes()),
        vec![Some("view".into())],
        "what was seen is seen"
    );
    let made = push(LOG, 6, 7, vec![topic_row(TOPIC_2, 2, 7)]);
    stage.pushed(Pushed::Push(made));
    assert_eq!(
        stamps(&stage.changes()).last(),
        Some(&None),
        "were it hidden again, the stamp would be the one before"
    );
    stage.pushed(Pushed::Stale(Stale {
        log: LOG,
        rev: Rev(8),
    }));
    let (_, question) = stage.question("log.sync");
    assert_eq!(
        synced_logs(question)[0].view,
        None,
        "the whole present state is asked for"
    );
}

#[test]
fn rights_at_a_topic_that_is_not_seen_yet_cost_the_stamp() {
    let mut stage = Stage::synced(vec![]);
    // The topic itself came in a push that was lost; if it is gone again, nothing but the whole present state tells.
    let rights = Row {
        id: format!("topic/{TOPIC_2}:everyone"),
        rev: Rev(8),
        body: AccessRow {
            place: Place::Topic(TOPIC_2),
            member_group: None,
            allow: Permissions::empty(),
            deny: Permissions::MENTION_ALL,
            more: Default::default(),
        }
        .into(),
    };
    stage.pushed(Pushed::Push(push(LOG, 7, 8, vec![rights])));
    stage.pass(500);
    let (_, question) = stage.question("log.sync");
    assert_eq!(synced_logs(question)[0].view, None);
}

#[test]
fn other_rights_make_the_floor_of_a_topic_unknown_also_where_nothing_is_held() {
    let mut restored = member(vec![]);
    let head = TopicHead {
        seq: Seq(10),
        rev: Rev(10),
        floor: Seq(11),
        ..TopicHead::default()
    };
    restored.heads.insert(TOPIC, head);
    let mut stage = Stage::new(restored);
    stage.input(Input::Watch(TOPIC));
    stage.connect();
    stage.greet_as(EPOCH);
    stage.answer_account();
    stage.changes();
    stage.pushed(Pushed::Stale(Stale {
        log: LOG,
        rev: Rev(6),
    }));
    let (number, question) = stage.question("log.sync");
    let log = synced_logs(question).remove(0).log;
    let outcome = SyncOutcome::Reset {
        rev: Rev(6),
        rows: vec![topic_row(TOPIC, 1, 3)],
        begun: None,
        view: Some("other".into()),
        me: None,
    };
    stage.told(
        number,
        Told::Synced(Synced {
            logs: vec![SyncedLog { log, outcome }],
        }),
    );
    let floors: Vec<Seq> = stage
        .changes()
        .into_iter()
        .filter_map(|change| match change {
            Write::Head(TOPIC, head) => Some(head.floor),
            _ => None,
        })
        .collect();
    assert_eq!(floors, [Seq::ZERO], "the store forgets what could be read");
}

#[test]
fn a_topic_that_vanishes_from_a_reset_is_forgotten() {
    let mut stage = Stage::synced(vec![island(1, 10, 10)]);
    stage.pushed(Pushed::Stale(Stale {
        log: LOG,
        rev: Rev(5),
    }));
    let (number, _) = stage.question("log.sync");
    let row = topic_row(TOPIC_2, 2, 3);
    let outcome = SyncOutcome::Reset {
        rev: Rev(6),
        rows: vec![row.clone()],
        begun: None,
        view: Some("other".into()),
        me: None,
    };
    stage.told(
        number,
        Told::Synced(Synced {
            logs: vec![SyncedLog { log: LOG, outcome }],
        }),
    );
    let changes = stage.changes();
    let kept = vec![("topic".to_owned(), TOPIC_2.to_string())];
    let reset = Write::Reset {
        log: LOG,
        rev: Rev(6),
        kept,
    };
    let at = |change: &Write| changes.iter().position(|other| other == change);
    assert!(
        at(&Write::Forget(Log::Topic(TOPIC))).is_some(),
        "it may not be seen any more"
    );
    assert!(
        at(&Write::Rows(LOG, vec![row])) < at(&reset),
        "the present rows come before the reset"
    );
    assert!(changes.contains(&Write::Cursor {
        log: LOG,
        rev: Rev(6),
        view: Some("other".into())
    }));
    let (_, question) = stage.question("community.heads");
    assert_eq!(
        question,
        Question::CommunityHeads {
            community: COMMUNITY,
            since: 0,
            after: None,
        },
        "new topics have heads"
    );
}

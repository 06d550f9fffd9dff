//! What another start finds.

use super::*;

#[test]
fn a_stamp_that_was_lost_is_not_there_after_a_restart() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    let cursor = |rev, view: Option<&str>| Write::Cursor {
        log,
        rev: Rev(rev),
        view: view.map(str::to_owned),
    };
    apply(&store, vec![cursor(1, Some("view"))]);
    apply(&store, vec![cursor(2, None)]);
    assert_eq!(
        store.read(rows::cursors).unwrap(),
        [(log, Rev(2), None)],
        "it does not name what is seen any more"
    );
}

#[test]
fn what_was_written_is_there_after_a_restart() {
    let (folder, store) = store();
    let island = Island {
        from: Seq(1),
        to: Seq(2),
        rev: Rev(2),
        is_paged: true,
    };
    let head = TopicHead {
        seq: Seq(9),
        rev: Rev(12),
        floor: Seq(1),
        wide_mentions: Vec::new(),
        read: Some(tulou_protocol::push::ReadBefore::default()),
    };
    apply(
        &store,
        vec![
            topic_rows(vec![
                message(1, Some(("a", 1)), None),
                message(2, Some(("b", 2)), None),
            ]),
            Write::Islands(TOPIC, vec![island]),
            Write::Head(TOPIC, head.clone()),
            Write::Cursor {
                log: Log::Account(ME),
                rev: Rev(4),
                view: None,
            },
            Write::Cursor {
                log: Log::Community(COMMUNITY),
                rev: Rev(5),
                view: Some("stamp".into()),
            },
            Write::Cursor {
                log: Log::Community(COMMUNITY),
                rev: Rev(6),
                view: Some("stamp".into()),
            },
        ],
    );
    let command = Command::CursorSet {
        topic: TOPIC,
        seq: Seq(1),
    };
    let command_id = CommandId(Uuid::from_u128(77));
    store
        .write(|db| outbox::push(db, command_id, command, 3, OutboxState::Waiting))
        .unwrap();
    drop(store);
    let store = Store::open(&folder.path().join("a.sqlite"), ME).unwrap();
    let restored = store.read(|db| restore::restored(db, ME)).unwrap();
    assert_eq!(restored.islands[&TOPIC], [island]);
    assert_eq!(restored.heads[&TOPIC], head);
    assert_eq!(restored.cursors[&Log::Account(ME)], (Rev(4), None));
    assert_eq!(
        restored.cursors[&Log::Community(COMMUNITY)],
        (Rev(6), Some("stamp".to_owned())),
        "the cursor is there with its stamp"
    );
    assert_eq!(restored.outbox.len(), 1);
    assert_eq!(restored.outbox[0].id, command_id);
    assert_eq!(held(&store).len(), 2);
}

#[test]
fn what_waited_beyond_a_gap_is_dropped_before_another_engine_begins() {
    let (_folder, store) = store();
    let rows = |topic: TopicId, seqs: &[u64]| {
        let rows = seqs.iter().map(|seq| message(*seq, Some(("a", 1)), None));
        Write::Rows(Log::Topic(topic), rows.collect())
    };
    let other = TopicId(Uuid::from_u128(0xffff));
    let island = |from, to| Island {
        from: Seq(from),
        to: Seq(to),
        rev: Rev(1),
        is_paged: true,
    };
    apply(
        &store,
        vec![
            rows(TOPIC, &[1, 2, 4, 6, 7]),
            Write::Islands(TOPIC, vec![island(1, 2), island(4, 4)]),
            rows(other, &[3]),
        ],
    );
    store
        .write(|db| restore::tidy(db, 0, &HashSet::new()))
        .unwrap();
    let left = |topic: TopicId| -> Vec<u64> {
        store
            .read(|db| {
                let mut statement = db.prepare(
                    "SELECT seq FROM messages JOIN shelves ON no = shelf WHERE topic = ?1",
                )?;
                let found = statement.query_map([topic.as_bytes()], |row| row.get::<_, i64>(0))?;
                Ok::<_, StoreError>(found.map(|seq| seq.unwrap() as u64).collect())
            })
            .unwrap()
    };
    assert_eq!(left(TOPIC), [1, 2, 4]);
    assert!(left(other).is_empty(), "nothing of it is held");
}

#[test]
fn topics_of_a_community_whose_membership_never_came_are_begun_from_nothing() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    let island = Island {
        from: Seq(1),
        to: Seq(1),
        rev: Rev(1),
        is_paged: true,
    };
    apply(
        &store,
        vec![
            Write::Rows(log, vec![topic_row()]),
            Write::Cursor {
                log,
                rev: Rev(1),
                view: Some("stamp".into()),
            },
            topic_rows(vec![message(1, Some(("a", 1)), None)]),
            Write::Islands(TOPIC, vec![island]),
            Write::Head(TOPIC, TopicHead::default()),
        ],
    );
    let restored = store.read(|db| restore::restored(db, ME)).unwrap();
    assert!(
        restored.islands.is_empty() && restored.heads.is_empty(),
        "the engine has the community forgotten, and would take its rows to be held: {restored:?}"
    );
}

#[test]
fn profiles_that_are_lacking_are_lacking_after_a_restart_until_they_come() {
    let (_folder, store) = store();
    let lacking = || {
        let restored = store.read(|db| restore::restored(db, ME)).unwrap();
        restored
            .lacking
            .into_iter()
            .map(|(account, rev)| (account.0.as_u128(), rev.0))
            .collect::<Vec<_>>()
    };
    let other = |id| AccountId(Uuid::from_u128(id));
    apply(
        &store,
        vec![
            greeted(1),
            Write::Lacking(other(7), Some(Rev(2))),
            Write::Lacking(other(8), Some(Rev(1))),
        ],
    );
    apply(&store, vec![Write::Lacking(other(7), Some(Rev(4)))]);
    assert_eq!(lacking(), [(7, 4), (8, 1)], "as of the last rev named");
    apply(&store, vec![Write::Lacking(other(7), None)]);
    assert_eq!(lacking(), [(8, 1)], "one came");
    apply(
        &store,
        vec![greeted(2), Write::Lacking(other(9), Some(Rev(1)))],
    );
    assert_eq!(
        lacking(),
        [(9, 1)],
        "what is lacking of another epoch is named anew by what comes of this one"
    );
}

#[test]
fn a_floor_that_is_not_known_any_more_is_not_known_after_a_restart_either() {
    let (_folder, store) = store();
    let head = |floor| {
        let head = TopicHead {
            seq: Seq(9),
            rev: Rev(9),
            floor: Seq(floor),
            ..TopicHead::default()
        };
        Write::Head(TOPIC, head)
    };
    apply(&store, vec![head(4)]);
    // Rights changed: what is held has to be looked through, and nothing else says so after a crash.
    apply(&store, vec![head(0)]);
    let held = store.read(|db| heads::of_topic(db, TOPIC)).unwrap();
    assert_eq!(held.floor, Seq(0), "the old floor does not come back");
    assert_eq!(held.seq, Seq(9), "the rest stays");
}

#[test]
fn a_community_of_which_some_pages_came_is_known_after_a_restart() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    apply(&store, vec![Write::Rows(log, vec![group(1, 1, "a")])]);
    let restored = store.read(|db| restore::restored(db, ME)).unwrap();
    assert_eq!(
        restored.cursors.get(&log),
        Some(&(Rev(0), None)),
        "what came of it goes if there is no membership"
    );
}

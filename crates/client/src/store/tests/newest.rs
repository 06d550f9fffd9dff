//! What rows become in a store: the newest of each part, in any order.

use super::*;

#[test]
fn the_newest_rev_of_each_part_wins_in_any_order() {
    let all = [
        message(1, Some(("first", 1)), None),
        message(1, Some(("second", 3)), None),
        message(1, None, Some((1, 2))),
        message(1, None, Some((2, 4))),
    ];
    // The content comes first in each: a part of a message that is not held at all is not kept.
    for order in [[0, 1, 2, 3], [1, 3, 2, 0], [0, 3, 1, 2], [1, 0, 3, 2]] {
        let (_folder, store) = store();
        for at in order {
            apply(&store, vec![topic_rows(vec![all[at].clone()])]);
        }
        assert_eq!(
            held(&store),
            [(1, "second".to_owned(), 2)],
            "in the order {order:?}"
        );
    }
}

#[test]
fn marks_alone_make_no_message() {
    let (_folder, store) = store();
    apply(
        &store,
        vec![topic_rows(vec![message(7, None, Some((1, 2)))])],
    );
    assert_eq!(held(&store), [], "there is nothing to show yet");
    apply(
        &store,
        vec![topic_rows(vec![message(7, Some(("a", 1)), Some((1, 2)))])],
    );
    assert_eq!(held(&store), [(7, "a".to_owned(), 1)]);
}

#[test]
fn an_older_row_does_not_undo_a_newer_one() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    apply(&store, vec![Write::Rows(log, vec![group(9, 5, "new")])]);
    apply(&store, vec![Write::Rows(log, vec![group(9, 4, "old")])]);
    let rows = store.read(|db| rows::of_log(db, log)).unwrap();
    assert_eq!(rows, [group(9, 5, "new")]);
}

#[test]
fn a_tombstone_hides_a_row_and_an_older_row_does_not_bring_it_back() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    let gone = Row {
        body: Body::Deleted("group".into()),
        ..group(9, 6, "")
    };
    apply(&store, vec![Write::Rows(log, vec![group(9, 5, "a"), gone])]);
    apply(&store, vec![Write::Rows(log, vec![group(9, 5, "a")])]);
    assert_eq!(store.read(|db| rows::of_log(db, log)).unwrap(), []);
}

#[test]
fn the_end_of_a_mark_or_a_mention_makes_stale_what_its_topic_shows_and_nothing_else() {
    let (_folder, store) = store();
    let ends = |kind: &str| Row {
        id: MessageKey::of(TOPIC, id(1)).to_string(),
        rev: Rev(3),
        body: Body::Deleted(kind.into()),
    };
    let of = |kind: &str| {
        apply(
            &store,
            vec![Write::Rows(Log::Account(ME), vec![ends(kind)])],
        )
    };
    let timeline = Touched {
        timelines: [TOPIC].into(),
        ..Touched::default()
    };
    assert_eq!(of("mark"), timeline, "a reaction is not mine any more");
    let numbers = Touched {
        numbers: [TOPIC].into(),
        ..Touched::default()
    };
    assert_eq!(of("mention"), numbers, "one mention less");
    assert!(of("membership").has_account);
}

#[test]
fn a_reset_drops_what_is_not_in_it_and_spares_what_is_newer() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    apply(
        &store,
        vec![Write::Rows(
            log,
            vec![
                group(1, 1, "kept"),
                group(2, 2, "dropped"),
                group(3, 9, "newer"),
            ],
        )],
    );
    let kept = vec![(
        "group".to_owned(),
        tulou_protocol::GroupId(Uuid::from_u128(1)).to_string(),
    )];
    apply(
        &store,
        vec![Write::Reset {
            log,
            rev: Rev(5),
            kept,
        }],
    );
    let mut names: Vec<String> = store
        .read(|db| rows::of_log(db, log))
        .unwrap()
        .into_iter()
        .map(|row| match row.body {
            Body::Group(group) => group.name,
            other => format!("{other:?}"),
        })
        .collect();
    names.sort();
    assert_eq!(names, ["kept", "newer"]);
}

#[test]
fn an_unknown_kind_and_an_unknown_field_survive() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    let row: Row = serde_json::from_value(
        json!({"kind": "poll", "id": "x", "rev": 3, "body": {"question": "?", "n": 1.5}}),
    )
    .unwrap();
    apply(&store, vec![Write::Rows(log, vec![row.clone()])]);
    assert_eq!(store.read(|db| rows::of_log(db, log)).unwrap(), [row]);
    let mut newer = message(1, Some(("a", 1)), None);
    if let Body::Message(message) = &mut newer.body
        && let Some(content) = &mut message.content
    {
        content.more.insert("poll".into(), json!(1));
    }
    apply(&store, vec![topic_rows(vec![newer])]);
    let held = store
        .read(|db| messages::by_id(db, TOPIC, id(1)))
        .unwrap()
        .unwrap();
    assert_eq!(held.content.more.get("poll"), Some(&json!(1)));
}

#[test]
fn a_batch_that_fails_leaves_nothing_of_itself() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    let failed: Result<(), StoreError> = store.keep(|db| {
        rows::put(db, log, &group(1, 1, "a"))?;
        db.execute("INSERT INTO no_such_table VALUES (1)", [])?;
        Ok(())
    });
    assert!(failed.is_err());
    assert_eq!(store.read(|db| rows::of_log(db, log)).unwrap(), []);
}

#[test]
fn absurd_times_are_shown_as_they_are_and_break_nothing() {
    let (_folder, store) = store();
    let times = [
        (i64::MIN, 1),
        (i64::MAX, -1),
        (i64::MAX, i64::MIN),
        (i64::MIN, i64::MAX),
    ];
    let rows = (1..).zip(times).map(|(seq, (written_at, sent_at))| {
        let mut row = message(seq, Some(("a", seq)), None);
        let Body::Message(Message {
            content: Some(content),
            ..
        }) = &mut row.body
        else {
            panic!("it is a message");
        };
        (content.written_at, content.sent_at) = (Some(written_at), sent_at);
        row
    });
    let island = Island {
        from: Seq(1),
        to: Seq(4),
        rev: Rev(4),
        is_paged: true,
    };
    apply(
        &store,
        vec![
            topic_rows(rows.collect()),
            Write::Islands(TOPIC, vec![island]),
        ],
    );
    let as_of = AsOf {
        me: ME,
        now: i64::MAX,
        skew: i64::MAX,
        is_linked: true,
    };
    let view = end_of_topic(store, as_of);
    let shown: Vec<_> = view.rows.iter().map(|row| row.written_at).collect();
    assert_eq!(shown, times.map(|(written_at, _)| Some(written_at)));
}

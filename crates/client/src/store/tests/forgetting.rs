//! What goes when a log is forgotten, and what stays.

use super::*;

#[test]
fn forgetting_a_community_takes_its_topics_along_and_leaves_what_the_person_wrote() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    apply(
        &store,
        vec![
            Write::Rows(log, vec![topic_row()]),
            topic_rows(vec![message(1, Some(("a", 1)), None)]),
        ],
    );
    store
        .write(|db| drafts::put(db, TOPIC, "half a senten", None))
        .unwrap();
    let send = Command::MessageSend {
        topic: TOPIC,
        message: id(2),
        text: "waits".into(),
        reply_to: None,
        written_at: 5,
    };
    let command = CommandId(Uuid::from_u128(77));
    store
        .write(|db| outbox::push(db, command, send, 1, OutboxState::Waiting))
        .unwrap();
    assert_eq!(
        store.read(|db| rows::community_of(db, TOPIC)).unwrap(),
        Some(COMMUNITY)
    );
    apply(&store, vec![Write::Forget(log)]);
    assert_eq!(held(&store), [], "what may not be seen any more is gone");
    assert_eq!(store.read(|db| rows::of_log(db, log)).unwrap(), []);
    let draft = store.read(|db| drafts::one(db, TOPIC)).unwrap();
    assert_eq!(draft.unwrap().0, "half a senten");
    let waiting = store.read(outbox::all).unwrap();
    assert_eq!(waiting.len(), 1, "it is shown as not available");
}

/// Tables with a column, and those of them that have a row.
fn tables_with(db: &Connection, column: &str) -> rusqlite::Result<Vec<(String, bool)>> {
    let mut statement = db.prepare(
        "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND c.name = ?1 ORDER BY m.name",
    )?;
    let names: rusqlite::Result<Vec<String>> =
        statement.query_map([column], |row| row.get(0))?.collect();
    names?
        .into_iter()
        .map(|name| {
            let sql = format!("SELECT EXISTS (SELECT 1 FROM {name})");
            let has_rows = db.query_row(&sql, [], |row| row.get(0))?;
            Ok((name, has_rows))
        })
        .collect()
}

/// Writes a row that names a place in a column, with as little else as there may be.
fn fill(db: &Connection, table: &str, column: &str, id: &[u8; 16]) -> rusqlite::Result<()> {
    let mut statement = db.prepare(
        "SELECT name, type FROM pragma_table_info(?1)
        WHERE name = ?2 OR (\"notnull\" = 1 AND dflt_value IS NULL)",
    )?;
    let columns: rusqlite::Result<Vec<(String, String)>> = statement
        .query_map([table, column], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect();
    let (names, values): (Vec<String>, Vec<rusqlite::types::Value>) = columns?
        .into_iter()
        .map(|(name, kind)| {
            let value = match &*kind {
                _ if name == column => id.to_vec().into(),
                "INTEGER" => 1.into(),
                "TEXT" => String::from("x").into(),
                _ => vec![7; 16].into(),
            };
            (name, value)
        })
        .unzip();
    let marks = vec!["?"; names.len()].join(", ");
    let sql = format!(
        "INSERT INTO {table} ({}) VALUES ({marks})",
        names.join(", ")
    );
    db.execute(&sql, rusqlite::params_from_iter(values))?;
    Ok(())
}

#[test]
fn what_is_forgotten_leaves_nothing_in_any_table_but_what_the_person_wrote() {
    let places = [
        (
            "topic",
            TOPIC.as_bytes(),
            Log::Topic(TOPIC),
            &["drafts", "edits", "lost", "outbox"][..],
        ),
        (
            "community",
            COMMUNITY.as_bytes(),
            Log::Community(COMMUNITY),
            &[][..],
        ),
    ];
    for (column, id, log, written) in places {
        let (_folder, store) = store();
        let tables = store
            .write(|db| {
                let tables = tables_with(db, column)?;
                for (table, _) in &tables {
                    fill(db, table, column, id)?;
                }
                Ok::<_, StoreError>(tables)
            })
            .unwrap();
        assert!(tables.len() > 1, "there are tables: {tables:?}");
        apply(&store, vec![Write::Forget(log)]);
        while store.keep(|db| messages::sweep(db, 100)).unwrap() {}
        let left = store
            .read(|db| Ok::<_, StoreError>(tables_with(db, column)?))
            .unwrap();
        let left: Vec<_> = left.into_iter().filter(|(_, has_rows)| *has_rows).collect();
        let names: Vec<&str> = left.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, written, "whose {column} is forgotten");
    }
}

#[test]
fn another_epoch_makes_every_rev_that_is_held_older() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    apply(
        &store,
        vec![
            greeted(1),
            Write::Rows(log, vec![group(1, 90, "lost future")]),
            topic_rows(vec![message(1, Some(("lost future", 90)), Some((9, 90)))]),
        ],
    );
    apply(
        &store,
        vec![
            greeted(2),
            Write::Rows(log, vec![group(1, 10, "restored")]),
            topic_rows(vec![message(1, Some(("restored", 10)), Some((1, 10)))]),
        ],
    );
    let rows = store.read(|db| rows::of_log(db, log)).unwrap();
    assert_eq!(rows, [group(1, 10, "restored")]);
    assert_eq!(held(&store), [(1, "restored".to_owned(), 1)]);
}

#[test]
fn of_my_messages_those_are_offered_again_that_a_restored_server_does_not_have() {
    let (_folder, store) = store();
    let mut others = message(3, Some(("c", 3)), None);
    if let Body::Message(message) = &mut others.body
        && let Some(content) = &mut message.content
    {
        content.author = AccountId(Uuid::from_u128(99));
    }
    apply(
        &store,
        vec![
            greeted(1),
            topic_rows(vec![
                message(1, Some(("a", 1)), None),
                message(2, Some(("b", 2)), None),
                others,
                message(4, Some(("d", 4)), None),
            ]),
        ],
    );
    apply(&store, vec![greeted(1)]);
    let unasked = |limit| store.read(|db| lost::unasked(db, limit)).unwrap();
    assert_eq!(unasked(9), None, "the same epoch loses nothing");
    apply(&store, vec![Write::Forget(Log::Topic(TOPIC)), greeted(2)]);
    assert_eq!(
        unasked(9),
        Some((TOPIC, vec![id(4), id(2), id(1)])),
        "mine, the newest first"
    );
    let texts = || -> Vec<String> {
        let offered = store.read(|db| lost::of_topic(db, TOPIC)).unwrap();
        offered.into_iter().map(|lost| lost.text).collect()
    };
    assert_eq!(texts(), [""; 0], "nobody knows yet");
    let settle = |asked: &[MessageId], held: &[MessageId]| {
        store
            .write(|db| lost::settle(db, TOPIC, asked, held))
            .unwrap()
    };
    assert!(settle(&[id(4), id(2)], &[]), "there is something to offer");
    assert!(!settle(&[id(1)], &[id(1)]), "the server has this one");
    assert_eq!(texts(), ["b", "d"], "in the order in which they stood");
    assert_eq!(unasked(9), None, "it was asked about all");
    let topics = store.read(lost::topics).unwrap();
    assert_eq!(topics.len(), 1);
    assert_eq!((topics[0].topic, topics[0].count), (TOPIC, 2));
}

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "anything else fails the test"
)]

mod years;

use std::collections::HashSet;

use serde_json::json;
use tulou_engine::{Island, OutboxState, TopicHead};
use tulou_protocol::{
    Body, Command, CommandId, CommunityId, Greeting, Log, MessageId, Rejection, Rev, Row, Seq,
    TopicId,
    question::PageAt,
    rejection::Code,
    row::{Content, Group, Marks, Message, MessageKey, Reaction},
};
use uuid::Uuid;

use super::*;
use crate::{
    account::{Snapshot, tests::account_of},
    as_of::AsOf,
    read::timeline::timeline,
    view::{MessageView, Stretch, TimelineView},
};

const ME: AccountId = AccountId(Uuid::from_u128(1));
const TOPIC: TopicId = TopicId(Uuid::from_u128(2));
const COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(3));

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("a.sqlite"), ME).unwrap();
    (folder, store)
}

fn content(text: &str) -> Content {
    Content {
        author: ME,
        sent_at: 5,
        written_at: Some(5),
        text: text.to_owned(),
        reply_to: None,
        edited_at: None,
        recalled_by: None,
        more: serde_json::Map::new(),
    }
}

fn id(seq: u64) -> MessageId {
    MessageId(Uuid::from_u128(1_000 + u128::from(seq)))
}

/// The last messages of the topic as they are shown.
fn end_of_topic(store: Store, as_of: AsOf) -> TimelineView {
    let account = account_of(store, ME);
    let read = account.store.read(|db| {
        let mut snapshot = Snapshot::within(db, &account);
        snapshot.as_of = as_of;
        timeline(&snapshot, TOPIC, &Stretch::End { count: 50 }, None)
    });
    read.unwrap().view
}

/// A message row with the content at one rev, and marks at another where given.
fn message(seq: u64, text: Option<(&str, u64)>, marks: Option<(u32, u64)>) -> Row {
    let content_rev = Rev(text.map_or(0, |(_, rev)| rev));
    let marks_rev = Rev(marks.map_or(0, |(_, rev)| rev));
    Row {
        id: id(seq).to_string(),
        rev: content_rev.max(marks_rev),
        body: Message {
            seq: Seq(seq),
            content: text.map(|(text, _)| content(text)),
            content_rev,
            marks: marks.map(|(count, _)| Marks {
                reactions: vec![Reaction {
                    key: "🔥".into(),
                    count,
                }],
                ..Marks::default()
            }),
            marks_rev,
            more: serde_json::Map::new(),
        }
        .into(),
    }
}

fn group(id: u128, rev: u64, name: &str) -> Row {
    Row {
        id: tulou_protocol::GroupId(Uuid::from_u128(id)).to_string(),
        rev: Rev(rev),
        body: Group {
            name: name.into(),
            position: "V".into(),
            more: serde_json::Map::new(),
        }
        .into(),
    }
}

fn topic_row() -> Row {
    Row {
        id: TOPIC.to_string(),
        rev: Rev(1),
        body: tulou_protocol::row::Topic {
            group: tulou_protocol::GroupId(Uuid::from_u128(5)),
            name: "t".into(),
            introduction: String::new(),
            closed: false,
            position: "V".into(),
            no: 1,
            more: serde_json::Map::new(),
        }
        .into(),
    }
}

fn apply(store: &Store, batch: Vec<Write>) -> Touched {
    store.apply(&batch, 1).unwrap()
}

fn topic_rows(rows: Vec<Row>) -> Write {
    Write::Rows(Log::Topic(TOPIC), rows)
}

fn held(store: &Store) -> Vec<(u64, String, u32)> {
    store
        .read(|db| messages::stretch(db, TOPIC, Seq(0), Seq(1_000_000), 100))
        .unwrap()
        .into_iter()
        .map(|held| {
            let count = held.marks.reactions.first().map_or(0, |mark| mark.count);
            (held.seq.0, held.content.text, count)
        })
        .collect()
}

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
fn a_refused_command_waits_for_the_person_and_a_refused_cursor_for_nobody() {
    let (_folder, store) = store();
    let send = CommandId(Uuid::from_u128(1));
    let advance = CommandId(Uuid::from_u128(2));
    store
        .write(|db| {
            let command = Command::MessagePin {
                topic: TOPIC,
                message: id(1),
                on: true,
            };
            outbox::push(db, send, command, 1, OutboxState::Waiting)?;
            let command = Command::CursorAdvance {
                topic: TOPIC,
                seq: Seq(3),
                set_no: 0,
            };
            outbox::push(db, advance, command, 1, OutboxState::Waiting)
        })
        .unwrap();
    let rejection = Rejection::from(Code::NotFound);
    let touched = apply(
        &store,
        vec![
            Write::Rejected(send, rejection.clone()),
            Write::Rejected(advance, rejection.clone()),
        ],
    );
    let outbox = store.read(outbox::all).unwrap();
    assert_eq!(outbox.len(), 1);
    assert_eq!(outbox[0].state, OutboxState::Rejected(rejection));
    assert_eq!(touched.dropped, [advance]);
    apply(&store, vec![Write::Done(send)]);
    assert_eq!(store.read(outbox::all).unwrap(), []);
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
fn a_message_that_came_before_its_answer_is_shown_once() {
    let (_folder, store) = store();
    let send = |seq: u64| Command::MessageSend {
        topic: TOPIC,
        message: id(seq),
        text: "a".into(),
        reply_to: None,
        written_at: 5,
    };
    store
        .write(|db| {
            for seq in [2, 3] {
                let command = CommandId(Uuid::from_u128(70 + u128::from(seq)));
                outbox::push(db, command, send(seq), 1, OutboxState::Waiting)?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let island = Island {
        from: Seq(1),
        to: Seq(2),
        rev: Rev(2),
        is_paged: true,
    };
    apply(
        &store,
        vec![
            topic_rows(vec![
                message(1, Some(("a", 1)), None),
                message(2, Some(("a", 2)), None),
                // Beyond a gap: it is not among what is shown.
                message(3, Some(("a", 9)), None),
            ]),
            Write::Islands(TOPIC, vec![island]),
        ],
    );
    let as_of = AsOf {
        me: ME,
        now: 9,
        skew: 1_000,
        is_linked: true,
    };
    let view = end_of_topic(store, as_of);
    let ids = |rows: &[MessageView]| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&view.rows), [id(1).to_string(), id(2).to_string()]);
    assert_eq!(ids(&view.pending), [id(3).to_string()]);
    assert_eq!(
        view.pending[0].sent_at, 1_005,
        "by the server's clock, as the rows above it: a wrong one here begins no day of its own"
    );
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

fn greeted(epoch: u128) -> Write {
    Write::Greeted(Box::new(Greeting {
        version: 1,
        server: tulou_protocol::ServerId(Uuid::from_u128(1)),
        server_name: "s".into(),
        epoch: tulou_protocol::Epoch(Uuid::from_u128(epoch)),
        session: tulou_protocol::SessionId(Uuid::from_u128(1)),
        account: ME,
        now: 0,
        limits: tulou_protocol::limits::Limits::default(),
        account_limits: tulou_protocol::push::AccountLimits::default(),
        addresses: Vec::new(),
    }))
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
fn a_crash_between_the_tables_and_what_is_brought_into_them_loses_nothing() {
    let (folder, store) = store();
    let command = Command::CursorSet {
        topic: TOPIC,
        seq: Seq(1),
    };
    let command_id = CommandId(Uuid::from_u128(77));
    store
        .write(|db| {
            drafts::put(db, TOPIC, "half a senten", None)?;
            outbox::push(db, command_id, command, 3, OutboxState::Waiting)
        })
        .unwrap();
    store.copy_spare().unwrap();
    store.checkpoint().unwrap();
    drop(store);
    let path = folder.path().join("a.sqlite");
    std::fs::remove_file(&path).unwrap();
    // The program ends as soon as the new file has its tables.
    drop(file::open(&path).unwrap());

    let store = Store::open(&path, ME).unwrap();
    let waiting = store.read(outbox::all).unwrap();
    assert_eq!(
        waiting.len(),
        1,
        "the outbox is brought in at the next start"
    );
    assert_eq!(waiting[0].id, command_id);
    let draft = store.read(|db| drafts::one(db, TOPIC)).unwrap();
    assert_eq!(draft.unwrap().0, "half a senten");
    store
        .write(|db| {
            outbox::remove(db, command_id)?;
            drafts::put(db, TOPIC, "half a sentence", None)
        })
        .unwrap();
    drop(store);

    let store = Store::open(&path, ME).unwrap();
    assert_eq!(
        store.read(outbox::all).unwrap(),
        [],
        "what was brought in once is not brought in again"
    );
    let draft = store.read(|db| drafts::one(db, TOPIC)).unwrap();
    assert_eq!(draft.unwrap().0, "half a sentence");
}

#[test]
fn what_was_refused_or_is_too_old_is_still_so_in_a_store_begun_anew() {
    let (folder, store) = store();
    let command = |seq| Command::CursorSet {
        topic: TOPIC,
        seq: Seq(seq),
    };
    let ids = [1, 2, 3].map(|no| CommandId(Uuid::from_u128(no)));
    let rejection = Rejection::from(Code::NotAllowed);
    store
        .write(|db| {
            for (id, state) in ids.into_iter().zip([
                OutboxState::Waiting,
                OutboxState::Stale,
                OutboxState::Waiting,
            ]) {
                outbox::push(db, id, command(1), 3, state)?;
            }
            outbox::reject(db, ids[2], &rejection)
        })
        .unwrap();
    store.mend(5).unwrap();
    let states: Vec<OutboxState> = store
        .read(outbox::all)
        .unwrap()
        .into_iter()
        .map(|entry| entry.state)
        .collect();
    let expected = [
        OutboxState::Waiting,
        OutboxState::Stale,
        OutboxState::Rejected(rejection),
    ];
    assert_eq!(
        states, expected,
        "nothing is sent that waits for the person"
    );
    drop(folder);
}

#[test]
fn a_file_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    drop(Store::open(&path, ME).unwrap());
    let file = Connection::open(&path).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    let refused = Store::open(&path, ME).map(|_| ());
    assert!(
        matches!(refused, Err(StoreError::TooNew { found: 99, .. })),
        "{refused:?}"
    );
}

#[test]
fn the_hot_statements_search_and_never_scan() {
    let (_folder, store) = store();
    let plans = [
        "SELECT seq FROM messages WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND seq BETWEEN ?2 AND ?3 AND content <> '' ORDER BY seq LIMIT ?4",
        "SELECT seq FROM messages WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND id = ?2 AND content <> '' ORDER BY seq DESC LIMIT 1",
        "SELECT seq FROM messages INDEXED BY messages_pinned WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND pinned_at > 0 ORDER BY pinned_at DESC LIMIT 5",
        "SELECT count(*) FROM messages INDEXED BY messages_mine WHERE shelf = (SELECT no FROM shelves WHERE topic = ?1) AND seq > ?2 AND is_mine = 1",
        "DELETE FROM rows INDEXED BY rows_gone WHERE log = ?1 AND rev <= ?2 AND deleted = 1",
        "SELECT no FROM shelves WHERE topic IS NULL LIMIT 1",
        "SELECT 1 FROM outbox WHERE topic = ?1",
        "SELECT log FROM rows WHERE kind = 'topic' AND id = ?1 AND deleted = 0 LIMIT 1",
        "SELECT body FROM rows WHERE log = ?1 AND deleted = 0",
        "SELECT body FROM rows WHERE log = ?1 AND kind = ?2 AND deleted = 0",
        "SELECT body FROM rows WHERE log = ?1 AND kind = 'mention' AND id > ?2 || ':' AND id < ?2 || ';' AND deleted = 0",
        "SELECT no FROM outbox WHERE topic = ?1 ORDER BY no",
        "SELECT from_seq FROM islands WHERE topic = ?1 ORDER BY from_seq",
    ];
    for sql in plans {
        let plan: Vec<String> = store
            .read(|db| {
                let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let given = std::iter::repeat_n("", plan.parameter_count());
                let steps = plan.query_map(rusqlite::params_from_iter(given), |row| row.get(3))?;
                let steps = steps.collect::<Result<Vec<String>, _>>();
                steps.map_err(StoreError::from)
            })
            .unwrap();
        assert!(
            plan.iter()
                .all(|step| step.starts_with("SEARCH") || step.starts_with("SCALAR SUBQUERY")),
            "{sql}\n{plan:?}"
        );
    }
}

//! What keeps a store whole and small over years: values that cannot be read, what goes again, and how.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::*;

const DAY: Millis = 24 * 60 * 60 * 1_000;

fn send(no: u128) -> Command {
    Command::MessageSend {
        topic: TOPIC,
        message: MessageId(Uuid::from_u128(no)),
        text: format!("text {no}"),
        reply_to: None,
        written_at: 1,
    }
}

fn push(store: &Store, no: u128, created_at: Millis) -> CommandId {
    let id = CommandId(Uuid::from_u128(no));
    store
        .write(|db| outbox::push(db, id, send(no), created_at, OutboxState::Waiting))
        .unwrap();
    id
}

fn reopened(folder: &tempfile::TempDir, store: Store) -> Store {
    drop(store);
    Store::open(&folder.path().join("a.sqlite"), ME).unwrap()
}

fn execute(store: &Store, sql: &str) {
    store
        .write(|db| Ok::<_, StoreError>(db.execute(sql, [])?))
        .unwrap();
}

fn count(store: &Store, sql: &str) -> u32 {
    store
        .read(|db| Ok::<_, StoreError>(db.query_row(sql, [], |row| row.get(0))?))
        .unwrap()
}

#[test]
fn an_entry_that_awaits_an_upload_awaits_it_after_a_restart_and_in_a_store_begun_anew() {
    let (folder, store) = store();
    let id = push(&store, 1, 1);
    let upload = Uuid::from_u128(77);
    store
        .write(|db| outbox::set_awaits(db, id, &[upload].into()))
        .unwrap();
    let store = reopened(&folder, store);
    let awaits = |store: &Store| {
        let restored = store.read(|db| restore::restored(db, ME)).unwrap();
        restored.outbox[0].awaits.clone()
    };
    assert_eq!(
        awaits(&store),
        [upload].into(),
        "it is not sent without its file"
    );
    store.mend(1).unwrap();
    assert_eq!(awaits(&store), [upload].into());
    store.write(|db| outbox::end_awaiting(db, upload)).unwrap();
    assert!(awaits(&reopened(&folder, store)).is_empty(), "it is done");
}

#[test]
fn what_a_message_said_first_is_known_after_a_restart_and_in_a_store_begun_anew() {
    let (folder, store) = store();
    let id = push(&store, 1, 1);
    store
        .write(|db| {
            let mut entry = outbox::one(db, id)?.unwrap();
            entry.reword("later".into(), true);
            entry.reword("last".into(), true);
            outbox::replace(db, id, &entry)
        })
        .unwrap();
    let first = |store: &Store| {
        let restored = store.read(|db| restore::restored(db, ME)).unwrap();
        restored.outbox[0].first_text.clone()
    };
    let Command::MessageSend { text, .. } = send(1) else {
        unreachable!()
    };
    let store = reopened(&folder, store);
    assert_eq!(first(&store), Some(text.clone()), "the server may have it");
    store.mend(1).unwrap();
    assert_eq!(first(&store), Some(text));
}

#[test]
fn a_command_that_this_program_does_not_know_stays_as_it_is() {
    let (folder, store) = store();
    push(&store, 1, 1);
    push(&store, 2, 1);
    push(&store, 3, 1);
    let newer = r#"{"method":"message.sing","params":{"song":"长亭外"}}"#;
    execute(
        &store,
        &format!("UPDATE outbox SET command = '{newer}' WHERE no = 2"),
    );
    execute(&store, "UPDATE outbox SET command = '{' WHERE no = 3");
    let known = |store: &Store| -> Vec<u64> {
        let restored = store.read(|db| restore::restored(db, ME)).unwrap();
        restored.outbox.iter().map(|entry| entry.no).collect()
    };
    let store = reopened(&folder, store);
    assert_eq!(known(&store), [1], "the others go on");
    store.mend(1).unwrap();
    let raw = |no| format!("SELECT count(*) FROM outbox WHERE no = {no} AND command = ");
    assert_eq!(count(&store, &format!("{}'{newer}'", raw(2))), 1);
    assert_eq!(count(&store, &format!("{}'{{'", raw(3))), 1);
    assert_eq!(known(&store), [1], "also in a store begun anew");
}

#[test]
fn a_value_that_cannot_be_read_is_fetched_again_and_takes_nothing_along() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    apply(
        &store,
        vec![
            Write::Rows(log, vec![group(1, 1, "a"), group(2, 2, "b")]),
            Write::Cursor {
                log,
                rev: Rev(2),
                view: Some("stamp".into()),
            },
            greeted(1),
            topic_rows(vec![
                message(1, Some(("a", 1)), None),
                message(2, Some(("b", 2)), None),
            ]),
        ],
    );
    execute(
        &store,
        "UPDATE rows SET body = 'no json' WHERE kind = 'group' AND body LIKE '%\"a\"%'",
    );
    execute(&store, "UPDATE messages SET content = '[' WHERE seq = 1");
    execute(&store, "UPDATE meta SET value = 'x' WHERE key = 'greeting'");
    let names = |store: &Store| -> usize { store.read(|db| rows::of_log(db, log)).unwrap().len() };
    assert_eq!(names(&store), 1, "the other group is there");
    let restored = store.read(|db| restore::restored(db, ME)).unwrap();
    assert_eq!(restored.cursors[&log].0, Rev(2));
    assert_eq!(held(&store).len(), 1, "and the other message");
    let looked = |store: &Store| store.look_through(&rows::RowKey::default()).unwrap();
    let healed = Looked {
        is_healed: true,
        next: None,
    };
    assert_eq!(looked(&store), healed);
    let restored = store.read(|db| restore::restored(db, ME)).unwrap();
    assert_eq!(
        restored.cursors[&log],
        (Rev(0), None),
        "the log is asked for from the beginning"
    );
    assert!(
        !looked(&store).is_healed,
        "there is nothing left to be healed"
    );
    apply(
        &store,
        vec![
            Write::Rows(log, vec![group(1, 1, "a")]),
            topic_rows(vec![message(1, Some(("a", 1)), None)]),
        ],
    );
    assert_eq!((names(&store), held(&store).len()), (2, 2), "it came again");
}

#[test]
fn a_message_that_cannot_be_read_is_asked_for() {
    let (_folder, store) = store();
    let island = Island {
        from: Seq(1),
        to: Seq(3),
        rev: Rev(3),
        is_paged: false,
    };
    let rows = (1..=3).map(|seq| message(seq, Some(("a", seq)), None));
    apply(
        &store,
        vec![
            topic_rows(rows.collect()),
            Write::Islands(TOPIC, vec![island]),
        ],
    );
    execute(&store, "UPDATE messages SET content = '[' WHERE seq = 2");
    let account = account_of(store, ME);
    let read = account.store.read(|db| {
        let snapshot = Snapshot::within(db, &account);
        timeline(&snapshot, TOPIC, &Stretch::End { count: 50 }, None)
    });
    assert_eq!(read.unwrap().illegible, Some(Seq(2)));
    assert!(account.awaits(TOPIC, PageAt::Around(Seq(2))));
    assert!(
        !account.awaits(TOPIC, PageAt::Around(Seq(2))),
        "once, whatever comes"
    );
}

#[test]
fn tombstones_go_when_the_cursor_has_passed_them() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    let gone = |id, rev| Row {
        body: Body::Deleted("group".into()),
        ..group(id, rev, "")
    };
    apply(
        &store,
        vec![
            Write::Rows(log, vec![group(1, 1, "a"), gone(2, 2), gone(3, 3)]),
            Write::Bury(log, Rev(2)),
        ],
    );
    assert_eq!(count(&store, "SELECT count(*) FROM rows"), 2);
    apply(&store, vec![Write::Rows(log, vec![group(3, 2, "late")])]);
    assert_eq!(
        store.read(|db| rows::of_log(db, log)).unwrap().len(),
        1,
        "what the cursor has not passed keeps older rows away"
    );
}

#[test]
fn what_is_left_is_seen_no_longer_at_once_and_leaves_the_file_in_steps() {
    let (_folder, store) = store();
    let rows = |from: u64, text: &'static str| {
        topic_rows(
            (from..=from + 9)
                .map(|seq| message(seq, Some((text, seq)), None))
                .collect(),
        )
    };
    apply(&store, vec![rows(1, "before")]);
    apply(&store, vec![Write::Forget(Log::Topic(TOPIC))]);
    assert!(held(&store).is_empty());
    // Somebody comes back before all is gone, and the same places hold other revs.
    apply(&store, vec![rows(6, "after")]);
    assert_eq!(held(&store).len(), 10);
    assert_eq!(count(&store, "SELECT count(*) FROM messages"), 20);
    let mut steps = 0;
    while store.keep(|db| messages::sweep(db, 4)).unwrap() {
        steps += 1;
    }
    assert_eq!(steps, 3, "four at a time");
    assert_eq!(count(&store, "SELECT count(*) FROM messages"), 10);
    assert!(held(&store).iter().all(|held| held.1 == "after"));
}

#[test]
fn nothing_of_another_epoch_is_seen_or_mixed_with_what_comes() {
    let (_folder, store) = store();
    apply(&store, vec![greeted(1)]);
    apply(
        &store,
        vec![topic_rows(vec![message(1, Some(("before", 900)), None)])],
    );
    apply(&store, vec![greeted(2)]);
    assert!(held(&store).is_empty());
    apply(
        &store,
        vec![topic_rows(vec![message(1, Some(("after", 2)), None)])],
    );
    assert_eq!(held(&store)[0].1, "after", "whatever its rev was");
}

#[test]
fn what_was_viewed_longest_ago_goes_first() {
    let (_folder, store) = store();
    let topics = [5, 6, 7].map(|id| TopicId(Uuid::from_u128(id)));
    for topic in topics {
        let rows = (1..=20).map(|seq| message(seq, Some(("text", seq)), None));
        apply(&store, vec![Write::Rows(Log::Topic(topic), rows.collect())]);
    }
    // The clock was years ahead for an hour.
    store
        .keep(|db| {
            messages::view(db, topics[1], 900)?;
            messages::view(db, topics[2], 5)?;
            messages::view(db, topics[0], 6)?;
            // What is looked at every day does not go.
            (0..20).try_for_each(|id| messages::view(db, TopicId(Uuid::from_u128(100 + id)), 7))
        })
        .unwrap();
    let expected = [1, 2, 0].map(|at| [(topics[at], 10), (topics[at], 20)]);
    assert_eq!(
        let_go(&store, 10, &BTreeMap::new()),
        expected.concat(),
        "and of each the first messages"
    );
}

/// Lets go of all that may go; of which topics, up to which places.
fn let_go(store: &Store, most: u32, shown: &BTreeMap<TopicId, Seq>) -> Vec<(TopicId, u64)> {
    let mut order = Vec::new();
    let stuck = BTreeSet::new();
    let oldest = |db: &Connection| messages::oldest(db, most, shown, &stuck);
    while let Some((topic, to)) = store.read(oldest).unwrap() {
        order.push((topic, to.0));
        apply(store, vec![Write::DropRange(topic, Seq(1), to)]);
    }
    order
}

#[test]
fn what_is_on_the_screen_goes_last_and_nothing_near_what_is_looked_at() {
    let (_folder, store) = store();
    let [shown, other] = [5, 6].map(|id| TopicId(Uuid::from_u128(id)));
    for topic in [shown, other] {
        let rows = (1..=900).map(|seq| message(seq, Some(("text", seq)), None));
        apply(&store, vec![Write::Rows(Log::Topic(topic), rows.collect())]);
    }
    store
        .keep(|db| {
            messages::view(db, shown, 1)?;
            messages::view(db, other, 2)
        })
        .unwrap();
    let gone = |from: u64| let_go(&store, 500, &[(shown, Seq(from))].into());
    assert_eq!(
        gone(0),
        [(other, 500), (other, 700)],
        "it was viewed later, and its end stays: it would be fetched again"
    );
    assert_eq!(gone(400), [(shown, 200)], "the reader is far up");
    assert_eq!(gone(880), [(shown, 680)], "and came down again");
    assert_eq!(gone(900), [(shown, 700)], "the end stays");
}

#[test]
fn rows_are_looked_through_in_steps() {
    let (_folder, store) = store();
    let log = Log::Community(COMMUNITY);
    let rows = (1..=5_000).map(|id| group(id, 1, "a")).collect();
    let cursor = Write::Cursor {
        log,
        rev: Rev(2),
        view: None,
    };
    apply(&store, vec![Write::Rows(log, rows), cursor]);
    execute(
        &store,
        "UPDATE rows SET body = '{' WHERE id = (SELECT max(id) FROM rows)",
    );
    let (mut after, mut healed) = (Some(rows::RowKey::default()), vec![]);
    while let Some(from) = after.take() {
        let looked = store.look_through(&from).unwrap();
        healed.push(looked.is_healed);
        after = looked.next;
    }
    assert_eq!(healed, [false, false, true], "so many that nobody waits");
    assert_eq!(count(&store, "SELECT count(*) FROM rows"), 4_999);
    assert_eq!(count(&store, "SELECT rev FROM cursors"), 0);
}

/// A topic of messages of others, of which I have read the first.
fn read_to_the_first(store: &Store, rows: u64, mine: &[u64]) {
    let author = |seq: u64| {
        let mut row = message(seq, Some(("text", seq)), None);
        if let Body::Message(message) = &mut row.body
            && !mine.contains(&seq)
        {
            message.content.as_mut().unwrap().author = AccountId(Uuid::from_u128(99));
        }
        row
    };
    let cursor = tulou_protocol::row::Cursor {
        seq: Seq(1),
        own: mine.len() as u64,
        set_no: 0,
        more: serde_json::Map::new(),
    };
    let cursor = Row {
        id: TOPIC.to_string(),
        rev: Rev(1),
        body: cursor.into(),
    };
    let island = Island {
        from: Seq(1),
        to: Seq(rows),
        rev: Rev(rows),
        is_paged: false,
    };
    let head = TopicHead {
        seq: Seq(rows),
        rev: Rev(rows),
        floor: Seq(1),
        wide_mentions: Vec::new(),
        read: Some(tulou_protocol::push::ReadBefore::default()),
    };
    apply(
        store,
        vec![
            topic_rows((1..=rows).map(author).collect()),
            Write::Islands(TOPIC, vec![island]),
            Write::Head(TOPIC, head),
            Write::Rows(Log::Account(ME), vec![cursor]),
        ],
    );
}

fn linked() -> AsOf {
    AsOf {
        me: ME,
        now: 0,
        skew: 0,
        is_linked: true,
    }
}

#[test]
fn the_first_unread_row_comes_after_the_cursor_whether_it_is_held_or_not() {
    let (_folder, one) = store();
    read_to_the_first(&one, 10, &[]);
    let gone = Write::DropRange(TOPIC, Seq(2), Seq(5));
    apply(&one, vec![gone]);
    let view = end_of_topic(one, linked());
    assert_eq!(
        (view.first_unread, view.unread),
        (Some(2), 9),
        "what there was no room for is not read"
    );
    let (_folder, other) = store();
    read_to_the_first(&other, 10, &[2, 3, 6]);
    assert_eq!(end_of_topic(other, linked()).first_unread, Some(4));
}

#[test]
fn of_mentions_a_timeline_reads_those_that_edits_made() {
    let (_folder, store) = store();
    let rows = (1..=9).map(|seq| {
        let mention = tulou_protocol::row::Mention {
            topic: TOPIC,
            seq: Seq(seq),
            sent_at: 0,
            by_edit: seq == 4,
            more: serde_json::Map::new(),
        };
        Row {
            id: MessageKey::of(TOPIC, id(seq)).to_string(),
            rev: Rev(seq),
            body: mention.into(),
        }
    });
    let log = Log::Account(ME);
    apply(&store, vec![Write::Rows(log, rows.collect())]);
    let read = store.read(|db| rows::mentions_by_edit(db, log, TOPIC));
    let ids: Vec<String> = read.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(ids, [MessageKey::of(TOPIC, id(4)).to_string()]);
}

#[test]
fn a_file_gives_back_what_is_not_used_any_more() {
    let (_folder, store) = store();
    let text = "long ".repeat(200);
    let rows = (1..=3_000).map(|seq| message(seq, Some((&text, seq)), None));
    apply(&store, vec![topic_rows(rows.collect())]);
    let (full, file) = (store.bytes().unwrap(), store.file_bytes().unwrap());
    assert!(full > 3_000_000 && file >= full);
    apply(&store, vec![Write::DropRange(TOPIC, Seq(1), Seq(2_900))]);
    assert!(store.bytes().unwrap() < full / 5, "there is room in it");
    assert_eq!(store.file_bytes().unwrap(), file, "as large as before");
    while store.shrink(100).unwrap() {}
    assert!(store.file_bytes().unwrap() < file / 5);
}

#[test]
fn what_is_too_old_is_told_once_and_not_of_what_the_person_wants_sent() {
    let (_folder, store) = store();
    let now = 100 * DAY;
    let old = push(&store, 1, now - 31 * DAY);
    let wanted = push(&store, 2, now - 31 * DAY);
    push(&store, 3, now - 29 * DAY);
    push(&store, 4, now + 31 * DAY);
    let confirmed = HashSet::from([wanted]);
    let mark = || {
        store
            .write(|db| outbox::mark_stale(db, now, &confirmed))
            .unwrap()
    };
    assert!(store.read(|db| outbox::has_old(db, now)).unwrap());
    assert_eq!(mark(), [old]);
    assert!(mark().is_empty());
}

#[test]
fn a_file_of_before_the_first_schema_is_set_aside_and_what_was_written_taken_along() {
    let (folder, store) = store();
    push(&store, 1, 1);
    store
        .write(|db| drafts::put(db, TOPIC, "half a sen", None))
        .unwrap();
    drop(store);
    let path = folder.path().join("a.sqlite");
    let file = Connection::open(&path).unwrap();
    file.execute_batch("ALTER TABLE outbox DROP COLUMN awaits; ALTER TABLE outbox DROP COLUMN first_text; PRAGMA user_version = 5")
        .unwrap();
    drop(file);
    let refused = Store::open(&path, ME).map(|_| ());
    assert!(matches!(refused, Err(StoreError::TooOld { found: 5 })));
    let store = Store::shut(&path, ME);
    store.reopen(1, false).unwrap();
    let aside = store.read(meta::aside).unwrap().unwrap();
    assert_eq!((aside.commands, aside.drafts, aside.is_whole), (1, 1, true));
    assert_eq!(store.read(outbox::all).unwrap().len(), 1);
}

#[test]
fn how_far_heads_are_known_is_what_the_engine_said_last() {
    let (_folder, store) = store();
    let membership = tulou_protocol::row::Membership {
        community: COMMUNITY,
        joined_at: 0,
        more: serde_json::Map::new(),
    };
    let joined = Row {
        id: COMMUNITY.to_string(),
        rev: Rev(1),
        body: membership.into(),
    };
    let known = |store: &Store| {
        let restored = store.read(|db| restore::restored(db, ME)).unwrap();
        restored.communities[&COMMUNITY]
    };
    apply(
        &store,
        vec![
            Write::Rows(Log::Account(ME), vec![joined]),
            Write::HeadsKnown(COMMUNITY, 9),
        ],
    );
    assert_eq!(known(&store), 9);
    apply(&store, vec![Write::HeadsKnown(COMMUNITY, 0)]);
    assert_eq!(
        known(&store),
        0,
        "I see other topics, and the program ended before their heads came"
    );
    let (members, online) = (200, 9);
    let counts = tulou_engine::Counts { members, online };
    apply(
        &store,
        vec![
            Write::HeadsKnown(COMMUNITY, 7),
            Write::Counts(COMMUNITY, counts),
            Write::HeadsKnown(COMMUNITY, 5),
        ],
    );
    let head = store.read(|db| heads::of_community(db, COMMUNITY)).unwrap();
    assert_eq!((head.as_of, head.counts), (5, Some((200, 9))));
}

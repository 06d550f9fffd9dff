//! How much is looked up for an answer with heads. Counted in steps of the database's machine, which are the same on every computer.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rusqlite::Connection;
use tulou_protocol::{AccountId, Log, Seq, TopicId, id::Millis};
use uuid::Uuid;

use super::{cursor, log, schema};
use crate::domain::Reader;

const TOPIC: TopicId = TopicId(Uuid::from_u128(1));
const BOB: AccountId = AccountId(Uuid::from_u128(2));

/// A topic with so many messages, sent at 1, 2, 3 …, each of which calls so many groups.
fn written(messages: i64, groups: u128) -> Connection {
    let mut db = Connection::open_in_memory().unwrap();
    schema::migrate(&mut db).unwrap();
    let topic = TOPIC.as_bytes();
    let kind = log::kind(Log::Topic(TOPIC));
    let head = "INSERT INTO log (id, kind, rev, seq, moved_at) VALUES (?1, ?2, ?3, ?3, ?3)";
    db.execute(head, (topic, kind, messages)).unwrap();
    let message =
        "INSERT INTO message (topic, seq, id, author, sent_at, text, first_rev, rev, content_rev)
        VALUES (?1, ?2, ?3, ?1, ?2, '', ?2, ?2, ?2)";
    let wide = "INSERT INTO wide_mention (topic, seq, who) VALUES (?1, ?2, ?3)";
    for seq in 1..=messages {
        let id = Uuid::from_u128(u128::from(seq.unsigned_abs()));
        db.execute(message, (topic, seq, id.as_bytes())).unwrap();
        for group in 0..groups {
            let group = Uuid::from_u128(group);
            db.execute(wide, (topic, seq, group.as_bytes())).unwrap();
        }
    }
    db
}

/// What something comes to, and how many steps it took.
fn steps<T>(db: &mut Connection, work: impl Fn(&Connection) -> T) -> (T, usize) {
    // Its statements are prepared by then.
    work(db);
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let handler = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    db.progress_handler(1, Some(handler)).unwrap();
    let found = work(db);
    db.progress_handler(0, None::<fn() -> bool>).unwrap();
    (found, count.load(Ordering::Relaxed))
}

/// How far the topic counts as read for who came at a time, and how many steps that took.
fn read(db: &mut Connection, since: Millis) -> (Option<Seq>, usize) {
    let reader = Reader {
        since,
        has_history: true,
    };
    let (read, steps) = steps(db, |db| {
        cursor::read_before(db, BOB, TOPIC, reader).unwrap()
    });
    (read.map(|read| read.seq), steps)
}

#[test]
fn of_a_topic_that_is_all_read_its_head_is_looked_at_and_no_message() {
    let (mut few, mut many) = (written(8, 0), written(4_096, 0));
    let (seq, of_few) = read(&mut few, 10_000);
    assert_eq!(seq, Some(Seq(8)));
    let (seq, of_many) = read(&mut many, 10_000);
    assert_eq!(seq, Some(Seq(4_096)));
    assert_eq!(of_few, of_many);
    few.execute("DELETE FROM message", ()).unwrap();
    assert_eq!(read(&mut few, 10_000), (Some(Seq(8)), of_few));
}

#[test]
fn where_somebody_came_in_the_middle_is_found_by_halves() {
    let (mut few, mut many) = (written(8, 0), written(4_096, 0));
    let (_, all_read) = read(&mut few, 10_000);
    let (seq, of_few) = read(&mut few, 5);
    assert_eq!(seq, Some(Seq(4)));
    let (seq, of_many) = read(&mut many, 2_049);
    assert_eq!(seq, Some(Seq(2_048)));
    // 512 times as many are nine halves more; a look is less than all that is looked at where all is read.
    assert!(
        of_many <= of_few + 10 * all_read,
        "{of_few}, then {of_many}, where a look takes {all_read}"
    );
}

#[test]
fn of_those_who_are_called_in_a_topic_no_more_are_looked_at_than_are_told() {
    let told = |groups| {
        let mut db = written(120, groups);
        let (moved, steps) = steps(&mut db, |db| log::moved(db, vec![TOPIC]).unwrap());
        let wide = &moved[0].wide;
        assert_eq!(wide.len(), 100);
        let named: Vec<_> = wide.iter().map(|one| (one.seq, one.member_group)).collect();
        assert!(named.is_sorted(), "in the order of messages and groups");
        assert_eq!(wide[99].seq, Seq(120), "the last are told");
        steps
    };
    let (of_one, of_many) = (told(1), told(50));
    assert!(of_many <= of_one + of_one / 10, "{of_one}, then {of_many}");
}

use proptest::prelude::*;
use tulou_engine::Write;
use tulou_protocol::{
    AccountId, CommandId, CommunityId, MessageId, Rev, Row,
    id::Millis,
    push::WideMention,
    row::{Content, Cursor, Mention, Message, More},
};
use uuid::Uuid;

use super::*;
use crate::{
    read::level,
    store::Store,
    view::{LevelDecider, LevelName, LevelPlace},
};

const ME: AccountId = AccountId(Uuid::from_u128(1));
const OTHER: AccountId = AccountId(Uuid::from_u128(9));
const TOPIC: TopicId = TopicId(Uuid::from_u128(2));
const GROUP: GroupId = GroupId(Uuid::from_u128(3));
const COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(4));

fn at(now: i64) -> AsOf {
    AsOf {
        me: ME,
        now,
        skew: 0,
        is_linked: false,
    }
}

fn row(id: &str, rev: u64, body: impl Into<Body>) -> Row {
    Row {
        id: id.to_owned(),
        rev: Rev(rev),
        body: body.into(),
    }
}

fn message(seq: u64, is_mine: bool) -> Row {
    let id = MessageId(Uuid::from_u128(u128::from(seq)));
    let message = Message {
        seq: Seq(seq),
        content: Some(Content {
            author: if is_mine { ME } else { OTHER },
            sent_at: 0,
            written_at: Some(0),
            text: "x".into(),
            reply_to: None,
            edited_at: None,
            recalled_by: None,
            more: More::new(),
        }),
        content_rev: Rev(seq),
        marks: None,
        marks_rev: Rev::ZERO,
        more: More::new(),
    };
    row(&id.to_string(), seq, message)
}

fn head(seq: u64, wide: &[(u64, AccountId)]) -> Write {
    let head = TopicHead {
        seq: Seq(seq),
        rev: Rev(seq),
        floor: Seq(1),
        wide_mentions: wide
            .iter()
            .map(|(seq, author)| WideMention {
                seq: Seq(*seq),
                author: *author,
                member_group: None,
            })
            .collect(),
        read: Some(ReadBefore::default()),
    };
    Write::Head(TOPIC, head)
}

fn cursor(seq: u64, own: u64) -> Write {
    let cursor = Cursor {
        seq: Seq(seq),
        own,
        set_no: 0,
        more: More::new(),
    };
    Write::Rows(Log::Account(ME), vec![row(&TOPIC.to_string(), 1, cursor)])
}

fn store(batch: Vec<Write>) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("a.sqlite"), ME).unwrap();
    store.apply(&batch, 0).unwrap();
    (folder, store)
}

fn submit(store: &Store, command: Command) {
    let id = CommandId(Uuid::now_v7());
    store
        .write(|db| outbox::push(db, id, command, 0, OutboxState::Waiting))
        .unwrap();
}

fn numbers(store: &Store) -> Numbers {
    store
        .read(|db| {
            let outbox = outbox::all(db)?;
            let all = Ledger::load(db, at(0), &outbox)?.numbers(None, TOPIC);
            let one = Ledger::of_topic(db, at(0), TOPIC)?.numbers(None, TOPIC);
            assert_eq!(all.unread, one.unread, "a topic by itself counts the same");
            Ok::<_, StoreError>(all)
        })
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn unread_is_what_a_recount_says(
        mine in prop::collection::vec(any::<bool>(), 1..40),
        read in 0_usize..40,
        advances in prop::collection::vec(0_usize..40, 0..3),
        set in prop::option::of(0_usize..40),
    ) {
        let read = read.min(mine.len());
        let own = mine[read..].iter().filter(|is_mine| **is_mine).count() as u64;
        let rows = mine.iter().zip(1..).map(|(is_mine, seq)| message(seq, *is_mine)).collect();
        let (_folder, store) = store(vec![
            Write::Rows(Log::Topic(TOPIC), rows),
            head(mine.len() as u64, &[]),
            cursor(read as u64, own),
        ]);
        let mut expected = read;
        for advance in advances {
            let seq = Seq(advance.min(mine.len()) as u64);
            submit(&store, Command::CursorAdvance { topic: TOPIC, seq, set_no: 0 });
            expected = expected.max(advance.min(mine.len()));
        }
        if let Some(set) = set {
            expected = set.min(mine.len());
            submit(&store, Command::CursorSet { topic: TOPIC, seq: Seq(expected as u64) });
        }
        let recount = mine[expected..].iter().filter(|is_mine| !**is_mine).count() as u64;
        prop_assert_eq!(numbers(&store).unread, recount);
    }
}

/// The name of a mention.
fn named(message: u64) -> String {
    let message = tulou_protocol::MessageId(Uuid::from_u128(u128::from(message)));
    tulou_protocol::row::MessageKey::of(TOPIC, message).to_string()
}

#[test]
fn a_mention_that_an_edit_adds_to_what_was_read_counts_until_it_is_seen() {
    let body = Mention {
        topic: TOPIC,
        seq: Seq(2),
        sent_at: 0,
        by_edit: true,
        more: More::new(),
    };
    let message = tulou_protocol::MessageId(Uuid::from_u128(2));
    let (_folder, store) = store(vec![
        Write::Rows(Log::Account(ME), vec![row(&named(2), 1, body)]),
        head(6, &[]),
        cursor(6, 1),
    ]);
    let late = || {
        store.read(|db| {
            let ledger = Ledger::of_topic(db, at(0), TOPIC)?;
            Ok::<_, StoreError>(ledger.mentioned_by_edit(TOPIC))
        })
    };
    assert_eq!(numbers(&store).mentions, 1, "though all is read");
    assert_eq!(numbers(&store).unread, 0);
    assert_eq!(late().unwrap(), [message], "the window leads to it");
    submit(
        &store,
        Command::MentionSeen {
            topic: TOPIC,
            message,
            seen: true,
        },
    );
    assert_eq!(
        numbers(&store).mentions,
        0,
        "whether the server has heard of it or not"
    );
    assert_eq!(late().unwrap(), []);
}

#[test]
fn a_mention_counts_once_until_it_is_read() {
    let mention = |seq| {
        let body = Mention {
            topic: TOPIC,
            seq: Seq(seq),
            sent_at: 0,
            by_edit: false,
            more: More::new(),
        };
        row(&named(seq), 1, body)
    };
    let (_folder, store) = store(vec![
        Write::Rows(Log::Account(ME), vec![mention(2), mention(5)]),
        // 3 mentions everyone; 4 does, too, but it is mine, whether it is held or not; 5 mentions me and everyone.
        head(6, &[(3, OTHER), (4, ME), (5, OTHER)]),
        cursor(1, 1),
    ]);
    assert_eq!(numbers(&store).mentions, 3, "2, 3 and 5");
    submit(
        &store,
        Command::CursorAdvance {
            topic: TOPIC,
            seq: Seq(4),
            set_no: 0,
        },
    );
    assert_eq!(numbers(&store).mentions, 1, "5 is left");
}

#[test]
fn an_advance_that_has_not_seen_the_set_back_is_ignored() {
    let (_folder, store) = store(vec![head(10, &[]), cursor(8, 0)]);
    submit(
        &store,
        Command::CursorSet {
            topic: TOPIC,
            seq: Seq(2),
        },
    );
    submit(
        &store,
        Command::CursorAdvance {
            topic: TOPIC,
            seq: Seq(10),
            set_no: 0,
        },
    );
    assert_eq!(numbers(&store).unread, 8, "the set-back stands");
}

/// After a crash the row of a set-back may be there before its answer: whatever was written in the meantime takes it for
/// two, and the server for one.
#[test]
fn an_advance_over_a_set_back_whose_row_came_before_its_answer_counts() {
    let set_back = |set_no| {
        let cursor = Cursor {
            seq: Seq(2),
            own: 0,
            set_no,
            more: More::new(),
        };
        Write::Rows(Log::Account(ME), vec![row(&TOPIC.to_string(), 2, cursor)])
    };
    let (_folder, store) = store(vec![head(10, &[]), set_back(1)]);
    let seq = Seq(2);
    submit(&store, Command::CursorSet { topic: TOPIC, seq });
    let set_no = store
        .read(|db| {
            let ledger = Ledger::of_topic(db, at(0), TOPIC)?;
            Ok::<_, StoreError>(ledger.read_to(TOPIC).set_no)
        })
        .unwrap();
    let advance = Command::CursorAdvance {
        topic: TOPIC,
        seq: Seq(10),
        set_no,
    };
    submit(&store, advance);
    assert_eq!(numbers(&store).unread, 0);
    let is_set = |entry: &OutboxEntry| matches!(entry.command, Command::CursorSet { .. });
    store
        .write(|db| {
            let set = outbox::all(db)?.into_iter().find(is_set).unwrap();
            outbox::remove(db, set.id)
        })
        .unwrap();
    assert_eq!(
        numbers(&store).unread,
        0,
        "the answer came: there was one set-back, and the advance has seen it"
    );
}

#[test]
fn the_nearest_level_that_does_not_inherit_decides() {
    let (_folder, store) = store(vec![]);
    submit(
        &store,
        Command::CommunityCreate {
            community: COMMUNITY,
            name: "c".into(),
            group: GROUP,
            group_name: "g".into(),
            topic: TOPIC,
            topic_name: "t".into(),
        },
    );
    let level = |set: &[(NotifyScope, Level, Option<Millis>)], members: u64| {
        store
            .read(|db| {
                let mut shape = Shape::load(db, ME, COMMUNITY)?.unwrap();
                shape.counts = Some((members, 0));
                let mut ledger = Ledger::load(db, at(1_000), &[])?;
                for (scope, level, until) in set {
                    let notify = Notify {
                        level: *level,
                        until: *until,
                        more: More::new(),
                    };
                    ledger.levels.insert(scope.key(), notify);
                }
                Ok::<_, StoreError>(ledger.level(&shape, GROUP, TOPIC))
            })
            .unwrap()
    };
    let global = (NotifyScope::Global, Level::Nothing, None);
    let topic = |level, until| (NotifyScope::Topic(TOPIC), level, until);
    assert_eq!(level(&[], 200), Level::All, "a small community");
    assert_eq!(level(&[], 201), Level::Mentions, "a large one");
    assert_eq!(level(&[global], 5), Level::Nothing);
    assert_eq!(level(&[global, topic(Level::All, None)], 5), Level::All);
    assert_eq!(
        level(&[global, topic(Level::Inherit, None)], 5),
        Level::Nothing
    );
    assert_eq!(
        level(&[global, topic(Level::All, Some(999))], 5),
        Level::Nothing,
        "it was for a while only"
    );
}

#[test]
fn a_place_names_who_decides_its_level_and_the_outbox_counts() {
    let (_folder, store) = store(vec![]);
    submit(
        &store,
        Command::CommunityCreate {
            community: COMMUNITY,
            name: "House".into(),
            group: GROUP,
            group_name: "Shelf".into(),
            topic: TOPIC,
            topic_name: "t".into(),
        },
    );
    let level = |place: LevelPlace, now| {
        store
            .read(|db| {
                let shape = Shape::load(db, ME, COMMUNITY)?;
                let ledger = Ledger::load(db, at(now), &outbox::all(db)?)?;
                Ok::<_, StoreError>(level::by_ledger(&ledger, shape.as_ref(), &place).unwrap())
            })
            .unwrap()
    };
    let community = COMMUNITY.to_string();
    let topic = || LevelPlace::Topic {
        community: community.clone(),
        topic: TOPIC.to_string(),
    };
    let group = || LevelPlace::Group {
        community: community.clone(),
        group: GROUP.to_string(),
    };
    let fresh = level(topic(), 0);
    assert_eq!(
        (fresh.set, fresh.holds),
        (LevelName::Inherit, LevelName::All)
    );
    assert_eq!(fresh.decided_by, LevelDecider::Size, "nothing is set");
    let set = |scope, level, until| Command::NotifySet {
        scope,
        level,
        until,
    };
    submit(
        &store,
        set(NotifyScope::Group(GROUP), Level::Nothing, Some(1_000)),
    );
    let name = "Shelf".to_owned();
    let under = level(topic(), 999);
    assert_eq!(
        (under.set, under.holds),
        (LevelName::Inherit, LevelName::Nothing)
    );
    assert_eq!(
        under.decided_by,
        LevelDecider::Group { name: name.clone() },
        "the nearest that is set"
    );
    let own = level(group(), 999);
    assert_eq!((own.set, own.until), (LevelName::Nothing, Some(1_000)));
    assert_eq!(
        level(group(), 1_000).set,
        LevelName::Inherit,
        "its time is over"
    );
    submit(
        &store,
        set(NotifyScope::Topic(TOPIC), Level::Mentions, None),
    );
    let nearest = level(topic(), 999);
    assert_eq!(
        (nearest.set, nearest.holds, nearest.decided_by),
        (
            LevelName::Mentions,
            LevelName::Mentions,
            LevelDecider::Topic
        )
    );
    submit(&store, set(NotifyScope::Topic(TOPIC), Level::Inherit, None));
    assert_eq!(
        level(topic(), 999).decided_by,
        LevelDecider::Group { name },
        "as the group says again"
    );
}

#[test]
fn what_is_shown_depends_on_the_level_and_sums_up() {
    let numbers = Numbers {
        unread: 5,
        mentions: 2,
    };
    let all = shown(numbers, Level::All);
    let mentions = shown(numbers, Level::Mentions);
    let nothing = shown(numbers, Level::Nothing);
    assert_eq!((all.unread, all.mentions, all.has_dot), (5, 2, false));
    assert_eq!(
        (mentions.unread, mentions.mentions, mentions.has_dot),
        (0, 2, true)
    );
    assert_eq!(
        (nothing.unread, nothing.mentions, nothing.has_dot),
        (0, 0, true)
    );
    let total = sum([all, mentions, nothing]);
    assert_eq!((total.unread, total.mentions, total.has_dot), (5, 4, true));
}

/// What is unread of a topic of ten with what the server told and perhaps a row.
fn unread_of(read: Option<ReadBefore>, row: Option<Write>) -> u64 {
    let Write::Head(topic, mut told) = head(10, &[(4, OTHER), (9, OTHER)]) else {
        panic!("it is a head")
    };
    told.read = read;
    let mut batch = vec![Write::Head(topic, told)];
    batch.extend(row);
    let (_folder, store) = store(batch);
    numbers(&store).unread
}

#[test]
fn what_was_sent_before_i_came_counts_as_read_where_no_later_row_says_otherwise() {
    let told = |seq, own, over| {
        let (seq, over) = (Seq(seq), Rev(over));
        Some(ReadBefore { seq, own, over })
    };
    assert_eq!(unread_of(None, None), 0, "it is not known what that was");
    assert_eq!(unread_of(told(0, 0, 0), None), 10, "nothing was");
    assert_eq!(unread_of(told(7, 0, 0), None), 3, "seven were");
    let row = || Some(cursor(2, 1));
    assert_eq!(unread_of(None, row()), 0, "nor of when the row is");
    assert_eq!(unread_of(told(0, 0, 0), row()), 7, "the row says it");
    assert_eq!(unread_of(told(7, 0, 0), row()), 7, "it came later");
    assert_eq!(unread_of(told(7, 1, 1), row()), 2, "it is of before");
    assert_eq!(unread_of(told(1, 0, 1), row()), 7, "it is further");
}

#[test]
fn what_i_mark_as_unread_counts_before_it_is_known_what_was_sent_before_i_came() {
    let Write::Head(topic, mut told) = head(10, &[]) else {
        panic!("it is a head")
    };
    told.read = None;
    let (_folder, store) = store(vec![Write::Head(topic, told), cursor(2, 0)]);
    let advance = |seq| Command::CursorAdvance {
        topic: TOPIC,
        seq: Seq(seq),
        set_no: 0,
    };
    submit(&store, advance(5));
    assert_eq!(numbers(&store).unread, 0);
    let back = Command::CursorSet {
        topic: TOPIC,
        seq: Seq(4),
    };
    submit(&store, back);
    assert_eq!(numbers(&store).unread, 6);
}

#[test]
fn what_i_do_counts_over_what_was_sent_before_i_came() {
    let Write::Head(topic, mut told) = head(10, &[]) else {
        panic!("it is a head")
    };
    let (seq, own, over) = (Seq(7), 0, Rev(1));
    told.read = Some(ReadBefore { seq, own, over });
    let (_folder, store) = store(vec![Write::Head(topic, told), cursor(2, 0)]);
    let advance = |seq| Command::CursorAdvance {
        topic: TOPIC,
        seq: Seq(seq),
        set_no: 0,
    };
    submit(&store, advance(5));
    assert_eq!(numbers(&store).unread, 3, "it was read already");
    submit(&store, advance(8));
    assert_eq!(numbers(&store).unread, 2);
    let back = Command::CursorSet {
        topic: TOPIC,
        seq: Seq(4),
    };
    submit(&store, back);
    assert_eq!(numbers(&store).unread, 6, "however far back that is");
}

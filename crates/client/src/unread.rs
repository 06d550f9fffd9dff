//! Levels and numbers: `unread = head − cursor − own`, mentions after the cursor, and what of it is shown at each level.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;
use tulou_engine::{OutboxEntry, OutboxState, TopicHead};
use tulou_protocol::{
    AccountId, Body, Command, GroupId, Log, Seq, TopicId,
    id::Millis,
    limits,
    row::{Level, Notify, NotifyScope},
};

use crate::{
    shape::Shape,
    store::{StoreError, heads, messages, outbox, rows},
    view::Badge,
};

/// How far a topic was read, with what waits in the outbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadTo {
    /// Read up to here.
    pub seq: Seq,
    /// My messages after it.
    pub own: u64,
    /// Counts explicit settings.
    pub set_no: u32,
}

/// What numbers are computed from.
pub struct Ledger {
    cursors: HashMap<TopicId, ReadTo>,
    mentions: HashMap<TopicId, Vec<Seq>>,
    levels: HashMap<String, Notify>,
    heads: BTreeMap<TopicId, TopicHead>,
    now: Millis,
}

/// The numbers of one topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Messages after the cursor that are not mine.
    pub unread: u64,
    /// Messages after the cursor that mention me.
    pub mentions: u64,
}

impl Ledger {
    /// What all topics' numbers are computed from.
    pub fn load(
        db: &Connection,
        me: AccountId,
        outbox: &[OutboxEntry],
        now: Millis,
    ) -> Result<Self, StoreError> {
        let log = Log::Account(me);
        let mut ledger = Self {
            cursors: HashMap::new(),
            mentions: HashMap::new(),
            levels: HashMap::new(),
            heads: heads::all(db)?,
            now,
        };
        for kind in ["cursor", "mention", "notify"] {
            for row in rows::of_kind(db, log, kind)? {
                ledger.take(row);
            }
        }
        ledger.lay(db, outbox)?;
        Ok(ledger)
    }

    /// What one topic's numbers are computed from; levels are left out.
    pub fn of_topic(
        db: &Connection,
        me: AccountId,
        topic: TopicId,
        now: Millis,
    ) -> Result<Self, StoreError> {
        let mut ledger = Self {
            cursors: HashMap::new(),
            mentions: HashMap::new(),
            levels: HashMap::new(),
            heads: BTreeMap::from([(topic, heads::of_topic(db, topic)?)]),
            now,
        };
        if let Some(row) = rows::one(db, Log::Account(me), "cursor", &topic.to_string())? {
            ledger.take(row);
        }
        ledger.lay(db, &outbox::of_topic(db, topic)?)?;
        Ok(ledger)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "numbers come from no other row"
    )]
    fn take(&mut self, row: tulou_protocol::Row) {
        match row.body {
            Body::Cursor(cursor) => {
                if let Ok(topic) = row.id.parse() {
                    let read_to = ReadTo {
                        seq: cursor.seq,
                        own: cursor.own,
                        set_no: cursor.set_no,
                    };
                    self.cursors.insert(topic, read_to);
                }
            }
            Body::Mention(mention) => {
                self.mentions
                    .entry(mention.topic)
                    .or_default()
                    .push(mention.seq);
            }
            Body::Notify(notify) => {
                self.levels.insert(row.id, notify);
            }
            _ => {}
        }
    }

    /// What the person read counts at once, whether the server has heard of it or not.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "numbers come from no other command"
    )]
    fn lay(&mut self, db: &Connection, outbox: &[OutboxEntry]) -> Result<(), StoreError> {
        for entry in outbox {
            if matches!(entry.state, OutboxState::Rejected(_)) {
                continue;
            }
            match &entry.command {
                Command::CursorAdvance { topic, seq, set_no } => {
                    let read_to = self.read_to(*topic);
                    if *set_no == read_to.set_no && *seq > read_to.seq {
                        let own = if read_to.own == 0 {
                            0
                        } else {
                            messages::mine_after(db, *topic, *seq)?
                        };
                        let read_to = ReadTo {
                            seq: *seq,
                            own,
                            ..read_to
                        };
                        self.cursors.insert(*topic, read_to);
                    }
                }
                Command::CursorSet { topic, seq } => {
                    let read_to = ReadTo {
                        seq: *seq,
                        own: messages::mine_after(db, *topic, *seq)?,
                        set_no: self.read_to(*topic).set_no + 1,
                    };
                    self.cursors.insert(*topic, read_to);
                }
                Command::NotifySet {
                    scope,
                    level,
                    until,
                } => {
                    let notify = Notify {
                        level: *level,
                        until: *until,
                        more: serde_json::Map::new(),
                    };
                    self.levels.insert(scope.key(), notify);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// How far a topic was read. What lies before the first message that I may read counts as read.
    pub fn read_to(&self, topic: TopicId) -> ReadTo {
        self.cursors.get(&topic).copied().unwrap_or_else(|| {
            let floor = self.heads.get(&topic).map_or(0, |head| head.floor.0);
            ReadTo {
                seq: Seq(floor.saturating_sub(1)),
                ..ReadTo::default()
            }
        })
    }

    /// The head of a topic, as far as known.
    pub fn head(&self, topic: TopicId) -> Seq {
        self.heads.get(&topic).map_or(Seq::ZERO, |head| head.seq)
    }

    /// The numbers of a topic.
    pub fn numbers(
        &self,
        db: &Connection,
        shape: Option<&Shape>,
        topic: TopicId,
    ) -> Result<Numbers, StoreError> {
        let read_to = self.read_to(topic);
        let head = self.heads.get(&topic);
        let last = head.map_or(0, |head| head.seq.0);
        let unread = last
            .saturating_sub(read_to.seq.0)
            .saturating_sub(read_to.own);
        let mut named: Vec<Seq> = self
            .mentions
            .get(&topic)
            .into_iter()
            .flatten()
            .copied()
            .filter(|seq| *seq > read_to.seq)
            .collect();
        for wide in head.into_iter().flat_map(|head| &head.wide_mentions) {
            let hits_me = match wide.member_group {
                None => true,
                Some(group) => shape.is_some_and(|shape| shape.me.member_groups.contains(&group)),
            };
            if hits_me
                && wide.seq > read_to.seq
                && !named.contains(&wide.seq)
                && !messages::is_mine(db, topic, wide.seq)?
            {
                named.push(wide.seq);
            }
        }
        Ok(Numbers {
            unread,
            mentions: named.len() as u64,
        })
    }

    /// The level of a topic: the nearest that is not `inherit` decides.
    pub fn level(&self, shape: &Shape, group: GroupId, topic: TopicId) -> Level {
        let scopes = [
            NotifyScope::Topic(topic),
            NotifyScope::Group(group),
            NotifyScope::Community(shape.id),
            NotifyScope::Global,
        ];
        for scope in scopes {
            if let Some(set) = self.levels.get(&scope.key())
                && set.level != Level::Inherit
                && set.until.is_none_or(|until| until > self.now)
            {
                return set.level;
            }
        }
        match shape.counts {
            Some((members, _)) if members > limits::SMALL_COMMUNITY => Level::Mentions,
            Some(_) | None => Level::All,
        }
    }

    /// What is shown of a topic's numbers.
    pub fn badge(
        &self,
        db: &Connection,
        shape: &Shape,
        group: GroupId,
        topic: TopicId,
    ) -> Result<Badge, StoreError> {
        let numbers = self.numbers(db, Some(shape), topic)?;
        Ok(shown(numbers, self.level(shape, group, topic)))
    }
}

/// What is shown of numbers at a level.
pub fn shown(numbers: Numbers, level: Level) -> Badge {
    let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    match level {
        Level::All | Level::Inherit => Badge {
            unread: number(numbers.unread),
            mentions: number(numbers.mentions),
            has_dot: false,
        },
        Level::Mentions => Badge {
            unread: 0,
            mentions: number(numbers.mentions),
            has_dot: numbers.unread > 0,
        },
        Level::Nothing => Badge {
            unread: 0,
            mentions: 0,
            has_dot: numbers.unread > 0,
        },
    }
}

/// The sum of what is shown under something.
pub fn sum(badges: impl IntoIterator<Item = Badge>) -> Badge {
    badges
        .into_iter()
        .fold(Badge::default(), |sum, badge| Badge {
            unread: sum.unread.saturating_add(badge.unread),
            mentions: sum.mentions.saturating_add(badge.mentions),
            has_dot: sum.has_dot || badge.has_dot,
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tulou_engine::Change;
    use tulou_protocol::{
        CommandId, CommunityId, MessageId, Rev, Row,
        push::WideMention,
        row::{Content, Cursor, Mention, Message, More},
    };
    use uuid::Uuid;

    use super::*;
    use crate::store::Store;

    const ME: AccountId = AccountId(Uuid::from_u128(1));
    const TOPIC: TopicId = TopicId(Uuid::from_u128(2));
    const GROUP: GroupId = GroupId(Uuid::from_u128(3));
    const COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(4));

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
                author: if is_mine {
                    ME
                } else {
                    AccountId(Uuid::from_u128(9))
                },
                sent_at: 0,
                written_at: 0,
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

    fn head(seq: u64, wide: &[u64]) -> Change {
        let head = TopicHead {
            seq: Seq(seq),
            rev: Rev(seq),
            floor: Seq(1),
            wide_mentions: wide
                .iter()
                .map(|seq| WideMention {
                    seq: Seq(*seq),
                    member_group: None,
                })
                .collect(),
        };
        Change::Head(TOPIC, head)
    }

    fn cursor(seq: u64, own: u64) -> Change {
        let cursor = Cursor {
            seq: Seq(seq),
            own,
            set_no: 0,
            more: More::new(),
        };
        Change::Rows(Log::Account(ME), vec![row(&TOPIC.to_string(), 1, cursor)])
    }

    fn store(batch: Vec<Change>) -> (tempfile::TempDir, Store) {
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
                let all = Ledger::load(db, ME, &outbox, 0)?.numbers(db, None, TOPIC)?;
                let one = Ledger::of_topic(db, ME, TOPIC, 0)?.numbers(db, None, TOPIC)?;
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
                Change::Rows(Log::Topic(TOPIC), rows),
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

    #[test]
    fn a_mention_counts_once_until_it_is_read() {
        let mention = |seq| {
            let body = Mention {
                topic: TOPIC,
                seq: Seq(seq),
                sent_at: 0,
                more: More::new(),
            };
            row(&Uuid::from_u128(u128::from(seq)).to_string(), 1, body)
        };
        let (_folder, store) = store(vec![
            Change::Rows(Log::Topic(TOPIC), vec![message(4, true)]),
            Change::Rows(Log::Account(ME), vec![mention(2), mention(5)]),
            // 3 mentions everyone; 4 does, too, but it is mine; 5 mentions me and everyone.
            head(6, &[3, 4, 5]),
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
                    let mut ledger = Ledger::load(db, ME, &[], 1_000)?;
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
}

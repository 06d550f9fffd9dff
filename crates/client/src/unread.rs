//! Levels and numbers: `unread = head − cursor − own`, mentions after the cursor, and what of it is shown at each level.

mod level;

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;
use tulou_engine::{OutboxEntry, OutboxState, TopicHead};
use tulou_protocol::{
    Body, Command, GroupId, Log, MessageId, Rev, Seq, TopicId,
    push::ReadBefore,
    row::{Level, MessageKey, Notify, NotifyScope},
};

use crate::{
    as_of::AsOf,
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

/// Of what is in the outbox.
const LATEST: Rev = Rev(u64::MAX);

/// What numbers are computed from.
pub struct Ledger {
    /// With the rev of the row; what waits in the outbox is later than any.
    cursors: HashMap<TopicId, (ReadTo, Rev)>,
    mentions: HashMap<TopicId, Vec<Named>>,
    levels: HashMap<String, Notify>,
    heads: BTreeMap<TopicId, TopicHead>,
    as_of: AsOf,
}

/// A message that mentions me.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Named {
    seq: Seq,
    message: MessageId,
    /// An edit added the mention, and I have not seen it since.
    by_edit: bool,
}

/// The numbers of one topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Messages after the cursor that are not mine.
    pub unread: u64,
    /// Messages that mention me: those after the cursor, and those before it that an edit made so since.
    pub mentions: u64,
}

impl Ledger {
    /// What all topics' numbers are computed from.
    pub fn load(db: &Connection, as_of: AsOf, outbox: &[OutboxEntry]) -> Result<Self, StoreError> {
        let mut ledger = Self::blank(as_of, heads::all(db)?);
        for kind in ["cursor", "mention", "notify"] {
            for row in rows::of_kind(db, Log::Account(as_of.me), kind)? {
                ledger.take(row);
            }
        }
        ledger.lay(db, outbox)?;
        Ok(ledger)
    }

    /// What one topic's numbers are computed from; levels are left out, and the mentions that came with their messages.
    pub fn of_topic(db: &Connection, as_of: AsOf, topic: TopicId) -> Result<Self, StoreError> {
        Self::of_topic_over(db, as_of, topic, &outbox::of_topic(db, topic)?)
    }

    /// The same, with the outbox of the topic read already.
    pub fn of_topic_over(
        db: &Connection,
        as_of: AsOf,
        topic: TopicId,
        outbox: &[OutboxEntry],
    ) -> Result<Self, StoreError> {
        let mut ledger = Self::of_cursor(db, as_of, topic)?;
        for row in rows::mentions_by_edit(db, Log::Account(as_of.me), topic)? {
            ledger.take(row);
        }
        ledger.lay(db, outbox)?;
        Ok(ledger)
    }

    /// What one topic's numbers and what is shown of them are computed from, and of no other topic anything.
    pub fn of_shown(
        db: &Connection,
        as_of: AsOf,
        topic: TopicId,
        scopes: &[NotifyScope],
    ) -> Result<Self, StoreError> {
        let log = Log::Account(as_of.me);
        let mut ledger = Self::of_cursor(db, as_of, topic)?;
        let mut found = rows::mentions_in(db, log, topic)?;
        for scope in scopes {
            found.extend(rows::one(db, log, "notify", &scope.key())?);
        }
        found.into_iter().for_each(|row| ledger.take(row));
        ledger.lay(db, &outbox::of_topic(db, topic)?)?;
        ledger.lay(db, &outbox::levels(db)?)?;
        Ok(ledger)
    }

    /// How far one topic goes, and how far it was read.
    fn of_cursor(db: &Connection, as_of: AsOf, topic: TopicId) -> Result<Self, StoreError> {
        let heads = BTreeMap::from([(topic, heads::of_topic(db, topic)?)]);
        let mut ledger = Self::blank(as_of, heads);
        let cursor = rows::one(db, Log::Account(as_of.me), "cursor", &topic.to_string())?;
        cursor.into_iter().for_each(|row| ledger.take(row));
        Ok(ledger)
    }

    fn blank(as_of: AsOf, heads: BTreeMap<TopicId, TopicHead>) -> Self {
        Self {
            as_of,
            cursors: HashMap::new(),
            mentions: HashMap::new(),
            levels: HashMap::new(),
            heads,
        }
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
                    self.cursors.insert(topic, (read_to, row.rev));
                }
            }
            Body::Mention(mention) => {
                if let Ok(key) = row.id.parse::<MessageKey>() {
                    self.mentions.entry(key.topic).or_default().push(Named {
                        seq: mention.seq,
                        message: key.message,
                        by_edit: mention.by_edit,
                    });
                }
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
        let log = Log::Account(self.as_of.me);
        for entry in outbox {
            if matches!(entry.state, OutboxState::Rejected(_)) {
                continue;
            }
            match &entry.command {
                Command::CursorAdvance { topic, seq, set_no } => {
                    let read_to = self.read_to(*topic);
                    if *set_no >= read_to.set_no && *seq > read_to.seq {
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
                        self.cursors.insert(*topic, (read_to, LATEST));
                    }
                }
                Command::CursorSet { topic, seq } => {
                    let read_to = ReadTo {
                        seq: *seq,
                        own: messages::mine_after(db, *topic, *seq)?,
                        set_no: self.read_to(*topic).set_no + 1,
                    };
                    self.cursors.insert(*topic, (read_to, LATEST));
                }
                Command::MentionSeen {
                    topic,
                    message,
                    seen,
                } => {
                    let named = self.mentions.entry(*topic).or_default();
                    let is_held = named.iter().any(|one| one.message == *message);
                    if !is_held
                        && !seen
                        && let Some(row) = rows::one(
                            db,
                            log,
                            "mention",
                            &MessageKey::of(*topic, *message).to_string(),
                        )?
                    {
                        self.take(row);
                    }
                    let named = self.mentions.entry(*topic).or_default();
                    for one in named.iter_mut().filter(|one| one.message == *message) {
                        one.by_edit = !seen;
                    }
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

    /// How far a topic was read. What was sent before I was there, or may not be read, counts as read; while it is not known
    /// what that is, everything.
    pub fn read_to(&self, topic: TopicId) -> ReadTo {
        let head = self.heads.get(&topic);
        let told = head.and_then(|head| head.read);
        let before = |read: ReadBefore, set_no| ReadTo {
            seq: read.seq,
            own: read.own,
            set_no,
        };
        // Until it is known what was sent before I came, a row may be of before I went.
        let is_said = |rev| told.is_some() || rev == LATEST;
        match (self.cursors.get(&topic).copied(), told) {
            (Some((held, rev)), Some(read)) if read.holds_over(rev) && read.seq > held.seq => {
                before(read, held.set_no)
            }
            (Some((held, rev)), _) if is_said(rev) => held,
            (held, told) => {
                let all = ReadBefore {
                    seq: self.head(topic),
                    ..ReadBefore::default()
                };
                let set_no = held.map_or(0, |(held, _)| held.set_no);
                let read = before(told.unwrap_or(all), set_no);
                let unreadable = Seq(self.floor(topic).0.saturating_sub(1));
                ReadTo {
                    seq: read.seq.max(unreadable),
                    ..read
                }
            }
        }
    }

    /// The first place of a topic that may be read; 0 while unknown.
    pub fn floor(&self, topic: TopicId) -> Seq {
        self.heads.get(&topic).map_or(Seq::ZERO, |head| head.floor)
    }

    /// The head of a topic, as far as known.
    pub fn head(&self, topic: TopicId) -> Seq {
        self.heads.get(&topic).map_or(Seq::ZERO, |head| head.seq)
    }

    /// Messages of a topic that an edit made mention me and that I have not seen since, the oldest first. Those that are
    /// unread are among them: when they are read they are seen, or they would count on.
    pub fn mentioned_by_edit(&self, topic: TopicId) -> Vec<MessageId> {
        let mut late: Vec<&Named> = self
            .mentions
            .get(&topic)
            .into_iter()
            .flatten()
            .filter(|one| one.by_edit)
            .collect();
        late.sort_by_key(|one| one.seq);
        late.into_iter().map(|one| one.message).collect()
    }

    /// The numbers of a topic.
    pub fn numbers(&self, shape: Option<&Shape>, topic: TopicId) -> Numbers {
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
            .filter(|one| one.by_edit || one.seq > read_to.seq)
            .map(|one| one.seq)
            .collect();
        for wide in head.into_iter().flat_map(|head| &head.wide_mentions) {
            let hits_me = match wide.member_group {
                None => true,
                Some(group) => shape.is_some_and(|shape| shape.me.member_groups.contains(&group)),
            };
            if hits_me
                && wide.seq > read_to.seq
                && !named.contains(&wide.seq)
                && wide.author != self.as_of.me
            {
                named.push(wide.seq);
            }
        }
        Numbers {
            unread,
            mentions: named.len() as u64,
        }
    }

    /// What is shown of a topic's numbers.
    pub fn badge(&self, shape: &Shape, group: GroupId, topic: TopicId) -> Badge {
        let numbers = self.numbers(Some(shape), topic);
        shown(numbers, self.level(shape, group, topic))
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
mod tests;

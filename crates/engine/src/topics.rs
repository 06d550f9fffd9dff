//! Topics: what is known and held of each, which are shown, and what is asked about them.
//!
//! * `phase`: how a topic stands; `islands`: what is held of one
//! * `rounds`: which are being synced, and which have to be
//! * `watch`: what the server is asked to push; `pushes`: what it pushes
//! * `history`: changes, tails, pages; `idle`: looking through what is held

mod history;
mod idle;
mod islands;
mod phase;
mod pushes;
mod rounds;
mod watch;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tulou_protocol::{
    Body, Log, Rev, Row, Seq, TopicId,
    id::Millis,
    push::{ReadBefore, TopicHead as MovedHead},
    question::PageAt,
    row::Message,
};

use crate::{
    io::{Island, TopicHead, Write},
    turn::Turn,
};
use islands::Islands;
use phase::{Live, Phase, Sight, Trust};
use rounds::Rounds;

/// All topics that anything is known of, and what is to be done about them.
#[derive(Debug, Default)]
pub struct Topics {
    all: BTreeMap<TopicId, Topic>,
    /// Those that are shown, the latest last.
    shown: Vec<TopicId>,
    /// The server has to be told which are watched.
    is_watch_due: bool,
    rounds: Rounds,
    /// Pages wanted, in the order of asking.
    wants: VecDeque<(TopicId, PageAt)>,
    /// Those that are known to have changed since they were held, and that nothing is pushed of.
    behind: BTreeSet<TopicId>,
    /// In which order those are looked through whose turn is equally due: another one at each start, so that the last of
    /// many have their turn although nobody stays that long.
    order: u128,
    /// Those whose islands changed in this turn.
    new_islands: BTreeSet<TopicId>,
    /// Those whose heads changed in this turn.
    new_heads: BTreeSet<TopicId>,
}

/// What is known and held of a topic.
#[derive(Debug, Default)]
struct Topic {
    sight: Sight,
    /// Its head, as far as known.
    head: TopicHead,
    /// The rev of the digest that named the wide mentions.
    digest_rev: Rev,
    /// What is held.
    held: Islands,
    trust: Trust,
    phase: Phase,
    /// When what is held was looked through last.
    looked_at: Millis,
}

impl Topic {
    fn is_seen(&self) -> bool {
        self.sight > Sight::Unseen
    }

    fn is_rewound(&self) -> bool {
        self.trust == Trust::Rewound
    }

    /// Whether what is held has to be looked through whatever the head says: rights changed, or may have.
    fn must_be_checked(&self) -> bool {
        let is_floor_known = self.head.floor > Seq::ZERO || self.held.is_empty();
        self.trust != Trust::Sure || !is_floor_known
    }

    /// Whether what is held is known to be old, and nothing makes it new by itself.
    fn is_behind(&self) -> bool {
        let oldest = self.held.oldest();
        let is_old = oldest.is_some_and(|oldest| self.must_be_checked() || self.head.rev > oldest);
        self.phase.live().is_none() && (is_old || self.is_rewound())
    }

    /// If more is known to be there than was applied, it is synced unless it comes by itself.
    fn expect(&mut self, now: Millis) {
        let Some(cursor) = self.phase.cursor() else {
            return;
        };
        let is_old = |oldest: Rev| oldest < cursor;
        let is_behind = self.head.rev > cursor || self.held.oldest().is_some_and(is_old);
        self.phase.expect(is_behind, now);
    }
}

/// A message row that can stand alone: with both parts, or with none of the second ever made.
fn is_whole(message: &Message) -> bool {
    message.content.is_some() && (message.marks.is_some() || message.marks_rev == Rev::ZERO)
}

/// The place of a message row.
fn seq_of(row: &Row) -> Option<Seq> {
    if let Body::Message(message) = &row.body {
        Some(message.seq)
    } else {
        None
    }
}

impl Topics {
    /// What the store kept.
    pub fn restored(
        heads: BTreeMap<TopicId, TopicHead>,
        islands: BTreeMap<TopicId, Vec<Island>>,
        seed: u64,
    ) -> Self {
        let mut topics = Self {
            order: u128::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
            ..Self::default()
        };
        for (topic, head) in heads {
            topics.all.entry(topic).or_default().head = head;
        }
        for (topic, islands) in islands {
            let state = topics.all.entry(topic).or_default();
            state.held = Islands::restored(&islands);
            if !islands.is_empty() {
                state.sight = Sight::Supposed;
            }
        }
        for topic in topics.all.keys().copied().collect::<Vec<_>>() {
            topics.note_behind(topic);
        }
        topics
    }

    pub fn is_shown(&self, topic: TopicId) -> bool {
        self.shown.contains(&topic)
    }

    /// Whether the topic's next rows make the message part of what is held. Nothing brings one that may not be read, or
    /// that lies before all that is held, or of a topic that nobody looks at.
    pub fn is_coming(&self, topic: TopicId, seq: Seq) -> bool {
        let Some(state) = self.all.get(&topic) else {
            return false;
        };
        let is_there = self.rounds.rests(topic)
            && matches!(state.phase, Phase::Live(Live { gap_at: None, .. }));
        self.wished().contains(&topic)
            && !state.phase.is_refused()
            && !is_there
            && !state.held.contains(seq)
            && seq >= state.head.floor
    }

    /// The topic may be seen.
    pub fn see(&mut self, topic: TopicId) {
        self.see_by(topic, Sight::Supposed);
    }

    /// A community has a row of the topic. Where the row is new, the server is asked again to push it.
    pub fn see_row(&mut self, topic: TopicId, is_new: bool) {
        let state = self.see_by(topic, Sight::Row);
        let is_let_in = is_new && state.phase.is_refused();
        self.is_watch_due |= is_let_in;
    }

    fn see_by(&mut self, topic: TopicId, sight: Sight) -> &mut Topic {
        let state = self.all.entry(topic).or_default();
        state.sight = state.sight.max(sight);
        state
    }

    /// The topic may not be seen any more.
    pub fn forget(&mut self, topic: TopicId, turn: &mut Turn) {
        self.all.remove(&topic);
        self.rounds.forget(topic);
        self.behind.remove(&topic);
        self.wants.retain(|(other, _)| *other != topic);
        if self.is_shown(topic) {
            let refused = Topic {
                phase: Phase::Refused,
                ..Topic::default()
            };
            self.all.insert(topic, refused);
        }
        turn.apply(Write::Forget(Log::Topic(topic)));
    }

    /// The server was restored: nothing that is known of any topic holds.
    pub fn forget_all(&mut self, turn: &mut Turn) {
        for topic in std::mem::take(&mut self.all).into_keys() {
            turn.apply(Write::Forget(Log::Topic(topic)));
        }
        self.rounds.lose();
        self.behind.clear();
        for topic in &self.shown {
            self.all.entry(*topic).or_default();
        }
    }

    /// The head is at least there.
    pub fn raise_head(&mut self, topic: TopicId, seq: Seq, rev: Rev) {
        let head = &mut self.all.entry(topic).or_default().head;
        if head.seq < seq || head.rev < rev {
            head.seq = head.seq.max(seq);
            head.rev = head.rev.max(rev);
            self.new_heads.insert(topic);
        }
    }

    /// A head from a digest, or told to me alone.
    pub fn take_head(&mut self, topic: TopicId, moved: MovedHead) {
        self.raise_head(topic, moved.head_seq, moved.rev);
        let Some(state) = self.all.get_mut(&topic) else {
            return;
        };
        if moved.rev >= state.digest_rev {
            state.digest_rev = moved.rev;
            if state.head.wide_mentions != moved.wide_mentions {
                state.head.wide_mentions = moved.wide_mentions;
                self.new_heads.insert(topic);
            }
        }
        if moved.read.is_some() && state.head.read != moved.read {
            state.head.read = moved.read;
            self.new_heads.insert(topic);
        }
    }

    /// The topic was made just now, or is told by rows of its own: nothing was sent in it before I was there.
    pub fn begin(&mut self, topic: TopicId) {
        let seen = self.all.get_mut(&topic).filter(|state| state.is_seen());
        if let Some(state) = seen
            && state.head.read.is_none()
        {
            state.head.read = Some(ReadBefore::default());
            self.new_heads.insert(topic);
        }
    }

    /// Other rights: what may be read of the topic is not known any more, which the store remembers.
    pub fn lose_floor(&mut self, topic: TopicId) {
        if let Some(state) = self.all.get_mut(&topic)
            && (!state.held.is_empty() || state.head.floor > Seq::ZERO)
        {
            state.head.floor = Seq::ZERO;
            self.new_heads.insert(topic);
            if state.phase.live().is_some() {
                self.rounds.want(topic);
            }
        }
    }

    /// What lies before the floor may not be read any more.
    fn take_floor(&mut self, topic: TopicId, floor: Seq, turn: &mut Turn) {
        let Some(state) = self.all.get_mut(&topic) else {
            return;
        };
        if state.head.floor != floor {
            state.head.floor = floor;
            self.new_heads.insert(topic);
        }
        if state.held.first().is_some_and(|first| first < floor) {
            let last = Seq(floor.0 - 1);
            state.held.remove(Seq(1), last);
            turn.apply(Write::DropRange(topic, Seq(1), last));
            self.new_islands.insert(topic);
        }
    }

    /// What a turn made of islands and heads goes to the store.
    pub fn settle(&mut self, turn: &mut Turn) {
        for topic in std::mem::take(&mut self.new_islands) {
            let Some(state) = self.all.get_mut(&topic) else {
                continue;
            };
            for (from, to) in state.held.shrink() {
                turn.apply(Write::DropRange(topic, from, to));
            }
            turn.apply(Write::Islands(topic, state.held.islands()));
            self.note_behind(topic);
        }
        for topic in std::mem::take(&mut self.new_heads) {
            if let Some(state) = self.all.get(&topic) {
                turn.apply(Write::Head(topic, state.head.clone()));
                self.note_behind(topic);
            }
        }
    }
}

//! Topics: watching them, pages of their history, what changed in what is held of them.

use std::collections::BTreeSet;

use tulou_protocol::{
    Body, Log, Question, Rev, Row, Seq, TopicId,
    frame::Response,
    id::Millis,
    limits::{GAP_MS, WATCHES},
    push::TopicHead as MovedHead,
    question::Watched,
    row::Message,
};

use crate::{
    ahead::Ahead,
    engine::{Asked, Engine},
    io::{Change, Island, TopicHead},
    island::Held,
};

/// What is known and held of a topic.
#[derive(Debug, Default)]
pub struct Topic {
    /// It may be seen, as far as known. What comes late of one that may not is not kept.
    pub is_seen: bool,
    /// Its row in a community says so.
    pub has_row: bool,
    /// Its head, as far as known.
    pub head: TopicHead,
    /// The rev of the digest that named the wide mentions.
    digest_rev: Rev,
    /// What is held.
    pub held: Held,
    /// While watched: everything up to here was applied to what is held, and the tail is held to the end.
    pub cursor: Option<Rev>,
    /// While watched: what came beyond a gap.
    pub ahead: Ahead,
    /// When a gap is synced.
    pub gap_at: Option<Millis>,
    /// It is being synced.
    pub is_syncing: bool,
    /// What is held has to be looked through: it may not be seen any more.
    pub recheck: bool,
    /// The server had less than is held; what the store keeps of it goes with the next answer.
    pub is_rewound: bool,
    /// When what is held was looked through last.
    pub looked_at: Millis,
}

impl Topic {
    /// Whether what is held has to be looked through whatever the head says: rights changed, or may have.
    pub fn must_be_checked(&self) -> bool {
        let is_floor_known = self.head.floor > Seq::ZERO || self.held.is_empty();
        self.is_rewound || self.recheck || !is_floor_known
    }
}

/// Which topics are watched.
#[derive(Debug, Default)]
pub struct Watches {
    /// Topics that are shown, the latest last.
    pub shown: Vec<TopicId>,
    /// Those that the server pushes.
    pub on: BTreeSet<TopicId>,
    /// Those that the server left out: not there yet, or not to be seen.
    pub refused: BTreeSet<TopicId>,
    /// The server has to be told.
    pub is_dirty: bool,
}

impl Watches {
    /// What the server is told.
    fn wished(&self) -> Vec<TopicId> {
        let from = self.shown.len().saturating_sub(WATCHES);
        self.shown.iter().skip(from).copied().collect()
    }
}

/// A message row that can stand alone: with both parts, or with none of the second ever made.
pub fn is_whole(message: &Message) -> bool {
    message.content.is_some() && (message.marks.is_some() || message.marks_rev == Rev::ZERO)
}

/// The place of a message row.
pub fn seq_of(row: &Row) -> Option<Seq> {
    if let Body::Message(message) = &row.body {
        Some(message.seq)
    } else {
        None
    }
}

impl Engine {
    pub(crate) fn show(&mut self, topic: TopicId) {
        if self.watches.shown.contains(&topic) {
            return;
        }
        self.watches.shown.push(topic);
        self.watches.is_dirty = true;
        self.topics.entry(topic).or_default();
    }

    pub(crate) fn hide(&mut self, topic: TopicId) {
        let before = self.watches.shown.len();
        self.watches.shown.retain(|other| *other != topic);
        self.watches.is_dirty |= before != self.watches.shown.len();
        self.watches.on.remove(&topic);
        self.watches.refused.remove(&topic);
        self.to_sync.remove(&topic);
        self.stop_following(topic);
        self.note_behind(topic);
    }

    pub(crate) fn is_shown(&self, topic: TopicId) -> bool {
        self.watches.shown.contains(&topic)
    }

    /// Whether the server pushes the topic, or is to be asked to.
    pub(crate) fn is_watch_wished(&self, topic: TopicId) -> bool {
        self.watches.wished().contains(&topic) && !self.watches.refused.contains(&topic)
    }

    /// Nothing more is pushed of the topic; what waited behind a gap is dropped.
    fn stop_following(&mut self, topic: TopicId) {
        let Some(state) = self.topics.get_mut(&topic) else {
            return;
        };
        state.cursor = None;
        state.gap_at = None;
        self.drop_ahead(topic);
    }

    /// What waited behind a gap leaves the store, but for what became part of an island meanwhile.
    pub(crate) fn drop_ahead(&mut self, topic: TopicId) {
        let Some(state) = self.topics.get_mut(&topic) else {
            return;
        };
        for seq in state.ahead.clear() {
            if !state.held.contains(seq) {
                self.out.apply(Change::DropRange(topic, seq, seq));
                self.out.islands.insert(topic);
            }
        }
    }

    /// The server does not push the topic any more: it is asked to, if it lets us.
    pub(crate) fn end_watch(&mut self, topic: TopicId) {
        self.watches.on.remove(&topic);
        self.stop_following(topic);
        self.watches.is_dirty = true;
    }

    /// Watches end with the link.
    pub(crate) fn lose_topics(&mut self) {
        for topic in self.watches.shown.clone() {
            self.stop_following(topic);
        }
        for (topic, state) in &mut self.topics {
            state.is_syncing = false;
            if state.is_rewound {
                self.behind.insert(*topic);
            }
        }
        self.to_sync.clear();
        self.watches.on.clear();
        self.watches.refused.clear();
    }

    pub(crate) fn forget_topic(&mut self, topic: TopicId) {
        self.topics.remove(&topic);
        self.to_sync.remove(&topic);
        self.behind.remove(&topic);
        self.wants.retain(|(other, _)| *other != topic);
        self.watches.on.remove(&topic);
        if self.is_shown(topic) {
            self.watches.refused.insert(topic);
            self.topics.entry(topic).or_default();
        }
        self.out.apply(Change::Forget(Log::Topic(topic)));
    }

    /// The head is at least there.
    pub(crate) fn raise_head(&mut self, topic: TopicId, seq: Seq, rev: Rev) {
        let head = &mut self.topics.entry(topic).or_default().head;
        if head.seq < seq || head.rev < rev {
            head.seq = head.seq.max(seq);
            head.rev = head.rev.max(rev);
            self.out.heads.insert(topic);
        }
    }

    /// A head from a digest.
    pub(crate) fn take_head(&mut self, topic: TopicId, moved: MovedHead) {
        self.raise_head(topic, moved.head_seq, moved.rev);
        let Some(state) = self.topics.get_mut(&topic) else {
            return;
        };
        if moved.rev >= state.digest_rev {
            state.digest_rev = moved.rev;
            if state.head.wide_mentions != moved.wide_mentions {
                state.head.wide_mentions = moved.wide_mentions;
                self.out.heads.insert(topic);
            }
        }
    }

    pub(crate) fn pump_watch(&mut self) {
        let is_asking = self.asking(|asked| matches!(asked, Asked::Watch(_))) > 0;
        if !self.watches.is_dirty || is_asking {
            return;
        }
        self.watches.is_dirty = false;
        let topics = self.watches.wished();
        let ended: Vec<TopicId> = self
            .watches
            .on
            .iter()
            .filter(|topic| !topics.contains(topic))
            .copied()
            .collect();
        for topic in ended {
            self.watches.on.remove(&topic);
            self.stop_following(topic);
        }
        self.ask(
            Asked::Watch(topics.clone()),
            Question::SessionWatch { topics },
        );
    }

    pub(crate) fn take_watched(&mut self, asked: &[TopicId], response: Response) {
        let watched = match response.into_result::<Watched>() {
            Ok(watched) => watched,
            Err(refusal) => {
                self.watches.is_dirty = true;
                self.question_refused(&refusal);
                return;
            }
        };
        for topic in asked
            .iter()
            .copied()
            .filter(|topic| self.watches.shown.contains(topic))
            .collect::<Vec<_>>()
        {
            let Some(found) = watched.topics.iter().find(|found| found.topic == topic) else {
                self.watches.on.remove(&topic);
                self.watches.refused.insert(topic);
                self.stop_following(topic);
                self.doubt(topic);
                continue;
            };
            self.watches.on.insert(topic);
            self.watches.refused.remove(&topic);
            self.topics.entry(topic).or_default().is_seen = true;
            self.raise_head(topic, found.head_seq, found.rev);
            self.follow(topic, found.head_seq, found.rev);
        }
    }

    /// Every change after `rev` is pushed from here on. If what is held is as new, nothing has to be asked.
    fn follow(&mut self, topic: TopicId, head_seq: Seq, rev: Rev) {
        let Some(state) = self.topics.get_mut(&topic) else {
            return;
        };
        if state.cursor.is_some() {
            self.expect(topic);
            return;
        }
        let is_all_held = match state.held.last() {
            Some(last) => last >= head_seq,
            None => head_seq == Seq::ZERO || state.head.floor > head_seq,
        };
        let is_valid = state.held.oldest().is_none_or(|oldest| oldest >= rev);
        if is_all_held && is_valid && !state.must_be_checked() {
            self.move_topic_cursor(topic, rev);
        } else {
            self.to_sync.insert(topic);
        }
    }

    /// A push that follows on the cursor was applied: what was valid as of it is valid as of `rev`.
    pub(crate) fn advance_topic(&mut self, topic: TopicId, rev: Rev) {
        if let Some(state) = self.topics.get_mut(&topic)
            && let Some(cursor) = state.cursor
        {
            state.held.advance(cursor, cursor.max(rev));
        }
        self.move_topic_cursor(topic, rev);
    }

    /// The cursor of a watched topic moves to `rev`, and on through what came before it. What is held keeps its revs:
    /// part of it may have come after the changes up to `rev` were asked for.
    pub(crate) fn move_topic_cursor(&mut self, topic: TopicId, rev: Rev) {
        let Some(state) = self.topics.get_mut(&topic) else {
            return;
        };
        let mut cursor = state.cursor.unwrap_or(rev).max(rev);
        let (_, reached) = state.ahead.reached(cursor);
        for stretch in reached {
            for seq in stretch.seqs {
                state.held.insert(Island {
                    from: seq,
                    to: seq,
                    rev: stretch.rev,
                });
            }
            let next = cursor.max(stretch.rev);
            state.held.advance(cursor, next);
            cursor = next;
        }
        state.cursor = Some(cursor);
        self.out.islands.insert(topic);
        self.expect(topic);
    }

    /// If more is known to be there than was applied, it is synced unless it comes by itself.
    pub(crate) fn expect(&mut self, topic: TopicId) {
        let Some(state) = self.topics.get_mut(&topic) else {
            return;
        };
        let Some(cursor) = state.cursor else { return };
        let is_behind = state.head.rev > cursor
            || state.held.oldest().is_some_and(|oldest| oldest < cursor)
            || !state.ahead.is_empty();
        if !is_behind {
            state.gap_at = None;
        } else if state.gap_at.is_none() {
            state.gap_at = Some(self.now + GAP_MS);
        }
    }

    pub(crate) fn close_topic_gaps(&mut self) {
        for topic in &self.watches.on {
            if let Some(state) = self.topics.get_mut(topic)
                && state.gap_at.is_some_and(|at| at <= self.now)
            {
                state.gap_at = None;
                self.to_sync.insert(*topic);
            }
        }
    }

    pub(crate) fn topics_due(&self) -> Option<Millis> {
        self.watches
            .on
            .iter()
            .filter_map(|topic| self.topics.get(topic)?.gap_at)
            .min()
    }

    pub(crate) fn are_watches_complete(&self) -> bool {
        !self.watches.is_dirty
            && self.asking(|asked| matches!(asked, Asked::Watch(_))) == 0
            && self.watches.on.iter().all(|topic| {
                self.topics
                    .get(topic)
                    .is_some_and(|state| state.cursor.is_some())
            })
    }
}

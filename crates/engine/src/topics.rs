//! Topics: watching them, pages of their history, what changed in what is held of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tulou_protocol::{
    Body, Log, Question, Rev, Row, Seq, TopicId,
    frame::Response,
    id::Millis,
    limits::{GAP_MS, WATCHES},
    push::TopicHead as MovedHead,
    question::{PageAt, Watched},
    row::Message,
};

use crate::{
    ahead::Ahead,
    engine::Engine,
    io::{Change, Island, TopicHead},
    island::Held,
    questions::Asked,
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

/// All topics, and what is to be done about them.
#[derive(Debug, Default)]
pub struct Topics {
    pub all: BTreeMap<TopicId, Topic>,
    pub watches: Watches,
    /// Pages wanted, in the order of asking.
    pub wants: VecDeque<(TopicId, PageAt)>,
    /// Topics to be synced as soon as possible.
    pub to_sync: BTreeSet<TopicId>,
    /// Unwatched topics that are known to have changed since they were held.
    pub behind: BTreeSet<TopicId>,
}

impl Topics {
    pub fn is_shown(&self, topic: TopicId) -> bool {
        self.watches.shown.contains(&topic)
    }

    /// Whether the topic's next rows make the message part of what is held. Nothing brings one that may not be read, or
    /// that lies before all that is held, or of a topic that nobody looks at.
    pub fn is_coming(&self, topic: TopicId, seq: Seq) -> bool {
        let Some(state) = self.all.get(&topic) else {
            return false;
        };
        let is_followed = state.cursor.is_some()
            && state.gap_at.is_none()
            && !state.is_syncing
            && !self.to_sync.contains(&topic);
        let is_watch_wished =
            self.watches.wished().contains(&topic) && !self.watches.refused.contains(&topic);
        is_watch_wished && !is_followed && !state.held.contains(seq) && seq >= state.head.floor
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
        if self.topics.watches.shown.contains(&topic) {
            return;
        }
        self.topics.watches.shown.push(topic);
        self.topics.watches.is_dirty = true;
        self.topics.all.entry(topic).or_default();
    }

    pub(crate) fn hide(&mut self, topic: TopicId) {
        let before = self.topics.watches.shown.len();
        self.topics.watches.shown.retain(|other| *other != topic);
        self.topics.watches.is_dirty |= before != self.topics.watches.shown.len();
        self.topics.watches.on.remove(&topic);
        self.topics.watches.refused.remove(&topic);
        self.topics.to_sync.remove(&topic);
        self.stop_following(topic);
        self.note_behind(topic);
    }

    /// Nothing more is pushed of the topic; what waited behind a gap is dropped.
    fn stop_following(&mut self, topic: TopicId) {
        let Some(state) = self.topics.all.get_mut(&topic) else {
            return;
        };
        state.cursor = None;
        state.gap_at = None;
        self.drop_ahead(topic);
    }

    /// What waited behind a gap leaves the store, but for what became part of an island meanwhile.
    pub(crate) fn drop_ahead(&mut self, topic: TopicId) {
        let Some(state) = self.topics.all.get_mut(&topic) else {
            return;
        };
        for seq in state.ahead.clear() {
            if !state.held.contains(seq) {
                self.turn.apply(Change::DropRange(topic, seq, seq));
                self.turn.islands.insert(topic);
            }
        }
    }

    /// The server does not push the topic any more: it is asked to, if it lets us.
    pub(crate) fn end_watch(&mut self, topic: TopicId) {
        self.topics.watches.on.remove(&topic);
        self.stop_following(topic);
        self.topics.watches.is_dirty = true;
    }

    /// Watches end with the link.
    pub(crate) fn lose_topics(&mut self) {
        for topic in self.topics.watches.shown.clone() {
            self.stop_following(topic);
        }
        for (topic, state) in &mut self.topics.all {
            state.is_syncing = false;
            if state.is_rewound {
                self.topics.behind.insert(*topic);
            }
        }
        self.topics.to_sync.clear();
        self.topics.watches.on.clear();
        self.topics.watches.refused.clear();
    }

    pub(crate) fn forget_topic(&mut self, topic: TopicId) {
        self.topics.all.remove(&topic);
        self.topics.to_sync.remove(&topic);
        self.topics.behind.remove(&topic);
        self.topics.wants.retain(|(other, _)| *other != topic);
        self.topics.watches.on.remove(&topic);
        if self.topics.is_shown(topic) {
            self.topics.watches.refused.insert(topic);
            self.topics.all.entry(topic).or_default();
        }
        self.turn.apply(Change::Forget(Log::Topic(topic)));
    }

    /// The head is at least there.
    pub(crate) fn raise_head(&mut self, topic: TopicId, seq: Seq, rev: Rev) {
        let head = &mut self.topics.all.entry(topic).or_default().head;
        if head.seq < seq || head.rev < rev {
            head.seq = head.seq.max(seq);
            head.rev = head.rev.max(rev);
            self.turn.heads.insert(topic);
        }
    }

    /// A head from a digest.
    pub(crate) fn take_head(&mut self, topic: TopicId, moved: MovedHead) {
        self.raise_head(topic, moved.head_seq, moved.rev);
        let Some(state) = self.topics.all.get_mut(&topic) else {
            return;
        };
        if moved.rev >= state.digest_rev {
            state.digest_rev = moved.rev;
            if state.head.wide_mentions != moved.wide_mentions {
                state.head.wide_mentions = moved.wide_mentions;
                self.turn.heads.insert(topic);
            }
        }
    }

    pub(crate) fn pump_watch(&mut self) {
        let is_asking = self
            .questions
            .count(|asked| matches!(asked, Asked::Watch(_)))
            > 0;
        if !self.topics.watches.is_dirty || is_asking {
            return;
        }
        self.topics.watches.is_dirty = false;
        let topics = self.topics.watches.wished();
        let ended: Vec<TopicId> = self
            .topics
            .watches
            .on
            .iter()
            .filter(|topic| !topics.contains(topic))
            .copied()
            .collect();
        for topic in ended {
            self.topics.watches.on.remove(&topic);
            self.stop_following(topic);
        }
        self.questions.ask(
            Asked::Watch(topics.clone()),
            Question::SessionWatch { topics },
            &mut self.turn,
        );
    }

    pub(crate) fn take_watched(&mut self, asked: &[TopicId], response: Response) {
        let watched = match response.into_result::<Watched>() {
            Ok(watched) => watched,
            Err(refusal) => {
                self.topics.watches.is_dirty = true;
                self.question_refused(&refusal);
                return;
            }
        };
        for topic in asked
            .iter()
            .copied()
            .filter(|topic| self.topics.watches.shown.contains(topic))
            .collect::<Vec<_>>()
        {
            let Some(found) = watched.topics.iter().find(|found| found.topic == topic) else {
                self.topics.watches.on.remove(&topic);
                self.topics.watches.refused.insert(topic);
                self.stop_following(topic);
                self.doubt(topic);
                continue;
            };
            self.topics.watches.on.insert(topic);
            self.topics.watches.refused.remove(&topic);
            self.topics.all.entry(topic).or_default().is_seen = true;
            self.raise_head(topic, found.head_seq, found.rev);
            self.follow(topic, found.head_seq, found.rev);
        }
    }

    /// Every change after `rev` is pushed from here on. If what is held is as new, nothing has to be asked.
    fn follow(&mut self, topic: TopicId, head_seq: Seq, rev: Rev) {
        let Some(state) = self.topics.all.get_mut(&topic) else {
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
            self.topics.to_sync.insert(topic);
        }
    }

    /// A push that follows on the cursor was applied: what was valid as of it is valid as of `rev`.
    pub(crate) fn advance_topic(&mut self, topic: TopicId, rev: Rev) {
        if let Some(state) = self.topics.all.get_mut(&topic)
            && let Some(cursor) = state.cursor
        {
            state.held.advance(cursor, cursor.max(rev));
        }
        self.move_topic_cursor(topic, rev);
    }

    /// The cursor of a watched topic moves to `rev`, and on through what came before it. What is held keeps its revs:
    /// part of it may have come after the changes up to `rev` were asked for.
    pub(crate) fn move_topic_cursor(&mut self, topic: TopicId, rev: Rev) {
        let Some(state) = self.topics.all.get_mut(&topic) else {
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
        self.turn.islands.insert(topic);
        self.expect(topic);
    }

    /// If more is known to be there than was applied, it is synced unless it comes by itself.
    pub(crate) fn expect(&mut self, topic: TopicId) {
        let Some(state) = self.topics.all.get_mut(&topic) else {
            return;
        };
        let Some(cursor) = state.cursor else { return };
        let is_behind = state.head.rev > cursor
            || state.held.oldest().is_some_and(|oldest| oldest < cursor)
            || !state.ahead.is_empty();
        if !is_behind {
            state.gap_at = None;
        } else if state.gap_at.is_none() {
            state.gap_at = Some(self.turn.now() + GAP_MS);
        }
    }

    pub(crate) fn close_topic_gaps(&mut self) {
        for topic in &self.topics.watches.on {
            if let Some(state) = self.topics.all.get_mut(topic)
                && state.gap_at.is_some_and(|at| at <= self.turn.now())
            {
                state.gap_at = None;
                self.topics.to_sync.insert(*topic);
            }
        }
    }

    pub(crate) fn topics_due(&self) -> Option<Millis> {
        self.topics
            .watches
            .on
            .iter()
            .filter_map(|topic| self.topics.all.get(topic)?.gap_at)
            .min()
    }

    pub(crate) fn are_watches_complete(&self) -> bool {
        !self.topics.watches.is_dirty
            && self
                .questions
                .count(|asked| matches!(asked, Asked::Watch(_)))
                == 0
            && self.topics.watches.on.iter().all(|topic| {
                self.topics
                    .all
                    .get(topic)
                    .is_some_and(|state| state.cursor.is_some())
            })
    }
}

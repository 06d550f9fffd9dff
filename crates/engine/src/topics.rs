//! Topics: watching them, pages of their history, what changed in what is held of them.

use std::collections::BTreeSet;

use tulou_protocol::{
    Body, Log, Question, Rev, Row, Seq, TopicId,
    frame::{Refusal, Response},
    id::Millis,
    limits::{GAP_MS, WATCHES},
    push::{SyncOutcome, TopicHead as MovedHead},
    question::{Page, PageAt, Range, SyncLog, Watched},
    row::Message,
};

use crate::{
    ahead::Ahead,
    engine::{Asked, Engine},
    io::{Change, Island, LinkState, TopicHead},
    island::{Held, ISLANDS},
};

/// Rows in a page of history.
const PAGE_ROWS: usize = 100;
/// Pages on their way.
const PAGES: usize = 4;
/// Pages that wait to be asked for; beyond, the oldest wish is dropped.
const WANTS: usize = 64;
/// How long nothing must be on its way before what is held of unwatched topics is looked through.
const IDLE_MS: Millis = 2_000;
/// Unwatched topics that are looked through at a time.
const IDLE_TOPICS: usize = 4;
/// How long an unwatched topic that was looked through is left alone.
const REVALIDATE_MS: Millis = 60_000;
/// How often heads are asked for without a reason, against a last digest that was lost.
const REFRESH_MS: Millis = 600_000;

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
    /// What is held has to be looked through whatever the head says: rights changed.
    pub recheck: bool,
    /// The server had less than is held; what the store keeps of it goes with the next answer.
    is_rewound: bool,
    /// When what is held was looked through last.
    looked_at: Millis,
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

    /// Nothing more is pushed of the topic; what waited behind a gap is dropped.
    fn stop_following(&mut self, topic: TopicId) {
        let Some(state) = self.topics.get_mut(&topic) else {
            return;
        };
        state.cursor = None;
        state.gap_at = None;
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
        if is_all_held && is_valid && !state.recheck && !state.is_rewound {
            self.move_topic_cursor(topic, rev);
        } else {
            self.to_sync.insert(topic);
        }
    }

    /// The cursor of a watched topic moves to `rev`, and on through what came before it.
    pub(crate) fn move_topic_cursor(&mut self, topic: TopicId, rev: Rev) {
        let Some(state) = self.topics.get_mut(&topic) else {
            return;
        };
        let was = state.cursor.unwrap_or(rev);
        let mut cursor = was.max(rev);
        state.held.advance(was, cursor);
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

    pub(crate) fn sync_topics(&mut self, topics: &[TopicId]) {
        let mut logs = Vec::with_capacity(topics.len());
        for topic in topics {
            self.to_sync.remove(topic);
            let Some(state) = self.topics.get_mut(topic) else {
                continue;
            };
            state.is_syncing = true;
            state.gap_at = None;
            state.looked_at = self.now;
            let mut parts = state.held.segments().to_vec();
            if parts.len() > ISLANDS {
                parts = state.held.islands();
            }
            logs.push(SyncLog {
                log: Log::Topic(*topic),
                since: state.held.newest().unwrap_or_default(),
                view: None,
                ranges: parts
                    .into_iter()
                    .map(|Island { from, to, rev }| Range { from, to, rev })
                    .collect(),
            });
        }
        if !logs.is_empty() {
            self.ask(Asked::Sync(logs.clone()), Question::LogSync { logs });
        }
    }

    pub(crate) fn take_synced_topic(
        &mut self,
        topic: TopicId,
        asked: &SyncLog,
        outcome: SyncOutcome,
    ) {
        let is_followed = self.watches.on.contains(&topic);
        let Some(state) = self.topics.get_mut(&topic).filter(|state| state.is_seen) else {
            return;
        };
        let (rev, head_seq, floor, rows, tail_from, has_more, authors) = match outcome {
            SyncOutcome::Topic {
                rev,
                head_seq,
                floor,
                rows,
                tail_from,
                has_more,
                authors,
            } => (rev, head_seq, floor, rows, tail_from, has_more, authors),
            SyncOutcome::Ahead { .. } => {
                state.is_rewound = true;
                state.held = Held::default();
                state.cursor = None;
                state.ahead.clear();
                self.to_sync.insert(topic);
                return;
            }
            SyncOutcome::Gone {} => {
                self.forget_topic(topic);
                return;
            }
            // Only other logs are answered so.
            SyncOutcome::Rows { .. } | SyncOutcome::Reset { .. } => return,
        };
        if std::mem::take(&mut state.is_rewound) {
            if state.head.seq > head_seq {
                self.out.apply(Change::Lost(topic, head_seq));
            }
            self.out
                .apply(Change::DropRange(topic, Seq(1), Seq(i64::MAX as u64)));
            state.head = TopicHead::default();
            state.held = Held::default();
        }
        for range in &asked.ranges {
            state.held.raise(range.from, range.to, rev);
        }
        if let Some(from) = tail_from.filter(|_| !has_more) {
            // What came beyond a gap, on this link or before the program ended, is not part of any island.
            let before = state.held.last().unwrap_or_default().next();
            if before < from {
                for seq in state.ahead.clear() {
                    self.out.apply(Change::DropRange(topic, seq, seq));
                }
                self.out
                    .apply(Change::DropRange(topic, before, Seq(from.0 - 1)));
            }
            state.held.insert(Island {
                from,
                to: head_seq,
                rev,
            });
        }
        self.take_floor(topic, floor);
        self.raise_head(topic, head_seq, if has_more { Rev::ZERO } else { rev });
        self.keep_rows(topic, rows);
        self.out.islands.insert(topic);
        self.want_profiles(authors);
        if has_more {
            self.to_sync.insert(topic);
            return;
        }
        if let Some(state) = self.topics.get_mut(&topic) {
            state.recheck = false;
        }
        if is_followed {
            self.move_topic_cursor(topic, rev);
        }
        self.note_behind(topic);
    }

    /// What lies before the floor may not be read any more.
    fn take_floor(&mut self, topic: TopicId, floor: Seq) {
        let Some(state) = self.topics.get_mut(&topic) else {
            return;
        };
        if state.head.floor != floor {
            state.head.floor = floor;
            self.out.heads.insert(topic);
        }
        let is_below = state
            .held
            .segments()
            .first()
            .is_some_and(|first| first.from < floor);
        if is_below {
            let last = Seq(floor.0 - 1);
            state.held.remove(Seq(1), last);
            self.out.apply(Change::DropRange(topic, Seq(1), last));
            self.out.islands.insert(topic);
        }
    }

    /// Rows of what is held go to the store.
    pub(crate) fn keep_rows(&mut self, topic: TopicId, mut rows: Vec<Row>) {
        let Some(state) = self.topics.get(&topic) else {
            return;
        };
        rows.retain(|row| seq_of(row).is_some_and(|seq| state.held.contains(seq)));
        if !rows.is_empty() {
            self.out.apply(Change::Rows(Log::Topic(topic), rows));
        }
    }

    pub(crate) fn want(&mut self, topic: TopicId, at: PageAt) {
        let is_asked = self.asking(
            |asked| matches!(asked, Asked::Page(other, place) if (*other, *place) == (topic, at)),
        ) > 0;
        if is_asked || self.wants.contains(&(topic, at)) {
            return;
        }
        if self.wants.len() >= WANTS {
            self.wants.pop_front();
        }
        self.wants.push_back((topic, at));
    }

    /// A page that was on its way when the link was lost.
    pub(crate) fn want_again(&mut self, topic: TopicId, at: PageAt) {
        self.wants.push_front((topic, at));
    }

    pub(crate) fn pump_wants(&mut self) {
        while self.asking(|asked| matches!(asked, Asked::Page(..))) < PAGES
            && let Some((topic, at)) = self.wants.pop_front()
        {
            let page = Question::TopicPage {
                topic,
                at,
                limit: PAGE_ROWS,
            };
            self.ask(Asked::Page(topic, at), page);
        }
    }

    pub(crate) fn take_page(&mut self, topic: TopicId, at: PageAt, response: Response) {
        let page = match response.into_result::<Page>() {
            Ok(page) => page,
            Err(refusal) => {
                if matches!(refusal, Refusal::Busy(_)) {
                    self.want_again(topic, at);
                    self.question_refused(&refusal);
                }
                return;
            }
        };
        let Some(state) = self.topics.get_mut(&topic).filter(|state| state.is_seen) else {
            return;
        };
        if state.is_rewound {
            self.want_again(topic, at);
            self.to_sync.insert(topic);
            return;
        }
        state.held.insert(Island {
            from: page.from,
            to: page.to,
            rev: page.rev,
        });
        let is_older = state.cursor.is_some_and(|cursor| page.rev < cursor);
        self.take_floor(topic, page.floor);
        self.raise_head(topic, page.head_seq, page.rev);
        self.keep_rows(topic, page.rows);
        self.out.islands.insert(topic);
        self.want_profiles(page.authors);
        if is_older {
            self.to_sync.insert(topic);
        } else {
            self.expect(topic);
        }
    }

    /// What is held of topics without a row is asked about in idle time: they may not be seen any more.
    pub(crate) fn doubt_topics_without_row(&mut self) {
        let doubted: Vec<TopicId> = self
            .topics
            .iter()
            .filter(|(_, state)| !state.has_row)
            .map(|(topic, _)| *topic)
            .collect();
        for topic in doubted {
            self.doubt(topic);
        }
    }

    fn doubt(&mut self, topic: TopicId) {
        if let Some(state) = self.topics.get_mut(&topic) {
            state.recheck = true;
            self.note_behind(topic);
        }
    }

    /// Whether what is held of an unwatched topic is known to be old.
    pub(crate) fn note_behind(&mut self, topic: TopicId) {
        let is_behind = self.topics.get(&topic).is_some_and(|state| {
            let oldest = state.held.oldest();
            let is_old = oldest.is_some_and(|oldest| state.recheck || state.head.rev > oldest);
            state.cursor.is_none() && (is_old || state.is_rewound)
        });
        if is_behind {
            self.behind.insert(topic);
        } else {
            self.behind.remove(&topic);
        }
    }

    /// When the link is idle, what is held of unwatched topics is looked through, a few at a time.
    pub(crate) fn pump_idle(&mut self) {
        let is_busy = self.now < self.pause_until.max(self.quiet_since + IDLE_MS);
        if self.link.told != Some(LinkState::Synced) || is_busy {
            return;
        }
        let now = self.now;
        let topics: Vec<TopicId> = self
            .behind
            .iter()
            .filter(|topic| {
                self.topics
                    .get(topic)
                    .is_some_and(|state| now >= state.looked_at + REVALIDATE_MS)
            })
            .take(IDLE_TOPICS)
            .copied()
            .collect();
        self.quiet_since = now;
        if !topics.is_empty() {
            self.sync_topics(&topics);
            return;
        }
        for state in self.communities.values_mut() {
            if now >= state.asked_at + REFRESH_MS {
                state.asked_at = now;
                state.ask_heads_since(state.as_of);
            }
        }
        self.pump_heads();
    }

    pub(crate) fn idle_due(&self) -> Option<Millis> {
        if self.link.told != Some(LinkState::Synced) {
            return None;
        }
        let topics = self
            .behind
            .iter()
            .filter_map(|topic| Some(self.topics.get(topic)?.looked_at + REVALIDATE_MS));
        let communities = self
            .communities
            .values()
            .map(|state| state.asked_at + REFRESH_MS);
        let due = topics.chain(communities).min()?;
        Some(due.max(self.quiet_since + IDLE_MS).max(self.pause_until))
    }
}

//! The history of a topic: what changed in what is held of it, its tail, and pages of it.

use tulou_protocol::{
    AccountId, Log, Question, Rev, Row, Seq, TopicId, authors,
    push::SyncOutcome,
    question::{Page, PageAt, Range, SyncLog},
};

use super::{Topic, Topics, islands::ISLANDS, islands::Islands, phase::Trust, seq_of};
use crate::{
    io::{Island, TopicHead, Write},
    questions::{Asked, Questions},
    turn::Turn,
};

/// Topics in a request for changes: each may bring a page of rows.
const TOPICS: usize = 4;
/// Requests for changes on their way.
const SYNCS: usize = 3;
/// Rows in a page of history.
const PAGE_ROWS: usize = 100;
/// Pages on their way.
const PAGES: usize = 4;
/// Pages that wait to be asked for; beyond, the oldest wish is dropped.
const WANTS: usize = 64;

/// What changed in what is held of a topic, and its tail.
struct Changes {
    rev: Rev,
    head_seq: Seq,
    floor: Seq,
    rows: Vec<Row>,
    tail_from: Option<Seq>,
    has_more: bool,
    authors: Vec<(AccountId, Rev)>,
}

impl Topics {
    /// Asks for the changes of topics that have to be synced.
    pub fn pump_sync(&mut self, questions: &mut Questions, turn: &mut Turn) {
        while questions.count(|asked| matches!(asked, Asked::Sync(_))) < SYNCS {
            let topics = self.rounds.next(TOPICS);
            if topics.is_empty() {
                break;
            }
            self.sync(&topics, false, questions, turn);
        }
    }

    pub(super) fn sync(
        &mut self,
        topics: &[TopicId],
        without_tail: bool,
        questions: &mut Questions,
        turn: &mut Turn,
    ) {
        let mut logs = Vec::with_capacity(topics.len());
        for topic in topics {
            self.rounds.drop(*topic);
            let Some(state) = self.all.get_mut(topic) else {
                continue;
            };
            self.rounds.begin(*topic);
            state.phase.end_gap();
            state.looked_at = turn.now();
            logs.push(state.asks_for(*topic, without_tail));
        }
        if !logs.is_empty() {
            let asked = Asked::Sync(logs.clone());
            questions.ask(asked, Question::LogSync { logs }, turn);
        }
    }

    /// An answer about the topic came, whatever it says.
    pub fn end_sync(&mut self, topic: TopicId) {
        self.rounds.end(topic);
    }

    /// The server was busy, or did not understand: it is asked again.
    pub fn sync_again(&mut self, topic: TopicId) {
        if self.all.contains_key(&topic) {
            self.rounds.want(topic);
        }
    }

    /// What changed since it was asked.
    pub fn take_synced(
        &mut self,
        topic: TopicId,
        asked: &SyncLog,
        outcome: SyncOutcome,
        turn: &mut Turn,
    ) {
        let Some(state) = self.all.get_mut(&topic).filter(|state| state.is_seen()) else {
            return;
        };
        match outcome {
            SyncOutcome::Topic {
                rev,
                head_seq,
                floor,
                rows,
                tail_from,
                has_more,
                authors,
            } => {
                let authors = authors::of(&rows, authors);
                let changes = Changes {
                    rev,
                    head_seq,
                    floor,
                    rows,
                    tail_from,
                    has_more,
                    authors,
                };
                self.take_changes(topic, asked, changes, turn);
            }
            SyncOutcome::Ahead { .. } => {
                state.trust = Trust::Rewound;
                state.held = Islands::default();
                state.phase.reopen();
                self.rounds.want(topic);
            }
            SyncOutcome::Gone {} => self.forget(topic, turn),
            // Only other logs are answered so.
            SyncOutcome::Rows { .. } | SyncOutcome::Reset { .. } => {}
        }
    }

    fn take_changes(&mut self, topic: TopicId, asked: &SyncLog, changes: Changes, turn: &mut Turn) {
        let Some(state) = self.all.get_mut(&topic) else {
            return;
        };
        let is_pushed = state.phase.is_pushed();
        if state.is_rewound() {
            state.trust = Trust::Sure;
            turn.apply(Write::DropRange(topic, Seq(1), Seq(i64::MAX as u64)));
            state.head = TopicHead {
                read: state.head.read,
                ..TopicHead::default()
            };
            state.held = Islands::default();
        }
        for range in &asked.ranges {
            state.held.raise(range.from, range.to, changes.rev);
        }
        if let Some(from) = changes.tail_from.filter(|_| !changes.has_more) {
            self.take_tail(topic, (from, changes.head_seq), changes.rev, turn);
        }
        self.take_floor(topic, changes.floor, turn);
        let known = if changes.has_more {
            Rev::ZERO
        } else {
            changes.rev
        };
        self.raise_head(topic, changes.head_seq, known);
        self.keep_rows(topic, changes.rows, turn);
        self.new_islands.insert(topic);
        turn.name(changes.authors);
        if changes.has_more {
            self.rounds.want(topic);
            return;
        }
        if let Some(state) = self.all.get_mut(&topic) {
            state.trust = Trust::Sure;
        }
        if is_pushed && asked.without_tail {
            // It was shown meanwhile: what was written since is wanted after all.
            self.rounds.want(topic);
        } else if is_pushed {
            self.reach(topic, changes.rev, turn);
        }
        self.note_behind(topic);
    }

    /// The newest messages. What came beyond a gap, on this link or before the program ended, is not part of any island.
    fn take_tail(&mut self, topic: TopicId, (from, to): (Seq, Seq), rev: Rev, turn: &mut Turn) {
        let Some(state) = self.all.get(&topic) else {
            return;
        };
        let before = state.held.last().unwrap_or_default().next();
        if before < from {
            self.drop_ahead(topic, turn);
            turn.apply(Write::DropRange(topic, before, Seq(from.0 - 1)));
        }
        if let Some(state) = self.all.get_mut(&topic) {
            state.held.insert(Island {
                from,
                to,
                rev,
                is_paged: false,
            });
        }
    }

    /// Rows of what is held go to the store.
    fn keep_rows(&mut self, topic: TopicId, mut rows: Vec<Row>, turn: &mut Turn) {
        let Some(state) = self.all.get(&topic) else {
            return;
        };
        rows.retain(|row| seq_of(row).is_some_and(|seq| state.held.contains(seq)));
        if !rows.is_empty() {
            turn.apply(Write::Rows(Log::Topic(topic), rows));
        }
    }

    /// A page is wanted.
    pub fn want(&mut self, topic: TopicId, at: PageAt, questions: &Questions) {
        let is_it = |asked: &Asked| matches!(asked, Asked::Page(other, place) if (*other, *place) == (topic, at));
        if questions.count(is_it) > 0 || self.wants.contains(&(topic, at)) {
            return;
        }
        if self.wants.len() >= WANTS {
            self.wants.pop_front();
        }
        self.wants.push_back((topic, at));
    }

    /// A page has to be asked for once more.
    pub fn want_again(&mut self, topic: TopicId, at: PageAt) {
        self.wants.push_front((topic, at));
    }

    /// Asks for pages that are wanted.
    pub fn pump_wants(&mut self, questions: &mut Questions, turn: &mut Turn) {
        while questions.count(|asked| matches!(asked, Asked::Page(..))) < PAGES
            && let Some((topic, at)) = self.wants.pop_front()
        {
            let page = Question::TopicPage {
                topic,
                at,
                limit: PAGE_ROWS,
            };
            questions.ask(Asked::Page(topic, at), page, turn);
        }
    }

    /// A page came.
    pub fn take_page(&mut self, topic: TopicId, at: PageAt, page: Page, turn: &mut Turn) {
        let Some(state) = self.all.get_mut(&topic).filter(|state| state.is_seen()) else {
            return;
        };
        if state.is_rewound() {
            self.want_again(topic, at);
            self.rounds.want(topic);
            return;
        }
        let beyond = state.held.last().unwrap_or_default().next();
        if beyond < page.from {
            // What came beyond a gap before the program ended is not part of any island.
            let last = Seq(page.from.0 - 1);
            turn.apply(Write::DropRange(topic, beyond, last));
        }
        state.held.insert(Island {
            from: page.from,
            to: page.to,
            rev: page.rev,
            is_paged: true,
        });
        let has_gap = state.phase.ahead().is_some_and(|ahead| !ahead.is_empty());
        let cursor = state.phase.cursor();
        let is_older = cursor.is_some_and(|cursor| page.rev < cursor);
        self.take_floor(topic, page.floor, turn);
        self.raise_head(topic, page.head_seq, page.rev);
        turn.name(authors::of(&page.rows, page.authors));
        self.keep_rows(topic, page.rows, turn);
        self.new_islands.insert(topic);
        if has_gap {
            // The page may lie beyond the gap; what waited for it to close is not worth telling apart.
            self.drop_ahead(topic, turn);
        }
        if is_older || has_gap {
            self.rounds.want(topic);
        } else if let Some(state) = self.all.get_mut(&topic) {
            state.expect(turn.now());
        }
    }
}

impl Topic {
    /// How its changes are asked for: with what is held.
    fn asks_for(&self, topic: TopicId, without_tail: bool) -> SyncLog {
        let mut parts = self.held.segments().to_vec();
        if parts.len() > ISLANDS {
            parts = self.held.islands();
        }
        SyncLog {
            log: Log::Topic(topic),
            since: self.held.newest().unwrap_or_default(),
            begun: None,
            view: None,
            ranges: parts
                .into_iter()
                .map(|Island { from, to, rev, .. }| Range { from, to, rev })
                .collect(),
            without_tail,
        }
    }
}

//! The history of a topic: what changed in what is held of it, its tail, and pages of it.

use tulou_protocol::{
    Log, Question, Rev, Row, Seq, TopicId,
    frame::{Refusal, Response},
    push::SyncOutcome,
    question::{Page, PageAt, Range, SyncLog},
};

use crate::{
    engine::Engine,
    io::{Change, Island, TopicHead},
    island::{Held, ISLANDS},
    questions::Asked,
    topics::seq_of,
};

/// Rows in a page of history.
const PAGE_ROWS: usize = 100;
/// Pages on their way.
const PAGES: usize = 4;
/// Pages that wait to be asked for; beyond, the oldest wish is dropped.
const WANTS: usize = 64;

impl Engine {
    pub(crate) fn sync_topics(&mut self, topics: &[TopicId]) {
        let mut logs = Vec::with_capacity(topics.len());
        for topic in topics {
            self.topics.to_sync.remove(topic);
            let Some(state) = self.topics.all.get_mut(topic) else {
                continue;
            };
            state.is_syncing = true;
            state.gap_at = None;
            state.looked_at = self.turn.now();
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
            self.questions.ask(
                Asked::Sync(logs.clone()),
                Question::LogSync { logs },
                &mut self.turn,
            );
        }
    }

    pub(crate) fn take_synced_topic(
        &mut self,
        topic: TopicId,
        asked: &SyncLog,
        outcome: SyncOutcome,
    ) {
        let is_followed = self.topics.watches.on.contains(&topic);
        let Some(state) = self
            .topics
            .all
            .get_mut(&topic)
            .filter(|state| state.is_seen)
        else {
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
                self.topics.to_sync.insert(topic);
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
            self.turn
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
                self.drop_ahead(topic);
                self.turn
                    .apply(Change::DropRange(topic, before, Seq(from.0 - 1)));
            }
            if let Some(state) = self.topics.all.get_mut(&topic) {
                state.held.insert(Island {
                    from,
                    to: head_seq,
                    rev,
                });
            }
        }
        self.take_floor(topic, floor);
        self.raise_head(topic, head_seq, if has_more { Rev::ZERO } else { rev });
        self.keep_rows(topic, rows);
        self.turn.islands.insert(topic);
        self.profiles.want(authors, &mut self.turn);
        if has_more {
            self.topics.to_sync.insert(topic);
            return;
        }
        if let Some(state) = self.topics.all.get_mut(&topic) {
            state.recheck = false;
        }
        if is_followed {
            self.move_topic_cursor(topic, rev);
        }
        self.note_behind(topic);
    }

    /// What lies before the floor may not be read any more.
    fn take_floor(&mut self, topic: TopicId, floor: Seq) {
        let Some(state) = self.topics.all.get_mut(&topic) else {
            return;
        };
        if state.head.floor != floor {
            state.head.floor = floor;
            self.turn.heads.insert(topic);
        }
        let is_below = state
            .held
            .segments()
            .first()
            .is_some_and(|first| first.from < floor);
        if is_below {
            let last = Seq(floor.0 - 1);
            state.held.remove(Seq(1), last);
            self.turn.apply(Change::DropRange(topic, Seq(1), last));
            self.turn.islands.insert(topic);
        }
    }

    /// Rows of what is held go to the store.
    pub(crate) fn keep_rows(&mut self, topic: TopicId, mut rows: Vec<Row>) {
        let Some(state) = self.topics.all.get(&topic) else {
            return;
        };
        rows.retain(|row| seq_of(row).is_some_and(|seq| state.held.contains(seq)));
        if !rows.is_empty() {
            self.turn.apply(Change::Rows(Log::Topic(topic), rows));
        }
    }

    pub(crate) fn want(&mut self, topic: TopicId, at: PageAt) {
        let is_asked = self.questions.count(
            |asked| matches!(asked, Asked::Page(other, place) if (*other, *place) == (topic, at)),
        ) > 0;
        if is_asked || self.topics.wants.contains(&(topic, at)) {
            return;
        }
        if self.topics.wants.len() >= WANTS {
            self.topics.wants.pop_front();
        }
        self.topics.wants.push_back((topic, at));
    }

    /// A page that has to be asked for once more.
    fn want_again(&mut self, topic: TopicId, at: PageAt) {
        self.topics.wants.push_front((topic, at));
    }

    pub(crate) fn pump_wants(&mut self) {
        while self
            .questions
            .count(|asked| matches!(asked, Asked::Page(..)))
            < PAGES
            && let Some((topic, at)) = self.topics.wants.pop_front()
        {
            let page = Question::TopicPage {
                topic,
                at,
                limit: PAGE_ROWS,
            };
            self.questions
                .ask(Asked::Page(topic, at), page, &mut self.turn);
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
        let Some(state) = self
            .topics
            .all
            .get_mut(&topic)
            .filter(|state| state.is_seen)
        else {
            return;
        };
        if state.is_rewound {
            self.want_again(topic, at);
            self.topics.to_sync.insert(topic);
            return;
        }
        let beyond = state.held.last().unwrap_or_default().next();
        if beyond < page.from {
            // What came beyond a gap before the program ended is not part of any island.
            let last = Seq(page.from.0 - 1);
            self.turn.apply(Change::DropRange(topic, beyond, last));
        }
        state.held.insert(Island {
            from: page.from,
            to: page.to,
            rev: page.rev,
        });
        let has_gap = !state.ahead.is_empty();
        let is_older = state.cursor.is_some_and(|cursor| page.rev < cursor);
        self.take_floor(topic, page.floor);
        self.raise_head(topic, page.head_seq, page.rev);
        self.keep_rows(topic, page.rows);
        self.turn.islands.insert(topic);
        self.profiles.want(page.authors, &mut self.turn);
        if has_gap {
            // The page may lie beyond the gap; what waited for it to close is not worth telling apart.
            self.drop_ahead(topic);
        }
        if is_older || has_gap {
            self.topics.to_sync.insert(topic);
        } else {
            self.expect(topic);
        }
    }
}

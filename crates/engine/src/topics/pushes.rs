//! What the server pushes of topics. As with other logs, but only what is held is kept: rows of what is held, and new
//! messages next to it.

use tulou_protocol::{Body, Log, Push, Rev, Row, Seq, TopicId, authors};

use super::{Topic, Topics, is_whole, seq_of};
use crate::{ahead::Span, io::Write, turn::Turn};

impl Topics {
    /// Covered: ignore. Next: apply and move. Beyond a gap: apply what can be, and sync unless the gap closes.
    pub fn take_push(&mut self, topic: TopicId, push: Push, is_news: bool, turn: &mut Turn) {
        let Push {
            prev,
            rev,
            mut rows,
            authors,
            ..
        } = push;
        let Some(state) = self.all.get_mut(&topic).filter(|state| state.is_seen()) else {
            return;
        };
        let cursor = state.phase.cursor();
        if cursor.is_some_and(|cursor| rev <= cursor) {
            return;
        }
        let head_seq = rows.iter().filter_map(seq_of).max().unwrap_or_default();
        let is_next = cursor.is_some_and(|cursor| prev <= cursor);
        let is_pushed = state.phase.is_pushed();
        let authors = authors::of(&rows, authors);
        state.keep(&mut rows, (prev, rev), is_next);
        self.new_islands.insert(topic);
        self.raise_head(topic, head_seq, rev);
        turn.name(authors);
        if is_news && is_pushed {
            for row in &rows {
                turn.hear_message(topic, row);
            }
        }
        if !rows.is_empty() {
            turn.apply(Write::Rows(Log::Topic(topic), rows));
        }
        if is_next {
            self.advance(topic, rev, turn);
        } else if let Some(state) = self.all.get_mut(&topic) {
            state.expect(turn.now());
        }
    }

    /// A push that follows on the cursor was applied: what was valid as of it is valid as of `rev`.
    fn advance(&mut self, topic: TopicId, rev: Rev, turn: &Turn) {
        if let Some(state) = self.all.get_mut(&topic)
            && let Some(cursor) = state.phase.cursor()
        {
            state.held.advance(cursor, cursor.max(rev));
        }
        self.reach(topic, rev, turn);
    }

    /// A note that the topic changed, without its rows.
    pub fn take_stale(&mut self, topic: TopicId, rev: Rev) {
        let state = self.all.get(&topic);
        if state.is_some_and(|state| state.phase.is_pushed()) {
            self.raise_head(topic, Seq::ZERO, rev);
            self.rounds.want(topic);
        }
    }

    /// The head of a topic, as a heartbeat names it.
    pub fn take_heartbeat(&mut self, topic: TopicId, rev: Rev) {
        let cursor = self.all.get(&topic).and_then(|state| state.phase.cursor());
        if cursor.is_some_and(|cursor| rev > cursor) {
            self.raise_head(topic, Seq::ZERO, rev);
            self.rounds.want(topic);
        }
    }
}

impl Topic {
    /// Leaves of the rows of a push those that are kept: of what is held, and new messages. Such are part of what is held
    /// if they come next; beyond a gap they wait until it closes.
    fn keep(&mut self, rows: &mut Vec<Row>, (prev, rev): (Rev, Rev), is_next: bool) {
        let before_floor = Seq(self.head.floor.0.saturating_sub(1));
        let known_seq = self.held.last().unwrap_or_default().max(before_floor);
        // Of a topic just opened nothing says yet which messages are new: its tail is on its way.
        let has_tail = self.phase.live().is_some() || self.held.last().is_some();
        let may_wait = self.phase.is_pushed() && has_tail;
        let mut loose = Vec::new();
        let before = rows.len();
        rows.retain(|row| {
            let Body::Message(message) = &row.body else {
                return false;
            };
            let seq = message.seq;
            if self.held.contains(seq) {
                return true;
            }
            if !is_whole(message) {
                return false;
            }
            let is_new = seq > known_seq;
            if is_next && is_new || self.held.last().unwrap_or_default().next() == seq {
                self.held.insert_one(seq, rev);
                return true;
            }
            if is_new && may_wait {
                loose.push(seq);
            }
            is_new && may_wait
        });
        let is_all_kept = rows.len() == before;
        if !is_next && let Some(ahead) = self.phase.ahead() {
            // A span that lost rows is of no use: what they belong to may be held by the time the gap closes.
            let span = Span {
                prev,
                rev,
                seqs: loose.clone(),
            };
            if !is_all_kept || !ahead.add(span) {
                rows.retain(|row| seq_of(row).is_none_or(|seq| !loose.contains(&seq)));
            }
        }
    }
}

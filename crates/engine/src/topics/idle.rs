//! Looking through what is held in idle time, so that what was recalled leaves the search too.

use tulou_protocol::{Seq, TopicId, id::Millis};

use super::{
    Topics,
    phase::{Sight, Trust},
};
use crate::{io::Write, questions::Questions, turn::Turn};

/// Topics that are looked through at a time.
const IDLE_TOPICS: usize = 4;
/// How long a topic that was looked through is left alone.
const REVALIDATE_MS: Millis = 60_000;

impl Topics {
    /// What is held of topics without a row is asked about in idle time: they may not be seen any more.
    pub fn doubt_rowless(&mut self) {
        let rowless = self
            .all
            .iter()
            .filter(|(_, state)| state.sight < Sight::Row);
        let doubted: Vec<TopicId> = rowless.map(|(topic, _)| *topic).collect();
        for topic in doubted {
            self.doubt(topic);
        }
    }

    /// What is held of the topic may not be seen any more.
    pub(super) fn doubt(&mut self, topic: TopicId) {
        if let Some(state) = self.all.get_mut(&topic) {
            if state.trust == Trust::Sure {
                state.trust = Trust::Doubted;
            }
            self.note_behind(topic);
        }
    }

    /// Whether what is held of a topic that nothing is pushed of is known to be old.
    pub(super) fn note_behind(&mut self, topic: TopicId) {
        if self.all.get(&topic).is_some_and(super::Topic::is_behind) {
            self.behind.insert(topic);
        } else {
            self.behind.remove(&topic);
        }
    }

    /// Looks through what is held of some: those whose turn was longest ago, so that each has its turn. What was written
    /// since is left to the day on which somebody looks.
    pub fn look_through(&mut self, questions: &mut Questions, turn: &mut Turn) {
        let now = turn.now();
        let looked_at = |topic: &TopicId| self.all.get(topic).map(|state| state.looked_at);
        let behind = self.behind.iter();
        let behind = behind.filter_map(|topic| Some((looked_at(topic)?, *topic)));
        let mut due: Vec<(Millis, TopicId)> = behind
            .filter(|(looked_at, _)| now >= looked_at + REVALIDATE_MS)
            .collect();
        due.sort_unstable_by_key(|(looked_at, topic)| (*looked_at, topic.0.as_u128() ^ self.order));
        let due = due.into_iter().take(IDLE_TOPICS);
        let topics: Vec<TopicId> = due.map(|(_, topic)| topic).collect();
        self.sync(&topics, true, questions, turn);
    }

    /// There is no room for messages of a topic up to a place.
    pub fn let_go(&mut self, topic: TopicId, to: Seq, turn: &mut Turn) {
        let mut to = to.0;
        if let Some(state) = self.all.get_mut(&topic) {
            let last = state.held.last().unwrap_or_default().0;
            if self.shown.contains(&topic) {
                to = to.min(last.saturating_sub(1));
            } else if state.phase.is_pushed() {
                // What came beyond a gap waits for it to close.
                to = to.min(last);
            }
            state.held.remove(Seq(1), Seq(to));
        }
        if to > 0 {
            turn.apply(Write::DropRange(topic, Seq(1), Seq(to)));
            self.new_islands.insert(topic);
        }
    }

    /// When there is something to look through.
    pub fn idle_due(&self) -> Option<Millis> {
        let behind = self.behind.iter().filter_map(|topic| self.all.get(topic));
        behind.map(|state| state.looked_at + REVALIDATE_MS).min()
    }
}

//! Looking through what is held in idle time, so that what was recalled leaves the search too.

use tulou_protocol::{TopicId, id::Millis};

use super::{
    Topics,
    phase::{Sight, Trust},
};
use crate::{questions::Questions, turn::Turn};

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

    /// Looks through what is held of some; whether there is something to look through.
    pub fn look_through(&mut self, questions: &mut Questions, turn: &mut Turn) -> bool {
        let now = turn.now();
        let is_due = |topic: &&TopicId| {
            let state = self.all.get(topic);
            state.is_some_and(|state| now >= state.looked_at + REVALIDATE_MS)
        };
        let due = self.behind.iter().filter(is_due).take(IDLE_TOPICS);
        let topics: Vec<TopicId> = due.copied().collect();
        self.sync(&topics, questions, turn);
        !topics.is_empty()
    }

    /// When there is something to look through.
    pub fn idle_due(&self) -> Option<Millis> {
        let behind = self.behind.iter().filter_map(|topic| self.all.get(topic));
        behind.map(|state| state.looked_at + REVALIDATE_MS).min()
    }
}

//! Idle time: what is held of unwatched topics is looked through, so that what was recalled leaves the search too.

use tulou_protocol::{TopicId, id::Millis};

use crate::engine::Engine;

/// How long nothing must be on its way before what is held of unwatched topics is looked through.
const IDLE_MS: Millis = 2_000;
/// Unwatched topics that are looked through at a time.
const IDLE_TOPICS: usize = 4;
/// How long an unwatched topic that was looked through is left alone.
const REVALIDATE_MS: Millis = 60_000;
/// How often heads are asked for without a reason, against a last digest that was lost.
const REFRESH_MS: Millis = 600_000;

impl Engine {
    /// What is held of topics without a row is asked about in idle time: they may not be seen any more.
    pub(crate) fn doubt_topics_without_row(&mut self) {
        let doubted: Vec<TopicId> = self
            .topics
            .all
            .iter()
            .filter(|(_, state)| !state.has_row)
            .map(|(topic, _)| *topic)
            .collect();
        for topic in doubted {
            self.doubt(topic);
        }
    }

    pub(crate) fn doubt(&mut self, topic: TopicId) {
        if let Some(state) = self.topics.all.get_mut(&topic) {
            state.recheck = true;
            self.note_behind(topic);
        }
    }

    /// Whether what is held of an unwatched topic is known to be old.
    pub(crate) fn note_behind(&mut self, topic: TopicId) {
        let is_behind = self.topics.all.get(&topic).is_some_and(|state| {
            let oldest = state.held.oldest();
            let is_old =
                oldest.is_some_and(|oldest| state.must_be_checked() || state.head.rev > oldest);
            state.cursor.is_none() && (is_old || state.is_rewound)
        });
        if is_behind {
            self.topics.behind.insert(topic);
        } else {
            self.topics.behind.remove(&topic);
        }
    }

    /// When the link is idle, what is held of unwatched topics is looked through, a few at a time.
    pub(crate) fn pump_idle(&mut self) {
        let is_busy = self.turn.now()
            < self
                .questions
                .paused_until()
                .max(self.quiet_since + IDLE_MS);
        if !self.link.is_synced() || is_busy {
            return;
        }
        let now = self.turn.now();
        let topics: Vec<TopicId> = self
            .topics
            .behind
            .iter()
            .filter(|topic| {
                self.topics
                    .all
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
        if !self.link.is_synced() {
            return None;
        }
        let topics = self
            .topics
            .behind
            .iter()
            .filter_map(|topic| Some(self.topics.all.get(topic)?.looked_at + REVALIDATE_MS));
        let communities = self
            .communities
            .values()
            .map(|state| state.asked_at + REFRESH_MS);
        let due = topics.chain(communities).min()?;
        Some(
            due.max(self.quiet_since + IDLE_MS)
                .max(self.questions.paused_until()),
        )
    }
}

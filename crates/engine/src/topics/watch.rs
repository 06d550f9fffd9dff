//! What the server is asked to push.

use std::collections::BTreeSet;

use tulou_protocol::{
    Log, Question, Rev, Seq, TopicId,
    id::Millis,
    limits::WATCHES,
    question::{Watched, WatchedTopic},
};

use super::{
    Topics,
    phase::{Phase, Sight},
};
use crate::{
    io::Write,
    questions::{Asked, Questions},
    turn::Turn,
};

impl Topics {
    /// A topic is shown.
    pub fn show(&mut self, topic: TopicId) {
        if self.is_shown(topic) {
            return;
        }
        self.shown.push(topic);
        self.is_watch_due = true;
        self.all.entry(topic).or_default();
    }

    /// It is shown no longer.
    pub fn hide(&mut self, topic: TopicId, turn: &mut Turn) {
        let before = self.shown.len();
        self.shown.retain(|other| *other != topic);
        self.is_watch_due |= before != self.shown.len();
        self.rounds.drop(topic);
        self.leave(topic, Phase::Still, turn);
        self.note_behind(topic);
    }

    /// What the server is asked to push: what was shown last.
    pub(super) fn wished(&self) -> &[TopicId] {
        let from = self.shown.len().saturating_sub(WATCHES);
        &self.shown[from..]
    }

    /// Topics that the server pushes. They are shown.
    pub(super) fn pushed(&self) -> impl Iterator<Item = TopicId> {
        let state = |topic: &&TopicId| self.all.get(topic).map(|state| &state.phase);
        let pushed = self.shown.iter();
        pushed
            .filter(move |topic| state(topic).is_some_and(Phase::is_pushed))
            .copied()
    }

    /// The server does not push the topic any more; what waited beyond a gap is dropped.
    fn leave(&mut self, topic: TopicId, next: Phase, turn: &mut Turn) {
        if let Some(state) = self.all.get_mut(&topic) {
            let loose = state.phase.leave(next);
            self.drop_loose(topic, loose, turn);
        }
    }

    /// What came beyond a gap leaves the store, but for what became part of an island meanwhile.
    pub(super) fn drop_ahead(&mut self, topic: TopicId, turn: &mut Turn) {
        if let Some(ahead) = self
            .all
            .get_mut(&topic)
            .and_then(|state| state.phase.ahead())
        {
            let loose = ahead.clear();
            self.drop_loose(topic, loose, turn);
        }
    }

    fn drop_loose(&mut self, topic: TopicId, loose: Vec<Seq>, turn: &mut Turn) {
        let Some(state) = self.all.get(&topic) else {
            return;
        };
        for seq in loose {
            if !state.held.contains(seq) {
                turn.apply(Write::DropRange(topic, seq, seq));
                self.new_islands.insert(topic);
            }
        }
    }

    /// Everything is asked for on a new link.
    pub fn greeted(&mut self) {
        self.is_watch_due = !self.shown.is_empty();
    }

    /// Watches end with the link.
    pub fn lose_link(&mut self, turn: &mut Turn) {
        for topic in self.shown.clone() {
            self.leave(topic, Phase::Still, turn);
        }
        for (topic, state) in &self.all {
            if state.is_rewound() {
                self.behind.insert(*topic);
            }
        }
        self.rounds.lose();
    }

    /// Other rights: what was refused may be pushed now.
    pub fn try_refused_again(&mut self) {
        let mut phases = self.shown.iter().filter_map(|topic| self.all.get(topic));
        let has_refused = phases.any(|state| state.phase.is_refused());
        self.is_watch_due |= has_refused;
    }

    /// Tells the server what is watched, if that changed.
    pub fn pump_watch(&mut self, questions: &mut Questions, turn: &mut Turn) {
        if !self.is_watch_due || is_asking(questions) {
            return;
        }
        self.is_watch_due = false;
        let topics = self.wished().to_vec();
        let pushed = self.pushed();
        let ended: BTreeSet<TopicId> = pushed.filter(|topic| !topics.contains(topic)).collect();
        for topic in ended {
            self.leave(topic, Phase::Still, turn);
        }
        let asked = Asked::Watch(topics.clone());
        questions.ask(asked, Question::SessionWatch { topics }, turn);
    }

    /// The server was busy, or did not understand: it is told again.
    pub const fn watch_again(&mut self) {
        self.is_watch_due = true;
    }

    /// What the server pushes from here on, of what it was asked to.
    pub fn take_watched(&mut self, asked: &[TopicId], watched: &Watched, turn: &mut Turn) {
        for topic in asked {
            if !self.is_shown(*topic) {
                continue;
            }
            match watched.topics.iter().find(|found| found.topic == *topic) {
                Some(found) => self.follow(found, turn),
                None => {
                    self.leave(*topic, Phase::Refused, turn);
                    self.doubt(*topic);
                }
            }
        }
    }

    /// Every change after `rev` is pushed from here on. If what is held is as new, nothing has to be asked.
    fn follow(&mut self, found: &WatchedTopic, turn: &Turn) {
        let WatchedTopic {
            topic,
            head_seq,
            rev,
        } = *found;
        let state = self.see_by(topic, Sight::Supposed);
        state.phase.open();
        self.raise_head(topic, head_seq, rev);
        let Some(state) = self.all.get_mut(&topic) else {
            return;
        };
        if state.phase.live().is_some() {
            state.expect(turn.now());
            return;
        }
        let is_all_held = match state.held.last() {
            Some(last) => last >= head_seq,
            None => head_seq == Seq::ZERO || state.head.floor > head_seq,
        };
        let is_valid = state.held.oldest().is_none_or(|oldest| oldest >= rev);
        if is_all_held && is_valid && !state.must_be_checked() {
            self.reach(topic, rev, turn);
        } else {
            self.rounds.want(topic);
        }
    }

    /// Of a topic that is pushed: everything up to `rev` was applied.
    pub(super) fn reach(&mut self, topic: TopicId, rev: Rev, turn: &Turn) {
        if let Some(state) = self.all.get_mut(&topic) {
            state.phase.reach(rev, &mut state.held);
            state.expect(turn.now());
            self.new_islands.insert(topic);
        }
    }

    /// A heartbeat names all that is pushed. The server may have ended a watch and given back the right since: then
    /// nothing would be pushed any more, and it is asked to, if it lets us.
    pub fn end_unnamed(&mut self, heads: &[(Log, Rev)], turn: &mut Turn) {
        let is_named = |topic| heads.iter().any(|(log, _)| *log == Log::Topic(topic));
        let ended: BTreeSet<TopicId> = self.pushed().filter(|topic| !is_named(*topic)).collect();
        for topic in ended {
            self.leave(topic, Phase::Still, turn);
            self.is_watch_due = true;
        }
    }

    /// Gaps that did not close by themselves are synced.
    pub fn close_gaps(&mut self, now: Millis) {
        for topic in &self.shown {
            if let Some(state) = self.all.get_mut(topic)
                && let Some(live) = state.phase.live_mut()
                && live.gap_at.is_some_and(|at| at <= now)
            {
                live.gap_at = None;
                self.rounds.want(*topic);
            }
        }
    }

    /// When the next gap is synced.
    pub fn due(&self) -> Option<Millis> {
        let states = self.shown.iter().filter_map(|topic| self.all.get(topic));
        states.filter_map(|state| state.phase.live()?.gap_at).min()
    }

    /// Whether everything that is pushed is here.
    pub fn are_watches_complete(&self, questions: &Questions) -> bool {
        let is_live = |topic| {
            let state = self.all.get(&topic);
            state.is_some_and(|state| state.phase.live().is_some())
        };
        !self.is_watch_due && !is_asking(questions) && self.pushed().all(is_live)
    }
}

fn is_asking(questions: &Questions) -> bool {
    questions.count(|asked| matches!(asked, Asked::Watch(_))) > 0
}

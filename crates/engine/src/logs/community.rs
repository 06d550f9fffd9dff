//! What is known of a community: its topics, what its stamp names, and how far heads are known.

use std::collections::{BTreeMap, BTreeSet};

use tulou_protocol::{Body, Rev, Row, TopicId, id::Millis, permission::Place, push::TopicHead};

use super::{log::LogState, round::Round};
use crate::{io::Counts, questions::HeadsFrom};

/// How far a request for heads goes back before what is known: clocks of servers differ.
const OVERLAP_MS: Millis = 10_000;
/// How long a server that failed at heads is not asked for them, at first and at most.
const PAUSE_MS: Millis = 5_000;
const LONGEST_PAUSE_MS: Millis = 600_000;

/// Heads of topics not known yet that are kept of a community.
const KEPT: usize = 512;

/// What is known of a community.
#[derive(Debug, Default)]
pub struct Community {
    pub log: LogState,
    /// Topics that I see, by their small number.
    pub numbers: BTreeMap<u32, TopicId>,
    /// The rev of the last row of each topic, or its tombstone.
    pub topic_revs: BTreeMap<TopicId, Rev>,
    /// Groups and locked topics, by kind and id, as the stamp names them.
    shape: BTreeSet<(String, String)>,
    /// Heads of topics whose rows did not come yet.
    pub early: BTreeMap<u32, TopicHead>,
    /// Heads that moved up to this time of the server are known, whatever the audience.
    pub as_of: Millis,
    /// The last digest of each audience on this link.
    pub digests: BTreeMap<String, Millis>,
    /// Heads since then are to be asked for.
    heads_since: Option<Millis>,
    /// Where the last answer with heads goes on, which was full.
    heads_on: Option<HeadsFrom>,
    /// An answer that is on its way is of before all heads were to be asked for anew.
    are_heads_doubted: bool,
    /// The answers since then.
    pub round: Round,
    /// When heads were asked for last.
    pub asked_at: Millis,
    /// The server failed at them: they are not asked for before this time.
    put_off_until: Option<Millis>,
    /// How often, one time after the other.
    failures: u32,
    /// Members, and those of them that are connected, as they were told last.
    pub counts: Option<Counts>,
}

impl Community {
    pub fn restored(log: LogState, as_of: Millis) -> Self {
        Self {
            log,
            as_of,
            ..Self::default()
        }
    }

    /// The present state came with a stamp: groups and locked topics that it names.
    pub fn take_shape(&mut self, kept: &[(String, String)]) {
        let named = kept
            .iter()
            .filter(|(kind, _)| is_shape(kind) && kind != "topic");
        self.shape = named.cloned().collect();
    }

    /// Topics that are not in the present state as of `rev`, and are no newer than it.
    pub fn vanished(&self, rev: Rev, kept: &[(String, String)]) -> Vec<TopicId> {
        let kept = kept.iter().filter(|(kind, _)| kind == "topic");
        let topics: BTreeSet<&String> = kept.map(|(_, id)| id).collect();
        let is_older = |topic: &TopicId| self.topic_revs.get(topic).is_none_or(|row| *row <= rev);
        let seen = self.numbers.values();
        seen.filter(|topic| !topics.contains(&topic.to_string()) && is_older(topic))
            .copied()
            .collect()
    }

    /// Whether I see the place. Rights at another one came before it, and go with it unseen when it does.
    fn has_place(&self, place: Place) -> bool {
        match place {
            Place::Community => true,
            Place::Group(group) => self.shape.contains(&("group".into(), group.to_string())),
            Place::Topic(topic) => self.numbers.values().any(|seen| *seen == topic),
        }
    }

    /// Whether a row that was pushed makes what I see another thing than the stamp says. If the stamp were kept, the
    /// server could not tell that the row has to go when what I see is as it was before.
    pub fn is_reshaped_by(&self, row: &Row) -> bool {
        let kind = row.body.kind();
        if let Body::AccessRow(access) = &row.body {
            return !self.has_place(access.place);
        }
        if !is_shape(kind) {
            return false;
        }
        let was_there = if kind == "topic" {
            let mut topics = self.numbers.values();
            topics.any(|topic| topic.to_string() == row.id)
        } else {
            self.shape.contains(&(kind.to_owned(), row.id.clone()))
        };
        was_there == matches!(row.body, Body::Deleted(_))
    }

    /// Heads that moved since `since` are to be asked for, a little further back.
    pub fn ask_heads_since(&mut self, since: Millis) {
        let since = (since - OVERLAP_MS).max(0);
        self.heads_since = Some(self.heads_since.map_or(since, |other| other.min(since)));
    }

    /// An answer was full: the next one goes on from there, before anything else is asked for.
    pub fn ask_heads_on(&mut self, from: HeadsFrom) {
        if !self.are_heads_doubted {
            self.heads_on = Some(from);
        }
    }

    /// Whether heads are to be asked for.
    pub const fn wants_heads(&self) -> bool {
        self.heads_on.is_some() || self.heads_since.is_some()
    }

    /// Whether everything is here, but for what the server fails at.
    pub const fn has_heads(&self) -> bool {
        !self.wants_heads() || self.put_off_until.is_some()
    }

    /// Whether heads may be asked for.
    pub fn is_due(&self, now: Millis) -> bool {
        self.wants_heads() && self.put_off_until.is_none_or(|until| until <= now)
    }

    /// When what the server failed at is asked for again.
    pub fn due(&self) -> Option<Millis> {
        self.put_off_until.filter(|_| self.wants_heads())
    }

    /// The server failed at heads: they are asked for again later, and less and less often.
    pub fn put_heads_off(&mut self, now: Millis) {
        let pause = PAUSE_MS << self.failures.min(16);
        self.put_off_until = Some(now + pause.min(LONGEST_PAUSE_MS));
        self.failures += 1;
    }

    /// The server answered.
    pub const fn end_failures(&mut self) {
        self.failures = 0;
    }

    /// An answer that came is of what I see now.
    pub const fn is_answer_of_now(&self) -> bool {
        !self.are_heads_doubted
    }

    /// From where on heads are asked for next.
    pub fn next_heads(&mut self) -> Option<HeadsFrom> {
        self.put_off_until = None;
        if let Some(on) = self.heads_on.take() {
            return Some(on);
        }
        let since = self.heads_since.take()?;
        self.are_heads_doubted = false;
        // What was missed may have come with an answer meanwhile.
        let since = since.max(self.as_of - OVERLAP_MS);
        self.round = Round::begin(since <= self.as_of);
        Some(HeadsFrom { since, after: None })
    }

    /// A head came before the row of its topic.
    pub fn keep_early(&mut self, mut head: TopicHead) {
        if let Some(before) = self.early.get_mut(&head.no) {
            let read = head.read.or(before.read);
            if head.rev < before.rev {
                std::mem::swap(&mut head, before);
            }
            *before = TopicHead { read, ..head };
        } else if self.early.len() < KEPT {
            self.early.insert(head.no, head);
        }
    }

    /// Heads are known by the round; whether that is up to another time than before.
    pub fn know_heads(&mut self, went_back: bool) -> bool {
        let as_of = match (self.round.known(), went_back) {
            (Some(to), false) => self.as_of.max(to),
            // What is asked for from a time that is still to come, the server tells from the beginning.
            (Some(to), true) => to,
            (None, true) => 0,
            (None, false) => self.as_of,
        };
        std::mem::replace(&mut self.as_of, as_of) != as_of
    }

    /// What was asked on the last link has no answer.
    pub fn lose_link(&mut self) {
        self.digests.clear();
        self.heads_on = None;
        self.are_heads_doubted = false;
        self.put_off_until = None;
        self.failures = 0;
    }

    /// Other rights, other topics: all heads are asked for anew. They are known as of 0 again, so that a crash or a cut
    /// before the answer does not lose the question; whether the store has to be told of that.
    pub fn lose_heads(&mut self) -> bool {
        self.ask_heads_since(0);
        self.heads_on = None;
        self.are_heads_doubted = true;
        self.round = Round::default();
        std::mem::take(&mut self.as_of) > 0
    }
}

/// Whether a kind of row is part of what a stamp names.
fn is_shape(kind: &str) -> bool {
    matches!(kind, "topic" | "locked_topic" | "group")
}

//! What is held of a topic: a function from `seq` to the rev as of which the message there is valid, written as
//! segments. Segments that touch are apart only while their revs differ; islands are segments put together.
//!
//! Every rev is a lower bound ("valid as of this at least"), so that all operations are pointwise and idempotent.

use tulou_protocol::{Rev, Seq};

use crate::io::Island;

/// Islands of a topic at most: beyond, the shortest are dropped.
pub const ISLANDS: usize = 64;

/// What is held of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Islands {
    /// Disjoint, in order; two that touch differ in their rev, or in whether somebody went there.
    segments: Vec<Island>,
}

impl Islands {
    /// What a store kept, in whatever order.
    #[must_use]
    pub fn restored(islands: &[Island]) -> Self {
        let mut held = Self::default();
        for island in islands {
            held.insert(*island);
        }
        held
    }

    /// The segments, in order.
    #[must_use]
    pub fn segments(&self) -> &[Island] {
        &self.segments
    }

    /// The islands: segments that touch are one, valid as of the oldest of their revs.
    #[must_use]
    pub fn islands(&self) -> Vec<Island> {
        let mut islands: Vec<Island> = Vec::with_capacity(self.segments.len());
        for segment in &self.segments {
            match islands.last_mut() {
                Some(last) if last.to.next() == segment.from => {
                    last.to = segment.to;
                    last.rev = last.rev.min(segment.rev);
                    last.is_paged |= segment.is_paged;
                }
                _ => islands.push(*segment),
            }
        }
        islands
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Whether the message at `seq` is held.
    #[must_use]
    pub fn contains(&self, seq: Seq) -> bool {
        let at = self.segments.partition_point(|segment| segment.to < seq);
        self.segments
            .get(at)
            .is_some_and(|segment| segment.from <= seq)
    }

    /// The first `seq` held.
    #[must_use]
    pub fn first(&self) -> Option<Seq> {
        self.segments.first().map(|segment| segment.from)
    }

    /// The last `seq` held.
    #[must_use]
    pub fn last(&self) -> Option<Seq> {
        self.segments.last().map(|segment| segment.to)
    }

    /// The rev as of which everything held is valid.
    #[must_use]
    pub fn oldest(&self) -> Option<Rev> {
        self.segments.iter().map(|segment| segment.rev).min()
    }

    /// The newest rev of anything held.
    #[must_use]
    pub fn newest(&self) -> Option<Rev> {
        self.segments.iter().map(|segment| segment.rev).max()
    }

    /// Messages `from` to `to` are held as of `rev`. Where some were held already, the newer rev counts.
    pub fn insert(&mut self, new: Island) {
        // What no server can have is not held.
        if new.from == Seq::ZERO || new.to < new.from || new.to > Seq(i64::MAX as u64) {
            return;
        }
        let mut next = Vec::with_capacity(self.segments.len() + 2);
        let mut open = new.from;
        for held in self.segments.drain(..) {
            let from = held.from.max(new.from);
            let to = held.to.min(new.to);
            if from > to {
                next.push(held);
                continue;
            }
            if held.from < from {
                next.push(Island {
                    to: before(from),
                    ..held
                });
            }
            if open < from {
                next.push(Island {
                    from: open,
                    to: before(from),
                    ..new
                });
            }
            next.push(Island {
                from,
                to,
                rev: held.rev.max(new.rev),
                is_paged: held.is_paged || new.is_paged,
            });
            open = to.next();
            if to < held.to {
                next.push(Island {
                    from: to.next(),
                    ..held
                });
            }
        }
        if open <= new.to {
            next.push(Island { from: open, ..new });
        }
        next.sort_by_key(|segment| segment.from);
        self.segments = next;
        self.join();
    }

    /// A single message is held as of `rev`.
    pub fn insert_one(&mut self, seq: Seq, rev: Rev) {
        self.insert(Island {
            from: seq,
            to: seq,
            rev,
            is_paged: false,
        });
    }

    /// What is held of `from` to `to` is valid as of `rev`.
    pub fn raise(&mut self, from: Seq, to: Seq, rev: Rev) {
        let inside: Vec<Island> = self
            .segments
            .iter()
            .filter_map(|held| {
                let from = held.from.max(from);
                let to = held.to.min(to);
                (from <= to && held.rev < rev).then_some(Island {
                    from,
                    to,
                    rev,
                    is_paged: held.is_paged,
                })
            })
            .collect();
        for part in inside {
            self.insert(part);
        }
    }

    /// All changes from `was` to `is` were applied: what was valid as of `was` is valid as of `is`.
    pub fn advance(&mut self, was: Rev, is: Rev) {
        for segment in &mut self.segments {
            if segment.rev >= was {
                segment.rev = segment.rev.max(is);
            }
        }
        self.join();
    }

    /// Messages `from` to `to` are held no longer.
    pub fn remove(&mut self, from: Seq, to: Seq) {
        let mut next = Vec::with_capacity(self.segments.len() + 1);
        for held in self.segments.drain(..) {
            if held.to < from || to < held.from {
                next.push(held);
                continue;
            }
            if held.from < from {
                next.push(Island {
                    to: before(from),
                    ..held
                });
            }
            if to < held.to {
                next.push(Island {
                    from: to.next(),
                    ..held
                });
            }
        }
        self.segments = next;
    }

    /// Drops islands but the last until there are [`ISLANDS`], those first where nobody went on purpose, and of them the
    /// shortest; says what was dropped. Too many segments become islands.
    pub fn shrink(&mut self) -> Vec<(Seq, Seq)> {
        if self.segments.len() <= ISLANDS {
            return Vec::new();
        }
        let mut islands = self.islands();
        self.segments.clone_from(&islands);
        let mut dropped = Vec::new();
        while islands.len() > ISLANDS {
            let shortest = (0..islands.len() - 1).min_by_key(|at| {
                let island = &islands[*at];
                (island.is_paged, island.to.0 - island.from.0, island.rev)
            });
            let Some(at) = shortest else { break };
            let island = islands.remove(at);
            self.remove(island.from, island.to);
            dropped.push((island.from, island.to));
        }
        dropped
    }

    fn join(&mut self) {
        self.segments.dedup_by(|next, last| {
            let is_one = last.to.next() == next.from
                && (last.rev, last.is_paged) == (next.rev, next.is_paged);
            if is_one {
                last.to = next.to;
            }
            is_one
        });
    }
}

fn before(seq: Seq) -> Seq {
    Seq(seq.0.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u64, u64, u64),
        Raise(u64, u64, u64),
        Advance(u64, u64),
        Remove(u64, u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let range = || (1..40_u64, 0..12_u64).prop_map(|(from, more)| (from, from + more));
        prop_oneof![
            4 => (range(), 0..20_u64).prop_map(|((from, to), rev)| Step::Insert(from, to, rev)),
            1 => (range(), 0..20_u64).prop_map(|((from, to), rev)| Step::Raise(from, to, rev)),
            1 => (0..20_u64, 0..6_u64).prop_map(|(was, more)| Step::Advance(was, was + more)),
            1 => range().prop_map(|(from, to)| Step::Remove(from, to)),
        ]
    }

    fn oracle(step: &Step, held: &mut BTreeMap<u64, u64>) {
        match *step {
            Step::Insert(from, to, rev) => {
                for seq in from..=to {
                    let valid = held.entry(seq).or_insert(rev);
                    *valid = rev.max(*valid);
                }
            }
            Step::Raise(from, to, rev) => {
                for (_, valid) in held.range_mut(from..=to) {
                    *valid = rev.max(*valid);
                }
            }
            Step::Advance(was, is) => {
                for valid in held.values_mut().filter(|valid| **valid >= was) {
                    *valid = is.max(*valid);
                }
            }
            Step::Remove(from, to) => held.retain(|seq, _| *seq < from || *seq > to),
        }
    }

    proptest! {
        #[test]
        fn segments_are_the_pointwise_function(steps in prop::collection::vec(step(), 0..40)) {
            let mut held = Islands::default();
            let mut points = BTreeMap::new();
            for step in &steps {
                match *step {
                    Step::Insert(from, to, rev) => held.insert(Island { from: Seq(from), to: Seq(to), rev: Rev(rev), is_paged: false }),
                    Step::Raise(from, to, rev) => held.raise(Seq(from), Seq(to), Rev(rev)),
                    Step::Advance(was, is) => held.advance(Rev(was), Rev(is)),
                    Step::Remove(from, to) => held.remove(Seq(from), Seq(to)),
                }
                oracle(step, &mut points);
            }
            let mut spread = BTreeMap::new();
            for segment in held.segments() {
                for seq in segment.from.0..=segment.to.0 {
                    prop_assert!(spread.insert(seq, segment.rev.0).is_none(), "segments are disjoint");
                }
            }
            prop_assert_eq!(&spread, &points, "each message is valid as of what the oracle says");
            for pair in held.segments().windows(2) {
                prop_assert!(pair[0].to < pair[1].from, "segments are in order");
                prop_assert!(pair[0].to.next() < pair[1].from || pair[0].rev != pair[1].rev, "nothing is split in vain");
            }
            for pair in held.islands().windows(2) {
                prop_assert!(pair[0].to.next() < pair[1].from, "islands never touch");
            }
            for seq in 0..60 {
                prop_assert_eq!(held.contains(Seq(seq)), points.contains_key(&seq));
            }
            let restored = Islands::restored(&held.islands());
            for island in restored.islands() {
                for seq in island.from.0..=island.to.0 {
                    prop_assert!(island.rev.0 <= points[&seq], "a store never claims more than is so");
                }
            }
        }
    }

    #[test]
    fn too_many_islands_lose_the_shortest_but_never_the_last() {
        let mut held = Islands::default();
        for at in 0..=ISLANDS as u64 {
            let from = at * 10 + 1;
            let to = if at == 7 || at == ISLANDS as u64 {
                from
            } else {
                from + 3
            };
            held.insert(Island {
                from: Seq(from),
                to: Seq(to),
                rev: Rev(1),
                is_paged: false,
            });
        }
        assert_eq!(
            held.shrink(),
            vec![(Seq(71), Seq(71))],
            "the seventh is the shortest"
        );
        assert_eq!(held.islands().len(), ISLANDS, "and now they are few enough");
    }

    #[test]
    fn pages_that_somebody_went_to_outlive_what_opening_left_behind() {
        let mut held = Islands::default();
        held.insert(Island {
            from: Seq(1),
            to: Seq(20),
            rev: Rev(1),
            is_paged: true,
        });
        for at in 1..=ISLANDS as u64 + 30 {
            held.insert(Island {
                from: Seq(at * 1_000),
                to: Seq(at * 1_000 + 199),
                rev: Rev(1),
                is_paged: false,
            });
            held.shrink();
        }
        assert!(held.contains(Seq(1)), "however short the page is");
        assert_eq!(held.islands().len(), ISLANDS);
    }
}

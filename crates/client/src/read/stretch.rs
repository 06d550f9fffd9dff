//! Which rows of a topic a view shows: contiguous places within one island, and what is missing beside them.

use tulou_engine::Island;
use tulou_protocol::{Seq, question::PageAt};

/// Most rows of a view.
pub const MOST: u64 = 1_000;

/// What to show of what is held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chosen {
    /// The places to show, first and last; none if nothing fitting is held.
    pub rows: Option<(Seq, Seq)>,
    /// Rows exist before the first.
    pub has_before: bool,
    /// Rows exist after the last.
    pub has_after: bool,
    /// What is to be fetched.
    pub wants: Vec<PageAt>,
}

/// What is known of a topic.
#[derive(Debug, Clone, Copy)]
pub struct Extent<'a> {
    /// What is held, in order.
    pub islands: &'a [Island],
    /// The last place.
    pub head: Seq,
    /// The first place that may be read; 0 while unknown.
    pub floor: Seq,
}

impl Extent<'_> {
    fn first(&self) -> u64 {
        self.floor.0.max(1)
    }

    /// The newest rows.
    pub fn end(&self, count: u64) -> Chosen {
        let Some(island) = self.islands.last() else {
            return self.nothing(PageAt::End);
        };
        let from = (island.to.0 + 1).saturating_sub(count).max(island.from.0);
        self.choose(*island, from, island.to.0, count / 2)
    }

    /// Rows around a place, a third of them before it.
    pub fn around(&self, at: Seq, count: u64) -> Chosen {
        // What may not be read, or is not there yet, would be waited for in vain.
        let at = Seq(at.0.min(self.head.0).max(self.first()));
        let Some(island) = self.holding(at) else {
            return self.nothing(PageAt::Around(at));
        };
        let before = count / 3;
        let mut from = at.0.saturating_sub(before).max(island.from.0);
        let to = (from + count.max(1) - 1).min(island.to.0).max(at.0);
        from = (to + 1).saturating_sub(count).max(island.from.0).min(from);
        self.choose(island, from, to, count / 2)
    }

    /// Rows from one place to another, or to the end.
    pub fn range(&self, from: Seq, to: Option<Seq>) -> Chosen {
        let last = to.map_or(self.head.0.max(from.0), |to| to.0).max(from.0);
        let overlap =
            |island: &Island| (island.to.0.min(last) + 1).saturating_sub(island.from.0.max(from.0));
        let island = self
            .islands
            .iter()
            .max_by_key(|island| (overlap(island), island.to));
        let Some(island) = island.filter(|island| overlap(island) > 0) else {
            return match to {
                None if self.islands.is_empty() => self.nothing(PageAt::End),
                None => self.end(50),
                Some(_) => self.nothing(PageAt::Around(from)),
            };
        };
        let mut first = from.0.max(island.from.0);
        let mut end = last.min(island.to.0);
        if end + 1 - first > MOST {
            match to {
                None => first = end + 1 - MOST,
                Some(_) => end = first + MOST - 1,
            }
        }
        let mut chosen = self.choose(*island, first, end, 0);
        if from.0 < island.from.0 && island.from.0 > self.first() {
            chosen.wants.push(PageAt::Before(island.from));
        }
        if last > island.to.0 && island.to < self.head {
            chosen.wants.push(PageAt::After(island.to));
        }
        chosen
    }

    fn holding(&self, at: Seq) -> Option<Island> {
        self.islands
            .iter()
            .find(|island| island.from <= at && at <= island.to)
            .copied()
    }

    fn nothing(&self, want: PageAt) -> Chosen {
        // An empty topic has nothing to fetch.
        let is_empty = self.head == Seq::ZERO && want == PageAt::End;
        Chosen {
            rows: None,
            has_before: false,
            has_after: false,
            wants: if is_empty { Vec::new() } else { vec![want] },
        }
    }

    /// Rows of an island; what lies less than `near` rows beyond its ends is wanted.
    fn choose(&self, island: Island, from: u64, to: u64, near: u64) -> Chosen {
        let mut wants = Vec::new();
        if island.from.0 > self.first() && from < island.from.0 + near {
            wants.push(PageAt::Before(island.from));
        }
        if island.to < self.head && to + near > island.to.0 {
            wants.push(PageAt::After(island.to));
        }
        Chosen {
            rows: Some((Seq(from), Seq(to))),
            has_before: from > self.first(),
            has_after: to < self.head.0,
            wants,
        }
    }
}

#[cfg(test)]
mod tests {
    use tulou_protocol::Rev;

    use super::*;

    fn island(from: u64, to: u64) -> Island {
        Island {
            from: Seq(from),
            to: Seq(to),
            rev: Rev(1),
            is_paged: false,
        }
    }

    fn rows(chosen: &Chosen) -> (u64, u64) {
        chosen.rows.map_or((0, 0), |(from, to)| (from.0, to.0))
    }

    #[test]
    fn an_empty_topic_wants_nothing() {
        let extent = Extent {
            islands: &[],
            head: Seq(0),
            floor: Seq(0),
        };
        assert_eq!(extent.end(50), Chosen::default());
    }

    #[test]
    fn a_stretch_never_leaps_over_a_hole() {
        let islands = [island(1, 100), island(200, 300)];
        let extent = Extent {
            islands: &islands,
            head: Seq(300),
            floor: Seq(1),
        };
        let end = extent.end(150);
        assert_eq!(
            rows(&end),
            (200, 300),
            "what is before the hole is not shown"
        );
        assert_eq!(end.wants, [PageAt::Before(Seq(200))]);
        assert!(end.has_before && !end.has_after);

        let up = extent.range(Seq(150), None);
        assert_eq!(rows(&up), (200, 300), "the rows that were shown stay");
        assert_eq!(up.wants, [PageAt::Before(Seq(200))]);

        let down = extent.range(Seq(50), Some(Seq(220)));
        assert_eq!(rows(&down), (50, 100), "the larger part decides");
        assert_eq!(down.wants, [PageAt::After(Seq(100))]);
    }

    #[test]
    fn the_first_unread_row_is_shown_with_some_before_it() {
        let islands = [island(1, 1_000)];
        let extent = Extent {
            islands: &islands,
            head: Seq(1_000),
            floor: Seq(1),
        };
        assert_eq!(rows(&extent.around(Seq(500), 60)), (480, 539));
        assert_eq!(
            rows(&extent.around(Seq(1_000), 60)),
            (941, 1_000),
            "at the end it is filled up before"
        );
        assert_eq!(rows(&extent.around(Seq(1), 60)), (1, 60));
    }

    #[test]
    fn a_place_that_is_not_held_is_fetched() {
        let islands = [island(900, 1_000)];
        let extent = Extent {
            islands: &islands,
            head: Seq(1_000),
            floor: Seq(1),
        };
        let around = extent.around(Seq(10), 50);
        assert_eq!(
            (around.rows, around.wants),
            (None, vec![PageAt::Around(Seq(10))])
        );
    }

    #[test]
    fn what_may_not_be_read_is_not_waited_for() {
        let islands = [island(60, 100)];
        let extent = Extent {
            islands: &islands,
            head: Seq(100),
            floor: Seq(60),
        };
        let around = extent.around(Seq(7), 30);
        assert_eq!((rows(&around), around.has_before), ((60, 89), false));
        assert_eq!(around.wants, [], "there is nothing before it to be had");
        assert_eq!(rows(&extent.around(Seq(500), 30)), (71, 100));
    }

    #[test]
    fn a_view_is_bounded() {
        let islands = [island(1, 5_000)];
        let extent = Extent {
            islands: &islands,
            head: Seq(5_000),
            floor: Seq(1),
        };
        assert_eq!(rows(&extent.range(Seq(1), None)), (4_001, 5_000));
        assert_eq!(rows(&extent.range(Seq(1), Some(Seq(4_000)))), (1, 1_000));
    }
}

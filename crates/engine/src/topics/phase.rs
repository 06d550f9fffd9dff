//! How a topic stands: whether it may be seen, whether the server pushes it and how far that was applied, whether what is
//! held of it can be relied on.

use tulou_protocol::{Rev, Seq, id::Millis, limits::GAP_MS};

use crate::{ahead::Ahead, topics::islands::Islands};

/// What says that a topic may be seen. What comes late of one that may not is not kept.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// Nothing.
    #[default]
    Unseen,
    /// Something of it came.
    Supposed,
    /// Its row in a community.
    Row,
}

/// Whether what is held of a topic is what its islands say.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It is.
    #[default]
    Sure,
    /// It has to be looked through: it may not be seen any more.
    Doubted,
    /// The server had less than was held: nothing is held, and what the store keeps goes with the next answer.
    Rewound,
}

/// Whether the server pushes a topic, and how far what it pushes was applied.
#[derive(Debug, Default)]
pub enum Phase {
    /// It does not. What is held is looked through in idle time.
    #[default]
    Still,
    /// It is shown, and the server does not push it: it is not there yet, or may not be seen.
    Refused,
    /// It does; what came before is on its way, and what comes meanwhile waits.
    Opening(Ahead),
    /// It does, and everything up to a rev was applied.
    Live(Live),
}

/// A topic that is followed: everything up to the cursor was applied to what is held, and the tail is held to the end.
#[derive(Debug)]
pub struct Live {
    pub cursor: Rev,
    /// What came beyond a gap.
    pub ahead: Ahead,
    /// When the gap is synced.
    pub gap_at: Option<Millis>,
}

impl Phase {
    pub const fn is_pushed(&self) -> bool {
        matches!(self, Self::Opening(_) | Self::Live(_))
    }

    pub const fn is_refused(&self) -> bool {
        matches!(self, Self::Refused)
    }

    pub const fn live(&self) -> Option<&Live> {
        match self {
            Self::Live(live) => Some(live),
            Self::Still | Self::Refused | Self::Opening(_) => None,
        }
    }

    pub const fn live_mut(&mut self) -> Option<&mut Live> {
        match self {
            Self::Live(live) => Some(live),
            Self::Still | Self::Refused | Self::Opening(_) => None,
        }
    }

    pub fn cursor(&self) -> Option<Rev> {
        self.live().map(|live| live.cursor)
    }

    /// What came beyond a gap, of one that is pushed.
    pub const fn ahead(&mut self) -> Option<&mut Ahead> {
        match self {
            Self::Opening(ahead) | Self::Live(Live { ahead, .. }) => Some(ahead),
            Self::Still | Self::Refused => None,
        }
    }

    /// The server pushes it from here on. One that is followed is followed further.
    pub fn open(&mut self) {
        if !self.is_pushed() {
            *self = Self::Opening(Ahead::default());
        }
    }

    /// All that was applied is gone: as if the server had just begun to push it.
    pub fn reopen(&mut self) {
        if self.is_pushed() {
            *self = Self::Opening(Ahead::default());
        }
    }

    /// Of one that is pushed: everything up to `rev` was applied. So is what came beyond a gap that this closes: it is part
    /// of what is held from here on. What is held keeps its revs otherwise: part of it may have come after the changes up
    /// to `rev` were asked for.
    pub fn reach(&mut self, rev: Rev, held: &mut Islands) {
        if let Self::Opening(ahead) = self {
            *self = Self::Live(Live {
                cursor: rev,
                ahead: std::mem::take(ahead),
                gap_at: None,
            });
        }
        let Self::Live(live) = self else { return };
        live.cursor = live.cursor.max(rev);
        let (_, reached) = live.ahead.reached(live.cursor);
        for span in reached {
            for seq in span.seqs {
                held.insert_one(seq, span.rev);
            }
            let next = live.cursor.max(span.rev);
            held.advance(live.cursor, next);
            live.cursor = next;
        }
    }

    /// If more is known to be there than was applied, it is synced unless it comes by itself.
    pub fn expect(&mut self, is_behind: bool, now: Millis) {
        if let Self::Live(live) = self {
            if is_behind || !live.ahead.is_empty() {
                live.gap_at = live.gap_at.or(Some(now + GAP_MS));
            } else {
                live.gap_at = None;
            }
        }
    }

    /// It is being synced: whatever gap there is.
    pub const fn end_gap(&mut self) {
        if let Self::Live(live) = self {
            live.gap_at = None;
        }
    }

    /// Nothing is pushed any more. The messages that were waiting to become part of an island.
    pub fn leave(&mut self, next: Self) -> Vec<Seq> {
        let loose = self.ahead().map(Ahead::clear).unwrap_or_default();
        *self = next;
        loose
    }
}

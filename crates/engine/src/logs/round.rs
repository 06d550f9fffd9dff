//! A round of answers with heads: all that moved from a time on, page after page, up to the time at which it began.

use std::collections::BTreeSet;

use tulou_protocol::{Digest, id::Millis};

/// What is known by the answers of a round.
#[derive(Debug, Default)]
pub struct Round {
    /// It began at a time up to which heads were known, and what it told is in the store, or is once these rows come.
    is_whole: bool,
    /// Topics whose heads came and whose rows did not, by their small number.
    awaits: BTreeSet<u32>,
    /// Up to when it has told.
    to: Millis,
    /// It need not tell what moves later than this.
    until: Option<Millis>,
}

impl Round {
    /// One that begins at a time up to which heads are known, or at another.
    pub fn begin(is_known: bool) -> Self {
        Self {
            is_whole: is_known,
            ..Self::default()
        }
    }

    /// A page that reaches beyond the time at which the first one was made is the last: what moves since then, digests tell.
    /// If it were not, whatever moves faster than it is told would have no end.
    pub fn bound(&mut self, page: &mut Digest) {
        let Some(after) = &page.after else {
            return;
        };
        let until = self
            .until
            .map_or(after.until, |until| until.min(after.until));
        self.until = Some(until);
        if page.to > until {
            page.to = until;
            page.after = None;
        }
    }

    /// All of a page is in the store, but for the heads of these.
    pub fn take(&mut self, to: Millis, awaits: impl IntoIterator<Item = u32>) {
        self.awaits.extend(awaits);
        self.to = to;
    }

    /// Something that it told was not kept.
    pub const fn lose(&mut self) {
        self.is_whole = false;
    }

    /// The row of a topic came, and with it the head that was kept goes to the store.
    pub fn has_come(&mut self, no: u32) -> bool {
        self.awaits.remove(&no)
    }

    /// Up to when heads are known by it.
    pub fn known(&self) -> Option<Millis> {
        (self.is_whole && self.awaits.is_empty()).then_some(self.to)
    }
}

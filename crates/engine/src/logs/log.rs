//! A log with a cursor: the account's or a community's.

use std::collections::BTreeSet;

use tulou_protocol::{Log, Rev, id::Millis, limits::GAP_MS, push::Me, question::SyncLog};

use crate::ahead::{Ahead, Span};

/// The present state of a log, of which some pages are here. Rows of them are in the store already; what is not in the
/// state goes when it is whole.
#[derive(Debug)]
pub struct Resetting {
    /// The log's rev when the first page was made.
    pub begun: Rev,
    /// The rev of the last page.
    pub at: Rev,
    /// The stamp of the last page.
    pub view: Option<String>,
    /// How I stand in a community.
    pub me: Option<Me>,
    /// What is named so far, by kind and id.
    pub kept: BTreeSet<(String, String)>,
}

/// How far a log was applied, and what is known to come.
#[derive(Debug, Default)]
pub struct LogState {
    /// All rows up to here are held.
    pub cursor: Rev,
    /// The view stamp last given; none when what was pushed since is another view.
    pub view: Option<String>,
    /// The rev of the last push that was another view.
    pub reshaped: Rev,
    /// The server said that it is another, perhaps because of other rights, and they may be as they were by the answer.
    pub is_doubted: bool,
    /// What came beyond a gap.
    ahead: Ahead,
    /// When a gap is synced.
    pub gap_at: Option<Millis>,
    /// The head, as far as heard.
    heard: Rev,
    /// Rows came before the first answer and were not kept: no push brings them again.
    has_dropped: bool,
    /// Its present state comes in pages, of which some are here.
    pub resetting: Option<Resetting>,
    /// Rows that are gone are held as such. Nobody knows of what the store kept.
    pub has_tombstones: bool,
    /// It is synced as soon as possible.
    pub wants_sync: bool,
    /// It is being synced.
    pub is_syncing: bool,
    /// When it last had a place in an answer, among all that had one.
    pub answered: u64,
}

impl LogState {
    pub fn restored(cursor: Rev, view: Option<String>) -> Self {
        Self {
            cursor,
            view,
            heard: cursor,
            has_tombstones: true,
            ..Self::default()
        }
    }

    /// The head is at least there.
    pub fn hear(&mut self, rev: Rev) {
        self.heard = self.heard.max(rev);
    }

    /// A push came that does not follow on the cursor. Whether its rows are kept: the first answer names what is there,
    /// and not what is gone, so a row that came before it could stay for good.
    pub fn wait_for_gap(&mut self, prev: Rev, rev: Rev, now: Millis) -> bool {
        self.gap_at = self.gap_at.or(Some(now + GAP_MS));
        let is_kept = self.cursor > Rev::ZERO;
        if is_kept {
            let seqs = Vec::new();
            self.ahead.add(Span { prev, rev, seqs });
        }
        self.has_dropped |= !is_kept;
        is_kept
    }

    /// The cursor moves to `rev`, and on through what came before it.
    pub fn reach(&mut self, rev: Rev, now: Millis) {
        let (cursor, _) = self.ahead.reached(self.cursor.max(rev));
        self.cursor = cursor;
        self.hear(cursor);
        if self.heard == cursor {
            self.gap_at = None;
        } else if self.has_dropped {
            // The answer is older than what was heard meanwhile, and that does not come by itself.
            self.gap_at = None;
            self.wants_sync = true;
        } else {
            self.gap_at = self.gap_at.or(Some(now + GAP_MS));
        }
        self.has_dropped = false;
    }

    /// A gap that did not close by itself is synced.
    pub fn close_gap(&mut self, now: Millis) {
        if self.gap_at.is_some_and(|at| at <= now) {
            self.gap_at = None;
            self.wants_sync |= self.heard > self.cursor || !self.ahead.is_empty();
        }
    }

    /// It is asked about: how.
    pub fn begin_sync(&mut self, log: Log) -> SyncLog {
        self.wants_sync = false;
        self.is_syncing = true;
        self.has_dropped = false;
        self.gap_at = None;
        let resetting = self.resetting.as_ref();
        SyncLog {
            log,
            since: resetting.map_or(self.cursor, |resetting| resetting.at),
            begun: resetting.map(|resetting| resetting.begun),
            view: resetting
                .map_or(&self.view, |resetting| &resetting.view)
                .clone(),
            ranges: Vec::new(),
            without_tail: false,
        }
    }

    /// The cursor passed what is gone, and nothing older is on its way: no answer, and no page of a present state.
    pub fn may_bury(&mut self) -> bool {
        let is_quiet = !self.is_syncing && self.resetting.is_none();
        is_quiet && std::mem::take(&mut self.has_tombstones)
    }

    /// What was in flight is asked again after the next greeting.
    pub fn lose_link(&mut self) {
        self.is_syncing = false;
        self.wants_sync = false;
        self.has_dropped = false;
        self.gap_at = None;
        self.ahead.clear();
    }

    /// Whether nothing is asked, or has to be.
    pub const fn is_complete(&self) -> bool {
        !self.wants_sync && !self.is_syncing
    }
}

//! Changes of the account's log and those of its communities: pages by cursor, and resets.

use std::collections::BTreeSet;

use tulou_protocol::{
    Body, CommunityId, Log, Question, Rev, Row,
    push::{Me, SyncOutcome},
};

use super::{
    Logs,
    log::{LogState, Resetting},
};
use crate::{
    io::Write,
    questions::{Asked, Questions},
    topics::Topics,
    turn::Turn,
};

/// Logs in a request.
const LOGS: usize = 64;

impl Logs {
    /// Asks for changes: of the account first, since it says which communities there are.
    pub fn pump_sync(&mut self, questions: &mut Questions, turn: &mut Turn) {
        let Some((account, state)) = &mut self.account else {
            return;
        };
        let is_account_first = !state.is_complete();
        let mut logs = Vec::new();
        let mut choose = |log: Log, state: &mut LogState| {
            if state.wants_sync && !state.is_syncing && logs.len() < LOGS {
                logs.push(state.begin_sync(log));
            }
        };
        if is_account_first {
            choose(Log::Account(*account), state);
        } else {
            // An answer has room for so much: those that were left out of the last one come first in the next, so that
            // nobody waits for as long as a large one takes, or one that begins again and again.
            let mut communities: Vec<_> = self.communities.iter_mut().collect();
            communities.sort_by_key(|(_, state)| state.log.answered);
            for (community, state) in communities {
                choose(Log::Community(*community), &mut state.log);
            }
        }
        if !logs.is_empty() {
            let asked = Asked::Sync(logs.clone());
            questions.ask(asked, Question::LogSync { logs }, turn);
        }
    }

    /// An answer about the log came, whatever it says.
    pub fn end_sync(&mut self, log: Log) {
        if let Some(state) = self.get_mut(log) {
            state.is_syncing = false;
        }
    }

    /// The server was busy, or did not understand: it is asked again.
    pub fn sync_again(&mut self, log: Log) {
        if let Some(state) = self.get_mut(log) {
            state.wants_sync = true;
        }
    }

    /// What changed since it was asked.
    pub fn take_synced(
        &mut self,
        log: Log,
        outcome: SyncOutcome,
        topics: &mut Topics,
        turn: &mut Turn,
    ) {
        self.answers += 1;
        let answers = self.answers;
        let Some(state) = self.get_mut(log) else {
            return;
        };
        state.answered = answers;
        match outcome {
            SyncOutcome::Rows {
                rev,
                rows,
                has_more,
                view,
            } => {
                if self.goes_on(log, rev, &rows, has_more) {
                    self.take_page_stamp(log, view);
                    self.take_rows(log, rows, false, topics, turn);
                    if !has_more {
                        self.end_reset(log, rev, topics, turn);
                    }
                    return;
                }
                self.take_rows(log, rows, false, topics, turn);
                if let Some(state) = self.get_mut(log) {
                    state.wants_sync |= has_more;
                    // A stamp that was lost meanwhile stays lost: the answer is of the view before.
                    state.view = state.view.take().and(view);
                    self.reach(log, rev, turn);
                }
                self.settle_doubt(log, topics, turn);
            }
            SyncOutcome::Reset {
                rev,
                rows,
                begun,
                view,
                me,
            } => {
                self.begin_reset(log, begun.unwrap_or(rev), (view, me));
                if begun.is_some() {
                    self.forget_stamp(log, turn);
                }
                self.goes_on(log, rev, &rows, begun.is_some());
                self.take_rows(log, rows, false, topics, turn);
                if begun.is_none() {
                    self.end_reset(log, rev, topics, turn);
                }
            }
            SyncOutcome::Ahead { .. } => self.begin_again(log, turn),
            SyncOutcome::Gone {} => {
                if let Log::Community(community) = log {
                    self.forget_community(community, topics, turn);
                }
            }
            // Only topics are answered so.
            SyncOutcome::Topic { .. } => {}
        }
    }

    /// The server has less than is held: it is learnt from the beginning.
    fn begin_again(&mut self, log: Log, turn: &mut Turn) {
        turn.apply(Write::Forget(log));
        if let Log::Community(community) = log
            && let Some(state) = self.communities.get_mut(&community)
        {
            state.topic_revs.clear();
        }
        self.memberships.clear();
        if let Some(state) = self.get_mut(log) {
            *state = LogState::default();
            state.wants_sync = true;
        }
    }

    /// The present state of a log begins to come. Topics that are seen again have the rev that they had before.
    fn begin_reset(&mut self, log: Log, begun: Rev, (view, me): (Option<String>, Option<Me>)) {
        if let Log::Community(community) = log
            && let Some(state) = self.communities.get_mut(&community)
        {
            state.topic_revs.retain(|_, row| *row > begun);
        }
        if let Some(state) = self.get_mut(log) {
            state.resetting = Some(Resetting {
                begun,
                at: Rev::ZERO,
                view,
                me,
                kept: BTreeSet::new(),
            });
        }
    }

    /// Rows come before it is known which of those that are held are gone. Where that ends half-way, it begins anew: the
    /// stamp from before may be the server's again by then, of a state that has none of them.
    fn forget_stamp(&mut self, log: Log, turn: &mut Turn) {
        if let Some(state) = self.get_mut(log)
            && state.view.take().is_some()
        {
            let rev = state.cursor;
            turn.apply(Write::Cursor {
                log,
                rev,
                view: None,
            });
        }
    }

    /// Whether the rows are a page of the log's present state, which names them.
    fn goes_on(&mut self, log: Log, rev: Rev, rows: &[Row], has_more: bool) -> bool {
        let Some(state) = self.get_mut(log) else {
            return false;
        };
        let Some(resetting) = &mut state.resetting else {
            return false;
        };
        resetting.at = rev;
        for row in rows {
            let named = (row.body.kind().to_owned(), row.id.clone());
            if matches!(row.body, Body::Deleted(_)) {
                resetting.kept.remove(&named);
            } else {
                resetting.kept.insert(named);
            }
        }
        state.wants_sync |= has_more;
        true
    }

    /// The stamp of the last page that came says what was so then, and in the end what the whole is.
    fn take_page_stamp(&mut self, log: Log, view: Option<String>) {
        if let Some(resetting) = self.get_mut(log).and_then(|state| state.resetting.as_mut()) {
            resetting.view = view;
        }
    }

    /// The present state of a log is whole: what is not in it, and no newer, is gone.
    fn end_reset(&mut self, log: Log, rev: Rev, topics: &mut Topics, turn: &mut Turn) {
        let resetting = self.get_mut(log).and_then(|state| state.resetting.take());
        let Some(Resetting { view, me, kept, .. }) = resetting else {
            return;
        };
        let kept: Vec<(String, String)> = kept.into_iter().collect();
        match log {
            Log::Community(community) => {
                let state = self.communities.get(&community);
                let vanished = state.map(|state| state.vanished(rev, &kept));
                for topic in vanished.into_iter().flatten() {
                    self.remove_topic(community, topic, rev, topics, turn);
                }
                if let Some(state) = self.communities.get_mut(&community) {
                    state.take_shape(&kept);
                }
            }
            Log::Account(_) => self.leave_unnamed(rev, &kept, topics, turn),
            Log::Topic(_) => {}
        }
        turn.apply(Write::Reset { log, rev, kept });
        if let Log::Community(community) = log {
            self.view_changed(community, topics, turn);
            if let Some(me) = me {
                turn.apply(Write::Me(community, me));
            }
        }
        if let Some(state) = self.get_mut(log) {
            state.is_doubted &= state.wants_sync;
            state.view = view.filter(|_| state.reshaped <= rev);
        }
        self.reach(log, rev, turn);
    }

    /// Communities that the account's present state does not name, and that are no newer.
    fn leave_unnamed(
        &mut self,
        rev: Rev,
        kept: &[(String, String)],
        topics: &mut Topics,
        turn: &mut Turn,
    ) {
        let is_named = |community: &CommunityId| {
            let id = community.to_string();
            kept.iter()
                .any(|(kind, row)| kind == "membership" && *row == id)
        };
        // Of those that the state before named no rev is kept.
        let is_older = |community: &CommunityId| {
            let row = self.memberships.get(community);
            row.is_none_or(|row| *row <= rev)
        };
        let known = self.communities.keys().copied();
        let left: Vec<CommunityId> = known
            .filter(|community| is_older(community) && !is_named(community))
            .collect();
        for community in left {
            self.forget_community(community, topics, turn);
        }
        self.memberships.retain(|_, row| *row > rev);
    }

    /// Rights that were taken away and given back leave the stamp as it was. What was answered in between was not.
    fn settle_doubt(&mut self, log: Log, topics: &mut Topics, turn: &mut Turn) {
        let Log::Community(community) = log else {
            return;
        };
        let is_settled = self
            .get_mut(log)
            .is_some_and(|state| !state.wants_sync && std::mem::take(&mut state.is_doubted));
        if is_settled {
            self.view_changed(community, topics, turn);
        }
    }

    /// Other rights, other topics: heads are asked for anew, and what is held is looked through.
    fn view_changed(&mut self, community: CommunityId, topics: &mut Topics, turn: &mut Turn) {
        let Some(state) = self.communities.get_mut(&community) else {
            return;
        };
        if state.lose_heads() {
            turn.apply(Write::HeadsKnown(community, 0));
        }
        for topic in state.numbers.values() {
            topics.lose_floor(*topic);
        }
        topics.try_refused_again();
    }

    /// What I see is not what the stamp names any more: the next answer is the whole present state.
    pub(super) fn lose_stamp(&mut self, log: Log, rev: Rev, turn: &mut Turn) {
        let Some(state) = self.get_mut(log) else {
            return;
        };
        state.reshaped = state.reshaped.max(rev);
        if state.view.take().is_some() {
            let rev = state.cursor;
            let view = None;
            turn.apply(Write::Cursor { log, rev, view });
        }
    }

    /// Everything up to `rev` was applied.
    pub(super) fn reach(&mut self, log: Log, rev: Rev, turn: &mut Turn) {
        if let Some(state) = self.get_mut(log) {
            state.reach(rev, turn.now());
            let (rev, view) = (state.cursor, state.view.clone());
            turn.apply(Write::Cursor { log, rev, view });
            if state.may_bury() {
                turn.apply(Write::Bury(log, rev));
            }
        }
    }
}

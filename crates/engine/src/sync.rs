//! Account and community logs: cursors, pages of changes, resets.

use std::collections::BTreeSet;

use tulou_protocol::{
    Body, CommunityId, Log, Question, Rev, Row, TopicId,
    frame::Response,
    id::Millis,
    push::{Me, SyncOutcome},
    question::{SyncLog, Synced},
};

use crate::{ahead::Ahead, engine::Engine, io::Change, questions::Asked};

/// Logs in a request.
const LOGS: usize = 64;
/// Topics in a request: each may bring a page of rows.
const TOPICS: usize = 4;
/// Requests for changes on their way.
const SYNCS: usize = 3;

/// A log with a cursor: the account's or a community's.
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
    pub ahead: Ahead,
    /// When a gap is synced.
    pub gap_at: Option<Millis>,
    /// The head, as far as heard.
    pub heard: Rev,
    /// It is synced as soon as possible.
    pub wants_sync: bool,
    /// It is being synced.
    pub is_syncing: bool,
}

impl LogState {
    pub(crate) fn restored(cursor: Rev, view: Option<String>) -> Self {
        Self {
            cursor,
            view,
            heard: cursor,
            ..Self::default()
        }
    }
}

impl Engine {
    /// The cursor of an account or community log.
    pub(crate) fn cursor(&self, log: Log) -> Rev {
        self.logs.get(&log).map_or(Rev::ZERO, |state| state.cursor)
    }

    /// What was in flight is asked again after the next greeting.
    pub(crate) fn lose_logs(&mut self) {
        for state in self.logs.values_mut() {
            state.is_syncing = false;
            state.wants_sync = false;
            state.gap_at = None;
            state.ahead.clear();
        }
        for state in self.communities.values_mut() {
            state.digests.clear();
        }
    }

    /// Logs whose gap did not close by itself are synced.
    pub(crate) fn close_gaps(&mut self) {
        for state in self.logs.values_mut() {
            if state.gap_at.is_some_and(|at| at <= self.turn.now()) {
                state.gap_at = None;
                state.wants_sync |= state.heard > state.cursor || !state.ahead.is_empty();
            }
        }
        self.close_topic_gaps();
    }

    pub(crate) fn logs_due(&self) -> Option<Millis> {
        self.logs.values().filter_map(|state| state.gap_at).min()
    }

    /// The account first: it says which communities there are. Then communities, then topics.
    pub(crate) fn pump_sync(&mut self) {
        let Some(account) = self.account.map(Log::Account) else {
            return;
        };
        let is_account_first = self
            .logs
            .get(&account)
            .is_some_and(|state| state.is_syncing || state.wants_sync);
        let mut chosen = Vec::new();
        for (log, state) in &mut self.logs {
            let has_turn = (*log == account) == is_account_first;
            if has_turn && state.wants_sync && !state.is_syncing && chosen.len() < LOGS {
                state.wants_sync = false;
                state.is_syncing = true;
                state.gap_at = None;
                chosen.push(SyncLog {
                    log: *log,
                    since: state.cursor,
                    view: state.view.clone(),
                    ranges: Vec::new(),
                });
            }
        }
        if !chosen.is_empty() {
            self.questions.ask(
                Asked::Sync(chosen.clone()),
                Question::LogSync { logs: chosen },
                &mut self.turn,
            );
        }
        while !self.topics.to_sync.is_empty()
            && self
                .questions
                .count(|asked| matches!(asked, Asked::Sync(_)))
                < SYNCS
        {
            let topics: Vec<TopicId> = self
                .topics
                .to_sync
                .iter()
                .copied()
                .filter(|topic| {
                    !self
                        .topics
                        .all
                        .get(topic)
                        .is_some_and(|state| state.is_syncing)
                })
                .take(TOPICS)
                .collect();
            if topics.is_empty() {
                break;
            }
            self.sync_topics(&topics);
        }
    }

    pub(crate) fn take_synced(&mut self, asked: Vec<SyncLog>, response: Response) {
        for log in &asked {
            match log.log {
                Log::Topic(topic) => {
                    if let Some(state) = self.topics.all.get_mut(&topic) {
                        state.is_syncing = false;
                    }
                }
                Log::Account(_) | Log::Community(_) => {
                    if let Some(state) = self.logs.get_mut(&log.log) {
                        state.is_syncing = false;
                    }
                }
            }
        }
        match response.into_result::<Synced>() {
            Ok(synced) => {
                for (asked, synced) in asked.into_iter().zip(synced.logs) {
                    if asked.log == synced.log {
                        self.take_synced_log(asked, synced.outcome);
                    }
                }
            }
            Err(refusal) => {
                self.question_refused(&refusal);
                for log in asked {
                    match log.log {
                        Log::Topic(topic) => {
                            if self.topics.all.contains_key(&topic) {
                                self.topics.to_sync.insert(topic);
                            }
                        }
                        Log::Account(_) | Log::Community(_) => {
                            if let Some(state) = self.logs.get_mut(&log.log) {
                                state.wants_sync = true;
                            }
                        }
                    }
                }
            }
        }
    }

    fn take_synced_log(&mut self, asked: SyncLog, outcome: SyncOutcome) {
        let log = asked.log;
        if let Log::Topic(topic) = log {
            self.take_synced_topic(topic, &asked, outcome);
            return;
        }
        if !self.logs.contains_key(&log) {
            return;
        }
        match outcome {
            SyncOutcome::Rows {
                rev,
                rows,
                has_more,
                view,
            } => {
                self.take_rows(log, rows, false);
                if let Some(state) = self.logs.get_mut(&log) {
                    state.wants_sync |= has_more;
                    // A stamp that was lost meanwhile stays lost: the answer is of the view before.
                    state.view = state.view.take().and(view);
                    self.move_cursor(log, rev);
                }
                self.settle_doubt(log);
            }
            SyncOutcome::Reset {
                rev,
                rows,
                view,
                me,
            } => self.reset(log, rev, rows, view, me),
            SyncOutcome::Ahead { .. } => {
                self.turn.apply(Change::Forget(log));
                if let Log::Community(community) = log
                    && let Some(state) = self.communities.get_mut(&community)
                {
                    state.topic_revs.clear();
                }
                self.memberships.clear();
                let fresh = LogState {
                    wants_sync: true,
                    ..LogState::default()
                };
                self.logs.insert(log, fresh);
            }
            SyncOutcome::Gone {} => {
                if let Log::Community(community) = log {
                    self.forget_community(community);
                }
            }
            // Only topics are answered so.
            SyncOutcome::Topic { .. } => {}
        }
    }

    fn reset(&mut self, log: Log, rev: Rev, rows: Vec<Row>, view: Option<String>, me: Option<Me>) {
        let kept: Vec<(String, String)> = rows
            .iter()
            .filter(|row| !matches!(row.body, Body::Deleted(_)))
            .map(|row| (row.body.kind().to_owned(), row.id.clone()))
            .collect();
        let has =
            |kind: &str, id: String| kept.iter().any(|(other, row)| other == kind && *row == id);
        match log {
            Log::Community(community) => {
                let topics: BTreeSet<&String> = kept
                    .iter()
                    .filter(|(kind, _)| kind == "topic")
                    .map(|(_, id)| id)
                    .collect();
                let vanished = self.communities.get(&community).map(|state| {
                    let seen = |topic: &TopicId| topics.contains(&topic.to_string());
                    let is_older =
                        |topic: &TopicId| state.topic_revs.get(topic).is_none_or(|row| *row <= rev);
                    state
                        .numbers
                        .values()
                        .filter(|topic| !seen(topic) && is_older(topic))
                        .copied()
                        .collect::<Vec<_>>()
                });
                for topic in vanished.into_iter().flatten() {
                    self.remove_topic(community, topic, rev);
                }
                // What is seen again has the rev it had before.
                if let Some(state) = self.communities.get_mut(&community) {
                    state.topic_revs.retain(|_, row| *row > rev);
                    state.take_shape(&kept);
                }
            }
            Log::Account(_) => {
                let left: Vec<CommunityId> = self
                    .memberships
                    .iter()
                    .filter(|(_, row)| **row <= rev)
                    .map(|(community, _)| *community)
                    .filter(|community| !has("membership", community.to_string()))
                    .collect();
                for community in left {
                    self.forget_community(community);
                }
                self.memberships.retain(|_, row| *row > rev);
            }
            Log::Topic(_) => {}
        }
        self.take_rows(log, rows, false);
        self.turn.apply(Change::Reset { log, rev, kept });
        if let Log::Community(community) = log {
            self.view_changed(community);
            if let Some(me) = me {
                self.turn.apply(Change::Me(community, me));
            }
        }
        if let Some(state) = self.logs.get_mut(&log) {
            state.is_doubted &= state.wants_sync;
            state.view = view.filter(|_| state.reshaped <= rev);
        }
        self.move_cursor(log, rev);
    }

    /// Rights that were taken away and given back leave the stamp as it was. What was answered in between was not.
    fn settle_doubt(&mut self, log: Log) {
        let Log::Community(community) = log else {
            return;
        };
        let is_settled = self
            .logs
            .get_mut(&log)
            .is_some_and(|state| !state.wants_sync && std::mem::take(&mut state.is_doubted));
        if is_settled {
            self.view_changed(community);
        }
    }

    /// What I see is not what the stamp names any more: the next answer is the whole present state.
    pub(crate) fn lose_stamp(&mut self, log: Log, rev: Rev) {
        let Some(state) = self.logs.get_mut(&log) else {
            return;
        };
        state.reshaped = state.reshaped.max(rev);
        if state.view.take().is_some() {
            self.turn.apply(Change::Cursor {
                log,
                rev: state.cursor,
                view: None,
            });
        }
    }

    /// The cursor moves to `rev`, and on through what came before it.
    pub(crate) fn move_cursor(&mut self, log: Log, rev: Rev) {
        let Some(state) = self.logs.get_mut(&log) else {
            return;
        };
        let (cursor, _) = state.ahead.reached(state.cursor.max(rev));
        state.cursor = cursor;
        state.heard = state.heard.max(cursor);
        if state.heard == cursor {
            state.gap_at = None;
        } else if state.gap_at.is_none() {
            state.gap_at = Some(self.turn.now() + tulou_protocol::limits::GAP_MS);
        }
        self.turn.apply(Change::Cursor {
            log,
            rev: cursor,
            view: state.view.clone(),
        });
    }

    /// Whether everything of the account and its communities is here.
    pub(crate) fn is_complete(&self) -> bool {
        self.logs
            .values()
            .all(|state| !state.wants_sync && !state.is_syncing)
            && self
                .communities
                .values()
                .all(|state| state.heads_since.is_none())
            && self
                .questions
                .count(|asked| matches!(asked, Asked::Heads(..)))
                == 0
            && self.are_watches_complete()
    }
}

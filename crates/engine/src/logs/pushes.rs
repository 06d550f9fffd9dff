//! What is pushed of the account and its communities, and what its rows say.

use tulou_protocol::{Body, CommunityId, Log, Push, Rev, Row, TopicId};

use super::Logs;
use crate::{io::Write, topics::Topics, turn::Turn};

impl Logs {
    /// Covered: ignore. Next: apply and move. Beyond a gap: apply, and sync unless the gap closes.
    pub fn take_push(&mut self, push: Push, is_news: bool, topics: &mut Topics, turn: &mut Turn) {
        let Push {
            log,
            prev,
            rev,
            rows,
            authors,
        } = push;
        let Some(state) = self.get_mut(log) else {
            return;
        };
        state.hear(rev);
        if rev <= state.cursor {
            return;
        }
        let is_next = prev <= state.cursor;
        if !is_next && !state.wait_for_gap(prev, rev, turn.now()) {
            return;
        }
        if let Log::Community(community) = log
            && let Some(state) = self.communities.get(&community)
            && rows.iter().any(|row| state.is_reshaped_by(row))
        {
            self.lose_stamp(log, rev, turn);
        }
        turn.name(authors);
        let begun = self.begun(log, &rows);
        self.take_rows(log, rows, is_news, topics, turn);
        for topic in begun {
            topics.begin(topic);
        }
        if is_next {
            self.reach(log, rev, turn);
        }
    }

    /// Topics that a push brings are those that were just made: of what comes into sight by other rights the whole state is
    /// told.
    fn begun(&self, log: Log, rows: &[Row]) -> Vec<TopicId> {
        let Log::Community(community) = log else {
            return Vec::new();
        };
        let state = self.communities.get(&community);
        let new = rows.iter().filter(|row| {
            let is_topic = matches!(row.body, Body::Topic(_));
            is_topic && state.is_some_and(|state| state.is_reshaped_by(row))
        });
        new.filter_map(|row| row.id.parse().ok()).collect()
    }

    /// Rows go to the store; those that concern the engine are read.
    pub(super) fn take_rows(
        &mut self,
        log: Log,
        rows: Vec<Row>,
        is_news: bool,
        topics: &mut Topics,
        turn: &mut Turn,
    ) {
        for row in &rows {
            match log {
                Log::Account(_) => self.read_account_row(row, is_news, topics, turn),
                Log::Community(community) => self.read_community_row(community, row, topics, turn),
                Log::Topic(_) => {}
            }
        }
        let mut bodies = rows.iter().map(|row| &row.body);
        if bodies.any(|body| matches!(body, Body::Deleted(_)))
            && let Some(state) = self.get_mut(log)
        {
            state.has_tombstones = true;
        }
        if !rows.is_empty() {
            turn.apply(Write::Rows(log, rows));
        }
    }

    fn read_account_row(&mut self, row: &Row, is_news: bool, topics: &mut Topics, turn: &mut Turn) {
        if row.body.kind() == "membership" {
            let Ok(community) = row.id.parse::<CommunityId>() else {
                return;
            };
            let last = self.memberships.entry(community).or_default();
            if row.rev < *last {
                return;
            }
            *last = row.rev;
            if matches!(row.body, Body::Deleted(_)) {
                self.forget_community(community, topics, turn);
            } else {
                self.know_community(community);
            }
        } else if let Body::Direct(direct) = &row.body {
            if let Ok(topic) = row.id.parse::<TopicId>() {
                topics.see(topic);
                topics.begin(topic);
                topics.raise_head(topic, direct.head_seq, direct.topic_rev);
            }
        } else if let Body::Mention(mention) = &row.body
            && is_news
        {
            turn.hear_mention(mention);
        }
    }

    fn read_community_row(
        &mut self,
        community: CommunityId,
        row: &Row,
        topics: &mut Topics,
        turn: &mut Turn,
    ) {
        let Ok(topic) = row.id.parse::<TopicId>() else {
            return;
        };
        if let Body::Topic(body) = &row.body {
            self.number_topic(community, topic, (body.no, row.rev), topics, turn);
        } else if matches!(row.body, Body::LockedTopic(_))
            || matches!(&row.body, Body::Deleted(kind) if kind == "topic")
        {
            self.remove_topic(community, topic, row.rev, topics, turn);
        }
    }

    /// A note that the log changed, without its rows, or that rights did.
    pub fn take_stale(&mut self, log: Log, rev: Rev) {
        if let Some(state) = self.get_mut(log) {
            state.hear(rev);
            state.is_doubted = true;
            state.wants_sync = true;
        }
    }

    /// The head of a log, as a heartbeat names it.
    pub fn take_heartbeat(&mut self, log: Log, rev: Rev) {
        if let Some(state) = self.get_mut(log)
            && rev > state.cursor
        {
            state.hear(rev);
            state.wants_sync = true;
        }
    }
}

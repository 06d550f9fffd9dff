//! What the server says on its own, and answers, which carry rows in the same shape.

use tulou_protocol::{
    AccountId, Answer, Body, CommunityId, Heartbeat, Log, Push, Rev, Row, Seq, Stale, TopicId,
    id::Millis, limits::GAP_MS, push::Pushed, row::Message, text,
};

use crate::{
    ahead::Stretch,
    engine::Engine,
    io::{Change, Island, Output},
    topics::{is_whole, seq_of},
};

/// Nothing older than this is notified of.
const NEWS_MS: Millis = 600_000;
/// Messages notified of that are remembered, so that a message and its mention are one notice.
const NOTIFIED: usize = 64;

impl Engine {
    pub(crate) fn take_pushed(&mut self, pushed: Pushed) {
        match pushed {
            Pushed::Push(push) => self.take_push(push, true),
            Pushed::Stale(stale) => self.take_stale(stale),
            Pushed::Digest(digest) => self.take_digest(digest),
            Pushed::Heartbeat(heartbeat) => self.take_heartbeat(heartbeat),
            // Where the server is found is the business of who opens the socket.
            Pushed::Addresses(_) => {}
            // Who opened the link shows it to the person; commands are answered by themselves.
            Pushed::Condition(_) => {}
            Pushed::Goodbye(goodbye) => self.take_goodbye(goodbye.reason),
        }
    }

    /// The changes that a command made.
    pub(crate) fn apply_answer(&mut self, answer: Answer, brings: Option<CommunityId>) {
        if let Some(community) = brings
            && answer
                .pushes
                .iter()
                .any(|push| self.is_news_of(community, push))
        {
            self.know_community(community);
        }
        for push in answer.pushes {
            self.take_push(push, false);
        }
    }

    /// Whether a push says that the community is one of mine, and nothing later said otherwise: the answer to a command
    /// that is sent again tells what was true when the command was done.
    fn is_news_of(&self, community: CommunityId, push: &Push) -> bool {
        let id = community.to_string();
        let last = self
            .memberships
            .get(&community)
            .copied()
            .unwrap_or_default();
        self.account
            .is_some_and(|account| push.log == Log::Account(account))
            && push.rev > self.cursor(push.log)
            && push.rows.iter().any(|row| {
                row.id == id && row.rev >= last && matches!(row.body, Body::Membership(_))
            })
    }

    fn take_push(&mut self, push: Push, is_news: bool) {
        match push.log {
            Log::Topic(topic) => self.take_topic_push(topic, push, is_news),
            Log::Account(account) if Some(account) != self.account => {}
            Log::Account(_) | Log::Community(_) => self.take_log_push(push, is_news),
        }
    }

    /// Covered: ignore. Next: apply and move. Beyond a gap: apply, and sync unless the gap closes.
    fn take_log_push(&mut self, push: Push, is_news: bool) {
        let Push {
            log,
            prev,
            rev,
            rows,
            authors,
        } = push;
        let Some(state) = self.logs.get_mut(&log) else {
            return;
        };
        state.heard = state.heard.max(rev);
        if rev <= state.cursor {
            return;
        }
        let is_next = prev <= state.cursor;
        if !is_next && state.cursor == Rev::ZERO {
            // The first answer names what is there, and not what is gone: a row that came before it could stay for good.
            state.gap_at = state.gap_at.or(Some(self.turn.now() + GAP_MS));
            return;
        }
        if !is_next {
            state.gap_at = state.gap_at.or(Some(self.turn.now() + GAP_MS));
            state.ahead.add(Stretch {
                prev,
                rev,
                seqs: Vec::new(),
            });
        }
        if let Log::Community(community) = log
            && rows.iter().any(|row| self.changes_shape(community, row))
        {
            self.lose_stamp(log, rev);
        }
        self.profiles.want(authors, &mut self.turn);
        self.take_rows(log, rows, is_news);
        if is_next {
            self.move_cursor(log, rev);
        }
    }

    /// Rows of the account's log or a community's go to the store; the engine reads those that concern it.
    pub(crate) fn take_rows(&mut self, log: Log, rows: Vec<Row>, is_news: bool) {
        for row in &rows {
            match log {
                Log::Account(_) => self.read_account_row(row, is_news),
                Log::Community(community) => self.read_community_row(community, row),
                Log::Topic(_) => {}
            }
        }
        if !rows.is_empty() {
            self.turn.apply(Change::Rows(log, rows));
        }
    }

    fn read_account_row(&mut self, row: &Row, is_news: bool) {
        if row.body.kind() == "membership" {
            let Ok(community) = row.id.parse::<CommunityId>() else {
                return;
            };
            let known = self.memberships.entry(community).or_default();
            if row.rev < *known {
                return;
            }
            *known = row.rev;
            if matches!(row.body, Body::Deleted(_)) {
                self.forget_community(community);
            } else {
                self.know_community(community);
            }
        } else if let Body::Direct(direct) = &row.body {
            if let Ok(topic) = row.id.parse::<TopicId>() {
                self.topics.all.entry(topic).or_default().is_seen = true;
                self.raise_head(topic, direct.head_seq, direct.topic_rev);
            }
        } else if let Body::Mention(mention) = &row.body
            && is_news
        {
            self.notify(mention.topic, mention.seq, mention.sent_at, true);
        }
    }

    fn read_community_row(&mut self, community: CommunityId, row: &Row) {
        let Ok(topic) = row.id.parse::<TopicId>() else {
            return;
        };
        if let Body::Topic(body) = &row.body {
            self.number_topic(community, topic, body.no, row.rev);
        } else if matches!(row.body, Body::LockedTopic(_))
            || matches!(&row.body, Body::Deleted(kind) if kind == "topic")
        {
            self.remove_topic(community, topic, row.rev);
        }
    }

    /// As with other logs, but only what is held is kept: rows of what is held, and new messages next to it.
    fn take_topic_push(&mut self, topic: TopicId, push: Push, is_news: bool) {
        let Push {
            prev,
            rev,
            mut rows,
            authors,
            ..
        } = push;
        let is_watched = self.topics.watches.on.contains(&topic);
        let Some(state) = self
            .topics
            .all
            .get_mut(&topic)
            .filter(|state| state.is_seen)
        else {
            return;
        };
        if state.cursor.is_some_and(|cursor| rev <= cursor) {
            return;
        }
        let head_seq = rows.iter().filter_map(seq_of).max().unwrap_or_default();
        let known_seq = state.held.last().unwrap_or_default().max(Seq(state
            .head
            .floor
            .0
            .saturating_sub(1)));
        let is_next = state.cursor.is_some_and(|cursor| prev <= cursor);
        // Of a topic just opened nothing says yet which messages are new: its tail is on its way.
        let has_tail = state.cursor.is_some() || state.held.last().is_some();
        let mut loose = Vec::new();
        let before = rows.len();
        rows.retain(|row| {
            let Body::Message(message) = &row.body else {
                return false;
            };
            let seq = message.seq;
            if state.held.contains(seq) {
                return true;
            }
            let is_new = is_whole(message) && seq > known_seq;
            if is_next && is_new || is_whole(message) && follows(state.held.last(), seq) {
                state.held.insert(Island {
                    from: seq,
                    to: seq,
                    rev,
                });
                return true;
            }
            if is_watched && is_new && has_tail {
                loose.push(seq);
                return true;
            }
            false
        });
        let is_all_kept = rows.len() == before;
        if !is_next && is_watched {
            // A stretch that lost rows is of no use: what they belong to may be held by the time the gap closes.
            let stretch = Stretch {
                prev,
                rev,
                seqs: loose.clone(),
            };
            if !is_all_kept || !state.ahead.add(stretch) {
                rows.retain(|row| seq_of(row).is_none_or(|seq| !loose.contains(&seq)));
            }
        }
        self.turn.islands.insert(topic);
        self.raise_head(topic, head_seq, rev);
        self.profiles.want(authors, &mut self.turn);
        if is_news && is_watched {
            for row in &rows {
                if let Body::Message(message) = &row.body {
                    self.notify_message(topic, row.rev, message);
                }
            }
        }
        if !rows.is_empty() {
            self.turn.apply(Change::Rows(Log::Topic(topic), rows));
        }
        if is_next {
            self.advance_topic(topic, rev);
        } else {
            self.expect(topic);
        }
    }

    fn take_stale(&mut self, stale: Stale) {
        match stale.log {
            Log::Topic(topic) => {
                if self.topics.watches.on.contains(&topic) {
                    self.raise_head(topic, Seq::ZERO, stale.rev);
                    self.topics.to_sync.insert(topic);
                }
            }
            Log::Account(_) | Log::Community(_) => {
                if let Some(state) = self.logs.get_mut(&stale.log) {
                    state.heard = state.heard.max(stale.rev);
                    state.is_doubted = true;
                    state.wants_sync = true;
                }
            }
        }
    }

    fn take_heartbeat(&mut self, heartbeat: Heartbeat) {
        self.clock_ahead = heartbeat.now.saturating_sub(self.turn.now());
        // The server may have ended a watch and given back the right since: then nothing would be pushed any more.
        let ended: Vec<TopicId> = self
            .topics
            .watches
            .on
            .iter()
            .filter(|topic| {
                !heartbeat
                    .heads
                    .iter()
                    .any(|(log, _)| *log == Log::Topic(**topic))
            })
            .copied()
            .collect();
        for topic in ended {
            self.end_watch(topic);
        }
        for (log, rev) in heartbeat.heads {
            match log {
                Log::Topic(topic) => self.expect_topic(topic, rev),
                Log::Account(_) | Log::Community(_) => {
                    if let Some(state) = self.logs.get_mut(&log)
                        && rev > state.cursor
                    {
                        state.heard = state.heard.max(rev);
                        state.wants_sync = true;
                    }
                }
            }
        }
    }

    fn expect_topic(&mut self, topic: TopicId, rev: Rev) {
        let is_behind = self
            .topics
            .all
            .get(&topic)
            .is_some_and(|state| state.cursor.is_some_and(|cursor| rev > cursor));
        if is_behind {
            self.raise_head(topic, Seq::ZERO, rev);
            self.topics.to_sync.insert(topic);
        }
    }

    fn notify_message(&mut self, topic: TopicId, rev: Rev, message: &Message) {
        let Some(content) = &message.content else {
            return;
        };
        let is_first = message.content_rev == rev
            && content.edited_at.is_none()
            && content.recalled_by.is_none();
        if !is_first || Some(content.author) == self.account {
            return;
        }
        let mentions_me = self
            .account
            .is_some_and(|me: AccountId| text::mentions(&content.text).accounts.contains(&me));
        self.notify(topic, message.seq, content.sent_at, mentions_me);
    }

    fn notify(&mut self, topic: TopicId, seq: Seq, sent_at: Millis, mentions_me: bool) {
        let server_now = self.turn.now().saturating_add(self.clock_ahead);
        if server_now.saturating_sub(sent_at) > NEWS_MS || self.notified.contains(&(topic, seq)) {
            return;
        }
        if self.notified.len() >= NOTIFIED {
            self.notified.pop_front();
        }
        self.notified.push_back((topic, seq));
        self.turn.push(Output::Notify {
            topic,
            seq,
            mentions_me,
        });
    }
}

/// Whether a message comes directly after what is held, or is the first of all.
fn follows(last: Option<Seq>, seq: Seq) -> bool {
    last.unwrap_or_default().next() == seq
}

//! Messages that the person may want to hear of: new ones of others, told once.

use std::collections::VecDeque;

use tulou_protocol::{AccountId, Seq, TopicId, id::Millis, text};

use crate::{
    io::Output,
    turn::{News, Turn},
};

/// Nothing older than this is notified of.
const NEWS_MS: Millis = 600_000;
/// Messages notified of that are remembered, so that a message and its mention are one notice.
const NOTIFIED: usize = 64;

/// What was notified of.
#[derive(Debug, Default)]
pub struct Notices {
    /// Who is not told of his own messages.
    me: Option<AccountId>,
    /// The server's time minus ours.
    server_ahead: Millis,
    /// Messages that were notified of last.
    last: VecDeque<(TopicId, Seq)>,
}

impl Notices {
    pub fn restored(me: Option<AccountId>) -> Self {
        Self {
            me,
            ..Self::default()
        }
    }

    pub const fn greeted(&mut self, me: AccountId) {
        self.me = Some(me);
    }

    /// The server said what time it is.
    pub const fn set_server_time(&mut self, time: Millis, now: Millis) {
        self.server_ahead = time.saturating_sub(now);
    }

    /// The server was restored: messages may have other places.
    pub fn forget(&mut self) {
        self.last.clear();
    }

    /// What was pushed in this turn.
    pub fn tell(&mut self, turn: &mut Turn) {
        for news in turn.take_news() {
            match news {
                News::Message(topic, seq, content) if Some(content.author) != self.me => {
                    let named = text::mentions(&content.text).accounts;
                    let mentions_me = self.me.is_some_and(|me| named.contains(&me));
                    self.notify(topic, seq, (content.sent_at, mentions_me), turn);
                }
                News::Message(..) => {}
                News::Mention(mention) => {
                    self.notify(mention.topic, mention.seq, (mention.sent_at, true), turn);
                }
            }
        }
    }

    fn notify(
        &mut self,
        topic: TopicId,
        seq: Seq,
        (sent_at, mentions_me): (Millis, bool),
        turn: &mut Turn,
    ) {
        let server_now = turn.now().saturating_add(self.server_ahead);
        if server_now.saturating_sub(sent_at) > NEWS_MS || self.last.contains(&(topic, seq)) {
            return;
        }
        if self.last.len() >= NOTIFIED {
            self.last.pop_front();
        }
        self.last.push_back((topic, seq));
        turn.push(Output::Notify {
            topic,
            seq,
            mentions_me,
        });
    }
}

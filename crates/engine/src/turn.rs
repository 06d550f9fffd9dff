//! One input's turn: its time, and what is to be done about it.

use tulou_protocol::{
    AccountId, Body, Rev, Row, Seq, TopicId,
    id::Millis,
    row::{Content, Mention},
};

use crate::io::{Batch, Output, Write};

/// What an input comes to. Everything that it changes in the store is one transaction; the rest comes after.
#[derive(Debug)]
pub struct Turn {
    now: Millis,
    batch: Batch,
    after: Vec<Output>,
    /// Authors of rows, with the revs of their profiles.
    authors: Vec<(AccountId, Rev)>,
    news: Vec<News>,
}

/// A message, or a mention of me, that was pushed.
#[derive(Debug)]
pub enum News {
    Message(TopicId, Seq, Box<Content>),
    Mention(Mention),
}

impl Turn {
    pub const fn new(now: Millis) -> Self {
        Self {
            now,
            batch: Vec::new(),
            after: Vec::new(),
            authors: Vec::new(),
            news: Vec::new(),
        }
    }

    /// An input comes at this time.
    pub const fn begin(&mut self, now: Millis) {
        self.now = now;
    }

    /// The time of the input.
    pub const fn now(&self) -> Millis {
        self.now
    }

    /// Part of the one transaction.
    pub fn apply(&mut self, change: Write) {
        self.batch.push(change);
    }

    /// After the transaction.
    pub fn push(&mut self, output: Output) {
        self.after.push(output);
    }

    /// Rows of the transaction have these authors.
    pub fn name(&mut self, mut authors: Vec<(AccountId, Rev)>) {
        self.authors.append(&mut authors);
    }

    /// The authors that were named.
    pub fn take_authors(&mut self) -> Vec<(AccountId, Rev)> {
        std::mem::take(&mut self.authors)
    }

    /// A row of a topic was pushed: news if it is what was sent, and no later change of it.
    pub fn hear_message(&mut self, topic: TopicId, row: &Row) {
        if let Body::Message(message) = &row.body
            && let Some(content) = &message.content
            && message.content_rev == row.rev
            && content.edited_at.is_none()
            && content.recalled_by.is_none()
        {
            let content = Box::new(content.clone());
            self.news.push(News::Message(topic, message.seq, content));
        }
    }

    /// A mention of me was pushed.
    pub fn hear_mention(&mut self, mention: &Mention) {
        self.news.push(News::Mention(mention.clone()));
    }

    /// What was pushed.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// What is to be done, in order.
    pub fn end(&mut self) -> Vec<Output> {
        let mut outputs = Vec::with_capacity(self.after.len() + 1);
        if !self.batch.is_empty() {
            outputs.push(Output::Apply(std::mem::take(&mut self.batch)));
        }
        outputs.append(&mut self.after);
        outputs
    }
}

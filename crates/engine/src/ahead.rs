//! Spans of a log that came before what lies between the cursor and them: they are taken up when the gap closes.

use tulou_protocol::{Rev, Seq};

/// Spans kept at most; with more the log is simply synced.
const SPANS: usize = 64;

/// From `prev` to `rev` everything was applied.
#[derive(Debug, Clone)]
pub struct Span {
    /// The rev before.
    pub prev: Rev,
    /// The rev it brings to.
    pub rev: Rev,
    /// For a topic: whole messages in it that are not part of an island yet.
    pub seqs: Vec<Seq>,
}

/// Spans beyond a gap.
#[derive(Debug, Clone, Default)]
pub struct Ahead(Vec<Span>);

impl Ahead {
    /// Keeps a span, unless there are too many.
    pub fn add(&mut self, span: Span) -> bool {
        let has_room = self.0.len() < SPANS;
        if has_room {
            self.0.push(span);
        }
        has_room
    }

    /// The spans that the cursor reaches, in order, and the cursor after them.
    pub fn reached(&mut self, mut cursor: Rev) -> (Rev, Vec<Span>) {
        let mut reached = Vec::new();
        while let Some(at) = self.0.iter().position(|span| span.prev <= cursor) {
            let span = self.0.remove(at);
            cursor = cursor.max(span.rev);
            reached.push(span);
        }
        (cursor, reached)
    }

    /// Whether there is a gap.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets them all; the messages that were waiting to become part of an island.
    pub fn clear(&mut self) -> Vec<Seq> {
        std::mem::take(&mut self.0)
            .into_iter()
            .flat_map(|span| span.seqs)
            .collect()
    }
}

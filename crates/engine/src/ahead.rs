//! Stretches of a log that came before what lies between the cursor and them: they are taken up when the gap closes.

use tulou_protocol::{Rev, Seq};

/// Stretches kept at most; with more the log is simply synced.
const STRETCHES: usize = 64;

/// From `prev` to `rev` everything was applied.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// The rev before.
    pub prev: Rev,
    /// The rev it brings to.
    pub rev: Rev,
    /// For a topic: whole messages in it that are not part of an island yet.
    pub seqs: Vec<Seq>,
}

/// Stretches beyond a gap.
#[derive(Debug, Clone, Default)]
pub struct Ahead(Vec<Stretch>);

impl Ahead {
    /// Keeps a stretch, unless there are too many.
    pub fn add(&mut self, stretch: Stretch) -> bool {
        let has_room = self.0.len() < STRETCHES;
        if has_room {
            self.0.push(stretch);
        }
        has_room
    }

    /// The stretches that the cursor reaches, in order, and the cursor after them.
    pub fn reached(&mut self, mut cursor: Rev) -> (Rev, Vec<Stretch>) {
        let mut reached = Vec::new();
        while let Some(at) = self.0.iter().position(|stretch| stretch.prev <= cursor) {
            let stretch = self.0.remove(at);
            cursor = cursor.max(stretch.rev);
            reached.push(stretch);
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
            .flat_map(|stretch| stretch.seqs)
            .collect()
    }
}

//! One input's turn: its time, and what is to be done about it.

use std::collections::BTreeSet;

use tulou_protocol::{TopicId, id::Millis};

use crate::{
    clock::Clock,
    io::{Batch, Change, Output},
};

/// What is to be done about one input. Everything that it changes in the store is one transaction; the rest comes after.
#[derive(Debug)]
pub struct Turn {
    clock: Clock,
    batch: Batch,
    after: Vec<Output>,
    /// Topics whose islands changed.
    pub islands: BTreeSet<TopicId>,
    /// Topics whose heads changed.
    pub heads: BTreeSet<TopicId>,
}

impl Turn {
    pub const fn new(now: Millis) -> Self {
        Self {
            clock: Clock::new(now),
            batch: Vec::new(),
            after: Vec::new(),
            islands: BTreeSet::new(),
            heads: BTreeSet::new(),
        }
    }

    /// An input comes at this time, as the clock says it.
    pub fn begin(&mut self, time: Millis) {
        self.clock.says(time);
    }

    /// The time of the input.
    pub const fn now(&self) -> Millis {
        self.clock.now()
    }

    /// A time of the engine as the clock says it.
    pub const fn by_the_clock(&self, at: Millis) -> Millis {
        self.clock.by_the_clock(at)
    }

    /// Part of the one transaction.
    pub fn apply(&mut self, change: Change) {
        self.batch.push(change);
    }

    /// After the transaction.
    pub fn push(&mut self, output: Output) {
        self.after.push(output);
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

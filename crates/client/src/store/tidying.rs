//! What a store has too much of, in small steps: what nobody sees any more, what was viewed longest ago, room that nothing is
//! in. And what of it cannot be read.

use std::collections::{BTreeMap, BTreeSet};

use tulou_engine::{Island, Write};
use tulou_protocol::{Seq, TopicId, id::Millis};

use super::{
    Store, StoreError, Touched, apply, islands, messages,
    rows::{self, RowKey},
};

/// Messages that go in a step.
const MESSAGES: u32 = 500;
/// Rows that go in a step.
const GONE: u32 = 500;
/// Rows that are looked through in a step.
const ROWS: usize = 2_000;
/// Pages that are given back to the disk in a step.
const PAGES: u32 = 256;

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tidied {
    /// There was nothing to be done.
    Nothing,
    /// Something was done, and there may be more.
    Some,
    /// There is no room for messages of a topic up to a place. What is held is the engine's to say, so it drops them; where
    /// there is none, [`Store::let_go`] does.
    LetGo(TopicId, Seq),
}

/// What a look at some rows came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Looked {
    /// Rows that could not be read are to be fetched again: an engine has to begin anew.
    pub is_healed: bool,
    /// After which row it goes on; none at the end.
    pub next: Option<RowKey>,
}

impl Store {
    /// Looks through the next rows after one for such as cannot be read. Nobody who writes waits unless there are some.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn look_through(&self, after: &RowKey) -> Result<Looked, StoreError> {
        let (logs, next) = self.read(|db| rows::look_through(db, after, ROWS))?;
        let is_healed = !logs.is_empty();
        if is_healed {
            self.keep(|db| rows::heal(db, &logs))?;
        }
        Ok(Looked { is_healed, next })
    }

    /// One step, with so many bytes for what is held. What is shown, from which place on, is spared, and topics that are
    /// stuck.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn tidy(
        &self,
        budget: u64,
        shown: &BTreeMap<TopicId, Seq>,
        stuck: &BTreeSet<TopicId>,
    ) -> Result<Tidied, StoreError> {
        if self.keep(|db| {
            Ok::<_, StoreError>(messages::sweep(db, MESSAGES)? || rows::sweep(db, GONE)?)
        })? {
            return Ok(Tidied::Some);
        }
        if self.bytes()? > budget
            && let Some((topic, to)) =
                self.read(|db| messages::oldest(db, MESSAGES, shown, stuck))?
        {
            return Ok(Tidied::LetGo(topic, to));
        }
        if self.file_bytes()? > budget && self.shrink(PAGES)? {
            return Ok(Tidied::Some);
        }
        Ok(Tidied::Nothing)
    }

    /// Lets go of the messages of a topic up to a place while there is no engine: what is held is what the store says, and
    /// the next engine begins from it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn let_go(&self, topic: TopicId, to: Seq, now: Millis) -> Result<Touched, StoreError> {
        self.keep(|db| {
            let held = islands::of_topic(db, topic)?.into_iter();
            let left = held.filter(|island| island.to > to).map(|island| Island {
                from: island.from.max(to.next()),
                ..island
            });
            let batch = [
                Write::DropRange(topic, Seq(1), to),
                Write::Islands(topic, left.collect()),
            ];
            apply::batch(db, self.me, &batch, now)
        })
    }
}

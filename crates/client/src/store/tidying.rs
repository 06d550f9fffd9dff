//! What a store has too much of, in small steps: what nobody sees any more, what was viewed longest ago, room that nothing is
//! in. And what of it cannot be read.

use tulou_protocol::{Seq, TopicId};

use super::{Store, StoreError, messages, rows};

/// Messages that go in a step.
const MESSAGES: u32 = 500;
/// Pages that are given back to the disk in a step.
const PAGES: u32 = 256;

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tidied {
    /// There was nothing to be done.
    Nothing,
    /// Something was done, and there may be more.
    Some,
    /// Rows that could not be read are to be fetched again: an engine has to begin anew.
    Healed,
    /// There is no room for messages of a topic up to a place. What is held is the engine's to say, so it drops them.
    LetGo(TopicId, Seq),
}

impl Store {
    /// One step, with so many bytes for what is held.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn tidy(&self, budget: u64, is_looked_through: bool) -> Result<Tidied, StoreError> {
        if !is_looked_through && self.keep(|db| rows::heal(db))? {
            return Ok(Tidied::Healed);
        }
        if self.keep(|db| messages::sweep(db, MESSAGES))? {
            return Ok(Tidied::Some);
        }
        if self.bytes()? > budget
            && let Some((topic, to)) = self.read(|db| messages::oldest(db, MESSAGES))?
        {
            return Ok(Tidied::LetGo(topic, to));
        }
        if self.file_bytes()? > budget && self.shrink(PAGES)? {
            return Ok(Tidied::Some);
        }
        Ok(Tidied::Nothing)
    }
}

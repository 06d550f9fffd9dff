//! What is done to a message's marks: to the marks as they are when it is written, so that many may do so at once.

use serde::{Deserialize, Serialize};
use tulou_protocol::{
    AccountId, Code, Counted, Rejection,
    id::Millis,
    limits,
    row::{Marks, Reaction},
};

/// What is done to a message's marks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Marking {
    /// Somebody gives a reaction, or takes it back. Whether it is given already, the marks do not tell.
    Reaction {
        /// Who.
        account: AccountId,
        /// Which.
        key: String,
        /// Whether it is given.
        on: bool,
    },
    /// It is pinned at this time, or not any more.
    Pin(Option<Millis>),
    /// Nothing: its row goes out as it is.
    Touch,
}

impl Marking {
    /// The marks after it was done. `pins` are those of the topic.
    ///
    /// # Errors
    /// `too_many`, of reactions or pins.
    pub fn done_to(&self, before: Option<&Marks>, pins: usize) -> Result<Marks, Rejection> {
        let mut marks = before.cloned().unwrap_or_default();
        match self {
            Self::Reaction { key, on, .. } => {
                let kinds = marks.reactions.len();
                let known = marks.reactions.iter_mut().find(|one| one.key == *key);
                match known {
                    Some(reaction) if *on => reaction.count += 1,
                    Some(reaction) => reaction.count = reaction.count.saturating_sub(1),
                    None if !on => {}
                    None if kinds >= limits::REACTION_KINDS => {
                        let no = Rejection::limit(Code::TooMany, limits::REACTION_KINDS);
                        return Err(no.of(Counted::Reactions));
                    }
                    None => marks.reactions.push(Reaction {
                        key: key.clone(),
                        count: 1,
                    }),
                }
                marks.reactions.retain(|reaction| reaction.count > 0);
            }
            Self::Pin(at) => {
                if at.is_some() && marks.pinned_at.is_none() && pins >= limits::PINS {
                    return Err(Rejection::limit(Code::TooMany, limits::PINS).of(Counted::Pins));
                }
                marks.pinned_at = *at;
            }
            Self::Touch => {}
        }
        Ok(marks)
    }
}

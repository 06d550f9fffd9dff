//! What may happen: pure decisions over plain structs. No clock, no randomness, no storage.
//!
//! * [`structure`]: a community's structure in memory, and the rights that follow from it
//! * [`membership`]: what somebody is in it
//! * [`sight`]: what a member sees of a community, and the stamp that names it
//! * [`view`]: what another version of it means for whoever sees it
//! * [`facts`]: what a decision is made from
//! * [`change`]: what a decision comes to
//! * [`paging`]: where an answer ends that goes on in another
//! * [`decide()`]: a command, answered with changes or a rejection

mod access;
mod account;
mod case;
pub mod change;
mod community;
mod decide;
mod edit;
pub mod facts;
mod member;
pub mod membership;
pub(crate) mod message;
pub mod paging;
pub mod structure;
mod topic;
pub mod view;

pub use case::Decision;
pub use change::Change;
pub use decide::{decide, is_apart};
pub use facts::{Facts, Needs, needs};
pub use membership::{Member, Reader};
pub use structure::Structure;
pub use structure::audience::{Audience, Hears};
pub use structure::sight::{self, Sight};
pub use view::View;

#[cfg(test)]
mod tests;

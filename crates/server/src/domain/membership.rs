//! What somebody is in a community, and in a topic that he reads.

use serde::{Deserialize, Serialize};
use tulou_protocol::{AccountId, MemberGroupId, Rev, id::Millis};

/// A member of a community.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub account: AccountId,
    /// When he joined.
    pub joined_at: Millis,
    /// His member groups, in no particular order; those that were deleted since have no effect.
    pub member_groups: Vec<MemberGroupId>,
    /// The rev of the member's row: moves with each change of it.
    pub rev: Rev,
}

/// A member as somebody who reads a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    /// Since when he is there: since he joined, or got his seat.
    pub since: Millis,
    /// Whether he may read what was sent before.
    pub has_history: bool,
}

impl Reader {
    /// Who was there from the beginning.
    #[cfg(test)]
    pub(crate) const ALWAYS: Self = Self {
        since: 0,
        has_history: true,
    };

    /// Since when he may read; none if he may read all of it.
    #[must_use]
    pub fn readable_since(self) -> Option<Millis> {
        (!self.has_history).then_some(self.since)
    }
}

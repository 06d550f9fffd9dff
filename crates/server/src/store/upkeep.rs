//! What a store does with what became old and what ended: in bounded steps, each a transaction of its own, so that nobody
//! waits long for the writer and a crash in between does no harm.

use tulou_protocol::{AccountId, CommunityId, Rev, id::Millis};

use super::Pending;

/// A `Mention` or `Mark` row that became old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fading {
    /// Whose.
    pub account: AccountId,
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its rev.
    pub rev: Rev,
}

/// What became old, and what ended.
pub trait Upkeep {
    /// `Mention` and `Mark` rows that last changed before a time; at most `limit`.
    fn fading(&self, before: Millis, limit: usize) -> Pending<Vec<Fading>>;
    /// Accounts that have more than `most` rows of such a kind, with how many more. Looks at all that there are.
    fn crowded(&self, most: usize) -> Pending<Vec<(AccountId, String, usize)>>;
    /// The oldest rows of such a kind of an account.
    fn oldest(&self, account: AccountId, kind: String, limit: usize) -> Pending<Vec<Fading>>;
    /// Forgets tombstones of such rows from before a time, at most `limit`; how many.
    fn forget_tombstones(&self, before: Millis, limit: usize) -> Pending<usize>;
    /// Drops answers that were stored before a time, at most `limit`; how many.
    fn forget_answers(&self, before: Millis, limit: usize) -> Pending<usize>;
    /// Members of communities that ended, whose rows are still there; at most `limit`.
    fn bereft(&self, limit: usize) -> Pending<Vec<(CommunityId, AccountId)>>;
    /// Removes at most `limit` rows of what was in a topic or community that ended; whether there may be more.
    fn sweep(&self, limit: usize) -> Pending<bool>;
}

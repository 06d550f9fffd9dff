//! Who is connected, wherever that is. Whatever is said of it, in a greeting, an answer or a digest, is asked here. In a
//! server that is one process its hub knows all of it.

use std::collections::BTreeSet;

use tulou_protocol::{AccountId, CommunityId, SessionId};

/// Who is connected, to this node or to another one. It answers at once, of what nodes have told each other by then: a digest
/// does not wait for a node that is slow, nor a greeting.
pub trait Presence: Send + Sync + 'static {
    /// Who of these accounts is connected.
    fn online(&self, accounts: &[AccountId]) -> Vec<bool>;

    /// How many members of a community are connected. Who is so to two nodes is one.
    fn count_online(&self, community: CommunityId) -> u64;

    /// How many sockets an account has.
    fn count_sockets(&self, account: AccountId) -> usize;

    /// The sessions of an account that are connected.
    fn sessions_of(&self, account: AccountId) -> BTreeSet<SessionId>;

    /// Communities whose members came or went on another node since this was last asked: those who are connected to this one
    /// are told how many there are.
    fn moved_elsewhere(&self) -> Vec<CommunityId>;
}

#[cfg(test)]
pub(crate) mod elsewhere;

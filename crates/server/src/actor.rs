//! Who acts, apart from how he is connected: what is written by REST, by the server itself or in a test needs no socket.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};
use tulou_protocol::{AccountId, Rev};
use uuid::Uuid;

/// Where a commit came from, unique over all nodes: whoever it was gets the answer and no push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin(Uuid);

impl Default for Origin {
    fn default() -> Self {
        Self::SERVER
    }
}

impl Origin {
    /// The server itself: nobody waits for the answer, everybody gets the push.
    pub const SERVER: Self = Self(Uuid::nil());

    /// One that nobody has, on any node.
    #[must_use]
    pub fn unique() -> Self {
        Self(Uuid::now_v7())
    }
}

/// Who acts.
#[derive(Debug, Clone)]
pub struct Actor {
    /// As which account.
    pub account: AccountId,
    /// From where.
    pub origin: Origin,
    /// The rev of the account's profile, which goes with what it writes.
    profile_rev: Arc<AtomicU64>,
}

impl Actor {
    /// The account, by a way of its own.
    #[must_use]
    pub fn new(account: AccountId, profile_rev: Rev) -> Self {
        Self {
            account,
            origin: Origin::unique(),
            profile_rev: Arc::new(AtomicU64::new(profile_rev.0)),
        }
    }

    /// The server, in the name of an account.
    #[must_use]
    pub fn server(account: AccountId) -> Self {
        Self {
            origin: Origin::SERVER,
            ..Self::new(account, Rev::ZERO)
        }
    }

    /// The rev of the account's profile.
    #[must_use]
    pub fn profile_rev(&self) -> Rev {
        Rev(self.profile_rev.load(Ordering::Relaxed))
    }

    /// The account's profile has changed.
    pub(crate) fn set_profile_rev(&self, rev: Rev) {
        self.profile_rev.fetch_max(rev.0, Ordering::Relaxed);
    }
}

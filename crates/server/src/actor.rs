//! Who acts, apart from how he is connected: what is written by REST, by the server itself or in a test needs no socket.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tulou_protocol::{AccountId, Code, Rejection, Rev};
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
    /// Its sign-in was revoked.
    revoked: CancellationToken,
}

impl Actor {
    /// The account, by a way of its own.
    #[must_use]
    pub fn new(account: AccountId, profile_rev: Rev) -> Self {
        Self {
            account,
            origin: Origin::unique(),
            profile_rev: Arc::new(AtomicU64::new(profile_rev.0)),
            revoked: CancellationToken::new(),
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

    /// Whether its sign-in was revoked: nothing is done for it any more.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.revoked.is_cancelled()
    }

    /// Refuses what is asked for by a sign-in that was revoked.
    ///
    /// # Errors
    /// `signed_out`.
    pub(crate) fn require_signed_in(&self) -> Result<(), Rejection> {
        if self.is_revoked() {
            return Err(Code::SignedOut.into());
        }
        Ok(())
    }

    /// Until its sign-in is revoked.
    pub(crate) async fn revoked(&self) {
        self.revoked.cancelled().await;
    }

    /// Its sign-in was revoked.
    pub(crate) fn revoke(&self) {
        self.revoked.cancel();
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

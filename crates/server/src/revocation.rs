//! The end of sessions that were revoked, wherever they are connected: to this process, since there is no other.

use std::sync::Arc;

use tulou_protocol::SessionId;

use crate::hub::Hub;

/// Ends what is connected with sessions that were revoked.
pub struct Revocation {
    hub: Arc<Hub>,
}

impl Revocation {
    /// Of those that are connected to a hub.
    pub const fn at(hub: Arc<Hub>) -> Self {
        Self { hub }
    }

    /// Ends what is connected with these sessions.
    pub fn end(&self, sessions: &[SessionId]) {
        self.hub.sign_out(sessions);
    }
}

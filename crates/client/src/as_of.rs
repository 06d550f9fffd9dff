//! Who looks or acts, and when.

use tulou_protocol::{AccountId, id::Millis};

/// Who looks or acts, and when: by the clock of this computer, which dates what a person does, and by the server's, which
/// dates everything else.
#[derive(Debug, Clone, Copy)]
pub struct AsOf {
    /// Whose store it is.
    pub me: AccountId,
    /// The time of this computer.
    pub now: Millis,
    /// The server's clock less this computer's, as well as it is known.
    pub skew: Millis,
    /// Whether there is a link, or soon may be.
    pub is_linked: bool,
}

impl AsOf {
    /// The server's time, as well as it is known.
    pub const fn server_now(&self) -> Millis {
        self.now.saturating_add(self.skew)
    }
}

/// Milliseconds since 1970 on this computer.
pub fn now() -> Millis {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| {
            Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
        })
}

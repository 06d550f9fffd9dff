//! How the network and the server are at the moment.

use tulou_protocol::id::Millis;

use crate::chance::Chance;

/// Each is one time in so many; 0 is never.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// A push is lost.
    pub loss: u64,
    /// A push comes after later ones.
    pub late: u64,
    /// A frame takes long.
    pub slow: u64,
    /// The server is busy.
    pub busy: u64,
    /// The rows of a push are replaced by a note that the log changed.
    pub stale: u64,
    /// A link cannot be opened.
    pub closed: u64,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            loss: 12,
            late: 6,
            slow: 10,
            busy: 20,
            stale: 20,
            closed: 4,
        }
    }
}

impl Weather {
    /// Nothing goes wrong.
    pub const CALM: Self = Self {
        loss: 0,
        late: 0,
        slow: 0,
        busy: 0,
        stale: 0,
        closed: 0,
    };

    pub fn new(chance: &mut Chance) -> Self {
        let mut one = |often: &[u64]| *chance.pick(often).unwrap();
        Self {
            loss: one(&[0, 3, 12, 40]),
            late: one(&[0, 3, 8]),
            slow: one(&[0, 4, 15]),
            busy: one(&[0, 0, 4, 20]),
            stale: one(&[0, 5, 20]),
            closed: one(&[0, 2, 5]),
        }
    }

    pub fn happens(often: u64, chance: &mut Chance) -> bool {
        often > 0 && chance.one_in(often)
    }

    pub fn is_busy(&self, chance: &mut Chance) -> bool {
        Self::happens(self.busy, chance)
    }

    pub fn latency(&self, chance: &mut Chance) -> Millis {
        if Self::happens(self.slow, chance) {
            chance.between(200, 4_000)
        } else {
            chance.between(1, 60)
        }
    }
}

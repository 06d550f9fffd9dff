//! How much there may be of something. In some runs that is so little that people meet it: the domain's own limits hold, and
//! what is missing to them is counted in.

use tulou_protocol::limits;

use crate::habits::Habit;

/// So many pins a topic takes, and so many communities and levels an account has.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    pub pins: usize,
    pub communities: usize,
    pub levels: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            pins: limits::PINS,
            communities: limits::COMMUNITIES,
            levels: limits::LEVELS,
        }
    }
}

impl Room {
    /// Whoever likes to do a thing meets its limit.
    pub fn of(habit: Habit) -> Self {
        let much = Self::default();
        match habit {
            Habit::Marking => Self { pins: 3, ..much },
            Habit::Going => Self {
                communities: 2,
                levels: 2,
                ..much
            },
            _ => much,
        }
    }

    /// How many the domain is told there are.
    pub const fn pins(self, count: usize) -> usize {
        count + limits::PINS - self.pins
    }

    /// How many rows of a kind the domain is told that an account has.
    pub fn own(self, kind: &str, count: usize) -> usize {
        match kind {
            "membership" => count + limits::COMMUNITIES - self.communities,
            "notify" => count + limits::LEVELS - self.levels,
            _ => panic!("{kind} has no limit"),
        }
    }
}

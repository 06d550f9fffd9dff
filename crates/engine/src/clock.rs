//! Time that never goes back, whatever the clock does.

use tulou_protocol::id::Millis;

/// The time of the engine.
#[derive(Debug)]
pub struct Clock {
    now: Millis,
    /// How much the clock was set back: the time of the engine minus what the clock says.
    set_back: Millis,
}

impl Clock {
    pub const fn new(now: Millis) -> Self {
        Self { now, set_back: 0 }
    }

    /// The clock says a time. One that is set back must not make anything wait longer than it was meant to.
    pub fn says(&mut self, time: Millis) {
        self.set_back = self.set_back.max(self.now - time);
        self.now = time + self.set_back;
    }

    pub const fn now(&self) -> Millis {
        self.now
    }

    /// A time of the engine as the clock says it.
    pub const fn by_the_clock(&self, at: Millis) -> Millis {
        at - self.set_back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_goes_on_from_where_it_was() {
        let mut clock = Clock::new(1_000);
        clock.says(400);
        assert_eq!(clock.now(), 1_000, "it stands, and does not go back");
        clock.says(450);
        assert_eq!(clock.now(), 1_050, "it goes as fast as the clock");
        assert_eq!(
            clock.by_the_clock(1_050),
            450,
            "and is told as the clock says it"
        );
    }
}

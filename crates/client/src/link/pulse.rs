//! How often a quiet socket says something, so that no proxy on the way takes it for dead.
//!
//! The usual ones cut after 60 or 100 s, some after 20. A ping and its answer are a few bytes each, and with the server's
//! heartbeat every 30 s there is one of them between two heartbeats. It is sent more often only where sockets were seen to
//! be cut in quiet.

use std::time::Duration;

/// The pause of a socket about which nothing is known.
const USUAL: Duration = Duration::from_secs(15);
/// The shortest: whoever cuts after less wants no sockets. A cut after less says nothing about quiet.
const SHORTEST: Duration = Duration::from_secs(1);
/// Two cuts of one cause differ by no more than this, and a fifth of the time.
const ALIKE: Duration = Duration::from_millis(500);

/// What is known of how long a socket to one server may be quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    pause: Duration,
    /// The quiet in which the last socket was cut. One cut may be chance; two after the same time are not.
    cut_after: Option<Duration>,
}

impl Default for Pulse {
    fn default() -> Self {
        Self {
            pause: USUAL,
            cut_after: None,
        }
    }
}

impl Pulse {
    /// After so long a quiet something is said.
    pub const fn pause(self) -> Duration {
        self.pause
    }

    /// A socket was cut after having been quiet for so long.
    pub fn cut(&mut self, quiet: Duration) {
        if quiet < SHORTEST || quiet > self.pause * 2 {
            return;
        }
        let is_same = |before: Duration| quiet.abs_diff(before) <= ALIKE + before / 5;
        if self.cut_after.is_some_and(is_same) {
            self.pause = (quiet * 3 / 5).clamp(SHORTEST, self.pause);
            self.cut_after = None;
        } else {
            self.cut_after = Some(quiet);
        }
    }

    /// A ping was answered: quiet did not end the socket.
    pub const fn outlived(&mut self) {
        self.cut_after = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_proxy_of_twenty_seconds_is_outlived_from_the_first_on() {
        assert!(USUAL + s(4) < s(20), "with room for a slow way");
        assert!(USUAL * 2 >= s(30), "one ping between two heartbeats");
    }

    #[test]
    fn sockets_that_are_cut_in_quiet_are_pinged_more_often() {
        let mut pulse = Pulse::default();
        pulse.cut(s(10));
        assert_eq!(pulse.pause(), USUAL, "once may be chance");
        pulse.cut(s(10));
        assert_eq!(pulse.pause(), s(6));
        pulse.cut(s(5));
        pulse.cut(s(5));
        assert_eq!(pulse.pause(), s(3));
        pulse.cut(s(1));
        pulse.cut(s(1));
        assert_eq!(pulse.pause(), SHORTEST, "and not without end");
    }

    #[test]
    fn what_has_nothing_to_do_with_quiet_changes_nothing() {
        let mut pulse = Pulse::default();
        for quiet in [3, 9, 2, 14, 7, 600, 600, 0, 0] {
            pulse.cut(s(quiet));
        }
        assert_eq!(pulse.pause(), USUAL, "a cable is pulled now and then");
        for _ in 0..10 {
            pulse.cut(s(10));
            pulse.outlived();
        }
        assert_eq!(pulse.pause(), USUAL);
    }
}

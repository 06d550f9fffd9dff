//! The server's time, which orders digests and everything that is asked for by time.

mod passing;
#[cfg(test)]
mod tests;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::watch;
use tulou_protocol::{id::Millis, push};

use crate::store::{Doubt, Shift, Time};

/// A clock that went back by less stands still until it is reached again; more is a step.
const STEP_MS: Millis = 2 * 60_000;
/// A clock that is so far beyond what is known to have passed may be ahead; no limit of days is passed by less.
const LEAPS_MS: Millis = 7 * DAY_MS;
/// Where the system's clock is behind by no more, the time goes on at half its pace until it is reached; beyond, that would
/// take too long to be worth wrong times.
const SLOWS_MS: Millis = 7 * DAY_MS;
const DAY_MS: Millis = 24 * 60 * 60 * 1_000;
/// So long what became old is told by the time before then: whoever sees that it is wrong can mend it. It is a day by that
/// clock, whether the server runs or not.
const DOUBT_MS: Millis = DAY_MS;

/// The server's clock. The system's is read here and nowhere else. It does not go back with it by moments: who asks what moved
/// since a time would miss what moved in a minute that came twice. Where the system's was seen to be ahead, it goes back with
/// it, and so does what was written meanwhile; where it is behind what is stored, nobody can say which of the two is wrong,
/// and the time goes on by itself.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    /// What had passed before, by the clock that counts sleep.
    began: Duration,
    state: Mutex<State>,
    /// What is said of it.
    said: watch::Sender<push::Clock>,
    /// What the system's clock is off, and what has passed besides, in tests.
    #[cfg(test)]
    off: std::sync::atomic::AtomicI64,
    #[cfg(test)]
    besides: std::sync::atomic::AtomicI64,
}

/// How it stands.
#[derive(Debug, Clone)]
pub(crate) struct State {
    /// The latest time that was read, or that something in the store moved at.
    latest: Millis,
    /// The system's clock is behind: the time goes on by itself.
    own: Option<Own>,
    /// The last look: the system's clock and the time, when so much had passed.
    system: Millis,
    time: Millis,
    at: Duration,
    /// The start, and leaps forward since that were not undone.
    leaps: Vec<Leap>,
    doubt: Option<Doubt>,
    /// It was seen to leap since the start.
    has_leapt: bool,
    /// What the store knows of the doubt.
    kept: Option<Doubt>,
}

/// Where the time went on by itself.
#[derive(Debug, Clone, Copy)]
struct Own {
    from: Millis,
    at: Duration,
    is_slow: bool,
}

/// The time leapt forward: what was written since may be of a clock that is ahead.
#[derive(Debug, Clone)]
struct Leap {
    /// What was written before is not later.
    after: Millis,
    /// What was written since is not earlier.
    first: Millis,
    /// How far it leapt: what was written since can go back as far, and stays in order.
    by: Millis,
    /// It is the start.
    is_start: bool,
}

impl Clock {
    /// The clock of a store in which something moved last at a time, and what was doubted when it was used last.
    #[must_use]
    pub fn of(latest: Millis, kept: Option<Doubt>) -> Self {
        let system = read_system();
        let time = system.max(latest);
        // A day that was doubted came and went: two starts agree on it.
        let over = kept
            .map(|doubt| doubt.until)
            .filter(|until| *until <= system);
        let stood = over.unwrap_or_default().max(latest);
        let doubt = if over.is_none() && kept.is_some() {
            kept
        } else if stood > 0 && system - stood >= LEAPS_MS {
            tracing::warn!(
                days = (system - stood) / DAY_MS,
                "nothing moved in the store for long, or this computer's clock is ahead: for a day nothing is removed that \
                 became old since"
            );
            Some(Doubt {
                stood,
                until: time + DOUBT_MS,
            })
        } else {
            None
        };
        let clock = Self {
            started: Instant::now(),
            began: passing::passed(),
            state: Mutex::new(State {
                latest: time,
                own: None,
                system,
                time,
                at: Duration::ZERO,
                leaps: vec![Leap {
                    after: latest,
                    first: time,
                    by: time - latest,
                    is_start: true,
                }],
                doubt,
                has_leapt: false,
                kept,
            }),
            said: watch::Sender::default(),
            #[cfg(test)]
            off: std::sync::atomic::AtomicI64::new(0),
            #[cfg(test)]
            besides: std::sync::atomic::AtomicI64::new(0),
        };
        if latest - system > STEP_MS {
            clock.go_on();
        }
        clock
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn system(&self) -> Millis {
        let system = read_system();
        #[cfg(test)]
        let system = system + self.off.load(std::sync::atomic::Ordering::Relaxed);
        system
    }

    /// What passed since the start, sleep of the computer included where the system counts it.
    fn passed(&self) -> Duration {
        let passed = passing::passed().saturating_sub(self.began);
        #[cfg(test)]
        let passed = passed
            + Duration::from_millis(
                u64::try_from(self.besides.load(std::sync::atomic::Ordering::Relaxed))
                    .unwrap_or_default(),
            );
        passed
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Millis {
        let (system, passed) = (self.system(), self.passed());
        self.state().read(system, passed)
    }

    /// How long the server runs, which says nothing about the time and never goes back.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// By which time what became old may be removed: the system's, unless that leapt there.
    #[must_use]
    pub fn old_by(&self) -> Millis {
        let (system, at) = (self.system(), self.passed());
        let mut state = self.state();
        let time = state.read(system, at);
        let doubt = state.doubt_at(system, time, at);
        doubt.map_or(system, |doubt| doubt.stood.min(system))
    }

    /// What is wrong with it, as far as the last look found.
    fn standing(&self) -> push::Clock {
        let state = self.state();
        match (state.own.is_some(), state.doubt.is_some(), state.has_leapt) {
            (true, ..) => push::Clock::Behind,
            (false, true, true) => push::Clock::Leapt,
            (false, true, false) => push::Clock::Doubted,
            (false, false, _) => push::Clock::Right,
        }
    }

    /// The store knows what is doubted.
    pub(crate) fn kept(&self, doubt: Option<Doubt>) {
        self.state().kept = doubt;
    }

    /// What is wrong with it, as far as it knows, and when that changes.
    pub(crate) fn watch(&self) -> watch::Receiver<push::Clock> {
        self.said.subscribe()
    }

    /// Says how it stands to those who want to hear it.
    pub fn say(&self) {
        let standing = self.standing();
        self.said.send_if_modified(|said| {
            let is_other = *said != standing;
            *said = standing;
            is_other
        });
    }

    /// What is doubted, if the store knows it otherwise.
    pub(crate) fn doubted_anew(&self) -> Option<Option<Doubt>> {
        let state = self.state();
        (state.doubt != state.kept).then_some(state.doubt)
    }

    /// Looks whether the system's clock went as time did; by how much it leapt forward if that is doubted.
    pub(crate) fn look(&self) -> Option<Millis> {
        let (system, at) = (self.system(), self.passed());
        let mut state = self.state();
        let time = state.read(system, at);
        let passed = millis(at.saturating_sub(state.at));
        // What may be a sleep is none.
        let leap = |by: Millis| {
            if passing::COUNTS_SLEEP || !(0..LEAPS_MS).contains(&by) {
                by
            } else {
                0
            }
        };
        let by = leap(time - state.time - passed);
        if by > STEP_MS {
            let leap = Leap {
                after: state.time + passed,
                first: time - passed,
                by,
                is_start: false,
            };
            state.leaps.push(leap);
        }
        if state
            .own
            .is_some_and(|own| own.is_slow != state.is_near(system))
        {
            state.go_on(system, at);
        }
        let leapt = system - state.system - passed;
        let is_doubted = leapt >= LEAPS_MS;
        state.doubt = state.doubt_at(system, time, at);
        state.has_leapt |= is_doubted;
        (state.system, state.time, state.at) = (system, time, at);
        is_doubted.then_some(leapt)
    }

    /// What goes back with the system's clock, which is behind; none if it is not, or if that is known.
    pub(crate) fn goes_back(&self) -> Option<Vec<Shift>> {
        let (system, passed) = (self.system(), self.passed());
        let mut state = self.state();
        let behind = state.read(system, passed) - system;
        if behind <= STEP_MS {
            return None;
        }
        let shifts = state.undone(behind, system);
        (!shifts.is_empty() || state.own.is_none()).then_some(shifts)
    }

    /// The system's clock is behind, and nothing says that what is stored is wrong: the time goes on by itself.
    pub(crate) fn go_on(&self) {
        let (system, at) = (self.system(), self.passed());
        let mut state = self.state();
        state.go_on(system, at);
        drop(state);
        tracing::warn!(
            clock = %said(system),
            stored = %said(self.now()),
            "this computer's clock is behind what is stored, so one of the two is wrong: the time goes on from the later one, \
             and nothing that became old is removed until the clock has reached it"
        );
    }

    /// The system's clock is set, forward or back.
    #[cfg(test)]
    pub fn set_by(&self, by: Millis) {
        self.off.fetch_add(by, std::sync::atomic::Ordering::Relaxed);
    }

    /// Time passes, asleep or awake.
    #[cfg(test)]
    pub fn pass(&self, by: Millis) {
        self.set_by(by);
        self.besides
            .fetch_add(by, std::sync::atomic::Ordering::Relaxed);
    }
}

impl State {
    fn read(&mut self, system: Millis, passed: Duration) -> Millis {
        let own = self.own.map(|own| {
            let since = millis(passed.saturating_sub(own.at));
            own.from + if own.is_slow { since / 2 } else { since }
        });
        if own.is_some_and(|own| system >= own) {
            self.own = None;
        }
        self.latest = self.latest.max(own.unwrap_or(system)).max(system);
        self.latest
    }

    fn go_on(&mut self, system: Millis, at: Duration) {
        self.own = Some(Own {
            from: self.latest,
            at,
            is_slow: self.is_near(system),
        });
    }

    /// Whether the system's clock is waited for.
    const fn is_near(&self, system: Millis) -> bool {
        self.latest - system <= SLOWS_MS
    }

    /// What a look finds to doubt. It lasts for a day at most also if the time goes back.
    fn doubt_at(&self, system: Millis, time: Millis, at: Duration) -> Option<Doubt> {
        let until = time + DOUBT_MS;
        let expected = self.system + millis(at.saturating_sub(self.at));
        if system - expected >= LEAPS_MS {
            let stood = self.doubt.map_or(expected, |doubt| doubt.stood);
            return Some(Doubt { stood, until });
        }
        let lasting = self.doubt.filter(|doubt| time < doubt.until)?;
        Some(Doubt {
            until: lasting.until.min(until),
            ..lasting
        })
    }

    /// Leaps that the system's clock took back: what was written since goes back by as much. Only where all of it does is it
    /// known to stay in order, with what was written before too.
    fn undone(&self, behind: Millis, system: Millis) -> Vec<Shift> {
        let mut left = behind;
        let mut shifts = Vec::new();
        for leap in self.leaps.iter().rev() {
            let is_taken_back = !leap.is_start && (left - leap.by).abs() <= STEP_MS;
            let is_to_come = leap.first > system;
            if left <= STEP_MS || leap.by <= 0 || !is_taken_back && !is_to_come {
                break;
            }
            let by = left.min(leap.by);
            shifts.push(Shift {
                after: leap.after,
                by,
            });
            left -= by;
        }
        shifts
    }
}

impl Time for Clock {
    fn now(&self) -> Millis {
        self.now()
    }

    fn went_back(&self, shifts: &[Shift]) {
        let (system, at) = (self.system(), self.passed());
        let mut state = self.state();
        for shift in shifts {
            state.latest -= shift.by;
            for leap in &mut state.leaps {
                if leap.after == shift.after {
                    leap.by -= shift.by;
                }
                if leap.first > shift.after {
                    leap.first -= shift.by;
                }
            }
        }
        state
            .leaps
            .retain(|leap| leap.is_start || leap.by > STEP_MS);
        state.own = None;
        if state.latest - system > STEP_MS {
            state.go_on(system, at);
        }
        state.time = state.read(system, at);
    }
}

fn millis(time: Duration) -> Millis {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn read_system() -> Millis {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, millis)
}

/// A time in the log.
fn said(time: Millis) -> String {
    jiff::Timestamp::from_millisecond(time).map_or_else(|_| time.to_string(), |at| at.to_string())
}

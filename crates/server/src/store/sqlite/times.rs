//! The times of what is written. What was decided before the clock went back goes back with it, and nothing of it is of later
//! than now, however long it was under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tulou_protocol::id::Millis;

use crate::store::{Commit, NewAccount, NewSession, Seen, Shift, Time};

/// Nothing is being written.
pub const IDLE: Millis = Millis::MAX;

/// The time, and how it went back last.
#[derive(Clone, Default)]
pub struct Times(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    time: Option<Arc<dyn Time>>,
    shifts: Vec<Shift>,
}

impl Times {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What tells the time from now on.
    pub fn follow(&self, time: Arc<dyn Time>) {
        self.known().time = Some(time);
    }

    /// It goes back, and so does what is written from now on.
    pub fn go_back(&self, shifts: Vec<Shift>) {
        let mut known = self.known();
        if let Some(time) = &known.time {
            time.went_back(&shifts);
        }
        known.shifts = shifts;
    }

    /// The time; none where nobody tells it.
    pub fn now(&self) -> Option<Millis> {
        self.known().time.as_ref().map(|time| time.now())
    }

    /// A commit's times.
    pub fn set_right(&self, commit: &mut Commit) {
        let known = self.known();
        if known.shifts.is_empty() {
            return;
        }
        if let Some(now) = known.time.as_ref().map(|time| time.now())
            && commit.now > now
        {
            commit.go_back(&known.shifts, now);
        }
    }

    /// A time that something was decided at.
    pub fn right(&self, time: Millis) -> Millis {
        let known = self.known();
        match &known.time {
            Some(clock) if !known.shifts.is_empty() => {
                let now = clock.now();
                if time > now {
                    Shift::back(&known.shifts, time).min(now)
                } else {
                    time
                }
            }
            Some(_) | None => time,
        }
    }

    /// An account's.
    pub fn of_account(&self, new: NewAccount) -> NewAccount {
        let now = self.right(new.now);
        NewAccount { now, ..new }
    }

    /// A session's.
    pub fn of_session(&self, new: NewSession) -> NewSession {
        let now = self.right(new.now);
        NewSession { now, ..new }
    }

    /// When somebody was seen.
    pub fn of_seen(&self, seen: Seen) -> Seen {
        let at = self.right(seen.at);
        Seen { at, ..seen }
    }
}

//! The times of what is written. What was decided before the clock went back goes back with it, and nothing of it is of later
//! than now, however long it was under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tulou_protocol::id::Millis;

use crate::store::{Commit, NewAccount, NewSession, Seen, Shift, Time};

/// Nothing is being written.
pub const IDLE: Millis = Millis::MAX;

/// The time, and how it went back last.
#[derive(Clone, Default)]
pub struct Times(Arc<Mutex<Followed>>);

#[derive(Default)]
struct Followed {
    time: Option<Arc<dyn Time>>,
    shifts: Vec<Shift>,
}

impl Times {
    fn followed(&self) -> MutexGuard<'_, Followed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What tells the time from now on.
    pub fn follow(&self, time: Arc<dyn Time>) {
        self.followed().time = Some(time);
    }

    /// It goes back, and so does what is written from now on.
    pub fn go_back(&self, shifts: Vec<Shift>) {
        let mut followed = self.followed();
        if let Some(time) = &followed.time {
            time.went_back(&shifts);
        }
        followed.shifts = shifts;
    }

    /// The time; none where nobody tells it.
    pub fn now(&self) -> Option<Millis> {
        self.followed().time.as_ref().map(|time| time.now())
    }

    /// A commit's times.
    pub fn set_right(&self, commit: &mut Commit) {
        let followed = self.followed();
        if followed.shifts.is_empty() {
            return;
        }
        if let Some(now) = followed.time.as_ref().map(|time| time.now())
            && commit.now > now
        {
            commit.go_back(&followed.shifts, now);
        }
    }

    /// A time that something was decided at.
    pub fn right(&self, time: Millis) -> Millis {
        let followed = self.followed();
        match &followed.time {
            Some(clock) if !followed.shifts.is_empty() => {
                let now = clock.now();
                if time > now {
                    Shift::back(&followed.shifts, time).min(now)
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

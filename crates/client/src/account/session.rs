//! What is so while an account is signed in, as the server last said it.

use std::collections::HashMap;

use tulou_protocol::{CommandId, id::Millis, limits::CLOCK_MS, push::Condition};

use super::{Account, Wish};
use crate::{
    as_of::{AsOf, now},
    error::Error,
    store::meta::Left,
    unusable::Unusable,
    view::{Change, ClockView, Connection, DiskView, KeptView},
};

/// The last time that a server is believed to have: the end of the year 9999.
pub(super) const LATEST: i64 = 253_402_300_799_999;

/// What is so while an account is signed in.
pub(super) struct Session {
    /// The token in use; the keyring keeps it from one start to the next.
    token: Option<String>,
    /// Counts sign-ins and sign-outs.
    signs: u64,
    /// The person signed out, and has not signed in since.
    left: Option<Left>,
    /// What is to be said of how the keyring keeps the token.
    kept: KeptView,
    /// The server's clock less this computer's.
    skew: i64,
    /// What is shown of that.
    ahead: Option<i64>,
    /// Commands that the server asked to send later, and when.
    busy: HashMap<CommandId, Millis>,
    /// Room on the server's disk.
    disk: DiskView,
    /// What is wrong with its clock.
    clock: ClockView,
    /// Why whoever answers where the server should be cannot be used as the server.
    unusable: Option<Unusable>,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            token: None,
            signs: 0,
            left: None,
            kept: KeptView::default(),
            skew: 0,
            ahead: None,
            busy: HashMap::new(),
            disk: DiskView::Plenty,
            clock: ClockView::Right,
            unusable: None,
        }
    }
}

impl Account {
    /// The token in use; none while it is signed out.
    pub fn token(&self) -> Option<String> {
        self.session().token.clone()
    }

    /// Signs in with a token, or out; the token that was used before.
    pub async fn use_token(&self, token: Option<String>) -> Result<Option<String>, Error> {
        let before = {
            let mut session = self.session();
            session.signs += 1;
            session.kept = KeptView::default();
            let before = std::mem::replace(&mut session.token, token.clone());
            session.left = match (&token, &before) {
                (Some(_), _) => None,
                (None, Some(before)) => Some(Left::with(Some(before))),
                (None, None) => session.left.take().or_else(|| Some(Left::with(None))),
            };
            before
        };
        self.wish(Wish::Token).await?;
        Ok(before)
    }

    /// Whether a token that the keyring kept would be of use, and as of how many sign-ins and sign-outs: whoever signed
    /// out is not signed in by it.
    pub fn wants_kept_token(&self) -> Option<u64> {
        let session = self.session();
        let wants = session.token.is_none() && session.left.is_none();
        wants.then_some(session.signs)
    }

    /// As what the person signed out, if he has not signed in since.
    pub fn left(&self) -> Option<Left> {
        self.session().left.clone()
    }

    /// What the keyring kept is the token that the person had when he signed out. False if he signed in or out since it was
    /// asked.
    pub fn refuse_kept_token(&self, left: Left, asked: u64) -> bool {
        let mut session = self.session();
        let is_so = session.signs == asked;
        if is_so {
            session.signs += 1;
            session.left = Some(left);
            session.kept = KeptView::default();
        }
        is_so
    }

    /// Which token the keyring had when the person signed out without knowing it: from now on only that one is refused. False
    /// if that was known, or he has signed in since.
    pub fn name_left(&self, token: &str) -> bool {
        let mut session = self.session();
        let is_unknown = session.left.as_ref().is_some_and(Left::refuses_all);
        if is_unknown {
            session.left = Some(Left::with(Some(token)));
        }
        is_unknown
    }

    /// Signs in with the token that the keyring kept. The keyring may answer late: if the person signed in or out since it
    /// was asked, that stands; and so does what it answered first, if it was asked twice.
    pub async fn use_kept_token(&self, token: Option<String>, asked: u64) -> Result<(), Error> {
        {
            let mut session = self.session();
            if session.signs != asked || session.token.is_some() {
                return Ok(());
            }
            if token.is_some() {
                session.kept = KeptView::default();
            }
            session.token.clone_from(&token);
        }
        self.wish(Wish::Token).await
    }

    /// What is to be said of how the keyring keeps the sign-in.
    pub fn kept(&self) -> KeptView {
        self.session().kept
    }

    /// Something is to be said of how the keyring keeps the sign-in, or no longer.
    pub fn set_kept(&self, kept: KeptView) {
        let before = std::mem::replace(&mut self.session().kept, kept);
        if before != kept {
            self.board.put_up([Change::App]);
        }
    }

    /// The same of a question for a token, unless the person signed in or out since it was asked, or there is one.
    pub fn set_kept_as_of(&self, asked: u64, kept: KeptView) {
        {
            let mut session = self.session();
            if session.signs != asked || session.token.is_some() || session.kept == kept {
                return;
            }
            session.kept = kept;
        }
        self.board.put_up([Change::App]);
    }

    /// The server named its time. What is no time of this age is not believed as it stands, so that times can be added.
    pub fn set_server_time(&self, server: Millis) {
        let skew = server.clamp(0, LATEST) - now();
        let is_other = {
            let mut session = self.session();
            session.skew = skew;
            let before = session.ahead;
            session.ahead = shown_ahead(before, -skew);
            session.ahead != before
        };
        if is_other {
            self.board.put_up([Change::App]);
        }
    }

    /// By how much this computer's clock is ahead of the server's, if that is much.
    pub fn ahead(&self) -> Option<Millis> {
        self.session().ahead
    }

    /// Who looks or acts, and that it is now.
    pub fn as_of(&self) -> AsOf {
        // Held together with the connection, the two would be waited for in a ring.
        let (skew, has_token) = {
            let session = self.session();
            (session.skew, session.token.is_some())
        };
        // While a keyring is waited for nothing is on its way.
        let is_linked = has_token
            && matches!(
                *self.connection.borrow(),
                Connection::Connecting | Connection::Syncing | Connection::Synced
            );
        AsOf {
            me: self.id,
            now: now(),
            skew,
            is_linked,
        }
    }

    /// The server asked to send a command later.
    pub fn set_busy(&self, command: CommandId, until: Millis) {
        {
            let mut session = self.session();
            let now = now();
            session.busy.retain(|_, until| *until > now);
            session.busy.insert(command, until);
        }
        self.note_shown();
    }

    /// Commands that the server asked to send later, and when.
    pub fn busy(&self) -> HashMap<CommandId, Millis> {
        let now = now();
        let mut busy = self.session().busy.clone();
        busy.retain(|_, until| *until > now);
        busy
    }

    /// The server says how it is.
    pub fn set_condition(&self, condition: Condition) {
        let (disk, clock) = (condition.disk.into(), condition.clock.into());
        let was = {
            let mut session = self.session();
            let disk = std::mem::replace(&mut session.disk, disk);
            (disk, std::mem::replace(&mut session.clock, clock))
        };
        if was != (disk, clock) {
            self.board.put_up([Change::App]);
        }
    }

    /// What is wrong with the server's clock, as far as it says.
    pub fn clock(&self) -> ClockView {
        self.session().clock
    }

    /// Room on the server's disk, as far as it says.
    pub fn disk(&self) -> DiskView {
        self.session().disk
    }

    /// An attempt showed whether whoever answers can be used as the server.
    pub fn set_unusable(&self, why: Option<Unusable>) {
        self.session().unusable = why;
    }

    /// Why whoever answered the last attempt cannot be used as the server.
    pub fn unusable(&self) -> Option<Unusable> {
        self.session().unusable.clone()
    }
}

/// What is shown of being ahead: from where a message is marked for it, and another number only when it is another by more
/// than what a link takes.
fn shown_ahead(before: Option<Millis>, ahead: Millis) -> Option<Millis> {
    const STEP: Millis = 60_000;
    // What was shown stays until it is clearly over.
    let bound = before.map_or(CLOCK_MS, |_| CLOCK_MS - STEP);
    if ahead.saturating_abs() < bound {
        return None;
    }
    before
        .filter(|before| ahead.saturating_sub(*before).saturating_abs() < STEP)
        .or(Some(ahead))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_far_off_is_shown_and_small_changes_of_it_are_not() {
        const HOUR: Millis = 3_600_000;
        assert_eq!(shown_ahead(None, CLOCK_MS - 1), None);
        assert_eq!(shown_ahead(None, -HOUR), Some(-HOUR));
        assert_eq!(shown_ahead(Some(-HOUR), -HOUR - 900), Some(-HOUR), "jitter");
        assert_eq!(shown_ahead(Some(-HOUR), HOUR), Some(HOUR));
        assert_eq!(shown_ahead(Some(CLOCK_MS), CLOCK_MS - 1), Some(CLOCK_MS));
        assert_eq!(shown_ahead(Some(HOUR), 0), None, "it was set right");
        assert_eq!(shown_ahead(None, Millis::MIN), Some(Millis::MIN));
    }
}

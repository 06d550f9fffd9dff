//! What is done when something in a driver breaks: it begins again from the store, as after any error, and later each time.
//! Whatever breaks it may come again with each sync, and from every client.

use std::time::Duration;

use tokio::time::Instant;

use super::{Driver, FIRST};
use crate::view::Cause;

/// The longest wait before it begins again.
const LONGEST: Duration = Duration::from_secs(600);
/// How long nothing breaks before that is forgotten.
const CALM: Duration = Duration::from_secs(600);

/// How often something broke, as far as that says how long to wait.
#[derive(Debug, Default)]
pub(super) struct Breaks {
    /// How long was waited last, and since when.
    last: Option<(Duration, Instant)>,
}

impl Breaks {
    /// Something broke: how long to wait.
    pub fn wait(&mut self) -> Duration {
        let now = Instant::now();
        let wait = match self.last {
            Some((wait, since)) if now - since < wait + CALM => (wait * 2).min(LONGEST),
            Some(_) | None => FIRST,
        };
        self.last = Some((wait, now));
        wait
    }
}

impl Driver {
    /// What broke was said where it broke.
    pub(super) fn begin_again(&mut self) {
        tracing::error!(account = %self.account.key, "something in its driver broke");
        self.seeking = None;
        let wait = self.breaks.wait();
        self.wait_for_store(
            wait,
            Some(Cause {
                code: "broken".into(),
                about: None,
            }),
        );
    }
}

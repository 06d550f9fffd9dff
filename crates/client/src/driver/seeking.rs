//! A server that is not where it was, looked for in the local network until it is found again.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};
use tulou_engine::Input;
use tulou_protocol::nearby::short;

use super::Driver;
use crate::nearby::{Search, Sighted};

/// Between two attempts at addresses that were just heard: somebody who announces one after the other keeps nobody busy.
const PAUSE: Duration = Duration::from_secs(5);

/// The search for one server.
pub(super) struct Seeking {
    sighted: watch::Receiver<Sighted>,
    /// The key that the server is known by, as it is announced.
    key: String,
    /// When an attempt at what was heard is due.
    try_at: Option<Instant>,
    tried_at: Option<Instant>,
    search: Arc<Search>,
}

impl Driver {
    /// The server was not reached: it may be somewhere else in the local network. Who has looked for it for a while
    /// begins again.
    pub(super) async fn seek(&mut self) {
        if matches!(&self.seeking, Some(seeking) if !seeking.search.is_old()) {
            return;
        }
        let Some(key) = self.account.may_be_nearby().await else {
            return;
        };
        let Some(search) = self.account.nearby.search() else {
            return;
        };
        let before = self.seeking.take();
        self.seeking = Some(Seeking {
            sighted: search.sighted(),
            key: short(key),
            try_at: before.as_ref().and_then(|before| before.try_at),
            tried_at: before.as_ref().and_then(|before| before.tried_at),
            search,
        });
    }

    /// The server is found.
    pub(super) fn end_seeking(&mut self, address: &str) {
        self.seeking = None;
        if let Err(error) = self.account.end_sighting(address) {
            // It is known until the end of the program.
            tracing::warn!(account = %self.account.key, "where the server is was not kept: {error}");
        }
    }

    /// Something was heard in the local network.
    pub(super) fn note_sighted(&mut self) {
        let Some(seeking) = &mut self.seeking else {
            return;
        };
        let server = self.account.server;
        let sighted = seeking.sighted.borrow_and_update().of(server, &seeking.key);
        if self.account.set_sighted(sighted) {
            let now = Instant::now();
            let at = seeking.tried_at.map_or(now, |at| now.max(at + PAUSE));
            seeking.try_at = seeking.try_at.or(Some(at));
        }
    }

    /// Goes where the server is said to be. An attempt that is under way knows nothing of it, and is given up.
    pub(super) async fn follow_sighted(&mut self) {
        if let Some(seeking) = &mut self.seeking {
            seeking.try_at = None;
            seeking.tried_at = Some(Instant::now());
        }
        if self.link.take().is_some() {
            self.feed(Input::LinkDown).await;
        }
        self.feed(Input::Hurry).await;
    }
}

/// Until something is heard.
pub(super) async fn heard(seeking: Option<&mut Seeking>) {
    if let Some(seeking) = seeking
        && seeking.sighted.changed().await.is_ok()
    {
        return;
    }
    // Nobody listens, or nothing more will be heard.
    std::future::pending().await
}

/// When an attempt at what was heard is due.
pub(super) fn due(seeking: Option<&Seeking>) -> Option<Instant> {
    seeking.and_then(|seeking| seeking.try_at)
}

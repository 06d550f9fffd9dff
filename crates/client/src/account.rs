//! One account at work: its store, what is kept beside it, and the way to its driver.
//!
//! * `wish`: what the driver is asked to do; `asking`: what the server is asked through it
//! * `whereabouts`, `session`: where the server is found, and what it said last
//! * `shown`: who looks at which topics
//! * `views`: what is kept of views; `tally`, `numbers`: the numbers among that; `notes`: what makes which of them stale
//! * `snapshot`: a moment of all this
//! * `meeting`: getting to know members

mod asking;
mod meeting;
mod notes;
mod numbers;
mod session;
mod shown;
mod snapshot;
mod tally;
mod views;
mod whereabouts;
mod wish;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{mpsc, watch};
use tulou_protocol::{AccountId, ServerId, TopicId};

pub use self::{
    meeting::{meet, remember},
    shown::{Entered, ViewerId},
    snapshot::Snapshot,
    tally::Numbered,
    wish::{Submitted, Told, WISHES, Wish, Writing},
};
use self::{session::Session, shown::Shown, views::Views, whereabouts::Whereabouts};
use crate::{
    blocking::blocking,
    changes::Board,
    error::Error,
    known::Known,
    nearby::Nearby,
    store::{Store, Troubled},
    view::{Change, Connection},
};

/// One account at work.
pub struct Account {
    /// `<server id>.<account id>`.
    pub key: String,
    /// Its server.
    pub server: ServerId,
    /// Its id there.
    pub id: AccountId,
    /// The name signed in with.
    pub name: String,
    /// Its history.
    pub store: Arc<Store>,
    /// The state of its link.
    pub connection: watch::Sender<Connection>,
    /// How many bytes its history may take.
    budget: Arc<AtomicU64>,
    /// Where its server is looked for when it is not where it was.
    pub nearby: Arc<Nearby>,
    /// The way to its driver.
    wishes: mpsc::Sender<Wish>,
    board: Board,
    whereabouts: Mutex<Whereabouts>,
    session: Mutex<Session>,
    views: Mutex<Views>,
    shown: Mutex<Shown>,
    /// The topics of all who look.
    on_screen: watch::Sender<BTreeSet<TopicId>>,
}

impl Account {
    /// An account whose driver listens at the other end of `wishes`.
    pub fn new(
        known: Known,
        store: Arc<Store>,
        wishes: mpsc::Sender<Wish>,
        board: Board,
        nearby: Arc<Nearby>,
        budget: Arc<AtomicU64>,
    ) -> Self {
        Self {
            key: known.key(),
            server: known.server,
            id: known.account,
            name: known.name.clone(),
            store,
            wishes,
            connection: watch::Sender::new(Connection::Connecting),
            budget,
            nearby,
            board,
            whereabouts: Mutex::new(known.into()),
            session: Mutex::default(),
            views: Mutex::default(),
            shown: Mutex::default(),
            on_screen: watch::Sender::default(),
        }
    }

    /// How many bytes its history may take.
    pub fn budget(&self) -> u64 {
        self.budget.load(Ordering::Relaxed)
    }

    fn whereabouts(&self) -> MutexGuard<'_, Whereabouts> {
        lock(&self.whereabouts)
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        lock(&self.session)
    }

    fn views(&self) -> MutexGuard<'_, Views> {
        lock(&self.views)
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        lock(&self.shown)
    }

    /// The state of the link changed.
    pub fn set_connection(&self, connection: Connection) {
        if self.connection.send_if_modified(|held| {
            let is_other = *held != connection;
            *held = connection;
            is_other
        }) {
            let mut notes = vec![Change::App];
            // Whether missing rows are on their way or cut off is a matter of the link.
            notes.extend(
                self.on_screen()
                    .into_iter()
                    .map(|topic| self.timeline(topic)),
            );
            self.board.put_up(notes);
        }
    }

    /// Says that a view is stale.
    pub fn put_up(&self, change: Change) {
        self.board.put_up([change]);
    }

    /// Reads a snapshot off the async threads.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Snapshot<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let account = Arc::clone(self);
        blocking(move || account.look(read)).await
    }

    /// Reads a snapshot.
    fn look<T, E: Troubled>(
        &self,
        read: impl FnOnce(&Snapshot<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let began = Some(self.views().began());
        let as_of = self.as_of();
        self.store.read(|db| {
            read(&Snapshot {
                db,
                account: self,
                as_of,
                began,
            })
        })
    }
}

/// A panic while a part was held leaves it whole: each is changed in one step.
fn lock<T>(part: &Mutex<T>) -> MutexGuard<'_, T> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub mod tests;

//! The way of what was committed to those who have to hear of it.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Committed;

/// Transactions that wait to be told, at most: whoever commits more waits, too.
const WAITING: usize = 256;

/// What one transaction committed, in the order of commit.
pub type Batch = Vec<Arc<Committed>>;

/// Brings what was committed to every node, this one too: everything that sessions are pushed begins here.
pub trait Bus: Send + Sync + 'static {
    /// Tells what one transaction committed; it is durable already. It may wait while too much is on its way, so it is
    /// called by threads that may. What gets lost is noticed by the revs that are missing.
    fn publish(&self, batch: Batch);
}

/// The bus of a server that is one process.
pub struct Within(mpsc::Sender<Batch>);

/// What comes out of it.
pub type Heard = mpsc::Receiver<Batch>;

impl Within {
    /// The bus, and what comes out of it.
    #[must_use]
    pub fn new() -> (Self, Heard) {
        let (bus, heard) = mpsc::channel(WAITING);
        (Self(bus), heard)
    }
}

impl Bus for Within {
    fn publish(&self, batch: Batch) {
        // Nobody listens any more when the server ends.
        let _ = self.0.blocking_send(batch);
    }
}

/// A bus that leads nowhere: of a store that somebody works on while no server does.
pub struct Nowhere;

impl Bus for Nowhere {
    fn publish(&self, _batch: Batch) {}
}

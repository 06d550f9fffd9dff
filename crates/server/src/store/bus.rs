//! The way of what was committed to those who have to hear of it.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Committed;

/// Transactions that wait to be told, at most: whoever commits more waits, too.
const WAITING: usize = 256;

/// What one transaction committed, in the order of commit.
pub type Batch = Vec<Arc<Committed>>;

/// Brings what was committed to every node, this one too: everything that sessions are pushed begins here.
pub trait Bus: Send + Sync + 'static {
    /// Tells what one transaction committed; it is durable already. It may wait while too much is on its way, so it is
    /// called by threads that may. What gets lost is noticed by the revs that are missing once the same log is heard of
    /// again. What comes twice, or after what was committed later, changes nothing.
    fn publish(&self, batch: Batch);
}

/// The bus of a server that is one process.
pub struct Within {
    heard: mpsc::Sender<Batch>,
    /// The server ends: nobody need listen any more.
    closing: CancellationToken,
}

/// What comes out of it.
pub type Heard = mpsc::Receiver<Batch>;

impl Within {
    /// The bus, and what comes out of it.
    #[must_use]
    pub fn new(closing: CancellationToken) -> (Self, Heard) {
        let (bus, heard) = mpsc::channel(WAITING);
        let within = Self {
            heard: bus,
            closing,
        };
        (within, heard)
    }
}

impl Bus for Within {
    fn publish(&self, batch: Batch) {
        if self.heard.blocking_send(batch).is_err() && !self.closing.is_cancelled() {
            tracing::error!("nobody hears of what is committed any more");
        }
    }
}

/// A bus that leads nowhere: of a store that somebody works on while no server does.
pub struct Nowhere;

impl Bus for Nowhere {
    fn publish(&self, _batch: Batch) {}
}

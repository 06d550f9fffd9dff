//! What the store has too much of, in small steps beside everything else: what nobody sees any more, what was viewed longest
//! ago, room that nothing is in; and what of it cannot be read.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::time::Instant;
use tulou_engine::Input;
use tulou_protocol::{Seq, TopicId};

use super::Driver;
use crate::{
    as_of::now,
    blocking::blocking,
    error::chain,
    store::{Tidied, messages},
};

/// How long a start is left in peace.
const AFTER_START: Duration = Duration::from_secs(30);
/// How long nothing is looked for when there was nothing to be done.
const PAUSE: Duration = Duration::from_secs(60);
/// Between two steps: whoever writes meanwhile does not wait.
const STEP: Duration = Duration::from_millis(40);
/// When the next step is due.
#[derive(Debug)]
pub(super) struct Keeping {
    at: Instant,
    /// The rows were looked through.
    is_looked_through: bool,
    /// What the engine was last asked to let go of.
    last: Option<(TopicId, Seq)>,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            at: Instant::now() + AFTER_START,
            is_looked_through: false,
            last: None,
        }
    }
}

impl Keeping {
    pub const fn at(&self) -> Option<Instant> {
        Some(self.at)
    }
}

impl Driver {
    /// One step.
    pub(super) async fn keep(&mut self) {
        let account = Arc::clone(&self.account);
        let is_looked_through = self.keeping.is_looked_through;
        let tidied =
            blocking(move || account.store.tidy(account.budget(), is_looked_through)).await;
        let pause = match tidied {
            Ok(Tidied::Nothing) => PAUSE,
            Ok(Tidied::Some) => STEP,
            Ok(Tidied::Healed) => {
                self.make().await;
                STEP
            }
            Ok(Tidied::LetGo(topic, to)) => self.let_go(topic, to).await,
            Err(error) => {
                tracing::debug!(account = %self.account.key, "the store is not tidied up: {}", chain(&error));
                PAUSE
            }
        };
        self.keeping.is_looked_through = true;
        self.keeping.at = Instant::now() + pause;
    }

    async fn let_go(&mut self, topic: TopicId, to: Seq) -> Duration {
        if self.keeping.last.replace((topic, to)) != Some((topic, to)) {
            self.feed(Input::LetGo(topic, to)).await;
            return STEP;
        }
        self.keeping.last = None;
        // It is on the screen, and only its end is left.
        if self.watched.contains(&topic) {
            return PAUSE;
        }
        // The engine knows nothing of it.
        let account = Arc::clone(&self.account);
        let forgotten = blocking(move || account.store.keep(|db| messages::forget(db, topic)));
        if let Err(error) = forgotten.await {
            tracing::debug!(account = %self.account.key, "the store is not tidied up: {}", chain(&error));
        }
        STEP
    }

    /// Topics came onto the screen, or left it.
    pub(super) async fn note_viewed(&self, topics: BTreeSet<TopicId>) {
        let account = Arc::clone(&self.account);
        let noted = blocking(move || {
            account.store.keep(|db| {
                topics
                    .iter()
                    .try_for_each(|topic| messages::view(db, *topic, now()))
            })
        });
        if let Err(error) = noted.await {
            tracing::debug!(account = %self.account.key, "what was looked at is not noted: {}", chain(&error));
        }
    }
}

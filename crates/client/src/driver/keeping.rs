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
    error::{Error, chain},
    store::{Tidied, messages, rows::RowKey},
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
    /// After which row it is looked for such as cannot be read; none when all were looked at.
    looking: Option<RowKey>,
    /// What the engine was last asked to let go of.
    last: Option<(TopicId, Seq)>,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            at: Instant::now() + AFTER_START,
            looking: Some(RowKey::default()),
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
        // If something in it breaks, it is not due again at once.
        self.keeping.at = Instant::now() + PAUSE;
        let pause = match self.keeping.looking.take() {
            Some(after) => self.look_through(after).await,
            None => self.tidy().await,
        };
        self.keeping.at = Instant::now() + pause;
    }

    async fn look_through(&mut self, after: RowKey) -> Duration {
        let account = Arc::clone(&self.account);
        match blocking(move || account.store.look_through(&after)).await {
            Ok(looked) => {
                self.keeping.looking = looked.next;
                if looked.is_healed {
                    self.make().await;
                }
                STEP
            }
            Err(error) => self.leave_untidy(&error),
        }
    }

    async fn tidy(&mut self) -> Duration {
        let account = Arc::clone(&self.account);
        let tidied = blocking(move || {
            let shown = account.shown_from();
            account.store.tidy(account.budget(), &shown)
        });
        match tidied.await {
            Ok(Tidied::Nothing) => PAUSE,
            Ok(Tidied::Some) => STEP,
            Ok(Tidied::LetGo(topic, to)) => self.let_go(topic, to).await,
            Err(error) => self.leave_untidy(&error),
        }
    }

    async fn let_go(&mut self, topic: TopicId, to: Seq) -> Duration {
        if self.engine.is_some() {
            // The same again: what is there came beyond a gap, and waits for it to close.
            if self.keeping.last.replace((topic, to)) == Some((topic, to)) {
                return PAUSE;
            }
            self.feed(Input::LetGo(topic, to)).await;
            return STEP;
        }
        let account = Arc::clone(&self.account);
        let gone = blocking(move || {
            let touched = account.store.let_go(topic, to, now())?;
            account.note(&touched)
        });
        match gone.await {
            Ok(()) => STEP,
            Err(error) => self.leave_untidy(&error),
        }
    }

    fn leave_untidy(&self, error: &Error) -> Duration {
        tracing::debug!(account = %self.account.key, "the store is not tidied up: {}", chain(error));
        PAUSE
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

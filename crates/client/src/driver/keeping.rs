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
    /// They could not be looked at: first come the steps that do something else, and then it is tried again.
    is_put_off: bool,
    /// Topics of which nothing goes now, until all others have had their turn.
    stuck: BTreeSet<TopicId>,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            at: Instant::now() + AFTER_START,
            looking: Some(RowKey::default()),
            is_put_off: false,
            stuck: BTreeSet::new(),
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
        let is_put_off = self.keeping.is_put_off;
        let pause = match self.keeping.looking.take_if(|_| !is_put_off) {
            Some(after) => self.look_through(after).await,
            None => self.tidy().await,
        };
        if pause == PAUSE {
            self.keeping.is_put_off = false;
            self.keeping.stuck.clear();
        }
        self.keeping.at = Instant::now() + pause;
    }

    async fn look_through(&mut self, after: RowKey) -> Duration {
        let account = Arc::clone(&self.account);
        let from = after.clone();
        match blocking(move || account.store.look_through(&from)).await {
            Ok(looked) => {
                self.keeping.looking = looked.next;
                if looked.is_healed {
                    self.make().await;
                }
                STEP
            }
            Err(error) => {
                self.leave_untidy(&error);
                self.keeping.looking = Some(after);
                self.keeping.is_put_off = true;
                STEP
            }
        }
    }

    async fn tidy(&mut self) -> Duration {
        let account = Arc::clone(&self.account);
        let stuck = self.keeping.stuck.clone();
        let tidied = blocking(move || {
            let shown = account.shown_from();
            account.store.tidy(account.budget(), &shown, &stuck)
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
            self.feed(Input::LetGo(topic, to)).await;
            return self.look_after(topic, to).await;
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

    /// What the engine did not let go of came beyond a gap, and waits for it to close: meanwhile others go.
    async fn look_after(&mut self, topic: TopicId, to: Seq) -> Duration {
        if self.engine.is_none() {
            // It could not be written.
            return PAUSE;
        }
        let account = Arc::clone(&self.account);
        let stays = blocking(move || account.store.read(|db| messages::has_up_to(db, topic, to)));
        match stays.await {
            Ok(stays) => {
                if stays {
                    self.keeping.stuck.insert(topic);
                }
                STEP
            }
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

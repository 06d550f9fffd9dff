//! What a person does.

use tokio::sync::oneshot;
use tulou_engine::Input;
use tulou_protocol::{Code, MessageId, TopicId};

use super::{Client, account::blocking};
use crate::{
    action::Action,
    driver::{Submitted, Wish},
    error::Error,
    read::{Entered, timeline::first_unread},
    store::drafts,
    unread::Ledger,
    view::DraftView,
};

impl Client {
    /// Does what a person wants; the id of what was made. A queued action is durable when this answers and visible in
    /// the views; a live one was carried out.
    ///
    /// # Errors
    /// If the text or name may not be sent, the thing is not known here, or a live action was refused or is `offline`.
    pub async fn submit(&self, account: &str, action: Action) -> Result<Option<String>, Error> {
        let account = self.account(account)?;
        if let Action::MarkUnread { topic, .. } = &action {
            account.set_back(topic_id(topic)?);
        }
        if let Action::Advance { topic, .. } = &action
            && account
                .entered(topic_id(topic)?)
                .is_some_and(|entered| entered.is_set_back)
        {
            return Ok(None);
        }
        let (answer, submitted) = oneshot::channel();
        account.wish(Wish::Submit(action, answer)).await?;
        match submitted.await.map_err(|_| Error::Stopped)?? {
            Submitted::Queued(made) => Ok(made),
            Submitted::Live(command) => {
                account.live(command).await?;
                Ok(None)
            }
        }
    }

    /// Tries a refused command again.
    ///
    /// # Errors
    /// If it is not in the outbox.
    pub async fn outbox_retry(&self, account: &str, command: &str) -> Result<(), Error> {
        let account = self.account(account)?;
        let id = command.parse().map_err(|_| Code::NotFound)?;
        let (answer, retried) = oneshot::channel();
        account.wish(Wish::Retry(id, answer)).await?;
        retried.await.map_err(|_| Error::Stopped)?
    }

    /// Gives a refused command up.
    ///
    /// # Errors
    /// If it is not in the outbox.
    pub async fn outbox_discard(&self, account: &str, command: &str) -> Result<(), Error> {
        let account = self.account(account)?;
        let id = command.parse().map_err(|_| Code::NotFound)?;
        let (answer, discarded) = oneshot::channel();
        account.wish(Wish::Discard(id, answer)).await?;
        discarded.await.map_err(|_| Error::Stopped)?
    }

    /// Keeps what is being written. It survives the loss of power when this answers.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn save_draft(
        &self,
        account: &str,
        topic: &str,
        draft: DraftView,
    ) -> Result<(), Error> {
        let account = self.account(account)?;
        let topic = topic_id(topic)?;
        let reply_to: Option<MessageId> = draft
            .reply_to
            .map(|id| id.parse().map_err(|_| Code::NotFound))
            .transpose()?;
        blocking(move || {
            let is_shown = account
                .store
                .write(|db| drafts::put(db, topic, &draft.text, reply_to))?;
            account.note_draft(topic, is_shown)
        })
        .await
    }

    /// A topic is on the screen: what changes in it comes at once, and its divider stays where it is.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn enter_topic(&self, account: &str, topic: &str) -> Result<(), Error> {
        let account = self.account(account)?;
        let topic = topic_id(topic)?;
        let entered = account
            .read(move |account, db| {
                let looking = account.looking();
                let ledger = Ledger::of_topic(db, account.id, topic, looking.now)?;
                let shape = account.shape_of_topic(db, topic)?;
                let numbers = ledger.numbers(db, shape.as_deref(), topic)?;
                Ok(Entered {
                    first_unread: first_unread(db, &ledger, topic, numbers.unread)?,
                    is_set_back: false,
                })
            })
            .await?;
        if account.enter(topic, entered) {
            account.tell(Input::Watch(topic)).await;
        }
        Ok(())
    }

    /// A topic has left the screen.
    ///
    /// # Errors
    /// If the account is not known.
    pub async fn leave_topic(&self, account: &str, topic: &str) -> Result<(), Error> {
        let account = self.account(account)?;
        let topic = topic_id(topic)?;
        if account.leave(topic) {
            account.tell(Input::Unwatch(topic)).await;
        }
        Ok(())
    }
}

pub(super) fn topic_id(text: &str) -> Result<TopicId, Error> {
    text.parse().map_err(|_| Error::NotFound("the topic"))
}

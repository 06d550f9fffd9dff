//! What a person does.

use tokio::sync::oneshot;
use tulou_protocol::{Code, MessageId};

use super::{Client, ids::topic_id};
use crate::{
    account::{Account, Submitted, Wish, Writing},
    action::Action,
    error::Error,
    view::{DraftView, EditInput, LevelPlace, ReadMark},
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
            account.set_back(topic_id(topic)?, true);
        }
        let (answer, submitted) = oneshot::channel();
        account.wish(Wish::Submit(action, answer)).await?;
        match submitted.await.map_err(|_| Error::Stopped)?? {
            Submitted::Queued(made) => Ok(made),
            Submitted::Live(told) => {
                account.carried_out(told).await?;
                Ok(None)
            }
        }
    }

    /// Marks as read what is unread at a place, whatever its level shows of that. Gives what was marked, for
    /// [`Client::set_read`].
    ///
    /// # Errors
    /// If the store fails.
    pub async fn mark_read(
        &self,
        account: &str,
        place: LevelPlace,
    ) -> Result<Vec<ReadMark>, Error> {
        let account = self.account(account)?;
        let (answer, marked) = oneshot::channel();
        account.wish(Wish::MarkRead(place, answer)).await?;
        let marks = marked.await.map_err(|_| Error::Stopped)??;
        for mark in &marks {
            account.set_back(topic_id(&mark.topic)?, false);
        }
        Ok(marks)
    }

    /// Takes [`Client::mark_read`] back.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn set_read(&self, account: &str, marks: Vec<ReadMark>) -> Result<(), Error> {
        let account = self.account(account)?;
        for mark in marks.iter().filter(|mark| mark.seq.is_some()) {
            account.set_back(topic_id(&mark.topic)?, true);
        }
        let (answer, set) = oneshot::channel();
        account.wish(Wish::SetRead(marks, answer)).await?;
        set.await.map_err(|_| Error::Stopped)?
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
        keep(&account, Writing::Message(topic, draft.text, reply_to)).await
    }

    /// Keeps an edit in progress; none: it is over. It survives the loss of power when this answers.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn save_edit(
        &self,
        account: &str,
        topic: &str,
        message: &str,
        edit: Option<EditInput>,
    ) -> Result<(), Error> {
        let account = self.account(account)?;
        let topic = topic_id(topic)?;
        let message = message.parse().map_err(|_| Code::NotFound)?;
        keep(&account, Writing::Edit(topic, message, edit)).await
    }
}

async fn keep(account: &Account, draft: Writing) -> Result<(), Error> {
    let (answer, kept) = oneshot::channel();
    account.wish(Wish::Draft(draft, answer)).await?;
    kept.await.map_err(|_| Error::Stopped)?
}

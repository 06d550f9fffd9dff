//! What a restored server does not have any more, for the person to send again or to give up.

use std::sync::Arc;

use tokio::sync::oneshot;
use tulou_protocol::{Code, MessageId};

use super::{Client, ids::topic_id};
use crate::{
    account::Wish,
    blocking::blocking,
    error::Error,
    store::{StoreError, lost},
    view::{Change, LostMessage},
};

impl Client {
    /// My messages in a topic that the server does not have any more, in the order in which they stood there.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn lost_messages(
        &self,
        account: &str,
        topic: &str,
    ) -> Result<Vec<LostMessage>, Error> {
        let topic = topic_id(topic)?;
        let found = self
            .account(account)?
            .read(move |snapshot| Ok(lost::of_topic(snapshot.db, topic)?))
            .await?;
        Ok(found
            .into_iter()
            .map(|lost| LostMessage {
                id: lost.id.to_string(),
                text: lost.text,
                written_at: lost.written_at,
            })
            .collect())
    }

    /// Sends messages again that the server does not have any more: one of a topic, or all of it. They are in the outbox
    /// when this answers.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn send_lost(
        &self,
        account: &str,
        topic: &str,
        message: Option<&str>,
    ) -> Result<(), Error> {
        let account = self.account(account)?;
        let (answer, sent) = oneshot::channel();
        let wish = Wish::SendLost(topic_id(topic)?, message_id(message)?, answer);
        account.wish(wish).await?;
        sent.await.map_err(|_| Error::Stopped)?
    }

    /// Gives messages up that the server does not have any more: one of a topic, or all of it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn discard_lost(
        &self,
        account: &str,
        topic: &str,
        message: Option<&str>,
    ) -> Result<(), Error> {
        let (topic, message) = (topic_id(topic)?, message_id(message)?);
        let account = self.account(account)?;
        let store = Arc::clone(&account.store);
        blocking(move || {
            store.write(|db| {
                for lost in lost::offered(db, topic, message)? {
                    lost::remove(db, topic, lost.id)?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .await?;
        account.put_up(Change::App);
        Ok(())
    }
}

fn message_id(message: Option<&str>) -> Result<Option<MessageId>, Error> {
    let parse = |id: &str| id.parse().map_err(|_| Error::from(Code::NotFound));
    message.map(parse).transpose()
}

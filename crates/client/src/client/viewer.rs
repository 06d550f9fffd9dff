//! Somebody who looks: a window, or whoever else shows topics. What it entered is its own.

use std::sync::atomic::Ordering;

use tulou_protocol::{Seq, TopicId};

use super::{Client, ids::topic_id};
use crate::{
    account::{Entered, ViewerId},
    action::Action,
    error::Error,
    read::timeline::divider,
    view::{Stretch, TimelineView},
};

/// Somebody who looks. When it is dropped, everything that it entered is left.
pub struct Viewer {
    client: Client,
    id: ViewerId,
}

impl Client {
    /// Somebody new who looks.
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        Viewer {
            client: self.clone(),
            id: ViewerId(self.inner.viewers.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

impl Viewer {
    /// A topic is on the screen: what changes in it comes at once, and its divider stays where it is.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn enter_topic(&self, account: &str, topic: &str) -> Result<(), Error> {
        let account = self.client.account(account)?;
        let topic = topic_id(topic)?;
        let first_unread = account
            .read(move |snapshot| Ok(divider(snapshot, topic)?))
            .await?;
        let entered = Entered {
            first_unread,
            ..Entered::default()
        };
        account.enter(self.id, topic, entered);
        Ok(())
    }

    /// The person looks again at a topic that stayed on the screen: the divider goes before what came meanwhile.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn come_back(&self, account: &str, topic: &str) -> Result<(), Error> {
        let account = self.client.account(account)?;
        let topic = topic_id(topic)?;
        let first_unread = account
            .read(move |snapshot| Ok(divider(snapshot, topic)?))
            .await?;
        if first_unread.is_some() && account.move_divider(self.id, topic, first_unread) {
            account.note_shown();
        }
        Ok(())
    }

    /// A topic has left the screen.
    ///
    /// # Errors
    /// If the account is not known.
    pub fn leave_topic(&self, account: &str, topic: &str) -> Result<(), Error> {
        let topic = topic_id(topic)?;
        self.client.account(account)?.leave(self.id, topic);
        Ok(())
    }

    /// A stretch of a topic, as [`Client::timeline_view`], with the divider where it stood when the topic was entered.
    ///
    /// # Errors
    /// `not_found` if the server knows nothing of the message that is asked for; or if the store fails.
    pub async fn timeline_view(
        &self,
        account: &str,
        topic: &str,
        stretch: Stretch,
    ) -> Result<TimelineView, Error> {
        let viewer = Some(self.id);
        let timeline = self.client.timeline(account, topic, stretch, viewer);
        let view = timeline.await?;
        if let Some(first) = view.rows.iter().find_map(|row| row.seq) {
            let account = self.client.account(account)?;
            account.look_from(self.id, topic_id(topic)?, Seq(first));
        }
        Ok(view)
    }

    /// Does what a person wants, as [`Client::submit`]. In a topic that was marked unread nothing counts as read by being
    /// seen, until it is left.
    ///
    /// # Errors
    /// As [`Client::submit`].
    pub async fn submit(&self, account: &str, action: Action) -> Result<Option<String>, Error> {
        if let Action::Advance { topic, .. } = &action
            && self.is_set_back(account, topic_id(topic)?)?
        {
            return Ok(None);
        }
        self.client.submit(account, action).await
    }

    fn is_set_back(&self, account: &str, topic: TopicId) -> Result<bool, Error> {
        let entered = self.client.account(account)?.entered(self.id, topic);
        Ok(entered.is_some_and(|entered| entered.is_set_back))
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        for account in self.client.accounts() {
            account.leave_all(self.id);
        }
    }
}

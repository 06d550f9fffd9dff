//! Messages that a restored server does not have any more: asking it which those are, and sending them again.

use std::sync::Arc;

use tulou_engine::{Input, OutboxState};
use tulou_protocol::{
    Command, CommandId, MessageId, Question, TopicId, limits::HELD_MESSAGES, question::HeldMessages,
};
use uuid::Uuid;

use super::{Driver, Durable, outbox::note};
use crate::{
    account::Account,
    blocking::blocking,
    error::Error,
    store::{
        lost::{self, Lost},
        messages, outbox,
    },
    view::Change,
};

impl Driver {
    /// Puts messages of a topic that the server has lost into the outbox: one, or all in their order. They keep their
    /// ids, so that one which came back in another way is not doubled.
    pub(super) async fn send_lost(
        &self,
        topic: TopicId,
        message: Option<MessageId>,
    ) -> Durable<()> {
        let account = Arc::clone(&self.account);
        let entries = blocking(move || {
            let entries = account.store.write(|db| {
                let offered = lost::offered(db, topic, message)?;
                let again: Vec<MessageId> = offered.iter().map(|lost| lost.id).collect();
                let mut entries = Vec::new();
                for Lost {
                    id,
                    text,
                    reply_to,
                    written_at,
                    ..
                } in offered
                {
                    // What was replied to may be lost as well.
                    let reply_to = match reply_to {
                        Some(to) if again.contains(&to) => Some(to),
                        Some(to) => messages::by_id(db, topic, to)?.map(|held| held.id),
                        None => None,
                    };
                    let command = Command::MessageSend {
                        topic,
                        message: id,
                        text,
                        reply_to,
                        written_at,
                    };
                    let command_id = CommandId(Uuid::now_v7());
                    let now = account.as_of().now;
                    let entry = outbox::push(db, command_id, command, now, OutboxState::Waiting)?;
                    lost::remove(db, topic, id)?;
                    entries.push(entry);
                }
                Ok::<_, Error>(entries)
            })?;
            let commands: Vec<Command> = entries.iter().map(|one| one.command.clone()).collect();
            note(&account, &commands);
            Ok::<_, Error>(entries)
        })
        .await?;
        Ok(((), entries.into_iter().map(Input::Submit).collect()))
    }

    /// The link is up and complete: what a restored server has lost is found out beside it.
    pub(super) fn look_for_lost(&self) {
        let account = Arc::clone(&self.account);
        tokio::spawn(async move {
            if let Err(error) = find_lost(&account).await {
                tracing::debug!(account = %account.key, "the server was not asked for lost messages: {error}");
            }
        });
    }
}

/// Asks the server about messages that it may have lost, until it was asked about all. If the link is lost meanwhile, the
/// next one goes on.
async fn find_lost(account: &Account) -> Result<(), Error> {
    loop {
        let store = Arc::clone(&account.store);
        let unasked = blocking(move || store.read(|db| lost::unasked(db, HELD_MESSAGES))).await?;
        let Some((topic, messages)) = unasked else {
            return Ok(());
        };
        let question = Question::MessageHeld {
            topic,
            messages: messages.clone(),
        };
        let held: HeldMessages = account.ask(question).await?;
        let store = Arc::clone(&account.store);
        let is_news =
            blocking(move || store.write(|db| lost::settle(db, topic, &messages, &held.messages)))
                .await?;
        if is_news {
            account.put_up(Change::App);
        }
    }
}

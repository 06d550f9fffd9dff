//! What a driver is asked to do, and actions on their way through the outbox.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::oneshot;
use tulou_engine::{Input, OutboxEntry, OutboxState, Untold};
use tulou_protocol::{Command, CommandId, MessageId, Question, TopicId};
use uuid::Uuid;

use super::Driver;
use crate::{
    action::Action,
    client::account::blocking,
    compose::{Composed, compose},
    error::Error,
    store::{StoreError, drafts, edits, outbox},
    view::{EditInput, LevelPlace, ReadMark},
};

/// Wishes that wait for a driver; who wishes more waits.
pub const WISHES: usize = 256;

/// An answer from the server.
pub type Told = Result<Value, Untold>;

/// What a driver is asked to do.
pub enum Wish {
    /// Do what a person wants. Answered once it is durable; a live one once the server has answered.
    Submit(Action, oneshot::Sender<Result<Submitted, Error>>),
    /// Try a refused command again.
    Retry(CommandId, oneshot::Sender<Result<(), Error>>),
    /// Give a refused command up.
    Discard(CommandId, oneshot::Sender<Result<(), Error>>),
    /// Send messages of a topic again that the server has lost: one, or all.
    SendLost(
        TopicId,
        Option<MessageId>,
        oneshot::Sender<Result<(), Error>>,
    ),
    /// Keep what is being written. Answered once that survives the loss of power.
    Draft(Draft, oneshot::Sender<Result<(), Error>>),
    /// Mark as read what is unread at a place; answers how far each topic was read before.
    MarkRead(LevelPlace, oneshot::Sender<Result<Vec<ReadMark>, Error>>),
    /// Set topics back to how far they were read.
    SetRead(Vec<ReadMark>, oneshot::Sender<Result<(), Error>>),
    /// Ask the server.
    Ask(Question, oneshot::Sender<Told>),
    /// Have a command carried out at once or not at all.
    Live(Command, oneshot::Sender<Told>),
    /// Tell the engine.
    Input(Input),
    /// Sign in with a token, or be signed out.
    Token(Option<String>),
    /// Do at once what waits for its time: look at the store again, connect.
    Hurry,
    /// Go to the account's addresses, which have changed.
    Reconnect,
    /// End.
    Stop(oneshot::Sender<()>),
}

/// What is being written. It goes the way of actions, so that a draft never comes after the message that it became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Draft {
    /// A message for a topic, and what it answers.
    Message(TopicId, String, Option<MessageId>),
    /// Another text for a message; none: the edit is over.
    Edit(TopicId, MessageId, Option<EditInput>),
}

/// What became of an action.
#[derive(Debug)]
pub enum Submitted {
    /// It is durable; the id of what it makes.
    Queued(Option<String>),
    /// It is never queued; whoever wished it hands it on.
    Live(Command),
}

/// What takes back a message that waited for its answer.
fn recall_of(entry: &OutboxEntry) -> Option<Command> {
    if let (OutboxState::Waiting, Command::MessageSend { topic, message, .. }) =
        (&entry.state, &entry.command)
    {
        Some(Command::MessageRecall {
            topic: *topic,
            message: *message,
        })
    } else {
        None
    }
}

impl Driver {
    /// Keeps what is being written.
    pub(super) async fn keep_draft(&self, draft: Draft) -> Result<(), Error> {
        let account = Arc::clone(&self.account);
        blocking(move || {
            let (topic, is_shown) = account.store.write(|db| {
                Ok::<_, StoreError>(match draft {
                    Draft::Message(topic, text, reply_to) => {
                        (topic, drafts::put(db, topic, &text, reply_to)?)
                    }
                    Draft::Edit(topic, message, Some(EditInput { base, text })) => {
                        (topic, edits::put(db, topic, message, &base, &text)?)
                    }
                    Draft::Edit(topic, message, None) => {
                        (topic, edits::remove(db, topic, message)?)
                    }
                })
            })?;
            account.note_draft(topic, is_shown)
        })
        .await
    }

    /// Which commands the server may have heard of: those that an earlier start left behind as well.
    fn may_be_sent(&self) -> impl Fn(CommandId) -> bool + Send + 'static {
        let is_unknown = self.engine.is_none();
        let sent = self.sent.clone();
        move |id| is_unknown || sent.contains(&id)
    }

    /// Durable, then visible, then sent.
    pub(super) async fn submit(&mut self, action: Action) -> Result<Submitted, Error> {
        let account = Arc::clone(&self.account);
        let may_be_sent = self.may_be_sent();
        let (submitted, inputs) = blocking(move || {
            let as_of = account.as_of();
            let (submitted, inputs, commands) = account.store.write(|db| {
                Ok::<_, Error>(match compose(db, as_of, action)? {
                    Composed::Queue(command, made) => {
                        let id = CommandId(Uuid::now_v7());
                        let entry = outbox::push(db, id, command, as_of.now, OutboxState::Waiting)?;
                        if let Command::CursorAdvance { topic, .. } = &entry.command {
                            outbox::drop_advances(db, *topic, entry.no)?;
                        }
                        let command = entry.command.clone();
                        let inputs = vec![Input::Submit(entry)];
                        (Submitted::Queued(made), inputs, vec![command])
                    }
                    Composed::Instead(refused, command) => {
                        for id in &refused {
                            outbox::remove(db, *id)?;
                        }
                        let id = CommandId(Uuid::now_v7());
                        let entry = outbox::push(db, id, command, as_of.now, OutboxState::Waiting)?;
                        let command = entry.command.clone();
                        let mut inputs: Vec<Input> =
                            refused.into_iter().map(Input::Discard).collect();
                        inputs.push(Input::Submit(entry));
                        (Submitted::Queued(None), inputs, vec![command])
                    }
                    Composed::Replace(was, entry) => {
                        outbox::replace(db, was, &entry)?;
                        let command = entry.command.clone();
                        let inputs = if entry.id == was {
                            vec![Input::Replace(entry)]
                        } else {
                            vec![Input::Discard(was), Input::Retry(entry)]
                        };
                        (Submitted::Queued(None), inputs, vec![command])
                    }
                    Composed::Discard(id) => {
                        let entry = outbox::one(db, id)?;
                        outbox::remove(db, id)?;
                        let mut inputs = vec![Input::Discard(id)];
                        if may_be_sent(id)
                            && let Some(recall) = entry.as_ref().and_then(recall_of)
                        {
                            // The server may have it. Nothing else would remember, over a crash, to take it back.
                            let id = CommandId(Uuid::now_v7());
                            let waits = OutboxState::Waiting;
                            let entry = outbox::push(db, id, recall, as_of.now, waits)?;
                            inputs.push(Input::Submit(entry));
                        }
                        let commands = entry.map(|entry| entry.command).into_iter().collect();
                        (Submitted::Queued(None), inputs, commands)
                    }
                    Composed::Live(command) => (Submitted::Live(command), Vec::new(), Vec::new()),
                    Composed::Nothing => (Submitted::Queued(None), Vec::new(), Vec::new()),
                })
            })?;
            for command in &commands {
                account.note_command(command)?;
            }
            Ok::<_, Error>((submitted, inputs))
        })
        .await?;
        for input in inputs {
            self.feed(input).await;
        }
        Ok(submitted)
    }
}

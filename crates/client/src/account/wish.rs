//! What a driver is asked to do.

use serde_json::Value;
use tokio::sync::oneshot;
use tulou_engine::{Input, Untold};
use tulou_protocol::{Command, CommandId, MessageId, Question, TopicId};

use crate::{
    action::Action,
    error::Error,
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
    Draft(Writing, oneshot::Sender<Result<(), Error>>),
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
    Token,
    /// Do at once what waits for its time: look at the store again, connect.
    Hurry,
    /// Go to the account's addresses, which have changed.
    Reconnect,
    /// Break, as a mistake in the driver would.
    #[cfg(test)]
    Break,
    /// End.
    Stop(oneshot::Sender<()>),
}

/// What is being written. It goes the way of actions, so that a draft never comes after the message that it became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writing {
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
    /// It is never queued: it is being carried out, and this tells what became of it.
    Live(oneshot::Receiver<Told>),
}

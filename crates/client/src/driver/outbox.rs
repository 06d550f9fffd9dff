//! Actions on their way through the outbox, and drafts, which go the same way.

use std::sync::Arc;

use tulou_engine::{Input, OutboxEntry, OutboxState};
use tulou_protocol::{Command, CommandId};
use uuid::Uuid;

use super::{Driver, Durable};
use crate::{
    account::{Account, Writing},
    action::Action,
    blocking::blocking,
    compose::{Composed, again, compose, refused_edits, renew},
    error::{Error, chain},
    store::{StoreError, drafts, edits, outbox},
    view::EditInput,
};

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

/// What is done of an action, or to be done.
pub(super) enum Done {
    /// It is durable; the id of what it makes.
    Queued(Option<String>),
    /// It is never queued.
    Live(Command),
}

impl Driver {
    /// Keeps what is being written.
    pub(super) async fn keep_draft(&self, draft: Writing) -> Result<(), Error> {
        let account = Arc::clone(&self.account);
        blocking(move || {
            let (topic, is_shown) = account.store.write(|db| {
                Ok::<_, StoreError>(match draft {
                    Writing::Message(topic, text, reply_to) => {
                        (topic, drafts::put(db, topic, &text, reply_to)?)
                    }
                    Writing::Edit(topic, message, Some(EditInput { base, text })) => {
                        (topic, edits::put(db, topic, message, &base, &text)?)
                    }
                    Writing::Edit(topic, message, None) => {
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
    pub(super) async fn submit(&self, action: Action) -> Durable<Done> {
        let account = Arc::clone(&self.account);
        let may_be_sent = self.may_be_sent();
        blocking(move || {
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
                        (Done::Queued(made), inputs, vec![command])
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
                        (Done::Queued(None), inputs, vec![command])
                    }
                    Composed::Reword(mut entry, text) => {
                        let was = entry.id;
                        entry.reword(text, may_be_sent(was));
                        renew(&mut entry, as_of);
                        outbox::replace(db, was, &entry)?;
                        let command = entry.command.clone();
                        let inputs = if entry.id == was {
                            vec![Input::Replace(entry)]
                        } else {
                            vec![Input::Discard(was), Input::Retry(entry)]
                        };
                        (Done::Queued(None), inputs, vec![command])
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
                        (Done::Queued(None), inputs, commands)
                    }
                    Composed::Live(command) => (Done::Live(command), Vec::new(), Vec::new()),
                    Composed::Nothing => (Done::Queued(None), Vec::new(), Vec::new()),
                })
            })?;
            note(&account, &commands);
            Ok::<_, Error>((submitted, inputs))
        })
        .await
    }

    /// Tries a refused command again.
    pub(super) async fn retry(&mut self, id: CommandId) -> Durable<()> {
        let account = Arc::clone(&self.account);
        let (entry, others) = blocking(move || {
            let (entry, others) = account.store.write(|db| {
                let entry = outbox::one(db, id)?.ok_or(Error::NotFound("the command"))?;
                let (entry, others) = again(db, entry, account.as_of())?;
                outbox::replace(db, id, &entry)?;
                for other in &others {
                    outbox::remove(db, *other)?;
                }
                Ok::<_, Error>((entry, others))
            })?;
            note(&account, std::slice::from_ref(&entry.command));
            Ok::<_, Error>((entry, others))
        })
        .await?;
        let mut inputs: Vec<Input> = others.into_iter().map(Input::Discard).collect();
        if entry.id != id {
            inputs.push(Input::Discard(id));
        }
        self.confirmed.insert(entry.id);
        inputs.push(Input::Retry(entry));
        Ok(((), inputs))
    }

    /// Gives a refused command up.
    pub(super) async fn discard(&self, id: CommandId) -> Durable<()> {
        let account = Arc::clone(&self.account);
        let given_up = blocking(move || {
            let (entry, given_up) = account.store.write(|db| {
                let entry = outbox::one(db, id)?.ok_or(Error::NotFound("the command"))?;
                let mut given_up = vec![id];
                if let Command::MessageEdit { topic, message, .. } = &entry.command {
                    given_up.extend(refused_edits(db, *topic, *message)?);
                }
                for id in &given_up {
                    outbox::remove(db, *id)?;
                }
                Ok::<_, Error>((entry, given_up))
            })?;
            note(&account, std::slice::from_ref(&entry.command));
            Ok::<_, Error>(given_up)
        })
        .await?;
        Ok(((), given_up.into_iter().map(Input::Discard).collect()))
    }
}

/// Says what commands made stale that are durable. If that cannot be found out, everything may be.
pub(super) fn note(account: &Account, commands: &[Command]) {
    for command in commands {
        if let Err(error) = account.note_command(command) {
            tracing::warn!(account = %account.key, "what a command changes is not known: {}", chain(&error));
            account.note_all();
        }
    }
}

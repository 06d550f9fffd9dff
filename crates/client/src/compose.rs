//! Actions become commands: cleaned and checked, with the values that the person saw as the ones to be changed.

mod structure;

use rusqlite::Connection;
use tulou_engine::{OutboxEntry, OutboxState};
use tulou_protocol::{
    AccountId, Body, Code, Command, CommandId, Log, MessageId, Seq, TopicId,
    command::Edit,
    row::MessageKey,
    text::{check_message, check_name, clean, clean_name, reaction},
};
use uuid::Uuid;

use crate::{
    action::Action,
    as_of::AsOf,
    error::Error,
    read::{level::scope_of, names::pending_name},
    store::{drafts, edits, messages, outbox, rows},
    unread::Ledger,
};

/// What an action comes to.
#[derive(Debug)]
pub enum Composed {
    /// A command for the outbox, and the id of what it makes.
    Queue(Command, Option<String>),
    /// A command for the outbox in the place of refused ones.
    Instead(Vec<CommandId>, Command),
    /// A command that is never queued.
    Live(Command),
    /// A pending message is changed: its entry, and what it shall say.
    Reword(OutboxEntry, String),
    /// A pending message is withdrawn.
    Discard(CommandId),
    /// There is nothing to do.
    Nothing,
}

/// Finds the command for an action. Reads the store inside the transaction that will write the command.
pub fn compose(db: &Connection, as_of: AsOf, action: Action) -> Result<Composed, Error> {
    match action {
        Action::SendMessage {
            topic,
            text,
            reply_to,
        } => send(db, as_of, &topic, &text, reply_to.as_deref()),
        Action::EditMessage {
            topic,
            message,
            from,
            text,
        } => edit(db, (&topic, &message), from, &text),
        Action::RecallMessage { topic, message } => {
            let (topic, message) = (id(&topic)?, id(&message)?);
            Ok(match pending(db, topic, message)? {
                Some(entry) => Composed::Discard(entry.id),
                None => command(Command::MessageRecall { topic, message }),
            })
        }
        Action::React {
            topic,
            message,
            key,
            on,
        } => {
            let key = reaction(&key)?.to_owned();
            Ok(command(Command::MessageReact {
                topic: id(&topic)?,
                message: id(&message)?,
                key,
                on,
            }))
        }
        Action::Pin { topic, message, on } => Ok(command(Command::MessagePin {
            topic: id(&topic)?,
            message: id(&message)?,
            on,
        })),
        Action::Advance { topic, seq } => {
            let topic: TopicId = id(&topic)?;
            let ledger = Ledger::of_topic(db, as_of, topic)?;
            let read_to = ledger.read_to(topic);
            let seq = Seq(seq.min(ledger.head(topic).0));
            Ok(if seq <= read_to.seq {
                Composed::Nothing
            } else {
                command(Command::CursorAdvance {
                    topic,
                    seq,
                    set_no: read_to.set_no,
                })
            })
        }
        Action::SeeMention { topic, message } => {
            let (topic, message) = (id(&topic)?, id(&message)?);
            Ok(if unseen_mention(db, as_of.me, topic, message)? {
                command(Command::MentionSeen {
                    topic,
                    message,
                    seen: true,
                })
            } else {
                Composed::Nothing
            })
        }
        Action::MarkUnread { topic, seq } => {
            let topic = id(&topic)?;
            let from = match seq {
                Some(seq) => Some(Seq(seq)),
                None => {
                    let ledger = Ledger::of_topic(db, as_of, topic)?;
                    messages::last_of_others(db, topic, ledger.head(topic))?
                }
            };
            Ok(from.map_or(Composed::Nothing, |from| {
                command(Command::CursorSet {
                    topic,
                    seq: Seq(from.0.saturating_sub(1)),
                })
            }))
        }
        Action::SetLevel {
            place,
            level,
            until,
        } => Ok(command(Command::NotifySet {
            scope: scope_of(&place)?,
            level: level.into(),
            until,
        })),
        Action::EditProfile { display_name } => {
            let to = name(&display_name)?;
            let from = match pending_name(&outbox::of_structure(db)?) {
                Some(name) => name,
                None => my_name(db, as_of.me)?,
            };
            Ok(if from == to {
                Composed::Nothing
            } else {
                command(Command::ProfileEdit {
                    display_name: Edit { from, to },
                })
            })
        }
        Action::CreateCommunity { .. }
        | Action::EditCommunity { .. }
        | Action::CreateGroup { .. }
        | Action::EditGroup { .. }
        | Action::MoveGroup { .. }
        | Action::DeleteGroup { .. }
        | Action::CreateTopic { .. }
        | Action::EditTopic { .. }
        | Action::MoveTopic { .. }
        | Action::DeleteTopic { .. }
        | Action::SetSeat { .. }
        | Action::CreateMemberGroup { .. }
        | Action::EditMemberGroup { .. }
        | Action::MoveMemberGroup { .. }
        | Action::DeleteMemberGroup { .. }
        | Action::AssignMemberGroup { .. }
        | Action::SetAccess { .. }
        | Action::LeaveCommunity { .. }
        | Action::Kick { .. }
        | Action::TransferCommunity { .. }
        | Action::DissolveCommunity { .. } => structure::compose(db, as_of, action),
    }
}

/// A command as it gets to the server.
fn command(command: Command) -> Composed {
    if command.is_live() {
        Composed::Live(command)
    } else {
        Composed::Queue(command, None)
    }
}

/// An id that the window gave back; one that it made up names nothing.
pub fn id<T: std::str::FromStr>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Code::NotFound.into())
}

/// A name as it will be sent.
fn name(text: &str) -> Result<String, Error> {
    let name = clean_name(text);
    check_name(&name)?;
    Ok(name)
}

fn my_name(db: &Connection, me: AccountId) -> Result<String, Error> {
    let row = rows::one(db, Log::Account(me), "profile", &me.to_string())?;
    match row.map(|row| row.body) {
        Some(Body::Profile(profile)) => Ok(profile.display_name),
        _ => Err(Error::NotFound("my profile")),
    }
}

fn message_text(text: &str) -> Result<String, Error> {
    let text = clean(text);
    check_message(&text)?;
    Ok(text)
}

fn send(
    db: &Connection,
    as_of: AsOf,
    topic: &str,
    text: &str,
    reply_to: Option<&str>,
) -> Result<Composed, Error> {
    let topic = id(topic)?;
    let message = MessageId(Uuid::now_v7());
    let command = Command::MessageSend {
        topic,
        message,
        text: message_text(text)?,
        reply_to: reply_to.map(id).transpose()?,
        written_at: as_of.now,
    };
    drafts::put(db, topic, "", None)?;
    Ok(Composed::Queue(command, Some(message.to_string())))
}

/// Whether an edit made a message mention me, and I have not said yet that I have seen it.
fn unseen_mention(
    db: &Connection,
    me: AccountId,
    topic: TopicId,
    message: MessageId,
) -> Result<bool, Error> {
    let row = rows::one(
        db,
        Log::Account(me),
        "mention",
        &MessageKey::of(topic, message).to_string(),
    )?;
    let Some(Body::Mention(mention)) = row.map(|row| row.body) else {
        return Ok(false);
    };
    let mut is_unseen = mention.by_edit;
    for entry in outbox::of_topic(db, topic)? {
        if let Command::MentionSeen {
            message: id, seen, ..
        } = entry.command
            && id == message
        {
            is_unseen = !seen;
        }
    }
    Ok(is_unseen)
}

/// The pending message with this id.
fn pending(
    db: &Connection,
    topic: TopicId,
    message: MessageId,
) -> Result<Option<OutboxEntry>, Error> {
    Ok(outbox::of_topic(db, topic)?.into_iter().find(
        |entry| matches!(entry.command, Command::MessageSend { message: id, .. } if id == message),
    ))
}

fn edit(
    db: &Connection,
    (topic, message): (&str, &str),
    from: String,
    text: &str,
) -> Result<Composed, Error> {
    let (topic, message) = (id(topic)?, id(message)?);
    let to = message_text(text)?;
    if let Some(entry) = pending(db, topic, message)? {
        edits::remove(db, topic, message)?;
        return Ok(Composed::Reword(entry, to));
    }
    let now = says(db, topic, message)?;
    if now == to {
        edits::remove(db, topic, message)?;
        return Ok(Composed::Nothing);
    }
    if now != from {
        return Err(Code::ChangedMeanwhile.into());
    }
    edits::remove(db, topic, message)?;
    let text = Edit { from, to };
    Ok(Composed::Instead(
        refused_edits(db, topic, message)?,
        Command::MessageEdit {
            topic,
            message,
            text,
        },
    ))
}

/// What a message says, with the edits of mine that wait.
fn says(db: &Connection, topic: TopicId, message: MessageId) -> Result<String, Error> {
    let held = messages::by_id(db, topic, message)?.ok_or(Error::NotFound("the message"))?;
    if held.content.recalled_by.is_some() {
        return Err(Code::Gone.into());
    }
    let mut says = held.content.text;
    for entry in outbox::of_topic(db, topic)? {
        let waits = !matches!(entry.state, OutboxState::Rejected(_));
        if let Command::MessageEdit {
            message: id, text, ..
        } = entry.command
            && id == message
            && waits
        {
            says = text.to;
        }
    }
    Ok(says)
}

/// Edits of a message that were refused: a later one that is tried, or given up, speaks for all.
pub fn refused_edits(
    db: &Connection,
    topic: TopicId,
    message: MessageId,
) -> Result<Vec<CommandId>, Error> {
    Ok(outbox::of_topic(db, topic)?
        .into_iter()
        .filter(|entry| {
            matches!(entry.state, OutboxState::Rejected(_))
                && matches!(entry.command, Command::MessageEdit { message: id, .. } if id == message)
        })
        .map(|entry| entry.id)
        .collect())
}

/// An entry as it is to be tried again, and the refused ones that it speaks for. The person saw what the message says, so
/// an edit starts from that.
pub fn again(
    db: &Connection,
    mut entry: OutboxEntry,
    as_of: AsOf,
) -> Result<(OutboxEntry, Vec<CommandId>), Error> {
    let mut others = Vec::new();
    if let (
        OutboxState::Rejected(_),
        Command::MessageEdit {
            topic,
            message,
            text,
        },
    ) = (&entry.state, &mut entry.command)
    {
        if let Ok(says) = says(db, *topic, *message) {
            text.from = says;
        }
        others = refused_edits(db, *topic, *message)?;
        others.retain(|id| *id != entry.id);
    }
    renew(&mut entry, as_of);
    Ok((entry, others))
}

/// An entry that is to be tried again. A refused one needs another id, or the server would repeat its answer; nothing that it
/// said is known there.
pub fn renew(entry: &mut OutboxEntry, as_of: AsOf) {
    match entry.state {
        OutboxState::Waiting => {}
        OutboxState::Rejected(_) => {
            entry.id = CommandId(Uuid::now_v7());
            entry.created_at = as_of.now;
            entry.first_text = None;
        }
        OutboxState::Stale => entry.created_at = as_of.now,
    }
    entry.state = OutboxState::Waiting;
}

#[cfg(test)]
mod tests;

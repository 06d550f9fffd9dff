//! Applying a batch of the engine's changes, in one transaction, and noting which views it makes stale.

use std::collections::BTreeSet;

use rusqlite::Connection;
use tulou_engine::{OutboxEntry, OutboxState, Write};
use tulou_protocol::{
    AccountId, Body, Code, Command, CommandId, CommunityId, Log, MessageId, Row, TopicId,
    command::Home, id::Millis, row::MessageKey,
};
use uuid::Uuid;

use super::{
    StoreError, drafts, edits, era::Era, heads, heads::Counted, islands, lost, messages, meta,
    outbox, profiles, rows,
};

/// What a batch touched: the views of these are stale.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Rows of these topics.
    pub timelines: BTreeSet<TopicId>,
    /// Numbers of these topics.
    pub numbers: BTreeSet<TopicId>,
    /// Structure, rights or memberships of these communities.
    pub structures: BTreeSet<CommunityId>,
    /// Counts of these communities, and nothing that rests on them.
    pub counts: BTreeSet<CommunityId>,
    /// Names of people.
    pub has_profiles: bool,
    /// My account: memberships, levels, my profile.
    pub has_account: bool,
    /// The outbox, other than the messages of a topic.
    pub has_outbox: bool,
    /// Cursor commands that were refused: nobody needs to see them, they are out of the outbox.
    pub dropped: Vec<CommandId>,
    /// Commands that the engine made up for a message that was changed while it was on its way.
    pub follow_ups: Vec<OutboxEntry>,
}

impl Touched {
    /// What a command touches that went into the outbox, changed in it, or left it.
    pub fn by(command: &Command) -> Self {
        let mut touched = Self::default();
        note_command(command, &mut touched);
        touched
    }
}

pub(super) fn batch(
    db: &Connection,
    me: AccountId,
    batch: &[Write],
    now: Millis,
) -> Result<Touched, StoreError> {
    let mut touched = Touched::default();
    if begins_epoch(db, batch)? {
        lost::keep_mine(db)?;
    }
    for change in batch {
        one(db, me, change, now, &mut touched)?;
    }
    Ok(touched)
}

/// Whether the server greets with another epoch: it was restored, and what is held is forgotten with this batch.
fn begins_epoch(db: &Connection, batch: &[Write]) -> Result<bool, StoreError> {
    for change in batch {
        if let Write::Greeted(greeting) = change
            && meta::greeting(db)?.is_some_and(|held| held.epoch != greeting.epoch)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn one(
    db: &Connection,
    me: AccountId,
    change: &Write,
    now: Millis,
    touched: &mut Touched,
) -> Result<(), StoreError> {
    match change {
        Write::Greeted(greeting) => {
            let is_another = meta::greeting(db)?.is_some_and(|held| held.epoch != greeting.epoch);
            if is_another {
                Era::begin(db)?;
                rows::age(db)?;
                messages::forget_all(db)?;
                profiles::age(db)?;
                islands::clear(db)?;
                heads::clear(db)?;
            }
            meta::set_greeting(db, greeting)?;
            touched.has_account = true;
        }
        Write::Rows(log, rows) => {
            for row in rows {
                take(db, me, *log, row, touched)?;
            }
        }
        Write::Reset { log, rev, kept } => {
            match log {
                Log::Topic(topic) => {
                    messages::reset(db, *topic, *rev, kept)?;
                    touched.timelines.insert(*topic);
                }
                Log::Community(_) | Log::Account(_) => rows::reset(db, *log, *rev, kept)?,
            }
            note_log(*log, touched);
        }
        Write::Cursor { log, rev, view } => rows::set_cursor(db, *log, *rev, view.as_deref())?,
        Write::Bury(log, rev) => rows::bury(db, *log, *rev)?,
        Write::Me(community, standing) => {
            heads::set_me(db, *community, standing)?;
            touched.structures.insert(*community);
        }
        Write::Forget(log) => {
            note_log(*log, touched);
            match log {
                Log::Topic(topic) => forget_topic(db, *topic)?,
                Log::Community(community) => {
                    for (topic, _) in rows::topics_of(db, *community)? {
                        forget_topic(db, topic)?;
                        touched.timelines.insert(topic);
                    }
                    heads::forget_community(db, *community)?;
                }
                Log::Account(_) => {}
            }
            rows::forget(db, *log)?;
        }
        Write::Islands(topic, held) => {
            islands::set(db, *topic, held)?;
            touched.timelines.insert(*topic);
        }
        Write::DropRange(topic, from, to) => {
            messages::drop_range(db, *topic, *from, *to)?;
            touched.timelines.insert(*topic);
            // Messages of mine may be among them that are no part of what is unread.
            touched.numbers.insert(*topic);
        }
        Write::Head(topic, head) => {
            heads::set(db, *topic, head)?;
            touched.numbers.insert(*topic);
        }
        Write::Counts(community, counts) => match heads::set_counts(db, *community, *counts)? {
            Counted::Same => {}
            Counted::Other => {
                touched.counts.insert(*community);
            }
            Counted::OtherSize => {
                touched.structures.insert(*community);
                touched.counts.insert(*community);
            }
        },
        Write::HeadsKnown(community, as_of) => heads::set_known(db, *community, *as_of)?,
        Write::Profiles(found) => {
            for row in found {
                profiles::put(db, row)?;
            }
            touched.has_profiles = true;
        }
        Write::Lacking(account, rev) => profiles::set_lacking(db, *account, *rev)?,
        Write::Done(id) => {
            if let Some(entry) = outbox::one(db, *id)? {
                note_command(&entry.command, touched);
                outbox::remove(db, *id)?;
            }
        }
        Write::Rejected(id, rejection) => {
            if let Some(entry) = outbox::one(db, *id)? {
                note_command(&entry.command, touched);
                // What was to be taken back is not there: that is what the person wanted.
                let is_done = matches!(entry.command, Command::MessageRecall { .. })
                    && matches!(rejection.code, Code::NotFound | Code::Gone);
                if entry.command.is_quiet() || is_done {
                    outbox::remove(db, *id)?;
                    touched.dropped.push(*id);
                } else {
                    outbox::reject(db, *id, rejection)?;
                }
            }
        }
        Write::FollowUp(Command::MessageRecall { topic, message })
            if is_recalled(db, *topic, *message)? => {}
        Write::FollowUp(command) => {
            note_command(command, touched);
            let id = CommandId(Uuid::now_v7());
            let entry = outbox::push(db, id, command.clone(), now, OutboxState::Waiting)?;
            touched.follow_ups.push(entry);
        }
    }
    Ok(())
}

/// Whether the outbox takes a message back already.
fn is_recalled(db: &Connection, topic: TopicId, message: MessageId) -> Result<bool, StoreError> {
    let entries = outbox::of_topic(db, topic)?;
    Ok(entries.iter().any(|entry| {
        matches!(entry.command, Command::MessageRecall { message: id, .. } if id == message)
    }))
}

fn take(
    db: &Connection,
    me: AccountId,
    log: Log,
    row: &Row,
    touched: &mut Touched,
) -> Result<(), StoreError> {
    match (log, &row.body) {
        (Log::Topic(topic), Body::Message(message)) => {
            touched.timelines.insert(topic);
            if message
                .content
                .as_ref()
                .is_some_and(|content| content.author == me)
            {
                touched.numbers.insert(topic);
            }
            match row.id.parse() {
                Ok(id) => messages::put(db, me, topic, id, message)?,
                Err(_) => tracing::warn!(topic.id = %topic, "a message has an id that is none"),
            }
        }
        (_, body) => {
            let is_taken = rows::put(db, log, row)?;
            match (log, body) {
                (Log::Account(_), Body::Mark(mark)) => {
                    touched.timelines.insert(mark.topic);
                }
                (Log::Account(_), Body::Cursor(_)) => {
                    if let Ok(topic) = row.id.parse() {
                        touched.numbers.insert(topic);
                    }
                }
                (Log::Account(_), Body::Mention(mention)) => {
                    touched.numbers.insert(mention.topic);
                }
                (Log::Account(_), Body::Deleted(kind)) => match (kind.as_str(), row.id.parse()) {
                    ("mark", Ok(MessageKey { topic, .. })) => {
                        touched.timelines.insert(topic);
                    }
                    ("mention", Ok(MessageKey { topic, .. })) => {
                        touched.numbers.insert(topic);
                    }
                    _ => touched.has_account = true,
                },
                (Log::Account(_), Body::Profile(_)) => {
                    profiles::put(db, row)?;
                    touched.has_profiles = true;
                    touched.has_account = true;
                }
                (Log::Community(community), body) => {
                    touched.structures.insert(community);
                    if is_taken
                        && let Body::Topic(topic) = body
                        && let Ok(id) = row.id.parse()
                    {
                        drafts::note_place(db, log, id, &topic.name)?;
                        edits::note_place(db, log, id, &topic.name)?;
                    }
                }
                (Log::Account(_), _) => touched.has_account = true,
                (Log::Topic(_), _) => {}
            }
        }
    }
    Ok(())
}

fn forget_topic(db: &Connection, topic: TopicId) -> Result<(), StoreError> {
    messages::forget(db, topic)?;
    islands::set(db, topic, &[])?;
    heads::forget(db, topic)?;
    rows::forget(db, Log::Topic(topic))
}

fn note_log(log: Log, touched: &mut Touched) {
    match log {
        Log::Topic(topic) => {
            touched.timelines.insert(topic);
            touched.numbers.insert(topic);
        }
        Log::Community(community) => {
            touched.structures.insert(community);
        }
        Log::Account(_) => touched.has_account = true,
    }
}

/// Notes the views that show a command.
fn note_command(command: &Command, touched: &mut Touched) {
    touched.has_outbox = true;
    match (command.spec().home, command.in_topic()) {
        (Home::Topic(topic), _) => {
            touched.timelines.insert(topic);
            touched.numbers.insert(topic);
        }
        (Home::Account, Some(topic)) => {
            touched.numbers.insert(topic);
        }
        (Home::Account, None) => touched.has_account = true,
        (Home::Community(community), _) => {
            touched.structures.insert(community);
        }
    }
}

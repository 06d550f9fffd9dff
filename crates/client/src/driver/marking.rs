//! Marking as read what is unread at a place, and taking that back. A mention that an edit added to a message counts
//! wherever the cursor is, so it is marked as seen, too, and counts again when that is taken back.

use std::sync::Arc;

use rusqlite::Connection as Db;
use tulou_engine::{Input, OutboxEntry, OutboxState};
use tulou_protocol::{Command, CommandId, CommunityId, MessageId, Seq, TopicId};
use uuid::Uuid;

use super::{Driver, Durable, outbox::note};
use crate::{
    account::{Account, Snapshot},
    blocking::blocking,
    compose::id,
    error::Error,
    shape::Shape,
    store::outbox,
    unread::Ledger,
    view::{LevelPlace, ReadMark},
};

impl Driver {
    /// Marks what is unread at a place as read, in one step; how far each topic was read before.
    pub(super) async fn mark_read(&self, place: LevelPlace) -> Durable<Vec<ReadMark>> {
        let account = Arc::clone(&self.account);
        let (marks, entries) = blocking(move || {
            let (marks, entries) = account.store.write(|db| {
                let unread = unread_at(&Snapshot::within(db, &account), &place)?;
                let commands = unread.iter().flat_map(Unread::commands);
                let entries = push_all(db, &account, commands)?;
                let marks = unread.iter().map(Unread::mark).collect();
                Ok::<_, Error>((marks, entries))
            })?;
            note_all(&account, &entries);
            Ok::<_, Error>((marks, entries))
        })
        .await?;
        Ok((marks, inputs(entries)))
    }

    /// Sets topics back to how far they were read, and their mentions to not seen, in one step.
    pub(super) async fn set_read(&self, marks: Vec<ReadMark>) -> Durable<()> {
        let account = Arc::clone(&self.account);
        let entries = blocking(move || {
            let mut commands = Vec::with_capacity(marks.len());
            for mark in marks {
                let topic = id(&mark.topic)?;
                commands.extend(mark.seq.map(|seq| Command::CursorSet {
                    topic,
                    seq: Seq(seq),
                }));
                for message in &mark.mentions {
                    commands.push(Command::MentionSeen {
                        topic,
                        message: id(message)?,
                        seen: false,
                    });
                }
            }
            let entries = account
                .store
                .write(|db| push_all(db, &account, commands.into_iter()))?;
            note_all(&account, &entries);
            Ok::<_, Error>(entries)
        })
        .await?;
        Ok(((), inputs(entries)))
    }
}

fn inputs(entries: Vec<OutboxEntry>) -> Vec<Input> {
    entries.into_iter().map(Input::Submit).collect()
}

fn push_all(
    db: &Db,
    account: &Account,
    commands: impl Iterator<Item = Command>,
) -> Result<Vec<OutboxEntry>, Error> {
    let now = account.as_of().now;
    let mut entries = Vec::new();
    for command in commands {
        let id = CommandId(Uuid::now_v7());
        let entry = outbox::push(db, id, command, now, OutboxState::Waiting)?;
        if let Command::CursorAdvance { topic, .. } = &entry.command {
            outbox::drop_advances(db, *topic, entry.no)?;
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn note_all(account: &Account, entries: &[OutboxEntry]) {
    let commands: Vec<Command> = entries.iter().map(|entry| entry.command.clone()).collect();
    note(account, &commands);
}

/// A topic with something unread.
struct Unread {
    topic: TopicId,
    from: Seq,
    set_no: u32,
    head: Seq,
    mentions: Vec<MessageId>,
}

impl Unread {
    fn has_more(&self) -> bool {
        self.head > self.from
    }

    /// What brings back how it is before it is marked.
    fn mark(&self) -> ReadMark {
        ReadMark {
            topic: self.topic.to_string(),
            seq: self.has_more().then_some(self.from.0),
            mentions: self.mentions.iter().map(MessageId::to_string).collect(),
        }
    }

    /// What marks it as read.
    fn commands(&self) -> impl Iterator<Item = Command> {
        let topic = self.topic;
        let advance = self.has_more().then_some(Command::CursorAdvance {
            topic,
            seq: self.head,
            set_no: self.set_no,
        });
        let seen = self.mentions.iter().copied();
        let seen = seen.map(move |message| Command::MentionSeen {
            topic,
            message,
            seen: true,
        });
        advance.into_iter().chain(seen)
    }
}

/// The topics of a place that have something unread, whatever their level shows of it.
fn unread_at(snapshot: &Snapshot<'_>, place: &LevelPlace) -> Result<Vec<Unread>, Error> {
    let communities = match place {
        LevelPlace::Global => snapshot.memberships()?,
        LevelPlace::Community { community }
        | LevelPlace::Group { community, .. }
        | LevelPlace::Topic { community, .. } => vec![id::<CommunityId>(community)?],
    };
    let only_group = match place {
        LevelPlace::Group { group, .. } => Some(id(group)?),
        LevelPlace::Global | LevelPlace::Community { .. } | LevelPlace::Topic { .. } => None,
    };
    let only_topic = match place {
        LevelPlace::Topic { topic, .. } => Some(id(topic)?),
        LevelPlace::Global | LevelPlace::Community { .. } | LevelPlace::Group { .. } => None,
    };
    let db = snapshot.db;
    let ledger = Ledger::load(db, snapshot.as_of, &outbox::all(db)?)?;
    let mut unread = Vec::new();
    for community in communities {
        let Some(shape) = snapshot.shape(community)? else {
            continue;
        };
        let topics = shape
            .topics
            .iter()
            .filter(|topic| !topic.is_locked)
            .filter(|topic| only_group.is_none_or(|group| topic.group == group))
            .filter(|topic| only_topic.is_none_or(|only| topic.id == only));
        for topic in topics {
            unread.extend(unread_in(&ledger, &shape, topic.id));
        }
    }
    Ok(unread)
}

fn unread_in(ledger: &Ledger, shape: &Shape, topic: TopicId) -> Option<Unread> {
    let numbers = ledger.numbers(Some(shape), topic);
    let (read_to, head) = (ledger.read_to(topic), ledger.head(topic));
    let mentions = ledger.mentioned_by_edit(topic);
    let is_unread = (numbers.unread > 0 || numbers.mentions > 0) && head > read_to.seq;
    (is_unread || !mentions.is_empty()).then_some(Unread {
        topic,
        from: read_to.seq,
        set_no: read_to.set_no,
        head,
        mentions,
    })
}

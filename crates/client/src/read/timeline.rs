//! A stretch of a topic: rows with the outbox laid over them, and what waits to be sent.

mod message;
mod overlay;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use rusqlite::Connection;
use tulou_protocol::{
    AccountId, Body, Log, MessageId, Permissions, Seq, TopicId, permission::Place,
    question::PageAt, row::MessageKey,
};

pub use self::overlay::refusal;
use self::{message::Painter, overlay::Overlay};
use super::{
    keys,
    names::{People, mentioned, mentioned_views},
    stretch::{Chosen, Extent, MOST},
};
use crate::{
    account::{Entered, Snapshot},
    markdown,
    shape::{Shape, TopicShape},
    store::{
        StoreError, drafts, edits, edits::EditDraft, islands, messages, messages::StoredMessage,
        outbox, rows,
    },
    unread::Ledger,
    view::{
        Block, CannotSpeak, DraftView, EditView, MessageAction, PinView, Stretch, TimelineView,
    },
};

/// Pins that a view lists.
const PINS: u32 = 50;
/// Characters of a quoted or pinned message.
const EXCERPT: usize = 120;

/// A stretch of a topic as it was read.
pub struct Read {
    /// What is shown of it.
    pub view: TimelineView,
    /// What is to be fetched for it.
    pub wants: Vec<PageAt>,
    /// The community that the topic stands in.
    pub shape: Option<Arc<Shape>>,
    /// The place of a message that is held and cannot be read.
    pub illegible: Option<Seq>,
}

/// Reads a stretch of a topic.
pub fn timeline(
    snapshot: &Snapshot<'_>,
    topic: TopicId,
    stretch: &Stretch,
    entered: Option<Entered>,
) -> Result<Read, StoreError> {
    let (db, as_of) = (snapshot.db, snapshot.as_of);
    let in_shape = snapshot.shape_of_topic(topic)?;
    let shape = in_shape.as_deref();
    let outbox = outbox::of_topic(db, topic)?;
    let ledger = Ledger::of_topic_over(db, as_of, topic, &outbox)?;
    let held = islands::of_topic(db, topic)?;
    let last_held = held.last().map_or(Seq::ZERO, |island| island.to);
    let extent = Extent {
        islands: &held,
        head: ledger.head(topic).max(last_held),
        floor: ledger.floor(topic),
    };
    let numbers = ledger.numbers(shape, topic);
    let first_unread = match entered {
        Some(entered) => entered.first_unread,
        None => first_unread(db, &ledger, topic, numbers.unread)?,
    };
    let chosen = choose(db, topic, stretch, extent, first_unread)?;
    let found = match chosen.rows {
        Some((from, to)) => {
            messages::stretch(db, topic, from, to, u32::try_from(MOST).unwrap_or(u32::MAX))?
        }
        None => Vec::new(),
    };

    let busy = snapshot.account.busy();
    let overlay = Overlay::load(&outbox);
    let pins = messages::pinned(db, topic, PINS)?;
    let quoted = quoted(db, topic, &found, &overlay)?;
    let draft = drafts::one(db, topic)?.unwrap_or_default();
    let edits = edits::of_topic(db, topic)?;
    let written: Vec<&str> = std::iter::once(draft.0.as_str())
        .chain(
            edits
                .iter()
                .flat_map(|edit| [edit.base.as_str(), &edit.text]),
        )
        .chain(overlay.texts())
        .chain(overlay.refused_texts())
        .chain(found.iter().map(|held| held.content.text.as_str()))
        .collect();
    let people = people(db, as_of.me, shape, &written, &[&found, &pins], &quoted)?;
    let permissions = shape.map(|shape| shape.mine(Place::Topic(topic)).permissions);
    let painter = Painter {
        as_of,
        shape,
        permissions: permissions.unwrap_or_default(),
        people: &people,
        names: people.for_text(as_of.me, shape),
        quoted: &quoted,
        marks: my_marks(db, as_of.me, topic, &found)?,
        overlay: &overlay,
        waits_until: overlay
            .pending
            .iter()
            .filter_map(|pending| busy.get(&pending.command).copied())
            .max(),
    };

    let is_missing = !chosen.wants.is_empty();
    let held_topic = shape.and_then(|shape| shape.topic(topic));
    let view = TimelineView {
        topic: topic.to_string(),
        community: shape.map(|shape| shape.id.to_string()),
        name: held_topic.map_or_else(String::new, |topic| topic.name.clone()),
        introduction: held_topic.map_or_else(String::new, |topic| topic.introduction.clone()),
        is_closed: held_topic.is_some_and(|topic| topic.is_closed),
        cannot_speak: cannot_speak(permissions, held_topic),
        permissions: keys(permissions.unwrap_or_default()),
        rows: found.iter().map(|held| painter.sent(held)).collect(),
        pending: painter.pending(&found),
        has_before: chosen.has_before,
        has_after: chosen.has_after,
        is_loading: is_missing && as_of.is_linked,
        is_cut_off: is_missing && !as_of.is_linked,
        first_unread: first_unread.map(|seq| seq.0),
        unread: u32::try_from(numbers.unread).unwrap_or(u32::MAX),
        head: extent.head.0,
        pins: pin_views(&pins, &painter),
        draft: DraftView {
            text: draft.0.clone(),
            reply_to: draft.1.map(|id| id.to_string()),
        },
        edits: edit_views(db, &edits, &overlay, &painter)?,
        refused: overlay.refused_elsewhere(&found),
        mentioned: mentioned_views(written.iter().copied(), &people, |id| {
            let group = shape?.member_group(id)?;
            Some(group.name.clone())
        }),
        new_mentions: ledger
            .mentioned_by_edit(topic)
            .iter()
            .map(ToString::to_string)
            .collect(),
        read_to: ledger.read_to(topic).seq.0,
    };
    Ok(Read {
        view,
        illegible: illegible(chosen.rows, &found),
        wants: chosen.wants,
        shape: in_shape,
    })
}

/// The first place of a stretch whose message is not among those that could be read.
fn illegible(stretch: Option<(Seq, Seq)>, found: &[StoredMessage]) -> Option<Seq> {
    let (from, to) = stretch?;
    let mut found = found.iter().map(|held| held.seq.0).peekable();
    (from.0..=to.0)
        .find(|seq| found.next_if_eq(seq).is_none())
        .map(Seq)
}

/// Why the person may not write here; none if he may.
fn cannot_speak(
    permissions: Option<Permissions>,
    topic: Option<&TopicShape>,
) -> Option<CannotSpeak> {
    match permissions {
        None => Some(CannotSpeak::Unavailable),
        Some(_) if topic.is_none_or(|topic| topic.is_locked) => Some(CannotSpeak::Unavailable),
        Some(held) if !held.contains(Permissions::SPEAK) => Some(CannotSpeak::NotAllowed),
        Some(_) => None,
    }
}

/// What is pinned, as it will be.
fn pin_views(pins: &[StoredMessage], painter: &Painter<'_>) -> Vec<PinView> {
    pins.iter()
        .filter(|held| held.content.recalled_by.is_none() && painter.overlay.is_pinned(held))
        .map(|held| PinView {
            id: held.id.to_string(),
            author: painter.people.author(held.content.author, painter.shape),
            excerpt: markdown::excerpt(painter.overlay.text(held), &painter.names, EXCERPT),
        })
        .collect()
}

/// A text of a topic, whole.
pub fn text(snapshot: &Snapshot<'_>, topic: TopicId, text: &str) -> Result<Vec<Block>, StoreError> {
    let me = snapshot.as_of.me;
    let shape = snapshot.shape_of_topic(topic)?;
    let shape = shape.as_deref();
    let mut accounts = HashSet::from([me]);
    mentioned(text, &mut accounts);
    let people = People::load(snapshot.db, me, shape, &accounts)?;
    Ok(markdown::blocks(text, &people.for_text(me, shape)))
}

/// Where the divider of a topic stands that is entered: the first row that is unread and not mine.
pub fn divider(snapshot: &Snapshot<'_>, topic: TopicId) -> Result<Option<Seq>, StoreError> {
    let db = snapshot.db;
    let ledger = Ledger::of_topic(db, snapshot.as_of, topic)?;
    let shape = snapshot.shape_of_topic(topic)?;
    let numbers = ledger.numbers(shape.as_deref(), topic);
    first_unread(db, &ledger, topic, numbers.unread)
}

fn first_unread(
    db: &Connection,
    ledger: &Ledger,
    topic: TopicId,
    unread: u64,
) -> Result<Option<Seq>, StoreError> {
    if unread == 0 {
        return Ok(None);
    }
    let read_to = ledger.read_to(topic);
    let before_floor = Seq(ledger.floor(topic).0.saturating_sub(1));
    let after = read_to.seq.max(before_floor);
    messages::first_of_others(db, topic, after, read_to.own).map(Some)
}

fn choose(
    db: &Connection,
    topic: TopicId,
    stretch: &Stretch,
    extent: Extent<'_>,
    first_unread: Option<Seq>,
) -> Result<Chosen, StoreError> {
    let bounded = |count: u32| u64::from(count).clamp(1, MOST);
    Ok(match stretch {
        Stretch::Unread { count } => match first_unread {
            Some(at) => extent.around(at, bounded(*count)),
            None => extent.end(bounded(*count)),
        },
        Stretch::End { count } => extent.end(bounded(*count)),
        Stretch::Message { id, count } => match id.parse::<MessageId>() {
            Ok(id) => match messages::by_id(db, topic, id)? {
                Some(held) => {
                    let mut chosen = extent.around(held.seq, bounded(*count));
                    if chosen.rows.is_none() {
                        chosen.wants = vec![PageAt::Message(id)];
                    }
                    chosen
                }
                None => Chosen {
                    wants: vec![PageAt::Message(id)],
                    ..Chosen::default()
                },
            },
            Err(_) => extent.end(bounded(*count)),
        },
        Stretch::Range { from, to } => extent.range(Seq(*from), to.map(Seq)),
    })
}

/// The messages replied to, as far as they are held.
fn quoted(
    db: &Connection,
    topic: TopicId,
    found: &[StoredMessage],
    overlay: &Overlay,
) -> Result<HashMap<MessageId, StoredMessage>, StoreError> {
    let mut quoted = HashMap::new();
    let replies = found
        .iter()
        .filter_map(|held| held.content.reply_to)
        .chain(overlay.replies());
    for id in replies {
        if let std::collections::hash_map::Entry::Vacant(entry) = quoted.entry(id)
            && let Some(held) = messages::by_id(db, topic, id)?
        {
            entry.insert(held);
        }
    }
    Ok(quoted)
}

/// Edits in progress, each with what its message says meanwhile.
fn edit_views(
    db: &Connection,
    edits: &[EditDraft],
    overlay: &Overlay,
    painter: &Painter<'_>,
) -> Result<Vec<EditView>, StoreError> {
    let mut views = Vec::with_capacity(edits.len());
    for edit in edits {
        let mut view = EditView {
            message: edit.message.to_string(),
            base: edit.base.clone(),
            text: edit.text.clone(),
            now: None,
            is_recalled: false,
            can_recall: false,
        };
        let pending = overlay
            .pending
            .iter()
            .find(|pending| pending.id == edit.message);
        if let Some(held) = messages::by_id(db, edit.topic, edit.message)? {
            let is_recalled = overlay
                .outstanding(edit.message)
                .is_some_and(|change| change.is_recalled);
            view.is_recalled = is_recalled || held.content.recalled_by.is_some();
            view.now = Some(overlay.text(&held).to_owned());
            view.can_recall = painter
                .actions(&held, true)
                .contains(&MessageAction::Recall);
        } else if let Some(pending) = pending {
            view.now = Some(pending.text.clone());
            view.can_recall = true;
        }
        views.push(view);
    }
    Ok(views)
}

fn people(
    db: &Connection,
    me: AccountId,
    shape: Option<&Shape>,
    written: &[&str],
    lists: &[&[StoredMessage]],
    quoted: &HashMap<MessageId, StoredMessage>,
) -> Result<People, StoreError> {
    let mut accounts = HashSet::from([me]);
    // Whoever looks like the owner is told apart although the owner said nothing here.
    accounts.extend(shape.map(|shape| shape.owner));
    for held in lists.iter().copied().flatten().chain(quoted.values()) {
        accounts.insert(held.content.author);
        accounts.extend(held.content.recalled_by);
        mentioned(&held.content.text, &mut accounts);
    }
    for text in written {
        mentioned(text, &mut accounts);
    }
    People::load(db, me, shape, &accounts)
}

/// Which reactions are mine.
fn my_marks(
    db: &Connection,
    me: AccountId,
    topic: TopicId,
    found: &[StoredMessage],
) -> Result<HashMap<MessageId, Vec<String>>, StoreError> {
    let mut marks = HashMap::new();
    for held in found.iter().filter(|held| !held.marks.reactions.is_empty()) {
        let row = rows::one(
            db,
            Log::Account(me),
            "mark",
            &MessageKey::of(topic, held.id).to_string(),
        )?;
        if let Some(Body::Mark(mark)) = row.map(|row| row.body) {
            marks.insert(held.id, mark.reactions);
        }
    }
    Ok(marks)
}

//! Decisions about messages.

use tulou_protocol::{
    AccountId, Code, MemberGroupId, MessageId, Permissions, Rejection, Row, Seq, TopicId,
    command::Edit,
    id::Millis,
    limits,
    permission::Place,
    row::{Content, Mark, Message},
    text,
};

use super::{
    case::{Case, Decision},
    change::{Change, Contents, Expect, Marking, Sent},
    facts::Stored,
};

pub(super) fn send(
    case: &Case<'_>,
    topic: TopicId,
    message: MessageId,
    written: &str,
    reply_to: Option<MessageId>,
    written_at: Millis,
) -> Result<Decision, Rejection> {
    require_fast(case, topic, Permissions::SPEAK)?;
    text::check_message(written).map_err(|no| no.at("text"))?;
    let (mentions, wide) = addressed(case, topic, written)?;
    if reply_to.is_some() && !case.facts.known.has_reply_to {
        return Err(Code::NotFound.at("reply_to"));
    }
    let expects = seen_by(case, &mentions);
    let (structure, author) = case.member()?;
    let changes = vec![Change::Send(Box::new(Sent {
        topic,
        message,
        author: case.actor,
        author_rev: case.facts.profile_rev(),
        text: written.to_owned(),
        reply_to,
        written_at: Some(written_at)
            .filter(|claim| claim.abs_diff(case.now) > limits::CLOCK_MS.unsigned_abs()),
        mentions,
        wide,
        reader: structure.reader(author, topic),
    }))];
    Ok(Decision { expects, changes })
}

/// Persons who are mentioned are those who see the topic at commit.
fn seen_by(case: &Case<'_>, persons: &[AccountId]) -> Vec<Expect> {
    let Some(structure) = case.facts.structure else {
        return Vec::new();
    };
    let members = persons.iter().filter_map(|id| case.facts.members.get(id));
    members
        .map(|member| Expect::Member(structure.id, member.account, member.rev))
        .collect()
}

/// The right is looked up among the rights that are known for this kind of member; only a refusal is explained.
fn require_fast(case: &Case<'_>, topic: TopicId, permission: Permissions) -> Result<(), Rejection> {
    let (structure, member) = case.member()?;
    let rights = structure.sight(member).rights(topic);
    if rights.is_some_and(|rights| rights.contains(permission)) {
        return Ok(());
    }
    case.require(Place::Topic(topic), permission)
}

type Addressed = (Vec<AccountId>, Vec<Option<MemberGroupId>>);

/// Whom a text addresses: persons who may see the topic, and what needs `MentionAll`.
fn addressed(case: &Case<'_>, topic: TopicId, written: &str) -> Result<Addressed, Rejection> {
    if !written.contains("<@") {
        return Ok((Vec::new(), Vec::new()));
    }
    let (structure, _) = case.member()?;
    let found = text::mentions(written);
    let mut wide: Vec<Option<MemberGroupId>> = found
        .member_groups
        .iter()
        .filter(|id| structure.member_groups.contains_key(*id))
        .map(|id| Some(*id))
        .collect();
    if found.everyone {
        wide.push(None);
    }
    if !wide.is_empty() {
        require_fast(case, topic, Permissions::MENTION_ALL)?;
    }
    let sees = |id: &AccountId| {
        case.facts
            .members
            .get(id)
            .is_some_and(|member| structure.sight(member).sees(topic))
    };
    let persons = found
        .accounts
        .into_iter()
        .filter(|id| *id != case.actor && sees(id))
        .collect();
    Ok((persons, wide))
}

/// The message that the command names, as the actor may read it, with the rights that he has there.
fn readable<'a>(
    case: &Case<'a>,
    topic: TopicId,
) -> Result<(&'a Stored, &'a Content, MessageId, Expect), Rejection> {
    let (structure, member) = case.member()?;
    let held = case.held_at(Place::Topic(topic))?;
    held.require(Permissions::VIEW)?;
    let missing = || Code::NotFound.at("message");
    let stored = case.facts.known.message.as_ref().ok_or_else(missing)?;
    let content = stored.message.content.as_ref().ok_or_else(missing)?;
    if structure
        .readable_since(member, topic)
        .is_some_and(|since| content.sent_at < since)
    {
        held.require(Permissions::READ_HISTORY)?;
    }
    let id = case.facts.asked_message.ok_or_else(missing)?;
    Ok((
        stored,
        content,
        id,
        Expect::Content(topic, id, stored.message.content_rev),
    ))
}

fn row(id: MessageId, stored: &Stored) -> Row {
    Row {
        id: id.to_string(),
        rev: stored.rev,
        body: stored.message.clone().into(),
    }
}

pub(super) fn edit(
    case: &Case<'_>,
    topic: TopicId,
    edit: &Edit<String>,
) -> Result<Decision, Rejection> {
    require_fast(case, topic, Permissions::SPEAK)?;
    let (stored, content, id, expect) = readable(case, topic)?;
    let (structure, _) = case.member()?;
    if content.author != case.actor {
        return Err(Code::NotYours.into());
    }
    if content.recalled_by.is_some() {
        return Err(Code::Gone.into());
    }
    if content.text == edit.to {
        return Ok(Decision::default());
    }
    if content.text != edit.from {
        return Err(Rejection::changed(row(id, stored)));
    }
    let window = structure.community.body.edit_window_ms;
    if window.is_some_and(|window| case.now - content.sent_at > window) {
        return Err(Code::EditTooLate.into());
    }
    text::check_message(&edit.to).map_err(|no| no.at("text.to"))?;
    let (mentions, wide) = addressed(case, topic, &edit.to)?;
    let before = text::mentions(&edit.from).accounts;
    let after = text::mentions(&edit.to).accounts;
    let mut expects = seen_by(case, &mentions);
    expects.push(expect);
    Ok(Decision {
        expects,
        changes: vec![Change::Content(Box::new(Contents {
            topic,
            message: id,
            seq: stored.message.seq,
            content: Content {
                text: edit.to.clone(),
                edited_at: Some(case.now),
                ..content.clone()
            },
            mentioned: mentions
                .into_iter()
                .filter(|account| !before.contains(account))
                .collect(),
            unmentioned: before
                .into_iter()
                .filter(|account| !after.contains(account))
                .collect(),
            wide,
        }))],
    })
}

pub(super) fn recall(case: &Case<'_>, topic: TopicId) -> Result<Decision, Rejection> {
    let (stored, content, id, expect) = readable(case, topic)?;
    let (structure, _) = case.member()?;
    if content.recalled_by.is_some() {
        return Ok(Decision::default());
    }
    let held = case.held_at(Place::Topic(topic))?;
    if !held.permissions.contains(Permissions::RECALL_OTHERS) {
        if content.author != case.actor {
            held.require(Permissions::RECALL_OTHERS)?;
        }
        if case.now - content.sent_at > structure.community.body.recall_window_ms {
            return Err(Code::RecallTooLate.into());
        }
    }
    Ok(Decision {
        expects: vec![expect],
        changes: recalled(topic, id, &stored.message, case.actor),
    })
}

/// What the recall of a message changes. A recalled message keeps no pin: nobody could find what it points to.
pub fn recalled(topic: TopicId, id: MessageId, message: &Message, by: AccountId) -> Vec<Change> {
    let Some(content) = &message.content else {
        return Vec::new();
    };
    let mut changes = vec![Change::Content(Box::new(Contents {
        topic,
        message: id,
        seq: message.seq,
        content: Content {
            text: String::new(),
            recalled_by: Some(by),
            ..content.clone()
        },
        mentioned: Vec::new(),
        unmentioned: text::mentions(&content.text).accounts,
        wide: Vec::new(),
    }))];
    changes.push(Change::Marks {
        topic,
        message: id,
        seq: message.seq,
        // It may have been pinned since.
        marking: Marking::Pin(None),
    });
    changes
}

pub(super) fn react(
    case: &Case<'_>,
    topic: TopicId,
    key: &str,
    on: bool,
) -> Result<Decision, Rejection> {
    let (stored, content, id, expect) = readable(case, topic)?;
    let key = text::reaction(key).map_err(|no| no.at("key"))?;
    if on {
        require_fast(case, topic, Permissions::REACT)?;
        if content.recalled_by.is_some() {
            return Err(Code::Gone.into());
        }
    }
    // Whoever gives it again may have lost sight of it: his row fades. The store knows whether it is there.
    if !stored.has_reacted && !on {
        return Ok(Decision::default());
    }
    let marking = Marking::Reaction {
        account: case.actor,
        key: key.to_owned(),
        on,
    };
    let marks = stored.message.marks.as_ref();
    marking.done_to(marks, case.facts.known.pins)?;
    Ok(Decision {
        expects: vec![expect],
        changes: vec![Change::Marks {
            topic,
            message: id,
            seq: stored.message.seq,
            marking,
        }],
    })
}

pub(super) fn pin(case: &Case<'_>, topic: TopicId, on: bool) -> Result<Decision, Rejection> {
    let (stored, content, id, expect) = readable(case, topic)?;
    require_fast(case, topic, Permissions::PIN)?;
    let marks = stored.message.marks.as_ref();
    if marks.is_some_and(|marks| marks.pinned_at.is_some()) == on {
        return Ok(Decision::default());
    }
    if on && content.recalled_by.is_some() {
        return Err(Code::Gone.into());
    }
    let marking = Marking::Pin(on.then_some(case.now));
    marking.done_to(marks, case.facts.known.pins)?;
    Ok(Decision {
        expects: vec![expect],
        changes: vec![Change::Marks {
            topic,
            message: id,
            seq: stored.message.seq,
            marking,
        }],
    })
}

/// The reader's `Mark` row after a reaction was given or taken back; none if no mark is left.
#[must_use]
pub fn mark_after(
    before: Option<Mark>,
    topic: TopicId,
    seq: Seq,
    key: &str,
    on: bool,
) -> Option<Mark> {
    let mut mark = before.unwrap_or_else(|| Mark {
        topic,
        seq,
        reactions: Vec::new(),
        more: Default::default(),
    });
    mark.reactions.retain(|known| known != key);
    if on {
        mark.reactions.push(key.to_owned());
    }
    (!mark.reactions.is_empty()).then_some(mark)
}

//! Decisions about what belongs to one account.

use tulou_protocol::{
    Code, Log, MessageId, Permissions, Rejection, Rev, Row, Seq, TopicId,
    command::Edit,
    id::Millis,
    limits,
    permission::Place,
    rejection::Counted,
    row::{Cursor, Level, Notify, NotifyScope, Profile},
    text,
};

use super::{
    case::{Case, Decision},
    change::{Change, Expect},
};

pub(super) fn advance(
    case: &Case<'_>,
    topic: TopicId,
    seq: Seq,
    set_no: u32,
) -> Result<Decision, Rejection> {
    case.require(Place::Topic(topic), Permissions::VIEW)?;
    let held = case.facts.known.cursor.as_ref();
    let last_set = held.map_or(0, |(cursor, _)| cursor.set_no);
    // One composed over a set-back of its own names a number that is not there yet, or never will be.
    if set_no < last_set {
        return Ok(Decision::default());
    }
    let seq = seq
        .max(case.facts.known.unreadable())
        .min(case.facts.known.head_seq);
    if seq <= case.facts.known.read_to() {
        return Ok(Decision::default());
    }
    Ok(put(case, topic, seq, last_set))
}

pub(super) fn set_cursor(case: &Case<'_>, topic: TopicId, seq: Seq) -> Result<Decision, Rejection> {
    case.require(Place::Topic(topic), Permissions::VIEW)?;
    let last_set = case
        .facts
        .known
        .cursor
        .as_ref()
        .map_or(0, |(cursor, _)| cursor.set_no);
    Ok(put(
        case,
        topic,
        seq.max(case.facts.known.unreadable())
            .min(case.facts.known.head_seq),
        last_set.wrapping_add(1),
    ))
}

fn put(case: &Case<'_>, topic: TopicId, seq: Seq, set_no: u32) -> Decision {
    let more = case
        .facts
        .known
        .cursor
        .as_ref()
        .map(|(cursor, _)| cursor.more.clone())
        .unwrap_or_default();
    let rev = case
        .facts
        .known
        .cursor
        .as_ref()
        .map_or(Rev::ZERO, |(_, rev)| *rev);
    Decision {
        expects: vec![Expect::Cursor(case.actor, topic, rev)],
        changes: vec![Change::Row {
            log: Log::Account(case.actor),
            id: topic.to_string(),
            body: Cursor {
                seq,
                own: case.facts.known.own_after,
                set_no,
                more,
            }
            .into(),
        }],
    }
}

pub(super) fn see_mention(
    case: &Case<'_>,
    topic: TopicId,
    message: MessageId,
    seen: bool,
) -> Decision {
    Decision::of(vec![Change::MentionSeen {
        account: case.actor,
        topic,
        message,
        seen,
    }])
}

pub(super) fn notify(
    case: &Case<'_>,
    scope: NotifyScope,
    level: Level,
    until: Option<Millis>,
) -> Result<Decision, Rejection> {
    case.facts.has_room(limits::LEVELS, Counted::Levels)?;
    Ok(Decision::of(vec![Change::Row {
        log: Log::Account(case.actor),
        id: scope.key(),
        body: Notify {
            level,
            until,
            more: Default::default(),
        }
        .into(),
    }]))
}

pub(super) fn edit_profile(
    case: &Case<'_>,
    display_name: &Edit<String>,
) -> Result<Decision, Rejection> {
    let profile = case.facts.known.profile.as_ref();
    let (profile, _) = profile.ok_or(Code::NotFound)?;
    if profile.display_name == display_name.to {
        return Ok(Decision::default());
    }
    if profile.display_name != display_name.from {
        return Err(Rejection::changed(Row {
            id: case.actor.to_string(),
            rev: case.facts.profile_rev(),
            body: profile.clone().into(),
        }));
    }
    text::check_name(&display_name.to).map_err(|no| no.at("display_name.to"))?;
    Ok(Decision {
        expects: vec![Expect::Profile(case.actor, case.facts.profile_rev())],
        changes: vec![
            Change::Row {
                log: Log::Account(case.actor),
                id: case.actor.to_string(),
                body: Profile {
                    display_name: display_name.to.clone(),
                    ..profile.clone()
                }
                .into(),
            },
            Change::Named {
                account: case.actor,
                display_name: display_name.to.clone(),
            },
        ],
    })
}

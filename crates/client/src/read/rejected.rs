//! Commands that were refused and that no timeline shows.

use tulou_engine::OutboxEntry;
use tulou_protocol::{Command, Log, TopicId, permission::Place};

use super::timeline::refusal;
use crate::{
    account::Snapshot,
    store::{StoreError, places::community_of},
    view::RejectedView,
};

/// A refused command that no timeline shows.
pub(super) fn rejected(
    snapshot: &Snapshot<'_>,
    entry: &OutboxEntry,
) -> Result<Option<RejectedView>, StoreError> {
    let me = snapshot.as_of.me;
    let Some(rejection) = refusal(&entry.state) else {
        return Ok(None);
    };
    let topic = entry.command.spec().topic;
    // A message is shown in its timeline, unless the topic is not there (any more).
    if let Some(topic) = topic
        && matches!(entry.command.home(me), Log::Topic(_))
        && is_there(snapshot, topic)?
    {
        return Ok(None);
    }
    let community = match entry.command.home(me) {
        Log::Community(community) => Some(community),
        Log::Topic(_) | Log::Account(_) => match topic {
            Some(topic) => community_of(snapshot.db, topic)?,
            None => None,
        },
    };
    Ok(Some(RejectedView {
        command: entry.id.to_string(),
        method: entry.command.method().to_owned(),
        subject: subject(snapshot, &entry.command)?,
        community: community.map(|id| id.to_string()),
        topic: topic.map(|id| id.to_string()),
        text: text_of(&entry.command).map(str::to_owned),
        rejection,
    }))
}

/// Whether a topic can be opened.
pub(super) fn is_there(snapshot: &Snapshot<'_>, topic: TopicId) -> Result<bool, StoreError> {
    let shape = snapshot.shape_of_topic(topic)?;
    Ok(shape.is_some_and(|shape| shape.topic(topic).is_some_and(|topic| !topic.is_locked)))
}

/// What a person wrote into a command.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other commands have no text of a message"
)]
fn text_of(command: &Command) -> Option<&str> {
    match command {
        Command::MessageSend { text, .. } => Some(text),
        Command::MessageEdit { text, .. } => Some(&text.to),
        _ => None,
    }
}

/// The name of what a command was about.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other commands are about nothing that has a name"
)]
fn subject(snapshot: &Snapshot<'_>, command: &Command) -> Result<String, StoreError> {
    let home = match command.home(snapshot.as_of.me) {
        Log::Community(community) => snapshot.shape(community)?,
        Log::Topic(_) | Log::Account(_) => None,
    };
    let place_name = |place: Place| {
        let shape = home.as_ref()?;
        Some(match place {
            Place::Community => shape.name.clone(),
            Place::Group(group) => shape.group(group)?.name.clone(),
            Place::Topic(topic) => shape.topic(topic)?.name.clone(),
        })
    };
    if let Some(text) = text_of(command) {
        return Ok(text.chars().take(80).collect());
    }
    let found = match command {
        Command::ProfileEdit { display_name } => Some(display_name.to.clone()),
        Command::CommunityCreate { name, .. }
        | Command::GroupCreate { name, .. }
        | Command::TopicCreate { name, .. }
        | Command::MemberGroupCreate { name, .. } => Some(name.clone()),
        Command::CommunityEdit { .. } => place_name(Place::Community),
        Command::GroupEdit { group, .. } => place_name(Place::Group(*group)),
        Command::TopicEdit { topic, .. } => place_name(Place::Topic(*topic)),
        Command::AccessSet { place, .. } => place_name(*place),
        Command::MemberGroupEdit { member_group, .. } => home
            .as_ref()
            .and_then(|shape| shape.member_group(*member_group))
            .map(|group| group.name.clone()),
        _ => None,
    };
    Ok(found.unwrap_or_default())
}

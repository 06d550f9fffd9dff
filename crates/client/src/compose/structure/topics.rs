//! Actions on topics.

use tulou_protocol::{Command, GroupId, TopicId};
use uuid::Uuid;

use super::{behind, change, introduction};
use crate::{
    compose::{Composed, command, name},
    error::Error,
    position::between,
    shape::Shape,
};

/// Behind all others of its group.
pub(super) fn create_topic(
    shape: &Shape,
    group: GroupId,
    title: &str,
    about: &str,
    is_closed: bool,
) -> Result<Composed, Error> {
    let topic = TopicId(Uuid::now_v7());
    let last = shape.topics_of(group).last();
    let command = Command::TopicCreate {
        community: shape.id,
        group,
        topic,
        name: name(title)?,
        introduction: introduction(about)?,
        closed: is_closed,
        position: between(last.map(|topic| topic.position.as_str()), None),
    };
    Ok(Composed::Queue(command, Some(topic.to_string())))
}

pub(super) fn edit_topic(
    shape: &Shape,
    topic: TopicId,
    title: Option<String>,
    about: Option<String>,
) -> Result<Composed, Error> {
    let held = shape.topic(topic).ok_or(Error::NotFound("the topic"))?;
    let title = title.map(|title| name(&title)).transpose()?;
    let about = about.map(|about| introduction(&about)).transpose()?;
    let name = change(&held.name, title);
    let introduction = change(&held.introduction, about);
    if name.is_none() && introduction.is_none() {
        return Ok(Composed::Nothing);
    }
    Ok(command(Command::TopicEdit {
        community: shape.id,
        topic,
        name,
        introduction,
        group: None,
        position: None,
    }))
}

pub(super) fn move_topic(
    shape: &Shape,
    topic: TopicId,
    group: GroupId,
    after: Option<TopicId>,
) -> Result<Composed, Error> {
    let held = shape.topic(topic).ok_or(Error::NotFound("the topic"))?;
    let all: Vec<_> = shape.topics_of(group).collect();
    let at = all.iter().position(|other| other.id == topic);
    if let Some(at) = at
        && at.checked_sub(1).map(|at| all[at].id) == after
    {
        return Ok(Composed::Nothing);
    }
    let siblings: Vec<_> = all
        .iter()
        .filter(|other| other.id != topic)
        .map(|other| (other.id, other.position.as_str()))
        .collect();
    Ok(command(Command::TopicEdit {
        community: shape.id,
        topic,
        name: None,
        introduction: None,
        group: change(&held.group, Some(group)),
        position: change(&held.position, Some(behind(&siblings, after.as_ref()))),
    }))
}

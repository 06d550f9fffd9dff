//! Actions on groups.

use tulou_protocol::{Command, GroupId};
use uuid::Uuid;

use super::{behind, change};
use crate::{
    compose::{Composed, command, name},
    error::Error,
    position::between,
    shape::Shape,
};

/// Behind all others.
pub(super) fn create_group(shape: &Shape, title: &str) -> Result<Composed, Error> {
    let group = GroupId(Uuid::now_v7());
    let last = shape.groups.last().map(|group| group.position.as_str());
    let command = Command::GroupCreate {
        community: shape.id,
        group,
        name: name(title)?,
        position: between(last, None),
    };
    Ok(Composed::Queue(command, Some(group.to_string())))
}

pub(super) fn edit_group(shape: &Shape, group: GroupId, title: &str) -> Result<Composed, Error> {
    let held = shape.group(group).ok_or(Error::NotFound("the group"))?;
    Ok(match change(&held.name, Some(name(title)?)) {
        Some(name) => command(Command::GroupEdit {
            community: shape.id,
            group,
            name: Some(name),
            position: None,
        }),
        None => Composed::Nothing,
    })
}

pub(super) fn move_group(
    shape: &Shape,
    group: GroupId,
    after: Option<GroupId>,
) -> Result<Composed, Error> {
    let held = shape.group(group).ok_or(Error::NotFound("the group"))?;
    let at = shape.groups.iter().position(|other| other.id == group);
    let now_after = at
        .and_then(|at| at.checked_sub(1))
        .map(|at| shape.groups[at].id);
    if now_after == after {
        return Ok(Composed::Nothing);
    }
    let siblings: Vec<_> = shape
        .groups
        .iter()
        .filter(|other| other.id != group)
        .map(|other| (other.id, other.position.as_str()))
        .collect();
    Ok(command(Command::GroupEdit {
        community: shape.id,
        group,
        name: None,
        position: change(&held.position, Some(behind(&siblings, after.as_ref()))),
    }))
}

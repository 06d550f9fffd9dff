//! Actions on member groups: each has a rank among the others.

use tulou_protocol::{Command, CommunityId, MemberGroupId};
use uuid::Uuid;

use super::change;
use crate::{
    compose::{Composed, command, id, name},
    error::Error,
    position::between,
    shape::{MemberGroupShape, Shape},
};

pub(super) fn member_group_of<'a>(
    shape: &'a Shape,
    text: &str,
) -> Result<&'a MemberGroupShape, Error> {
    let group = id(text)?;
    shape
        .member_group(group)
        .ok_or(Error::NotFound("the member group"))
}

/// Below all others.
pub(super) fn create_member_group(
    shape: &Shape,
    title: &str,
    is_shown: bool,
    has_tag: bool,
) -> Result<Composed, Error> {
    let member_group = MemberGroupId(Uuid::now_v7());
    let lowest = shape.member_groups.last().map(|group| group.rank.as_str());
    let command = Command::MemberGroupCreate {
        community: shape.id,
        member_group,
        name: name(title)?,
        rank: between(None, lowest),
        shown: is_shown,
        tagged: has_tag,
    };
    Ok(Composed::Queue(command, Some(member_group.to_string())))
}

pub(super) fn edit_member_group(
    community: CommunityId,
    held: &MemberGroupShape,
    title: Option<String>,
    is_shown: Option<bool>,
    has_tag: Option<bool>,
) -> Result<Composed, Error> {
    let title = title.map(|title| name(&title)).transpose()?;
    let name = change(&held.name, title);
    let shown = change(&held.is_shown, is_shown);
    let tagged = change(&held.has_tag, has_tag);
    if name.is_none() && shown.is_none() && tagged.is_none() {
        return Ok(Composed::Nothing);
    }
    Ok(command(Command::MemberGroupEdit {
        community,
        member_group: held.id,
        name,
        rank: None,
        shown,
        tagged,
    }))
}

/// Ranks grow upwards, so the order of member groups is turned round.
pub(super) fn move_member_group(
    shape: &Shape,
    held: &MemberGroupShape,
    below: Option<&MemberGroupShape>,
) -> Composed {
    let others: Vec<&MemberGroupShape> = shape
        .member_groups
        .iter()
        .filter(|other| other.id != held.id)
        .collect();
    let at = match below {
        Some(below) => others
            .iter()
            .position(|other| other.id == below.id)
            .map_or(others.len(), |at| at + 1),
        // The highest place that I may use: below my own member group; at the top for the owner.
        None => others
            .iter()
            .position(|other| shape.is_above_group(other.id))
            .unwrap_or(others.len()),
    };
    let higher = at.checked_sub(1).map(|at| others[at].rank.as_str());
    let lower = others.get(at).map(|other| other.rank.as_str());
    let now_at = shape
        .member_groups
        .iter()
        .position(|other| other.id == held.id);
    if now_at == Some(at) {
        return Composed::Nothing;
    }
    command(Command::MemberGroupEdit {
        community: shape.id,
        member_group: held.id,
        name: None,
        rank: change(&held.rank, Some(between(lower, higher))),
        shown: None,
        tagged: None,
    })
}

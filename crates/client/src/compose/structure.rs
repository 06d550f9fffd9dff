//! Actions on a community's structure.
//!
//! * `groups`, `topics`: what is made, edited, moved among its siblings
//! * `member_groups`: the same, by rank

mod groups;
mod member_groups;
mod topics;

use rusqlite::Connection;
use tulou_protocol::{
    Command, CommunityId, GroupId, MemberGroupId, Permissions, TopicId,
    command::Edit,
    permission::Place,
    text::{check_introduction, clean_introduction},
};
use uuid::Uuid;

use self::{
    groups::{create_group, edit_group, move_group},
    member_groups::{create_member_group, edit_member_group, member_group_of, move_member_group},
    topics::{create_topic, edit_topic, move_topic},
};
use super::{Composed, command, id, name};
use crate::{
    action::Action, as_of::AsOf, error::Error, position::between, shape::Shape, view::AccessPlace,
};

/// Finds the command for an action on a community's structure.
pub(super) fn compose(db: &Connection, as_of: AsOf, action: Action) -> Result<Composed, Error> {
    let load = |community: &str| -> Result<Shape, Error> {
        let shape = Shape::load(db, as_of.me, id(community)?)?;
        shape.ok_or(Error::NotFound("the community"))
    };
    match action {
        Action::CreateCommunity { name, group, topic } => create_community(&name, &group, &topic),
        Action::EditCommunity {
            community,
            name,
            introduction,
        } => edit_community(&load(&community)?, name, introduction),
        Action::CreateGroup { community, name } => create_group(&load(&community)?, &name),
        Action::EditGroup {
            community,
            group,
            name,
        } => edit_group(&load(&community)?, id(&group)?, &name),
        Action::MoveGroup {
            community,
            group,
            after,
        } => {
            let after = after.as_deref().map(id).transpose()?;
            move_group(&load(&community)?, id(&group)?, after)
        }
        Action::CreateTopic {
            community,
            group,
            name,
            introduction,
            is_closed,
        } => {
            let shape = load(&community)?;
            create_topic(&shape, id(&group)?, &name, &introduction, is_closed)
        }
        Action::EditTopic {
            community,
            topic,
            name,
            introduction,
        } => edit_topic(&load(&community)?, id(&topic)?, name, introduction),
        Action::MoveTopic {
            community,
            topic,
            group,
            after,
        } => {
            let after = after.as_deref().map(id).transpose()?;
            move_topic(&load(&community)?, id(&topic)?, id(&group)?, after)
        }
        Action::CreateMemberGroup {
            community,
            name,
            is_shown,
            has_tag,
        } => create_member_group(&load(&community)?, &name, is_shown, has_tag),
        Action::EditMemberGroup {
            community,
            member_group,
            name,
            is_shown,
            has_tag,
        } => {
            let shape = load(&community)?;
            let held = member_group_of(&shape, &member_group)?;
            edit_member_group(shape.id, held, name, is_shown, has_tag)
        }
        Action::MoveMemberGroup {
            community,
            member_group,
            below,
        } => {
            let shape = load(&community)?;
            let held = member_group_of(&shape, &member_group)?;
            let below = below.map(|below| member_group_of(&shape, &below));
            Ok(move_member_group(&shape, held, below.transpose()?))
        }
        Action::SetAccess {
            community,
            place,
            member_group,
            permission,
            value,
        } => {
            let member_group = match member_group.as_str() {
                "everyone" => None,
                other => Some(id(other)?),
            };
            let at = (place_of(&place)?, member_group);
            set_access(&load(&community)?, at, &permission, value)
        }
        Action::TransferCommunity { community, member } => {
            let shape = load(&community)?;
            let owner = Edit {
                from: shape.owner,
                to: id(&member)?,
            };
            let community = shape.id;
            Ok(command(Command::CommunityTransfer { community, owner }))
        }
        Action::DeleteGroup { .. }
        | Action::DeleteTopic { .. }
        | Action::SetSeat { .. }
        | Action::DeleteMemberGroup { .. }
        | Action::AssignMemberGroup { .. }
        | Action::LeaveCommunity { .. }
        | Action::Kick { .. }
        | Action::DissolveCommunity { .. } => as_it_is(action),
        Action::SendMessage { .. }
        | Action::EditMessage { .. }
        | Action::SeeMention { .. }
        | Action::RecallMessage { .. }
        | Action::React { .. }
        | Action::Pin { .. }
        | Action::Advance { .. }
        | Action::MarkUnread { .. }
        | Action::SetLevel { .. }
        | Action::EditProfile { .. } => Ok(Composed::Nothing),
    }
}

/// Actions that name all that their command does: nothing is looked up for them.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the others are composed with what is held"
)]
fn as_it_is(action: Action) -> Result<Composed, Error> {
    Ok(command(match action {
        Action::DeleteGroup { community, group } => Command::GroupDelete {
            community: id(&community)?,
            group: id(&group)?,
        },
        Action::DeleteTopic { community, topic } => Command::TopicDelete {
            community: id(&community)?,
            topic: id(&topic)?,
        },
        Action::SetSeat {
            community,
            topic,
            member,
            on,
        } => Command::SeatSet {
            community: id(&community)?,
            topic: id(&topic)?,
            account: id(&member)?,
            on,
        },
        Action::DeleteMemberGroup {
            community,
            member_group,
        } => Command::MemberGroupDelete {
            community: id(&community)?,
            member_group: id(&member_group)?,
        },
        Action::AssignMemberGroup {
            community,
            member,
            member_group,
            on,
        } => Command::MemberGroupAssign {
            community: id(&community)?,
            member_group: id(&member_group)?,
            account: id(&member)?,
            on,
        },
        Action::LeaveCommunity { community } => Command::CommunityLeave {
            community: id(&community)?,
        },
        Action::Kick {
            community,
            member,
            ends_invites,
        } => Command::MemberKick {
            community: id(&community)?,
            account: id(&member)?,
            end_invites: ends_invites,
        },
        Action::DissolveCommunity { community } => Command::CommunityDissolve {
            community: id(&community)?,
        },
        _ => return Ok(Composed::Nothing),
    }))
}

/// A place that the window named.
pub fn place_of(place: &AccessPlace) -> Result<Place, Error> {
    Ok(match place {
        AccessPlace::Community => Place::Community,
        AccessPlace::Group { id: group } => Place::Group(id(group)?),
        AccessPlace::Topic { id: topic } => Place::Topic(id(topic)?),
    })
}

fn introduction(text: &str) -> Result<String, Error> {
    let text = clean_introduction(text);
    check_introduction(&text)?;
    Ok(text)
}

fn change<T: Clone + PartialEq>(from: &T, to: Option<T>) -> Option<Edit<T>> {
    let to = to.filter(|to| to != from)?;
    Some(Edit {
        from: from.clone(),
        to,
    })
}

/// The key behind one of some siblings, or before them all; those are in order, without the one that moves.
fn behind<I: PartialEq>(siblings: &[(I, &str)], after: Option<&I>) -> String {
    let at = match after {
        None => 0,
        Some(after) => siblings
            .iter()
            .position(|(id, _)| id == after)
            .map_or(siblings.len(), |at| at + 1),
    };
    let before = at.checked_sub(1).and_then(|at| siblings.get(at));
    between(
        before.map(|(_, position)| *position),
        siblings.get(at).map(|(_, position)| *position),
    )
}

fn create_community(title: &str, group: &str, topic: &str) -> Result<Composed, Error> {
    let community = CommunityId(Uuid::now_v7());
    let command = Command::CommunityCreate {
        community,
        name: name(title)?,
        group: GroupId(Uuid::now_v7()),
        group_name: name(group)?,
        topic: TopicId(Uuid::now_v7()),
        topic_name: name(topic)?,
    };
    Ok(Composed::Queue(command, Some(community.to_string())))
}

fn edit_community(
    shape: &Shape,
    title: Option<String>,
    about: Option<String>,
) -> Result<Composed, Error> {
    let title = title.map(|title| name(&title)).transpose()?;
    let about = about.map(|about| introduction(&about)).transpose()?;
    let name = change(&shape.name, title);
    let introduction = change(&shape.introduction, about);
    if name.is_none() && introduction.is_none() {
        return Ok(Composed::Nothing);
    }
    Ok(command(Command::CommunityEdit {
        community: shape.id,
        name,
        introduction,
    }))
}

fn set_access(
    shape: &Shape,
    (place, member_group): (Place, Option<MemberGroupId>),
    permission: &str,
    value: Option<bool>,
) -> Result<Composed, Error> {
    let bit = Permissions::from_key(permission).ok_or(Error::NotFound("the permission"))?;
    let held = shape.access_at(place, member_group);
    let mut to = held;
    to.allow.set(bit, value == Some(true));
    to.deny.set(bit, value == Some(false));
    if to == held {
        return Ok(Composed::Nothing);
    }
    Ok(command(Command::AccessSet {
        community: shape.id,
        place,
        member_group,
        allow: Edit {
            from: held.allow,
            to: to.allow,
        },
        deny: Edit {
            from: held.deny,
            to: to.deny,
        },
    }))
}

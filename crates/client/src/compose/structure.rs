//! Actions on a community's structure: places among siblings, ranks, access.

use rusqlite::Connection;
use tulou_protocol::{
    Command, CommunityId, GroupId, MemberGroupId, Permissions, TopicId,
    command::Edit,
    permission::Place,
    text::{check_introduction, clean_introduction},
};
use uuid::Uuid;

use super::{Composed, command, id, name};
use crate::{
    action::Action,
    as_of::AsOf,
    error::Error,
    position::between,
    shape::{MemberGroupShape, Shape},
    view::AccessPlace,
};

/// Finds the command for an action on a community's structure.
pub(super) fn compose(db: &Connection, as_of: AsOf, action: Action) -> Result<Composed, Error> {
    let load = |community: &str| -> Result<(CommunityId, Shape), Error> {
        let community = id(community)?;
        let shape = Shape::load(db, as_of.me, community)?;
        Ok((community, shape.ok_or(Error::NotFound("the community"))?))
    };
    Ok(match action {
        Action::CreateCommunity {
            name: title,
            group,
            topic,
        } => {
            let community = CommunityId(Uuid::now_v7());
            let command = Command::CommunityCreate {
                community,
                name: name(&title)?,
                group: GroupId(Uuid::now_v7()),
                group_name: name(&group)?,
                topic: TopicId(Uuid::now_v7()),
                topic_name: name(&topic)?,
            };
            Composed::Queue(command, Some(community.to_string()))
        }
        Action::EditCommunity {
            community,
            name: title,
            introduction: about,
        } => {
            let (community, shape) = load(&community)?;
            let title = title.map(|title| name(&title)).transpose()?;
            let about = about.map(|about| introduction(&about)).transpose()?;
            let name = change(&shape.name, title);
            let introduction = change(&shape.introduction, about);
            if name.is_none() && introduction.is_none() {
                return Ok(Composed::Nothing);
            }
            command(Command::CommunityEdit {
                community,
                name,
                introduction,
            })
        }
        Action::CreateGroup {
            community,
            name: title,
        } => {
            let (community, shape) = load(&community)?;
            let group = GroupId(Uuid::now_v7());
            let last = shape.groups.last().map(|group| group.position.as_str());
            let command = Command::GroupCreate {
                community,
                group,
                name: name(&title)?,
                position: between(last, None),
            };
            Composed::Queue(command, Some(group.to_string()))
        }
        Action::EditGroup {
            community,
            group,
            name: title,
        } => {
            let (community, shape) = load(&community)?;
            let group: GroupId = id(&group)?;
            let held = shape.group(group).ok_or(Error::NotFound("the group"))?;
            match change(&held.name, Some(name(&title)?)) {
                Some(name) => command(Command::GroupEdit {
                    community,
                    group,
                    name: Some(name),
                    position: None,
                }),
                None => Composed::Nothing,
            }
        }
        Action::MoveGroup {
            community,
            group,
            after,
        } => {
            let (community, shape) = load(&community)?;
            move_group(
                community,
                &shape,
                id(&group)?,
                after.as_deref().map(id).transpose()?,
            )?
        }
        Action::CreateTopic {
            community,
            group,
            name: title,
            introduction: about,
            is_closed,
        } => {
            let (community, shape) = load(&community)?;
            let group: GroupId = id(&group)?;
            let topic = TopicId(Uuid::now_v7());
            let last = shape
                .topics_of(group)
                .last()
                .map(|topic| topic.position.as_str());
            let command = Command::TopicCreate {
                community,
                group,
                topic,
                name: name(&title)?,
                introduction: introduction(&about)?,
                closed: is_closed,
                position: between(last, None),
            };
            Composed::Queue(command, Some(topic.to_string()))
        }
        Action::EditTopic {
            community,
            topic,
            name: title,
            introduction: about,
        } => {
            let (community, shape) = load(&community)?;
            let topic: TopicId = id(&topic)?;
            let held = shape.topic(topic).ok_or(Error::NotFound("the topic"))?;
            let title = title.map(|title| name(&title)).transpose()?;
            let about = about.map(|about| introduction(&about)).transpose()?;
            let name = change(&held.name, title);
            let introduction = change(&held.introduction, about);
            if name.is_none() && introduction.is_none() {
                return Ok(Composed::Nothing);
            }
            command(Command::TopicEdit {
                community,
                topic,
                name,
                introduction,
                group: None,
                position: None,
            })
        }
        Action::MoveTopic {
            community,
            topic,
            group,
            after,
        } => {
            let (community, shape) = load(&community)?;
            let after = after.as_deref().map(id).transpose()?;
            move_topic(community, &shape, id(&topic)?, id(&group)?, after)?
        }
        Action::CreateMemberGroup {
            community,
            name: title,
            is_shown,
            has_tag,
        } => {
            let (community, shape) = load(&community)?;
            let member_group = MemberGroupId(Uuid::now_v7());
            let lowest = shape.member_groups.last().map(|group| group.rank.as_str());
            let command = Command::MemberGroupCreate {
                community,
                member_group,
                name: name(&title)?,
                rank: between(None, lowest),
                shown: is_shown,
                tagged: has_tag,
            };
            Composed::Queue(command, Some(member_group.to_string()))
        }
        Action::EditMemberGroup {
            community,
            member_group,
            name: title,
            is_shown,
            has_tag,
        } => {
            let (community, shape) = load(&community)?;
            let held = member_group_of(&shape, &member_group)?;
            let title = title.map(|title| name(&title)).transpose()?;
            let name = change(&held.name, title);
            let shown = change(&held.is_shown, is_shown);
            let tagged = change(&held.has_tag, has_tag);
            if name.is_none() && shown.is_none() && tagged.is_none() {
                return Ok(Composed::Nothing);
            }
            command(Command::MemberGroupEdit {
                community,
                member_group: held.id,
                name,
                rank: None,
                shown,
                tagged,
            })
        }
        Action::MoveMemberGroup {
            community,
            member_group,
            below,
        } => {
            let (community, shape) = load(&community)?;
            let held = member_group_of(&shape, &member_group)?;
            let below = below
                .map(|below| member_group_of(&shape, &below))
                .transpose()?;
            move_member_group(community, &shape, held, below)
        }
        Action::SetAccess {
            community,
            place,
            member_group,
            permission,
            value,
        } => {
            let (community, shape) = load(&community)?;
            let member_group = match member_group.as_str() {
                "everyone" => None,
                other => Some(id(other)?),
            };
            set_access(
                community,
                &shape,
                place_of(&place)?,
                member_group,
                &permission,
                value,
            )?
        }
        Action::DeleteGroup { community, group } => command(Command::GroupDelete {
            community: id(&community)?,
            group: id(&group)?,
        }),
        Action::DeleteTopic { community, topic } => command(Command::TopicDelete {
            community: id(&community)?,
            topic: id(&topic)?,
        }),
        Action::SetSeat {
            community,
            topic,
            member,
            on,
        } => command(Command::SeatSet {
            community: id(&community)?,
            topic: id(&topic)?,
            account: id(&member)?,
            on,
        }),
        Action::DeleteMemberGroup {
            community,
            member_group,
        } => command(Command::MemberGroupDelete {
            community: id(&community)?,
            member_group: id(&member_group)?,
        }),
        Action::AssignMemberGroup {
            community,
            member,
            member_group,
            on,
        } => command(Command::MemberGroupAssign {
            community: id(&community)?,
            member_group: id(&member_group)?,
            account: id(&member)?,
            on,
        }),
        Action::LeaveCommunity { community } => command(Command::CommunityLeave {
            community: id(&community)?,
        }),
        Action::Kick { community, member } => command(Command::MemberKick {
            community: id(&community)?,
            account: id(&member)?,
        }),
        Action::TransferCommunity { community, member } => {
            let (community, shape) = load(&community)?;
            command(Command::CommunityTransfer {
                community,
                owner: Edit {
                    from: shape.owner,
                    to: id(&member)?,
                },
            })
        }
        Action::DissolveCommunity { community } => command(Command::CommunityDissolve {
            community: id(&community)?,
        }),
        Action::SendMessage { .. }
        | Action::EditMessage { .. }
        | Action::SeeMention { .. }
        | Action::RecallMessage { .. }
        | Action::React { .. }
        | Action::Pin { .. }
        | Action::Advance { .. }
        | Action::MarkUnread { .. }
        | Action::SetLevel { .. }
        | Action::EditProfile { .. } => Composed::Nothing,
    })
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

fn member_group_of<'a>(shape: &'a Shape, text: &str) -> Result<&'a MemberGroupShape, Error> {
    let group = id(text)?;
    shape
        .member_group(group)
        .ok_or(Error::NotFound("the member group"))
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

fn move_group(
    community: CommunityId,
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
        community,
        group,
        name: None,
        position: change(&held.position, Some(behind(&siblings, after.as_ref()))),
    }))
}

fn move_topic(
    community: CommunityId,
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
        community,
        topic,
        name: None,
        introduction: None,
        group: change(&held.group, Some(group)),
        position: change(&held.position, Some(behind(&siblings, after.as_ref()))),
    }))
}

/// Ranks grow upwards, so the order of member groups is turned round.
fn move_member_group(
    community: CommunityId,
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
        community,
        member_group: held.id,
        name: None,
        rank: change(&held.rank, Some(between(lower, higher))),
        shown: None,
        tagged: None,
    })
}

fn set_access(
    community: CommunityId,
    shape: &Shape,
    place: Place,
    member_group: Option<MemberGroupId>,
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
        community,
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

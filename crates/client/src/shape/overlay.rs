//! The outbox laid over a community's structure: what a person did is there before the network has heard of it.

use tulou_engine::{OutboxEntry, OutboxState};
use tulou_protocol::{Access, Command, Log, Permissions, command::Edit, permission::Place};

use super::{GroupShape, MemberGroupShape, Shape, TopicShape};
use crate::position;

/// Lays what waits over a structure; true if the community itself is made by it.
pub(super) fn lay(shape: &mut Shape, outbox: &[OutboxEntry]) -> bool {
    let mut is_made = false;
    for entry in outbox {
        let is_of_it = entry.command.home(shape.viewer) == Log::Community(shape.id);
        if is_of_it && !matches!(entry.state, OutboxState::Rejected(_)) {
            is_made |= one(shape, &entry.command);
        }
    }
    is_made
}

fn set<T: Clone>(field: &mut T, edit: Option<&Edit<T>>) {
    if let Some(edit) = edit {
        field.clone_from(&edit.to);
    }
}

fn one(shape: &mut Shape, command: &Command) -> bool {
    match command {
        Command::CommunityCreate {
            name,
            group,
            group_name,
            topic,
            topic_name,
            ..
        } => {
            shape.name.clone_from(name);
            shape.owner = shape.viewer;
            shape.is_pending = true;
            let position = position::between(None, None);
            shape.groups.push(GroupShape {
                id: *group,
                name: group_name.clone(),
                position: position.clone(),
                is_pending: true,
            });
            shape.topics.push(TopicShape {
                id: *topic,
                group: *group,
                name: topic_name.clone(),
                introduction: String::new(),
                is_closed: false,
                is_locked: false,
                position,
                is_pending: true,
            });
            let access = Access {
                allow: Permissions::NEW_COMMUNITY,
                deny: Permissions::empty(),
            };
            shape.set_access(Place::Community, None, access, true);
            return true;
        }
        Command::CommunityEdit {
            name, introduction, ..
        } => {
            set(&mut shape.name, name.as_ref());
            set(&mut shape.introduction, introduction.as_ref());
        }
        Command::GroupCreate {
            group,
            name,
            position,
            ..
        } if shape.group(*group).is_none() => {
            shape.groups.push(GroupShape {
                id: *group,
                name: name.clone(),
                position: position.clone(),
                is_pending: true,
            });
        }
        Command::GroupEdit {
            group,
            name,
            position,
            ..
        } => {
            if let Some(held) = shape.groups.iter_mut().find(|held| held.id == *group) {
                set(&mut held.name, name.as_ref());
                set(&mut held.position, position.as_ref());
                held.is_pending = true;
            }
        }
        Command::TopicCreate {
            group,
            topic,
            name,
            introduction,
            closed,
            position,
            ..
        } if !shape.topics.iter().any(|held| held.id == *topic) => {
            shape.topics.push(TopicShape {
                id: *topic,
                group: *group,
                name: name.clone(),
                introduction: introduction.clone(),
                is_closed: *closed,
                is_locked: false,
                position: position.clone(),
                is_pending: true,
            });
        }
        Command::TopicEdit {
            topic,
            name,
            introduction,
            group,
            position,
            ..
        } => {
            if let Some(held) = shape.topics.iter_mut().find(|held| held.id == *topic) {
                set(&mut held.name, name.as_ref());
                set(&mut held.introduction, introduction.as_ref());
                set(&mut held.group, group.as_ref());
                set(&mut held.position, position.as_ref());
                held.is_pending = true;
            }
        }
        Command::MemberGroupCreate {
            member_group,
            name,
            rank,
            shown,
            tagged,
            ..
        } if shape.member_group(*member_group).is_none() => {
            shape.member_groups.push(MemberGroupShape {
                id: *member_group,
                name: name.clone(),
                rank: rank.clone(),
                is_shown: *shown,
                has_tag: *tagged,
                is_pending: true,
            });
        }
        Command::MemberGroupEdit {
            member_group,
            name,
            rank,
            shown,
            tagged,
            ..
        } => {
            if let Some(held) = shape
                .member_groups
                .iter_mut()
                .find(|held| held.id == *member_group)
            {
                set(&mut held.name, name.as_ref());
                set(&mut held.rank, rank.as_ref());
                set(&mut held.is_shown, shown.as_ref());
                set(&mut held.has_tag, tagged.as_ref());
                held.is_pending = true;
            }
        }
        Command::AccessSet {
            place,
            member_group,
            allow,
            deny,
            ..
        } => {
            let access = Access {
                allow: allow.to,
                deny: deny.to,
            };
            shape.set_access(*place, *member_group, access, true);
        }
        // What is there already.
        Command::GroupCreate { .. }
        | Command::TopicCreate { .. }
        | Command::MemberGroupCreate { .. }
        // What is never queued.
        | Command::CommunityTransfer { .. }
        | Command::CommunityDissolve { .. }
        | Command::CommunityJoin { .. }
        | Command::CommunityLeave { .. }
        | Command::GroupDelete { .. }
        | Command::TopicDelete { .. }
        | Command::SeatSet { .. }
        | Command::MemberGroupDelete { .. }
        | Command::MemberGroupAssign { .. }
        | Command::MemberKick { .. }
        // What has another home.
        | Command::MessageSend { .. }
        | Command::MessageEdit { .. }
        | Command::MessageRecall { .. }
        | Command::MessageReact { .. }
        | Command::MessagePin { .. }
        | Command::CursorAdvance { .. }
        | Command::CursorSet { .. }
        | Command::MentionSeen { .. }
        | Command::NotifySet { .. }
        | Command::ProfileEdit { .. } => {}
    }
    false
}

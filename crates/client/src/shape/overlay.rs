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

/// Lays one command over the structure; true if it makes the community.
fn one(shape: &mut Shape, command: &Command) -> bool {
    match command {
        Command::CommunityCreate { .. } => make_community(shape, command),
        Command::CommunityEdit { .. } => edit_community(shape, command),
        Command::GroupCreate { .. } => make_group(shape, command),
        Command::GroupEdit { .. } => edit_group(shape, command),
        Command::TopicCreate { .. } => make_topic(shape, command),
        Command::TopicEdit { .. } => edit_topic(shape, command),
        Command::MemberGroupCreate { .. } => make_member_group(shape, command),
        Command::MemberGroupEdit { .. } => edit_member_group(shape, command),
        Command::AccessSet { .. } => set_access(shape, command),
        // What is never queued.
        Command::CommunityTransfer { .. }
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
    matches!(command, Command::CommunityCreate { .. })
}

/// A community with its first group and topic; who makes it owns it.
fn make_community(shape: &mut Shape, command: &Command) {
    let Command::CommunityCreate {
        name,
        group,
        group_name,
        topic,
        topic_name,
        ..
    } = command
    else {
        return;
    };
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
}

fn edit_community(shape: &mut Shape, command: &Command) {
    let Command::CommunityEdit {
        name, introduction, ..
    } = command
    else {
        return;
    };
    set(&mut shape.name, name.as_ref());
    set(&mut shape.introduction, introduction.as_ref());
}

/// A group, unless its row is there already.
fn make_group(shape: &mut Shape, command: &Command) {
    let Command::GroupCreate {
        group,
        name,
        position,
        ..
    } = command
    else {
        return;
    };
    if shape.group(*group).is_none() {
        shape.groups.push(GroupShape {
            id: *group,
            name: name.clone(),
            position: position.clone(),
            is_pending: true,
        });
    }
}

fn edit_group(shape: &mut Shape, command: &Command) {
    let Command::GroupEdit {
        group,
        name,
        position,
        ..
    } = command
    else {
        return;
    };
    if let Some(held) = shape.groups.iter_mut().find(|held| held.id == *group) {
        set(&mut held.name, name.as_ref());
        set(&mut held.position, position.as_ref());
        held.is_pending = true;
    }
}

/// A topic, unless its row is there already.
fn make_topic(shape: &mut Shape, command: &Command) {
    let Command::TopicCreate {
        group,
        topic,
        name,
        introduction,
        closed,
        position,
        ..
    } = command
    else {
        return;
    };
    if !shape.topics.iter().any(|held| held.id == *topic) {
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
}

fn edit_topic(shape: &mut Shape, command: &Command) {
    let Command::TopicEdit {
        topic,
        name,
        introduction,
        group,
        position,
        ..
    } = command
    else {
        return;
    };
    if let Some(held) = shape.topics.iter_mut().find(|held| held.id == *topic) {
        set(&mut held.name, name.as_ref());
        set(&mut held.introduction, introduction.as_ref());
        set(&mut held.group, group.as_ref());
        set(&mut held.position, position.as_ref());
        held.is_pending = true;
    }
}

/// A member group, unless its row is there already.
fn make_member_group(shape: &mut Shape, command: &Command) {
    let Command::MemberGroupCreate {
        member_group,
        name,
        rank,
        shown,
        tagged,
        ..
    } = command
    else {
        return;
    };
    if shape.member_group(*member_group).is_none() {
        shape.member_groups.push(MemberGroupShape {
            id: *member_group,
            name: name.clone(),
            rank: rank.clone(),
            is_shown: *shown,
            has_tag: *tagged,
            is_pending: true,
        });
    }
}

fn edit_member_group(shape: &mut Shape, command: &Command) {
    let Command::MemberGroupEdit {
        member_group,
        name,
        rank,
        shown,
        tagged,
        ..
    } = command
    else {
        return;
    };
    let mut groups = shape.member_groups.iter_mut();
    if let Some(held) = groups.find(|held| held.id == *member_group) {
        set(&mut held.name, name.as_ref());
        set(&mut held.rank, rank.as_ref());
        set(&mut held.is_shown, shown.as_ref());
        set(&mut held.has_tag, tagged.as_ref());
        held.is_pending = true;
    }
}

fn set_access(shape: &mut Shape, command: &Command) {
    let Command::AccessSet {
        place,
        member_group,
        allow,
        deny,
        ..
    } = command
    else {
        return;
    };
    let access = Access {
        allow: allow.to,
        deny: deny.to,
    };
    shape.set_access(*place, *member_group, access, true);
}

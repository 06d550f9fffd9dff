//! Which commands need what other commands make: a message in a topic that was made offline waits for the topic.

use tulou_protocol::{Command, permission::Place, row::NotifyScope};
use uuid::Uuid;

/// The things that a command makes.
pub fn makes(command: &Command) -> Vec<Uuid> {
    match command {
        Command::MessageSend { message, .. } => vec![message.0],
        Command::CommunityCreate {
            community,
            group,
            topic,
            ..
        } => vec![community.0, group.0, topic.0],
        Command::GroupCreate { group, .. } => vec![group.0],
        Command::TopicCreate { topic, .. } => vec![topic.0],
        Command::MemberGroupCreate { member_group, .. } => vec![member_group.0],
        Command::MessageEdit { .. }
        | Command::MessageRecall { .. }
        | Command::MessageReact { .. }
        | Command::MessagePin { .. }
        | Command::CursorAdvance { .. }
        | Command::CursorSet { .. }
        | Command::MentionSeen { .. }
        | Command::NotifySet { .. }
        | Command::ProfileEdit { .. }
        | Command::CommunityEdit { .. }
        | Command::CommunityTransfer { .. }
        | Command::CommunityDissolve { .. }
        | Command::CommunityJoin { .. }
        | Command::CommunityLeave { .. }
        | Command::GroupEdit { .. }
        | Command::GroupDelete { .. }
        | Command::TopicEdit { .. }
        | Command::TopicDelete { .. }
        | Command::SeatSet { .. }
        | Command::MemberGroupEdit { .. }
        | Command::MemberGroupDelete { .. }
        | Command::MemberGroupAssign { .. }
        | Command::AccessSet { .. }
        | Command::MemberKick { .. } => Vec::new(),
    }
}

/// The things that must be there before a command can succeed.
pub fn needs(command: &Command) -> Vec<Uuid> {
    match command {
        Command::MessageSend {
            topic, reply_to, ..
        } => std::iter::once(topic.0)
            .chain(reply_to.map(|message| message.0))
            .collect(),
        Command::MessageEdit { topic, message, .. }
        | Command::MessageRecall { topic, message }
        | Command::MessageReact { topic, message, .. }
        | Command::MessagePin { topic, message, .. }
        | Command::MentionSeen { topic, message, .. } => vec![topic.0, message.0],
        Command::CursorAdvance { topic, .. } | Command::CursorSet { topic, .. } => vec![topic.0],
        Command::NotifySet { scope, .. } => match scope {
            NotifyScope::Global => Vec::new(),
            NotifyScope::Community(community) => vec![community.0],
            NotifyScope::Group(group) => vec![group.0],
            NotifyScope::Topic(topic) => vec![topic.0],
        },
        Command::ProfileEdit { .. } | Command::CommunityCreate { .. } => Vec::new(),
        Command::CommunityEdit { community, .. }
        | Command::CommunityTransfer { community, .. }
        | Command::CommunityDissolve { community }
        | Command::CommunityJoin { community, .. }
        | Command::CommunityLeave { community }
        | Command::GroupCreate { community, .. }
        | Command::MemberGroupCreate { community, .. }
        | Command::MemberKick { community, .. } => vec![community.0],
        Command::GroupEdit {
            community, group, ..
        }
        | Command::GroupDelete { community, group }
        | Command::TopicCreate {
            community, group, ..
        } => vec![community.0, group.0],
        Command::TopicEdit {
            community,
            topic,
            group,
            ..
        } => [community.0, topic.0]
            .into_iter()
            .chain(group.as_ref().map(|group| group.to.0))
            .collect(),
        Command::TopicDelete { community, topic }
        | Command::SeatSet {
            community, topic, ..
        } => vec![community.0, topic.0],
        Command::MemberGroupEdit {
            community,
            member_group,
            ..
        }
        | Command::MemberGroupDelete {
            community,
            member_group,
        }
        | Command::MemberGroupAssign {
            community,
            member_group,
            ..
        } => vec![community.0, member_group.0],
        Command::AccessSet {
            community,
            place,
            member_group,
            ..
        } => std::iter::once(community.0)
            .chain(match place {
                Place::Community => None,
                Place::Group(group) => Some(group.0),
                Place::Topic(topic) => Some(topic.0),
            })
            .chain(member_group.map(|group| group.0))
            .collect(),
    }
}

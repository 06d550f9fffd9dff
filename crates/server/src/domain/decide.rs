//! The one entrance: a command, decided.

use tulou_protocol::{
    AccountId, Code, Command, Rejection,
    command::{Spec, Whose},
    id::Millis,
    row::Topic,
};

use super::{
    access, account,
    case::{Case, Decision},
    change::Expect,
    community,
    facts::Facts,
    member, message,
    structure::Structure,
    topic,
};

/// Decides a command.
///
/// # Errors
/// The rejection, with the code that [`tulou_protocol::rejection`] names for it.
pub fn decide(
    facts: &Facts<'_>,
    actor: AccountId,
    command: &Command,
    now: Millis,
) -> Result<Decision, Rejection> {
    let spec = command.spec();
    let named = match spec.community {
        Whose::Topic(_) => "topic",
        Whose::Community(_) | Whose::Nobody => "community",
    };
    let case = Case {
        facts,
        actor,
        now,
        named,
    };
    let mut decision = by_command(&case, command).map_err(|no| {
        if no.code == Code::NotFound && no.field.is_none() {
            no.at(spec.field)
        } else {
            no
        }
    })?;
    if let Some(structure) = facts.structure {
        decision.expects.push(rests_on(structure, &spec));
        if let Some(member) = &facts.actor {
            decision
                .expects
                .push(Expect::Member(structure.id, actor, member.rev));
        }
    }
    Ok(decision)
}

/// The table of commands: each is decided by one function of its noun.
fn by_command(case: &Case<'_>, command: &Command) -> Result<Decision, Rejection> {
    match command {
        Command::MessageSend {
            topic,
            message,
            text,
            reply_to,
            written_at,
        } => message::send(case, *topic, *message, text, *reply_to, *written_at),
        Command::MessageEdit { topic, text, .. } => message::edit(case, *topic, text),
        Command::MessageRecall { topic, .. } => message::recall(case, *topic),
        Command::MessageReact { topic, key, on, .. } => message::react(case, *topic, key, *on),
        Command::MessagePin { topic, on, .. } => message::pin(case, *topic, *on),
        Command::CursorAdvance { topic, seq, set_no } => {
            account::advance(case, *topic, *seq, *set_no)
        }
        Command::CursorSet { topic, seq } => account::set_cursor(case, *topic, *seq),
        Command::MentionSeen {
            topic,
            message,
            seen,
        } => Ok(account::see_mention(case, *topic, *message, *seen)),
        Command::NotifySet {
            scope,
            level,
            until,
        } => account::notify(case, *scope, *level, *until),
        Command::ProfileEdit { display_name } => account::edit_profile(case, display_name),
        Command::CommunityCreate {
            community,
            name,
            group,
            group_name,
            topic,
            topic_name,
        } => community::create(
            case,
            *community,
            name,
            (*group, group_name),
            (*topic, topic_name),
        ),
        Command::CommunityEdit {
            name, introduction, ..
        } => community::edit(case, name.as_ref(), introduction.as_ref()),
        Command::CommunityTransfer { owner, .. } => community::transfer(case, owner),
        Command::CommunityDissolve { .. } => community::dissolve(case),
        Command::CommunityJoin { invite, .. } => member::join(case, invite.as_deref()),
        Command::CommunityLeave { .. } => member::leave(case),
        Command::GroupCreate {
            group,
            name,
            position,
            ..
        } => topic::create_group(case, *group, name, position),
        Command::GroupEdit {
            group,
            name,
            position,
            ..
        } => topic::edit_group(case, *group, name.as_ref(), position.as_ref()),
        Command::GroupDelete { group, .. } => topic::delete_group(case, *group),
        Command::TopicCreate {
            group,
            topic,
            name,
            introduction,
            closed,
            position,
            ..
        } => {
            let wanted = Topic {
                group: *group,
                name: name.clone(),
                introduction: introduction.clone(),
                closed: *closed,
                position: position.clone(),
                no: 0,
                more: Default::default(),
            };
            topic::create(case, *topic, wanted)
        }
        Command::TopicEdit {
            topic,
            name,
            introduction,
            group,
            position,
            ..
        } => topic::edit(
            case,
            *topic,
            name.as_ref(),
            introduction.as_ref(),
            group.as_ref(),
            position.as_ref(),
        ),
        Command::TopicDelete { topic, .. } => topic::delete(case, *topic),
        Command::SeatSet {
            topic, account, on, ..
        } => member::seat(case, *topic, *account, *on),
        Command::MemberGroupCreate {
            member_group,
            name,
            rank,
            shown,
            tagged,
            ..
        } => access::create(case, *member_group, name, rank, (*shown, *tagged)),
        Command::MemberGroupEdit {
            member_group,
            name,
            rank,
            shown,
            tagged,
            ..
        } => access::edit(
            case,
            *member_group,
            name.as_ref(),
            rank.as_ref(),
            shown.as_ref(),
            tagged.as_ref(),
        ),
        Command::MemberGroupDelete { member_group, .. } => access::delete(case, *member_group),
        Command::MemberGroupAssign {
            member_group,
            account,
            on,
            ..
        } => member::assign(case, *member_group, *account, *on),
        Command::AccessSet {
            place,
            member_group,
            allow,
            deny,
            ..
        } => access::set(case, *place, *member_group, allow, deny),
        Command::MemberKick {
            account,
            end_invites,
            ..
        } => member::kick(case, *account, *end_invites),
    }
}

/// What of a community a decision rests on. In a topic that is what gives rights there: of whatever else happens in the
/// community a send knows nothing.
fn rests_on(structure: &Structure, spec: &Spec) -> Expect {
    let whole = Expect::Head(structure.log(), structure.rev);
    match spec.community {
        Whose::Topic(id) => structure.topics.get(&id).map_or(whole, |topic| {
            Expect::Rights(structure.id, id, topic.body.group, structure.rev)
        }),
        Whose::Community(_) | Whose::Nobody => whole,
    }
}

/// Whether the actor may see rows of the community that an accepted command writes otherwise than they are written, or not
/// at all: he may have hidden a place from himself, have left, or have taken a seat in a topic that he is not to enter.
/// The answer holds none of them then; he gets them as everybody does, by push and as he may see them.
#[must_use]
pub fn is_apart(facts: &Facts<'_>, actor: AccountId, command: &Command) -> bool {
    let sees_everything = facts
        .structure
        .is_none_or(|structure| structure.is_owner(actor));
    command.spec().narrows && !sees_everything
}

//! Decisions about who belongs: joining, leaving, seats, member groups of a member.

use tulou_protocol::{
    AccountId, Code, MemberGroupId, Permissions, Rejection, Rev, TopicId, limits,
    permission::{Decision as Why, Place},
    rejection::Counted,
    row::Join,
};

use super::{
    case::{Case, Decision},
    change::{Change, Expect},
    community::{joins, membership_ends},
    membership::Member,
    structure::Structure,
};

pub(super) fn join(case: &Case<'_>, invite: Option<&str>) -> Result<Decision, Rejection> {
    let structure = case
        .facts
        .structure
        .ok_or_else(|| Code::NotFound.at("community"))?;
    if case.facts.actor.is_some() {
        return Err(Code::Already.into());
    }
    case.facts
        .has_room(limits::COMMUNITIES, Counted::Communities)?;
    let mut expects = vec![Expect::Member(structure.id, case.actor, Rev::ZERO)];
    let mut changes = Vec::from(joins(case, structure.id));
    match (structure.community.body.join, invite) {
        (_, Some(code)) => {
            let inviter = case.facts.inviter.as_ref();
            let inviter = inviter
                .filter(|inviter| structure.may_invite(inviter))
                .ok_or(Code::InviteInvalid)?;
            expects.push(Expect::Member(structure.id, inviter.account, inviter.rev));
            changes.push(Change::InviteUsed {
                community: structure.id,
                code: code.to_owned(),
            });
        }
        (Join::Open, None) => {}
        (Join::Invite, None) => return Err(Code::InviteNeeded.into()),
    }
    Ok(Decision { expects, changes })
}

/// The member goes, with his seats. Rows of the topics move, because those without a seat see how many there are.
fn goes(structure: &Structure, account: AccountId) -> Vec<Change> {
    let mut changes = vec![
        Change::MemberGone {
            community: structure.id,
            account,
        },
        membership_ends(structure.id, account),
    ];
    let mut seats: Vec<TopicId> = structure
        .seats_of(account)
        .map(|(topic, _)| topic)
        .collect();
    seats.sort_unstable();
    for topic in seats {
        changes.push(Change::Seat {
            community: structure.id,
            topic,
            account,
            since: None,
        });
        changes.extend(touched(structure, topic));
    }
    changes
}

/// Who takes or gives a seat moves the topic's row, too: others see how many there are, and a send that was decided before
/// rests on that row ([`Expect::Rights`]). Without it, who lost his seat could still write.
fn touched(structure: &Structure, topic: TopicId) -> Option<Change> {
    let kept = structure.topics.get(&topic)?;
    Some(Change::Row {
        log: structure.log(),
        id: topic.to_string(),
        body: kept.body.clone().into(),
    })
}

pub(super) fn leave(case: &Case<'_>) -> Result<Decision, Rejection> {
    let (structure, _) = case.member()?;
    if structure.is_owner(case.actor) {
        return Err(Code::LastOwner.into());
    }
    Ok(Decision::of(goes(structure, case.actor)))
}

/// Refuses unless the target stands below the actor.
fn require_above(case: &Case<'_>, target: &Member) -> Result<(), Rejection> {
    let (structure, actor) = case.member()?;
    if structure.rank(target) < structure.rank(actor) {
        return Ok(());
    }
    Err(Rejection {
        decided_by: Some(Why::Rank),
        ..Rejection::new(Code::RankTooLow)
    })
}

pub(super) fn kick(
    case: &Case<'_>,
    account: AccountId,
    end_invites: bool,
) -> Result<Decision, Rejection> {
    let structure = case.managing(Place::Community, Permissions::KICK)?;
    if end_invites {
        case.require(Place::Community, Permissions::INVITE)?;
    }
    let target = case.target(account)?;
    if structure.is_owner(account) {
        return Err(Code::LastOwner.into());
    }
    require_above(case, target)?;
    let mut changes = Vec::new();
    if end_invites {
        changes.push(Change::InvitesEnd {
            community: structure.id,
            account,
        });
    }
    changes.extend(goes(structure, account));
    Ok(Decision {
        expects: vec![Expect::Member(structure.id, account, target.rev)],
        changes,
    })
}

pub(super) fn seat(
    case: &Case<'_>,
    topic: TopicId,
    account: AccountId,
    on: bool,
) -> Result<Decision, Rejection> {
    let structure = case.managing(Place::Topic(topic), Permissions::MANAGE_TOPICS)?;
    // A topic that is open has no seats.
    let seat = structure
        .seat(topic, account)
        .ok_or_else(|| Code::Malformed.at("topic"))?;
    if seat.is_some() == on {
        return Ok(Decision::default());
    }
    let mut changes = vec![Change::Seat {
        community: structure.id,
        topic,
        account,
        since: on.then_some(case.now),
    }];
    changes.extend(touched(structure, topic));
    let mut expects = Vec::new();
    // His own seat anybody may leave.
    if on || account != case.actor {
        let target = case.target(account)?;
        if !on {
            require_above(case, target)?;
        }
        expects.push(Expect::Member(structure.id, account, target.rev));
    }
    Ok(Decision { expects, changes })
}

pub(super) fn assign(
    case: &Case<'_>,
    member_group: MemberGroupId,
    account: AccountId,
    on: bool,
) -> Result<Decision, Rejection> {
    let (structure, actor) = case.member()?;
    case.require(Place::Community, Permissions::ASSIGN_MEMBER_GROUPS)?;
    if !structure.member_groups.contains_key(&member_group) {
        return Err(Code::NotFound.at("member_group"));
    }
    let target = case.target(account)?;
    if structure.rank_of(member_group) >= structure.rank(actor) {
        return Err(Rejection {
            decided_by: Some(Why::Rank),
            ..Rejection::new(Code::RankTooLow)
        });
    }
    if account != case.actor {
        require_above(case, target)?;
    }
    if target.member_groups.contains(&member_group) == on {
        return Ok(Decision::default());
    }
    super::access::require_holds(case, member_group)?;
    let mut member = target.clone();
    // Those that were deleted since go at the same time.
    member
        .member_groups
        .retain(|id| *id != member_group && structure.member_groups.contains_key(id));
    if on {
        member.member_groups.push(member_group);
    }
    Ok(Decision {
        expects: vec![Expect::Member(structure.id, account, target.rev)],
        changes: vec![Change::Member {
            community: structure.id,
            member,
        }],
    })
}

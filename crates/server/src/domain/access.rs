//! Decisions about member groups and access rows. Nobody acts on his own rank or above, nor grants or takes a right that
//! he lacks.

use tulou_protocol::{
    Code, Counted, GroupId, MemberGroupId, Permissions, Rejection, Row, TopicId,
    command::Edit,
    limits,
    permission::{Decision as Why, Place},
    row::{AccessRow, Body, MemberGroup},
    text,
};

use super::{
    case::{Case, Decision},
    change::Change,
    edit::{Editing, apply, check_new, deleted_before},
    structure::Rank,
};

fn too_low() -> Rejection {
    Rejection {
        decided_by: Some(Why::Rank),
        ..Rejection::new(Code::RankTooLow)
    }
}

/// Refuses unless a rank is below the actor's.
fn require_below(case: &Case<'_>, rank: &Rank) -> Result<(), Rejection> {
    let (structure, actor) = case.member()?;
    if *rank < structure.rank(actor) {
        Ok(())
    } else {
        Err(too_low())
    }
}

pub(super) fn create(
    case: &Case<'_>,
    id: MemberGroupId,
    name: &str,
    rank: &str,
    (shown, tagged): (bool, bool),
) -> Result<Decision, Rejection> {
    let structure = case.managing(Place::Community, Permissions::MANAGE_MEMBER_GROUPS)?;
    check_new(
        name,
        ("rank", rank),
        structure.member_groups.contains_key(&id)
            || structure.was_used("member_group", &id.to_string()),
        (
            structure.member_groups.len(),
            limits::MEMBER_GROUPS,
            Counted::MemberGroups,
        ),
    )?;
    require_below(case, &Rank::Group(rank.to_owned(), id))?;
    Ok(Decision::of(vec![Change::Row {
        log: structure.log(),
        id: id.to_string(),
        body: MemberGroup {
            name: name.to_owned(),
            rank: rank.to_owned(),
            shown,
            tagged,
            more: Default::default(),
        }
        .into(),
    }]))
}

pub(super) fn edit(
    case: &Case<'_>,
    id: MemberGroupId,
    name: Option<&Edit<String>>,
    rank: Option<&Edit<String>>,
    shown: Option<&Edit<bool>>,
    tagged: Option<&Edit<bool>>,
) -> Result<Decision, Rejection> {
    let structure = case.managing(Place::Community, Permissions::MANAGE_MEMBER_GROUPS)?;
    let kept = structure.member_groups.get(&id).ok_or(Code::NotFound)?;
    require_below(case, &structure.rank_of(id))?;
    let mut group = Editing::of(structure, id, kept);
    group.field(
        "name",
        name,
        |to| text::check_name(to),
        |body| &mut body.name,
    )?;
    let may_rank = |rank: &String| {
        text::check_position(rank)?;
        require_below(case, &Rank::Group(rank.clone(), id))
    };
    group.field("rank", rank, may_rank, |body| &mut body.rank)?;
    group.field("shown", shown, |_| Ok(()), |body| &mut body.shown)?;
    group.field("tagged", tagged, |_| Ok(()), |body| &mut body.tagged)?;
    Ok(group.done())
}

pub(super) fn delete(case: &Case<'_>, id: MemberGroupId) -> Result<Decision, Rejection> {
    let structure = case.managing(Place::Community, Permissions::MANAGE_MEMBER_GROUPS)?;
    if !structure.member_groups.contains_key(&id) {
        return deleted_before(structure, "member_group", id);
    }
    require_below(case, &structure.rank_of(id))?;
    require_holds(case, id)?;
    let mut changes = vec![Change::Row {
        log: structure.log(),
        id: id.to_string(),
        body: Body::Deleted("member_group".to_owned()),
    }];
    changes.extend(
        structure
            .access
            .keys()
            .filter(|(_, member_group)| *member_group == Some(id))
            .map(|(place, member_group)| Change::Row {
                log: structure.log(),
                id: AccessRow::id(*place, *member_group),
                body: Body::Deleted("access".to_owned()),
            }),
    );
    Ok(Decision::of(changes))
}

/// Refuses unless the actor has, everywhere, what a member group allows and denies: putting somebody into it, or out of
/// it, gives and takes that.
pub(super) fn require_holds(case: &Case<'_>, member_group: MemberGroupId) -> Result<(), Rejection> {
    let (structure, actor) = case.member()?;
    if structure.is_owner(case.actor) {
        return Ok(());
    }
    for ((place, of), kept) in &structure.access {
        if *of == Some(member_group)
            && let Some(held) = structure.held(actor, *place)
        {
            held.require(kept.body.allow | kept.body.deny)?;
        }
    }
    Ok(())
}

/// Refuses unless the actor could set, row by row, that in which the access rows of two groups differ: for the topic that
/// goes from one to the other it is as if he did.
pub(super) fn require_moves(
    case: &Case<'_>,
    topic: TopicId,
    from: GroupId,
    to: GroupId,
) -> Result<(), Rejection> {
    let (structure, _) = case.member()?;
    if structure.is_owner(case.actor) {
        return Ok(());
    }
    let held = case.held_at(Place::Topic(topic))?;
    let says = |group, subject| {
        structure
            .access
            .get(&(Place::Group(group), subject))
            .map_or((Permissions::empty(), Permissions::empty()), |kept| {
                (kept.body.allow, kept.body.deny)
            })
    };
    let places = [Place::Group(from), Place::Group(to)];
    for (place, subject) in structure.access.keys() {
        let (was, is) = (says(from, *subject), says(to, *subject));
        if !places.contains(place) || was == is {
            continue;
        }
        let rank = subject.map_or(Rank::Everyone, |id| structure.rank_of(id));
        require_below(case, &rank)?;
        held.require((was.0 ^ is.0) | (was.1 ^ is.1))?;
    }
    Ok(())
}

pub(super) fn set(
    case: &Case<'_>,
    place: Place,
    member_group: Option<MemberGroupId>,
    allow: &Edit<Permissions>,
    deny: &Edit<Permissions>,
) -> Result<Decision, Rejection> {
    let (structure, actor) = case.member()?;
    let needed = match place {
        Place::Community => Permissions::MANAGE_MEMBER_GROUPS,
        Place::Group(_) | Place::Topic(_) => Permissions::MANAGE_TOPICS,
    };
    let held = case.held_at(place)?;
    held.require(needed)?;
    if let Some(id) = member_group {
        if !structure.member_groups.contains_key(&id) {
            return Err(Code::NotFound.at("member_group"));
        }
        require_below(case, &structure.rank_of(id))?;
    } else {
        require_below(case, &Rank::Everyone)?;
    }
    let known = structure.access.get(&(place, member_group));
    let (now_allow, now_deny) = known
        .map_or((Permissions::empty(), Permissions::empty()), |kept| {
            (kept.body.allow, kept.body.deny)
        });
    let id = AccessRow::id(place, member_group);
    let present = || Row {
        id: id.clone(),
        rev: known.map_or(tulou_protocol::Rev::ZERO, |kept| kept.rev),
        body: known.map_or_else(
            || Body::Deleted("access".to_owned()),
            |kept| kept.body.clone().into(),
        ),
    };
    let (mut to_allow, mut to_deny) = (now_allow, now_deny);
    apply(&mut to_allow, allow, present)?;
    apply(&mut to_deny, deny, present)?;
    let usable = match place {
        Place::Community => Permissions::all(),
        Place::Group(_) | Place::Topic(_) => {
            Permissions::all().difference(Permissions::COMMUNITY_ONLY)
        }
    };
    let moved = (to_allow ^ now_allow) | (to_deny ^ now_deny);
    if !(to_allow & to_deny).is_empty() || !usable.contains(to_deny ^ now_deny) {
        return Err(Code::Malformed.at("deny.to"));
    }
    if !usable.contains(to_allow ^ now_allow) {
        return Err(Code::Malformed.at("allow.to"));
    }
    if !structure.is_owner(actor.account) {
        held.require(moved)?;
    }
    if moved.is_empty() {
        return Ok(Decision::default());
    }
    if known.is_none() && structure.access.len() >= limits::ACCESS_ROWS {
        return Err(Rejection::limit(Code::TooMany, limits::ACCESS_ROWS).of(Counted::Access));
    }
    let body = if to_allow.is_empty() && to_deny.is_empty() {
        Body::Deleted("access".to_owned())
    } else {
        AccessRow {
            place,
            member_group,
            allow: to_allow,
            deny: to_deny,
            more: known.map(|kept| kept.body.more.clone()).unwrap_or_default(),
        }
        .into()
    };
    Ok(Decision::of(vec![Change::Row {
        log: structure.log(),
        id,
        body,
    }]))
}

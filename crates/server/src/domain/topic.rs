//! Decisions about groups and topics.

use tulou_protocol::{
    Code, Counted, GroupId, Log, Permissions, Rejection, TopicId,
    command::Edit,
    limits,
    permission::Place,
    row::{AccessRow, Body, Group, Topic},
    text,
};

use super::{
    access,
    case::{Case, Decision},
    change::{Change, Expect},
    edit::{Editing, check_new, deleted_before},
    structure::Structure,
};

pub(super) fn create_group(
    case: &Case<'_>,
    id: GroupId,
    name: &str,
    position: &str,
) -> Result<Decision, Rejection> {
    let structure = case.managing(Place::Community, Permissions::MANAGE_TOPICS)?;
    check_new(
        name,
        ("position", position),
        structure.groups.contains_key(&id) || structure.was_used("group", &id.to_string()),
        (structure.groups.len(), limits::GROUPS, Counted::Groups),
    )?;
    Ok(Decision::of(vec![Change::Row {
        log: structure.log(),
        id: id.to_string(),
        body: Group {
            name: name.to_owned(),
            position: position.to_owned(),
            more: Default::default(),
        }
        .into(),
    }]))
}

/// The group, if the actor may know of it.
fn known_group(case: &Case<'_>, id: GroupId) -> Result<(), Rejection> {
    let (structure, member) = case.member()?;
    if structure.sight(member).groups().contains(&id)
        || structure
            .permissions(member, Place::Group(id))
            .contains(Permissions::MANAGE_TOPICS)
    {
        return Ok(());
    }
    Err(Code::NotFound.at("group"))
}

pub(super) fn edit_group(
    case: &Case<'_>,
    id: GroupId,
    name: Option<&Edit<String>>,
    position: Option<&Edit<String>>,
) -> Result<Decision, Rejection> {
    let (structure, _) = case.member()?;
    known_group(case, id)?;
    case.require(Place::Group(id), Permissions::MANAGE_TOPICS)?;
    let kept = structure.groups.get(&id).ok_or(Code::NotFound)?;
    let mut group = Editing::of(structure, id, kept);
    group.field(
        "name",
        name,
        |to| text::check_name(to),
        |body| &mut body.name,
    )?;
    let check_position = |to: &String| text::check_position(to);
    group.field("position", position, check_position, |body| {
        &mut body.position
    })?;
    Ok(group.done())
}

pub(super) fn delete_group(case: &Case<'_>, id: GroupId) -> Result<Decision, Rejection> {
    let structure = case.managing(Place::Community, Permissions::MANAGE_TOPICS)?;
    if !structure.groups.contains_key(&id) {
        return deleted_before(structure, "group", id);
    }
    if structure.topics_in(id).next().is_some() {
        return Err(Code::GroupNotEmpty.into());
    }
    let mut changes = vec![Change::Row {
        log: structure.log(),
        id: id.to_string(),
        body: Body::Deleted("group".to_owned()),
    }];
    changes.extend(access_ends(structure, Place::Group(id)));
    Ok(Decision::of(changes))
}

/// The access rows of a place go with it.
fn access_ends(structure: &Structure, place: Place) -> Vec<Change> {
    structure
        .access
        .keys()
        .filter(|(at, _)| *at == place)
        .map(|(at, member_group)| Change::Row {
            log: structure.log(),
            id: AccessRow::id(*at, *member_group),
            body: Body::Deleted("access".to_owned()),
        })
        .collect()
}

/// `wanted` has no number yet.
pub(super) fn create(case: &Case<'_>, id: TopicId, wanted: Topic) -> Result<Decision, Rejection> {
    let (structure, _) = case.member()?;
    known_group(case, wanted.group)?;
    case.require(Place::Group(wanted.group), Permissions::MANAGE_TOPICS)?;
    text::check_introduction(&wanted.introduction).map_err(|no| no.at("introduction"))?;
    check_new(
        &wanted.name,
        ("position", &wanted.position),
        structure.topics.contains_key(&id) || structure.was_used("topic", &id.to_string()),
        (structure.topics.len(), limits::TOPICS, Counted::Topics),
    )?;
    let community = structure.id;
    let (no, closed) = (structure.last_no + 1, wanted.closed);
    let mut changes = vec![
        Change::Row {
            log: structure.log(),
            id: id.to_string(),
            body: Topic { no, ..wanted }.into(),
        },
        Change::Numbered {
            community,
            last: no,
        },
        Change::TopicBegins {
            community,
            topic: id,
        },
    ];
    if closed {
        // The owner needs a seat like everybody else to be listed; his rights do not depend on it.
        changes.push(Change::Seat {
            community,
            topic: id,
            account: case.actor,
            since: Some(case.now),
        });
    }
    Ok(Decision {
        expects: vec![Expect::New(Log::Topic(id))],
        changes,
    })
}

pub(super) fn edit(
    case: &Case<'_>,
    id: TopicId,
    name: Option<&Edit<String>>,
    introduction: Option<&Edit<String>>,
    group: Option<&Edit<GroupId>>,
    position: Option<&Edit<String>>,
) -> Result<Decision, Rejection> {
    let structure = case.managing(Place::Topic(id), Permissions::MANAGE_TOPICS)?;
    let kept = structure.topics.get(&id).ok_or(Code::NotFound)?;
    let mut topic = Editing::of(structure, id, kept);
    topic.field(
        "name",
        name,
        |to| text::check_name(to),
        |body| &mut body.name,
    )?;
    let check_introduction = |to: &String| text::check_introduction(to);
    topic.field("introduction", introduction, check_introduction, |body| {
        &mut body.introduction
    })?;
    let is_there = topic.body().group;
    let may_move = |to: &GroupId| {
        if *to == is_there {
            return Ok(());
        }
        known_group(case, *to)?;
        case.require(Place::Group(*to), Permissions::MANAGE_TOPICS)?;
        access::require_moves(case, id, is_there, *to)
    };
    topic.field("group", group, may_move, |body| &mut body.group)?;
    let check_position = |to: &String| text::check_position(to);
    topic.field("position", position, check_position, |body| {
        &mut body.position
    })?;
    Ok(topic.done())
}

pub(super) fn delete(case: &Case<'_>, id: TopicId) -> Result<Decision, Rejection> {
    let (structure, _) = case.member()?;
    if !structure.topics.contains_key(&id) && structure.was_used("topic", &id.to_string()) {
        return Ok(Decision::default());
    }
    case.require(Place::Topic(id), Permissions::MANAGE_TOPICS)?;
    let mut changes = vec![Change::Row {
        log: structure.log(),
        id: id.to_string(),
        body: Body::Deleted("topic".to_owned()),
    }];
    changes.extend(access_ends(structure, Place::Topic(id)));
    changes.push(Change::TopicEnds {
        community: structure.id,
        topic: id,
    });
    Ok(Decision::of(changes))
}

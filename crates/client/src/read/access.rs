//! Member groups and access rows, and the explanation of a right.

use tulou_protocol::{
    MemberGroupId, Permissions,
    permission::{Access, Decision, Held, KEYS, Place},
};

use super::keys;
use crate::{
    error::Error,
    shape::Shape,
    view::{
        AccessPlace, AccessView, ExplainRow, ExplainView, ExplanationView, MemberGroupView,
        PermissionView, RightsLine, RightsView,
    },
};

/// The name by which the window knows everyone.
const EVERYONE: &str = "everyone";

/// The member groups.
pub fn access(shape: &Shape) -> AccessView {
    let mine = shape.mine(Place::Community).permissions;
    let mut member_groups: Vec<MemberGroupView> = shape
        .member_groups
        .iter()
        .map(|group| {
            let is_above = shape.is_above_group(group.id);
            MemberGroupView {
                id: group.id.to_string(),
                name: group.name.clone(),
                is_shown: group.is_shown,
                has_tag: group.has_tag,
                can_edit: is_above && mine.contains(Permissions::MANAGE_MEMBER_GROUPS),
                can_assign: is_above && mine.contains(Permissions::ASSIGN_MEMBER_GROUPS),
                is_pending: group.is_pending,
            }
        })
        .collect();
    member_groups.push(MemberGroupView {
        id: EVERYONE.to_owned(),
        name: String::new(),
        is_shown: false,
        has_tag: false,
        can_edit: mine.contains(Permissions::MANAGE_MEMBER_GROUPS),
        can_assign: false,
        is_pending: false,
    });
    AccessView { member_groups }
}

/// The table of rights of a member group.
///
/// # Errors
/// `not_found` if there is no such member group.
pub fn rights(shape: &Shape, member_group: &str) -> Result<RightsView, Error> {
    let id = match member_group {
        EVERYONE => None,
        id => Some(
            id.parse()
                .ok()
                .filter(|id| shape.member_group(*id).is_some())
                .ok_or(Error::NotFound("the member group"))?,
        ),
    };
    let mut lines = vec![line(shape, Place::Community, id, &shape.name, false)];
    for group in &shape.groups {
        lines.push(line(shape, Place::Group(group.id), id, &group.name, false));
        for topic in shape.topics_of(group.id).filter(|topic| !topic.is_locked) {
            let place = Place::Topic(topic.id);
            lines.push(line(shape, place, id, &topic.name, topic.is_closed));
        }
    }
    Ok(RightsView {
        member_group: member_group.to_owned(),
        permissions: KEYS
            .iter()
            .map(|(permission, key)| PermissionView {
                key: (*key).to_owned(),
                is_community_only: Permissions::COMMUNITY_ONLY.contains(*permission),
            })
            .collect(),
        lines,
    })
}

fn line(
    shape: &Shape,
    place: Place,
    member_group: Option<MemberGroupId>,
    name: &str,
    is_closed: bool,
) -> RightsLine {
    let mine = shape.mine(place).permissions;
    let (needed, usable) = match place {
        Place::Community => (Permissions::MANAGE_MEMBER_GROUPS, Permissions::all()),
        Place::Group(_) | Place::Topic(_) => (
            Permissions::MANAGE_TOPICS,
            Permissions::all() - Permissions::COMMUNITY_ONLY,
        ),
    };
    let is_below = member_group.is_none_or(|id| shape.is_above_group(id));
    let (Access { allow, deny }, is_pending) = shape.set_at(place, member_group);
    let inherited = shape.inherited(place, member_group);
    let decided = |by: &dyn Fn(Place, Option<MemberGroupId>) -> bool| {
        mask(|permission| match inherited.decision(permission) {
            Decision::Access {
                place,
                member_group,
            } => by(place, member_group),
            Decision::Owner
            | Decision::Nothing
            | Decision::NoView
            | Decision::NoSeat
            | Decision::Rank
            | Decision::Unknown => false,
        })
    };
    RightsLine {
        place: place_view(place),
        name: name.to_owned(),
        is_closed,
        settable: if mine.contains(needed) && is_below {
            mask_of(mine & usable)
        } else {
            0
        },
        allow: mask_of(allow & usable),
        deny: mask_of(deny & usable),
        inherited: mask_of(inherited.permissions & usable),
        from_community: decided(&|place, _| place == Place::Community),
        from_group: decided(&|place, _| matches!(place, Place::Group(_))),
        from_topic: decided(&|place, _| matches!(place, Place::Topic(_))),
        from_everyone: decided(&|_, member_group| member_group.is_none()),
        is_pending,
    }
}

/// A set of rights as a number, with the bits in the order of the columns.
fn mask(holds: impl Fn(Permissions) -> bool) -> u32 {
    KEYS.iter()
        .enumerate()
        .filter(|(_, (permission, _))| holds(*permission))
        .fold(0, |mask, (at, _)| mask | 1 << at)
}

fn mask_of(permissions: Permissions) -> u32 {
    mask(|permission| permissions.contains(permission))
}

fn place_view(place: Place) -> AccessPlace {
    match place {
        Place::Community => AccessPlace::Community,
        Place::Group(id) => AccessPlace::Group { id: id.to_string() },
        Place::Topic(id) => AccessPlace::Topic { id: id.to_string() },
    }
}

fn name_at(shape: &Shape, place: Place) -> String {
    match place {
        Place::Community => shape.name.clone(),
        Place::Group(id) => shape
            .group(id)
            .map_or_else(String::new, |group| group.name.clone()),
        Place::Topic(id) => shape
            .topic(id)
            .map_or_else(String::new, |topic| topic.name.clone()),
    }
}

fn group_name(shape: &Shape, member_group: Option<MemberGroupId>) -> String {
    member_group
        .and_then(|id| shape.member_group(id))
        .map_or_else(String::new, |group| group.name.clone())
}

/// Everything that decides on what a member may do at a place.
pub fn whole_explanation(
    shape: &Shape,
    is_owner: bool,
    member_groups: &[MemberGroupId],
    place: Place,
    has_seat: bool,
) -> ExplanationView {
    let held = shape.of(is_owner, member_groups, place, has_seat);
    let mine = || {
        shape
            .member_groups
            .iter()
            .filter(|group| member_groups.contains(&group.id))
    };
    let rows = shape
        .path(place)
        .into_iter()
        .flat_map(|place| {
            [None]
                .into_iter()
                .chain(mine().rev().map(|group| Some(group.id)))
                .map(move |member_group| (place, member_group))
        })
        .map(|(place, member_group)| {
            let (Access { allow, deny }, _) = shape.set_at(place, member_group);
            ExplainRow {
                place: place_view(place),
                place_name: name_at(shape, place),
                member_group: group_name(shape, member_group),
                allow: keys(allow),
                deny: keys(deny),
            }
        })
        .collect();
    let is_closed = match place {
        Place::Topic(id) => shape.topic(id).is_some_and(|topic| topic.is_closed),
        Place::Community | Place::Group(_) => false,
    };
    ExplanationView {
        rights: explanation(shape, &held, place),
        rows,
        member_groups: mine().map(|group| group.name.clone()).collect(),
        is_closed,
        has_seat: !is_closed || is_owner || has_seat,
        is_owner,
    }
}

/// Why each permission is held or not.
pub fn explanation(shape: &Shape, held: &Held, place: Place) -> Vec<ExplainView> {
    KEYS.iter()
        .filter(|(permission, _)| {
            place == Place::Community || !Permissions::COMMUNITY_ONLY.contains(*permission)
        })
        .map(|(permission, key)| {
            let mut view = ExplainView {
                permission: (*key).to_owned(),
                is_held: held.permissions.contains(*permission),
                reason: String::new(),
                place: None,
                place_name: String::new(),
                member_group: String::new(),
            };
            match held.decision(*permission) {
                Decision::Owner => view.reason = "owner".into(),
                Decision::Nothing | Decision::Unknown => view.reason = "default".into(),
                Decision::NoView => view.reason = "noView".into(),
                Decision::NoSeat => view.reason = "seat".into(),
                Decision::Rank => view.reason = "rank".into(),
                Decision::Access {
                    place,
                    member_group,
                } => {
                    view.reason = "access".into();
                    view.place = Some(place_view(place));
                    view.place_name = name_at(shape, place);
                    view.member_group = group_name(shape, member_group);
                }
            }
            view
        })
        .collect()
}

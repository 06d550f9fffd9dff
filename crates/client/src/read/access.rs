//! Member groups and access rows, and the explanation of a right.

use tulou_protocol::{
    MemberGroupId, Permissions,
    permission::{Decision, Held, KEYS, Place},
};

use super::keys;
use crate::{
    shape::Shape,
    view::{
        AccessCell, AccessPlace, AccessView, ExplainView, MemberGroupView, PermissionView,
        PlaceView,
    },
};

/// The name by which the window knows everyone.
const EVERYONE: &str = "everyone";

/// Member groups, places and what is set at them.
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
        can_edit: mine.contains(Permissions::MANAGE_MEMBER_GROUPS),
        can_assign: false,
        is_pending: false,
    });
    let places = places(shape);
    let mut access = Vec::new();
    for (place, rows) in shape.access() {
        for (member_group, (cell, is_pending)) in &rows.rows {
            if cell.allow.is_empty() && cell.deny.is_empty() {
                continue;
            }
            access.push(AccessCell {
                place: place_view(place),
                member_group: name_of(*member_group),
                allow: keys(cell.allow),
                deny: keys(cell.deny),
                is_pending: *is_pending,
            });
        }
    }
    access.sort_by_cached_key(|cell| (format!("{:?}", cell.place), cell.member_group.clone()));
    AccessView {
        member_groups,
        places,
        permissions: KEYS
            .iter()
            .map(|(permission, key)| PermissionView {
                key: (*key).to_owned(),
                is_community_only: Permissions::COMMUNITY_ONLY.contains(*permission),
            })
            .collect(),
        access,
    }
}

fn places(shape: &Shape) -> Vec<PlaceView> {
    let mut places = vec![place_line(shape, Place::Community, &shape.name)];
    for group in &shape.groups {
        places.push(place_line(shape, Place::Group(group.id), &group.name));
        for topic in shape.topics_of(group.id).filter(|topic| !topic.is_locked) {
            places.push(place_line(shape, Place::Topic(topic.id), &topic.name));
        }
    }
    places
}

fn place_line(shape: &Shape, place: Place, name: &str) -> PlaceView {
    let mine = shape.mine(place).permissions;
    let (needed, usable) = match place {
        Place::Community => (Permissions::MANAGE_MEMBER_GROUPS, Permissions::all()),
        Place::Group(_) | Place::Topic(_) => (
            Permissions::MANAGE_TOPICS,
            Permissions::all() - Permissions::COMMUNITY_ONLY,
        ),
    };
    PlaceView {
        place: place_view(place),
        name: name.to_owned(),
        settable: if mine.contains(needed) {
            keys(mine & usable)
        } else {
            Vec::new()
        },
    }
}

fn place_view(place: Place) -> AccessPlace {
    match place {
        Place::Community => AccessPlace::Community,
        Place::Group(id) => AccessPlace::Group { id: id.to_string() },
        Place::Topic(id) => AccessPlace::Topic { id: id.to_string() },
    }
}

fn name_of(member_group: Option<MemberGroupId>) -> String {
    member_group.map_or_else(|| EVERYONE.to_owned(), |id| id.to_string())
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
                    view.place_name = match place {
                        Place::Community => shape.name.clone(),
                        Place::Group(id) => shape
                            .group(id)
                            .map_or_else(String::new, |group| group.name.clone()),
                        Place::Topic(id) => shape
                            .topic(id)
                            .map_or_else(String::new, |topic| topic.name.clone()),
                    };
                    view.member_group = member_group
                        .and_then(|id| shape.member_group(id))
                        .map_or_else(String::new, |group| group.name.clone());
                }
            }
            view
        })
        .collect()
}

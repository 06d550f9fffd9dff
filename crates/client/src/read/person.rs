//! One person at a place: as the server names him, or as this computer remembers him.

use tulou_protocol::{AccountId, CommunityId, permission::Place, question::Member};

use super::{
    access, members,
    names::{or_account_name, pending_name},
};
use crate::{
    account::Snapshot,
    error::Error,
    markdown::short,
    store::{members as remembered, outbox, profiles},
    view::{PersonGroup, PersonView},
};

/// What the server said of a person at a place.
#[derive(Debug)]
pub struct Heard {
    /// As a member of the community; none when he is none.
    pub member: Option<Member>,
    /// He sees the place that was asked about.
    pub has_seat: bool,
}

/// A person; what was not heard of him is read from the store.
///
/// # Errors
/// `not_found` if the community is not held; or if the store fails.
pub fn person(
    snapshot: &Snapshot<'_>,
    community: CommunityId,
    place: Place,
    whom: AccountId,
    heard: Option<Heard>,
) -> Result<PersonView, Error> {
    let db = snapshot.db;
    let shape = &*snapshot.community(community)?;
    let is_fresh = heard.is_some();
    let is_me = whom == shape.viewer;
    let profile = profiles::one(db, whom)?;
    let Heard { member, has_seat } = match heard {
        Some(heard) => heard,
        // The viewer is a member of what he looks at, whether or not anybody was ever asked about him.
        None if is_me => Heard {
            member: profile.as_ref().map(|profile| Member {
                account: whom,
                account_name: profile.account_name.clone(),
                display_name: profile.display_name.clone(),
                joined_at: shape.me.joined_at,
                member_groups: shape.me.member_groups.clone(),
                online: false,
                seat: false,
            }),
            has_seat: true,
        },
        None => Heard {
            member: remembered::one(db, shape.id, whom)?.map(|member| Member {
                online: false,
                seat: false,
                ..member
            }),
            has_seat: true,
        },
    };
    let is_deleted = profile.as_ref().is_some_and(|profile| profile.gone);
    let member = member.filter(|_| !is_deleted).map(|mut member| {
        if is_me {
            member.member_groups.clone_from(&shape.me.member_groups);
        }
        member
    });
    let pending = if is_me {
        pending_name(&outbox::of_structure(db)?)
    } else {
        None
    };
    // The profile is pushed, the list of members only asked for: the first is never the older.
    let name = pending
        .or_else(|| profile.as_ref().map(|profile| profile.display_name.clone()))
        .or_else(|| member.as_ref().map(|member| member.display_name.clone()))
        .unwrap_or_else(|| short(&whom.to_string()));
    let account_name = profile
        .as_ref()
        .map(|profile| profile.account_name.clone())
        .or_else(|| member.as_ref().map(|member| member.account_name.clone()))
        .unwrap_or_default();
    let name = or_account_name(&name, &account_name).to_owned();
    let groups = member
        .as_ref()
        .map(|member| member.member_groups.as_slice());
    Ok(PersonView {
        id: whom.to_string(),
        name: name.clone(),
        account_name,
        introduction: profile.map_or_else(String::new, |profile| profile.introduction),
        member_groups: shape
            .member_groups
            .iter()
            .filter(|group| groups.is_some_and(|groups| groups.contains(&group.id)))
            .map(|group| PersonGroup {
                id: group.id.to_string(),
                name: group.name.clone(),
                has_tag: group.has_tag,
            })
            .collect(),
        joined_at: match &member {
            Some(member) => Some(member.joined_at).filter(|at| *at > 0),
            None => None,
        },
        rights: groups.map_or_else(Vec::new, |groups| {
            let held = shape.of(whom == shape.owner, groups, place, is_me || has_seat);
            access::explanation(shape, &held, place)
        }),
        member: member.map(|member| {
            let mut view = members::member_view(shape, &member);
            view.name = name;
            view
        }),
        is_fresh,
    })
}

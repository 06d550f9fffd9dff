//! Members of a community: as the server names them, or as this computer remembers them.

use std::collections::HashSet;

use tulou_protocol::{
    AccountId, Permissions, TopicId,
    permission::Place,
    question::{Member, Members},
};

use super::names::{mark, or_account_name};
use crate::{
    lookalike,
    shape::Shape,
    view::{self, MemberView, MembersPart, MembersView, MentionedView},
};

/// What the server named. Of a list of many parts those who are remembered are compared as well: two who look alike may
/// stand in different parts.
pub fn fresh(shape: &Shape, members: Members, held: &[Member]) -> MembersView {
    let next = members.next;
    let everybody = members.sections.iter().flat_map(|section| &section.members);
    let alike = alike(shape, everybody.chain(held));
    let sections = members
        .sections
        .into_iter()
        .map(|section| view::MemberSection {
            member_group: section.member_group.map(|id| id.to_string()),
            name: section
                .member_group
                .and_then(|id| shape.member_group(id))
                .map_or_else(String::new, |group| group.name.clone()),
            count: section.count,
            members: section
                .members
                .iter()
                .map(|member| listed(shape, member, &alike))
                .collect(),
        })
        .filter(|section| section.count > 0)
        .collect();
    MembersView {
        sections,
        next,
        is_fresh: true,
    }
}

/// Adds a page to those before it.
pub fn append(found: &mut Members, page: Members) {
    found.next = page.next;
    for section in page.sections {
        let known = found
            .sections
            .iter_mut()
            .find(|known| known.member_group == section.member_group);
        match known {
            Some(known) => {
                known.members.extend(section.members);
                // Of those found by a prefix, each page counts its own.
                let named = known.members.len() as u64;
                known.count = known.count.max(section.count).max(named);
            }
            None => found.sections.push(section),
        }
    }
}

/// What is remembered, in the same order as the server's.
pub fn remembered(shape: &Shape, mut members: Vec<Member>, part: &MembersPart) -> MembersView {
    let prefix = part.prefix.to_lowercase();
    members.retain(|member| {
        member.display_name.to_lowercase().starts_with(&prefix)
            || member.account_name.to_lowercase().starts_with(&prefix)
    });
    members.sort_by_cached_key(|member| (member.display_name.to_lowercase(), member.account));
    let alike = alike(shape, &members);
    // A mark of the server's leads nowhere here: the list begins anew.
    let from: usize = part.after.as_deref().and_then(place_of).unwrap_or(0);
    let to = from.saturating_add(part.limit as usize);
    let mut placed = HashSet::new();
    let mut sections = Vec::new();
    let shown = shape
        .member_groups
        .iter()
        .filter(|group| group.is_shown)
        .map(Some);
    for group in shown.chain([None]) {
        let begins = placed.len();
        let of_section: Vec<&Member> = members
            .iter()
            .filter(|member| group.is_none_or(|group| member.member_groups.contains(&group.id)))
            .filter(|member| placed.insert(member.account))
            .collect();
        if of_section.is_empty() {
            continue;
        }
        sections.push(view::MemberSection {
            member_group: group.map(|group| group.id.to_string()),
            name: group.map_or_else(String::new, |group| group.name.clone()),
            count: of_section.len() as u64,
            members: of_section
                .into_iter()
                .zip(begins..)
                .filter(|(_, place)| (from..to).contains(place))
                .map(|(member, _)| MemberView {
                    // Who is connected is not known without a link.
                    is_online: false,
                    ..listed(shape, member, &alike)
                })
                .collect(),
        });
    }
    MembersView {
        sections,
        next: (members.len() > to).then(|| format!("{REMEMBERED}{to}")),
        is_fresh: false,
    }
}

/// What a mark of a remembered list begins with; the server's are of another kind.
const REMEMBERED: &str = "remembered ";

fn place_of(mark: &str) -> Option<usize> {
    mark.strip_prefix(REMEMBERED)?.parse().ok()
}

/// Everyone and the member groups, for those who may mention them in a topic.
pub fn many(shape: &Shape, topic: TopicId) -> Vec<MentionedView> {
    let mine = shape.mine(Place::Topic(topic)).permissions;
    if !mine.contains(Permissions::MENTION_ALL) {
        return Vec::new();
    }
    let everyone = MentionedView {
        id: "everyone".to_owned(),
        name: None,
    };
    let groups = shape.member_groups.iter().map(|group| MentionedView {
        id: format!("&{}", group.id),
        name: Some(group.name.clone()),
    });
    std::iter::once(everyone).chain(groups).collect()
}

/// A member as the viewer sees him, beside nobody else.
pub fn member_view(shape: &Shape, member: &Member) -> MemberView {
    listed(shape, member, &alike(shape, [member]))
}

/// Those of the listed who look like another of them.
fn alike<'a>(shape: &Shape, listed: impl IntoIterator<Item = &'a Member>) -> HashSet<AccountId> {
    let named = listed
        .into_iter()
        .map(|member| (member.account, member.display_name.as_str()));
    lookalike::among(named, Some(shape))
}

fn listed(shape: &Shape, member: &Member, alike: &HashSet<AccountId>) -> MemberView {
    let mine = shape.mine(Place::Community).permissions;
    let is_me = member.account == shape.viewer;
    let is_below = shape.stands_above(member.account, &member.member_groups);
    MemberView {
        id: member.account.to_string(),
        name: or_account_name(&member.display_name, &member.account_name).to_owned(),
        account_name: member.account_name.clone(),
        looks_alike: alike.contains(&member.account),
        mark: mark(shape, member.account, &member.member_groups),
        is_online: member.online,
        is_owner: member.account == shape.owner,
        member_groups: member
            .member_groups
            .iter()
            .map(ToString::to_string)
            .collect(),
        is_me,
        has_seat: member.seat,
        can_assign: mine.contains(Permissions::ASSIGN_MEMBER_GROUPS) && (is_me || is_below),
        can_kick: mine.contains(Permissions::KICK) && !is_me && is_below,
    }
}

#[cfg(test)]
mod tests {
    use tulou_protocol::{MemberGroupId, question::MemberSection};
    use uuid::Uuid;

    use super::*;

    fn page(sections: &[(u128, u64, &[u128])], next: Option<&str>) -> Members {
        let member = |id: &u128| Member {
            account: AccountId(Uuid::from_u128(*id)),
            account_name: id.to_string(),
            display_name: id.to_string(),
            joined_at: 0,
            member_groups: Vec::new(),
            online: false,
            seat: false,
        };
        let section = |(group, count, members): &(u128, u64, &[u128])| MemberSection {
            member_group: (*group > 0).then(|| MemberGroupId(Uuid::from_u128(*group))),
            count: *count,
            members: members.iter().map(member).collect(),
        };
        Members {
            sections: sections.iter().map(section).collect(),
            next: next.map(str::to_owned),
        }
    }

    #[test]
    fn pages_of_members_become_one_list() {
        let mut found = page(&[(7, 3, &[1, 2]), (0, 2, &[])], Some("a"));
        append(&mut found, page(&[(7, 3, &[3]), (0, 2, &[4])], Some("b")));
        append(&mut found, page(&[(0, 2, &[5])], None));
        assert_eq!(
            found,
            page(&[(7, 3, &[1, 2, 3]), (0, 2, &[4, 5])], None),
            "each section goes on where it was left"
        );
        let mut named = page(&[(0, 1, &[1])], Some("a"));
        append(&mut named, page(&[(0, 1, &[2])], None));
        assert_eq!(named.sections[0].count, 2, "all that were found");
    }
}

//! What the commands that manage a community ask of whoever gives them, said a second time.

use crate::oracle::Oracle;
use crate::rights::*;
use tulou_protocol::{
    AccountId, Command, CommunityId, GroupId, MemberGroupId, Permissions, TopicId,
    permission::Place,
};

impl Oracle {
    pub fn may_manage(&self, actor: AccountId, command: &Command) -> May {
        match command {
            Command::CommunityEdit {
                community,
                name,
                introduction,
            } => {
                let kept = self.member_of(actor, *community)?;
                self.has(
                    actor,
                    *community,
                    Place::Community,
                    Permissions::MANAGE_COMMUNITY,
                )?;
                moved(&kept.name, name.as_ref())?;
                moved(&kept.introduction, introduction.as_ref())?;
                new_name(name.as_ref())
            }
            Command::CommunityTransfer { community, owner } => {
                let kept = self.member_of(actor, *community)?;
                if_so(kept.owner == owner.from, "another one owns it meanwhile")?;
                if_so(kept.owner == actor, "he is not the owner")?;
                if_so(kept.members.contains_key(&owner.to), "he is no member")
            }
            Command::CommunityDissolve { community } => {
                let kept = self.member_of(actor, *community)?;
                if_so(kept.owner == actor, "he is not the owner")
            }
            Command::CommunityLeave { community } => {
                let kept = self.member_of(actor, *community)?;
                unless(kept.owner == actor, "the owner stays")
            }
            Command::GroupCreate {
                community,
                group,
                name,
                ..
            } => {
                let kept = self.member_of(actor, *community)?;
                self.has(
                    actor,
                    *community,
                    Place::Community,
                    Permissions::MANAGE_TOPICS,
                )?;
                unless(
                    kept.groups.contains_key(group) || kept.gone.contains(&group.0),
                    "the id is taken",
                )?;
                named(name)
            }
            Command::GroupEdit {
                community,
                group,
                name,
                position,
            } => {
                let kept = self.member_of(actor, *community)?;
                self.knows_group(actor, *community, *group)?;
                let (is_name, is_position) = &kept.groups[group];
                moved(is_name, name.as_ref())?;
                moved(is_position, position.as_ref())?;
                new_name(name.as_ref())
            }
            Command::GroupDelete { community, group } => {
                let kept = self.member_of(actor, *community)?;
                self.has(
                    actor,
                    *community,
                    Place::Community,
                    Permissions::MANAGE_TOPICS,
                )?;
                let is_there = kept.groups.contains_key(group);
                if_so(
                    is_there || kept.gone.contains(&group.0),
                    "there is no such group",
                )?;
                let has_topics = kept
                    .topics
                    .iter()
                    .any(|topic| self.topics[topic].group == *group);
                unless(has_topics, "there are topics in it")
            }
            Command::TopicCreate {
                community,
                group,
                topic,
                name,
                ..
            } => {
                self.member_of(actor, *community)?;
                self.knows_group(actor, *community, *group)?;
                unless(self.used.contains(&topic.0), "the id is taken")?;
                named(name)
            }
            Command::TopicEdit {
                community,
                topic,
                name,
                introduction,
                group,
                position,
            } => {
                self.member_of(actor, *community)?;
                self.in_community(*community, *topic)?;
                self.has(
                    actor,
                    *community,
                    Place::Topic(*topic),
                    Permissions::MANAGE_TOPICS,
                )?;
                let kept = &self.topics[topic];
                moved(&kept.name, name.as_ref())?;
                moved(&kept.introduction, introduction.as_ref())?;
                moved(&kept.group, group.as_ref())?;
                moved(&kept.position, position.as_ref())?;
                if let Some(group) = group.as_ref().filter(|group| group.to != kept.group) {
                    self.knows_group(actor, *community, group.to)?;
                    self.may_exchange(actor, *topic, group.to)?;
                }
                new_name(name.as_ref())
            }
            Command::TopicDelete { community, topic } => {
                let kept = self.member_of(actor, *community)?;
                if kept.gone.contains(&topic.0) {
                    return Ok(());
                }
                self.in_community(*community, *topic)?;
                self.has(
                    actor,
                    *community,
                    Place::Topic(*topic),
                    Permissions::MANAGE_TOPICS,
                )
            }
            Command::SeatSet {
                community,
                topic,
                account,
                on,
            } => {
                let kept = self.member_of(actor, *community)?;
                self.in_community(*community, *topic)?;
                self.has(
                    actor,
                    *community,
                    Place::Topic(*topic),
                    Permissions::MANAGE_TOPICS,
                )?;
                if_so(self.topics[topic].closed, "the topic has no seats")?;
                let is_so = kept.seats.contains_key(&(*topic, *account)) == *on;
                let is_member = kept.members.contains_key(account);
                if_so(is_so || !*on || is_member, "he is no member")?;
                let is_above = account == &actor || kept.rank(*account) < kept.rank(actor);
                if_so(is_so || *on || is_above, "he stands too high")
            }
            Command::MemberKick {
                community,
                account,
                end_invites,
            } => {
                let kept = self.member_of(actor, *community)?;
                self.has(actor, *community, Place::Community, Permissions::KICK)?;
                if *end_invites {
                    self.has(actor, *community, Place::Community, Permissions::INVITE)?;
                }
                if_so(kept.members.contains_key(account), "he is no member")?;
                if_so(
                    kept.rank(*account) < kept.rank(actor),
                    "the rank is too low",
                )
            }
            _ => self.may_grant(actor, command),
        }
    }

    /// Whoever gives or takes a member group gives or takes all that it allows and denies.
    pub fn holds(&self, account: AccountId, community: CommunityId, group: MemberGroupId) -> May {
        let access = self.communities[&community].access.iter();
        let mut of_group = access.filter(|((_, of), _)| *of == Some(group));
        let lacks = of_group.any(|((place, _), (allow, deny))| {
            !self
                .rights(account, community, *place)
                .contains(*allow | *deny)
        });
        unless(lacks, "he would give or take what he lacks")
    }

    /// Another group says other things about a topic: whoever moves it says them.
    pub fn may_exchange(&self, account: AccountId, topic: TopicId, to: GroupId) -> May {
        let moving = &self.topics[&topic];
        let kept = &self.communities[&moving.community];
        let rights = self.rights(account, moving.community, Place::Topic(topic));
        let everybody = [None].into_iter();
        let subjects = everybody.chain(kept.member_groups.keys().copied().map(Some));
        for subject in subjects {
            let said = |group| kept.access.get(&(Place::Group(group), subject)).copied();
            let (allow, deny) = said(moving.group).unwrap_or_default();
            let (new_allow, new_deny) = said(to).unwrap_or_default();
            let changed = (allow ^ new_allow) | (deny ^ new_deny);
            let rank = subject.map_or(Standing::Everyone, |group| kept.rank_of(group));
            if_so(
                changed.is_empty() || rank < kept.rank(account),
                "the rank is too low",
            )?;
            if_so(
                rights.contains(changed),
                "he would give or take what he lacks",
            )?;
        }
        Ok(())
    }

    pub fn in_community(&self, community: CommunityId, topic: TopicId) -> May {
        let is_there = self
            .topics
            .get(&topic)
            .is_some_and(|kept| kept.community == community);
        if_so(is_there, "there is no such topic")
    }
}

impl Oracle {
    pub fn may_grant(&self, actor: AccountId, command: &Command) -> May {
        match command {
            Command::MemberGroupCreate {
                community,
                member_group,
                name,
                rank,
                ..
            } => {
                let kept = self.member_of(actor, *community)?;
                self.has(
                    actor,
                    *community,
                    Place::Community,
                    Permissions::MANAGE_MEMBER_GROUPS,
                )?;
                let is_known = kept.member_groups.contains_key(member_group);
                unless(
                    is_known || kept.gone.contains(&member_group.0),
                    "the id is taken",
                )?;
                if_so(
                    Standing::Group(rank, *member_group) < kept.rank(actor),
                    "the rank is too low",
                )?;
                named(name)
            }
            Command::MemberGroupEdit {
                community,
                member_group,
                name,
                rank,
                shown,
                tagged,
            } => {
                let kept = self.member_of(actor, *community)?;
                self.has(
                    actor,
                    *community,
                    Place::Community,
                    Permissions::MANAGE_MEMBER_GROUPS,
                )?;
                let group = kept
                    .member_groups
                    .get(member_group)
                    .ok_or("there is no such group")?;
                if_so(
                    kept.rank_of(*member_group) < kept.rank(actor),
                    "the rank is too low",
                )?;
                moved(&group.0, name.as_ref())?;
                moved(&group.1, rank.as_ref())?;
                moved(&group.2.0, shown.as_ref())?;
                moved(&group.2.1, tagged.as_ref())?;
                if let Some(rank) = rank {
                    let to = Standing::Group(&rank.to, *member_group);
                    if_so(to < kept.rank(actor), "the new rank is too high")?;
                }
                new_name(name.as_ref())
            }
            Command::MemberGroupDelete {
                community,
                member_group,
            } => {
                let kept = self.member_of(actor, *community)?;
                self.has(
                    actor,
                    *community,
                    Place::Community,
                    Permissions::MANAGE_MEMBER_GROUPS,
                )?;
                if kept.gone.contains(&member_group.0) {
                    return Ok(());
                }
                if_so(
                    kept.member_groups.contains_key(member_group),
                    "there is no such group",
                )?;
                if_so(
                    kept.rank_of(*member_group) < kept.rank(actor),
                    "the rank is too low",
                )?;
                self.holds(actor, *community, *member_group)
            }
            Command::MemberGroupAssign {
                community,
                member_group,
                account,
                ..
            } => {
                let kept = self.member_of(actor, *community)?;
                self.has(
                    actor,
                    *community,
                    Place::Community,
                    Permissions::ASSIGN_MEMBER_GROUPS,
                )?;
                if_so(
                    kept.member_groups.contains_key(member_group),
                    "there is no such group",
                )?;
                if_so(kept.members.contains_key(account), "he is no member")?;
                if_so(
                    kept.rank_of(*member_group) < kept.rank(actor),
                    "the rank is too low",
                )?;
                let is_above = *account == actor || kept.rank(*account) < kept.rank(actor);
                if_so(is_above, "he stands too high")?;
                self.holds(actor, *community, *member_group)
            }
            Command::AccessSet {
                community,
                place,
                member_group,
                allow,
                deny,
            } => {
                let kept = self.member_of(actor, *community)?;
                let (right, usable) = match place {
                    Place::Community => (Permissions::MANAGE_MEMBER_GROUPS, Permissions::all()),
                    Place::Group(group) => {
                        if_so(kept.groups.contains_key(group), "there is no such group")?;
                        (
                            Permissions::MANAGE_TOPICS,
                            Permissions::all() - Permissions::COMMUNITY_ONLY,
                        )
                    }
                    Place::Topic(topic) => {
                        self.in_community(*community, *topic)?;
                        (
                            Permissions::MANAGE_TOPICS,
                            Permissions::all() - Permissions::COMMUNITY_ONLY,
                        )
                    }
                };
                self.has(actor, *community, *place, right)?;
                match member_group {
                    Some(group) => {
                        if_so(
                            kept.member_groups.contains_key(group),
                            "there is no such group",
                        )?;
                        if_so(
                            kept.rank_of(*group) < kept.rank(actor),
                            "the rank is too low",
                        )?;
                    }
                    None => if_so(Standing::Everyone < kept.rank(actor), "the rank is too low")?,
                }
                let (is_allow, is_deny) = kept
                    .access
                    .get(&(*place, *member_group))
                    .copied()
                    .unwrap_or_default();
                moved(&is_allow, Some(allow))?;
                moved(&is_deny, Some(deny))?;
                unless(
                    !(allow.to & deny.to).is_empty(),
                    "allowed and denied at once",
                )?;
                let changed = (allow.to ^ is_allow) | (deny.to ^ is_deny);
                if_so(usable.contains(changed), "that is not decided here")?;
                let has_all =
                    kept.owner == actor || self.rights(actor, *community, *place).contains(changed);
                if_so(has_all, "he would change what he lacks")
            }
            other => panic!("nobody does {}", other.method()),
        }
    }
}

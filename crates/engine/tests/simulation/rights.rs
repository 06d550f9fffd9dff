//! Who may do what, said a second time: rights from the community down to the topic, ranks, and what each command asks for.

use tulou_protocol::{
    AccountId, Command, CommunityId, GroupId, MemberGroupId, MessageId, Permissions, TopicId,
    command::Edit, id::Millis, permission::Place, text,
};

use crate::oracle::{Community, Message, Oracle};

type May = Result<(), &'static str>;

/// Two minutes.
const RECALL_MS: Millis = 120_000;

fn unless(is_wrong: bool, reason: &'static str) -> May {
    if is_wrong { Err(reason) } else { Ok(()) }
}

fn if_so(is_right: bool, reason: &'static str) -> May {
    unless(!is_right, reason)
}

fn moved<T: PartialEq>(field: &T, edit: Option<&Edit<T>>) -> May {
    let has_moved = edit.is_some_and(|edit| edit.from != *field && edit.to != *field);
    unless(has_moved, "the field has moved meanwhile")
}

fn named(name: &str) -> May {
    if_so(
        !name.is_empty() && name.chars().count() <= 60 && name.len() <= 240,
        "the name is too long",
    )
}

fn new_name(edit: Option<&Edit<String>>) -> May {
    edit.map_or(Ok(()), |edit| named(&edit.to))
}

/// Above all, a member group by its rank, below all.
#[derive(PartialEq, PartialOrd)]
enum Standing<'a> {
    Everyone,
    Group(&'a str, MemberGroupId),
    Owner,
}

impl Community {
    fn rank(&self, account: AccountId) -> Standing<'_> {
        if self.owner == account {
            return Standing::Owner;
        }
        let mine = self
            .members
            .get(&account)
            .into_iter()
            .flat_map(|(_, groups)| groups);
        mine.map(|group| self.rank_of(*group))
            .fold(Standing::Everyone, |highest, rank| {
                if rank > highest { rank } else { highest }
            })
    }

    fn rank_of(&self, group: MemberGroupId) -> Standing<'_> {
        let kept = self.member_groups.get(&group);
        kept.map_or(Standing::Everyone, |(_, rank, _)| {
            Standing::Group(rank, group)
        })
    }
}

impl Oracle {
    /// Rights at the last of the places; a seat is asked for elsewhere.
    fn rights_along(
        &self,
        account: AccountId,
        community: CommunityId,
        way: &[Place],
    ) -> Permissions {
        let Some(kept) = self.communities.get(&community) else {
            return Permissions::empty();
        };
        let Some((_, mine)) = kept.members.get(&account) else {
            return Permissions::empty();
        };
        if kept.owner == account {
            return Permissions::all();
        }
        let mut held = Permissions::empty();
        for place in way {
            let usable = match place {
                Place::Community => Permissions::all(),
                Place::Group(_) | Place::Topic(_) => {
                    Permissions::all() - Permissions::COMMUNITY_ONLY
                }
            };
            let at = |group: Option<MemberGroupId>| {
                kept.access
                    .get(&(*place, group))
                    .copied()
                    .unwrap_or_default()
            };
            let (allow, deny) = at(None);
            held = (held - (deny & usable)) | (allow & usable);
            let (mut allows, mut denies) = (Permissions::empty(), Permissions::empty());
            for group in mine {
                let (allow, deny) = at(Some(*group));
                allows |= allow;
                denies |= deny;
            }
            held = (held - (denies & usable)) | (allows & usable);
        }
        if held.contains(Permissions::VIEW) {
            held
        } else {
            Permissions::empty()
        }
    }

    pub fn rights(&self, account: AccountId, community: CommunityId, place: Place) -> Permissions {
        match place {
            Place::Community => self.rights_along(account, community, &[place]),
            Place::Group(_) => self.rights_along(account, community, &[Place::Community, place]),
            Place::Topic(topic) => {
                let Some(kept) = self.topics.get(&topic) else {
                    return Permissions::empty();
                };
                let community = &self.communities[&kept.community];
                let has_seat = !kept.closed
                    || community.owner == account
                    || community.seats.contains_key(&(topic, account));
                if has_seat {
                    self.rights_but_seat(account, topic)
                } else {
                    Permissions::empty()
                }
            }
        }
    }

    fn rights_but_seat(&self, account: AccountId, topic: TopicId) -> Permissions {
        let kept = &self.topics[&topic];
        let way = [
            Place::Community,
            Place::Group(kept.group),
            Place::Topic(topic),
        ];
        self.rights_along(account, kept.community, &way)
    }

    fn has_at_topic(&self, account: AccountId, topic: TopicId, right: Permissions) -> bool {
        self.topics.get(&topic).is_some_and(|kept| {
            self.rights(account, kept.community, Place::Topic(topic))
                .contains(right)
        })
    }

    pub fn sees_topic(&self, account: AccountId, topic: TopicId) -> bool {
        self.has_at_topic(account, topic, Permissions::VIEW)
    }

    /// Listed, but not to be entered.
    pub fn is_locked(&self, account: AccountId, topic: TopicId) -> bool {
        self.topics.get(&topic).is_some_and(|kept| kept.closed)
            && !self.sees_topic(account, topic)
            && !self.rights_but_seat(account, topic).is_empty()
    }

    pub fn sees_group(&self, account: AccountId, community: CommunityId, group: GroupId) -> bool {
        let manages = [Place::Community, Place::Group(group)]
            .into_iter()
            .any(|place| {
                let rights = self.rights(account, community, place);
                rights.contains(Permissions::MANAGE_TOPICS)
            });
        let kept = &self.communities[&community];
        let mut inside = kept
            .topics
            .iter()
            .filter(|topic| self.topics[topic].group == group);
        kept.groups.contains_key(&group)
            && (manages
                || inside.any(|topic| {
                    self.sees_topic(account, *topic) || self.is_locked(account, *topic)
                }))
    }

    /// Whether somebody who sees the topic may read what was sent at a time.
    pub fn reads(&self, account: AccountId, topic: TopicId, sent_at: Millis) -> bool {
        if self.has_at_topic(account, topic, Permissions::READ_HISTORY) {
            return true;
        }
        let kept = &self.topics[&topic];
        let community = &self.communities[&kept.community];
        let (joined_at, _) = community.members[&account];
        let seat = if kept.closed {
            community
                .seats
                .get(&(topic, account))
                .copied()
                .unwrap_or_default()
        } else {
            0
        };
        sent_at >= joined_at.max(seat)
    }

    fn readable(
        &self,
        account: AccountId,
        topic: TopicId,
        id: MessageId,
    ) -> Result<&Message, &'static str> {
        if_so(self.sees_topic(account, topic), "he does not see the topic")?;
        let messages = &self.topics[&topic].messages;
        let sent = messages
            .iter()
            .find(|sent| sent.id == id)
            .ok_or("there is no such message")?;
        if_so(
            self.reads(account, topic, sent.sent_at),
            "it is from before his time",
        )?;
        Ok(sent)
    }

    fn addressed(&self, account: AccountId, topic: TopicId, written: &str) -> May {
        if_so(
            !written.trim().is_empty() && written.len() <= 16_384,
            "the text is empty or too long",
        )?;
        let found = text::mentions(written);
        let community = &self.communities[&self.topics[&topic].community];
        let is_wide = found.everyone
            || found
                .member_groups
                .iter()
                .any(|group| community.member_groups.contains_key(group));
        if_so(
            !is_wide || self.has_at_topic(account, topic, Permissions::MENTION_ALL),
            "he may not mention all",
        )
    }

    fn member_of(
        &self,
        account: AccountId,
        community: CommunityId,
    ) -> Result<&Community, &'static str> {
        let kept = self
            .communities
            .get(&community)
            .ok_or("there is no such community")?;
        if_so(kept.members.contains_key(&account), "he is no member")?;
        Ok(kept)
    }

    fn has(
        &self,
        account: AccountId,
        community: CommunityId,
        place: Place,
        right: Permissions,
    ) -> May {
        if_so(
            self.rights(account, community, place).contains(right),
            "he lacks the right",
        )
    }

    fn knows_group(&self, account: AccountId, community: CommunityId, group: GroupId) -> May {
        if_so(
            self.communities[&community].groups.contains_key(&group),
            "there is no such group",
        )?;
        let manages = self
            .rights(account, community, Place::Group(group))
            .contains(Permissions::MANAGE_TOPICS);
        if_so(manages, "he does not manage the group")
    }

    /// Whether an account may do this, as things stand.
    pub fn may(&self, actor: AccountId, command: &Command, now: Millis) -> May {
        match command {
            Command::MessageSend {
                topic,
                message,
                text,
                reply_to,
                ..
            } => {
                if_so(
                    self.has_at_topic(actor, *topic, Permissions::SPEAK),
                    "he may not speak",
                )?;
                self.addressed(actor, *topic, text)?;
                let messages = &self.topics[topic].messages;
                let has = |id: &MessageId| messages.iter().any(|sent| sent.id == *id);
                if_so(reply_to.as_ref().is_none_or(has), "it replies to nothing")?;
                let taken = messages.iter().find(|sent| sent.id == *message);
                if_so(
                    taken.is_none_or(|sent| sent.author == actor),
                    "the id is another's",
                )
            }
            Command::MessageEdit {
                topic,
                message,
                text,
            } => {
                if_so(
                    self.has_at_topic(actor, *topic, Permissions::SPEAK),
                    "he may not speak",
                )?;
                let sent = self.readable(actor, *topic, *message)?;
                if_so(sent.author == actor, "it is another's")?;
                if_so(sent.recalled_by.is_none(), "it was recalled")?;
                if sent.text == text.to {
                    return Ok(());
                }
                if_so(sent.text == text.from, "the text has moved meanwhile")?;
                self.addressed(actor, *topic, &text.to)
            }
            Command::MessageRecall { topic, message } => {
                let sent = self.readable(actor, *topic, *message)?;
                let is_in_time = sent.author == actor && now - sent.sent_at <= RECALL_MS;
                let may_others = self.has_at_topic(actor, *topic, Permissions::RECALL_OTHERS);
                let is_done = sent.recalled_by.is_some();
                if_so(
                    is_done || is_in_time || may_others,
                    "it is another's, or too late",
                )
            }
            Command::MessageReact {
                topic,
                message,
                key,
                on,
            } => {
                let sent = self.readable(actor, *topic, *message)?;
                let is_on = sent.reactions.contains(&(actor, key.clone()));
                if *on {
                    if_so(
                        self.has_at_topic(actor, *topic, Permissions::REACT),
                        "he may not react",
                    )?;
                    if_so(sent.recalled_by.is_none(), "it was recalled")?;
                }
                let mut kinds: Vec<&String> = sent.reactions.iter().map(|(_, key)| key).collect();
                kinds.sort_unstable();
                kinds.dedup();
                let is_full = *on && !is_on && kinds.len() >= 20 && !kinds.contains(&key);
                unless(is_full, "there are too many kinds")
            }
            Command::MessagePin { topic, message, on } => {
                let sent = self.readable(actor, *topic, *message)?;
                if_so(
                    self.has_at_topic(actor, *topic, Permissions::PIN),
                    "he may not pin",
                )?;
                unless(*on && sent.recalled_by.is_some(), "it was recalled")
            }
            Command::CursorAdvance { topic, .. } | Command::CursorSet { topic, .. } => {
                if_so(self.sees_topic(actor, *topic), "he does not see the topic")
            }
            Command::MentionSeen { .. } | Command::NotifySet { .. } => Ok(()),
            Command::ProfileEdit { display_name } => {
                moved(&self.accounts[&actor].name, Some(display_name))?;
                named(&display_name.to)
            }
            Command::CommunityCreate {
                community, topic, ..
            } => unless(
                self.used.contains(&community.0) || self.used.contains(&topic.0),
                "an id is taken",
            ),
            Command::CommunityJoin { community, invite } => {
                let kept = self
                    .communities
                    .get(community)
                    .ok_or("there is no such community")?;
                unless(kept.members.contains_key(&actor), "he is a member")?;
                let is_right = invite
                    .as_ref()
                    .is_some_and(|code| *code == community.to_string());
                if_so(is_right, "the invite is not valid")
            }
            _ => self.may_manage(actor, command),
        }
    }

    fn may_manage(&self, actor: AccountId, command: &Command) -> May {
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
            Command::MemberKick { community, account } => {
                let kept = self.member_of(actor, *community)?;
                self.has(actor, *community, Place::Community, Permissions::KICK)?;
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
    fn holds(&self, account: AccountId, community: CommunityId, group: MemberGroupId) -> May {
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
    fn may_exchange(&self, account: AccountId, topic: TopicId, to: GroupId) -> May {
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

    fn in_community(&self, community: CommunityId, topic: TopicId) -> May {
        let is_there = self
            .topics
            .get(&topic)
            .is_some_and(|kept| kept.community == community);
        if_so(is_there, "there is no such topic")
    }

    fn may_grant(&self, actor: AccountId, command: &Command) -> May {
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

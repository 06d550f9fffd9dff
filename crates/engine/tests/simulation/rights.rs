//! Who may do what, said a second time: rights from the community down to the topic, ranks, and what each command asks for.

use tulou_protocol::{
    AccountId, CommunityId, GroupId, MemberGroupId, MessageId, Permissions, TopicId, command::Edit,
    id::Millis, permission::Place, text,
};

use crate::oracle::{Community, Message, Oracle};

pub type May = Result<(), &'static str>;

/// Two minutes.
pub const RECALL_MS: Millis = 120_000;

pub fn unless(is_wrong: bool, reason: &'static str) -> May {
    if is_wrong { Err(reason) } else { Ok(()) }
}

pub fn if_so(is_right: bool, reason: &'static str) -> May {
    unless(!is_right, reason)
}

pub fn moved<T: PartialEq>(field: &T, edit: Option<&Edit<T>>) -> May {
    let has_moved = edit.is_some_and(|edit| edit.from != *field && edit.to != *field);
    unless(has_moved, "the field has moved meanwhile")
}

pub fn named(name: &str) -> May {
    if_so(
        !name.is_empty() && name.chars().count() <= 60 && name.len() <= 240,
        "the name is too long",
    )
}

pub fn new_name(edit: Option<&Edit<String>>) -> May {
    edit.map_or(Ok(()), |edit| named(&edit.to))
}

/// Above all, a member group by its rank, below all.
#[derive(PartialEq, PartialOrd)]
pub enum Standing<'a> {
    Everyone,
    Group(&'a str, MemberGroupId),
    Owner,
}

impl Community {
    pub fn rank(&self, account: AccountId) -> Standing<'_> {
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

    pub fn rank_of(&self, group: MemberGroupId) -> Standing<'_> {
        let kept = self.member_groups.get(&group);
        kept.map_or(Standing::Everyone, |(_, rank, _)| {
            Standing::Group(rank, group)
        })
    }
}

impl Oracle {
    /// Rights at the last of the places; a seat is asked for elsewhere.
    pub fn rights_along(
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

    pub fn rights_but_seat(&self, account: AccountId, topic: TopicId) -> Permissions {
        let kept = &self.topics[&topic];
        let way = [
            Place::Community,
            Place::Group(kept.group),
            Place::Topic(topic),
        ];
        self.rights_along(account, kept.community, &way)
    }

    pub fn has_at_topic(&self, account: AccountId, topic: TopicId, right: Permissions) -> bool {
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

    pub fn readable(
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

    pub fn addressed(&self, account: AccountId, topic: TopicId, written: &str) -> May {
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

    pub fn member_of(
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

    pub fn has(
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

    pub fn knows_group(&self, account: AccountId, community: CommunityId, group: GroupId) -> May {
        if_so(
            self.communities[&community].groups.contains_key(&group),
            "there is no such group",
        )?;
        let manages = self
            .rights(account, community, Place::Group(group))
            .contains(Permissions::MANAGE_TOPICS);
        if_so(manages, "he does not manage the group")
    }
}

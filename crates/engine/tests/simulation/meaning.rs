//! What each accepted command means, said a second time.

use crate::oracle::*;
use std::collections::{BTreeMap, BTreeSet};
use tulou_protocol::{
    AccountId, Command, TopicId,
    id::Millis,
    permission::{Permissions, Place},
};

impl Oracle {
    /// A command was accepted. Whether that changed anything.
    pub fn apply(&mut self, actor: AccountId, command: &Command, now: Millis) -> bool {
        match command {
            Command::MessageSend { .. }
            | Command::MessageEdit { .. }
            | Command::MessageRecall { .. }
            | Command::MessageReact { .. }
            | Command::MessagePin { .. } => self.apply_to_message(actor, command, now),
            Command::CursorAdvance { topic, seq, set_no } => {
                let to = self.place(actor, *topic, seq.0);
                let last_set = self.account(actor).cursors.get(topic);
                let last_set = last_set.map_or(0, |(_, set_no)| *set_no);
                let is_further = *set_no >= last_set && to > self.stands(actor, *topic);
                if is_further {
                    self.reads_to(actor, *topic, (to, last_set), now);
                }
                is_further
            }
            Command::CursorSet { topic, seq } => {
                let to = self.place(actor, *topic, seq.0);
                let cursor = self.account(actor).cursors.get(topic).copied();
                let set_no = cursor.unwrap_or_default().1 + 1;
                self.reads_to(actor, *topic, (to, set_no), now);
                true
            }
            Command::MentionSeen {
                topic,
                message,
                seen,
            } => {
                let name = tulou_protocol::row::MessageKey::of(*topic, *message);
                let held = self.account(actor).mentions.get_mut(&name);
                held.is_some_and(|(_, is_new)| std::mem::replace(is_new, !seen) == *seen)
            }
            Command::NotifySet {
                scope,
                level,
                until,
            } => {
                let notify = &mut self.account(actor).notify;
                notify.insert(scope.key(), (*level, *until)) != Some((*level, *until))
            }
            Command::ProfileEdit { display_name } => {
                edited(&mut self.account(actor).name, Some(display_name))
            }
            Command::CommunityCreate {
                community,
                name,
                group,
                group_name,
                topic,
                topic_name,
            } => {
                let position = String::from("80");
                let everyone = (Permissions::NEW_COMMUNITY, Permissions::empty());
                let new = Community {
                    owner: actor,
                    name: name.clone(),
                    introduction: String::new(),
                    groups: BTreeMap::from([(*group, (group_name.clone(), position.clone()))]),
                    topics: BTreeSet::from([*topic]),
                    member_groups: BTreeMap::new(),
                    access: BTreeMap::from([((Place::Community, None), everyone)]),
                    members: BTreeMap::from([(actor, (now, BTreeSet::new()))]),
                    seats: BTreeMap::new(),
                    gone: BTreeSet::new(),
                };
                self.communities.insert(*community, new);
                let first = Topic {
                    community: *community,
                    group: *group,
                    name: topic_name.clone(),
                    introduction: String::new(),
                    closed: false,
                    position,
                    messages: vec![],
                };
                self.topics.insert(*topic, first);
                self.used.extend([community.0, topic.0]);
                self.account(actor).memberships.insert(*community, now);
                true
            }
            Command::CommunityEdit {
                community,
                name,
                introduction,
            } => {
                let kept = self.community(*community);
                edited(&mut kept.name, name.as_ref())
                    | edited(&mut kept.introduction, introduction.as_ref())
            }
            Command::CommunityTransfer { community, owner } => {
                let heir = owner.to;
                let kept = self.community(*community);
                if kept.owner == heir {
                    return false;
                }
                kept.owner = heir;
                let kept = &self.communities[community];
                let has_no_seat = |topic: &TopicId| {
                    self.topics[topic].closed && !kept.seats.contains_key(&(*topic, heir))
                };
                let shown: Vec<TopicId> = kept.topics.iter().copied().filter(has_no_seat).collect();
                for topic in shown {
                    let head = self.topics[&topic].messages.len() as u64;
                    let cursor = self.account(heir).cursors.get(&topic).copied();
                    let (seq, set_no) = cursor.unwrap_or_default();
                    if head > seq {
                        self.reads_to(heir, topic, (head, set_no), now);
                    }
                }
                true
            }
            Command::CommunityDissolve { community } => {
                self.communities.remove(community);
                self.topics.retain(|_, topic| topic.community != *community);
                for account in self.accounts.values_mut() {
                    account.memberships.remove(community);
                }
                true
            }
            Command::CommunityJoin { community, .. } => {
                let member = (now, BTreeSet::new());
                self.community(*community).members.insert(actor, member);
                self.account(actor).memberships.insert(*community, now);
                true
            }
            Command::CommunityLeave { community } => self.leaves(actor, *community),
            Command::MemberKick {
                community, account, ..
            } => self.leaves(*account, *community),
            Command::GroupCreate {
                community,
                group,
                name,
                position,
            } => {
                let new = (name.clone(), position.clone());
                self.community(*community).groups.insert(*group, new);
                true
            }
            Command::GroupEdit {
                community,
                group,
                name,
                position,
            } => {
                let kept = self.community(*community).groups.get_mut(group).unwrap();
                edited(&mut kept.0, name.as_ref()) | edited(&mut kept.1, position.as_ref())
            }
            Command::GroupDelete { community, group } => {
                let kept = self.community(*community);
                kept.access
                    .retain(|(place, _), _| *place != Place::Group(*group));
                kept.gone.insert(group.0);
                kept.groups.remove(group).is_some()
            }
            Command::TopicCreate {
                community,
                group,
                topic,
                name,
                introduction,
                closed,
                position,
            } => {
                let new = Topic {
                    community: *community,
                    group: *group,
                    name: name.clone(),
                    introduction: introduction.clone(),
                    closed: *closed,
                    position: position.clone(),
                    messages: vec![],
                };
                self.topics.insert(*topic, new);
                self.used.insert(topic.0);
                let kept = self.community(*community);
                kept.topics.insert(*topic);
                if *closed {
                    kept.seats.insert((*topic, actor), now);
                }
                true
            }
            Command::TopicEdit {
                topic,
                name,
                introduction,
                group,
                position,
                ..
            } => {
                let kept = self.topic(*topic);
                edited(&mut kept.name, name.as_ref())
                    | edited(&mut kept.introduction, introduction.as_ref())
                    | edited(&mut kept.group, group.as_ref())
                    | edited(&mut kept.position, position.as_ref())
            }
            Command::TopicDelete { community, topic } => {
                let kept = self.community(*community);
                kept.access
                    .retain(|(place, _), _| *place != Place::Topic(*topic));
                kept.seats.retain(|(seat, _), _| seat != topic);
                kept.gone.insert(topic.0);
                kept.topics.remove(topic);
                self.topics.remove(topic).is_some()
            }
            Command::SeatSet {
                community,
                topic,
                account,
                on,
            } => {
                let seats = &mut self.community(*community).seats;
                if !on {
                    return seats.remove(&(*topic, *account)).is_some();
                }
                let is_new = !seats.contains_key(&(*topic, *account));
                if is_new {
                    seats.insert((*topic, *account), now);
                }
                is_new
            }
            Command::MemberGroupCreate {
                community,
                member_group,
                name,
                rank,
                shown,
                tagged,
            } => {
                let new = (name.clone(), rank.clone(), (*shown, *tagged));
                self.community(*community)
                    .member_groups
                    .insert(*member_group, new);
                true
            }
            Command::MemberGroupEdit {
                community,
                member_group,
                name,
                rank,
                shown,
                tagged,
            } => {
                let kept = self.community(*community);
                let kept = kept.member_groups.get_mut(member_group).unwrap();
                edited(&mut kept.0, name.as_ref())
                    | edited(&mut kept.1, rank.as_ref())
                    | edited(&mut kept.2.0, shown.as_ref())
                    | edited(&mut kept.2.1, tagged.as_ref())
            }
            Command::MemberGroupDelete {
                community,
                member_group,
            } => {
                let kept = self.community(*community);
                kept.access
                    .retain(|(_, group), _| *group != Some(*member_group));
                for (_, groups) in kept.members.values_mut() {
                    groups.remove(member_group);
                }
                kept.gone.insert(member_group.0);
                kept.member_groups.remove(member_group).is_some()
            }
            Command::MemberGroupAssign {
                community,
                member_group,
                account,
                on,
            } => {
                let kept = self.community(*community);
                let (_, groups) = kept.members.get_mut(account).unwrap();
                if *on {
                    groups.insert(*member_group)
                } else {
                    groups.remove(member_group)
                }
            }
            Command::AccessSet {
                community,
                place,
                member_group,
                allow,
                deny,
            } => {
                let key = (*place, *member_group);
                let access = &mut self.community(*community).access;
                let is_nothing = allow.to.is_empty() && deny.to.is_empty();
                let before = access.remove(&key).unwrap_or_default();
                if !is_nothing {
                    access.insert(key, (allow.to, deny.to));
                }
                before != (allow.to, deny.to)
            }
        }
    }
}

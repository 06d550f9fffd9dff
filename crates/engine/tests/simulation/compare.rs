//! What the server wrote, compared with what the oracle says it means.

use std::collections::BTreeMap;

use tulou_protocol::{
    AccountId, Body, CommunityId, TopicId,
    row::{LockedTopic, MessageKey, Row},
};

use crate::{
    memory::{Memory, key},
    oracle::Oracle,
    store::Rows,
};

impl Oracle {
    /// Everything about one account.
    pub fn check_account(&self, account: AccountId, memory: &Memory) {
        let kept = &self.accounts[&account];
        let mut seen = crate::oracle::Account::default();
        for ((kind, id), row) in &memory.accounts[&account].rows {
            match &row.body {
                Body::Deleted(_) | Body::Unknown(..) => {}
                Body::Profile(profile) => seen.name.clone_from(&profile.display_name),
                Body::Membership(membership) => {
                    seen.memberships
                        .insert(membership.community, membership.joined_at);
                }
                Body::Cursor(cursor) => {
                    let topic: TopicId = id.parse().unwrap();
                    seen.cursors.insert(topic, (cursor.seq.0, cursor.set_no));
                    if self.topics.contains_key(&topic) {
                        let (own, _) = self.after(account, topic, cursor.seq.0);
                        assert_eq!(cursor.own, own, "own messages after the cursor of {topic}");
                    }
                }
                Body::Notify(notify) => {
                    seen.notify.insert(id.clone(), (notify.level, notify.until));
                }
                Body::Mention(mention) => {
                    let name: MessageKey = id.parse().unwrap();
                    assert_eq!(mention.topic, name.topic, "a mention is named by its topic");
                    seen.mentions.insert(name, (mention.seq.0, mention.by_edit));
                }
                Body::Mark(mark) => {
                    let name: MessageKey = id.parse().unwrap();
                    assert_eq!(mark.topic, name.topic, "a mark is named by its topic");
                    seen.marks
                        .insert(name, (mark.seq.0, mark.reactions.clone()));
                }
                _ => panic!("{account} has a {kind}"),
            }
        }
        assert_eq!(*kept, seen, "the rows of {account}");
    }

    /// The structure and the members of a community.
    pub fn check_community(&self, community: CommunityId, memory: &Memory) {
        let Some(kept) = self.communities.get(&community) else {
            assert!(
                !memory.communities.contains_key(&community),
                "{community} is over"
            );
            return;
        };
        let home = &memory.communities[&community];
        let structure = &home.structure;
        let body = &structure.community.body;
        assert_eq!(
            (kept.owner, &kept.name, &kept.introduction),
            (body.owner, &body.name, &body.introduction),
            "the row of {community}"
        );
        let groups: BTreeMap<_, _> = structure
            .groups
            .iter()
            .map(|(id, group)| (*id, (group.body.name.clone(), group.body.position.clone())))
            .collect();
        assert_eq!(kept.groups, groups, "the groups of {community}");
        let member_groups: BTreeMap<_, _> = structure
            .member_groups
            .iter()
            .map(|(id, group)| {
                let group = &group.body;
                let flags = (group.shown, group.tagged);
                (*id, (group.name.clone(), group.rank.clone(), flags))
            })
            .collect();
        assert_eq!(
            kept.member_groups, member_groups,
            "the member groups of {community}"
        );
        let access: BTreeMap<_, _> = structure
            .access
            .iter()
            .map(|(place, access)| (*place, (access.body.allow, access.body.deny)))
            .collect();
        assert_eq!(kept.access, access, "the access rows of {community}");
        let members: BTreeMap<_, _> = home
            .members
            .iter()
            .map(|(account, member)| {
                let groups = member.member_groups.iter().copied();
                let groups = groups.filter(|group| kept.member_groups.contains_key(group));
                (*account, (member.joined_at, groups.collect()))
            })
            .collect();
        assert_eq!(kept.members, members, "the members of {community}");
        let seats = structure.seats.all();
        let seats: BTreeMap<_, _> = seats
            .map(|(topic, account, since)| ((topic, account), since))
            .collect();
        assert_eq!(kept.seats, seats, "the seats of {community}");
        assert!(
            kept.topics.iter().eq(structure.topics.keys()),
            "the topics of {community}"
        );
        for (id, topic) in &structure.topics {
            let (kept, body) = (&self.topics[id], &topic.body);
            assert_eq!(
                (
                    kept.group,
                    &kept.name,
                    &kept.introduction,
                    kept.closed,
                    &kept.position
                ),
                (
                    body.group,
                    &body.name,
                    &body.introduction,
                    body.closed,
                    &body.position
                ),
                "the row of {id}"
            );
        }
        let mut numbers: Vec<u32> = structure
            .topics
            .values()
            .map(|topic| topic.body.no)
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(
            numbers.len(),
            structure.topics.len(),
            "each topic has a number of its own"
        );
    }

    /// The messages of a topic.
    pub fn check_topic(&self, topic: TopicId, memory: &Memory) {
        let (Some(kept), Some(log)) = (self.topics.get(&topic), memory.topics.get(&topic)) else {
            assert!(
                !self.topics.contains_key(&topic) && !memory.topics.contains_key(&topic),
                "{topic} is over"
            );
            return;
        };
        assert_eq!(
            kept.messages.len(),
            log.messages.len(),
            "the messages of {topic}"
        );
        for (said, sent) in kept.messages.iter().zip(&log.messages) {
            let content = sent.content();
            let is = (
                sent.id,
                content.author,
                content.sent_at,
                &content.text,
                content.reply_to,
                content.edited_at.is_some(),
                content.recalled_by,
            );
            let must = (
                said.id,
                said.author,
                said.sent_at,
                &said.text,
                said.reply_to,
                said.is_edited,
                said.recalled_by,
            );
            assert_eq!(is, must, "message {} of {topic}", sent.message.seq);
            let mut counts: BTreeMap<&String, u32> = BTreeMap::new();
            for (_, key) in &said.reactions {
                *counts.entry(key).or_default() += 1;
            }
            let marks = sent.message.marks.clone().unwrap_or_default();
            let given: BTreeMap<_, _> = marks
                .reactions
                .iter()
                .map(|given| (&given.key, given.count))
                .collect();
            assert_eq!(
                given, counts,
                "reactions to {} of {topic}",
                sent.message.seq
            );
            assert_eq!(
                marks.pinned_at.is_some(),
                said.is_pinned,
                "pin of {}",
                sent.message.seq
            );
        }
    }

    /// The rows of a community that an account sees, with the revs that the server gave them.
    pub fn seen_rows(&self, account: AccountId, community: CommunityId, memory: &Memory) -> Rows {
        let structure = &memory.communities[&community].structure;
        let mut rows = Rows::new();
        let mut add = |id: String, rev, body: Body| {
            let row = Row { id, rev, body };
            let topic = row
                .id
                .parse()
                .ok()
                .filter(|_| matches!(row.body, Body::Topic(_)));
            let row = match (&row.body, topic) {
                (Body::Topic(body), Some(topic)) if self.is_locked(account, topic) => {
                    let seats = &self.communities[&community].seats;
                    let locked = LockedTopic {
                        group: body.group,
                        name: body.name.clone(),
                        position: body.position.clone(),
                        seats: seats.keys().filter(|(seat, _)| *seat == topic).count() as u32,
                        more: Default::default(),
                    };
                    Row {
                        body: locked.into(),
                        ..row
                    }
                }
                _ => row,
            };
            if self.sees_row(account, tulou_protocol::Log::Community(community), &row) {
                rows.insert(key(row.body.kind(), &row.id), row);
            }
        };
        let own = &structure.community;
        add(community.to_string(), own.rev, own.body.clone().into());
        for (id, kept) in &structure.groups {
            add(id.to_string(), kept.rev, kept.body.clone().into());
        }
        for (id, kept) in &structure.topics {
            add(id.to_string(), kept.rev, kept.body.clone().into());
        }
        for (id, kept) in &structure.member_groups {
            add(id.to_string(), kept.rev, kept.body.clone().into());
        }
        for ((place, group), kept) in &structure.access {
            let id = tulou_protocol::row::AccessRow::id(*place, *group);
            add(id, kept.rev, kept.body.clone().into());
        }
        rows
    }
}

//! What must be so, said a second time and apart from the server: what each accepted command means, and what of it
//! reaches whom. It knows nothing of revs, pages and pushes. Who may what is in [`rights`](crate::rights).

use std::collections::{BTreeMap, BTreeSet};

use tulou_protocol::{
    AccountId, Answer, Body, Command, CommandId, CommunityId, GroupId, Log, MemberGroupId,
    MessageId, Row, TopicId,
    id::Millis,
    permission::{Permissions, Place},
    push::{Pushed, SyncOutcome},
    question::Told,
    row::Level,
    text,
};
use uuid::Uuid;

#[derive(Debug, Clone, Default)]
pub struct Oracle {
    pub communities: BTreeMap<CommunityId, Community>,
    pub topics: BTreeMap<TopicId, Topic>,
    pub accounts: BTreeMap<AccountId, Account>,
    /// Ids of logs that were ever used.
    pub used: BTreeSet<Uuid>,
    /// Commands that became a change.
    pub accepted: BTreeSet<(AccountId, CommandId)>,
}

#[derive(Debug, Clone)]
pub struct Community {
    pub owner: AccountId,
    pub name: String,
    pub introduction: String,
    pub groups: BTreeMap<GroupId, (String, String)>,
    pub topics: BTreeSet<TopicId>,
    /// Name, rank, whether it is shown.
    pub member_groups: BTreeMap<MemberGroupId, (String, String, (bool, bool))>,
    pub access: BTreeMap<(Place, Option<MemberGroupId>), (Permissions, Permissions)>,
    pub members: BTreeMap<AccountId, (Millis, BTreeSet<MemberGroupId>)>,
    pub seats: BTreeMap<(TopicId, AccountId), Millis>,
    pub gone: BTreeSet<Uuid>,
}

#[derive(Debug, Clone)]
pub struct Topic {
    pub community: CommunityId,
    pub group: GroupId,
    pub name: String,
    pub introduction: String,
    pub closed: bool,
    pub position: String,
    pub messages: Vec<Message>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub id: MessageId,
    pub author: AccountId,
    pub sent_at: Millis,
    pub text: String,
    pub reply_to: Option<MessageId>,
    pub is_edited: bool,
    pub recalled_by: Option<AccountId>,
    pub reactions: Vec<(AccountId, String)>,
    pub is_pinned: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Account {
    pub name: String,
    pub memberships: BTreeMap<CommunityId, Millis>,
    /// Place and number of the last set-back.
    pub cursors: BTreeMap<TopicId, (u64, u32)>,
    pub notify: BTreeMap<String, (Level, Option<Millis>)>,
    /// Where each stands, and whether an edit added it and it was not seen since.
    pub mentions: BTreeMap<MessageId, (TopicId, u64, bool)>,
    pub marks: BTreeMap<MessageId, (TopicId, u64, Vec<String>)>,
}

fn edited<T: Clone + PartialEq>(
    field: &mut T,
    edit: Option<&tulou_protocol::command::Edit<T>>,
) -> bool {
    let Some(edit) = edit else { return false };
    let is_other = *field != edit.to;
    field.clone_from(&edit.to);
    is_other
}

impl Oracle {
    pub fn new(accounts: &[AccountId]) -> Self {
        let named = |id: &AccountId| {
            let account = Account {
                name: "name".into(),
                ..Account::default()
            };
            (*id, account)
        };
        Self {
            accounts: accounts.iter().map(named).collect(),
            used: accounts.iter().map(|id| id.0).collect(),
            ..Self::default()
        }
    }

    fn topic(&mut self, id: TopicId) -> &mut Topic {
        self.topics.get_mut(&id).unwrap()
    }

    fn community(&mut self, id: CommunityId) -> &mut Community {
        self.communities.get_mut(&id).unwrap()
    }

    fn account(&mut self, id: AccountId) -> &mut Account {
        self.accounts.get_mut(&id).unwrap()
    }

    /// How many messages an account wrote after a place, and how many others did.
    pub fn after(&self, account: AccountId, topic: TopicId, seq: u64) -> (u64, u64) {
        let after = self.topics[&topic].messages.iter().skip(seq as usize);
        let (own, others): (Vec<_>, Vec<_>) = after.partition(|sent| sent.author == account);
        (own.len() as u64, others.len() as u64)
    }

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
                let (at, last_set) = self
                    .account(actor)
                    .cursors
                    .get(topic)
                    .copied()
                    .unwrap_or_default();
                let is_further = *set_no >= last_set && to > at;
                if is_further {
                    self.account(actor).cursors.insert(*topic, (to, last_set));
                }
                is_further
            }
            Command::CursorSet { topic, seq } => {
                let to = self.place(actor, *topic, seq.0);
                let cursor = self.account(actor).cursors.entry(*topic).or_default();
                *cursor = (to, cursor.1 + 1);
                true
            }
            Command::MentionSeen {
                topic,
                message,
                seen,
            } => {
                let held = self.account(actor).mentions.get_mut(message);
                match held {
                    Some((at, _, is_new)) if at == topic => {
                        std::mem::replace(is_new, !seen) == *seen
                    }
                    Some(_) | None => false,
                }
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
                    self.reads_up_to(heir, topic, head);
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
                let seen: Vec<TopicId> = self.communities[community]
                    .topics
                    .iter()
                    .copied()
                    .filter(|topic| self.sees_topic(actor, *topic))
                    .collect();
                for topic in seen {
                    let head = self.topics[&topic].messages.len() as u64;
                    self.reads_up_to(actor, topic, head);
                }
                true
            }
            Command::CommunityLeave { community } => self.leaves(actor, *community),
            Command::MemberKick { community, account } => self.leaves(*account, *community),
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
                    let head = self.topics[topic].messages.len() as u64;
                    self.reads_up_to(*account, *topic, head);
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

    fn apply_to_message(&mut self, actor: AccountId, command: &Command, now: Millis) -> bool {
        match command {
            Command::MessageSend {
                topic,
                message,
                text,
                reply_to,
                ..
            } => {
                let kept = self.topic(*topic);
                kept.messages.push(Message {
                    id: *message,
                    author: actor,
                    sent_at: now,
                    text: text.clone(),
                    reply_to: *reply_to,
                    is_edited: false,
                    recalled_by: None,
                    reactions: vec![],
                    is_pinned: false,
                });
                let seq = kept.messages.len() as u64;
                // It is read up to there, if nothing was unread.
                let (at, set_no) = self
                    .account(actor)
                    .cursors
                    .get(topic)
                    .copied()
                    .unwrap_or_default();
                let (_, unread) = self.after(actor, *topic, at);
                let at = if unread == 0 { seq } else { at };
                self.account(actor).cursors.insert(*topic, (at, set_no));
                let mentioned = text::mentions(text).accounts;
                self.mention(actor, *message, (*topic, seq, false), &mentioned);
                true
            }
            Command::MessageEdit {
                topic,
                message,
                text: edit,
            } => {
                let (seq, sent) = self.message(*topic, *message);
                if sent.text == edit.to {
                    return false;
                }
                sent.text = edit.to.clone();
                sent.is_edited = true;
                let before = text::mentions(&edit.from).accounts;
                let after = text::mentions(&edit.to).accounts;
                for gone in before.iter().filter(|account| !after.contains(account)) {
                    if let Some(account) = self.accounts.get_mut(gone) {
                        account.mentions.remove(message);
                    }
                }
                let new: Vec<AccountId> = after
                    .into_iter()
                    .filter(|account| !before.contains(account))
                    .collect();
                self.mention(actor, *message, (*topic, seq, true), &new);
                true
            }
            Command::MessageRecall { topic, message } => {
                let (_, sent) = self.message(*topic, *message);
                let is_new = sent.recalled_by.is_none();
                if is_new {
                    sent.recalled_by = Some(actor);
                    sent.is_pinned = false;
                    let mentioned = text::mentions(&std::mem::take(&mut sent.text)).accounts;
                    for account in mentioned {
                        if let Some(account) = self.accounts.get_mut(&account) {
                            account.mentions.remove(message);
                        }
                    }
                }
                is_new
            }
            Command::MessageReact {
                topic,
                message,
                key,
                on,
            } => {
                let (seq, sent) = self.message(*topic, *message);
                let given = (actor, key.clone());
                let was_on = sent.reactions.contains(&given);
                if was_on == *on {
                    return false;
                }
                sent.reactions.retain(|other| *other != given);
                let mark = self.account(actor).marks.entry(*message);
                let (_, _, keys) = mark.or_insert((*topic, seq, vec![]));
                keys.retain(|other| other != key);
                if *on {
                    keys.push(key.clone());
                }
                if keys.is_empty() {
                    self.account(actor).marks.remove(message);
                }
                if *on {
                    self.message(*topic, *message).1.reactions.push(given);
                }
                true
            }
            Command::MessagePin { topic, message, on } => {
                let (_, sent) = self.message(*topic, *message);
                std::mem::replace(&mut sent.is_pinned, *on) != *on
            }
            other => panic!("{} is not about a message", other.method()),
        }
    }

    fn message(&mut self, topic: TopicId, id: MessageId) -> (u64, &mut Message) {
        let messages = &mut self.topic(topic).messages;
        let at = messages.iter().position(|sent| sent.id == id).unwrap();
        (at as u64 + 1, &mut messages[at])
    }

    /// Persons who may see the topic are told.
    fn mention(
        &mut self,
        author: AccountId,
        message: MessageId,
        at: (TopicId, u64, bool),
        persons: &[AccountId],
    ) {
        for person in persons {
            if *person != author && self.sees_topic(*person, at.0) {
                self.account(*person).mentions.insert(message, at);
            }
        }
    }

    fn leaves(&mut self, account: AccountId, community: CommunityId) -> bool {
        let kept = self.community(community);
        kept.members.remove(&account);
        kept.seats.retain(|(_, whose), _| *whose != account);
        self.account(account)
            .memberships
            .remove(&community)
            .is_some()
    }

    /// Where a cursor is put: what may not be read is read, and what is not there is not.
    fn place(&self, account: AccountId, topic: TopicId, seq: u64) -> u64 {
        let messages = &self.topics[&topic].messages;
        let hidden = messages
            .iter()
            .filter(|sent| !self.reads(account, topic, sent.sent_at));
        seq.max(hidden.count() as u64).min(messages.len() as u64)
    }

    /// Nothing up to there is unread.
    fn reads_up_to(&mut self, account: AccountId, topic: TopicId, seq: u64) {
        if seq > 0 {
            let cursor = self.account(account).cursors.entry(topic).or_default();
            cursor.0 = cursor.0.max(seq);
        }
    }

    /// A mention or a mark has become old.
    pub fn fades(&mut self, account: AccountId, kind: &str, id: MessageId) {
        let kept = self.account(account);
        if kind == "mention" {
            kept.mentions.remove(&id);
        } else {
            kept.marks.remove(&id);
        }
    }

    /// What was sent before the member joined, or got his seat, is read.
    pub fn reads_before(&mut self, account: AccountId, community: CommunityId) {
        let kept = &self.communities[&community];
        let (joined_at, _) = kept.members[&account];
        let mut read = Vec::new();
        for topic in kept
            .topics
            .iter()
            .filter(|topic| self.sees_topic(account, **topic))
        {
            let seat = kept
                .seats
                .get(&(*topic, account))
                .copied()
                .unwrap_or_default();
            let since = joined_at.max(seat);
            let messages = &self.topics[topic].messages;
            let before = messages.iter().filter(|sent| sent.sent_at < since).count();
            // Who might read it and has been here knows himself.
            let has_been = self.accounts[&account].cursors.contains_key(topic);
            if !has_been || !self.reads(account, *topic, 0) {
                read.push((*topic, before as u64));
            }
        }
        for (topic, seq) in read {
            self.reads_up_to(account, topic, seq);
        }
    }

    /// Each command becomes one change at most.
    pub fn commanded(&mut self, account: AccountId, id: CommandId) {
        assert!(
            self.accepted.insert((account, id)),
            "command {id} became a change twice"
        );
    }

    // What leaves the server.

    pub fn look_at_push(&self, account: AccountId, pushed: &Pushed) {
        match pushed {
            Pushed::Push(push) => self.look_at_rows(account, push.log, &push.rows),
            Pushed::Digest(digest) => self.look_at_digest(account, digest),
            _ => {}
        }
    }

    pub fn look_at_answer(&self, account: AccountId, answer: &Answer) {
        for push in &answer.pushes {
            self.look_at_rows(account, push.log, &push.rows);
        }
    }

    pub fn look_at_told(&self, account: AccountId, told: &Told) {
        match told {
            Told::Synced(synced) => {
                for log in &synced.logs {
                    match &log.outcome {
                        SyncOutcome::Rows { rows, .. }
                        | SyncOutcome::Reset { rows, .. }
                        | SyncOutcome::Topic { rows, .. } => {
                            self.look_at_rows(account, log.log, rows);
                        }
                        SyncOutcome::Ahead { .. } | SyncOutcome::Gone {} => {}
                    }
                }
            }
            Told::Page(page) => self.look_at_rows(account, Log::Topic(page.topic), &page.rows),
            Told::Heads(digest) => self.look_at_digest(account, digest),
            Told::Watched(watched) => {
                for topic in &watched.topics {
                    assert!(
                        self.sees_topic(account, topic.topic),
                        "a hidden topic is watched"
                    );
                }
            }
            _ => {}
        }
    }

    fn look_at_digest(&self, account: AccountId, digest: &tulou_protocol::Digest) {
        let seen = self.communities[&digest.community].topics.iter();
        let seen = seen
            .filter(|topic| self.sees_topic(account, **topic))
            .count();
        assert!(
            digest.topics.len() <= seen,
            "a digest names what may not be seen"
        );
    }

    fn look_at_rows(&self, account: AccountId, log: Log, rows: &[Row]) {
        for row in rows {
            assert!(
                self.sees_row(account, log, row),
                "{row:?} of {log} may not reach {account}"
            );
        }
    }

    /// Whether somebody may see a row as the things stand.
    pub fn sees_row(&self, account: AccountId, log: Log, row: &Row) -> bool {
        match log {
            Log::Account(own) => own == account,
            Log::Topic(topic) => match &row.body {
                Body::Message(message) => {
                    let sent = &self.topics[&topic].messages[message.seq.0 as usize - 1];
                    self.sees_topic(account, topic)
                        && (sent.author == account || self.reads(account, topic, sent.sent_at))
                }
                _ => false,
            },
            Log::Community(community) => {
                // A tombstone names an opaque id and nothing else.
                if matches!(row.body, Body::Deleted(_)) {
                    return true;
                }
                let Some(kept) = self.communities.get(&community) else {
                    return false;
                };
                let at = |place: Place| match place {
                    Place::Community => true,
                    Place::Group(group) => self.sees_group(account, community, group),
                    Place::Topic(topic) => self.sees_topic(account, topic),
                };
                kept.members.contains_key(&account)
                    && match &row.body {
                        Body::Community(_) | Body::MemberGroup(_) => true,
                        Body::Group(_) => at(Place::Group(row.id.parse().unwrap())),
                        Body::Topic(_) => at(Place::Topic(row.id.parse().unwrap())),
                        Body::LockedTopic(_) => self.is_locked(account, row.id.parse().unwrap()),
                        Body::AccessRow(access) => at(access.place),
                        _ => false,
                    }
            }
        }
    }
}

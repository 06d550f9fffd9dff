//! What must be so, said a second time and apart from the server: what each accepted command means, and what of it
//! reaches whom. It knows nothing of revs, pages and pushes. Who may what is in [`rights`](crate::rights).

use std::collections::{BTreeMap, BTreeSet};

use tulou_protocol::{
    AccountId, CommandId, CommunityId, GroupId, MemberGroupId, MessageId, TopicId,
    id::Millis,
    permission::{Permissions, Place},
    row::{Level, MessageKey},
};
use uuid::Uuid;

use crate::room::Room;

#[derive(Debug, Clone, Default)]
pub struct Oracle {
    pub communities: BTreeMap<CommunityId, Community>,
    pub topics: BTreeMap<TopicId, Topic>,
    pub accounts: BTreeMap<AccountId, Account>,
    /// Ids of logs that were ever used.
    pub used: BTreeSet<Uuid>,
    /// Commands that became a change.
    pub accepted: BTreeSet<(AccountId, CommandId)>,
    pub room: Room,
    /// When each account last said how far it has read a topic, or wrote there.
    pub read_at: BTreeMap<(AccountId, TopicId), Millis>,
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
    /// What it said when it was written.
    pub first_text: String,
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
    pub mentions: BTreeMap<MessageKey, (u64, bool)>,
    pub marks: BTreeMap<MessageKey, (u64, Vec<String>)>,
}

pub fn edited<T: Clone + PartialEq>(
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

    pub fn topic(&mut self, id: TopicId) -> &mut Topic {
        self.topics.get_mut(&id).unwrap()
    }

    pub fn community(&mut self, id: CommunityId) -> &mut Community {
        self.communities.get_mut(&id).unwrap()
    }

    pub fn account(&mut self, id: AccountId) -> &mut Account {
        self.accounts.get_mut(&id).unwrap()
    }

    /// How many messages an account wrote after a place, and how many others did.
    pub fn after(&self, account: AccountId, topic: TopicId, seq: u64) -> (u64, u64) {
        let after = self.topics[&topic].messages.iter().skip(seq as usize);
        let (own, others): (Vec<_>, Vec<_>) = after.partition(|sent| sent.author == account);
        (own.len() as u64, others.len() as u64)
    }

    pub fn message(&mut self, topic: TopicId, id: MessageId) -> (u64, &mut Message) {
        let messages = &mut self.topic(topic).messages;
        let at = messages.iter().position(|sent| sent.id == id).unwrap();
        (at as u64 + 1, &mut messages[at])
    }

    /// Persons who may see the topic are told.
    pub fn mention(
        &mut self,
        author: AccountId,
        message: MessageKey,
        at: (u64, bool),
        persons: &[AccountId],
    ) {
        for person in persons {
            if *person != author && self.sees_topic(*person, message.topic) {
                self.account(*person).mentions.insert(message, at);
            }
        }
    }

    pub fn leaves(&mut self, account: AccountId, community: CommunityId) -> bool {
        let kept = self.community(community);
        kept.members.remove(&account);
        kept.seats.retain(|(_, whose), _| *whose != account);
        self.account(account)
            .memberships
            .remove(&community)
            .is_some()
    }

    /// Where a cursor is put: what may not be read is read, and what is not there is not.
    pub fn place(&self, account: AccountId, topic: TopicId, seq: u64) -> u64 {
        let messages = &self.topics[&topic].messages;
        let hidden = messages
            .iter()
            .filter(|sent| !self.reads(account, topic, sent.sent_at));
        seq.max(hidden.count() as u64).min(messages.len() as u64)
    }

    /// Somebody is at a place of a topic, by what he did at a time.
    pub fn reads_to(
        &mut self,
        account: AccountId,
        topic: TopicId,
        (seq, set_no): (u64, u32),
        now: Millis,
    ) {
        self.account(account).cursors.insert(topic, (seq, set_no));
        self.read_at.insert((account, topic), now);
    }

    /// Up to where a topic counts as read: to the cursor; what was sent before somebody was there, if he has done nothing
    /// since or may not read it.
    pub fn stands(&self, account: AccountId, topic: TopicId) -> u64 {
        let kept = &self.topics[&topic];
        let community = &self.communities[&kept.community];
        let seat = community.seats.get(&(topic, account)).copied();
        let since = community.members[&account].0.max(seat.unwrap_or_default());
        let before = kept.messages.iter().filter(|sent| sent.sent_at < since);
        let before = before.count() as u64;
        let cursor = self.accounts[&account].cursors.get(&topic);
        let has_been = self
            .read_at
            .get(&(account, topic))
            .is_some_and(|at| *at >= since);
        match cursor {
            Some((seq, _)) if has_been && self.reads(account, topic, 0) => *seq,
            Some((seq, _)) => before.max(*seq),
            None => before,
        }
    }

    /// A mention or a mark has become old.
    pub fn fades(&mut self, account: AccountId, kind: &str, id: MessageKey) {
        let kept = self.account(account);
        if kind == "mention" {
            kept.mentions.remove(&id);
        } else {
            kept.marks.remove(&id);
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
}

//! What a model server keeps, and who sees what of it.

use std::collections::{BTreeMap, BTreeSet};

use tulou_protocol::{
    AccountId, Answer, Body, CommandId, CommunityId, Epoch, Log, MessageId, Push, Rejection, Rev,
    Row, Seq, TopicId, id::Millis, row::Message,
};

use crate::store::Rows;

/// A message and who reacted.
#[derive(Debug, Clone)]
pub struct Sent {
    pub id: MessageId,
    pub created_rev: Rev,
    pub message: Message,
    pub reactions: Vec<(AccountId, String)>,
}

#[derive(Debug, Clone)]
pub struct TopicLog {
    pub community: CommunityId,
    pub rev: Rev,
    pub messages: Vec<Sent>,
    pub moved_at: Millis,
}

/// The account's log or a community's.
#[derive(Debug, Clone, Default)]
pub struct RowLog {
    pub rev: Rev,
    pub rows: Rows,
}

#[derive(Debug, Clone, Default)]
pub struct Members {
    pub joined: BTreeMap<AccountId, Millis>,
    /// Topics that a member does not see.
    pub hidden: BTreeMap<AccountId, BTreeSet<TopicId>>,
    /// Nobody reads what was sent before he joined.
    pub is_forgetful: bool,
    pub next_no: u32,
}

/// What is durable.
#[derive(Debug, Clone)]
pub struct State {
    pub epoch: Epoch,
    pub accounts: BTreeMap<AccountId, RowLog>,
    pub communities: BTreeMap<CommunityId, (RowLog, Members)>,
    pub topics: BTreeMap<TopicId, TopicLog>,
    pub answers: BTreeMap<(AccountId, CommandId), Result<Answer, Rejection>>,
}

fn key(row: &Row) -> (String, String) {
    (row.body.kind().to_owned(), row.id.clone())
}

impl RowLog {
    pub fn put(&mut self, id: String, body: Body) -> Row {
        self.rev = self.rev.next();
        let row = Row {
            id,
            rev: self.rev,
            body,
        };
        self.rows.insert(key(&row), row.clone());
        row
    }

    pub fn push(&self, log: Log, prev: Rev, rows: Vec<Row>) -> Push {
        Push {
            log,
            prev,
            rev: self.rev,
            rows,
            authors: vec![],
        }
    }

    pub fn since(&self, rev: Rev) -> Vec<Row> {
        let mut rows: Vec<Row> = self
            .rows
            .values()
            .filter(|row| row.rev > rev)
            .cloned()
            .collect();
        rows.sort_by_key(|row| row.rev);
        rows
    }
}

impl TopicLog {
    pub fn head(&self) -> Seq {
        Seq(self.messages.len() as u64)
    }

    pub fn find(&mut self, id: MessageId) -> Option<&mut Sent> {
        self.messages.iter_mut().find(|sent| sent.id == id)
    }
}

impl Sent {
    pub fn row(&self) -> Row {
        Row {
            id: self.id.to_string(),
            rev: self.message.content_rev.max(self.message.marks_rev),
            body: self.message.clone().into(),
        }
    }
}

impl State {
    pub fn is_seen(&self, account: AccountId, topic: TopicId) -> bool {
        self.topics.get(&topic).is_some_and(|log| {
            self.communities
                .get(&log.community)
                .is_some_and(|(_, members)| members.sees(account, topic))
        })
    }

    pub fn floor(&self, account: AccountId, topic: TopicId) -> Seq {
        let Some(log) = self.topics.get(&topic) else {
            return Seq(1);
        };
        let (_, members) = &self.communities[&log.community];
        let joined = members.joined.get(&account).copied().unwrap_or_default();
        if !members.is_forgetful {
            return Seq(1);
        }
        let before = log.messages.iter().filter(|sent| {
            sent.message
                .content
                .as_ref()
                .is_some_and(|content| content.sent_at < joined)
        });
        Seq(before.count() as u64 + 1)
    }

    /// The rows of a community that an account sees, without tombstones.
    pub fn seen_rows(&self, account: AccountId, community: CommunityId) -> Rows {
        let (log, members) = &self.communities[&community];
        log.rows
            .iter()
            .filter(|(_, row)| !matches!(row.body, Body::Deleted(_)))
            .filter(|(_, row)| members.sees_row(account, row))
            .map(|(key, row)| (key.clone(), row.clone()))
            .collect()
    }
}

impl Members {
    pub fn sees(&self, account: AccountId, topic: TopicId) -> bool {
        self.joined.contains_key(&account)
            && !self
                .hidden
                .get(&account)
                .is_some_and(|hidden| hidden.contains(&topic))
    }

    pub fn sees_row(&self, account: AccountId, row: &Row) -> bool {
        match row.body.kind() {
            "topic" => self.sees(account, row.id.parse().unwrap()),
            _ => self.joined.contains_key(&account),
        }
    }

    pub fn view(&self, account: AccountId) -> String {
        format!(
            "{:?} {:?} {}",
            self.hidden.get(&account),
            self.joined.get(&account),
            self.is_forgetful
        )
    }
}

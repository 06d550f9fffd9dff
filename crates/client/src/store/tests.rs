#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "anything else fails the test"
)]

mod epochs;
mod forgetting;
mod leaving;
mod newest;
mod opening;
mod restart;
mod waiting;
mod years;

use std::collections::HashSet;

use serde_json::json;
use tulou_engine::{Island, OutboxState, TopicHead};
use tulou_protocol::{
    Body, Command, CommandId, CommunityId, Greeting, Log, MessageId, Rejection, Rev, Row, Seq,
    TopicId,
    question::PageAt,
    rejection::Code,
    row::{Content, Group, Marks, Message, MessageKey, Reaction},
};
use uuid::Uuid;

use super::*;
use crate::{
    account::{Snapshot, tests::account_of},
    as_of::AsOf,
    read::timeline::timeline,
    view::{MessageView, Stretch, TimelineView},
};

const ME: AccountId = AccountId(Uuid::from_u128(1));
const TOPIC: TopicId = TopicId(Uuid::from_u128(2));
const COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(3));

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("a.sqlite"), ME).unwrap();
    (folder, store)
}

fn content(text: &str) -> Content {
    Content {
        author: ME,
        sent_at: 5,
        written_at: Some(5),
        text: text.to_owned(),
        reply_to: None,
        edited_at: None,
        recalled_by: None,
        more: serde_json::Map::new(),
    }
}

fn id(seq: u64) -> MessageId {
    MessageId(Uuid::from_u128(1_000 + u128::from(seq)))
}

/// The last messages of the topic as they are shown.
fn end_of_topic(store: Store, as_of: AsOf) -> TimelineView {
    let account = account_of(store, ME);
    let read = account.store.read(|db| {
        let mut snapshot = Snapshot::within(db, &account);
        snapshot.as_of = as_of;
        timeline(&snapshot, TOPIC, &Stretch::End { count: 50 }, None)
    });
    read.unwrap().view
}

/// A message row with the content at one rev, and marks at another where given.
fn message(seq: u64, text: Option<(&str, u64)>, marks: Option<(u32, u64)>) -> Row {
    let content_rev = Rev(text.map_or(0, |(_, rev)| rev));
    let marks_rev = Rev(marks.map_or(0, |(_, rev)| rev));
    Row {
        id: id(seq).to_string(),
        rev: content_rev.max(marks_rev),
        body: Message {
            seq: Seq(seq),
            content: text.map(|(text, _)| content(text)),
            content_rev,
            marks: marks.map(|(count, _)| Marks {
                reactions: vec![Reaction {
                    key: "🔥".into(),
                    count,
                }],
                ..Marks::default()
            }),
            marks_rev,
            more: serde_json::Map::new(),
        }
        .into(),
    }
}

fn group(id: u128, rev: u64, name: &str) -> Row {
    Row {
        id: tulou_protocol::GroupId(Uuid::from_u128(id)).to_string(),
        rev: Rev(rev),
        body: Group {
            name: name.into(),
            position: "V".into(),
            more: serde_json::Map::new(),
        }
        .into(),
    }
}

fn topic_row() -> Row {
    Row {
        id: TOPIC.to_string(),
        rev: Rev(1),
        body: tulou_protocol::row::Topic {
            group: tulou_protocol::GroupId(Uuid::from_u128(5)),
            name: "t".into(),
            introduction: String::new(),
            closed: false,
            position: "V".into(),
            no: 1,
            more: serde_json::Map::new(),
        }
        .into(),
    }
}

fn apply(store: &Store, batch: Vec<Write>) -> Touched {
    store.apply(&batch, 1).unwrap()
}

fn topic_rows(rows: Vec<Row>) -> Write {
    Write::Rows(Log::Topic(TOPIC), rows)
}

fn held(store: &Store) -> Vec<(u64, String, u32)> {
    store
        .read(|db| messages::stretch(db, TOPIC, Seq(0), Seq(1_000_000), 100))
        .unwrap()
        .into_iter()
        .map(|held| {
            let count = held.marks.reactions.first().map_or(0, |mark| mark.count);
            (held.seq.0, held.content.text, count)
        })
        .collect()
}

fn greeted(epoch: u128) -> Write {
    Write::Greeted(Box::new(Greeting {
        version: 1,
        server: tulou_protocol::ServerId(Uuid::from_u128(1)),
        server_name: "s".into(),
        epoch: tulou_protocol::Epoch(Uuid::from_u128(epoch)),
        session: tulou_protocol::SessionId(Uuid::from_u128(1)),
        account: ME,
        now: 0,
        limits: tulou_protocol::limits::Limits::default(),
        account_limits: tulou_protocol::push::AccountLimits::default(),
        addresses: Vec::new(),
    }))
}

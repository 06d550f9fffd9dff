//! Rows, pushes and commands as the scripts need them.

use tulou_engine::{Island, Write};
use tulou_protocol::{
    AccountId, Body, Code, Command, CommandId, Log, MessageId, Push, Rejection, Rev, Row, Seq,
    TopicId,
    row::{Content, Membership, Message, More, Topic},
};
use uuid::Uuid;

use crate::stage::*;

/// An island where somebody went.
pub fn paged(from: u64, to: u64, rev: u64) -> Island {
    Island {
        is_paged: true,
        ..island(from, to, rev)
    }
}

pub fn island(from: u64, to: u64, rev: u64) -> Island {
    Island {
        from: Seq(from),
        to: Seq(to),
        rev: Rev(rev),
        is_paged: false,
    }
}

pub fn message(seq: u64, rev: u64, author: AccountId) -> Row {
    Row {
        id: MessageId(Uuid::from_u128(500 + u128::from(seq))).to_string(),
        rev: Rev(rev),
        body: Body::Message(Message {
            seq: Seq(seq),
            content: Some(Content {
                author,
                sent_at: START,
                written_at: None,
                text: format!("第{seq}句"),
                reply_to: None,
                edited_at: None,
                recalled_by: None,
                more: More::new(),
            }),
            content_rev: Rev(rev),
            marks: None,
            marks_rev: Rev::ZERO,
            more: More::new(),
        }),
    }
}

pub fn messages(seqs: std::ops::RangeInclusive<u64>) -> Vec<Row> {
    seqs.map(|seq| message(seq, seq, OTHER)).collect()
}

pub fn topic_row(topic: TopicId, no: u32, rev: u64) -> Row {
    Row {
        id: topic.to_string(),
        rev: Rev(rev),
        body: Body::Topic(Topic {
            group: GROUP,
            name: "闲聊".into(),
            introduction: String::new(),
            closed: false,
            position: "80".into(),
            no,
            more: More::new(),
        }),
    }
}

pub fn membership(rev: u64, is_member: bool) -> Row {
    let body = Membership {
        community: COMMUNITY,
        joined_at: 1,
        more: More::new(),
    };
    Row {
        id: COMMUNITY.to_string(),
        rev: Rev(rev),
        body: if is_member {
            Body::Membership(body)
        } else {
            Body::Deleted("membership".into())
        },
    }
}

pub fn push(log: Log, prev: u64, rev: u64, rows: Vec<Row>) -> Push {
    Push {
        log,
        prev: Rev(prev),
        rev: Rev(rev),
        rows,
        authors: vec![],
    }
}

pub fn send(topic: TopicId, message: u128, text: &str) -> Command {
    Command::MessageSend {
        topic,
        message: MessageId(Uuid::from_u128(message)),
        text: text.into(),
        reply_to: None,
        written_at: START,
    }
}

pub fn create_community() -> Command {
    Command::CommunityCreate {
        community: COMMUNITY,
        name: "星海".into(),
        group: GROUP,
        group_name: "大厅".into(),
        topic: TOPIC,
        topic_name: "闲聊".into(),
    }
}

pub fn create_topic(topic: TopicId) -> Command {
    Command::TopicCreate {
        community: COMMUNITY,
        group: GROUP,
        topic,
        name: "新话题".into(),
        introduction: String::new(),
        closed: false,
        position: "80".into(),
    }
}

pub fn rejected(id: CommandId, code: Code) -> Write {
    Write::Rejected(id, Rejection::from(code))
}

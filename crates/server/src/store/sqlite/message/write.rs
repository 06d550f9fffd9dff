//! Writing messages.

use rusqlite::Connection;
use tulou_protocol::{
    AccountId, MessageId, Rev, Row, Seq, TopicId,
    id::Millis,
    row::{Content, Marks, Message, MessageKey, More},
};

use super::super::log::{counter, number};
use crate::{
    domain::change::Sent,
    store::{Head, StoreError},
};

const INSERT: &str = "INSERT INTO message (topic, seq, id, author, sent_at, written_at, text, reply_to, first_rev, rev, content_rev)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?9)";

/// Appends a message.
pub fn insert(
    db: &Connection,
    sent: &Sent,
    head: Head,
    sent_at: Millis,
) -> Result<Row, StoreError> {
    db.prepare_cached(INSERT)?.execute((
        sent.topic.as_bytes(),
        number(head.seq.0),
        sent.message.as_bytes(),
        sent.author.as_bytes(),
        sent_at,
        sent.written_at,
        &sent.text,
        sent.reply_to.as_ref().map(MessageId::as_bytes),
        number(head.rev.0),
    ))?;
    let content = Content {
        author: sent.author,
        sent_at,
        written_at: sent.written_at,
        text: sent.text.clone(),
        reply_to: sent.reply_to,
        edited_at: None,
        recalled_by: None,
        more: More::new(),
    };
    Ok(Row {
        id: sent.message.to_string(),
        rev: head.rev,
        body: Message {
            seq: head.seq,
            content: Some(content),
            content_rev: head.rev,
            marks: None,
            marks_rev: Rev::ZERO,
            more: More::new(),
        }
        .into(),
    })
}

/// Writes a message's first part; the row that says so.
pub fn put_content(
    db: &Connection,
    topic: TopicId,
    id: MessageId,
    seq: Seq,
    content: &Content,
    rev: Rev,
) -> Result<Row, StoreError> {
    let marks_rev = db
        .prepare_cached(
            "UPDATE message SET text = ?3, edited_at = ?4, recalled_by = ?5, rev = ?6, content_rev = ?6
            WHERE topic = ?1 AND seq = ?2 RETURNING marks_rev",
        )?
        .query_row(
            (
                topic.as_bytes(),
                number(seq.0),
                &content.text,
                content.edited_at,
                content.recalled_by.as_ref().map(AccountId::as_bytes),
                number(rev.0),
            ),
            |row| counter(row, 0),
        )?;
    Ok(Row {
        id: id.to_string(),
        rev,
        body: Message {
            seq,
            content: Some(content.clone()),
            content_rev: rev,
            marks: None,
            marks_rev: Rev(marks_rev),
            more: More::new(),
        }
        .into(),
    })
}

/// Writes a message's second part; the row that says so.
pub fn put_marks(
    db: &Connection,
    key: MessageKey,
    seq: Seq,
    marks: &Marks,
    rev: Rev,
) -> Result<Row, StoreError> {
    let content_rev = db
        .prepare_cached(
            "UPDATE message SET marks = ?3, pinned_at = ?4, rev = ?5, marks_rev = ?5
            WHERE topic = ?1 AND seq = ?2 RETURNING content_rev",
        )?
        .query_row(
            (
                key.topic.as_bytes(),
                number(seq.0),
                serde_json::to_string(marks)?,
                marks.pinned_at,
                number(rev.0),
            ),
            |row| counter(row, 0),
        )?;
    Ok(Row {
        id: key.message.to_string(),
        rev,
        body: Message {
            seq,
            content: None,
            content_rev: Rev(content_rev),
            marks: Some(marks.clone()),
            marks_rev: rev,
            more: More::new(),
        }
        .into(),
    })
}

/// Who gave a reaction, or took it back; false if it was so already.
pub fn put_reaction(
    db: &Connection,
    topic: TopicId,
    seq: Seq,
    key: &str,
    account: AccountId,
    on: bool,
) -> Result<bool, StoreError> {
    let sql = if on {
        "INSERT INTO reaction (topic, seq, key, account) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM reaction WHERE topic = ?1 AND seq = ?2 AND key = ?3 AND account = ?4"
    };
    let changed = db.prepare_cached(sql)?.execute((
        topic.as_bytes(),
        number(seq.0),
        key,
        account.as_bytes(),
    ))?;
    Ok(changed > 0)
}

/// The wide mentions of a message.
pub fn put_wide(
    db: &Connection,
    topic: TopicId,
    seq: Seq,
    wide: &[Option<tulou_protocol::MemberGroupId>],
    is_new: bool,
) -> Result<(), StoreError> {
    if !is_new {
        db.prepare_cached("DELETE FROM wide_mention WHERE topic = ?1 AND seq = ?2")?
            .execute((topic.as_bytes(), number(seq.0)))?;
    }
    for who in wide {
        let who: &[u8] = who.as_ref().map_or(&[], |id| id.as_bytes());
        db.prepare_cached(
            "INSERT INTO wide_mention (topic, seq, who) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute((topic.as_bytes(), number(seq.0), who))?;
    }
    Ok(())
}

//! Messages, the rows of a topic's log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer, de};
use serde_json::Value;

use super::{More, Wire};
use crate::id::{AccountId, MessageId, Millis, Rev, Seq};

/// A message in two parts, each with the rev of its last change. A push carries only the parts that changed; a page
/// carries both. Neither holds anything personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its place in the topic.
    pub seq: Seq,
    /// What was written; none if only the marks changed.
    pub content: Option<Content>,
    /// The rev of the content's last change.
    pub content_rev: Rev,
    /// What others put on it; none if only the content changed, or if it never had any.
    pub marks: Option<Marks>,
    /// The rev of the marks' last change; 0 if it never had any.
    pub marks_rev: Rev,
    /// Fields of a newer version, if it came without content; else they are the content's.
    pub more: More,
}

impl Message {
    /// The first part alone, as it went out with the commit that wrote it: nothing that others put on the message since.
    #[must_use]
    pub fn as_written(mut self) -> Self {
        self.marks = None;
        self.marks_rev = match &self.content {
            Some(content) if content.is_as_sent() => Rev::ZERO,
            Some(_) | None => self.marks_rev.min(self.content_rev),
        };
        self
    }
}

/// The first part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Content {
    /// Who wrote it.
    pub author: AccountId,
    /// The server's time at commit.
    pub sent_at: Millis,
    /// The sender's claim of when it was written; none if that is within [`crate::limits::CLOCK_MS`] of `sent_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_at: Option<Millis>,
    /// The text; empty when recalled.
    pub text: String,
    /// The message replied to, in the same topic. Quotes are read with the reader's own rights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// When it was last edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Millis>,
    /// Who recalled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recalled_by: Option<AccountId>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

impl Content {
    /// Neither edited nor recalled.
    #[must_use]
    pub const fn is_as_sent(&self) -> bool {
        self.edited_at.is_none() && self.recalled_by.is_none()
    }
}

/// The second part of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Marks {
    /// Reactions in the order of their first use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// When it was pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_at: Option<Millis>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// A kind of reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reaction {
    /// An emoji.
    pub key: String,
    /// How many gave it.
    pub count: u32,
}

/// A message as it stands in its row: both parts flat.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Message")]
struct Flat {
    /// Its place in the topic.
    seq: Seq,
    /// Who wrote it. With `sent_at` and `text`, or without both: then only the marks changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    author: Option<AccountId>,
    /// The server's time at commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent_at: Option<Millis>,
    /// The sender's claim of when it was written; absent if that is within five minutes of `sent_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    written_at: Option<Millis>,
    /// The text; empty when recalled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The message replied to, in the same topic. Quotes are read with the reader's own rights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<MessageId>,
    /// When it was last edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edited_at: Option<Millis>,
    /// Who recalled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recalled_by: Option<AccountId>,
    /// The rev of what was written; absent: the row's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_rev: Option<Rev>,
    /// What others put on it; absent if only the content changed, or if it never had any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    marks: Option<Marks>,
    /// The rev of the marks' last change; absent: it never had any.
    #[serde(default, skip_serializing_if = "Rev::is_zero")]
    marks_rev: Rev,
    /// Fields of a newer version.
    #[serde(flatten)]
    more: More,
}

impl Wire for Message {
    fn read(value: &Value, rev: Rev) -> Result<Self, serde_json::Error> {
        let flat = Flat::deserialize(value)?;
        let mut more = flat.more;
        let content = match (flat.author, flat.sent_at, flat.text) {
            (Some(author), Some(sent_at), Some(text)) => Some(Content {
                author,
                sent_at,
                written_at: flat.written_at,
                text,
                reply_to: flat.reply_to,
                edited_at: flat.edited_at,
                recalled_by: flat.recalled_by,
                more: std::mem::take(&mut more),
            }),
            (None, None, None)
                if flat.written_at.is_none()
                    && flat.reply_to.is_none()
                    && flat.edited_at.is_none()
                    && flat.recalled_by.is_none() =>
            {
                None
            }
            _ => return Err(de::Error::custom("half of a message's content")),
        };
        Ok(Self {
            seq: flat.seq,
            content,
            content_rev: flat.content_rev.unwrap_or(rev),
            marks: flat.marks,
            marks_rev: flat.marks_rev,
            more,
        })
    }

    fn write<S: Serializer>(&self, rev: Rev, serializer: S) -> Result<S::Ok, S::Error> {
        let content = self.content.clone();
        let flat = Flat {
            seq: self.seq,
            author: None,
            sent_at: None,
            written_at: None,
            text: None,
            reply_to: None,
            edited_at: None,
            recalled_by: None,
            content_rev: Some(self.content_rev).filter(|content| *content != rev),
            marks: self.marks.clone(),
            marks_rev: self.marks_rev,
            more: self.more.clone(),
        };
        match content {
            None => flat,
            Some(content) => Flat {
                author: Some(content.author),
                sent_at: Some(content.sent_at),
                written_at: content.written_at,
                text: Some(content.text),
                reply_to: content.reply_to,
                edited_at: content.edited_at,
                recalled_by: content.recalled_by,
                more: content.more,
                ..flat
            },
        }
        .serialize(serializer)
    }
}

impl JsonSchema for Message {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Flat::schema_name()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Flat::json_schema(generator)
    }
}

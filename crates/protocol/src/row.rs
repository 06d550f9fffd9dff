//! Rows: the latest state of a thing in a log. A deleted row stays as a tombstone.
//!
//! On the wire a row is one flat object: `kind` (absent: `message`), `id`, `rev`, and the fields of its kind, or `deleted`.
//! What equals its default, or what the row says elsewhere, is left out: most bytes on a link are rows. Kinds and fields that a
//! reader does not know are kept as they came ([`Body::Unknown`], `more`), so that a client whose version grew can read
//! them later.

mod message;
mod own;
mod structure;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

pub use self::{
    message::{Content, Marks, Message, Reaction},
    own::{
        Cursor, Direct, Draft, Friend, FriendState, Level, Mark, Membership, Mention, MessageKey,
        Notify, NotifyScope, Profile,
    },
    structure::{AccessRow, Community, Group, Join, LockedTopic, MemberGroup, Topic},
};
use crate::id::Rev;

/// Fields that this version does not know, kept as they came.
pub type More = Map<String, Value>;

/// The state of one thing at one revision of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The thing's id within its log and kind; see [`Body`] for what it is in each kind.
    pub id: String,
    /// The revision that gave it this state.
    pub rev: Rev,
    /// Its state.
    pub body: Body,
}

macro_rules! bodies {
    ($($(#[$doc:meta])* $kind:literal $name:ident),* $(,)?) => {
        /// What a row holds, by kind.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Body {
            $($(#[$doc])* $name($name),)*
            /// The thing was deleted; its kind stays known.
            Deleted(String),
            /// A kind that this version does not know, or a body it cannot read, as it came.
            Unknown(String, Value),
        }

        impl Body {
            /// The kind as it is written.
            #[must_use]
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$name(_) => $kind,)*
                    Self::Deleted(kind) | Self::Unknown(kind, _) => kind,
                }
            }

            /// A body from its kind and fields: what stores kept, or what came over the wire. `rev` is the row's.
            #[must_use]
            pub fn from_value(kind: &str, rev: Rev, value: Option<Value>) -> Self {
                let Some(value) = value else { return Self::Deleted(kind.to_owned()) };
                match kind {
                    $($kind => match <$name as Wire>::read(&value, rev) {
                        Ok(body) => Self::$name(body),
                        Err(_) => Self::Unknown(kind.to_owned(), value),
                    },)*
                    _ => Self::Unknown(kind.to_owned(), value),
                }
            }
        }

        impl Serialize for Fields<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self.body {
                    $(Body::$name(body) => Wire::write(body, self.rev, serializer),)*
                    Body::Unknown(_, Value::Object(fields)) => fields.serialize(serializer),
                    Body::Unknown(..) | Body::Deleted(_) => More::new().serialize(serializer),
                }
            }
        }

        $(impl From<$name> for Body {
            fn from(body: $name) -> Self {
                Self::$name(body)
            }
        })*

        /// The schemas of all bodies, by kind.
        #[must_use]
        pub fn schemas(generator: &mut schemars::SchemaGenerator) -> Vec<(&'static str, schemars::Schema)> {
            vec![$(($kind, generator.subschema_for::<$name>()),)*]
        }
    };
}

bodies! {
    /// A message, in a topic's log. The row's id is the message's.
    "message" Message,
    /// The community itself, in its log. The row's id is the community's.
    "community" Community,
    /// A group of the community. The row's id is the group's.
    "group" Group,
    /// A topic that the reader may see. The row's id is the topic's.
    "topic" Topic,
    /// A listed closed topic that the reader has no seat in. The row's id is the topic's.
    "locked_topic" LockedTopic,
    /// A member group. The row's id is the member group's.
    "member_group" MemberGroup,
    /// What a member group, or everyone, may do at a place. The row's id is
    /// `<place>:<member group>` or `<place>:everyone`.
    "access" AccessRow,
    /// The account's own profile, in its log. The row's id is the account's.
    "profile" Profile,
    /// The account is a member of a community. The row's id is the community's.
    "membership" Membership,
    /// How far a topic was read. The row's id is the topic's.
    "cursor" Cursor,
    /// A notification level. The row's id is its scope: `global`, `community/<id>`, `group/<id>` or `topic/<id>`.
    "notify" Notify,
    /// A friend, a request, a block. The row's id is the other account's.
    "friend" Friend,
    /// A direct conversation. The row's id is its topic's.
    "direct" Direct,
    /// What is being written in a topic. The row's id is the topic's.
    "draft" Draft,
    /// A message that mentions the account. The row's id is `<topic>:<message>`.
    "mention" Mention,
    /// The account's own marks on a message. The row's id is `<topic>:<message>`.
    "mark" Mark,
}

/// How a body's fields stand in a row with a rev. All but a message's are what serde makes of them.
trait Wire: Sized {
    fn read(value: &Value, rev: Rev) -> Result<Self, serde_json::Error>;
    fn write<S: Serializer>(&self, rev: Rev, serializer: S) -> Result<S::Ok, S::Error>;
}

macro_rules! plain {
    ($($name:ident),* $(,)?) => {$(
        impl Wire for $name {
            fn read(value: &Value, _: Rev) -> Result<Self, serde_json::Error> {
                Self::deserialize(value)
            }
            fn write<S: Serializer>(&self, _: Rev, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }
        }
    )*};
}

plain! {
    Community, Group, Topic, LockedTopic, MemberGroup, AccessRow, Profile, Membership, Cursor, Notify, Friend, Direct,
    Draft, Mention, Mark,
}

/// The fields of a row's kind, without its head: what stores keep of it.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    body: &'a Body,
    rev: Rev,
}

impl Row {
    /// The fields of its kind; none for a tombstone.
    #[must_use]
    pub fn fields(&self) -> Option<Fields<'_>> {
        self.body.fields(self.rev)
    }
}

impl Body {
    /// The fields of the kind, as they stand in a row with this rev; none for a tombstone.
    #[must_use]
    pub fn fields(&self, rev: Rev) -> Option<Fields<'_>> {
        (!matches!(self, Self::Deleted(_))).then_some(Fields { body: self, rev })
    }
}

/// The kind of a row that names none.
const USUAL: &str = "message";

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            kind: Option<&'a str>,
            id: &'a str,
            rev: Rev,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            deleted: bool,
            #[serde(flatten)]
            fields: Fields<'a>,
        }
        Wire {
            kind: Some(self.body.kind()).filter(|kind| *kind != USUAL),
            id: &self.id,
            rev: self.rev,
            deleted: self.fields().is_none(),
            fields: Fields {
                body: &self.body,
                rev: self.rev,
            },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            kind: Option<String>,
            id: String,
            rev: Rev,
            #[serde(default)]
            deleted: bool,
            #[serde(flatten)]
            fields: More,
        }
        let wire = Wire::deserialize(deserializer)?;
        let kind = wire.kind.as_deref().unwrap_or(USUAL);
        let fields = (!wire.deleted).then_some(Value::Object(wire.fields));
        Ok(Self {
            body: Body::from_value(kind, wire.rev, fields),
            id: wire.id,
            rev: wire.rev,
        })
    }
}

impl JsonSchema for Row {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Row".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let head = |kind: Value| {
            serde_json::json!({
                "type": "object",
                "title": kind.get("const").unwrap_or(&Value::from("deleted")),
                "required": ["kind", "id", "rev"],
                "properties": {
                    "kind": kind,
                    "id": {"type": "string"},
                    "rev": {"type": "integer", "minimum": 0},
                },
            })
        };
        let mut kinds: Vec<Value> = schemas(generator)
            .into_iter()
            .map(|(kind, body)| {
                let mut head = head(serde_json::json!({"const": kind}));
                if kind == USUAL {
                    head["required"] = serde_json::json!(["id", "rev"]);
                }
                serde_json::json!({"title": kind, "allOf": [head, body.to_value()]})
            })
            .collect();
        let mut gone = head(serde_json::json!({"type": "string"}));
        gone["description"] = "The thing is gone. A row of any kind.".into();
        gone["required"] = serde_json::json!(["id", "rev", "deleted"]);
        gone["properties"]["deleted"] = serde_json::json!({"const": true});
        kinds.push(gone);
        schemars::json_schema!({
            "description": "The state of one thing at one revision of its log. Its fields stand beside `kind`, `id` and `rev`. Without `kind` it is a message. Kinds that are not here belong to a newer version: pass over them.",
            "anyOf": kinds,
        })
    }
}

#[cfg(test)]
mod tests;

//! Rows: the latest state of a thing in a log. A deleted row stays as a tombstone.
//!
//! On the wire a row is `{"kind", "id", "rev", "deleted"?, "body"?}`. Kinds and fields that a reader does not know are
//! kept as they came ([`Body::Unknown`], `more`), so that a client whose version grew can read them later.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    id::{AccountId, CommunityId, GroupId, MemberGroupId, MessageId, Millis, Rev, Seq, TopicId},
    permission::{Permissions, Place},
};

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

            /// The body as JSON; none for a tombstone.
            ///
            /// # Errors
            /// If a value cannot be written as JSON, which no body of this crate does.
            pub fn to_value(&self) -> Result<Option<Value>, serde_json::Error> {
                match self {
                    $(Self::$name(body) => serde_json::to_value(body).map(Some),)*
                    Self::Deleted(_) => Ok(None),
                    Self::Unknown(_, value) => Ok(Some(value.clone())),
                }
            }

            /// A body from its kind and JSON: what stores kept, or what came over the wire.
            #[must_use]
            pub fn from_value(kind: &str, value: Option<Value>) -> Self {
                fn read<T: DeserializeOwned>(kind: &str, value: Value, make: fn(T) -> Body) -> Body {
                    match T::deserialize(&value) {
                        Ok(body) => make(body),
                        Err(_) => Body::Unknown(kind.to_owned(), value),
                    }
                }
                let Some(value) = value else { return Self::Deleted(kind.to_owned()) };
                match kind {
                    $($kind => read(kind, value, Self::$name),)*
                    _ => Self::Unknown(kind.to_owned(), value),
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
    /// A message that mentions the account. The row's id is the message's alone; the topic stands in the body.
    "mention" Mention,
    /// The account's own marks on a message. The row's id is the message's alone; the topic stands in the body.
    "mark" Mark,
}

#[derive(Serialize, Deserialize)]
struct WireRow {
    kind: String,
    id: String,
    rev: Rev,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let body = self.body.to_value().map_err(serde::ser::Error::custom)?;
        WireRow {
            kind: self.body.kind().to_owned(),
            id: self.id.clone(),
            rev: self.rev,
            deleted: body.is_none(),
            body,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = WireRow::deserialize(deserializer)?;
        let body = if wire.deleted {
            None
        } else {
            Some(wire.body.unwrap_or(Value::Null))
        };
        Ok(Self {
            id: wire.id,
            rev: wire.rev,
            body: Body::from_value(&wire.kind, body),
        })
    }
}

impl JsonSchema for Row {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Row".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let head = || {
            serde_json::json!({
                "kind": {"type": "string"},
                "id": {"type": "string"},
                "rev": {"type": "integer", "minimum": 0},
            })
        };
        let mut kinds: Vec<Value> = schemas(generator)
            .into_iter()
            .map(|(kind, body)| {
                let mut properties = head();
                properties["kind"] = serde_json::json!({"const": kind});
                properties["body"] = body.to_value();
                serde_json::json!({
                    "type": "object",
                    "title": kind,
                    "required": ["kind", "id", "rev", "body"],
                    "properties": properties,
                })
            })
            .collect();
        let mut properties = head();
        properties["deleted"] = serde_json::json!({"const": true});
        kinds.push(serde_json::json!({
            "type": "object",
            "title": "deleted",
            "description": "The thing is gone. A row of any kind.",
            "required": ["kind", "id", "rev", "deleted"],
            "properties": properties,
        }));
        schemars::json_schema!({
            "description": "The state of one thing at one revision of its log. Kinds that are not here belong to a newer version: pass over them.",
            "anyOf": kinds,
        })
    }
}

/// A message in two parts, each with the rev of its last change. A push carries only the parts that changed; a page
/// carries both. Neither holds anything personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Its place in the topic.
    pub seq: Seq,
    /// What was written; absent if only the marks changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// The rev of the content's last change.
    pub content_rev: Rev,
    /// What others put on it; absent if only the content changed, or if it never had any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<Marks>,
    /// The rev of the marks' last change; 0 if it never had any.
    #[serde(default)]
    pub marks_rev: Rev,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// The first part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Content {
    /// Who wrote it.
    pub author: AccountId,
    /// The server's time at commit.
    pub sent_at: Millis,
    /// The sender's claim of when it was written.
    pub written_at: Millis,
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

/// A community.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Community {
    /// Its name.
    pub name: String,
    /// What it is about.
    #[serde(default)]
    pub introduction: String,
    /// Who owns it: holds every right, always.
    pub owner: AccountId,
    /// Who may join.
    pub join: Join,
    /// How long a message may be recalled by its author, in ms from `sent_at`.
    pub recall_window_ms: Millis,
    /// How long a message may be edited; absent: any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit_window_ms: Option<Millis>,
    /// When it was made.
    pub created_at: Millis,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// Who may join a community.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// Anybody with an account on the server.
    Open,
    /// Whoever has an invite link.
    Invite,
}

/// A group: a shelf of topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its place among groups: a fractional key, ties by id.
    pub position: String,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Topic {
    /// The group it stands in.
    pub group: GroupId,
    /// Its name.
    pub name: String,
    /// What it is about.
    #[serde(default)]
    pub introduction: String,
    /// Closed: seen by those with a seat.
    #[serde(default)]
    pub closed: bool,
    /// Its place among the topics of its group: a fractional key, ties by id.
    pub position: String,
    /// Its small number in the community, which digests use.
    pub no: u32,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// A listed closed topic, for those without a seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LockedTopic {
    /// The group it stands in.
    pub group: GroupId,
    /// Its name.
    pub name: String,
    /// Its place among the topics of its group.
    pub position: String,
    /// How many have a seat.
    pub seats: u32,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// A member group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberGroup {
    /// Its name.
    pub name: String,
    /// Its rank: a fractional key, the greater the higher, ties by id. `everyone` is below all.
    pub rank: String,
    /// Shown as a section of the member panel.
    #[serde(default)]
    pub shown: bool,
    /// Its name stands beside the names of those in it, of several the highest.
    #[serde(default)]
    pub tagged: bool,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// What a member group, or everyone, may do at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessRow {
    /// Where.
    pub place: Place,
    /// For whom; absent: everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_group: Option<MemberGroupId>,
    /// What is allowed.
    pub allow: Permissions,
    /// What is denied. A bit in neither is inherited.
    pub deny: Permissions,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

impl AccessRow {
    /// The id of the row for a place and a member group: `<place>:<member group or "everyone">`.
    #[must_use]
    pub fn id(place: Place, member_group: Option<MemberGroupId>) -> String {
        match member_group {
            Some(group) => format!("{place}:{group}"),
            None => format!("{place}:everyone"),
        }
    }
}

/// An account's profile, as its owner and everybody else sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// The name signed in with, unique on the server.
    pub account_name: String,
    /// The name to show.
    pub display_name: String,
    /// A few words.
    #[serde(default)]
    pub introduction: String,
    /// Whether the account administrates the server.
    #[serde(default)]
    pub server_admin: bool,
    /// The account was deleted: its names are empty.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// The account is a member of a community. What it sees there is named by the view stamp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Membership {
    /// The community.
    pub community: CommunityId,
    /// When it joined.
    pub joined_at: Millis,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// How far a topic was read: `unread = head_seq − seq − own`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cursor {
    /// Read up to here.
    pub seq: Seq,
    /// My own messages after `seq`.
    pub own: u64,
    /// Counts explicit settings (mark unread, undo): an advance that has not seen the last one is ignored.
    pub set_no: u32,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// A notification level at one of the scopes. The nearest that is not `inherit` decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notify {
    /// The level.
    pub level: Level,
    /// Until when; afterwards it inherits. Absent: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// Which messages count and notify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Every message.
    All,
    /// Those that mention me.
    Mentions,
    /// None: a dot.
    Nothing,
    /// As the next wider scope says.
    Inherit,
}

/// Where a notification level applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotifyScope {
    /// Everywhere.
    Global,
    /// In a community.
    Community(CommunityId),
    /// In a group.
    Group(GroupId),
    /// In a topic.
    Topic(TopicId),
}

impl NotifyScope {
    /// The row's id: `global`, `community/<id>`, `group/<id>`, `topic/<id>`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Global => "global".to_owned(),
            Self::Community(id) => format!("community/{id}"),
            Self::Group(id) => format!("group/{id}"),
            Self::Topic(id) => format!("topic/{id}"),
        }
    }
}

/// A friend, a request, a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Friend {
    /// How the two stand.
    pub state: FriendState,
    /// My name for this person, which wins over all others.
    #[serde(default)]
    pub remark: String,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// How an account stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FriendState {
    /// I asked.
    Asked,
    /// I was asked.
    Asking,
    /// Friends.
    Friends,
    /// I blocked this account.
    Blocked,
}

/// A direct conversation: carries what a digest carries for other topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Direct {
    /// Who takes part.
    pub members: Vec<AccountId>,
    /// The last `seq`.
    pub head_seq: Seq,
    /// The topic's rev.
    pub topic_rev: Rev,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// What is being written in a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// The message replied to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// A message that mentions the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mention {
    /// The topic.
    pub topic: TopicId,
    /// The message's place.
    pub seq: Seq,
    /// When the message was sent.
    pub sent_at: Millis,
    /// An edit added it to a message that may have been read before: it counts until the account has seen it
    /// (`mention.seen`), wherever the cursor is, and again when that is taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_edit: bool,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

/// The account's own marks on a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// The topic.
    pub topic: TopicId,
    /// The message's place.
    pub seq: Seq,
    /// My reactions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<String>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub more: More,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_an_unknown_kind_is_kept_as_it_came() {
        let wire = r#"{"kind":"poll","id":"x","rev":3,"body":{"question":"?","n":1.5}}"#;
        let row: Row = serde_json::from_str(wire).unwrap();
        assert!(
            matches!(&row.body, Body::Unknown(kind, _) if kind == "poll"),
            "nothing guesses at it"
        );
        let again: Value = serde_json::from_str(&serde_json::to_string(&row).unwrap()).unwrap();
        assert_eq!(
            again,
            serde_json::from_str::<Value>(wire).unwrap(),
            "nothing of it is lost"
        );
    }

    #[test]
    fn an_unknown_field_of_a_known_kind_is_kept() {
        let wire = r#"{"kind":"group","id":"x","rev":3,"body":{"colour":"red","name":"a","position":"80"}}"#;
        let row: Row = serde_json::from_str(wire).unwrap();
        assert!(matches!(row.body, Body::Group(_)), "the kind is known");
        let text = serde_json::to_string(&row).unwrap();
        assert!(text.contains(r#""colour":"red""#), "its new field survives");
    }

    #[test]
    fn a_tombstone_keeps_its_kind() {
        let row = Row {
            id: "x".into(),
            rev: Rev(9),
            body: Body::Deleted("topic".into()),
        };
        let text = serde_json::to_string(&row).unwrap();
        assert_eq!(text, r#"{"kind":"topic","id":"x","rev":9,"deleted":true}"#);
        assert_eq!(serde_json::from_str::<Row>(&text).unwrap(), row);
    }
}

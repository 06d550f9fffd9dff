//! The rows of a community's log: the community and its structure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::More;
use crate::{
    id::{AccountId, GroupId, MemberGroupId, Millis},
    permission::{Permissions, Place},
};

/// A community.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Community {
    /// Its name.
    pub name: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
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
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub introduction: String,
    /// Closed: seen by those with a seat.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
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
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shown: bool,
    /// Its name stands beside the names of those in it, of several the highest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
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

    /// What an id names.
    #[must_use]
    pub fn named(id: &str) -> Option<(Place, Option<MemberGroupId>)> {
        let (place, member_group) = id.split_once(':')?;
        let member_group = match member_group {
            "everyone" => None,
            id => Some(id.parse().ok()?),
        };
        Some((place.parse().ok()?, member_group))
    }
}

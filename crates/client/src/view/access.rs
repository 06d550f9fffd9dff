//! Member groups and access rows of a community, and the explanation of a right.

use serde::{Deserialize, Serialize};
use specta::Type;
use specta_typescript::Number;

/// Member groups and access rows.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AccessView {
    /// Member groups by rank, highest first; `everyone` is last and has the id `everyone`.
    pub member_groups: Vec<MemberGroupView>,
    /// The community, its groups and topics in order: the lines of the table.
    pub places: Vec<PlaceView>,
    /// The columns of the table.
    pub permissions: Vec<PermissionView>,
    /// What is set; what is missing inherits.
    pub access: Vec<AccessCell>,
}

/// A member group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct MemberGroupView {
    /// Its id; `everyone` for everyone.
    pub id: String,
    /// Its name; empty for everyone.
    pub name: String,
    /// Shown as a section of the member panel and as a tag beside names.
    pub is_shown: bool,
    /// I stand above it and may change it.
    pub can_edit: bool,
    /// I may put members in it.
    pub can_assign: bool,
    /// Made here, not yet acknowledged.
    pub is_pending: bool,
}

/// A line of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PlaceView {
    /// Where.
    pub place: AccessPlace,
    /// Its name.
    pub name: String,
    /// Permissions that I may set here, by key.
    pub settable: Vec<String>,
}

/// A place that access rows belong to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(
    tag = "level",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum AccessPlace {
    /// The whole community.
    Community,
    /// A group.
    Group {
        /// The group.
        id: String,
    },
    /// A topic.
    Topic {
        /// The topic.
        id: String,
    },
}

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PermissionView {
    /// Its key, for example `manageTopics`; the window has a name for each.
    pub key: String,
    /// Only at the level of the community.
    pub is_community_only: bool,
}

/// What is set for a member group at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AccessCell {
    /// Where.
    pub place: AccessPlace,
    /// For whom; `everyone` for everyone.
    pub member_group: String,
    /// Allowed, by key.
    pub allow: Vec<String>,
    /// Denied, by key.
    pub deny: Vec<String>,
    /// Set here, not yet acknowledged.
    pub is_pending: bool,
}

/// Why a member holds a permission or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ExplainView {
    /// The permission, by key.
    pub permission: String,
    /// Held.
    pub is_held: bool,
    /// What decided: `owner`, `access`, `default`, `noView`, `seat`.
    pub reason: String,
    /// The place whose access row decided.
    pub place: Option<AccessPlace>,
    /// The place's name.
    pub place_name: String,
    /// The member group whose access row decided; empty for everyone.
    pub member_group: String,
}

/// An invite link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct InviteView {
    /// Its code.
    pub code: String,
    /// The link to hand on.
    pub link: String,
    /// When it ends; none: never.
    #[specta(type = Option<Number>)]
    pub expires_at: Option<i64>,
    /// How often it may be used; none: any number.
    pub max_uses: Option<u32>,
    /// How often it was used.
    pub uses: u32,
}

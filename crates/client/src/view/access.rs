//! Member groups and access rows of a community, and the explanation of a right.

use serde::{Deserialize, Serialize};
use specta::Type;
use specta_typescript::Number;

/// The member groups of a community.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AccessView {
    /// Member groups by rank, highest first; `everyone` is last and has the id `everyone`.
    pub member_groups: Vec<MemberGroupView>,
}

/// A member group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct MemberGroupView {
    /// Its id; `everyone` for everyone.
    pub id: String,
    /// Its name; empty for everyone.
    pub name: String,
    /// Shown as a section of the member panel.
    pub is_shown: bool,
    /// Its name stands as a tag beside names.
    pub has_tag: bool,
    /// I stand above it and may change it.
    pub can_edit: bool,
    /// I may put members in it.
    pub can_assign: bool,
    /// Made here, not yet acknowledged.
    pub is_pending: bool,
}

/// The table of rights of one member group.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RightsView {
    /// Whose; `everyone` for everyone.
    pub member_group: String,
    /// The columns. A set of rights in a line is a number: bit 0 is the first of these.
    pub permissions: Vec<PermissionView>,
    /// The community, its groups and topics in order.
    pub lines: Vec<RightsLine>,
}

/// A line of the table: what is set for the member group at a place, and what comes from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RightsLine {
    /// Where.
    pub place: AccessPlace,
    /// Its name.
    pub name: String,
    /// A closed topic: seen only from a seat.
    pub is_closed: bool,
    /// What I may set here.
    pub settable: u32,
    /// Allowed here.
    pub allow: u32,
    /// Denied here.
    pub deny: u32,
    /// What holds where nothing is set here for this member group.
    pub inherited: u32,
    /// Of what is inherited, given or taken at the community.
    pub from_community: u32,
    /// Of what is inherited, given or taken at the group.
    pub from_group: u32,
    /// Of what is inherited, given or taken at this topic, for everyone.
    pub from_topic: u32,
    /// Of what is inherited, given or taken for everyone.
    pub from_everyone: u32,
    /// Set here, not yet acknowledged.
    pub is_pending: bool,
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

/// Everything that decides on what a member may do at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ExplanationView {
    /// Each right with what decided.
    pub rights: Vec<ExplainView>,
    /// The access rows on the way, in the order in which they count: a later one overrides an earlier one.
    pub rows: Vec<ExplainRow>,
    /// The member's member groups by rank, highest first; without everyone.
    pub member_groups: Vec<String>,
    /// The place is a closed topic.
    pub is_closed: bool,
    /// The member sees the closed topic, or the place needs no seat.
    pub has_seat: bool,
    /// The member owns the community.
    pub is_owner: bool,
}

/// What is set for everyone or a member group at one level on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ExplainRow {
    /// Where.
    pub place: AccessPlace,
    /// The place's name.
    pub place_name: String,
    /// The member group; empty for everyone.
    pub member_group: String,
    /// Allowed, by key.
    pub allow: Vec<String>,
    /// Denied, by key.
    pub deny: Vec<String>,
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
    /// The name of whoever made it, or took it over; empty when it is not known here.
    pub made_by: String,
    /// The names of members who came by it, the latest first; there may be more.
    pub came: Vec<String>,
    /// Nobody comes by it: whoever made it has left, or may not invite any more. It can be taken over.
    pub has_lapsed: bool,
    /// When it was made.
    #[specta(type = Number)]
    pub made_at: i64,
}

//! The tree of a community: groups and their topics.

use serde::Serialize;
use specta::Type;
use specta_typescript::Number;

use super::{Badge, LevelName};

/// How many members a community has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CountsView {
    /// All; none while not known.
    #[specta(type = Option<Number>)]
    pub members: Option<u64>,
    /// Those who are connected; none while not known.
    #[specta(type = Option<Number>)]
    pub online: Option<u64>,
}

/// A community with its groups and topics, as far as I may see them.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TreeView {
    /// The community.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its introduction.
    pub introduction: String,
    /// Number of members; unknown before the first digest.
    #[specta(type = Option<Number>)]
    pub members: Option<u64>,
    /// Number of members online.
    #[specta(type = Option<Number>)]
    pub online: Option<u64>,
    /// Whether I own it.
    pub is_owner: bool,
    /// Permissions I hold at the level of the community, by key (`manageTopics`, `invite` …).
    pub permissions: Vec<String>,
    /// Groups in order.
    pub groups: Vec<GroupView>,
    /// When a notification level that is set for a while ends, in milliseconds since 1970: numbers change then.
    #[specta(type = Option<Number>)]
    pub levels_end_at: Option<i64>,
    /// Made here, not yet acknowledged.
    pub is_pending: bool,
}

/// A group: a shelf of topics.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct GroupView {
    /// The group.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Sum of what is shown under it.
    pub badge: Badge,
    /// Permissions I hold in the group, by key.
    pub permissions: Vec<String>,
    /// Topics in order.
    pub topics: Vec<TopicView>,
    /// Made or changed here, not yet acknowledged.
    pub is_pending: bool,
}

/// A topic in the tree.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TopicView {
    /// The topic.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its introduction.
    pub introduction: String,
    /// Closed: seen by those with a seat.
    pub is_closed: bool,
    /// Listed, but I have no seat: only its name is known.
    pub is_locked: bool,
    /// Announcements: `everyone` may not speak in it.
    pub is_announcement: bool,
    /// Its numbers.
    pub badge: Badge,
    /// The notification level that holds for it.
    pub level: LevelName,
    /// I may speak in it.
    pub can_speak: bool,
    /// I may change, move and delete it. Of a thousand topics this is what the tree needs of all rights.
    pub can_manage: bool,
    /// A draft waits in it.
    pub has_draft: bool,
    /// A refused message waits in it.
    pub has_failed: bool,
    /// Made or changed here, not yet acknowledged.
    pub is_pending: bool,
}

/// The numbers of some topics, and the sums that they are part of: what a `TreeView` and an `AppView` say of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct BadgesView {
    /// Those of the topics that can be opened.
    pub topics: Vec<TopicBadge>,
    /// Their groups.
    pub groups: Vec<GroupBadge>,
    /// Their community.
    pub community: Badge,
    /// All communities of all accounts.
    pub app: Badge,
}

/// The numbers of a topic, and what else is marked beside them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TopicBadge {
    /// The topic.
    pub id: String,
    /// Its numbers.
    pub badge: Badge,
    /// A draft waits in it.
    pub has_draft: bool,
    /// A refused message waits in it.
    pub has_failed: bool,
}

/// The sum of what is shown under a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct GroupBadge {
    /// The group.
    pub id: String,
    /// Its numbers.
    pub badge: Badge,
}

/// A topic that can be jumped to, with where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct JumpView {
    /// The community.
    pub community: String,
    /// Its name.
    pub community_name: String,
    /// The name of its group.
    pub group: String,
    /// The topic.
    pub topic: JumpTopic,
}

/// What is shown of a topic where all are listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct JumpTopic {
    /// The topic.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Closed: seen by those with a seat.
    pub is_closed: bool,
    /// Announcements: `everyone` may not speak in it.
    pub is_announcement: bool,
    /// Its numbers.
    pub badge: Badge,
}

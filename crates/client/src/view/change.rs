//! Notes that a view is stale.

use serde::Serialize;
use specta::Type;

/// A note that a view is stale and is to be read again. Notes are coalesced: one of a kind per frame is enough.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Type)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Change {
    /// Accounts, connection states, tiles of the rail, settings, rejections: read `AppView`.
    App,
    /// The numbers of one topic, and with them those above it: read its `BadgesView`.
    Badge {
        /// The account's key.
        account: String,
        /// The community.
        community: String,
        /// The topic.
        topic: String,
    },
    /// Groups and topics of a community: read its `TreeView`.
    Tree {
        /// The account's key.
        account: String,
        /// The community.
        community: String,
    },
    /// How many members of a community there are, and how many of them are connected: read its `CountsView`, and nothing
    /// else.
    Counts {
        /// The account's key.
        account: String,
        /// The community.
        community: String,
    },
    /// Rows of a topic: read its `TimelineView`.
    Timeline {
        /// The account's key.
        account: String,
        /// The topic.
        topic: String,
    },
    /// Members of a community: read the shown part of `MembersView`.
    Members {
        /// The account's key.
        account: String,
        /// The community.
        community: String,
    },
    /// Member groups and access rows of a community: read its `AccessView`.
    Access {
        /// The account's key.
        account: String,
        /// The community.
        community: String,
    },
}

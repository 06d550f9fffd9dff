//! Views from a snapshot of the store.

pub mod access;
pub mod app;
pub mod level;
pub mod members;
pub mod names;
pub mod person;
pub mod stranded;
pub mod stretch;
pub mod timeline;
pub mod tree;

use tulou_protocol::{Permissions, Seq};

/// What is remembered of a topic while it is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entered {
    /// The first row that was unread when it was entered.
    pub first_unread: Option<Seq>,
    /// It was marked unread from somewhere: nothing advances until it is left.
    pub is_set_back: bool,
}

/// The keys of a set of rights.
pub fn keys(permissions: Permissions) -> Vec<String> {
    permissions.keys().into_iter().map(str::to_owned).collect()
}

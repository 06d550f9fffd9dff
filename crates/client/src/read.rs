//! Views from a snapshot of the store.

pub mod access;
pub mod app;
pub mod level;
pub mod members;
pub mod names;
pub mod person;
mod rejected;
pub mod stranded;
pub mod stretch;
pub mod timeline;
pub mod tree;

use tulou_protocol::Permissions;

/// The keys of a set of rights.
pub fn keys(permissions: Permissions) -> Vec<String> {
    permissions.keys().into_iter().map(str::to_owned).collect()
}

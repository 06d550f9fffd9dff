//! What a person wrote for a topic that is not available.

use serde::Serialize;
use specta::Type;

/// A draft whose topic is not available: deleted, hidden, locked, or its community left. It stays until the person
/// discards it, or the topic is there again and shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct StrandedView {
    /// The topic.
    pub topic: String,
    /// The message that it was to change; none if it was to be a new one.
    pub message: Option<String>,
    /// What it was called last; empty if that was never known.
    pub name: String,
    /// The whole draft, as it is stored: mentions stand in it as `<@id>`.
    pub text: String,
}

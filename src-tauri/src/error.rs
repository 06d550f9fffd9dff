//! What the window is told when a command fails.

use serde::Serialize;
use specta::Type;
use tulou_client::view::RejectionView;

use crate::controller::OpenError;

/// A failure. The window has a sentence for each code; the message is for the log and for unknown codes.
#[derive(Debug, Clone, PartialEq, Serialize, Type, thiserror::Error)]
#[error("{code}: {message}")]
#[serde(rename_all = "camelCase")]
pub struct WindowError {
    /// A stable code: that of a rejection, or `offline`, `unreachable`, `storage` …
    pub code: String,
    /// What was attempted and why it failed.
    pub message: String,
    /// The server's typed no, when it was one.
    pub rejection: Option<Box<RejectionView>>,
    /// What a sentence about it names: a path, a name, a time in the form `2026-11-30T08:00:00Z`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[specta(optional)]
    pub about: Option<String>,
}

impl From<tulou_client::Error> for WindowError {
    fn from(error: tulou_client::Error) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            rejection: error.rejection().map(Box::new),
            about: error.about(),
        }
    }
}

impl From<OpenError> for WindowError {
    fn from(error: OpenError) -> Self {
        let code = match &error {
            OpenError::Scheme => "bad_link",
            OpenError::System(_) => "internal",
        };
        Self {
            code: code.to_owned(),
            message: error.to_string(),
            rejection: None,
            about: None,
        }
    }
}

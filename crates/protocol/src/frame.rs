//! Frames: JSON-RPC 2.0, one text frame a message; several requests may stand in one frame as a batch (an array).
//!
//! A rejection is error [`REJECTED`] with the [`Rejection`](crate::Rejection) as its data; `busy` is error [`BUSY`] with [`Busy`] as its
//! data: try again. The other errors are those of JSON-RPC, with [`Wrong`] as their data where a part of the request was.

mod request;
mod response;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    request::{ClientFrame, Misread, Request, WireRequest},
    response::{Refusal, Response, ServerFrame, WireError},
};

/// The command or question was refused; data: [`Rejection`](crate::Rejection).
pub const REJECTED: i32 = 1;
/// Not now; data: [`Busy`].
pub const BUSY: i32 = 2;
/// JSON-RPC: not JSON.
pub const PARSE_ERROR: i32 = -32_700;
/// JSON-RPC: not a request.
pub const INVALID_REQUEST: i32 = -32_600;
/// JSON-RPC: unknown method.
pub const METHOD_NOT_FOUND: i32 = -32_601;
/// JSON-RPC: the params do not fit the method.
pub const INVALID_PARAMS: i32 = -32_602;
/// JSON-RPC: the server's fault.
pub const INTERNAL_ERROR: i32 = -32_603;

/// Rate, load or slow mode: the same request is welcome later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Busy {
    /// Milliseconds to wait at least.
    pub retry_after_ms: u64,
}

/// What was wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Wrong {
    /// Which part of it: `id`, `method`, `params.text.to`; `frame` if the frame as a whole was.
    pub field: String,
    /// What belongs there. Never what stood there: that may be a secret.
    pub why: String,
}

/// A frame that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, or neither a message nor a batch of them.
    #[error("the frame is not JSON-RPC")]
    Frame(#[from] serde_json::Error),
}

impl Wrong {
    /// What a deserializer says, without the value that it met: `path` is how it names the place, `.` for the whole.
    #[must_use]
    pub fn of(path: &str, said: &str) -> Self {
        let path = if path == "." { "" } else { path };
        // The path of a field that is missing ends above it.
        let missing = said
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split_once('`'));
        let (field, why) = match missing {
            Some((name, _)) if path.is_empty() => (name.to_owned(), "is missing".to_owned()),
            Some((name, _)) => (format!("{path}.{name}"), "is missing".to_owned()),
            None => {
                let why = match said.rsplit_once(", expected ") {
                    Some((_, expected)) => format!("expected {expected}"),
                    // Some types say what is wrong with the text: what a form asks for, with the character that does not fit.
                    None => said.split(':').next().unwrap_or_default().to_owned(),
                };
                // Where in a text it was met.
                let why = why.split(" at line ").next().unwrap_or_default();
                (path.to_owned(), why.to_owned())
            }
        };
        Self { field, why }
    }
}

#[cfg(test)]
mod tests;

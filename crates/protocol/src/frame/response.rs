//! What a server sends: answers, and what it says on its own.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    BUSY, Busy, INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, REJECTED,
    Unreadable,
};
use crate::{
    push::{self, Pushed},
    question::Told,
    rejection::{Code, Rejection},
};

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// Always `2.0`.
    pub jsonrpc: String,
    /// The request's id; null if it could not be read.
    pub id: Value,
    /// What was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<WireError>,
}

/// An error as it stands on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireError {
    /// [`REJECTED`], [`BUSY`], or one of JSON-RPC's.
    pub code: i32,
    /// For people who read logs.
    pub message: String,
    /// [`Rejection`], [`Busy`] or [`Wrong`](super::Wrong).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// What a server sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerFrame {
    /// Answers, as many as the client's frame had requests.
    Responses(Vec<Response>),
    /// On its own.
    Pushed(Pushed),
    /// A notification that this version does not know.
    Unknown(String),
}

/// How a request ended, other than with a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Final.
    Rejected(Rejection),
    /// Try again.
    Busy(Busy),
    /// JSON-RPC's own errors: the other side does not understand.
    Misunderstood(i32),
}

impl Response {
    /// A result.
    ///
    /// # Errors
    /// If the value cannot be written as JSON.
    pub fn ok(id: Value, result: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self {
            jsonrpc: "2.0".into(),
            id,
            result: Some(serde_json::to_value(result)?),
            error: None,
        })
    }

    /// An answer to a question.
    ///
    /// # Errors
    /// If the value cannot be written as JSON.
    pub fn told(number: u64, told: &Told) -> Result<Self, serde_json::Error> {
        Self::ok(Value::from(number), told)
    }

    /// An error.
    #[must_use]
    pub fn refused(id: Value, refusal: &Refusal) -> Self {
        let (code, message, data) = match refusal {
            Refusal::Rejected(rejection) => (
                REJECTED,
                rejection.code.key(),
                serde_json::to_value(rejection).ok(),
            ),
            Refusal::Busy(busy) => (BUSY, "busy".to_owned(), serde_json::to_value(busy).ok()),
            Refusal::Misunderstood(code) => (*code, "misunderstood".to_owned(), None),
        };
        Self {
            jsonrpc: "2.0".into(),
            id,
            result: None,
            error: Some(WireError {
                code,
                message,
                data,
            }),
        }
    }

    /// The result in the type that the request names.
    ///
    /// # Errors
    /// The refusal; a result that cannot be read counts as misunderstood.
    pub fn into_result<T: serde::de::DeserializeOwned>(self) -> Result<T, Refusal> {
        match (self.result, self.error) {
            (_, Some(error)) => Err(error.into_refusal()),
            (Some(value), None) => {
                T::deserialize(value).map_err(|_| Refusal::Misunderstood(INVALID_PARAMS))
            }
            (None, None) => Err(Refusal::Misunderstood(INVALID_REQUEST)),
        }
    }
}

impl WireError {
    fn into_refusal(self) -> Refusal {
        match (self.code, self.data) {
            (REJECTED, Some(data)) => match Rejection::deserialize(data) {
                Ok(rejection) => Refusal::Rejected(rejection),
                Err(_) => Refusal::Rejected(Code::Unknown.into()),
            },
            (BUSY, Some(data)) => Refusal::Busy(Busy::deserialize(data).unwrap_or(Busy {
                retry_after_ms: 1_000,
            })),
            (code, _) => Refusal::Misunderstood(code),
        }
    }
}

/// Requests that a refusal of JSON-RPC's own kind answers are final for a command: the server will never understand.
impl From<Refusal> for Option<Rejection> {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Rejected(rejection) => Some(rejection),
            Refusal::Busy(_) => None,
            Refusal::Misunderstood(METHOD_NOT_FOUND) => Some(Code::UnknownMethod.into()),
            Refusal::Misunderstood(INTERNAL_ERROR) => Some(Code::Internal.into()),
            Refusal::Misunderstood(_) => Some(Code::Malformed.into()),
        }
    }
}

impl ServerFrame {
    /// The frame as text.
    ///
    /// # Errors
    /// If a value cannot be written as JSON.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        #[derive(Serialize)]
        struct Notification<'a> {
            jsonrpc: &'a str,
            #[serde(flatten)]
            pushed: &'a Pushed,
        }
        match self {
            Self::Responses(responses) => match responses.as_slice() {
                [one] => serde_json::to_string(one),
                many => serde_json::to_string(many),
            },
            Self::Pushed(pushed) => serde_json::to_string(&Notification {
                jsonrpc: "2.0",
                pushed,
            }),
            Self::Unknown(method) => {
                serde_json::to_string(&serde_json::json!({"jsonrpc": "2.0", "method": method}))
            }
        }
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// If it is neither answers nor a notification.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        struct Head {
            method: Option<String>,
        }
        let text = text.trim_start();
        if text.starts_with('[') {
            return Ok(Self::Responses(serde_json::from_str(text)?));
        }
        let head: Head = serde_json::from_str(text)?;
        match head.method {
            None => Ok(Self::Responses(vec![serde_json::from_str(text)?])),
            Some(method) if push::METHODS.contains(&method.as_str()) => {
                Ok(Self::Pushed(serde_json::from_str(text)?))
            }
            Some(method) => Ok(Self::Unknown(method)),
        }
    }
}

//! Frames: JSON-RPC 2.0, one text frame a message; several requests may stand in one frame as a batch (an array).
//!
//! A rejection is error [`REJECTED`] with the [`Rejection`] as its data; `busy` is error [`BUSY`] with [`Busy`] as its
//! data: try again. The other errors are those of JSON-RPC, with [`Wrong`] as their data where a part of the request was.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    command::{self, Command, Commanded},
    id::CommandId,
    push::{self, Pushed},
    question::{self, Question, Told},
    rejection::Rejection,
};

/// The command or question was refused; data: [`Rejection`].
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

/// A request as it stands on the wire.
#[derive(Debug, Clone, Serialize)]
pub struct WireRequest {
    /// Always `2.0`.
    pub jsonrpc: String,
    /// A command's id, or a number that the client counts for questions.
    pub id: Value,
    /// The method.
    pub method: String,
    /// Its params.
    pub params: Value,
}

/// A request that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// A command.
    Command(Commanded),
    /// A question with the client's number for it.
    Question(u64, Question),
}

/// A request that was not understood, and what to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// Its id; null if it could not be read.
    pub id: Value,
    /// The JSON-RPC error.
    pub code: i32,
    /// What was wrong with it; none if it is not even JSON.
    pub wrong: Option<Wrong>,
}

/// What a client sends: requests in one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFrame(pub Vec<Request>);

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
    /// [`Rejection`], [`Busy`] or [`Wrong`].
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

/// A frame that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON, or neither a message nor a batch of them.
    #[error("the frame is not JSON-RPC")]
    Frame(#[from] serde_json::Error),
}

impl Request {
    /// The request as it stands on the wire.
    #[must_use]
    pub fn to_wire(&self) -> WireRequest {
        let tagged = match self {
            Self::Command(commanded) => serde_json::to_value(&commanded.command),
            Self::Question(_, question) => serde_json::to_value(question),
        };
        let id = match self {
            Self::Command(commanded) => Value::String(commanded.id.to_string()),
            Self::Question(number, _) => Value::from(*number),
        };
        let mut tagged = tagged.unwrap_or_default();
        let mut take = |field: &str| tagged.get_mut(field).map(Value::take).unwrap_or_default();
        let params = take("params");
        let method = match take("method") {
            Value::String(method) => method,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => String::new(),
        };
        WireRequest {
            jsonrpc: "2.0".into(),
            id,
            method,
            params,
        }
    }

    /// Reads a request. A command's id must be one of 22 letters, a question's a whole number.
    ///
    /// # Errors
    /// [`INVALID_REQUEST`], [`METHOD_NOT_FOUND`] or [`INVALID_PARAMS`], with what was wrong.
    pub fn from_wire(wire: Value) -> Result<Self, Misread> {
        let Value::Object(mut wire) = wire else {
            return Err(Misread::of_frame("a request is an object"));
        };
        let id = wire.remove("id").unwrap_or_default();
        // Other types than these are no ids, so they are not sent back.
        let told = if id.is_string() || id.is_number() {
            id.clone()
        } else {
            Value::Null
        };
        let misread = |code, field: &str, why: &str| Misread {
            id: told.clone(),
            code,
            wrong: Some(Wrong {
                field: field.to_owned(),
                why: why.to_owned(),
            }),
        };
        if wire.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(misread(INVALID_REQUEST, "jsonrpc", "expected \"2.0\""));
        }
        let Some(Value::String(method)) = wire.remove("method") else {
            return Err(misread(INVALID_REQUEST, "method", "expected a string"));
        };
        let is_command = command::METHODS.contains(&method.as_str());
        if !is_command && !question::METHODS.contains(&method.as_str()) {
            return Err(misread(METHOD_NOT_FOUND, "method", "unknown here"));
        }
        let params = wire.remove("params").unwrap_or_default();
        if !params.is_object() {
            return Err(misread(
                INVALID_PARAMS,
                "params",
                "expected an object: params are given by name",
            ));
        }
        let tagged = Map::from_iter([
            ("method".to_owned(), Value::String(method)),
            ("params".to_owned(), params),
        ]);
        let tagged = Value::Object(tagged);
        let unfit = |wrong| Misread {
            id: told.clone(),
            code: INVALID_PARAMS,
            wrong: Some(wrong),
        };
        if is_command {
            let id = id.as_str().and_then(|text| text.parse::<CommandId>().ok());
            let id =
                id.ok_or_else(|| misread(INVALID_REQUEST, "id", "a command's id has 22 letters"))?;
            let command = read::<Command>(tagged).map_err(unfit)?;
            Ok(Self::Command(Commanded { id, command }))
        } else {
            let number = id.as_u64().ok_or_else(|| {
                misread(
                    INVALID_REQUEST,
                    "id",
                    "a question's id is a whole number, 0 or more",
                )
            })?;
            let question = read::<Question>(tagged).map_err(unfit)?;
            Ok(Self::Question(number, question))
        }
    }
}

/// Reads a value, or says which part of it was wrong.
fn read<'de, T: Deserialize<'de>>(
    value: impl serde::Deserializer<'de, Error = serde_json::Error>,
) -> Result<T, Wrong> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| Wrong::of(&error.path().to_string(), &error.inner().to_string()))
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

impl Misread {
    /// A frame, or a part of a batch, that holds no request.
    #[must_use]
    pub fn of_frame(why: &str) -> Self {
        Self {
            id: Value::Null,
            code: INVALID_REQUEST,
            wrong: Some(Wrong {
                field: "frame".to_owned(),
                why: why.to_owned(),
            }),
        }
    }

    /// A frame that is not JSON.
    #[must_use]
    pub const fn of_text() -> Self {
        Self {
            id: Value::Null,
            code: PARSE_ERROR,
            wrong: None,
        }
    }

    /// What is answered.
    #[must_use]
    pub fn response(&self) -> Response {
        let message = match (self.code, &self.wrong) {
            (_, Some(Wrong { field, why })) => format!("{field}: {why}"),
            (PARSE_ERROR, None) => "not JSON".to_owned(),
            (_, None) => "misunderstood".to_owned(),
        };
        Response {
            jsonrpc: "2.0".into(),
            id: self.id.clone(),
            result: None,
            error: Some(WireError {
                code: self.code,
                message,
                data: self
                    .wrong
                    .as_ref()
                    .and_then(|wrong| serde_json::to_value(wrong).ok()),
            }),
        }
    }
}

impl ClientFrame {
    /// The frame as text: one request, or an array of them.
    ///
    /// # Errors
    /// If a value cannot be written as JSON, which no request of this crate does.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        match self.0.as_slice() {
            [one] => serde_json::to_string(&one.to_wire()),
            many => serde_json::to_string(&many.iter().map(Request::to_wire).collect::<Vec<_>>()),
        }
    }

    /// Reads a frame. Each request is read by itself, so that a bad one in a batch does not spoil the others.
    ///
    /// # Errors
    /// If the frame is not JSON, to be answered with [`Misread::of_text`].
    pub fn parse(text: &str) -> Result<Vec<Result<Request, Misread>>, Unreadable> {
        let raw: &RawValue = serde_json::from_str(text)?;
        let parts: Vec<&RawValue> = if raw.get().starts_with('[') {
            serde_json::from_str(raw.get())?
        } else {
            vec![raw]
        };
        Ok(parts
            .into_iter()
            .map(|part| match serde_json::from_str::<Value>(part.get()) {
                Ok(wire) => Request::from_wire(wire),
                Err(_) => Err(Misread::of_frame(
                    "nested too deeply, or a number too great",
                )),
            })
            .collect())
    }
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
                Err(_) => Refusal::Rejected(crate::rejection::Code::Unknown.into()),
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
            Refusal::Misunderstood(METHOD_NOT_FOUND) => {
                Some(crate::rejection::Code::UnknownMethod.into())
            }
            Refusal::Misunderstood(INTERNAL_ERROR) => Some(crate::rejection::Code::Internal.into()),
            Refusal::Misunderstood(_) => Some(crate::rejection::Code::Malformed.into()),
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

#[cfg(test)]
mod tests;

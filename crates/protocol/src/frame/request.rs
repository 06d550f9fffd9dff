//! What a client sends: requests, each a command or a question.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use super::{
    INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR, Response, Unreadable,
    WireError, Wrong,
};
use crate::{
    command::{self, Command, Commanded},
    id::CommandId,
    question::{self, Question},
};

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
        Self::parse_some(text, usize::MAX)
    }

    /// The same of the first requests alone, for whoever refuses a frame of so many.
    ///
    /// # Errors
    /// If the frame is not JSON.
    pub fn parse_some(
        text: &str,
        most: usize,
    ) -> Result<Vec<Result<Request, Misread>>, Unreadable> {
        let raw: &RawValue = serde_json::from_str(text)?;
        let parts: Vec<&RawValue> = if raw.get().starts_with('[') {
            serde_json::from_str(raw.get())?
        } else {
            vec![raw]
        };
        Ok(parts
            .into_iter()
            .take(most)
            .map(|part| match serde_json::from_str::<Value>(part.get()) {
                Ok(wire) => Request::from_wire(wire),
                Err(_) => Err(Misread::of_frame(
                    "nested too deeply, or a number too great",
                )),
            })
            .collect())
    }
}

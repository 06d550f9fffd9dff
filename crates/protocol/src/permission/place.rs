//! Places that rights are given at.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{GroupId, ID_PATTERN, TopicId};

/// A place that access belongs to: `community`, `group/<id>` or `topic/<id>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The whole community.
    Community,
    /// A group.
    Group(GroupId),
    /// A topic.
    Topic(TopicId),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Community => f.write_str("community"),
            Self::Group(id) => write!(f, "group/{id}"),
            Self::Topic(id) => write!(f, "topic/{id}"),
        }
    }
}

/// A text that names no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place")]
pub struct NotAPlace;

impl FromStr for Place {
    type Err = NotAPlace;
    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        match text.split_once('/') {
            None if text == "community" => Ok(Self::Community),
            Some(("group", id)) => id.parse().map(Self::Group).map_err(|_| NotAPlace),
            Some(("topic", id)) => id.parse().map(Self::Topic).map_err(|_| NotAPlace),
            _ => Err(NotAPlace),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Place {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Place".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": format!("^(community|(group|topic)/{ID_PATTERN})$"),
        })
    }
}

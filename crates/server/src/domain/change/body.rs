//! A row's state as data: its kind, and the body unless it was deleted.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error as _};
use serde_json::Value;
use tulou_protocol::{Rev, row::Body};

#[derive(Serialize, Deserialize)]
struct Plain {
    kind: String,
    body: Option<Value>,
}

pub fn serialize<S: Serializer>(body: &Body, serializer: S) -> Result<S::Ok, S::Error> {
    let plain = Plain {
        kind: body.kind().to_owned(),
        body: body
            .fields(Rev::ZERO)
            .map(serde_json::to_value)
            .transpose()
            .map_err(S::Error::custom)?,
    };
    plain.serialize(serializer)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Body, D::Error> {
    let Plain { kind, body } = Plain::deserialize(deserializer)?;
    Ok(Body::from_value(&kind, Rev::ZERO, body))
}

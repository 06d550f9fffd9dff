//! The machine-readable description of the HTTP doors (OpenAPI 3.1), generated from the types of [`crate::http`].

mod doors;

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

pub use self::doors::{Bounds, DOORS, Door};
use crate::{
    Code, SUBPROTOCOL, VERSION,
    http::{KEY_HEADER, Refused, SERVER_HEADER, status},
    id::ID_PATTERN,
    openrpc::SCHEMAS,
};

/// What every door may be refused with.
const ALWAYS: [Code; 2] = [Code::ServerFull, Code::Internal];

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut generator = SchemaGenerator::new(
        schemars::generate::SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = SCHEMAS.into();
            settings.meta_schema = None;
        }),
    );
    let refused = generator.subschema_for::<Refused>().to_value();
    let mut paths = Map::new();
    for door in DOORS {
        let described = describe(door, &refused, &mut generator);
        let path = paths.entry(door.path).or_insert_with(|| json!({}));
        path[door.method.to_lowercase()] = described;
    }
    paths.insert("/ws".to_owned(), json!({"get": socket()}));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tulou: the HTTP doors",
            "version": VERSION.to_string(),
            "license": {"name": "Apache-2.0 OR MIT"},
            "description": "What is not part of a conversation. protocol.md tells how, openrpc.json describes the conversation.",
        },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "headers": {
                SERVER_HEADER: {
                    "description": "The server's id. Look at it before you send a token.",
                    "schema": {"type": "string", "pattern": format!("^{ID_PATTERN}$")},
                },
                KEY_HEADER: {
                    "description": "The fingerprint of the server's own key, where it has one.",
                    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"},
                },
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "The token from registering or signing in."},
            },
        },
    })
}

fn headers() -> Value {
    let header = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
    json!({SERVER_HEADER: header(SERVER_HEADER), KEY_HEADER: header(KEY_HEADER)})
}

fn describe(door: &Door, refused: &Value, generator: &mut SchemaGenerator) -> Value {
    let as_json = |schema: &Value| json!({"application/json": {"schema": schema}});
    let (status_of_success, success) = door.success;
    let mut answered = json!({"description": "Done.", "headers": headers()});
    match success {
        Some(typed) => answered["content"] = as_json(&typed(generator).to_value()),
        None if status_of_success == 200 => {
            answered["content"] = json!({"text/plain": {"schema": {"type": "string"}}});
        }
        None => {}
    }
    let mut responses = Map::from_iter([(status_of_success.to_string(), answered)]);
    for (status, codes) in refusals(door) {
        responses.insert(
            status.to_string(),
            json!({
                "description": format!("Refused with {}.", codes.join(", ")),
                "headers": headers(),
                "content": as_json(refused),
            }),
        );
    }
    let seconds = door.bounds.answered_within.as_secs();
    responses.insert(
        "408".to_owned(),
        json!({
            "description": format!("Not read and answered within {seconds} s."),
            "headers": headers(),
        }),
    );
    let in_path = door
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
    let in_query = door.query.iter().map(|(name, about)| {
        json!({"name": name, "in": "query", "description": about, "schema": {"type": "string"}})
    });
    let mut described = json!({
        "summary": door.about,
        "operationId": operation(door),
        "responses": responses,
    });
    let parameters: Vec<Value> = in_path.chain(in_query).collect();
    if !parameters.is_empty() {
        described["parameters"] = json!(parameters);
    }
    if door.wants_token {
        described["security"] = json!([{"token": []}]);
    }
    if let Some(body) = door.body {
        let most = door.bounds.body_bytes;
        described["requestBody"] = json!({
            "description": format!("At most {most} bytes."),
            "required": true,
            "content": as_json(&body(generator).to_value()),
            "x-max-bytes": most,
        });
    }
    described
}

/// The codes that a door refuses with, by status.
fn refusals(door: &Door) -> Vec<(u16, Vec<String>)> {
    if door.path == "/health" {
        return Vec::new();
    }
    let of_token = door.wants_token.then_some(Code::SignedOut);
    let mut by_status: Vec<(u16, Vec<String>)> = Vec::new();
    for code in door.refusals.iter().chain(&of_token).chain(&ALWAYS) {
        let status = status(*code);
        let at = match by_status.iter().position(|(known, _)| *known == status) {
            Some(at) => at,
            None => {
                by_status.push((status, Vec::new()));
                by_status.len() - 1
            }
        };
        let key = code.key();
        if !by_status[at].1.contains(&key) {
            by_status[at].1.push(key);
        }
    }
    by_status.sort_unstable();
    by_status
}

/// A name for generated clients: `post_v1_account_recovery_codes`.
fn operation(door: &Door) -> String {
    let path = door.path.replace(['/', '-'], "_").replace(['{', '}'], "");
    format!("{}{path}", door.method.to_lowercase())
}

fn socket() -> Value {
    json!({
        "summary": "Opens the WebSocket, in which the conversation of openrpc.json is held.",
        "operationId": "get_ws",
        "parameters": [{
            "name": "Sec-WebSocket-Protocol",
            "in": "header",
            "required": true,
            "schema": {"const": SUBPROTOCOL},
        }],
        "responses": {"101": {"description": "The WebSocket is open.", "headers": headers()}},
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        doors::{get, of},
        *,
    };
    use crate::http::SignIn;

    #[test]
    fn every_reference_in_the_document_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        let references: Vec<&str> = text
            .split(r##""$ref":"#"##)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(references.len() > 40, "there are references");
        for reference in references {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
    }

    #[test]
    fn a_door_names_what_it_takes_gives_and_refuses() {
        let document = document();
        let register = &document["paths"]["/v1/accounts"]["post"];
        let body = &register["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(body["$ref"], "#/components/schemas/Register");
        let made = &register["responses"]["201"]["content"]["application/json"]["schema"];
        assert_eq!(made["$ref"], "#/components/schemas/Registered");
        let slow = register["responses"]["429"]["description"].as_str();
        assert_eq!(slow, Some("Refused with too_many_sign_ups."));
        let end = &document["paths"]["/v1/account/sessions/{id}"]["delete"];
        assert_eq!(end["parameters"][0]["name"], "id");
        assert!(end["security"].is_array() && register.get("security").is_none());
    }

    #[test]
    fn a_door_says_how_large_a_body_may_be_and_how_long_it_may_take() {
        let bounds = Bounds {
            body_bytes: 5_000,
            answered_within: Duration::from_secs(7),
        };
        let door = Door {
            body: Some(of::<SignIn>),
            bounds,
            ..get("/v1/pictures", "Takes a picture.")
        };
        let described = describe(&door, &json!({}), &mut SchemaGenerator::default());
        assert_eq!(described["requestBody"]["x-max-bytes"], 5_000);
        let slow = &described["responses"]["408"]["description"];
        assert_eq!(slow, "Not read and answered within 7 s.");
        for door in DOORS.iter().filter(|door| door.takes_body()) {
            let says = door.refusals.contains(&Code::TooLong);
            assert!(says, "{}: a body may be too long", door.path);
        }
    }

    #[test]
    fn the_document_in_the_docs_is_current() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        let fresh = serde_json::to_string_pretty(&document()).unwrap() + "\n";
        if std::env::var_os("UPDATE_OPENRPC").is_some() {
            std::fs::write(&path, &fresh).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == fresh,
            "docs/openapi.json is stale, run: UPDATE_OPENRPC=1 cargo test -p tulou-protocol --lib current"
        );
    }
}

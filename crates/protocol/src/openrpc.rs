//! The machine-readable description of the protocol (OpenRPC 1.3), generated from the types.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use crate::{Answer, Digest, Greeting, command::Command, push::Pushed, question};

/// Methods that are commands.
pub const COMMANDS: &[&str] = &[
    "message.send",
    "message.edit",
    "message.recall",
    "message.react",
    "message.pin",
    "cursor.advance",
    "cursor.set",
    "notify.set",
    "profile.edit",
    "community.create",
    "community.edit",
    "community.transfer",
    "community.dissolve",
    "community.join",
    "community.leave",
    "group.create",
    "group.edit",
    "group.delete",
    "topic.create",
    "topic.edit",
    "topic.delete",
    "seat.set",
    "member_group.create",
    "member_group.edit",
    "member_group.delete",
    "member_group.assign",
    "access.set",
    "member.kick",
];

/// Methods that are questions.
pub const QUESTIONS: &[&str] = &[
    "session.open",
    "log.sync",
    "session.watch",
    "topic.page",
    "message.held",
    "profile.list",
    "member.list",
    "community.heads",
    "invite.list",
    "invite.create",
    "invite.revoke",
];

/// Methods of notifications from the server.
pub const PUSHES: &[&str] = &[
    "push",
    "stale",
    "digest",
    "heartbeat",
    "addresses",
    "condition",
    "goodbye",
];

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut generator = SchemaGenerator::new(
        schemars::generate::SchemaSettings::draft07()
            .with(|settings| settings.definitions_path = "/components/schemas".into()),
    );
    let mut methods = Vec::new();
    let commands = Command::json_schema(&mut generator).to_value();
    let answer = generator.subschema_for::<Answer>().to_value();
    methods.extend(
        variants(&commands)
            .map(|(name, text, params)| method(name, text, params, "answer", &answer)),
    );

    let questions = question::Question::json_schema(&mut generator).to_value();
    for (name, text, params) in variants(&questions) {
        let told = match name {
            "session.open" => generator.subschema_for::<Greeting>(),
            "log.sync" => generator.subschema_for::<question::Synced>(),
            "session.watch" => generator.subschema_for::<question::Watched>(),
            "topic.page" => generator.subschema_for::<question::Page>(),
            "message.held" => generator.subschema_for::<question::HeldMessages>(),
            "profile.list" => generator.subschema_for::<question::Profiles>(),
            "member.list" => generator.subschema_for::<question::Members>(),
            "community.heads" => generator.subschema_for::<Digest>(),
            "invite.list" => generator.subschema_for::<question::Invites>(),
            "invite.create" => generator.subschema_for::<question::Invite>(),
            _ => schemars::json_schema!({"type": "object"}),
        };
        methods.push(method(name, text, params, "told", &told.to_value()));
    }
    let pushes = Pushed::json_schema(&mut generator).to_value();
    for (name, text, params) in variants(&pushes) {
        let mut notification = method(name, text, params, "", &Value::Null);
        if let Some(object) = notification.as_object_mut() {
            object.remove("result");
            object.insert("x-from".into(), json!("server"));
        }
        methods.push(notification);
    }
    json!({
        "openrpc": "1.3.2",
        "info": {"title": "Tulou", "version": crate::VERSION.to_string(), "license": {"name": "Apache-2.0 OR MIT"}},
        "methods": methods,
        "components": {
            "schemas": generator.take_definitions(true),
            "errors": {
                "rejected": {"code": crate::frame::REJECTED, "message": "the rejection's code; data: Rejection"},
                "busy": {"code": crate::frame::BUSY, "message": "busy; data: {retry_after_ms}"},
            },
        },
    })
}

/// The variants of a tagged enum's schema: name, description, params.
fn variants(schema: &Value) -> impl Iterator<Item = (&str, &str, Value)> {
    schema["oneOf"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|variant| {
            let properties = &variant["properties"];
            let name = properties["method"]["const"].as_str()?;
            Some((
                name,
                variant["description"].as_str().unwrap_or(""),
                properties["params"].clone(),
            ))
        })
}

fn method(name: &str, text: &str, params: Value, result: &str, told: &Value) -> Value {
    let required: Vec<&str> = params["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let fields: Vec<Value> = match params["properties"].as_object() {
        Some(fields) => fields
            .iter()
            .map(|(field, schema)| json!({"name": field, "required": required.contains(&field.as_str()), "schema": schema}))
            .collect(),
        None => vec![json!({"name": "params", "required": true, "schema": params})],
    };
    json!({
        "name": name,
        "description": text,
        "paramStructure": "by-name",
        "params": fields,
        "result": {"name": result, "schema": told},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_names_every_method() {
        let document = document();
        let named: Vec<&str> = document["methods"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|m| m["name"].as_str())
            .collect();
        let known: Vec<&str> = [COMMANDS, QUESTIONS, PUSHES].concat();
        assert_eq!(named, known, "the lists of methods and the types agree");
    }

    #[test]
    fn the_document_in_the_docs_is_current() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openrpc.json");
        let fresh = serde_json::to_string_pretty(&document()).unwrap() + "\n";
        if std::env::var_os("UPDATE_OPENRPC").is_some() {
            std::fs::write(&path, &fresh).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == fresh,
            "docs/openrpc.json is stale, run: UPDATE_OPENRPC=1 cargo test -p tulou-protocol openrpc"
        );
    }
}

//! The machine-readable description of the protocol (OpenRPC 1.3), generated from the types.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::{
    Answer, Digest, Greeting, Question, Rejection, command::Command, frame, id::ID_PATTERN,
    push::Pushed, question,
};

/// Where the schemas of both documents stand.
pub(crate) const SCHEMAS: &str = "/components/schemas";

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut generator = SchemaGenerator::new(
        schemars::generate::SchemaSettings::draft07()
            .with(|settings| settings.definitions_path = SCHEMAS.into()),
    );
    let commands = Command::json_schema(&mut generator).to_value();
    let questions = Question::json_schema(&mut generator).to_value();
    let pushes = Pushed::json_schema(&mut generator).to_value();
    let answer = generator.subschema_for::<Answer>().to_value();
    let told: Vec<(&str, Value)> = question::METHODS
        .iter()
        .map(|name| (*name, told(name, &mut generator).to_value()))
        .collect();
    let errors = errors(&mut generator);
    let schemas = generator.take_definitions(true);

    let mut methods = Vec::new();
    for (name, text, params) in variants(&commands) {
        let mut method = method(name, text, fields(params, &schemas));
        method["x-id"] = json!({"type": "string", "pattern": format!("^{ID_PATTERN}$")});
        method["result"] = json!({"name": "answer", "schema": answer});
        methods.push(method);
    }
    for (name, text, params) in variants(&questions) {
        let mut method = method(name, text, fields(params, &schemas));
        let told = told.iter().find(|(of, _)| *of == name);
        method["x-id"] = json!({"type": "integer", "minimum": 0});
        method["result"] = json!({"name": "told", "schema": told.map(|(_, schema)| schema)});
        methods.push(method);
    }
    for method in &mut methods {
        method["errors"] = errors
            .keys()
            .map(|name| json!({"$ref": format!("#/components/errors/{name}")}))
            .collect();
    }
    for (name, text, params) in variants(&pushes) {
        let mut method = method(name, text, fields(params, &schemas));
        method["x-from"] = json!("server");
        methods.push(method);
    }
    json!({
        "openrpc": "1.3.2",
        "info": {
            "title": "Tulou",
            "version": crate::VERSION.to_string(),
            "license": {"name": "Apache-2.0 OR MIT"},
            "description": DESCRIPTION,
        },
        "methods": methods,
        "components": {"schemas": schemas, "errors": errors},
    })
}

const DESCRIPTION: &str = "JSON-RPC 2.0 over a WebSocket, subprotocol tulou.v1, at the path /ws; protocol.md tells how. \
    Methods with `x-from: server` are notifications that the server sends; all others are requests of the client, whose \
    ids have the schema `x-id`. The data of an error has the schema `x-data`.";

/// What is answered to a question. A method without one here answers with an empty object.
fn told(name: &str, generator: &mut SchemaGenerator) -> Schema {
    match name {
        "session.open" => generator.subschema_for::<Greeting>(),
        "log.sync" => generator.subschema_for::<question::Synced>(),
        "session.watch" => generator.subschema_for::<question::Watched>(),
        "topic.page" => generator.subschema_for::<question::Page>(),
        "message.held" => generator.subschema_for::<question::HeldMessages>(),
        "profile.list" => generator.subschema_for::<question::Profiles>(),
        "member.list" => generator.subschema_for::<question::Members>(),
        "community.heads" => generator.subschema_for::<Digest>(),
        "invite.list" => generator.subschema_for::<question::Invites>(),
        "invite.create" | "invite.take" => generator.subschema_for::<question::Invite>(),
        _ => schemars::json_schema!({"type": "object"}),
    }
}

/// The errors that any request may be answered with.
fn errors(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let rejection = generator.subschema_for::<Rejection>().to_value();
    let busy = generator.subschema_for::<frame::Busy>().to_value();
    let wrong = generator.subschema_for::<frame::Wrong>().to_value();
    let none = Value::Null;
    [
        (
            "rejected",
            frame::REJECTED,
            "the code of the rejection",
            &rejection,
        ),
        ("busy", frame::BUSY, "busy", &busy),
        ("notJson", frame::PARSE_ERROR, "not JSON", &none),
        (
            "invalidRequest",
            frame::INVALID_REQUEST,
            "what was wrong",
            &wrong,
        ),
        (
            "unknownMethod",
            frame::METHOD_NOT_FOUND,
            "what was wrong",
            &wrong,
        ),
        (
            "invalidParams",
            frame::INVALID_PARAMS,
            "what was wrong",
            &wrong,
        ),
        ("internal", frame::INTERNAL_ERROR, "misunderstood", &none),
    ]
    .into_iter()
    .map(|(name, code, message, data)| {
        let mut error = json!({"code": code, "message": message});
        if !data.is_null() {
            error["x-data"] = data.clone();
        }
        (name.to_owned(), error)
    })
    .collect()
}

/// The variants of a tagged enum's schema: name, description, params.
fn variants(schema: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    schema["oneOf"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|variant| {
            let properties = &variant["properties"];
            let name = properties["method"]["const"].as_str()?;
            let text = variant["description"].as_str().unwrap_or("");
            Some((name, text, &properties["params"]))
        })
}

/// Params by name: the fields of the params' schema, which may stand among the definitions.
fn fields(params: &Value, schemas: &Map<String, Value>) -> Vec<Value> {
    let named = params["$ref"]
        .as_str()
        .and_then(|named| named.rsplit('/').next())
        .and_then(|name| schemas.get(name));
    let params = named.unwrap_or(params);
    let required = |field: &str| {
        params["required"]
            .as_array()
            .is_some_and(|required| required.iter().any(|name| name == field))
    };
    params["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(
            |(field, schema)| json!({"name": field, "required": required(field), "schema": schema}),
        )
        .collect()
}

fn method(name: &str, text: &str, params: Vec<Value>) -> Value {
    json!({
        "name": name,
        "description": text,
        "paramStructure": "by-name",
        "params": params,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{command, push};

    #[test]
    fn the_document_names_every_method() {
        let document = document();
        let named: Vec<&str> = document["methods"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|m| m["name"].as_str())
            .collect();
        let known: Vec<&str> = [command::METHODS, question::METHODS, push::METHODS].concat();
        assert_eq!(named, known, "the lists of methods and the types agree");
    }

    fn method_of<'a>(document: &'a Value, name: &str) -> &'a Value {
        let methods = document["methods"].as_array().unwrap();
        methods
            .iter()
            .find(|method| method["name"] == name)
            .unwrap()
    }

    /// Every `$ref` in a value.
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_reference_in_the_document_leads_somewhere() {
        let document = document();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100, "there are references");
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_request_names_its_result_and_its_errors_and_no_notification_does() {
        let document = document();
        for name in [command::METHODS, question::METHODS].concat() {
            let method = method_of(&document, name);
            assert!(method["result"]["schema"].is_object(), "{name}: {method}");
            let mut found = Vec::new();
            references(&method["errors"], &mut found);
            assert!(found.contains(&"#/components/errors/rejected"), "{name}");
        }
        for name in push::METHODS {
            let method = method_of(&document, name);
            assert!(method.get("result").is_none(), "{name} is a notification");
        }
        let rejection = &document["components"]["errors"]["rejected"]["x-data"]["$ref"];
        assert_eq!(rejection, "#/components/schemas/Rejection");
        let fields = &document["components"]["schemas"]["Rejection"]["properties"];
        assert!(fields["code"].is_object() && fields["field"].is_object());
    }

    #[test]
    fn a_question_is_answered_with_what_it_names() {
        let document = document();
        for name in question::METHODS {
            let method = method_of(&document, name);
            let said = method["description"].as_str().unwrap();
            let (_, answer) = said.split_once("Answer: ").expect(name);
            let told = method["result"]["schema"]["$ref"].as_str();
            let told = told.and_then(|told| told.rsplit('/').next());
            if let Some(named) = answer.strip_prefix("[`") {
                let named = named.split('`').next().unwrap();
                assert_eq!(told, named.rsplit("::").next(), "{name}: add it to `told`");
            } else {
                assert!(answer.starts_with("`{}`"), "{name}: {answer}");
                assert_eq!(told, None, "{name}");
            }
        }
    }

    /// Every pattern in a value.
    fn patterns<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("pattern").and_then(Value::as_str));
                fields.values().for_each(|value| patterns(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| patterns(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_pattern_has_ids_as_they_are_written() {
        let document = document();
        let mut found = Vec::new();
        patterns(&document, &mut found);
        assert!(found.len() > 10, "there are patterns");
        for pattern in found {
            assert!(pattern.contains(ID_PATTERN), "{pattern}");
        }
    }

    #[test]
    fn the_params_of_notifications_are_named_one_by_one() {
        let document = document();
        let params = method_of(&document, "push")["params"].as_array().unwrap();
        let mut names: Vec<_> = params.iter().map(|param| param["name"].as_str()).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["authors", "log", "prev", "rev", "rows"].map(Some),
            "as they stand on the wire"
        );
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

//! Every example in `docs/protocol.md` is what a client or a server of this version says, and nothing is left out.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use std::collections::BTreeSet;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tulou_protocol::{
    Answer, ClientFrame, Digest, Greeting, Rejection, Row, ServerFrame, command,
    frame::{BUSY, Busy, REJECTED, Wrong},
    http, push, question,
};

/// An example: what follows `json` on its fence, and what stands in it.
struct Example {
    kind: Vec<String>,
    text: String,
}

fn document() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    std::fs::read_to_string(path).unwrap()
}

fn examples() -> Vec<Example> {
    let document = document();
    let mut examples = Vec::new();
    for block in document.split("\n```json").skip(1) {
        let (kind, rest) = block.split_once('\n').unwrap();
        let (text, _) = rest.split_once("\n```").unwrap();
        examples.push(Example {
            kind: kind.split_whitespace().map(str::to_owned).collect(),
            text: text.to_owned(),
        });
    }
    examples
}

/// A value is what the type would write: no field is unknown to it, none that it always writes is missing.
fn is_written_so<T: DeserializeOwned + Serialize>(value: &Value) {
    let read: T =
        serde_json::from_value(value.clone()).unwrap_or_else(|no| panic!("{no}: {value}"));
    assert_eq!(&serde_json::to_value(read).unwrap(), value);
}

fn result(method: &str, result: &Value) {
    match method {
        "session.open" => is_written_so::<Greeting>(result),
        "log.sync" => is_written_so::<question::Synced>(result),
        "session.watch" => is_written_so::<question::Watched>(result),
        "topic.page" => is_written_so::<question::Page>(result),
        "community.heads" => is_written_so::<Digest>(result),
        command => {
            assert!(command::METHODS.contains(&command), "{command}");
            is_written_so::<Answer>(result);
        }
    }
}

fn error(error: &Value) {
    let data = &error["data"];
    match i32::try_from(error["code"].as_i64().unwrap()).unwrap() {
        REJECTED => {
            is_written_so::<Rejection>(data);
            assert_eq!(error["message"], data["code"]);
        }
        BUSY => is_written_so::<Busy>(data),
        _ => is_written_so::<Wrong>(data),
    }
}

fn http(name: &str, body: &Value) {
    match name {
        "Register" => is_written_so::<http::Register>(body),
        "Registered" => is_written_so::<http::Registered>(body),
        "SignIn" => is_written_so::<http::SignIn>(body),
        "InviteCard" => is_written_so::<http::InviteCard>(body),
        "Refused" => is_written_so::<http::Refused>(body),
        other => panic!("{other} has no type here"),
    }
}

#[test]
fn every_example_is_what_this_version_says() {
    let examples = examples();
    assert!(examples.len() > 25, "they are found: {}", examples.len());
    for example in &examples {
        let value: Value = serde_json::from_str(&example.text)
            .unwrap_or_else(|no| panic!("{no}: {}", example.text));
        let kind: Vec<&str> = example.kind.iter().map(String::as_str).collect();
        match kind[..] {
            ["client"] => {
                let requests = ClientFrame::parse(&example.text).unwrap();
                let requests: Vec<_> = requests.into_iter().map(Result::unwrap).collect();
                let again = ClientFrame(requests).to_text().unwrap();
                let again: Value = serde_json::from_str(&again).unwrap();
                assert_eq!(again, value, "no param is unknown");
            }
            ["server"] => {
                let frame = ServerFrame::parse(&example.text).unwrap();
                assert!(matches!(frame, ServerFrame::Pushed(_)), "{value}");
                let again: Value = serde_json::from_str(&frame.to_text().unwrap()).unwrap();
                assert_eq!(again, value);
            }
            ["server", "error"] => error(&value["error"]),
            ["server", method] => {
                assert!(ServerFrame::parse(&example.text).is_ok());
                result(method, &value["result"]);
            }
            ["row"] => is_written_so::<Vec<Row>>(&value),
            ["http", name] => http(name, &value),
            _ => panic!("an example of what? {kind:?}"),
        }
    }
}

#[test]
fn every_kind_of_row_and_every_push_has_an_example_that_is_understood() {
    let mut kinds = BTreeSet::new();
    let mut pushes = BTreeSet::new();
    for example in examples() {
        let value: Value = serde_json::from_str(&example.text).unwrap();
        if example.kind == ["row"] {
            let rows: Vec<Row> = serde_json::from_value(value.clone()).unwrap();
            for row in rows {
                let is_unknown = matches!(row.body, tulou_protocol::Body::Unknown(..));
                assert!(!is_unknown, "{row:?}");
                kinds.insert(row.body.kind().to_owned());
            }
        }
        pushes.extend(value["method"].as_str().map(str::to_owned));
    }
    let mut generator = schemars::SchemaGenerator::default();
    let known: BTreeSet<String> = tulou_protocol::row::schemas(&mut generator)
        .into_iter()
        .map(|(kind, _)| kind.to_owned())
        .collect();
    assert_eq!(kinds, known);
    for push in push::METHODS {
        assert!(pushes.contains(*push), "{push} has no example");
    }
}

#[test]
fn what_the_text_names_in_capitals_is_a_limit() {
    let document = document();
    let (_, table) = document.split_once("<!-- limits -->").unwrap();
    // What stands in the tables was written by the code.
    let text: Vec<&str> = document
        .lines()
        .filter(|line| !line.starts_with('|'))
        .collect();
    let text = text.join("\n");
    for name in text.split('`').skip(1).step_by(2) {
        let is_limit =
            name.contains('_') && !name.contains(|c: char| !c.is_ascii_uppercase() && c != '_');
        let is_changeable = name.starts_with("limits.") && name.len() > 7;
        if is_limit || is_changeable {
            assert!(
                table.contains(&format!("| `{name}` |")),
                "{name} is no limit"
            );
        }
    }
}

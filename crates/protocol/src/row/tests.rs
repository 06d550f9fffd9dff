use super::*;
use crate::id::{AccountId, MessageId, Seq};

/// What is written reads back, and is written the same again.
fn reads_back(wire: &str) -> Row {
    let row: Row = serde_json::from_str(wire).unwrap();
    let text = serde_json::to_string(&row).unwrap();
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(value(&text), value(wire), "nothing of it is lost or added");
    assert_eq!(serde_json::from_str::<Row>(&text).unwrap(), row);
    row
}

#[test]
fn a_row_of_an_unknown_kind_is_kept_as_it_came() {
    let row = reads_back(r#"{"kind":"poll","id":"x","rev":3,"question":"?","n":1.5}"#);
    assert!(
        matches!(&row.body, Body::Unknown(kind, _) if kind == "poll"),
        "nothing guesses at it"
    );
}

#[test]
fn an_unknown_field_of_a_known_kind_is_kept() {
    let row = reads_back(
        r#"{"kind":"group","id":"x","rev":3,"colour":"red","name":"a","position":"80"}"#,
    );
    assert!(matches!(row.body, Body::Group(_)), "the kind is known");
}

#[test]
fn a_tombstone_keeps_its_kind() {
    let row = reads_back(r#"{"kind":"topic","id":"x","rev":9,"deleted":true}"#);
    assert_eq!(row.body, Body::Deleted("topic".into()));
}

#[test]
fn no_kind_has_a_field_that_is_the_rows() {
    let mut generator = schemars::SchemaGenerator::default();
    let _ = schemas(&mut generator);
    for (name, schema) in generator.take_definitions(true) {
        let fields = schema["properties"].as_object();
        let is_body = schema.get("additionalProperties") == Some(&Value::Bool(true));
        for field in ["kind", "id", "rev", "deleted"] {
            assert!(
                !is_body || fields.is_none_or(|fields| !fields.contains_key(field)),
                "{name} has a field {field}"
            );
        }
    }
}

const AUTHOR: AccountId = AccountId::from_bytes([7; 16]);

fn message(content_rev: u64, rev: u64) -> Row {
    Row {
        id: MessageId::from_bytes([1; 16]).to_string(),
        rev: Rev(rev),
        body: Message {
            seq: Seq(4),
            content: Some(Content {
                author: AUTHOR,
                sent_at: 1_796_000_060_000,
                written_at: None,
                text: "你好".into(),
                reply_to: None,
                edited_at: None,
                recalled_by: None,
                more: More::new(),
            }),
            content_rev: Rev(content_rev),
            marks: None,
            marks_rev: Rev::ZERO,
            more: More::new(),
        }
        .into(),
    }
}

#[test]
fn a_new_message_says_nothing_twice() {
    assert_eq!(
        serde_json::to_string(&message(9, 9)).unwrap(),
        format!(
            r#"{{"id":"{}","rev":9,"seq":4,"author":"{AUTHOR}","sent_at":1796000060000,"text":"你好"}}"#,
            MessageId::from_bytes([1; 16])
        )
    );
}

#[test]
fn a_message_whose_marks_changed_last_says_when_its_content_did() {
    let mut row = message(9, 11);
    if let Body::Message(message) = &mut row.body {
        message.marks = Some(Marks::default());
        message.marks_rev = Rev(11);
    }
    let text = serde_json::to_string(&row).unwrap();
    assert!(
        text.contains(r#""content_rev":9,"marks":{},"marks_rev":11"#),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<Row>(&text).unwrap(), row);
}

#[test]
fn marks_come_without_the_content() {
    let row =
        reads_back(r#"{"id":"x","rev":11,"seq":4,"content_rev":9,"marks":{},"marks_rev":11}"#);
    let Body::Message(message) = row.body else {
        panic!("it is a message");
    };
    assert_eq!((message.content, message.content_rev), (None, Rev(9)));
    assert_eq!(message.marks, Some(Marks::default()));
}

#[test]
fn what_a_newer_version_says_of_a_message_stays_with_its_content() {
    let row = reads_back(
        r#"{"id":"x","rev":1,"seq":4,"author":"BwcHBwcHBwcHBwcHBwcHBw","sent_at":1,"text":"","files":["a"]}"#,
    );
    let Body::Message(message) = row.body else {
        panic!("it is a message");
    };
    assert!(message.content.unwrap().more.contains_key("files"));
    let row = reads_back(r#"{"id":"x","rev":1,"seq":4,"votes":2}"#);
    let Body::Message(message) = row.body else {
        panic!("it is a message");
    };
    assert!(
        message.more.contains_key("votes"),
        "or with the message, if that is all"
    );
}

#[test]
fn half_a_content_is_none_that_this_version_understands() {
    for half in [
        r#"{"id":"x","rev":1,"seq":4,"author":"BwcHBwcHBwcHBwcHBwcHBw"}"#,
        r#"{"id":"x","rev":1,"seq":4,"text":"a","sent_at":1}"#,
        r#"{"id":"x","rev":1,"seq":4,"edited_at":1}"#,
    ] {
        let row = reads_back(half);
        assert!(matches!(row.body, Body::Unknown(..)), "{half}");
    }
}

#[test]
fn what_belongs_to_a_message_is_named_by_its_topic_too() {
    let key = MessageKey {
        topic: crate::TopicId::from_bytes([1; 16]),
        message: crate::MessageId::from_bytes([2; 16]),
    };
    let text = key.to_string();
    assert_eq!(text, format!("{}:{}", key.topic, key.message));
    assert_eq!(text.parse(), Ok(key), "it reads back");
    for other in [
        "",
        ":",
        &text[1..],
        &text[..22],
        &format!("{text}:"),
        &format!("{text} "),
    ] {
        assert!(other.parse::<MessageKey>().is_err(), "{other:?}");
    }
}

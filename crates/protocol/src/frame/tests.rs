//! A snapshot per wire variant, and what happens to bad frames.

use serde_json::Value;
use uuid::Uuid;

use super::*;
use crate::{
    command::{self, Command, Commanded, Home},
    id::*,
    permission::{Permissions, Place},
};

#[test]
fn a_bad_request_in_a_batch_does_not_spoil_the_others() {
    let good = r#"{"jsonrpc":"2.0","id":1,"method":"session.watch","params":{"topics":[]}}"#;
    let text = format!(
        r#"[{good},{{"jsonrpc":"2.0","id":2,"method":"no.such"}},7,{{"jsonrpc":"2.0","id":3,"method":"topic.page","params":{{}}}}]"#
    );
    let read = ClientFrame::parse(&text).unwrap();
    assert!(read[0].is_ok(), "the first is fine");
    let misread: Vec<_> = read[1..]
        .iter()
        .map(|request| request.as_ref().unwrap_err())
        .map(|misread| (misread.id.clone(), misread.code))
        .collect();
    assert_eq!(
        misread,
        [
            (Value::from(2), METHOD_NOT_FOUND),
            (Value::Null, INVALID_REQUEST),
            (Value::from(3), INVALID_PARAMS)
        ]
    );
}

#[test]
fn what_was_wrong_with_a_request_is_named_and_what_stood_there_is_not_told() {
    let id = TopicId(Uuid::from_u128(1));
    let send = |params: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"message.send","params":{params}}}"#)
    };
    let ask = |method: &str, params: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
    };
    let edit = format!(
        r#"{{"jsonrpc":"2.0","id":"{id}","method":"message.edit","params":{{"topic":"{id}","message":"{id}","text":{{"from":"a","to":7}}}}}}"#
    );
    let cases = [
        ("7".to_owned(), "frame", "a request is an object"),
        (
            send("{}").replace("2.0", "1.0"),
            "jsonrpc",
            "expected \"2.0\"",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1}"#.to_owned(),
            "method",
            "expected a string",
        ),
        (ask("no.such", "{}"), "method", "unknown here"),
        (
            ask("message.send", "{}"),
            "id",
            "a command's id has 22 letters",
        ),
        (
            ask("topic.page", "{}").replace("1,", "-1,"),
            "id",
            "a question's id is a whole number, 0 or more",
        ),
        (ask("topic.page", "{}"), "params.topic", "is missing"),
        (
            ask("topic.page", "null"),
            "params",
            "expected an object: params are given by name",
        ),
        (
            send(r#"{"topic":"secret"}"#),
            "params.topic",
            "not an id of 22 letters",
        ),
        (
            send(&format!(r#"{{"topic":"{id}","message":5}}"#)),
            "params.message",
            "expected an id of 22 letters",
        ),
        (edit, "params.text.to", "expected a string"),
        (
            ask(
                "topic.page",
                &format!(r#"{{"topic":"{id}","at":{{"before":"secret"}}}}"#),
            ),
            "params.at.before",
            "expected u64",
        ),
        (
            ask(
                "topic.page",
                &format!(r#"{{"topic":"{id}","at":"secret"}}"#),
            ),
            "params.at",
            "expected one of `end`, `before`, `after`, `around`, `message`",
        ),
        (
            ask("log.sync", r#"{"logs":[{"log":"secret/1","since":0}]}"#),
            "params.logs[0].log",
            "not the name of a log",
        ),
        (
            ask("session.open", r#"{"token":["secret"],"version":1}"#),
            "params.token",
            "expected a string",
        ),
    ];
    for (text, field, why) in cases {
        let read = ClientFrame::parse(&text).unwrap();
        let misread = read[0].as_ref().expect_err(&text);
        let wrong = misread.wrong.as_ref().unwrap();
        assert_eq!((&*wrong.field, &*wrong.why), (field, why), "{text}");
        let answer = serde_json::to_string(&misread.response()).unwrap();
        assert!(!answer.contains("secret"), "{answer}");
    }
}

#[test]
fn a_frame_that_is_not_json_is_said_to_be_unreadable() {
    for text in ["", "hello", "{", "[1,", "\u{0}"] {
        assert!(ClientFrame::parse(text).is_err(), "{text:?}");
    }
    let deep = "[".repeat(100_000);
    assert!(
        ClientFrame::parse(&deep).is_err(),
        "deep nesting is refused, not followed"
    );
}

#[test]
fn every_command_reads_back() {
    for command in commands() {
        let frame = ClientFrame(vec![Request::Command(Commanded {
            id: CommandId(Uuid::from_u128(1)),
            command,
        })]);
        let text = frame.to_text().unwrap();
        let read: Vec<_> = ClientFrame::parse(&text)
            .unwrap()
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(ClientFrame(read), frame, "{text}");
    }
}

#[test]
fn every_command_has_its_snapshot() {
    let all = commands();
    let methods: Vec<_> = all.iter().map(Command::method).collect();
    assert_eq!(methods, command::METHODS, "one example each");
    let wires: Vec<_> = all
        .into_iter()
        .map(|command| {
            Request::Command(Commanded {
                id: CommandId(Uuid::from_u128(1)),
                command,
            })
            .to_wire()
        })
        .collect();
    for (wire, method) in wires.into_iter().zip(methods) {
        assert_eq!(wire.method, method, "the table names it as serde does");
        insta::assert_json_snapshot!(wire.method.clone(), wire);
    }
}

#[test]
fn nobody_waits_for_what_says_how_far_was_read_and_for_nothing_else() {
    let quiet = commands().into_iter().filter(Command::is_quiet);
    let quiet: Vec<&str> = quiet.map(|command| command.method()).collect();
    assert_eq!(quiet, ["cursor.advance", "cursor.set", "mention.seen"]);
}

#[test]
fn a_command_is_what_is_said_of_it() {
    let document = crate::openrpc::document();
    for command in commands() {
        let (method, spec) = (command.method(), command.spec());
        let methods = document["methods"].as_array().unwrap();
        let described = methods.iter().find(|known| known["name"] == method);
        let said = described.unwrap()["description"].as_str().unwrap();
        let said = said.replace('\n', " ");
        assert_eq!(
            said.contains("(live)"),
            command.is_live(),
            "{method}: {said}"
        );
        let home = match spec.home {
            Home::Topic(_) => "Home: the topic.",
            Home::Community(_) => "Home: the community.",
            Home::Account => "Home: my account.",
        };
        assert!(said.contains(home), "{method}: {said}");
        // What it names it needs, unless it makes it; people are there without it.
        let wire = serde_json::to_value(&command).unwrap();
        let known: Vec<Uuid> = command.needs().chain(command.makes()).collect();
        for field in [
            "topic",
            "message",
            "reply_to",
            "community",
            "group",
            "member_group",
        ] {
            let value = &wire["params"][field];
            let Some(id) = value.as_str().or(value["to"].as_str()) else {
                continue;
            };
            let id: TopicId = id.parse().unwrap();
            assert!(known.contains(&id.0), "{method} needs its {field}");
        }
    }
}

#[test]
fn what_carries_a_secret_is_never_stored() {
    for command in commands() {
        let wire = serde_json::to_value(&command).unwrap();
        let params = wire["params"].as_object().unwrap();
        let is_secret = ["invite", "code", "token", "password"]
            .iter()
            .any(|field| params.contains_key(*field));
        assert!(
            !is_secret || command.is_live(),
            "{} would stand in outboxes",
            command.method()
        );
    }
}

#[test]
fn what_a_command_makes_is_nothing_that_it_needs() {
    for command in commands() {
        let needs: Vec<_> = command.needs().collect();
        assert!(
            command.makes().all(|made| !needs.contains(&made)),
            "{} would wait for itself",
            command.method()
        );
    }
}

fn commands() -> Vec<Command> {
    use crate::command::Edit;
    let topic = TopicId(Uuid::from_u128(2));
    let message = MessageId(Uuid::from_u128(3));
    let community = CommunityId(Uuid::from_u128(4));
    let group = GroupId(Uuid::from_u128(5));
    let member_group = MemberGroupId(Uuid::from_u128(6));
    let account = AccountId(Uuid::from_u128(7));
    let edit = || Edit {
        from: "甲".to_owned(),
        to: "乙".to_owned(),
    };
    vec![
        Command::MessageSend {
            topic,
            message,
            text: "你好".into(),
            reply_to: Some(MessageId(Uuid::from_u128(9))),
            written_at: 1,
        },
        Command::MessageEdit {
            topic,
            message,
            text: edit(),
        },
        Command::MessageRecall { topic, message },
        Command::MessageReact {
            topic,
            message,
            key: "🔥".into(),
            on: true,
        },
        Command::MessagePin {
            topic,
            message,
            on: false,
        },
        Command::CursorAdvance {
            topic,
            seq: Seq(5),
            set_no: 1,
        },
        Command::CursorSet { topic, seq: Seq(4) },
        Command::MentionSeen {
            topic,
            message,
            seen: true,
        },
        Command::NotifySet {
            scope: NotifyScope::Topic(topic),
            level: Level::Nothing,
            until: Some(9),
        },
        Command::ProfileEdit {
            display_name: edit(),
        },
        Command::CommunityCreate {
            community,
            name: "星海".into(),
            group,
            group_name: "大厅".into(),
            topic,
            topic_name: "闲聊".into(),
        },
        Command::CommunityEdit {
            community,
            name: Some(edit()),
            introduction: None,
        },
        Command::CommunityTransfer {
            community,
            owner: Edit {
                from: account,
                to: AccountId(Uuid::from_u128(8)),
            },
        },
        Command::CommunityDissolve { community },
        Command::CommunityJoin {
            community,
            invite: Some("abc".into()),
        },
        Command::CommunityLeave { community },
        Command::GroupCreate {
            community,
            group,
            name: "公告".into(),
            position: "80".into(),
        },
        Command::GroupEdit {
            community,
            group,
            name: None,
            position: Some(edit()),
        },
        Command::GroupDelete { community, group },
        Command::TopicCreate {
            community,
            group,
            topic,
            name: "招募".into(),
            introduction: String::new(),
            closed: true,
            position: "80".into(),
        },
        Command::TopicEdit {
            community,
            topic,
            name: None,
            introduction: Some(edit()),
            group: Some(Edit {
                from: group,
                to: group,
            }),
            position: None,
        },
        Command::TopicDelete { community, topic },
        Command::SeatSet {
            community,
            topic,
            account,
            on: true,
        },
        Command::MemberGroupCreate {
            community,
            member_group,
            name: "版主".into(),
            rank: "80".into(),
            shown: true,
            tagged: false,
        },
        Command::MemberGroupEdit {
            community,
            member_group,
            name: None,
            rank: None,
            shown: Some(Edit {
                from: true,
                to: false,
            }),
            tagged: Some(Edit {
                from: false,
                to: true,
            }),
        },
        Command::MemberGroupDelete {
            community,
            member_group,
        },
        Command::MemberGroupAssign {
            community,
            member_group,
            account,
            on: true,
        },
        Command::AccessSet {
            community,
            place: Place::Topic(topic),
            member_group: None,
            allow: Edit {
                from: Permissions::empty(),
                to: Permissions::SPEAK,
            },
            deny: Edit {
                from: Permissions::SPEAK,
                to: Permissions::empty(),
            },
        },
        Command::MemberKick {
            community,
            account,
            end_invites: true,
        },
    ]
}

use crate::row::{Level, NotifyScope};

#[test]
fn a_notification_of_a_newer_server_is_passed_over() {
    let frame = ServerFrame::parse(r#"{"jsonrpc":"2.0","method":"confetti","params":{}}"#).unwrap();
    assert_eq!(
        frame,
        ServerFrame::Unknown("confetti".into()),
        "it is known to be unknown"
    );
}

#[test]
fn pushes_and_answers_have_their_snapshots() {
    use crate::{push::*, rejection::Code, row::*};
    let topic = TopicId(Uuid::from_u128(2));
    let account = AccountId(Uuid::from_u128(7));
    let row = Row {
        id: MessageId(Uuid::from_u128(3)).to_string(),
        rev: Rev(9),
        body: Body::Message(Message {
            seq: Seq(4),
            content: Some(Content {
                author: account,
                sent_at: 1,
                written_at: None,
                text: "你好".into(),
                reply_to: None,
                edited_at: None,
                recalled_by: None,
                more: More::new(),
            }),
            content_rev: Rev(9),
            marks: Some(Marks {
                reactions: vec![Reaction {
                    key: "🔥".into(),
                    count: 2,
                }],
                ..Marks::default()
            }),
            marks_rev: Rev(8),
            more: More::new(),
        }),
    };
    let community = CommunityId(Uuid::from_u128(4));
    let pushed = [
        Pushed::Push(Push {
            log: Log::Topic(topic),
            prev: Rev(8),
            rev: Rev(9),
            rows: vec![row],
            authors: vec![(account, Rev(2))],
        }),
        Pushed::Stale(Stale {
            log: Log::Community(community),
            rev: Rev(3),
        }),
        Pushed::Digest(Digest {
            community,
            audience: "a".into(),
            from: 1,
            to: 2,
            topics: vec![TopicHead {
                no: 1,
                head_seq: Seq(4),
                rev: Rev(9),
                wide_mentions: vec![WideMention {
                    seq: Seq(4),
                    author: account,
                    member_group: None,
                }],
                read: None,
            }],
            members: 2,
            online: 1,
            after: None,
        }),
        Pushed::Heartbeat(Heartbeat {
            now: 5,
            heads: vec![(Log::Account(account), Rev(2))],
        }),
        Pushed::Addresses(Addresses {
            addresses: vec!["wss://192.168.1.20:4780".into()],
        }),
        Pushed::Condition(Condition {
            disk: Disk::Full,
            clock: Clock::Behind,
        }),
        Pushed::Goodbye(Goodbye {
            reason: Code::SignedOut,
        }),
    ];
    let mut texts = Vec::new();
    for pushed in pushed {
        let frame = ServerFrame::Pushed(pushed);
        let text = frame.to_text().unwrap();
        assert_eq!(ServerFrame::parse(&text).unwrap(), frame, "it reads back");
        texts.push(serde_json::from_str::<Value>(&text).unwrap());
    }
    let refusal = Refusal::Rejected(crate::Rejection::limit(Code::TooLong, 16_384));
    let answers = ServerFrame::Responses(vec![
        Response::ok(Value::from(1), &Answer::default()).unwrap(),
        Response::refused(Value::from(2), &refusal),
        Response::refused(
            Value::from(3),
            &Refusal::Busy(Busy {
                retry_after_ms: 250,
            }),
        ),
    ]);
    let text = answers.to_text().unwrap();
    assert_eq!(
        ServerFrame::parse(&text).unwrap(),
        answers,
        "answers read back"
    );
    texts.push(serde_json::from_str(&text).unwrap());
    insta::assert_json_snapshot!("pushes_and_answers", texts);
}

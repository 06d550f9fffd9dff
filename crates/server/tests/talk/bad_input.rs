//! Input that is not what it should be: answered clearly, and nothing else is disturbed.

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::link::{Guest, Place, alice_and_bob, host, id};

/// Two who talk on, whatever else goes on.
pub struct Talk {
    pub alice: Guest,
    pub bob: Guest,
    pub topic: String,
    /// How many messages were said.
    pub said: u64,
}

impl Talk {
    /// Alice hosts, bob watches; the community's id, too.
    pub async fn begin(place: &Place) -> (Self, String) {
        let (alice, mut bob, community, topic) = alice_and_bob(place).await;
        bob.watch(&[&topic]).await;
        let talk = Self {
            alice,
            bob,
            topic,
            said: 0,
        };
        (talk, community)
    }

    /// One says something, the other hears it.
    pub async fn goes_on(&mut self) {
        self.said += 1;
        self.alice.say(&self.topic, "还在").await;
        let log = format!("topic/{}", self.topic);
        let rev = self.said;
        self.bob
            .pushed("push", |push| push["log"] == log && push["rev"] == rev)
            .await;
    }
}

/// A link on which nothing was said yet.
pub async fn stranger(place: &Place) -> Guest {
    Guest::stranger(TcpStream::connect(place.address()).await.unwrap()).await
}

#[tokio::test]
async fn a_session_survives_what_it_cannot_read() {
    let place = host(|_| {}).await;
    let mut alice = Guest::register(&place, "alice", None).await;
    alice.text("not json").await;
    assert_eq!(alice.answers().await[0]["error"]["code"], -32_700);
    alice.text("[]").await;
    assert_eq!(alice.answers().await[0]["error"]["code"], -32_600);
    alice.binary(b"bytes").await;
    assert_eq!(alice.answers().await[0]["error"]["code"], -32_600);
    alice
        .text(r#"{"jsonrpc":"2.0","id":1,"method":"no.such","params":{}}"#)
        .await;
    assert_eq!(alice.answers().await[0]["error"]["code"], -32_601);
    alice
        .text(r#"{"jsonrpc":"2.0","id":1,"method":"topic.page","params":{}}"#)
        .await;
    assert_eq!(
        alice.answers().await[0]["error"],
        json!({
            "code": -32_602,
            "message": "params.topic: is missing",
            "data": {"field": "params.topic", "why": "is missing"},
        }),
        "it is said what is wrong"
    );
    alice
        .ask("profile.list", json!({"accounts": [alice.account]}))
        .await
        .unwrap();
    alice.text(&" ".repeat(70_000)).await;
    assert_eq!(
        alice.answers().await[0]["error"]["data"]["code"],
        "frame_too_long"
    );
    let goodbye = alice.pushed("goodbye", |_| true).await;
    assert_eq!(goodbye["reason"], "frame_too_long", "then it is closed");
    place.stop().await;
}

#[tokio::test]
async fn each_unreadable_request_has_its_answer() {
    let place = host(|_| {}).await;
    let (mut talk, _) = Talk::begin(&place).await;
    let topic = talk.topic.clone();
    let mut mallory = Guest::connect(&place, &talk.bob.token, &talk.bob.account).await;
    let question = |id: &str, params: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"topic.page","params":{params}}}"#)
    };
    let command = |id: &str, params: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"cursor.set","params":{params}}}"#)
    };
    let page = format!(r#"{{"topic":"{topic}","at":"end","limit":5}}"#);
    let at = |at: &str, limit: &str| format!(r#"{{"topic":"{topic}","at":{at},"limit":{limit}}}"#);
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(9_000), close.repeat(9_000));
    let cases: Vec<(String, Vec<i64>)> = vec![
        ("{".into(), vec![-32_700]),
        ("nul".into(), vec![-32_700]),
        ("{}{}".into(), vec![-32_700]),
        ("\u{feff}{}".into(), vec![-32_700]),
        ("{}".into(), vec![-32_600]),
        ("null".into(), vec![-32_600]),
        (r#""text""#.into(), vec![-32_600]),
        ("17".into(), vec![-32_600]),
        ("[]".into(), vec![-32_600]),
        ("[1,[],{}]".into(), vec![-32_600; 3]),
        // As many as no client has reason to send.
        (format!("[{}1]", "1,".repeat(500)), vec![-32_600]),
        (question("1", &page).replace("2.0", "1.0"), vec![-32_600]),
        (question("1", &page).replace(r#""2.0""#, "2"), vec![-32_600]),
        (question("null", &page), vec![-32_600]),
        (question("-1", &page), vec![-32_600]),
        (question("1.5", &page), vec![-32_600]),
        (question(r#""1""#, &page), vec![-32_600]),
        (question("[[]]", &page), vec![-32_600]),
        (command("1", &page), vec![-32_600]),
        (command(r#""not an id""#, &page), vec![-32_600]),
        (
            question("1", &page).replace("topic.page", "topic.drop"),
            vec![-32_601],
        ),
        (
            question("1", &page).replace("topic.page", ""),
            vec![-32_601],
        ),
        (question("1", "null"), vec![-32_602]),
        (question("1", "[]"), vec![-32_602]),
        (question("1", "{}"), vec![-32_602]),
        (question("1", &at(r#""middle""#, "5")), vec![-32_602]),
        (question("1", &at(r#"{"after":-1}"#, "5")), vec![-32_602]),
        (question("1", &at(r#"{"after":1.5}"#, "5")), vec![-32_602]),
        (
            question("1", &at(r#"{"after":18446744073709551616}"#, "5")),
            vec![-32_602],
        ),
        (question("1", &at(r#""end""#, "-5")), vec![-32_602]),
        (question("1", &at(r#""end""#, r#""5""#)), vec![-32_602]),
        (question("1", &at(r#""end""#, "1e400")), vec![-32_600]),
        (question("1", &page.replace(&topic, "topic")), vec![-32_602]),
        // Nested deeper than anybody would: no stack is used up.
        (deep("[", "]"), vec![-32_600]),
        (deep("[", ""), vec![-32_700]),
        (deep(r#"{"a":"#, "}"), vec![-32_700]),
        (question("1", &deep("[", "]")), vec![-32_600]),
        (question(&deep("[", "]"), &page), vec![-32_600]),
    ];
    for (text, codes) in cases {
        mallory.text(&text).await;
        let answers = mallory.answers().await;
        let answered: Vec<i64> = answers
            .iter()
            .map(|answer| answer["error"]["code"].as_i64().unwrap())
            .collect();
        let shown: String = text.chars().take(120).collect();
        assert_eq!(answered, codes, "to {shown}");
    }
    talk.goes_on().await;
    mallory.page(&topic).await;
    place.stop().await;
}

#[tokio::test]
async fn a_bad_request_in_a_batch_does_not_spoil_the_others() {
    let place = host(|_| {}).await;
    let (mut talk, _) = Talk::begin(&place).await;
    let good = json!({"jsonrpc": "2.0", "id": 7, "method": "topic.page", "params": {"topic": talk.topic, "at": "end", "limit": 5}});
    let bad = json!({"jsonrpc": "2.0", "id": 8, "method": "topic.page", "params": {"topic": 5}});
    talk.alice.text(&json!([bad, good, 3]).to_string()).await;
    let answers = talk.alice.answers().await;
    assert_eq!(answers[0]["id"], 8, "with its own id");
    assert_eq!(answers[0]["error"]["code"], -32_602);
    assert!(answers[1]["result"]["rows"].is_array(), "{}", answers[1]);
    assert_eq!(answers[2]["error"]["code"], -32_600);
    talk.goes_on().await;
    place.stop().await;
}

#[tokio::test]
async fn a_session_is_not_opened_in_a_batch() {
    let place = host(|_| {}).await;
    let alice = Guest::register(&place, "alice", None).await;
    let open = json!({"jsonrpc": "2.0", "id": 1, "method": "session.open", "params": {"token": alice.token, "version": 2}});
    let next =
        json!({"jsonrpc": "2.0", "id": 2, "method": "profile.list", "params": {"accounts": []}});
    let mut guest = stranger(&place).await;
    guest.text(&json!([open, next]).to_string()).await;
    let answer = &guest.answers().await[0];
    assert_eq!(answer["error"]["code"], -32_600, "not half of it is done");
    assert_eq!(answer["error"]["data"]["field"], "frame");
    guest.text(&open.to_string()).await;
    assert!(guest.answers().await[0]["result"]["epoch"].is_string());
    place.stop().await;
}

#[tokio::test]
async fn unreadable_requests_take_their_part_of_the_rate() {
    let place = host(|config| {
        config.limits.requests_burst = 20;
        config.limits.requests_per_s = 1;
    })
    .await;
    let mut alice = Guest::register(&place, "alice", None).await;
    alice.text(&format!("[{}1]", "1,".repeat(49))).await;
    let answers = alice.answers().await;
    let busy = answers
        .iter()
        .filter(|answer| answer["error"]["code"] == 2)
        .count();
    assert!(busy >= 29, "nobody is answered without end: {busy} of 50");
    place.stop().await;
}

#[tokio::test]
async fn absurd_numbers_are_answered_and_change_nothing() {
    let place = host(|_| {}).await;
    let (mut talk, community) = Talk::begin(&place).await;
    talk.goes_on().await;
    let topic = talk.topic.clone();
    let log = format!("topic/{topic}");
    let mallory = &mut talk.bob;
    let edge = [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX];
    for seq in edge {
        for at in [
            json!({"before": seq}),
            json!({"after": seq}),
            json!({"around": seq}),
        ] {
            for limit in [0, usize::MAX] {
                let asked = json!({"topic": topic, "at": at, "limit": limit});
                let page = mallory.ask("topic.page", asked).await.unwrap();
                assert!(page["rows"].as_array().unwrap().len() <= 1, "{at}: {page}");
            }
        }
        for other in edge {
            let asked = json!({"log": log, "since": other, "ranges": [{"from": other, "to": seq, "rev": other}]});
            let outcome = mallory.sync(asked).await["outcome"].clone();
            assert!(outcome == "topic" || outcome == "ahead", "{outcome}");
        }
        let set = json!({"topic": topic, "seq": seq});
        mallory.command("cursor.set", set).await.unwrap();
        let advance = json!({"topic": topic, "seq": seq, "set_no": u32::MAX});
        mallory.command("cursor.advance", advance).await.unwrap();
        let asked = json!({"community": community, "limit": seq});
        mallory.ask("member.list", asked).await.unwrap();
    }
    for since in [i64::MIN, -1, i64::MAX] {
        let asked = json!({"community": community, "since": since});
        mallory.ask("community.heads", asked).await.unwrap();
    }
    let message = json!({"topic": topic, "message": id(), "text": "x", "written_at": i64::MIN});
    mallory.command("message.send", message).await.unwrap();
    for (expires_at, max_uses) in [(i64::MIN, 1_u32), (0, 1), (i64::MAX, 0)] {
        let asked = json!({"community": community, "expires_at": expires_at, "max_uses": max_uses});
        let refused = talk.alice.ask("invite.create", asked).await.unwrap_err();
        assert_eq!(refused["code"], "malformed");
        let field = if max_uses == 0 {
            "max_uses"
        } else {
            "expires_at"
        };
        assert_eq!(refused["field"], field);
    }
    let bits = json!({"community": community, "place": "community", "allow": {"from": tulou_protocol::Permissions::NEW_COMMUNITY.bits(), "to": u64::MAX}, "deny": {"from": 0, "to": 0}});
    let refused = talk.alice.command("access.set", bits).await.unwrap_err();
    assert_eq!(refused["code"], "malformed", "rights that nobody knows");
    let page = talk.alice.page(&topic).await;
    assert_eq!(page["rows"].as_array().unwrap().len(), 2);
    place.stop().await;
}

/// A masked frame with these first bits and this content.
fn frame(first: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, 0x80 | u8::try_from(content.len()).unwrap()];
    bytes.extend([0; 4]);
    bytes.extend(content);
    bytes
}

#[tokio::test]
async fn what_is_no_websocket_frame_ends_the_link_and_no_other() {
    let place = host(|_| {}).await;
    let (mut talk, _) = Talk::begin(&place).await;
    let (token, account) = (talk.alice.token.clone(), talk.alice.account.clone());
    let cases: [(&str, Vec<u8>, Option<&str>); 5] = [
        (
            "text that is not UTF-8",
            frame(0x81, b"\xff\xfe"),
            Some("bad_frame"),
        ),
        ("an unknown kind", frame(0x83, b"x"), Some("bad_frame")),
        ("reserved bits", frame(0xf1, b"x"), Some("bad_frame")),
        (
            "a frame without a mask",
            vec![0x81, 2, b'{', b'}'],
            Some("bad_frame"),
        ),
        (
            "a frame that says it is endless",
            [&[0x81, 0xff][..], &[0x7f; 8], &[0; 4]].concat(),
            Some("frame_too_long"),
        ),
    ];
    for (what, bytes, reason) in cases {
        let mut mallory = Guest::connect(&place, &token, &account).await;
        mallory.raw(&bytes).await;
        let goodbye = mallory.pushed("goodbye", |_| true).await;
        assert_eq!(goodbye["reason"].as_str(), reason, "{what}");
        mallory.closed().await;
        talk.goes_on().await;
    }
    // A message in pieces that never ends is not kept without bound.
    let mut mallory = Guest::connect(&place, &token, &account).await;
    let piece = frame(0x00, &[b' '; 100]);
    mallory.raw(&frame(0x01, b"[")).await;
    for _ in 0..2_700 {
        mallory.raw(&piece).await;
    }
    let goodbye = mallory.pushed("goodbye", |_| true).await;
    assert_eq!(goodbye["reason"], "frame_too_long");
    talk.goes_on().await;
    place.stop().await;
}

/// What the server says to some bytes over plain TCP, until it closes.
async fn said_to(place: &Place, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(place.address()).await.unwrap();
    // The server may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(30), read)
        .await
        .expect("the server closes it");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn bad_http_is_refused_and_nobody_else_notices() {
    let place = host(|_| {}).await;
    let (mut talk, _) = Talk::begin(&place).await;
    let large = format!(
        r#"{{"account_name":"x","password":"{}"}}"#,
        "x".repeat(100_000)
    );
    let (status, _) = place.http("POST", "/v1/sessions", "", &large).await;
    assert!(status == 400 || status == 413, "too large: {status}");
    for (body, field) in [
        ("", None),
        ("{", None),
        ("null", None),
        ("{}", Some("account_name")),
        (r#"{"account_name":1,"password":[]}"#, Some("account_name")),
        (
            r#"{"account_name":"alice","password":["secret"]}"#,
            Some("password"),
        ),
    ] {
        let (status, answer) = place.http("POST", "/v1/sessions", "", body).await;
        assert_eq!(
            (status, &answer["rejection"]["code"]),
            (400, &json!("malformed")),
            "{body}"
        );
        assert_eq!(answer["rejection"]["field"].as_str(), field, "{body}");
        assert!(!answer.to_string().contains("secret"), "it is not repeated");
    }
    let deep = format!("{}{}", "[".repeat(6_000), "]".repeat(6_000));
    let (status, _) = place.http("POST", "/v1/accounts", "", &deep).await;
    assert_eq!(status, 400, "nested deeply");
    assert_eq!(place.http("GET", "/v1/nothing", "", "").await.0, 404);
    assert_eq!(place.http("PATCH", "/v1/sessions", "", "").await.0, 405);
    assert_eq!(
        place.http("GET", "/v1/invites/%00%ff..%2f", "", "").await.0 / 100,
        4
    );
    let (status, _) = place
        .http(
            "DELETE",
            "/v1/sessions/current",
            "Authorization: Bearer \r\n",
            "",
        )
        .await;
    assert_eq!(status, 401);
    let plain = place.http("GET", "/ws", "", "").await.0;
    assert_eq!(plain / 100, 4, "no upgrade was asked for");
    for bytes in [
        &b"NONSENSE\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    ] {
        let said = said_to(&place, bytes).await;
        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 400"),
            "{said}"
        );
    }
    // Whoever gets an answer knows whose it is, and how a request came that lost its upgrade.
    let server = format!("tulou-server: {}", place.server());
    for (asked, came_as) in [
        ("GET /v1/nothing HTTP/1.1", None),
        ("PATCH /v1/sessions HTTP/1.1", None),
        ("GET /v1/invites/nothing HTTP/1.1", None),
        ("GET /ws HTTP/1.1", Some("tulou-came-as: HTTP/1.1")),
        ("GET /ws HTTP/1.0", Some("tulou-came-as: HTTP/1.0")),
    ] {
        let request = format!("{asked}\r\nHost: x\r\nConnection: close\r\n\r\n");
        let said = said_to(&place, request.as_bytes()).await;
        assert!(said.contains(&server), "{asked}: {said}");
        assert!(
            came_as.is_none_or(|came_as| said.contains(came_as)),
            "{asked}: {said}"
        );
    }
    let endless = [&b"GET /health HTTP/1.1\r\nX: "[..], &[b'x'; 1 << 20]].concat();
    let said = said_to(&place, &endless).await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    talk.goes_on().await;
    place.stop().await;
}

//! What belongs to others: their ids, their commands, their sessions.

use serde_json::{Value, json};

use crate::{
    bad_input::{Talk, stranger},
    link::{Guest, host, id},
};

#[tokio::test]
async fn ids_of_others_open_nothing() {
    let place = host(|config| config.registration = tulou_protocol::http::Registration::Open).await;
    let (mut talk, community) = Talk::begin(&place).await;
    let sent = talk.alice.say(&talk.topic, "secret").await;
    talk.said += 1;
    let message = sent["pushes"][0]["rows"][0]["id"].clone();
    let topic = talk.topic.clone();
    let alice = talk.alice.account.clone();
    let code = talk.alice.invite(&community).await;
    let mut mallory = Guest::register(&place, "mallory", None).await;
    let own = (id(), id());
    let made = json!({"community": own.0, "name": "x", "group": id(), "group_name": "x", "topic": own.1, "topic_name": "x"});
    mallory.command("community.create", made).await.unwrap();

    let text = json!({"from": "secret", "to": "mine"});
    let commands = [
        (
            "message.send",
            json!({"topic": topic, "message": id(), "text": "x", "written_at": 1}),
            "not_a_member",
        ),
        (
            "message.send",
            json!({"topic": own.1, "message": id(), "text": "x", "reply_to": message, "written_at": 1}),
            "not_found",
        ),
        (
            "message.edit",
            json!({"topic": topic, "message": message, "text": text}),
            "not_a_member",
        ),
        (
            "message.edit",
            json!({"topic": own.1, "message": message, "text": text}),
            "not_found",
        ),
        (
            "message.recall",
            json!({"topic": own.1, "message": message}),
            "not_found",
        ),
        (
            "message.react",
            json!({"topic": own.1, "message": message, "key": "👍", "on": true}),
            "not_found",
        ),
        (
            "message.pin",
            json!({"topic": own.1, "message": message, "on": true}),
            "not_found",
        ),
        (
            "cursor.set",
            json!({"topic": topic, "seq": 0}),
            "not_a_member",
        ),
        (
            "community.edit",
            json!({"community": community, "name": {"from": "土楼", "to": "x"}}),
            "not_a_member",
        ),
        (
            "community.transfer",
            json!({"community": community, "owner": {"from": alice, "to": mallory.account}}),
            "not_a_member",
        ),
        (
            "community.dissolve",
            json!({"community": community}),
            "not_a_member",
        ),
        (
            "community.join",
            json!({"community": community}),
            "invite_needed",
        ),
        (
            "community.join",
            json!({"community": community, "invite": "ABCDEFGHIJKL"}),
            "invite_invalid",
        ),
        (
            "topic.delete",
            json!({"community": own.0, "topic": topic}),
            "not_found",
        ),
        (
            "topic.delete",
            json!({"community": community, "topic": topic}),
            "not_a_member",
        ),
        (
            "seat.set",
            json!({"community": own.0, "topic": own.1, "account": alice, "on": true}),
            "malformed",
        ),
        (
            "member.kick",
            json!({"community": own.0, "account": alice}),
            "not_found",
        ),
        (
            "member.kick",
            json!({"community": community, "account": alice, "end_invites": true}),
            "not_a_member",
        ),
        (
            "member_group.assign",
            json!({"community": own.0, "member_group": id(), "account": alice, "on": true}),
            "not_found",
        ),
        (
            "topic.create",
            json!({"community": own.0, "group": id(), "topic": id(), "name": "x", "position": "80"}),
            "not_found",
        ),
        (
            "community.create",
            json!({"community": community, "name": "x", "group": id(), "group_name": "x", "topic": id(), "topic_name": "x"}),
            "id_taken",
        ),
        (
            "community.create",
            json!({"community": id(), "name": "x", "group": id(), "group_name": "x", "topic": topic, "topic_name": "x"}),
            "id_taken",
        ),
    ];
    for (method, params, code) in commands {
        let refused = mallory.command(method, params.clone()).await.unwrap_err();
        assert_eq!(refused["code"], code, "{method} {params}");
        assert!(!refused.to_string().contains("secret"), "{refused}");
    }
    let questions = [
        (
            "topic.page",
            json!({"topic": topic, "at": "end", "limit": 5}),
            "not_found",
        ),
        (
            "topic.page",
            json!({"topic": own.1, "at": {"message": message}, "limit": 5}),
            "not_found",
        ),
        (
            "member.list",
            json!({"community": community, "limit": 5}),
            "not_a_member",
        ),
        (
            "community.heads",
            json!({"community": community, "since": 0}),
            "not_a_member",
        ),
        (
            "invite.list",
            json!({"community": community}),
            "not_a_member",
        ),
        (
            "invite.create",
            json!({"community": community}),
            "not_a_member",
        ),
        (
            "invite.take",
            json!({"community": community, "code": code}),
            "not_a_member",
        ),
        (
            "invite.take",
            json!({"community": own.0, "code": code}),
            "not_found",
        ),
        (
            "invite.revoke",
            json!({"community": own.0, "code": code}),
            "not_found",
        ),
        (
            "member.list",
            json!({"community": own.0, "topic": topic, "limit": 5}),
            "not_found",
        ),
    ];
    for (method, params, code) in questions {
        let refused = mallory.ask(method, params.clone()).await.unwrap_err();
        assert_eq!(refused["code"], code, "{method} {params}");
    }
    for log in [
        format!("topic/{topic}"),
        format!("community/{community}"),
        format!("account/{alice}"),
        // Another thing's id, and nobody's.
        format!("topic/{community}"),
        format!("community/{alice}"),
        format!("topic/{}", id()),
    ] {
        let synced = mallory.sync(json!({"log": log, "since": 0})).await;
        assert_eq!(synced["outcome"], "gone", "{log}");
    }
    let watched = mallory.watch(&[&topic, &own.1, &id()]).await;
    assert_eq!(watched["topics"].as_array().unwrap().len(), 1, "her own");
    talk.goes_on().await;
    mallory.page(&own.1).await;
    assert!(
        mallory
            .seen
            .iter()
            .all(|frame| !frame.to_string().contains(&topic)),
        "she heard nothing of it"
    );
    place.stop().await;
}

#[tokio::test]
async fn a_command_of_another_account_is_not_repeated_by_its_id() {
    let place = host(|_| {}).await;
    let (mut talk, _) = Talk::begin(&place).await;
    let command = json!(id());
    let params = json!({"topic": talk.topic, "message": id(), "text": "hers", "written_at": 1});
    let hers = talk.alice.request(&command, "message.send", &params).await;
    let params = json!({"topic": talk.topic, "message": id(), "text": "his", "written_at": 1});
    let his = talk.bob.request(&command, "message.send", &params).await;
    let text = |answer: &Result<Value, Value>| {
        answer.as_ref().unwrap()["pushes"][0]["rows"][0]["text"].clone()
    };
    assert_eq!(
        (text(&hers), text(&his)),
        (json!("hers"), json!("his")),
        "ids are an account's own"
    );
    place.stop().await;
}

#[tokio::test]
async fn nothing_is_answered_before_a_session_is_opened() {
    let place = host(|_| {}).await;
    let (mut talk, _) = Talk::begin(&place).await;
    let page = json!({"topic": talk.topic, "at": "end", "limit": 5});
    let send = json!({"topic": talk.topic, "message": id(), "text": "x", "written_at": 1});
    let mut early = stranger(&place).await;
    let refused = early.ask("topic.page", page).await.unwrap_err();
    assert_eq!(refused["code"], "not_open", "nothing is said of the token");
    early.closed().await;
    let mut early = stranger(&place).await;
    let refused = early.command("message.send", send).await.unwrap_err();
    assert_eq!(refused["code"], "not_open");
    early.closed().await;
    for token in ["", "nonsense", &"x".repeat(10_000)] {
        let mut wrong = stranger(&place).await;
        let open = json!({"token": token, "version": 2});
        let refused = wrong.ask("session.open", open).await.unwrap_err();
        assert_eq!(refused["code"], "signed_out", "no such token");
        wrong.closed().await;
    }
    let mut newer = stranger(&place).await;
    let open = json!({"token": talk.bob.token, "version": 4_000_000_000_u32});
    let refused = newer.ask("session.open", open).await.unwrap_err();
    assert_eq!(
        (&refused["code"], &refused["version"]),
        (&json!("outdated"), &json!(tulou_protocol::VERSION)),
        "so the client knows which of the two is older"
    );
    newer.closed().await;
    let refused = talk
        .bob
        .ask("session.open", json!({"token": "x", "version": 2}))
        .await
        .unwrap_err();
    assert_eq!(refused["code"], "already", "one session on a link");
    talk.goes_on().await;
    place.stop().await;
}

#[tokio::test]
async fn a_token_that_was_revoked_opens_nothing() {
    let place = host(|_| {}).await;
    let (mut talk, _) = Talk::begin(&place).await;
    let (token, account) = (talk.alice.token.clone(), talk.alice.account.clone());
    let signed_in =
        json!({"account_name": "alice", "password": "correct horse", "device": "other"});
    let (status, body) = place.post("/v1/sessions", &signed_in).await;
    assert_eq!(status, 201);
    let other = body["token"].as_str().unwrap();
    let bearer = format!("Authorization: Bearer {other}\r\n");
    let (status, _) = place
        .http("DELETE", "/v1/sessions/current", &bearer, "")
        .await;
    assert_eq!(status, 204);
    let refused = Guest::try_connect(&place, other, &account).await.err();
    assert_eq!(refused.unwrap()["code"], "signed_out");
    let again = Guest::try_connect(&place, &token, &account).await;
    assert!(again.is_ok(), "her other session goes on");
    talk.goes_on().await;
    place.stop().await;
}

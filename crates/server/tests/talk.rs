//! The server from outside: real sockets, a real file.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

#[path = "talk/link.rs"]
mod link;

use link::{Guest, Place, greeting_text, host};
use serde_json::{Value, json};
use tulou_protocol::Permissions;
use uuid::Uuid;

fn id() -> String {
    Uuid::now_v7().to_string()
}

/// Alice hosts a community, bob has joined it by an invite.
async fn alice_and_bob(place: &Place) -> (Guest, Guest, String, String) {
    let mut alice = Guest::register(place, "alice", None).await;
    let (community, topic) = (id(), id());
    let made = alice
        .command(
            "community.create",
            json!({"community": community, "name": "土楼", "group": id(), "group_name": "大厅", "topic": topic, "topic_name": "闲聊"}),
        )
        .await
        .unwrap();
    assert_eq!(
        made["pushes"][0]["log"],
        format!("community/{community}"),
        "the home log comes first"
    );
    let invite = alice
        .ask("invite.create", json!({"community": community}))
        .await
        .unwrap();
    let code = invite["code"].as_str().unwrap().to_owned();
    let mut bob = Guest::register(place, "bob", Some(&code)).await;
    bob.command(
        "community.join",
        json!({"community": community, "invite": code}),
    )
    .await
    .unwrap();
    (alice, bob, community, topic)
}

fn send(topic: &str, text: &str) -> Value {
    json!({"topic": topic, "message": id(), "text": text, "written_at": 1})
}

#[tokio::test]
async fn two_people_talk() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    let watched = bob
        .ask("session.watch", json!({"topics": [topic]}))
        .await
        .unwrap();
    assert_eq!(watched["topics"][0]["topic"], topic, "bob may see it");

    let sent = alice
        .command("message.send", send(&topic, "大家好"))
        .await
        .unwrap();
    let row = &sent["pushes"][0]["rows"][0];
    assert_eq!(row["body"]["seq"], 1, "it is the first");
    let message = row["id"].as_str().unwrap().to_owned();
    let push = bob
        .pushed("push", |push| push["log"] == format!("topic/{topic}"))
        .await;
    assert_eq!(
        push["rows"][0], *row,
        "bob gets the row that alice was answered with"
    );
    assert_eq!(push["authors"][0][0], alice.account, "with its author");

    let reply = bob
        .command(
            "message.send",
            json!({"topic": topic, "message": id(), "text": format!("你好 <@{}>", alice.account), "reply_to": message, "written_at": 2}),
        )
        .await
        .unwrap();
    assert_eq!(reply["pushes"][0]["rows"][0]["body"]["seq"], 2);
    let own = format!("account/{}", alice.account);
    let mention = alice.pushed("push", |push| push["log"] == own).await;
    assert_eq!(
        mention["rows"][0]["kind"], "mention",
        "alice was mentioned: {mention}"
    );

    alice
        .command(
            "message.edit",
            json!({"topic": topic, "message": message, "text": {"from": "大家好", "to": "大家早"}}),
        )
        .await
        .unwrap();
    let moved = alice
        .command(
            "message.edit",
            json!({"topic": topic, "message": message, "text": {"from": "大家好", "to": "大家晚"}}),
        )
        .await
        .unwrap_err();
    assert_eq!(
        moved["code"], "changed_meanwhile",
        "the text moved: {moved}"
    );
    assert_eq!(
        moved["present"]["body"]["content"]["text"], "大家早",
        "the present row comes with it"
    );
    bob.command(
        "message.react",
        json!({"topic": topic, "message": message, "key": "👍", "on": true}),
    )
    .await
    .unwrap();
    let pin = bob
        .command(
            "message.pin",
            json!({"topic": topic, "message": message, "on": true}),
        )
        .await
        .unwrap_err();
    assert_eq!(pin["code"], "not_allowed", "bob may not pin: {pin}");
    alice
        .command(
            "message.pin",
            json!({"topic": topic, "message": message, "on": true}),
        )
        .await
        .unwrap();

    let page = bob
        .ask(
            "topic.page",
            json!({"topic": topic, "at": "end", "limit": 50}),
        )
        .await
        .unwrap();
    assert_eq!(page["rows"].as_array().unwrap().len(), 2, "{page}");
    let first = &page["rows"][0]["body"];
    assert_eq!(first["content"]["text"], "大家早");
    assert_eq!(first["marks"]["reactions"][0]["count"], 1);
    assert!(first["marks"]["pinned_at"].is_number(), "it is pinned");

    let others = bob
        .command(
            "message.recall",
            json!({"topic": topic, "message": message}),
        )
        .await
        .unwrap_err();
    assert_eq!(others["code"], "not_allowed", "it is alice's");
    alice
        .command(
            "message.recall",
            json!({"topic": topic, "message": message}),
        )
        .await
        .unwrap();
    let page = bob
        .ask(
            "topic.page",
            json!({"topic": topic, "at": {"around": 1}, "limit": 50}),
        )
        .await
        .unwrap();
    let first = &page["rows"][0]["body"];
    assert_eq!(first["content"]["text"], "", "nothing of it is left");
    assert_eq!(first["content"]["recalled_by"], alice.account);
    assert!(first["marks"].get("pinned_at").is_none(), "nor its pin");

    let members = alice
        .ask(
            "member.list",
            json!({"community": community, "prefix": "", "limit": 10}),
        )
        .await
        .unwrap();
    assert_eq!(members["sections"][0]["count"], 2, "{members}");
    let digest = bob
        .pushed("digest", |digest| {
            digest["topics"]
                .as_array()
                .is_some_and(|topics| !topics.is_empty())
        })
        .await;
    assert_eq!(digest["topics"][0]["no"], 1, "{digest}");
    place.stop().await;
}

#[tokio::test]
async fn a_repeated_command_gets_the_stored_answer() {
    let place = host(|_| {}).await;
    let (mut alice, _bob, _, topic) = alice_and_bob(&place).await;
    let command = id();
    let params = send(&topic, "once");
    let first = alice
        .request(&json!(command), "message.send", &params)
        .await
        .unwrap();
    let again = alice
        .request(&json!(command), "message.send", &params)
        .await
        .unwrap();
    assert_eq!(first, again, "a repeat changes nothing");
    // Both at once: the second finds the first in flight.
    let (command, params) = (id(), send(&topic, "twice"));
    let one = json!({"jsonrpc": "2.0", "id": command, "method": "message.send", "params": params});
    alice.text(&json!([one, one]).to_string()).await;
    let answers = alice.answers().await;
    assert_eq!(answers[0]["result"], answers[1]["result"]);
    let page = alice
        .ask(
            "topic.page",
            json!({"topic": topic, "at": "end", "limit": 50}),
        )
        .await
        .unwrap();
    assert_eq!(page["rows"].as_array().unwrap().len(), 2, "two in all");
    place.stop().await;
}

#[tokio::test]
async fn an_id_of_somebody_else_is_refused() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, _, topic) = alice_and_bob(&place).await;
    let params = send(&topic, "mine");
    alice.command("message.send", params.clone()).await.unwrap();
    let taken = bob
        .command("message.send", params.clone())
        .await
        .unwrap_err();
    assert_eq!(taken["code"], "id_taken");
    let same = alice.command("message.send", params).await.unwrap();
    assert_eq!(
        same["pushes"][0]["rows"][0]["body"]["seq"], 1,
        "the author gets the row as it is"
    );
    place.stop().await;
}

#[tokio::test]
async fn a_closed_topic_is_locked_for_those_without_a_seat() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    let tree = alice.sync_community(&community).await;
    let group = tree["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["kind"] == "group")
        .unwrap()["id"]
        .clone();
    let closed = id();
    alice
        .command(
            "topic.create",
            json!({"community": community, "group": group, "topic": closed, "name": "密室", "closed": true, "position": "90"}),
        )
        .await
        .unwrap();
    alice
        .command("message.send", send(&closed, "secret"))
        .await
        .unwrap();

    let tree = bob.sync_community(&community).await;
    let locked = tree["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["id"] == closed)
        .unwrap();
    assert_eq!(locked["kind"], "locked_topic", "{locked}");
    for (method, params) in [(
        "topic.page",
        json!({"topic": closed, "at": "end", "limit": 5}),
    )] {
        let refused = bob.ask(method, params).await.unwrap_err();
        assert_eq!(refused["code"], "not_found");
    }
    let refused = bob
        .command("message.send", send(&closed, "hello"))
        .await
        .unwrap_err();
    assert_eq!(refused["decided_by"]["by"], "no_seat", "{refused}");
    let synced = bob
        .ask(
            "log.sync",
            json!({"logs": [{"log": format!("topic/{closed}"), "since": 0}]}),
        )
        .await
        .unwrap();
    assert_eq!(synced["logs"][0]["outcome"], "gone");
    let heads = bob
        .ask(
            "community.heads",
            json!({"community": community, "since": 0}),
        )
        .await
        .unwrap();
    assert_eq!(
        heads["topics"].as_array().unwrap().len(),
        1,
        "only {topic} is among them: {heads}"
    );

    alice
        .command(
            "seat.set",
            json!({"community": community, "topic": closed, "account": bob.account, "on": true}),
        )
        .await
        .unwrap();
    bob.pushed("stale", |stale| {
        stale["log"] == format!("community/{community}")
    })
    .await;
    let watched = bob
        .ask("session.watch", json!({"topics": [closed]}))
        .await
        .unwrap();
    assert_eq!(watched["topics"].as_array().unwrap().len(), 1);
    let page = bob
        .ask(
            "topic.page",
            json!({"topic": closed, "at": "end", "limit": 5}),
        )
        .await
        .unwrap();
    assert_eq!(
        page["rows"].as_array().unwrap().len(),
        1,
        "he may read history: {page}"
    );

    alice
        .command(
            "seat.set",
            json!({"community": community, "topic": closed, "account": bob.account, "on": false}),
        )
        .await
        .unwrap();
    alice
        .command("message.send", send(&closed, "after"))
        .await
        .unwrap();
    alice
        .command("message.send", send(&topic, "open"))
        .await
        .unwrap();
    bob.ask("session.watch", json!({"topics": [topic, closed]}))
        .await
        .unwrap();
    assert!(
        bob.seen
            .iter()
            .all(|frame| !frame.to_string().contains("after")),
        "the watch ended before anything later went out"
    );
    place.stop().await;
}

#[tokio::test]
async fn without_history_only_what_came_after_joining_is_read() {
    let place = host(|_| {}).await;
    let (mut alice, bob, community, topic) = alice_and_bob(&place).await;
    drop(bob);
    let before = alice
        .command("message.send", send(&topic, "before"))
        .await
        .unwrap();
    let before = before["pushes"][0]["rows"][0]["id"].clone();
    let usual = Permissions::NEW_COMMUNITY.bits();
    let less = (Permissions::NEW_COMMUNITY - Permissions::READ_HISTORY).bits();
    alice
        .command(
            "access.set",
            json!({"community": community, "place": "community", "allow": {"from": usual, "to": less}, "deny": {"from": 0, "to": 0}}),
        )
        .await
        .unwrap();
    let invite = alice
        .ask(
            "invite.create",
            json!({"community": community, "max_uses": 1}),
        )
        .await
        .unwrap();
    let code = invite["code"].as_str().unwrap();
    let mut carol = Guest::register(&place, "carol", Some(code)).await;
    // Times are in whole milliseconds: what was sent in the one in which she joins would be hers to read.
    place.next_millisecond().await;
    carol
        .command(
            "community.join",
            json!({"community": community, "invite": code}),
        )
        .await
        .unwrap();
    let used = carol
        .command(
            "community.join",
            json!({"community": community, "invite": code}),
        )
        .await
        .unwrap_err();
    assert_eq!(used["code"], "already");
    carol
        .ask("session.watch", json!({"topics": [topic]}))
        .await
        .unwrap();
    alice
        .command("message.send", send(&topic, "after"))
        .await
        .unwrap();
    let page = carol
        .ask(
            "topic.page",
            json!({"topic": topic, "at": "end", "limit": 9}),
        )
        .await
        .unwrap();
    assert_eq!(page["floor"], 2, "{page}");
    assert_eq!(page["rows"].as_array().unwrap().len(), 1);
    assert_eq!(page["rows"][0]["body"]["content"]["text"], "after");
    alice
        .command(
            "message.edit",
            json!({"topic": topic, "message": before, "text": {"from": "before", "to": "long before"}}),
        )
        .await
        .unwrap();
    let push = carol
        .pushed("push", |push| {
            push["rev"] == 3 && push["log"] == format!("topic/{topic}")
        })
        .await;
    assert_eq!(
        push["rows"].as_array().unwrap().len(),
        0,
        "the rev moves, the row stays hidden: {push}"
    );
    let synced = carol
        .ask(
            "log.sync",
            json!({"logs": [{"log": format!("topic/{topic}"), "since": 1, "ranges": [{"from": 1, "to": 1, "rev": 1}]}]}),
        )
        .await
        .unwrap();
    let text = synced.to_string();
    assert!(!text.contains("before"), "nor by sync: {text}");
    place.stop().await;
}

#[tokio::test]
async fn a_kicked_member_loses_everything() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    bob.ask("session.watch", json!({"topics": [topic]}))
        .await
        .unwrap();
    let refused = bob
        .command(
            "member.kick",
            json!({"community": community, "account": alice.account}),
        )
        .await
        .unwrap_err();
    assert_eq!(refused["code"], "not_allowed");
    alice
        .command(
            "member.kick",
            json!({"community": community, "account": bob.account}),
        )
        .await
        .unwrap();
    let own = format!("account/{}", bob.account);
    let gone = bob.pushed("push", |push| push["log"] == own).await;
    assert_eq!(gone["rows"][0]["kind"], "membership");
    assert_eq!(gone["rows"][0]["deleted"], true);
    alice
        .command("message.send", send(&topic, "hidden"))
        .await
        .unwrap();
    let synced = bob
        .ask(
            "log.sync",
            json!({"logs": [{"log": format!("community/{community}"), "since": 1}, {"log": format!("topic/{topic}"), "since": 0}]}),
        )
        .await
        .unwrap();
    assert_eq!(synced["logs"][0]["outcome"], "gone");
    assert_eq!(synced["logs"][1]["outcome"], "gone");
    assert!(
        bob.seen
            .iter()
            .all(|frame| !frame.to_string().contains("hidden")),
        "no row reached him"
    );
    let refused = bob
        .command("message.send", send(&topic, "still here"))
        .await
        .unwrap_err();
    assert_eq!(refused["code"], "not_a_member");
    place.stop().await;
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
    assert_eq!(alice.answers().await[0]["error"]["code"], -32_602);
    alice
        .ask("profile.list", json!({"accounts": [alice.account]}))
        .await
        .unwrap();
    alice.text(&" ".repeat(70_000)).await;
    assert_eq!(
        alice.answers().await[0]["error"]["data"]["code"],
        "too_long"
    );
    let goodbye = alice.pushed("goodbye", |_| true).await;
    assert_eq!(goodbye["reason"], "too_long", "then it is closed");
    place.stop().await;
}

#[tokio::test]
async fn rates_are_answered_with_busy() {
    let place = host(|config| config.limits.messages_per_10s = 2).await;
    let (mut alice, _bob, _, topic) = alice_and_bob(&place).await;
    let commands: Vec<Value> = (0..4)
        .map(|_| json!({"jsonrpc": "2.0", "id": id(), "method": "message.send", "params": send(&topic, "x")}))
        .collect();
    alice.text(&json!(commands).to_string()).await;
    let answers = alice.answers().await;
    assert!(answers[1]["result"].is_object(), "two are allowed");
    assert_eq!(answers[2]["error"]["code"], 2, "then it is busy");
    assert!(
        answers[2]["error"]["data"]["retry_after_ms"]
            .as_u64()
            .unwrap()
            > 0,
        "with a time to wait"
    );
    assert_eq!(
        answers[3]["error"]["code"], 2,
        "and nothing of that log overtakes it"
    );
    place.stop().await;
}

#[tokio::test]
async fn a_restarted_server_knows_everything() {
    let place = host(|_| {}).await;
    let (mut alice, _bob, community, topic) = alice_and_bob(&place).await;
    alice
        .command("message.send", send(&topic, "durable"))
        .await
        .unwrap();
    let tree = alice.sync_community(&community).await;
    let place = place.restart().await;
    let mut alice = alice.again(&place).await;
    assert_eq!(
        alice.sync_community(&community).await,
        tree,
        "the same rows, the same stamp"
    );
    let page = alice
        .ask(
            "topic.page",
            json!({"topic": topic, "at": "end", "limit": 9}),
        )
        .await
        .unwrap();
    assert_eq!(page["rows"][0]["body"]["content"]["text"], "durable");
    assert_eq!(greeting_text(&alice.greeting), "Tulou");
    place.stop().await;
}

#[tokio::test]
async fn a_cursor_counts_what_is_unread() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, _, topic) = alice_and_bob(&place).await;
    for text in ["1", "2", "3"] {
        alice
            .command("message.send", send(&topic, text))
            .await
            .unwrap();
    }
    let cursor = |answer: &Value| -> Value {
        answer["pushes"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|push| push["rows"].as_array().unwrap())
            .find(|row| row["kind"] == "cursor")
            .unwrap()["body"]
            .clone()
    };
    let own = bob
        .command("message.send", send(&topic, "4"))
        .await
        .unwrap();
    assert_eq!(
        cursor(&own),
        json!({"seq": 0, "own": 1, "set_no": 0}),
        "three are unread, his own counts apart"
    );
    let read = bob
        .command(
            "cursor.advance",
            json!({"topic": topic, "seq": 3, "set_no": 0}),
        )
        .await
        .unwrap();
    assert_eq!(cursor(&read), json!({"seq": 3, "own": 1, "set_no": 0}));
    let own = bob
        .command("message.send", send(&topic, "5"))
        .await
        .unwrap();
    assert_eq!(
        cursor(&own),
        json!({"seq": 5, "own": 0, "set_no": 0}),
        "nothing was unread"
    );
    let set = bob
        .command("cursor.set", json!({"topic": topic, "seq": 1}))
        .await
        .unwrap();
    assert_eq!(
        cursor(&set),
        json!({"seq": 1, "own": 2, "set_no": 1}),
        "marked unread: two of the four after it are his own"
    );
    let late = bob
        .command(
            "cursor.advance",
            json!({"topic": topic, "seq": 5, "set_no": 0}),
        )
        .await
        .unwrap();
    assert_eq!(
        late["pushes"].as_array().unwrap().len(),
        0,
        "an advance that has not seen it is ignored"
    );
    place.stop().await;
}

#[tokio::test]
async fn signing_in_and_out_goes_over_http() {
    let place = host(|_| {}).await;
    let (mut alice, bob, community, _) = alice_and_bob(&place).await;
    let (status, card) = place.http("GET", "/v1/server", "", "").await;
    assert_eq!((status, &card["version"]), (200, &json!(1)));
    let invite = alice
        .ask("invite.create", json!({"community": community}))
        .await
        .unwrap();
    let path = format!("/v1/invites/{}", invite["code"].as_str().unwrap());
    let (status, card) = place.http("GET", &path, "", "").await;
    assert_eq!((status, &card["members"]), (200, &json!(2)), "{card}");
    alice
        .ask(
            "invite.revoke",
            json!({"community": community, "code": invite["code"]}),
        )
        .await
        .unwrap();
    let (status, card) = place.http("GET", &path, "", "").await;
    assert_eq!(
        (status, &card["rejection"]["code"]),
        (404, &json!("invite_invalid")),
        "it ended"
    );

    let stranger =
        json!({"account_name": "mallory", "display_name": "m", "password": "long enough"});
    let (status, no) = place.post("/v1/accounts", &stranger).await;
    assert_eq!(
        (status, &no["rejection"]["code"]),
        (403, &json!("closed")),
        "only with an invite"
    );
    let (status, no) = place.post("/v1/accounts", &json!({"nonsense": 1})).await;
    assert_eq!(
        (status, &no["rejection"]["code"]),
        (400, &json!("malformed"))
    );

    let right = json!({"account_name": "bob", "password": "correct horse"});
    let (status, signed_in) = place.post("/v1/sessions", &right).await;
    assert_eq!(status, 201);
    assert_eq!(signed_in["account"], bob.account);
    let wrong = json!({"account_name": "bob", "password": "wrong horse"});
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(place.post("/v1/sessions", &wrong).await.0);
    }
    assert_eq!(
        statuses,
        [401, 401, 401, 401, 401, 429],
        "after five failures it has to wait"
    );

    let bearer = format!("Authorization: Bearer {}\r\n", bob.token);
    let mut bob = bob;
    let (status, _) = place
        .http("DELETE", "/v1/sessions/current", &bearer, "")
        .await;
    assert_eq!(status, 204);
    let goodbye = bob.pushed("goodbye", |_| true).await;
    assert_eq!(goodbye["reason"], "signed_out", "its link ends");
    let (status, _) = place
        .http("DELETE", "/v1/sessions/current", &bearer, "")
        .await;
    assert_eq!(status, 401, "the token is worth nothing");
    place.stop().await;
}

#[tokio::test]
async fn rights_that_change_meanwhile_decide() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    bob.ask("session.watch", json!({"topics": [topic]}))
        .await
        .unwrap();
    // A member group that hides the topic from whoever is in it.
    let hidden = id();
    alice
        .command(
            "member_group.create",
            json!({"community": community, "member_group": hidden, "name": "墙外", "rank": "50"}),
        )
        .await
        .unwrap();
    alice
        .command(
            "access.set",
            json!({"community": community, "place": format!("topic/{topic}"), "member_group": hidden, "allow": {"from": 0, "to": 0}, "deny": {"from": 0, "to": 1}}),
        )
        .await
        .unwrap();
    let group = bob
        .pushed("push", |push| push["rows"][0]["kind"] == "access")
        .await;
    assert_eq!(
        group["log"],
        format!("community/{community}"),
        "rows of the structure are pushed"
    );
    let before = bob.sync_community(&community).await;
    alice
        .command(
            "member_group.assign",
            json!({"community": community, "member_group": hidden, "account": bob.account, "on": true}),
        )
        .await
        .unwrap();
    bob.pushed("stale", |_| true).await;
    alice
        .command("message.send", send(&topic, "beyond"))
        .await
        .unwrap();
    let synced = bob
        .ask(
            "log.sync",
            json!({"logs": [{"log": format!("community/{community}"), "since": before["rev"], "view": before["view"]}]}),
        )
        .await
        .unwrap();
    let after = &synced["logs"][0];
    assert_eq!(after["outcome"], "reset", "what he sees has changed");
    assert_eq!(after["me"]["member_groups"], json!([hidden]));
    assert!(
        after["rows"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["id"] != topic),
        "the topic is not in it"
    );
    assert!(
        bob.seen
            .iter()
            .all(|frame| !frame.to_string().contains("beyond")),
        "nor anything of it"
    );
    // Deleting the member group brings everything back.
    alice
        .command(
            "member_group.delete",
            json!({"community": community, "member_group": hidden}),
        )
        .await
        .unwrap();
    bob.pushed("stale", |_| true).await;
    let page = bob
        .ask(
            "topic.page",
            json!({"topic": topic, "at": "end", "limit": 5}),
        )
        .await
        .unwrap();
    assert_eq!(page["rows"][0]["body"]["content"]["text"], "beyond");
    place.stop().await;
}

#[tokio::test]
async fn a_dissolved_community_is_gone_for_everybody() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    let refused = bob
        .command("community.dissolve", json!({"community": community}))
        .await
        .unwrap_err();
    assert_eq!(refused["code"], "not_allowed");
    alice
        .command("community.dissolve", json!({"community": community}))
        .await
        .unwrap();
    bob.pushed("push", |push| {
        push["rows"][0]["kind"] == "membership" && push["rows"][0]["deleted"] == true
    })
    .await;
    for guest in [&mut alice, &mut bob] {
        let synced = guest
            .ask(
                "log.sync",
                json!({"logs": [{"log": format!("community/{community}"), "since": 1}, {"log": format!("topic/{topic}"), "since": 1}]}),
            )
            .await
            .unwrap();
        assert_eq!(synced["logs"][0]["outcome"], "gone");
        assert_eq!(synced["logs"][1]["outcome"], "gone");
    }
    let again = alice
        .command(
            "community.create",
            json!({"community": community, "name": "x", "group": id(), "group_name": "x", "topic": id(), "topic_name": "x"}),
        )
        .await
        .unwrap_err();
    assert_eq!(again["code"], "id_taken", "ids are not used twice");
    place.stop().await;
}

#[tokio::test]
async fn commands_on_one_log_keep_their_order() {
    let place = host(|_| {}).await;
    let (mut alice, _bob, _, topic) = alice_and_bob(&place).await;
    let mut commands = Vec::new();
    for n in 0..8 {
        let message = id();
        commands.push(json!({"jsonrpc": "2.0", "id": id(), "method": "message.send", "params": {"topic": topic, "message": message, "text": format!("{n}"), "written_at": 1}}));
        commands.push(json!({"jsonrpc": "2.0", "id": id(), "method": "message.edit", "params": {"topic": topic, "message": message, "text": {"from": format!("{n}"), "to": format!("{n}!")}}}));
        commands.push(json!({"jsonrpc": "2.0", "id": id(), "method": "message.react", "params": {"topic": topic, "message": message, "key": "🎉", "on": true}}));
    }
    alice.text(&json!(commands).to_string()).await;
    let answers = alice.answers().await;
    assert_eq!(answers.len(), 24, "one answer each, in one frame");
    for (answer, command) in answers.iter().zip(&commands) {
        assert_eq!(answer["id"], command["id"], "in their order");
        assert!(answer["result"].is_object(), "{answer}");
    }
    let page = alice
        .ask(
            "topic.page",
            json!({"topic": topic, "at": "end", "limit": 50}),
        )
        .await
        .unwrap();
    let texts: Vec<&str> = page["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["body"]["content"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["0!", "1!", "2!", "3!", "4!", "5!", "6!", "7!"]);
    place.stop().await;
}

#[tokio::test]
async fn topics_that_become_visible_later_are_read_up_to_joining() {
    let place = host(|_| {}).await;
    let (mut alice, bob, community, topic) = alice_and_bob(&place).await;
    drop(bob);
    let deny = |from: u64, to: u64| json!({"community": community, "place": format!("topic/{topic}"), "allow": {"from": 0, "to": 0}, "deny": {"from": from, "to": to}});
    alice.command("access.set", deny(0, 1)).await.unwrap();
    alice
        .command("message.send", send(&topic, "before"))
        .await
        .unwrap();
    place.next_millisecond().await;
    let invite = alice
        .ask("invite.create", json!({"community": community}))
        .await
        .unwrap();
    let code = invite["code"].as_str().unwrap();
    let mut carol = Guest::register(&place, "carol", Some(code)).await;
    carol
        .command(
            "community.join",
            json!({"community": community, "invite": code}),
        )
        .await
        .unwrap();
    place.next_millisecond().await;
    alice
        .command("message.send", send(&topic, "after"))
        .await
        .unwrap();
    alice.command("access.set", deny(1, 0)).await.unwrap();
    carol.sync_community(&community).await;
    let cursor = carol
        .pushed("push", |push| push["rows"][0]["kind"] == "cursor")
        .await;
    assert_eq!(
        cursor["rows"][0]["body"],
        json!({"seq": 1, "own": 0, "set_no": 0}),
        "one was written before she joined, one after"
    );
    place.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_talk_at_once_are_heard_in_one_order() {
    const GUESTS: usize = 6;
    const EACH: usize = 40;
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    let tree = alice.sync_community(&community).await;
    let group = tree["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["kind"] == "group")
        .unwrap()["id"]
        .clone();
    let invite = alice
        .ask("invite.create", json!({"community": community}))
        .await
        .unwrap();
    let code = invite["code"].as_str().unwrap();
    let mut talking = tokio::task::JoinSet::new();
    let mut guests = Vec::new();
    for n in 0..GUESTS {
        let mut guest = Guest::register(&place, &format!("guest{n}"), Some(code)).await;
        guest
            .command(
                "community.join",
                json!({"community": community, "invite": code}),
            )
            .await
            .unwrap();
        guests.push(guest);
    }
    bob.ask("session.watch", json!({"topics": [topic]}))
        .await
        .unwrap();
    for mut guest in guests {
        let topic = topic.clone();
        talking.spawn(async move {
            for n in 0..EACH {
                let request = json!({"jsonrpc": "2.0", "id": id(), "method": "message.send", "params": send(&topic, &n.to_string())});
                guest.text(&request.to_string()).await;
            }
            let mut seqs = Vec::new();
            for _ in 0..EACH {
                let answers = guest.answers().await;
                let row = &answers[0]["result"]["pushes"][0]["rows"][0];
                seqs.push(row["body"]["seq"].as_u64().unwrap());
            }
            seqs
        });
    }
    // The structure moves under them: what they rest on has to be looked at again.
    for n in 0..10 {
        alice
            .command(
                "topic.create",
                json!({"community": community, "group": group, "topic": id(), "name": n.to_string(), "position": format!("9{n}")}),
            )
            .await
            .unwrap();
    }
    let mut all = Vec::new();
    while let Some(seqs) = talking.join_next().await {
        all.extend(seqs.unwrap());
    }
    all.sort_unstable();
    let expected: Vec<u64> = (1..=(GUESTS * EACH) as u64).collect();
    assert_eq!(all, expected, "every place was given once");
    let name = format!("topic/{topic}");
    let (mut at, mut heard) = (0, 0);
    while at < (GUESTS * EACH) as u64 {
        let push = bob.pushed("push", |push| push["log"] == name).await;
        assert_eq!(push["prev"], at, "no push is missing or out of order");
        at = push["rev"].as_u64().unwrap();
        heard += push["rows"].as_array().unwrap().len();
    }
    assert_eq!(heard, GUESTS * EACH, "every row reached him once");
    let name = format!("community/{community}");
    let mut at = 0;
    for _ in 0..10 {
        let push = bob.pushed_again("push", |push| push["log"] == name).await;
        let prev = push["prev"].as_u64().unwrap();
        assert!(at == 0 || prev == at, "nor of the structure: {push}");
        at = push["rev"].as_u64().unwrap();
    }
    place.stop().await;
}

//! Logs: what a sync, a push, a digest and a heartbeat say.

use serde_json::{Value, json};
use tulou_protocol::Permissions;

use crate::link::{Guest, alice_and_bob, host, id};

#[tokio::test]
async fn a_cursor_beyond_the_head_is_answered_with_a_reset() {
    let place = host(|_| {}).await;
    let (mut alice, _bob, community, topic) = alice_and_bob(&place).await;
    alice.say(&topic, "x").await;
    let far = 1_000;
    let own = alice
        .sync(json!({"log": format!("account/{}", alice.account), "since": far}))
        .await;
    assert_eq!(own["outcome"], "ahead", "she holds what nobody has: {own}");
    let tree = alice
        .sync(json!({"log": format!("community/{community}"), "since": far}))
        .await;
    assert_eq!(tree["outcome"], "reset");
    for held in [
        json!({"log": format!("topic/{topic}"), "since": far}),
        json!({"log": format!("topic/{topic}"), "since": 0, "ranges": [{"from": 1, "to": 9, "rev": 1}]}),
        json!({"log": format!("topic/{topic}"), "since": 0, "ranges": [{"from": 1, "to": u64::MAX, "rev": u64::MAX}]}),
    ] {
        let answer = alice.sync(held).await;
        assert_eq!(answer["outcome"], "ahead", "{answer}");
        assert_eq!(answer["rev"], 1, "the server's own head");
    }
    place.stop().await;
}

#[tokio::test]
async fn an_epoch_is_a_stores_own_and_outlives_a_restart() {
    let (one, other) = (host(|_| {}).await, host(|_| {}).await);
    let alice = Guest::register(&one, "alice", None).await;
    let bob = Guest::register(&other, "bob", None).await;
    let epoch = alice.greeting["epoch"].clone();
    assert!(epoch.is_string(), "the greeting names it");
    assert_ne!(epoch, bob.greeting["epoch"], "another store, another epoch");
    let one = one.restart().await;
    let alice = alice.again(&one).await;
    assert_eq!(alice.greeting["epoch"], epoch, "the same store");
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn the_stamp_last_given_brings_only_what_changed() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    let log = format!("community/{community}");
    let held = bob.sync_community(&community).await;
    for row in held["rows"].as_array().unwrap() {
        assert!(
            row["rev"].as_u64() <= held["rev"].as_u64(),
            "a reset is the state of its own rev: {row}"
        );
    }
    alice
        .command(
            "topic.edit",
            json!({"community": community, "topic": topic, "name": {"from": "闲聊", "to": "茶馆"}}),
        )
        .await
        .unwrap();
    let changed = bob
        .sync(json!({"log": log, "since": held["rev"], "view": held["view"]}))
        .await;
    assert_eq!(changed["outcome"], "rows");
    assert_eq!(changed["rows"].as_array().unwrap().len(), 1, "{changed}");
    assert_eq!(changed["rows"][0]["name"], "茶馆");
    assert_eq!(changed["view"], held["view"], "a name is only a row");
    let anew = bob
        .sync(json!({"log": log, "since": held["rev"], "view": "another"}))
        .await;
    assert_eq!(anew["outcome"], "reset", "another view, another state");
    assert!(anew["me"]["joined_at"].is_number(), "with how he stands");
    place.stop().await;
}

#[tokio::test]
async fn a_push_covers_the_rows_that_it_leaves_out() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, _) = alice_and_bob(&place).await;
    let log = format!("community/{community}");
    let group = alice.group_of(&community).await;
    let hidden = id();
    alice
        .command(
            "topic.create",
            json!({"community": community, "group": group, "topic": hidden, "name": "暗处", "position": "90"}),
        )
        .await
        .unwrap();
    let deny = json!({"community": community, "place": format!("topic/{hidden}"), "allow": {"from": 0, "to": 0}, "deny": {"from": 0, "to": Permissions::VIEW.bits()}});
    alice.command("access.set", deny).await.unwrap();
    bob.pushed("stale", |stale| stale["log"] == log).await;
    let held = bob.sync_community(&community).await;
    let rename =
        json!({"community": community, "topic": hidden, "name": {"from": "暗处", "to": "更暗处"}});
    alice.command("topic.edit", rename).await.unwrap();
    let push = bob
        .pushed("push", |push| {
            push["log"] == log && push["rev"].as_u64() > held["rev"].as_u64()
        })
        .await;
    assert_eq!(push["prev"], held["rev"], "it goes on where he is");
    assert_eq!(push["rows"], json!([]), "nothing of it is said: {push}");
    place.stop().await;
}

#[tokio::test]
async fn a_batch_is_encoded_a_second_time_for_those_who_read_from_a_place_on() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    let sent = alice.say(&topic, "before").await;
    let message = sent["pushes"][0]["rows"][0]["id"].clone();
    let reader = id();
    for (method, params) in [
        (
            "member_group.create",
            json!({"community": community, "member_group": reader, "name": "读者", "rank": "50"}),
        ),
        (
            "access.set",
            json!({"community": community, "place": "community", "member_group": reader, "allow": {"from": 0, "to": Permissions::READ_HISTORY.bits()}, "deny": {"from": 0, "to": 0}}),
        ),
        (
            "member_group.assign",
            json!({"community": community, "member_group": reader, "account": bob.account, "on": true}),
        ),
        (
            "access.set",
            json!({"community": community, "place": "community", "allow": {"from": Permissions::NEW_COMMUNITY.bits(), "to": (Permissions::NEW_COMMUNITY - Permissions::READ_HISTORY).bits()}, "deny": {"from": 0, "to": 0}}),
        ),
    ] {
        alice.command(method, params).await.unwrap();
    }
    place.next_millisecond().await;
    let code = alice.invite(&community).await;
    let mut carol = Guest::register(&place, "carol", Some(&code)).await;
    carol.join(&community, &code).await;
    bob.watch(&[&topic]).await;
    carol.watch(&[&topic]).await;
    alice
        .command(
            "message.edit",
            json!({"topic": topic, "message": message, "text": {"from": "before", "to": "long before"}}),
        )
        .await
        .unwrap();
    let log = format!("topic/{topic}");
    let whole = bob.pushed("push", |push| push["log"] == log).await;
    let part = carol.pushed("push", |push| push["log"] == log).await;
    assert_eq!(whole["rows"].as_array().unwrap().len(), 1, "he may read it");
    assert_eq!(part["rows"], json!([]), "she may not");
    assert_eq!(
        (&whole["prev"], &whole["rev"]),
        (&part["prev"], &part["rev"]),
        "both are moved on"
    );
    place.stop().await;
}

#[tokio::test]
async fn a_watch_goes_on_from_another_place_when_the_right_to_read_history_comes_or_goes() {
    let place = host(|_| {}).await;
    let (mut alice, bob, community, topic) = alice_and_bob(&place).await;
    drop(bob);
    let sent = alice.say(&topic, "0").await;
    let message = sent["pushes"][0]["rows"][0]["id"].clone();
    place.next_millisecond().await;
    let code = alice.invite(&community).await;
    let mut carol = Guest::register(&place, "carol", Some(&code)).await;
    carol.join(&community, &code).await;
    carol.watch(&[&topic]).await;
    let usual = Permissions::NEW_COMMUNITY;
    let less = usual - Permissions::READ_HISTORY;
    let steps = [
        (None, 1),
        (Some((usual, less)), 0),
        (Some((less, usual)), 1),
    ];
    for (n, (rights, rows)) in steps.into_iter().enumerate() {
        if let Some((from, to)) = rights {
            let params = json!({"community": community, "place": "community", "allow": {"from": from.bits(), "to": to.bits()}, "deny": {"from": 0, "to": 0}});
            alice.command("access.set", params).await.unwrap();
        }
        let text = json!({"from": n.to_string(), "to": (n + 1).to_string()});
        let params = json!({"topic": topic, "message": message, "text": text});
        alice.command("message.edit", params).await.unwrap();
        let push = carol
            .pushed("push", |push| {
                push["log"] == format!("topic/{topic}") && push["rev"] == n + 2
            })
            .await;
        assert_eq!(push["rows"].as_array().unwrap().len(), rows, "{n}: {push}");
    }
    place.stop().await;
}

#[tokio::test]
async fn a_watch_replaces_the_one_before_and_names_32_topics_at_most() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    let group = alice.group_of(&community).await;
    let other = id();
    let params = json!({"community": community, "group": group, "topic": other, "name": "茶馆", "position": "90"});
    alice.command("topic.create", params).await.unwrap();
    bob.watch(&[&topic]).await;
    bob.watch(&[&other]).await;
    alice.say(&topic, "unseen").await;
    alice.say(&other, "seen").await;
    bob.pushed("push", |push| push.to_string().contains("\"seen\""))
        .await;
    let is_told = bob
        .seen
        .iter()
        .any(|frame| frame.to_string().contains("unseen"));
    assert!(!is_told, "he does not watch it any more");
    let many: Vec<String> = (0..33).map(|_| id()).collect();
    let refused = bob.ask("session.watch", json!({"topics": many})).await;
    let refused = refused.unwrap_err();
    assert_eq!(
        refused,
        json!({"code": "too_many", "limit": 32, "field": "topics"})
    );
    let log = json!({"log": format!("topic/{topic}"), "since": 0});
    let refused = bob.ask("log.sync", json!({"logs": vec![log; 65]})).await;
    assert_eq!(
        refused.unwrap_err(),
        json!({"code": "too_many", "limit": 64, "field": "logs"}),
        "none is left out silently"
    );
    let accounts: Vec<String> = (0..201).map(|_| id()).collect();
    let refused = bob.ask("profile.list", json!({"accounts": accounts})).await;
    assert_eq!(
        refused.unwrap_err(),
        json!({"code": "too_many", "limit": 200, "field": "accounts"})
    );
    bob.ask("session.watch", json!({"topics": many[..32]}))
        .await
        .unwrap();
    place.stop().await;
}

#[tokio::test]
async fn digests_follow_each_other_without_a_gap() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    let mut windows = Vec::new();
    for n in 0..4_u64 {
        alice.say(&topic, "x").await;
        let digest = bob
            .pushed("digest", |digest| digest["topics"][0]["head_seq"] == n + 1)
            .await;
        windows.push((
            digest["from"].as_i64().unwrap(),
            digest["to"].as_i64().unwrap(),
        ));
    }
    let all: Vec<(i64, i64)> = bob
        .seen
        .iter()
        .filter(|frame| frame["method"] == "digest")
        // Those that bring counts alone are to no audience.
        .filter(|frame| frame["params"]["audience"].is_string())
        .map(|frame| {
            let digest = &frame["params"];
            (
                digest["from"].as_i64().unwrap(),
                digest["to"].as_i64().unwrap(),
            )
        })
        .collect();
    assert!(windows.iter().all(|window| all.contains(window)));
    for pair in all.windows(2) {
        assert_eq!(pair[0].1, pair[1].0, "a window begins where the last ended");
    }
    for (from, to) in all {
        assert!(from <= to, "from {from} to {to}");
    }
    // What moved since a time of the server is asked for, at reconnecting.
    let heads = async |bob: &mut Guest, since: i64| -> Value {
        let asked = json!({"community": community, "since": since});
        bob.ask("community.heads", asked).await.unwrap()
    };
    let last = windows[3].1;
    assert_eq!(
        heads(&mut bob, last - 10_000).await["topics"][0]["head_seq"],
        4
    );
    assert_eq!(
        heads(&mut bob, last + 60_000).await["topics"][0]["head_seq"],
        4,
        "who has heard of a later time heard of it from a clock that was ahead, and is told everything"
    );
    assert_eq!(
        heads(&mut bob, i64::MIN).await["topics"][0]["rev"],
        4,
        "since ever"
    );
    place.stop().await;
}

#[tokio::test]
async fn heartbeats_name_the_heads_of_what_is_quiet() {
    let place = host(|config| config.heartbeat_ms = 300).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    bob.watch(&[&topic]).await;
    alice.say(&topic, &format!("<@{}>", bob.account)).await;
    let named = |beat: &Value, log: String| -> Option<u64> {
        let heads = beat["heads"].as_array().unwrap();
        let head = heads.iter().find(|head| head[0] == json!(log));
        head.and_then(|head| head[1].as_u64())
    };
    let beat = bob
        .pushed("heartbeat", |beat| {
            named(beat, format!("topic/{topic}")) == Some(1)
        })
        .await;
    let own = bob
        .sync(json!({"log": format!("account/{}", bob.account), "since": 0}))
        .await;
    assert_eq!(
        named(&beat, format!("account/{}", bob.account)),
        own["rev"].as_u64(),
        "his own log"
    );
    let tree = bob.sync_community(&community).await;
    assert_eq!(
        named(&beat, format!("community/{community}")),
        tree["rev"].as_u64(),
        "his communities"
    );
    bob.watch(&[]).await;
    let beat = bob
        .pushed("heartbeat", |beat| {
            named(beat, format!("topic/{topic}")).is_none()
        })
        .await;
    assert!(beat["now"].is_number(), "with the server's time");
    place.stop().await;
}

#[tokio::test]
async fn consequences_of_a_repeated_command_come_once() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, _, topic) = alice_and_bob(&place).await;
    let command = json!(id());
    let params = json!({"topic": topic, "message": id(), "text": format!("<@{}>", bob.account), "written_at": 1});
    let own = format!("account/{}", bob.account);
    let mut answers = Vec::new();
    let mut logs = Vec::new();
    for _ in 0..3 {
        answers.push(
            alice
                .request(&command, "message.send", &params)
                .await
                .unwrap(),
        );
        logs.push(bob.sync(json!({"log": own, "since": 0})).await);
    }
    assert_eq!(answers[1], answers[2], "the message as it is");
    assert_eq!(logs[0], logs[2], "his log did not move again");
    let mentions = logs[0]["rows"].as_array().unwrap().iter();
    assert_eq!(mentions.filter(|row| row["kind"] == "mention").count(), 1);
    place.stop().await;
}

//! Messages: written once, in one order, answered to who repeats himself.

use serde_json::{Value, json};
use tulou_protocol::Permissions;

use crate::link::{Guest, alice_and_bob, host, id, send};

#[tokio::test]
async fn two_people_talk() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    let watched = bob.watch(&[&topic]).await;
    assert_eq!(watched["topics"][0]["topic"], topic, "bob may see it");

    let sent = alice.say(&topic, "大家好").await;
    let row = &sent["pushes"][0]["rows"][0];
    assert_eq!(row["seq"], 1, "it is the first");
    let message = row["id"].as_str().unwrap().to_owned();
    let push = bob
        .pushed("push", |push| push["log"] == format!("topic/{topic}"))
        .await;
    assert_eq!(
        push["rows"][0], *row,
        "bob gets the row that alice was answered with"
    );
    assert_eq!(row["author"], json!(alice.account), "with its author");
    assert!(
        push.get("authors").is_none(),
        "of a profile that is as it was made nothing is said"
    );

    let reply = bob
        .command(
            "message.send",
            json!({"topic": topic, "message": id(), "text": format!("你好 <@{}>", alice.account), "reply_to": message, "written_at": 2}),
        )
        .await
        .unwrap();
    assert_eq!(reply["pushes"][0]["rows"][0]["seq"], 2);
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
        moved["present"]["text"], "大家早",
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

    let page = bob.page(&topic).await;
    assert_eq!(page["rows"].as_array().unwrap().len(), 2, "{page}");
    let first = &page["rows"][0];
    assert_eq!(first["text"], "大家早");
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
    let first = &page["rows"][0];
    assert_eq!(first["text"], "", "nothing of it is left");
    assert_eq!(first["recalled_by"], alice.account);
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

/// The rows of a topic in an answer.
fn written<'a>(answer: &'a Value, topic: &str) -> &'a Value {
    let log = format!("topic/{topic}");
    let mut pushes = answer["pushes"].as_array().unwrap().iter();
    let push = pushes.find(|push| push["log"] == log.as_str());
    &push.unwrap()["rows"]
}

#[tokio::test]
async fn a_repeated_command_gets_what_it_wrote_and_writes_nothing() {
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
    assert_eq!(written(&first, &topic), written(&again, &topic));
    // Both at once: the second finds the first in flight.
    let (command, params) = (id(), send(&topic, "twice"));
    let one = json!({"jsonrpc": "2.0", "id": command, "method": "message.send", "params": params});
    alice.text(&json!([one, one]).to_string()).await;
    let answers = alice.answers().await;
    let both = [0, 1].map(|at| written(&answers[at]["result"], &topic));
    assert_eq!(both[0], both[1]);
    let page = alice.page(&topic).await;
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
        same["pushes"][0]["rows"][0]["seq"], 1,
        "the author gets the row as it is"
    );
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
    let page = alice.page(&topic).await;
    let texts: Vec<&str> = page["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["0!", "1!", "2!", "3!", "4!", "5!", "6!", "7!"]);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_talk_at_once_are_heard_in_one_order() {
    const GUESTS: usize = 6;
    const EACH: usize = 40;
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    let group = alice.group_of(&community).await;
    let code = alice.invite(&community).await;
    let mut talking = tokio::task::JoinSet::new();
    let mut guests = Vec::new();
    for n in 0..GUESTS {
        let mut guest = Guest::register(&place, &format!("guest{n}"), Some(&code)).await;
        guest.join(&community, &code).await;
        guests.push(guest);
    }
    bob.watch(&[&topic]).await;
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
                seqs.push(row["seq"].as_u64().unwrap());
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

#[tokio::test]
async fn a_push_carries_only_the_part_of_a_message_that_changed() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, _, topic) = alice_and_bob(&place).await;
    bob.watch(&[&topic]).await;
    let sent = alice.say(&topic, "one").await;
    let message = sent["pushes"][0]["rows"][0]["id"].clone();
    let log = format!("topic/{topic}");
    let react = json!({"topic": topic, "message": message, "key": "👍", "on": true});
    alice.command("message.react", react).await.unwrap();
    let edit = json!({"topic": topic, "message": message, "text": {"from": "one", "to": "two"}});
    alice.command("message.edit", edit).await.unwrap();
    let mut bodies = Vec::new();
    for rev in 1..=3 {
        let push = bob
            .pushed("push", |push| push["log"] == log && push["rev"] == rev)
            .await;
        bodies.push(push["rows"][0].clone());
    }
    assert_eq!(bodies[0]["text"], "one");
    assert!(
        bodies[1].get("text").is_none(),
        "a reaction brings no text: {}",
        bodies[1]
    );
    assert_eq!(bodies[1]["marks"]["reactions"][0]["count"], 1);
    assert_eq!(
        (&bodies[1]["content_rev"], &bodies[1]["marks_rev"]),
        (&json!(1), &json!(2))
    );
    assert!(bodies[2].get("marks").is_none(), "an edit brings no marks");
    assert_eq!(bodies[2]["text"], "two");
    for body in &bodies {
        assert!(
            !body.to_string().contains("has_reacted"),
            "nothing personal is in it, so the bytes are shared"
        );
    }
    let marks = alice
        .sync(json!({"log": format!("account/{}", alice.account), "since": 0}))
        .await;
    let mark = marks["rows"].as_array().unwrap().iter();
    let mark = mark.filter(|row| row["kind"] == "mark").collect::<Vec<_>>();
    assert_eq!(mark[0]["reactions"], json!(["👍"]), "her own log says it");
    place.stop().await;
}

#[tokio::test]
async fn mentions_come_and_go_with_edits_and_recalls() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, _, topic) = alice_and_bob(&place).await;
    let sent = alice.say(&topic, "who?").await;
    let message = sent["pushes"][0]["rows"][0]["id"].clone();
    let own = format!("account/{}", bob.account);
    let named = format!("<@{}> <@everyone>", bob.account);
    let wide = |digest: &Value| -> usize {
        let head = &digest["topics"][0];
        head["wide_mentions"].as_array().map_or(0, Vec::len)
    };
    for (from, to, is_named) in [("who?", named.as_str(), true), (&named, "nobody", false)] {
        let edit = json!({"topic": topic, "message": message, "text": {"from": from, "to": to}});
        alice.command("message.edit", edit).await.unwrap();
        let push = bob
            .pushed("push", |push| {
                push["log"] == own && push["rows"][0]["kind"] == "mention"
            })
            .await;
        let id = format!("{topic}:{}", message.as_str().unwrap());
        assert_eq!(push["rows"][0]["id"], id);
        assert_eq!(push["rows"][0].get("deleted").is_none(), is_named, "{push}");
        bob.pushed("digest", |digest| wide(digest) == usize::from(is_named))
            .await;
    }
    let sent = alice.say(&topic, &named).await;
    let message = sent["pushes"][0]["rows"][0]["id"].clone();
    bob.pushed("digest", |digest| wide(digest) == 1).await;
    let recall = json!({"topic": topic, "message": message});
    alice.command("message.recall", recall).await.unwrap();
    let id = format!("{topic}:{}", message.as_str().unwrap());
    bob.pushed("push", |push| {
        let row = &push["rows"][0];
        push["log"] == own && row["id"] == id.as_str() && row["deleted"] == true
    })
    .await;
    bob.pushed("digest", |digest| {
        digest["topics"][0]["rev"].as_u64() >= Some(5) && wide(digest) == 0
    })
    .await;
    place.stop().await;
}

#[tokio::test]
async fn everyone_in_code_needs_no_right_and_calls_nobody() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, _, topic) = alice_and_bob(&place).await;
    let refused = bob
        .command("message.send", send(&topic, "hi <@everyone>"))
        .await
        .unwrap_err();
    assert_eq!(refused["code"], "not_allowed", "{refused}");
    assert_eq!(
        refused["permission"],
        Permissions::MENTION_ALL.bits(),
        "{refused}"
    );
    bob.say(
        &topic,
        "`<@everyone>` calls all, and so does\n```\n<@everyone>\n```",
    )
    .await;
    alice
        .pushed("digest", |digest| {
            let head = &digest["topics"][0];
            let calls = head["wide_mentions"].as_array().map_or(0, Vec::len);
            assert_eq!(calls, 0, "{digest}");
            head["head_seq"] == 1
        })
        .await;
    place.stop().await;
}

#[tokio::test]
async fn what_belongs_to_messages_of_one_id_in_two_topics_is_kept_apart() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    let other = id();
    let group = alice.group_of(&community).await;
    let create = json!({"community": community, "group": group, "topic": other, "name": "b", "closed": false, "position": "90"});
    alice.command("topic.create", create).await.unwrap();
    let (message, own) = (id(), format!("account/{}", bob.account));
    for topic in [&topic, &other] {
        let text = format!("<@{}>", bob.account);
        let sent = json!({"topic": topic, "message": message, "text": text, "written_at": 1});
        alice.command("message.send", sent).await.unwrap();
        let react = json!({"topic": topic, "message": message, "key": "👍", "on": true});
        bob.command("message.react", react).await.unwrap();
    }
    let recall = json!({"topic": other, "message": message});
    alice.command("message.recall", recall).await.unwrap();
    let back = json!({"topic": other, "message": message, "key": "👍", "on": false});
    bob.command("message.react", back).await.unwrap();

    let log = bob.sync(json!({"log": own, "since": 0})).await;
    for kind in ["mention", "mark"] {
        let rows = log["rows"].as_array().unwrap().iter();
        let rows = rows.filter(|row| row["kind"] == kind && row.get("deleted").is_none());
        let topics: Vec<&Value> = rows.map(|row| &row["topic"]).collect();
        assert_eq!(
            topics,
            [&json!(topic)],
            "the {kind} of the one that was recalled is gone, the other's stays"
        );
    }
    place.stop().await;
}

//! How far was read.

use serde_json::{Value, json};

use crate::link::{Guest, alice_and_bob, host};

#[tokio::test]
async fn a_cursor_counts_what_is_unread() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, _, topic) = alice_and_bob(&place).await;
    for text in ["1", "2", "3"] {
        alice.say(&topic, text).await;
    }
    let cursor = |answer: &Value| -> Value {
        answer["pushes"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|push| push["rows"].as_array().unwrap())
            .find(|row| row["kind"] == "cursor")
            .map(|row| json!({"seq": row["seq"], "own": row["own"], "set_no": row["set_no"]}))
            .unwrap()
    };
    let own = bob.say(&topic, "4").await;
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
    let own = bob.say(&topic, "5").await;
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
    let ahead = bob
        .command(
            "cursor.advance",
            json!({"topic": topic, "seq": 3, "set_no": 2}),
        )
        .await
        .unwrap();
    assert_eq!(
        cursor(&ahead),
        json!({"seq": 3, "own": 2, "set_no": 1}),
        "one that was composed after a crash, and took one set-back for two, has seen it"
    );
    place.stop().await;
}

#[tokio::test]
async fn topics_that_become_visible_later_are_read_up_to_joining() {
    let place = host(|_| {}).await;
    let (mut alice, bob, community, topic) = alice_and_bob(&place).await;
    drop(bob);
    let deny = |from: u64, to: u64| json!({"community": community, "place": format!("topic/{topic}"), "allow": {"from": 0, "to": 0}, "deny": {"from": from, "to": to}});
    alice.command("access.set", deny(0, 1)).await.unwrap();
    alice.say(&topic, "before").await;
    place.next_millisecond().await;
    let code = alice.invite(&community).await;
    let mut carol = Guest::register(&place, "carol", Some(&code)).await;
    carol.join(&community, &code).await;
    place.next_millisecond().await;
    alice.say(&topic, "after").await;
    alice.command("access.set", deny(1, 0)).await.unwrap();
    assert_eq!(
        read(&mut carol, &community).await,
        json!({"seq": 1}),
        "one was written before she joined, one after"
    );
    let own = carol.say(&topic, "hers").await;
    assert_eq!(
        cursor_of(&own),
        Some(json!(1)),
        "her first row goes on from there"
    );
    assert_eq!(
        read(&mut carol, &community).await,
        Value::Null,
        "which says it then"
    );
    place.stop().await;
}

/// What the heads of a community tell of how far the first topic was read, beside its row.
async fn read(guest: &mut Guest, community: &str) -> Value {
    let heads = json!({"community": community, "since": 0});
    let heads = guest.ask("community.heads", heads).await.unwrap();
    heads["topics"][0]["read"].clone()
}

fn cursor_of(answer: &Value) -> Option<Value> {
    let pushes = answer["pushes"].as_array().unwrap();
    let mut rows = pushes
        .iter()
        .flat_map(|push| push["rows"].as_array().unwrap());
    let row = rows.find(|row| row["kind"] == "cursor")?;
    Some(row["seq"].clone())
}

#[tokio::test]
async fn an_advance_takes_the_maximum() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, _, topic) = alice_and_bob(&place).await;
    for text in ["1", "2", "3"] {
        alice.say(&topic, text).await;
    }
    let advance = |seq: u64| json!({"topic": topic, "seq": seq, "set_no": 0});
    let read = bob.command("cursor.advance", advance(2)).await.unwrap();
    assert_eq!(cursor_of(&read), Some(json!(2)));
    let less = bob.command("cursor.advance", advance(1)).await.unwrap();
    assert_eq!(cursor_of(&less), None, "it does not go back");
    let far = bob
        .command("cursor.advance", advance(u64::MAX))
        .await
        .unwrap();
    assert_eq!(
        cursor_of(&far),
        Some(json!(3)),
        "nor beyond what was written"
    );
    place.stop().await;
}

#[tokio::test]
async fn who_comes_back_has_read_what_was_written_meanwhile() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    alice.say(&topic, "1").await;
    let advance = json!({"topic": topic, "seq": 1, "set_no": 0});
    bob.command("cursor.advance", advance).await.unwrap();
    bob.command("community.leave", json!({"community": community}))
        .await
        .unwrap();
    alice.say(&topic, "2").await;
    alice.say(&topic, "3").await;
    place.next_millisecond().await;
    let code = alice.invite(&community).await;
    let joined = json!({"community": community, "invite": code});
    let answer = bob.command("community.join", joined).await.unwrap();
    assert_eq!(
        cursor_of(&answer),
        None,
        "nothing is written of it: {answer}"
    );
    let told = read(&mut bob, &community).await;
    assert_eq!(told["seq"], 3, "it holds over the row of before: {told}");
    let set = json!({"topic": topic, "seq": 2});
    bob.command("cursor.set", set).await.unwrap();
    let told = read(&mut bob, &community).await;
    assert_eq!(told, Value::Null, "and not over what he did since");
    place.stop().await;
}

#[tokio::test]
async fn a_cursor_never_stands_before_what_may_be_read() {
    let place = host(|_| {}).await;
    let (mut alice, bob, community, topic) = alice_and_bob(&place).await;
    drop(bob);
    let usual = tulou_protocol::Permissions::NEW_COMMUNITY;
    let less = usual - tulou_protocol::Permissions::READ_HISTORY;
    alice.say(&topic, "1").await;
    alice.say(&topic, "2").await;
    place.next_millisecond().await;
    let code = alice.invite(&community).await;
    let mut carol = Guest::register(&place, "carol", Some(&code)).await;
    carol.join(&community, &code).await;
    let set = carol
        .command("cursor.set", json!({"topic": topic, "seq": 0}))
        .await
        .unwrap();
    assert_eq!(cursor_of(&set), Some(json!(0)), "all of it is hers to read");
    let deny = json!({"community": community, "place": "community", "allow": {"from": usual.bits(), "to": less.bits()}, "deny": {"from": 0, "to": 0}});
    alice.command("access.set", deny).await.unwrap();
    let told = read(&mut carol, &community).await;
    assert_eq!(
        told["seq"], 2,
        "what she may not read any more is not unread: {told}"
    );
    let set = carol
        .command("cursor.set", json!({"topic": topic, "seq": 0}))
        .await
        .unwrap();
    assert_eq!(cursor_of(&set), Some(json!(2)), "nor can it be made so");
    place.stop().await;
}

#[tokio::test]
async fn a_mention_that_an_edit_adds_is_seen_by_one_account_alone_and_that_is_taken_back() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    let code = alice.invite(&community).await;
    let mut carol = Guest::register(&place, "carol", Some(&code)).await;
    carol.join(&community, &code).await;
    let mut messages = Vec::new();
    for _ in 0..2 {
        let sent = alice.say(&topic, "who?").await;
        let message = sent["pushes"][0]["rows"][0]["id"].clone();
        let to = format!("<@{}> <@{}>", bob.account, carol.account);
        let edit = json!({"topic": topic, "message": message, "text": {"from": "who?", "to": to}});
        alice.command("message.edit", edit).await.unwrap();
        messages.push(message);
    }
    let key = |message: &Value| json!(format!("{topic}:{}", message.as_str().unwrap()));
    let keys: Vec<Value> = messages.iter().map(key).collect();
    let see = |seen| json!({"topic": topic, "message": messages[0], "seen": seen});
    for (seen, of_bob) in [(true, [false, true]), (false, [true, true])] {
        let answer = bob.command("mention.seen", see(seen)).await.unwrap();
        let row = &answer["pushes"][0]["rows"][0];
        assert_eq!(
            (&row["kind"], &row["id"]),
            (&json!("mention"), &key(&messages[0]))
        );
        assert_eq!(new(&mut bob, &keys).await, of_bob, "the one that he names");
        let of_carol = new(&mut carol, &keys).await;
        assert_eq!(of_carol, [true, true], "she has seen neither");
    }
    place.stop().await;
}

/// Whether each of these rows is of an edit that somebody has not seen.
async fn new(guest: &mut Guest, keys: &[Value]) -> Vec<bool> {
    let own = format!("account/{}", guest.account);
    let log = guest.sync(json!({"log": own, "since": 0})).await;
    let rows = log["rows"].as_array().unwrap();
    let mention = |id: &Value| {
        let row = rows
            .iter()
            .find(|row| row["kind"] == "mention" && row["id"] == *id);
        row.unwrap()["by_edit"] == true
    };
    keys.iter().map(mention).collect()
}

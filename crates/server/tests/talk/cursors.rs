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
            .unwrap()["body"]
            .clone()
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

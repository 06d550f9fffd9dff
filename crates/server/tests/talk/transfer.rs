//! A community that is handed over.

use serde_json::{Value, json};

use crate::link::{Guest, alice_and_bob, host, id, send};

fn hand_over(community: &str, from: &str, to: &str) -> Value {
    json!({"community": community, "owner": {"from": from, "to": to}})
}

/// What changed of a community since it was synced.
async fn synced(guest: &mut Guest, community: &str, before: &Value) -> Value {
    let log = format!("community/{community}");
    let ask = json!({"logs": [{"log": log, "since": before["rev"], "view": before["view"]}]});
    guest.ask("log.sync", ask).await.unwrap()["logs"][0].clone()
}

#[tokio::test]
async fn who_is_handed_a_community_owns_it_and_both_are_told_to_look_again() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, _) = alice_and_bob(&place).await;
    let group = alice.group_of(&community).await;
    let closed = id();
    let create = json!({"community": community, "group": group, "topic": closed, "name": "密室", "closed": true, "position": "90"});
    alice.command("topic.create", create).await.unwrap();
    alice.say(&closed, "written before").await;
    let take =
        json!({"community": community, "topic": closed, "account": alice.account, "on": false});
    alice.command("seat.set", take).await.unwrap();
    let (hers, his) = (
        alice.sync_community(&community).await,
        bob.sync_community(&community).await,
    );
    let (from, to) = (alice.account.clone(), bob.account.clone());
    let refused = bob
        .command("community.transfer", hand_over(&community, &from, &to))
        .await
        .unwrap_err();
    assert_eq!(refused["code"], "not_owner");

    let answer = alice
        .command("community.transfer", hand_over(&community, &from, &to))
        .await
        .unwrap();
    assert!(answer.to_string().contains(&to), "{answer}");
    let log = format!("community/{community}");
    for guest in [&mut alice, &mut bob] {
        guest.pushed("stale", |stale| stale["log"] == log).await;
    }
    let after = synced(&mut bob, &community, &his).await;
    assert_eq!(after["outcome"], "reset", "his view is another one");
    let rows = after["rows"].as_array().unwrap();
    let row = |id: &str| rows.iter().find(|row| row["id"] == id).unwrap();
    assert_eq!(row(&community)["owner"], json!(to));
    assert_eq!(row(&closed)["kind"], "topic", "the owner has all seats");
    let cursor = bob
        .pushed("push", |push| push["rows"][0]["kind"] == "cursor")
        .await;
    assert_eq!(
        (&cursor["rows"][0]["id"], &cursor["rows"][0]["seq"]),
        (&json!(closed), &json!(1)),
        "what was written there before is read"
    );

    let after = synced(&mut alice, &community, &hers).await;
    assert_eq!(after["outcome"], "reset", "so is hers");
    let rows = after["rows"].as_array().unwrap();
    let locked = rows
        .iter()
        .find(|row| row["id"] == closed.as_str())
        .unwrap();
    assert_eq!(locked["kind"], "locked_topic", "she has no seat there");
    let refused = alice
        .command("message.send", send(&closed, "still here?"))
        .await
        .unwrap_err();
    assert_eq!(refused["decided_by"]["by"], "no_seat", "{refused}");
    let refused = alice
        .command("community.transfer", hand_over(&community, &from, &to))
        .await
        .unwrap_err();
    assert_eq!(refused["code"], "changed_meanwhile");
    assert_eq!(refused["present"]["owner"], json!(to));
    alice
        .command("community.leave", json!({"community": community}))
        .await
        .unwrap();
    let back = bob
        .command("community.transfer", hand_over(&community, &to, &from))
        .await
        .unwrap_err();
    assert_eq!(back["code"], "not_found", "she is no member any more");
    place.stop().await;
}

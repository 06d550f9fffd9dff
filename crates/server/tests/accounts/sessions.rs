//! Where an account is signed in.

use serde_json::{Value, json};

use super::{PASSWORD, card, enter, house, with};
use crate::link::Guest;

#[tokio::test]
async fn an_account_sees_where_it_is_signed_in_and_ends_one_or_all_others() {
    let (place, mut alice) = house().await;
    let laptop = enter(&place, "alice", PASSWORD).await;
    let phone = enter(&place, "alice", PASSWORD).await;
    let all = card(&place, &alice.token).await["sessions"].clone();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 3, "{all:?}");
    let own: Vec<_> = all.iter().filter(|one| one["current"] == true).collect();
    assert_eq!(own.len(), 1, "this one is marked: {all:?}");
    assert_eq!(own[0]["session"], alice.greeting["session"]);
    for one in all {
        assert_eq!(one["address"], "127.0.0.1", "{one}");
        assert_eq!(one["online"], true, "{one}");
        assert!(
            one["seen_at"].as_i64() >= one["created_at"].as_i64(),
            "{one}"
        );
    }
    assert_eq!(
        all.iter()
            .filter(|one| one["device"] == "attic · Linux")
            .count(),
        2,
        "those that said what they are: {all:?}"
    );

    let of_laptop = laptop.greeting["session"].as_str().unwrap().to_owned();
    let path = format!("/v1/account/sessions/{of_laptop}");
    assert_eq!(
        with(&place, &alice.token, "DELETE", &path, Value::Null)
            .await
            .0,
        204
    );
    assert_eq!(laptop.ended().await, "signed_out");
    let twice = with(&place, &alice.token, "DELETE", &path, Value::Null).await;
    assert_eq!(twice.1["rejection"]["code"], "not_found");
    card(&place, &phone.token).await;

    let path = "/v1/account/sessions";
    assert_eq!(
        with(&place, &alice.token, "DELETE", path, Value::Null)
            .await
            .0,
        204
    );
    assert_eq!(phone.ended().await, "signed_out");
    alice
        .ask("session.watch", json!({"topics": []}))
        .await
        .unwrap();
    assert_eq!(
        card(&place, &alice.token).await["sessions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    place.stop().await;
}

#[tokio::test]
async fn nobody_ends_a_session_of_somebody_else() {
    let (place, alice) = house().await;
    let mut bob = Guest::register(&place, "bob", None).await;
    let session = bob.greeting["session"].as_str().unwrap();
    let path = format!("/v1/account/sessions/{session}");
    let (status, refused) = with(&place, &alice.token, "DELETE", &path, Value::Null).await;
    assert_eq!(
        (status, &refused["rejection"]["code"]),
        (404, &json!("not_found"))
    );
    bob.ask("session.watch", json!({"topics": []}))
        .await
        .unwrap();
    place.stop().await;
}

#[tokio::test]
async fn a_session_that_ended_is_not_answered_any_more() {
    let (place, alice) = house().await;
    let token = alice.token.clone();
    let mut laptop = enter(&place, "alice", PASSWORD).await;
    let community = crate::link::id();
    let path = "/v1/account/sessions";
    assert_eq!(
        with(&place, &token, "DELETE", path, Value::Null).await.0,
        204
    );
    let late = json!({"jsonrpc": "2.0", "id": crate::link::id(), "method": "community.create", "params": {
        "community": community, "name": "late", "group": crate::link::id(), "group_name": "a",
        "topic": crate::link::id(), "topic_name": "b"}});
    laptop.text(&late.to_string()).await;
    assert_eq!(laptop.ended().await, "signed_out");
    let owned = card(&place, &token).await["owned"].clone();
    assert_eq!(owned, json!([]), "what it wrote afterwards was not done");
    place.stop().await;
}

#[tokio::test]
async fn a_session_that_was_not_connected_for_half_a_year_has_ended() {
    let (place, alice) = house().await;
    let laptop = enter(&place, "alice", PASSWORD).await;
    let token = laptop.token.clone();
    drop(laptop);
    let (data, alice_token) = (place.data().join("tulou.sqlite"), alice.token.clone());
    drop(alice);
    let place = place
        .restart_after(|| {
            let db = rusqlite::Connection::open(&data).unwrap();
            let day_ms = 24 * 3_600 * 1_000_i64;
            let set = "UPDATE session SET seen_at = seen_at - ?1 WHERE device <> ''";
            assert_eq!(db.execute(set, [181 * day_ms]).unwrap(), 1);
            let set = "UPDATE session SET seen_at = seen_at - ?1 WHERE device = ''";
            assert_eq!(db.execute(set, [179 * day_ms]).unwrap(), 1);
        })
        .await;
    let refused = Guest::try_connect(&place, &token, "").await.err().unwrap();
    assert_eq!(refused["code"], "signed_out");
    let (status, refused) = with(&place, &token, "GET", "/v1/account", Value::Null).await;
    assert_eq!(
        (status, &refused["rejection"]["code"]),
        (401, &json!("signed_out"))
    );
    Guest::connect(&place, &alice_token, "").await;
    place.stop().await;
}

#[tokio::test]
async fn a_session_is_last_seen_when_it_was_last_connected() {
    let (place, alice) = house().await;
    let laptop = enter(&place, "alice", PASSWORD).await;
    let session = laptop.greeting["session"].clone();
    let of_laptop = async |token: &str| {
        let all = card(&place, token).await["sessions"].clone();
        let found = all
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["session"] == session);
        found.unwrap().clone()
    };
    let before = of_laptop(&alice.token).await["seen_at"].as_i64().unwrap();
    place.next_millisecond().await;
    drop(laptop);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let seen = of_laptop(&alice.token).await;
        if seen["online"] == false && seen["seen_at"].as_i64().unwrap() > before {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{seen}");
    }
    place.stop().await;
}

//! The doors: HTTP, and the server's end and start.

use serde_json::json;

use crate::link::{alice_and_bob, greeting_text, host};

#[tokio::test]
async fn a_restarted_server_knows_everything() {
    let place = host(|_| {}).await;
    let (mut alice, _bob, community, topic) = alice_and_bob(&place).await;
    alice.say(&topic, "durable").await;
    let tree = alice.sync_community(&community).await;
    let place = place.restart().await;
    let mut alice = alice.again(&place).await;
    assert_eq!(
        alice.sync_community(&community).await,
        tree,
        "the same rows, the same stamp"
    );
    let page = alice.page(&topic).await;
    assert_eq!(page["rows"][0]["text"], "durable");
    assert_eq!(greeting_text(&alice.greeting), "Tulou");
    place.stop().await;
}

#[tokio::test]
async fn signing_in_and_out_goes_over_http() {
    let place = host(|_| {}).await;
    let (mut alice, bob, community, _) = alice_and_bob(&place).await;
    let (status, card) = place.http("GET", "/v1/server", "", "").await;
    assert_eq!(
        (status, &card["version"]),
        (200, &json!(tulou_protocol::VERSION))
    );
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
        (403, &json!("invite_needed")),
        "only with an invite"
    );
    let mut invited = stranger.clone();
    invited["invite"] = invite["code"].clone();
    let (status, no) = place.post("/v1/accounts", &invited).await;
    assert_eq!(
        (status, &no["rejection"]["code"]),
        (404, &json!("invite_invalid")),
        "with one that holds"
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

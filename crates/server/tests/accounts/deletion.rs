//! The end of an account.

use serde_json::{Value, json};

use super::{PASSWORD, card, enter, house, sign_in, sign_up, with};
use crate::link::{Guest, Place, alice_and_bob};

async fn delete(place: &Place, token: &str, password: &str, messages: &str) -> (u16, Value) {
    let body = json!({"password": password, "messages": messages});
    with(place, token, "POST", "/v1/account/deletion", body).await
}

/// Reads the page again and again until it is as it should be.
async fn until_page(guest: &mut Guest, topic: &str, fits: impl Fn(&[Value]) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let page = guest.page(topic).await;
        if fits(page["rows"].as_array().unwrap()) {
            return page;
        }
        assert!(tokio::time::Instant::now() < deadline, "{page}");
    }
}

#[tokio::test]
async fn the_messages_of_a_deleted_account_stay_under_no_name() {
    let place = crate::link::host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    bob.say(&topic, "still here").await;
    let (id, token) = (bob.account.clone(), bob.token.clone());
    let wrong = delete(&place, &token, "wrong horse", "keep").await;
    assert_eq!(wrong.1["rejection"]["code"], "wrong_password");
    bob.ask("session.watch", json!({"topics": []}))
        .await
        .unwrap();

    assert_eq!(delete(&place, &token, PASSWORD, "keep").await.0, 204);
    assert_eq!(bob.ended().await, "signed_out");
    assert_eq!(sign_in(&place, "bob", PASSWORD).await.0, 401);
    alice
        .pushed("digest", |digest| digest["members"] == 1)
        .await;
    let page = alice.page(&topic).await;
    assert_eq!(page["rows"][0]["text"], "still here");
    assert_eq!(page["rows"][0]["author"], json!(id));
    let profiles = alice
        .ask("profile.list", json!({"accounts": [id]}))
        .await
        .unwrap();
    let profile = &profiles["rows"][0];
    assert_eq!(profile["gone"], true, "{profile}");
    assert_eq!(profile["display_name"], "");
    assert!(
        profile["rev"].as_u64() > Some(1),
        "it is newer than what others hold"
    );
    let members = json!({"community": community, "prefix": "", "limit": 10});
    let members = alice.ask("member.list", members).await.unwrap();
    assert!(!members.to_string().contains("bob"), "{members}");
    let code = alice.invite(&community).await;
    let again = Guest::register(&place, "bob", Some(&code)).await;
    assert_ne!(
        again.account, id,
        "the name is free; the account is another one"
    );
    place.stop().await;
}

#[tokio::test]
async fn the_messages_of_a_deleted_account_are_recalled_everywhere_if_it_says_so() {
    let place = crate::link::host(|_| {}).await;
    let (mut alice, mut bob, _, topic) = alice_and_bob(&place).await;
    alice.say(&topic, "alice was here").await;
    for n in 0..150 {
        bob.say(&topic, &format!("line {n}")).await;
    }
    alice.watch(&[&topic]).await;
    let token = bob.token.clone();
    assert_eq!(delete(&place, &token, PASSWORD, "remove").await.0, 204);
    let log = format!("topic/{topic}");
    let pushed = alice.pushed("push", |push| push["log"] == log).await;
    let first = &pushed["rows"][0];
    assert_eq!(first["text"], "", "who looks sees them go: {first}");
    let page = until_page(&mut alice, &topic, |rows| {
        rows[1..].iter().all(|row| row["text"] == "")
    })
    .await;
    assert_eq!(
        page["rows"].as_array().unwrap().len(),
        151,
        "their places stay"
    );
    assert_eq!(page["rows"][0]["text"], "alice was here");
    place.stop().await;
}

#[tokio::test]
async fn a_deletion_that_the_servers_end_interrupted_goes_on_at_the_next_start() {
    let place = crate::link::host(|_| {}).await;
    let (alice, mut bob, _, topic) = alice_and_bob(&place).await;
    for n in 0..120 {
        bob.say(&topic, &format!("line {n}")).await;
    }
    let data = place.data().join("tulou.sqlite");
    drop(bob);
    let token = alice.token.clone();
    let id = alice.account.clone();
    drop(alice);
    let place = place
        .restart_after(|| {
            let db = rusqlite::Connection::open(&data).unwrap();
            let set = "UPDATE account SET deletion = 2, name = '~' || hex(id) WHERE name = 'bob'";
            assert_eq!(
                db.execute(set, ()).unwrap(),
                1,
                "as begin_deletion leaves it"
            );
        })
        .await;
    let mut alice = Guest::connect(&place, &token, &id).await;
    until_page(&mut alice, &topic, |rows| {
        rows.len() == 120 && rows.iter().all(|row| row["text"] == "")
    })
    .await;
    place.stop().await;
}

#[tokio::test]
async fn who_owns_a_community_or_administrates_the_server_is_told_so_and_stays() {
    let (place, alice) = house().await;
    let (_, _) = sign_up(&place, "bob").await;
    let mut bob = enter(&place, "bob", PASSWORD).await;
    let community = crate::link::id();
    let create = json!({"community": community, "name": "土楼", "group": crate::link::id(), "group_name": "大厅",
        "topic": crate::link::id(), "topic_name": "闲聊"});
    bob.command("community.create", create).await.unwrap();
    let (status, refused) = delete(&place, &bob.token, PASSWORD, "keep").await;
    assert_eq!(
        (status, &refused["rejection"]["code"]),
        (409, &json!("owns_communities"))
    );
    let owned = card(&place, &bob.token).await["owned"].clone();
    assert_eq!(
        owned,
        json!([{"community": community, "name": "土楼"}]),
        "he sees which"
    );
    bob.command("community.dissolve", json!({"community": community}))
        .await
        .unwrap();
    assert_eq!(delete(&place, &bob.token, PASSWORD, "keep").await.0, 204);
    let (status, refused) = delete(&place, &alice.token, PASSWORD, "keep").await;
    assert_eq!(
        (status, &refused["rejection"]["code"]),
        (409, &json!("server_admin"))
    );
    card(&place, &alice.token).await;
    place.stop().await;
}

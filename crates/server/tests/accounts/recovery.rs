//! Other passwords, and codes that set one.

use std::{collections::BTreeSet, process::Command};

use serde_json::{Value, json};

use super::{PASSWORD, card, enter, house, recover, sign_in, sign_up, with};
use crate::link::Guest;

#[tokio::test]
async fn a_recovery_code_sets_a_new_password_once_and_ends_the_other_sessions() {
    let (place, _alice) = house().await;
    let (token, codes) = sign_up(&place, "bob").await;
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 10, "{codes:?}");
    assert_eq!(card(&place, &token).await["recovery_codes"], 10);
    let before = enter(&place, "bob", PASSWORD).await;

    let typed = codes[0].to_lowercase().replace('-', " ");
    let (status, body) = recover(&place, "bob", &typed, "battery staple").await;
    assert_eq!(status, 201, "however it is typed: {body}");
    assert_eq!(before.ended().await, "signed_out");
    let fresh = body["token"].as_str().unwrap();
    assert_eq!(
        card(&place, fresh).await["recovery_codes"],
        9,
        "one is used"
    );
    assert_eq!(sign_in(&place, "bob", PASSWORD).await.0, 401, "the old one");
    assert_eq!(sign_in(&place, "bob", "battery staple").await.0, 201);

    let (status, body) = recover(&place, "bob", &codes[0], "once more please").await;
    assert_eq!(
        (status, &body["rejection"]["code"]),
        (401, &json!("wrong_code"))
    );
    let (status, _) = recover(&place, "bob", &codes[9], "once more please").await;
    assert_eq!(status, 201, "the others are of use");
    place.stop().await;
}

#[tokio::test]
async fn a_wrong_code_and_a_name_without_an_account_are_refused_alike() {
    let (place, _alice) = house().await;
    let (_, codes) = sign_up(&place, "bob").await;
    sign_up(&place, "carol").await;
    let right = &codes[0];
    let mut answers = Vec::new();
    for (name, code) in [
        ("bob", "0000-0000-0000-0000"),
        ("bob", "what?"),
        ("nobody", right),
        ("carol", right),
    ] {
        answers.push(recover(&place, name, code, "battery staple").await);
    }
    assert!(
        answers.iter().all(|answer| answer == &answers[0]),
        "{answers:?}"
    );
    assert_eq!(answers[0].1["rejection"]["code"], "wrong_code");
    assert_eq!(
        recover(&place, "bob", right, "short").await.1["rejection"]["code"],
        "weak_password"
    );
    assert_eq!(
        recover(&place, "bob", right, "battery staple").await.0,
        201,
        "a password that is too weak does not use the code up"
    );
    place.stop().await;
}

#[tokio::test]
async fn changing_the_password_asks_the_present_one_and_ends_the_other_sessions() {
    let (place, mut alice) = house().await;
    let laptop = enter(&place, "alice", PASSWORD).await;
    let laptop_token = laptop.token.clone();
    let change = async |token: &str, from: &str, to: &str| {
        let body = json!({"password": from, "new_password": to});
        with(&place, token, "PUT", "/v1/account/password", body).await
    };
    let token = alice.token.clone();
    let wrong = change(&token, "wrong horse", "battery staple").await;
    assert_eq!(wrong.1["rejection"]["code"], "wrong_password");
    let weak = change(&token, PASSWORD, "short").await;
    assert_eq!(
        weak.1["rejection"],
        json!({"code": "weak_password", "field": "new_password", "limit": 8})
    );
    let endless = change(&token, PASSWORD, &"x".repeat(1_001)).await;
    assert_eq!(
        endless.1["rejection"],
        json!({"code": "too_long", "field": "new_password", "limit": 1_000}),
        "too long is not weak"
    );
    card(&place, &laptop_token).await;

    let (status, body) = change(&token, PASSWORD, "battery staple").await;
    assert_eq!(status, 204, "{body}");
    assert_eq!(laptop.ended().await, "signed_out");
    let gone = with(&place, &laptop_token, "GET", "/v1/account", Value::Null).await;
    assert_eq!(
        (gone.0, &gone.1["rejection"]["code"]),
        (401, &json!("signed_out"))
    );
    let refused = Guest::try_connect(&place, &laptop_token, "").await.err();
    assert_eq!(
        refused.unwrap()["code"],
        "signed_out",
        "nor over its socket"
    );
    alice
        .ask("session.watch", json!({"topics": []}))
        .await
        .unwrap();
    card(&place, &token).await;
    assert_eq!(sign_in(&place, "alice", PASSWORD).await.0, 401);
    assert_eq!(sign_in(&place, "alice", "battery staple").await.0, 201);
    place.stop().await;
}

#[tokio::test]
async fn new_codes_are_made_for_the_password_and_end_the_old_ones() {
    let (place, _alice) = house().await;
    let (token, old) = sign_up(&place, "bob").await;
    let make = async |password: &str| {
        let body = json!({"password": password});
        with(&place, &token, "POST", "/v1/account/recovery-codes", body).await
    };
    assert_eq!(
        make("wrong horse").await.1["rejection"]["code"],
        "wrong_password"
    );
    assert_eq!(
        make(PASSWORD).await.1["recovery_codes"]
            .as_array()
            .unwrap()
            .len(),
        10
    );
    let (_, made) = make(PASSWORD).await;
    let refused = recover(&place, "bob", &old[3], "battery staple").await;
    assert_eq!(refused.1["rejection"]["code"], "wrong_code");
    let code = made["recovery_codes"][3].as_str().unwrap();
    assert_eq!(recover(&place, "bob", code, "battery staple").await.0, 201);
    place.stop().await;
}

#[tokio::test]
async fn the_administrator_sets_an_account_back_to_one_code() {
    let (place, alice) = house().await;
    let (_, codes) = sign_up(&place, "bob").await;
    let bob = enter(&place, "bob", PASSWORD).await;
    let id = bob.account.clone();
    let path = format!("/v1/accounts/{id}/reset");
    let (status, refused) = with(&place, &bob.token, "POST", &path, Value::Null).await;
    assert_eq!(
        (status, &refused["rejection"]["code"]),
        (403, &json!("not_admin"))
    );
    let own = format!("/v1/accounts/{}/reset", alice.account);
    let (status, refused) = with(&place, &alice.token, "POST", &own, Value::Null).await;
    assert_eq!(
        (status, &refused["rejection"]["code"]),
        (409, &json!("server_admin")),
        "not his own"
    );

    let (status, reset) = with(&place, &alice.token, "POST", &path, Value::Null).await;
    assert_eq!(status, 200, "{reset}");
    assert!(reset["expires_at"].as_i64().unwrap() > 0);
    assert_eq!(bob.ended().await, "signed_out", "its sessions have ended");
    assert_eq!(
        sign_in(&place, "bob", PASSWORD).await.0,
        401,
        "nor the password"
    );
    let refused = recover(&place, "bob", &codes[0], "battery staple").await;
    assert_eq!(refused.0, 401, "nor codes that a thief may have made");
    let code = reset["code"].as_str().unwrap();
    let (status, body) = recover(&place, "bob", code, "battery staple").await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(body["account"], json!(id), "it is the same account");
    assert_eq!(recover(&place, "bob", code, "twice").await.0, 400);
    assert_eq!(recover(&place, "bob", code, "twice twice").await.0, 401);
    place.stop().await;
}

#[tokio::test]
async fn a_code_of_the_administrators_expires() {
    let (place, alice) = house().await;
    sign_up(&place, "bob").await;
    let id = enter(&place, "bob", PASSWORD).await.account;
    let path = format!("/v1/accounts/{id}/reset");
    let (_, reset) = with(&place, &alice.token, "POST", &path, Value::Null).await;
    let db = rusqlite::Connection::open(place.data().join("tulou.sqlite")).unwrap();
    db.execute(
        "UPDATE recovery SET expires_at = 1 WHERE expires_at IS NOT NULL",
        (),
    )
    .unwrap();
    let code = reset["code"].as_str().unwrap();
    let late = recover(&place, "bob", code, "battery staple").await;
    assert_eq!(late.1["rejection"]["code"], "wrong_code");
    place.stop().await;
}

#[tokio::test]
async fn the_administrator_finds_accounts_by_name_and_nobody_else_does() {
    let (place, alice) = house().await;
    let (bob, _) = sign_up(&place, "bob").await;
    sign_up(&place, "bobby").await;
    let mut carol = Guest::register(&place, "carol", None).await;
    let name = json!({"display_name": {"from": "carol", "to": "林 Bobtail"}});
    carol.command("profile.edit", name).await.unwrap();
    let find = async |path: &str| {
        let (status, found) = with(&place, &alice.token, "GET", path, Value::Null).await;
        assert_eq!(status, 200, "{found}");
        let names = found["accounts"].as_array().unwrap().iter();
        names
            .map(|one| one["account_name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        find("/v1/accounts").await,
        ["alice", "bob", "bobby", "carol"]
    );
    assert_eq!(find("/v1/accounts?after=bob").await, ["bobby", "carol"]);
    assert_eq!(
        find("/v1/accounts?search=BOB").await,
        ["bob", "bobby", "carol"]
    );
    assert_eq!(find("/v1/accounts?search=%E6%9E%97").await, ["carol"]);
    assert_eq!(
        find("/v1/accounts?search=100%25").await,
        Vec::<String>::new()
    );
    let (_, all) = with(&place, &alice.token, "GET", "/v1/accounts", Value::Null).await;
    assert_eq!(all["accounts"][0]["server_admin"], true);
    assert_eq!(all["accounts"][3]["display_name"], "林 Bobtail");
    assert!(all["accounts"][3]["seen_at"].as_i64().unwrap() > 0);
    let (status, refused) = with(&place, &bob, "GET", "/v1/accounts", Value::Null).await;
    assert_eq!(
        (status, &refused["rejection"]["code"]),
        (403, &json!("not_admin"))
    );
    let (status, _) = place.http("GET", "/v1/accounts", "", "").await;
    assert_eq!(status, 401, "without a token");
    place.stop().await;
}

#[tokio::test]
async fn an_administrator_who_has_lost_everything_is_let_in_from_the_machine() {
    let (place, alice) = house().await;
    let old = alice.token.clone();
    drop(alice);
    let data = place.data().to_owned();
    let reset = |name: &str| {
        let told = Command::new(env!("CARGO_BIN_EXE_tulou-server"))
            .args(["reset", name, "--data"])
            .arg(&data)
            .output()
            .unwrap();
        let said = String::from_utf8(told.stdout).unwrap();
        let code = said.lines().find_map(|line| line.strip_prefix("code "));
        (told.status.code(), code.map(str::to_owned))
    };
    assert_eq!(reset("alice"), (Some(5), None), "not while the server runs");
    let mut found = (None, None);
    let place = place
        .restart_after(|| {
            assert_eq!(reset("nobody"), (Some(1), None));
            found = reset("alice");
        })
        .await;
    let (status, code) = found;
    assert_eq!(status, Some(0));
    assert_eq!(
        with(&place, &old, "GET", "/v1/account", Value::Null)
            .await
            .0,
        401
    );
    let (status, body) = recover(&place, "alice", &code.unwrap(), "battery staple").await;
    assert_eq!(status, 201, "{body}");
    let token = body["token"].as_str().unwrap();
    assert_eq!(card(&place, token).await["server_admin"], true);
    place.stop().await;
}

//! Whoever tries many passwords has to wait.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{PASSWORD, house, recover, sign_in, sign_up, with};
use crate::link::{self, Guest, Place};

async fn sign_in_from(place: &Place, address: &str, name: &str, password: &str) -> (u16, Value) {
    let header = format!("X-Forwarded-For: {address}\r\n");
    let body = json!({"account_name": name, "password": password}).to_string();
    place.http("POST", "/v1/sessions", &header, &body).await
}

/// Tries until it is told to wait for so many seconds; the answers before that, and the one that said so.
async fn until_told(
    seconds: u64,
    mut attempt: impl AsyncFnMut() -> (u16, Value),
) -> (Vec<(u16, Value)>, Value) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut looked_at = Vec::new();
    loop {
        let (status, body) = attempt().await;
        if status != 429 {
            looked_at.push((status, body));
        } else if body["retry_after_s"].as_u64() >= Some(seconds) {
            return (looked_at, body);
        }
        assert!(Instant::now() < deadline, "{looked_at:?}");
    }
}

/// Whoever was just told to wait four seconds is not looked at before they are over.
async fn is_refused_meanwhile(attempt: impl AsyncFnOnce() -> (u16, Value)) {
    let begun = Instant::now();
    let (status, body) = attempt().await;
    let is_over = begun.elapsed() > Duration::from_secs(3);
    assert!(status == 429 || is_over, "{status}: {body}");
}

#[tokio::test]
async fn after_some_failures_a_name_is_told_how_long_to_wait_whether_it_has_an_account_or_not() {
    let (place, _alice) = house().await;
    for name in ["alice", "nobody"] {
        let attempt = async || sign_in(&place, name, "wrong horse").await;
        let (looked_at, told) = until_told(4, attempt).await;
        assert!(
            looked_at.len() >= 5,
            "some are free for {name}: {looked_at:?}"
        );
        for (status, body) in &looked_at {
            assert_eq!(
                (*status, &body["rejection"]["code"]),
                (401, &json!("wrong_password"))
            );
        }
        assert_eq!(told["rejection"]["code"], "too_many_attempts");
        let right = async || sign_in(&place, name, PASSWORD).await;
        is_refused_meanwhile(right).await;
    }
    place.stop().await;
}

#[tokio::test]
async fn every_way_to_try_a_password_or_code_is_slowed() {
    let (place, _alice) = house().await;
    let (bob, _) = sign_up(&place, "bob").await;
    let wrong =
        json!({"password": "wrong horse", "new_password": "battery staple", "messages": "keep"});
    for (method, path) in [
        ("PUT", "/v1/account/password"),
        ("POST", "/v1/account/recovery-codes"),
        ("POST", "/v1/account/deletion"),
    ] {
        let attempt = async || with(&place, &bob, method, path, wrong.clone()).await;
        let (looked_at, _) = until_told(1, attempt).await;
        for (status, body) in looked_at {
            assert_eq!(status, 401, "{path}: {body}");
        }
    }
    let attempt = async || recover(&place, "dave", "0000-0000-0000-0000", "battery staple").await;
    let (looked_at, _) = until_told(1, attempt).await;
    assert!(looked_at.len() >= 5, "{looked_at:?}");
    place.stop().await;
}

#[tokio::test]
async fn many_new_accounts_from_one_address_have_to_wait() {
    let place = link::host(|config| {
        config.registration = tulou_protocol::http::Registration::Open;
        config.proxies = vec!["127.0.0.1".parse().unwrap()];
        config.sign_ups_per_address = 2;
        config.sign_ups_per_hour = 3;
    })
    .await;
    let sign_up = async |address: &str, name: &str| {
        let header = format!("X-Forwarded-For: {address}\r\n");
        let body = json!({"account_name": name, "display_name": name, "password": PASSWORD});
        let body = body.to_string();
        place.http("POST", "/v1/accounts", &header, &body).await
    };
    for name in ["alice", "bob"] {
        assert_eq!(sign_up("192.0.2.1", name).await.0, 201);
    }
    let told = |(status, body): (u16, Value)| {
        assert_eq!(status, 429, "{body}");
        assert_eq!(body["rejection"]["code"], "too_many_sign_ups", "{body}");
        let wait = body["retry_after_s"].as_u64().unwrap();
        (body["rejection"]["limit"].clone(), wait)
    };
    let (limit, wait) = told(sign_up("192.0.2.1", "carol").await);
    assert_eq!(limit, 2, "the refusal says which limit");
    assert!(
        (1_700..=1_800).contains(&wait),
        "one in half an hour: {wait} s"
    );
    assert_eq!(sign_up("198.51.100.7", "carol").await.0, 201);
    let (limit, wait) = told(sign_up("203.0.113.9", "dave").await);
    assert_eq!(limit, 3, "the server as a whole has had enough");
    assert!((1_100..=1_200).contains(&wait), "{wait} s");
    let known = sign_in_from(&place, "192.0.2.1", "alice", PASSWORD).await;
    assert_eq!(known.0, 201, "who has an account signs in: {}", known.1);
    place.stop().await;
}

#[tokio::test]
async fn somebody_who_guesses_elsewhere_does_not_keep_the_right_password_out() {
    let place = link::host(|config| config.proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    Guest::register(&place, "alice", None).await;
    let guess = async || sign_in_from(&place, "192.0.2.1", "alice", "wrong horse").await;
    until_told(4, guess).await;
    let forged = "6.6.6.6, 192.0.2.1";
    is_refused_meanwhile(async || sign_in_from(&place, forged, "alice", PASSWORD).await).await;
    let here = sign_in_from(&place, "198.51.100.7", "alice", PASSWORD).await;
    assert_eq!(here.0, 201, "she does not: {}", here.1);
    place.stop().await;
}

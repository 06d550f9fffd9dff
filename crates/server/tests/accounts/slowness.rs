//! Whoever tries many passwords has to wait.

use serde_json::{Value, json};

use super::{PASSWORD, house, recover, sign_in, sign_up, with};
use crate::link::{self, Guest, Place};

async fn sign_in_from(place: &Place, address: &str, name: &str, password: &str) -> (u16, Value) {
    let header = format!("X-Forwarded-For: {address}\r\n");
    let body = json!({"account_name": name, "password": password}).to_string();
    place.http("POST", "/v1/sessions", &header, &body).await
}

#[tokio::test]
async fn after_some_failures_a_name_is_told_how_long_to_wait_whether_it_has_an_account_or_not() {
    let (place, _alice) = house().await;
    for name in ["alice", "nobody"] {
        let mut answers = Vec::new();
        for _ in 0..6 {
            answers.push(sign_in(&place, name, "wrong horse").await);
        }
        let statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
        assert_eq!(statuses, [401, 401, 401, 401, 401, 429], "{name}");
        assert_eq!(answers[5].1["retry_after_s"], 1, "{name}: {answers:?}");
        assert_eq!(answers[0].1["rejection"]["code"], "wrong_password");
    }
    let (status, _) = sign_in(&place, "alice", PASSWORD).await;
    assert_eq!(status, 429, "nor is the right one looked at meanwhile");
    place.stop().await;
}

#[tokio::test]
async fn every_way_to_try_a_password_or_code_is_slowed() {
    let (place, _alice) = house().await;
    let (bob, _) = sign_up(&place, "bob").await;
    let (carol, _) = sign_up(&place, "carol").await;
    for n in 0..6 {
        let expected = if n < 5 { 401 } else { 429 };
        let wrong = json!({"password": "wrong horse", "new_password": "battery staple"});
        let changed = with(&place, &bob, "PUT", "/v1/account/password", wrong).await;
        assert_eq!(changed.0, expected, "{n}: {}", changed.1);
        let wrong = json!({"password": "wrong horse", "messages": "keep"});
        let deleted = with(&place, &carol, "POST", "/v1/account/deletion", wrong).await;
        assert_eq!(deleted.0, expected, "{n}: {}", deleted.1);
        let recovered = recover(&place, "dave", "0000-0000-0000-0000", "battery staple").await;
        assert_eq!(recovered.0, expected, "{n}: {}", recovered.1);
    }
    place.stop().await;
}

#[tokio::test]
async fn somebody_who_guesses_elsewhere_does_not_keep_the_right_password_out() {
    let place = link::host(|config| config.proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    Guest::register(&place, "alice", None).await;
    for _ in 0..8 {
        sign_in_from(&place, "192.0.2.1", "alice", "wrong horse").await;
    }
    let there = sign_in_from(&place, "192.0.2.1", "alice", PASSWORD).await;
    assert_eq!(there.0, 429, "who guesses waits: {}", there.1);
    let here = sign_in_from(&place, "198.51.100.7", "alice", PASSWORD).await;
    assert_eq!(here.0, 201, "she does not: {}", here.1);
    let forged = sign_in_from(&place, "6.6.6.6, 192.0.2.1", "alice", PASSWORD).await;
    assert_eq!(forged.0, 429, "nor does it help to claim another address");
    place.stop().await;
}

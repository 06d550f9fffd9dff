//! Accounts from outside: other passwords, codes, sessions, the administrator, the end of an account.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

#[path = "talk/link.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod link;

#[path = "accounts/bodies.rs"]
mod bodies;
#[path = "accounts/deletion.rs"]
mod deletion;
#[path = "accounts/invites.rs"]
mod invites;
#[path = "accounts/recovery.rs"]
mod recovery;
#[path = "accounts/secrets.rs"]
mod secrets;
#[path = "accounts/sessions.rs"]
mod sessions;
#[path = "accounts/slowness.rs"]
mod slowness;

use link::{Guest, Place};
use serde_json::{Value, json};
use tulou_protocol::http::Registration;

/// The password that everybody begins with.
const PASSWORD: &str = "correct horse";

/// A server that takes everybody. Alice has the first account: she administrates it.
async fn house() -> (Place, Guest) {
    let place = link::host(|config| config.registration = Registration::Open).await;
    let alice = Guest::register(&place, "alice", None).await;
    (place, alice)
}

/// A request with a token.
async fn with(place: &Place, token: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
    let header = format!("Authorization: Bearer {token}\r\n");
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    place.http(method, path, &header, &body).await
}

async fn sign_in(place: &Place, name: &str, password: &str) -> (u16, Value) {
    let body = json!({"account_name": name, "password": password, "device": "attic · Linux"});
    place.post("/v1/sessions", &body).await
}

/// Signs in and connects.
async fn enter(place: &Place, name: &str, password: &str) -> Guest {
    let (status, body) = sign_in(place, name, password).await;
    assert_eq!(status, 201, "{name} signs in: {body}");
    let token = body["token"].as_str().unwrap();
    Guest::connect(place, token, body["account"].as_str().unwrap()).await
}

async fn recover(place: &Place, name: &str, code: &str, password: &str) -> (u16, Value) {
    let body = json!({"account_name": name, "code": code, "password": password});
    place.post("/v1/recoveries", &body).await
}

/// Registers; the token and the recovery codes.
async fn sign_up(place: &Place, name: &str) -> (String, Vec<String>) {
    let body = json!({"account_name": name, "display_name": name, "password": PASSWORD, "device": "attic · Linux"});
    let (status, body) = place.post("/v1/accounts", &body).await;
    assert_eq!(status, 201, "{body}");
    let codes = body["recovery_codes"].as_array().unwrap();
    let codes = codes.iter().map(|code| code.as_str().unwrap().to_owned());
    (body["token"].as_str().unwrap().to_owned(), codes.collect())
}

async fn card(place: &Place, token: &str) -> Value {
    let (status, card) = with(place, token, "GET", "/v1/account", Value::Null).await;
    assert_eq!(status, 200, "{card}");
    card
}

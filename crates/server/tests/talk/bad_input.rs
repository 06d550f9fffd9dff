//! Input that is not what it should be: answered clearly, and nothing else is disturbed.

use serde_json::json;

use crate::link::{Guest, host};

#[tokio::test]
async fn a_session_survives_what_it_cannot_read() {
    let place = host(|_| {}).await;
    let mut alice = Guest::register(&place, "alice", None).await;
    alice.text("not json").await;
    assert_eq!(alice.answers().await[0]["error"]["code"], -32_700);
    alice.text("[]").await;
    assert_eq!(alice.answers().await[0]["error"]["code"], -32_600);
    alice.binary(b"bytes").await;
    assert_eq!(alice.answers().await[0]["error"]["code"], -32_600);
    alice
        .text(r#"{"jsonrpc":"2.0","id":1,"method":"no.such","params":{}}"#)
        .await;
    assert_eq!(alice.answers().await[0]["error"]["code"], -32_601);
    alice
        .text(r#"{"jsonrpc":"2.0","id":1,"method":"topic.page","params":{}}"#)
        .await;
    assert_eq!(alice.answers().await[0]["error"]["code"], -32_602);
    alice
        .ask("profile.list", json!({"accounts": [alice.account]}))
        .await
        .unwrap();
    alice.text(&" ".repeat(70_000)).await;
    assert_eq!(
        alice.answers().await[0]["error"]["data"]["code"],
        "too_long"
    );
    let goodbye = alice.pushed("goodbye", |_| true).await;
    assert_eq!(goodbye["reason"], "too_long", "then it is closed");
    place.stop().await;
}

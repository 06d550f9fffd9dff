//! Writing in the real web view: who is picked, undoing, and an edit that outlives a kill.

use std::sync::Arc;

use serde_json::{Value, json};
use tulou_client::{Client, InMemory};

use crate::{
    driver::{Window, until},
    person::{CONTROL, ENTER, RELEASE, named},
};

const DOWN: &str = "\u{E015}";
const UP: &str = "\u{E013}";

impl Window {
    async fn until_composed(&self, text: &str, marked: &[&str]) {
        let body = "return [document.querySelector('[data-testid=\"composer-input\"]').value,
            [...document.querySelectorAll('[data-testid=\"composer-marks\"] mark')].map((mark) => mark.textContent)]";
        until(&format!("{text:?} in the composer"), async || {
            (self.js(body, vec![]).await == json!([text, marked])).then_some(())
        })
        .await;
    }

    /// The open topic as its page reads it.
    async fn end_of(&self, topic: &str) -> Value {
        let app = self.ask("app_view", json!({})).await;
        let stretch = json!({"at": "end", "count": 20});
        self.ask(
            "timeline_view",
            json!({"account": app["accounts"][0]["key"], "topic": topic, "stretch": stretch}),
        )
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_picked_is_called_and_an_edit_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let window = Window::founded(&home).await;
    let link = window.invite().await;
    let mut people = Vec::new();
    for name in ["bob", "carol"] {
        let client = Client::open(folder.path().join(name), Arc::new(InMemory::default()))
            .await
            .unwrap();
        let account = client
            .register(&link, name, "小明", "battery staple 马")
            .await
            .unwrap();
        client.join_link(&account, &link).await.unwrap();
        people.push(client);
    }
    let input = named("composer-input");

    window.keys(&input, "@小").await;
    let both =
        "return [...document.querySelectorAll('[role=\"option\"]')].map((one) => one.textContent)";
    let shown = until("both of the name", async || {
        let shown = window.js(both, vec![]).await;
        (shown.as_array()?.len() == 2).then_some(shown)
    })
    .await;
    assert!(shown[0].to_string().contains("bob"), "{shown}");
    assert!(shown[1].to_string().contains("carol"), "{shown}");
    window.picture("two-of-one-name").await;
    window.keys(&input, &format!("{DOWN}{ENTER}")).await;
    window.until_composed("@小明 ", &["@小明"]).await;
    window.keys(&input, &format!("{CONTROL}z{RELEASE}")).await;
    window.until_composed("@小", &[]).await;
    window.keys(&input, &format!("{CONTROL}y{RELEASE}")).await;
    window.until_composed("@小明 ", &["@小明"]).await;
    window.keys(&input, &format!("helo{ENTER}")).await;
    window.until_composed("", &[]).await;

    let topic = window
        .js(
            "return document.querySelector('[data-topic]').dataset.topic",
            vec![],
        )
        .await;
    let topic = topic.as_str().unwrap();
    let carol = people[1].app_view().await.accounts[0].account_id.clone();
    let sent = until("the message is sent", async || {
        let view = window.end_of(topic).await;
        let row = view["rows"].as_array()?.last()?.clone();
        row["text"].as_str()?.contains("helo").then_some(row)
    })
    .await;
    assert_eq!(sent["text"], json!(format!("<@{carol}> helo")));

    window.keys(&input, UP).await;
    window.until_composed("@小明 helo", &["@小明"]).await;
    window.keys(&input, "!").await;
    until("the edit is stored", async || {
        let view = window.end_of(topic).await;
        let text = view["edits"][0]["text"].as_str()?.to_owned();
        text.ends_with("helo!").then_some(())
    })
    .await;
    window.kill().await;

    let window = Window::start(&home).await;
    window.find(&input).await;
    window.until_composed("@小明 helo!", &["@小明"]).await;
    window.keys(&input, ENTER).await;
    window.until_composed("", &[]).await;
    until("the edit is saved", async || {
        let view = window.end_of(topic).await;
        let row = view["rows"].as_array()?.last()?.clone();
        (row["text"] == json!(format!("<@{carol}> helo!"))).then_some(())
    })
    .await;
    window.close().await;
}

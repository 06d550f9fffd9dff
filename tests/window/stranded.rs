//! What was written for topics that go, in the real window: shown above the conversation, copied, discarded, and back in
//! its composer.

use serde_json::{Value, json};
use tulou_client::action::Action;

use crate::{
    driver::{Window, free_port, stage, until},
    host::Host,
    looks::{look, pictures},
    person::{CONTROL, RELEASE, named},
    standalone::Server,
};

const LONG: &str = "周六晚上的安排：八点集合，先打两把热身，九点正式开始。We lack a tank, so say if you can. 缺一个主坦，会的朋友请提前说一声，别到时候又临时换人。";

/// Writes into the open topic, and waits until it is kept.
async fn write(window: &Window, account: &str, topic: &str, text: &str) {
    window.open_topic(topic).await;
    window.keys(&named("composer-input"), text).await;
    until("the draft is kept", async || {
        let asked =
            json!({"account": account, "topic": topic, "stretch": {"at": "end", "count": 1}});
        let view = window.ask("timeline_view", asked).await;
        (view["draft"]["text"] == json!(text)).then_some(())
    })
    .await;
}

async fn composed(window: &Window) -> Value {
    let body = "return document.querySelector('[data-testid=\"composer-input\"]')?.value ?? null";
    window.js(body, vec![]).await
}

/// Waits until so many drafts are listed.
async fn lists(window: &Window, count: usize) {
    let body = format!(
        "return document.querySelectorAll('[data-testid=\"stranded-draft\"]').length === {count}"
    );
    window.until(&format!("{count} drafts"), &body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_for_a_topic_that_goes_is_copied_discarded_or_back_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let mut server = Server::start(&folder.path().join("data"), &address).await;
    let host = Host::new(folder.path(), &address).await;
    let mut topics = Vec::new();
    for (name, is_closed) in [("招募队友", false), ("编剧室", true), ("战术", false)] {
        let create = Action::CreateTopic {
            community: host.community.clone(),
            group: host.group.clone(),
            name: name.into(),
            introduction: String::new(),
            is_closed,
        };
        topics.push(host.act(create).await.unwrap());
    }
    let [recruiting, writers, tactics] = topics.try_into().unwrap();
    let window = Window::start(&folder.path().join("me")).await;
    window.join(&host.link, "夏至", "solstice").await;
    look(&window, "en", "light").await;
    window.topic_id("战术").await;
    let app = window.ask("app_view", json!({})).await;
    let account = app["accounts"][0]["key"].as_str().unwrap().to_owned();
    let member = app["accounts"][0]["accountId"].as_str().unwrap().to_owned();
    let seat = |on| Action::SetSeat {
        community: host.community.clone(),
        topic: writers.clone(),
        member: member.clone(),
        on,
    };
    let delete = |topic: &str| Action::DeleteTopic {
        community: host.community.clone(),
        topic: topic.to_owned(),
    };
    host.act(seat(true)).await;

    stage("written");
    write(&window, &account, &recruiting, LONG).await;
    window.topic_id("编剧室").await;
    write(&window, &account, &writers, "第三幕从雨夜开始").await;
    assert!(
        !window.has(&named("stranded")).await,
        "the composers show both"
    );

    stage("the topics go");
    host.act(delete(&recruiting)).await;
    lists(&window, 1).await;
    host.act(delete(&tactics)).await;
    host.act(seat(false)).await;
    lists(&window, 2).await;
    let left = format!("[data-topic-id=\"{}\"][aria-selected=\"true\"]", host.topic);
    window.find(&left).await;
    let send = json!({"type": "sendMessage", "topic": tactics, "text": LONG, "replyTo": null});
    let sent = json!({"account": account, "action": send});
    window.ask("submit", sent).await;
    window.find(&named("rejected-copy")).await;
    pictures(&window, "stranded").await;

    stage("copied");
    window.open_topic(&host.topic).await;
    let copy = format!("{}[aria-label*=\"招募队友\"]", named("stranded-copy"));
    window.click(&copy).await;
    window
        .until(
            "it is said",
            "return [...document.querySelectorAll('[data-testid=\"toast\"]')].some(one => one.textContent.includes('Copied'))",
        )
        .await;
    window
        .keys(&named("composer-input"), &format!("{CONTROL}v{RELEASE}"))
        .await;
    until("the whole text in another composer", async || {
        (composed(&window).await == json!(LONG)).then_some(())
    })
    .await;

    stage("the seat is given back");
    host.act(seat(true)).await;
    lists(&window, 1).await;
    window.open_topic(&writers).await;
    until("the draft in its composer", async || {
        (composed(&window).await == json!("第三幕从雨夜开始")).then_some(())
    })
    .await;

    stage("discarded");
    window.click(&named("stranded-discard")).await;
    window.click(&named("confirm-submit")).await;
    window.gone(&named("stranded")).await;
    window.click(&named("rejected-discard")).await;
    window.gone(&named("rejected")).await;
    window.close().await;
    host.client.shutdown().await;
    server.kill().await;
}

//! The order of topics and groups, dragged with the pointer in the real window and seen by somebody else.

use std::sync::Arc;

use serde_json::{Value, json};
use tulou_client::{Client, InMemory};

use crate::{
    driver::{Window, stage, until},
    looks::look,
    person::{ESCAPE, named},
};

/// Names of groups, each with the names of its topics.
type Order = Vec<(String, Vec<String>)>;

fn order(groups: &[(&str, &[&str])]) -> Order {
    let owned = |topics: &[&str]| topics.iter().map(|&topic| topic.to_owned()).collect();
    groups
        .iter()
        .map(|&(group, topics)| (group.to_owned(), owned(topics)))
        .collect()
}

/// The order of the tree that the window shows.
async fn shown(window: &Window) -> Order {
    let body = "return [...document.querySelectorAll('[data-testid=\"tree\"] [data-line]')]
        .map(line => [line, line.getBoundingClientRect().top]).sort((a, b) => a[1] - b[1])
        .map(([line]) => [line.dataset.line, line.querySelector('.cut').textContent])";
    let lines = window.js(body, vec![]).await;
    let mut order = Order::new();
    for line in lines.as_array().into_iter().flatten() {
        let name = line[1].as_str().unwrap_or_default().to_owned();
        if line[0] == "group" {
            order.push((name, Vec::new()));
        } else if let Some((_, topics)) = order.last_mut() {
            topics.push(name);
        }
    }
    order
}

/// Waits until both the window and the guest have this order.
async fn is_ordered(window: &Window, guest: &Client, account: &str, wanted: &[(&str, &[&str])]) {
    let wanted = order(wanted);
    let mut seen = (Order::new(), Order::new());
    let found = async || {
        let app = guest.app_view().await;
        let place = app.accounts.first()?.communities.first()?;
        let tree = guest.tree_view(account, &place.id).await.ok()?;
        let theirs = tree.groups.into_iter().map(|group| {
            let topics = group.topics.into_iter().map(|topic| topic.name);
            (group.name, topics.collect())
        });
        seen = (shown(window).await, theirs.collect());
        (seen.0 == wanted && seen.1 == wanted).then_some(())
    };
    until(&format!("the order {wanted:?} on both sides"), found).await;
}

/// The middle of a line of the tree, and its lower edge.
async fn line(window: &Window, name: &str) -> (f64, f64, f64) {
    let body = "const line = [...document.querySelectorAll('[data-testid=\"tree\"] [data-line]')]
            .find(one => one.querySelector('.cut').textContent === arguments[0]);
        const box = line?.getBoundingClientRect();
        return box ? [box.left + box.width / 3, box.top + box.height / 2, box.bottom] : null";
    until(&format!("the line {name}"), async || {
        let told = window.js(body, vec![json!(name)]).await;
        Some((told[0].as_f64()?, told[1].as_f64()?, told[2].as_f64()?))
    })
    .await
}

/// Takes a line and holds it over the lower edge of another one, or over the middle of a group's name.
async fn drag(window: &Window, name: &str, to: &str, is_group: bool) {
    let (x, y, _) = line(window, name).await;
    window.point(x, y).await;
    window.press().await;
    let (x, middle, bottom) = line(window, to).await;
    window
        .point(x, if is_group { middle } else { bottom })
        .await;
    window.find(&named("drop-mark")).await;
}

/// The name of the topic that is open.
async fn open(window: &Window) -> Value {
    let body = "return document.querySelector('[data-topic-id][aria-selected=\"true\"] .name')?.textContent ?? null";
    window.js(body, vec![]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dragged_stands_where_it_was_dropped_for_everybody() {
    let folder = tempfile::tempdir().unwrap();
    let window = Window::start(&folder.path().join("alice")).await;
    window.host("夏至", "solstice", "星海玩家社群").await;
    look(&window, "en", "light").await;
    for (group, topics) in [
        ("组队大厅", ["招募队友", "攻略分享", "闲聊灌水"].as_slice()),
        ("Lore", ["theories", "pictures"].as_slice()),
    ] {
        window.create_group(group).await;
        for topic in topics {
            window.create_topic(group, topic).await;
        }
    }
    let general = window.topic_id("general").await;
    window.open_topic(&general).await;
    let link = window.invite().await;
    let guest = Client::open(folder.path().join("bob"), Arc::new(InMemory::default()))
        .await
        .unwrap();
    let account = guest
        .register(&link, "bob", "Kestrel", "battery staple 马")
        .await
        .unwrap();
    guest.join_link(&account, &link).await.unwrap();
    let is = async |wanted: &[(&str, &[&str])]| is_ordered(&window, &guest, &account, wanted).await;
    is(&[
        ("Lobby", &["general"]),
        ("组队大厅", &["招募队友", "攻略分享", "闲聊灌水"]),
        ("Lore", &["theories", "pictures"]),
    ])
    .await;

    stage("within its group");
    drag(&window, "闲聊灌水", "组队大厅", false).await;
    window.picture("dragging-topic").await;
    window.release().await;
    window.gone(&named("drop-mark")).await;
    is(&[
        ("Lobby", &["general"]),
        ("组队大厅", &["闲聊灌水", "招募队友", "攻略分享"]),
        ("Lore", &["theories", "pictures"]),
    ])
    .await;

    stage("into another group");
    drag(&window, "招募队友", "theories", false).await;
    window.picture("dragging-to-another-group").await;
    window.release().await;
    is(&[
        ("Lobby", &["general"]),
        ("组队大厅", &["闲聊灌水", "攻略分享"]),
        ("Lore", &["theories", "招募队友", "pictures"]),
    ])
    .await;

    stage("a group over another");
    drag(&window, "Lore", "组队大厅", true).await;
    window.picture("dragging-group").await;
    window.release().await;
    let after = [
        ("Lobby", ["general"].as_slice()),
        ("Lore", ["theories", "招募队友", "pictures"].as_slice()),
        ("组队大厅", ["闲聊灌水", "攻略分享"].as_slice()),
    ];
    is(&after).await;

    stage("Escape");
    for (name, to, is_group) in [("pictures", "Lobby", false), ("组队大厅", "Lobby", true)] {
        drag(&window, name, to, is_group).await;
        window.strike(ESCAPE.chars().next().unwrap()).await;
        window.gone(&named("drop-mark")).await;
        let (x, y, _) = line(&window, to).await;
        window.point(x, y + 4.0).await;
        assert!(
            !window.has(&named("drop-mark")).await,
            "the pointer moves nothing any more"
        );
        window.release().await;
        is(&after).await;
    }
    assert_eq!(
        open(&window).await,
        json!("general"),
        "dragging opens nothing"
    );

    stage("dragging goes on");
    drag(&window, "theories", "general", false).await;
    window.release().await;
    // Whatever had been dropped before would show here: commands of a community are applied in their order.
    is(&[
        ("Lobby", &["general", "theories"]),
        ("Lore", &["招募队友", "pictures"]),
        ("组队大厅", &["闲聊灌水", "攻略分享"]),
    ])
    .await;
    assert_eq!(
        open(&window).await,
        json!("general"),
        "dragging opens nothing"
    );
    window.close().await;
    guest.shutdown().await;
}

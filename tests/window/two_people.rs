//! The whole path: host, invite, join, talk, kill, come back. A second person takes part without a window.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use tulou_client::{
    Client, InMemory,
    action::Action,
    view::{Delivery, Stretch},
};

use crate::{
    corpus,
    driver::{self, Window, until},
    person::{CONTROL, DELETE, ENTER, RELEASE, named},
    standalone::Server,
};

/// Topics by name: three groups, eight topics.
const HOUSE: [(&str, &[&str]); 2] = [
    ("组队大厅", &["招募队友", "攻略分享", "闲聊灌水"]),
    ("Lore", &["theories", "translations", "pictures", "links"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn two_people_talk_through_kills_and_nothing_is_lost_or_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("alice");
    let window = Window::start(&home).await;
    window.find(&named("first-start")).await;
    window.picture("first-start").await;

    driver::stage("host, community, topics");
    window.begin_to_host("夏至", "alice", "星海玩家社群").await;
    window.keep_codes().await;
    window.find(&named("invite-link")).await;
    window.picture("invite-of-a-new-community").await;
    window.leave_invite().await;
    for (group, topics) in HOUSE {
        window.create_group(group).await;
        for topic in topics {
            window.create_topic(group, topic).await;
        }
    }
    driver::stage("invite, join");
    let link = window.invite().await;

    let secrets = Arc::new(InMemory::default());
    let bob = Client::open(folder.path().join("bob"), secrets.clone())
        .await
        .unwrap();
    let account = bob
        .register(&link, "bob", "Kestrel", "battery staple 马")
        .await
        .unwrap();
    let place = bob.join_link(&account, &link).await.unwrap();
    let community = place.community.clone().unwrap();
    let topics = topics_of(&bob, &account, &community, 8).await;
    assert_eq!(topics.len(), 8, "Bob sees the eight topics that Alice made");

    driver::stage("400 lines");
    // Both write 200 lines, 25 into each topic, at the same time.
    let lines = corpus::lines(400);
    let (hers, his) = lines.split_at(200);
    let writing = tokio::spawn({
        let (bob, account, topics, his) =
            (bob.clone(), account.clone(), topics.clone(), his.to_vec());
        async move {
            for (n, line) in his.iter().enumerate() {
                send(&bob, &account, &topics[n % topics.len()], line, None).await;
            }
        }
    });
    for (topic, lines) in topics.iter().zip(hers.chunks(25)) {
        window.open_topic(topic).await;
        for line in lines {
            window.say(line).await;
        }
    }
    writing.await.unwrap();
    driver::stage("the same rows on both sides");
    equal_rows(&window, &bob, &account, &topics, 400).await;
    window.picture("full-en").await;

    driver::stage("edits, recalls, reactions, replies");
    // Edits, recalls, reactions and replies, from both sides.
    let topic = &topics[0];
    window.open_topic(topic).await;
    // What is recalled has just been written: a recall has two minutes, and a slow machine needs longer for the lines.
    window.say("recalled by Alice").await;
    send(&bob, &account, topic, "recalled by Bob", None).await;
    let rows = equal_rows(&window, &bob, &account, &topics, 402).await;
    let shown: Vec<Value> = rows[topic].clone();
    let mine = |mine: bool| -> Vec<String> {
        let found = shown
            .iter()
            .rev()
            .filter(|row| row["isMine"] == json!(mine));
        found
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let (alices, bobs) = (mine(true), mine(false));
    let is_fresh = |id: &String, text: &str| {
        shown
            .iter()
            .any(|row| row["id"] == json!(id) && row["text"].to_string().contains(text))
    };
    assert!(is_fresh(&alices[0], "recalled by Alice"), "her newest line");
    assert!(is_fresh(&bobs[0], "recalled by Bob"), "his newest line");
    window.on_message(&alices[1], "e").await;
    window.say(" (edited)").await;
    window
        .find(&format!(
            "[data-message-id=\"{}\"] [data-testid=\"edited\"]",
            alices[1]
        ))
        .await;
    window.on_message(&alices[0], DELETE).await;
    window.click(&named("confirm-submit")).await;
    window
        .find(&format!("[data-message-id=\"{}\"] .recalled", alices[0]))
        .await;
    window.on_message(&bobs[1], "r").await;
    window.say("我来！").await;
    window.on_message(&bobs[1], "+").await;
    window.click("[data-emoji=\"👍\"]").await;
    window
        .find(&format!(
            "[data-message-id=\"{}\"] [data-testid=\"reaction\"]",
            bobs[1]
        ))
        .await;
    let end = Stretch::End { count: 50 };
    let view = bob.timeline_view(&account, topic, end).await.unwrap();
    let before = view.rows.iter().find(|row| row.id == bobs[1]).unwrap();
    let edit = Action::EditMessage {
        topic: topic.clone(),
        message: bobs[1].clone(),
        from: before.text.clone(),
        text: "改一下时间：九点半".into(),
    };
    bob.submit(&account, edit).await.unwrap();
    let react = Action::React {
        topic: topic.clone(),
        message: alices[1].clone(),
        key: "🔥".into(),
        on: true,
    };
    bob.submit(&account, react).await.unwrap();
    let recall = Action::RecallMessage {
        topic: topic.clone(),
        message: bobs[0].clone(),
    };
    bob.submit(&account, recall).await.unwrap();
    send(&bob, &account, topic, "谢谢", Some(alices[1].clone())).await;
    equal_rows(&window, &bob, &account, &topics, 404).await;

    driver::stage("killed");
    // Killed: the app with the server in it. Bob goes on writing.
    window.kill().await;
    send(
        &bob,
        &account,
        topic,
        "written while the server was dead",
        None,
    )
    .await;

    // The same folder served by the program, killed with kill -9 as well.
    let address = address_of(&link);
    let mut server = Server::start(&home.join("server"), &address).await;
    waiting_is(&bob, &account, 0).await;
    server.kill().await;
    send(&bob, &account, topic, "and once more", None).await;

    driver::stage("started again");
    let window = Window::start(&home).await;
    window.find(&named("tree")).await;
    waiting_is(&bob, &account, 0).await;
    window.open_topic(topic).await;
    let rows = equal_rows(&window, &bob, &account, &topics, 406).await;
    for (topic, rows) in &rows {
        let seqs: Vec<u64> = rows.iter().filter_map(|row| row["seq"].as_u64()).collect();
        assert_eq!(
            seqs,
            (1..=rows.len() as u64).collect::<Vec<_>>(),
            "topic {topic} has each place once, in order"
        );
    }

    // Unread: Bob has read nothing, so what others wrote after his joining is unread, and his own lines are not.
    let tree = bob.tree_view(&account, &community).await.unwrap();
    for group in &tree.groups {
        let sum: u32 = group.topics.iter().map(|topic| topic.badge.unread).sum();
        assert_eq!(
            group.badge.unread, sum,
            "a group's number is the sum of what is shown under it"
        );
        for shown in &group.topics {
            let hers = rows[&shown.id]
                .iter()
                .filter(|row| row["isMine"] == json!(true))
                .count();
            assert_eq!(
                shown.badge.unread as usize, hers,
                "unread of {} are the lines that Alice wrote",
                shown.name
            );
        }
    }
    // A person reads by looking: the newest rows in view, the keyboard in the window.
    window.click(&named("composer-input")).await;
    window.to_newest().await;
    until("everything read in Alice's open topic", async || {
        // What lies between was not on the screen: it stays unread until she says otherwise.
        if window.has(&named("mark-read")).await {
            window.click(&named("mark-read")).await;
        }
        let tree = window
            .ask(
                "tree_view",
                json!({"account": alice_key(&window).await, "community": community}),
            )
            .await;
        let groups = tree["groups"].as_array()?.clone();
        let topics = groups
            .iter()
            .flat_map(|group| group["topics"].as_array().cloned().unwrap_or_default());
        let open = topics
            .into_iter()
            .find(|shown| shown["id"] == json!(topic))?;
        (open["badge"]["unread"] == json!(0)).then_some(())
    })
    .await;
    window.picture("after-the-kills").await;

    // Everything by keyboard: the switcher opens another topic.
    window
        .keys(&named("composer-input"), &format!("{CONTROL}k{RELEASE}"))
        .await;
    window
        .keys(&named("switcher-input"), &format!("theories{ENTER}"))
        .await;
    let theories = window.topic_id("theories").await;
    window
        .find(&format!(
            "[data-topic-id=\"{theories}\"][aria-selected=\"true\"]"
        ))
        .await;

    window.close().await;
    bob.shutdown().await;
}

/// The topics of the community in the order of the tree, once there are `count`.
async fn topics_of(client: &Client, account: &str, community: &str, count: usize) -> Vec<String> {
    until("the topics in Bob's tree", async || {
        let tree = client.tree_view(account, community).await.ok()?;
        let topics: Vec<String> = tree
            .groups
            .iter()
            .flat_map(|group| &group.topics)
            .map(|topic| topic.id.clone())
            .collect();
        (topics.len() == count).then_some(topics)
    })
    .await
}

async fn send(client: &Client, account: &str, topic: &str, text: &str, reply_to: Option<String>) {
    let action = Action::SendMessage {
        topic: topic.to_owned(),
        text: text.to_owned(),
        reply_to,
    };
    client.submit(account, action).await.unwrap();
}

async fn alice_key(window: &Window) -> String {
    let app = window.ask("app_view", json!({})).await;
    app["accounts"][0]["key"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

async fn waiting_is(client: &Client, account: &str, count: u32) {
    let mut seen = String::new();
    until("the outbox", async || {
        let app = client.app_view().await;
        let mine = app.accounts.into_iter().find(|one| one.key == account)?;
        let state = format!(
            "{:?}, {} waiting, {:?}",
            mine.connection, mine.waiting, mine.rejected
        );
        if state != seen {
            driver::stage(&state);
            seen = state;
        }
        (mine.waiting == count && mine.rejected.is_empty()).then_some(())
    })
    .await;
}

/// Waits until both sides hold the same rows, `count` in all, and returns them by topic as the window has them.
async fn equal_rows(
    window: &Window,
    bob: &Client,
    account: &str,
    topics: &[String],
    count: usize,
) -> BTreeMap<String, Vec<Value>> {
    let alice = alice_key(window).await;
    let looks = bob.viewer();
    let mut all = BTreeMap::new();
    for topic in topics {
        looks.enter_topic(account, topic).await.unwrap();
        let rows = until(
            &format!("the same rows of {topic} on both sides"),
            async || {
                let stretch = json!({"at": "range", "from": 1, "to": null});
                let hers = window
                    .ask(
                        "timeline_view",
                        json!({"account": alice, "topic": topic, "stretch": stretch}),
                    )
                    .await;
                let his = bob
                    .timeline_view(account, topic, Stretch::Range { from: 1, to: None })
                    .await
                    .ok()?;
                let is_settled = his.pending.is_empty()
                    && hers["pending"].as_array()?.is_empty()
                    && !his.has_after;
                let his: Vec<Value> = his
                    .rows
                    .iter()
                    .inspect(|row| assert_eq!(row.delivery, Delivery::Sent, "a row is sent"))
                    .map(|row| serde_json::to_value(row).unwrap_or_default())
                    .collect();
                let hers = hers["rows"].as_array()?.clone();
                let told =
                    |rows: &[Value]| -> Vec<Value> { rows.iter().map(what_both_see).collect() };
                (is_settled && !hers.is_empty() && told(&hers) == told(&his)).then_some(hers)
            },
        )
        .await;
        looks.leave_topic(account, topic).unwrap();
        all.insert(topic.clone(), rows);
    }
    let sum: usize = all.values().map(Vec::len).sum();
    assert_eq!(sum, count, "each line is there once");
    all
}

/// A row without what depends on who looks.
fn what_both_see(row: &Value) -> Value {
    let reactions: Vec<Value> = row["reactions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| json!([one["key"], one["count"]]))
        .collect();
    json!({
        "id": row["id"], "seq": row["seq"], "author": row["author"]["id"], "sentAt": row["sentAt"], "text": row["text"],
        "reply": row["reply"]["id"], "edited": row["isEdited"], "recalled": row["recalled"], "reactions": reactions,
    })
}

fn address_of(link: &str) -> String {
    let link = tulou_protocol::invite::InviteLink::parse(link).unwrap();
    let address = link
        .addresses
        .iter()
        .find(|address| address.starts_with("ws://127.0.0.1"))
        .unwrap();
    address.trim_start_matches("ws://").to_owned()
}

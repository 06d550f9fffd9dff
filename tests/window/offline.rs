//! Written while offline: commands of every queued kind, the app killed, started, the network back.

use std::sync::Arc;

use serde_json::{Value, json};
use tulou_client::{
    Client, InMemory,
    action::Action,
    view::{AccessPlace, Stretch},
};

use crate::{
    driver::{Window, free_port, until},
    person::named,
    standalone::Server,
};

#[tokio::test(flavor = "multi_thread")]
async fn thirty_commands_written_offline_survive_a_kill_and_are_applied_in_order_or_rejected_visibly()
 {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let data = folder.path().join("data");
    let mut server = Server::start(&data, &address).await;

    // Bob owns a community; Alice, in the window, has one of her own on the same server and is a guest in his.
    let bob = Client::open(folder.path().join("bob"), Arc::new(InMemory::default()))
        .await
        .unwrap();
    let his = bob
        .register(&address, "bob", "Kestrel", "battery staple 马")
        .await
        .unwrap();
    let create = Action::CreateCommunity {
        name: "Bobs".into(),
        group: "G".into(),
        topic: "guests".into(),
    };
    let bobs = bob.submit(&his, create).await.unwrap().unwrap();
    let link = until("an invite link", async || {
        bob.create_invite(&his, &bobs, None, None).await.ok()
    })
    .await
    .link;

    let home = folder.path().join("alice");
    let window = Window::start(&home).await;
    window.join(&link, "夏至", "alice").await;
    window.find(&named("tree")).await;
    let guests = window.topic_id("guests").await;
    window.open_topic(&guests).await;
    window.say("hello, Bob").await;
    let account = window.ask("app_view", json!({})).await["accounts"][0]["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let submit = async |window: &Window, action: Value| -> String {
        let told = window
            .ask("submit", json!({"account": account, "action": action}))
            .await;
        assert!(told["error"].is_null(), "{action} is taken: {told}");
        told["created"].as_str().unwrap_or_default().to_owned()
    };
    let own = submit(
        &window,
        json!({"type": "createCommunity", "name": "Alices", "group": "First", "topic": "one"}),
    )
    .await;
    let first = until("Alice's first line acknowledged", async || {
        let rows = rows_of(&window, &account, &guests).await;
        rows.iter()
            .find(|row| row["delivery"]["state"] == "sent")
            .map(|row| row["id"].as_str().unwrap_or_default().to_owned())
    })
    .await;
    until("nothing waiting", async || {
        (waiting(&window).await == 0).then_some(())
    })
    .await;

    server.kill().await;
    until("the window notices", async || {
        let app = window.ask("app_view", json!({})).await;
        matches!(
            app["accounts"][0]["connection"]["state"].as_str(),
            Some("offline" | "connecting")
        )
        .then_some(())
    })
    .await;

    // Thirty and more, each kind that is queued.
    let tree = window
        .ask("tree_view", json!({"account": account, "community": own}))
        .await;
    let group = tree["groups"][0]["id"].as_str().unwrap().to_owned();
    let one = tree["groups"][0]["topics"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    submit(&window, json!({"type": "editCommunity", "community": own, "name": "Alices Haus", "introduction": "家"})).await;
    submit(
        &window,
        json!({"type": "editGroup", "community": own, "group": group, "name": "Erste"}),
    )
    .await;
    let second = submit(
        &window,
        json!({"type": "createGroup", "community": own, "name": "Zweite"}),
    )
    .await;
    submit(
        &window,
        json!({"type": "moveGroup", "community": own, "group": second, "after": null}),
    )
    .await;
    let two = submit(&window, json!({"type": "createTopic", "community": own, "group": second, "name": "two", "introduction": "", "isClosed": false})).await;
    let three = submit(&window, json!({"type": "createTopic", "community": own, "group": second, "name": "three", "introduction": "", "isClosed": true})).await;
    submit(&window, json!({"type": "editTopic", "community": own, "topic": two, "name": "zwei", "introduction": "neu"})).await;
    submit(
        &window,
        json!({"type": "moveTopic", "community": own, "topic": one, "group": second, "after": two}),
    )
    .await;
    let helpers = submit(
        &window,
        json!({"type": "createMemberGroup", "community": own, "name": "Helfer", "isShown": true, "hasTag": true}),
    )
    .await;
    let regulars = submit(
        &window,
        json!({"type": "createMemberGroup", "community": own, "name": "Stamm", "isShown": false, "hasTag": false}),
    )
    .await;
    submit(&window, json!({"type": "editMemberGroup", "community": own, "memberGroup": helpers, "name": "Helferinnen", "isShown": null, "hasTag": null})).await;
    submit(&window, json!({"type": "moveMemberGroup", "community": own, "memberGroup": regulars, "below": null})).await;
    let place = json!({"level": "topic", "id": two});
    submit(&window, json!({"type": "setAccess", "community": own, "place": place, "memberGroup": helpers, "permission": "pin", "value": true})).await;
    submit(&window, json!({"type": "setAccess", "community": own, "place": {"level": "community"}, "memberGroup": "everyone", "permission": "react", "value": false})).await;
    submit(
        &window,
        json!({"type": "editProfile", "displayName": "夏至 ☀"}),
    )
    .await;
    let mut sent = Vec::new();
    for n in 0..9 {
        sent.push(submit(&window, json!({"type": "sendMessage", "topic": one, "text": format!("line {n}"), "replyTo": null})).await);
    }
    let answer = submit(
        &window,
        json!({"type": "sendMessage", "topic": one, "text": "an answer", "replyTo": sent[0]}),
    )
    .await;
    submit(&window, json!({"type": "editMessage", "topic": one, "message": sent[1], "from": "line 1", "text": "line 1, changed while it waited"})).await;
    submit(
        &window,
        json!({"type": "recallMessage", "topic": one, "message": sent[2]}),
    )
    .await;
    submit(
        &window,
        json!({"type": "react", "topic": one, "message": sent[0], "key": "🔥", "on": true}),
    )
    .await;
    submit(
        &window,
        json!({"type": "pin", "topic": one, "message": sent[0], "on": true}),
    )
    .await;
    submit(&window, json!({"type": "sendMessage", "topic": two, "text": "in a topic made offline", "replyTo": null})).await;
    submit(
        &window,
        json!({"type": "sendMessage", "topic": three, "text": "in a closed one", "replyTo": null}),
    )
    .await;
    submit(&window, json!({"type": "advance", "topic": one, "seq": 1})).await;
    submit(
        &window,
        json!({"type": "markUnread", "topic": guests, "seq": 1}),
    )
    .await;
    let guests_place = json!({"at": "topic", "community": bobs, "topic": guests});
    submit(
        &window,
        json!({"type": "setLevel", "place": guests_place, "level": "nothing", "until": null}),
    )
    .await;
    submit(&window, json!({"type": "editMessage", "topic": guests, "message": first, "from": "hello, Bob", "text": "hello again, Bob"})).await;
    submit(
        &window,
        json!({"type": "react", "topic": guests, "message": first, "key": "👋", "on": true}),
    )
    .await;
    let unwelcome = submit(&window, json!({"type": "sendMessage", "topic": guests, "text": "will not be allowed", "replyTo": null})).await;
    let count = waiting(&window).await;
    assert!(
        count >= 30,
        "those that were not merged into pending ones wait: {count}"
    );
    window.picture("offline-pending").await;
    let before = window
        .ask("tree_view", json!({"account": account, "community": own}))
        .await;
    assert_eq!(
        before["name"], "Alices Haus",
        "what was done offline is seen at once"
    );
    window.kill().await;

    // The network comes back while Alice is away, and Bob takes the right to speak.
    let mut server = Server::start(&data, &address).await;
    let mute = Action::SetAccess {
        community: bobs.clone(),
        place: AccessPlace::Topic { id: guests.clone() },
        member_group: "everyone".into(),
        permission: "speak".into(),
        value: Some(false),
    };
    bob.submit(&his, mute).await.unwrap();
    until("Bob's change acknowledged", async || {
        let app = bob.app_view().await;
        (app.accounts[0].waiting == 0).then_some(())
    })
    .await;

    let window = Window::start(&home).await;
    window.find(&named("tree")).await;
    until("the outbox to drain", async || {
        (waiting(&window).await == 0).then_some(())
    })
    .await;

    // Applied, in order.
    let tree = window
        .ask("tree_view", json!({"account": account, "community": own}))
        .await;
    assert_eq!(tree["name"], "Alices Haus");
    let names: Vec<&str> = tree["groups"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|group| group["name"].as_str())
        .collect();
    assert_eq!(names, ["Zweite", "Erste"], "made, then moved to the front");
    let topics: Vec<&str> = tree["groups"][0]["topics"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|topic| topic["name"].as_str())
        .collect();
    assert_eq!(
        topics,
        ["zwei", "one", "three"],
        "renamed, and one moved behind it"
    );
    assert_eq!(tree["isPending"], false, "the server has all of it");
    let rows = until("the rows of the topic", async || {
        let rows = rows_of(&window, &account, &one).await;
        rows.iter()
            .all(|row| row["delivery"]["state"] == "sent")
            .then_some(rows)
    })
    .await;
    let texts: Vec<&str> = rows.iter().filter_map(|row| row["text"].as_str()).collect();
    let mut expected: Vec<String> = (0..9).map(|n| format!("line {n}")).collect();
    expected[1] = "line 1, changed while it waited".to_owned();
    expected.remove(2);
    expected.push("an answer".to_owned());
    assert_eq!(
        texts, expected,
        "in order, once, the discarded one never sent"
    );
    assert_eq!(rows[8]["id"], json!(answer));
    assert_eq!(
        rows[8]["reply"]["id"],
        json!(sent[0]),
        "the answer stands under what it answers"
    );
    assert_eq!(rows[0]["reactions"][0]["key"], "🔥");
    assert_eq!(rows[0]["isPinned"], true);

    let level = window
        .ask(
            "level_view",
            json!({"account": account, "place": guests_place}),
        )
        .await;
    assert_eq!(
        (&level["holds"], &level["decidedBy"]["by"]),
        (&json!("nothing"), &json!("topic")),
        "the level that was set offline holds"
    );

    // Rejected, where it happened.
    window.click("[data-testid^=\"tile-\"]").await;
    let guests_rows = until("the rejection in the timeline", async || {
        let view = timeline(&window, &account, &guests).await;
        let pending = view["pending"].as_array()?.clone();
        let failed = pending.iter().find(|row| row["id"] == json!(unwelcome))?;
        (failed["delivery"]["state"] == "failed").then_some(view)
    })
    .await;
    let failed = guests_rows["pending"].as_array().unwrap();
    assert_eq!(
        failed[0]["delivery"]["rejection"]["code"], "not_allowed",
        "with what was missing"
    );
    assert_eq!(failed[0]["delivery"]["rejection"]["permission"], "speak");
    let row = &guests_rows["rows"].as_array().unwrap()[0];
    assert_eq!(
        row["refused"]["rejection"]["code"], "not_allowed",
        "the edit is refused beside its message"
    );
    window
        .click(&format!("[data-testid=\"tile-{bobs}\"]"))
        .await;
    window.open_shown_topic(&guests).await;
    window.find(&named("message-failed")).await;
    window.picture("rejection").await;

    // Bob sees what was applied and nothing of what was not.
    let bob_looks = bob.viewer();
    bob_looks.enter_topic(&his, &guests).await.unwrap();
    until("Bob's view of the guests", async || {
        let view = bob
            .timeline_view(&his, &guests, Stretch::End { count: 50 })
            .await
            .ok()?;
        (view.rows.len() == 1
            && view.rows[0].text == "hello, Bob"
            && view.rows[0].reactions.len() == 1)
            .then_some(())
    })
    .await;
    window.close().await;
    bob.shutdown().await;
    server.kill().await;
}

async fn timeline(window: &Window, account: &str, topic: &str) -> Value {
    let stretch = json!({"at": "range", "from": 1, "to": null});
    window
        .ask(
            "timeline_view",
            json!({"account": account, "topic": topic, "stretch": stretch}),
        )
        .await
}

async fn rows_of(window: &Window, account: &str, topic: &str) -> Vec<Value> {
    timeline(window, account, topic).await["rows"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

async fn waiting(window: &Window) -> u64 {
    window.ask("app_view", json!({})).await["accounts"][0]["waiting"]
        .as_u64()
        .unwrap_or(u64::MAX)
}

//! Rights: what a member may see and do, also when it changes under him.

use serde_json::json;
use tulou_protocol::Permissions;

use crate::link::{Guest, alice_and_bob, host, id, send};

#[tokio::test]
async fn a_closed_topic_is_locked_for_those_without_a_seat() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    let group = alice.group_of(&community).await;
    let closed = id();
    alice
        .command(
            "topic.create",
            json!({"community": community, "group": group, "topic": closed, "name": "密室", "closed": true, "position": "90"}),
        )
        .await
        .unwrap();
    alice.say(&closed, "secret").await;

    let tree = bob.sync_community(&community).await;
    let locked = tree["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["id"] == closed)
        .unwrap();
    assert_eq!(locked["kind"], "locked_topic", "{locked}");
    for (method, params) in [(
        "topic.page",
        json!({"topic": closed, "at": "end", "limit": 5}),
    )] {
        let refused = bob.ask(method, params).await.unwrap_err();
        assert_eq!(refused["code"], "not_found");
    }
    let refused = bob
        .command("message.send", send(&closed, "hello"))
        .await
        .unwrap_err();
    assert_eq!(refused["decided_by"]["by"], "no_seat", "{refused}");
    let synced = bob
        .ask(
            "log.sync",
            json!({"logs": [{"log": format!("topic/{closed}"), "since": 0}]}),
        )
        .await
        .unwrap();
    assert_eq!(synced["logs"][0]["outcome"], "gone");
    let heads = bob
        .ask(
            "community.heads",
            json!({"community": community, "since": 0}),
        )
        .await
        .unwrap();
    assert_eq!(
        heads["topics"].as_array().unwrap().len(),
        1,
        "only {topic} is among them: {heads}"
    );

    alice
        .command(
            "seat.set",
            json!({"community": community, "topic": closed, "account": bob.account, "on": true}),
        )
        .await
        .unwrap();
    bob.pushed("stale", |stale| {
        stale["log"] == format!("community/{community}")
    })
    .await;
    let watched = bob.watch(&[&closed]).await;
    assert_eq!(watched["topics"].as_array().unwrap().len(), 1);
    let page = bob.page(&closed).await;
    assert_eq!(
        page["rows"].as_array().unwrap().len(),
        1,
        "he may read history: {page}"
    );

    alice
        .command(
            "seat.set",
            json!({"community": community, "topic": closed, "account": bob.account, "on": false}),
        )
        .await
        .unwrap();
    alice.say(&closed, "after").await;
    alice.say(&topic, "open").await;
    bob.ask("session.watch", json!({"topics": [topic, closed]}))
        .await
        .unwrap();
    assert!(
        bob.seen
            .iter()
            .all(|frame| !frame.to_string().contains("after")),
        "the watch ended before anything later went out"
    );
    place.stop().await;
}

#[tokio::test]
async fn without_history_only_what_came_after_joining_is_read() {
    let place = host(|_| {}).await;
    let (mut alice, bob, community, topic) = alice_and_bob(&place).await;
    drop(bob);
    let before = alice.say(&topic, "before").await;
    let before = before["pushes"][0]["rows"][0]["id"].clone();
    let usual = Permissions::NEW_COMMUNITY.bits();
    let less = (Permissions::NEW_COMMUNITY - Permissions::READ_HISTORY).bits();
    alice
        .command(
            "access.set",
            json!({"community": community, "place": "community", "allow": {"from": usual, "to": less}, "deny": {"from": 0, "to": 0}}),
        )
        .await
        .unwrap();
    let code = alice.invite(&community).await;
    let mut carol = Guest::register(&place, "carol", Some(&code)).await;
    // Times are in whole milliseconds: what was sent in the one in which she joins would be hers to read.
    place.next_millisecond().await;
    carol.join(&community, &code).await;
    let used = carol
        .command(
            "community.join",
            json!({"community": community, "invite": code}),
        )
        .await
        .unwrap_err();
    assert_eq!(used["code"], "already");
    carol.watch(&[&topic]).await;
    alice.say(&topic, "after").await;
    let page = carol.page(&topic).await;
    assert_eq!(page["floor"], 2, "{page}");
    assert_eq!(page["rows"].as_array().unwrap().len(), 1);
    assert_eq!(page["rows"][0]["text"], "after");
    alice
        .command(
            "message.edit",
            json!({"topic": topic, "message": before, "text": {"from": "before", "to": "long before"}}),
        )
        .await
        .unwrap();
    let push = carol
        .pushed("push", |push| {
            push["rev"] == 3 && push["log"] == format!("topic/{topic}")
        })
        .await;
    assert_eq!(
        push["rows"].as_array().unwrap().len(),
        0,
        "the rev moves, the row stays hidden: {push}"
    );
    let synced = carol
        .ask(
            "log.sync",
            json!({"logs": [{"log": format!("topic/{topic}"), "since": 1, "ranges": [{"from": 1, "to": 1, "rev": 1}]}]}),
        )
        .await
        .unwrap();
    let text = synced.to_string();
    assert!(!text.contains("before"), "nor by sync: {text}");
    place.stop().await;
}

#[tokio::test]
async fn a_kicked_member_loses_everything() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    bob.watch(&[&topic]).await;
    let refused = bob
        .command(
            "member.kick",
            json!({"community": community, "account": alice.account}),
        )
        .await
        .unwrap_err();
    assert_eq!(refused["code"], "not_allowed");
    alice
        .command(
            "member.kick",
            json!({"community": community, "account": bob.account}),
        )
        .await
        .unwrap();
    let own = format!("account/{}", bob.account);
    let gone = bob.pushed("push", |push| push["log"] == own).await;
    assert_eq!(gone["rows"][0]["kind"], "membership");
    assert_eq!(gone["rows"][0]["deleted"], true);
    alice.say(&topic, "hidden").await;
    let synced = bob
        .ask(
            "log.sync",
            json!({"logs": [{"log": format!("community/{community}"), "since": 1}, {"log": format!("topic/{topic}"), "since": 0}]}),
        )
        .await
        .unwrap();
    assert_eq!(synced["logs"][0]["outcome"], "gone");
    assert_eq!(synced["logs"][1]["outcome"], "gone");
    assert!(
        bob.seen
            .iter()
            .all(|frame| !frame.to_string().contains("hidden")),
        "no row reached him"
    );
    let refused = bob
        .command("message.send", send(&topic, "still here"))
        .await
        .unwrap_err();
    assert_eq!(refused["code"], "not_a_member");
    place.stop().await;
}

#[tokio::test]
async fn rights_that_change_meanwhile_decide() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    bob.watch(&[&topic]).await;
    // A member group that hides the topic from whoever is in it.
    let hidden = id();
    alice
        .command(
            "member_group.create",
            json!({"community": community, "member_group": hidden, "name": "墙外", "rank": "50"}),
        )
        .await
        .unwrap();
    alice
        .command(
            "access.set",
            json!({"community": community, "place": format!("topic/{topic}"), "member_group": hidden, "allow": {"from": 0, "to": 0}, "deny": {"from": 0, "to": 1}}),
        )
        .await
        .unwrap();
    let group = bob
        .pushed("push", |push| push["rows"][0]["kind"] == "access")
        .await;
    assert_eq!(
        group["log"],
        format!("community/{community}"),
        "rows of the structure are pushed"
    );
    let before = bob.sync_community(&community).await;
    alice
        .command(
            "member_group.assign",
            json!({"community": community, "member_group": hidden, "account": bob.account, "on": true}),
        )
        .await
        .unwrap();
    bob.pushed("stale", |_| true).await;
    alice.say(&topic, "beyond").await;
    let synced = bob
        .ask(
            "log.sync",
            json!({"logs": [{"log": format!("community/{community}"), "since": before["rev"], "view": before["view"]}]}),
        )
        .await
        .unwrap();
    let after = &synced["logs"][0];
    assert_eq!(after["outcome"], "reset", "what he sees has changed");
    assert_eq!(after["me"]["member_groups"], json!([hidden]));
    assert!(
        after["rows"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["id"] != topic),
        "the topic is not in it"
    );
    assert!(
        bob.seen
            .iter()
            .all(|frame| !frame.to_string().contains("beyond")),
        "nor anything of it"
    );
    // Deleting the member group brings everything back.
    alice
        .command(
            "member_group.delete",
            json!({"community": community, "member_group": hidden}),
        )
        .await
        .unwrap();
    bob.pushed("stale", |_| true).await;
    let page = bob.page(&topic).await;
    assert_eq!(page["rows"][0]["text"], "beyond");
    place.stop().await;
}

#[tokio::test]
async fn a_dissolved_community_is_gone_for_everybody() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, topic) = alice_and_bob(&place).await;
    let refused = bob
        .command("community.dissolve", json!({"community": community}))
        .await
        .unwrap_err();
    assert_eq!(refused["code"], "not_owner");
    alice
        .command("community.dissolve", json!({"community": community}))
        .await
        .unwrap();
    bob.pushed("push", |push| {
        push["rows"][0]["kind"] == "membership" && push["rows"][0]["deleted"] == true
    })
    .await;
    for guest in [&mut alice, &mut bob] {
        let synced = guest
            .ask(
                "log.sync",
                json!({"logs": [{"log": format!("community/{community}"), "since": 1}, {"log": format!("topic/{topic}"), "since": 1}]}),
            )
            .await
            .unwrap();
        assert_eq!(synced["logs"][0]["outcome"], "gone");
        assert_eq!(synced["logs"][1]["outcome"], "gone");
    }
    let again = alice
        .command(
            "community.create",
            json!({"community": community, "name": "x", "group": id(), "group_name": "x", "topic": id(), "topic_name": "x"}),
        )
        .await
        .unwrap_err();
    assert_eq!(again["code"], "id_taken", "ids are not used twice");
    place.stop().await;
}

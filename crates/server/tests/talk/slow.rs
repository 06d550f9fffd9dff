//! Sessions that read slowly, or not at all, and many that have to be told the same.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::link::{Guest, alice_and_bob, host, id};

/// So much may be in the buffers of both systems.
const LARGE: usize = 12_000;

#[tokio::test]
async fn a_slow_reader_is_told_what_is_stale_and_misses_nothing() {
    let place = host(|config| config.queue_bytes = 64 * 1_024).await;
    let (mut alice, bob, _, topic) = alice_and_bob(&place).await;
    let (token, account) = (bob.token.clone(), bob.account.clone());
    drop(bob);
    let mut slow = Guest::connect_narrow(&place, &token, &account).await;
    slow.watch(&[&topic]).await;
    // It reads nothing while more is said than is kept for it.
    let text = "长".repeat(LARGE / 3);
    let many = 800_u64;
    for _ in 0..many {
        alice.say(&topic, &text).await;
    }
    let log = format!("topic/{topic}");
    let stale = slow.pushed("stale", |stale| stale["log"] == log).await;
    let last = stale["rev"].as_u64().unwrap();
    let mut at = 0;
    for frame in &slow.seen {
        if frame["method"] == "push" && frame["params"]["log"] == log {
            at = frame["params"]["rev"].as_u64().unwrap();
        }
    }
    assert!(at < last, "rows up to {at} came, then a note");
    let synced = slow
        .sync(json!({"log": log, "since": at, "ranges": [{"from": 1, "to": at, "rev": at}]}))
        .await;
    assert_eq!(synced["head_seq"], many, "what is missing is asked for");
    place.stop().await;
}

#[tokio::test]
async fn a_reader_that_is_stuck_is_cut_off_after_its_time() {
    let place = host(|config| config.stuck_ms = 500).await;
    let (mut alice, bob, community, topic) = alice_and_bob(&place).await;
    let (token, account) = (bob.token.clone(), bob.account.clone());
    drop(bob);
    let mut stuck = Guest::connect_narrow(&place, &token, &account).await;
    stuck.watch(&[&topic]).await;
    let text = "长".repeat(LARGE / 3);
    let begun = Instant::now();
    let is_online = json!({"community": community, "accounts": [account], "limit": 1});
    loop {
        alice.say(&topic, &text).await;
        let listed = alice.ask("member.list", is_online.clone()).await.unwrap();
        if listed["sections"][0]["members"][0]["online"] == false {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it is cut off");
    }
    assert!(
        begun.elapsed() >= Duration::from_millis(500),
        "not before its time"
    );
    place.stop().await;
}

#[tokio::test]
async fn a_client_that_gives_no_sign_of_life_is_gone() {
    let place = host(|config| config.heartbeat_ms = 700).await;
    let (mut alice, bob, community, _) = alice_and_bob(&place).await;
    // Its socket stays open, and nobody reads from it or answers.
    let is_online = json!({"community": community, "accounts": [bob.account], "limit": 1});
    let begun = Instant::now();
    loop {
        let listed = alice.ask("member.list", is_online.clone()).await.unwrap();
        if listed["sections"][0]["members"][0]["online"] == false {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it is noticed");
        alice.pushed("heartbeat", |_| true).await;
    }
    assert!(
        begun.elapsed() >= Duration::from_millis(1_400),
        "it had its time"
    );
    drop(bob);
    place.stop().await;
}

#[tokio::test]
async fn changed_rights_are_told_to_many_in_turns_and_only_to_those_whose_view_changed() {
    const SESSIONS: usize = 60;
    const OVER: Duration = Duration::from_secs(2);
    let place = host(|config| config.stale_ms = 2_000).await;
    let (mut alice, bob, community, topic) = alice_and_bob(&place).await;
    let code = alice.invite(&community).await;
    let mut carol = Guest::register(&place, "carol", Some(&code)).await;
    carol.join(&community, &code).await;
    let group = id();
    let made = json!({"community": community, "member_group": group, "name": "墙外", "rank": "50"});
    alice.command("member_group.create", made).await.unwrap();
    let put =
        json!({"community": community, "member_group": group, "account": bob.account, "on": true});
    alice.command("member_group.assign", put).await.unwrap();
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        sessions.push(Guest::connect(&place, &bob.token, &bob.account).await);
    }
    let log = format!("community/{community}");
    let begun = Instant::now();
    let hide = json!({"community": community, "place": format!("topic/{topic}"), "member_group": group, "allow": {"from": 0, "to": 0}, "deny": {"from": 0, "to": 1}});
    alice.command("access.set", hide).await.unwrap();
    // Its rows come after the note that the view changed, or are covered by it.
    let renamed = json!({"community": community, "name": {"from": "土楼", "to": "大土楼"}});
    let answer = alice.command("community.edit", renamed).await.unwrap();
    let head = answer["pushes"][0]["rev"].as_u64().unwrap();
    let mut told = Vec::new();
    let mut tasks = tokio::task::JoinSet::new();
    for mut session in sessions {
        let log = log.clone();
        tasks.spawn(async move {
            let stale = session.pushed("stale", |stale| stale["log"] == log).await;
            let early = session
                .seen
                .iter()
                .filter(|frame| frame["method"] == "push" && frame["params"]["log"] == log)
                .count();
            (begun.elapsed(), stale["rev"].as_u64().unwrap(), early)
        });
    }
    while let Some(done) = tasks.join_next().await {
        told.push(done.unwrap());
    }
    let late: Vec<_> = told
        .iter()
        .filter(|(after, ..)| *after > OVER / 4)
        .collect();
    assert!(
        late.len() > SESSIONS / 3,
        "they do not ask all at once: {told:?}"
    );
    for (_, rev, early) in &late {
        assert_eq!(*rev, head, "told later, it covers what came meanwhile");
        assert_eq!(*early, 0, "no row of a view that it has not came before");
    }
    let push = carol
        .pushed("push", |push| push["rev"] == head && push["log"] == log)
        .await;
    assert_eq!(push["rows"][0]["name"], "大土楼");
    assert!(
        carol.seen.iter().all(|frame| frame["method"] != "stale"
            || frame["params"]["log"] != log
            || frame["params"]["rev"].as_u64() < Some(head - 1)),
        "what she sees did not change"
    );
    place.stop().await;
}

#[tokio::test]
async fn a_link_on_which_no_session_is_opened_is_closed() {
    let place = host(|config| config.open_ms = 3_000).await;
    let (mut alice, _bob, _, topic) = alice_and_bob(&place).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        let stream = tokio::net::TcpStream::connect(place.address());
        silent.push(Guest::stranger(stream.await.unwrap()).await);
    }
    alice.say(&topic, "nobody waits for them").await;
    for guest in silent {
        guest.closed().await;
    }
    alice.say(&topic, "they are gone").await;
    place.stop().await;
}

#[tokio::test]
async fn who_is_signed_out_while_he_takes_nothing_is_gone_at_once() {
    let place = host(|_| {}).await;
    let (mut alice, bob, community, topic) = alice_and_bob(&place).await;
    let (token, account) = (bob.token.clone(), bob.account.clone());
    drop(bob);
    let slow = Guest::connect_narrow(&place, &token, &account).await;
    let mut slow = slow;
    slow.watch(&[&topic]).await;
    let text = "长".repeat(LARGE / 3);
    for _ in 0..400 {
        alice.say(&topic, &text).await;
    }
    let header = format!("Authorization: Bearer {token}\r\n");
    let (status, _) = place
        .http("DELETE", "/v1/sessions/current", &header, "")
        .await;
    assert_eq!(status, 204);
    let begun = Instant::now();
    let is_online = json!({"community": community, "accounts": [account], "limit": 1});
    loop {
        let waited = begun.elapsed();
        // Who asks all the time is put off now and then.
        if let Ok(listed) = alice.ask("member.list", is_online.clone()).await
            && listed["sections"][0]["members"][0]["online"] == false
        {
            break;
        }
        assert!(
            waited < Duration::from_secs(20),
            "he has a minute for each frame"
        );
    }
    place.stop().await;
}

//! Lists of members, page by page.

use serde_json::{Value, json};

use crate::link::{Guest, Place, alice_and_bob, host, id};

/// All members, page by page; how many pages it took.
async fn all(guest: &mut Guest, mut asked: Value) -> (Vec<String>, usize) {
    let mut names = Vec::new();
    let mut pages = 0;
    loop {
        let page = guest.ask("member.list", asked.clone()).await.unwrap();
        pages += 1;
        for section in page["sections"].as_array().unwrap() {
            for member in section["members"].as_array().unwrap() {
                names.push(member["account_name"].as_str().unwrap().to_owned());
            }
        }
        match page.get("next") {
            Some(next) => asked["after"] = next.clone(),
            None => return (names, pages),
        }
        assert!(pages < 100, "it comes to an end");
    }
}

async fn with_members(place: &Place, names: &[&str]) -> (Guest, String, String, Vec<String>) {
    let (mut alice, _bob, community, topic) = alice_and_bob(place).await;
    let code = alice.invite(&community).await;
    let mut accounts = Vec::new();
    for name in names {
        let mut guest = Guest::register(place, name, Some(&code)).await;
        guest.join(&community, &code).await;
        accounts.push(guest.account);
    }
    (alice, community, topic, accounts)
}

#[tokio::test]
async fn members_are_listed_page_by_page_each_once() {
    let place = host(|_| {}).await;
    let names = ["carol", "carl", "dave", "erin", "frank"];
    let (mut alice, community, topic, accounts) = with_members(&place, &names).await;
    let keepers = id();
    let made = json!({"community": community, "member_group": keepers, "name": "管理", "rank": "50", "shown": true});
    alice.command("member_group.create", made).await.unwrap();
    for account in &accounts[2..4] {
        let put = json!({"community": community, "member_group": keepers, "account": account, "on": true});
        alice.command("member_group.assign", put).await.unwrap();
    }
    let asked = |limit: usize| json!({"community": community, "limit": limit});
    let expected = ["dave", "erin", "alice", "bob", "carl", "carol", "frank"];
    for limit in [1, 2, 3, 7, 200] {
        let (names, pages) = all(&mut alice, asked(limit)).await;
        assert_eq!(names, expected, "the shown member group first, by name");
        assert!(pages >= expected.len().div_ceil(limit));
    }
    let first = alice.ask("member.list", asked(1)).await.unwrap();
    let counts: Vec<&Value> = first["sections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|section| &section["count"])
        .collect();
    assert_eq!(counts, [2, 5], "each section is counted whole");
    let (names, _) = all(
        &mut alice,
        json!({"community": community, "prefix": "CAR", "limit": 1}),
    )
    .await;
    assert_eq!(names, ["carl", "carol"], "by a prefix, whatever the case");
    let stranger = id();
    let (names, _) = all(
        &mut alice,
        json!({"community": community, "accounts": [accounts[4], accounts[0], stranger], "limit": 1}),
    )
    .await;
    assert_eq!(
        names,
        ["carol", "frank"],
        "of a list, those who are members"
    );

    let group = alice.group_of(&community).await;
    let closed = id();
    let made = json!({"community": community, "group": group, "topic": closed, "name": "密室", "closed": true, "position": "90"});
    alice.command("topic.create", made).await.unwrap();
    let seat = json!({"community": community, "topic": closed, "account": accounts[0], "on": true});
    alice.command("seat.set", seat).await.unwrap();
    let of = |topic: &str| json!({"community": community, "topic": topic, "limit": 1});
    let (names, _) = all(&mut alice, of(&closed)).await;
    assert_eq!(names, ["alice", "carol"], "those who may see the topic");
    let (names, _) = all(&mut alice, of(&topic)).await;
    assert_eq!(names.len(), 7, "everybody sees this one");
    place.stop().await;
}

#[tokio::test]
async fn a_place_to_go_on_from_that_the_server_did_not_give_is_refused() {
    let place = host(|_| {}).await;
    let (mut alice, _bob, community, _) = alice_and_bob(&place).await;
    for after in [
        "",
        "nonsense",
        "{}",
        "null",
        r#"{"section":null,"by_account":1}"#,
    ] {
        let asked = json!({"community": community, "after": after, "limit": 5});
        let refused = alice.ask("member.list", asked).await.unwrap_err();
        assert_eq!(refused["code"], "malformed", "{after}");
    }
    // A section that is no more: from the first on.
    let gone = format!(
        r#"{{"section":"{}","by_account":false,"after":null}}"#,
        id()
    );
    let asked = json!({"community": community, "after": gone, "limit": 5});
    let page = alice.ask("member.list", asked).await.unwrap();
    assert_eq!(page["sections"][0]["members"].as_array().unwrap().len(), 2);
    place.stop().await;
}

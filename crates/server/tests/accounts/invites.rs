//! Invite links: as many accounts as uses, and no longer than whoever made one may invite.

use serde_json::{Value, json};
use tulou_protocol::Permissions;

use super::{PASSWORD, with};
use crate::link::{Guest, Place, alice_and_bob, host, id};

async fn sign_up(place: &Place, name: &str, code: &str) -> (u16, Value) {
    let body =
        json!({"account_name": name, "display_name": name, "password": PASSWORD, "invite": code});
    place.post("/v1/accounts", &body).await
}

async fn link_for(guest: &mut Guest, community: &str, uses: u32) -> String {
    let asked = json!({"community": community, "max_uses": uses});
    let made = guest.ask("invite.create", asked).await.unwrap();
    made["code"].as_str().unwrap().to_owned()
}

/// The links of a community by code.
async fn listed(guest: &mut Guest, community: &str, code: &str) -> Value {
    let asked = json!({"community": community});
    let found = guest.ask("invite.list", asked).await.unwrap();
    let found = found["invites"].as_array().unwrap().iter();
    let mut found = found.filter(|invite| invite["code"] == code).cloned();
    found.next().unwrap_or_default()
}

#[tokio::test]
async fn of_many_who_register_by_a_link_at_once_as_many_get_in_as_it_has_uses() {
    let place = host(|_| {}).await;
    let (mut alice, bob, community, _) = alice_and_bob(&place).await;
    drop(bob);
    let code = link_for(&mut alice, &community, 2).await;
    let names: Vec<String> = (0..12).map(|no| format!("guest{no}")).collect();
    let tries = names.iter().map(|name| sign_up(&place, name, &code));
    let answers = futures_util::future::join_all(tries).await;
    let mut came = Vec::new();
    for (status, body) in answers {
        if status == 201 {
            came.push(body);
        } else {
            assert_eq!(body["rejection"]["code"], "invite_invalid", "{body}");
        }
    }
    assert_eq!(came.len(), 2, "two uses, two accounts");
    for body in &came {
        let token = body["token"].as_str().unwrap();
        let account = body["account"].as_str().unwrap();
        let path = format!("/v1/invites/{code}");
        let (_, card) = with(&place, token, "GET", &path, Value::Null).await;
        assert_eq!(
            card["community"], community,
            "there is a place for him: {card}"
        );
        Guest::connect(&place, token, account)
            .await
            .join(&community, &code)
            .await;
    }
    let invite = listed(&mut alice, &community, &code).await;
    assert_eq!(
        invite["uses"], 2,
        "joining with it is no other use: {invite}"
    );
    let mut who: Vec<&Value> = invite["came"].as_array().unwrap().iter().collect();
    let mut ids: Vec<&Value> = came.iter().map(|body| &body["account"]).collect();
    who.sort_by_key(|id| id.to_string());
    ids.sort_by_key(|id| id.to_string());
    assert_eq!(who, ids, "who came is told");
    let (status, _) = place
        .http("GET", &format!("/v1/invites/{code}"), "", "")
        .await;
    assert_eq!(status, 404, "to others it leads nowhere any more");
    place.stop().await;
}

#[tokio::test]
async fn a_link_rests_on_the_right_of_whoever_made_it_until_somebody_takes_it_over() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, _) = alice_and_bob(&place).await;
    let may = |from: Permissions, to: Permissions| {
        json!({"community": community, "place": "community", "allow": {"from": from.bits(), "to": to.bits()},
            "deny": {"from": 0, "to": 0}})
    };
    let usual = Permissions::NEW_COMMUNITY - Permissions::INVITE;
    let with_it = usual | Permissions::INVITE;
    if Permissions::NEW_COMMUNITY != with_it {
        let give = may(Permissions::NEW_COMMUNITY, with_it);
        alice.command("access.set", give).await.unwrap();
    }
    let code = bob.invite(&community).await;
    let carol = Guest::register(&place, "carol", Some(&code)).await;
    assert_eq!(sign_up(&place, "dave", &code).await.0, 201);
    let take = may(with_it, usual);
    alice.command("access.set", take).await.unwrap();
    let mut carol = carol;
    let join = json!({"community": community, "invite": code});
    let refused = carol
        .command("community.join", join.clone())
        .await
        .unwrap_err();
    assert_eq!(
        refused["code"], "invite_invalid",
        "bob may not invite any more"
    );
    let (status, refused) = sign_up(&place, "erin", &code).await;
    assert_eq!(
        (status, &refused["rejection"]["code"]),
        (404, &json!("invite_invalid"))
    );
    let (status, _) = place
        .http("GET", &format!("/v1/invites/{code}"), "", "")
        .await;
    assert_eq!(status, 404);
    let invite = listed(&mut alice, &community, &code).await;
    assert_eq!(invite["by"], json!(bob.account));
    assert_eq!(invite["lapsed"], true, "it is told: {invite}");

    let take_over = json!({"community": community, "code": code});
    let refused = bob.ask("invite.take", take_over.clone()).await.unwrap_err();
    let lacking = json!(Permissions::INVITE.bits());
    assert_eq!(refused["permission"], lacking, "{refused}");
    let taken = alice.ask("invite.take", take_over).await.unwrap();
    assert_eq!(taken["by"], json!(alice.account));
    carol.command("community.join", join).await.unwrap();
    place.stop().await;
}

#[tokio::test]
async fn with_a_member_who_is_removed_go_the_link_he_came_by_and_those_he_made() {
    let place = host(|_| {}).await;
    let (mut alice, bob, community, _) = alice_and_bob(&place).await;
    drop(bob);
    for ends in [false, true] {
        let (way, other) = (
            alice.invite(&community).await,
            alice.invite(&community).await,
        );
        let name = format!("guest-{ends}");
        let mut guest = Guest::register(&place, &name, Some(&way)).await;
        guest.join(&community, &way).await;
        let rank = if ends { "90" } else { "80" };
        may_invite(&mut alice, &community, &guest.account, rank).await;
        let his = guest.invite(&community).await;
        let kick = json!({"community": community, "account": guest.account, "end_invites": ends});
        alice.command("member.kick", kick).await.unwrap();
        for (code, goes) in [(&way, ends), (&his, ends), (&other, false)] {
            let is_gone = listed(&mut alice, &community, code).await.is_null();
            assert_eq!(is_gone, goes, "{code}");
        }
        if !ends {
            assert_eq!(listed(&mut alice, &community, &his).await["lapsed"], true);
        }
        let again = json!({"community": community, "invite": his});
        let refused = guest.command("community.join", again).await.unwrap_err();
        assert_eq!(
            refused["code"], "invite_invalid",
            "by his own link he does not come back"
        );
        let again = json!({"community": community, "invite": way});
        let back = guest.command("community.join", again).await;
        assert_eq!(back.is_err(), ends, "by the way he came only if it is left");
    }
    place.stop().await;
}

/// Puts a member into a new member group that may invite.
async fn may_invite(alice: &mut Guest, community: &str, account: &str, name: &str) {
    let group = id();
    let make = json!({"community": community, "member_group": group, "name": name, "rank": name, "shown": false, "tagged": false});
    alice.command("member_group.create", make).await.unwrap();
    let allow = json!({"community": community, "place": "community", "member_group": group,
        "allow": {"from": 0, "to": Permissions::INVITE.bits()}, "deny": {"from": 0, "to": 0}});
    alice.command("access.set", allow).await.unwrap();
    let assign =
        json!({"community": community, "member_group": group, "account": account, "on": true});
    alice.command("member_group.assign", assign).await.unwrap();
}

#[tokio::test]
async fn a_link_has_lapsed_when_its_maker_has_left_and_does_not_come_back_with_him() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, _) = alice_and_bob(&place).await;
    may_invite(&mut alice, &community, &bob.account, "80").await;
    let code = bob.invite(&community).await;
    let carol = Guest::register(&place, "carol", Some(&code)).await;
    bob.command("community.leave", json!({"community": community}))
        .await
        .unwrap();
    assert_eq!(listed(&mut alice, &community, &code).await["lapsed"], true);
    let way = alice.invite(&community).await;
    bob.join(&community, &way).await;
    may_invite(&mut alice, &community, &bob.account, "90").await;
    assert_eq!(listed(&mut alice, &community, &code).await["lapsed"], true);
    let path = format!("/v1/invites/{code}");
    let (status, _) = with(&place, &carol.token, "GET", &path, Value::Null).await;
    assert_eq!(status, 404, "a place is of no use without its link");

    let take_over = json!({"community": community, "code": code});
    let taken = bob.ask("invite.take", take_over.clone()).await.unwrap();
    assert_eq!(taken["by"], json!(bob.account));
    let taken = alice.ask("invite.take", take_over).await.unwrap();
    assert_eq!(taken["by"], json!(alice.account), "of two the last has it");
    let token = bob.token.clone();
    let body = json!({"password": PASSWORD, "messages": "keep"});
    let (status, _) = with(&place, &token, "POST", "/v1/account/deletion", body).await;
    assert_eq!(status, 204);
    let mut carol = carol;
    carol.join(&community, &code).await;
    place.stop().await;
}

#[tokio::test]
async fn a_place_is_kept_over_a_restart_and_used_once() {
    let place = host(|_| {}).await;
    let (mut alice, mut bob, community, _) = alice_and_bob(&place).await;
    let code = link_for(&mut alice, &community, 1).await;
    let join = json!({"community": community, "invite": code});
    let refused = bob
        .command("community.join", join.clone())
        .await
        .unwrap_err();
    assert_eq!(refused["code"], "already");
    let uses = |invite: Value| invite["uses"].as_u64().unwrap();
    assert_eq!(
        uses(listed(&mut alice, &community, &code).await),
        0,
        "who is a member uses up nothing"
    );
    let (status, carol) = sign_up(&place, "carol", &code).await;
    assert_eq!(status, 201, "{carol}");
    let (carol, token) = (carol["account"].clone(), carol["token"].clone());
    let (carol, token) = (carol.as_str().unwrap(), token.as_str().unwrap());
    let (refused, dave) = {
        let other = link_for(&mut alice, &community, 1).await;
        let mut dave = Guest::register(&place, "dave", Some(&other)).await;
        (dave.command("community.join", join.clone()).await, dave)
    };
    assert_eq!(refused.unwrap_err()["code"], "invite_invalid", "it is hers");
    drop((alice, bob, dave));

    let place = place.restart().await;
    let mut alice = super::enter(&place, "alice", PASSWORD).await;
    let mut carol = Guest::connect(&place, token, carol).await;
    carol.join(&community, &code).await;
    let invite = listed(&mut alice, &community, &code).await;
    assert_eq!(invite["came"], json!([carol.account]));
    assert_eq!(uses(invite), 1);
    let leave = json!({"community": community});
    carol.command("community.leave", leave).await.unwrap();
    let refused = carol.command("community.join", join).await.unwrap_err();
    assert_eq!(refused["code"], "invite_invalid", "and no second time");
    place.stop().await;
}

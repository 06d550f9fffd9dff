//! Who is there, in which member group, and what he may do.

use tulou_client::{
    action::Action,
    view::{AccessPlace, Connection, Delivery, MembersPart},
};

use crate::stage::{Person, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_are_shown_and_a_refusal_waits_where_it_happened() {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    bob.enter(&topic).await;
    bob.settled().await;
    let deny = |value| Action::SetAccess {
        community: community.clone(),
        place: AccessPlace::Topic { id: topic.clone() },
        member_group: "everyone".into(),
        permission: "speak".into(),
        value,
    };
    alice.act(deny(Some(false))).await;
    bob.until("bob is told that he may not speak", async || {
        bob.timeline(&topic).await.cannot_speak.map(|_| ())
    })
    .await;
    let tree = bob.tree(&community).await;
    assert!(tree.groups[0].topics[0].is_announcement);
    let refused = bob.say(&topic, "may I?").await;
    bob.until("the refusal is shown", async || {
        let view = bob.timeline(&topic).await;
        matches!(&view.pending.first()?.delivery, Delivery::Failed { rejection } if rejection.code == "not_allowed")
            .then_some(())
    })
    .await;
    assert!(bob.tree(&community).await.groups[0].topics[0].has_failed);
    let why = bob
        .client
        .explain(&bob.account, &community, Some(&topic), &bob.id().await)
        .await
        .unwrap();
    let mut rights = why.rights.iter();
    let speak = rights.find(|why| why.permission == "speak").unwrap();
    assert!(!speak.is_held && speak.reason == "access" && speak.place_name == "闲聊");

    alice.act(deny(None)).await;
    bob.until("he may again", async || {
        bob.timeline(&topic)
            .await
            .cannot_speak
            .is_none()
            .then_some(())
    })
    .await;
    let command = bob.timeline(&topic).await.pending[0]
        .refused
        .clone()
        .unwrap()
        .command;
    bob.client
        .outbox_retry(&bob.account, &command)
        .await
        .unwrap();
    bob.until("it was sent", async || {
        bob.has(&topic, &refused).await.then_some(())
    })
    .await;

    let helpers = alice
        .act(Action::CreateMemberGroup {
            community: community.clone(),
            name: "帮手".into(),
            is_shown: true,
            has_tag: true,
        })
        .await
        .unwrap();
    alice.settled().await;
    alice
        .act(Action::AssignMemberGroup {
            community: community.clone(),
            member: bob.id().await,
            member_group: helpers.clone(),
            on: true,
        })
        .await;
    let members = alice
        .client
        .members_view(&alice.account, &community, None, MembersPart::first("", 50))
        .await
        .unwrap();
    assert!(members.is_fresh);
    assert_eq!(
        members.sections[0].member_group.as_deref(),
        Some(helpers.as_str())
    );
    assert_eq!(members.sections[0].members[0].name, "bob");
    in_parts(&alice, &community, true).await;
    alice.enter(&topic).await;
    alice
        .until("the tag is shown beside the name", async || {
            let view = alice.timeline(&topic).await;
            let row = view.rows.iter().find(|row| row.id == refused)?;
            (row.author.tag.as_deref() == Some("帮手")).then_some(())
        })
        .await;
    stage.stop_server().await;
    alice
        .until("what is remembered is told without a link", async || {
            let first = MembersPart::first("", 1);
            let members = alice
                .client
                .members_view(&alice.account, &community, None, first);
            (!members.await.ok()?.is_fresh).then_some(())
        })
        .await;
    in_parts(&alice, &community, false).await;
    stage.start_server().await;
    stage.end([alice, bob]).await;
}

/// The two members of a community, of whom each is in a section of his own, come one at a time.
async fn in_parts(alice: &Person, community: &str, is_fresh: bool) {
    let mut part = MembersPart::first("", 1);
    let mut names = Vec::new();
    loop {
        let view = alice
            .client
            .members_view(&alice.account, community, None, part.clone())
            .await
            .unwrap();
        assert_eq!(view.is_fresh, is_fresh);
        let counts: Vec<u64> = view.sections.iter().map(|section| section.count).collect();
        assert_eq!(counts, [1, 1], "each part knows of all sections");
        let members = view.sections.iter().flat_map(|section| &section.members);
        names.extend(members.map(|member| member.name.clone()));
        let Some(next) = view.next else { break };
        part.after = Some(next);
    }
    assert_eq!(names, ["bob", "alice"], "section by section, nobody twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tag_of_an_author_is_shown_who_was_never_heard_of_before() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    bob.enter(&topic).await;
    let line = bob.say(&topic, "hello").await;
    let create = Action::CreateMemberGroup {
        community: community.clone(),
        name: "Helpers".into(),
        is_shown: false,
        has_tag: true,
    };
    let group = alice.act(create).await.unwrap();
    alice.settled().await;
    let assign = Action::AssignMemberGroup {
        community: community.clone(),
        member: bob.id().await,
        member_group: group,
        on: true,
    };
    alice.act(assign).await;
    bob.settled().await;

    // Carol has never asked for a member.
    let carol = stage.invite(&alice, &community, "carol").await;
    carol.enter(&topic).await;
    carol
        .until("the tag beside the author", async || {
            let view = carol.timeline(&topic).await;
            let row = view.rows.into_iter().find(|row| row.id == line)?;
            (row.author.tag.as_deref() == Some("Helpers")).then_some(())
        })
        .await;
    stage.end([alice, bob, carol]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_known_by_what_is_remembered_and_by_what_the_server_says() {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    bob.enter(&topic).await;
    alice.enter(&topic).await;
    bob.say(&topic, "hello").await;
    let group = Action::CreateMemberGroup {
        community: community.clone(),
        name: "Helpers".into(),
        is_shown: false,
        has_tag: false,
    };
    let group = alice.act(group).await.unwrap();
    alice.settled().await;
    let assign = Action::AssignMemberGroup {
        community: community.clone(),
        member: bob.id().await,
        member_group: group,
        on: true,
    };
    alice.act(assign).await;
    alice.settled().await;
    let whom = bob.id().await;
    let known = async |asks| {
        alice
            .client
            .person_view(&alice.account, &community, Some(&topic), &whom, asks)
            .await
            .unwrap()
    };

    let person = known(true).await;
    assert!(person.is_fresh, "the server named him");
    assert_eq!(
        (person.name.as_str(), person.account_name.as_str()),
        ("bob", "bob")
    );
    let groups: Vec<&str> = person
        .member_groups
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    assert_eq!(
        groups,
        ["Helpers"],
        "also those that are not shown beside names"
    );
    assert!(person.joined_at.is_some_and(|at| at > 0));
    let member = person.member.unwrap();
    assert!(member.is_online && member.can_kick && member.can_assign);
    let speak = person
        .rights
        .iter()
        .find(|right| right.permission == "speak")
        .unwrap();
    assert!(speak.is_held, "what he may do here is said");

    bob.act(Action::LeaveCommunity {
        community: community.clone(),
    })
    .await;
    bob.settled().await;
    let gone = known(true).await;
    assert!(
        gone.member.is_none() && gone.rights.is_empty(),
        "he is no member"
    );
    assert_eq!(gone.name, "bob", "his name stands beside what he wrote");
    assert!(
        known(false).await.member.is_none(),
        "that is remembered, too"
    );

    let me = alice.id().await;
    stage.stop_server().await;
    alice
        .until("the link is down", async || {
            let view = alice.client.app_view().await;
            matches!(view.accounts[0].connection, Connection::Offline { .. }).then_some(())
        })
        .await;
    let remembered = alice
        .client
        .person_view(&alice.account, &community, Some(&topic), &me, true)
        .await
        .unwrap();
    assert!(!remembered.is_fresh, "nobody could be asked");
    assert!(
        remembered
            .member
            .is_some_and(|member| member.is_owner && member.is_me)
    );
    assert!(
        remembered
            .rights
            .iter()
            .all(|right| right.reason == "owner")
    );
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_recalled_a_message_of_his_namesake_is_told_from_him() {
    let stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    bob.enter(&topic).await;
    bob.act(Action::EditProfile {
        display_name: "Alice".into(),
    })
    .await;
    let message = bob.say(&topic, "nobody should see this").await;
    bob.settled().await;
    alice.enter(&topic).await;
    alice
        .until("it came", async || {
            alice.has(&topic, &message).await.then_some(())
        })
        .await;
    alice
        .act(Action::RecallMessage {
            topic: topic.clone(),
            message: message.clone(),
        })
        .await;
    bob.until("both have their account names beside", async || {
        let rows = bob.timeline(&topic).await.rows;
        let row = rows.into_iter().find(|row| row.id == message)?;
        let by = row.recalled.filter(|one| !one.is_by_author)?;
        let names = (by.by_account_name?, row.author.account_name?);
        (names == ("alice".into(), "bob".into())).then_some(())
    })
    .await;
    stage.end([alice, bob]).await;
}

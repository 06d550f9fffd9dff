//! Reactions and names between two clients and a real server: one picture is one key, a name is what is seen of it.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "talk/stage.rs"]
#[expect(dead_code, reason = "another test uses the rest of it")]
mod stage;

use stage::{Person, Stage};
use tulou_client::{action::Action, error::Error};

fn react(topic: &str, message: &str, key: &str, on: bool) -> Action {
    Action::React {
        topic: topic.to_owned(),
        message: message.to_owned(),
        key: key.to_owned(),
        on,
    }
}

/// Keys, counts and whether they are the person's own, of the topic's first message.
async fn reactions(person: &Person, topic: &str) -> Vec<(String, u32, bool)> {
    let rows = person.timeline(topic).await.rows;
    let shown = rows[0].reactions.iter();
    shown
        .map(|reaction| (reaction.key.clone(), reaction.count, reaction.is_mine))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reaction_that_goes_on_and_off_fifty_times_offline_ends_as_it_was_left() {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let bob = stage.invite(&alice, &community, "bob").await;
    alice.enter(&topic).await;
    bob.enter(&topic).await;
    let message = alice.say(&topic, "vote").await;
    bob.until("it came", async || {
        bob.has(&topic, &message).await.then_some(())
    })
    .await;
    bob.act(react(&topic, &message, "👍\u{FE0F}", true)).await;
    alice
        .until("she sees his thumb", async || {
            let expected = [("👍".to_owned(), 1, false)];
            (reactions(&alice, &topic).await == expected).then_some(())
        })
        .await;
    alice.settled().await;
    bob.settled().await;

    stage.stop_server().await;
    for _ in 0..50 {
        alice.act(react(&topic, &message, "\u{2764}", true)).await;
        alice
            .act(react(&topic, &message, "\u{2764}\u{FE0F}", false))
            .await;
    }
    alice.act(react(&topic, &message, "👍", true)).await;
    let shown = reactions(&alice, &topic).await;
    assert_eq!(shown, [("👍".into(), 2, true)], "as it will be, at once");

    stage.start_server().await;
    alice.settled().await;
    for (person, is_mine) in [(&alice, true), (&bob, true)] {
        person
            .until("both see two thumbs and nothing else", async || {
                let expected = [("👍".to_owned(), 2, is_mine)];
                (reactions(person, &topic).await == expected).then_some(())
            })
            .await;
    }
    stage::same(&alice, &bob, &topic).await;
    stage.end([alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_shows_nothing_is_refused_where_it_is_typed_and_what_is_made_offline_is_never_too_long()
 {
    let mut stage = Stage::new().await;
    let alice = stage.host("alice").await;
    let (community, topic) = alice.found("星海").await;
    let group = alice.tree(&community).await.groups[0].id.clone();
    alice.enter(&topic).await;
    let message = alice.say(&topic, "vote").await;
    alice.settled().await;
    stage.stop_server().await;

    let make = |name: &str| Action::CreateTopic {
        community: community.clone(),
        group: group.clone(),
        name: name.to_owned(),
        introduction: String::new(),
        is_closed: false,
    };
    let send = |text: &str| Action::SendMessage {
        topic: topic.clone(),
        text: text.to_owned(),
        reply_to: None,
    };
    let refused = async |action: Action| match alice.client.submit(&alice.account, action).await {
        Err(Error::Rejected(rejection)) => rejection.code.key(),
        other => panic!("{other:?}"),
    };
    for nothing in [
        "\u{200B}", "\u{3164}", "\u{2800}", "\u{202E}", "\u{FE0F}", "\u{301}",
    ] {
        assert_eq!(refused(make(nothing)).await, "empty", "{nothing:?}");
        assert_eq!(refused(send(nothing)).await, "empty", "{nothing:?}");
    }
    for other in ["中文", "\u{202E}", "\u{200D}"] {
        let picture = react(&topic, &message, other, true);
        assert_eq!(refused(picture).await, "not_an_emoji", "{other:?}");
    }
    assert_eq!(refused(make(&"名".repeat(61))).await, "too_long");

    let longest = "名".repeat(60);
    let made = alice.act(make(&longest)).await.unwrap();
    let turned = alice.act(make("Bob\u{202E}gnp.ecila\u{A0}")).await.unwrap();
    stage.start_server().await;
    alice
        .until("the server took both", async || {
            let tree = alice.tree(&community).await;
            let topics = tree.groups.iter().flat_map(|group| &group.topics);
            let name_of = |id: &str| {
                let mut topics = topics.clone();
                topics
                    .find(|topic| topic.id == id && !topic.is_pending)
                    .map(|topic| topic.name.clone())
            };
            (name_of(&made)? == longest && name_of(&turned)? == "Bobgnp.ecila").then_some(())
        })
        .await;
    stage.end([alice]).await;
}

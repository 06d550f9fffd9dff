//! Heads of a community's topics, in answers that are not too long.

use std::collections::BTreeMap;

use tulou_protocol::{
    Digest, MemberGroupId, Permissions, Seq, command::Edit, id::Millis, permission::Place,
    push::TopicHead,
};

use super::{
    filled::{filled_with, next_millisecond},
    *,
};

/// Topics that fill some answers, if each has as many wide mentions as are told.
const TOPICS: u32 = 150;
const WIDE: u128 = 100;

async fn page(
    app: &App,
    line: &Arc<Line>,
    community: CommunityId,
    from: (Millis, Option<TopicId>),
) -> Digest {
    let question = Question::CommunityHeads {
        community,
        since: from.0,
        after: from.1,
    };
    let Ok(Told::Heads(heads)) = app.ask(&line.actor, question).await else {
        panic!("a member is told")
    };
    let bytes = serde_json::to_string(&heads).unwrap().len();
    assert!(bytes <= limits::ANSWER_BYTES, "{bytes} bytes are too many");
    heads
}

/// All pages from the first on.
async fn pages(app: &App, line: &Arc<Line>, community: CommunityId) -> Vec<TopicHead> {
    let mut from = (0, None);
    let mut all = Vec::new();
    loop {
        let heads = page(app, line, community, from).await;
        from = (heads.to, heads.after.map(|after| after.topic));
        all.extend(heads.topics);
        if from.1.is_none() {
            return all;
        }
        assert!(all.len() < 10 * TOPICS as usize, "they never end");
    }
}

/// A community with the largest heads that there are, all of one millisecond: its topics by their number.
async fn filled(app: &App, owner: &Arc<Line>) -> (CommunityId, BTreeMap<u32, TopicId>) {
    // Their ids do not follow the order of their numbers.
    let id = |no: u32| {
        TopicId(Uuid::from_u128(
            u128::from(no).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
        ))
    };
    let mut topics: BTreeMap<u32, TopicId> = (2..2 + TOPICS).map(|no| (no, id(no))).collect();
    let wide = (0..WIDE).map(|group| Some(MemberGroupId(Uuid::from_u128(u128::MAX - group))));
    let (community, first) = filled_with(app, owner, &topics, wide.collect()).await;
    topics.insert(1, first);
    next_millisecond(app).await;
    (community, topics)
}

#[tokio::test]
async fn the_largest_heads_come_in_pages_and_each_topic_once() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let (community, topics) = filled(&app, &alice).await;
    let first = page(&app, &alice, community, (0, None)).await;
    assert!(first.after.is_some(), "one answer is not enough");
    let told = pages(&app, &alice, community).await;
    let mut numbers: Vec<u32> = told.iter().map(|head| head.no).collect();
    numbers.sort_unstable();
    let all: Vec<u32> = topics.into_keys().collect();
    assert_eq!(numbers, all, "all of one millisecond, each once");
    let full = told.iter().filter(|head| head.wide_mentions.len() == 100);
    assert_eq!(full.count(), TOPICS as usize);
    app.close().await;
}

#[tokio::test]
async fn what_moves_between_two_pages_is_told_as_it_is_then() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let (community, topics) = filled(&app, &alice).await;
    let first = page(&app, &alice, community, (0, None)).await;
    let moved = first.topics.last().unwrap().no;
    give(&app, &alice, send(topics[&moved], "又一句")).await;
    next_millisecond(&app).await;
    let mut from = (first.to, first.after.map(|after| after.topic));
    let mut heads: BTreeMap<u32, Seq> = BTreeMap::new();
    for head in first.topics {
        heads.insert(head.no, head.head_seq);
    }
    while from.1.is_some() {
        let next = page(&app, &alice, community, from).await;
        from = (next.to, next.after.map(|after| after.topic));
        for head in next.topics {
            heads.insert(head.no, head.head_seq);
        }
    }
    assert_eq!(heads.len(), topics.len(), "none is missed");
    assert_eq!(heads[&moved], Seq(2), "and what was said meanwhile is told");
    app.close().await;
}

#[tokio::test]
async fn of_what_is_hidden_between_two_pages_nothing_more_is_told() {
    let (app, _folder) = app().await;
    let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
    let (community, topics) = filled(&app, &alice).await;
    join(&app, &alice, &bob, community).await;
    let first = page(&app, &bob, community, (0, None)).await;
    let told: Vec<u32> = first.topics.iter().map(|head| head.no).collect();
    let hidden = *topics.keys().find(|no| !told.contains(no)).unwrap();
    let nothing = Edit {
        from: Permissions::empty(),
        to: Permissions::empty(),
    };
    let hide = Command::AccessSet {
        community,
        place: Place::Topic(topics[&hidden]),
        member_group: None,
        allow: nothing,
        deny: Edit {
            from: Permissions::empty(),
            to: Permissions::VIEW,
        },
    };
    give(&app, &alice, hide).await;
    let mut from = (first.to, first.after.map(|after| after.topic));
    let mut numbers = told;
    while from.1.is_some() {
        let next = page(&app, &bob, community, from).await;
        from = (next.to, next.after.map(|after| after.topic));
        numbers.extend(next.topics.iter().map(|head| head.no));
    }
    assert!(!numbers.contains(&hidden));
    assert_eq!(numbers.len(), topics.len() - 1, "all others are");
    app.close().await;
}

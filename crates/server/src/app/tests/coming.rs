//! What is there when somebody comes: it counts as read, and is written nowhere.

use tulou_protocol::{
    Digest, Permissions, Seq,
    command::Edit,
    permission::Place,
    push::{ReadBefore, TopicHead},
    question::Told,
};

use super::{
    filled::{filled_with, next_millisecond},
    *,
};

async fn heads(app: &App, line: &Arc<Line>, community: CommunityId) -> Digest {
    let question = Question::CommunityHeads {
        community,
        since: 0,
        after: None,
    };
    let Ok(Told::Heads(mut heads)) = app.ask(&line.actor, question).await else {
        panic!("a member is told")
    };
    heads.topics.sort_by_key(|head| head.no);
    heads
}

/// A community of so many topics with a message in each.
async fn filled(app: &App, owner: &Arc<Line>, topics: u32) -> CommunityId {
    let id = |no| (no, TopicId(Uuid::now_v7()));
    let topics = (2..2 + topics).map(id).collect();
    let (community, _) = filled_with(app, owner, &topics, Vec::new()).await;
    community
}

#[tokio::test]
async fn a_join_writes_as_much_whatever_was_written_before() {
    const TOPICS: u32 = 2_000;
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let mut rows = Vec::new();
    for topics in [1, TOPICS] {
        let community = filled(&app, &alice, topics).await;
        next_millisecond(&app).await;
        let name = format!("bob{topics}");
        let bob = account(&app, &name).await;
        let logs = vec![Log::Account(bob.account()), Log::Community(community)];
        let revs = async || {
            let heads = app.store().heads(logs.clone()).await.unwrap();
            let revs = heads.into_iter().flatten().map(|head| head.rev.0);
            revs.sum::<u64>()
        };
        let before = revs().await;
        join(&app, &alice, &bob, community).await;
        rows.push(revs().await - before);
        let told = heads(&app, &bob, community).await;
        let read =
            |seq| move |head: &&TopicHead| head.read.is_some_and(|read| read.seq == Seq(seq));
        let count = told.topics.iter().filter(read(1)).count();
        assert_eq!(count, topics as usize, "all that was written is read");
    }
    assert_eq!(rows, [1, 1], "that he is in, and nothing else");
    app.close().await;
}

#[tokio::test]
async fn of_many_topics_that_are_shown_later_all_that_was_written_before_is_read() {
    let (app, _folder) = app().await;
    let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
    let (community, _) = found(&app, &alice).await;
    let group = GroupId(Uuid::now_v7());
    let shelf = Command::GroupCreate {
        community,
        group,
        name: "旧事".to_owned(),
        position: "b".to_owned(),
    };
    give(&app, &alice, shelf).await;
    let none_to = |from, to| Edit { from, to };
    let hide = |from, to| Command::AccessSet {
        community,
        place: Place::Group(group),
        member_group: None,
        allow: none_to(Permissions::empty(), Permissions::empty()),
        deny: none_to(from, to),
    };
    let (seen, hidden) = (Permissions::empty(), Permissions::VIEW);
    give(&app, &alice, hide(seen, hidden)).await;
    let topics: Vec<_> = (0..5).map(|_| TopicId(Uuid::now_v7())).collect();
    for (no, topic) in topics.iter().enumerate() {
        let room = Command::TopicCreate {
            community,
            group,
            topic: *topic,
            name: format!("第{no}间"),
            introduction: String::new(),
            closed: false,
            position: format!("a{no}"),
        };
        give(&app, &alice, room).await;
        give(&app, &alice, send(*topic, "以前")).await;
    }
    next_millisecond(&app).await;
    join(&app, &alice, &bob, community).await;
    give(&app, &alice, hide(hidden, seen)).await;
    let told = heads(&app, &bob, community).await;
    let read: Vec<Option<ReadBefore>> = told.topics.iter().map(|head| head.read).collect();
    let before = ReadBefore {
        seq: Seq(1),
        ..ReadBefore::default()
    };
    let mut expected = vec![None];
    expected.extend(topics.iter().map(|_| Some(before)));
    assert_eq!(read, expected, "nothing in them is new to him");
    app.close().await;
}

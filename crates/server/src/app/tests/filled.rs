//! A community in which something was written everywhere.

use std::collections::BTreeMap;

use tulou_protocol::{MemberGroupId, row::Topic};

use super::*;
use crate::domain::Reader;

/// A community with these topics by their numbers, and a message in each that mentions these; also its first topic, in which
/// nothing was written.
pub(super) async fn filled_with(
    app: &App,
    owner: &Arc<Line>,
    topics: &BTreeMap<u32, TopicId>,
    wide: Vec<Option<MemberGroupId>>,
) -> (CommunityId, TopicId) {
    let (community, first) = found(app, owner).await;
    let loaded = app.communities().loaded(community).await.unwrap().unwrap();
    let group = *loaded.structure().groups.keys().next().unwrap();
    let mut changes = Vec::new();
    for (no, topic) in topics {
        let (no, topic) = (*no, *topic);
        let body = Topic {
            group,
            name: format!("第{no}间"),
            introduction: String::new(),
            closed: false,
            position: "80".to_owned(),
            no,
            more: Default::default(),
        };
        changes.push(Change::Row {
            log: Log::Community(community),
            id: topic.to_string(),
            body: body.into(),
        });
        changes.push(Change::TopicBegins { community, topic });
        changes.push(Change::Send(Box::new(Sent {
            topic,
            message: MessageId(Uuid::now_v7()),
            author: owner.account(),
            author_rev: Rev(1),
            text: "以前".to_owned(),
            reply_to: None,
            written_at: None,
            mentions: Vec::new(),
            wide: wide.clone(),
            reader: Reader::ALWAYS,
        })));
    }
    let commit = Commit::of_server(owner.account(), app.now(), changes);
    app.store().commit(commit).await.unwrap();
    settled(app).await;
    (community, first)
}

pub(super) async fn next_millisecond(app: &App) {
    let now = app.now();
    while app.now() == now {
        tokio::task::yield_now().await;
    }
}

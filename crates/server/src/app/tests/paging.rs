//! A present state that comes in pages, while something changes between them.

use std::collections::BTreeSet;

use tulou_protocol::{Permissions, command::Edit, permission::Place};

use super::*;

/// Topics that fill some pages.
const TOPICS: u128 = 220;

/// Somebody who asks for the present state of a community page by page.
struct Reader<'a> {
    app: &'a App,
    account: AccountId,
    community: CommunityId,
    since: Rev,
    begun: Option<Rev>,
    view: Option<String>,
    /// What is named so far, by kind and id.
    kept: BTreeSet<(String, String)>,
    /// How often it began.
    begins: u32,
}

impl<'a> Reader<'a> {
    fn new(app: &'a App, account: AccountId, community: CommunityId) -> Self {
        Self {
            app,
            account,
            community,
            since: Rev::ZERO,
            begun: None,
            view: None,
            kept: BTreeSet::new(),
            begins: 0,
        }
    }

    /// The next page; whether there are more.
    async fn page(&mut self) -> bool {
        let asked = SyncLog {
            log: Log::Community(self.community),
            since: self.since,
            begun: self.begun,
            view: self.view.take(),
            ranges: Vec::new(),
            without_tail: false,
        };
        let json = self.app.sync(self.account, vec![asked]).await.unwrap();
        let mut synced: Synced = serde_json::from_str(&json).unwrap();
        let (rows, has_more) = match synced.logs.remove(0).outcome {
            SyncOutcome::Reset {
                rev,
                rows,
                begun,
                view,
                ..
            } => {
                self.begins += 1;
                self.kept.clear();
                (self.since, self.begun, self.view) = (rev, begun, view);
                (rows, begun.is_some())
            }
            SyncOutcome::Rows {
                rev,
                rows,
                has_more,
                view,
            } => {
                (self.since, self.view) = (rev, view);
                (rows, has_more)
            }
            other @ (SyncOutcome::Topic { .. }
            | SyncOutcome::Ahead { .. }
            | SyncOutcome::Gone { .. }) => panic!("{other:?}"),
        };
        for row in rows {
            let named = (row.body.kind().to_owned(), row.id);
            if matches!(row.body, Body::Deleted(_)) {
                self.kept.remove(&named);
            } else {
                self.kept.insert(named);
            }
        }
        has_more
    }

    /// What he sees, by kind and id, and the stamp of that.
    async fn sees(&self) -> (BTreeSet<(String, String)>, Option<String>) {
        let membership = self
            .app
            .communities()
            .membership(self.community, self.account);
        let (structure, member) = membership.await.unwrap().unwrap();
        let rows = structure.rows_since(&structure.sight(&member), Rev::ZERO, false);
        let named = rows
            .into_iter()
            .map(|row| (row.body.kind().to_owned(), row.id));
        (named.collect(), Some(structure.stamp(&member)))
    }
}

fn topic(no: u128) -> TopicId {
    TopicId(Uuid::from_u128(1_000 + no))
}

/// A community whose state fills some pages, and somebody in it who is not its owner.
async fn large(app: &App) -> (Arc<Line>, Arc<Line>, CommunityId, GroupId) {
    let (alice, bob) = (account(app, "alice").await, account(app, "bob").await);
    let (community, _) = found(app, &alice).await;
    let loaded = app.communities().loaded(community).await.unwrap().unwrap();
    let group = *loaded.structure().groups.keys().next().unwrap();
    for no in 0..TOPICS {
        give(app, &alice, create(community, group, no)).await;
    }
    join(app, &alice, &bob, community).await;
    (alice, bob, community, group)
}

fn create(community: CommunityId, group: GroupId, no: u128) -> Command {
    Command::TopicCreate {
        community,
        topic: topic(no),
        group,
        name: format!("topic {no}"),
        introduction: "长".repeat(1_000),
        closed: false,
        position: format!("{no:04}"),
    }
}

#[tokio::test]
async fn a_state_in_pages_ends_although_topics_are_made_renamed_and_deleted_all_the_time() {
    let (app, _folder) = app().await;
    let (alice, bob, community, group) = large(&app).await;
    let mut reader = Reader::new(&app, bob.account(), community);
    let mut pages = 1;
    while reader.page().await {
        pages += 1;
        assert!(pages < 20, "it has no end");
        give(&app, &alice, create(community, group, TOPICS + pages)).await;
        let renamed = Command::TopicEdit {
            community,
            topic: topic(20 + pages),
            name: Some(Edit {
                from: format!("topic {}", 20 + pages),
                to: "茶馆".into(),
            }),
            introduction: None,
            group: None,
            position: None,
        };
        give(&app, &alice, renamed).await;
        let topic = topic(pages);
        give(&app, &alice, Command::TopicDelete { community, topic }).await;
    }
    assert!(pages > 2, "it was to be several pages");
    assert_eq!(reader.begins, 1, "what was told holds");
    assert_eq!(
        (reader.kept.clone(), reader.view.clone()),
        reader.sees().await
    );
    app.close().await;
}

#[tokio::test]
async fn a_state_in_pages_begins_again_when_something_is_seen_otherwise() {
    let (app, _folder) = app().await;
    let (alice, bob, community, group) = large(&app).await;
    let hide = |place, from, to| Command::AccessSet {
        community,
        place,
        member_group: None,
        allow: Edit {
            from: Permissions::empty(),
            to: Permissions::empty(),
        },
        deny: Edit { from, to },
    };
    let (none, view) = (Permissions::empty(), Permissions::VIEW);
    let hidden = GroupId(Uuid::now_v7());
    let make = Command::GroupCreate {
        community,
        group: hidden,
        name: "后院".into(),
        position: "W".into(),
    };
    give(&app, &alice, make).await;
    give(&app, &alice, hide(Place::Group(hidden), none, view)).await;
    let moved = Command::TopicEdit {
        community,
        topic: topic(3),
        name: None,
        introduction: None,
        group: Some(Edit {
            from: group,
            to: hidden,
        }),
        position: None,
    };
    let changes = [
        hide(Place::Topic(topic(1)), none, view),
        hide(Place::Topic(topic(1)), view, none),
        moved,
    ];
    for change in changes {
        let mut reader = Reader::new(&app, bob.account(), community);
        assert!(reader.page().await);
        give(&app, &alice, change.clone()).await;
        while reader.page().await {}
        assert_eq!(reader.begins, 2, "after {change:?}");
        assert_eq!(
            (reader.kept.clone(), reader.view.clone()),
            reader.sees().await
        );
    }
    app.close().await;
}

/// What somebody who is not its owner makes of a state of several pages, between two of which something is done.
async fn begins_after(
    app: &App,
    (alice, bob): (&Arc<Line>, &Arc<Line>),
    community: CommunityId,
    change: Command,
) -> u32 {
    let mut reader = Reader::new(app, bob.account(), community);
    assert!(reader.page().await);
    give(app, alice, change).await;
    while reader.page().await {}
    assert_eq!(
        (reader.kept.clone(), reader.view.clone()),
        reader.sees().await
    );
    reader.begins
}

fn at_everyone(community: CommunityId, topic: TopicId, deny: Permissions) -> Command {
    Command::AccessSet {
        community,
        place: Place::Topic(topic),
        member_group: None,
        allow: Edit {
            from: Permissions::empty(),
            to: Permissions::empty(),
        },
        deny: Edit {
            from: Permissions::empty(),
            to: deny,
        },
    }
}

#[tokio::test]
async fn a_state_in_pages_goes_on_when_somebody_comes_to_a_topic_that_is_hidden_from_who_reads() {
    let (app, _folder) = app().await;
    let (alice, bob, community, group) = large(&app).await;
    let carol = account(&app, "carol").await;
    join(&app, &alice, &carol, community).await;
    let mut close = create(community, group, 900);
    if let Command::TopicCreate { closed, .. } = &mut close {
        *closed = true;
    }
    give(&app, &alice, close).await;
    let hide = at_everyone(community, topic(900), Permissions::VIEW);
    give(&app, &alice, hide).await;
    let seat = Command::SeatSet {
        community,
        topic: topic(900),
        account: carol.account(),
        on: true,
    };
    let begins = begins_after(&app, (&alice, &bob), community, seat).await;
    assert_eq!(begins, 1, "nothing of it is told to him, before or after");
    app.close().await;
}

#[tokio::test]
async fn a_state_in_pages_goes_on_when_a_topic_with_rights_of_its_own_is_renamed_and_not_when_it_comes_into_sight()
 {
    let (app, _folder) = app().await;
    let (alice, bob, community, group) = large(&app).await;
    let quiet = at_everyone(community, topic(1), Permissions::SPEAK);
    give(&app, &alice, quiet).await;
    let edit = |name: Option<&str>, to: Option<(GroupId, GroupId)>| Command::TopicEdit {
        community,
        topic: topic(1),
        name: name.map(|name| Edit {
            from: "topic 1".into(),
            to: name.into(),
        }),
        introduction: None,
        group: to.map(|(from, to)| Edit { from, to }),
        position: None,
    };
    let renamed = edit(Some("茶馆"), None);
    let begins = begins_after(&app, (&alice, &bob), community, renamed).await;
    assert_eq!(begins, 1, "its rights were told and are as they were");
    let hidden = GroupId(Uuid::now_v7());
    let make = Command::GroupCreate {
        community,
        group: hidden,
        name: "后院".into(),
        position: "W".into(),
    };
    give(&app, &alice, make).await;
    let mut hide = at_everyone(community, topic(1), Permissions::VIEW);
    if let Command::AccessSet { place, .. } = &mut hide {
        *place = Place::Group(hidden);
    }
    give(&app, &alice, hide).await;
    give(&app, &alice, edit(None, Some((group, hidden)))).await;
    let back = edit(None, Some((hidden, group)));
    let begins = begins_after(&app, (&alice, &bob), community, back).await;
    assert_eq!(begins, 2, "its rights are older than the page before");
    app.close().await;
}

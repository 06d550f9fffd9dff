//! What others wait for while the members of a large community are told of a change.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use tulou_protocol::{
    MemberGroupId, Permissions,
    command::Edit,
    permission::Place,
    row::{AccessRow, MemberGroup, Topic},
};

use super::*;
use crate::domain::{Member, View};

const KINDS: usize = 40;
const TOPICS: u32 = 600;

/// A community with kinds of members of whom each does not see some topics.
fn rows(community: CommunityId, group: GroupId, kinds: &[MemberGroupId]) -> Vec<Change> {
    let row = |id: String, body: Body| Change::Row {
        log: Log::Community(community),
        id,
        body,
    };
    let mut rows = Vec::new();
    for (at, kind) in kinds.iter().enumerate() {
        let body = MemberGroup {
            name: format!("kind {at}"),
            rank: format!("{at:03}1"),
            shown: false,
            tagged: false,
            more: Default::default(),
        };
        rows.push(row(kind.to_string(), body.into()));
    }
    for no in 0..TOPICS {
        let topic = TopicId(Uuid::now_v7());
        let body = Topic {
            group,
            name: format!("topic {no}"),
            introduction: String::new(),
            closed: false,
            position: format!("{no:04}1"),
            no: no + 10,
            more: Default::default(),
        };
        rows.push(row(topic.to_string(), body.into()));
        let hidden = AccessRow {
            place: Place::Topic(topic),
            member_group: Some(kinds[no as usize % KINDS]),
            allow: Permissions::empty(),
            deny: Permissions::VIEW,
            more: Default::default(),
        };
        let id = AccessRow::id(hidden.place, hidden.member_group);
        rows.push(row(id, hidden.into()));
    }
    rows
}

#[tokio::test]
async fn nobody_waits_for_the_hub_while_it_is_found_out_what_many_kinds_of_members_see() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let (community, _) = found(&app, &alice).await;
    let loaded = app.communities().loaded(community).await.unwrap().unwrap();
    let group = *loaded.structure().groups.keys().next().unwrap();
    let kinds: Vec<MemberGroupId> = (0..KINDS).map(|_| MemberGroupId(Uuid::now_v7())).collect();
    let rows = rows(community, group, &kinds);
    let commit = Commit::of_server(alice.account(), app.now(), rows);
    app.store().commit(commit).await.unwrap();
    settled(&app).await;
    let structure = loaded.structure();
    assert!(structure.topics.len() > TOPICS as usize);
    for kind in &kinds {
        let member = Member {
            account: AccountId(Uuid::now_v7()),
            joined_at: 1,
            member_groups: vec![*kind],
            rev: Rev(1),
        };
        let session = tulou_protocol::SessionId(Uuid::now_v7());
        app.hub().attach(member.account, session, Rev(1), 1 << 20);
        let view = View::of(structure.clone(), member);
        app.hub().present(&loaded, view, app.now());
    }

    let (longest, is_over) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let waiting = std::thread::spawn({
        let (app, longest, is_over) = (app.clone(), longest.clone(), is_over.clone());
        move || {
            while !is_over.load(Ordering::Relaxed) {
                let begun = Instant::now();
                drop(app.hub().state());
                let took = u64::try_from(begun.elapsed().as_micros()).unwrap();
                longest.fetch_max(took, Ordering::Relaxed);
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    });
    let (all, fewer) = (
        Permissions::NEW_COMMUNITY,
        Permissions::NEW_COMMUNITY - Permissions::READ_HISTORY,
    );
    let mut shares = Vec::new();
    for (from, to) in [(all, fewer), (fewer, all), (all, fewer), (fewer, all)] {
        longest.store(0, Ordering::Relaxed);
        let begun = Instant::now();
        let set = Command::AccessSet {
            community,
            place: Place::Community,
            member_group: None,
            allow: Edit { from, to },
            deny: Edit {
                from: Permissions::empty(),
                to: Permissions::empty(),
            },
        };
        give(&app, &alice, set).await;
        let took = u64::try_from(begun.elapsed().as_micros()).unwrap();
        shares.push(100 * longest.load(Ordering::Relaxed) / took);
    }
    is_over.store(true, Ordering::Relaxed);
    waiting.join().unwrap();
    assert!(
        shares.iter().min() < Some(&20),
        "the longest wait in a hundredth of what the change took: {shares:?}"
    );
    app.close().await;
}

#[tokio::test]
async fn a_watch_that_comes_after_its_session_has_ended_leaves_nothing() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let (_, topic) = found(&app, &alice).await;
    let session = tulou_protocol::SessionId(Uuid::now_v7());
    app.hub().attach(alice.account(), session, Rev(1), 1 << 20);
    app.hub().detach(&alice);
    // What was asked for before may be answered after.
    let _ = app.watch(&alice, vec![topic]).await;
    assert!(app.hub().state().watchers.is_empty());
    assert!(!app.hub().state().told.contains_key(&Log::Topic(topic)));
    app.close().await;
}

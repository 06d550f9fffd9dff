//! What others wait for while the members of a large community are told of a change.

use std::time::Duration;

use tulou_protocol::{
    MemberGroupId, Permissions,
    command::Edit,
    permission::Place,
    row::{AccessRow, MemberGroup, Topic},
};

use super::*;
use crate::domain::{Member, View, structure::sight::Sight};

/// Longer than it takes to tell them, on any machine.
const DEADLINE: Duration = Duration::from_secs(60);
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
    let mut seen = Vec::new();
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
        seen.push((view.member.account, view.sight.clone()));
        app.hub().present(&loaded, view, app.now());
    }

    // Of how many kinds it was found out, and how many were told.
    let known = || {
        let after = loaded.structure();
        let state = app.hub().state();
        let present = &state.communities[&community].present;
        let is_told = |(account, sight): &&(AccountId, Arc<Sight>)| {
            !Arc::ptr_eq(&present[account].sight, sight)
        };
        let found = if Arc::ptr_eq(&after, &structure) {
            0
        } else {
            after.kinds()
        };
        (found, seen.iter().filter(is_told).count())
    };
    let set = Command::AccessSet {
        community,
        place: Place::Community,
        member_group: None,
        allow: Edit {
            from: Permissions::NEW_COMMUNITY,
            to: Permissions::NEW_COMMUNITY - Permissions::READ_HISTORY,
        },
        deny: Edit {
            from: Permissions::empty(),
            to: Permissions::empty(),
        },
    };
    let given = tokio::spawn({
        let (app, alice) = (app.clone(), alice.clone());
        async move { give(&app, &alice, set).await }
    });
    // One thread: between two turns of this each other has one.
    let (mut at_once, mut before) = (0, 0);
    let told = async {
        loop {
            let (found, told) = known();
            at_once = at_once.max(found - before);
            before = found;
            if told == KINDS {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, told).await.unwrap();
    given.await.unwrap();
    assert!(
        at_once <= KINDS / 4,
        "what {at_once} kinds of members see was found out in one go"
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

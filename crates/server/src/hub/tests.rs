//! What somebody's coming and going costs those who have nothing to do with it.

use tulou_protocol::{
    Row,
    row::{Community, Join},
};
use uuid::Uuid;

use super::*;
use crate::domain::Member;

const OTHERS: u128 = 10_000;

fn id(n: u128) -> CommunityId {
    CommunityId(Uuid::from_u128(n))
}

fn founded(id: CommunityId) -> Structure {
    let community = Community {
        name: "土楼".to_owned(),
        introduction: String::new(),
        owner: AccountId(Uuid::from_u128(7)),
        join: Join::Invite,
        recall_window_ms: 120_000,
        edit_window_ms: None,
        created_at: 0,
        more: Default::default(),
    };
    let row = Row {
        id: id.to_string(),
        rev: Rev(1),
        body: community.into(),
    };
    Structure::from_rows(id, Rev(1), vec![row], Vec::new(), 0, 2).unwrap()
}

fn loaded(community: CommunityId) -> Arc<Loaded> {
    Arc::new(Loaded::new(founded(community), 0))
}

fn view(loaded: &Loaded, account: AccountId) -> View {
    let member = Member {
        account,
        joined_at: 1,
        member_groups: Vec::new(),
        rev: Rev(1),
    };
    View::of(loaded.structure(), member)
}

#[test]
fn who_comes_beats_and_goes_looks_at_his_own_communities_only() {
    let hub = Hub::default();
    let account = AccountId(Uuid::from_u128(1));
    let line = hub.attach(account, SessionId(Uuid::from_u128(1)), Rev(1), 1 << 20);
    let mine = [id(1), id(2), id(3)];
    let all: Vec<_> = mine.iter().map(|community| loaded(*community)).collect();
    for loaded in &all {
        hub.present(loaded, view(loaded, account), 1);
        let other = AccountId(Uuid::from_u128(2));
        hub.attach(other, SessionId(Uuid::from_u128(2)), Rev(1), 1 << 20);
        hub.present(loaded, view(loaded, other), 1);
    }
    // Whoever looked at these would find him there, and take him out.
    let elsewhere = loaded(id(99));
    for n in 0..OTHERS {
        let mut gathering = Gathering::begun(elsewhere.clone(), 1);
        gathering.present.insert(account, view(&elsewhere, account));
        hub.state().communities.insert(id(1_000 + n), gathering);
    }
    let mut found = hub.communities_of(account);
    found.sort_unstable();
    assert_eq!(found, mine, "a heartbeat names his own");
    hub.state().stirred.clear();
    hub.detach(&line);
    assert_eq!(hub.communities_of(account), []);
    let state = hub.state();
    let is_there = |community: &CommunityId| {
        let gathering = &state.communities[community];
        gathering.present.contains_key(&account)
    };
    assert!(!mine.iter().any(is_there));
    assert_eq!(state.stirred.len(), mine.len(), "fewer are connected there");
    let looked_at = (0..OTHERS).filter(|n| !is_there(&id(1_000 + n))).count();
    assert_eq!(looked_at, 0, "nobody looked at the others");
}

#[test]
fn with_the_last_one_a_gathering_is_over_and_nothing_is_left_of_it() {
    let hub = Hub::default();
    let account = AccountId(Uuid::from_u128(1));
    let line = hub.attach(account, SessionId(Uuid::from_u128(1)), Rev(1), 1 << 20);
    let [one, other] = [id(1), id(2)].map(loaded);
    for loaded in [&one, &other] {
        hub.present(loaded, view(loaded, account), 1);
    }
    hub.absent(id(1), account, None);
    assert_eq!(hub.communities_of(account), [id(2)]);
    hub.detach(&line);
    let state = hub.state();
    assert!(state.communities.is_empty() && state.present_in.is_empty());
    assert!(state.stirred.is_empty() && state.told.is_empty());
    assert!(state.signed_in.is_empty());
}

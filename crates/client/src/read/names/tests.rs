use tulou_engine::Write;
use tulou_protocol::{
    Body, CommunityId, Log, Rev, Row,
    row::{AccessRow, Community, Join, MemberGroup, Profile},
};
use uuid::Uuid;

use super::*;
use crate::{read::members::fresh, store::Store};

const OWNER: AccountId = AccountId(Uuid::from_u128(1));
const ME: AccountId = AccountId(Uuid::from_u128(2));
const POSER: AccountId = AccountId(Uuid::from_u128(3));
const KEEPER: AccountId = AccountId(Uuid::from_u128(4));
const BLANK: AccountId = AccountId(Uuid::from_u128(5));
const COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(6));
const KEEPERS: MemberGroupId = MemberGroupId(Uuid::from_u128(7));

fn row(id: String, body: impl Into<Body>) -> Row {
    Row {
        id,
        rev: Rev(1),
        body: body.into(),
    }
}

fn member(account: AccountId, account_name: &str, display_name: &str) -> Member {
    Member {
        account,
        account_name: account_name.into(),
        display_name: display_name.into(),
        joined_at: 1,
        member_groups: if account == KEEPER {
            vec![KEEPERS]
        } else {
            Vec::new()
        },
        online: false,
        seat: false,
    }
}

fn members() -> Vec<Member> {
    vec![
        member(OWNER, "mark", "Mark"),
        member(ME, "me", "Anna"),
        member(POSER, "maark99", "Маrk"),
        member(KEEPER, "keeper", "Keeper"),
        member(BLANK, "blank", "\u{3164}\u{200B}"),
    ]
}

/// A community in which the member group of keepers may remove members.
fn known() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("a.sqlite"), ME).unwrap();
    let community = Community {
        name: "c".into(),
        introduction: String::new(),
        owner: OWNER,
        join: Join::Invite,
        recall_window_ms: 0,
        edit_window_ms: None,
        created_at: 1,
        more: serde_json::Map::new(),
    };
    let keepers = MemberGroup {
        name: "Keepers of the house".into(),
        rank: "V".into(),
        shown: true,
        tagged: false,
        more: serde_json::Map::new(),
    };
    let may_kick = AccessRow {
        place: Place::Community,
        member_group: Some(KEEPERS),
        allow: Permissions::KICK | Permissions::VIEW,
        deny: Permissions::empty(),
        more: serde_json::Map::new(),
    };
    let rows = vec![
        row(COMMUNITY.to_string(), community),
        row(KEEPERS.to_string(), keepers),
        row(AccessRow::id(Place::Community, Some(KEEPERS)), may_kick),
    ];
    store
        .apply(&[Write::Rows(Log::Community(COMMUNITY), rows)], 1)
        .unwrap();
    store
        .keep(|db| members::put(db, COMMUNITY, &members()))
        .unwrap();
    (folder, store)
}

fn shape(store: &Store) -> Shape {
    store
        .read(|db| Shape::load(db, ME, COMMUNITY))
        .unwrap()
        .expect("it is held")
}

fn author(store: &Store, shown: &[AccountId], whom: AccountId) -> AuthorView {
    let shape = shape(store);
    let shown = shown.iter().copied().collect();
    let people = store.read(|db| People::load(db, ME, Some(&shape), &shown));
    people.unwrap().author(whom, Some(&shape))
}

#[test]
fn who_looks_like_the_owner_has_the_account_name_beside_and_no_mark() {
    let (_folder, store) = known();
    let poser = author(&store, &[OWNER, POSER, KEEPER], POSER);
    assert_eq!(poser.account_name.as_deref(), Some("maark99"));
    assert_eq!(poser.mark, None, "no name can imitate it");
    let owner = author(&store, &[OWNER, POSER, KEEPER], OWNER);
    assert_eq!(owner.account_name.as_deref(), Some("mark"));
    assert_eq!(owner.mark, Some(Mark::Owner));
    let keeper = author(&store, &[OWNER, POSER, KEEPER], KEEPER);
    assert_eq!(
        (keeper.account_name, keeper.mark),
        (None, Some(Mark::Staff))
    );
}

#[test]
fn who_takes_the_name_of_a_member_group_has_the_account_name_beside() {
    let (_folder, store) = known();
    let taken = member(POSER, "maark99", "KEEPERS of the һouse");
    store
        .keep(|db| members::put(db, COMMUNITY, &[taken]))
        .unwrap();
    let poser = author(&store, &[POSER], POSER);
    assert_eq!(poser.account_name.as_deref(), Some("maark99"));
    assert_eq!(poser.tag, None, "the tag is shown only where it is real");
}

#[test]
fn only_a_member_group_that_asked_for_it_stands_beside_names() {
    let (_folder, store) = known();
    let tag = || author(&store, &[KEEPER], KEEPER).tag;
    assert_eq!(
        tag(),
        None,
        "a section of the member panel is no tag of itself"
    );
    let low = MemberGroupId(Uuid::from_u128(31));
    let group = |name: &str, rank: &str, tagged| MemberGroup {
        name: name.into(),
        rank: rank.into(),
        shown: false,
        tagged,
        more: serde_json::Map::new(),
    };
    let put = |rows| {
        store
            .apply(&[Write::Rows(Log::Community(COMMUNITY), rows)], 1)
            .unwrap();
    };
    put(vec![row(low.to_string(), group("Helpers", "B", true))]);
    let mut keeper = member(KEEPER, "keeper", "Keeper");
    keeper.member_groups.push(low);
    store
        .keep(|db| members::put(db, COMMUNITY, &[keeper]))
        .unwrap();
    assert_eq!(tag().as_deref(), Some("Helpers"), "the one that has it");
    put(vec![row(KEEPERS.to_string(), group("Keepers", "V", true))]);
    assert_eq!(tag().as_deref(), Some("Keepers"), "of two the higher");
}

#[test]
fn a_name_that_shows_nothing_gives_way_to_the_accounts() {
    let (_folder, store) = known();
    assert_eq!(author(&store, &[BLANK], BLANK).name, "blank");
    let deleted = Profile {
        account_name: String::new(),
        display_name: String::new(),
        introduction: String::new(),
        server_admin: false,
        gone: true,
        more: serde_json::Map::new(),
    };
    assert_eq!(
        or_account_name(&deleted.display_name, &deleted.account_name),
        ""
    );
}

#[test]
fn the_list_of_members_tells_those_apart_who_look_alike() {
    let (_folder, store) = known();
    let listed = tulou_protocol::question::Members {
        sections: vec![tulou_protocol::question::MemberSection {
            member_group: None,
            count: 5,
            members: members(),
        }],
        next: None,
    };
    let view = fresh(&shape(&store), listed, &[]);
    let alike: Vec<(&str, bool, Option<Mark>)> = view.sections[0]
        .members
        .iter()
        .map(|member| (member.name.as_str(), member.looks_alike, member.mark))
        .collect();
    assert_eq!(
        alike,
        [
            ("Mark", true, Some(Mark::Owner)),
            ("Anna", false, None),
            ("Маrk", true, None),
            ("Keeper", false, Some(Mark::Staff)),
            ("blank", false, None),
        ]
    );
}

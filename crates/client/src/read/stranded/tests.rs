use tulou_engine::{OutboxState, Write};
use tulou_protocol::{
    Body, Command, CommandId, Epoch, Greeting, GroupId, Row, ServerId, SessionId,
    limits::Limits,
    row::{LockedTopic, Membership, Topic},
};
use uuid::Uuid;

use super::*;
use crate::{
    shape::Shape,
    store::{
        Store, outbox,
        places::{community_of, memberships},
    },
};

const ME: AccountId = AccountId(Uuid::from_u128(1));
const TOPIC: TopicId = TopicId(Uuid::from_u128(0x2_0000_0000_ABCD));
const OTHER: CommunityId = CommunityId(Uuid::from_u128(4));
const COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(3));
const LOG: Log = Log::Community(COMMUNITY);
const MINE: Log = Log::Account(ME);

fn row(id: String, rev: u64, body: impl Into<Body>) -> Row {
    Row {
        id,
        rev: Rev(rev),
        body: body.into(),
    }
}

fn topic(rev: u64, name: &str) -> Row {
    let body = Topic {
        group: GroupId(Uuid::from_u128(5)),
        name: name.into(),
        introduction: String::new(),
        closed: false,
        position: "V".into(),
        no: 1,
        more: serde_json::Map::new(),
    };
    row(TOPIC.to_string(), rev, body)
}

fn locked(rev: u64) -> Row {
    let body = LockedTopic {
        group: GroupId(Uuid::from_u128(5)),
        name: "general".into(),
        position: "V".into(),
        seats: 2,
        more: serde_json::Map::new(),
    };
    row(TOPIC.to_string(), rev, body)
}

fn community(rev: u64) -> Row {
    let body = tulou_protocol::row::Community {
        name: "c".into(),
        introduction: String::new(),
        owner: AccountId(Uuid::from_u128(9)),
        join: tulou_protocol::row::Join::Invite,
        recall_window_ms: 0,
        edit_window_ms: None,
        created_at: 1,
        more: serde_json::Map::new(),
    };
    row(COMMUNITY.to_string(), rev, body)
}

fn membership(of: CommunityId) -> Row {
    let body = Membership {
        community: of,
        joined_at: 1,
        more: serde_json::Map::new(),
    };
    row(of.to_string(), 1, body)
}

fn gone(kind: &str, id: String, rev: u64) -> Row {
    row(id, rev, Body::from_value(kind, Rev(rev), None))
}

fn greeted(epoch: u128) -> Write {
    Write::Greeted(Box::new(Greeting {
        version: 1,
        server: ServerId(Uuid::from_u128(1)),
        server_name: "s".into(),
        epoch: Epoch(Uuid::from_u128(epoch)),
        session: SessionId(Uuid::from_u128(1)),
        account: ME,
        now: 0,
        limits: Limits::default(),
        account_limits: tulou_protocol::push::AccountLimits::default(),
        addresses: Vec::new(),
    }))
}

fn cursor(log: Log, rev: u64) -> Write {
    Write::Cursor {
        log,
        rev: Rev(rev),
        view: None,
    }
}

/// The whole present state of a log, as a sync brings it.
fn reset(log: Log, rev: u64, rows: Vec<Row>) -> Vec<Write> {
    let kept = rows
        .iter()
        .map(|row| (row.body.kind().to_owned(), row.id.clone()))
        .collect();
    vec![
        Write::Rows(log, rows),
        Write::Reset {
            log,
            rev: Rev(rev),
            kept,
        },
        cursor(log, rev),
    ]
}

fn apply(store: &Store, batch: Vec<Write>) {
    store.apply(&batch, 1).unwrap();
}

fn write(store: &Store, text: &str) -> bool {
    store
        .write(|db| drafts::put(db, TOPIC, text, None))
        .unwrap()
}

/// A store in which I am in a community with one topic, and have begun to write in it.
fn begun() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("a.sqlite"), ME).unwrap();
    apply(&store, vec![greeted(1)]);
    apply(&store, reset(MINE, 1, vec![membership(COMMUNITY)]));
    apply(
        &store,
        reset(LOG, 3, vec![community(1), topic(3, "general")]),
    );
    assert!(write(&store, "half a senten"), "the tree shows a draft");
    assert_eq!(listed(&store), [], "its topic shows it");
    (folder, store)
}

/// Names and texts of what is listed.
fn listed(store: &Store) -> Vec<(String, String)> {
    let views = store.read(|db| {
        stranded(db, ME, &memberships(db, ME)?, |topic| {
            let Some(community) = community_of(db, topic)? else {
                return Ok(false);
            };
            let shape = Shape::load(db, ME, community)?;
            Ok(shape.is_some_and(|shape| shape.topic(topic).is_some_and(|topic| !topic.is_locked)))
        })
    });
    let pair = |view: StrandedView| (view.name, view.text);
    views.unwrap().into_iter().map(pair).collect()
}

fn general() -> [(String, String); 1] {
    [("general".into(), "half a senten".into())]
}

#[test]
fn a_draft_is_listed_when_its_topic_is_deleted_and_not_when_it_is_back() {
    let (_folder, store) = begun();
    let tombstone = gone("topic", TOPIC.to_string(), 4);
    apply(
        &store,
        vec![
            Write::Forget(Log::Topic(TOPIC)),
            Write::Rows(LOG, vec![tombstone]),
            cursor(LOG, 4),
        ],
    );
    assert_eq!(listed(&store), general());
    apply(&store, vec![Write::Rows(LOG, vec![topic(5, "general")])]);
    assert_eq!(listed(&store), [], "its topic shows it again");
    let draft = store.read(|db| drafts::one(db, TOPIC)).unwrap();
    assert_eq!(draft.unwrap().0, "half a senten");
}

#[test]
fn a_draft_is_listed_when_its_topic_is_hidden_or_locked() {
    for rows in [vec![community(1)], vec![community(1), locked(4)]] {
        let (_folder, store) = begun();
        apply(&store, vec![Write::Forget(Log::Topic(TOPIC))]);
        apply(&store, reset(LOG, 4, rows));
        assert_eq!(listed(&store), general());
        apply(
            &store,
            reset(LOG, 5, vec![community(1), topic(3, "general")]),
        );
        assert_eq!(listed(&store), [], "its topic shows it again");
    }
}

#[test]
fn a_draft_is_listed_when_its_community_is_left() {
    let (_folder, store) = begun();
    apply(
        &store,
        vec![
            Write::Forget(LOG),
            Write::Rows(MINE, vec![gone("membership", COMMUNITY.to_string(), 2)]),
            cursor(MINE, 2),
        ],
    );
    assert_eq!(listed(&store), general());
    apply(&store, vec![Write::Rows(MINE, vec![membership(OTHER)])]);
    assert_eq!(listed(&store), general(), "whatever else is on its way");
}

#[test]
fn nothing_is_listed_before_what_could_bring_the_topic_is_there() {
    for has_topic in [true, false] {
        let (_folder, store) = begun();
        apply(
            &store,
            vec![
                Write::Forget(Log::Topic(TOPIC)),
                Write::Forget(MINE),
                Write::Forget(LOG),
                greeted(2),
            ],
        );
        assert_eq!(listed(&store), [], "the server was restored");
        apply(&store, reset(MINE, 1, vec![membership(COMMUNITY)]));
        assert_eq!(listed(&store), [], "the community is on its way");
        let mut rows = vec![community(1)];
        rows.extend(has_topic.then(|| topic(2, "general")));
        apply(&store, reset(LOG, 2, rows));
        let expected = if has_topic {
            vec![]
        } else {
            general().to_vec()
        };
        assert_eq!(listed(&store), expected);
    }
}

#[test]
fn a_draft_whose_community_was_never_known_waits_for_all_of_them() {
    for has_topic in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.sqlite"), ME).unwrap();
        write(&store, "half a senten");
        let joined = vec![membership(COMMUNITY), membership(OTHER)];
        apply(&store, reset(MINE, 1, joined));
        apply(&store, reset(Log::Community(OTHER), 1, Vec::new()));
        assert_eq!(listed(&store), [], "it may stand in the other one");
        let mut rows = vec![community(1)];
        rows.extend(has_topic.then(|| topic(2, "general")));
        apply(&store, reset(LOG, 2, rows));
        let nameless = (String::new(), "half a senten".to_owned());
        let expected = if has_topic { vec![] } else { vec![nameless] };
        assert_eq!(listed(&store), expected);
        apply(&store, reset(LOG, 3, vec![community(1)]));
        let name = if has_topic { "general" } else { "" };
        let expected = [(name.to_owned(), "half a senten".to_owned())];
        assert_eq!(listed(&store), expected, "what it stood in is known since");
    }
}

#[test]
fn a_draft_has_the_newest_name_of_its_topic_and_keeps_it_when_more_is_written() {
    let (_folder, store) = begun();
    apply(&store, vec![Write::Rows(LOG, vec![topic(6, "news")])]);
    apply(&store, vec![Write::Rows(LOG, vec![topic(5, "late")])]);
    apply(&store, reset(LOG, 7, vec![community(1)]));
    assert!(write(&store, "half a sentence"), "it is listed elsewhere");
    // Another community is on its way: whoever knows where the draft stood need not wait for it.
    apply(&store, vec![Write::Rows(MINE, vec![membership(OTHER)])]);
    assert_eq!(
        listed(&store),
        [("news".into(), "half a sentence".to_owned())]
    );
    assert!(write(&store, ""), "it is listed no longer");
    assert_eq!(listed(&store), []);
}

#[test]
fn blanks_are_no_draft() {
    let (_folder, store) = begun();
    write(&store, " \n");
    apply(&store, reset(LOG, 4, vec![community(1)]));
    assert_eq!(listed(&store), []);
}

#[test]
fn a_draft_for_a_topic_that_could_not_be_made_is_listed_under_the_name_it_was_to_have() {
    let (_folder, store) = begun();
    apply(&store, reset(LOG, 4, vec![community(1)]));
    write(&store, "");
    let create = Command::TopicCreate {
        community: COMMUNITY,
        topic: TOPIC,
        group: GroupId(Uuid::from_u128(5)),
        name: "plans".into(),
        introduction: String::new(),
        closed: false,
        position: "V".into(),
    };
    let id = CommandId(Uuid::from_u128(7));
    store
        .write(|db| outbox::push(db, id, create, 1, OutboxState::Waiting))
        .unwrap();
    assert!(write(&store, "first"), "the tree shows a draft");
    assert!(!write(&store, "first of all"), "and nothing else of it");
    assert_eq!(listed(&store), []);
    store.write(|db| outbox::remove(db, id)).unwrap();
    let expected = [("plans".to_owned(), "first of all".to_owned())];
    assert_eq!(listed(&store), expected);
}

#[test]
fn a_store_that_is_begun_anew_has_the_names_from_the_file_or_from_the_copy_beside_it() {
    let (folder, store) = begun();
    apply(&store, reset(LOG, 4, vec![community(1)]));
    store.mend(1).unwrap();
    assert_eq!(
        listed(&store),
        [],
        "which communities there are is not known"
    );
    apply(&store, reset(MINE, 1, Vec::new()));
    assert_eq!(listed(&store), general());

    store.copy_spare().unwrap();
    drop(store);
    let path = folder.path().join("a.sqlite");
    std::fs::write(&path, [7; 10_000]).unwrap();
    let store = Store::shut(&path, ME);
    store.reopen(2, true).unwrap();
    apply(&store, reset(MINE, 1, Vec::new()));
    assert_eq!(listed(&store), general());
}

#[test]
fn a_copy_beside_the_store_that_an_older_version_made_is_read() {
    let old = format!(r#"{{"topic":"{TOPIC}","text":"half a senten","reply_to":null}}"#);
    let draft: drafts::Draft = serde_json::from_str(&old).unwrap();
    assert_eq!((draft.community, draft.name.as_str()), (None, ""));
}

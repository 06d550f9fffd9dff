use proptest::prelude::*;
use tulou_engine::{OutboxState, TopicHead, Write};
use tulou_protocol::{
    Body, Command, CommandId, CommunityId, GroupId, Log, MemberGroupId, MessageId, Rev, Row, Seq,
    TopicId,
    push::{ReadBefore, WideMention},
    row::{
        Community, Cursor, Group, Join, Level, LockedTopic, Mention, MessageKey, More, Notify,
        NotifyScope, Topic,
    },
};
use uuid::Uuid;

use super::{session::LATEST, *};
use crate::store::outbox;

const ME: AccountId = AccountId(Uuid::from_u128(1));
const OTHER: AccountId = AccountId(Uuid::from_u128(7));
const COMMUNITY: CommunityId = CommunityId(Uuid::from_u128(2));

fn account(folder: &std::path::Path) -> Arc<Account> {
    account_of(Store::open(&folder.join("a.sqlite"), ME).unwrap(), ME)
}

/// An account over a store, without a driver.
pub fn account_of(store: Store, me: AccountId) -> Arc<Account> {
    let known = Known {
        server: ServerId(Uuid::from_u128(3)),
        account: me,
        name: "alice".into(),
        server_name: "s".into(),
        addresses: Vec::new(),
        key: None,
    };
    let (wishes, _) = mpsc::channel(1);
    let (board, nearby) = (Board::default(), Arc::default());
    Arc::new(Account::new(
        known,
        Arc::new(store),
        wishes,
        board,
        nearby,
        Arc::new(AtomicU64::new(u64::MAX)),
    ))
}

/// The community gets a name, and those who look are told.
fn rename(account: &Account, rev: u64, name: &str) {
    let row = Row {
        id: COMMUNITY.to_string(),
        rev: Rev(rev),
        body: Community {
            name: name.into(),
            introduction: String::new(),
            owner: ME,
            join: Join::Invite,
            recall_window_ms: 0,
            edit_window_ms: None,
            created_at: 0,
            more: More::new(),
        }
        .into(),
    };
    let change = Write::Rows(Log::Community(COMMUNITY), vec![row]);
    let touched = account.store.apply(&[change], 1).unwrap();
    account.note(&touched).unwrap();
}

fn name(snapshot: &Snapshot<'_>) -> Result<String, Error> {
    let shape = snapshot.shape(COMMUNITY)?;
    Ok(shape.expect("it is known").name.clone())
}

#[tokio::test]
async fn a_structure_that_was_read_before_it_changed_is_not_kept_after() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    rename(&account, 1, "old");
    let read = account.read(|snapshot| {
        // The snapshot begins with the first look.
        snapshot.memberships()?;
        rename(snapshot.account, 2, "new");
        name(snapshot)
    });
    assert_eq!(read.await.unwrap(), "old", "as of the snapshot");
    assert_eq!(account.read(name).await.unwrap(), "new");
    let kept = account.views().shapes.len();
    assert_eq!(kept, 1, "what is read after it is kept");
}

#[tokio::test]
async fn rows_from_before_a_change_are_not_read_with_the_structure_from_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    rename(&account, 1, "old");
    let read = account.read(|snapshot| {
        snapshot.memberships()?;
        rename(snapshot.account, 2, "new");
        // Somebody else reads what is there now, and it is kept.
        let other = snapshot.account.look(name)?;
        Ok((other, name(snapshot)?))
    });
    let (other, here) = read.await.unwrap();
    assert_eq!(other, "new");
    assert_eq!(here, "old", "as the rows of this snapshot");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_shown_is_asked_for_again_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    let asked = || account.strangers(COMMUNITY, [ME].into()).len();
    assert_eq!((asked(), asked()), (1, 0), "not at each reading");
    tokio::time::advance(meeting::MEET_AGAIN).await;
    assert_eq!(asked(), 1, "he may stand in another member group");
}

#[tokio::test]
async fn how_many_are_there_has_a_note_of_its_own_and_reloads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    rename(&account, 1, "a");
    let counts = |members, online| {
        let counts = tulou_engine::Counts { members, online };
        let change = Write::Counts(COMMUNITY, counts);
        let touched = account.store.apply(&[change], 1).unwrap();
        account.note(&touched).unwrap();
    };
    counts(100_000, 10);
    let shape = account
        .read(|snapshot| Ok(snapshot.shape(COMMUNITY)?))
        .await
        .unwrap()
        .unwrap();
    let mut changes = account.board.listen();
    counts(100_001, 900);
    let told = changes.next().await.unwrap();
    let note = Change::Counts {
        account: account.key.clone(),
        community: COMMUNITY.to_string(),
    };
    assert_eq!(told, [note], "and no other");
    let kept = account
        .read(|snapshot| Ok(snapshot.shape(COMMUNITY)?))
        .await
        .unwrap()
        .unwrap();
    assert!(Arc::ptr_eq(&shape, &kept), "25,000 rows are not read again");
    counts(150, 90);
    let told = changes.next().await.unwrap();
    assert!(
        told.len() > 1,
        "in a small community levels that nobody set are others: {told:?}"
    );
}

#[tokio::test]
async fn a_server_that_names_an_absurd_time_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    account.set_server_time(5);
    assert!(account.as_of().server_now() < 60_000, "its time, not ours");
    for absurd in [i64::MAX, i64::MIN, -1] {
        account.set_server_time(absurd);
        let now = account.as_of().server_now();
        assert!((0..=LATEST + 60_000).contains(&now), "{absurd}: {now}");
    }
}

#[tokio::test]
async fn whoever_signed_out_or_in_is_not_signed_in_by_what_the_keyring_says_later() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    let asked = account
        .wants_kept_token()
        .expect("it is asked at the start");
    // There is no driver, which would be told.
    let _ = account.use_token(None).await;
    let _ = account.use_kept_token(Some("kept".into()), asked).await;
    assert_eq!(account.token(), None, "the person signed out meanwhile");
    assert_eq!(account.wants_kept_token(), None, "nor is it asked again");
    let _ = account.use_token(Some("new".into())).await;
    let _ = account.use_kept_token(Some("kept".into()), asked).await;
    assert_eq!(account.token().as_deref(), Some("new"));
}

#[tokio::test]
async fn while_the_keyring_is_waited_for_nothing_is_on_its_way() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    assert!(!account.as_of().is_linked, "what is held is all there is");
    let _ = account.use_token(Some("token".into())).await;
    assert!(account.as_of().is_linked, "a link is being opened");
}

#[tokio::test]
async fn a_level_ends_by_the_clock_of_this_computer_whatever_the_servers_says() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    let mut rev = 0;
    found(&account, &mut rev, 1);
    let hour = 3_600_000;
    // The server's clock is an hour ahead of this computer's.
    account.set_server_time(crate::as_of::now() + hour);
    let ends = account.as_of().server_now() + hour;
    let notify = Notify {
        level: Level::Nothing,
        until: Some(ends),
        more: More::new(),
    };
    let row = next_row(&mut rev, &NotifyScope::Topic(topic(0)).key(), notify);
    apply(&account, &[Write::Rows(Log::Account(ME), vec![row])]);
    let tree = account.read(|snapshot| crate::read::tree::tree(snapshot, COMMUNITY));
    let shown = tree.await.unwrap().levels_end_at.expect("it ends");
    let left = shown - crate::as_of::now();
    assert!(
        (hour - 60_000..=hour).contains(&left),
        "the window would look again and again until then: {left} ms"
    );
}

const GROUP: GroupId = GroupId(Uuid::from_u128(5));
const OTHER_GROUP: GroupId = GroupId(Uuid::from_u128(6));

fn topic(number: usize) -> TopicId {
    TopicId(Uuid::from_u128(1_000 + number as u128))
}

fn message(topic: usize, seq: u64) -> MessageId {
    MessageId(Uuid::from_u64_pair(topic as u64 + 1, seq))
}

/// A row at the next rev.
fn next_row(rev: &mut u64, id: &impl ToString, body: impl Into<Body>) -> Row {
    *rev += 1;
    Row {
        id: id.to_string(),
        rev: Rev(*rev),
        body: body.into(),
    }
}

fn topic_row(rev: &mut u64, number: usize, is_locked: bool) -> Row {
    let group = if number.is_multiple_of(3) {
        OTHER_GROUP
    } else {
        GROUP
    };
    let name = format!("t{number}");
    let position = format!("{:02x}", number % 200);
    let id = topic(number);
    if is_locked {
        let locked = LockedTopic {
            group,
            name,
            position,
            seats: 1,
            more: More::new(),
        };
        return next_row(rev, &id, locked);
    }
    let open = Topic {
        group,
        name,
        introduction: String::new(),
        closed: true,
        position,
        no: 0,
        more: More::new(),
    };
    next_row(rev, &id, open)
}

fn apply(account: &Account, changes: &[Write]) {
    let touched = account.store.apply(changes, 1).unwrap();
    account.note(&touched).unwrap();
}

/// A community of so many topics.
fn found(account: &Account, rev: &mut u64, topics: usize) {
    rename(account, 1, "c");
    *rev = 1;
    let group = |name: &str| Group {
        name: name.into(),
        position: "80".into(),
        more: More::new(),
    };
    let mut rows = vec![
        next_row(rev, &GROUP, group("g")),
        next_row(rev, &OTHER_GROUP, group("h")),
    ];
    rows.extend((0..topics).map(|number| topic_row(rev, number, false)));
    let joined = tulou_protocol::row::Membership {
        community: COMMUNITY,
        joined_at: 0,
        more: More::new(),
    };
    let membership = next_row(rev, &COMMUNITY, joined);
    apply(
        account,
        &[
            Write::Rows(Log::Community(COMMUNITY), rows),
            Write::Rows(Log::Account(ME), vec![membership]),
        ],
    );
}

fn head(number: usize, seq: u64, wide: &[u64]) -> Write {
    let wide_mentions = wide.iter().map(|seq| WideMention {
        seq: Seq(*seq),
        author: if seq % 3 == 0 { ME } else { OTHER },
        member_group: Some(MemberGroupId(Uuid::from_u128(9))).filter(|_| seq % 2 == 0),
    });
    let head = TopicHead {
        seq: Seq(seq),
        rev: Rev(seq),
        floor: Seq(1),
        wide_mentions: wide_mentions.collect(),
        read: Some(ReadBefore::default()),
    };
    Write::Head(topic(number), head)
}

fn queue(account: &Account, command: Command) {
    let id = CommandId(Uuid::now_v7());
    let push = |db: &rusqlite::Transaction<'_>| {
        outbox::push(db, id, command.clone(), 0, OutboxState::Waiting)
    };
    account.store.write(push).unwrap();
    account.note_command(&command).unwrap();
}

/// The numbers of some topics, as they are kept.
fn kept(account: &Arc<Account>, topics: &[usize]) -> Numbered {
    let topics: Vec<TopicId> = topics.iter().map(|number| topic(*number)).collect();
    let read = |snapshot: &Snapshot<'_>| {
        let shape = snapshot.community(COMMUNITY)?;
        Ok::<_, Error>(snapshot.numbered(&shape, &topics)?)
    };
    let mut numbered = account.look(read).unwrap();
    numbered.groups.sort_by_key(|(group, _)| *group);
    numbered
}

/// Something that moves numbers, or what they rest on.
fn step(account: &Account, rev: &mut u64, (what, number, value): (u8, usize, u64)) {
    let id = topic(number);
    let own = |row: Row| Write::Rows(Log::Account(ME), vec![row]);
    match what {
        0 | 1 => {
            let wide = [value / 2, value];
            let Write::Head(id, mut head) = head(number, value, &wide[..usize::from(what) * 2])
            else {
                return;
            };
            // Not told; nothing; before a row, or over one.
            let before = ReadBefore {
                seq: Seq(value / 3),
                own: value / 6,
                over: Rev(*rev * (value % 2)),
            };
            head.read = [None, Some(ReadBefore::default()), Some(before)][value as usize % 3];
            apply(account, &[Write::Head(id, head)]);
        }
        2 => {
            let cursor = Cursor {
                seq: Seq(value / 2),
                own: 0,
                set_no: 0,
                more: More::new(),
            };
            let row = next_row(rev, &id, cursor);
            apply(account, &[own(row)]);
        }
        3 => {
            let mention = Mention {
                topic: id,
                seq: Seq(value),
                sent_at: 0,
                by_edit: value % 3 == 0,
                more: More::new(),
            };
            let key = MessageKey::of(id, message(number, value));
            let row = next_row(rev, &key, mention);
            apply(account, &[own(row)]);
        }
        4 => {
            let scope = match value % 3 {
                0 => NotifyScope::Topic(id),
                1 => NotifyScope::Group(GROUP),
                _ => NotifyScope::Global,
            };
            let levels = [Level::All, Level::Mentions, Level::Nothing, Level::Inherit];
            let level = levels[number % 4];
            if value % 2 == 0 {
                let command = Command::NotifySet {
                    scope,
                    level,
                    until: None,
                };
                queue(account, command);
            } else {
                let body = Notify {
                    level,
                    until: None,
                    more: More::new(),
                };
                let row = next_row(rev, &scope.key(), body);
                apply(account, &[own(row)]);
            }
        }
        5 => queue(
            account,
            Command::CursorAdvance {
                topic: id,
                seq: Seq(value),
                set_no: 0,
            },
        ),
        6 => queue(
            account,
            Command::MentionSeen {
                topic: id,
                message: message(number, value),
                seen: value % 2 == 0,
            },
        ),
        7 => queue(
            account,
            Command::CursorSet {
                topic: id,
                seq: Seq(value / 2),
            },
        ),
        8 => {
            let content = tulou_protocol::row::Content {
                author: if value % 2 == 0 { ME } else { OTHER },
                sent_at: 0,
                written_at: None,
                text: "x".into(),
                reply_to: None,
                edited_at: None,
                recalled_by: None,
                more: More::new(),
            };
            let written = tulou_protocol::row::Message {
                seq: Seq(value + 1),
                content: Some(content),
                content_rev: Rev(1),
                marks: None,
                marks_rev: Rev::ZERO,
                more: More::new(),
            };
            let row = next_row(rev, &message(number, value + 1), written);
            apply(account, &[Write::Rows(Log::Topic(id), vec![row])]);
        }
        9 => {
            let gone = Write::DropRange(id, Seq(1), Seq(value));
            apply(account, &[gone]);
        }
        _ => {
            let row = topic_row(rev, number, value % 2 == 0);
            apply(
                account,
                &[Write::Rows(Log::Community(COMMUNITY), vec![row])],
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn numbers_that_are_kept_are_what_a_recount_says(
        steps in prop::collection::vec((0_u8..11, 0_usize..6, 0_u64..12), 1..40),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let account = account(folder.path());
        let mut rev = 0;
        found(&account, &mut rev, 6);
        let all = [0, 1, 2, 3, 4, 5];
        for (at, one) in steps.iter().enumerate() {
            step(&account, &mut rev, *one);
            // Now and then several moved since somebody looked.
            if at % 3 == 0 {
                continue;
            }
            let counted = kept(&account, &all);
            account.views().drop_tallies();
            prop_assert_eq!(&counted, &kept(&account, &all), "after {:?}", &steps[..=at]);
        }
    }
}

#[test]
fn messages_of_mine_that_come_and_go_move_the_numbers_they_are_no_part_of() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    let mut rev = 0;
    found(&account, &mut rev, 1);
    let unread = || kept(&account, &[0]).whole.unread;
    // Ten messages, marked unread from the third on.
    step(&account, &mut rev, (0, 0, 10));
    step(&account, &mut rev, (7, 0, 4));
    assert_eq!(unread(), 8);
    step(&account, &mut rev, (8, 0, 6));
    assert_eq!(unread(), 7, "the seventh is mine");
    step(&account, &mut rev, (9, 0, 8));
    assert_eq!(unread(), 8, "there is no room for it any more");
}

#[test]
fn a_message_in_one_topic_reads_nothing_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    found(&account, &mut 0, 200);
    assert_eq!(kept(&account, &[]).whole.unread, 0, "all is counted once");
    // Nobody says that anything moved in these, so whoever reads them finds out.
    for number in 1..200 {
        account.store.apply(&[head(number, 50, &[])], 1).unwrap();
    }
    apply(&account, &[head(0, 3, &[])]);
    let numbered = kept(&account, &[0]);
    assert_eq!(numbered.topics[0].1.unread, 3, "the one that moved");
    assert_eq!(numbered.whole.unread, 3, "and no other");
    account.views().drop_tallies();
    assert_eq!(kept(&account, &[]).whole.unread, 3 + 199 * 50);
}

#[tokio::test]
async fn a_number_that_moves_makes_nothing_stale_but_itself() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    found(&account, &mut 0, 3);
    let mut changes = account.board.listen();
    apply(&account, &[head(2, 1, &[])]);
    let badge = Change::Badge {
        account: account.key.clone(),
        community: COMMUNITY.to_string(),
        topic: topic(2).to_string(),
    };
    assert_eq!(changes.next().await, Some(vec![badge.clone()]));
    account.enter(ViewerId(1), topic(2), Entered::default());
    apply(&account, &[head(2, 2, &[])]);
    assert_eq!(
        changes.next().await,
        Some(vec![badge, account.timeline(topic(2))]),
        "where it is shown, its timeline says how much is unread as well"
    );
}

#[tokio::test]
async fn a_number_that_was_read_before_it_moved_is_not_kept_after() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    found(&account, &mut 0, 3);
    for seq in [1, 2] {
        let read = account.read(move |snapshot| {
            // The snapshot begins with the first look.
            snapshot.memberships()?;
            apply(snapshot.account, &[head(2, seq, &[])]);
            let shape = snapshot.community(COMMUNITY)?;
            Ok(snapshot.numbered(&shape, &[topic(2)])?.whole.unread)
        });
        assert_eq!(read.await.unwrap(), seq as u32 - 1, "as of the snapshot");
        assert_eq!(kept(&account, &[]).whole.unread, seq as u32);
    }
}

#[test]
fn a_topic_is_on_a_screen_until_the_last_who_looks_at_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let account = account(folder.path());
    let mut screens = account.watch_screens();
    let (one, other) = (ViewerId(1), ViewerId(2));
    for (viewer, number) in [(one, 1), (one, 2), (other, 2)] {
        account.enter(viewer, topic(number), Entered::default());
    }
    let shown = screens.borrow_and_update().clone();
    assert_eq!(shown, BTreeSet::from([topic(1), topic(2)]));
    account.leave(one, topic(2));
    assert!(
        !screens.has_changed().unwrap(),
        "the other looks at it still: it is watched on"
    );
    account.enter(one, topic(2), Entered::default());
    account.leave_all(other);
    assert!(!screens.has_changed().unwrap());
    account.leave_all(one);
    assert!(screens.borrow_and_update().is_empty(), "nobody looks");
}

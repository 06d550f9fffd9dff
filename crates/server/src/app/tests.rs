//! What time and memory do to an app.

mod answers;
mod budgets;
mod bus;
mod clock;
mod coming;
mod cost;
mod elsewhere;
mod ending;
mod filled;
mod floors;
mod heads;
mod house;
mod joining;
mod leaps;
mod loading;
mod order;
mod paging;
mod reading;
mod telling;

use std::sync::Arc;

use tulou_protocol::{
    AccountId, Code, Command, CommandId, Commanded, CommunityId, GroupId, Log, MessageId, Question,
    Rev, Seq, TopicId,
    frame::Refusal,
    limits,
    push::SyncOutcome,
    question::{PageAt, SyncLog, Synced, Told},
    row::{Body, Mention},
};
use uuid::Uuid;

use super::App;
use crate::{
    Config,
    actor::Origin,
    domain::{Change, change::Sent},
    hub::Line,
    store::{Commit, NewAccount},
};

const DAY_MS: i64 = 24 * 3_600 * 1_000;

async fn app() -> (App, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (open(folder.path()).await, folder)
}

async fn open(folder: &std::path::Path) -> App {
    let config = Config {
        data: folder.to_owned(),
        ..Config::default()
    };
    App::open(config).await.unwrap()
}

/// An account that is connected.
async fn account(app: &App, name: &str) -> Arc<Line> {
    let id = AccountId(Uuid::now_v7());
    let made = app
        .store()
        .create_account(NewAccount {
            id,
            name: name.to_owned(),
            display_name: name.to_owned(),
            password: "hash".to_owned(),
            codes: Vec::new(),
            unless_first: None,
            invite: None,
            now: app.now(),
        })
        .await
        .unwrap();
    assert_eq!(made, Ok(id), "the name is free");
    app.hub().attach(
        id,
        tulou_protocol::SessionId(Uuid::now_v7()),
        Rev(1),
        1 << 20,
    )
}

async fn give(app: &App, line: &Arc<Line>, command: Command) {
    let commanded = Commanded {
        id: CommandId(Uuid::now_v7()),
        command,
    };
    app.begin(line.actor.clone(), commanded)
        .await
        .await
        .unwrap_or_else(|refusal| panic!("{refusal:?}"));
}

/// Everything that was committed so far was told to those who are connected: what is committed after it is.
pub(crate) async fn settled(app: &App) {
    let nobody = AccountId(Uuid::now_v7());
    let line = app.hub().attach(
        nobody,
        tulou_protocol::SessionId(Uuid::now_v7()),
        Rev(1),
        1 << 20,
    );
    let mention = Mention {
        topic: TopicId(Uuid::now_v7()),
        seq: tulou_protocol::Seq(1),
        sent_at: 1,
        by_edit: false,
        more: Default::default(),
    };
    let change = Change::Row {
        log: Log::Account(nobody),
        id: Uuid::now_v7().to_string(),
        body: mention.into(),
    };
    let commit = Commit::of_server(nobody, app.now(), vec![change]);
    app.store().commit(commit).await.unwrap();
    line.woken().await;
    app.hub().detach(&line);
}

async fn found(app: &App, line: &Arc<Line>) -> (CommunityId, TopicId) {
    let (community, topic) = (CommunityId(Uuid::now_v7()), TopicId(Uuid::now_v7()));
    let found = Command::CommunityCreate {
        community,
        name: "土楼".to_owned(),
        group: GroupId(Uuid::now_v7()),
        group_name: "大厅".to_owned(),
        topic,
        topic_name: "闲聊".to_owned(),
    };
    give(app, line, found).await;
    (community, topic)
}

/// Somebody joins by a link that the owner makes.
async fn join(app: &App, owner: &Arc<Line>, line: &Arc<Line>, community: CommunityId) {
    let question = Question::InviteCreate {
        community,
        expires_at: None,
        max_uses: None,
    };
    let Ok(Told::Invite(invite)) = app.ask(&owner.actor, question).await else {
        panic!("the owner invites")
    };
    let join = Command::CommunityJoin {
        community,
        invite: Some(invite.code),
    };
    give(app, line, join).await;
}

/// A closed topic in a group of its own.
async fn room(app: &App, owner: &Arc<Line>, community: CommunityId) -> TopicId {
    let (group, topic) = (GroupId(Uuid::now_v7()), TopicId(Uuid::now_v7()));
    let shelf = Command::GroupCreate {
        community,
        group,
        name: "管理".to_owned(),
        position: "b".to_owned(),
    };
    give(app, owner, shelf).await;
    let room = Command::TopicCreate {
        community,
        group,
        topic,
        name: "密室".to_owned(),
        introduction: String::new(),
        closed: true,
        position: "a".to_owned(),
    };
    give(app, owner, room).await;
    topic
}

/// What somebody writes, as it is committed.
fn written(topic: TopicId, message: MessageId, author: AccountId, text: &str) -> Change {
    Change::Send(Box::new(Sent {
        topic,
        message,
        author,
        author_rev: Rev(1),
        text: text.to_owned(),
        reply_to: None,
        written_at: None,
        mentions: Vec::new(),
        wide: Vec::new(),
        reader: crate::domain::Reader::ALWAYS,
    }))
}

async fn sync(app: &App, account: AccountId, since: Rev) -> SyncOutcome {
    let asked = SyncLog {
        log: Log::Account(account),
        since,
        begun: None,
        view: None,
        ranges: Vec::new(),
        without_tail: false,
    };
    let synced = app.sync(account, vec![asked]).await.unwrap();
    let mut synced: Synced = serde_json::from_str(&synced).unwrap();
    synced.logs.remove(0).outcome
}

#[tokio::test]
async fn mentions_become_tombstones_after_ninety_days_and_who_missed_these_is_told_everything() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let topic = TopicId(Uuid::now_v7());
    let now = app.now();
    for n in 0..3_u64 {
        let mention = Mention {
            topic,
            seq: tulou_protocol::Seq(n),
            sent_at: now,
            by_edit: false,
            more: Default::default(),
        };
        let commit = Commit {
            account: alice.account(),
            command: CommandId(Uuid::now_v7()),
            origin: Origin::SERVER,
            is_apart: false,
            // The last one is younger.
            now: if n == 2 { now + 50 * DAY_MS } else { now },
            expects: Vec::new(),
            changes: vec![Change::Row {
                log: Log::Account(alice.account()),
                id: tulou_protocol::GroupId(Uuid::from_u128(u128::from(n))).to_string(),
                body: mention.into(),
            }],
        };
        app.store().commit(commit).await.unwrap();
    }
    let kinds = |outcome: &SyncOutcome| -> (usize, usize) {
        let (SyncOutcome::Rows { rows, .. } | SyncOutcome::Reset { rows, .. }) = outcome else {
            panic!("{outcome:?}")
        };
        let mentions = rows.iter().filter(|row| row.body.kind() == "mention");
        let gone = mentions
            .clone()
            .filter(|row| matches!(row.body, Body::Deleted(_)));
        (mentions.count(), gone.count())
    };
    app.age(now + 89 * DAY_MS).await.unwrap();
    assert_eq!(kinds(&sync(&app, alice.account(), Rev(1)).await), (3, 0));
    app.age(now + 91 * DAY_MS).await.unwrap();
    let told = sync(&app, alice.account(), Rev(2)).await;
    assert!(matches!(told, SyncOutcome::Rows { .. }), "{told:?}");
    assert_eq!(kinds(&told), (3, 2), "two are old, and he is told so");
    settled(&app).await;
    let (frames, _) = alice.take();
    assert!(
        frames
            .iter()
            .any(|frame| frame.contains("\"deleted\":true")),
        "who is connected is told at once"
    );
    app.age(now + 122 * DAY_MS).await.unwrap();
    let told = sync(&app, alice.account(), Rev(2)).await;
    assert!(matches!(told, SyncOutcome::Reset { .. }), "{told:?}");
    assert_eq!(kinds(&told), (1, 0), "their tombstones are forgotten");
    let SyncOutcome::Reset { rev, .. } = told else {
        panic!("{told:?}")
    };
    let told = sync(&app, alice.account(), rev).await;
    assert!(
        matches!(&told, SyncOutcome::Rows { rows, .. } if rows.is_empty()),
        "who is up to date is not reset: {told:?}"
    );
    app.close().await;
}

#[tokio::test]
async fn who_begins_anew_is_told_that_there_is_nothing_else() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let told = sync(&app, alice.account(), Rev::ZERO).await;
    assert!(
        matches!(&told, SyncOutcome::Reset { rows, begun: None, .. } if !rows.is_empty()),
        "what could not be read made him ask again, and he holds what ended meanwhile: {told:?}"
    );
    app.close().await;
}

#[tokio::test]
async fn communities_that_nobody_is_connected_for_leave_memory_and_come_back() {
    let (app, _folder) = app().await;
    let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
    let (kept, _) = found(&app, &bob).await;
    app.hub().detach(&alice);
    let mut others = Vec::new();
    for _ in 0..crate::communities::IDLE * 2 {
        others.push(found(&app, &alice).await);
    }
    let in_memory = || app.communities().count();
    assert!(
        in_memory() <= crate::communities::IDLE + 1,
        "{} are in memory",
        in_memory()
    );
    assert!(
        app.communities().known_structure(kept).is_some(),
        "what somebody is connected for stays"
    );
    let (first, topic) = others[0];
    assert!(
        app.communities().known_structure(first).is_none(),
        "it was used long ago"
    );
    let seen = app
        .communities()
        .visible(topic, alice.account())
        .await
        .unwrap();
    assert!(seen.is_some(), "it is read again when it is asked for");
    assert!(app.communities().known_structure(first).is_some());
    app.close().await;
}

#[tokio::test]
async fn a_community_that_ends_is_removed_step_by_step_and_its_members_are_told() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let (community, topic) = found(&app, &alice).await;
    give(&app, &alice, Command::CommunityDissolve { community }).await;
    assert!(app.communities().loaded(community).await.unwrap().is_none());
    assert!(
        app.communities()
            .visible(topic, alice.account())
            .await
            .unwrap()
            .is_none()
    );
    app.remove_ended().await.unwrap();
    let told = sync(&app, alice.account(), Rev(1)).await;
    let SyncOutcome::Rows { rows, .. } = told else {
        panic!("{told:?}")
    };
    let membership = rows.iter().find(|row| row.id == community.to_string());
    assert!(
        membership.is_some_and(|row| matches!(row.body, Body::Deleted(_))),
        "{rows:?}"
    );
    assert_eq!(app.store().bereft(10).await.unwrap(), [], "nobody is left");
    app.close().await;
}

/// Messages of a topic as whoever may read all of it sees them: when each was sent.
async fn sent_at(app: &App, topic: TopicId) -> Vec<i64> {
    let page = app.store().page(topic, PageAt::End, 100, None).await;
    let rows = page.unwrap().unwrap().rows;
    let times = rows.iter().filter_map(|row| {
        if let Body::Message(message) = &row.body {
            message.content.as_ref().map(|content| content.sent_at)
        } else {
            None
        }
    });
    times.collect()
}

fn send(topic: TopicId, text: &str) -> Command {
    Command::MessageSend {
        topic,
        message: MessageId(Uuid::now_v7()),
        text: text.to_owned(),
        reply_to: None,
        written_at: 1,
    }
}

#[tokio::test]
async fn a_part_that_breaks_ends_the_server_and_says_which() {
    let (app, _folder) = app().await;
    app.store().close().await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(30), app.closing())
        .await
        .unwrap();
    assert_eq!(app.broken_part(), Some("what writes the store"));
}

#[tokio::test]
async fn a_large_state_comes_in_pages_which_together_are_all_of_it() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let (community, _) = found(&app, &alice).await;
    let loaded = app.communities().loaded(community).await.unwrap().unwrap();
    let group = *loaded.structure().groups.keys().next().unwrap();
    for no in 0..100 {
        let topic = Command::TopicCreate {
            community,
            topic: TopicId(Uuid::now_v7()),
            group,
            name: format!("topic {no}"),
            introduction: "长".repeat(1_000),
            closed: false,
            position: format!("{no:04}"),
        };
        give(&app, &alice, topic).await;
    }
    let log = Log::Community(community);
    let ask = async |since, begun, view: Option<String>| {
        let asked = SyncLog {
            log,
            since,
            begun,
            view,
            ranges: Vec::new(),
            without_tail: false,
        };
        let json = app.sync(alice.account(), vec![asked]).await.unwrap();
        assert!(
            json.len() < limits::ANSWER_BYTES + 20_000,
            "{} bytes are too many for a slow link",
            json.len()
        );
        let mut synced: Synced = serde_json::from_str(&json).unwrap();
        synced.logs.remove(0).outcome
    };
    let SyncOutcome::Reset {
        rev,
        mut rows,
        begun: Some(begun),
        view,
        ..
    } = ask(Rev::ZERO, None, None).await
    else {
        panic!("300 KB are more than one page")
    };
    let mut since = rev;
    loop {
        let SyncOutcome::Rows {
            rev,
            rows: more,
            has_more,
            ..
        } = ask(since, Some(begun), view.clone()).await
        else {
            panic!("nothing has changed")
        };
        rows.extend(more);
        since = rev;
        if !has_more {
            break;
        }
    }
    let structure = loaded.structure();
    assert_eq!(since, structure.rev);
    let member = app.communities().member(&loaded, alice.account()).await;
    let sight = structure.sight(&member.unwrap().unwrap());
    assert_eq!(
        rows,
        structure.rows_since(&sight, Rev::ZERO, false),
        "each row once"
    );
    let other = Some("another stamp".to_owned());
    let anew = ask(since, Some(begun), other).await;
    assert!(
        matches!(anew, SyncOutcome::Reset { begun: Some(_), .. }),
        "what may be seen has changed: it begins again"
    );
}

#[tokio::test]
async fn a_log_is_asked_for_once_in_a_question() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let own = SyncLog {
        log: Log::Account(alice.account()),
        since: Rev::ZERO,
        begun: None,
        view: None,
        ranges: Vec::new(),
        without_tail: false,
    };
    let logs = vec![own.clone(), own];
    let refused = app.ask(&alice.actor, Question::LogSync { logs }).await;
    let Err(Refusal::Rejected(rejection)) = refused else {
        panic!("64 of them would be 64 times the work")
    };
    assert_eq!(rejection.code, Code::Malformed);
    assert_eq!(rejection.field.as_deref(), Some("logs[1].log"));
}

#[tokio::test]
async fn a_page_of_long_messages_is_a_short_one() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let (_, topic) = found(&app, &alice).await;
    for _ in 0..40 {
        let text = "x".repeat(limits::TEXT_BYTES);
        let message = MessageId(Uuid::now_v7());
        let long = written(topic, message, alice.account(), &text);
        let commit = Commit::of_server(alice.account(), app.now(), vec![long]);
        app.store().commit(commit).await.unwrap();
    }
    for at in [PageAt::End, PageAt::After(Seq(0)), PageAt::Around(Seq(20))] {
        let page = app.store().page(topic, at, 200, None).await;
        let rows = page.unwrap().unwrap().rows;
        let bytes = serde_json::to_string(&rows).unwrap().len();
        assert!(
            !rows.is_empty() && bytes < limits::ANSWER_BYTES + 40_000,
            "{at:?}: {bytes} bytes"
        );
    }
    let changes = app
        .store()
        .topic_changes(topic, Vec::new(), None, true, 1_500)
        .await;
    let rows = changes.unwrap().rows;
    assert!(rows.len() < 20, "the tail is bounded, too: {}", rows.len());
}

#[tokio::test]
async fn of_mentions_the_last_thousand_are_kept() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let now = app.now();
    let mention = |n: u64| Change::Row {
        log: Log::Account(alice.account()),
        id: tulou_protocol::GroupId(Uuid::from_u128(u128::from(n))).to_string(),
        body: Mention {
            topic: TopicId(Uuid::from_u128(1)),
            seq: tulou_protocol::Seq(n),
            sent_at: now,
            by_edit: false,
            more: Default::default(),
        }
        .into(),
    };
    let commit = Commit {
        account: alice.account(),
        command: CommandId(Uuid::now_v7()),
        origin: Origin::SERVER,
        is_apart: false,
        now,
        expects: Vec::new(),
        changes: (1..=1_003).map(mention).collect(),
    };
    app.store().commit(commit).await.unwrap();
    app.age(now).await.unwrap();
    let log = Log::Account(alice.account());
    let found = app
        .store()
        .rows_since(log, Rev::ZERO, None, usize::MAX)
        .await;
    let mut kept: Vec<u64> = found
        .unwrap()
        .rows
        .iter()
        .filter_map(|row| {
            if let Body::Mention(mention) = &row.body {
                Some(mention.seq.0)
            } else {
                None
            }
        })
        .collect();
    kept.sort_unstable();
    assert_eq!(kept, (4..=1_003).collect::<Vec<_>>(), "the oldest went");
    app.close().await;
}

#[tokio::test]
async fn a_session_that_one_too_many_ends_is_not_connected_any_more() {
    let (app, _folder) = app().await;
    let registered = app.register(
        tulou_protocol::http::Register {
            account_name: "alice".to_owned(),
            display_name: "alice".to_owned(),
            password: "correct horse".to_owned(),
            invite: None,
            device: String::new(),
        },
        None,
    );
    let alice = registered.await.unwrap().account;
    let first = app.store().sessions(alice).await.unwrap().remove(0);
    let stays = app.hub().attach(alice, first.session, Rev(1), 1 << 20);
    let kept = app.store().account_by_id(alice).await.unwrap().unwrap();
    for no in 1..limits::SESSIONS {
        let mut token = [0; 32];
        token[..8].copy_from_slice(&no.to_be_bytes());
        let session = crate::store::NewSession {
            session: tulou_protocol::SessionId(Uuid::now_v7()),
            account: alice,
            token,
            password: kept.password.clone(),
            device: String::new(),
            address: String::new(),
            now: app.now() + 1_000,
        };
        app.store().create_session(session).await.unwrap();
    }
    assert_eq!(stays.take().1, None);
    let asked = tulou_protocol::http::SignIn {
        account_name: "alice".to_owned(),
        password: "correct horse".to_owned(),
        device: String::new(),
    };
    app.sign_in(asked, None).await.unwrap();
    let listed = app.store().sessions(alice).await.unwrap();
    assert!(
        listed.iter().all(|one| one.session != first.session),
        "it was connected longest ago"
    );
    assert_eq!(
        stays.take().1,
        Some(Code::SignedOut),
        "no change of password would end it"
    );
    app.close().await;
}

#[tokio::test]
async fn what_is_told_to_everybody_waits_for_nobody_who_is_read_for() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let (community, _) = found(&app, &alice).await;
    let held = app.store().hold_readers();
    let mut asked = app.store().structure(community);
    for _ in 0..16 {
        drop(std::mem::replace(
            &mut asked,
            app.store().structure(community),
        ));
    }
    let told = crate::store::telling::telling(async { app.store().structure(community).await });
    let told = tokio::time::timeout(std::time::Duration::from_secs(20), told).await;
    assert!(
        told.is_ok_and(|told| told.unwrap().is_some()),
        "a reader is kept for it"
    );
    let waits = futures_util::FutureExt::now_or_never(&mut asked);
    assert!(waits.is_none(), "and for nothing that somebody asks");
    drop(held);
    assert!(asked.await.unwrap().is_some());
    app.close().await;
}

#[tokio::test]
async fn for_who_is_no_member_no_community_comes_to_memory() {
    let (app, folder) = app().await;
    let alice = account(&app, "alice").await;
    let (community, topic) = found(&app, &alice).await;
    app.close().await;
    let app = open(folder.path()).await;
    let stranger = AccountId(Uuid::now_v7());
    for log in [Log::Community(community), Log::Topic(topic)] {
        let asked = SyncLog {
            log,
            since: Rev::ZERO,
            begun: None,
            view: None,
            ranges: Vec::new(),
            without_tail: false,
        };
        let synced = app.sync(stranger, vec![asked]).await.unwrap();
        assert!(synced.contains("gone"), "{synced}");
    }
    assert_eq!(app.communities().count(), 0, "nothing of it is his to ask");
    app.close().await;
}

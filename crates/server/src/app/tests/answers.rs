//! What an app answers: to commands that are repeated or merged, to questions that need a right, to who is ahead.

use tulou_protocol::{
    Answer, MessageId, Permissions, Push, Question, ServerFrame,
    command::Edit,
    frame::Refusal,
    permission::Place,
    push::Pushed,
    question::{Range, Synced, Told},
};

use super::*;
use crate::domain::change::Marking;

#[tokio::test]
async fn a_repeat_gets_the_stored_answer_though_it_is_done_or_impossible_by_now() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let make = Command::CommunityCreate {
        community: CommunityId(Uuid::now_v7()),
        name: "土楼".to_owned(),
        group: GroupId(Uuid::now_v7()),
        group_name: "大厅".to_owned(),
        topic: TopicId(Uuid::now_v7()),
        topic_name: "闲聊".to_owned(),
    };
    let rename = Command::ProfileEdit {
        display_name: Edit {
            from: "alice".to_owned(),
            to: "Alice".to_owned(),
        },
    };
    for (command, reason) in [
        (make, "the id is taken by now"),
        (rename, "it is so already"),
    ] {
        let commanded = Commanded {
            id: CommandId(Uuid::now_v7()),
            command,
        };
        let once = async || {
            let begun = app.begin(alice.actor.clone(), commanded.clone()).await;
            begun.await.unwrap()
        };
        let first = once().await;
        assert!(first.contains("rows"), "it changed something: {first}");
        assert_eq!(once().await, first, "{reason}");
    }
    app.close().await;
}

#[tokio::test]
async fn what_is_merged_with_what_others_write_reaches_its_author_whole() {
    const EACH: u64 = 60;
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config {
        data: folder.path().to_owned(),
        ..Config::default()
    };
    config.limits.messages_per_10s = 1_000;
    let app = App::open(config).await.unwrap();
    let alice = account(&app, "alice").await;
    let again = app.hub().attach(
        alice.account(),
        tulou_protocol::SessionId(Uuid::now_v7()),
        Rev(1),
        1 << 20,
    );
    let (_, topic) = found(&app, &alice).await;
    let lines = [alice, again];
    for line in &lines {
        app.watch(line, vec![topic]).await.unwrap();
        line.take();
    }
    let mut begun = Vec::new();
    for n in 0..2 * EACH {
        let line = &lines[usize::from(n % 2 == 1)];
        let commanded = Commanded {
            id: CommandId(Uuid::now_v7()),
            command: Command::MessageSend {
                topic,
                message: MessageId(Uuid::now_v7()),
                text: n.to_string(),
                reply_to: None,
                written_at: 1,
            },
        };
        begun.push((
            line.actor.origin,
            app.begin(line.actor.clone(), commanded).await,
        ));
    }
    let mut heard: Vec<(Origin, Push)> = Vec::new();
    for (no, begun) in begun {
        let answer: Answer = serde_json::from_str(&begun.await.unwrap()).unwrap();
        heard.extend(answer.pushes.into_iter().map(|push| (no, push)));
    }
    settled(&app).await;
    for line in &lines {
        for frame in line.take().0 {
            if let Ok(ServerFrame::Pushed(Pushed::Push(push))) = ServerFrame::parse(&frame) {
                heard.push((line.actor.origin, push));
            }
        }
        let rows = heard
            .iter()
            .filter(|(no, push)| *no == line.actor.origin && push.log == Log::Topic(topic));
        let mut texts: Vec<u64> = rows
            .flat_map(|(_, push)| &push.rows)
            .filter_map(|row| {
                if let Body::Message(message) = &row.body {
                    message.content.as_ref()?.text.parse().ok()
                } else {
                    None
                }
            })
            .collect();
        texts.sort_unstable();
        texts.dedup();
        let all: Vec<u64> = (0..2 * EACH).collect();
        assert_eq!(texts, all, "by answer or by push nothing is missing");
    }
    app.close().await;
}

#[tokio::test]
async fn invites_are_seen_made_and_revoked_with_the_right_to_invite() {
    let (app, _folder) = app().await;
    let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
    let (community, _) = found(&app, &alice).await;
    let make = || Question::InviteCreate {
        community,
        expires_at: None,
        max_uses: None,
    };
    let Told::Invite(invite) = app.ask(&alice.actor, make()).await.unwrap() else {
        panic!("the owner has every right")
    };
    let code = invite.code;
    let join = Command::CommunityJoin {
        community,
        invite: Some(code.clone()),
    };
    give(&app, &bob, join).await;
    let set = |from, to| Command::AccessSet {
        community,
        place: Place::Community,
        member_group: None,
        allow: Edit { from, to },
        deny: Edit {
            from: Permissions::empty(),
            to: Permissions::empty(),
        },
    };
    let usual = Permissions::NEW_COMMUNITY;
    let (without, with) = (usual - Permissions::INVITE, usual | Permissions::INVITE);
    if usual != without {
        give(&app, &alice, set(usual, without)).await;
    }
    let list = || Question::InviteList { community };
    let revoke = || Question::InviteRevoke {
        community,
        code: code.clone(),
    };
    for question in [list(), make(), revoke()] {
        let method = question.method();
        let Err(Refusal::Rejected(refused)) = app.ask(&bob.actor, question).await else {
            panic!("{method}")
        };
        assert_eq!(refused.permission, Some(Permissions::INVITE), "{method}");
    }
    give(&app, &alice, set(without, with)).await;
    for question in [list(), make(), revoke()] {
        let method = question.method();
        assert!(app.ask(&bob.actor, question).await.is_ok(), "{method}");
    }
    app.close().await;
}

#[tokio::test]
async fn who_is_ahead_of_a_community_is_told_everything_though_his_stamp_is_right() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let (community, _) = found(&app, &alice).await;
    let ask = async |since, view| {
        let asked = SyncLog {
            log: Log::Community(community),
            since,
            begun: None,
            view,
            ranges: Vec::new(),
            without_tail: false,
        };
        let synced = app.sync(alice.account(), vec![asked]).await.unwrap();
        let mut synced: Synced = serde_json::from_str(&synced).unwrap();
        synced.logs.remove(0).outcome
    };
    let SyncOutcome::Reset { rev, view, .. } = ask(Rev::ZERO, None).await else {
        panic!("the first answer is everything")
    };
    let told = ask(rev, view.clone()).await;
    assert!(matches!(told, SyncOutcome::Rows { .. }), "{told:?}");
    let told = ask(Rev(rev.0 + 5), view).await;
    let SyncOutcome::Reset { rev: to, rows, .. } = told else {
        panic!("{told:?}")
    };
    assert_eq!(to, rev, "and moved to where the server is");
    assert!(!rows.is_empty());
    app.close().await;
}

#[tokio::test]
async fn a_stored_answer_is_kept_for_thirty_days() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let now = app.now();
    let commanded = Commanded {
        id: CommandId(Uuid::now_v7()),
        command: Command::ProfileEdit {
            display_name: Edit {
                from: "alice".to_owned(),
                to: "Alice".to_owned(),
            },
        },
    };
    let begun = app.begin(alice.actor.clone(), commanded.clone()).await;
    begun.await.unwrap();
    for (days, is_kept) in [(29, true), (31, false)] {
        app.age(now + days * DAY_MS).await.unwrap();
        let stored = app.store().answer(alice.account(), commanded.id);
        assert_eq!(
            stored.await.unwrap().is_some(),
            is_kept,
            "after {days} days"
        );
    }
    app.close().await;
}

#[tokio::test]
async fn a_message_sent_again_after_a_cut_can_be_edited_and_recalled_at_once() {
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let (_, topic) = found(&app, &alice).await;
    let again = app.hub().attach(
        alice.account(),
        tulou_protocol::SessionId(Uuid::now_v7()),
        Rev(1),
        1 << 20,
    );
    let message = MessageId(Uuid::now_v7());
    let send = Commanded {
        id: CommandId(Uuid::now_v7()),
        command: Command::MessageSend {
            topic,
            message,
            text: "a".to_owned(),
            reply_to: None,
            written_at: 1,
        },
    };
    // The link is cut before the answer: nobody waits for it any more.
    drop(app.begin(alice.actor.clone(), send.clone()).await);
    app.hub().detach(&alice);
    app.begin(again.actor.clone(), send).await.await.unwrap();
    let text = Edit {
        from: "a".to_owned(),
        to: "b".to_owned(),
    };
    let edit = Command::MessageEdit {
        topic,
        message,
        text,
    };
    give(&app, &again, edit).await;
    give(&app, &again, Command::MessageRecall { topic, message }).await;
    app.close().await;
}

#[tokio::test]
async fn who_has_a_seat_is_said_of_each_member_also_of_those_who_see_nothing_from_it() {
    let (app, _folder) = app().await;
    let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
    let carol = account(&app, "carol").await;
    let (community, _) = found(&app, &alice).await;
    for line in [&bob, &carol] {
        join(&app, &alice, line, community).await;
    }
    let topic = room(&app, &alice, community).await;
    let seat = Command::SeatSet {
        community,
        topic,
        account: bob.account(),
        on: true,
    };
    give(&app, &alice, seat).await;
    let list = |topic, seats_of| Question::MemberList {
        community,
        topic,
        seats_of,
        prefix: String::new(),
        accounts: Vec::new(),
        after: None,
        limit: 100,
    };
    let seated = async |question| {
        let Told::Members(found) = app.ask(&alice.actor, question).await.unwrap() else {
            panic!("members were asked for")
        };
        let members = found.sections.into_iter().flat_map(|one| one.members);
        let mut named: Vec<_> = members.map(|one| (one.account_name, one.seat)).collect();
        named.sort();
        named
    };
    let named = |of: &[(&str, bool)]| -> Vec<(String, bool)> {
        of.iter()
            .map(|(name, seat)| ((*name).to_owned(), *seat))
            .collect()
    };
    let all = named(&[("alice", true), ("bob", true), ("carol", false)]);
    assert_eq!(seated(list(None, Some(topic))).await, all);
    let blind = Command::AccessSet {
        community,
        place: Place::Topic(topic),
        member_group: None,
        allow: Edit {
            from: Permissions::empty(),
            to: Permissions::empty(),
        },
        deny: Edit {
            from: Permissions::empty(),
            to: Permissions::VIEW,
        },
    };
    give(&app, &alice, blind).await;
    assert_eq!(seated(list(None, Some(topic))).await, all, "a seat is kept");
    let see = named(&[("alice", true)]);
    assert_eq!(seated(list(Some(topic), Some(topic))).await, see);
    let Err(Refusal::Rejected(refused)) = app.ask(&bob.actor, list(None, Some(topic))).await else {
        panic!("who does not see the topic learns nothing of its seats")
    };
    assert_eq!(refused.code, tulou_protocol::Code::NotFound);
    let transfer = Command::CommunityTransfer {
        community,
        owner: Edit {
            from: alice.account(),
            to: carol.account(),
        },
    };
    give(&app, &alice, transfer).await;
    let list = list(Some(topic), Some(topic));
    let Told::Members(found) = app.ask(&carol.actor, list).await.unwrap() else {
        panic!("members were asked for")
    };
    let mut members = found.sections.iter().flat_map(|one| &one.members);
    assert!(
        members.all(|one| one.account == carol.account() && one.seat),
        "an owner has every seat, and needs no row for it: {found:?}"
    );
    app.close().await;
}

#[tokio::test]
async fn a_repeat_tells_its_author_what_was_written_and_nothing_that_others_did_since() {
    let (app, _folder) = app().await;
    let (alice, bob) = (account(&app, "alice").await, account(&app, "bob").await);
    let (community, topic) = found(&app, &alice).await;
    join(&app, &alice, &bob, community).await;
    let message = MessageId(Uuid::now_v7());
    let send = Commanded {
        id: CommandId(Uuid::now_v7()),
        command: Command::MessageSend {
            topic,
            message,
            text: "a".to_owned(),
            reply_to: None,
            written_at: 1,
        },
    };
    let text = Edit {
        from: "a".to_owned(),
        to: "b".to_owned(),
    };
    let edit = Commanded {
        id: CommandId(Uuid::now_v7()),
        command: Command::MessageEdit {
            topic,
            message,
            text,
        },
    };
    let react = || Command::MessageReact {
        topic,
        message,
        key: "👍".to_owned(),
        on: true,
    };
    let pin = Command::MessagePin {
        topic,
        message,
        on: true,
    };
    let kick = Command::MemberKick {
        community,
        account: bob.account(),
        end_invites: false,
    };
    let once = async |commanded: &Commanded| {
        let begun = app.begin(bob.actor.clone(), commanded.clone()).await;
        serde_json::from_str::<Answer>(&begun.await.unwrap()).unwrap()
    };
    let written = once(&send).await;
    give(&app, &alice, react()).await;
    let again = once(&send).await;
    let of_topic = |answer: &Answer| {
        let mut pushes = answer.pushes.iter();
        pushes
            .find(|push| push.log == Log::Topic(topic))
            .cloned()
            .unwrap()
    };
    let (written, again) = (of_topic(&written), of_topic(&again));
    assert_eq!(
        (again.prev, again.rev, again.rows),
        (written.prev, written.rev, written.rows),
        "it is as it was sent"
    );
    let edited = of_topic(&once(&edit).await);
    give(&app, &alice, pin).await;
    give(&app, &alice, kick).await;
    for repeat in [&send, &edit] {
        let push = of_topic(&once(repeat).await);
        assert_eq!((push.prev, push.rev), (edited.prev, edited.rev));
        let Body::Message(found) = &push.rows[0].body else {
            panic!("it is a message")
        };
        assert_eq!(found.content.as_ref().unwrap().text, "b");
        assert_eq!(found.marks, None, "what is put on it is not his to see");
        assert!(found.marks_rev <= push.rev, "nor when that was");
    }
    app.close().await;
}

#[tokio::test]
async fn a_question_looks_at_so_many_rows_in_all_its_topics_together() {
    const MESSAGES: u64 = 800;
    let (app, _folder) = app().await;
    let alice = account(&app, "alice").await;
    let mut logs = Vec::new();
    for _ in 0..3 {
        let (_, topic) = found(&app, &alice).await;
        let mut changes = Vec::new();
        let ids: Vec<_> = (0..MESSAGES).map(|_| MessageId(Uuid::now_v7())).collect();
        for message in &ids {
            changes.push(written(topic, *message, alice.account(), "文"));
        }
        for (message, seq) in ids.iter().zip(1..) {
            changes.push(Change::Marks {
                topic,
                message: *message,
                seq: Seq(seq),
                marking: Marking::Touch,
            });
        }
        let commit = Commit::of_server(alice.account(), app.now(), changes);
        app.store().commit(commit).await.unwrap();
        // Of what changed only the last is held.
        let last = Range {
            from: Seq(MESSAGES),
            to: Seq(MESSAGES),
            rev: Rev(MESSAGES),
        };
        logs.push(SyncLog {
            log: Log::Topic(topic),
            since: Rev::ZERO,
            begun: None,
            view: None,
            ranges: vec![last],
            without_tail: true,
        });
    }
    let answer = app.sync(alice.account(), logs).await.unwrap();
    let synced: Synced = serde_json::from_str(&answer).unwrap();
    let more: Vec<bool> = synced
        .logs
        .iter()
        .map(|log| matches!(log.outcome, SyncOutcome::Topic { has_more: true, .. }))
        .collect();
    assert_eq!(more, [false, true], "the third is asked for again");
}

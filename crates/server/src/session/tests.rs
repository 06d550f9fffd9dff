//! What a session does with requests that wait for each other.

mod account;

use futures_util::FutureExt;
use tulou_protocol::{
    AccountId, Command, CommandId, Commanded, CommunityId, GroupId, Log, MessageId, Question, Rev,
    SessionId, TopicId, VERSION,
    command::Edit,
    http::{Register, Registration},
    push::{Addresses, Clock, Condition, Disk},
};
use uuid::Uuid;

use super::{flying::Flight, working::Answered, *};
use crate::Config;

async fn session(folder: &std::path::Path) -> Session {
    let config = Config {
        data: folder.to_owned(),
        ..Config::default()
    };
    let app = App::open(config).await.unwrap();
    let (account, sign_in) = (AccountId(Uuid::now_v7()), SessionId(Uuid::now_v7()));
    let line = app.hub().attach(account, sign_in, Rev(1), 1 << 20);
    Session::new(app, line)
}

#[tokio::test]
async fn a_request_is_begun_when_what_it_waited_for_was_answered_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path()).await;
    let topic = TopicId(Uuid::now_v7());
    let frame = session.frames.begin(2);
    let pin = Command::MessagePin {
        topic,
        message: MessageId(Uuid::now_v7()),
        on: true,
    };
    // The first was committed while the session was busy with something else.
    let flight = Flight::of(Log::Topic(topic), &pin);
    session.flights.begin(flight);
    session.working.push(Box::pin(std::future::ready(Answered {
        is_watch: false,
        frame,
        at: 0,
        flight: Some(flight),
        json: "{}".to_owned(),
        is_busy: false,
    })));
    let edit = Command::MessageEdit {
        topic,
        message: MessageId(Uuid::now_v7()),
        text: Edit {
            from: "这".to_owned(),
            to: "那".to_owned(),
        },
    };
    let id = CommandId(Uuid::now_v7());
    let edit = Request::Command(Commanded { id, command: edit });
    session.wait(frame, 1, edit);
    session.go_on();
    assert!(
        session.waiting.is_empty(),
        "it is on its way, or answered: nothing else would wake the session"
    );
}

#[tokio::test]
async fn a_session_goes_on_while_a_command_waits_for_its_communitys_turn() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path()).await;
    let community = CommunityId(Uuid::now_v7());
    let found = Command::CommunityCreate {
        community,
        name: "土楼".to_owned(),
        group: GroupId(Uuid::now_v7()),
        group_name: "大厅".to_owned(),
        topic: TopicId(Uuid::now_v7()),
        topic_name: "闲聊".to_owned(),
    };
    let commanded = |command| Commanded {
        id: CommandId(Uuid::now_v7()),
        command,
    };
    let actor = session.line.actor.clone();
    let made = session.app.begin(actor, commanded(found)).await.await;
    made.unwrap();
    let loaded = session.app.communities().loaded(community).await.unwrap();
    let loaded = loaded.unwrap();
    let others = loaded.turn.lock().await;

    let leave = commanded(Command::CommunityLeave { community });
    let frame = session.frames.begin(1);
    let leave = Request::Command(leave);
    session.wait(frame, 0, leave);
    session.go_on();
    // It may have come as far as the turn or not: either way the session is not kept.
    for _ in 0..100 {
        tokio::task::yield_now().await;
        session.go_on();
    }
    assert!(
        session.beginning.is_some() && session.out.is_empty(),
        "the command waits, and whoever steps the session does not"
    );
    drop(others);
    while session.out.is_empty() {
        let begun = begun(&mut session.beginning).await;
        if let Some(begun) = begun {
            session.begun(begun);
        }
        if let Some(answered) = session.working.next().await {
            session.answered(answered);
        }
    }
    assert!(
        session.out[0].contains("last_owner"),
        "it is decided when its turn comes: {}",
        session.out[0]
    );
}

#[tokio::test]
async fn a_session_that_was_given_up_while_it_opened_is_not_connected() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path()).await;
    let hub = session.app.hub();
    assert_eq!(hub.sessions().len(), 1);
    let attached = open::Attached::of(&session.app, session.line.clone());
    // The time for opening runs out in the middle of it.
    let opening = async move {
        let _attached = attached;
        std::future::pending::<()>().await;
    };
    let given_up = tokio::time::timeout(Duration::from_millis(1), opening).await;
    assert!(given_up.is_err());
    assert_eq!(hub.sessions().len(), 0, "nobody is online for ever");
}

#[tokio::test]
async fn a_frame_that_is_refused_whole_costs_what_it_was_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path()).await;
    let zeros = format!("[{}0]", "0,".repeat(30_000));
    for _ in 0..20 {
        session.received(Message::Text(zeros.clone().into()));
    }
    assert_eq!(session.out.len(), 20, "each is answered");
    assert!(
        session.allowance.owes() > Duration::from_secs(1),
        "and the next one is not read before these are paid"
    );
}

/// A community of whoever's session it is.
async fn found(session: &Session) -> CommunityId {
    let community = CommunityId(Uuid::now_v7());
    let found = Command::CommunityCreate {
        community,
        name: "土楼".to_owned(),
        group: GroupId(Uuid::now_v7()),
        group_name: "大厅".to_owned(),
        topic: TopicId(Uuid::now_v7()),
        topic_name: "闲聊".to_owned(),
    };
    let commanded = Commanded {
        id: CommandId(Uuid::now_v7()),
        command: found,
    };
    let actor = session.line.actor.clone();
    session.app.begin(actor, commanded).await.await.unwrap();
    community
}

/// Longer than anything here takes, on any machine.
const DEADLINE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_session_that_cannot_write_does_not_keep_its_communitys_turn() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path()).await;
    let community = found(&session).await;
    let loaded = session.app.communities().loaded(community).await.unwrap();
    let loaded = loaded.unwrap();
    let others = loaded.turn.lock().await;
    let leave = Request::Command(Commanded {
        id: CommandId(Uuid::now_v7()),
        command: Command::CommunityLeave { community },
    });
    let frame = session.frames.begin(1);
    session.wait(frame, 0, leave);
    session.go_on();
    for _ in 0..100 {
        tokio::task::yield_now().await;
        session.go_on();
    }
    assert!(session.beginning.is_some(), "it stands in the queue");
    drop(others);
    // From here on nobody steps the session: it writes to a link that takes nothing.
    let next = tokio::time::timeout(DEADLINE, loaded.turn.lock()).await;
    assert!(next.is_ok(), "who comes next has the turn all the same");
}

#[tokio::test]
async fn a_session_that_cannot_write_does_not_keep_its_accounts_turns() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path()).await;
    let community = found(&session).await;
    let account = session.line.account();
    let app = session.app.clone();
    let held = [app.turn(account).await, app.turn(account).await];
    for number in 0..4 {
        let question = Question::CommunityHeads {
            community,
            since: 0,
            after: None,
        };
        let frame = session.frames.begin(1);
        session.wait(frame, 0, Request::Question(number, question));
    }
    for _ in 0..100 {
        session.go_on();
        tokio::task::yield_now().await;
    }
    drop(held);
    // From here on nobody steps the session: it writes to a link that takes nothing.
    let next = tokio::time::timeout(DEADLINE, app.turn(account)).await;
    assert!(next.is_ok(), "another device of the account is answered");
}

#[tokio::test]
async fn what_is_refused_for_its_rate_is_read_no_faster_than_the_rate() {
    let folder = tempfile::tempdir().unwrap();
    let ask = |at| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{at},"method":"profile.list","params":{{"accounts":[]}}}}"#
        )
    };
    let asks: Vec<String> = (0..limits::REQUESTS_PER_FRAME).map(ask).collect();
    let wrong = vec![r#"{"jsonrpc":"2.0","id":1}"#; limits::REQUESTS_PER_FRAME];
    for message in [
        Message::Text(format!("[{}]", asks.join(",")).into()),
        Message::Text(format!("[{}]", wrong.join(",")).into()),
        Message::Ping(Default::default()),
        Message::Pong(Default::default()),
    ] {
        let mut session = session(folder.path()).await;
        let begun = session.app.uptime_ms();
        let mut read = 0_u64;
        while session.allowance.owes().is_zero() && read < 5_000 {
            session.received(message.clone());
            while !session.waiting.is_empty() {
                session.go_on();
                if let Some(answered) = session.working.next().await {
                    session.answered(answered);
                }
            }
            read += 1;
        }
        let took = session.app.uptime_ms() - begun;
        let most = 2.0 * session.allowance.most_in(took) + 2.0;
        assert!(
            (read as f64) <= most,
            "{read} of {message:?} were read in {took} ms"
        );
        session.app.close().await;
    }
}

#[tokio::test]
async fn a_client_is_told_of_a_clock_that_leapt_and_when_it_is_right_again() {
    let folder = tempfile::tempdir().unwrap();
    let app = session(folder.path()).await.app;
    let mut news = News::of(&app);
    assert_eq!(news.take().count(), 0, "all is well");
    let condition = |clock| {
        Pushed::Condition(Condition {
            clock,
            disk: Disk::Plenty,
        })
    };
    const DAY_MS: i64 = 24 * 3_600_000;
    for (clock, by, passed) in [
        (Clock::Leapt, 365 * DAY_MS, 0),
        (Clock::Right, 0, DAY_MS + 3_600_000),
    ] {
        app.clock().set_by(by);
        app.clock().pass(passed);
        app.set_clock().await.unwrap();
        let heard = tokio::time::timeout(DEADLINE, news.changed()).await;
        assert!(heard.is_ok(), "{clock:?}");
        assert_eq!(news.take().collect::<Vec<_>>(), [condition(clock)]);
    }
}

/// One more session of an account.
fn another(of: &Session) -> Session {
    let (app, account) = (of.app.clone(), of.line.account());
    let sign_in = SessionId(Uuid::now_v7());
    let line = app.hub().attach(account, sign_in, Rev(1), 1 << 20);
    Session::new(app, line)
}

fn invite(number: u64, community: CommunityId) -> Request {
    let question = Question::InviteCreate {
        community,
        expires_at: None,
        max_uses: None,
    };
    Request::Question(number, question)
}

/// The store's writer waits for another program from here on, until what is given back is dropped.
fn hold_up(folder: &std::path::Path) -> rusqlite::Connection {
    let lock = rusqlite::Connection::open(folder.join(crate::store::engine::FILE)).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    lock
}

/// Goes on with a session while nothing of it can be answered.
async fn steps(session: &mut Session) {
    for _ in 0..100 {
        session.go_on();
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_turn_lasts_as_long_as_what_is_read_though_nobody_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path()).await;
    let community = found(&session).await;
    let (app, account) = (session.app.clone(), session.line.account());
    let held = hold_up(folder.path());
    for number in 0..2 {
        let frame = session.frames.begin(1);
        session.wait(frame, 0, invite(number, community));
    }
    steps(&mut session).await;
    assert_eq!(session.working.len(), 2, "both are worked on");
    drop(session);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let third = app.turn(account).now_or_never();
    assert!(third.is_none(), "hanging up gives nobody more than others");
    drop(held);
    let next = tokio::time::timeout(DEADLINE, app.turn(account)).await;
    assert!(next.is_ok(), "it ends with what is read");
}

#[tokio::test]
async fn what_waits_in_a_session_that_is_signed_out_is_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path()).await;
    let community = found(&session).await;
    let frame = session.frames.begin(3);
    for at in 0..2 {
        session.wait(frame, at, invite(at as u64, community));
    }
    let leave = Request::Command(Commanded {
        id: CommandId(Uuid::now_v7()),
        command: Command::CommunityLeave { community },
    });
    session.wait(frame, 2, leave);
    session.line.end(Code::SignedOut);
    session.go_on();
    assert!(
        session.working.is_empty() && session.beginning.is_none() && session.flights.is_empty(),
        "nothing is done for who is signed out"
    );
}

#[tokio::test]
async fn a_command_that_waits_for_its_turn_is_not_carried_out_once_the_sign_in_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path()).await;
    let community = found(&session).await;
    let loaded = session.app.communities().loaded(community).await.unwrap();
    let loaded = loaded.unwrap();
    let others = loaded.turn.lock().await;
    let dissolve = Request::Command(Commanded {
        id: CommandId(Uuid::now_v7()),
        command: Command::CommunityDissolve { community },
    });
    let frame = session.frames.begin(1);
    session.wait(frame, 0, dissolve);
    steps(&mut session).await;
    assert!(session.beginning.is_some(), "it stands in the queue");
    session.line.end(Code::SignedOut);
    drop(others);
    while session.out.is_empty() {
        if let Some(begun) = begun(&mut session.beginning).await {
            session.begun(begun);
        }
        if let Some(answered) = session.working.next().await {
            session.answered(answered);
        }
    }
    assert!(
        session.out[0].contains("signed_out"),
        "it is refused: {}",
        session.out[0]
    );
    let kept = session.app.store().structure(community).await.unwrap();
    assert!(kept.is_some(), "and nothing is written");
}

#[tokio::test]
async fn a_command_that_waits_for_its_turn_is_given_up_with_its_session() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path()).await;
    let community = found(&session).await;
    let app = session.app.clone();
    let loaded = app.communities().loaded(community).await.unwrap().unwrap();
    let others = loaded.turn.lock().await;
    let dissolve = Request::Command(Commanded {
        id: CommandId(Uuid::now_v7()),
        command: Command::CommunityDissolve { community },
    });
    let frame = session.frames.begin(1);
    session.wait(frame, 0, dissolve);
    steps(&mut session).await;
    assert!(session.beginning.is_some(), "it stands in the queue");
    drop(session);
    drop(others);
    // Who comes later has the turn after whatever stands in the queue.
    drop(loaded.turn.lock().await);
    app.store().try_to_write().await.unwrap();
    let kept = app.store().structure(community).await.unwrap();
    assert!(kept.is_some(), "whoever hangs up leaves nothing in a queue");
}

#[tokio::test]
async fn an_account_stands_once_in_the_queue_of_a_community_from_however_many_sessions() {
    const SESSIONS: usize = 20;
    let folder = tempfile::tempdir().unwrap();
    let first = session(folder.path()).await;
    let community = found(&first).await;
    let app = first.app.clone();
    let loaded = app.communities().loaded(community).await.unwrap().unwrap();
    let others = loaded.turn.lock().await;
    let mut sessions = Vec::new();
    for no in 0..SESSIONS {
        let mut session = another(&first);
        let create = Request::Command(Commanded {
            id: CommandId(Uuid::now_v7()),
            command: Command::GroupCreate {
                community,
                group: GroupId(Uuid::now_v7()),
                name: no.to_string(),
                position: format!("z{no}1"),
            },
        });
        let frame = session.frames.begin(1);
        session.wait(frame, 0, create);
        steps(&mut session).await;
        sessions.push(session);
    }
    let other = tokio::spawn({
        let loaded = loaded.clone();
        async move {
            let _turn = loaded.turn.lock().await;
            loaded.structure().groups.len()
        }
    });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    drop(others);
    let groups = tokio::time::timeout(DEADLINE, other)
        .await
        .unwrap()
        .unwrap();
    assert!(groups <= 2, "{} of one account came first", groups - 1);
    let settled = async {
        while loaded.structure().groups.len() <= SESSIONS {
            tokio::task::yield_now().await;
        }
    };
    let settled = tokio::time::timeout(DEADLINE, settled).await;
    assert!(settled.is_ok(), "and each of them has its turn after that");
}

#[tokio::test]
async fn a_watch_that_is_answered_when_its_session_has_ended_is_nobodys() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path()).await;
    let hub = session.app.hub();
    let topic = TopicId(Uuid::now_v7());
    hub.detach(&session.line);
    hub.watch(&session.line, &[topic]);
    hub.stands_at(Log::Topic(topic), Rev(1));
    let state = hub.state();
    assert!(
        state.watchers.is_empty() && state.told.is_empty(),
        "nothing would name it again"
    );
}

#[tokio::test]
async fn an_address_that_changes_after_a_greeting_was_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        data: folder.path().to_owned(),
        registration: Registration::Open,
        ..Config::default()
    };
    let app = App::open(config).await.unwrap();
    let register = Register {
        account_name: "alice".to_owned(),
        display_name: "alice".to_owned(),
        password: "correct horse".to_owned(),
        invite: None,
        device: String::new(),
    };
    let Ok(alice) = app.register(register, None).await else {
        panic!("anybody may")
    };
    let greeted = open::greet(&app, &alice.token, VERSION).await;
    let (_attached, mut news, greeting) = greeted.unwrap();
    let addresses = vec!["wss://elsewhere".to_owned()];
    app.parts().addresses.send_replace(addresses.clone());
    assert_ne!(greeting.addresses, addresses);
    assert!(news.changed().now_or_never().is_some());
    let told: Vec<Pushed> = news.take().collect();
    assert_eq!(told, [Pushed::Addresses(Addresses { addresses })]);
    app.close().await;
}

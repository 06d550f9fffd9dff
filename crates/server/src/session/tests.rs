//! What a session does with requests that wait for each other.

use tulou_protocol::{
    AccountId, CommandId, Commanded, CommunityId, GroupId, MessageId, Rev, SessionId, TopicId,
    command::Edit,
};
use uuid::Uuid;

use super::*;
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
    let log = Log::Topic(topic);
    let frame = session.frames.begin(2);
    // The first was committed while the session was busy with something else.
    session.flying.entry(log).or_default().others += 1;
    session.working.push(Box::pin(std::future::ready(Answered {
        is_watch: false,
        frame,
        at: 0,
        log: Some((log, false)),
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
    session.waiting.push_back((frame, 1, edit));
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
    session.waiting.push_back((frame, 0, leave));
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
    let now = session.app.uptime_ms();
    assert_eq!(session.out.len(), 20, "each is answered");
    assert!(
        session.bucket.owes_ms(session.rate, now) > 1_000,
        "and the next one is not read before these are paid"
    );
}

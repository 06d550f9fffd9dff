//! What a session does with requests that wait for each other.

use tulou_protocol::{
    AccountId, CommandId, Commanded, MessageId, Rev, SessionId, TopicId, command::Edit,
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
    session.go_on().await;
    assert!(
        session.waiting.is_empty() && session.working.is_empty() && session.out.len() == 1,
        "both are answered: nothing would wake the session again"
    );
}

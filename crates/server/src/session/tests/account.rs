//! What an account is given, from however many sessions and however often it connects.

use tulou_protocol::{
    VERSION,
    frame::{Busy, Refusal},
    question::PageAt,
};

use super::*;
use crate::store::{NewAccount, NewSession};

/// What an account is given at most in so many milliseconds.
fn most_in(session: &Session, ms: u64) -> f64 {
    limits::BUSY_SESSIONS as f64 * session.allowance.most_in(ms)
}

#[tokio::test]
async fn who_connects_again_owes_what_he_owed() {
    let folder = tempfile::tempdir().unwrap();
    let first = session(folder.path()).await;
    let began = first.app.uptime_ms();
    let zeros = format!("[{}0]", "0,".repeat(30_000));
    let mut read = 0_u32;
    for _ in 0..60 {
        let mut again = another(&first);
        for _ in 0..30 {
            if !again.allowance.owes().is_zero() {
                break;
            }
            again.received(Message::Text(zeros.clone().into()));
            read += 1;
        }
        first.app.hub().detach(&again.line);
    }
    let took = first.app.uptime_ms() - began;
    // Each cost some eight requests.
    let most = most_in(&first, took) / 8.0 + 1.0;
    assert!(f64::from(read) <= most, "{read} were read in {took} ms");
    assert!(read > 8, "a new session is read from");
}

#[tokio::test]
async fn all_sessions_of_an_account_are_given_as_much_as_a_few_are() {
    let folder = tempfile::tempdir().unwrap();
    let first = session(folder.path()).await;
    let began = first.app.uptime_ms();
    let mut given = 0_u32;
    let mut sessions: Vec<Session> = (0..20).map(|_| another(&first)).collect();
    for session in &mut sessions {
        for _ in 0..60 {
            given += u32::from(session.allowance.take().is_ok());
        }
    }
    let took = first.app.uptime_ms() - began;
    let most = most_in(&first, took);
    assert!(f64::from(given) <= most, "{given} in {took} ms");
    assert!(given >= 200, "a few devices at once are nothing unusual");
    let line = first.app.hub().attach(
        AccountId(Uuid::now_v7()),
        SessionId(Uuid::now_v7()),
        Rev(1),
        1 << 20,
    );
    let mut other = Session::new(first.app, line);
    assert!(other.allowance.owes().is_zero());
    assert_eq!(other.allowance.take(), Ok(()), "others are given theirs");
}

#[tokio::test]
async fn who_opens_session_after_session_is_told_to_wait() {
    let folder = tempfile::tempdir().unwrap();
    let first = session(folder.path()).await;
    let (app, token) = (&first.app, "a token");
    let id = AccountId(Uuid::now_v7());
    let new = NewAccount {
        id,
        name: "mallory".to_owned(),
        display_name: "mallory".to_owned(),
        password: "hash".to_owned(),
        codes: Vec::new(),
        unless_first: None,
        invite: None,
        now: app.now(),
    };
    app.store().create_account(new).await.unwrap().unwrap();
    let signed_in = NewSession {
        session: SessionId(Uuid::now_v7()),
        account: id,
        token: crate::accounts::token_hash(token),
        password: "hash".to_owned(),
        device: String::new(),
        address: String::new(),
        now: app.now(),
    };
    app.store().create_session(signed_in).await.unwrap();
    let mut opened = 0;
    let refusal = loop {
        match open::greet(app, token, VERSION).await {
            Ok(_) => opened += 1,
            Err(refusal) => break refusal,
        }
        assert!(opened < 20_000, "nobody is told to wait");
    };
    assert!(
        matches!(refusal, Refusal::Busy(Busy { retry_after_ms }) if retry_after_ms > 1_000),
        "{refusal:?}"
    );
    assert!(opened > 60, "a link may break often");
}

#[tokio::test]
async fn five_devices_with_as_many_communities_as_there_may_be_come_at_once_and_each_is_given_its_own()
 {
    let folder = tempfile::tempdir().unwrap();
    let first = session(folder.path()).await;
    let mut devices = Vec::new();
    for _ in 0..5 {
        let device = another(&first);
        let opened = Allowance::open(&first.app, device.line.account(), limits::COMMUNITIES);
        assert_eq!(opened, Ok(()));
        devices.push(device);
    }
    let burst = first.app.limits().requests_burst;
    for device in &mut devices {
        for _ in 0..burst {
            assert_eq!(device.allowance.take(), Ok(()));
        }
        assert!(device.allowance.owes().is_zero());
    }
}

#[tokio::test]
async fn a_device_that_asks_for_all_that_it_is_given_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let first = session(folder.path()).await;
    let mut busy = another(&first);
    while busy.allowance.take().is_ok() {}
    for _ in 0..limits::REQUESTS_IN_FLIGHT {
        // As many logs as there may be, and the longest answer.
        busy.allowance.charge(20.0);
    }
    assert!(!busy.allowance.owes().is_zero());
    let mut other = another(&first);
    for _ in 0..first.app.limits().requests_burst {
        assert_eq!(other.allowance.take(), Ok(()));
    }
    assert!(other.allowance.owes().is_zero());
}

#[tokio::test]
async fn who_hangs_up_before_the_answer_has_come_pays_for_it_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        data: folder.path().to_owned(),
        limits: limits::Limits {
            requests_per_s: 1,
            messages_per_10s: 100,
            ..limits::Limits::default()
        },
        ..Config::default()
    };
    let app = App::open(config).await.unwrap();
    let (account, sign_in) = (AccountId(Uuid::now_v7()), SessionId(Uuid::now_v7()));
    let line = app.hub().attach(account, sign_in, Rev(1), 1 << 20);
    let mut session = Session::new(app.clone(), line);
    let community = found(&session).await;
    let structure = app.communities().known_structure(community).unwrap();
    let topic = *structure.topics.keys().next().unwrap();
    for _ in 0..16 {
        let send = Command::MessageSend {
            topic,
            message: MessageId(Uuid::now_v7()),
            text: "长".repeat(limits::TEXT_BYTES / 3),
            reply_to: None,
            written_at: app.now(),
        };
        let commanded = Commanded {
            id: CommandId(Uuid::now_v7()),
            command: send,
        };
        let actor = session.line.actor.clone();
        app.begin(actor, commanded).await.await.unwrap();
    }
    let account = session.allowance.account();
    let readers = app.store().hold_readers();
    let page = Question::TopicPage {
        topic,
        at: PageAt::End,
        limit: limits::PAGE,
    };
    let frame = session.frames.begin(1);
    session.wait(frame, 0, Request::Question(1, page));
    steps(&mut session).await;
    assert!(app.store().waiting() > 0, "it is being read");
    while account.take(app.uptime_ms()).is_ok() {}
    drop(session);
    drop(readers);
    let owes = async {
        while account.owes_ms(app.uptime_ms()) == 0 {
            tokio::task::yield_now().await;
        }
    };
    let owes = tokio::time::timeout(DEADLINE, owes).await;
    assert!(owes.is_ok(), "a quarter of a megabyte was read for nothing");
    app.close().await;
}

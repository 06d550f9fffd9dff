//! Accounts: what was right a moment ago may not be any more.

use super::*;
use crate::store::{Account, Deletion, Seen, Sessions};

const CODE: [u8; 32] = [1; 32];

impl Bench {
    fn session(&self, token: u8, password: &str) -> NewSession {
        NewSession {
            session: SessionId(Uuid::now_v7()),
            account: self.alice,
            token: [token; 32],
            password: password.to_owned(),
            device: "attic".to_owned(),
            address: "192.0.2.1".to_owned(),
            now: 10,
        }
    }

    fn known(&self, password: &str) -> Account {
        Account {
            id: self.alice,
            name: "alice".to_owned(),
            password: password.to_owned(),
        }
    }
}

#[tokio::test]
async fn no_session_begins_with_a_password_that_was_changed_meanwhile() {
    let bench = bench().await;
    let store = &bench.store;
    let first = bench.session(1, "hash");
    assert_eq!(
        store.create_session(first.clone()).await.unwrap(),
        Some(Vec::new())
    );
    let changed = store
        .change_password(bench.known("hash"), "other".into(), first.session)
        .await
        .unwrap();
    assert_eq!(changed, Some(Vec::new()), "the one that asks stays");
    assert_eq!(
        store
            .create_session(bench.session(2, "hash"))
            .await
            .unwrap(),
        None,
        "who was let in with the old one is not, after all"
    );
    assert_eq!(store.session([2; 32], 0).await.unwrap(), None);
    let late = store
        .change_password(bench.known("hash"), "third".into(), first.session)
        .await
        .unwrap();
    assert_eq!(late, None, "nor does the old one set another");
    store.reset(bench.alice, CODE, 100).await.unwrap().unwrap();
    for password in ["other", ""] {
        let made = store.create_session(bench.session(3, password)).await;
        assert_eq!(
            made.unwrap(),
            None,
            "{password:?} is of no use after a reset"
        );
    }
}

#[tokio::test]
async fn a_code_is_used_once_and_until_it_expires() {
    let bench = bench().await;
    let store = &bench.store;
    store
        .set_codes(bench.alice, vec![[8; 32], [9; 32]])
        .await
        .unwrap();
    let session = bench.session(1, "hash");
    store.create_session(session.clone()).await.unwrap();
    let use_code = |code, now| store.use_code(bench.alice, code, "new".into(), now);
    assert_eq!(
        use_code([8; 32], 10).await.unwrap(),
        Some(vec![session.session]),
        "the sessions end"
    );
    assert_eq!(use_code([8; 32], 10).await.unwrap(), None, "once");
    assert_eq!(store.count_codes(bench.alice).await.unwrap(), 1);
    store.reset(bench.alice, CODE, 100).await.unwrap().unwrap();
    assert_eq!(
        use_code([9; 32], 10).await.unwrap(),
        None,
        "it was set back"
    );
    assert_eq!(
        store.count_codes(bench.alice).await.unwrap(),
        0,
        "the administrator's is none of them"
    );
    assert_eq!(use_code(CODE, 101).await.unwrap(), None, "it has expired");
    assert!(use_code(CODE, 100).await.unwrap().is_some(), "and had not");
    let nobody = AccountId(Uuid::now_v7());
    assert_eq!(store.reset(nobody, CODE, 100).await.unwrap(), None);
}

#[tokio::test]
async fn a_session_that_is_not_seen_for_long_ends() {
    let bench = bench().await;
    let store = &bench.store;
    let (old, fresh) = (bench.session(1, "hash"), bench.session(2, "hash"));
    store.create_session(old.clone()).await.unwrap();
    store.create_session(fresh.clone()).await.unwrap();
    let seen = Seen {
        session: fresh.session,
        address: String::new(),
        at: 500,
    };
    store.see_sessions(vec![seen]).await.unwrap();
    let listed = store.sessions(bench.alice).await.unwrap();
    assert_eq!(
        listed.iter().map(|one| one.session).collect::<Vec<_>>(),
        [fresh.session, old.session],
        "the last seen first"
    );
    assert_eq!(
        listed[0].address, "192.0.2.1",
        "an unknown address hides no known one"
    );
    assert_eq!(store.session([1; 32], 11).await.unwrap(), None);
    assert!(store.session([2; 32], 11).await.unwrap().is_some());
    let forgotten = store.forget_sessions(11, 11).await.unwrap();
    assert_eq!(forgotten, [old.session]);
    let connected = vec![old.session, fresh.session];
    let gone = store.gone_sessions(connected).await.unwrap();
    assert_eq!(gone, [old.session], "whoever is connected by it is to go");
    assert_eq!(store.sessions(bench.alice).await.unwrap().len(), 1);
    let ended = store
        .end_sessions(bench.alice, Sessions::AllBut(old.session))
        .await
        .unwrap();
    assert_eq!(ended, [fresh.session]);
}

#[tokio::test]
async fn an_account_that_ends_is_found_under_no_name_and_ends_again_after_a_crash() {
    let bench = bench().await;
    let store = &bench.store;
    let bob = AccountId(Uuid::now_v7());
    bench.account(bob, "bob").await;
    let kept = store.account_by_id(bob).await.unwrap().unwrap();
    assert_eq!(
        store.begin_deletion(bob, true, 20).await.unwrap(),
        Deletion::Begun(Vec::new())
    );
    assert_eq!(store.account("bob".into()).await.unwrap(), None);
    assert_eq!(store.account_by_id(bob).await.unwrap(), None);
    let late = NewSession {
        account: bob,
        password: kept.password,
        ..bench.session(4, "")
    };
    assert_eq!(store.create_session(late).await.unwrap(), None);
    let listed = store.list_accounts(String::new(), String::new(), 10).await;
    assert_eq!(
        listed.unwrap().len(),
        1,
        "the administrator sees alice only"
    );
    let unfinished = store.unfinished_deletions().await.unwrap();
    assert_eq!(
        unfinished
            .iter()
            .map(|one| (one.account, one.recalls))
            .collect::<Vec<_>>(),
        [(bob, true)]
    );
    store.end_deletion(bob).await.unwrap();
    assert!(store.unfinished_deletions().await.unwrap().is_empty());
    bench.account(AccountId(Uuid::now_v7()), "bob").await;
}

#[tokio::test]
async fn nothing_is_handed_to_an_account_that_is_being_deleted() {
    let bench = bench().await;
    let bob = AccountId(Uuid::now_v7());
    bench.account(bob, "bob").await;
    let expects = || vec![Expect::Lives(bob)];
    let rename = |name: &str| vec![bench.community_row(name)];
    let lives = bench.commit(bench.alice, expects(), rename("a")).await;
    assert!(matches!(lives, Outcome::Done(_)), "{lives:?}");
    bench.store.begin_deletion(bob, false, 20).await.unwrap();
    let outcome = bench.commit(bench.alice, expects(), rename("b")).await;
    let Outcome::Refused(rejection) = outcome else {
        panic!("from the first moment on: {outcome:?}")
    };
    assert_eq!(rejection.code, Code::NotFound);
}

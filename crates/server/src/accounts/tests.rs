//! What is left of a request about an account whose asker hangs up.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use tulou_protocol::{
    Rev,
    http::{ChangePassword, DeleteAccount, Messages, Recover},
};

use super::*;
use crate::{Config, hub::Line, task::cut_off};

/// Longer than anything here takes, on any machine.
const DEADLINE: Duration = Duration::from_secs(20);
const PASSWORD: &str = "correct horse";

/// An account that is signed in twice: by itself, and where it is to be signed out.
struct House {
    app: App,
    admin: SignedInAs,
    name: String,
    own: SignedInAs,
    code: String,
    /// The token that is to be of no use any more, and what is connected with it.
    token: String,
    line: Arc<Line>,
}

type Door = for<'a> fn(&'a House) -> Pin<Box<dyn Future<Output = bool> + 'a>>;

const ONE_TOO_MANY: &str = "sign in once too often";

/// Everything that ends a session.
const DOORS: [(&str, Door); 7] = [
    ("sign out", |house| {
        Box::pin(async { house.app.sign_out(&house.token).await.is_ok() })
    }),
    ("sign out all others", |house| {
        Box::pin(async { house.app.revoke_sessions(&house.own, None).await.is_ok() })
    }),
    ("change the password", |house| {
        Box::pin(async {
            let asked = ChangePassword {
                password: PASSWORD.to_owned(),
                new_password: "battery staple".to_owned(),
            };
            let changed = house.app.change_password(&house.own, asked, None).await;
            changed.is_ok()
        })
    }),
    ("use a code", |house| {
        Box::pin(async {
            let asked = Recover {
                account_name: house.name.clone(),
                code: house.code.clone(),
                password: "battery staple".to_owned(),
                device: String::new(),
            };
            house.app.recover(asked, None).await.is_ok()
        })
    }),
    ("set back", |house| {
        Box::pin(async {
            let account = house.own.account;
            let reset = house.app.reset_account(&house.admin, account).await;
            reset.is_ok()
        })
    }),
    ("delete the account", |house| {
        Box::pin(async {
            let asked = DeleteAccount {
                password: PASSWORD.to_owned(),
                messages: Messages::Keep,
            };
            let deleted = house.app.delete_account(&house.own, asked, None).await;
            deleted.is_ok()
        })
    }),
    (ONE_TOO_MANY, |house| {
        Box::pin(async {
            let asked = SignIn {
                account_name: house.name.clone(),
                password: PASSWORD.to_owned(),
                device: String::new(),
            };
            house.app.sign_in(asked, None).await.is_ok()
        })
    }),
];

async fn open(folder: &std::path::Path) -> App {
    let config = Config {
        data: folder.to_owned(),
        ..Config::default()
    };
    App::open(config).await.unwrap()
}

async fn session(app: &App, account: &Account, token: &str, now: i64) -> SignedInAs {
    let session = SessionId(Uuid::now_v7());
    let new = NewSession {
        session,
        account: account.id,
        token: secret::token_hash(token),
        password: account.password.clone(),
        device: String::new(),
        address: String::new(),
        now,
    };
    app.store().create_session(new).await.unwrap();
    app.session(token).await.unwrap().unwrap()
}

impl House {
    /// It is signed in as often as may be.
    async fn fill(&self, password: &str) {
        let account = Account {
            id: self.own.account,
            name: self.name.clone(),
            password: password.to_owned(),
        };
        let tokens: Vec<String> = (2..limits::SESSIONS)
            .map(|no| format!("{no} of {}", self.name))
            .collect();
        let now = self.app.now();
        let sessions = tokens
            .iter()
            .map(|token| session(&self.app, &account, token, now));
        futures_util::future::join_all(sessions).await;
    }

    async fn build(app: &App, admin: &SignedInAs, name: &str, password: &str) -> Self {
        let id = AccountId(Uuid::now_v7());
        let code = secret::code().unwrap();
        let new = NewAccount {
            id,
            name: name.to_owned(),
            display_name: name.to_owned(),
            password: password.to_owned(),
            codes: secret::code_hash(id, &code).into_iter().collect(),
            unless_first: None,
            invite: None,
            now: app.now(),
        };
        app.store().create_account(new).await.unwrap().unwrap();
        let account = Account {
            id,
            name: name.to_owned(),
            password: password.to_owned(),
        };
        let (now, token) = (app.now(), format!("other of {name}"));
        let ends = session(app, &account, &token, now - 1_000).await;
        let own = session(app, &account, &format!("own of {name}"), now).await;
        Self {
            app: app.clone(),
            admin: admin.clone(),
            name: name.to_owned(),
            own,
            code,
            token,
            line: app.hub().attach(id, ends.session, Rev(1), 1 << 20),
        }
    }
}

#[tokio::test]
async fn a_session_that_was_ended_is_not_connected_wherever_its_end_was_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let app = open(folder.path()).await;
    let register = Register {
        account_name: "admin".to_owned(),
        display_name: "admin".to_owned(),
        password: PASSWORD.to_owned(),
        invite: None,
        device: String::new(),
    };
    let admin = app.register(register, None).await.unwrap();
    let admin = app.session(&admin.token).await.unwrap().unwrap();
    let password = secret::password_hash(PASSWORD.to_owned()).await.unwrap();
    for (at, (door, end)) in DOORS.into_iter().enumerate() {
        for waits in 0.. {
            let name = format!("bob-{at}-{waits}");
            let house = House::build(&app, &admin, &name, &password).await;
            if door == ONE_TOO_MANY {
                house.fill(&password).await;
            }
            let done = cut_off(end(&house), waits).await;
            // What was handed to the store is written, whoever waits for it.
            app.store().try_to_write().await.unwrap();
            let is_kept = app.session(&house.token).await.unwrap().is_some();
            if !is_kept {
                let ended = tokio::time::timeout(DEADLINE, house.line.revoked()).await;
                assert!(
                    ended.is_ok(),
                    "{door}: cut off after {waits}, it is connected for ever"
                );
            }
            let finished =
                async { while !app.store().unfinished_deletions().await.unwrap().is_empty() {} };
            let finished = tokio::time::timeout(DEADLINE, finished).await;
            assert!(finished.is_ok(), "{door}: what was begun goes on");
            app.hub().detach(&house.line);
            if let Some(is_right) = done {
                assert!(is_right && !is_kept, "{door}: it ends the session");
                break;
            }
        }
    }
    app.close().await;
}

#[tokio::test]
async fn a_connected_session_that_is_not_kept_ends_with_the_next_look() {
    let folder = tempfile::tempdir().unwrap();
    let app = open(folder.path()).await;
    let account = Account {
        id: AccountId(Uuid::now_v7()),
        name: "alice".to_owned(),
        password: "hash".to_owned(),
    };
    let new = NewAccount {
        id: account.id,
        name: account.name.clone(),
        display_name: "alice".to_owned(),
        password: account.password.clone(),
        codes: Vec::new(),
        unless_first: None,
        invite: None,
        now: app.now(),
    };
    app.store().create_account(new).await.unwrap().unwrap();
    let attach = |session| app.hub().attach(account.id, session, Rev(1), 1 << 20);
    let kept = attach(session(&app, &account, "kept", app.now()).await.session);
    let gone = attach(session(&app, &account, "gone", app.now()).await.session);
    // Whatever should have said so to the session did not.
    let only = crate::store::Sessions::Only(gone.session);
    app.store().end_sessions(account.id, only).await.unwrap();
    let connected = vec![kept.session, gone.session];
    app.end_gone(connected).await.unwrap();
    assert!(gone.is_revoked() && !kept.is_revoked());
    app.close().await;
}

//! How a session begins where there are other nodes.

use tulou_protocol::{
    SessionId,
    http::{Register, Registration},
};
use uuid::Uuid;

use super::*;
use crate::{Config, presence::elsewhere::Elsewhere};

#[tokio::test]
async fn sockets_to_another_node_count_among_those_that_an_account_may_have() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        data: folder.path().to_owned(),
        registration: Registration::Open,
        ..Config::default()
    };
    let (app, elsewhere) = Elsewhere::open(config).await;
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
    let comes = || elsewhere.comes(alice.account, SessionId(Uuid::now_v7()), &[]);
    for _ in 1..limits::SOCKETS {
        comes();
    }
    assert!(greet(&app, &alice.token, VERSION).await.is_ok());
    comes();
    let refused = greet(&app, &alice.token, VERSION).await;
    let Err(Refusal::Rejected(rejection)) = refused else {
        panic!("one more is too many")
    };
    assert_eq!(rejection.code, Code::TooMany);
    app.close().await;
}

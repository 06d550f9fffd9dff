use std::sync::atomic::AtomicU64;

use tulou_protocol::{AccountId, MessageId, ServerId};

use super::*;
use crate::{
    account::{Draft, WISHES},
    known::Known,
    store::{Store, drafts},
};

const ME: AccountId = AccountId(Uuid::from_u128(1));
const TOPIC: TopicId = TopicId(Uuid::from_u128(2));

/// An account with a driver that has no server.
fn driven(folder: &std::path::Path) -> Arc<Account> {
    let known = Known {
        server: ServerId(Uuid::from_u128(3)),
        account: ME,
        name: "alice".into(),
        server_name: "s".into(),
        addresses: vec!["ws://127.0.0.1:9".into()],
        key: None,
    };
    let store = Store::open(&folder.join("a.sqlite"), ME).unwrap();
    let (wishes, heard) = mpsc::channel(WISHES);
    let account = Arc::new(Account::new(
        known,
        Arc::new(store),
        wishes,
        crate::changes::Board::default(),
        Arc::default(),
        Arc::new(AtomicU64::new(u64::MAX)),
    ));
    tokio::spawn(Driver::new(Arc::clone(&account), heard).run());
    account
}

async fn draft(account: &Account, text: &str) -> Result<(), Error> {
    let (answer, kept) = oneshot::channel();
    let reply_to = Some(MessageId(Uuid::from_u128(4)));
    let draft = Draft::Message(TOPIC, text.into(), reply_to);
    account.wish(Wish::Draft(draft, answer)).await?;
    kept.await.map_err(|_| Error::Stopped)?
}

#[tokio::test]
async fn what_breaks_in_a_driver_is_said_and_it_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let account = driven(folder.path());
    let mut connection = account.connection.subscribe();
    account
        .wish(Wish::Token(Some("token".into())))
        .await
        .unwrap();
    draft(&account, "before").await.unwrap();
    account.wish(Wish::Break).await.unwrap();
    let told = connection.wait_for(|connection| {
        matches!(connection, Connection::Offline { cause: Some(cause), .. } if cause.code == "broken")
    });
    told.await.unwrap();
    draft(&account, "and goes on").await.unwrap();
    let kept = account.store.read(|db| drafts::one(db, TOPIC)).unwrap();
    assert_eq!(kept.unwrap().0, "and goes on");
    // It tries to connect again, with the token that it had.
    let again = connection.wait_for(|connection| *connection == Connection::Connecting);
    tokio::time::timeout(Duration::from_secs(20), again)
        .await
        .expect("it is begun again")
        .unwrap();
}

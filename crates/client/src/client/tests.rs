//! A client whose drivers are the test's own.

use tokio::time::Instant;
use tulou_engine::Untold;
use tulou_protocol::{
    AccountId, Code, MessageId, Question, ServerId, TopicId, frame::Refusal, question::PageAt,
};
use uuid::Uuid;

mod hurrying;
mod opening;

use super::*;
use crate::{secrets::InMemory, view::Stretch};

const TOPIC: TopicId = TopicId(Uuid::from_u128(2));
const MESSAGE: MessageId = MessageId(Uuid::from_u128(3));

/// An account of a client; what is wished of it comes out at the other end.
fn account(client: &Client, number: u128) -> (String, mpsc::Receiver<Wish>) {
    let known = Known {
        server: ServerId(Uuid::from_u128(1)),
        account: AccountId(Uuid::from_u128(number)),
        name: "alice".into(),
        server_name: "s".into(),
        addresses: Vec::new(),
        key: None,
    };
    let key = known.key();
    let store = Store::open(&client.inner.folder.store(&key), known.account).unwrap();
    let (wishes, heard) = mpsc::channel(WISHES);
    let account = Account::new(
        known,
        Arc::new(store),
        wishes,
        client.inner.board.clone(),
        Arc::clone(&client.inner.nearby),
        Arc::clone(&client.inner.budget),
    );
    lock(&client.inner.accounts).push(Arc::new(account));
    (key, heard)
}

async fn client(folder: &tempfile::TempDir) -> Client {
    let folder = folder.path().to_owned();
    Client::open(folder, Arc::new(InMemory::default()))
        .await
        .unwrap()
}

#[tokio::test]
async fn accounts_that_do_not_end_keep_the_program_no_longer_than_one_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let client = client(&folder).await;
    let _stuck: Vec<_> = (1..=3).map(|number| account(&client, number)).collect();
    tokio::time::pause();
    let began = Instant::now();
    client.shutdown().await;
    assert_eq!(began.elapsed().as_secs(), FAREWELL.as_secs());
}

/// A keyring that keeps nothing before it is let, and forgets at once.
#[derive(Default)]
struct Slow {
    kept: InMemory,
    begun: tokio::sync::Notify,
    is_let: (Mutex<bool>, std::sync::Condvar),
}

impl Secrets for Slow {
    fn get(&self, account: &str) -> Result<Option<String>, crate::secrets::NoKeyring> {
        self.kept.get(account)
    }

    fn set(&self, account: &str, token: &str) -> Result<(), crate::secrets::NoKeyring> {
        self.begun.notify_one();
        let is_let = lock(&self.is_let.0);
        let patience = Duration::from_secs(20);
        let waited = self
            .is_let
            .1
            .wait_timeout_while(is_let, patience, |is_let| !*is_let);
        drop(waited.unwrap());
        self.kept.set(account, token)
    }

    fn delete(&self, account: &str) -> Result<(), crate::secrets::NoKeyring> {
        self.kept.delete(account)
    }

    fn is_lasting(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn a_keyring_has_in_the_end_what_was_wished_last() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Arc::new(Slow::default());
    let secrets: Arc<dyn Secrets> = Arc::<Slow>::clone(&keyring);
    let client = Client::open(folder.path().to_owned(), secrets)
        .await
        .unwrap();
    // The first start tries whether it keeps anything.
    keyring.begun.notified().await;
    let (other, key) = (client.clone(), "alice".to_owned());
    let sign_in = tokio::spawn(async move { other.tell_keyring(key, Some("t".into())).await });
    keyring.begun.notified().await;
    let forgotten = client.tell_keyring("alice".into(), None).await;
    assert!(matches!(forgotten, Some(Ok(()))));
    *lock(&keyring.is_let.0) = true;
    keyring.is_let.1.notify_all();
    assert!(matches!(sign_in.await.unwrap(), Some(Ok(()))));
    assert_eq!(
        keyring.get("alice").unwrap(),
        None,
        "who signed out is not signed in at the next start"
    );
}

/// The next time that somebody asks whether the message is there.
async fn asked(heard: &mut mpsc::Receiver<Wish>) -> oneshot::Sender<crate::account::Told> {
    let asked = async {
        loop {
            let wish = heard.recv().await.expect("the account is there");
            if let Wish::Ask(Question::TopicPage { at, .. }, asker) = wish {
                assert_eq!(at, PageAt::Message(MESSAGE));
                return asker;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asked)
        .await
        .expect("the server is asked")
}

#[tokio::test]
async fn a_jump_waits_for_the_server_once_and_is_asked_again_if_nobody_could_be() {
    let folder = tempfile::tempdir().unwrap();
    let client = client(&folder).await;
    let (key, mut heard) = account(&client, 1);
    let read = || {
        let (client, key) = (client.clone(), key.clone());
        let stretch = Stretch::Message {
            id: MESSAGE.to_string(),
            count: 50,
        };
        tokio::spawn(async move {
            let view = client
                .timeline_view(&key, &TOPIC.to_string(), stretch)
                .await;
            view.map(|view| view.rows.len())
        })
    };
    let first = read();
    let asker = asked(&mut heard).await;
    // Whatever makes the view stale has it read again meanwhile.
    let second = tokio::time::timeout(Duration::from_secs(20), read()).await;
    let second = second.expect("it does not wait for the answer as well");
    assert_eq!(second.unwrap().unwrap(), 0);
    assert!(!first.is_finished());

    let _ = asker.send(Err(Untold::Offline));
    assert_eq!(first.await.unwrap().unwrap(), 0, "it is not known");
    let third = read();
    let asker = asked(&mut heard).await;
    let refused = Refusal::Rejected(Code::NotFound.into());
    let _ = asker.send(Err(Untold::Refused(refused)));
    let refused = third.await.unwrap().unwrap_err();
    assert!(
        matches!(&refused, Error::Rejected(rejection) if rejection.code == Code::NotFound),
        "{refused:?}"
    );
}

//! What is asked again, and what is not, when somebody does not want to wait.

use std::sync::atomic::AtomicUsize;

use super::*;
use crate::{secrets::NoKeyring, view::KeptView};

/// A keyring whose prompt is dismissed each time.
#[derive(Default)]
struct Dismissed(AtomicUsize);

impl Secrets for Dismissed {
    fn get(&self, _: &str) -> Result<Option<String>, NoKeyring> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(NoKeyring::Refused("dismissed".into()))
    }

    fn set(&self, _: &str, _: &str) -> Result<(), NoKeyring> {
        Err(NoKeyring::Refused("dismissed".into()))
    }

    fn delete(&self, _: &str) -> Result<(), NoKeyring> {
        Err(NoKeyring::Refused("dismissed".into()))
    }

    fn is_lasting(&self) -> bool {
        true
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyring_whose_prompt_was_dismissed_is_asked_again_only_if_the_person_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let before = client(&folder).await;
    let (key, _) = account(&before, 1);
    before.keep_accounts().await.unwrap();
    before.shutdown().await;
    drop(before);

    let keyring = Arc::new(Dismissed::default());
    let secrets: Arc<dyn Secrets> = Arc::<Dismissed>::clone(&keyring);
    let client = Client::open(folder.path().to_owned(), secrets)
        .await
        .unwrap();
    let account = client.account(&key).unwrap();
    let mut changes = client.changes();
    tokio::time::timeout(Duration::from_secs(20), async {
        while account.kept() != KeptView::Unread {
            changes.next().await;
        }
    })
    .await
    .expect("the prompt was dismissed");

    client.hurry().await;
    assert_eq!(
        (account.kept(), keyring.0.load(Ordering::Relaxed)),
        (KeptView::Unread, 1),
        "a server that was found asks for no password"
    );

    client.ask_keyring().await;
    assert_eq!(
        (account.kept(), keyring.0.load(Ordering::Relaxed)),
        (KeptView::Unread, 2),
        "whoever asks hears what came of it"
    );
    client.shutdown().await;
}

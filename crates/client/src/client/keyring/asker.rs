//! Who asks the keyring, and waits for its answer.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use super::Wished;
use crate::{
    client::{Client, Inner, joining::keep_left, lock},
    secrets::{NoKeyring, Secrets, ask},
    view::{Change, KeptView},
};

/// No token is empty.
const FORGOTTEN: &str = "";
/// A keyring that takes longer may be asking the person, who is told that it is waited for.
const SOON: Duration = Duration::from_secs(1);

/// Asks the keyring for a client, which it does not keep alive.
pub(super) struct Asker {
    secrets: Arc<dyn Secrets>,
    client: Weak<Inner>,
}

impl Asker {
    pub fn of(client: &Client) -> Self {
        Self {
            secrets: Arc::clone(&client.inner.secrets),
            client: Arc::downgrade(&client.inner),
        }
    }

    /// Asks, and remembers how the keyring does; the number of the question besides. `late` is told if the answer does not
    /// come soon.
    pub async fn ask<T: Send + 'static>(
        &self,
        late: impl FnOnce() + Send,
        question: impl FnOnce(&dyn Secrets) -> Result<T, NoKeyring> + Send + 'static,
    ) -> (Result<T, NoKeyring>, u64) {
        let number = self.client().map_or(0, |client| {
            let mut asked = lock(&client.inner.keyring);
            asked.begin()
        });
        let mut asked = std::pin::pin!(ask(&self.secrets, question));
        let answer = match tokio::time::timeout(SOON, &mut asked).await {
            Ok(answer) => answer,
            Err(_) => {
                let _waits = Waiting::begin(Weak::clone(&self.client));
                late();
                asked.await
            }
        };
        if let Err(error) = &answer {
            tracing::warn!("{error}");
        }
        if let Some(client) = self.client() {
            let is_other = {
                let mut asked = lock(&client.inner.keyring);
                let before = asked.view();
                asked.note(&answer);
                asked.view() != before
            };
            if is_other {
                client.inner.board.put_up([Change::App]);
            }
        }
        (answer, number)
    }

    /// Has what was wished last of an account kept or forgotten. What was begun before may be done after it: then it is
    /// told again.
    pub async fn tell(&self, key: String) -> Result<(), NoKeyring> {
        self.note_asked(&key, |asked| asked + 1);
        let answer = self.tell_last(&key).await;
        self.note_asked(&key, |asked| asked - 1);
        let is_gone = self
            .client()
            .filter(|client| answer.is_ok() && client.account(&key).is_err());
        if let Some(client) = is_gone {
            client.keep_forgotten().await;
        }
        answer
    }

    async fn tell_last(&self, key: &str) -> Result<(), NoKeyring> {
        loop {
            let Some(wished) = self.wished(key) else {
                return Ok(());
            };
            let (account, token) = (key.to_owned(), wished.token.clone());
            let (late, failed) = match token {
                Some(_) => (KeptView::Keeping, KeptView::Unkept),
                None => (KeptView::Forgetting, KeptView::Unforgotten),
            };
            let is_sign_in = token.is_some();
            let (answer, number) = self
                .ask(
                    || self.note_kept(key, wished.no, late),
                    move |keyring| match token {
                        Some(token) => keyring.set(&account, &token),
                        None => keyring.delete(&account),
                    },
                )
                .await;
            if answer.is_ok() && !is_sign_in {
                // What it has from now on is of a later sign-in.
                self.name_left(key, FORGOTTEN).await;
            }
            if self.wished(key).is_some_and(|now| now.no != wished.no) {
                continue;
            }
            let kept = match &answer {
                Ok(()) => KeptView::Settled,
                Err(NoKeyring::Missing(_)) if !is_sign_in && !self.has_worked() => {
                    // Where there never was one nothing was kept.
                    KeptView::Settled
                }
                Err(_) => failed,
            };
            self.note_kept(key, wished.no, kept);
            if answer.is_ok() && is_sign_in {
                self.works(number);
            }
            if answer.is_ok() {
                self.note_done(key, wished.no);
            }
            return answer;
        }
    }

    /// Which token an account was signed out of, if that was not known.
    pub async fn name_left(&self, key: &str, token: &str) {
        let account = self.client().and_then(|client| client.account(key).ok());
        if let Some(account) = account
            && account.name_left(token)
        {
            // If it cannot be kept none is taken at the next start.
            let _ = keep_left(&account).await;
        }
    }

    pub fn client(&self) -> Option<Client> {
        let inner = self.client.upgrade()?;
        Some(Client { inner })
    }

    fn has_worked(&self) -> bool {
        self.client()
            .is_some_and(|client| lock(&client.inner.keyring).has_worked())
    }

    fn wished(&self, key: &str) -> Option<Wished> {
        let client = self.client()?;
        let wished = lock(&client.inner.wished);
        wished.get(key).cloned()
    }

    /// Somebody begins, or ends, to tell it what it is to have of an account.
    pub fn note_asked(&self, key: &str, count: impl FnOnce(usize) -> usize) {
        if let Some(client) = self.client()
            && let Some(wished) = lock(&client.inner.wished).get_mut(key)
        {
            wished.asked = count(wished.asked);
        }
    }

    fn note_done(&self, key: &str, no: u64) {
        if let Some(client) = self.client()
            && let Some(wished) = lock(&client.inner.wished).get_mut(key)
        {
            wished.is_done |= wished.no == no;
        }
    }

    /// What became of a wish is said, unless there is another one by now.
    fn note_kept(&self, key: &str, no: u64, kept: KeptView) {
        let is_newest = self.wished(key).is_some_and(|wished| wished.no == no);
        if let Some(client) = self.client()
            && is_newest
            && let Ok(account) = client.account(key)
        {
            account.set_kept(kept);
        }
    }

    /// It kept something, or had. If it failed before, what it did not do then it is asked for again.
    pub fn works(&self, question: u64) {
        let Some(client) = self.client().filter(|_| self.secrets.is_lasting()) else {
            return;
        };
        let (is_again, is_other) = {
            let mut asked = lock(&client.inner.keyring);
            let before = asked.view();
            (asked.work(question), asked.view() != before)
        };
        if is_other {
            client.inner.board.put_up([Change::App]);
        }
        if is_again {
            client.ask_keyring_again();
        }
    }
}

/// Somebody who waits for the keyring, as long as the value lives.
struct Waiting(Weak<Inner>);

impl Waiting {
    fn begin(client: Weak<Inner>) -> Self {
        if let Some(client) = client.upgrade() {
            lock(&client.keyring).waits += 1;
            client.board.put_up([Change::App]);
        }
        Self(client)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(client) = self.0.upgrade() {
            lock(&client.keyring).waits -= 1;
            client.board.put_up([Change::App]);
        }
    }
}

//! The keyring is asked. It may take as long as a person does who is asked for a password: nobody is held up by that, and the
//! answer is taken whenever it comes.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use super::{Client, Inner, joining::keep_left, listing::left, lock};
use crate::{
    account::{Account, Wish},
    secrets::{NoKeyring, Secrets, ask},
    store::meta::Left,
    view::Change,
};

/// Not the key of an account: the keyring keeps nothing under it.
const NOBODY: &str = "nobody";
/// No token is empty.
const FORGOTTEN: &str = "";
/// A keyring that takes longer may be asking the person, who is told that it is waited for.
const SOON: Duration = Duration::from_secs(1);
/// Who has a token kept or forgotten does not wait longer for that to be done.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the keyring for a client, which it does not keep alive.
struct Asker {
    secrets: Arc<dyn Secrets>,
    client: Weak<Inner>,
}

impl Asker {
    /// Asks, and remembers whether the keyring works.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Secrets) -> Result<T, NoKeyring> + Send + 'static,
    ) -> Result<T, NoKeyring> {
        let mut asked = std::pin::pin!(ask(&self.secrets, question));
        let answer = match tokio::time::timeout(SOON, &mut asked).await {
            Ok(answer) => answer,
            Err(_) => {
                let _waits = Waiting::begin(Weak::clone(&self.client));
                asked.await
            }
        };
        if let Err(error) = &answer {
            tracing::warn!("{error}");
        }
        let works = answer.is_ok() && self.secrets.is_lasting();
        if let Some(client) = self.client.upgrade()
            && client.has_keyring.swap(works, Ordering::Relaxed) != works
        {
            client.board.put_up([Change::App]);
        }
        answer
    }

    /// Has what was wished last of an account kept or forgotten. What was begun before may be done after it: then it is
    /// told again.
    async fn tell(self, key: String) -> Result<(), NoKeyring> {
        loop {
            let Some(wished) = self.wished(&key) else {
                return Ok(());
            };
            let (account, token) = (key.clone(), wished.token.clone());
            let answer = self
                .ask(move |keyring| match token {
                    Some(token) => keyring.set(&account, &token),
                    None => keyring.delete(&account),
                })
                .await;
            if answer.is_ok() && wished.token.is_none() {
                // What it has from now on is of a later sign-in.
                self.name_left(&key, FORGOTTEN).await;
            }
            if self.wished(&key).is_none_or(|now| now.no == wished.no) {
                return answer;
            }
        }
    }

    /// Which token an account was signed out of, if that was not known.
    async fn name_left(&self, key: &str, token: &str) {
        let account = self
            .client
            .upgrade()
            .and_then(|inner| Client { inner }.account(key).ok());
        if let Some(account) = account
            && account.name_left(token)
        {
            // If it cannot be kept none is taken at the next start.
            let _ = keep_left(&account).await;
        }
    }

    fn wished(&self, key: &str) -> Option<Wished> {
        let client = self.client.upgrade()?;
        let wished = lock(&client.wished);
        wished.get(key).cloned()
    }
}

/// What the keyring is to have of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct Wished {
    /// Counts what was wished of it.
    no: u64,
    /// None: it is to be forgotten.
    token: Option<String>,
}

/// Somebody who waits for the keyring, as long as the value lives.
struct Waiting(Weak<Inner>);

impl Waiting {
    fn begin(client: Weak<Inner>) -> Self {
        if let Some(client) = client.upgrade() {
            client.keyring_waits.fetch_add(1, Ordering::Relaxed);
            client.board.put_up([Change::App]);
        }
        Self(client)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(client) = self.0.upgrade() {
            client.keyring_waits.fetch_sub(1, Ordering::Relaxed);
            client.board.put_up([Change::App]);
        }
    }
}

impl Client {
    fn asker(&self) -> Asker {
        Asker {
            secrets: Arc::clone(&self.inner.secrets),
            client: Arc::downgrade(&self.inner),
        }
    }

    /// Has the token of an account kept, or forgotten; none if that is not done yet, and goes on beside everything else.
    pub(super) async fn tell_keyring(
        &self,
        key: String,
        token: Option<String>,
    ) -> Option<Result<(), NoKeyring>> {
        self.note_wished(&key, token);
        let told = tokio::spawn(self.asker().tell(key));
        tokio::time::timeout(PATIENCE, told).await.ok()?.ok()
    }

    fn note_wished(&self, key: &str, token: Option<String>) {
        let mut all = lock(&self.inner.wished);
        let wished = all.entry(key.to_owned()).or_default();
        wished.no += 1;
        wished.token = token;
    }

    /// Whether sign-ins can be kept is known before the first account is made. A keyring without a collection has nothing to
    /// give, and says so only to whoever wants something kept.
    pub(super) fn try_keyring(&self) {
        let asker = self.asker();
        tokio::spawn(async move {
            let tried = asker.ask(|keyring| {
                keyring.set(NOBODY, "")?;
                keyring.delete(NOBODY)
            });
            tried.await
        });
    }

    /// Signs an account in with the token that the keyring has, whenever that answers; not with the one that the person
    /// signed out of.
    pub(super) fn take_kept_token(&self, account: Arc<Account>, left: Option<Left>) {
        let Some(asked) = account.wants_kept_token() else {
            return;
        };
        if let Some(left) = left.as_ref().filter(|left| left.refuses_all()) {
            return self.stay_out(account, left.clone(), asked);
        }
        let client = Arc::downgrade(&self.inner);
        let asker = self.asker();
        tokio::spawn(async move {
            let key = account.key.clone();
            let token = asker.ask(move |keyring| keyring.get(&key)).await;
            let token = token.ok().flatten();
            let refusing = |token: &String| left.filter(|left| left.refuses(token));
            let Some(left) = token.as_ref().and_then(refusing) else {
                // A driver that is gone has stopped with the client.
                let _ = account.use_kept_token(token.clone(), asked).await;
                if let Some(token) = token {
                    asker.name_left(&account.key, &token).await;
                }
                return;
            };
            if let Some(inner) = client.upgrade() {
                Self { inner }.stay_out(account, left, asked);
            }
        });
    }

    /// An account that the person signed out stays so, and the keyring is told once more to forget its token.
    fn stay_out(&self, account: Arc<Account>, left: Left, asked: u64) {
        if !account.refuse_kept_token(left, asked) {
            return;
        }
        self.note_wished(&account.key, None);
        let asker = self.asker();
        tokio::spawn(async move {
            if account.token().is_none() {
                // A driver that is gone has stopped with the client.
                let _ = account.wish(Wish::Token).await;
            }
            asker.tell(account.key.clone()).await
        });
    }

    /// Asks a keyring again that did not work: it may have been unlocked since.
    pub(super) fn look_at_keyring(&self) {
        let is_asked = self.inner.has_keyring.load(Ordering::Relaxed)
            || self.inner.keyring_waits.load(Ordering::Relaxed) > 0;
        if is_asked || !self.inner.secrets.is_lasting() {
            return;
        }
        let client = self.clone();
        tokio::spawn(async move {
            for account in client.accounts() {
                let left = left(&account).await;
                client.take_kept_token(account, left);
            }
        });
    }
}

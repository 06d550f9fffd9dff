//! The keyring is asked. It may take as long as a person does who is asked for a password: nobody is held up by that, and the
//! answer is taken whenever it comes. What it did not do it is asked for again when there is reason to.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use super::{Client, Inner, joining::keep_left, listing::left, lock};
use crate::{
    account::{Account, Wish},
    secrets::{NoKeyring, Secrets, ask},
    store::meta::Left,
    view::{Change, KeptView, KeyringView},
};

/// Not the key of an account: the keyring keeps nothing under it.
const NOBODY: &str = "nobody";
/// No token is empty.
const FORGOTTEN: &str = "";
/// A keyring that takes longer may be asking the person, who is told that it is waited for.
const SOON: Duration = Duration::from_secs(1);
/// Who has a token kept or forgotten does not wait longer for that to be done.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of the keyring.
#[derive(Debug)]
pub(super) struct Asked {
    /// How it did when it answered last.
    last: KeyringView,
    /// It kept or told something since the start.
    has_worked: bool,
    /// How many wait for an answer that takes long.
    waits: usize,
    /// Questions that were begun.
    questions: u64,
    /// How many had been begun when one failed; none once it did a later one.
    failed: Option<u64>,
    /// Whether it can keep anything was tried.
    is_tried: bool,
}

impl Asked {
    pub fn new(is_lasting: bool) -> Self {
        Self {
            last: if is_lasting {
                KeyringView::Works
            } else {
                KeyringView::Missing
            },
            has_worked: false,
            waits: 0,
            questions: 0,
            failed: None,
            is_tried: false,
        }
    }

    pub fn view(&self) -> KeyringView {
        if self.waits > 0 {
            KeyringView::Waits
        } else {
            self.last
        }
    }

    pub fn has_worked(&self) -> bool {
        self.has_worked
    }

    /// The number of a question that begins.
    fn begin(&mut self) -> u64 {
        self.questions += 1;
        self.questions
    }

    fn note<T>(&mut self, answer: &Result<T, NoKeyring>) {
        match answer {
            // One without a place to keep anything answers, too, as long as nothing is to be kept.
            Ok(_) if self.last == KeyringView::Missing => {}
            Ok(_) => self.last = KeyringView::Works,
            Err(NoKeyring::Missing(_)) => self.last = KeyringView::Missing,
            Err(NoKeyring::Refused(_)) => self.last = KeyringView::Refused,
        }
        if answer.is_err() {
            self.failed = Some(self.questions);
        }
    }

    /// It kept something, or had. Whether it had failed before that was asked: then it is another keyring now, as one that
    /// was unlocked.
    fn work(&mut self, question: u64) -> bool {
        self.last = KeyringView::Works;
        self.has_worked = true;
        let is_again = self.failed.is_some_and(|failed| failed < question);
        if is_again {
            self.failed = None;
        }
        is_again
    }
}

/// Asks the keyring for a client, which it does not keep alive.
struct Asker {
    secrets: Arc<dyn Secrets>,
    client: Weak<Inner>,
}

impl Asker {
    /// Asks, and remembers how the keyring does; the number of the question besides. `late` is told if the answer does not
    /// come soon.
    async fn ask<T: Send + 'static>(
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
    async fn tell(self, key: String) -> Result<(), NoKeyring> {
        loop {
            let Some(wished) = self.wished(&key) else {
                return Ok(());
            };
            let (account, token) = (key.clone(), wished.token.clone());
            let (late, failed) = match token {
                Some(_) => (KeptView::Keeping, KeptView::Unkept),
                None => (KeptView::Forgetting, KeptView::Unforgotten),
            };
            let is_sign_in = token.is_some();
            let (answer, number) = self
                .ask(
                    || self.note_kept(&key, wished.no, late),
                    move |keyring| match token {
                        Some(token) => keyring.set(&account, &token),
                        None => keyring.delete(&account),
                    },
                )
                .await;
            if answer.is_ok() && !is_sign_in {
                // What it has from now on is of a later sign-in.
                self.name_left(&key, FORGOTTEN).await;
            }
            if self.wished(&key).is_some_and(|now| now.no != wished.no) {
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
            self.note_kept(&key, wished.no, kept);
            if answer.is_ok() && is_sign_in {
                self.works(number);
            }
            if answer.is_ok() {
                self.note_done(&key, wished.no);
            }
            return answer;
        }
    }

    /// Which token an account was signed out of, if that was not known.
    async fn name_left(&self, key: &str, token: &str) {
        let account = self.client().and_then(|client| client.account(key).ok());
        if let Some(account) = account
            && account.name_left(token)
        {
            // If it cannot be kept none is taken at the next start.
            let _ = keep_left(&account).await;
        }
    }

    fn client(&self) -> Option<Client> {
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
    fn works(&self, question: u64) {
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

/// What the keyring is to have of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct Wished {
    /// Counts what was wished of it.
    no: u64,
    /// None: it is to be forgotten.
    token: Option<String>,
    /// It has it so.
    is_done: bool,
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

impl Client {
    fn asker(&self) -> Asker {
        Asker {
            secrets: Arc::clone(&self.inner.secrets),
            client: Arc::downgrade(&self.inner),
        }
    }

    /// Has the token of an account kept, or forgotten; none if that is not done yet, and goes on beside everything else. What
    /// becomes of it stands in the account's view.
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
        wished.is_done = false;
    }

    /// Whether sign-ins can be kept is known before a password is typed. A keyring without a collection has nothing to
    /// give, and says so only to whoever wants something kept.
    pub(super) fn try_keyring(&self) {
        let asker = self.asker();
        tokio::spawn(async move {
            let tried = asker.ask(
                || {},
                |keyring| {
                    keyring.set(NOBODY, "")?;
                    keyring.delete(NOBODY)
                },
            );
            let (tried, number) = tried.await;
            if tried.is_ok() {
                asker.works(number);
            }
        });
    }

    fn try_keyring_once(&self) {
        let is_tried = std::mem::replace(&mut lock(&self.inner.keyring).is_tried, true);
        if !is_tried {
            self.try_keyring();
        }
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
        let asker = self.asker();
        tokio::spawn(async move {
            let key = account.key.clone();
            let (answer, number) = asker
                .ask(
                    || account.set_kept_as_of(asked, KeptView::Reading),
                    move |keyring| keyring.get(&key),
                )
                .await;
            let kept = match &answer {
                Ok(_) => KeptView::Settled,
                Err(_) => KeptView::Unread,
            };
            account.set_kept_as_of(asked, kept);
            let is_answered = answer.is_ok();
            let token = answer.ok().flatten();
            if token.is_some() {
                asker.works(number);
            }
            if let Some(token) = &token
                && let Some(left) = left.filter(|left| left.refuses(token))
            {
                if let Some(client) = asker.client() {
                    client.stay_out(account, left, asked);
                }
                return;
            }
            if let Some(client) = asker.client()
                && is_answered
                && token.is_none()
            {
                client.try_keyring_once();
            }
            // A driver that is gone has stopped with the client.
            let _ = account.use_kept_token(token.clone(), asked).await;
            if let Some(token) = token {
                asker.name_left(&account.key, &token).await;
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

    /// What it is to forget of accounts that were removed.
    fn left_over(&self, accounts: &[Arc<Account>]) -> Vec<String> {
        let wished = lock(&self.inner.wished);
        wished
            .iter()
            .filter(|(_, wished)| wished.token.is_none() && !wished.is_done)
            .map(|(key, _)| key)
            .filter(|key| accounts.iter().all(|account| account.key != **key))
            .cloned()
            .collect()
    }

    /// Asks the keyring again for what it did not do: it may have been unlocked since.
    pub fn ask_keyring_again(&self) {
        if !self.inner.secrets.is_lasting() {
            return;
        }
        let accounts = self.accounts();
        let is_useless = matches!(
            lock(&self.inner.keyring).view(),
            KeyringView::Refused | KeyringView::Missing
        );
        if accounts.is_empty() && is_useless {
            self.try_keyring();
        }
        for key in self.left_over(&accounts) {
            tokio::spawn(self.asker().tell(key));
        }
        for account in accounts {
            match account.kept() {
                KeptView::Unread => {
                    let client = self.clone();
                    tokio::spawn(async move {
                        let left = left(&account).await;
                        client.take_kept_token(account, left);
                    });
                }
                KeptView::Unkept | KeptView::Unforgotten => {
                    tokio::spawn(self.asker().tell(account.key.clone()));
                }
                KeptView::Settled
                | KeptView::Reading
                | KeptView::Keeping
                | KeptView::Forgetting => {}
            }
        }
    }
}

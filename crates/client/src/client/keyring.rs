//! The keyring is asked. It may take as long as a person does who is asked for a password: nobody is held up by that, and the
//! answer is taken whenever it comes. What it did not do it is asked for again when there is reason to.

mod asked;
mod asker;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::task::JoinHandle;

pub(super) use self::asked::Asked;
use self::asker::Asker;
use super::{Client, listing::left, lock};
use crate::{
    account::{Account, Wish},
    secrets::NoKeyring,
    store::meta::Left,
    view::{KeptView, KeyringView},
};

/// Not the key of an account: the keyring keeps nothing under it.
const NOBODY: &str = "nobody";
/// Who asks again does not wait longer to hear what came of it: by then it is said that the keyring is waited for.
const ANSWERED: Duration = Duration::from_millis(1_500);
/// Who has a token kept or forgotten does not wait longer for that to be done.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the keyring is to have of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct Wished {
    /// Counts what was wished of it.
    no: u64,
    /// None: it is to be forgotten.
    token: Option<String>,
    /// It has it so.
    is_done: bool,
    /// How many are asking it for that.
    asked: usize,
}

impl Client {
    fn asker(&self) -> Asker {
        Asker::of(self)
    }

    /// Has the token of an account kept, or forgotten; none if that is not done yet, and goes on beside everything else. What
    /// becomes of it stands in the account's view.
    pub(super) async fn tell_keyring(
        &self,
        key: String,
        token: Option<String>,
    ) -> Option<Result<(), NoKeyring>> {
        self.note_wished(&key, token);
        let asker = self.asker();
        let told = tokio::spawn(async move { asker.tell(key).await });
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
    pub(super) fn try_keyring(&self) -> JoinHandle<()> {
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
        })
    }

    fn try_keyring_once(&self) {
        let is_tried = std::mem::replace(&mut lock(&self.inner.keyring).is_tried, true);
        if !is_tried {
            self.try_keyring();
        }
    }

    /// Signs an account in with the token that the keyring has, whenever that answers; not with the one that the person
    /// signed out of.
    pub(super) fn take_kept_token(
        &self,
        account: Arc<Account>,
        left: Option<Left>,
    ) -> Option<JoinHandle<()>> {
        let asked = account.wants_kept_token()?;
        if let Some(left) = left.as_ref().filter(|left| left.refuses_all()) {
            self.stay_out(account, left.clone(), asked);
            return None;
        }
        let asker = self.asker();
        Some(tokio::spawn(async move {
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
        }))
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

    /// What it is to forget of accounts that are not there any more.
    pub(super) fn to_forget(&self) -> BTreeSet<String> {
        let keys: Vec<String> = {
            let wished = lock(&self.inner.wished);
            let left = wished
                .iter()
                .filter(|(_, wished)| wished.token.is_none() && !wished.is_done);
            left.map(|(key, _)| key.clone()).collect()
        };
        keys.into_iter()
            .filter(|key| self.account(key).is_err())
            .collect()
    }

    /// What it was to forget when the program ended it is told at the next start.
    pub(super) fn forget_left(&self, keys: BTreeSet<String>) {
        for key in keys {
            if self.account(&key).is_err() {
                self.note_wished(&key, None);
                self.tell_again(key);
            }
        }
    }

    /// Tells the keyring once more what it is to have of an account, unless it is being told.
    fn tell_again(&self, key: String) -> Option<JoinHandle<()>> {
        {
            let mut all = lock(&self.inner.wished);
            let wished = all.get_mut(&key).filter(|wished| wished.asked == 0)?;
            wished.asked += 1;
        }
        let asker = self.asker();
        Some(tokio::spawn(async move {
            // What becomes of it stands in the account's view.
            let _ = asker.tell(key.clone()).await;
            asker.note_asked(&key, |asked| asked - 1);
        }))
    }

    /// Asks the keyring again for what it did not do: it may have been unlocked since. Not for what it is being asked for
    /// already: the person would be asked for a password twice. The questions that were begun go on by themselves.
    pub fn ask_keyring_again(&self) -> Vec<JoinHandle<()>> {
        let mut questions = Vec::new();
        if !self.inner.secrets.is_lasting() {
            return questions;
        }
        let accounts = self.accounts();
        let is_useless = matches!(
            lock(&self.inner.keyring).view(),
            KeyringView::Refused | KeyringView::Missing
        );
        if accounts.is_empty() && is_useless {
            questions.push(self.try_keyring());
        }
        for key in self.to_forget() {
            questions.extend(self.tell_again(key));
        }
        for account in accounts {
            match account.kept() {
                KeptView::Unread => {
                    let Some(asked) = account.wants_kept_token() else {
                        continue;
                    };
                    account.set_kept_as_of(asked, KeptView::Reading);
                    let client = self.clone();
                    questions.push(tokio::spawn(async move {
                        let left = left(&account).await;
                        if let Some(taken) = client.take_kept_token(account, left) {
                            // A mistake in it was said where it was made.
                            let _ = taken.await;
                        }
                    }));
                }
                KeptView::Unkept | KeptView::Unforgotten => {
                    questions.extend(self.tell_again(account.key.clone()));
                }
                KeptView::Settled
                | KeptView::Reading
                | KeptView::Keeping
                | KeptView::Forgetting => {}
            }
        }
        questions
    }

    /// The person wants the keyring to be asked again. Returns once it has answered, unless that takes long: then it shows
    /// that it is waited for.
    pub async fn ask_keyring(&self) {
        let questions = self.ask_keyring_again();
        // Whoever is waited for still has been told by now that he is.
        let _ = tokio::time::timeout(ANSWERED, join_all(questions)).await;
    }
}

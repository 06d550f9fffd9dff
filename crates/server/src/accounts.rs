//! Registering, signing in and out.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use base64::Engine;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tulou_protocol::{
    AccountId, Code, Rejection, SessionId,
    http::{Register, Registration, SignIn, SignedIn},
    limits, text,
};
use uuid::Uuid;

use crate::{
    App,
    store::{NewAccount, SignedInAs, StoreError, TokenHash},
};

/// Passwords that are hashed at the same time: each takes 19 MiB and a good part of a second.
const HASHING: usize = 2;
static PERMITS: Semaphore = Semaphore::const_new(HASHING);

/// What a name without an account is compared with, so that a refusal takes as long.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| hash("nobody has this password").unwrap_or_default());

/// Failures of a name before it has to wait.
const FREE_FAILURES: u32 = 5;
/// Seconds that a name waits at most.
const LONGEST_WAIT_S: u64 = 60;
/// Names remembered.
const NAMES: usize = 10_000;

/// How registering or signing in was refused.
#[derive(Debug)]
pub enum Refused {
    /// For good.
    Rejected(Rejection),
    /// Too many failures: in so many seconds.
    Later(u64),
    /// Something broke.
    Broken(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Broken(error)
    }
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Code> for Refused {
    fn from(code: Code) -> Self {
        Self::Rejected(code.into())
    }
}

/// Failures to sign in, by name.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<String, Failures>>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    until_ms: u64,
}

impl Attempts {
    /// Refuses while a name has to wait.
    fn check(&self, name: &str, now: u64) -> Result<(), Refused> {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match names.get(name) {
            Some(failures) if failures.until_ms > now => {
                Err(Refused::Later((failures.until_ms - now).div_ceil(1_000)))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Each failure after the free ones doubles the wait.
    fn failed(&self, name: &str, now: u64) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= NAMES {
            names.retain(|_, failures| failures.until_ms > now);
        }
        let failures = names.entry(name.to_owned()).or_insert(Failures {
            count: 0,
            until_ms: 0,
        });
        failures.count = failures.count.saturating_add(1);
        if let Some(over) = failures.count.checked_sub(FREE_FAILURES) {
            let wait_s = 1_u64 << over.min(6);
            failures.until_ms = now + wait_s.min(LONGEST_WAIT_S) * 1_000;
        }
    }

    fn forgive(&self, name: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
    }
}

fn hash(password: &str) -> Option<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .ok()
}

fn fits(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

/// Hashing runs beside the async threads, a few at a time.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let _permit = PERMITS.acquire().await.map_err(|_| StoreError::Closed)?;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| StoreError::Closed)
}

/// The hash under which a token's session is kept.
#[must_use]
pub fn token_hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

impl App {
    /// Makes an account and signs it in. The first account of a server needs no permission.
    ///
    /// # Errors
    /// `closed`, `name_taken`, `weak_password`, or what a name must not be.
    pub async fn register(&self, asked: Register) -> Result<SignedIn, Refused> {
        let Register {
            account_name,
            display_name,
            password,
            invite,
        } = asked;
        text::check_account_name(&account_name)?;
        text::check_name(&display_name)?;
        if !limits::PASSWORD_BYTES.contains(&password.len()) {
            return Err(Refused::Rejected(Rejection::limit(
                Code::WeakPassword,
                *limits::PASSWORD_BYTES.start(),
            )));
        }
        let now = self.now();
        let is_invited = match invite {
            Some(code) => self.store().invite(code, now).await?.is_some(),
            None => false,
        };
        let may = match self.config().registration {
            Registration::Open => true,
            Registration::Invite => is_invited,
            Registration::Closed => false,
        };
        if !may && self.store().has_accounts().await? {
            return Err(Code::Closed.into());
        }
        if self.store().account(account_name.clone()).await?.is_some() {
            return Err(Code::NameTaken.into());
        }
        let hashed = beside(move || hash(&password)).await?;
        let made = self
            .store()
            .create_account(NewAccount {
                id: AccountId(Uuid::now_v7()),
                name: account_name,
                display_name,
                password: hashed.ok_or(StoreError::Closed)?,
                only_as_first: !may,
                now,
            })
            .await?;
        let account = made.ok_or(if may { Code::NameTaken } else { Code::Closed })?;
        tracing::info!(account.id = %account, "an account was made");
        self.begin_session(account).await
    }

    /// Signs in.
    ///
    /// # Errors
    /// `wrong_password`, whether it is the name or the password; later, after many failures.
    pub async fn sign_in(&self, asked: SignIn) -> Result<SignedIn, Refused> {
        let SignIn {
            account_name,
            password,
        } = asked;
        if account_name.len() > *limits::ACCOUNT_NAME_BYTES.end()
            || password.len() > *limits::PASSWORD_BYTES.end()
        {
            return Err(Code::WrongPassword.into());
        }
        self.attempts().check(&account_name, self.uptime_ms())?;
        let account = self.store().account(account_name.clone()).await?;
        let id = account.as_ref().map(|account| account.id);
        let is_right = beside(move || match account {
            Some(account) => fits(&password, &account.password),
            None => {
                fits(&password, &NOBODY);
                false
            }
        })
        .await?;
        match id {
            Some(id) if is_right => {
                self.attempts().forgive(&account_name);
                self.begin_session(id).await
            }
            Some(_) | None => {
                self.attempts().failed(&account_name, self.uptime_ms());
                Err(Code::WrongPassword.into())
            }
        }
    }

    async fn begin_session(&self, account: AccountId) -> Result<SignedIn, Refused> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| StoreError::Closed)?;
        let token = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        self.store()
            .create_session(
                account,
                SessionId(Uuid::now_v7()),
                token_hash(&token),
                self.now(),
            )
            .await?;
        Ok(SignedIn { account, token })
    }

    /// The session of a token.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn session(&self, token: &str) -> Result<Option<SignedInAs>, StoreError> {
        self.store().session(token_hash(token)).await
    }

    /// Ends the session of a token, and what is connected with it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sign_out(&self, token: &str) -> Result<bool, StoreError> {
        let ended = self.store().end_session(token_hash(token)).await?;
        if let Some(session) = ended {
            self.hub().sign_out(session);
        }
        Ok(ended.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_fails_often_has_to_wait_longer_each_time() {
        let attempts = Attempts::default();
        for _ in 0..FREE_FAILURES - 1 {
            attempts.failed("alice", 0);
        }
        assert!(attempts.check("alice", 0).is_ok(), "a few are free");
        attempts.failed("alice", 0);
        assert!(
            matches!(attempts.check("alice", 0), Err(Refused::Later(1))),
            "then it waits"
        );
        attempts.failed("alice", 1_000);
        assert!(
            matches!(attempts.check("alice", 1_000), Err(Refused::Later(2))),
            "and longer"
        );
        assert!(attempts.check("bob", 0).is_ok(), "others do not");
        attempts.forgive("alice");
        assert!(
            attempts.check("alice", 1_000).is_ok(),
            "the right password ends it"
        );
    }
}

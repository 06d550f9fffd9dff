//! Where tokens are kept: the system's keyring, and nowhere else on disk.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The name under which the system lists the entries.
const SERVICE: &str = "Tulou";

/// A keyring that does not work.
#[derive(Debug, thiserror::Error)]
#[error("the keyring is not usable: {0}")]
pub struct NoKeyring(pub String);

/// Keeps a token per account. The methods may block.
pub trait Secrets: Send + Sync + 'static {
    /// The token of an account; none if it has none.
    ///
    /// # Errors
    /// If the keyring does not work.
    fn get(&self, account: &str) -> Result<Option<String>, NoKeyring>;
    /// Keeps the token of an account.
    ///
    /// # Errors
    /// If the keyring does not work.
    fn set(&self, account: &str, token: &str) -> Result<(), NoKeyring>;
    /// Forgets the token of an account.
    ///
    /// # Errors
    /// If the keyring does not work.
    fn delete(&self, account: &str) -> Result<(), NoKeyring>;
    /// Whether tokens outlive the program.
    fn is_lasting(&self) -> bool;
}

/// The system's keyring.
#[derive(Debug, Default, Clone, Copy)]
pub struct Keyring;

impl Keyring {
    fn entry(account: &str) -> Result<keyring::Entry, NoKeyring> {
        keyring::Entry::new(SERVICE, account).map_err(|error| NoKeyring(error.to_string()))
    }
}

impl Secrets for Keyring {
    fn get(&self, account: &str) -> Result<Option<String>, NoKeyring> {
        match Self::entry(account)?.get_password() {
            Ok(token) => Ok(Some(token)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(NoKeyring(error.to_string())),
        }
    }

    fn set(&self, account: &str, token: &str) -> Result<(), NoKeyring> {
        Self::entry(account)?
            .set_password(token)
            .map_err(|error| NoKeyring(error.to_string()))
    }

    fn delete(&self, account: &str) -> Result<(), NoKeyring> {
        match Self::entry(account)?.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(NoKeyring(error.to_string())),
        }
    }

    fn is_lasting(&self) -> bool {
        true
    }
}

/// Tokens for as long as the value lives: for tests and programs without a person.
#[derive(Default)]
pub struct InMemory {
    tokens: Mutex<HashMap<String, String>>,
}

impl InMemory {
    fn tokens(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Secrets for InMemory {
    fn get(&self, account: &str) -> Result<Option<String>, NoKeyring> {
        Ok(self.tokens().get(account).cloned())
    }

    fn set(&self, account: &str, token: &str) -> Result<(), NoKeyring> {
        self.tokens().insert(account.to_owned(), token.to_owned());
        Ok(())
    }

    fn delete(&self, account: &str) -> Result<(), NoKeyring> {
        self.tokens().remove(account);
        Ok(())
    }

    fn is_lasting(&self) -> bool {
        false
    }
}

/// Asks the keyring off the async threads. It may be asking the person for a password, so this takes as long as that.
pub(crate) async fn ask<T: Send + 'static>(
    secrets: &Arc<dyn Secrets>,
    question: impl FnOnce(&dyn Secrets) -> Result<T, NoKeyring> + Send + 'static,
) -> Result<T, NoKeyring> {
    let secrets = Arc::clone(secrets);
    match tokio::task::spawn_blocking(move || question(secrets.as_ref())).await {
        Ok(answer) => answer,
        Err(_) => Err(NoKeyring("the question panicked".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_is_there_until_it_is_forgotten() {
        let secrets: Arc<dyn Secrets> = Arc::new(InMemory::default());
        ask(&secrets, |s| s.set("a", "t")).await.unwrap();
        assert_eq!(
            ask(&secrets, |s| s.get("a")).await.unwrap().as_deref(),
            Some("t")
        );
        ask(&secrets, |s| s.delete("a")).await.unwrap();
        assert_eq!(ask(&secrets, |s| s.get("a")).await.unwrap(), None);
    }
}

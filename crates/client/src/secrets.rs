//! Where tokens are kept: the system's keyring, and nowhere else on disk.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use keyring_core::{Entry, Error};

/// The name under which the system lists the entries.
const SERVICE: &str = "Tulou";

/// Why a keyring did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum NoKeyring {
    /// There is none, or none that has a place to keep anything in.
    #[error("there is no keyring: {0}")]
    Missing(String),
    /// It is there; it was not opened, or failed. Asked again it may do it.
    #[error("the keyring did not do it: {0}")]
    Refused(String),
}

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
    /// What the keyring does with the entry of an account.
    fn with<T>(
        account: &str,
        ask: impl FnOnce(&Entry) -> keyring_core::Result<T>,
    ) -> Result<Option<T>, NoKeyring> {
        // One that could not be had is looked for again: it may have been started since.
        if keyring_core::get_default_store().is_none() {
            let found = system::open().map_err(|error| system::without(&error))?;
            keyring_core::set_default_store(found);
        }
        let answer = Entry::new(SERVICE, account).and_then(|entry| ask(&entry));
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => {
                if matches!(error, Error::PlatformFailure(_)) {
                    // The way to it may be broken for good, as when its service was started anew.
                    keyring_core::unset_default_store();
                }
                Err(system::refusal(&error))
            }
        }
    }
}

impl Secrets for Keyring {
    fn get(&self, account: &str) -> Result<Option<String>, NoKeyring> {
        Self::with(account, Entry::get_password)
    }

    fn set(&self, account: &str, token: &str) -> Result<(), NoKeyring> {
        Self::with(account, |entry| entry.set_password(token)).map(drop)
    }

    fn delete(&self, account: &str) -> Result<(), NoKeyring> {
        Self::with(account, Entry::delete_credential).map(drop)
    }

    fn is_lasting(&self) -> bool {
        true
    }
}

/// A desktop may have no keyring, and a keyring no collection to keep anything in.
#[cfg(not(any(windows, target_vendor = "apple")))]
mod system {
    use std::sync::Arc;

    use keyring_core::{CredentialStore, Error};

    use super::NoKeyring;

    pub fn open() -> keyring_core::Result<Arc<CredentialStore>> {
        Ok(zbus_secret_service_keyring_store::Store::new()?)
    }

    pub fn without(error: &Error) -> NoKeyring {
        NoKeyring::Missing(error.to_string())
    }

    pub fn refusal(error: &Error) -> NoKeyring {
        if let Error::NoStorageAccess(cause) = error
            && let Some(secret_service::Error::NoResult | secret_service::Error::Unavailable) =
                cause.downcast_ref()
        {
            return without(error);
        }
        NoKeyring::Refused(error.to_string())
    }
}

/// The keyring is a part of the system.
#[cfg(any(windows, target_vendor = "apple"))]
mod system {
    use std::sync::Arc;

    use keyring_core::{CredentialStore, Error};

    use super::NoKeyring;

    #[cfg(windows)]
    pub fn open() -> keyring_core::Result<Arc<CredentialStore>> {
        Ok(windows_native_keyring_store::Store::new()?)
    }

    #[cfg(target_vendor = "apple")]
    pub fn open() -> keyring_core::Result<Arc<CredentialStore>> {
        Ok(apple_native_keyring_store::keychain::Store::new()?)
    }

    pub fn without(error: &Error) -> NoKeyring {
        NoKeyring::Refused(error.to_string())
    }

    pub fn refusal(error: &Error) -> NoKeyring {
        NoKeyring::Refused(error.to_string())
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
        Err(_) => Err(NoKeyring::Refused("the question panicked".into())),
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

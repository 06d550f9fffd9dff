//! Passwords, tokens and codes: made, hashed and compared. None is ever logged.

use std::sync::LazyLock;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use base64::Engine;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tulou_protocol::{AccountId, Code, Rejection, limits, recovery};

use crate::store::{CodeHash, StoreError, TokenHash};

/// Passwords that are hashed at the same time: each takes 19 MiB and a good part of a second.
const HASHING: usize = 2;
static PERMITS: Semaphore = Semaphore::const_new(HASHING);

/// What a name without a password is compared with, so that a refusal takes as long.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| hash("nobody has this password").unwrap_or_default());

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

/// Refuses a password that is too short or too long (DESIGN §9).
pub fn check_password(password: &str) -> Result<(), Rejection> {
    let (least, most) = limits::PASSWORD_BYTES.into_inner();
    if password.len() < least {
        return Err(Rejection::limit(Code::WeakPassword, least));
    }
    if password.len() > most {
        return Err(Rejection::limit(Code::TooLong, most));
    }
    Ok(())
}

/// The hash under which a password is kept.
pub async fn password_hash(password: String) -> Result<String, StoreError> {
    beside(move || hash(&password))
        .await?
        .ok_or(StoreError::Closed)
}

/// Whether a password is that of a hash. Without a hash it never is, which takes as long to say.
pub async fn password_fits(password: String, kept: Option<String>) -> Result<bool, StoreError> {
    if password.len() > *limits::PASSWORD_BYTES.end() {
        return Ok(false);
    }
    let kept = kept.filter(|kept| !kept.is_empty());
    beside(move || match kept {
        Some(kept) => fits(&password, &kept),
        None => {
            fits(&password, &NOBODY);
            false
        }
    })
    .await
}

/// The hash under which a token's session is kept.
#[must_use]
pub fn token_hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// A new token.
pub fn token() -> Result<String, StoreError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| StoreError::Closed)?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}

/// A new code, as people read it.
pub fn code() -> Result<String, StoreError> {
    let mut bytes = [0; recovery::LETTERS];
    getrandom::fill(&mut bytes).map_err(|_| StoreError::Closed)?;
    Ok(recovery::written(bytes))
}

/// New recovery codes, as people read them.
pub fn codes() -> Result<Vec<String>, StoreError> {
    (0..limits::RECOVERY_CODES).map(|_| code()).collect()
}

/// The hash under which a code of an account is kept; none if it cannot be a code. Codes are random and long, so one
/// quick hash is enough.
pub fn code_hash(account: AccountId, code: &str) -> Option<CodeHash> {
    let normal = recovery::normal(code)?;
    let hash = Sha256::new()
        .chain_update(account.as_bytes())
        .chain_update(normal.as_bytes());
    Some(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_alone() {
        let kept = password_hash("correct horse".into()).await.unwrap();
        assert!(kept.starts_with("$argon2id$"), "{kept}");
        for (password, kept, is_right) in [
            ("correct horse", Some(kept.clone()), true),
            ("wrong horse", Some(kept), false),
            ("correct horse", Some(String::new()), false),
            ("", Some(String::new()), false),
            ("nobody has this password", None, false),
        ] {
            let fits = password_fits(password.into(), kept).await.unwrap();
            assert_eq!(fits, is_right, "{password}");
        }
    }

    #[test]
    fn a_code_is_of_no_use_for_another_account() {
        let code = code().unwrap();
        let alice = AccountId(Uuid::from_u128(1));
        let bob = AccountId(Uuid::from_u128(2));
        assert!(
            code_hash(alice, &code).is_some(),
            "what is made can be read"
        );
        assert_eq!(
            code_hash(alice, &code),
            code_hash(alice, &code.to_lowercase())
        );
        assert_ne!(code_hash(alice, &code), code_hash(bob, &code));
        assert_eq!(code_hash(alice, "no code"), None);
    }
}

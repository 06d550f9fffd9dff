//! Passwords, tokens and codes: made, hashed and compared. None is ever logged.

use std::sync::LazyLock;

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
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

/// An allocator keeps what it got back, a piece for each thread that hashed; but of more than this none does, on any system:
/// it goes back at once. (glibc maps more than 32 MiB by itself, whatever it has learned.)
const GIVEN_BACK_BYTES: usize = 33 << 20;
/// Bytes of a salt.
const SALT_BYTES: usize = 16;

/// Memory for one hash. What is asked for beyond what the hash needs is never touched, and costs nothing.
fn memory(params: &Params) -> Vec<Block> {
    let blocks = params.block_count();
    let mut memory = Vec::with_capacity(blocks.max(GIVEN_BACK_BYTES / Block::SIZE));
    memory.resize(blocks, Block::new());
    memory
}

fn output(argon2: &Argon2<'_>, password: &str, salt: &[u8]) -> Option<Output> {
    let params = argon2.params();
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let mut bytes = [0; Output::MAX_LENGTH];
    let bytes = bytes.get_mut(..length)?;
    argon2
        .hash_password_into_with_memory(password.as_bytes(), salt, bytes, memory(params))
        .ok()?;
    Output::new(bytes).ok()
}

fn hash(password: &str) -> Option<String> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).ok()?;
    let argon2 = Argon2::default();
    let hash = PasswordHash {
        algorithm: Algorithm::default().ident(),
        version: Some(Version::default().into()),
        params: ParamsString::try_from(argon2.params()).ok()?,
        salt: Some(Salt::new(&salt).ok()?),
        hash: Some(output(&argon2, password, &salt)?),
    };
    Some(hash.to_string())
}

/// The function and parameters of a hash may be those of another day.
fn maker(hash: &PasswordHash) -> Option<Argon2<'static>> {
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = hash.version.map(Version::try_from).transpose().ok()?;
    let params = Params::try_from(hash).ok()?;
    Some(Argon2::new(algorithm, version.unwrap_or_default(), params))
}

fn fits(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        return false;
    };
    let (Some(argon2), Some(salt), Some(kept)) = (maker(&hash), &hash.salt, &hash.hash) else {
        return false;
    };
    // Outputs are compared in a time that says nothing.
    output(&argon2, password, salt).is_some_and(|output| output == *kept)
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

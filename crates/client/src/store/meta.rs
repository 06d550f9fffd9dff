//! Facts about the store as a whole: the server's last greeting, what was set aside.

use rusqlite::{Connection, OptionalExtension, Transaction};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use tulou_protocol::{Greeting, id::Millis};

use super::{StoreError, legible};
use crate::known::Known;

const GREETING: &str = "greeting";
const ASIDE: &str = "aside";
const BEGUN: &str = "begun";
const PROBE: &str = "probe";
const ADDRESSES: &str = "whereabouts";
const KNOWN: &str = "known";
const LEFT: &str = "left";

/// A file that was set aside because it was damaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    /// Its name.
    pub file: String,
    /// The folder that it is in, which is the store's.
    pub folder: String,
    /// When.
    pub at: Millis,
    /// Commands that waited in the outbox and were taken along.
    pub commands: u32,
    /// Drafts that were taken along.
    pub drafts: u32,
    /// Whether outbox and drafts could be read to the end; if not, some may be missing.
    pub is_whole: bool,
}

/// The person signed out: the token that he had then signs nobody in, should a keyring still have it. Another one does, also
/// if it could not be kept here that he signed in again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The hash of the token; none if it was not known, and then none that the keyring has is good.
    token: Option<[u8; 32]>,
}

impl Left {
    /// Signed out while this was the token.
    pub fn with(token: Option<&str>) -> Self {
        Self {
            token: token.map(hash),
        }
    }

    /// Whether no token is good, whichever it is.
    pub const fn refuses_all(&self) -> bool {
        self.token.is_none()
    }

    /// Whether a token is not good.
    pub fn refuses(&self, token: &str) -> bool {
        self.token.is_none_or(|refused| refused == hash(token))
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Where the server is, as it says itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// The addresses that it named last.
    pub named: Vec<String>,
    /// Those that it named before, the newest first.
    pub past: Vec<String>,
}

/// The server's last greeting: epoch, name, limits, addresses.
pub fn greeting(db: &Connection) -> Result<Option<Greeting>, StoreError> {
    one(db, GREETING)
}

pub(super) fn set_greeting(db: &Connection, greeting: &Greeting) -> Result<(), StoreError> {
    put(db, GREETING, &serde_json::to_string(greeting)?)
}

/// The file that was set aside when this one was begun; none once the person has taken note.
pub fn aside(db: &Connection) -> Result<Option<Aside>, StoreError> {
    one(db, ASIDE)
}

pub(super) fn set_aside(db: &Connection, aside: &Aside) -> Result<(), StoreError> {
    put(db, ASIDE, &serde_json::to_string(aside)?)
}

/// The person has taken note of the file that was set aside.
pub fn forget_aside(db: &Connection) -> Result<(), StoreError> {
    remove(db, ASIDE)
}

/// Whether nothing was noted yet: what is kept beside the store may not be in it.
pub(super) fn is_blank(db: &Connection) -> Result<bool, StoreError> {
    let query = "SELECT NOT EXISTS (SELECT 1 FROM meta)";
    Ok(db.query_row(query, [], |row| row.get(0))?)
}

/// What is kept beside the store is in it.
pub(super) fn set_begun(db: &Connection) -> Result<(), StoreError> {
    put(db, BEGUN, "true")
}

/// Writes something of a size, to see whether there is room.
pub(super) fn probe(db: &Connection, bytes: usize) -> Result<(), StoreError> {
    put(db, PROBE, &" ".repeat(bytes))
}

pub(super) fn end_probe(db: &Transaction<'_>) -> Result<(), StoreError> {
    remove(db, PROBE)
}

/// Where the server is, as it says itself.
pub fn addresses(db: &Connection) -> Result<Addresses, StoreError> {
    Ok(one(db, ADDRESSES)?.unwrap_or_default())
}

/// The server said where it is.
pub fn set_addresses(db: &Connection, addresses: &Addresses) -> Result<(), StoreError> {
    put(db, ADDRESSES, &serde_json::to_string(addresses)?)
}

/// What the list of accounts says of this one, for the day on which the list cannot be read.
pub fn known(db: &Connection) -> Result<Option<Known>, StoreError> {
    one(db, KNOWN)
}

/// The list of accounts says something else of this one.
pub fn set_known(db: &Connection, known: &Known) -> Result<(), StoreError> {
    put(db, KNOWN, &serde_json::to_string(known)?)
}

/// As what the person signed out, if he has not signed in since.
pub fn left(db: &Connection) -> Result<Option<Left>, StoreError> {
    one(db, LEFT)
}

/// The person signed out, or in again.
pub fn set_left(db: &Connection, left: Option<&Left>) -> Result<(), StoreError> {
    match left {
        Some(left) => put(db, LEFT, &serde_json::to_string(left)?),
        None => remove(db, LEFT),
    }
}

fn one<T: DeserializeOwned>(db: &Connection, key: &str) -> Result<Option<T>, StoreError> {
    let text: Option<String> = db
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    Ok(text.and_then(|text| legible(&text, key)))
}

fn put(db: &Connection, key: &str, value: &str) -> Result<(), StoreError> {
    db.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?
        .execute([key, value])?;
    Ok(())
}

fn remove(db: &Connection, key: &str) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM meta WHERE key = ?1")?
        .execute([key])?;
    Ok(())
}

//! The list of accounts, read in whatever state it is in: one damaged file keeps nobody from his accounts.
//!
//! A damaged list is copied under a name with the date, and only then replaced, in one step: there is a list at every
//! moment, and nothing is deleted. What the damaged list still gives and the stores that lie in the folder make the new
//! one. A list that a newer version wrote, or that cannot be read, is left as it is; the accounts are there all the same.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tulou_protocol::{AccountId, ServerId, id::Millis};

use super::{Folder, bytes_of, write};
use crate::{
    error::{Error, chain},
    known::Known,
    store::{StoreError, Trouble, free_name},
};

/// The version of the list that this program writes, and the newest that it reads.
const VERSION: u32 = 1;
/// The list's file.
const FILE: &str = "accounts.json";

/// A damaged list of accounts that was set aside, until the person has taken note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListAside {
    /// The name of the file.
    pub file: String,
    /// When, in milliseconds since 1970.
    pub at: Millis,
    /// Accounts that were found again.
    pub accounts: u32,
}

/// The list of accounts as it is on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// Accounts that it gives, in the order in which they were added.
    pub accounts: Vec<Known>,
    /// Accounts that it does not give although their stores lie in the folder. Looked for only if the list is not whole.
    pub strays: Vec<(ServerId, AccountId)>,
    /// Keys of accounts that are not there any more, and whose tokens the keyring did not forget yet.
    pub to_forget: BTreeSet<String>,
    /// The damaged list that was set aside.
    pub aside: Option<ListAside>,
    /// Why it may not be written.
    pub trouble: Option<Trouble>,
    /// It was set aside just now, and has to be written anew.
    pub is_begun_anew: bool,
}

/// What is in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    #[serde(default = "first")]
    version: u32,
    accounts: Vec<Known>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    to_forget: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aside: Option<ListAside>,
}

/// Lists had no version at first.
const fn first() -> u32 {
    1
}

impl Folder {
    /// Where the list of accounts is.
    pub fn list_file(&self) -> PathBuf {
        self.0.join(FILE)
    }

    /// The list of accounts. A damaged one is set aside.
    pub fn list(&self, now: Millis) -> List {
        let path = self.list_file();
        let bytes = match bytes_of(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return List::default(),
            Err(error) => return self.in_trouble(List::default(), StoreError::from(error)),
        };
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let found = value["version"].as_u64().unwrap_or(1);
        if found > u64::from(VERSION) {
            let found = u32::try_from(found).unwrap_or(u32::MAX);
            let known = VERSION;
            return self.in_trouble(readable(&value), StoreError::TooNew { found, known });
        }
        if let Ok(written) = Written::deserialize(&value) {
            return List {
                accounts: written.accounts,
                to_forget: written.to_forget,
                aside: written.aside,
                ..List::default()
            };
        }
        match copy_aside(&path, now) {
            Ok(file) => {
                tracing::error!(%file, "the list of accounts is damaged; it was set aside");
                let mut list = self.with_strays(readable(&value));
                list.aside = Some(ListAside {
                    file,
                    at: now,
                    accounts: 0,
                });
                list.is_begun_anew = true;
                list
            }
            Err(error) => {
                tracing::error!("the damaged list of accounts cannot be set aside: {error}");
                self.in_trouble(readable(&value), StoreError::Shut(Trouble::Damaged))
            }
        }
    }

    /// Keeps the list of accounts.
    pub fn keep_list(
        &self,
        accounts: Vec<Known>,
        to_forget: BTreeSet<String>,
        aside: Option<ListAside>,
    ) -> Result<(), Error> {
        let written = Written {
            version: VERSION,
            accounts,
            to_forget,
            aside,
        };
        write(&self.list_file(), &written)
    }

    fn in_trouble(&self, list: List, why: StoreError) -> List {
        tracing::error!("the list of accounts is left as it is: {}", chain(&why));
        let mut list = self.with_strays(list);
        list.trouble = Some(why.trouble().unwrap_or(Trouble::Unreadable));
        list
    }

    /// Adds the accounts whose stores lie in the folder, the oldest first.
    fn with_strays(&self, mut list: List) -> List {
        let names = fs::read_dir(self.0.join("accounts"))
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut strays: Vec<(ServerId, AccountId)> = names
            .filter_map(|name| {
                let (server, account) = name.strip_suffix(".sqlite")?.split_once('.')?;
                let (server, account) = (server.parse().ok()?, account.parse().ok()?);
                Some((ServerId(server), AccountId(account)))
            })
            .filter(|(server, account)| {
                let is_it = |known: &Known| known.server == *server && known.account == *account;
                !list.accounts.iter().any(is_it)
            })
            .collect();
        // Ids of accounts begin with the time at which they were made.
        strays.sort_unstable_by_key(|(server, account)| (*account, *server));
        list.strays = strays;
        list
    }
}

/// The accounts that something which is no list gives all the same.
fn readable(value: &Value) -> List {
    let entries = value["accounts"].as_array().into_iter().flatten();
    List {
        accounts: entries
            .filter_map(|entry| Known::deserialize(entry).ok())
            .collect(),
        to_forget: BTreeSet::deserialize(&value["to_forget"]).unwrap_or_default(),
        ..List::default()
    }
}

/// Copies a damaged list beside itself; the copy's name.
fn copy_aside(path: &Path, now: Millis) -> io::Result<String> {
    let aside = free_name(path, now);
    fs::copy(path, &aside)?;
    File::options().write(true).open(&aside)?.sync_all()?;
    Ok(aside
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(server: &str, account: &str) -> Known {
        Known {
            server: ServerId(server.parse().unwrap()),
            account: AccountId(account.parse().unwrap()),
            name: "alice".into(),
            server_name: "星海".into(),
            addresses: vec!["wss://192.0.2.1:4780".into()],
            key: None,
        }
    }

    const FIRST: [&str; 2] = [
        "01934b2e-0000-7000-8000-000000000001",
        "01934b2e-0000-7000-8000-000000000002",
    ];
    const SECOND: [&str; 2] = [
        "01934b2e-0000-7000-8000-000000000001",
        "01934b2e-0000-7000-8000-000000000003",
    ];

    /// The key of an account that was removed.
    const GONE: &str = "01934b2e-0000-7000-8000-000000000001.01934b2e-0000-7000-8000-000000000004";

    /// A folder with a list of two accounts, and with their stores.
    fn home() -> (tempfile::TempDir, Folder, Vec<Known>) {
        let folder = tempfile::tempdir().unwrap();
        let files = Folder::open(folder.path().to_owned()).unwrap();
        let accounts = vec![known(FIRST[0], FIRST[1]), known(SECOND[0], SECOND[1])];
        let to_forget = BTreeSet::from([GONE.to_owned()]);
        files.keep_list(accounts.clone(), to_forget, None).unwrap();
        for known in &accounts {
            fs::write(files.store(&known.key()), "").unwrap();
            // None of these is a store.
            for added in ["-wal", ".spare", ".damaged-2026-11-23T072737Z"] {
                fs::write(
                    format!("{}{added}", files.store(&known.key()).display()),
                    "",
                )
                .unwrap();
            }
        }
        (folder, files, accounts)
    }

    fn ids(accounts: &[Known]) -> Vec<(ServerId, AccountId)> {
        accounts
            .iter()
            .map(|known| (known.server, known.account))
            .collect()
    }

    #[test]
    fn a_list_that_was_kept_is_read_as_it_was() {
        let (_folder, files, accounts) = home();
        let list = files.list(0);
        assert_eq!(list.accounts, accounts);
        assert!(list.to_forget.contains(GONE), "{:?}", list.to_forget);
        assert_eq!((list.strays.len(), list.trouble), (0, None));
        assert!(!list.is_begun_anew && list.aside.is_none());
    }

    #[test]
    fn a_damaged_list_is_set_aside_and_the_stores_are_found() {
        for damaged in [
            "",
            "{\"version\": 1, \"accounts\": [{\"ser",
            "[]",
            "null",
            "\0\0\0\0",
        ] {
            let (folder, files, accounts) = home();
            fs::write(files.list_file(), damaged).unwrap();
            let list = files.list(1_764_000_000_000);
            assert_eq!(list.strays, ids(&accounts), "{damaged:?}");
            assert!(list.is_begun_anew && list.trouble.is_none());
            let aside = list.aside.unwrap();
            assert_eq!(aside.file, "accounts.json.damaged-2025-11-24T160000Z");
            let kept = fs::read_to_string(folder.path().join(aside.file)).unwrap();
            assert_eq!(kept, damaged, "nothing is deleted");
        }
    }

    #[test]
    fn what_a_damaged_list_still_gives_is_taken_from_it() {
        let (_folder, files, accounts) = home();
        let mut value: Value =
            serde_json::from_slice(&fs::read(files.list_file()).unwrap()).unwrap();
        value["accounts"][1]["addresses"] = Value::from(7);
        fs::write(files.list_file(), value.to_string()).unwrap();
        let list = files.list(0);
        assert_eq!(list.accounts, accounts[..1], "with everything that it says");
        assert!(list.to_forget.contains(GONE), "{:?}", list.to_forget);
        assert_eq!(list.strays, ids(&accounts[1..]), "and its store is there");
    }

    #[test]
    fn a_newer_list_is_left_as_it_is() {
        let (folder, files, accounts) = home();
        let newer = r#"{"version": 2, "accounts": {"somewhere": "else"}}"#;
        fs::write(files.list_file(), newer).unwrap();
        let list = files.list(0);
        assert_eq!(list.trouble, Some(Trouble::TooNew { found: 2, known: 1 }));
        assert_eq!(list.strays, ids(&accounts));
        assert!(!list.is_begun_anew);
        assert_eq!(fs::read_to_string(files.list_file()).unwrap(), newer);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no copy");
    }

    #[test]
    fn a_list_that_the_disk_does_not_give_is_left_as_it_is() {
        let (_folder, files, accounts) = home();
        fs::remove_file(files.list_file()).unwrap();
        // A folder in its place can be neither read nor replaced.
        fs::create_dir(files.list_file()).unwrap();
        let list = files.list(0);
        assert_eq!(list.trouble, Some(Trouble::Unreadable));
        assert_eq!(list.strays, ids(&accounts));
    }
}

//! The list of accounts: begun with, kept, and looked at again while something is wrong with it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures_util::future::join_all;
use rusqlite::Connection as Db;
use tokio::task::JoinHandle;
use tulou_protocol::{AccountId, Body, Log, ServerId};

use super::{Account, Client, lock, open};
use crate::{
    as_of::now,
    blocking::blocking,
    error::{Error, chain},
    files::{List, ListAside},
    known::Known,
    store::{
        Store, StoreError, Trouble,
        meta::{self, Left},
        rows,
    },
    view::{Change, ListAsideView, ListView, StoreTrouble},
};

/// How long a start waits for stores. One that takes longer opens beside everything else.
const OPENING: Duration = Duration::from_secs(1);

/// What is to be told of the list.
#[derive(Debug, Default)]
pub(super) struct Listed {
    trouble: Option<Trouble>,
    aside: Option<ListAside>,
}

impl Client {
    /// Starts the accounts of a list, those included that only their stores speak of.
    pub(super) async fn begin(&self, list: List) {
        let found = list.strays.into_iter().map(|(server, account)| Known {
            server,
            account,
            // Until the store, or the server, tells another.
            name: account.to_string(),
            server_name: String::new(),
            addresses: Vec::new(),
            key: None,
        });
        *lock(&self.inner.listed) = Listed {
            trouble: list.trouble,
            aside: list.aside,
        };
        // All of the list are there at once, and in its order: who keeps the list meanwhile leaves nobody out.
        let mut opening = Vec::new();
        for known in list.accounts {
            let store = self.store(&known);
            opening.push(self.open_account(self.start(known, store)));
        }
        // Whose name only a store knows is there when that is open.
        let found = join_all(found.map(async |known| {
            let store = self.open_store(&known).await;
            (recall(known, &store).await, store)
        }))
        .await;
        for (known, store) in found {
            opening.push(self.open_account(self.start(known, store)));
        }
        if opening.is_empty() {
            // Who makes the first account here should know whether the sign-in is kept before typing a password.
            self.try_keyring();
        }
        self.forget_left(list.to_forget);
        if tokio::time::timeout(OPENING, join_all(opening))
            .await
            .is_err()
        {
            tracing::info!("not every store is open yet");
        }
        if list.is_begun_anew {
            let found = self.accounts().len();
            if let Some(aside) = &mut lock(&self.inner.listed).aside {
                aside.accounts = u32::try_from(found).unwrap_or(u32::MAX);
            }
            if let Err(error) = self.write_list().await {
                tracing::error!(
                    "the new list of accounts cannot be written: {}",
                    chain(&error)
                );
            }
        }
    }

    /// Opens the store of an account that was just started, and has it signed in as the keyring says. Each stands on its
    /// own: a store that is slow, or that another program has, keeps nobody else waiting.
    fn open_account(&self, account: Arc<Account>) -> JoinHandle<()> {
        let client = Arc::downgrade(&self.inner);
        tokio::spawn(async move {
            open(&account.store, &account.key).await;
            account.note_all();
            let left = left(&account).await;
            // The keyring may take its time: nobody waits for it.
            if let Some(inner) = client.upgrade() {
                Client { inner }.take_kept_token(Arc::clone(&account), left);
            }
            tokio::spawn(remember(vec![account]));
        })
    }

    /// Keeps the list of accounts as it is now.
    ///
    /// # Errors
    /// If it cannot be written, or may not be because something is wrong with the one that is there.
    pub(super) async fn keep_accounts(&self) -> Result<(), Error> {
        self.look_at_list().await;
        if let Some(trouble) = lock(&self.inner.listed).trouble {
            return Err(StoreError::Shut(trouble).into());
        }
        self.write_list().await?;
        remember(self.accounts()).await;
        Ok(())
    }

    /// The keyring has forgotten what it was to forget. If that cannot be kept it is told once more.
    pub(super) async fn keep_forgotten(&self) {
        if !self.is_list_in_trouble()
            && let Err(error) = self.write_list().await
        {
            tracing::warn!("the list of accounts cannot be written: {}", chain(&error));
        }
    }

    /// Whether something is wrong with the list, so that it may not be written.
    pub(super) fn is_list_in_trouble(&self) -> bool {
        lock(&self.inner.listed).trouble.is_some()
    }

    /// Looks again at a list that something is wrong with; what it gives now is there from here on.
    pub(super) async fn look_at_list(&self) {
        if !self.is_list_in_trouble() {
            return;
        }
        let folder = self.inner.folder.clone();
        let read = blocking(move || Ok::<_, Error>(folder.list(now()))).await;
        let Ok(mut list) = read else {
            return;
        };
        let held: Vec<(ServerId, AccountId)> = self
            .accounts()
            .iter()
            .map(|account| (account.server, account.id))
            .collect();
        list.accounts
            .retain(|known| !held.contains(&(known.server, known.account)));
        list.strays.retain(|stray| !held.contains(stray));
        let is_well = list.trouble.is_none() && !list.is_begun_anew;
        self.begin(list).await;
        // Accounts that were added meanwhile have to be in it.
        if is_well && let Err(error) = self.write_list().await {
            tracing::error!("the list of accounts cannot be written: {}", chain(&error));
        }
        self.inner.board.put_up([Change::App]);
    }

    /// The person has taken note of the damaged list that was set aside. The file stays.
    ///
    /// # Errors
    /// If that cannot be kept.
    pub async fn forget_list_aside(&self) -> Result<(), Error> {
        lock(&self.inner.listed).aside = None;
        self.inner.board.put_up([Change::App]);
        self.keep_accounts().await
    }

    /// The folder in which the list of accounts lies.
    #[must_use]
    pub fn list_folder(&self) -> PathBuf {
        let file = self.inner.folder.list_file();
        file.parent().map(PathBuf::from).unwrap_or_default()
    }

    /// What is to be told of the list of accounts.
    pub(super) fn list_view(&self) -> ListView {
        let listed = lock(&self.inner.listed);
        ListView {
            file: self.inner.folder.list_file().to_string_lossy().into_owned(),
            trouble: listed.trouble.map(StoreTrouble::from),
            aside: listed.aside.as_ref().map(|aside| ListAsideView {
                file: aside.file.clone(),
                folder: self.list_folder().to_string_lossy().into_owned(),
                at: aside.at,
                accounts: aside.accounts,
            }),
        }
    }

    async fn write_list(&self) -> Result<(), Error> {
        let client = self.clone();
        blocking(move || {
            // The lock is held while writing, so that the newest is written last.
            let mut listed = lock(&client.inner.listed);
            let accounts = client.accounts().iter().map(|it| it.known()).collect();
            let to_forget = client.to_forget();
            let kept = client
                .inner
                .folder
                .keep_list(accounts, to_forget, listed.aside.clone());
            // What was set aside is still in its place as well: it is tried again.
            if let (Err(Error::File { .. }), Some(_)) = (&kept, &listed.aside) {
                listed.trouble = Some(Trouble::Damaged);
            }
            kept
        })
        .await
    }
}

/// Has the stores of accounts remember what the list says of them.
async fn remember(accounts: Vec<Arc<Account>>) {
    join_all(accounts.into_iter().map(async |account| {
        let key = account.key.clone();
        let kept = blocking(move || {
            let known = account.known();
            if account.store.read(meta::known)?.as_ref() != Some(&known) {
                account.store.write(|db| meta::set_known(db, &known))?;
            }
            Ok::<_, StoreError>(())
        })
        .await;
        if let Err(error) = kept {
            // It is tried again with the next change, and at the next start.
            tracing::debug!(account = %key, "a store does not know its account: {}", chain(&error));
        }
    }))
    .await;
}

/// What a store says of its account.
async fn recall(bare: Known, store: &Arc<Store>) -> Known {
    let (known, store) = (bare.clone(), Arc::clone(store));
    let read = blocking(move || store.read(|db| recalled(db, known))).await;
    read.unwrap_or_else(|error| {
        tracing::warn!(
            account = %bare.key(),
            "a store does not say whose it is: {}",
            chain(&error)
        );
        bare
    })
}

fn recalled(db: &Db, bare: Known) -> Result<Known, StoreError> {
    if let Some(known) = meta::known(db)?
        && known.key() == bare.key()
    {
        return Ok(known);
    }
    let mut known = bare;
    let log = Log::Account(known.account);
    let mine = rows::one(db, log, "profile", &known.account.to_string())?;
    if let Some(Body::Profile(profile)) = mine.map(|row| row.body) {
        known.name = profile.account_name;
    }
    if let Some(greeting) = meta::greeting(db)? {
        known.server_name = greeting.server_name;
        known.addresses = greeting.addresses;
    }
    Ok(known)
}

/// As what the person signed out before.
pub(super) async fn left(account: &Arc<Account>) -> Option<Left> {
    let account = Arc::clone(account);
    let left = blocking(move || account.store.read(meta::left)).await;
    left.ok().flatten()
}

//! A client: the accounts of one folder, and everything that can be done and read with them.

mod doing;
mod ids;
mod inviting;
mod joining;
mod keyring;
mod listing;
mod lost;
mod members;
mod moving;
mod person;
mod reading;
mod rights;
mod security;
mod viewer;
mod waking;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub use self::viewer::Viewer;

use futures_util::future::join_all;
use tokio::{
    sync::{mpsc, oneshot},
    task::AbortHandle,
};

use self::{
    keyring::{Asked, Wished},
    listing::Listed,
};
use crate::{
    account::{Account, WISHES, Wish},
    as_of::now,
    blocking::blocking,
    changes::{Board, Changes},
    driver::Driver,
    error::{Error, chain},
    files::{Folder, Preferences},
    http::Http,
    known::Known,
    nearby::Nearby,
    read::app,
    secrets::Secrets,
    store::{Store, meta},
    unread::sum,
    view::{AppView, Change, Connection, Place, Settings, SettingsPatch},
};

/// How long all drivers together may take to stop: the program has five seconds, and other things to end.
const FAREWELL: Duration = Duration::from_secs(4);

/// A client. Cheap to clone; the last clone that goes takes its drivers along.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    folder: Folder,
    secrets: Arc<dyn Secrets>,
    /// What is known of the keyring.
    keyring: Mutex<Asked>,
    /// What the keyring was last told to have, by account.
    wished: Mutex<HashMap<String, Wished>>,
    http: Http,
    board: Board,
    nearby: Arc<Nearby>,
    preferences: Mutex<Preferences>,
    listed: Mutex<Listed>,
    accounts: Mutex<Vec<Arc<Account>>>,
    drivers: Mutex<Vec<AbortHandle>>,
    /// How many viewers there have been.
    viewers: AtomicU64,
    /// How many bytes the history of each account may take.
    budget: Arc<AtomicU64>,
}

impl Drop for Inner {
    /// Without its client a driver has nobody to work for. What it was writing is written whole or not at all.
    fn drop(&mut self) {
        for driver in lock(&self.drivers).drain(..) {
            driver.abort();
        }
    }
}

impl Client {
    /// Opens the accounts of a folder, which is made if there is none. Connecting goes on afterwards.
    ///
    /// # Errors
    /// If the folder cannot be made. A list of accounts that cannot be read shows in the view, with the accounts whose
    /// stores are there; a store that cannot be opened shows in the view of its account.
    pub async fn open(folder: PathBuf, secrets: Arc<dyn Secrets>) -> Result<Self, Error> {
        let (folder, preferences, list) = blocking(move || {
            let folder = Folder::open(folder)?;
            let preferences = folder.preferences();
            let list = folder.list(now());
            Ok::<_, Error>((folder, preferences, list))
        })
        .await?;
        let budget = Arc::new(AtomicU64::new(preferences.settings.history_bytes()));
        let client = Self {
            inner: Arc::new(Inner {
                folder,
                keyring: Mutex::new(Asked::new(secrets.is_lasting())),
                wished: Mutex::default(),
                secrets,
                http: Http::new(),
                board: Board::default(),
                nearby: Arc::default(),
                preferences: Mutex::new(preferences),
                listed: Mutex::default(),
                accounts: Mutex::default(),
                drivers: Mutex::default(),
                viewers: AtomicU64::new(0),
                budget,
            }),
        };
        client.begin(list).await;
        client.watch_for_waking();
        Ok(client)
    }

    /// Hears from here on which views are stale.
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.inner.board.listen()
    }

    /// Everything that the frame of the window shows. Of an account whose store cannot be read only that is shown.
    pub async fn app_view(&self) -> AppView {
        let accounts = self.accounts();
        let accounts = join_all(accounts.iter().map(async |account| {
            let read = account.read(|snapshot| Ok(app::account(snapshot)?)).await;
            read.unwrap_or_else(|error| {
                tracing::debug!(account = %account.key, "an account cannot be read: {}", chain(&error));
                app::shut(account)
            })
        }))
        .await;
        let preferences = self.preferences().clone();
        AppView {
            badge: sum(accounts
                .iter()
                .flat_map(|account| account.communities.iter().map(|tile| tile.badge))),
            accounts,
            list: self.list_view(),
            settings: preferences.settings,
            last_place: preferences.last_place,
            hosting: None,
            keyring: lock(&self.inner.keyring).view(),
        }
    }

    /// What the person set on this computer.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.preferences().settings.clone()
    }

    /// Changes what the person set on this computer.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn set_settings(&self, patch: SettingsPatch) -> Result<(), Error> {
        self.prefer(|preferences| patch.apply(&mut preferences.settings))
            .await?;
        let bytes = self.settings().history_bytes();
        self.inner.budget.store(bytes, Ordering::Relaxed);
        self.inner.board.put_up([Change::App]);
        Ok(())
    }

    /// Keeps where the window is, for the next start.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn set_place(&self, place: Place) -> Result<(), Error> {
        self.prefer(|preferences| preferences.last_place = Some(place))
            .await
    }

    async fn prefer(&self, change: impl FnOnce(&mut Preferences)) -> Result<(), Error> {
        change(&mut self.preferences());
        let client = self.clone();
        blocking(move || {
            // The lock is held while writing, so that the newest is written last.
            let preferences = client.preferences();
            client.inner.folder.keep_preferences(&preferences)
        })
        .await
    }

    /// The person does not want to wait, or a server is found where it was not: every account connects at once. The keyring is
    /// not asked: whoever dismissed its prompt would have it again, unasked.
    pub async fn hurry(&self) {
        self.look_at_list().await;
        join_all(self.accounts().iter().map(|account| account.hurry())).await;
    }

    /// The person has taken note of the damaged file that was set aside. The file stays.
    ///
    /// # Errors
    /// If that cannot be kept.
    pub async fn forget_aside(&self, account: &str) -> Result<(), Error> {
        let account = self.account(account)?;
        blocking(move || account.store.write(|db| meta::forget_aside(db))).await?;
        self.inner.board.put_up([Change::App]);
        Ok(())
    }

    /// The folder in which an account's history lies.
    ///
    /// # Errors
    /// If the account is not known.
    pub fn store_folder(&self, account: &str) -> Result<PathBuf, Error> {
        let account = self.account(account)?;
        let folder = account.store.path().parent();
        Ok(folder.unwrap_or(Path::new("")).to_owned())
    }

    /// Stops the accounts side by side: one that cannot come to an end costs the others nothing. What was submitted is durable
    /// already.
    pub async fn shutdown(&self) {
        let accounts = std::mem::take(&mut *lock(&self.inner.accounts));
        let ended = join_all(accounts.into_iter().map(stop));
        if tokio::time::timeout(FAREWELL, ended).await.is_err() {
            tracing::warn!("not every account came to an end");
        }
    }

    fn preferences(&self) -> MutexGuard<'_, Preferences> {
        lock(&self.inner.preferences)
    }

    fn accounts(&self) -> Vec<Arc<Account>> {
        lock(&self.inner.accounts).clone()
    }

    fn account(&self, key: &str) -> Result<Arc<Account>, Error> {
        lock(&self.inner.accounts)
            .iter()
            .find(|account| account.key == key)
            .cloned()
            .ok_or(Error::NotFound("the account"))
    }

    /// The store of an account, not opened yet.
    fn store(&self, known: &Known) -> Arc<Store> {
        let path = self.inner.folder.store(&known.key());
        Arc::new(Store::shut(&path, known.account))
    }

    /// The store of an account, open if that is possible.
    async fn open_store(&self, known: &Known) -> Arc<Store> {
        let store = self.store(known);
        open(&store, &known.key()).await;
        store
    }

    /// Starts an account without a token.
    fn start(&self, known: Known, store: Arc<Store>) -> Arc<Account> {
        let (wishes, heard) = mpsc::channel(WISHES);
        let account = Arc::new(Account::new(
            known,
            store,
            wishes,
            self.inner.board.clone(),
            Arc::clone(&self.inner.nearby),
            Arc::clone(&self.inner.budget),
        ));
        let driver = tokio::spawn(Driver::new(Arc::clone(&account), heard).run());
        lock(&self.inner.drivers).push(driver.abort_handle());
        lock(&self.inner.accounts).push(Arc::clone(&account));
        self.inner.board.put_up([Change::App]);
        account
    }
}

/// Opens a store if that is possible.
async fn open(store: &Arc<Store>, key: &str) {
    let store = Arc::clone(store);
    if let Err(error) = blocking(move || store.reopen(now(), false)).await {
        tracing::error!(account = %key, "a store could not be opened: {}", chain(&error));
    }
}

/// Stops an account in order.
async fn stop(account: Arc<Account>) {
    let (done, stopped) = oneshot::channel();
    if account.wish(Wish::Stop(done)).await.is_ok() {
        // A driver that is gone has stopped.
        let _ = stopped.await;
    }
    let ended = blocking(move || account.store.checkpoint()).await;
    if let Err(error) = ended {
        tracing::warn!("a store was not tidied up: {}", chain(&error));
    }
}

/// Whether an account is connected, or nearly so.
fn is_up(connection: &Connection) -> bool {
    matches!(connection, Connection::Syncing | Connection::Synced)
}

/// A panic while a value was held leaves it whole: each is changed in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

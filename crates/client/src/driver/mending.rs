//! A store in trouble: noticed, mended if that is possible, and tried again.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tulou_engine::Input;

use super::Driver;
use crate::{
    as_of::now,
    blocking::blocking,
    error::{Error, chain},
    store::Trouble,
};

/// Outbox and drafts are copied this long after they changed.
const COPY_AFTER: Duration = Duration::from_secs(2);
/// A copy of so many bytes makes the next wait a second longer.
const COPY_BYTES_PER_S: usize = 64 * 1_024;

impl Driver {
    /// Opens the store if it is shut; looks whether there is room again if there was none.
    pub(super) async fn open_store(&self, is_wished: bool) -> Result<(), Error> {
        let was_in_trouble = self.trouble.borrow().is_some();
        let store = Arc::clone(&self.account.store);
        blocking(move || store.reopen(now(), is_wished)).await?;
        if was_in_trouble {
            self.account.note_all();
        }
        Ok(())
    }

    /// What is wrong with the store has changed.
    pub(super) async fn look_at_store(&mut self) {
        let trouble = *self.trouble.borrow_and_update();
        self.account.note_all();
        match trouble {
            Some(Trouble::Damaged) => self.mend().await,
            Some(_) if self.remake_at.is_none() => {
                // Somebody other than the driver noticed: it is looked at again in time.
                self.remake_at = Some(Instant::now() + self.patience);
            }
            Some(_) | None => {}
        }
    }

    /// Begins the store anew, and the engine with it.
    pub(super) async fn mend(&mut self) {
        self.engine = None;
        self.link = None;
        let store = Arc::clone(&self.account.store);
        match blocking(move || store.mend(now())).await {
            Ok(()) => {
                self.account.note_all();
                self.make().await;
            }
            Err(error) => self.fail(&error),
        }
    }

    /// The person does not want to wait.
    pub(super) async fn hurry(&mut self) {
        if self.remake_at.is_none() {
            return self.feed(Input::Hurry).await;
        }
        match self.open_store(true).await {
            Ok(()) => self.make().await,
            Err(error) => self.fail(&error),
        }
    }

    /// Has outbox and drafts copied soon if they have changed.
    pub(super) fn plan_copy(&mut self) {
        if self.copy_at.is_none() && self.account.store.is_spare_old() {
            self.copy_at = Some(Instant::now() + COPY_AFTER.max(self.copy_pause));
        }
    }

    /// Copies outbox and drafts beside the store.
    pub(super) async fn copy(&mut self) {
        self.copy_at = None;
        let store = Arc::clone(&self.account.store);
        match blocking(move || store.copy_spare()).await {
            Ok(bytes) => {
                let seconds = u64::try_from(bytes / COPY_BYTES_PER_S).unwrap_or(0);
                self.copy_pause = Duration::from_secs(seconds);
            }
            Err(error) => {
                tracing::warn!(account = %self.account.key, "outbox and drafts could not be copied: {}",
                chain(&error))
            }
        }
    }
}

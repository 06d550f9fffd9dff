//! What the server's administrator does with accounts.

use std::{path::Path, sync::Arc};

use tulou_protocol::{
    AccountId, Body, Code,
    http::{AccountList, Reset},
    id::Millis,
    limits,
};

use super::{AccountRefusal, secret};
use crate::{
    App, place,
    store::{Nowhere, SignedInAs, StoreError},
};

/// Milliseconds in a day.
const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// Sets an account back in the store of a folder that no server works in: for whoever has the machine, and nothing else
/// left. None if there is no such account.
///
/// # Errors
/// If the store cannot be used.
pub async fn reset_offline(
    folder: &Path,
    account_name: &str,
    now: Millis,
) -> Result<Option<Reset>, StoreError> {
    let store = place::open(folder, Arc::new(Nowhere))?;
    let reset = match store.account(account_name.to_owned()).await? {
        Some(account) => {
            let code = secret::code()?;
            let hash = secret::code_hash(account.id, &code).ok_or(StoreError::Closed)?;
            let expires_at = now + limits::RESET_DAYS * DAY_MS;
            let ended = store.reset(account.id, hash, expires_at).await?;
            ended.map(|_| Reset { code, expires_at })
        }
        None => None,
    };
    store.close().await?;
    Ok(reset)
}

impl App {
    /// Whether an account administrates the server.
    pub(super) async fn administrates(&self, account: AccountId) -> Result<bool, StoreError> {
        let profiles = self.store().profiles(vec![account]).await?;
        Ok(profiles
            .iter()
            .any(|row| matches!(&row.body, Body::Profile(profile) if profile.server_admin)))
    }

    async fn require_administrator(&self, session: &SignedInAs) -> Result<(), AccountRefusal> {
        if self.administrates(session.account).await? {
            return Ok(());
        }
        Err(Code::NotAdmin.into())
    }

    /// Accounts of the server, from after a name on: those whose name begins with `search`, or whose name to show holds it.
    ///
    /// # Errors
    /// `not_admin` for anybody but the administrator.
    pub async fn list_accounts(
        &self,
        session: &SignedInAs,
        search: String,
        after: String,
    ) -> Result<AccountList, AccountRefusal> {
        self.require_administrator(session).await?;
        self.write_seen().await?;
        let most = limits::MEMBERS_PAGE;
        let mut accounts = self.store().list_accounts(search, after, most + 1).await?;
        let has_more = accounts.len() > most;
        accounts.truncate(most);
        Ok(AccountList { accounts, has_more })
    }

    /// Sets an account back: its password and codes are of no use any more, its sessions end, and the code that is told
    /// sets a new password.
    ///
    /// # Errors
    /// `not_admin` for anybody but the administrator, `server_admin` for his own account; `not_found`.
    pub async fn reset_account(
        &self,
        session: &SignedInAs,
        account: AccountId,
    ) -> Result<Reset, AccountRefusal> {
        self.require_administrator(session).await?;
        if account == session.account {
            return Err(Code::ServerAdmin.into());
        }
        let code = secret::code()?;
        let hash = secret::code_hash(account, &code).ok_or(AccountRefusal::from(Code::Internal))?;
        let expires_at = self.now() + limits::RESET_DAYS * DAY_MS;
        let resetting = self.store().reset(account, hash, expires_at);
        let reset = self.revoke(resetting, |app, ended| {
            app.revocation().end(ended.as_deref().unwrap_or_default());
        });
        reset
            .await?
            .ok_or(AccountRefusal::from(Code::NotFound.at("id")))?;
        tracing::info!(account.id = %account, by = %session.account, "an account was set back");
        Ok(Reset { code, expires_at })
    }
}

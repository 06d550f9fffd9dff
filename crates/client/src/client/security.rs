//! What guards an account: its password, its recovery codes, its sessions; and its end. All of it goes to the server at
//! once or not at all.

use std::sync::Arc;

use tokio::sync::oneshot;
use tulou_protocol::{
    AccountId, Code, SessionId,
    http::{ChangePassword, Confirm, DeleteAccount, Messages, Recover},
    invite::InviteLink,
    push::AccountLimits,
};

use super::{Client, FAREWELL, lock};
use crate::{
    account::{Account, Wish},
    blocking::blocking,
    device,
    error::{Error, chain},
    http::Http,
    store::meta,
    view::{
        Change, MessagesThen, OwnedView, ResetView, SecurityView, ServerAccountView,
        ServerAccountsView, SessionView,
    },
};

/// The way to ask the server something about a signed-in account.
struct Asking {
    http: Http,
    address: String,
    token: String,
}

impl Client {
    async fn asking(&self, account: &Arc<Account>) -> Result<Asking, Error> {
        Ok(Asking {
            token: account.token().ok_or(Code::SignedOut)?,
            http: self.inner.http.with(account.route().await),
            address: account.address(),
        })
    }

    /// What guards an account.
    ///
    /// # Errors
    /// `signed_out`, or if the server cannot be reached.
    pub async fn security_view(&self, account: &str) -> Result<SecurityView, Error> {
        let asking = self.asking(&self.account(account)?).await?;
        let card = asking.http.account(&asking.address, &asking.token).await?;
        let known = self.account(account)?;
        let greeting = blocking(move || known.store.read(meta::greeting)).await?;
        let limits = greeting.map_or_else(AccountLimits::default, |said| said.account_limits);
        Ok(SecurityView {
            most_sessions: u32::try_from(limits.sessions).unwrap_or(u32::MAX),
            recovery_codes: card.recovery_codes,
            sessions: card
                .sessions
                .into_iter()
                .map(|session| SessionView {
                    id: session.session.to_string(),
                    device: session.device,
                    address: session.address,
                    created_at: session.created_at,
                    seen_at: session.seen_at,
                    is_online: session.online,
                    is_current: session.current,
                })
                .collect(),
            owned: card
                .owned
                .into_iter()
                .map(|owned| OwnedView {
                    community: owned.community.to_string(),
                    name: owned.name,
                })
                .collect(),
            is_server_admin: card.server_admin,
        })
    }

    /// Changes the password of an account. Its other sessions end.
    ///
    /// # Errors
    /// `wrong_password`, `weak_password`, `busy` after many failures.
    pub async fn change_password(
        &self,
        account: &str,
        password: &str,
        new_password: &str,
    ) -> Result<(), Error> {
        let asking = self.asking(&self.account(account)?).await?;
        let body = ChangePassword {
            password: password.to_owned(),
            new_password: new_password.to_owned(),
        };
        asking
            .http
            .change_password(&asking.address, &asking.token, &body)
            .await
    }

    /// Makes new recovery codes for an account; those before are of no use any more.
    ///
    /// # Errors
    /// `wrong_password`, `busy` after many failures.
    pub async fn new_recovery_codes(
        &self,
        account: &str,
        password: &str,
    ) -> Result<Vec<String>, Error> {
        let asking = self.asking(&self.account(account)?).await?;
        let body = Confirm {
            password: password.to_owned(),
        };
        let made = asking
            .http
            .new_recovery_codes(&asking.address, &asking.token, &body)
            .await?;
        Ok(made.recovery_codes)
    }

    /// Ends another session of an account, or all others.
    ///
    /// # Errors
    /// `not_found` if it has ended already.
    pub async fn end_sessions(&self, account: &str, session: Option<&str>) -> Result<(), Error> {
        let asking = self.asking(&self.account(account)?).await?;
        let session: Option<SessionId> = session
            .map(|id| id.parse().map_err(|_| Error::NotFound("the session")))
            .transpose()?;
        asking
            .http
            .end_sessions(&asking.address, &asking.token, session)
            .await
    }

    /// Sets a new password for an account of this computer with a code, and signs in.
    ///
    /// # Errors
    /// `wrong_code`, `weak_password`, `busy` after many failures.
    pub async fn recover(&self, account: &str, code: &str, password: &str) -> Result<(), Error> {
        let account = self.account(account)?;
        let http = self.inner.http.with(account.route().await);
        let found = http.find().await?;
        let body = recovering(&account.name, code, password);
        let signed_in = http.recover(&found.address, &body).await?;
        if signed_in.account != account.id {
            return Err(Code::WrongCode.into());
        }
        self.hand_token(&account, signed_in.token).await
    }

    /// Sets a new password for an account on the server of a link with a code, and signs in; the account's key.
    ///
    /// # Errors
    /// `wrong_code`, `weak_password`, `busy` after many failures.
    pub async fn recover_at(
        &self,
        link: &str,
        name: &str,
        code: &str,
        password: &str,
    ) -> Result<String, Error> {
        let link = InviteLink::parse(link)?;
        let http = self.inner.http.with(self.route_of(&link)?);
        let found = http.find().await?;
        let body = recovering(name, code, password);
        let signed_in = http.recover(&found.address, &body).await?;
        self.welcome(http.route(), found, name, signed_in).await
    }

    /// Deletes an account on its server, and what this computer holds of it.
    ///
    /// # Errors
    /// `wrong_password`, `owns_communities`, `server_admin`, `busy` after many failures: then everything stays.
    pub async fn delete_account(
        &self,
        account: &str,
        password: &str,
        messages: MessagesThen,
    ) -> Result<(), Error> {
        let asking = self.asking(&self.account(account)?).await?;
        let body = DeleteAccount {
            password: password.to_owned(),
            messages: match messages {
                MessagesThen::Keep => Messages::Keep,
                MessagesThen::Remove => Messages::Remove,
            },
        };
        asking
            .http
            .delete_account(&asking.address, &asking.token, &body)
            .await?;
        self.remove_account(account).await
    }

    /// Removes an account from this computer: its history, drafts and outbox go. On its server it stays.
    ///
    /// # Errors
    /// If the list of accounts or the files cannot be changed; or the keyring did not forget the token: then the account is
    /// removed all the same.
    pub async fn remove_account(&self, account: &str) -> Result<(), Error> {
        let forgotten = match self.sign_out(account).await {
            Err(error @ Error::Keyring(_)) => Err(error),
            signed_out => {
                signed_out?;
                Ok(())
            }
        };
        let account = self.account(account)?;
        let (done, stopped) = oneshot::channel();
        if account.wish(Wish::Stop(done)).await.is_ok() {
            let _ = tokio::time::timeout(FAREWELL, stopped).await;
        }
        lock(&self.inner.accounts).retain(|other| other.key != account.key);
        self.keep_accounts().await?;
        self.inner.board.put_up([Change::App]);
        let removed = blocking(move || account.store.remove()).await;
        if let Err(error) = &removed {
            tracing::error!(
                "the history of an account could not be removed: {}",
                chain(error)
            );
        }
        removed.and(forgotten)
    }

    /// Accounts of the server that an account administrates, by name, from after one on.
    ///
    /// # Errors
    /// `not_admin` for anybody else.
    pub async fn server_accounts_view(
        &self,
        account: &str,
        search: &str,
        after: &str,
    ) -> Result<ServerAccountsView, Error> {
        let asking = self.asking(&self.account(account)?).await?;
        let found = asking
            .http
            .accounts(&asking.address, &asking.token, search, after)
            .await?;
        Ok(ServerAccountsView {
            accounts: found
                .accounts
                .into_iter()
                .map(|listed| ServerAccountView {
                    id: listed.account.to_string(),
                    name: listed.account_name,
                    display_name: listed.display_name,
                    created_at: listed.created_at,
                    seen_at: (listed.seen_at > 0).then_some(listed.seen_at),
                    is_server_admin: listed.server_admin,
                })
                .collect(),
            has_more: found.has_more,
        })
    }

    /// Sets somebody's account back, as the server's administrator: its password and codes are of no use any more, its
    /// sessions end, and the code that is told sets a new password.
    ///
    /// # Errors
    /// `not_admin` for anybody else, `server_admin` for one's own account.
    pub async fn reset_account(&self, account: &str, whose: &str) -> Result<ResetView, Error> {
        let asking = self.asking(&self.account(account)?).await?;
        let whose: AccountId = whose.parse().map_err(|_| Error::NotFound("the account"))?;
        let reset = asking
            .http
            .reset(&asking.address, &asking.token, whose)
            .await?;
        Ok(ResetView {
            code: reset.code,
            expires_at: reset.expires_at,
        })
    }
}

fn recovering(name: &str, code: &str, password: &str) -> Recover {
    Recover {
        account_name: name.to_owned(),
        code: code.to_owned(),
        password: password.to_owned(),
        device: device::name(),
    }
}

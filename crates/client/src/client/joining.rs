//! Servers, accounts and communities that a client gets to: looking, registering, signing in and out, joining.

use std::{sync::Arc, time::Duration};

use tulou_protocol::{
    Code, Command,
    http::{Register, Registration, SignIn, SignedIn},
    invite::Link,
    text::{check_account_name, check_name, clean_name},
};

use super::{Account, Client, is_up};
use crate::{
    error::Error,
    files::Known,
    http::Found,
    view::{Connection, Place, ServerPeek},
};

/// How long joining waits for the link, and then for the community's rows.
const PATIENCE: Duration = Duration::from_secs(15);

impl Client {
    /// What an invite link or an address leads to.
    ///
    /// # Errors
    /// If it is no link, or no server answers.
    pub async fn peek(&self, link: &str) -> Result<ServerPeek, Error> {
        let link = Link::parse(link)?;
        let found = self.inner.http.find(&link).await?;
        let invite = match &link.code {
            Some(code) => match self.inner.http.invite(&found.address, code).await {
                Ok(card) => Some(card),
                // The server can be joined without it.
                Err(Error::Rejected(_)) => None,
                Err(error) => return Err(error),
            },
            None => None,
        };
        Ok(ServerPeek {
            server: found.card.server.to_string(),
            name: found.card.name,
            registration: match found.card.registration {
                Registration::Open => "open",
                Registration::Invite => "invite",
                Registration::Closed => "closed",
            }
            .to_owned(),
            address: found.address,
            members: invite.as_ref().map(|card| card.members),
            community: invite.map(|card| card.name),
            accounts: self
                .accounts()
                .iter()
                .filter(|account| account.server == found.card.server)
                .map(|account| account.key.clone())
                .collect(),
        })
    }

    /// Makes an account on the server of a link and signs in; the account's key.
    ///
    /// # Errors
    /// What the server says.
    pub async fn register(
        &self,
        link: &str,
        name: &str,
        display_name: &str,
        password: &str,
    ) -> Result<String, Error> {
        let link = Link::parse(link)?;
        let display_name = clean_name(display_name);
        check_account_name(name)?;
        check_name(&display_name)?;
        let found = self.inner.http.find(&link).await?;
        let body = Register {
            account_name: name.to_owned(),
            display_name,
            password: password.to_owned(),
            invite: link.code.clone(),
        };
        let signed_in = self.inner.http.register(&found.address, &body).await?;
        self.welcome(&link, found, name, signed_in).await
    }

    /// Signs in on the server of a link; the account's key.
    ///
    /// # Errors
    /// What the server says.
    pub async fn sign_in(&self, link: &str, name: &str, password: &str) -> Result<String, Error> {
        let link = Link::parse(link)?;
        let found = self.inner.http.find(&link).await?;
        let body = SignIn {
            account_name: name.to_owned(),
            password: password.to_owned(),
        };
        let signed_in = self.inner.http.sign_in(&found.address, &body).await?;
        self.welcome(&link, found, name, signed_in).await
    }

    /// Signs an account of this computer in again.
    ///
    /// # Errors
    /// What the server says.
    pub async fn sign_in_again(&self, account: &str, password: &str) -> Result<(), Error> {
        let account = self.account(account)?;
        let link = Link {
            code: None,
            server: Some(account.server),
            addresses: account.addresses(),
            key: None,
        };
        let found = self.inner.http.find(&link).await?;
        let body = SignIn {
            account_name: account.name.clone(),
            password: password.to_owned(),
        };
        let signed_in = self.inner.http.sign_in(&found.address, &body).await?;
        if signed_in.account != account.id {
            return Err(Code::WrongPassword.into());
        }
        self.hand_token(&account, signed_in.token).await
    }

    /// Signs an account out: its token is revoked and forgotten, its history stays.
    ///
    /// # Errors
    /// If the account is not known.
    pub async fn sign_out(&self, account: &str) -> Result<(), Error> {
        let account = self.account(account)?;
        let key = account.key.clone();
        let token = account.use_token(None).await?;
        self.ask_keyring(move |keyring| keyring.delete(&key)).await;
        if let Some(token) = token
            && let Err(error) = self.inner.http.sign_out(&account.address(), &token).await
        {
            tracing::warn!("the session could not be ended on the server: {error}");
        }
        Ok(())
    }

    async fn welcome(
        &self,
        link: &Link,
        found: Found,
        name: &str,
        signed_in: SignedIn,
    ) -> Result<String, Error> {
        let mut addresses = vec![found.address.clone()];
        addresses.extend(
            link.addresses
                .iter()
                .filter(|address| **address != found.address)
                .cloned(),
        );
        let known = Known {
            server: found.card.server,
            account: signed_in.account,
            name: name.to_owned(),
            server_name: found.card.name,
            addresses,
        };
        let account = match self.account(&known.key()) {
            Ok(account) => {
                account.set_addresses(known.addresses);
                account
            }
            Err(_) => {
                let store = self.open_store(&known).await;
                self.start(known, store)
            }
        };
        self.keep_accounts().await?;
        self.hand_token(&account, signed_in.token).await?;
        Ok(account.key.clone())
    }

    async fn hand_token(&self, account: &Arc<Account>, token: String) -> Result<(), Error> {
        let (key, kept) = (account.key.clone(), token.clone());
        self.ask_keyring(move |keyring| keyring.set(&key, &kept))
            .await;
        account.use_token(Some(token)).await.map(|_| ())
    }

    /// Joins the community that a link invites to, with an account on its server; returns once its tree can be read.
    ///
    /// # Errors
    /// What the server says, or `offline`.
    pub async fn join_link(&self, account: &str, link: &str) -> Result<Place, Error> {
        let account = self.account(account)?;
        let link = Link::parse(link)?;
        let code = link.code.clone().ok_or(Code::InviteInvalid)?;
        if link.server.is_some_and(|server| server != account.server) {
            return Err(Code::InviteInvalid.into());
        }
        let card = self
            .inner
            .http
            .invite(&account.address(), &code)
            .await
            .map_err(|error| {
                if error.code() == Code::NotFound.key() {
                    Code::InviteInvalid.into()
                } else {
                    error
                }
            })?;
        linked(&account).await?;
        let joined = account
            .live(Command::CommunityJoin {
                community: card.community,
                invite: Some(code),
            })
            .await;
        match joined {
            Err(Error::Rejected(rejection)) if rejection.code == Code::Already => {}
            other => other?,
        }
        let community = card.community.to_string();
        let mut changes = self.changes();
        let held = async {
            while self.tree_view(&account.key, &community).await.is_err() {
                if changes.next().await.is_none() {
                    break;
                }
            }
        };
        // The community is joined; its rows come when they come.
        let _ = tokio::time::timeout(PATIENCE, held).await;
        Ok(Place {
            account: account.key.clone(),
            community: Some(community),
            topic: None,
        })
    }
}

/// Waits for the link of an account that has just been signed in.
async fn linked(account: &Account) -> Result<(), Error> {
    let mut connection = account.connection.subscribe();
    let settled = connection
        .wait_for(|connection| is_up(connection) || matches!(connection, Connection::SignedOut));
    match tokio::time::timeout(PATIENCE, settled).await {
        Ok(Ok(connection)) if is_up(&connection) => Ok(()),
        _ => Err(Error::Offline),
    }
}

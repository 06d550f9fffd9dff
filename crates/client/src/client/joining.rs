//! Servers, accounts and communities that a client gets to: looking, registering, signing in and out, joining.

use std::{sync::Arc, time::Duration};

use tulou_protocol::{
    Code, Command,
    http::{InviteCard, Register, Registered, Registration, SignIn, SignedIn},
    invite::InviteLink,
    text::{check_account_name, check_name, clean_name},
};

use super::{Account, Client, is_up, lock};
use crate::{
    blocking::blocking,
    device,
    error::Error,
    http::Found,
    known::Known,
    route::Route,
    secrets::NoKeyring,
    store::meta,
    view::{Connection, Place, ServerPeek, SignedUp},
};

/// How long joining waits for the link, and then for the community's rows.
const PATIENCE: Duration = Duration::from_secs(15);

impl Client {
    /// What an invite link or an address leads to.
    ///
    /// # Errors
    /// If it is no link, or no server answers.
    pub async fn peek(&self, link: &str) -> Result<ServerPeek, Error> {
        let link = InviteLink::parse(link)?;
        let http = self.inner.http.with(self.route_of(&link)?);
        let found = http.find_to_enter().await?;
        let mut is_invite_over = false;
        let mut accounts = self.accounts();
        accounts.retain(|account| account.server == found.card.server);
        let mut invite = None;
        if let Some(code) = &link.code {
            match http.invite(&found.address, code, None).await {
                Ok(card) => invite = Some(card),
                Err(Error::Rejected(no)) if no.code == Code::InviteInvalid => {
                    // Who has an account there can sign in without it.
                    is_invite_over = true;
                    if let Some((account, card)) = self.kept_place(&accounts, code).await {
                        accounts = vec![account];
                        invite = Some(card);
                    }
                }
                Err(error) => return Err(error),
            }
        }
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
            is_invite_over,
            accounts: accounts.iter().map(|account| account.key.clone()).collect(),
        })
    }

    /// The account that was made with an invite that is used up, and where it leads. Asked where the account's own server
    /// is, never where the link leads: who answers there only says that it is that server.
    async fn kept_place(
        &self,
        accounts: &[Arc<Account>],
        code: &str,
    ) -> Option<(Arc<Account>, InviteCard)> {
        for account in accounts {
            let Some(token) = account.token() else {
                continue;
            };
            let http = self.inner.http.with(account.route().await);
            let card = http.invite(&account.address(), code, Some(&token)).await;
            if let Ok(card) = card {
                return Some((Arc::clone(account), card));
            }
        }
        None
    }

    /// Makes an account on the server of a link and signs in; the account's key. For programs: the recovery codes are
    /// told to nobody, and new ones can be made.
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
        let signed_up = self.sign_up(link, name, display_name, password).await?;
        Ok(signed_up.account)
    }

    /// Makes an account on the server of a link and signs in.
    ///
    /// # Errors
    /// What the server says.
    pub async fn sign_up(
        &self,
        link: &str,
        name: &str,
        display_name: &str,
        password: &str,
    ) -> Result<SignedUp, Error> {
        let link = InviteLink::parse(link)?;
        let display_name = clean_name(display_name);
        check_account_name(name)?;
        check_name(&display_name)?;
        let http = self.inner.http.with(self.route_of(&link)?);
        let found = http.find_to_enter().await?;
        let body = Register {
            account_name: name.to_owned(),
            display_name,
            password: password.to_owned(),
            invite: link.code.clone(),
            device: device::name(),
        };
        let Registered {
            account,
            token,
            recovery_codes,
        } = http.register(&found.address, &body).await?;
        let signed_in = SignedIn { account, token };
        let account = self.welcome(http.route(), found, name, signed_in).await?;
        Ok(SignedUp {
            account,
            recovery_codes,
        })
    }

    /// Signs in on the server of a link; the account's key.
    ///
    /// # Errors
    /// What the server says.
    pub async fn sign_in(&self, link: &str, name: &str, password: &str) -> Result<String, Error> {
        let link = InviteLink::parse(link)?;
        let http = self.inner.http.with(self.route_of(&link)?);
        let found = http.find_to_sign_in().await?;
        let body = SignIn {
            account_name: name.to_owned(),
            password: password.to_owned(),
            device: device::name(),
        };
        let signed_in = http.sign_in(&found.address, &body).await?;
        self.welcome(http.route(), found, name, signed_in).await
    }

    /// Signs an account of this computer in again.
    ///
    /// # Errors
    /// What the server says.
    pub async fn sign_in_again(&self, account: &str, password: &str) -> Result<(), Error> {
        let account = self.account(account)?;
        let http = self.inner.http.with(account.route().await);
        let found = http.find_to_sign_in().await?;
        let body = SignIn {
            account_name: account.name.clone(),
            password: password.to_owned(),
            device: device::name(),
        };
        let signed_in = http.sign_in(&found.address, &body).await?;
        if signed_in.account != account.id {
            return Err(Code::WrongPassword.into());
        }
        self.hand_token(&account, signed_in.token).await
    }

    /// Signs an account out: its token is revoked and forgotten, its history stays.
    ///
    /// # Errors
    /// If the account is not known, or the keyring did not forget the token; it is signed out all the same.
    pub async fn sign_out(&self, account: &str) -> Result<(), Error> {
        let account = self.account(account)?;
        let key = account.key.clone();
        let token = account.use_token(None).await?;
        let had_keyring = lock(&self.inner.keyring).has_worked();
        // Where that cannot be kept the keyring alone decides at the next start.
        let _ = keep_left(&account).await;
        let forgotten = self.tell_keyring(key, None).await;
        if let Some(token) = token
            && let Err(error) = self
                .inner
                .http
                .with(account.route().await)
                .sign_out(&account.address(), &token)
                .await
        {
            tracing::warn!("the session could not be ended on the server: {error}");
        }
        match forgotten {
            // Where there never was one nothing was kept.
            Some(Err(NoKeyring::Missing(_))) if !had_keyring => Ok(()),
            Some(Err(error)) => Err(Error::Keyring(error)),
            // What is answered later stands in the view.
            Some(Ok(())) | None => Ok(()),
        }
    }

    pub(super) async fn welcome(
        &self,
        route: &Route,
        found: Found,
        name: &str,
        signed_in: SignedIn,
    ) -> Result<String, Error> {
        let mut addresses = vec![found.address.clone()];
        addresses.extend(
            route
                .addresses
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
            // A server on this computer, that nobody else can be, may name its key.
            key: route.key.or_else(|| {
                let is_here = found.address.starts_with("ws://");
                found.card.key.filter(|_| is_here)
            }),
        };
        let account = match self.account(&known.key()) {
            Ok(account) => {
                account.set_route(known.addresses, known.key);
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

    pub(super) async fn hand_token(
        &self,
        account: &Arc<Account>,
        token: String,
    ) -> Result<(), Error> {
        account.use_token(Some(token.clone())).await?;
        // If it cannot be kept the token is another one than that of the sign-out.
        let _ = keep_left(account).await;
        // Whether it is kept is told with everything else.
        let _ = self.tell_keyring(account.key.clone(), Some(token)).await;
        Ok(())
    }

    /// Joins the community that a link invites to, with an account on its server; returns once its tree can be read.
    ///
    /// # Errors
    /// What the server says, or `offline`.
    pub async fn join_link(&self, account: &str, link: &str) -> Result<Place, Error> {
        let account = self.account(account)?;
        let link = InviteLink::parse(link)?;
        let code = link.code.clone().ok_or(Code::InviteInvalid)?;
        if link.server.is_some_and(|server| server != account.server) {
            return Err(Code::InviteInvalid.into());
        }
        self.route_of(&link)?;
        let is_lost = matches!(
            *account.connection.borrow(),
            Connection::Offline { .. } | Connection::OtherKey { .. }
        );
        if is_lost {
            // The link may know where the server has gone.
            self.relocate(&account.key, &link.to_text(), None).await?;
        }
        let http = self.inner.http.with(account.route().await);
        let token = account.token();
        let mut card = http
            .invite(&account.address(), &code, token.as_deref())
            .await;
        if token.is_none() && card.is_err() {
            // It may lead this account only, which is known once the keyring has answered.
            linked(&account).await?;
            let token = account.token();
            card = http
                .invite(&account.address(), &code, token.as_deref())
                .await;
        }
        let card = card.map_err(|error| {
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
    let settled = connection.wait_for(|connection| {
        is_up(connection)
            || matches!(
                connection,
                Connection::SignedOut
                    | Connection::OtherVersion { .. }
                    | Connection::Offline { cause: Some(_), .. }
            )
    });
    let is_linked = match tokio::time::timeout(PATIENCE, settled).await {
        Ok(Ok(connection)) => is_up(&connection),
        Ok(Err(_)) | Err(_) => false,
    };
    if is_linked {
        Ok(())
    } else {
        Err(account
            .unusable()
            .map_or_else(|| account.offline(), Error::Unusable))
    }
}

/// Whether the person signed out stands in the store: a keyring that does not let go of a token signs nobody in at the next
/// start.
pub(super) async fn keep_left(account: &Arc<Account>) -> Result<(), Error> {
    let account = Arc::clone(account);
    // As it is when it is written: of a sign-out and a sign-in the one that was begun last may be written first.
    let keep = move || {
        let store = &account.store;
        store.write(|db| meta::set_left(db, account.left().as_ref()))
    };
    blocking(keep).await
}

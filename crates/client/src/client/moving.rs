//! A server that has moved: the person says where it is now, and goes on with the same account and history.

use std::sync::Arc;

use tulou_protocol::{Fingerprint, ServerId, invite::InviteLink};

use super::{Account, Client};
use crate::{
    account::Wish,
    error::Error,
    route::Route,
    view::{Change, Relocation},
};

impl Client {
    /// Goes on with an account at another address of its server, given as an address or a link. The server proves that
    /// it is the same before anything is sent. If a link names another key than the one known, nothing changes, and the
    /// answer holds both keys; `key` is then the one that the person decided to trust.
    ///
    /// # Errors
    /// If it is no link, leads to another server (`other_server`), or nobody answers.
    pub async fn relocate(
        &self,
        account: &str,
        link: &str,
        key: Option<&str>,
    ) -> Result<Relocation, Error> {
        let account = self.account(account)?;
        let link = InviteLink::parse(link)?;
        if link.server.is_some_and(|server| server != account.server) {
            return Err(Error::OtherServer(
                link.addresses.first().cloned().unwrap_or_default(),
            ));
        }
        let trusted = account.server_key();
        let accepted = key.and_then(|key| key.parse().ok());
        if let (Some(old), Some(new)) = (trusted, link.key)
            && old != new
            && accepted != Some(new)
        {
            return Ok(Relocation::OtherKey {
                old: old.to_string(),
                new: new.to_string(),
            });
        }
        let route = Route {
            server: Some(account.server),
            addresses: link.addresses,
            sighted: Vec::new(),
            key: link.key.or(trusted),
        };
        let found = self.inner.http.with(route.clone()).find().await?;
        let mut addresses = vec![found.address.clone()];
        addresses.extend(route.addresses);
        addresses.extend(account.known().addresses);
        let mut kept = Vec::new();
        for address in addresses {
            if !kept.contains(&address) {
                kept.push(address);
            }
        }
        // Other accounts of this computer on the same server move along.
        for account in self.accounts_on(account.server) {
            account.set_route(kept.clone(), route.key);
            account.wish(Wish::Reconnect).await?;
        }
        self.keep_accounts().await?;
        self.inner.board.put_up([Change::App]);
        Ok(Relocation::Found {
            address: found.address,
        })
    }

    /// Where the server of an account may be found, the likeliest first.
    ///
    /// # Errors
    /// If the account is not known.
    pub async fn addresses(&self, account: &str) -> Result<Vec<String>, Error> {
        Ok(self.account(account)?.route().await.addresses)
    }

    /// Says where a server is to be found from here on (one that this computer hosts may come back at another port).
    ///
    /// # Errors
    /// If it cannot be kept. While something is wrong with the list of accounts it is known until the end only.
    pub async fn set_addresses(&self, server: &str, addresses: Vec<String>) -> Result<(), Error> {
        let server: ServerId = server.parse().map_err(|_| Error::NotFound("the server"))?;
        for account in self.accounts_on(server) {
            let known = account.known();
            if known.addresses != addresses {
                account.set_route(addresses.clone(), known.key);
                account.wish(Wish::Reconnect).await?;
            }
        }
        match self.keep_accounts().await {
            Err(error) if self.is_list_in_trouble() => {
                tracing::warn!("where the server is was not kept: {error}");
                Ok(())
            }
            kept => kept,
        }
    }

    /// What a link leads to, if it does not lead somebody astray: a server that is known here keeps the key that it is
    /// known by.
    pub(super) fn route_of(&self, link: &InviteLink) -> Result<Route, Error> {
        let mut route = Route::from(link);
        let known: Option<Fingerprint> = link.server.and_then(|server| {
            let accounts = self.accounts_on(server);
            accounts.iter().find_map(|account| account.server_key())
        });
        match (known, route.key) {
            (Some(known), Some(key)) if known != key => return Err(Error::OtherKey),
            (Some(known), None) => route.key = Some(known),
            _ => {}
        }
        Ok(route)
    }

    fn accounts_on(&self, server: ServerId) -> Vec<Arc<Account>> {
        let mut accounts = self.accounts();
        accounts.retain(|account| account.server == server);
        accounts
    }
}

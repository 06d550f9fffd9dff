//! Where an account is signed in.

use std::{future::Future, net::IpAddr, time::Duration};

use tulou_protocol::{
    Code, SessionId,
    http::{AccountCard, SessionCard},
    id::Millis,
    limits, text,
};

use super::{AccountRefusal, secret};
use crate::{
    App,
    store::{Pending, Seen, Sessions, SignedInAs, StoreError},
};

/// Between two times that is written which sessions were connected.
const WRITE: Duration = Duration::from_secs(60);
/// Sessions that are looked for at once.
const LOOKED_AT: usize = 1_000;
/// Milliseconds in a day.
const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// What a device calls itself; nothing if that is no name.
pub fn device(text: &str) -> String {
    let name = text::clean_name(text);
    if text::check_name(&name).is_ok() {
        name
    } else {
        String::new()
    }
}

/// An address as it is kept.
pub fn address(from: Option<IpAddr>) -> String {
    from.map_or_else(String::new, |address| address.to_canonical().to_string())
}

impl App {
    /// The session of a token, unless it has not been connected for too long.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn session(&self, token: &str) -> Result<Option<SignedInAs>, StoreError> {
        let not_before = self.clock().old_by() - limits::SESSION_DAYS * DAY_MS;
        self.store()
            .session(secret::token_hash(token), not_before)
            .await
    }

    /// Has the store end sessions, and then ends what is connected with them. Both are done whether or not whoever asked
    /// still waits: once the store has ended them, nothing names them any more.
    pub(super) fn revoke<T: Send + 'static, Then: FnOnce(&Self, &T) + Send + 'static>(
        &self,
        ending: Pending<T>,
        then: Then,
    ) -> impl Future<Output = Result<T, StoreError>> + Send + use<T, Then> {
        let app = self.clone();
        let whole = tokio::spawn(async move {
            let ended = ending.await?;
            then(&app, &ended);
            Ok(ended)
        });
        async move { whole.await.unwrap_or(Err(StoreError::Closed)) }
    }

    /// Ends the session of a token, and what is connected with it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sign_out(&self, token: &str) -> Result<bool, StoreError> {
        let ending = self.store().end_session(secret::token_hash(token));
        let ended = self.revoke(ending, |app, ended| {
            app.revocation().end(ended.as_slice());
        });
        Ok(ended.await?.is_some())
    }

    /// A session's account, as its owner sees it.
    ///
    /// # Errors
    /// `signed_out` if the account was deleted.
    pub async fn account_card(&self, session: &SignedInAs) -> Result<AccountCard, AccountRefusal> {
        self.write_seen().await?;
        let id = session.account;
        let account = self.store().account_by_id(id).await?;
        let account = account.ok_or(AccountRefusal::from(Code::SignedOut))?;
        let sessions = self.store().sessions(id).await?;
        let connected = self.presence().sessions_of(id);
        Ok(AccountCard {
            account: id,
            account_name: account.name,
            recovery_codes: self.store().count_codes(id).await?,
            sessions: sessions
                .into_iter()
                .map(|kept| SessionCard {
                    session: kept.session,
                    device: kept.device,
                    address: kept.address,
                    created_at: kept.created_at,
                    seen_at: kept.seen_at,
                    online: connected.contains(&kept.session),
                    current: kept.session == session.session,
                })
                .collect(),
            owned: self.store().owned(id).await?,
            server_admin: self.administrates(id).await?,
        })
    }

    /// Ends other sessions of a session's account: one, or all.
    ///
    /// # Errors
    /// `not_found` if the one is no session of the account.
    pub async fn revoke_sessions(
        &self,
        session: &SignedInAs,
        which: Option<SessionId>,
    ) -> Result<(), AccountRefusal> {
        let which = which.map_or(Sessions::AllBut(session.session), Sessions::Only);
        let ending = self.store().end_sessions(session.account, which);
        let ended = self.revoke(ending, |app, ended| app.revocation().end(ended));
        if ended.await?.is_empty() && matches!(which, Sessions::Only(_)) {
            return Err(Code::NotFound.at("id").into());
        }
        Ok(())
    }

    /// A session is connected, or was until now.
    pub(crate) fn see(&self, session: SessionId, from: Option<IpAddr>) {
        self.seeing().note(Seen {
            session,
            address: address(from),
            at: self.now(),
        });
    }

    /// Writes which sessions were connected.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) async fn write_seen(&self) -> Result<(), StoreError> {
        let seen = self.seeing().take();
        if seen.is_empty() {
            return Ok(());
        }
        self.store().see_sessions(seen).await
    }

    /// Writes which sessions are connected from time to time, and drops those that have not been for long.
    pub(crate) async fn look_after_sessions(self) {
        let mut ticks = tokio::time::interval(WRITE);
        let mut connected = Vec::new();
        loop {
            tokio::select! {
                () = self.closing() => return,
                _ = ticks.tick() => {}
            }
            let before = connected;
            connected = self.hub().sessions().into_iter().collect();
            let looked = async {
                self.end_gone(before).await?;
                self.write_connected(&connected).await
            };
            if let Err(error) = looked.await {
                tracing::error!(%error, "it was not written which sessions were connected");
            }
        }
    }

    /// However a session was ended, it is not connected for long after that.
    pub(super) async fn end_gone(&self, connected: Vec<SessionId>) -> Result<(), StoreError> {
        for some in connected.chunks(LOOKED_AT) {
            let gone = self.store().gone_sessions(some.to_vec()).await?;
            self.revocation().end(&gone);
        }
        Ok(())
    }

    /// Writes which sessions are connected, and drops those that have not been for long.
    async fn write_connected(&self, connected: &[SessionId]) -> Result<(), StoreError> {
        for session in connected {
            self.see(*session, None);
        }
        self.write_seen().await?;
        let now: Millis = self.clock().old_by();
        let before = now - limits::SESSION_DAYS * DAY_MS;
        let ending = self.store().forget_sessions(before, now);
        let ended = self.revoke(ending, |app, ended| app.revocation().end(ended));
        ended.await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_by_what_can_be_shown() {
        assert_eq!(device("  attic · Linux "), "attic · Linux");
        assert_eq!(device(&"长".repeat(61)), "", "too long to be a name");
        assert_eq!(device("a\u{0}b"), "ab", "what cannot be shown is left out");
    }
}

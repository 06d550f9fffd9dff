//! Accounts: registering, signing in and out, and what an account does with itself.
//!
//! * `secret`: passwords, tokens and codes
//! * `recovery`: other passwords, and codes that set one
//! * `sessions`: where an account is signed in
//! * `deletion`: the end of an account
//! * `administration`: what the server's administrator does with others'

mod administration;
mod deletion;
mod recovery;
mod secret;
mod sessions;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use tulou_protocol::{
    AccountId, Code, Rejection, SessionId,
    http::{Register, Registered, Registration, SignIn, SignedIn},
    limits, text,
};
use uuid::Uuid;

use crate::{
    App,
    rate::{Admitted, TooMany},
    store::{Account, NewAccount, NewSession, SignedInAs, StoreError},
};

pub use administration::reset_offline;
#[cfg(test)]
pub(crate) use secret::token_hash;

/// How a request about an account was refused.
#[derive(Debug)]
pub enum AccountRefusal {
    /// For good.
    Rejected(Rejection),
    /// Too many failures: in so many seconds.
    Later(u64),
    /// So many accounts were made in an hour as may be: in so many seconds.
    TooMany(TooMany),
    /// Something broke.
    Broken(StoreError),
}

impl From<StoreError> for AccountRefusal {
    fn from(error: StoreError) -> Self {
        Self::Broken(error)
    }
}

impl From<TooMany> for AccountRefusal {
    fn from(too_many: TooMany) -> Self {
        Self::TooMany(too_many)
    }
}

impl From<Rejection> for AccountRefusal {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<Code> for AccountRefusal {
    fn from(code: Code) -> Self {
        Self::Rejected(code.into())
    }
}

impl App {
    /// Makes an account and signs it in. The first account of a server needs no permission.
    ///
    /// # Errors
    /// `closed`, `invite_needed`, `invite_invalid`, `name_taken`, `weak_password`, or what a name must not be; later, if too many accounts are made.
    pub async fn register(
        &self,
        asked: Register,
        from: Option<IpAddr>,
    ) -> Result<Registered, AccountRefusal> {
        let Register {
            account_name,
            display_name,
            password,
            invite,
            device,
        } = asked;
        text::check_account_name(&account_name).map_err(|no| no.at("account_name"))?;
        text::check_name(&display_name).map_err(|no| no.at("display_name"))?;
        secret::check_password(&password).map_err(|no| no.at("password"))?;
        self.rates().sign_ups.admit_place(from, self.uptime_ms())?;
        let now = self.now();
        // By an invite as many register as it has uses. Where anybody may register it is used by joining only.
        let mut by_invite = None;
        let no = match (self.config().registration, invite) {
            (Registration::Open, _) => None,
            (Registration::Closed, _) => Some(Code::Closed),
            (Registration::Invite, None) => Some(Code::InviteNeeded),
            (Registration::Invite, Some(code)) => {
                if self.invited_to(code.clone(), None).await?.is_some() {
                    by_invite = Some(code);
                    None
                } else {
                    Some(Code::InviteInvalid)
                }
            }
        };
        if let Some(no) = no
            && self.store().has_accounts().await?
        {
            return Err(no.into());
        }
        if self.store().account(account_name.clone()).await?.is_some() {
            return Err(Code::NameTaken.into());
        }
        self.rates().sign_ups.admit(self.uptime_ms())?;
        let id = AccountId(Uuid::now_v7());
        let password = secret::password_hash(password).await?;
        let recovery_codes = secret::codes()?;
        let codes = recovery_codes
            .iter()
            .filter_map(|code| secret::code_hash(id, code))
            .collect();
        let made = self
            .store()
            .create_account(NewAccount {
                id,
                name: account_name.clone(),
                display_name,
                password: password.clone(),
                codes,
                unless_first: no,
                invite: by_invite,
                now,
            })
            .await?;
        made?;
        tracing::info!(account.id = %id, "an account was made");
        let made = Account {
            id,
            name: account_name,
            password,
        };
        let SignedIn { account, token } = self.begin_session(made, &device, from).await?;
        Ok(Registered {
            account,
            token,
            recovery_codes,
        })
    }

    /// Signs in.
    ///
    /// # Errors
    /// `wrong_password`, whether it is the name or the password; later, after many failures.
    pub async fn sign_in(
        &self,
        asked: SignIn,
        from: Option<IpAddr>,
    ) -> Result<SignedIn, AccountRefusal> {
        let SignIn {
            account_name,
            password,
            device,
        } = asked;
        let admitted = self.admit(&account_name, from, Code::WrongPassword)?;
        let account = self.store().account(account_name).await?;
        let kept = account.as_ref().map(|account| account.password.clone());
        let is_right = secret::password_fits(password, kept).await?;
        let account = account
            .filter(|_| is_right)
            .ok_or(AccountRefusal::from(Code::WrongPassword))?;
        self.rates().attempts.forgive(admitted);
        self.begin_session(account, &device, from).await
    }

    /// Admits an attempt to name an account and prove that it is one's own. No account has a name so long that it is
    /// `wrong` at once.
    fn admit(
        &self,
        account_name: &str,
        from: Option<IpAddr>,
        wrong: Code,
    ) -> Result<Admitted, AccountRefusal> {
        if account_name.len() > *limits::ACCOUNT_NAME_BYTES.end() {
            return Err(wrong.into());
        }
        self.rates()
            .attempts
            .admit(account_name, from, self.uptime_ms())
            .map_err(AccountRefusal::Later)
    }

    /// Asks a session's account for its password once more.
    async fn confirm(
        &self,
        session: &SignedInAs,
        password: String,
        from: Option<IpAddr>,
    ) -> Result<Account, AccountRefusal> {
        let account = self.store().account_by_id(session.account).await?;
        let account = account.ok_or(AccountRefusal::from(Code::SignedOut))?;
        let admitted = self.admit(&account.name, from, Code::WrongPassword)?;
        if !secret::password_fits(password, Some(account.password.clone())).await? {
            return Err(Code::WrongPassword.into());
        }
        self.rates().attempts.forgive(admitted);
        Ok(account)
    }

    /// Signs in to an account whose password was right a moment ago.
    async fn begin_session(
        &self,
        account: Account,
        device: &str,
        from: Option<IpAddr>,
    ) -> Result<SignedIn, AccountRefusal> {
        let token = secret::token()?;
        let beginning = self.store().create_session(NewSession {
            session: SessionId(Uuid::now_v7()),
            account: account.id,
            token: secret::token_hash(&token),
            password: account.password,
            device: sessions::device(device),
            address: sessions::address(from),
            now: self.now(),
        });
        let begun = self.revoke(beginning, |app, ended| {
            app.revocation().end(ended.as_deref().unwrap_or_default());
        });
        begun
            .await?
            .ok_or(AccountRefusal::from(Code::WrongPassword))?;
        Ok(SignedIn {
            account: account.id,
            token,
        })
    }
}

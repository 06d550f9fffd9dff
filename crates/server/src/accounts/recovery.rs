//! Other passwords, and codes that set one.

use std::net::IpAddr;

use tulou_protocol::{
    AccountId, Code,
    http::{ChangePassword, Confirm, Recover, RecoveryCodes, SignedIn},
};
use uuid::Uuid;

use super::{AccountRefusal, secret};
use crate::{
    App,
    store::{Account, SignedInAs},
};

impl App {
    /// Changes the password of a session's account. Its other sessions end.
    ///
    /// # Errors
    /// `wrong_password` or later, `weak_password`.
    pub async fn change_password(
        &self,
        session: &SignedInAs,
        asked: ChangePassword,
        from: Option<IpAddr>,
    ) -> Result<(), AccountRefusal> {
        secret::check_password(&asked.new_password).map_err(|no| no.at("new_password"))?;
        let account = self.confirm(session, asked.password, from).await?;
        let id = account.id;
        let password = secret::password_hash(asked.new_password).await?;
        let changing = self
            .store()
            .change_password(account, password, session.session);
        let changed = self.revoke(changing, |app, ended| {
            app.revocation().end(ended.as_deref().unwrap_or_default());
        });
        changed
            .await?
            .ok_or(AccountRefusal::from(Code::WrongPassword))?;
        tracing::info!(account.id = %id, "a password was changed");
        Ok(())
    }

    /// Gives a session's account new recovery codes.
    ///
    /// # Errors
    /// `wrong_password` or later.
    pub async fn new_recovery_codes(
        &self,
        session: &SignedInAs,
        asked: Confirm,
        from: Option<IpAddr>,
    ) -> Result<RecoveryCodes, AccountRefusal> {
        let account = self.confirm(session, asked.password, from).await?;
        let recovery_codes = secret::codes()?;
        let hashes = recovery_codes
            .iter()
            .filter_map(|code| secret::code_hash(account.id, code))
            .collect();
        self.store().set_codes(account.id, hashes).await?;
        tracing::info!(account.id = %account.id, "recovery codes were made");
        Ok(RecoveryCodes { recovery_codes })
    }

    /// Sets a new password with a code and signs in. The other sessions of the account end.
    ///
    /// # Errors
    /// `wrong_code`, whether it is the name or the code; later, after many failures; `weak_password`.
    pub async fn recover(
        &self,
        asked: Recover,
        from: Option<IpAddr>,
    ) -> Result<SignedIn, AccountRefusal> {
        let Recover {
            account_name,
            code,
            password,
            device,
        } = asked;
        secret::check_password(&password).map_err(|no| no.at("password"))?;
        let admitted = self.admit(&account_name, from, Code::WrongCode)?;
        let wrong = || AccountRefusal::from(Code::WrongCode);
        let account = self.store().account(account_name).await?;
        // A name without an account is answered after the same questions to the store.
        let id = account
            .as_ref()
            .map_or(AccountId(Uuid::nil()), |account| account.id);
        let code = secret::code_hash(id, &code).ok_or_else(wrong)?;
        let now = self.now();
        let is_right = self.store().has_code(id, code, now).await?;
        let account = account.filter(|_| is_right).ok_or_else(wrong)?;
        let password = secret::password_hash(password).await?;
        let using = self.store().use_code(id, code, password.clone(), now);
        let used = self.revoke(using, |app, ended| {
            app.revocation().end(ended.as_deref().unwrap_or_default());
        });
        used.await?.ok_or_else(wrong)?;
        self.rates().attempts.forgive(admitted);
        tracing::info!(account.id = %id, "a code has set a password");
        let account = Account {
            password,
            ..account
        };
        self.begin_session(account, &device, from).await
    }
}

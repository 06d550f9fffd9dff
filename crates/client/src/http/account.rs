//! What is asked about one's own account, and by the server's administrator about others'. None of it waits in the
//! outbox: it carries secrets.

use reqwest::Method;
use tulou_protocol::{
    AccountId, SessionId,
    http::{
        AccountCard, AccountList, ChangePassword, Confirm, DeleteAccount, Recover, RecoveryCodes,
        Reset, SignedIn,
    },
};

use super::Http;
use crate::error::Error;

impl Http {
    /// Sets a new password with a code, and signs in.
    pub async fn recover(&self, address: &str, body: &Recover) -> Result<SignedIn, Error> {
        self.ask(Method::POST, address, "/v1/recoveries", Some(body), None)
            .await
    }

    /// My account.
    pub async fn account(&self, address: &str, token: &str) -> Result<AccountCard, Error> {
        self.ask::<(), _>(Method::GET, address, "/v1/account", None, Some(token))
            .await
    }

    /// Changes the password.
    pub async fn change_password(
        &self,
        address: &str,
        token: &str,
        body: &ChangePassword,
    ) -> Result<(), Error> {
        let path = "/v1/account/password";
        self.send(Method::PUT, address, path, Some(body), Some(token))
            .await
            .map(|_| ())
    }

    /// Makes new recovery codes.
    pub async fn new_recovery_codes(
        &self,
        address: &str,
        token: &str,
        body: &Confirm,
    ) -> Result<RecoveryCodes, Error> {
        let path = "/v1/account/recovery-codes";
        self.ask(Method::POST, address, path, Some(body), Some(token))
            .await
    }

    /// Ends a session, or all but this one.
    pub async fn end_sessions(
        &self,
        address: &str,
        token: &str,
        which: Option<SessionId>,
    ) -> Result<(), Error> {
        let path = match which {
            Some(session) => format!("/v1/account/sessions/{session}"),
            None => "/v1/account/sessions".to_owned(),
        };
        self.send::<()>(Method::DELETE, address, &path, None, Some(token))
            .await
            .map(|_| ())
    }

    /// Deletes the account.
    pub async fn delete_account(
        &self,
        address: &str,
        token: &str,
        body: &DeleteAccount,
    ) -> Result<(), Error> {
        let path = "/v1/account/deletion";
        self.send(Method::POST, address, path, Some(body), Some(token))
            .await
            .map(|_| ())
    }

    /// Accounts of the server by name, from after one on.
    pub async fn accounts(
        &self,
        address: &str,
        token: &str,
        search: &str,
        after: &str,
    ) -> Result<AccountList, Error> {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("search", search)
            .append_pair("after", after)
            .finish();
        let path = format!("/v1/accounts?{query}");
        self.ask::<(), _>(Method::GET, address, &path, None, Some(token))
            .await
    }

    /// Sets an account back.
    pub async fn reset(
        &self,
        address: &str,
        token: &str,
        account: AccountId,
    ) -> Result<Reset, Error> {
        let path = format!("/v1/accounts/{account}/reset");
        self.ask::<(), _>(Method::POST, address, &path, None, Some(token))
            .await
    }
}

//! Bodies of the requests about one's own account, and of those of the server's administrator about others'. All name
//! their session by its bearer token. They carry secrets, so they never stand in an outbox and are never logged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, CommunityId, Millis, SessionId};

/// A session was made for an account that is new.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Registered {
    /// The account.
    pub account: AccountId,
    /// The token: random, revocable, kept in the system's keyring only.
    pub token: String,
    /// The recovery codes, as people read them: each sets a new password once. They are told here and never again.
    pub recovery_codes: Vec<String>,
}

/// Sets a new password with a recovery code, or with a code that the administrator made, and signs in. The code is used
/// up; all other sessions of the account end.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recover {
    /// The account's name.
    pub account_name: String,
    /// The code, as it was typed: see [`crate::recovery::normal`].
    pub code: String,
    /// The new password.
    pub password: String,
    /// What the list of sessions calls this device: see [`crate::limits::NAME_BYTES`].
    #[serde(default)]
    pub device: String,
}

/// Changes the password. All other sessions of the account end; the one that asks stays.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangePassword {
    /// The present password.
    pub password: String,
    /// The new one.
    pub new_password: String,
}

/// The password, asked for once more before something that a borrowed session must not do.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Confirm {
    /// The password.
    pub password: String,
}

/// New recovery codes. Those before are of no use any more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecoveryCodes {
    /// The codes, as people read them. They are told here and never again.
    pub recovery_codes: Vec<String>,
}

/// My account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountCard {
    /// Its id.
    pub account: AccountId,
    /// The name signed in with.
    pub account_name: String,
    /// Recovery codes that were not used yet.
    pub recovery_codes: u32,
    /// Where it is signed in, the last seen first.
    pub sessions: Vec<SessionCard>,
    /// Communities that it owns: an account that owns one cannot be deleted.
    pub owned: Vec<OwnedCommunity>,
    /// Whether it administrates the server: such an account cannot be deleted.
    pub server_admin: bool,
}

/// A session of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionCard {
    /// Its id.
    pub session: SessionId,
    /// What the device called itself; may be empty.
    pub device: String,
    /// The address that it was last seen at; may be empty.
    pub address: String,
    /// When it signed in.
    pub created_at: Millis,
    /// When it was last connected.
    pub seen_at: Millis,
    /// Connected now.
    pub online: bool,
    /// The one that asks.
    pub current: bool,
}

/// A community that an account owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnedCommunity {
    /// Which.
    pub community: CommunityId,
    /// Its name.
    pub name: String,
}

/// Deletes the account: its sessions end, its name is free again, it leaves its communities.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeleteAccount {
    /// The password.
    pub password: String,
    /// What becomes of what it wrote.
    pub messages: Messages,
}

/// What becomes of the messages of an account that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Messages {
    /// They stay, written by a deleted account.
    Keep,
    /// They are recalled, everywhere.
    Remove,
}

/// Accounts of the server, for its administrator, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountList {
    /// The accounts: at most [`crate::limits::MEMBERS_PAGE`].
    pub accounts: Vec<ListedAccount>,
    /// There are more: ask for those after the last one's name.
    pub has_more: bool,
}

/// An account, as the server's administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListedAccount {
    /// Its id.
    pub account: AccountId,
    /// The name signed in with.
    pub account_name: String,
    /// The name to show.
    pub display_name: String,
    /// When it was made.
    pub created_at: Millis,
    /// When one of its sessions was last connected; 0 if there is none.
    pub seen_at: Millis,
    /// Whether it administrates the server.
    pub server_admin: bool,
}

/// The administrator has set an account back: its password and recovery codes are of no use any more, its sessions have
/// ended. The code sets a new password, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reset {
    /// The code, as people read it. It is told here and never again.
    pub code: String,
    /// When the code is of no use any more.
    pub expires_at: Millis,
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::http::{Register, SignIn};

    #[test]
    fn every_body_is_written_as_documented() {
        let account = AccountId(Uuid::from_u128(1));
        insta::assert_json_snapshot!(
            "account_bodies",
            json!({
                "register": Register {
                    account_name: "alice".into(),
                    display_name: "Alice".into(),
                    password: "correct horse".into(),
                    invite: Some("K7Q2".into()),
                    device: "attic · Linux".into(),
                },
                "registered": Registered {
                    account,
                    token: "t".into(),
                    recovery_codes: vec!["ABCD-EFGH-JKMN-PQRS".into()],
                },
                "sign_in": SignIn {
                    account_name: "alice".into(),
                    password: "correct horse".into(),
                    device: "attic · Linux".into(),
                },
                "recover": Recover {
                    account_name: "alice".into(),
                    code: "ABCD-EFGH-JKMN-PQRS".into(),
                    password: "battery staple".into(),
                    device: "attic · Linux".into(),
                },
                "change_password": ChangePassword {
                    password: "correct horse".into(),
                    new_password: "battery staple".into(),
                },
                "confirm": Confirm { password: "correct horse".into() },
                "recovery_codes": RecoveryCodes { recovery_codes: vec!["ABCD-EFGH-JKMN-PQRS".into()] },
                "account": AccountCard {
                    account,
                    account_name: "alice".into(),
                    recovery_codes: 9,
                    sessions: vec![SessionCard {
                        session: SessionId(Uuid::from_u128(2)),
                        device: "attic · Linux".into(),
                        address: "192.0.2.7".into(),
                        created_at: 1,
                        seen_at: 2,
                        online: true,
                        current: true,
                    }],
                    owned: vec![OwnedCommunity {
                        community: CommunityId(Uuid::from_u128(3)),
                        name: "土楼".into(),
                    }],
                    server_admin: false,
                },
                "delete": DeleteAccount { password: "correct horse".into(), messages: Messages::Remove },
                "accounts": AccountList {
                    accounts: vec![ListedAccount {
                        account,
                        account_name: "alice".into(),
                        display_name: "Alice".into(),
                        created_at: 1,
                        seen_at: 2,
                        server_admin: true,
                    }],
                    has_more: false,
                },
                "reset": Reset { code: "ABCD-EFGH-JKMN-PQRS".into(), expires_at: 9 },
            })
        );
    }

    #[test]
    fn a_body_of_a_client_that_names_no_device_is_read() {
        let read: SignIn =
            serde_json::from_value(json!({"account_name": "alice", "password": "x"})).unwrap();
        assert_eq!(read.device, "", "the list of sessions says nothing then");
    }
}

//! The HTTP doors, a line of the document each.

use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::{
    Code,
    http::{
        AccountCard, AccountList, ChangePassword, Confirm, DeleteAccount, InviteCard, Recover,
        RecoveryCodes, Register, Registered, Reset, ServerCard, SignIn, SignedIn,
    },
};

/// How large a request may be, and how long it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of its body that are read; a larger body is refused with `too_long`, which says this number.
    pub body_bytes: usize,
    /// It is answered within this time, however slowly its body comes: if need be with status 408.
    pub answered_within: Duration,
}

impl Bounds {
    /// Those of a door that needs no others: room for names and passwords.
    pub const USUAL: Self = Self {
        body_bytes: 16 * 1_024,
        answered_within: Duration::from_secs(30),
    };
}

/// Where a request goes, what it may take, and what comes of it.
pub struct Door {
    /// In capitals.
    pub method: &'static str,
    /// With parameters in braces.
    pub path: &'static str,
    pub(super) about: &'static str,
    /// Whether it names its session by a bearer token.
    pub wants_token: bool,
    pub(super) query: &'static [(&'static str, &'static str)],
    pub(super) body: Option<Typed>,
    /// How large a request to it may be, and how long it may take, whatever holds for other doors.
    pub bounds: Bounds,
    pub(super) success: (u16, Option<Typed>),
    /// Codes that it refuses with, besides those that every door has.
    pub refusals: &'static [Code],
}

pub(super) type Typed = fn(&mut SchemaGenerator) -> Schema;

pub(super) fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

pub(super) const fn get(path: &'static str, about: &'static str) -> Door {
    Door {
        method: "GET",
        path,
        about,
        wants_token: false,
        query: &[],
        body: None,
        bounds: Bounds::USUAL,
        success: (200, None),
        refusals: &[],
    }
}

const fn with_token(method: &'static str, path: &'static str, about: &'static str) -> Door {
    Door {
        method,
        wants_token: true,
        ..get(path, about)
    }
}

impl Door {
    /// Whether it reads a body.
    #[must_use]
    pub const fn takes_body(&self) -> bool {
        self.body.is_some()
    }
}

/// All doors but the one to the WebSocket. What is not among them gets the smallest bounds that there are.
pub const DOORS: &[Door] = &[
    get("/health", "Whether the server works: `ok` as plain text."),
    Door {
        success: (200, Some(of::<ServerCard>)),
        ..get("/v1/server", "The server as strangers see it.")
    },
    Door {
        success: (200, Some(of::<InviteCard>)),
        refusals: &[Code::InviteInvalid],
        ..get(
            "/v1/invites/{code}",
            "What an invite link leads to; with a token also if the link is over, and the account was made by it and has still to join.",
        )
    },
    Door {
        method: "POST",
        body: Some(of::<Register>),
        success: (201, Some(of::<Registered>)),
        refusals: &[
            Code::Closed,
            Code::InviteNeeded,
            Code::InviteInvalid,
            Code::NameTaken,
            Code::TooShort,
            Code::TooLong,
            Code::Empty,
            Code::BadCharacters,
            Code::WeakPassword,
            Code::Malformed,
            Code::TooManySignUps,
            Code::ServerFull,
        ],
        ..get("/v1/accounts", "Makes an account and signs it in.")
    },
    Door {
        method: "POST",
        body: Some(of::<SignIn>),
        success: (201, Some(of::<SignedIn>)),
        refusals: &[
            Code::WrongPassword,
            Code::TooManyAttempts,
            Code::Malformed,
            Code::TooLong,
        ],
        ..get(
            "/v1/sessions",
            "Signs in. Whether a name has an account is not told.",
        )
    },
    Door {
        method: "POST",
        body: Some(of::<Recover>),
        success: (201, Some(of::<SignedIn>)),
        refusals: &[
            Code::WrongCode,
            Code::TooManyAttempts,
            Code::WeakPassword,
            Code::TooLong,
            Code::Malformed,
        ],
        ..get(
            "/v1/recoveries",
            "Sets a new password with a recovery code and signs in.",
        )
    },
    Door {
        success: (204, None),
        ..with_token(
            "DELETE",
            "/v1/sessions/current",
            "Signs out: the token is of no use any more.",
        )
    },
    Door {
        success: (200, Some(of::<AccountCard>)),
        ..with_token("GET", "/v1/account", "My account.")
    },
    Door {
        body: Some(of::<ChangePassword>),
        success: (204, None),
        refusals: &[
            Code::WrongPassword,
            Code::TooManyAttempts,
            Code::WeakPassword,
            Code::TooLong,
            Code::Malformed,
        ],
        ..with_token(
            "PUT",
            "/v1/account/password",
            "Changes the password. All other sessions end.",
        )
    },
    Door {
        body: Some(of::<Confirm>),
        success: (200, Some(of::<RecoveryCodes>)),
        refusals: &[
            Code::WrongPassword,
            Code::TooManyAttempts,
            Code::Malformed,
            Code::TooLong,
        ],
        ..with_token(
            "POST",
            "/v1/account/recovery-codes",
            "New recovery codes; those before are of no use any more.",
        )
    },
    Door {
        success: (204, None),
        ..with_token(
            "DELETE",
            "/v1/account/sessions",
            "Ends all my sessions but the one that asks.",
        )
    },
    Door {
        success: (204, None),
        refusals: &[Code::NotFound],
        ..with_token(
            "DELETE",
            "/v1/account/sessions/{id}",
            "Ends one of my sessions.",
        )
    },
    Door {
        body: Some(of::<DeleteAccount>),
        success: (204, None),
        refusals: &[
            Code::WrongPassword,
            Code::TooManyAttempts,
            Code::OwnsCommunities,
            Code::ServerAdmin,
            Code::Malformed,
            Code::TooLong,
        ],
        ..with_token("POST", "/v1/account/deletion", "Deletes my account.")
    },
    Door {
        query: &[
            (
                "search",
                "only accounts whose name begins so, or whose name to show holds it",
            ),
            (
                "after",
                "only names after this one: the last one's of the page before",
            ),
        ],
        success: (200, Some(of::<AccountList>)),
        refusals: &[Code::NotAdmin],
        ..with_token(
            "GET",
            "/v1/accounts",
            "Accounts of the server, for its administrator.",
        )
    },
    Door {
        success: (200, Some(of::<Reset>)),
        refusals: &[Code::NotAdmin, Code::ServerAdmin, Code::NotFound],
        ..with_token(
            "POST",
            "/v1/accounts/{id}/reset",
            "Sets an account back, for the administrator: the code in the answer sets a new password.",
        )
    },
];

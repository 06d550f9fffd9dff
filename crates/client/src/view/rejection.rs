//! A typed no, as the window says it.

use serde::{Deserialize, Serialize};
use specta::Type;
use specta_typescript::Number;
use tulou_protocol::{Counted, Rejection};

/// A typed no. The window has a sentence for each code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RejectionView {
    /// A stable code, for example `not_allowed`, `too_long`, `offline`.
    pub code: String,
    /// The right that was missing, for `not_allowed`.
    pub permission: Option<String>,
    /// The limit that was passed, for `too_long` and `too_many`.
    #[specta(type = Option<Number>)]
    pub limit: Option<u64>,
    /// What the limit counts: `characters`, `bytes`, `mentions`, `reactions`, `pins`.
    #[serde(default)]
    #[specta(optional)]
    pub of: Option<String>,
    /// How many there are, for a limit of a text.
    #[serde(default)]
    #[specta(optional, type = Option<Number>)]
    pub count: Option<u64>,
    /// Seconds to wait, for `busy`.
    pub retry_after_s: Option<u32>,
}

impl RejectionView {
    /// The window's form of a rejection.
    #[must_use]
    pub fn of(rejection: &Rejection) -> Self {
        Self {
            code: rejection.code.key(),
            permission: rejection
                .permission
                .and_then(|permission| permission.keys().first().map(|key| (*key).to_owned())),
            limit: rejection.limit,
            of: rejection.of.map(counted),
            count: rejection.count.map(u64::from),
            retry_after_s: None,
        }
    }

    pub(crate) fn from_code(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            permission: None,
            limit: None,
            of: None,
            count: None,
            retry_after_s: None,
        }
    }
}

fn counted(of: Counted) -> String {
    match of {
        Counted::Characters => "characters",
        Counted::Bytes => "bytes",
        Counted::Mentions => "mentions",
        Counted::Reactions => "reactions",
        Counted::Pins => "pins",
        Counted::Communities => "communities",
        Counted::Levels => "levels",
        Counted::Groups => "groups",
        Counted::Topics => "topics",
        Counted::MemberGroups => "member_groups",
        Counted::Access => "access",
        Counted::Invites => "invites",
        Counted::Sockets => "sockets",
        Counted::Other => "other",
    }
    .to_owned()
}

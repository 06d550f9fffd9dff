//! Why something failed. A code exists because the window does something different for it.

use tulou_engine::Untold;
use tulou_protocol::{Code, Rejection, frame::Refusal, invite::NotALink};

use crate::{
    secrets::NoKeyring,
    store::{StoreError, Trouble, Troubled},
    unusable::Unusable,
    view::RejectionView,
};

/// Why something failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server, or a check that it would make too, said no.
    #[error("refused: {}", .0.code.key())]
    Rejected(Box<Rejection>),
    /// Not now: the server asks to wait.
    #[error("the server asks to wait")]
    Busy {
        /// Seconds to wait at least.
        retry_after_s: u32,
    },
    /// Too many accounts are being made from here, or on this server.
    #[error("the server takes no more new accounts for a while")]
    SignUps {
        /// Seconds to wait at least.
        retry_after_s: u32,
    },
    /// The server speaks another version of the protocol.
    #[error("the server speaks another version of the protocol")]
    OtherVersion {
        /// Whether the server's is the newer one.
        is_server_newer: bool,
    },
    /// There is no link, and this is not queued.
    #[error("there is no link to the server")]
    Offline,
    /// No address of the server answered.
    #[error("no address of the server answered: {0}")]
    Unreachable(String),
    /// Something answered, and cannot be used as the server.
    #[error("the server cannot be used: {0}")]
    Unusable(#[from] Unusable),
    /// The server has another key than the one it is known by. Nothing was sent to it.
    #[error("the server has another key than the one it is known by")]
    OtherKey,
    /// Another server answers where the wanted one should be.
    #[error("another server answers at {0}")]
    OtherServer(String),
    /// The text is neither an invite link nor an address.
    #[error("not a link: {0}")]
    Link(#[from] NotALink),
    /// The account, community, topic or message is not known here.
    #[error("not known here: {0}")]
    NotFound(&'static str),
    /// The store could not be read or written.
    #[error("the store could not be read or written")]
    Storage(#[from] StoreError),
    /// A file could not be read or written.
    #[error("could not access {what}")]
    File {
        /// Which file.
        what: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The keyring did not do what it was asked to.
    #[error(transparent)]
    Keyring(NoKeyring),
    /// The client is shutting down.
    #[error("the client is shutting down")]
    Stopped,
}

impl Error {
    /// The stable code, for example `not_allowed` or `offline`.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Rejected(rejection) => rejection.code.key(),
            Self::Busy { .. } => "busy".into(),
            Self::SignUps { .. } => "sign_ups".into(),
            Self::OtherVersion {
                is_server_newer: true,
            } => "outdated".into(),
            Self::OtherVersion {
                is_server_newer: false,
            } => "too_old".into(),
            Self::Offline => "offline".into(),
            Self::Unreachable(_) => "unreachable".into(),
            Self::Unusable(why) => why.code().into(),
            Self::OtherKey => "certificate_changed".into(),
            Self::OtherServer(_) => "other_server".into(),
            Self::Link(why) => why.code().into(),
            Self::NotFound(_) => "not_found".into(),
            Self::Storage(error) => match error.trouble() {
                Some(Trouble::TooNew { .. }) => "too_new".into(),
                Some(Trouble::NoRoom) => "no_room".into(),
                Some(
                    Trouble::Damaged | Trouble::Locked | Trouble::NoRights | Trouble::Unreadable,
                )
                | None => "storage".into(),
            },
            Self::File { .. } => "storage".into(),
            Self::Keyring(_) => "keyring".into(),
            Self::Stopped => "internal".into(),
        }
    }

    /// What a sentence about it names: a date, a path, a name.
    #[must_use]
    pub fn about(&self) -> Option<String> {
        match self {
            Self::Unusable(why) => why.about(),
            Self::Link(why) => why.about().map(str::to_owned),
            Self::Rejected(_)
            | Self::Busy { .. }
            | Self::SignUps { .. }
            | Self::OtherVersion { .. }
            | Self::Offline
            | Self::Unreachable(_)
            | Self::OtherKey
            | Self::OtherServer(_)
            | Self::NotFound(_)
            | Self::Storage(_)
            | Self::File { .. }
            | Self::Keyring(_)
            | Self::Stopped => None,
        }
    }

    /// The typed no, when it was one.
    #[must_use]
    pub fn rejection(&self) -> Option<RejectionView> {
        match self {
            Self::Rejected(rejection) => Some(RejectionView::of(rejection)),
            Self::Busy { retry_after_s } => Some(RejectionView {
                retry_after_s: Some(*retry_after_s),
                ..RejectionView::from_code("busy")
            }),
            Self::SignUps { retry_after_s } => Some(RejectionView {
                retry_after_s: Some(*retry_after_s),
                ..RejectionView::from_code("sign_ups")
            }),
            Self::Offline => Some(RejectionView::from_code("offline")),
            Self::Unreachable(_)
            | Self::Unusable(_)
            | Self::OtherKey
            | Self::OtherServer(_)
            | Self::OtherVersion { .. }
            | Self::Link(_)
            | Self::NotFound(_)
            | Self::Storage(_)
            | Self::File { .. }
            | Self::Keyring(_)
            | Self::Stopped => None,
        }
    }

    /// Whether the server was not asked, or wants to be asked later: what is held is the best answer until then.
    pub(crate) fn is_for_now(&self) -> bool {
        match self {
            Self::Offline | Self::OtherVersion { .. } | Self::OtherKey | Self::Busy { .. } => true,
            Self::Rejected(rejection) => rejection.code == Code::SignedOut,
            Self::SignUps { .. }
            | Self::Unreachable(_)
            | Self::Unusable(_)
            | Self::OtherServer(_)
            | Self::Link(_)
            | Self::NotFound(_)
            | Self::Storage(_)
            | Self::File { .. }
            | Self::Keyring(_)
            | Self::Stopped => false,
        }
    }

    pub(crate) fn file(what: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.display().to_string();
        move |source| Self::File { what, source }
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(Box::new(rejection))
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Rejection::from(code).into()
    }
}

impl Troubled for Error {
    fn trouble(&self) -> Option<Trouble> {
        if let Self::Storage(error) = self {
            error.trouble()
        } else {
            None
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl From<Untold> for Error {
    fn from(untold: Untold) -> Self {
        match untold {
            Untold::Offline => Self::Offline,
            Untold::Refused(Refusal::Busy(busy)) => Self::Busy {
                retry_after_s: u32::try_from(busy.retry_after_ms.div_ceil(1_000))
                    .unwrap_or(u32::MAX),
            },
            Untold::Refused(refusal) => match Option::<Rejection>::from(refusal) {
                Some(rejection) => rejection.into(),
                None => Code::Unknown.into(),
            },
        }
    }
}

/// An error with its causes on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

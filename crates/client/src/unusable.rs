//! Why a server cannot be used although something answers where it should be: whoever runs it has to know what to mend.

use std::error::Error as StdError;

use serde::Deserialize;
use tokio_tungstenite::tungstenite::{self, error::ProtocolError, http::StatusCode};
use tulou_protocol::{
    Counted, Rejection, ServerFrame,
    http::{CAME_AS_HEADER, SERVER_HEADER},
};

use crate::view::Cause;

/// Why a server that answers cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Its certificate is not valid any more.
    #[error("its certificate expired at {0}")]
    Expired(String),
    /// Its certificate is not valid yet.
    #[error("its certificate is not valid before {0}")]
    NotYet(String),
    /// Its certificate is for other names.
    #[error("its certificate is for {0}")]
    OtherName(String),
    /// It does not send the certificate of whoever signed its own.
    #[error("it does not send the certificate of \"{0}\", who signed its own")]
    Incomplete(String),
    /// Its certificate was signed by somebody who is not known here.
    #[error("its certificate was signed by \"{0}\", who is not known here")]
    UnknownSigner(String),
    /// It signed its certificate itself, and its key is not known: an invite link would name it.
    #[error("it signed its certificate itself")]
    SelfSigned,
    /// Its certificate is of no use for another reason.
    #[error("its certificate cannot be verified: {0}")]
    Certificate(String),
    /// It does not speak TLS.
    #[error("it does not encrypt")]
    NotEncrypted,
    /// Something else answers.
    #[error("something else than a server of Tulou answers")]
    NotTulou,
    /// Whoever answers sends elsewhere, to sign in perhaps.
    #[error("it sends on to {0}")]
    Redirects(String),
    /// Whoever answers wants a sign-in of its own.
    #[error("something before it wants a sign-in of its own")]
    SignIn,
    /// It is reached, but no WebSocket gets through.
    #[error("no WebSocket gets through to it")]
    NoWebSocket,
    /// It is reached by HTTP 1.0, which knows no WebSocket.
    #[error("a proxy before it speaks HTTP 1.0")]
    Http10,
    /// It has too many connections from the network that this computer is in.
    #[error("too many connections come from here")]
    Crowded,
    /// So many connections of the account are open already.
    #[error("{0} connections of this account are open already")]
    Sockets(u64),
    /// A proxy before it refuses.
    #[error("a proxy before it refused with status {0}")]
    Refused(u16),
    /// A proxy before it does not reach it.
    #[error("a proxy before it does not reach it (status {0})")]
    Behind(u16),
}

impl Unusable {
    /// The stable code of the cause.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Expired(_) => "certificate_expired",
            Self::NotYet(_) => "certificate_not_yet",
            Self::OtherName(_) => "certificate_name",
            Self::Incomplete(_) => "certificate_incomplete",
            Self::UnknownSigner(_) => "certificate_signer",
            Self::SelfSigned => "certificate",
            Self::Certificate(_) => "certificate_other",
            Self::NotEncrypted => "not_encrypted",
            Self::NotTulou => "not_tulou",
            Self::Redirects(_) => "redirects",
            Self::SignIn => "sign_in_wall",
            Self::NoWebSocket => "no_websocket",
            Self::Http10 => "http_1_0",
            Self::Crowded => "crowded",
            Self::Sockets(_) => "too_many_sockets",
            Self::Refused(_) => "proxy_refused",
            Self::Behind(_) => "proxy_behind",
        }
    }

    /// What a sentence about it names; a time is in the form `2026-11-30T08:00:00Z`.
    #[must_use]
    pub fn about(&self) -> Option<String> {
        match self {
            Self::Expired(text)
            | Self::NotYet(text)
            | Self::OtherName(text)
            | Self::Incomplete(text)
            | Self::UnknownSigner(text)
            | Self::Certificate(text)
            | Self::Redirects(text) => Some(text.clone()),
            Self::Refused(status) | Self::Behind(status) => Some(status.to_string()),
            Self::Sockets(limit) => Some(limit.to_string()),
            Self::SelfSigned
            | Self::NotEncrypted
            | Self::NotTulou
            | Self::SignIn
            | Self::NoWebSocket
            | Self::Http10
            | Self::Crowded => None,
        }
    }

    /// What the window is told.
    pub(crate) fn cause(&self) -> Cause {
        Cause {
            code: self.code().to_owned(),
            about: self.about(),
        }
    }

    /// How much it tells of the server. That something else answers may only mean that the server is elsewhere.
    pub(crate) const fn weight(&self) -> u8 {
        match self {
            Self::NotTulou | Self::Refused(_) | Self::Behind(_) => 1,
            Self::Redirects(_) | Self::SignIn | Self::NotEncrypted => 2,
            Self::NoWebSocket | Self::Http10 | Self::Crowded | Self::Sockets(_) => 3,
            Self::Expired(_)
            | Self::NotYet(_)
            | Self::OtherName(_)
            | Self::Incomplete(_)
            | Self::UnknownSigner(_)
            | Self::SelfSigned
            | Self::Certificate(_) => 4,
        }
    }

    /// What an HTTP answer means that is not the server's own: it does not say whose it is.
    pub(crate) fn of_answer(status: u16, location: Option<&str>, body: &[u8]) -> Self {
        match status {
            300..=399 => Self::Redirects(location.unwrap_or_default().chars().take(200).collect()),
            401 | 407 | 511 => Self::SignIn,
            200..=299 if asks_to_sign_in(body) => Self::SignIn,
            403 if asks_to_sign_in(body) => Self::SignIn,
            500..=599 => Self::Behind(status),
            403 | 408 | 411 | 413 | 414 | 421 | 429 | 431 | 451 => Self::Refused(status),
            _ => Self::NotTulou,
        }
    }

    /// That a session is not opened because of how many there are.
    pub(crate) fn of_refusal(frame: &ServerFrame) -> Option<Self> {
        let ServerFrame::Responses(responses) = frame else {
            return None;
        };
        let refusals = responses
            .iter()
            .filter_map(|one| one.error.as_ref()?.data.as_ref());
        refusals
            .filter_map(|data| Rejection::deserialize(data).ok())
            .find(|no| no.of == Some(Counted::Sockets))
            .map(|no| Self::Sockets(no.limit.unwrap_or_default()))
    }

    /// Why a handshake of a WebSocket failed, unless nobody answered.
    pub(crate) fn of_handshake(error: &tungstenite::Error) -> Option<Self> {
        if let tungstenite::Error::Http(response) = error {
            let headers = response.headers();
            let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
            if headers.contains_key(SERVER_HEADER) {
                let is_old = text(CAME_AS_HEADER).is_some_and(|came| came.ends_with("/1.0"));
                return Some(if response.status() == StatusCode::TOO_MANY_REQUESTS {
                    Self::Crowded
                } else if is_old {
                    Self::Http10
                } else {
                    Self::NoWebSocket
                });
            }
            let body = response.body().as_deref().unwrap_or_default();
            let status = response.status().as_u16();
            return Some(Self::of_answer(status, text("location"), body));
        }
        let tungstenite::Error::Protocol(broken) = error else {
            return in_tls(error);
        };
        if matches!(broken, ProtocolError::WrongHttpVersion) {
            Some(Self::Http10)
        } else if matches!(broken, ProtocolError::HttparseError(_)) {
            Some(Self::NotTulou)
        } else {
            let is_refused = matches!(
                broken,
                ProtocolError::MissingConnectionUpgradeHeader
                    | ProtocolError::MissingUpgradeWebSocketHeader
                    | ProtocolError::SecWebSocketAcceptKeyMismatch
            );
            is_refused.then_some(Self::NoWebSocket)
        }
    }
}

/// Whether a connection failed because the other side does not encrypt.
pub fn in_tls(error: &(dyn StdError + 'static)) -> Option<Unusable> {
    let is_garbage =
        tls_cause(error).is_some_and(|error| matches!(error, rustls::Error::InvalidMessage(_)));
    is_garbage.then_some(Unusable::NotEncrypted)
}

/// What went wrong with TLS, among the causes of an error.
pub fn tls_cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        // What an I/O error wraps is not among its sources.
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .map(|wrapped| wrapped as &(dyn StdError + 'static));
        let found = wrapped
            .into_iter()
            .chain([error])
            .find_map(|error| error.downcast_ref::<rustls::Error>());
        if found.is_some() {
            return found;
        }
        cause = wrapped.or_else(|| error.source());
    }
    None
}

/// Whether a page wants a name and a password, or sends to one that does.
fn asks_to_sign_in(body: &[u8]) -> bool {
    /// Of a page so much is looked at.
    const MOST: usize = 64 * 1_024;
    let page = String::from_utf8_lossy(&body[..body.len().min(MOST)]).to_lowercase();
    let signs = [
        "type=\"password\"",
        "type='password'",
        "type=password",
        "sign in",
        "sign-in",
        "signin",
        "log in",
        "login",
        "/oauth2/",
        "saml",
        "登录",
        "登入",
    ];
    page.contains('<') && signs.iter().any(|sign| page.contains(sign))
}

#[cfg(test)]
mod tests {
    use tulou_protocol::{
        Code,
        frame::{Refusal, Response},
    };

    use super::*;

    #[test]
    fn what_answers_in_the_place_of_the_server_is_told_by_its_answer() {
        let page = b"<form><input type=\"password\"></form>";
        for (status, location, body, wanted) in [
            (
                302,
                Some("https://sso.example/login"),
                &b""[..],
                Unusable::Redirects("https://sso.example/login".into()),
            ),
            (
                301,
                Some("/chat/"),
                b"",
                Unusable::Redirects("/chat/".into()),
            ),
            (200, None, page, Unusable::SignIn),
            (200, None, b"<h1>Welcome to nginx!</h1>", Unusable::NotTulou),
            (200, None, b"{\"login\": true}", Unusable::NotTulou),
            (401, None, b"", Unusable::SignIn),
            (403, None, page, Unusable::SignIn),
            (403, None, b"<h1>403 Forbidden</h1>", Unusable::Refused(403)),
            (404, None, b"<h1>404</h1>", Unusable::NotTulou),
            (413, None, b"", Unusable::Refused(413)),
            (502, None, b"<h1>502</h1>", Unusable::Behind(502)),
        ] {
            assert_eq!(
                Unusable::of_answer(status, location, body),
                wanted,
                "{status}"
            );
        }
    }

    #[test]
    fn a_session_that_is_one_too_many_of_its_account_says_so() {
        let refused = |of: Counted| {
            let no = Rejection::limit(Code::TooMany, 100).of(of);
            let response = Response::refused(1.into(), &Refusal::Rejected(no));
            Unusable::of_refusal(&ServerFrame::Responses(vec![response]))
        };
        assert_eq!(refused(Counted::Sockets), Some(Unusable::Sockets(100)));
        assert_eq!(refused(Counted::Pins), None);
    }

    #[test]
    fn a_handshake_that_the_server_itself_refuses_says_whose_fault_it_is() {
        let refused = |status: StatusCode, came_as: &str| {
            let response = tungstenite::http::Response::builder()
                .status(status)
                .header(SERVER_HEADER, "1")
                .header(CAME_AS_HEADER, came_as)
                .body(None)
                .unwrap();
            Unusable::of_handshake(&tungstenite::Error::Http(Box::new(response)))
        };
        for (status, came_as, wanted) in [
            (
                StatusCode::UPGRADE_REQUIRED,
                "HTTP/1.1",
                Unusable::NoWebSocket,
            ),
            (StatusCode::UPGRADE_REQUIRED, "HTTP/1.0", Unusable::Http10),
            (StatusCode::TOO_MANY_REQUESTS, "HTTP/1.1", Unusable::Crowded),
        ] {
            assert_eq!(refused(status, came_as), Some(wanted), "{status}");
        }
    }
}

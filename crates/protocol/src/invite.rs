//! The link that leads to a server, and through an invite's code into a community.
//!
//! `tulou://join/<code>?at=<address>&at=<address>…&key=<fingerprint>&server=<id>`. The code is missing in a link that
//! leads to the server only. `key` is the fingerprint of the server's own key, where it has one. The server's id stands
//! last: it has one length, so a link that was cut off is known by it. A bare address (`ws://127.0.0.1:4780`,
//! `chat.example.org`) is a link, too.
//!
//! Mail, chats and phones change what is handed on: [`InviteLink::parse`] finds the link in whatever was pasted.

mod address;
mod pasted;

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

pub use self::address::address;
use crate::{fingerprint::Fingerprint, id::ServerId};

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteLink {
    /// The invite's code.
    pub code: Option<String>,
    /// The server; unknown for a bare address.
    pub server: Option<ServerId>,
    /// Addresses to try, `ws://…` (loopback only) or `wss://…`, without a path.
    pub addresses: Vec<String>,
    /// The fingerprint of the server's own key; without one the system's certificates verify the server.
    pub key: Option<Fingerprint>,
}

/// Why a text leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotALink {
    /// There is neither a link nor an address in it.
    #[error("there is neither an invite link nor an address in it")]
    Nothing,
    /// It is longer than any link.
    #[error("it is too long for a link")]
    TooLong,
    /// The end of the link is missing; what should follow this part of it.
    #[error("the link is cut off: what follows \"{0}\" is missing")]
    CutOff(&'static str),
    /// The beginning of the link is missing.
    #[error("the link is cut off: its beginning is missing")]
    Headless,
    /// This part of the link is not as it was made.
    #[error("the link is damaged: what follows \"{0}\" is not as it was made")]
    Damaged(&'static str),
    /// An address ends with a colon where its port should be.
    #[error("the address \"{0}\" lacks its port")]
    NoPort(String),
    /// This is no port.
    #[error("\"{0}\" is no port: it is a number from 1 to 65535")]
    Port(String),
    /// An address with a path.
    #[error("the address has a path, \"{0}\", and a server is reached without one")]
    Path(String),
    /// This is no name or number of a computer that others could reach.
    #[error("\"{0}\" is no address of a computer")]
    Host(String),
    /// An address of another kind.
    #[error("an address that begins with \"{0}\" leads to no server")]
    Scheme(String),
    /// An address that is not encrypted and not on this computer.
    #[error("the address is not encrypted")]
    Unencrypted,
}

impl NotALink {
    /// The stable code of the cause.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Nothing => "no_link",
            Self::TooLong => "link_too_long",
            Self::CutOff(_) => "link_cut",
            Self::Headless => "link_headless",
            Self::Damaged(_) => "link_damaged",
            Self::NoPort(_) => "address_no_port",
            Self::Port(_) => "address_port",
            Self::Path(_) => "address_path",
            Self::Host(_) => "address_host",
            Self::Scheme(_) => "address_scheme",
            Self::Unencrypted => "unencrypted",
        }
    }

    /// What a sentence about it names.
    #[must_use]
    pub fn about(&self) -> Option<&str> {
        match self {
            Self::CutOff(part) | Self::Damaged(part) => Some(part),
            Self::NoPort(text)
            | Self::Port(text)
            | Self::Path(text)
            | Self::Host(text)
            | Self::Scheme(text) => Some(text),
            Self::Nothing | Self::TooLong | Self::Headless | Self::Unencrypted => None,
        }
    }
}

/// Longest link.
const MAX_BYTES: usize = 4_096;
/// Longest text in which one is looked for.
const MAX_PASTED_BYTES: usize = 64 * 1_024;
/// Most addresses of a link.
const MAX_ADDRESSES: usize = 16;
/// Longest code of an invite.
const MAX_CODE_BYTES: usize = 64;
/// Longest piece of what was pasted that a refusal repeats.
const MAX_TOLD: usize = 80;
/// What was handed on through so many programs that each escaped it is not looked at.
const MAX_ESCAPES: usize = 3;

/// The parts of a link, as they stand in it and as a refusal names them.
const START: &str = "tulou://";
const JOIN: &str = "join/";
const AT: &str = "at=";
const KEY: &str = "key=";
const SERVER: &str = "server=";

impl InviteLink {
    /// The link as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        if self.server.is_none() && self.key.is_none() && self.code.is_none() {
            return self.addresses.first().cloned().unwrap_or_default();
        }
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for address in &self.addresses {
            query.append_pair("at", address);
        }
        if let Some(key) = &self.key {
            query.append_pair("key", &key.to_string());
        }
        if let Some(server) = self.server {
            query.append_pair("server", &server.to_string());
        }
        format!(
            "{START}{JOIN}{}?{}",
            self.code.as_deref().unwrap_or(""),
            query.finish()
        )
    }

    /// Finds a link, or else an address, in what was pasted: in brackets or a sentence, escaped, folded into lines, with
    /// invisible characters in it.
    ///
    /// # Errors
    /// If there is none, or what is wrong with the one that is there.
    pub fn parse(text: &str) -> Result<Self, NotALink> {
        if text.len() > MAX_PASTED_BYTES {
            return Err(NotALink::TooLong);
        }
        let link = pasted::find(text)?;
        // Escaped it may be longer than it was: what is shown to others has to lead somewhere, too.
        if link.to_text().len() > MAX_BYTES {
            return Err(NotALink::TooLong);
        }
        Ok(link)
    }

    fn at(address: String) -> Self {
        Self {
            code: None,
            server: None,
            addresses: vec![address],
            key: None,
        }
    }

    /// Reads what stands behind `tulou:` of a link, and nothing else.
    fn parse_rest(rest: &str) -> Result<Self, NotALink> {
        if rest.len() > MAX_BYTES {
            return Err(NotALink::TooLong);
        }
        let rest = rest.trim_start_matches('/');
        let Some(rest) = strip_prefix(rest, "join") else {
            return Err(if strip_prefix("join", rest).is_some() {
                NotALink::CutOff(START)
            } else {
                NotALink::Damaged(START)
            });
        };
        let rest = unescaped(rest, '?');
        let (path, query) = rest.split_once('?').ok_or(NotALink::CutOff(JOIN))?;
        let code = path.trim_matches('/');
        let is_code = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !code.bytes().all(is_code) || code.len() > MAX_CODE_BYTES {
            return Err(NotALink::Damaged(JOIN));
        }
        let mut link = Self {
            code: (!code.is_empty()).then(|| code.to_owned()),
            server: None,
            addresses: Vec::new(),
            key: None,
        };
        let mut last = JOIN;
        for pair in query.split('&') {
            let Some((name, value)) = pair.split_once('=') else {
                // The beginning of a name.
                return Err(NotALink::CutOff(last));
            };
            let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.trim_end_matches('='));
            let value = unescaped(value, ':');
            let is_last = query.ends_with(pair);
            // What stands at the end may be the beginning of what it was.
            let unread = |part| {
                if is_last {
                    NotALink::CutOff(part)
                } else {
                    NotALink::Damaged(part)
                }
            };
            if is(SERVER) {
                last = SERVER;
                link.server = Some(value.parse().map_err(|_| unread(last))?);
            } else if is(AT) {
                last = AT;
                if value.is_empty() {
                    return Err(unread(last));
                }
                let read = address(&value);
                // A link's own address is cut off rather than mistyped.
                let read = read.map_err(|why| if is_last { unread(AT) } else { why })?;
                if link.addresses.len() < MAX_ADDRESSES {
                    link.addresses.push(read);
                }
            } else if is(KEY) {
                last = KEY;
                link.key = Some(value.parse().map_err(|_| unread(last))?);
            }
        }
        if link.addresses.is_empty() || (link.server.is_none() && link.key.is_none()) {
            Err(NotALink::CutOff(last))
        } else {
            Ok(link)
        }
    }
}

/// A piece of what was pasted, as a refusal repeats it.
fn told(text: &str) -> String {
    match text.char_indices().nth(MAX_TOLD) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A text, unescaped until a sign is in it that has to be there.
fn unescaped(text: &str, sign: char) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..MAX_ESCAPES {
        if text.contains(sign) || !text.contains('%') {
            break;
        }
        text = Cow::Owned(percent_decode_str(&text).decode_utf8_lossy().into_owned());
    }
    text
}

/// A text without its beginning, in capitals or not.
fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests;

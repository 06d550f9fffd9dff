//! The link that leads to a server, and through an invite's code into a community.
//!
//! `tulou://join/<code>?server=<id>&at=<address>&at=<address>…&key=<fingerprint>`. The code is missing in a link that
//! leads to the server only. `key` is the fingerprint of the server's own key, where it has one. A bare address
//! (`ws://127.0.0.1:4780`, `chat.example.org`) is a link, too.

use url::{Host, Url};

use crate::{fingerprint::Fingerprint, id::ServerId};

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The invite's code.
    pub code: Option<String>,
    /// The server; unknown for a bare address.
    pub server: Option<ServerId>,
    /// Addresses to try, `ws://…` (loopback only) or `wss://…`, without a path.
    pub addresses: Vec<String>,
    /// The fingerprint of the server's own key; without one the system's certificates verify the server.
    pub key: Option<Fingerprint>,
}

/// Why a text is no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotALink {
    /// Not a link and not an address.
    #[error("not a link and not an address")]
    Unreadable,
    /// An address that is not encrypted and not on this computer.
    #[error("the address is not encrypted")]
    Unencrypted,
}

/// Longest text that is looked at.
const MAX_BYTES: usize = 4_096;
/// Longest name that the domain name system has.
const MAX_HOST_BYTES: usize = 253;
/// Most addresses of a link.
const MAX_ADDRESSES: usize = 16;

impl Link {
    /// The link as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if let Some(server) = self.server {
            query.append_pair("server", &server.to_string());
        }
        for address in &self.addresses {
            query.append_pair("at", address);
        }
        if let Some(key) = &self.key {
            query.append_pair("key", &key.to_string());
        }
        format!(
            "tulou://join/{}?{}",
            self.code.as_deref().unwrap_or(""),
            query.finish()
        )
    }

    /// Reads a link or a bare address.
    ///
    /// # Errors
    /// If it is neither, or leads over an unencrypted address to another computer.
    pub fn parse(text: &str) -> Result<Self, NotALink> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_BYTES {
            return Err(NotALink::Unreadable);
        }
        let link = match text.strip_prefix("tulou://") {
            Some(rest) => Self::parse_invite(rest)?,
            None => Self {
                code: None,
                server: None,
                addresses: vec![address(text)?],
                key: None,
            },
        };
        // Escaped it may be longer than it was: what is shown to others has to lead somewhere, too.
        if link.to_text().len() > MAX_BYTES {
            return Err(NotALink::Unreadable);
        }
        Ok(link)
    }

    fn parse_invite(rest: &str) -> Result<Self, NotALink> {
        let rest = rest.strip_prefix("join").ok_or(NotALink::Unreadable)?;
        let (path, query) = rest.split_once('?').ok_or(NotALink::Unreadable)?;
        let code = path.trim_matches('/');
        if !code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            || code.len() > 64
        {
            return Err(NotALink::Unreadable);
        }
        let mut link = Self {
            code: (!code.is_empty()).then(|| code.to_owned()),
            server: None,
            addresses: Vec::new(),
            key: None,
        };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "server" => link.server = Some(value.parse().map_err(|_| NotALink::Unreadable)?),
                "at" if link.addresses.len() < MAX_ADDRESSES => {
                    link.addresses.push(address(&value)?)
                }
                "key" => link.key = Some(value.parse().map_err(|_| NotALink::Unreadable)?),
                _ => {}
            }
        }
        if link.addresses.is_empty() {
            Err(NotALink::Unreadable)
        } else {
            Ok(link)
        }
    }
}

/// An address in its one form: `ws://host:port` or `wss://host:port`, the port left out where it is the usual one.
fn address(text: &str) -> Result<String, NotALink> {
    let with_scheme = if let Some(rest) = text.strip_prefix("https://") {
        format!("wss://{rest}")
    } else if let Some(rest) = text.strip_prefix("http://") {
        format!("ws://{rest}")
    } else if text.contains("://") {
        text.to_owned()
    } else {
        let is_here = Url::parse(&format!("ws://{text}")).is_ok_and(|url| is_loopback(&url));
        format!("{}://{text}", if is_here { "ws" } else { "wss" })
    };
    let url = Url::parse(&with_scheme).map_err(|_| NotALink::Unreadable)?;
    match url.scheme() {
        "wss" => {}
        "ws" if is_loopback(&url) => {}
        "ws" => return Err(NotALink::Unencrypted),
        _ => return Err(NotALink::Unreadable),
    }
    let host = url
        .host_str()
        .filter(|host| (1..=MAX_HOST_BYTES).contains(&host.len()))
        .ok_or(NotALink::Unreadable)?;
    match url.port() {
        Some(port) => Ok(format!("{}://{host}:{port}", url.scheme())),
        None => Ok(format!("{}://{host}", url.scheme())),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_link_reads_back() {
        let link = Link {
            code: Some("a8Kd-2".into()),
            server: Some(ServerId(Uuid::from_u128(9))),
            addresses: vec![
                "ws://127.0.0.1:4780".into(),
                "wss://chat.example.org".into(),
            ],
            key: Some(Fingerprint::of(b"a key")),
        };
        assert_eq!(
            Link::parse(&link.to_text()),
            Ok(link),
            "what is handed on is what arrives"
        );
    }

    #[test]
    fn a_link_that_could_not_be_handed_on_is_refused() {
        let long = "=".repeat(MAX_HOST_BYTES + 1);
        assert_eq!(
            Link::parse(&long),
            Err(NotALink::Unreadable),
            "no name is so long"
        );
        // Escaped, each of these signs is three.
        let host = "=".repeat(MAX_HOST_BYTES - 1);
        let address = format!("&at=wss://{host}");
        let text = |count| format!("tulou://join/?{}", address.repeat(count));
        assert!(text(8).len() < MAX_BYTES);
        assert_eq!(Link::parse(&text(8)), Err(NotALink::Unreadable));
        let link = Link::parse(&text(4)).unwrap();
        assert_eq!(Link::parse(&link.to_text()), Ok(link));
    }

    #[test]
    fn an_unencrypted_address_of_another_computer_is_refused() {
        assert_eq!(
            Link::parse("ws://192.168.1.7:4780"),
            Err(NotALink::Unencrypted),
            "plain only on loopback"
        );
        assert_eq!(
            Link::parse("127.0.0.1:4780").map(|link| link.addresses),
            Ok(vec!["ws://127.0.0.1:4780".into()])
        );
        assert_eq!(
            Link::parse("chat.example.org").map(|link| link.addresses),
            Ok(vec!["wss://chat.example.org".into()])
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_fail_in_another_way(text in "(tulou://join/|ws://|\\?at=|&|%|\\PC){0,12}") {
            if let Ok(link) = Link::parse(&text) {
                prop_assert_eq!(Link::parse(&link.to_text()), Ok(link), "an accepted link reads back");
            }
        }
    }
}

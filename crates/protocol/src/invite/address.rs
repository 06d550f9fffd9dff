//! The address of a server, as links carry it.

use std::net::Ipv6Addr;

use url::{Host, Url};

use super::{NotALink, told};

/// Longest name that the domain name system has.
const MAX_HOST_BYTES: usize = 253;

/// An address in its one form: `ws://host:port` or `wss://host:port`, the port left out where it is the usual one. Without
/// `wss://` it is encrypted unless it leads to this computer. An IPv6 address may stand without brackets.
///
/// # Errors
/// What is wrong with it.
pub fn address(text: &str) -> Result<String, NotALink> {
    let text = text.trim();
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
        None => (None, text),
    };
    let is_encrypted = match scheme.as_deref() {
        None => None,
        Some("wss" | "https") => Some(true),
        Some("ws" | "http") => Some(false),
        Some(other) => return Err(NotALink::Scheme(told(&format!("{other}://")))),
    };
    let (authority, path) = match rest.find(['/', '\\', '?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if !matches!(path, "" | "/") {
        return Err(NotALink::Path(told(path)));
    }
    let (host, port) = parts(authority)?;
    let no_host = || NotALink::Host(told(&host));
    if host.contains(['@', ' ']) {
        return Err(no_host());
    }
    let url = Url::parse(&format!("wss://{host}")).map_err(|_| no_host())?;
    let is_here = is_loopback(&url);
    let is_encrypted = is_encrypted.unwrap_or(!is_here);
    if !is_encrypted && !is_here {
        return Err(NotALink::Unencrypted);
    }
    // A name that ends with the root's dot is the same name.
    let read = url
        .host_str()
        .map(|name| name.strip_suffix('.').unwrap_or(name));
    let read = read.filter(|name| is_usable(&url, name));
    let read = read.ok_or_else(no_host)?;
    Ok(match (is_encrypted, port) {
        (true, None | Some(443)) => format!("wss://{read}"),
        (true, Some(port)) => format!("wss://{read}:{port}"),
        (false, None | Some(80)) => format!("ws://{read}"),
        (false, Some(port)) => format!("ws://{read}:{port}"),
    })
}

/// Host and port. An IPv6 address is given its brackets.
fn parts(authority: &str) -> Result<(String, Option<u16>), NotALink> {
    let (host, port) = match authority.rfind(']') {
        Some(end) => {
            let (host, rest) = authority.split_at(end + 1);
            match rest.strip_prefix(':') {
                Some(port) => (host.to_owned(), Some(port)),
                None if rest.is_empty() => (host.to_owned(), None),
                None => return Err(NotALink::Host(told(authority))),
            }
        }
        None => match authority.strip_prefix("::1:") {
            // What else it could be reaches nobody.
            Some(port) if !port.contains(':') => ("[::1]".to_owned(), Some(port)),
            _ if authority.parse::<Ipv6Addr>().is_ok() => (format!("[{authority}]"), None),
            _ => match authority.rsplit_once(':') {
                Some((host, port)) if !host.contains(':') => (host.to_owned(), Some(port)),
                Some(_) => return Err(NotALink::Host(told(authority))),
                None => (authority.to_owned(), None),
            },
        },
    };
    let port = match port {
        Some("") => return Err(NotALink::NoPort(told(authority))),
        Some(port) => {
            let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
            let number = port.parse().ok().filter(|number| is_number && *number != 0);
            Some(number.ok_or_else(|| NotALink::Port(told(port)))?)
        }
        None => None,
    };
    Ok((host, port))
}

/// Whether somebody may be there, and whether it can be handed on.
fn is_usable(url: &Url, host: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    // With another sign there, a sentence around it could not be told from it.
    let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    match url.host() {
        Some(Host::Domain(_)) => {
            host.len() <= MAX_HOST_BYTES
                && host.bytes().all(is_plain)
                && is_end(host.bytes().next())
                && is_end(host.bytes().next_back())
                && !host.split('.').any(str::is_empty)
        }
        Some(Host::Ipv4(ip)) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
        Some(Host::Ipv6(ip)) => !ip.is_unspecified() && !ip.is_multicast(),
        None => false,
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

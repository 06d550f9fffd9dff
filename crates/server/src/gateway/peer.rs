//! Where a request comes from.
//!
//! A proxy of the operator's says who is behind it, in `X-Forwarded-For` or in `Forwarded` (RFC 7239). Each proxy adds whom
//! it sees at the end, so the end is read first, and only for as long as a proxy wrote it: what others claim counts for
//! nothing.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, HeaderName, header::FORWARDED, request::Parts},
};

use crate::{App, config::Network};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Visitor(SocketAddr);

impl Visitor {
    /// Whoever connected from an address.
    pub const fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

/// The address that a request comes from; none if the listener, or a proxy, does not say.
pub struct Peer(pub Option<IpAddr>);

impl FromRequestParts<App> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let connected = parts.extensions.get::<ConnectInfo<Visitor>>();
        let Some(ConnectInfo(Visitor(address))) = connected else {
            return Ok(Self(None));
        };
        let connected = address.ip().to_canonical();
        let headers = &parts.headers;
        let proxies = &app.config().proxies;
        if headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED) {
            app.crowd().spoke_for_others(connected, proxies);
        }
        Ok(Self(behind(connected, headers, proxies)))
    }
}

/// Whom a proxy names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Address(IpAddr),
    /// It does not know, or does not say.
    Nobody,
    /// It cannot be read.
    Garbage,
}

/// The address behind a connection: the last one that a proxy of the operator's has seen.
fn behind(connected: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> Option<IpAddr> {
    let is_proxy = |ip: IpAddr| proxies.iter().any(|proxy| proxy.contains(ip));
    if !is_proxy(connected) {
        return Some(connected);
    }
    let x: Vec<Named> = values(headers, &X_FORWARDED_FOR).map(named).collect();
    let forwarded: Vec<Named> = values(headers, &FORWARDED).map(forwarded_for).collect();
    let walk = |names: &[Named]| {
        let mut seen = connected;
        for name in names.iter().rev() {
            if !is_proxy(seen) {
                break;
            }
            match name {
                Named::Address(ip) => seen = *ip,
                Named::Nobody => return None,
                Named::Garbage => break,
            }
        }
        Some(seen)
    };
    match (x.is_empty(), forwarded.is_empty()) {
        (_, true) => walk(&x),
        (true, false) => walk(&forwarded),
        // The proxy writes one of them, and the other may be the visitor's own claim: no matter which is which, somebody
        // who claims to be another is counted with the proxy.
        (false, false) => {
            let (one, other) = (walk(&x), walk(&forwarded));
            if one == other { one } else { Some(connected) }
        }
    }
}

/// What stands in a header, however often it is there, between the commas.
fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        // One that is no text hides nothing that stands before it.
        .map(|value| value.to_str().unwrap_or("?"))
        .flat_map(|value| value.split(','))
        // Lists may have empty places (RFC 9110).
        .filter(|value| !value.trim().is_empty())
}

/// The `for` of one hop of `Forwarded`. A hop without one names nobody.
fn forwarded_for(hop: &str) -> Named {
    let mut pairs = hop.split(';').filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))
        .map_or(Named::Nobody, |(_, value)| named(value))
}

/// `192.0.2.7`, `192.0.2.7:4780`, `[2001:db8::7]:4780`, `2001:db8::7`, in quotes or not; `unknown`; `_hidden`.
fn named(text: &str) -> Named {
    let text = text.trim().trim_matches('"').trim();
    let host = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        // One colon stands before a port, several are IPv6.
        None => match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => host,
            Some(_) | None => text,
        },
    };
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Named::Address(ip.to_canonical());
    }
    let is_hidden = host.starts_with('_') || host.eq_ignore_ascii_case("unknown");
    if is_hidden || host.eq_ignore_ascii_case("unix") || host.is_empty() {
        Named::Nobody
    } else {
        Named::Garbage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn headers(pairs: &[(&HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    /// Who is behind 10.0.0.1 by what it says, where all of 10.0.0.0/8 are proxies.
    fn behind_proxies(pairs: &[(&HeaderName, &str)]) -> Option<IpAddr> {
        behind(ip("10.0.0.1"), &headers(pairs), &networks(&["10.0.0.0/8"]))
    }

    #[test]
    fn only_a_proxy_of_the_operators_is_believed() {
        let proxy = ip("10.0.0.1");
        let inner = ip("10.0.0.2");
        let person = ip("192.0.2.7");
        let claim = headers(&[(&X_FORWARDED_FOR, "6.6.6.6, 192.0.2.7, 10.0.0.2")]);
        let behind = |connected, proxies: &[&str]| behind(connected, &claim, &networks(proxies));
        assert_eq!(behind(person, &["10.0.0.1"]), Some(person), "a claim");
        assert_eq!(behind(proxy, &[]), Some(proxy), "nobody is believed");
        assert_eq!(
            behind(proxy, &["10.0.0.1"]),
            Some(inner),
            "the last that the proxy saw"
        );
        for proxies in [&["10.0.0.1", "10.0.0.2"][..], &["10.0.0.0/8"]] {
            assert_eq!(
                behind(proxy, proxies),
                Some(person),
                "and what stands before it is the person's own claim"
            );
        }
        assert_eq!(behind_proxies(&[]), Some(proxy));
    }

    #[test]
    fn addresses_are_read_in_every_form_that_proxies_write() {
        for (text, read) in [
            ("7.7.7.7", "7.7.7.7"),
            ("7.7.7.7:1000", "7.7.7.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:1000", "2001:db8::7"),
            ("::ffff:7.7.7.7", "7.7.7.7"),
            ("6.6.6.6,7.7.7.7:1000", "7.7.7.7"),
            ("garbage, 7.7.7.7", "7.7.7.7"),
            ("unknown, 7.7.7.7", "7.7.7.7"),
            // Nothing between two commas is nothing.
            ("7.7.7.7,", "7.7.7.7"),
            ("7.7.7.7, , ", "7.7.7.7"),
        ] {
            let seen = behind_proxies(&[(&X_FORWARDED_FOR, text)]);
            assert_eq!(seen, Some(ip(read)), "{text}");
        }
        for (text, read) in [
            ("for=7.7.7.7", "7.7.7.7"),
            ("For=\"7.7.7.7:1000\";proto=https;by=10.0.0.1", "7.7.7.7"),
            ("proto=https; for=\"[2001:db8::7]:1000\"", "2001:db8::7"),
            ("for=6.6.6.6, for=7.7.7.7", "7.7.7.7"),
            ("for=_x, for=7.7.7.7, for=10.0.0.9", "7.7.7.7"),
        ] {
            let seen = behind_proxies(&[(&FORWARDED, text)]);
            assert_eq!(seen, Some(ip(read)), "{text}");
        }
    }

    #[test]
    fn whom_a_proxy_does_not_know_is_not_taken_for_the_proxy() {
        for text in ["unknown", "_hidden", "_a:_b", "unix:", "7.7.7.7, unknown"] {
            assert_eq!(behind_proxies(&[(&X_FORWARDED_FOR, text)]), None, "{text}");
        }
        for text in ["for=unknown", "for=\"_gazonk\"", "proto=https"] {
            assert_eq!(behind_proxies(&[(&FORWARDED, text)]), None, "{text}");
        }
        let seen = behind_proxies(&[(&X_FORWARDED_FOR, "7.7.7.7, rubbish?")]);
        assert_eq!(
            seen,
            Some(ip("10.0.0.1")),
            "what stands before it may be anybody's"
        );
    }

    #[test]
    fn an_empty_header_is_none() {
        let seen = behind_proxies(&[(&FORWARDED, ""), (&X_FORWARDED_FOR, "7.7.7.7")]);
        assert_eq!(seen, Some(ip("7.7.7.7")), "not everybody is the proxy");
        let seen = behind_proxies(&[(&X_FORWARDED_FOR, " "), (&FORWARDED, "for=7.7.7.7")]);
        assert_eq!(seen, Some(ip("7.7.7.7")));
        let seen = behind_proxies(&[(&X_FORWARDED_FOR, "")]);
        assert_eq!(seen, Some(ip("10.0.0.1")), "it names nobody at all");
    }

    #[test]
    fn a_header_of_any_length_is_read_from_its_end() {
        let claims = "6.6.6.6, ".repeat(2_000) + "7.7.7.7";
        let seen = behind_proxies(&[(&X_FORWARDED_FOR, &claims)]);
        assert_eq!(seen, Some(ip("7.7.7.7")));
        let hops = "10.0.0.9, ".repeat(2_000) + "10.0.0.8";
        let seen = behind_proxies(&[(&X_FORWARDED_FOR, "7.7.7.7"), (&X_FORWARDED_FOR, &hops)]);
        assert_eq!(seen, Some(ip("7.7.7.7")), "in two headers, too");
    }

    #[test]
    fn a_claim_in_the_header_that_the_proxy_does_not_write_counts_for_nothing() {
        let proxy = Some(ip("10.0.0.1"));
        for (claimed, written) in [
            (&FORWARDED, &X_FORWARDED_FOR),
            (&X_FORWARDED_FOR, &FORWARDED),
        ] {
            let say = |header: &HeaderName, ip: &str| {
                if header == FORWARDED {
                    format!("for={ip}")
                } else {
                    ip.to_owned()
                }
            };
            let claim = say(claimed, "6.6.6.6");
            let truth = say(written, "7.7.7.7");
            let seen = behind_proxies(&[(claimed, &claim), (written, &truth)]);
            assert_eq!(seen, proxy, "nobody is taken for 6.6.6.6");
            let same = say(claimed, "7.7.7.7");
            let seen = behind_proxies(&[(claimed, &same), (written, &truth)]);
            assert_eq!(seen, Some(ip("7.7.7.7")), "a proxy may write both");
        }
        let twice = [(&X_FORWARDED_FOR, "6.6.6.6"), (&X_FORWARDED_FOR, "7.7.7.7")];
        assert_eq!(behind_proxies(&twice), Some(ip("7.7.7.7")), "the last line");
    }
}

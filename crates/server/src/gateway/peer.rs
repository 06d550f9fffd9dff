//! Where a request comes from.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};

use crate::App;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Visitor(SocketAddr);

impl Visitor {
    /// Whoever connected from an address.
    pub const fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

/// The address that a request comes from; none if the listener does not say.
pub struct Peer(pub Option<IpAddr>);

impl FromRequestParts<App> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let connected = parts.extensions.get::<ConnectInfo<Visitor>>();
        let connected = connected.map(|ConnectInfo(Visitor(address))| address.ip().to_canonical());
        Ok(Self(connected.map(|address| {
            behind(address, &parts.headers, &app.config().proxies)
        })))
    }
}

/// The address behind a connection: the last one that a proxy of the operator's has seen. What others claim counts for
/// nothing.
fn behind(connected: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let mut seen = connected;
    let named: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for name in named.into_iter().rev() {
        if !proxies.contains(&seen) {
            break;
        }
        match name.trim().parse::<IpAddr>() {
            Ok(address) => seen = address.to_canonical(),
            Err(_) => break,
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_of_the_operators_is_believed() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let inner: IpAddr = "10.0.0.2".parse().unwrap();
        let person: IpAddr = "192.0.2.7".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-forwarded-for",
            "6.6.6.6, 192.0.2.7, 10.0.0.2".parse().unwrap(),
        );
        assert_eq!(behind(person, &headers, &[proxy]), person, "a claim");
        assert_eq!(behind(proxy, &headers, &[]), proxy, "nobody is believed");
        assert_eq!(
            behind(proxy, &headers, &[proxy]),
            inner,
            "the last that the proxy saw"
        );
        assert_eq!(
            behind(proxy, &headers, &[proxy, inner]),
            person,
            "and what stands before it is the person's own claim"
        );
        assert_eq!(behind(proxy, &HeaderMap::new(), &[proxy]), proxy);
    }
}

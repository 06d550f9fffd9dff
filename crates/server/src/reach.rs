//! The addresses that reach a server: those the operator names, and those of this computer's networks.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::Config;

/// Most addresses that are named: an invite link has to stay short.
const MOST: usize = 8;

/// Begins of the names of interfaces that lead to machines inside this computer and to nobody else.
const INSIDE: [&str; 12] = [
    "docker",
    "br-",
    "veth",
    "virbr",
    "vnet",
    "vmnet",
    "vboxnet",
    "lxc",
    "lxd",
    "cni",
    "podman",
    "vEthernet",
];

/// From where an address is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// From the internet, if no firewall and no router is in the way.
    Internet,
    /// From the same network: at home, in an office, in a VPN.
    LocalNetwork,
    /// From this computer only.
    ThisComputer,
}

impl Reach {
    /// From where an IP address is reached.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            ip if ip.is_loopback() => Self::ThisComputer,
            IpAddr::V4(ip) => {
                let [a, b, ..] = ip.octets();
                // 100.64.0.0/10 is what providers and VPNs share out among their customers.
                let is_shared = a == 100 && (64..128).contains(&b);
                if ip.is_private() || ip.is_link_local() || is_shared {
                    Self::LocalNetwork
                } else {
                    Self::Internet
                }
            }
            IpAddr::V6(ip) if ip.is_unique_local() || ip.is_unicast_link_local() => {
                Self::LocalNetwork
            }
            IpAddr::V6(_) => Self::Internet,
        }
    }

    /// From where an address of a link is reached. One that is a name leads somewhere by the will of whoever named it.
    #[must_use]
    pub fn of_address(address: &str) -> Self {
        let host = address
            .trim_start_matches("wss://")
            .trim_start_matches("ws://");
        if let Ok(socket) = host.parse::<SocketAddr>() {
            return Self::of(socket.ip());
        }
        match host.trim_matches(['[', ']']).parse() {
            Ok(ip) => Self::of(ip),
            Err(_) if host.split(':').next() == Some("localhost") => Self::ThisComputer,
            Err(_) => Self::Internet,
        }
    }
}

/// The addresses that reach a server listening at `at`, the best first. Reads the computer's interfaces.
#[must_use]
pub fn addresses(config: &Config, at: SocketAddr) -> Vec<String> {
    let found = if at.ip().is_unspecified() && config.certificate.is_none() {
        interfaces().unwrap_or_else(|error| {
            tracing::error!(%error, "the computer's addresses cannot be read");
            Vec::new()
        })
    } else {
        Vec::new()
    };
    named(config, at, &found)
}

/// Whether an interface leads to machines inside this computer only.
pub(crate) fn is_inside(name: &str) -> bool {
    INSIDE.iter().any(|inside| name.starts_with(inside))
}

/// Interfaces that are up: name and address.
fn interfaces() -> std::io::Result<Vec<(String, IpAddr)>> {
    Ok(if_addrs::get_if_addrs()?
        .into_iter()
        .filter(if_addrs::Interface::is_oper_up)
        .map(|interface| (interface.name.clone(), interface.ip()))
        .collect())
}

fn named(config: &Config, at: SocketAddr, interfaces: &[(String, IpAddr)]) -> Vec<String> {
    let mut addresses = config.addresses.clone();
    let port = at.port();
    let ip = at.ip().to_canonical();
    if ip.is_loopback() {
        if addresses.is_empty() {
            addresses.push(format!("ws://{at}"));
        }
    } else if !ip.is_unspecified() {
        // An authority's certificate is for names, which only the operator knows.
        if config.certificate.is_none() {
            addresses.push(format!("wss://{}", SocketAddr::new(ip, port)));
        }
    } else {
        let mut found: Vec<IpAddr> = interfaces
            .iter()
            .filter(|(name, _)| !is_inside(name))
            .map(|(_, ip)| *ip)
            .filter(|ip| at.is_ipv6() || ip.is_ipv4())
            .filter(|ip| is_of_use(*ip))
            .collect();
        // The local network is the shortest way; IPv4 addresses are fewer and stay longer.
        found.sort_by_key(|ip| (Reach::of(*ip) == Reach::Internet, ip.is_ipv6(), *ip));
        found.dedup();
        addresses.extend(
            found
                .into_iter()
                .map(|ip| format!("wss://{}", SocketAddr::new(ip, port))),
        );
        if addresses.is_empty() {
            // Nobody else reaches it, but whoever is on this computer does.
            addresses.push(format!("ws://127.0.0.1:{port}"));
        }
    }
    addresses.truncate(MOST);
    addresses
}

/// Whether somebody elsewhere can use an address as it is.
fn is_of_use(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            !(ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || ip.is_multicast())
        }
        // Link-local addresses need the name of the visitor's own interface.
        IpAddr::V6(ip) => {
            !(ip.is_loopback()
                || ip.is_unicast_link_local()
                || ip.is_unspecified()
                || ip.is_multicast()
                || is_transitional(ip))
        }
    }
}

/// Teredo and 6to4, which hardly reach anybody.
fn is_transitional(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    (a == 0x2001 && b == 0) || a == 0x2002
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(config: &Config, at: &str, interfaces: &[(&str, &str)]) -> Vec<String> {
        let interfaces: Vec<(String, IpAddr)> = interfaces
            .iter()
            .map(|(name, ip)| ((*name).to_owned(), ip.parse().unwrap()))
            .collect();
        named(config, at.parse().unwrap(), &interfaces)
    }

    const HOME: [(&str, &str); 9] = [
        ("lo", "127.0.0.1"),
        ("lo", "::1"),
        ("docker0", "172.17.0.1"),
        ("wlan0", "2001:db8::7"),
        ("wlan0", "fe80::1"),
        ("wlan0", "192.168.1.20"),
        ("eth0", "169.254.3.4"),
        ("eth0", "fd00::7"),
        ("teredo", "2001::1"),
    ];

    #[test]
    fn what_others_can_use_is_named_the_nearest_first() {
        let config = Config::default();
        assert_eq!(
            of(&config, "[::]:4780", &HOME),
            [
                "wss://192.168.1.20:4780",
                "wss://[fd00::7]:4780",
                "wss://[2001:db8::7]:4780",
            ],
            "no loopback, no link-local, nothing inside this computer"
        );
        assert_eq!(
            of(&config, "0.0.0.0:4780", &HOME),
            ["wss://192.168.1.20:4780"],
            "who does not listen at IPv6 names no address of it"
        );
    }

    #[test]
    fn a_server_that_nobody_else_reaches_says_so() {
        let config = Config::default();
        assert_eq!(
            of(&config, "127.0.0.1:4780", &HOME),
            ["ws://127.0.0.1:4780"]
        );
        assert_eq!(
            of(&config, "[::]:4780", &HOME[..3]),
            ["ws://127.0.0.1:4780"],
            "without a network there is this computer only"
        );
    }

    #[test]
    fn the_operators_addresses_come_first_and_stand_alone_with_an_authoritys_certificate() {
        let mut config = Config {
            addresses: vec!["wss://chat.example.org".into()],
            ..Config::default()
        };
        assert_eq!(
            of(&config, "[::]:4780", &HOME[..6]),
            [
                "wss://chat.example.org",
                "wss://192.168.1.20:4780",
                "wss://[2001:db8::7]:4780"
            ]
        );
        config.certificate = Some("chain.pem".into());
        assert_eq!(
            addresses(&config, "[::]:4780".parse().unwrap())[..1],
            ["wss://chat.example.org"],
            "the certificate is for the name, not for numbers"
        );
        assert_eq!(
            of(&config, "203.0.113.7:443", &[]),
            ["wss://chat.example.org"]
        );
    }

    #[test]
    fn an_address_says_from_where_it_is_reached() {
        for (address, reach) in [
            ("ws://127.0.0.1:4780", Reach::ThisComputer),
            ("ws://localhost:4780", Reach::ThisComputer),
            ("ws://[::1]:4780", Reach::ThisComputer),
            ("wss://192.168.1.20:4780", Reach::LocalNetwork),
            ("wss://100.70.1.2:4780", Reach::LocalNetwork),
            ("wss://[fd00::7]:4780", Reach::LocalNetwork),
            ("wss://[2001:db8::7]:4780", Reach::Internet),
            ("wss://203.0.113.7:4780", Reach::Internet),
            ("wss://203.0.113.7", Reach::Internet),
            ("wss://chat.example.org:4780", Reach::Internet),
        ] {
            assert_eq!(Reach::of_address(address), reach, "{address}");
        }
    }
}

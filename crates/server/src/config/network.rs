//! One address, or a range of them, as an operator writes it: `127.0.0.1`, `172.18.0.0/16`, `fd00::/8`.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Addresses that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Whether an address is one of them.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.0.contains(&ip.to_canonical())
    }
}

impl From<IpAddr> for Network {
    fn from(ip: IpAddr) -> Self {
        Self(ip.to_canonical().into())
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(ip.into());
        }
        let range = text.parse::<IpNet>();
        range.map(|range| Self(range.trunc())).map_err(|_| {
            format!("\"{text}\" is neither an address nor a range: it looks like 127.0.0.1 or 172.18.0.0/16")
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_and_a_range_are_read_and_written_alike() {
        for (text, inside, outside) in [
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("172.18.0.0/16", "172.18.255.9", "172.19.0.1"),
            ("fd00::/8", "fd12::7", "fe80::7"),
            ("::1", "::1", "::2"),
            ("0.0.0.0/0", "203.0.113.7", "::7"),
        ] {
            let network: Network = text.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{text}");
            assert!(!network.contains(outside.parse().unwrap()), "{text}");
            assert_eq!(network.to_string(), text);
        }
        let network: Network = "10.0.0.0/8".parse().unwrap();
        let mapped = "::ffff:10.1.2.3".parse().unwrap();
        assert!(network.contains(mapped), "IPv4 that came to an IPv6 socket");
        for wrong in ["x", "10.0.0.0/33", "10.0.0", ""] {
            let why = wrong.parse::<Network>().unwrap_err();
            assert!(
                why.contains(wrong) && why.contains("172.18.0.0/16"),
                "{why}"
            );
        }
    }
}

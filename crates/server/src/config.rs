//! What an operator may set: defaults, then one TOML file, then `TULOU_…` of the environment, then flags.

mod network;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};
use tulou_protocol::{
    http::Registration,
    invite,
    limits::{self, Limits},
    text,
};

pub use self::network::Network;

/// The port of a server that was not told another.
pub const PORT: u16 = 4780;

/// The least that a frame may be limited to: a message of full length, every byte of it escaped, and what is around it.
const LEAST_FRAME_BYTES: usize = 2 * limits::TEXT_BYTES + 1_024;

/// What an operator may set. It holds no secret; one that is added is printed as `…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder of the store.
    pub data: PathBuf,
    /// The server's name.
    pub name: String,
    /// Where it listens. Port 0: any that is free. `[::]` is every address of this computer, IPv4 too. Other computers
    /// are spoken to over TLS only; this one (a proxy that encrypts, say) may talk plain.
    pub listen: SocketAddr,
    /// Who may register.
    pub registration: Registration,
    /// Addresses that invite links carry, `wss://…`. Those of this computer's networks are added, unless an
    /// authority's certificate is set: that is good for the names given here only.
    pub addresses: Vec<String>,
    /// A certificate of an authority, PEM with the whole chain, read again when it changes. None: the server's own,
    /// which clients know from their invite link.
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
    /// Whether it is announced in the local network (multicast DNS), so that clients find it there at a new address.
    /// Only a server with a key of its own that other computers reach is.
    pub announce: bool,
    /// Addresses of proxies in front of the server, or ranges of them, that say in `X-Forwarded-For` or `Forwarded` who is
    /// behind them. Without them whoever comes through a proxy shares the proxy's patience with wrong passwords.
    pub proxies: Vec<Network>,
    /// Accounts that may be asked for from one address in an hour, at once or spread.
    pub sign_ups_per_address: u32,
    /// Accounts that may be made in an hour, from wherever.
    pub sign_ups_per_hour: u32,
    /// Limits that clients are told.
    pub limits: Limits,
    /// Bytes that may wait for a session that reads slowly, before rows are replaced by a note that they changed.
    pub queue_bytes: usize,
    /// Milliseconds between heartbeats. Clients expect one every 30 s.
    pub heartbeat_ms: u64,
    /// Milliseconds over which sessions are told that what they see of a community changed.
    pub stale_ms: u64,
    /// Milliseconds after which a session is cut off that takes nothing.
    pub stuck_ms: u64,
    /// Milliseconds within which a session is opened on a new link.
    pub open_ms: u64,
    /// Milliseconds between digests of a community.
    pub digest_ms: u64,
    /// A folder for backups that are made by themselves, once a day. None: no backup is made unless asked for.
    pub backups: Option<PathBuf>,
    /// How many of these are kept.
    pub backups_kept: usize,
    /// With fewer bytes free on the disk of the store the administrator is warned.
    pub warn_below_bytes: u64,
    /// With fewer the server only reads, until there is room again.
    pub read_only_below_bytes: u64,
    /// Files and connections that the program may have open, if the system lets it; what it starts inherits that. No
    /// setting: a program of its own takes all that there are.
    #[serde(skip, default = "all")]
    pub most_open: u64,
}

const fn all() -> u64 {
    u64::MAX
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("tulou-data"),
            name: "Tulou".to_owned(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)),
            registration: Registration::Invite,
            addresses: Vec::new(),
            certificate: None,
            key: None,
            announce: true,
            proxies: Vec::new(),
            sign_ups_per_address: 30,
            sign_ups_per_hour: 300,
            limits: Limits::default(),
            queue_bytes: 1 << 20,
            heartbeat_ms: limits::HEARTBEAT_S * 1_000,
            stale_ms: 5_000,
            stuck_ms: 60_000,
            open_ms: limits::OPEN_S * 1_000,
            digest_ms: 2_000,
            backups: None,
            backups_kept: 7,
            warn_below_bytes: 1 << 30,
            read_only_below_bytes: 200 << 20,
            most_open: all(),
        }
    }
}

impl Config {
    /// Settings that say where the server lives, which a backup does not take along.
    pub(crate) const PLACES: &[&str] = &["data", "listen", "certificate", "key", "backups"];

    /// Reads the file, if one is named, and the environment, over the defaults. `flags` win.
    ///
    /// # Errors
    /// If the file cannot be read, or a setting is unknown or does not fit: nobody could use the server then.
    pub fn read(file: Option<&Path>, flags: impl Serialize) -> Result<Self, Box<figment::Error>> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        let config: Self = figment
            .merge(
                Env::prefixed("TULOU_")
                    .filter(|key| is_setting(key.as_str()))
                    .split("__"),
            )
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(Box::new)?;
        match config.flaw() {
            Some(flaw) => Err(Box::new(flaw.into())),
            None => Ok(config),
        }
    }

    /// Why nobody could use the server.
    fn flaw(&self) -> Option<String> {
        if text::check_name(&self.name).is_err() {
            let most = limits::NAME_CHARACTERS;
            return Some(format!(
                "name: between 1 and {most} characters in one line are needed, none of them invisible"
            ));
        }
        // One that cannot be read would make every invite link unreadable.
        for address in &self.addresses {
            if let Err(why) = invite::address(address) {
                return Some(format!(
                    "addresses: \"{address}\" is none that others could use ({why}); it looks like wss://chat.example.org"
                ));
            }
        }
        if self.limits.frame_bytes < LEAST_FRAME_BYTES {
            return Some(format!(
                "limits.frame_bytes: a message of full length needs {LEAST_FRAME_BYTES}"
            ));
        }
        None
    }

    /// The configuration as it is printed at the start.
    #[must_use]
    pub fn describe(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Whether a variable of the environment is a setting: other programs of the house have variables of their own.
fn is_setting(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let settings = serde_json::to_value(Config::default()).unwrap_or_default();
    match key.split_once("__") {
        Some((outer, inner)) => settings[outer].get(inner).is_some(),
        None => settings.get(&key).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tulou.toml");
        std::fs::write(&file, "name = 'from the file'\nregistration = 'open'\n").unwrap();
        let config =
            Config::read(Some(&file), serde_json::json!({"name": "from the flag"})).unwrap();
        assert_eq!(config.name, "from the flag", "the flag is nearest");
        assert_eq!(
            config.registration,
            Registration::Open,
            "the file says so, and no flag"
        );
        assert_eq!(
            config.limits,
            Limits::default(),
            "nobody spoke of the limits"
        );
    }

    #[test]
    fn only_settings_are_read_from_the_environment() {
        assert!(is_setting("NAME") && is_setting("LIMITS__FRAME_BYTES"));
        assert!(!is_setting("SERVER") && !is_setting("LIMITS__NOTHING"));
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tulou.toml");
        std::fs::write(&file, "nmae = 'x'\n").unwrap();
        assert!(
            Config::read(Some(&file), serde_json::json!({})).is_err(),
            "a typing error does not go unnoticed"
        );
    }
}

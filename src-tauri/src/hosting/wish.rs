//! What the person wished of the server on this computer: a small file in the server's folder, replaced in one step.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tulou_protocol::{
    ServerId,
    invite::{self, NotALink},
};

/// What has to be known to start the server again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The server's name.
    pub name: String,
    /// The port that its links carry.
    pub port: u16,
    /// The port that was taken when that one was in use. Whoever met the server there looks there, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_port: Option<u16>,
    /// Whether other computers may reach it.
    #[serde(default)]
    pub is_open: bool,
    /// An address of the person's own that leads here, `wss://…`: a name, or what a router forwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_address: Option<String>,
    /// Whether it is announced in the local network while other computers may reach it.
    #[serde(default = "is_announced")]
    pub is_announced: bool,
    /// The server's id, once it has started: its accounts are known by it even while it does not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerId>,
}

/// Unless the person does not want it.
const fn is_announced() -> bool {
    true
}

impl Wish {
    fn path(folder: &Path) -> PathBuf {
        folder.join("hosting.json")
    }

    /// What was wished; none if this computer does not host.
    pub fn read(folder: &Path) -> io::Result<Option<Self>> {
        match fs::read(Self::path(folder)) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes beside the place and moves into it: a crash leaves the whole old file or the whole new one.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let path = Self::path(folder);
        let beside = path.with_extension("json.new");
        fs::create_dir_all(folder)?;
        let file = fs::File::create(&beside)?;
        serde_json::to_writer_pretty(&file, self)?;
        file.sync_all()?;
        fs::rename(beside, path)
    }

    /// The ports to try, the wished one first; in the end any that is free.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        [Some(self.port), self.other_port, Some(0)]
            .into_iter()
            .flatten()
    }

    /// The address that a person typed, as links carry it; without a port the server's own is meant.
    ///
    /// # Errors
    /// Why nobody else could use it.
    pub fn read_address(&self, text: &str) -> Result<String, NotALink> {
        let text = text.trim();
        let bare = text.rsplit("://").next().unwrap_or(text);
        let bare = bare.trim_end_matches('/');
        // A bare IPv6 address is all colons.
        let is_bare_ip = bare.parse::<std::net::Ipv6Addr>().is_ok();
        let has_port = !is_bare_ip
            && bare
                .rsplit_once(':')
                .is_some_and(|(host, _)| !host.contains(':') || host.ends_with(']'));
        let address = invite::address(text)?;
        if !address.starts_with("wss://") {
            return Err(NotALink::Host(text.to_owned()));
        }
        Ok(if has_port {
            address
        } else {
            format!("{address}:{}", self.port)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish() -> Wish {
        Wish {
            name: "土楼".into(),
            port: 4780,
            other_port: None,
            is_open: false,
            own_address: None,
            is_announced: true,
            server: None,
        }
    }

    #[test]
    fn what_was_begun_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("server");
        assert_eq!(Wish::read(&inside).unwrap(), None, "nothing was begun");
        wish().write(&inside).unwrap();
        assert_eq!(Wish::read(&inside).unwrap(), Some(wish()));
        fs::write(Wish::path(&inside), r#"{"name": "A house", "port": 4780}"#).unwrap();
        let old = Wish::read(&inside).unwrap().unwrap();
        assert!(!old.is_open, "nobody is let in who was not before");
    }

    #[test]
    fn an_address_of_ones_own_leads_to_the_servers_port_unless_it_names_another() {
        for (typed, address) in [
            ("chat.example.org", Some("wss://chat.example.org:4780")),
            (" chat.example.org:443 ", Some("wss://chat.example.org")),
            (
                "wss://chat.example.org",
                Some("wss://chat.example.org:4780"),
            ),
            ("203.0.113.7", Some("wss://203.0.113.7:4780")),
            ("2001:db8::7", Some("wss://[2001:db8::7]:4780")),
            ("[2001:db8::7]:99", Some("wss://[2001:db8::7]:99")),
            ("localhost", None),
            ("ws://192.168.1.7:4780", None),
            ("two words", None),
        ] {
            assert_eq!(
                wish().read_address(typed).ok().as_deref(),
                address,
                "{typed}"
            );
        }
    }
}

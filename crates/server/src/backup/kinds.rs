//! The kinds of files that make a server: where each lies, who may read it, how large it may be.
//!
//! Whatever a server keeps beside its store is of a kind in [`KINDS`]: it is packed, checked, unpacked and exchanged by what
//! is said here. Another kind is another [`FORMAT`](super::FORMAT), so that an older program calls a backup newer and not
//! damaged.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use super::{EXTENSION, Packed, SETTINGS};
use crate::store::{LOCK_FILE, engine};

/// The name of restored settings, so that they are not taken for those in force.
const SETTINGS_BESIDE: &str = "settings-of-backup.toml";
/// Files right beside the store are small; what is larger is not the server's.
const SMALL_BYTES: u64 = 1 << 20;

/// A kind of files.
#[derive(Debug, Clone, Copy)]
pub struct FileKind {
    /// The folder within the server's that is all its own, by a plain name; empty for the server's folder itself.
    pub folder: &'static str,
    /// Whether nobody else on the computer may read a restored one.
    pub is_secret: bool,
    /// A larger file is none of this kind: it is not packed, and not taken from a backup.
    pub most_bytes: u64,
    /// Where its files come from.
    pub origin: Origin,
}

/// Where files come from.
#[derive(Debug, Clone, Copy)]
pub enum Origin {
    /// A copy of the store, as of one moment.
    Store,
    /// Written for the backup: the operator's settings.
    Settings,
    /// They lie in the kind's folder, or for a folder of its own also in those within it, with names of which this is true.
    Lying(fn(&str) -> bool),
}

/// All kinds, in the order in which they are packed.
pub const KINDS: &[FileKind] = &[
    FileKind {
        folder: "",
        is_secret: true,
        most_bytes: u64::MAX,
        origin: Origin::Store,
    },
    // The key and the certificate, how it is hosted.
    FileKind {
        folder: "",
        is_secret: true,
        most_bytes: SMALL_BYTES,
        origin: Origin::Lying(is_beside_the_store),
    },
    FileKind {
        folder: "",
        is_secret: true,
        most_bytes: SMALL_BYTES,
        origin: Origin::Settings,
    },
];

fn is_beside_the_store(name: &str) -> bool {
    !engine::is_of_store(name)
        && name != LOCK_FILE
        && !name.ends_with(".new")
        && !name.ends_with(EXTENSION)
        && name != SETTINGS
        && name != SETTINGS_BESIDE
}

/// A file to pack.
#[derive(Debug)]
pub struct Found<'a> {
    /// What it is.
    pub kind: &'a FileKind,
    /// Its name in the backup: the path in the server's folder, with `/`.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// The kind of a file in a backup; none if no kind has such a name, or none such a large file.
pub fn kind_of<'a>(kinds: &'a [FileKind], packed: &Packed) -> Option<&'a FileKind> {
    kinds
        .iter()
        .find(|kind| kind.takes(&packed.name, packed.bytes))
}

/// Whether something in a server's folder is the server's, and so gives way to another server.
pub fn is_of_server(kinds: &[FileKind], name: &str, is_file: bool) -> bool {
    kinds.iter().any(|kind| match kind.origin {
        Origin::Store => is_file && engine::is_of_store(name),
        Origin::Settings => is_file && name == SETTINGS_BESIDE,
        Origin::Lying(_) if !kind.folder.is_empty() => name == kind.folder,
        Origin::Lying(_) => is_file && kind.names(name),
    })
}

impl FileKind {
    /// The files of this kind that lie in a server's folder, in the order of their names.
    pub fn lying_in(&self, server: &Path) -> io::Result<Vec<Found<'_>>> {
        let mut found = Vec::new();
        match self.origin {
            Origin::Store | Origin::Settings => {}
            Origin::Lying(_) if self.folder.is_empty() => self.look(server, "", &mut found)?,
            Origin::Lying(_) => {
                let folder = server.join(self.folder);
                // It is made with its first file.
                if folder.is_dir() {
                    self.look(&folder, self.folder, &mut found)?;
                }
            }
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        // To Windows and macOS a capital letter makes no other name: such a backup could not be unpacked there.
        let mut taken = HashSet::new();
        found.retain(|one| taken.insert(one.name.to_lowercase()));
        Ok(found)
    }

    fn look<'a>(
        &'a self,
        folder: &Path,
        prefix: &str,
        found: &mut Vec<Found<'a>>,
    ) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (path, about) = (entry.path(), entry.metadata()?);
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let name = match prefix {
                "" => name,
                prefix => format!("{prefix}/{name}"),
            };
            if about.is_dir() && !prefix.is_empty() {
                self.look(&path, &name, found)?;
            } else if about.is_file() && self.takes(&name, about.len()) {
                found.push(Found {
                    kind: self,
                    name,
                    path,
                });
            }
        }
        Ok(())
    }

    /// Where a file of this kind comes to lie in the server's folder.
    pub fn place_of<'a>(&self, name: &'a str) -> &'a str {
        match self.origin {
            Origin::Settings => SETTINGS_BESIDE,
            Origin::Store | Origin::Lying(_) => name,
        }
    }

    fn takes(&self, name: &str, bytes: u64) -> bool {
        bytes <= self.most_bytes && self.names(name)
    }

    /// Whether a name, with its folders, is one of this kind; none leads out of the kind's folder.
    fn names(&self, name: &str) -> bool {
        let within = match self.folder {
            "" => (!name.contains('/')).then_some(name),
            folder => name
                .strip_prefix(folder)
                .and_then(|rest| rest.strip_prefix('/')),
        };
        within.is_some_and(|name| {
            name.split('/').all(is_plain)
                && match self.origin {
                    Origin::Store => name == engine::FILE,
                    Origin::Settings => name == SETTINGS,
                    Origin::Lying(has) => has(name),
                }
        })
    }
}

/// The name of something in a folder on any system: none that leads elsewhere, is a device, or cannot be made.
fn is_plain(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    const PORTS: [&str; 2] = ["com", "lpt"];
    let is_forbidden = |c: char| c.is_control() || "/\\:<>\"|?*".contains(c);
    // Windows takes no notice of what follows the first dot.
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.trim_end().to_lowercase();
    let is_port = PORTS.iter().any(|port| {
        let number = stem.strip_prefix(port).unwrap_or_default();
        number.chars().count() == 1 && number.chars().all(|c| c.is_numeric() && c != '0')
    });
    let is_other = name.is_empty()
        || name.starts_with('.')
        || name.ends_with(['.', ' '])
        || name.contains(is_forbidden)
        || DEVICES.contains(&stem.as_str())
        || is_port;
    !is_other
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn a_name_is_plain_if_every_system_has_such_a_file() {
        for plain in [
            "server.key",
            "one.webp",
            "公告.txt",
            "Notes",
            "com.txt",
            "company",
            "com0",
        ] {
            assert!(is_plain(plain), "{plain}");
        }
        for other in [
            "", ".hidden", "a/b", "a\\b", "c:x", "a?.txt", "x|y", "a*", "<a>", "\"a\"", "a\nb",
            "end.", "end ", "con", "Nul.txt", "AUX", "com1", "LPT9.log", "com²", "CONOUT$",
            "nul .txt",
        ] {
            assert!(!is_plain(other), "{other:?}");
        }
    }
}

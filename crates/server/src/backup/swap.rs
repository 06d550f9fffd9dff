//! Exchanging what is in a server's folder for what was unpacked beside it.
//!
//! What is unpacked lies in `.restoring` until all of it is there and on the disk. Renaming that folder to `.restored`
//! decides: from then on whoever opens the folder first finishes the exchange, whatever was cut off. Before that
//! nothing has happened.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{
    kinds::{FileKind, KINDS, is_of_server},
    sync_folder,
};
use crate::store::engine;

/// How the names of things begin that are not meant to stay.
pub const TEMPORARY: &str = ".tulou-";

const RESTORING: &str = ".restoring";
const RESTORED: &str = ".restored";
/// In the decided folder: the name of the folder for what was there before.
const ASIDE: &str = ".aside";

/// The folder to unpack into, empty.
pub fn begin(folder: &Path) -> io::Result<PathBuf> {
    forget(folder)?;
    let unpacked = folder.join(RESTORING);
    fs::create_dir(&unpacked)?;
    Ok(unpacked)
}

/// Drops what was unpacked and not decided.
pub fn forget(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder.join(RESTORING)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What was unpacked takes the place of what is there, even if this program ends here.
pub fn decide(folder: &Path, aside: &str) -> io::Result<()> {
    let unpacked = folder.join(RESTORING);
    // Through the handle that wrote: Windows syncs no other.
    let mut name = fs::File::create(unpacked.join(ASIDE))?;
    name.write_all(aside.as_bytes())?;
    name.sync_all()?;
    drop(name);
    sync_folders(&unpacked)?;
    fs::rename(&unpacked, folder.join(RESTORED))?;
    sync_folder(folder)
}

/// Has what was written into a folder, and into those within it, survive a loss of power.
fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    sync_folder(folder)
}

/// A name that begins so, and that nothing in the folder has.
pub fn free_name(folder: &Path, name: &str) -> String {
    (1..)
        .map(|number| match number {
            1 => name.to_owned(),
            // Another of the same second.
            _ => format!("{name}-{number}"),
        })
        .find(|name| !folder.join(name).exists())
        .unwrap_or_default()
}

/// Finishes an exchange that was decided; the folder in which the old files lie, if there were any. What was not decided
/// is dropped. Whoever calls it holds the folder.
pub fn finish(folder: &Path) -> io::Result<Option<PathBuf>> {
    finish_of(KINDS, folder)
}

pub(super) fn finish_of(kinds: &[FileKind], folder: &Path) -> io::Result<Option<PathBuf>> {
    let restored = folder.join(RESTORED);
    if !restored.is_dir() {
        forget(folder)?;
        return Ok(None);
    }
    // The name is the last to be removed: without it everything is in its place.
    let aside = match fs::read_to_string(restored.join(ASIDE)) {
        Ok(name) => folder.join(name.trim()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::remove_dir_all(&restored)?;
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    // As long as the new store is not in its place, what lies there is the old server.
    if restored.join(engine::FILE).is_file() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_file = entry.metadata()?.is_file();
            if name
                .to_str()
                .is_some_and(|name| is_of_server(kinds, name, is_file))
            {
                fs::create_dir_all(&aside)?;
                fs::rename(entry.path(), aside.join(name))?;
            }
        }
        if aside.is_dir() {
            sync_folder(&aside)?;
        }
        fs::rename(restored.join(engine::FILE), folder.join(engine::FILE))?;
        sync_folder(folder)?;
    }
    for entry in fs::read_dir(&restored)? {
        let entry = entry?;
        if entry.file_name() != ASIDE {
            fs::rename(entry.path(), folder.join(entry.file_name()))?;
        }
    }
    sync_folder(folder)?;
    fs::remove_dir_all(&restored)?;
    Ok(aside.is_dir().then_some(aside))
}

//! Exchanging what is in a server's folder for what was unpacked beside it.
//!
//! What is unpacked lies in `.restoring` until all of it is there and on the disk. Renaming that folder to `.restored`
//! decides: from then on whoever opens the folder first finishes the exchange, whatever was cut off. Before that
//! nothing has happened.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use super::sync_folder;
use crate::store::{LOCK_FILE, engine};

/// How the names of things begin that are not meant to stay.
pub const TEMPORARY: &str = ".tulou-";

const RESTORING: &str = ".restoring";
const RESTORED: &str = ".restored";
/// In the decided folder: the name of the folder for what was there before.
const ASIDE: &str = ".aside";
/// Files beside the store are small; what is larger is not the server's.
const SMALL_BYTES: u64 = 1 << 20;

/// The small files beside the store that belong to the server: its key and certificate, how it is hosted.
pub fn beside_the_store(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        if about.is_file() && about.len() <= SMALL_BYTES && belongs(&entry.file_name()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn belongs(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        !name.starts_with('.')
            && !engine::is_of_store(name)
            && name != LOCK_FILE
            && !name.ends_with(".new")
            && !name.ends_with(super::EXTENSION)
            && name != super::SETTINGS
    })
}

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
    fs::write(unpacked.join(ASIDE), aside)?;
    fs::File::open(unpacked.join(ASIDE))?.sync_all()?;
    sync_folder(&unpacked)?;
    fs::rename(&unpacked, folder.join(RESTORED))?;
    sync_folder(folder)
}

/// Finishes an exchange that was decided; the folder in which the old files lie, if there were any. What was not decided
/// is dropped. Whoever calls it holds the folder.
pub fn finish(folder: &Path) -> io::Result<Option<PathBuf>> {
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
            let is_old = name.to_str().is_some_and(engine::is_of_store) || belongs(&name);
            if is_old && entry.metadata()?.is_file() {
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

//! Setting a damaged file aside. It is never deleted: somebody may know how to read more of it.
//!
//! The order survives a crash and a loss of power at any point: first what the person wrote is saved beside the store,
//! then the log is renamed, then the file, and the folder is synced after each. A file without its log is at worst damaged
//! again; a log without its file would be taken for the log of the new one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};
use tulou_protocol::id::Millis;

use super::{StoreError, file::beside, meta::Aside, spare::Spare};

/// Sets a damaged file aside, after saving what the person wrote.
pub(super) fn set_aside(path: &Path, now: Millis) -> Result<(), StoreError> {
    let before = Spare::beside(path);
    let (mut spare, is_whole) = salvage(path, &before);
    if !is_whole || before.aside.is_some() {
        spare.add(before);
    }
    let aside = free_name(path, now);
    let (commands, drafts) = spare.counts();
    spare.aside = Some(Aside {
        file: aside
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        folder: path
            .parent()
            .unwrap_or(Path::new(""))
            .to_string_lossy()
            .into_owned(),
        at: now,
        commands,
        drafts,
        is_whole,
    });
    spare.keep(path, true)?;
    sync_folder(path)?;
    move_away(&beside(path, "-wal"), &beside(&aside, "-wal"))?;
    // The index of the log is made anew by whoever opens it.
    remove(&beside(path, "-shm"))?;
    sync_folder(path)?;
    move_away(path, &aside)?;
    sync_folder(path)?;
    tracing::error!(
        file = %aside.display(),
        "a damaged store was set aside, and a new one is begun; taken along: {commands} commands, {drafts} drafts"
    );
    Ok(())
}

/// What the damaged file gives, and whether that is all.
fn salvage(path: &Path, before: &Spare) -> (Spare, bool) {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    match Connection::open_with_flags(path, flags) {
        Ok(db) => Spare::salvage(&db, before),
        Err(_) => (before.of_the_account(), false),
    }
}

/// `<file>.damaged-2026-11-23T072737Z`, with a number if that is taken. No colons: not every system takes them.
pub(crate) fn free_name(path: &Path, now: Millis) -> PathBuf {
    let time = jiff::Timestamp::from_millisecond(now)
        .unwrap_or_default()
        .strftime("%Y-%m-%dT%H%M%SZ")
        .to_string();
    let first = beside(path, &format!(".damaged-{time}"));
    let mut name = first.clone();
    for number in 2.. {
        if !name.exists() {
            break;
        }
        name = beside(&first, &format!("-{number}"));
    }
    name
}

fn move_away(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;

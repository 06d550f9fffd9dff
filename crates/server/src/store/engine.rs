//! The engine that keeps the store of a folder: said here, and nowhere else outside it.

use std::{path::Path, sync::Arc};

use super::{
    Bus, Hold, Store, StoreError,
    sqlite::{self, Sqlite},
};

pub(crate) use sqlite::snapshot::{begin_epoch, contents, copy};
pub use sqlite::{FILE, integrity::check};

/// Opens the store in a folder that is held.
///
/// # Errors
/// If the store is lost or damaged, or was written by a newer version; it stays as it is then.
pub(crate) fn open(
    hold: Hold,
    folder: &Path,
    bus: Arc<dyn Bus>,
) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(Sqlite::open_held(hold, folder, bus)?))
}

/// Whether there is a store in a folder.
#[must_use]
pub fn is_in(folder: &Path) -> bool {
    folder.join(FILE).is_file()
}

/// How many bytes the store in a folder takes.
pub(crate) fn bytes(folder: &Path) -> u64 {
    let bytes = |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |file| file.len());
    bytes(FILE).saturating_add(bytes(&format!("{FILE}-wal")))
}

/// Whether a file in the folder is the store's, or one that the engine keeps beside it.
pub(crate) fn is_of_store(name: &str) -> bool {
    name.starts_with(FILE)
}

/// Whether a store of this version was made before the first release.
pub(crate) const fn is_before(version: i64) -> bool {
    sqlite::is_before(version)
}

/// The newest version of a store that this program knows.
pub(crate) fn newest() -> i64 {
    sqlite::known_schema()
}

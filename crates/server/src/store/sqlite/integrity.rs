//! Whether the file is whole. Looked at when the last end was not in order, and whenever the operator asks.
//!
//! A damaged file is refused and left as it is, log included: writing to it would make worse what a backup, or somebody
//! who knows how, may still mend.

use std::{path::Path, time::Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use super::{FILE, said, schema};
use crate::store::StoreError;

/// Problems that are named; one is enough to refuse a file.
const PROBLEMS: u32 = 20;

/// SQLite's smallest page, in bytes.
const SMALLEST_PAGE: u64 = 512;

/// How thoroughly a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Each page and its place in its table: some seconds for a gigabyte.
    Quick,
    /// Indexes against tables as well.
    Full,
}

/// Opens a file that a server is to work in; refuses one that is damaged, or of a newer version, before anything is
/// written to it. A file that ends within its first page is taken for new: that is what a loss of power at the first start
/// leaves, when nothing has been acknowledged yet.
pub fn open(file: &Path) -> Result<Connection, StoreError> {
    let was_left_open = was_left_open(file);
    let db = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    let looked = (|| {
        schema::check_version(&db)?;
        if was_left_open {
            let began = Instant::now();
            tracing::warn!("the last end was not in order: the store is checked");
            look(&db, file, Depth::Quick)?;
            let duration_ms = began.elapsed().as_millis();
            tracing::info!(duration_ms, "the store is whole");
        }
        schema::prepare(&db)
    })();
    match looked {
        Ok(()) => Ok(db),
        Err(error) => {
            // Else closing would move the log into the file.
            let _ = db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
            Err(of_file(error, file))
        }
    }
}

/// Reads the store in a folder through, whether or not a server works in it.
///
/// # Errors
/// `Damaged` with what was found; `Newer`; or if there is no store that can be read.
pub fn check(folder: &Path) -> Result<(), StoreError> {
    let file = folder.join(FILE);
    let db = Connection::open_with_flags(
        &file,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    if is_void(&file) {
        return Err(StoreError::Damaged {
            file,
            found: "there is nothing in it".to_owned(),
        });
    }
    schema::check_version(&db)
        .and_then(|_| look(&db, &file, Depth::Full))
        .map_err(|error| of_file(error, &file))
}

/// Whether there is no store yet: no file, or one that ends within the smallest page of all, and no log of it.
pub fn is_void(file: &Path) -> bool {
    std::fs::metadata(file).map_or_else(
        |error| error.kind() == std::io::ErrorKind::NotFound,
        |file| file.len() < SMALLEST_PAGE,
    ) && !was_left_open(file)
}

/// Whether whoever worked with the file last did not come to an end: his log is left behind.
fn was_left_open(file: &Path) -> bool {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(Path::new(&log)).is_ok_and(|log| log.len() > 0)
}

fn look(db: &Connection, file: &Path, depth: Depth) -> Result<(), StoreError> {
    let check = match depth {
        Depth::Quick => "quick_check",
        Depth::Full => "integrity_check",
    };
    let mut statement = db.prepare(&format!("PRAGMA {check}({PROBLEMS})"))?;
    let found: Vec<String> = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if found == ["ok"] {
        return Ok(());
    }
    Err(StoreError::Damaged {
        file: file.to_owned(),
        found: found.join("; "),
    })
}

/// What SQLite says of a damaged file, with its name.
fn of_file(error: StoreError, file: &Path) -> StoreError {
    if let Some(error) = said(&error)
        && is_damage(error)
    {
        return StoreError::Damaged {
            file: file.to_owned(),
            found: error.to_string(),
        };
    }
    error
}

/// Whether SQLite says that a file is damaged, or no database at all.
pub fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

#[cfg(test)]
mod tests;

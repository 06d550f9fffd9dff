//! The file that SQLite writes to before it moves what is written into its own (the write-ahead log). It begins again when
//! all of it was moved and nobody reads by it. Where somebody always does it grows without end: then reads wait for a moment.

use std::{path::PathBuf, time::Duration};

use rusqlite::Connection;

use super::readers::Queue;

/// So long it may get: several times what it has when it is moved ([`super::CHECKPOINT_PAGES`]).
const LONGEST: u64 = 64 << 20;
/// After an attempt that failed it gets so much longer before the next one.
const MORE: u64 = 16 << 20;
/// How long what is being read is waited for, and what comes meanwhile waits.
const PATIENCE: Duration = Duration::from_millis(250);

/// The file, and how long it may get.
pub struct LogFile {
    path: PathBuf,
    longest: u64,
}

impl LogFile {
    /// The one of a store.
    pub fn of(db: &Connection) -> Self {
        Self {
            path: PathBuf::from(format!("{}-wal", db.path().unwrap_or_default())),
            longest: LONGEST,
        }
    }

    /// Moves all of it while nobody reads, if it has become too long.
    pub fn shorten(&mut self, db: &Connection, readers: &Queue) {
        let bytes = std::fs::metadata(&self.path).map_or(0, |file| file.len());
        if bytes <= self.longest {
            return;
        }
        let moved = readers.while_still(PATIENCE, || {
            db.pragma_update(None, "wal_checkpoint", "truncate")
        });
        // Where a read takes longer, or a backup is being made, the file is as good as before.
        self.longest = if matches!(moved, Some(Ok(()))) {
            LONGEST
        } else {
            bytes + MORE
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use super::*;
    use crate::store::{bus::Nowhere, sqlite::Sqlite};

    /// What is written in one go.
    const STEP: u32 = 2 << 20;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_log_of_a_store_that_is_always_read_does_not_grow_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Sqlite::open(folder.path(), Arc::new(Nowhere)).unwrap());
        let is_over = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let (store, is_over) = (store.clone(), is_over.clone());
                tokio::spawn(async move {
                    while !is_over.load(Ordering::SeqCst) {
                        let read = store.readers.read(None, |db| {
                            let count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
                                SELECT count(*) FROM n, (SELECT count(*) FROM sqlite_master)";
                            Ok(db.query_row(count, [], |row| row.get::<_, i64>(0))?)
                        });
                        read.await.unwrap();
                    }
                })
            })
            .collect();
        store
            .write(|db| Ok(db.execute_batch("CREATE TABLE filler (bytes BLOB)")?))
            .await
            .unwrap();
        let log = folder.path().join(format!("{}-wal", super::super::FILE));
        let mut longest = 0;
        for _ in 0..100 {
            let write = store.write(|db| {
                db.execute("DELETE FROM filler", [])?;
                Ok(db.execute("INSERT INTO filler VALUES (zeroblob(?1))", [STEP])?)
            });
            write.await.unwrap();
            longest = longest.max(std::fs::metadata(&log).unwrap().len());
        }
        is_over.store(true, Ordering::SeqCst);
        for reader in readers {
            reader.await.unwrap();
        }
        assert!(
            longest < LONGEST + MORE + 4 * u64::from(STEP),
            "{} MiB",
            longest >> 20
        );
    }
}

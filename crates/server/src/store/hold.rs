//! The folder of a store: readable for nobody else, and one program at a time works in it. The system lets go of it when the program ends,
//! however it ends.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
    time::{Duration, Instant},
};

use super::StoreError;

/// The file that is locked. It is empty, and stays.
pub const LOCK_FILE: &str = "tulou.lock";

/// How long a program that is ending is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Makes the folder, readable for nobody else. One that is there and has something in it may be shared on purpose, and
/// stays as it is; what is written into it is private all the same.
pub(crate) fn make_private(folder: &Path) -> std::io::Result<()> {
    let is_used = folder.is_dir() && std::fs::read_dir(folder)?.next().is_some();
    if is_used {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    // Not every disk knows whose a file is; that is no reason not to start.
    if let Err(error) = tulou_private::folder(folder) {
        tracing::warn!("others may read {}: {error}", folder.display());
    }
    Ok(())
}

/// Makes a file, if it is not there yet, and has nobody else read it, nor what SQLite keeps beside it.
pub(crate) fn make_file_private(file: &Path) -> std::io::Result<()> {
    match tulou_private::create_new(file) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        made => drop(made?),
    }
    for beside in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(beside);
        let name = Path::new(&name);
        if name.exists() {
            close(name);
        }
    }
    Ok(())
}

/// One that is somebody else's lets this program write it.
fn close(file: &Path) {
    if let Err(error) = tulou_private::file(file) {
        tracing::warn!("others may read {}: {error}", file.display());
    }
}

/// A folder that is held; let go of when dropped.
#[derive(Debug)]
pub struct Hold {
    _locked: File,
}

impl Hold {
    /// Takes the folder, which has to exist. Waits a little for a program that is ending.
    ///
    /// # Errors
    /// `InUse` if another program works in it; or if the file cannot be made.
    pub fn take(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(LOCK_FILE);
        match tulou_private::create_new(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => drop(made?),
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => {
                    // Not before: it may be that of another program that works in here.
                    close(&path);
                    return Ok(Self { _locked: file });
                }
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(PAUSE);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::InUse(folder.to_owned()));
                }
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
        }
    }
}

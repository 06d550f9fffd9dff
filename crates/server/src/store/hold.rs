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
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Makes a file, if it is not there yet, and has nobody else read it. What SQLite keeps beside it has the same rights.
pub(crate) fn make_file_private(file: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        // Of a file that is there the mode stays what it was.
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(file)?;
        for beside in ["", "-wal", "-shm"] {
            let mut name = file.as_os_str().to_owned();
            name.push(beside);
            let name = Path::new(&name);
            let Ok(found) = std::fs::metadata(name) else {
                continue;
            };
            if found.permissions().mode() & 0o077 == 0 {
                continue;
            }
            let private = std::fs::Permissions::from_mode(0o600);
            if let Err(error) = std::fs::set_permissions(name, private) {
                // It is somebody else's, who lets this program write it.
                tracing::warn!("others may read {}: {error}", name.display());
            }
        }
    }
    // Elsewhere the rights of the folder are those of what is in it.
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
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
        let file = folder.join(LOCK_FILE);
        make_file_private(&file)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(file)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _locked: file }),
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

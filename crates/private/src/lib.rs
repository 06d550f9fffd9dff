//! Files and folders that nobody else on a computer reads: on Unix by their mode; on Windows by a list of who may, which takes
//! nothing over from the folder above and names the person, the owner, the system and its administrators (who could take it
//! anyway). What is open to nobody else already is left as it is: who may was said on purpose, or by a folder that is private.

use std::{fs, io, path::Path};

#[cfg(any(windows, test))]
mod list;
#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

/// Has nobody else read a folder that is there, and what is made in it from here on.
///
/// # Errors
/// If its rights cannot be set: it is somebody else's, or the disk knows of none.
pub fn folder(path: &Path) -> io::Result<()> {
    close(path, system::close_folder)
}

/// Has nobody else read a file that is there.
///
/// # Errors
/// If its rights cannot be set.
pub fn file(path: &Path) -> io::Result<()> {
    close(path, system::close_file)
}

fn close(path: &Path, set: fn(&Path) -> io::Result<()>) -> io::Result<()> {
    // Who may not read the rights may be able to set them.
    if is_open_to_others(path).unwrap_or(true) {
        set(path)
    } else {
        Ok(())
    }
}

/// Whether others read what is there, who were not named one by one.
///
/// # Errors
/// If its rights cannot be read.
pub fn is_open_to_others(path: &Path) -> io::Result<bool> {
    system::is_open_to_others(path)
}

/// Makes a file that is not there yet for nobody else to read, as far as its disk knows of rights.
///
/// # Errors
/// If there is one, or it cannot be made.
pub fn create_new(path: &Path) -> io::Result<fs::File> {
    let made = system::create_new(path)?;
    // Where rights are given to what is there only it is empty until then.
    if let Err(error) = file(path) {
        tracing::warn!("others may read {}: {error}", path.display());
    }
    Ok(made)
}

#[cfg(test)]
mod tests;

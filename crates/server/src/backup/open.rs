//! Reading a backup: what it says it is, whether it is whole, and putting it into a folder. Nothing in the folder is
//! touched before everything was read, checked and written beside it.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use tulou_protocol::{Epoch, id::Millis};

use super::{
    BackupError, FORMAT, MANIFEST, Manifest, PRODUCT, Packed,
    kinds::{FileKind, KINDS, kind_of},
    stamp,
    sum::sum,
    swap,
};
use crate::store::{Hold, LOCK_FILE, StoreError, engine, make_private};

/// Bytes that a manifest may have: room for some hundred thousand files.
const MANIFEST_BYTES: u64 = 1 << 26;

type Archive = tar::Archive<zstd::Decoder<'static, io::BufReader<File>>>;

/// A backup whose manifest was read. Nothing else was yet.
#[derive(Debug)]
pub struct Opened {
    path: PathBuf,
    manifest: Manifest,
    kinds: &'static [FileKind],
}

/// What a restore did.
#[derive(Debug)]
pub struct Restored {
    /// What the backup says it is.
    pub manifest: Manifest,
    /// The epoch that begins.
    pub epoch: Epoch,
    /// Where the server lies that was in the folder before, if there was one.
    pub set_aside: Option<PathBuf>,
}

/// Opens a backup: reads what it says it is.
///
/// # Errors
/// If it is no backup, is damaged at its beginning, or was written by a newer version.
pub fn open(path: &Path) -> Result<Opened, BackupError> {
    open_of(KINDS, path)
}

pub(super) fn open_of(kinds: &'static [FileKind], path: &Path) -> Result<Opened, BackupError> {
    let strange = || BackupError::NotABackup(path.to_owned());
    let mut archive = archive(path).map_err(BackupError::file(path))?;
    let mut entries = archive.entries().map_err(|_| strange())?;
    let Some(Ok(mut first)) = entries.next() else {
        return Err(strange());
    };
    if !has_name(&first, MANIFEST) || first.size() > MANIFEST_BYTES {
        return Err(strange());
    }
    let mut text = Vec::new();
    first
        .read_to_end(&mut text)
        .map_err(|error| BackupError::Damaged(error.to_string()))?;
    let manifest: Manifest = match serde_json::from_slice(&text) {
        Ok(manifest) => manifest,
        // A newer format may say more, and other things: only what never changes is read of it.
        Err(_) => return Err(of_newer(&text).unwrap_or_else(strange)),
    };
    if manifest.product != PRODUCT {
        return Err(strange());
    }
    if manifest.format > FORMAT || manifest.schema > engine::newest() {
        return Err(BackupError::Newer {
            program: manifest.program,
        });
    }
    if engine::is_before(manifest.schema) {
        let found = manifest.schema;
        return Err(StoreError::Before { found }.into());
    }
    if !makes_sense(kinds, &manifest.files) {
        return Err(BackupError::Damaged(
            "its list of files makes no sense".to_owned(),
        ));
    }
    Ok(Opened {
        path: path.to_owned(),
        manifest,
        kinds,
    })
}

/// Whether there is a store, and each file is of a kind and there once.
fn makes_sense(kinds: &[FileKind], files: &[Packed]) -> bool {
    let mut names = HashSet::new();
    files.iter().any(|file| file.name == engine::FILE)
        && files
            .iter()
            .all(|file| kind_of(kinds, file).is_some() && names.insert(&file.name))
}

impl Opened {
    /// What it says it is.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reads it through: every file is there, whole, as it was written.
    ///
    /// # Errors
    /// If something is missing or differs, or the file cannot be read.
    pub fn verify(&self) -> Result<(), BackupError> {
        self.each(|packed, from| {
            let found = sum(from).map_err(|error| BackupError::Damaged(error.to_string()))?;
            same(packed, found)
        })
    }

    /// Puts the server of the backup into a folder, in which no program may work. What was there is set aside in a
    /// folder within it. The store gets a new epoch.
    ///
    /// # Errors
    /// If the backup is damaged, a program works in the folder, or something cannot be written: then the folder is as it
    /// was.
    pub fn restore(&self, folder: &Path, now: Millis) -> Result<Restored, BackupError> {
        let was_there = folder.is_dir();
        make_private(folder).map_err(BackupError::file(folder))?;
        let hold = Hold::take(folder)?;
        let wrong = |error: io::Error| BackupError::File {
            path: folder.to_owned(),
            source: error,
        };
        // One that was cut off after it was decided is finished first, one that was not is forgotten.
        swap::finish_of(self.kinds, folder).map_err(wrong)?;
        let unpacked = swap::begin(folder).map_err(wrong)?;
        let epoch = match self.unpack(&unpacked) {
            Ok(epoch) => epoch,
            Err(error) => {
                swap::forget(folder).map_err(wrong)?;
                // What is open cannot be removed on every system.
                drop(hold);
                if !was_there {
                    let _ = std::fs::remove_file(folder.join(LOCK_FILE));
                    let _ = std::fs::remove_dir(folder);
                }
                return Err(error);
            }
        };
        let aside = swap::free_name(folder, &format!("before-restore-{}", stamp(now)));
        swap::decide(folder, &aside).map_err(wrong)?;
        let set_aside = swap::finish_of(self.kinds, folder).map_err(wrong)?;
        drop(hold);
        Ok(Restored {
            manifest: self.manifest.clone(),
            epoch,
            set_aside,
        })
    }

    fn unpack(&self, to: &Path) -> Result<Epoch, BackupError> {
        self.each(|packed, from| {
            let kind = kind_of(self.kinds, packed)
                .ok_or_else(|| BackupError::Damaged(format!("{} is of no kind", packed.name)))?;
            let path = to.join(kind.place_of(&packed.name));
            if let Some(within) = path.parent() {
                std::fs::create_dir_all(within).map_err(BackupError::file(within))?;
            }
            let made = if kind.is_secret {
                tulou_private::create_new(&path)
            } else {
                File::create_new(&path)
            };
            let mut file = made.map_err(BackupError::file(&path))?;
            let mut copying = Copying {
                from,
                to: &mut file,
                failed: None,
            };
            let found = sum(&mut copying);
            if let Some(error) = copying.failed {
                return Err(BackupError::file(&path)(error));
            }
            same(
                packed,
                found.map_err(|error| BackupError::Damaged(error.to_string()))?,
            )?;
            file.sync_all().map_err(BackupError::file(&path))
        })?;
        let store = to.join(engine::FILE);
        let contents = engine::contents(&store)?;
        if contents.is_none_or(|contents| contents.identity.server != self.manifest.server) {
            return Err(BackupError::Damaged("the store in it is".to_owned()));
        }
        let epoch = engine::begin_epoch(&store)?;
        Ok(epoch)
    }

    /// Hands on each file in order.
    fn each(
        &self,
        mut take: impl FnMut(&Packed, &mut dyn Read) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let damaged = |error: io::Error| BackupError::Damaged(error.to_string());
        let mut archive = archive(&self.path).map_err(BackupError::file(&self.path))?;
        let mut entries = archive.entries().map_err(damaged)?;
        // The manifest, which was read already.
        entries.next();
        for packed in &self.manifest.files {
            let mut entry = match entries.next() {
                Some(entry) => entry.map_err(damaged)?,
                None => return Err(BackupError::Damaged(format!("{} is missing", packed.name))),
            };
            if !has_name(&entry, &packed.name) || entry.size() != packed.bytes {
                return Err(BackupError::Damaged(format!(
                    "{} is not where it has to be",
                    packed.name
                )));
            }
            take(packed, &mut entry)?;
        }
        match entries.next() {
            None => {}
            Some(_) => {
                return Err(BackupError::Damaged(
                    "there is more in it than it says".to_owned(),
                ));
            }
        }
        // The sum of the whole stands at its end.
        io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(damaged)?;
        Ok(())
    }
}

/// Writes what is read through it.
struct Copying<'a> {
    from: &'a mut dyn Read,
    to: &'a mut File,
    /// Why writing failed: that is not the backup's fault.
    failed: Option<io::Error>,
}

impl Read for Copying<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        if let Err(error) = io::Write::write_all(self.to, &into[..read]) {
            self.failed = Some(error);
            return Err(io::Error::other("writing failed"));
        }
        Ok(read)
    }
}

fn archive(path: &Path) -> io::Result<Archive> {
    let file = File::open(path)?;
    Ok(tar::Archive::new(zstd::Decoder::new(file)?))
}

fn has_name<R: Read>(entry: &tar::Entry<'_, R>, name: &str) -> bool {
    entry.header().entry_type().is_file() && *entry.path_bytes() == *name.as_bytes()
}

fn same(packed: &Packed, (bytes, sha256): (u64, String)) -> Result<(), BackupError> {
    if bytes == packed.bytes && sha256 == packed.sha256 {
        return Ok(());
    }
    Err(BackupError::Damaged(format!(
        "{} differs from what was written",
        packed.name
    )))
}

/// A manifest of a newer format, of which only the product, the format and the program can be read.
fn of_newer(text: &[u8]) -> Option<BackupError> {
    let value: serde_json::Value = serde_json::from_slice(text).ok()?;
    let is_newer = value["product"] == PRODUCT && value["format"].as_u64()? > u64::from(FORMAT);
    is_newer.then(|| BackupError::Newer {
        program: value["program"].as_str().unwrap_or("?").to_owned(),
    })
}

//! Making a backup: a copy of the store as of one moment, packed, synced, read back, and only then given its name.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use tulou_protocol::id::Millis;

use super::{
    BackupError, FORMAT, MANIFEST, Manifest, PRODUCT, Packed, SETTINGS,
    kinds::{FileKind, Found, KINDS, Origin},
    open::open_of,
    sum::sum,
    swap, sync_folder,
};
use crate::{Config, store::engine};

/// The level of compression: most of what is to be gained, at a speed near that of a disk.
const LEVEL: i32 = 3;
/// The mode of what nobody else may read, for whoever unpacks it by hand.
const PRIVATE: u32 = 0o600;
/// The mode of what is no secret.
const PUBLIC: u32 = 0o644;

/// What a backup is made of.
#[derive(Debug, Clone)]
pub struct Source {
    /// The folder of the server. A server may be working in it.
    pub folder: PathBuf,
    /// What the operator has set.
    pub settings: Config,
    /// The server's time.
    pub now: Millis,
}

/// Writes a backup to a file that is not there yet, and reads it back. What is written before it is whole has another
/// name, and is gone if it does not come to that.
///
/// # Errors
/// If there is no server in the folder, the file is there already, there is no room, or something cannot be read or
/// written.
pub fn make(source: &Source, to: &Path) -> Result<Manifest, BackupError> {
    make_of(KINDS, source, to)
}

pub(super) fn make_of(
    kinds: &'static [FileKind],
    source: &Source,
    to: &Path,
) -> Result<Manifest, BackupError> {
    if !engine::is_in(&source.folder) {
        return Err(BackupError::NoServer(source.folder.clone()));
    }
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let beside = match to.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(beside).map_err(BackupError::file(beside))?;
    check_room(kinds, source, beside)?;

    let temporary = temporary_in(beside).map_err(BackupError::file(beside))?;
    let copy = temporary.path().join(engine::FILE);
    if !engine::copy(&source.folder, &copy)? {
        return Err(BackupError::DamagedStore);
    }
    let contents = engine::contents(&copy)?.ok_or(BackupError::DamagedStore)?;

    let settings = temporary.path().join(SETTINGS);
    std::fs::write(&settings, settings_text(&source.settings))
        .map_err(BackupError::file(&settings))?;
    // After the store was copied: no file is missing that it speaks of.
    let mut files = Vec::new();
    for kind in kinds {
        let made = |name: &str, path: &Path| Found {
            kind,
            name: name.to_owned(),
            path: path.to_owned(),
        };
        match kind.origin {
            Origin::Store => files.push(made(engine::FILE, &copy)),
            Origin::Settings => files.push(made(SETTINGS, &settings)),
            Origin::Lying(_) => files.extend(lying(kind, source)?),
        }
    }

    let manifest = Manifest {
        product: PRODUCT.to_owned(),
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: source.now,
        server: contents.identity.server,
        server_name: source.settings.name.clone(),
        epoch: contents.identity.epoch,
        schema: contents.schema,
        accounts: contents.accounts,
        communities: contents.communities,
        files: files.iter().map(packed).collect::<Result<_, _>>()?,
    };
    let packing = temporary.path().join("packing");
    pack(&manifest, &files, &packing).map_err(BackupError::file(&packing))?;
    open_of(kinds, &packing)?.verify()?;
    // A link, unlike a rename, refuses a name that somebody took meanwhile; where there are no links a rename has to do.
    match std::fs::hard_link(&packing, to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(BackupError::Exists(to.to_owned()));
        }
        Err(_) => std::fs::rename(&packing, to).map_err(BackupError::file(to))?,
        Ok(()) => {}
    }
    sync_folder(beside).map_err(BackupError::file(beside))?;
    Ok(manifest)
}

/// Where the whole store lies open while a backup is made of it: nobody else looks in, whoever may look into the folder.
pub(super) fn temporary_in(beside: &Path) -> io::Result<tempfile::TempDir> {
    let temporary = tempfile::Builder::new()
        .prefix(swap::TEMPORARY)
        .tempdir_in(beside)?;
    // Not every disk knows whose a folder is; that is no reason to have no backup.
    if let Err(error) = tulou_private::folder(temporary.path()) {
        tracing::warn!("others may read {}: {error}", temporary.path().display());
    }
    Ok(temporary)
}

fn lying<'a>(kind: &'a FileKind, source: &Source) -> Result<Vec<Found<'a>>, BackupError> {
    kind.lying_in(&source.folder)
        .map_err(BackupError::file(&source.folder))
}

/// A copy of the store and the packed backup have to fit at the same time.
fn check_room(kinds: &[FileKind], source: &Source, beside: &Path) -> Result<(), BackupError> {
    let mut needed = engine::bytes(&source.folder).saturating_mul(2);
    for kind in kinds {
        for found in lying(kind, source)? {
            let bytes = std::fs::metadata(&found.path).map_or(0, |about| about.len());
            needed = needed.saturating_add(bytes);
        }
    }
    // Where the system does not say, the writing will.
    match fs4::available_space(beside) {
        Ok(free) if free < needed => Err(BackupError::NoRoom { needed, free }),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The settings as a file that `tulou-server --config` takes. Where the server lived is left out: it may live elsewhere.
fn settings_text(settings: &Config) -> String {
    let mut table = toml::Table::try_from(settings).unwrap_or_default();
    for place in Config::PLACES {
        table.remove(*place);
    }
    table.to_string()
}

fn packed(found: &Found<'_>) -> Result<Packed, BackupError> {
    let (bytes, sha256) = File::open(&found.path)
        .and_then(|mut file| sum(&mut file))
        .map_err(BackupError::file(&found.path))?;
    Ok(Packed {
        name: found.name.clone(),
        bytes,
        sha256,
    })
}

fn pack(manifest: &Manifest, files: &[Found<'_>], to: &Path) -> io::Result<()> {
    // The key of the server is in it.
    let file = tulou_private::create_new(to)?;
    let mut packer = zstd::Encoder::new(file, LEVEL)?;
    packer.include_checksum(true)?;
    let mut archive = tar::Builder::new(packer);
    let described = serde_json::to_vec_pretty(manifest)?;
    let seconds = u64::try_from(manifest.made_at / 1_000).unwrap_or_default();
    append(
        &mut archive,
        MANIFEST,
        described.len() as u64,
        PRIVATE,
        seconds,
        &described[..],
    )?;
    for (found, packed) in files.iter().zip(&manifest.files) {
        // What has changed since it was summed up shows when the backup is read back.
        let file = File::open(&found.path)?.take(packed.bytes);
        let mode = if found.kind.is_secret {
            PRIVATE
        } else {
            PUBLIC
        };
        append(
            &mut archive,
            &packed.name,
            packed.bytes,
            mode,
            seconds,
            file,
        )?;
    }
    let file = archive.into_inner()?.finish()?;
    file.sync_all()
}

fn append(
    archive: &mut tar::Builder<impl Write>,
    name: &str,
    bytes: u64,
    mode: u32,
    seconds: u64,
    from: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(mode);
    header.set_mtime(seconds);
    header.set_cksum();
    archive.append_data(&mut header, name, from)
}

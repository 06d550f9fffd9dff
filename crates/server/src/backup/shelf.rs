//! A folder of backups: which there are, what the next is called, which of the daily ones have had their time.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use tulou_protocol::id::Millis;

use crate::Config;

use super::{BackupError, EXTENSION, Manifest, Source, make, open, stamp};

/// The folder beside the store.
pub const FOLDER: &str = "backups";

/// What no backup takes: something unfinished that is older was left behind.
const LEFT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// What a daily backup is called that was made by a clock that was ahead: when its time has come, others are newer.
const AHEAD: &str = "ahead";

/// A clock that is set right by less is of no account.
const TO_COME_MS: Millis = 60 * 60 * 1_000;

/// What a backup was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Made by itself, once a day; the oldest go.
    Daily,
    /// Asked for by a person, or put there; it stays.
    Manual,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Manual => "manual",
        }
    }
}

/// A backup in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Where it lies.
    pub path: PathBuf,
    /// What it was made for.
    pub kind: Kind,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was made: as it says itself, or as the file system says.
    pub made_at: Millis,
    /// What it says of itself; none if it cannot be read.
    pub manifest: Option<Manifest>,
}

/// A folder of backups.
#[derive(Debug, Clone)]
pub struct Shelf(PathBuf);

impl Shelf {
    /// The backups in a folder, which need not be there yet.
    #[must_use]
    pub fn in_folder(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The backups of a server: where its settings say, else beside its store.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self(
            config
                .backups
                .clone()
                .unwrap_or_else(|| config.data.join(FOLDER)),
        )
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// What lies there, newest first. Each one's beginning is read, no more.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn list(&self) -> io::Result<Vec<Backup>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == EXTENSION)
            {
                found.extend(kept(path));
            }
        }
        found.sort_by(|one, other| (other.made_at, &other.path).cmp(&(one.made_at, &one.path)));
        Ok(found)
    }

    /// When the newest daily backup that can be read was made. One of a time to come was made by a wrong clock, and counts
    /// for none.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn last_daily(&self, now: Millis) -> io::Result<Option<Millis>> {
        let daily = |kept: &Backup| {
            kept.kind == Kind::Daily && kept.manifest.is_some() && !is_to_come(kept, now)
        };
        Ok(self
            .list()?
            .iter()
            .find(|kept| daily(kept))
            .map(|kept| kept.made_at))
    }

    /// Makes a backup in the folder; where it lies. After a daily one the oldest daily ones beyond `keep` are removed, and
    /// those of a time to come are daily ones no more.
    ///
    /// # Errors
    /// What making it says; then none was removed.
    pub fn add(&self, source: &Source, kind: Kind, keep: usize) -> Result<PathBuf, BackupError> {
        let name = format!("{}-{}", kind.prefix(), stamp(source.now));
        let path = (1..)
            .map(|number| match number {
                1 => self.0.join(format!("{name}.{EXTENSION}")),
                // Another of the same second.
                _ => self.0.join(format!("{name}-{number}.{EXTENSION}")),
            })
            .find(|path| !path.exists())
            .unwrap_or_default();
        let here = || BackupError::file(&self.0);
        self.sweep().map_err(here())?;
        make(source, &path)?;
        if kind == Kind::Daily {
            self.set_aside(source.now).map_err(here())?;
            for old in self.past(keep, source.now).map_err(here())? {
                fs::remove_file(&old).map_err(BackupError::file(&old))?;
            }
        }
        Ok(path)
    }

    /// Daily backups of a time to come get another name: whenever that comes, they would push the others out, and nobody
    /// would make another meanwhile. None is removed.
    fn set_aside(&self, now: Millis) -> io::Result<()> {
        let all = self.list()?;
        let ahead = all
            .iter()
            .filter(|kept| kept.kind == Kind::Daily && is_to_come(kept, now));
        for Backup { path, .. } in ahead {
            let name = path.file_name().and_then(|name| name.to_str());
            let rest = name.and_then(|name| name.strip_prefix(Kind::Daily.prefix()));
            if let Some(rest) = rest {
                let aside = self.0.join(format!("{AHEAD}{rest}"));
                if !aside.exists() {
                    fs::rename(path, aside)?;
                }
            }
        }
        Ok(())
    }

    /// Daily backups beyond the newest `keep`.
    fn past(&self, keep: usize, now: Millis) -> io::Result<Vec<PathBuf>> {
        let daily = self
            .list()?
            .into_iter()
            .filter(|kept| kept.kind == Kind::Daily && !is_to_come(kept, now));
        Ok(daily.skip(keep.max(1)).map(|kept| kept.path).collect())
    }

    /// Removes what a backup that was cut off by a crash left behind; one that is being made just now stays.
    fn sweep(&self) -> io::Result<()> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let is_left = entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.starts_with(super::swap::TEMPORARY));
            let is_old = || -> io::Result<bool> {
                let age = entry.metadata()?.modified()?.elapsed();
                Ok(age.is_ok_and(|age| age > LEFT_FOR))
            };
            if is_left && entry.file_type()?.is_dir() && is_old()? {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

/// Whether a backup was made by a clock that was ahead.
const fn is_to_come(kept: &Backup, now: Millis) -> bool {
    kept.made_at > now + TO_COME_MS
}

/// What a file says of itself; none if it vanished meanwhile.
fn kept(path: PathBuf) -> Option<Backup> {
    let about = fs::metadata(&path).ok()?;
    let manifest = open(&path).ok().map(|opened| opened.manifest().clone());
    let written = about
        .modified()
        .ok()
        .and_then(|time| jiff::Timestamp::try_from(time).ok())
        .map_or(0, |time| time.as_millisecond());
    let name = path.file_name()?.to_str()?;
    Some(Backup {
        kind: if name.starts_with(Kind::Daily.prefix()) {
            Kind::Daily
        } else {
            Kind::Manual
        },
        bytes: about.len(),
        made_at: manifest
            .as_ref()
            .map_or(written, |manifest| manifest.made_at),
        manifest,
        path,
    })
}

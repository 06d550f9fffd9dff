//! Backing up, restoring, checking and letting somebody in again from the command line.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::Context;
use clap::Subcommand;
use tulou_protocol::id::Millis;
use tulou_server::{
    Config, accounts,
    backup::{self, BackupError, Kind, Manifest, Shelf, Source},
    store::engine,
};

/// What else than serving is wished.
#[derive(Subcommand)]
pub enum Wish {
    /// Writes everything that makes the server into one file, whether it runs or not.
    Backup {
        /// The file, which must not be there yet. Without one: a file in the folder `backups` of the store.
        file: Option<PathBuf>,
    },
    /// Puts the server of a backup into the folder of the store, in which no server may be running. What is there is set
    /// aside.
    Restore {
        /// The backup.
        file: PathBuf,
        /// Only reads the backup through and says what is in it.
        #[arg(long)]
        check: bool,
    },
    /// Reads the store through, whether a server works in it or not.
    Check,
    /// Sets an account back while no server is running: its password and recovery codes are of no use any more, its
    /// sessions end, and the code that is printed sets a new password. For an administrator who has lost everything.
    Reset {
        /// The account's name.
        account: String,
    },
}

impl Wish {
    /// Does it; what it says goes to the standard output.
    pub fn grant(self, config: &Config) -> anyhow::Result<()> {
        match self {
            Self::Check => {
                require_server(&config.data)?;
                engine::check(&config.data)?;
                println!("the store is whole");
            }
            Self::Reset { account } => {
                require_server(&config.data)?;
                let reset = accounts::reset_offline(&config.data, &account, now());
                let reset = tokio::runtime::Handle::current().block_on(reset)?;
                let reset = reset.with_context(|| format!("there is no account {account}"))?;
                println!("code {}", reset.code);
            }
            Self::Backup { file } => {
                let source = Source {
                    folder: config.data.clone(),
                    settings: config.clone(),
                    now: now(),
                };
                let path = match file {
                    Some(file) => {
                        backup::make(&source, &file)?;
                        file
                    }
                    None => Shelf::of(config).add(&source, Kind::Manual, config.backups_kept)?,
                };
                println!("backup {}", path.display());
                tell(backup::open(&path)?.manifest());
            }
            Self::Restore { file, check } => {
                let opened = backup::open(&file)?;
                if check {
                    opened.verify()?;
                    tell(opened.manifest());
                    println!("the backup is whole");
                    return Ok(());
                }
                let restored = opened.restore(&config.data, now())?;
                tell(&restored.manifest);
                println!("restored {}", config.data.display());
                if let Some(aside) = restored.set_aside {
                    println!("what was there before is in {}", aside.display());
                }
            }
        }
        Ok(())
    }
}

/// What is looked for in the wrong folder is not made there.
fn require_server(folder: &Path) -> Result<(), BackupError> {
    if engine::is_in(folder) {
        return Ok(());
    }
    Err(BackupError::NoServer(folder.to_owned()))
}

fn tell(manifest: &Manifest) {
    println!("server {} ({})", manifest.server, manifest.server_name);
    println!("accounts {}", manifest.accounts);
    println!("communities {}", manifest.communities);
}

fn now() -> Millis {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| {
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    })
}

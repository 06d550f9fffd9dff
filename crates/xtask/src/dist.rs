//! The packages: a .deb and an .rpm.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use crate::{repo, setup, trial};

/// What is done with the packages.
#[derive(clap::Args)]
pub struct Arguments {
    /// Try the .deb in a fresh Debian: install, start from the menu, remove. Needs root and debootstrap.
    #[arg(long)]
    trial: bool,
    /// Where the trial's screenshot goes.
    #[arg(long, default_value = "tulou.png", requires = "trial")]
    screenshot: PathBuf,
}

/// Makes the packages and says where they are and how large.
pub fn dist(arguments: &Arguments) -> Result<()> {
    setup::setup(if arguments.trial {
        setup::Scope::Everything
    } else {
        setup::Scope::Build
    })?;
    let bundle = repo::target().join("release/bundle");
    for kind in ["deb", "rpm"] {
        let old = bundle.join(kind);
        if old.exists() {
            fs::remove_dir_all(&old).with_context(|| format!("remove {}", old.display()))?;
        }
    }
    // The command line of Tauri runs the UI's build itself, as tauri.conf.json says.
    // Of the packages only the app's is built, with the features that `run` chooses.
    repo::finish(repo::npm(&[
        "exec",
        "--",
        "tauri",
        "build",
        "--bundles",
        "deb,rpm",
        "--",
        "--package",
        "tulou",
    ]))?;
    let mut packages = Vec::new();
    for kind in ["deb", "rpm"] {
        packages.extend(files_of(&bundle.join(kind), kind)?);
    }
    if packages.len() != 2 {
        bail!("expected a .deb and an .rpm, found {}", packages.len());
    }
    packages.push(repo::target().join("release/tulou"));
    for package in &packages {
        let size = fs::metadata(package)
            .with_context(|| format!("look at {}", package.display()))?
            .len();
        println!("{:>7.2} MiB  {}", mebibytes(size), package.display());
    }
    if arguments.trial {
        trial::try_deb(&packages[0], &repo::root().join(&arguments.screenshot))?;
    }
    Ok(())
}

fn files_of(folder: &std::path::Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("look into {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
    Ok(files)
}

/// Sizes of packages are far below 2^53 bytes.
#[expect(clippy::cast_precision_loss, reason = "a size to look at")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

//! Windows and macOS, seen from a Debian computer: everything is type-checked for both. What rustup would fetch from
//! elsewhere is not needed: Debian has a compiler with the source of its standard library, which cargo builds for the
//! system that is asked for, and C compilers come from Debian (Windows) and in a Python package (macOS).

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    repo, setup,
    step::{Remedy, Steps},
};

/// A system that is not this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// 64 bit, as the GNU tools compile for it.
    Windows,
    /// On Apple's processors.
    MacOs,
}

/// A compiler together with the source of its standard library. The toolchain of rustup stays what everything else uses.
const COMPILER: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
const CARGO: &str = "/usr/bin/cargo";
const RUSTC: &str = "/usr/bin/rustc";
const RUSTDOC: &str = "/usr/bin/rustdoc";

/// A C compiler for macOS, and its version.
const ZIG: &str = "ziglang==0.17.1";

/// What Zig is told by its own way, and what it does not know, is left out.
const CC: &str = r#"#!/bin/sh
skip=
for word do
    shift
    if [ -n "$skip" ]; then
        skip=
        continue
    fi
    case $word in
    --target=* | -mmacosx-version-min=*) ;;
    -arch) skip=1 ;;
    *) set -- "$@" "$word" ;;
    esac
done
exec "$(dirname "$0")/python/bin/python" -m ziglang cc -target aarch64-macos "$@"
"#;
const AR: &str = r#"#!/bin/sh
exec "$(dirname "$0")/python/bin/python" -m ziglang ar "$@"
"#;

impl System {
    fn target(self) -> &'static str {
        match self {
            Self::Windows => "x86_64-pc-windows-gnu",
            Self::MacOs => "aarch64-apple-darwin",
        }
    }

    /// Debian packages.
    fn packages(self) -> Vec<&'static str> {
        let own: &[&str] = match self {
            Self::Windows => &["gcc-mingw-w64-x86-64"],
            Self::MacOs => &["python3", "python3-venv"],
        };
        [&COMPILER, own].concat()
    }

    /// The step's name, and what repeats it.
    fn step(self) -> (&'static str, &'static str) {
        match self {
            Self::Windows => ("compiles for windows", "cargo xtask check --windows"),
            Self::MacOs => ("compiles for macos", "cargo xtask check --macos"),
        }
    }
}

/// Whether everything compiles for a system.
pub fn check(system: System, steps: &mut Steps) {
    let (name, again) = system.step();
    steps.take(name, Remedy::Repeat(again.to_owned()), || {
        set_up(system)?;
        let mut command = cargo(system, "check");
        command.args([
            "--workspace",
            // What is only for developers runs where they are; disks are broken by a file system of Linux.
            "--exclude",
            "xtask",
            "--exclude",
            "tulou-crash",
            "--lib",
            "--bins",
            "--tests",
            "--features",
            "tauri/custom-protocol",
        ]);
        repo::finish(command)
    });
}

/// Installs what a system needs.
pub fn set_up(system: System) -> Result<()> {
    if !repo::has_program("dpkg-query") {
        bail!(
            "other systems are compiled for with Debian's compilers only; this system is not Debian"
        );
    }
    setup::install(&system.packages())?;
    if system == System::MacOs {
        zig(&folder())?;
    }
    Ok(())
}

/// A command of cargo for a system: what it takes besides follows.
pub fn cargo(system: System, task: &str) -> Command {
    let folder = folder();
    let mut command = repo::command(CARGO);
    command
        .args([task, "-Zbuild-std", "--target", system.target()])
        .env("RUSTC", RUSTC)
        .env("RUSTDOC", RUSTDOC)
        // `-Zbuild-std` is not for everybody yet.
        .env("RUSTC_BOOTSTRAP", "1")
        // Where rustup started this, it named another compiler.
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN")
        // The ordinary build stays warm, and both systems share what runs here.
        .env("CARGO_TARGET_DIR", target())
        // Half the time and half the room.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_PROFILE_TEST_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0");
    if system == System::MacOs {
        command
            .env("CC_aarch64_apple_darwin", folder.join("cc"))
            .env("AR_aarch64_apple_darwin", folder.join("ar"))
            .env("ZIG_GLOBAL_CACHE_DIR", folder.join("zig"));
    }
    command
}

/// Where what is compiled for other systems lies: beside what is compiled for this one.
pub fn target() -> PathBuf {
    repo::target().join("systems")
}

/// Where compilers lie that no Debian package brings.
pub fn folder() -> PathBuf {
    target().join("tools")
}

/// Zig's C compiler, called as Apple's.
fn zig(folder: &Path) -> Result<()> {
    let installed = folder.join("python").join("installed");
    if fs::read_to_string(&installed).is_ok_and(|what| what == ZIG) {
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    let mut venv = repo::command("python3");
    venv.args(["-m", "venv", "--clear"])
        .arg(folder.join("python"));
    repo::finish(venv)?;
    let mut pip = repo::command(&folder.join("python/bin/python").to_string_lossy());
    pip.args(["-m", "pip", "install", "--quiet", ZIG]);
    repo::finish(pip)?;
    for (name, text) in [("cc", CC), ("ar", AR)] {
        program(&folder.join(name), text)?;
    }
    fs::write(&installed, ZIG).context("note that Zig is there")
}

fn program(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("write {}", path.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
            .with_context(|| format!("make {} a program", path.display()))?;
    }
    Ok(())
}

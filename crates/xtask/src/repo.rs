//! Where things lie, and how commands are run there.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// The folder of the repository.
pub fn root() -> &'static Path {
    // crates/xtask, two levels down.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("xtask lies two folders below the root")
}

/// Where cargo puts what it builds: outside the checkout, so that checkouts share it and `git clean` spares it.
pub fn target() -> PathBuf {
    if let Some(target) = env::var_os("CARGO_TARGET_DIR") {
        return root().join(target);
    }
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|cache| cache.is_absolute())
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    match cache {
        Some(cache) => cache.join("tulou/target"),
        None => root().join("target"),
    }
}

/// A command to run at the root of the repository, with cargo's target folder set.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target())
        // Set by `cargo xtask` for itself; they would make build scripts of the children run again.
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("CARGO_MANIFEST_PATH")
        .env_remove("CARGO_PKG_NAME");
    command
}

/// A cargo command.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = command("cargo");
    command.args(arguments);
    command
}

/// An npm command in `ui`.
pub fn npm(arguments: &[&str]) -> Command {
    let mut command = command("npm");
    command.args(["--prefix", "ui", "--no-fund", "--no-audit"]);
    command.args(arguments);
    command
}

/// The command as one would type it.
pub fn as_typed(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| {
        let word = word.to_string_lossy();
        let is_plain = !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_alphanumeric() || "-_./=:,@+".contains(c));
        if is_plain {
            word.into_owned()
        } else {
            format!("'{word}'")
        }
    }));
    words.join(" ")
}

/// Runs a command to its end; its failure is an error that names it.
pub fn finish(mut command: Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("start `{}`", as_typed(&command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", as_typed(&command));
    }
    Ok(())
}

/// Runs a command to its end and returns what it wrote.
pub fn output(mut command: Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("start `{}`", as_typed(&command)))?;
    if !output.status.success() {
        bail!(
            "`{}` failed ({}): {}",
            as_typed(&command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout).context("read what a command wrote")
}

/// Whether a program can be found.
pub fn has_program(name: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

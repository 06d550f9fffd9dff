//! Programs for Windows, run under Wine: the tests of what differs there. What needs a web view cannot be had this way.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    repo, setup,
    step::{Remedy, Steps},
    systems::{self, System},
};

const PACKAGES: [&str; 2] = ["wine", "wine64"];
const WINE: &str = "/usr/lib/wine/wine64";
/// The DLL that Wine lacks.
const PRIMITIVES: &str = include_str!("wine/bcryptprimitives.c");

/// What is run: files, folders, locks and processes behave otherwise there. The rest is type-checked.
const TESTS: [(&str, &[&str]); 4] = [
    ("tulou-private", &["--lib"]),
    ("tulou-protocol", &["--lib"]),
    (
        "tulou-server",
        &[
            "--lib", "--test", "accounts", "--test", "backup", "--test", "start", "--test", "talk",
        ],
    ),
    (
        "tulou-client",
        &["--lib", "--test", "account_list", "--test", "trust"],
    ),
];

/// Runs the tests that run under Wine.
pub fn test(steps: &mut Steps, with_seed: impl Fn(Command) -> Command) {
    for (package, which) in TESTS {
        let name = format!("{package} on windows");
        let again = Remedy::Repeat("cargo xtask test --windows".to_owned());
        steps.take(&name, again, || {
            systems::set_up(System::Windows)?;
            set_up()?;
            let mut command = systems::cargo(System::Windows, "test");
            command
                .args(["--no-fail-fast", "--package", package])
                .args(which);
            under_wine(&mut command);
            repo::finish(with_seed(command))
        });
    }
}

fn under_wine(command: &mut Command) {
    // Wine calls the root of this system Z:.
    let root = format!("Z:{}", repo::root().display());
    command
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", WINE)
        .env("INSTA_WORKSPACE_ROOT", root)
        .env("WINEPREFIX", prefix())
        .env("WINEDEBUG", "-all");
}

fn prefix() -> PathBuf {
    systems::folder().join("wine")
}

/// A Windows of its own, with what Wine lacks.
fn set_up() -> Result<()> {
    setup::install(&PACKAGES)?;
    let prefix = prefix();
    let system = prefix.join("drive_c/windows/system32");
    let library = system.join("bcryptprimitives.dll");
    if library.is_file() {
        return close_temp(&prefix);
    }
    fs::create_dir_all(&prefix).with_context(|| format!("make {}", prefix.display()))?;
    let mut boot = repo::command(WINE);
    boot.args(["wineboot", "--init"]);
    under_wine(&mut boot);
    repo::finish(boot)?;
    let source = prefix.join("bcryptprimitives.c");
    fs::write(&source, PRIMITIVES).with_context(|| format!("write {}", source.display()))?;
    let mut compile = repo::command("x86_64-w64-mingw32-gcc");
    compile
        .args(["-shared", "-O2", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ladvapi32");
    repo::finish(compile)?;
    close_temp(&prefix)
}

/// Wine gives what is made in a folder the rights of that one, whatever its own list says: tests of who may read begin where
/// nobody else does.
fn close_temp(prefix: &Path) -> Result<()> {
    for user in fs::read_dir(prefix.join("drive_c/users")).context("look for Wine's users")? {
        let temp = user?.path().join("Temp");
        if temp.is_dir() {
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                fs::set_permissions(&temp, fs::Permissions::from_mode(0o700))
                    .with_context(|| format!("close {}", temp.display()))?;
            }
        }
    }
    Ok(())
}

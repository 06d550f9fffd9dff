//! What a fresh machine lacks. Does nothing, quickly, when nothing is missing.

use std::{
    collections::HashSet,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::repo;

/// Debian packages to build and start the app.
const TO_BUILD: [&str; 3] = ["build-essential", "pkg-config", "libwebkit2gtk-4.1-dev"];

/// Debian packages to run it without a display, to test it in its real window and between networks, and to look at it.
const TO_TEST: [&str; 13] = [
    "dbus",
    "fonts-noto-cjk",
    "fonts-noto-color-emoji",
    "gnome-keyring",
    "imagemagick",
    "iproute2",
    "nginx",
    "python3",
    "python3-websockets",
    "strace",
    "webkit2gtk-driver",
    "xauth",
    "xvfb",
];

/// How much is to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Enough to build and start the app on a display.
    Build,
    /// Also what the tests and the virtual display need.
    Everything,
}

/// Installs what is missing.
pub fn setup(scope: Scope) -> Result<()> {
    system_packages(scope)?;
    npm_packages()
}

fn system_packages(scope: Scope) -> Result<()> {
    let mut wanted = TO_BUILD.to_vec();
    if scope == Scope::Everything {
        wanted.extend(TO_TEST);
    }
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    if !repo::has_program("dpkg-query") {
        if repo::has_program("pkg-config") && has_webkit()? {
            return Ok(());
        }
        bail!(
            "this system is not Debian or one of its descendants; install what these packages hold, then run this \
             again: {}",
            wanted.join(" ")
        );
    }
    install(&wanted)
}

/// Installs those of some Debian packages that are missing.
pub fn install(wanted: &[&'static str]) -> Result<()> {
    let missing = missing_of(wanted)?;
    if missing.is_empty() {
        return Ok(());
    }
    println!("Installing: {}", missing.join(" "));
    let install = ["apt-get", "install", "-y", "--no-install-recommends"];
    let by_hand = format!("sudo {} {}", install.join(" "), missing.join(" "));
    let Some(before) = way_to_root()? else {
        bail!(
            "system packages are missing and there is no way to become root without a password; run: {by_hand}"
        );
    };
    let run = |words: &[&str]| {
        let mut words = before.iter().chain(words).copied();
        let mut command = repo::command(words.next().unwrap_or("true"));
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        repo::finish(command)
    };
    let mut all = install.to_vec();
    all.extend(&missing);
    if run(&all).is_err() {
        // The lists of packages may be older than the mirror, or absent.
        run(&["apt-get", "update"])?;
        run(&all).with_context(|| format!("install system packages; by hand: {by_hand}"))?;
    }
    Ok(())
}

/// Words to put before a command that needs root; none when there is no way.
pub fn way_to_root() -> Result<Option<Vec<&'static str>>> {
    let mut id = repo::command("id");
    id.arg("-u");
    if repo::output(id)?.trim() == "0" {
        return Ok(Some(Vec::new()));
    }
    if !repo::has_program("sudo") {
        return Ok(None);
    }
    let can = Command::new("sudo")
        .args(["-n", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    Ok(can.then(|| vec!["sudo", "-n"]))
}

fn has_webkit() -> Result<bool> {
    let status = Command::new("pkg-config")
        .args(["--exists", "webkit2gtk-4.1"])
        .status()
        .context("start pkg-config")?;
    Ok(status.success())
}

fn missing_of(wanted: &[&'static str]) -> Result<Vec<&'static str>> {
    // dpkg-query fails when it does not know a package, and still lists the others.
    let output = Command::new("dpkg-query")
        .args(["--show", "--showformat=${Package} ${db:Status-Status}\n"])
        .args(wanted)
        .stderr(Stdio::null())
        .output()
        .context("start dpkg-query")?;
    let listed = String::from_utf8_lossy(&output.stdout);
    Ok(not_installed(wanted, &listed))
}

fn not_installed(wanted: &[&'static str], listed: &str) -> Vec<&'static str> {
    let installed: HashSet<&str> = listed
        .lines()
        .filter_map(|line| line.strip_suffix(" installed"))
        .collect();
    wanted
        .iter()
        .copied()
        .filter(|package| !installed.contains(package))
        .collect()
}

fn npm_packages() -> Result<()> {
    let ui = repo::root().join("ui");
    // npm writes this file at the end of every install.
    let marker = ui.join("node_modules/.package-lock.json");
    if is_newer(&marker, &ui.join("package-lock.json"))? {
        return Ok(());
    }
    if !repo::has_program("npm") {
        bail!(
            "npm is missing; install Node.js 20.19 or newer (it brings npm), then run this again"
        );
    }
    repo::finish(repo::npm(&["ci"]))?;
    // An install that found everything in place may leave the marker's time as it was.
    let file = fs::File::options().append(true).open(&marker);
    file.and_then(|file| file.set_modified(std::time::SystemTime::now()))
        .context("note that the npm packages are there")
}

/// Whether `a` exists and was written after `b`.
pub fn is_newer(a: &Path, b: &Path) -> Result<bool> {
    let Ok(a) = fs::metadata(a).and_then(|a| a.modified()) else {
        return Ok(false);
    };
    let b = fs::metadata(b)
        .and_then(|b| b.modified())
        .with_context(|| format!("look at {}", b.display()))?;
    Ok(a >= b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_installed_packages_count() {
        let listed = "xvfb installed\ndbus config-files\n";
        assert_eq!(
            not_installed(&["xvfb", "dbus", "xauth"], listed),
            ["dbus", "xauth"],
            "a removed package whose configuration stays is missing too"
        );
    }
}

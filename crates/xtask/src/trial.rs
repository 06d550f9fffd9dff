//! The .deb, tried in a system that has nothing else: installed, started from its menu entry, looked at, removed.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    display::{self, Display},
    repo,
    run::{COLOURS_OF_A_PAINTED_WINDOW, Group},
    setup,
};

/// The release of Debian that is tried.
const RELEASE: &str = "bookworm";

/// What a desktop has and the package does not bring: a session bus, the program that starts menu entries, fonts.
const DESKTOP: [&str; 4] = ["dbus-daemon", "dbus", "libgtk-3-bin", "fonts-noto-cjk"];

/// The person in the trial system.
const PERSON: &str = "person";

/// How long the window may take until it shows something.
const PAINTED_WITHIN: Duration = Duration::from_secs(60);

/// Tries the package; the screenshot goes to `picture`.
pub fn try_deb(deb: &Path, picture: &Path) -> Result<()> {
    let house = House::build()?;
    let version = house.output(&["cat", "/etc/debian_version"])?;
    println!(
        "A fresh Debian {} is in {}",
        version.trim(),
        house.root.display()
    );

    house.take_in(deb)?;
    house.run(&["apt-get", "update", "-qq"])?;
    let before = house.files()?;
    house.install(&["/tmp/tulou.deb"])?;
    println!(
        "Installed. {}",
        house.output(&[
            "dpkg-query",
            "--show",
            "--showformat=Depends: ${Depends}",
            "tulou"
        ])?
    );
    let owned = house.output(&["dpkg", "--listfiles", "tulou"])?;
    house.install(&DESKTOP)?;

    house.run(&["useradd", "--create-home", PERSON])?;
    let kept = house.start_from_the_menu(picture)?;

    house.run(&["apt-get", "purge", "-qq", "-y", "tulou"])?;
    let after = house.files()?;
    let left: Vec<_> = owned
        .lines()
        .filter(|path| after.contains(*path) && !before.contains(*path))
        .filter(|path| !house.root.join(path.trim_start_matches('/')).is_dir())
        .collect();
    ensure!(
        left.is_empty(),
        "the package left behind: {}",
        left.join(" ")
    );
    ensure!(
        house.path(&kept).exists(),
        "the person's data in {kept} is gone"
    );
    println!("Removed. Nothing of the package is left; the person's data stays in {kept}");
    Ok(())
}

/// A system of its own below a folder. Its processes end, and its mounts vanish, with each command.
struct House {
    root: PathBuf,
    before: Vec<&'static str>,
}

impl House {
    fn build() -> Result<Self> {
        let Some(before) = setup::way_to_root()? else {
            bail!(
                "a trial system needs root, and there is no way to become root without a password"
            );
        };
        ensure!(
            repo::has_program("debootstrap"),
            "debootstrap is missing; run: sudo apt-get install -y debootstrap"
        );
        let root = repo::target().join("xtask/trial");
        let house = Self { root, before };
        let place = house.root.to_string_lossy().into_owned();
        repo::finish(house.as_root(&["rm", "-rf", "--one-file-system", &place]))?;
        let make = house.as_root(&["debootstrap", "--variant=minbase", RELEASE, &place]);
        repo::output(make)?;
        Ok(house)
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside.trim_start_matches('/'))
    }

    fn as_root(&self, words: &[&str]) -> Command {
        let mut words = self.before.iter().chain(words).copied();
        let mut command = repo::command(words.next().unwrap_or("true"));
        command.args(words);
        command
    }

    /// A command in the system.
    fn inside(&self, words: &[&str]) -> Command {
        let root = format!("--root={}", self.root.display());
        let mut all = vec![
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            &root,
        ];
        all.extend([
            "env",
            "-i",
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
        ]);
        all.push("DEBIAN_FRONTEND=noninteractive");
        all.extend(words);
        self.as_root(&all)
    }

    fn run(&self, words: &[&str]) -> Result<()> {
        repo::output(self.inside(words)).map(drop)
    }

    fn output(&self, words: &[&str]) -> Result<String> {
        repo::output(self.inside(words))
    }

    fn install(&self, packages: &[&str]) -> Result<()> {
        let mut words = vec!["apt-get", "install", "-qq", "-y", "--no-install-recommends"];
        words.extend(packages);
        self.run(&words)
    }

    fn take_in(&self, deb: &Path) -> Result<()> {
        let place = self.path("/tmp/tulou.deb");
        let (deb, place) = (deb.to_string_lossy(), place.to_string_lossy());
        repo::finish(self.as_root(&["cp", "--", &deb, &place]))
    }

    fn files(&self) -> Result<BTreeSet<String>> {
        Ok(self
            .output(&["find", "/", "-xdev", "-not", "-path", "/proc/*"])?
            .lines()
            .map(str::to_owned)
            .collect())
    }

    /// Starts the app as the desktop would, waits for its window, ends it; the folder with the person's data.
    fn start_from_the_menu(&self, picture: &Path) -> Result<String> {
        let display = Display::start(1280, 800)?;
        // Reached through its abstract socket, which a folder of one's own does not hide.
        let name = format!("DISPLAY={}", display.name());
        let words = [
            "setpriv",
            "--reuid",
            PERSON,
            "--regid",
            PERSON,
            "--init-groups",
            "--reset-env",
            "env",
            &name,
            "NO_AT_BRIDGE=1",
            "dbus-run-session",
            "--",
            // The menu's program returns at once; the session has to outlive it.
            "bash",
            "-c",
            "gtk-launch Tulou && sleep infinity",
        ];
        let said = repo::target().join("xtask/trial.log");
        let mut command = self.inside(&words);
        command.stderr(fs::File::create(&said)?);
        let _session = Group::spawn(command)?;
        let started = Instant::now();
        let painted = display::wait(started + PAINTED_WITHIN, || {
            let colours = display.screenshot(picture)?;
            Ok((colours >= COLOURS_OF_A_PAINTED_WINDOW).then(|| started.elapsed()))
        })?;
        let took = painted.context("the window was not painted")?;
        println!(
            "Started from its menu entry, painted after {} ms. Screenshot: {}",
            took.as_millis(),
            picture.display()
        );
        let said = fs::read_to_string(&said)?;
        ensure!(!said.contains("ERROR"), "the app had errors:\n{said}");
        let kept = format!("/home/{PERSON}/.local/share/tulou");
        ensure!(
            self.path(&kept).exists(),
            "the app did not keep its data in {kept}"
        );
        Ok(kept)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // A trial that failed may be looked at; one that is built anew removes what the last one left.
        let place = self.root.to_string_lossy().into_owned();
        if !std::thread::panicking() && fs::metadata(&self.root).is_ok() {
            let _ = self
                .as_root(&["rm", "-rf", "--one-file-system", &place])
                .status();
        }
    }
}

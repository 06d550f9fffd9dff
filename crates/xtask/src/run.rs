//! The app, built at release speed, on the display or on a virtual one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    display::{self, Display},
    repo, setup,
};

/// How long the window may take until it shows something.
const PAINTED_WITHIN: Duration = Duration::from_secs(60);

/// How long the window may go on changing until the picture is taken all the same.
const SETTLED_WITHIN: Duration = Duration::from_secs(5);

/// An empty window has one colour, a window with text has many shades.
pub const COLOURS_OF_A_PAINTED_WINDOW: u64 = 48;

/// How the app is run.
#[derive(clap::Args)]
pub struct Arguments {
    /// Use a virtual display, write a screenshot when the window is painted, and end.
    #[arg(long)]
    headless: bool,
    /// Where the screenshot goes.
    #[arg(long, default_value = "tulou.png", requires = "headless")]
    screenshot: PathBuf,
    /// Size of the virtual display and of the window on it.
    #[arg(long, default_value = "1280x800", requires = "headless", value_parser = size)]
    size: (u32, u32),
    /// Build without optimisation: sooner ready, slower to run.
    #[arg(long)]
    debug: bool,
    /// Words for the app.
    #[arg(last = true)]
    words: Vec<String>,
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let parse = |side: &str| side.parse().ok().filter(|side| (200..=8000).contains(side));
    text.split_once('x')
        .and_then(|(width, height)| Some((parse(width)?, parse(height)?)))
        .ok_or_else(|| "a size looks like 1280x800".to_owned())
}

/// Runs the app; whether that succeeded.
pub fn run(arguments: &Arguments) -> Result<bool> {
    if !arguments.headless && !display::is_present() {
        eprintln!(
            "There is no display here; `cargo xtask run --headless` runs Tulou on a virtual one and writes a screenshot."
        );
        return Ok(false);
    }
    setup::setup(if arguments.headless {
        setup::Scope::Everything
    } else {
        setup::Scope::Build
    })?;
    let app = build_app(if arguments.debug {
        Speed::Debug
    } else {
        Speed::Release
    })?;
    if arguments.headless {
        headless(&app, arguments)?;
        return Ok(true);
    }
    let mut command = Command::new(app);
    command.args(&arguments.words);
    Ok(command.status().context("start the app")?.success())
}

/// Builds the window's files if one of their sources is newer.
pub fn build_ui() -> Result<()> {
    let ui = repo::root().join("ui");
    let built = ui.join("dist/index.html");
    let sources = [
        "src",
        "public",
        "index.html",
        "vite.config.ts",
        "circles.ts",
        "svelte.config.js",
        "tsconfig.json",
        "package-lock.json",
    ];
    let placeholder = fs::metadata(&built).is_ok_and(|built| built.len() < 200);
    let mut is_current = !placeholder;
    for source in sources {
        let source = ui.join(source);
        if source.exists() {
            is_current = is_current && is_newer_than_all(&built, &source)?;
        }
    }
    if is_current {
        return Ok(());
    }
    repo::finish(repo::npm(&["run", "build"]))
}

fn is_newer_than_all(built: &Path, source: &Path) -> Result<bool> {
    if !setup::is_newer(built, source)? {
        return Ok(false);
    }
    if source.is_dir() {
        for entry in fs::read_dir(source)? {
            if !is_newer_than_all(built, &entry?.path())? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// How the app is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    /// For those who use it, and for measurements.
    Release,
    /// For those who are about to build it again.
    Debug,
}

/// Builds the app with its window inside; where it is.
pub fn build_app(speed: Speed) -> Result<PathBuf> {
    build_ui()?;
    let mut build = vec![
        "build",
        "--package",
        "tulou",
        "--features",
        "tauri/custom-protocol",
    ];
    let folder = match speed {
        Speed::Release => {
            build.push("--release");
            "release"
        }
        Speed::Debug => "debug",
    };
    repo::finish(repo::cargo(&build))?;
    Ok(repo::target().join(folder).join("tulou"))
}

fn headless(app: &Path, arguments: &Arguments) -> Result<()> {
    let (width, height) = arguments.size;
    let display = Display::start(width, height)?;
    // Apart from the person's own Tulou, which may be running and owns its folder.
    let home = match std::env::var_os("TULOU_HOME") {
        Some(home) => PathBuf::from(home),
        None => repo::target().join("xtask/headless"),
    };
    fs::create_dir_all(&home)?;
    let mut command = display.session(app);
    command
        .args(&arguments.words)
        .env("TULOU_HOME", home)
        .env("TULOU_WINDOW_SIZE", format!("{width}x{height}"));
    let started = Instant::now();
    let mut app = Group::spawn(command)?;
    let picture = repo::root().join(&arguments.screenshot);
    if let Some(folder) = picture.parent() {
        fs::create_dir_all(folder)?;
    }
    let painted = display::wait(started + PAINTED_WITHIN, || {
        if let Some(status) = app.child.try_wait()? {
            bail!("the app ended before its window was painted ({status})");
        }
        let colours = display.screenshot(&picture)?;
        Ok((colours >= COLOURS_OF_A_PAINTED_WINDOW).then(|| started.elapsed()))
    })?;
    let Some(painted) = painted else {
        bail!(
            "the window was not painted within {} s; what was seen is in {}",
            PAINTED_WITHIN.as_secs(),
            picture.display()
        );
    };
    settle(&display, &picture)?;
    println!(
        "Painted after {} ms. Screenshot: {}",
        painted.as_millis(),
        picture.display()
    );
    Ok(())
}

/// Takes pictures until two in a row are the same.
fn settle(display: &Display, picture: &Path) -> Result<()> {
    let mut last = fs::read(picture)?;
    display::wait(Instant::now() + SETTLED_WITHIN, || {
        display.screenshot(picture)?;
        let now = fs::read(picture)?;
        let is_still = now == last;
        last = now;
        Ok(is_still.then_some(()))
    })?;
    Ok(())
}

/// A program and what it starts; all of them end with this value.
pub struct Group {
    child: Child,
}

impl Group {
    /// Starts a program in a process group of its own.
    pub fn spawn(mut command: Command) -> Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("start `{}`", repo::as_typed(&command)))?;
        Ok(Self { child })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A group that is gone already needs no signal.
        let _ = Command::new("kill")
            .args(["-TERM", "--", &format!("-{}", self.child.id())])
            .stderr(Stdio::null())
            .status();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_two_sensible_sides() {
        assert_eq!(size("1280x800"), Ok((1280, 800)));
        for wrong in ["1280", "x", "0x800", "1280x", "1280x800x2", "99999x800"] {
            assert!(size(wrong).is_err(), "{wrong} is no size");
        }
    }
}

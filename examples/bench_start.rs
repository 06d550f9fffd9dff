//! Measures the start: from exec to the painted timeline of the last topic, from a store with 1,000 topics and 200,000
//! messages; and the memory of the whole process tree, then, 10 s later, and with the webview destroyed. The same binary
//! with an empty window is measured beside it, then and 10 s later.

#[path = "bench/fill.rs"]
mod fill;
#[path = "../crates/client/examples/bench/load.rs"]
mod load;
#[path = "bench/process.rs"]
mod process;

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};
use load::load;

/// How often the app is started. The first start after filling is not counted.
const RUNS: usize = 7;
/// Topics of the store.
const TOPICS: usize = 1_000;
/// Messages of each.
const MESSAGES: usize = 200;
/// When memory is measured again.
const LATER: Duration = Duration::from_secs(10);
/// Without a window memory is measured after so long.
const QUIET: Duration = Duration::from_secs(3);
/// How long a start may take before something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Result<()> {
    let (runs, topics, messages) = load((RUNS, TOPICS, MESSAGES), (1, 3, 50));
    let later = load(LATER, Duration::ZERO);
    let (alone, quiet) = load((PATIENCE, QUIET), (Duration::from_secs(3), Duration::ZERO));
    let app = PathBuf::from(
        std::env::var_os("TULOU_APP")
            .context("TULOU_APP names the app; use `cargo xtask bench start`")?,
    );
    let folder = tempfile::Builder::new()
        .prefix("bench-start")
        .tempdir_in(app.parent().context("the app's folder")?)?;
    let home = folder.path().join("home");
    let filled = fill::fill(&home, &vec![messages; topics], None)?;
    eprintln!(
        "{} topics, {} messages of {}, median of {runs} starts, software rendering, {}",
        filled.topics.len(),
        topics * messages,
        filled.account,
        home.display()
    );

    let mut painted = Vec::new();
    let mut fresh = Vec::new();
    for run in 0..=runs {
        let mut started = Started::new(&app, &home, &[])?;
        let took = started.painted()?;
        if run > 0 {
            painted.push(took);
            fresh.push(process::pss_mib(started.child.id()));
        }
        started.end()?;
    }
    say("start.painted_ms", median(&mut painted), "ms");
    // One start that waits for something is lost in the median.
    let slowest = painted.iter().copied().fold(0.0, f64::max);
    say("start.painted_max_ms", slowest, "ms");
    eprintln!("painted: {painted:.0?}");
    say("start.pss_mib", median(&mut fresh), "MiB");

    let mut started = Started::new(&app, &home, &["--stay"])?;
    started.painted()?;
    std::thread::sleep(later);
    say(
        "start.pss_10s_mib",
        process::pss_mib(started.child.id()),
        "MiB",
    );
    let told = command(&app, &home, &["--closed"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if !told.success() {
        bail!("the window could not be closed");
    }
    let alone = Instant::now() + alone;
    while process::tree(started.child.id()).len() > 1 {
        if Instant::now() > alone {
            eprintln!("processes of the web view are still there");
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(quiet);
    say(
        "start.pss_closed_mib",
        process::pss_mib(started.child.id()),
        "MiB",
    );
    started.end()?;

    let bare = folder.path().join("bare");
    let mut empty = Vec::new();
    for run in 0..=runs {
        let mut started = Started::new(&app, &bare, &["--bare"])?;
        started.painted()?;
        if run > 0 {
            empty.push(process::pss_mib(started.child.id()));
        }
        started.end()?;
    }
    say("start.bare_pss_mib", median(&mut empty), "MiB");
    eprintln!("empty: {empty:.0?}");

    let mut started = Started::new(&app, &bare, &["--bare"])?;
    started.painted()?;
    std::thread::sleep(later);
    say(
        "start.bare_pss_10s_mib",
        process::pss_mib(started.child.id()),
        "MiB",
    );
    started.end()?;
    Ok(())
}

fn command(app: &Path, home: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(app);
    command
        .args(words)
        .env("TULOU_HOME", home)
        .env("TULOU_WINDOW_SIZE", "1280x800")
        .env("TULOU_LOG", "warn,tulou::painted=debug");
    command
}

/// A running app.
struct Started {
    child: Child,
    at: SystemTime,
    lines: Receiver<String>,
}

impl Started {
    fn new(app: &Path, home: &Path, words: &[&str]) -> Result<Self> {
        let at = SystemTime::now();
        let mut child = command(app, home, words)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("start the app")?;
        let written = child.stderr.take().context("read what the app says")?;
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(written).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, at, lines })
    }

    /// Milliseconds from exec to the first painted timeline.
    fn painted(&mut self) -> Result<f64> {
        let end = Instant::now() + PATIENCE;
        loop {
            let line = self
                .lines
                .recv_timeout(end.saturating_duration_since(Instant::now()))
                .context("wait for the paint")?;
            if let Some((_, rest)) = line.split_once("at_ms=") {
                let at: f64 = rest
                    .split_whitespace()
                    .next()
                    .unwrap_or_default()
                    .parse()
                    .context("read when it was painted")?;
                let from = self.at.duration_since(UNIX_EPOCH)?.as_secs_f64() * 1_000.0;
                return Ok(at - from);
            }
        }
    }

    fn end(mut self) -> Result<()> {
        Command::new("kill")
            .arg(self.child.id().to_string())
            .status()?;
        self.child.wait()?;
        Ok(())
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn say(name: &str, value: f64, unit: &str) {
    println!(
        "{}",
        serde_json::json!({"name": name, "value": value, "unit": unit})
    );
}

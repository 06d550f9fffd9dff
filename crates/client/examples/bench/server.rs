//! The server program, started for a measurement with other rates, its data on a real disk.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// More requests in a second than anybody makes.
const ANY: u32 = 1_000_000;

/// A running server. It ends with the value.
pub struct Server {
    /// `ws://127.0.0.1:…`
    pub address: String,
    _child: Child,
    /// Room for what a measurement keeps on the same disk.
    pub folder: TempDir,
}

impl Server {
    /// Starts the program that `TULOU_SERVER` names, or the one that was built beside this one. Its store is what lies at
    /// [`data`], if anything does. Each session may ask so much in a second; none: as much as it can.
    pub async fn start(folder: TempDir, requests_per_s: Option<u32>) -> Result<Self> {
        let requests_per_s = requests_per_s.unwrap_or(ANY);
        let program = program()?;
        let mut child = Command::new(&program)
            .args([
                "--listen",
                "127.0.0.1:0",
                "--registration",
                "open",
                "--log",
                "warn",
            ])
            .arg("--data")
            .arg(data(&folder))
            // The server would take them for settings.
            .env_remove("TULOU_SERVER")
            .env_remove("TULOU_APP")
            .env("TULOU_LIMITS__REQUESTS_PER_S", requests_per_s.to_string())
            .env(
                "TULOU_LIMITS__REQUESTS_BURST",
                requests_per_s.saturating_mul(2).to_string(),
            )
            .env("TULOU_LIMITS__MESSAGES_PER_10S", "10000000")
            .env("TULOU_SIGN_UPS_PER_ADDRESS", "1000000")
            .env("TULOU_SIGN_UPS_PER_HOUR", "1000000")
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let said = child.stdout.take().context("read what the server says")?;
        let mut lines = BufReader::new(said).lines();
        let address = timeout(PATIENCE, async {
            while let Some(line) = lines.next_line().await? {
                if let Some(address) = line.strip_prefix("listening ") {
                    return Ok(address.to_owned());
                }
                eprintln!("{line}");
            }
            bail!("the server ended")
        })
        .await
        .context("the server did not start in time")??;
        // What it says later has to be read: it ends when nobody hears it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self {
            address,
            _child: child,
            folder,
        })
    }
}

/// A folder for a server and what a measurement keeps on the same disk: not in /tmp, which may be kept in memory.
pub fn folder() -> Result<TempDir> {
    let program = program()?;
    let beside = program.parent().context("the server's folder")?;
    let made = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(beside)?;
    Ok(made)
}

/// Where in it the server's store lies.
pub fn data(folder: &TempDir) -> PathBuf {
    folder.path().join("server")
}

fn program() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("TULOU_SERVER") {
        return Ok(named.into());
    }
    let me = std::env::current_exe()?;
    let beside = me
        .ancestors()
        .nth(2)
        .map(|release| release.join("tulou-server"))
        .filter(|program| Path::exists(program));
    beside.context("build tulou-server, or name it in TULOU_SERVER")
}

/// Prints a measure as one JSON object a line.
pub fn print(name: &str, value: f64, unit: &str) {
    println!(
        "{}",
        serde_json::json!({"name": name, "value": value, "unit": unit})
    );
}

/// A percentile of some durations, in milliseconds.
pub fn percentile(samples: &mut [Duration], percent: usize) -> f64 {
    samples.sort_unstable();
    let at = (samples.len() * percent / 100).min(samples.len().saturating_sub(1));
    samples
        .get(at)
        .map_or(0.0, |sample| sample.as_secs_f64() * 1_000.0)
}

//! `tulou-server`: Tulou's server as a program.

mod moving;

use std::{
    io::IsTerminal,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Parser;
use serde::Serialize;
use tulou_server::{Config, Error, Hosted, backup::BackupError, store::StoreError};

/// Tulou's server. Settings come from defaults, then one TOML file, then TULOU_… of the environment, then flags.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    wish: Option<moving::Wish>,
    /// A TOML file with settings.
    #[arg(long, env = "TULOU_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// What is logged, for example `info` or `tulou_server=debug`.
    #[arg(long, env = "TULOU_LOG", default_value = "info", global = true)]
    log: String,
    /// Prints the configuration and ends.
    #[arg(long)]
    print_config: bool,
    #[command(flatten)]
    flags: Flags,
}

/// Settings that have a flag. One that is not given is left to the environment and the file.
#[derive(clap::Args, Serialize)]
struct Flags {
    /// The folder of the store.
    #[arg(long, global = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<PathBuf>,
    /// The server's name.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Where it listens, for example 127.0.0.1:4780. Port 0: any that is free.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<std::net::SocketAddr>,
    /// An address that invite links carry, for example wss://chat.example.org. May be given several times.
    #[arg(long = "address")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<String>,
    /// An authority's certificate with its chain, PEM. Without one the server makes its own.
    #[arg(long, requires = "key")]
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<PathBuf>,
    /// The certificate's private key, PEM.
    #[arg(long, requires = "certificate")]
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<PathBuf>,
    /// Does not announce the server in the local network.
    #[arg(long = "no-announce", action = clap::ArgAction::SetFalse)]
    #[serde(skip_serializing_if = "is_unsaid")]
    announce: bool,
    /// Who may register: open, invite or closed.
    #[arg(long, value_parser = ["open", "invite", "closed"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    registration: Option<String>,
}

/// Whether nothing was said about announcing.
const fn is_unsaid(announce: &bool) -> bool {
    *announce
}

/// What the program ends with when the store is why. Scripts tell by it what to do.
mod code {
    /// Anything else went wrong.
    pub const FAILED: u8 = 1;
    /// The store was written by a newer version.
    pub const NEWER: u8 = 3;
    /// The store is damaged.
    pub const DAMAGED: u8 = 4;
    /// Another program works in the folder.
    pub const IN_USE: u8 = 5;
    /// A part of the server broke while it ran; the log says how. It may be started again.
    pub const BROKEN: u8 = 6;
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tulou-server: {}", told(&error));
            ExitCode::from(code_of(&error))
        }
    }
}

/// What the store says in an error.
fn of_store(error: &anyhow::Error) -> Option<&StoreError> {
    error.chain().find_map(|cause| {
        if let Some(Error::Store(error)) = cause.downcast_ref() {
            return Some(error);
        }
        if let Some(BackupError::Store(error)) = cause.downcast_ref() {
            return Some(error);
        }
        cause.downcast_ref::<StoreError>()
    })
}

fn is_broken(cause: &(dyn std::error::Error + 'static)) -> bool {
    matches!(cause.downcast_ref(), Some(Error::Broken(_)))
}

fn code_of(error: &anyhow::Error) -> u8 {
    let of_store = of_store(error);
    if let Some(StoreError::Newer { .. }) = of_store {
        code::NEWER
    } else if let Some(StoreError::Damaged { .. } | StoreError::Lost { .. }) = of_store {
        code::DAMAGED
    } else if let Some(StoreError::InUse(_)) = of_store {
        code::IN_USE
    } else if error.chain().any(is_broken) {
        code::BROKEN
    } else {
        code::FAILED
    }
}

/// An error with its causes in one line, each said once: some name their cause themselves.
fn told(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        let lines: Vec<&str> = cause.lines().map(str::trim).collect();
        // Of a drawing of the place nothing is left in one line; it is named beside it.
        let is_drawn = |line: &str| {
            line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ')
                .starts_with('|')
        };
        let said: Vec<&str> = lines
            .into_iter()
            .filter(|line| !line.is_empty() && !is_drawn(line))
            .collect();
        let cause = said.join(", ");
        if !told.contains(&cause) {
            if !told.is_empty() {
                told.push_str(": ");
            }
            told.push_str(&cause);
        }
    }
    told
}

/// What goes wrong with a folder or its files names the folder.
fn in_folder(error: anyhow::Error, folder: &Path) -> anyhow::Error {
    match of_store(&error) {
        Some(StoreError::Folder(_) | StoreError::Engine(_)) => {
            error.context(folder.display().to_string())
        }
        Some(_) | None => error,
    }
}

/// Prints a line for whoever started the server. That nobody reads it is no reason not to serve.
fn say(line: std::fmt::Arguments<'_>) {
    use std::io::Write;
    // Nobody reads along.
    let _ = writeln!(std::io::stdout(), "{line}");
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(
            arguments
                .log
                .parse::<tracing_subscriber::EnvFilter>()
                .context("read --log")?,
        )
        .with_writer(std::io::stderr)
        // A file or a journal shows colours as rubbish.
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let config =
        Config::read(arguments.config.as_deref(), &arguments.flags).map_err(Error::Config)?;
    if let Some(wish) = arguments.wish {
        let folder = config.data.clone();
        let granted = tokio::task::spawn_blocking(move || wish.grant(&config)).await?;
        return granted.map_err(|error| in_folder(error, &folder));
    }
    say(format_args!("configuration {}", config.describe()));
    if arguments.print_config {
        return Ok(());
    }
    let folder = config.data.clone();
    let mut hosted = Hosted::start(config)
        .await
        .map_err(|error| in_folder(error.into(), &folder))?;
    let address = hosted.address();
    let scheme = if address.ip().is_loopback() {
        "ws"
    } else {
        "wss"
    };
    say(format_args!(
        "listening {scheme}://{address}{}",
        whole(address)
    ));
    for address in hosted.app().addresses() {
        say(format_args!("reached at {address}"));
    }
    if let Some(key) = hosted.app().key() {
        say(format_args!("key {key}"));
    }
    tracing::info!(server.id = %hosted.server(), "the server listens");
    tokio::select! {
        ended = hosted.ended() => ended.context("serve")?,
        signal = told_to_stop() => {
            signal.context("listen for signals")?;
            tracing::info!("the server stops");
            hosted.stop().await;
        }
    }
    Ok(())
}

/// What a listener that is nowhere in particular means.
const fn whole(address: SocketAddr) -> &'static str {
    match address.ip() {
        IpAddr::V6(ip) if ip.is_unspecified() => " (every address of this computer, IPv4 too)",
        IpAddr::V4(ip) if ip.is_unspecified() => " (every IPv4 address of this computer)",
        IpAddr::V4(_) | IpAddr::V6(_) => "",
    }
}

#[cfg(unix)]
async fn told_to_stop() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn told_to_stop() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

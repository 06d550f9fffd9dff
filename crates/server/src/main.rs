//! `tulou-server`: Tulou's server as a program.

use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use serde::Serialize;
use tulou_server::{Config, Hosted};

/// Tulou's server. Settings come from defaults, then one TOML file, then TULOU_… of the environment, then flags.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// A TOML file with settings.
    #[arg(long, env = "TULOU_CONFIG")]
    config: Option<PathBuf>,
    /// What is logged, for example `info` or `tulou_server=debug`.
    #[arg(long, env = "TULOU_LOG", default_value = "info")]
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
    #[arg(long)]
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
    /// Who may register: open, invite or closed.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    registration: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            arguments
                .log
                .parse::<tracing_subscriber::EnvFilter>()
                .context("read --log")?,
        )
        .with_writer(std::io::stderr)
        .init();
    let config = Config::read(arguments.config.as_deref(), &arguments.flags)?;
    println!("configuration {}", config.describe());
    if arguments.print_config {
        return Ok(());
    }
    let mut hosted = Hosted::start(config).await?;
    println!("listening ws://{}", hosted.address());
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

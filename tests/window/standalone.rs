//! The server as a program of its own.

use std::{path::Path, process::Stdio};

use tokio::process::{Child, Command};

use crate::driver::until;

/// A running `tulou-server`.
pub struct Server {
    process: Child,
}

impl Server {
    /// Starts it on a folder and an address, and waits until it listens.
    pub async fn start(folder: &Path, address: &str) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_tulou")).with_file_name("tulou-server");
        let process = Command::new(&program)
            .arg("--data")
            .arg(folder)
            .arg("--listen")
            .arg(address)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} starts: {error}", program.display()));
        until("the server's port", async || {
            tokio::net::TcpStream::connect(address).await.ok()
        })
        .await;
        Self { process }
    }

    /// Kills it the hard way.
    pub async fn kill(&mut self) {
        self.process.kill().await.expect("the server was running");
    }
}

//! The server as a program of its own.

use std::{path::Path, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::driver::until;

/// A running `tulou-server`.
pub struct Server {
    process: Child,
    /// Kept open, so that what it says goes somewhere.
    _says: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts it on a folder and an address, and waits until it listens. The address may still belong to a program
    /// that was just killed: it is gone from the list of processes before its sockets are closed.
    pub async fn start(folder: &Path, address: &str) -> Self {
        until("a server that listens", async || {
            Self::try_start(folder, address).await
        })
        .await
    }

    async fn try_start(folder: &Path, address: &str) -> Option<Self> {
        let program = Path::new(env!("CARGO_BIN_EXE_tulou")).with_file_name("tulou-server");
        let mut process = Command::new(&program)
            .arg("--data")
            .arg(folder)
            .arg("--listen")
            .arg(address)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} starts: {error}", program.display()));
        let mut says = BufReader::new(process.stdout.take()?).lines();
        while let Some(line) = says.next_line().await.ok()? {
            if line.starts_with("listening ") {
                return Some(Self {
                    process,
                    _says: says,
                });
            }
        }
        None
    }

    /// Kills it the hard way.
    pub async fn kill(&mut self) {
        self.process.kill().await.expect("the server was running");
    }
}

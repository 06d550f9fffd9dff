//! The server and people as programs of their own.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::Instant,
};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at a program that has no way to tell of changes.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Waits until something holds; what is there instead is told.
pub async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match probe().await {
            Ok(found) => return found,
            Err(instead) => assert!(Instant::now() < deadline, "not in time: {what}: {instead}"),
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// The program `tulou-server`.
pub struct Server {
    data: PathBuf,
    pub address: SocketAddr,
    reached_at: Option<String>,
    process: Option<(Child, Lines<BufReader<ChildStdout>>)>,
}

impl Server {
    pub async fn start(data: &Path, listen: SocketAddr) -> Self {
        let mut server = Self {
            data: data.to_owned(),
            address: listen,
            reached_at: None,
            process: None,
        };
        server.restart().await;
        server
    }

    pub fn is_reached_at(&mut self, address: &str) {
        self.reached_at = Some(address.to_owned());
    }

    /// Starts it, again if need be. The address may still belong to a program that was just killed.
    pub async fn restart(&mut self) {
        self.kill().await;
        until("the server listens", async || {
            let mut process = self
                .command()
                .spawn()
                .map_err(|error| format!("{error}; build it first: cargo build -p tulou-server"))?;
            let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(address) = line.strip_prefix("listening ws://") {
                    self.address = address.parse().unwrap();
                    self.process = Some((process, lines));
                    return Ok(());
                }
            }
            Err("it ended".to_owned())
        })
        .await;
    }

    /// The command that starts it.
    pub fn command(&self) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_tulou-person")).with_file_name("tulou-server");
        let mut command = Command::new(program);
        command
            .args(["--registration", "open", "--log", "warn", "--listen"])
            .arg(self.address.to_string())
            .arg("--data")
            .arg(&self.data)
            // The server would take it for a setting.
            .env_remove("TULOU_SEED")
            .env("TULOU_LIMITS__REQUESTS_PER_S", "100000")
            .env("TULOU_LIMITS__REQUESTS_BURST", "100000")
            .env("TULOU_LIMITS__MESSAGES_PER_10S", "100000")
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        if let Some(address) = &self.reached_at {
            command.arg("--address").arg(address);
        }
        command
    }

    /// The process, which runs.
    pub fn id(&self) -> u32 {
        let (process, _) = self.process.as_ref().unwrap();
        process.id().unwrap()
    }

    /// Ends it without warning.
    pub async fn kill(&mut self) {
        if let Some((mut process, _)) = self.process.take() {
            process.kill().await.unwrap();
        }
    }
}

/// The program `tulou-person`.
pub struct Person {
    folder: PathBuf,
    process: Child,
    asks: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
}

impl Person {
    pub async fn start(folder: PathBuf) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_tulou-person"))
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let asks = process.stdin.take().unwrap();
        let says = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut person = Self {
            folder,
            process,
            asks,
            says,
        };
        person.ask(json!(["state"])).await.unwrap();
        person
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.process.id().unwrap()
    }

    /// Ends it without warning.
    pub async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    pub async fn restart(&mut self) {
        *self = Self::start(self.folder.clone()).await;
    }

    /// Asks for something; the code if it is refused.
    pub async fn ask(&mut self, wish: Value) -> Result<Value, String> {
        self.asks
            .write_all(format!("{wish}\n").as_bytes())
            .await
            .unwrap();
        let answer = tokio::time::timeout(PATIENCE, self.says.next_line()).await;
        let line = answer
            .unwrap_or_else(|_| panic!("no answer in time to {wish}"))
            .unwrap()
            .unwrap_or_else(|| panic!("the person ended at {wish}"));
        let answer: Value = serde_json::from_str(&line).unwrap();
        match answer.get("ok") {
            Some(done) => Ok(done.clone()),
            None => Err(answer["error"].as_str().unwrap_or_default().to_owned()),
        }
    }

    /// Waits until the link is complete and nothing waits.
    pub async fn settled(&mut self) {
        until("everything is settled", async || {
            let state = self.ask(json!(["state"])).await.unwrap();
            if state["isSynced"] == true && state["waiting"] == 0 {
                return Ok(());
            }
            assert_eq!(state["isSignedOut"], false, "the token was kept");
            self.ask(json!(["hurry"])).await.unwrap();
            Err(state.to_string())
        })
        .await;
    }
}

//! The server that this computer hosts. Once begun it starts with the app, every time.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tulou_client::view::HostingView;
use tulou_protocol::id::ServerId;
use tulou_server::{Config, Hosted};

use crate::error::WindowError;

/// The port that is tried first.
const PORT: u16 = 4780;

/// The server that this computer hosts.
pub struct Hosting {
    folder: PathBuf,
    running: Mutex<Option<Hosted>>,
}

/// What has to be known to start the server again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Wish {
    /// The server's name.
    name: String,
    /// The port its accounts know it by.
    port: u16,
}

impl Hosting {
    /// The server whose data is in `folder`. Nothing starts yet.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self {
            folder,
            running: Mutex::new(None),
        }
    }

    /// Starts the server if it was begun on an earlier day.
    pub async fn resume(&self) -> Result<(), WindowError> {
        let mut running = self.running.lock().await;
        if running.is_none()
            && let Some(wish) = Wish::read(&self.folder).map_err(|error| unkept(&error))?
        {
            *running = Some(self.start(&wish).await?);
        }
        Ok(())
    }

    /// Starts the server now and at each start from here on; its address. A server that runs already stays as it is.
    pub async fn begin(&self, name: &str) -> Result<String, WindowError> {
        let mut running = self.running.lock().await;
        let hosted = match running.take() {
            Some(hosted) => hosted,
            None => {
                let wished = Wish {
                    name: name.to_owned(),
                    port: free_port(),
                };
                let hosted = self.start(&wished).await?;
                let wish = Wish {
                    port: hosted.address().port(),
                    ..wished
                };
                wish.write(&self.folder).map_err(|error| unkept(&error))?;
                hosted
            }
        };
        let address = address_of(hosted.address());
        *running = Some(hosted);
        Ok(address)
    }

    /// The running server's id.
    pub async fn server(&self) -> Option<ServerId> {
        self.running.lock().await.as_ref().map(Hosted::server)
    }

    /// What the settings say about it.
    pub async fn view(&self, administrator: Option<String>) -> Option<HostingView> {
        let running = self.running.lock().await;
        let hosted = running.as_ref()?;
        Some(HostingView {
            account: administrator,
            addresses: vec![address_of(hosted.address())],
            folder: self.folder.to_string_lossy().into_owned(),
        })
    }

    /// Stops the server until the next start.
    pub async fn end(&self) {
        if let Some(hosted) = self.running.lock().await.take() {
            hosted.stop().await;
        }
    }

    async fn start(&self, wish: &Wish) -> Result<Hosted, WindowError> {
        let config = Config {
            data: self.folder.clone(),
            name: wish.name.clone(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, wish.port)),
            ..Config::default()
        };
        Hosted::start(config).await.map_err(|error| WindowError {
            code: "host_failed".to_owned(),
            message: format!("start the server on this computer: {error}"),
            rejection: None,
        })
    }
}

impl Wish {
    fn path(folder: &Path) -> PathBuf {
        folder.join("hosting.json")
    }

    fn read(folder: &Path) -> io::Result<Option<Self>> {
        match fs::read(Self::path(folder)) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes beside the place and moves into it: a crash leaves the whole old file or the whole new one.
    fn write(&self, folder: &Path) -> io::Result<()> {
        let path = Self::path(folder);
        let beside = path.with_extension("json.new");
        fs::create_dir_all(folder)?;
        let file = fs::File::create(&beside)?;
        serde_json::to_writer_pretty(&file, self)?;
        file.sync_all()?;
        fs::rename(beside, path)
    }
}

/// The usual port, or any when something else listens there.
fn free_port() -> u16 {
    match std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, PORT)) {
        Ok(_) => PORT,
        Err(_) => 0,
    }
}

fn address_of(address: SocketAddr) -> String {
    format!("ws://{address}")
}

fn unkept(error: &io::Error) -> WindowError {
    WindowError {
        code: "storage".to_owned(),
        message: format!("keep that this computer hosts a server: {error}"),
        rejection: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("server");
        assert_eq!(Wish::read(&inside).unwrap(), None, "nothing was begun");
        let wish = Wish {
            name: "土楼".into(),
            port: 4780,
        };
        wish.write(&inside).unwrap();
        assert_eq!(Wish::read(&inside).unwrap(), Some(wish));
    }

    #[tokio::test]
    async fn a_server_that_was_begun_starts_again_with_its_id_and_address() {
        let folder = tempfile::tempdir().unwrap();
        let first = Hosting::in_folder(folder.path().join("server"));
        let address = first.begin("A house").await.unwrap();
        let again = first.begin("Another name").await.unwrap();
        assert_eq!(address, again, "one computer hosts one server");
        let server = first.server().await;
        first.end().await;
        assert_eq!(first.server().await, None, "it was stopped");

        let second = Hosting::in_folder(folder.path().join("server"));
        assert_eq!(second.view(None).await, None, "nothing runs before resume");
        second.resume().await.unwrap();
        assert_eq!(
            second.server().await,
            server,
            "accounts are named by the server's id"
        );
        let view = second.view(None).await.unwrap();
        assert_eq!(view.addresses, [address]);
        second.end().await;
    }
}

//! A server that runs inside a program: the app hosts one, tests host many.

use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tulou_protocol::ServerId;

use crate::{
    App, Config, Error,
    announce::Announced,
    backup::{Daily, Shelf},
    serve,
    start::Around,
};

/// A running server. Stop it with [`Hosted::stop`]; dropped, it stops by itself some time later.
pub struct Hosted {
    app: App,
    address: SocketAddr,
    stopping: CancellationToken,
    over: CancellationToken,
    served: Option<JoinHandle<Result<(), Error>>>,
    /// Kept for as long as it is made known in the local network.
    _announced: Option<Announced>,
}

impl Hosted {
    /// Opens the store, listens, and serves. With port 0 it listens at any that is free.
    ///
    /// # Errors
    /// If the store cannot be used or the address is taken.
    pub async fn start(config: Config) -> Result<Self, Error> {
        Self::start_over(config, Around::default()).await
    }

    /// Starts over what may be laid around its own.
    async fn start_over(config: Config, around: Around<'_>) -> Result<Self, Error> {
        let at = config.listen;
        let failed = |source| Error::Listen {
            address: at,
            source,
        };
        let listener = listen(at)
            .or_else(|error| without_ipv6(at, error))
            .map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let app = App::open_over(config, around).await?;
        if let Some(folder) = app.config().backups.clone() {
            let shelf = Shelf::in_folder(folder);
            app.keep("what makes backups", move |app| {
                Daily::new(app, shelf.clone()).run()
            });
        }
        app.listens_at(address);
        let announced = app
            .key()
            .filter(|_| app.config().announce)
            .and_then(|key| Announced::begin(app.identity().server, key, address));
        let stopping = CancellationToken::new();
        let serving = tokio::spawn(serve(
            listener,
            app.clone(),
            stopping.clone().cancelled_owned(),
        ));
        let (over, serves) = (CancellationToken::new(), app.clone());
        let is_over = over.clone().drop_guard();
        let served = tokio::spawn(async move {
            let ended = match serving.await {
                Ok(ended) => ended,
                Err(error) => {
                    tracing::error!(%error, "what serves connections broke");
                    serves.break_off(SERVES);
                    serves.close().await;
                    Err(Error::Broken(SERVES))
                }
            };
            drop(is_over);
            ended
        });
        Ok(Self {
            app,
            address,
            stopping,
            over,
            served: Some(served),
            _announced: announced,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its id.
    #[must_use]
    pub fn server(&self) -> ServerId {
        self.app.identity().server
    }

    /// The server itself.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Ends the sessions and closes the store.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        if let Some(served) = self.served.take() {
            match served.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the server did not end well"),
                Err(error) => tracing::error!(%error, "the server's task broke"),
            }
        }
    }

    /// Hears that it has ended, for whatever reason.
    #[must_use]
    pub fn watch_end(&self) -> CancellationToken {
        self.over.clone()
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.over.is_cancelled()
    }

    /// Until it ends by itself, which it does only when something broke.
    ///
    /// # Errors
    /// What broke.
    pub async fn ended(&mut self) -> Result<(), Error> {
        match &mut self.served {
            Some(served) => served.await.unwrap_or(Err(Error::Broken(SERVES))),
            None => Ok(()),
        }
    }
}

/// What broke if connections are not served any more.
const SERVES: &str = "what serves connections";
/// Connections that wait in the system's queue.
const QUEUE: i32 = 1_024;

/// Listens at an address; at `[::]` for IPv4, too, whatever the system's habit is.
fn listen(at: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, None)?;
    if at.is_ipv6() && at.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    // A server that comes back takes its port although old connections linger there. On Windows it would be more.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&at.into())?;
    socket.listen(QUEUE)?;
    TcpListener::from_std(socket.into())
}

/// "Everywhere" on a system without IPv6 is everywhere by IPv4.
fn without_ipv6(at: SocketAddr, error: std::io::Error) -> std::io::Result<TcpListener> {
    let has_ipv6 = || Socket::new(Domain::IPV6, Type::STREAM, None).is_ok();
    let is_missing = error.kind() == std::io::ErrorKind::AddrNotAvailable || !has_ipv6();
    if at.is_ipv6() && at.ip().is_unspecified() && is_missing {
        return listen(SocketAddr::from((Ipv4Addr::UNSPECIFIED, at.port())));
    }
    Err(error)
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use tokio::sync::Notify;
    use tulou_protocol::AccountId;
    use uuid::Uuid;

    use super::*;
    use crate::store::{Batch, Bus, NewAccount};

    const DEADLINE: Duration = Duration::from_secs(30);

    fn config(folder: &tempfile::TempDir) -> Config {
        Config {
            data: folder.path().to_owned(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            announce: false,
            ..Config::default()
        }
    }

    /// A bus that panics with the first commit.
    struct Breaking;

    impl Bus for Breaking {
        fn publish(&self, _: Batch) {
            panic!("a test breaks the bus");
        }
    }

    #[tokio::test]
    async fn a_server_whose_writer_panics_ends_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let mut hosted = Hosted::start_over(config(&folder), Around::bus(|_| Arc::new(Breaking)))
            .await
            .unwrap();
        let over = hosted.watch_end();
        assert!(!over.is_cancelled());
        let made = hosted.app().store().create_account(NewAccount {
            id: AccountId(Uuid::now_v7()),
            name: "alice".to_owned(),
            display_name: "alice".to_owned(),
            password: "hash".to_owned(),
            codes: Vec::new(),
            unless_first: None,
            invite: None,
            now: hosted.app().now(),
        });
        let _ = made.await;
        let ended = tokio::time::timeout(DEADLINE, hosted.ended()).await;
        let error = ended.expect("it ends").unwrap_err();
        assert!(matches!(error, Error::Broken(_)), "{error}");
        assert_eq!(error.code(), "broken");
        assert!(over.is_cancelled(), "whoever hosts it hears of it");
    }

    #[tokio::test]
    async fn a_part_that_panics_begins_again_and_one_that_is_done_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let hosted = Hosted::start(config(&folder)).await.unwrap();
        let (runs, again) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (counted, told) = (runs.clone(), again.clone());
        hosted.app().keep("what a test breaks", move |_| {
            let run = counted.fetch_add(1, Ordering::SeqCst);
            let told = told.clone();
            async move {
                assert!(run >= 2, "a test breaks it");
                told.notify_one();
            }
        });
        let begun = tokio::time::timeout(DEADLINE, again.notified()).await;
        assert!(begun.is_ok(), "it goes on after it broke twice");
        hosted.stop().await;
        assert_eq!(runs.load(Ordering::SeqCst), 3, "and ends when it is done");
    }
}

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
};

/// A running server. Stop it with [`Hosted::stop`]; dropped, it stops by itself some time later.
pub struct Hosted {
    app: App,
    address: SocketAddr,
    stopping: CancellationToken,
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
        let at = config.listen;
        let failed = |source| Error::Listen {
            address: at,
            source,
        };
        let listener = listen(at)
            .or_else(|error| without_ipv6(at, error))
            .map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let app = App::open(config).await?;
        if let Some(folder) = app.config().backups.clone() {
            let shelf = Shelf::in_folder(folder);
            tokio::spawn(Daily::new(app.clone(), shelf).run());
        }
        app.listens_at(address);
        let announced = app
            .key()
            .filter(|_| app.config().announce)
            .and_then(|key| Announced::begin(app.identity().server, key, address));
        let stopping = CancellationToken::new();
        let served = tokio::spawn(serve(
            listener,
            app.clone(),
            stopping.clone().cancelled_owned(),
        ));
        Ok(Self {
            app,
            address,
            stopping,
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

    /// Until it ends by itself, which it does only when something broke.
    ///
    /// # Errors
    /// What broke.
    pub async fn ended(&mut self) -> Result<(), Error> {
        match &mut self.served {
            Some(served) => served.await.unwrap_or(Ok(())),
            None => Ok(()),
        }
    }
}

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

//! Connections that were let in: each speaks HTTP until it becomes a WebSocket. A head has to come within a time, and what
//! follows it within that of its route ([`super::bounds`]), so that nobody holds a connection open by saying little; and one
//! address has so many at a time.

use std::{future::Future, net::IpAddr, pin::pin, time::Duration};

use axum::{Extension, Router, extract::ConnectInfo, serve::Listener};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};

use super::peer::Visitor;
use crate::{doors::Doors, sockets::Open};

/// Requests that are being answered when the server stops have so long.
const FAREWELL: Duration = Duration::from_secs(5);

/// What serves connections.
pub struct Connections {
    router: Router,
    http: auto::Builder<TokioExecutor>,
    admit: Box<dyn Fn(IpAddr) -> Option<Open> + Send>,
}

impl Connections {
    /// Each request's head has to come within `patience`, also that of the next one on a connection. Whom `admit` gives
    /// nothing is turned away.
    pub fn new(
        router: Router,
        patience: Duration,
        admit: impl Fn(IpAddr) -> Option<Open> + Send + 'static,
    ) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new()).http1_only();
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(patience);
        Self {
            router,
            http,
            admit: Box::new(admit),
        }
    }

    /// Serves until `shutdown`, then lets those that are being answered finish.
    pub async fn serve(self, mut doors: Doors, shutdown: impl Future<Output = ()> + Send) {
        let open = GracefulShutdown::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let (stream, peer) = tokio::select! {
                let_in = doors.accept() => let_in,
                () = &mut shutdown => break,
            };
            let Some(open_one) = (self.admit)(peer.ip()) else {
                continue;
            };
            let visitor = Extension(ConnectInfo(Visitor::from(peer)));
            let service = TowerToHyperService::new(self.router.clone().layer(visitor));
            let connection = self
                .http
                .serve_connection_with_upgrades(TokioIo::new(stream), service)
                .into_owned();
            let connection = open.watch(connection);
            tokio::spawn(async move {
                // Who breaks off, or is too slow, has nothing to be told.
                let _ = connection.await;
                drop(open_one);
            });
        }
        drop(doors);
        let _ = tokio::time::timeout(FAREWELL, open.shutdown()).await;
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        sync::oneshot,
    };

    use std::sync::Arc;

    use super::*;
    use crate::{Config, certificate::Certificate, sockets::Sockets};

    /// No answer takes longer, even on a loaded machine.
    const DEADLINE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_request_whose_head_trickles_in_is_dropped_and_others_are_answered_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        let tls = Certificate::open(&config).unwrap().tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/health", get(|| async { "ok" }));
        let everybody = Arc::new(Sockets::few(1));
        let admit = move |_| everybody.open(None);
        let connections = Connections::new(router, Duration::from_millis(300), admit);
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(connections.serve(Doors::new(listener, tls), async {
            let _ = stopped.await;
        }));

        let mut slow = Vec::new();
        for _ in 0..40 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream
                .write_all(b"GET /health HTTP/1.1\r\nHo")
                .await
                .unwrap();
            slow.push(stream);
        }
        let mut quick = TcpStream::connect(address).await.unwrap();
        quick
            .write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        let read = tokio::time::timeout(DEADLINE, quick.read_to_string(&mut answer)).await;
        read.unwrap().unwrap();
        assert!(
            answer.ends_with("ok"),
            "nobody waits for the slow: {answer}"
        );
        for mut stream in slow {
            let mut answer = Vec::new();
            let ended = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await;
            assert!(ended.is_ok(), "the slow one is dropped");
        }
        stop.send(()).unwrap();
        tokio::time::timeout(DEADLINE, serving)
            .await
            .unwrap()
            .unwrap();
    }

    #[tokio::test]
    async fn an_address_has_so_many_connections_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        let tls = Certificate::open(&config).unwrap().tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/health", get(|| async { "ok" }));
        let visits = Arc::new(Sockets::few(2));
        let admit = move |_| visits.open("203.0.113.7".parse().ok());
        let connections = Connections::new(router, DEADLINE, admit);
        let serving = connections.serve(Doors::new(listener, tls), std::future::pending());
        let serving = tokio::spawn(serving);
        let visit = async || {
            let mut stream = TcpStream::connect(address).await.unwrap();
            // Whoever was turned away may notice it here.
            let _ = stream
                .write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                .await;
            let mut answer = [0; 512];
            let read = tokio::time::timeout(DEADLINE, stream.read(&mut answer)).await;
            let is_answered = matches!(read.unwrap(), Ok(1..));
            is_answered.then_some(stream)
        };
        let held = [visit().await, visit().await];
        assert!(held.iter().all(Option::is_some), "so many are answered");
        assert!(visit().await.is_none(), "one more is turned away");
        drop(held);
        let end = tokio::time::Instant::now() + DEADLINE;
        while visit().await.is_none() {
            assert!(tokio::time::Instant::now() < end, "others have its place");
        }
        serving.abort();
    }
}

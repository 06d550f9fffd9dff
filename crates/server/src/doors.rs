//! Where connections come in: TLS from everywhere, plain only from this computer (DESIGN §7).
//!
//! Both come to the same port; the first byte tells them apart. Whoever says nothing, talks plain from outside, or does
//! not get through the handshake is turned away within [`PATIENCE`], and nobody else waits for it: there is a bound on
//! those at the door in all, and a smaller one for each network, so that one visitor cannot keep the others out.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::serve::Listener;
use rustls::ServerConfig;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::{Id, JoinSet},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::either::Either;

/// How long anybody may stand at the door.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Those who may stand at the door at the same time; the next ones wait in the system's queue.
const MOST: usize = 512;
/// Of these, from one network other than this computer; more are turned away.
const MOST_OF_ONE: usize = 32;
/// How often it is logged that somebody was turned away.
const LOG_EVERY: Duration = Duration::from_secs(60);
/// The wait after the system would not hand out a connection, for want of file handles, say.
const BREATH: Duration = Duration::from_secs(1);
/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// What a browser or a proxy is told that talks plain from outside.
const SPEAK_TLS: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 54\r\n\
    Connection: close\r\n\r\nThis server is reached over TLS only (https or wss).\r\n";

/// A connection that was let in.
pub type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Where connections come in.
pub struct Doors {
    listener: TcpListener,
    tls: TlsAcceptor,
    patience: Duration,
    at_the_door: JoinSet<Result<Stream, TurnedAway>>,
    from: HashMap<Id, SocketAddr>,
    tally: Tally,
}

/// Why somebody was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum TurnedAway {
    /// Plain text from outside.
    Plain,
    /// The handshake failed: not TLS, too old, or the client does not trust the key.
    Failed,
    /// It took too long.
    Slow,
    /// It went away without a word.
    Gone,
    /// Too many from its network are at the door.
    Crowded,
}

/// Those turned away since it was last logged.
#[derive(Debug, Default)]
struct Tally {
    plain: u32,
    failed: u32,
    slow: u32,
    crowded: u32,
    logged: Option<Instant>,
}

impl Doors {
    /// Doors at a listener.
    #[must_use]
    pub fn new(listener: TcpListener, tls: Arc<ServerConfig>) -> Self {
        Self {
            listener,
            tls: tls.into(),
            patience: PATIENCE,
            at_the_door: JoinSet::new(),
            from: HashMap::new(),
            tally: Tally::default(),
        }
    }

    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) {
        let network = network(peer.ip());
        let of_it = self
            .from
            .values()
            .filter(|other| self::network(other.ip()) == network)
            .count();
        if !is_here(peer) && of_it >= MOST_OF_ONE {
            return self.tally.count(TurnedAway::Crowded);
        }
        let (tls, patience) = (self.tls.clone(), self.patience);
        let task = self.at_the_door.spawn(async move {
            match tokio::time::timeout(patience, open(stream, peer, &tls)).await {
                Ok(opened) => opened,
                Err(_) => Err(TurnedAway::Slow),
            }
        });
        self.from.insert(task.id(), peer);
    }
}

impl Listener for Doors {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                Some(done) = self.at_the_door.join_next_with_id() => match done {
                    Ok((id, opened)) => {
                        let peer = self.from.remove(&id);
                        match (opened, peer) {
                            (Ok(stream), Some(peer)) => return (stream, peer),
                            (Err(why), _) => self.tally.count(why),
                            (Ok(_), None) => {}
                        }
                    }
                    Err(error) => {
                        self.from.remove(&error.id());
                        tracing::error!(%error, "a handshake broke");
                    }
                },
                accepted = self.listener.accept(), if self.at_the_door.len() < MOST => match accepted {
                    Ok((stream, peer)) => self.admit(stream, canonical(peer)),
                    Err(error) if is_theirs(&error) => {}
                    Err(error) => {
                        tracing::error!(%error, "no connection can be taken for a moment");
                        tokio::time::sleep(BREATH).await;
                    }
                },
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

async fn open(
    stream: TcpStream,
    peer: SocketAddr,
    tls: &TlsAcceptor,
) -> Result<Stream, TurnedAway> {
    // Frames are small and each is written whole.
    let _ = stream.set_nodelay(true);
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) => {}
        Ok(_) | Err(_) => return Err(TurnedAway::Gone),
    }
    if first[0] == HANDSHAKE {
        return match tls.accept(stream).await {
            Ok(stream) => Ok(Either::Right(Box::new(stream))),
            Err(_) => Err(TurnedAway::Failed),
        };
    }
    if is_here(peer) {
        return Ok(Either::Left(stream));
    }
    let mut stream = stream;
    if first[0].is_ascii_uppercase() {
        // It looks like HTTP. Who does not read the answer misses nothing else.
        let _ = stream.write_all(SPEAK_TLS).await;
        let _ = stream.shutdown().await;
        return Err(TurnedAway::Plain);
    }
    Err(TurnedAway::Failed)
}

impl Tally {
    fn count(&mut self, why: TurnedAway) {
        match why {
            TurnedAway::Plain => self.plain += 1,
            TurnedAway::Failed => self.failed += 1,
            TurnedAway::Slow => self.slow += 1,
            TurnedAway::Crowded => self.crowded += 1,
            // Port scanners and health checks do so all the time.
            TurnedAway::Gone => return,
        }
        if self.logged.is_some_and(|at| at.elapsed() < LOG_EVERY) {
            return;
        }
        tracing::warn!(
            unencrypted = self.plain,
            failed_handshakes = self.failed,
            too_slow = self.slow,
            too_many_of_one_network = self.crowded,
            "connections were not let in"
        );
        *self = Self {
            logged: Some(Instant::now()),
            ..Self::default()
        };
    }
}

/// Whether a connection comes from this computer.
#[must_use]
pub fn is_here(peer: SocketAddr) -> bool {
    peer.ip().to_canonical().is_loopback()
}

/// An IPv4 address that came to an IPv6 socket, as what it is.
fn canonical(peer: SocketAddr) -> SocketAddr {
    SocketAddr::new(peer.ip().to_canonical(), peer.port())
}

/// One visitor: an IPv4 address, or a network of IPv6, in which one computer has all addresses it likes.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// Whether it was the visitor who broke off.
fn is_theirs(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::{Config, certificate::Certificate};

    const AWAY: &str = "192.0.2.7:999";

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dialled = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        (dialled, listener.accept().await.unwrap().0)
    }

    async fn doors() -> (Doors, SocketAddr) {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        let certificate = Certificate::open(&config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (Doors::new(listener, certificate.tls()), address)
    }

    #[tokio::test]
    async fn plain_text_is_let_in_from_this_computer_only() {
        let (doors, _) = doors().await;
        let (mut visitor, stream) = pair().await;
        visitor.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let here: SocketAddr = "[::ffff:127.0.0.1]:5".parse().unwrap();
        assert!(
            matches!(open(stream, here, &doors.tls).await, Ok(Either::Left(_))),
            "also through an IPv6 socket"
        );
        let (mut visitor, stream) = pair().await;
        visitor.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let away = open(stream, AWAY.parse().unwrap(), &doors.tls).await;
        assert_eq!(away.err(), Some(TurnedAway::Plain));
        let mut told = String::new();
        let _ = visitor.read_to_string(&mut told).await;
        assert!(
            told.starts_with("HTTP/1.1 400 ") && told.ends_with("(https or wss).\r\n"),
            "it is told why: {told}"
        );
        let body = told.split_once("\r\n\r\n").unwrap().1;
        assert!(told.contains(&format!("Content-Length: {}\r\n", body.len())));
    }

    #[tokio::test]
    async fn garbage_and_silence_are_turned_away() {
        let (doors, _) = doors().await;
        for garbage in [
            &b"\x16\x03\x01 this is no handshake"[..],
            b"\0\0\0\0",
            b"\xff",
        ] {
            let (mut visitor, stream) = pair().await;
            visitor.write_all(garbage).await.unwrap();
            visitor.shutdown().await.unwrap();
            let opened = open(stream, AWAY.parse().unwrap(), &doors.tls).await;
            assert_eq!(opened.err(), Some(TurnedAway::Failed), "{garbage:?}");
        }
        let (visitor, stream) = pair().await;
        drop(visitor);
        let opened = open(stream, AWAY.parse().unwrap(), &doors.tls).await;
        assert_eq!(opened.err(), Some(TurnedAway::Gone));
    }

    #[tokio::test]
    async fn half_open_handshakes_end_and_let_others_in_meanwhile() {
        let (mut doors, address) = doors().await;
        doors.patience = Duration::from_millis(300);
        let mut stuck = Vec::new();
        for n in 0..40 {
            let mut visitor = TcpStream::connect(address).await.unwrap();
            if n % 2 == 0 {
                // The beginning of a handshake that is never completed.
                visitor.write_all(b"\x16\x03\x01\x02\x00").await.unwrap();
            }
            stuck.push(visitor);
        }
        let mut friend = TcpStream::connect(address).await.unwrap();
        friend.write_all(b"GET ").await.unwrap();
        let (_, peer) = doors.accept().await;
        assert_eq!(
            peer,
            friend.local_addr().unwrap(),
            "nobody waits for the silent ones"
        );
        let end = Instant::now() + Duration::from_secs(20);
        while !doors.at_the_door.is_empty() || !doors.from.is_empty() {
            assert!(Instant::now() < end, "the silent ones are gone in time");
            let _ = tokio::time::timeout(Duration::from_millis(50), doors.accept()).await;
        }
        for mut visitor in stuck {
            let mut alert = [0; 64];
            let read = tokio::time::timeout(PATIENCE, visitor.read(&mut alert)).await;
            assert!(matches!(read, Ok(Ok(0) | Err(_))), "its socket was closed");
        }
    }

    #[tokio::test]
    async fn one_network_cannot_fill_the_door() {
        let (mut doors, _) = doors().await;
        let mut kept = Vec::new();
        for n in 0..MOST_OF_ONE as u16 + 8 {
            let (visitor, stream) = pair().await;
            let peer = format!("[2001:db8:0:1::{n:x}]:1").parse().unwrap();
            doors.admit(stream, peer);
            kept.push(visitor);
        }
        assert_eq!(doors.at_the_door.len(), MOST_OF_ONE, "the rest was closed");
        let (_visitor, stream) = pair().await;
        doors.admit(stream, "[2001:db8:0:2::1]:1".parse().unwrap());
        assert_eq!(
            doors.at_the_door.len(),
            MOST_OF_ONE + 1,
            "another network has its place"
        );
    }
}

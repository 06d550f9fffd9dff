//! The socket: opened at the first address that answers, then frames in and frames out. Dropping a link closes it.

mod counted;
mod pulse;

use std::{convert::Infallible, time::Duration};

use futures_util::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
    task::AbortHandle,
    time::Instant,
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{
        ClientRequestBuilder, Message, handshake::client::Response, http::Uri,
        protocol::WebSocketConfig,
    },
};
use tulou_protocol::{
    ClientFrame, Fingerprint, SUBPROTOCOL, ServerFrame,
    http::{KEY_HEADER, SERVER_HEADER},
};

use crate::{
    error::{Error, chain},
    route::{Route, race},
    tls::{self, distrust},
    unusable::Unusable,
};

use self::counted::{Count, Counted};
pub use self::pulse::Pulse;

/// How long an address may take to open a socket.
const CONNECT: Duration = Duration::from_secs(10);
/// Frames that were read and wait for the driver; the socket is not read meanwhile.
pub const INCOMING: usize = 64;
/// Frames that wait for the socket. The engine has few in flight; more than this means that the socket is stuck.
const OUTGOING: usize = 256;
/// Bytes of a frame from the server: the whole state of the largest community fits.
const FRAME_BYTES: usize = 32 * 1024 * 1024;
/// Bytes read at once: most frames are small, and most sockets are quiet.
const READ_BYTES: usize = 4 * 1024;

type Socket = WebSocketStream<MaybeTlsStream<Counted<TcpStream>>>;
/// How often it is said that bytes came.
const STIRRED: Duration = Duration::from_secs(1);
/// Bytes that are worth it: what a quiet socket says is less for minutes.
const STIR_BYTES: u64 = 512;

/// What a socket says.
#[derive(Debug)]
pub enum Event {
    /// It is open, at the server that was looked for.
    Up {
        /// The address that answered.
        address: String,
        /// The server's own key, if it has one that it is reached by.
        key: Option<Fingerprint>,
    },
    /// The server said something.
    Frame(ServerFrame),
    /// Bytes came, perhaps of a frame that is not whole yet.
    Stirred,
    /// Where the server should be somebody else answered, who has not its key. Nothing was sent.
    OtherKey,
    /// It is closed, or could not be opened.
    Down {
        /// For the log.
        why: String,
        /// Why whoever answers cannot be used as the server.
        unusable: Option<Unusable>,
        /// How long sockets may be quiet, after what was seen of this one.
        pulse: Pulse,
    },
}

/// A socket that is opened, open, or closed.
pub struct Link {
    events: mpsc::Receiver<Event>,
    frames: mpsc::Sender<String>,
    task: AbortHandle,
}

impl Link {
    /// Opens a socket at the first address at which the server answers.
    pub fn open(route: Route, mut pulse: Pulse) -> Self {
        let (say, events) = mpsc::channel(INCOMING);
        let (frames, outgoing) = mpsc::channel(OUTGOING);
        let task = tokio::spawn(async move {
            let event = match connect(&route).await {
                Ok(((socket, counted), address, key)) => {
                    // Nobody listens any more: the link was dropped meanwhile.
                    if say.send(Event::Up { address, key }).await.is_err() {
                        return;
                    }
                    let why = carry(socket, &counted, &say, outgoing, &mut pulse).await;
                    Event::Down {
                        why,
                        unusable: None,
                        pulse,
                    }
                }
                Err(Error::OtherKey) => Event::OtherKey,
                Err(error) => {
                    let why = chain(&error);
                    let unusable = if let Error::Unusable(why) = error {
                        Some(why)
                    } else {
                        None
                    };
                    Event::Down {
                        why,
                        unusable,
                        pulse,
                    }
                }
            };
            let _ = say.send(event).await;
        })
        .abort_handle();
        Self {
            events,
            frames,
            task,
        }
    }

    /// A socket that somebody else speaks for.
    #[cfg(test)]
    pub fn spoken_for(events: mpsc::Receiver<Event>) -> Self {
        let (frames, outgoing) = mpsc::channel(OUTGOING);
        let task = tokio::spawn(async move {
            let _outgoing = outgoing;
            std::future::pending::<()>().await;
        });
        Self {
            events,
            frames,
            task: task.abort_handle(),
        }
    }

    /// What the socket says next.
    pub async fn next(&mut self) -> Event {
        match self.events.recv().await {
            Some(event) => event,
            None => Event::Down {
                why: "the socket's task ended".into(),
                unusable: None,
                pulse: Pulse::default(),
            },
        }
    }

    /// What the socket has said already.
    pub fn waiting(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    /// Sends a frame; false if the socket is closed or stuck.
    pub fn send(&self, frame: &ClientFrame) -> bool {
        match frame.to_text() {
            Ok(text) => self.frames.try_send(text).is_ok(),
            Err(error) => {
                tracing::error!("a frame could not be written: {error}");
                false
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connect(route: &Route) -> Result<((Socket, Count), String, Option<Fingerprint>), Error> {
    let config = tls::config(route.key);
    let attempt = |address| {
        let connector = Connector::Rustls(config.clone());
        async move {
            match tokio::time::timeout(CONNECT, connect_one(route, address, connector)).await {
                Ok(done) => done.map_err(|error| route.weigh(address, error)),
                Err(_) => Err(Error::Unreachable("no answer in time".into())),
            }
        }
    };
    let addresses = route.everywhere();
    let ((socket, key), address) = race(&addresses, attempt).await?;
    Ok((socket, address.to_owned(), key))
}

async fn connect_one(
    route: &Route,
    address: &str,
    connector: Connector,
) -> Result<((Socket, Count), Option<Fingerprint>), Error> {
    let uri: Uri = format!("{address}/ws")
        .parse()
        .map_err(|_| Error::Unreachable("not an address".into()))?;
    let port = match (uri.port_u16(), uri.scheme_str()) {
        (Some(port), _) => port,
        (None, Some("ws")) => 80,
        (None, _) => 443,
    };
    let host = uri.host().unwrap_or_default();
    let socket = TcpStream::connect(format!("{host}:{port}"))
        .await
        .map_err(|error| Error::Unreachable(chain(&error)))?;
    // Without it small frames would wait for one another; where it cannot be had they do.
    let _ = socket.set_nodelay(true);
    let (socket, count) = Counted::new(socket);
    let request = ClientRequestBuilder::new(uri).with_sub_protocol(SUBPROTOCOL);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .max_message_size(Some(FRAME_BYTES))
        .max_frame_size(Some(FRAME_BYTES));
    match client_async_tls_with_config(request, socket, Some(config), Some(connector)).await {
        Ok((socket, response)) => {
            let key = header(&response, KEY_HEADER);
            route.check(address, header(&response, SERVER_HEADER), key)?;
            Ok(((socket, count), key))
        }
        Err(error) => Err(distrust(&error)
            .or_else(|| Unusable::of_handshake(&error).map(Error::Unusable))
            .unwrap_or_else(|| Error::Unreachable(chain(&error)))),
    }
}

/// Whether a socket gets through to a server that answers at an address.
///
/// # Errors
/// Why not.
pub async fn try_one(route: &Route, address: &str) -> Result<(), Error> {
    let connector = Connector::Rustls(tls::config(route.key));
    match tokio::time::timeout(CONNECT, connect_one(route, address, connector)).await {
        Ok(Ok(_)) => Ok(()),
        // It answers otherwise, so it is there.
        Ok(Err(Error::Unusable(Unusable::NotTulou | Unusable::Refused(_)))) => {
            Err(Unusable::NoWebSocket.into())
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Err(Unusable::NoWebSocket.into()),
    }
}

fn header<T: std::str::FromStr>(response: &Response, name: &str) -> Option<T> {
    response.headers().get(name)?.to_str().ok()?.parse().ok()
}

/// Why a socket ended.
struct Ended {
    why: String,
    /// Nobody said so before.
    is_cut: bool,
}

impl Ended {
    fn said(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            is_cut: false,
        }
    }

    fn cut(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            is_cut: true,
        }
    }
}

/// Carries frames both ways until one way ends; says why. In quiet it asks for a sign of life.
async fn carry(
    socket: Socket,
    count: &Count,
    say: &mpsc::Sender<Event>,
    outgoing: mpsc::Receiver<String>,
    pulse: &mut Pulse,
) -> String {
    let (sink, stream) = socket.split();
    let (stir, stirred) = watch::channel(Instant::now());
    let pause = pulse.pause();
    let ended = tokio::select! {
        ended = read(stream, say, &stir, pulse) => ended,
        ended = write(sink, outgoing, &stir, pause) => ended,
        never = tell(count, say) => match never {},
    };
    if ended.is_cut {
        pulse.cut(stirred.borrow().elapsed());
    }
    ended.why
}

/// Says that bytes come, for as long as they do.
async fn tell(count: &Count, say: &mpsc::Sender<Event>) -> Infallible {
    let mut told = count.read();
    loop {
        tokio::time::sleep(STIRRED).await;
        let read = count.read();
        if read - told >= STIR_BYTES {
            told = read;
            // Frames wait for the driver as it is.
            let _ = say.try_send(Event::Stirred);
        }
    }
}

async fn read(
    mut stream: SplitStream<Socket>,
    say: &mpsc::Sender<Event>,
    stir: &watch::Sender<Instant>,
    pulse: &mut Pulse,
) -> Ended {
    loop {
        let text = match stream.next().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(_))) => return Ended::said("closed by the server"),
            None => return Ended::cut("closed by the server"),
            Some(Ok(Message::Pong(_))) => {
                pulse.outlived();
                stir.send_replace(Instant::now());
                continue;
            }
            Some(Ok(Message::Ping(_) | Message::Binary(_) | Message::Frame(_))) => {
                stir.send_replace(Instant::now());
                continue;
            }
            Some(Err(error)) => return Ended::cut(chain(&error)),
        };
        stir.send_replace(Instant::now());
        match ServerFrame::parse(&text) {
            Ok(frame) => {
                if say.send(Event::Frame(frame)).await.is_err() {
                    return Ended::said("not wanted any more");
                }
            }
            Err(error) => return Ended::said(chain(&error)),
        }
    }
}

async fn write(
    mut sink: SplitSink<Socket, Message>,
    mut outgoing: mpsc::Receiver<String>,
    stir: &watch::Sender<Instant>,
    pause: Duration,
) -> Ended {
    // A ping stirs nothing: a socket that does not even answer it has been quiet for longer.
    let mut asked = Instant::now();
    loop {
        let quiet_since = (*stir.borrow()).max(asked);
        let text = tokio::select! {
            text = outgoing.recv() => match text {
                Some(text) => text,
                None => return Ended::said("not wanted any more"),
            },
            () = tokio::time::sleep_until(quiet_since + pause) => {
                if (*stir.borrow()).max(asked) > quiet_since {
                    continue;
                }
                asked = Instant::now();
                if let Err(error) = sink.send(Message::Ping(Default::default())).await {
                    return Ended::cut(chain(&error));
                }
                continue;
            }
        };
        if let Err(error) = sink.feed(Message::text(text)).await {
            return Ended::cut(chain(&error));
        }
        // What waits meanwhile goes out with the same write.
        while let Ok(text) = outgoing.try_recv() {
            if let Err(error) = sink.feed(Message::text(text)).await {
                return Ended::cut(chain(&error));
            }
        }
        if let Err(error) = sink.flush().await {
            return Ended::cut(chain(&error));
        }
        stir.send_replace(Instant::now());
    }
}

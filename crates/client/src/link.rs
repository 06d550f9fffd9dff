//! The socket: opened at the first address that answers, then frames in and frames out. Dropping a link closes it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use tokio::{net::TcpStream, sync::mpsc, task::AbortHandle};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{
        ClientRequestBuilder, Message, handshake::client::Response, protocol::WebSocketConfig,
    },
};
use tulou_protocol::{
    ClientFrame, Fingerprint, SUBPROTOCOL, ServerFrame,
    http::{KEY_HEADER, SERVER_HEADER},
};

use crate::{
    error::Error,
    http::chain,
    route::{Route, race},
    tls::{self, Distrust, distrust},
};

/// How long an address may take to open a socket.
const CONNECT: Duration = Duration::from_secs(10);
/// Frames that were read and wait for the driver; the socket is not read meanwhile.
const INCOMING: usize = 64;
/// Frames that wait for the socket. The engine has few in flight; more than this means that the socket is stuck.
const OUTGOING: usize = 256;
/// Bytes of a frame from the server: the whole state of the largest community fits.
const FRAME_BYTES: usize = 32 * 1024 * 1024;
/// Bytes read at once: most frames are small, and most sockets are quiet.
const READ_BYTES: usize = 4 * 1024;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

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
    /// Where the server should be somebody else answered, who has not its key. Nothing was sent.
    OtherKey,
    /// It is closed, or could not be opened.
    Down(String),
}

/// A socket that is opened, open, or closed.
pub struct Link {
    events: mpsc::Receiver<Event>,
    frames: mpsc::Sender<String>,
    task: AbortHandle,
}

impl Link {
    /// Opens a socket at the first address at which the server answers.
    pub fn open(route: Route) -> Self {
        let (say, events) = mpsc::channel(INCOMING);
        let (frames, outgoing) = mpsc::channel(OUTGOING);
        let task = tokio::spawn(async move {
            let event = match connect(&route).await {
                Ok((socket, address, key)) => {
                    // Nobody listens any more: the link was dropped meanwhile.
                    if say.send(Event::Up { address, key }).await.is_err() {
                        return;
                    }
                    Event::Down(carry(socket, &say, outgoing).await)
                }
                Err(Error::OtherKey) => Event::OtherKey,
                Err(error) => Event::Down(chain(&error)),
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

    /// What the socket says next.
    pub async fn next(&mut self) -> Event {
        match self.events.recv().await {
            Some(event) => event,
            None => Event::Down("the socket's task ended".into()),
        }
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

async fn connect(route: &Route) -> Result<(Socket, String, Option<Fingerprint>), Error> {
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
) -> Result<(Socket, Option<Fingerprint>), Error> {
    let uri = format!("{address}/ws")
        .parse()
        .map_err(|_| Error::Unreachable("not an address".into()))?;
    let request = ClientRequestBuilder::new(uri).with_sub_protocol(SUBPROTOCOL);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .max_message_size(Some(FRAME_BYTES))
        .max_frame_size(Some(FRAME_BYTES));
    match connect_async_tls_with_config(request, Some(config), true, Some(connector)).await {
        Ok((socket, response)) => {
            let key = header(&response, KEY_HEADER);
            route.check(address, header(&response, SERVER_HEADER), key)?;
            Ok((socket, key))
        }
        Err(error) => Err(match distrust(&error) {
            Some(Distrust::OtherKey) => Error::OtherKey,
            Some(Distrust::Unknown) => Error::Certificate(chain(&error)),
            None => Error::Unreachable(chain(&error)),
        }),
    }
}

fn header<T: std::str::FromStr>(response: &Response, name: &str) -> Option<T> {
    response.headers().get(name)?.to_str().ok()?.parse().ok()
}

/// Carries frames both ways until one way ends; says why.
async fn carry(
    socket: Socket,
    say: &mpsc::Sender<Event>,
    outgoing: mpsc::Receiver<String>,
) -> String {
    let (sink, stream) = socket.split();
    tokio::select! {
        why = read(stream, say) => why,
        why = write(sink, outgoing) => why,
    }
}

async fn read(mut stream: SplitStream<Socket>, say: &mpsc::Sender<Event>) -> String {
    loop {
        let text = match stream.next().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(_))) | None => return "closed by the server".to_owned(),
            Some(Ok(
                Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_),
            )) => continue,
            Some(Err(error)) => return chain(&error),
        };
        match ServerFrame::parse(&text) {
            Ok(frame) => {
                if say.send(Event::Frame(frame)).await.is_err() {
                    return "not wanted any more".to_owned();
                }
            }
            Err(error) => return chain(&error),
        }
    }
}

async fn write(
    mut sink: SplitSink<Socket, Message>,
    mut outgoing: mpsc::Receiver<String>,
) -> String {
    while let Some(text) = outgoing.recv().await {
        if let Err(error) = sink.feed(Message::text(text)).await {
            return chain(&error);
        }
        // What waits meanwhile goes out with the same write.
        while let Ok(text) = outgoing.try_recv() {
            if let Err(error) = sink.feed(Message::text(text)).await {
                return chain(&error);
            }
        }
        if let Err(error) = sink.flush().await {
            return chain(&error);
        }
    }
    "not wanted any more".to_owned()
}

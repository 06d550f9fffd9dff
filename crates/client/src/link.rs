//! The socket: opened at the first address that answers, then frames in and frames out. Dropping a link closes it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use tokio::{net::TcpStream, sync::mpsc, task::AbortHandle};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{ClientRequestBuilder, Message, protocol::WebSocketConfig},
};
use tulou_protocol::{ClientFrame, SUBPROTOCOL, ServerFrame};

use crate::http::chain;

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
    /// It is open, at this address.
    Up(String),
    /// The server said something.
    Frame(ServerFrame),
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
    /// Opens a socket at the first address that answers.
    pub fn open(addresses: Vec<String>) -> Self {
        let (say, events) = mpsc::channel(INCOMING);
        let (frames, outgoing) = mpsc::channel(OUTGOING);
        let task = tokio::spawn(async move {
            let why = match connect(&addresses).await {
                Ok((socket, address)) => {
                    // Nobody listens any more: the link was dropped meanwhile.
                    if say.send(Event::Up(address)).await.is_err() {
                        return;
                    }
                    carry(socket, &say, outgoing).await
                }
                Err(why) => why,
            };
            let _ = say.send(Event::Down(why)).await;
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

async fn connect(addresses: &[String]) -> Result<(Socket, String), String> {
    let mut why = "no address is known".to_owned();
    for address in addresses {
        match tokio::time::timeout(CONNECT, connect_one(address)).await {
            Ok(Ok(socket)) => return Ok((socket, address.clone())),
            Ok(Err(error)) => why = error,
            Err(_) => why = "no answer in time".to_owned(),
        }
    }
    Err(why)
}

async fn connect_one(address: &str) -> Result<Socket, String> {
    let uri = format!("{address}/ws")
        .parse()
        .map_err(|_| "not an address".to_owned())?;
    let request = ClientRequestBuilder::new(uri).with_sub_protocol(SUBPROTOCOL);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .max_message_size(Some(FRAME_BYTES))
        .max_frame_size(Some(FRAME_BYTES));
    match connect_async_with_config(request, Some(config), true).await {
        Ok((socket, _)) => Ok(socket),
        Err(error) => Err(chain(&error)),
    }
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

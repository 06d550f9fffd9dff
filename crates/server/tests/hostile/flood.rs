//! Somebody with one account who asks for as much as he can, as fast as he can: over raw sockets, without waiting for
//! answers.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};
use tulou_protocol::{CommandId, SUBPROTOCOL, VERSION, frame, limits};
use uuid::Uuid;

/// Sockets that are held open at the same time, where there may be so many.
const SOCKETS: usize = 300;

/// What he does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Says that he read the first message of a long topic: what is his own since then would be counted.
    ReadFarBack,
    /// Syncs the same community, as often as a request may name logs.
    SyncTheSame,
    /// Syncs a topic of long messages from its beginning.
    SyncTheLargest,
    /// Asks what moved in a community since its beginning.
    HeadsOfAll,
    /// Frames of the largest size in which there is no request.
    Nonsense,
    /// The same, before a session is opened.
    NonsenseUnopened,
    /// Opens sessions, and holds them.
    Sockets,
    /// Opens sessions and goes before they are open.
    OpensCutShort,
}

impl Deed {
    /// All.
    pub const ALL: [Self; 8] = [
        Self::ReadFarBack,
        Self::SyncTheSame,
        Self::SyncTheLargest,
        Self::HeadsOfAll,
        Self::Nonsense,
        Self::NonsenseUnopened,
        Self::Sockets,
        Self::OpensCutShort,
    ];

    /// As measures call it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ReadFarBack => "far_back",
            Self::SyncTheSame => "sync_same",
            Self::SyncTheLargest => "sync_large",
            Self::HeadsOfAll => "heads",
            Self::Nonsense => "nonsense",
            Self::NonsenseUnopened => "nonsense_unopened",
            Self::Sockets => "sockets",
            Self::OpensCutShort => "opens_cut",
        }
    }
}

/// What he was told.
#[derive(Debug, Default)]
pub struct Heard {
    /// Frames that he wrote, and sockets that he asked for.
    pub asked: u64,
    /// Answers that say what was asked for, or that it is not to be had.
    pub answered: u64,
    /// Answers that say: later.
    pub busy: u64,
    /// Answers that something in the server broke.
    pub broken: u64,
    /// Sockets that were refused, or cut off.
    pub cut_off: u64,
    /// The longest frame, in bytes.
    pub longest: usize,
    /// One answer of each kind.
    pub samples: Vec<String>,
}

/// Who he is, and what he aims at.
#[derive(Clone)]
pub struct Mallory {
    /// `127.0.0.1:…`
    pub address: String,
    /// His session's token.
    pub token: String,
    /// A community that he is in.
    pub community: String,
    /// A topic of it with many long messages.
    pub topic: String,
}

type Socket = WebSocketStream<TcpStream>;

impl Mallory {
    /// Does it for a time.
    pub async fn does(&self, deed: Deed, during: Duration) -> Heard {
        let until = Instant::now() + during;
        let told = Told::default();
        // A server that takes nothing more holds him up no longer than that.
        let _ = timeout_at(until, self.go_on(deed, &told)).await;
        told.heard()
    }

    async fn go_on(&self, deed: Deed, told: &Told) {
        let mut held = Vec::new();
        loop {
            told.asked.fetch_add(1, Ordering::Relaxed);
            let Some(mut socket) = self.connect(told).await else {
                tokio::task::yield_now().await;
                continue;
            };
            match deed {
                Deed::NonsenseUnopened => self.pour(socket, deed, told).await,
                Deed::OpensCutShort => {
                    let _ = socket.send(Message::text(self.opening())).await;
                }
                Deed::Sockets => {
                    if self.open(&mut socket, told).await {
                        held.push(socket);
                    }
                    if held.len() == SOCKETS {
                        held.clear();
                    }
                }
                Deed::ReadFarBack
                | Deed::SyncTheSame
                | Deed::SyncTheLargest
                | Deed::HeadsOfAll
                | Deed::Nonsense => {
                    if self.open(&mut socket, told).await {
                        self.pour(socket, deed, told).await;
                    }
                }
            }
        }
    }

    async fn connect(&self, told: &Told) -> Option<Socket> {
        let connected = async {
            let stream = TcpStream::connect(&self.address).await?;
            let mut request = format!("ws://{}/ws", self.address).into_client_request()?;
            let name = SUBPROTOCOL.parse().map_err(|_| Error::AttackAttempt)?;
            request.headers_mut().insert("Sec-WebSocket-Protocol", name);
            let (socket, _) = client_async(request, stream).await?;
            Ok::<_, Error>(socket)
        };
        match connected.await {
            Ok(socket) => Some(socket),
            Err(error) => {
                told.cut_off(&error.to_string());
                None
            }
        }
    }

    fn opening(&self) -> String {
        let params = json!({"token": self.token, "version": VERSION});
        request(&json!(1), "session.open", &params).to_string()
    }

    async fn open(&self, socket: &mut Socket, told: &Told) -> bool {
        if socket.send(Message::text(self.opening())).await.is_err() {
            told.cut_off("before it was open");
            return false;
        }
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    told.take(&text);
                    return text.contains("\"result\"");
                }
                Some(Ok(
                    Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_),
                )) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => {
                    told.cut_off("while it opened");
                    return false;
                }
            }
        }
    }

    /// Writes as fast as the socket takes it, and takes what comes.
    async fn pour(&self, socket: Socket, deed: Deed, told: &Told) {
        let (mut to, mut from) = socket.split();
        let nonsense = nonsense();
        let writing = async {
            for number in 2.. {
                let text = match deed {
                    Deed::Nonsense | Deed::NonsenseUnopened => nonsense.clone(),
                    Deed::ReadFarBack
                    | Deed::SyncTheSame
                    | Deed::SyncTheLargest
                    | Deed::HeadsOfAll
                    | Deed::Sockets
                    | Deed::OpensCutShort => self.frame(deed, number),
                };
                told.asked.fetch_add(1, Ordering::Relaxed);
                if to.send(Message::text(text)).await.is_err() {
                    return;
                }
            }
        };
        let reading = async {
            while let Some(Ok(message)) = from.next().await {
                if let Message::Text(text) = message {
                    told.take(&text);
                }
            }
            told.cut_off("the link ended");
        };
        tokio::select! {
            () = reading => {}
            () = async { writing.await; std::future::pending().await } => {}
        }
    }

    fn frame(&self, deed: Deed, number: u64) -> String {
        let number = json!(number);
        let sync = |log: String| {
            let one = json!({"log": log, "since": 0});
            json!({"logs": vec![one; limits::SYNC_LOGS]})
        };
        match deed {
            Deed::SyncTheSame => {
                let all = sync(format!("community/{}", self.community));
                request(&number, "log.sync", &all).to_string()
            }
            Deed::SyncTheLargest => {
                let log = format!("topic/{}", self.topic);
                let all = json!({"logs": [{"log": log, "since": 0}]});
                request(&number, "log.sync", &all).to_string()
            }
            Deed::HeadsOfAll => {
                let since = json!({"community": self.community, "since": 0});
                request(&number, "community.heads", &since).to_string()
            }
            Deed::ReadFarBack
            | Deed::Nonsense
            | Deed::NonsenseUnopened
            | Deed::Sockets
            | Deed::OpensCutShort => {
                let back = json!({"topic": self.topic, "seq": 0, "set_no": 0});
                let many = (0..limits::COMMANDS_PER_FRAME).map(|_| {
                    let id = json!(CommandId(Uuid::now_v7()));
                    request(&id, "cursor.advance", &back)
                });
                Value::Array(many.collect()).to_string()
            }
        }
    }
}

fn request(id: &Value, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

/// As many zeros as a frame may hold.
fn nonsense() -> String {
    let many = limits::Limits::default().frame_bytes / 2 - 1;
    let mut text = String::from("[0");
    text.push_str(&",0".repeat(many - 1));
    text.push(']');
    text
}

/// What he is told, as it comes.
#[derive(Default)]
struct Told {
    asked: AtomicU64,
    heard: Mutex<Heard>,
}

impl Told {
    fn cut_off(&self, why: &str) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.cut_off += 1;
        heard.sample("cut off", why);
    }

    fn take(&self, text: &str) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.longest = heard.longest.max(text.len());
        // A long one is a result, and reading it would hold him up.
        if text.len() > limits::TEXT_BYTES {
            heard.answered += 1;
            return;
        }
        let frame: Value = serde_json::from_str(text).unwrap_or_default();
        let answers = if let Value::Array(answers) = frame {
            answers
        } else {
            vec![frame]
        };
        for answer in answers {
            if answer["method"] == "goodbye" {
                heard.sample("goodbye", text);
            }
            if answer.get("method").is_some() {
                continue;
            }
            match answer["error"]["code"].as_i64() {
                None => heard.answered += 1,
                Some(code) if code == i64::from(frame::BUSY) => {
                    heard.busy += 1;
                    heard.sample("busy", &answer.to_string());
                }
                Some(code) if code == i64::from(frame::INTERNAL_ERROR) => {
                    heard.broken += 1;
                    heard.sample("broken", &answer.to_string());
                }
                Some(code) => {
                    heard.answered += 1;
                    heard.sample(&code.to_string(), &answer.to_string());
                }
            }
        }
    }

    fn heard(self) -> Heard {
        let mut heard = self
            .heard
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        heard.asked = self.asked.into_inner();
        heard
    }
}

impl Heard {
    fn sample(&mut self, kind: &str, text: &str) {
        if !self.samples.iter().any(|sample| sample.starts_with(kind)) {
            let text: String = text.chars().take(200).collect();
            self.samples.push(format!("{kind}: {text}"));
        }
    }
}

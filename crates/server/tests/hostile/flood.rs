//! Somebody with one account who asks for as much as he can, as fast as he can: over raw sockets, without waiting for
//! answers.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt, future::join_all};
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
/// Sockets from which he asks at the same time, where he does it from many: as many as an account may have.
const AT_ONCE: usize = limits::SOCKETS;

/// Stamps of pages that nobody was sent: of no member, at revs and numbers of topics that there may be.
const MADE_UP: [&str; 4] = [
    "x.0.4294967295",
    "x.0.0",
    "x.18446744073709551615.4294967295",
    "x.18446744073709551615.0",
];

/// What he does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Says that he read the first message of a long topic: what is his own since then would be counted.
    ReadFarBack,
    /// Syncs as many communities as a request may name.
    SyncMany,
    /// Syncs a topic of long messages from its beginning, in as many ranges as a request may name.
    SyncTheLargest,
    /// Asks what moved in a community since its beginning.
    HeadsOfAll,
    /// Goes on with states of a community whose stamps and pages he made up.
    MadeUp,
    /// As many small questions as a frame may hold.
    ManySmall,
    /// Frames of the largest size in which there is no request.
    Nonsense,
    /// The same, before a session is opened.
    NonsenseUnopened,
    /// Opens sessions, and holds them.
    Sockets,
    /// Opens sessions and goes before they are open.
    OpensCutShort,
    /// Asks for as much as there is, and hangs up before it is answered.
    HangsUp,
    /// Wants to join a community that he has no invite to, and hangs up every other time.
    Joins,
    /// Asks for as much as there is, and takes none of it.
    TakesNothing,
    /// Takes another name, which is written in every list that shows it.
    Renames,
}

impl Deed {
    /// All.
    pub const ALL: [Self; 14] = [
        Self::ReadFarBack,
        Self::SyncMany,
        Self::SyncTheLargest,
        Self::HeadsOfAll,
        Self::MadeUp,
        Self::ManySmall,
        Self::Nonsense,
        Self::NonsenseUnopened,
        Self::Sockets,
        Self::OpensCutShort,
        Self::HangsUp,
        Self::Joins,
        Self::TakesNothing,
        Self::Renames,
    ];

    /// As measures call it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ReadFarBack => "far_back",
            Self::SyncMany => "sync_many",
            Self::SyncTheLargest => "sync_large",
            Self::HeadsOfAll => "heads",
            Self::MadeUp => "made_up",
            Self::ManySmall => "many_small",
            Self::Nonsense => "nonsense",
            Self::NonsenseUnopened => "nonsense_unopened",
            Self::Sockets => "sockets",
            Self::OpensCutShort => "opens_cut",
            Self::HangsUp => "hangs_up",
            Self::Joins => "joins",
            Self::TakesNothing => "takes_nothing",
            Self::Renames => "renames",
        }
    }

    /// From how many sockets at the same time.
    const fn sockets(self) -> usize {
        match self {
            Self::HangsUp | Self::Joins | Self::TakesNothing => AT_ONCE,
            Self::ReadFarBack
            | Self::SyncMany
            | Self::SyncTheLargest
            | Self::HeadsOfAll
            | Self::MadeUp
            | Self::ManySmall
            | Self::Nonsense
            | Self::NonsenseUnopened
            | Self::Sockets
            | Self::OpensCutShort
            | Self::Renames => 1,
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
    /// Of these, what says that it is not to be had.
    pub refused: u64,
    /// Sessions that were opened, whose greetings are among the answers.
    pub opened: u64,
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
    /// The name that he shows.
    pub name: String,
    /// A community that he is in.
    pub community: String,
    /// A topic of it with many long messages, and some of his own.
    pub topic: String,
    /// The `seq` of its last message.
    pub head_seq: u64,
    /// Communities of his own, as many as a question may name.
    pub own: Vec<String>,
    /// A community that he is not in, and has no invite to.
    pub foreign: String,
}

type Socket = WebSocketStream<TcpStream>;

impl Mallory {
    /// Until his account owes nothing: what he does then is not held up by what he did before.
    pub async fn rests(&self) {
        loop {
            let wait_ms = self.has_to_wait().await;
            if wait_ms == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
    }

    /// How long he is told to wait. Nothing is read from him before he has paid what he owes, if a session is opened.
    async fn has_to_wait(&self) -> u64 {
        const AGAIN_MS: u64 = 100;
        let told = Told::default();
        let Some(mut socket) = self.connect(&told).await else {
            return AGAIN_MS;
        };
        let none = request(&json!(2), "profile.list", &json!({"accounts": []})).to_string();
        for text in [self.opening(), none] {
            if socket.send(Message::text(text)).await.is_err() {
                return AGAIN_MS;
            }
            let Some(answer) = next_answer(&mut socket).await else {
                return AGAIN_MS;
            };
            if answer.get("error").is_some() {
                return answer["error"]["data"]["retry_after_ms"]
                    .as_u64()
                    .unwrap_or(AGAIN_MS);
            }
        }
        0
    }

    /// Does it for a time.
    pub async fn does(&self, deed: Deed, during: Duration) -> Heard {
        let until = Instant::now() + during;
        let told = Told::default();
        // A server that takes nothing more holds him up no longer than that.
        let all = (0..deed.sockets()).map(|_| self.go_on(deed, &told));
        let _ = timeout_at(until, join_all(all)).await;
        told.heard()
    }

    async fn go_on(&self, deed: Deed, told: &Told) {
        let mut held = Vec::new();
        for round in 0_u64.. {
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
                Deed::HangsUp => {
                    if self.open(&mut socket, told).await {
                        for number in 2..4 {
                            told.asked.fetch_add(1, Ordering::Relaxed);
                            let text = self.frame(deed, number);
                            let _ = socket.send(Message::text(text)).await;
                        }
                    }
                }
                Deed::Joins => {
                    if self.open(&mut socket, told).await {
                        told.asked.fetch_add(1, Ordering::Relaxed);
                        let text = self.frame(deed, 2);
                        let is_sent = socket.send(Message::text(text)).await.is_ok();
                        if is_sent && round % 2 == 0 {
                            take_next(&mut socket, told).await;
                        }
                    }
                }
                Deed::TakesNothing => {
                    if self.open(&mut socket, told).await {
                        for number in 2.. {
                            told.asked.fetch_add(1, Ordering::Relaxed);
                            let text = self.frame(deed, number);
                            if socket.send(Message::text(text)).await.is_err() {
                                told.cut_off("he takes nothing");
                                break;
                            }
                        }
                    }
                }
                Deed::ReadFarBack
                | Deed::SyncMany
                | Deed::SyncTheLargest
                | Deed::HeadsOfAll
                | Deed::MadeUp
                | Deed::ManySmall
                | Deed::Nonsense
                | Deed::Renames => {
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
                    let is_open = text.contains("\"result\"");
                    told.opened.fetch_add(u64::from(is_open), Ordering::Relaxed);
                    return is_open;
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
                    | Deed::SyncMany
                    | Deed::SyncTheLargest
                    | Deed::HeadsOfAll
                    | Deed::MadeUp
                    | Deed::ManySmall
                    | Deed::Sockets
                    | Deed::OpensCutShort
                    | Deed::HangsUp
                    | Deed::Joins
                    | Deed::TakesNothing
                    | Deed::Renames => self.frame(deed, number),
                };
                told.asked.fetch_add(1, Ordering::Relaxed);
                if to.send(Message::text(text)).await.is_err() {
                    return;
                }
                // Writing alone would take all his time while the socket takes what he writes.
                tokio::task::yield_now().await;
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
        match deed {
            Deed::SyncMany => {
                let one = |id| json!({"log": format!("community/{id}"), "since": 0});
                let all: Vec<_> = self.own.iter().map(one).collect();
                request(&number, "log.sync", &json!({"logs": all})).to_string()
            }
            Deed::SyncTheLargest | Deed::HangsUp | Deed::TakesNothing => {
                let each = (self.head_seq / limits::SYNC_RANGES as u64).max(1);
                let ranges: Vec<_> = (0..limits::SYNC_RANGES as u64)
                    .map(|at| json!({"from": at * each + 1, "to": (at + 1) * each, "rev": 0}))
                    .take_while(|range| range["to"].as_u64() <= Some(self.head_seq))
                    .collect();
                let log = format!("topic/{}", self.topic);
                let all = json!({"logs": [{"log": log, "since": 0, "ranges": ranges}]});
                request(&number, "log.sync", &all).to_string()
            }
            Deed::HeadsOfAll => {
                let since = json!({"community": self.community, "since": 0});
                request(&number, "community.heads", &since).to_string()
            }
            Deed::MadeUp => {
                let stamp = MADE_UP[number.as_u64().unwrap_or_default() as usize % MADE_UP.len()];
                let log = format!("community/{}", self.community);
                let page = json!({"log": log, "since": 1, "begun": 1, "view": stamp});
                request(&number, "log.sync", &json!({"logs": [page]})).to_string()
            }
            Deed::Joins => {
                let join = json!({"community": self.foreign, "invite": "nobody's"});
                let id = json!(CommandId(Uuid::now_v7()));
                request(&id, "community.join", &join).to_string()
            }
            Deed::Renames => {
                // Whichever name he has, one of three takes him on.
                let at = number.as_u64().unwrap_or_default() as usize;
                let names = [self.name.as_str(), "Mallory", "Trudy"];
                let edit = json!({"from": names[at % 3], "to": names[(at + 1) % 3]});
                let id = json!(CommandId(Uuid::now_v7()));
                request(&id, "profile.edit", &json!({"display_name": edit})).to_string()
            }
            Deed::ManySmall => {
                let none = json!({"accounts": []});
                let many = (0..limits::REQUESTS_PER_FRAME)
                    .map(|at| request(&json!(at + 2), "profile.list", &none));
                Value::Array(many.collect()).to_string()
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

/// The next answer; none if the link ends.
async fn next_answer(socket: &mut Socket) -> Option<Value> {
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            let frame: Value = serde_json::from_str(&text).unwrap_or_default();
            if frame.get("id").is_some() {
                return Some(frame);
            }
        }
    }
    None
}

/// Takes what comes up to an answer.
async fn take_next(socket: &mut Socket, told: &Told) {
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            told.take(&text);
            if text.contains("\"id\"") {
                return;
            }
        }
    }
}

/// What he is told, as it comes.
#[derive(Default)]
struct Told {
    asked: AtomicU64,
    opened: AtomicU64,
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
                    heard.refused += 1;
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
        heard.opened = self.opened.into_inner();
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

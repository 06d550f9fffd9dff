//! A session: one WebSocket of one account. Requests are read ahead, a few in flight at a time; commands on one log keep
//! their order; whatever is to be written goes out as one write.

mod frames;
mod news;
mod open;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use frames::Frames;
use futures_util::{FutureExt, SinkExt, StreamExt, stream::FuturesUnordered};
use news::News;
use serde_json::Value;
use tokio_tungstenite::tungstenite;
use tulou_protocol::{
    ClientFrame, Code, Command, Log, Question, Rejection,
    frame::{Busy, INTERNAL_ERROR, Misread, Refusal, Request, Response},
    limits,
    push::{Goodbye, Pushed},
};

use crate::{
    App,
    app::execute::InFlight,
    hub::Line,
    rate::{Bucket, Rate},
    store::wire,
    task::attended,
};

/// A client that has not opened its session by then is cut off.
const OPEN_TIMEOUT: Duration = Duration::from_secs(limits::OPEN_S);

/// A request that was answered: in which frame and at which place of it.
struct Answered {
    is_watch: bool,
    frame: u64,
    at: usize,
    log: Option<(Log, bool)>,
    json: String,
    is_busy: bool,
}

type Working = Pin<Box<dyn Future<Output = Answered> + Send>>;

/// What comes to an answer that is worked on.
type Beginning = Pin<Box<dyn Future<Output = Working> + Send>>;

/// Bytes of an answer that cost as much as a request.
const ANSWER_BYTES: f64 = 65_536.0;
/// Bytes of a frame refused whole that cost as much as a request.
const REFUSED_BYTES: f64 = 8_192.0;
/// Logs in a question that cost as much as a request.
const LOGS: f64 = 4.0;

/// Commands of a log that are in flight.
#[derive(Default, Clone, Copy)]
struct Flying {
    sends: usize,
    others: usize,
}

struct Session {
    app: App,
    line: Arc<Line>,
    bucket: Bucket,
    /// What nothing is given for: requests that are refused for their rate, and what keeps a link alive. It has a bucket of
    /// its own, so that whoever waits as long as he is told is not told to wait again.
    idle: Bucket,
    rate: Rate,
    /// A command that is being handed to the store; the next ones wait for it.
    beginning: Option<Beginning>,
    frames: Frames,
    waiting: VecDeque<(u64, usize, Request)>,
    working: FuturesUnordered<Working>,
    flying: HashMap<Log, Flying>,
    /// A watch replaces the one before it, so there is one at a time.
    is_watching: bool,
    out: Vec<Utf8Bytes>,
}

/// Serves a session from its first request to its end.
pub async fn run(app: App, mut socket: WebSocket, from: Option<IpAddr>) {
    let opened = tokio::time::timeout(OPEN_TIMEOUT, open::open(&app, &mut socket)).await;
    let Ok(Some(attached)) = opened else {
        let _ = socket.send(Message::Close(None)).await;
        return;
    };
    let line = attached.line.clone();
    let mut session = Session::new(app.clone(), line.clone());
    tracing::debug!(session.id = %line.session, "a session begins");
    app.see(line.session, from);
    app.crowd()
        .connected(from, line.account(), &app.config().proxies);
    session.serve(&mut socket).await;
    drop(session);
    drop(attached);
    app.see(line.session, None);
    tracing::debug!(session.id = %line.session, "a session ends");
}

fn refused(id: &Value, refusal: &Refusal) -> String {
    error_json(Response::refused(id.clone(), refusal))
}

fn misread(wrong: &Misread) -> String {
    error_json(wrong.response())
}

fn error_json(response: Response) -> String {
    match response.error {
        Some(error) => wire::error_json(&response.id, &error),
        None => String::new(),
    }
}

/// What is said to whoever sends bytes.
const ONLY_TEXT: &str = "expected text";

impl Session {
    fn new(app: App, line: Arc<Line>) -> Self {
        let limits = app.limits();
        let rate = Rate {
            capacity: f64::from(limits.requests_burst.max(1)),
            per_ms: f64::from(limits.requests_per_s.max(1)) / 1_000.0,
        };
        Self {
            bucket: Bucket::full(rate, app.uptime_ms()),
            idle: Bucket::full(rate, app.uptime_ms()),
            rate,
            app,
            line,
            beginning: None,
            frames: Frames::default(),
            waiting: VecDeque::new(),
            working: FuturesUnordered::new(),
            flying: HashMap::new(),
            is_watching: false,
            out: Vec::new(),
        }
    }

    async fn serve(&mut self, socket: &mut WebSocket) {
        let line = self.line.clone();
        let app = self.app.clone();
        let beat = Duration::from_millis(app.config().heartbeat_ms.max(1));
        let mut heard_at = tokio::time::Instant::now();
        let mut heartbeats = tokio::time::interval_at(tokio::time::Instant::now() + beat, beat);
        heartbeats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut news = News::of(&app);
        let mut is_closing = false;
        loop {
            self.go_on();
            self.out
                .extend(news.take().map(|news| wire::pushed_frame(news).into()));
            let (frames, ended) = line.take();
            let is_revoked = ended == Some(Code::SignedOut);
            if is_revoked {
                // Whoever has it by now is told that it ended, and nothing else.
                self.out.clear();
            }
            self.out.extend(frames);
            let goodbye = ended.map(|reason| Pushed::Goodbye(Goodbye { reason }));
            let is_last = is_closing || goodbye.is_some();
            self.out
                .extend(goodbye.map(|goodbye| wire::pushed_frame(goodbye).into()));
            if !self.write(socket, is_revoked).await {
                return;
            }
            if is_last {
                let close = CloseFrame {
                    code: close_code::AWAY,
                    reason: Utf8Bytes::default(),
                };
                let closing = socket.send(Message::Close(Some(close)));
                let _ = tokio::time::timeout(self.stuck(), closing).await;
                return;
            }
            let owes = self.owes();
            let has_room = self.waiting.is_empty()
                && self.beginning.is_none()
                && self.working.len() < limits::REQUESTS_IN_FLIGHT
                && owes.is_zero();
            tokio::select! {
                // Who was given much is not read from until that is paid.
                () = tokio::time::sleep(owes), if !owes.is_zero() => {}
                Some(begun) = begun(&mut self.beginning) => self.begun(begun),
                Some(answered) = self.working.next() => self.answered(answered),
                () = line.woken() => {}
                received = socket.next(), if has_room => {
                    heard_at = tokio::time::Instant::now();
                    match received {
                        Some(Ok(message)) => match self.received(message) {
                            Received::Going => {}
                            Received::TooLong => line.end(Code::FrameTooLong),
                            Received::Closed => return,
                        },
                        Some(Err(error)) => {
                            tracing::debug!(%error, session.id = %line.session, "the link broke");
                            line.end(unread(error));
                        }
                        None => return,
                    }
                }
                _ = heartbeats.tick() => {
                    // Who is asked for much is not read from meanwhile.
                    if has_room && heard_at.elapsed() > beat * limits::SILENT_BEATS {
                        tracing::debug!(session.id = %line.session, "the client is silent");
                        return;
                    }
                    let ping = socket.send(Message::Ping(Default::default()));
                    if !matches!(tokio::time::timeout(self.stuck(), ping).await, Ok(Ok(()))) {
                        return;
                    }
                    let (app, line) = (app.clone(), line.clone());
                    tokio::spawn(async move {
                        match app.heartbeat(&line).await {
                            Ok(heartbeat) => {
                                line.tell(wire::pushed_frame(Pushed::Heartbeat(heartbeat)).into());
                            }
                            Err(error) => tracing::error!(%error, "a heartbeat could not be made"),
                        }
                    });
                }
                // What it is now is told above.
                () = news.changed() => {}
                () = app.closing() => is_closing = true,
            }
        }
    }

    /// Takes a frame apart. Its requests wait for their turn.
    fn received(&mut self, message: Message) -> Received {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(bytes) => {
                self.refuse_frame(bytes.len(), &Misread::of_frame(ONLY_TEXT));
                return Received::Going;
            }
            Message::Ping(_) | Message::Pong(_) => {
                self.charge_idle();
                return Received::Going;
            }
            Message::Close(_) => return Received::Closed,
        };
        let frame_bytes = self.app.limits().frame_bytes;
        if text.len() > frame_bytes {
            let refusal = Refusal::Rejected(Rejection::limit(Code::FrameTooLong, frame_bytes));
            self.out.push(refused(&Value::Null, &refusal).into());
            return Received::TooLong;
        }
        let most = limits::REQUESTS_PER_FRAME + 1;
        let Ok(requests) = ClientFrame::parse_some(&text, most) else {
            self.refuse_frame(text.len(), &Misread::of_text());
            return Received::Going;
        };
        if requests.is_empty() || requests.len() > limits::REQUESTS_PER_FRAME {
            let why = format!("expected 1 to {} requests", limits::REQUESTS_PER_FRAME);
            self.refuse_frame(text.len(), &Misread::of_frame(&why));
            return Received::Going;
        }
        let frame = self.frames.begin(requests.len());
        for (at, request) in requests.into_iter().enumerate() {
            match request {
                Ok(request) => self.wait(frame, at, request),
                Err(wrong) => {
                    let json = match self.take_rate() {
                        Ok(()) => misread(&wrong),
                        Err(busy) => refused(&wrong.id, &Refusal::Busy(busy)),
                    };
                    self.close(frame, at, json);
                }
            }
        }
        Received::Going
    }

    /// A request waits for its turn.
    fn wait(&mut self, frame: u64, at: usize, request: Request) {
        self.waiting.push_back((frame, at, request));
    }

    /// A frame that is refused whole costs what it was to read.
    fn refuse_frame(&mut self, bytes: usize, wrong: &Misread) {
        self.out.push(misread(wrong).into());
        self.charge(1.0 + bytes as f64 / REFUSED_BYTES);
    }

    /// What something cost beyond a request is taken from the session's rate.
    fn charge(&mut self, cost: f64) {
        self.bucket.charge(self.rate, self.app.uptime_ms(), cost);
    }

    /// Something was read for nothing.
    fn charge_idle(&mut self) {
        self.idle.charge(self.rate, self.app.uptime_ms(), 1.0);
    }

    /// A request takes its part of the session's rate. One that is refused for it was read all the same.
    fn take_rate(&mut self) -> Result<(), Busy> {
        let now = self.app.uptime_ms();
        let taken = self.bucket.take(self.rate, now);
        taken.map_err(|retry_after_ms| {
            self.charge_idle();
            Busy { retry_after_ms }
        })
    }

    /// How long nothing is read from whoever was given, or asked, too much.
    fn owes(&mut self) -> Duration {
        let now = self.app.uptime_ms();
        let owes = self.bucket.owes_ms(self.rate, now);
        Duration::from_millis(owes.max(self.idle.owes_ms(self.rate, now)))
    }

    /// How long a client may take nothing.
    fn stuck(&self) -> Duration {
        Duration::from_millis(self.app.config().stuck_ms)
    }

    /// Begins and collects until what still waits does so for something that is being worked on: what was collected last
    /// may have been what the next request waited for, and nothing else would wake the session for it.
    fn go_on(&mut self) {
        loop {
            if let Some(Some(begun)) = begun(&mut self.beginning).now_or_never() {
                self.begun(begun);
            }
            self.begin_waiting();
            if !self.collect() {
                return;
            }
        }
    }

    /// Begins what may be begun: in order, and a command only if those before it on its log are far enough.
    fn begin_waiting(&mut self) {
        while self.beginning.is_none()
            && self.working.len() < limits::REQUESTS_IN_FLIGHT
            && !self.line.is_revoked()
        {
            let Some((_, _, request)) = self.waiting.front() else {
                return;
            };
            if let Request::Command(commanded) = request {
                let flying = self
                    .flying
                    .get(&commanded.command.home(self.line.account()))
                    .copied()
                    .unwrap_or_default();
                // Sends are handed to the store in order; whatever reads has to see what was written before it.
                let is_send = matches!(commanded.command, Command::MessageSend { .. });
                if flying.others > 0 || (flying.sends > 0 && !is_send) {
                    return;
                }
            }
            let is_watch = matches!(request, Request::Question(_, Question::SessionWatch { .. }));
            if is_watch && self.is_watching {
                return;
            }
            let Some((frame, at, request)) = self.waiting.pop_front() else {
                return;
            };
            let waits = self.take_rate().err();
            match request {
                Request::Question(number, question) => {
                    let id = Value::from(number);
                    if let Some(busy) = waits {
                        let json = refused(&id, &Refusal::Busy(busy));
                        self.close(frame, at, json);
                        continue;
                    }
                    self.charge(extra(&question));
                    self.is_watching |= is_watch;
                    let (app, line) = (self.app.clone(), self.line.clone());
                    // A session that is writing for long does not keep its account's turns. One that ends gives up what
                    // waits for a turn; what has one keeps it to its end, or hanging up would give more than others get.
                    let answering = attended(async move {
                        let turn = app.turn(line.account()).await;
                        let answering = tokio::spawn(async move {
                            let _turn = turn;
                            app.answer(&line, question).await
                        });
                        answering.await
                    });
                    self.working.push(Box::pin(async move {
                        let json = match answering.await {
                            Some(Ok(Ok(json))) => wire::result_json(&id, &json),
                            Some(Ok(Err(refusal))) => refused(&id, &refusal),
                            Some(Err(_)) | None => {
                                refused(&id, &Refusal::Misunderstood(INTERNAL_ERROR))
                            }
                        };
                        Answered {
                            is_watch,
                            frame,
                            at,
                            log: None,
                            json,
                            is_busy: false,
                        }
                    }));
                }
                Request::Command(commanded) => {
                    let id = Value::from(commanded.id.to_string());
                    let log = commanded.command.home(self.line.account());
                    let is_put_off = self.frames.is_put_off(frame, log);
                    let waits = waits.or(is_put_off.then_some(Busy {
                        retry_after_ms: 1_000,
                    }));
                    if let Some(busy) = waits {
                        self.frames.put_off(frame, log);
                        let json = refused(&id, &Refusal::Busy(busy));
                        self.close(frame, at, json);
                        continue;
                    }
                    let is_send = matches!(commanded.command, Command::MessageSend { .. });
                    let flying = self.flying.entry(log).or_default();
                    if is_send {
                        flying.sends += 1;
                    } else {
                        flying.others += 1;
                    }
                    let (app, actor) = (self.app.clone(), self.line.actor.clone());
                    let answer = move |begun: InFlight| async move {
                        let (json, is_busy) = match begun.await {
                            Ok(answer) => (wire::result_json(&id, &answer), false),
                            Err(refusal) => {
                                let is_busy = matches!(refusal, Refusal::Busy(_));
                                (refused(&id, &refusal), is_busy)
                            }
                        };
                        Answered {
                            is_watch: false,
                            frame,
                            at,
                            log: Some((log, is_send)),
                            json,
                            is_busy,
                        }
                    };
                    #[expect(
                        clippy::async_yields_async,
                        reason = "what was handed to the store is waited for beside what is begun next"
                    )]
                    let mut beginning: Pin<
                        Box<dyn Future<Output = InFlight> + Send>,
                    > = Box::pin(async move { app.begin(actor, commanded).await });
                    // One that waits for others' turns does not keep the session from anything else, nor the session,
                    // which may be writing for long, the turn from others. It is given up with the session.
                    if let Some(begun) = (&mut beginning).now_or_never() {
                        self.begun(Box::pin(answer(begun)));
                    } else {
                        let beginning = attended(beginning);
                        #[expect(
                            clippy::async_yields_async,
                            reason = "what was handed to the store is waited for beside what is begun next"
                        )]
                        let beginning: Beginning = Box::pin(async move {
                            let begun = beginning.await.unwrap_or_else(failed);
                            let working: Working = Box::pin(answer(begun));
                            working
                        });
                        self.beginning = Some(beginning);
                    }
                }
            }
        }
    }

    /// A command was handed to the store.
    fn begun(&mut self, mut working: Working) {
        self.beginning = None;
        // One that is answered already puts off the rest of its log at once.
        match (&mut working).now_or_never() {
            Some(answered) => self.answered(answered),
            None => self.working.push(working),
        }
    }

    /// Takes what was answered meanwhile; whether there was anything.
    fn collect(&mut self) -> bool {
        let mut is_any = false;
        while let Some(Some(answered)) = self.working.next().now_or_never() {
            self.answered(answered);
            is_any = true;
        }
        is_any
    }

    fn answered(&mut self, answered: Answered) {
        if answered.is_watch {
            self.is_watching = false;
        }
        self.charge(answered.json.len() as f64 / ANSWER_BYTES);
        if let Some((log, is_send)) = answered.log {
            if answered.is_busy {
                self.frames.put_off(answered.frame, log);
            }
            if let Some(flying) = self.flying.get_mut(&log) {
                if is_send {
                    flying.sends -= 1;
                } else {
                    flying.others -= 1;
                }
                if flying.sends + flying.others == 0 {
                    self.flying.remove(&log);
                }
            }
        }
        self.close(answered.frame, answered.at, answered.json);
    }

    /// One request of a frame is answered; the last one sends the answers.
    fn close(&mut self, frame: u64, at: usize, json: String) {
        let whole = self.frames.answer(frame, at, json);
        self.out.extend(whole.map(Utf8Bytes::from));
    }

    /// Writes what waits, at once. False if the client takes nothing any more: one that is slow gets time for each frame. Of
    /// a session that was revoked it is only told that it was.
    async fn write(&mut self, socket: &mut WebSocket, is_revoked: bool) -> bool {
        if self.out.is_empty() {
            return true;
        }
        let frames = std::mem::take(&mut self.out);
        let line = self.line.clone();
        let stuck = self.stuck();
        let writing = async {
            for frame in frames {
                let fed = tokio::time::timeout(stuck, socket.feed(Message::Text(frame)));
                if !matches!(fed.await, Ok(Ok(()))) {
                    return false;
                }
            }
            let flushed = tokio::time::timeout(stuck, socket.flush());
            matches!(flushed.await, Ok(Ok(())))
        };
        tokio::select! {
            biased;
            is_written = writing => is_written,
            // He takes nothing: what he was to get is not for him any more, and he cannot be told so.
            () = line.revoked(), if !is_revoked => false,
        }
    }
}

/// What is being handed to the store, once it is; none if nothing is.
async fn begun(beginning: &mut Option<Beginning>) -> Option<Working> {
    match beginning {
        Some(beginning) => Some(beginning.await),
        None => None,
    }
}

/// A command whose beginning broke.
fn failed() -> InFlight {
    Box::pin(std::future::ready(Err(Refusal::Misunderstood(
        INTERNAL_ERROR,
    ))))
}

/// What a question costs beyond a request, whatever it is answered with.
fn extra(question: &Question) -> f64 {
    if let Question::LogSync { logs } = question {
        logs.len().saturating_sub(1) as f64 / LOGS
    } else {
        0.0
    }
}

/// Why a message could not be read.
fn unread(error: axum::Error) -> Code {
    match error.into_inner().downcast_ref() {
        Some(tungstenite::Error::Capacity(_)) => Code::FrameTooLong,
        Some(_) | None => Code::BadFrame,
    }
}

enum Received {
    Going,
    TooLong,
    Closed,
}

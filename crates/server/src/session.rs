//! A session: one WebSocket of one account. Requests are read ahead, a few in flight at a time; commands on one log keep
//! their order; whatever is to be written goes out as one write.
//!
//! * `open` how it begins
//! * `receiving` what comes, taken apart
//! * `allowance` what it may ask for, and what it owes
//! * `working` requests that are worked on
//! * `flying` commands of a log keep their order
//! * `frames` answers of a frame go out together
//! * `news` what is told beside rows

mod allowance;
mod flying;
mod frames;
mod news;
mod open;
mod receiving;
#[cfg(test)]
mod tests;
mod working;

use std::{collections::VecDeque, net::IpAddr, sync::Arc, time::Duration};

use allowance::Allowance;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use flying::Flights;
use frames::Frames;
use futures_util::{SinkExt, StreamExt, stream::FuturesUnordered};
use news::News;
use receiving::{Received, unread};
use serde_json::Value;
use tulou_protocol::{
    Code,
    frame::{Misread, Refusal, Request, Response},
    limits,
    push::{Goodbye, Pushed},
};
use working::{Beginning, Working, begun};

use crate::{App, hub::Line, store::wire};

struct Session {
    app: App,
    line: Arc<Line>,
    allowance: Allowance,
    /// A command that is being handed to the store; the next ones wait for it.
    beginning: Option<Beginning>,
    frames: Frames,
    waiting: VecDeque<(u64, usize, Request)>,
    working: FuturesUnordered<Working>,
    flights: Flights,
    /// A watch replaces the one before it, so there is one at a time.
    is_watching: bool,
    out: Vec<Utf8Bytes>,
}

/// Serves a session from its first request to its end.
pub async fn run(app: App, mut socket: WebSocket, from: Option<IpAddr>) {
    let within = Duration::from_millis(app.config().open_ms);
    let opened = tokio::time::timeout(within, open::open(&app, &mut socket)).await;
    let Ok(Some((attached, news))) = opened else {
        let _ = socket.send(Message::Close(None)).await;
        return;
    };
    let line = attached.line.clone();
    let mut session = Session::new(app.clone(), line.clone());
    tracing::debug!(session.id = %line.session, "a session begins");
    app.see(line.session, from);
    app.crowd()
        .connected(from, line.account(), &app.config().proxies);
    session.serve(&mut socket, news).await;
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
        Self {
            allowance: Allowance::of(&app, line.account()),
            app,
            line,
            beginning: None,
            frames: Frames::default(),
            waiting: VecDeque::new(),
            working: FuturesUnordered::new(),
            flights: Flights::default(),
            is_watching: false,
            out: Vec::new(),
        }
    }

    async fn serve(&mut self, socket: &mut WebSocket, mut news: News) {
        let line = self.line.clone();
        let app = self.app.clone();
        let beat = Duration::from_millis(app.config().heartbeat_ms.max(1));
        let mut heard_at = tokio::time::Instant::now();
        let mut heartbeats = tokio::time::interval_at(tokio::time::Instant::now() + beat, beat);
        heartbeats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_closing = false;
        loop {
            self.go_on();
            self.out
                .extend(news.take().map(|news| wire::pushed_frame(news).into()));
            let ended = self.take_pushed();
            if !self.write(socket, ended == Some(Code::SignedOut)).await {
                return;
            }
            if is_closing || ended.is_some() {
                say_closed(socket, self.stuck()).await;
                return;
            }
            let owes = self.allowance.owes();
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
                    tokio::spawn(tell_heartbeat(app.clone(), line.clone()));
                }
                // What it is now is told above.
                () = news.changed() => {}
                () = app.closing() => is_closing = true,
            }
        }
    }

    /// Takes what was pushed to the session. If it has ended, also why, which is said last.
    fn take_pushed(&mut self) -> Option<Code> {
        let (frames, ended) = self.line.take();
        if ended == Some(Code::SignedOut) {
            // Whoever has it by now is told that it ended, and nothing else.
            self.out.clear();
        }
        self.out.extend(frames);
        let goodbye = ended.map(|reason| Pushed::Goodbye(Goodbye { reason }));
        self.out
            .extend(goodbye.map(|goodbye| wire::pushed_frame(goodbye).into()));
        ended
    }

    /// How long a client may take nothing.
    fn stuck(&self) -> Duration {
        Duration::from_millis(self.app.config().stuck_ms)
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

async fn tell_heartbeat(app: App, line: Arc<Line>) {
    match app.heartbeat(&line).await {
        Ok(heartbeat) => line.tell(wire::pushed_frame(Pushed::Heartbeat(heartbeat)).into()),
        Err(error) => tracing::error!(%error, "a heartbeat could not be made"),
    }
}

/// Ends a link in order, if the client takes that.
async fn say_closed(socket: &mut WebSocket, stuck: Duration) {
    let close = CloseFrame {
        code: close_code::AWAY,
        reason: Utf8Bytes::default(),
    };
    let closing = socket.send(Message::Close(Some(close)));
    let _ = tokio::time::timeout(stuck, closing).await;
}

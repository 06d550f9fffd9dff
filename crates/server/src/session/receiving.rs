//! What comes from a client: frames taken apart, whose requests wait for their turn.

use axum::extract::ws::Message;
use serde_json::Value;
use tokio_tungstenite::tungstenite;
use tulou_protocol::{
    ClientFrame, Code, Rejection,
    frame::{Misread, Refusal, Request},
    limits,
};

use super::{ONLY_TEXT, Session, misread, refused};

/// Bytes of a frame refused whole that cost as much as a request.
const REFUSED_BYTES: f64 = 8_192.0;

/// What came of a message.
pub enum Received {
    Going,
    TooLong,
    Closed,
}

impl Session {
    /// Takes a frame apart. Its requests wait for their turn.
    pub fn received(&mut self, message: Message) -> Received {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(bytes) => {
                self.refuse_frame(bytes.len(), &Misread::of_frame(ONLY_TEXT));
                return Received::Going;
            }
            Message::Ping(_) | Message::Pong(_) => {
                self.allowance.charge_idle();
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
                    let json = match self.allowance.take() {
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
    pub fn wait(&mut self, frame: u64, at: usize, request: Request) {
        self.waiting.push_back((frame, at, request));
    }

    /// A frame that is refused whole costs what it was to read.
    fn refuse_frame(&mut self, bytes: usize, wrong: &Misread) {
        self.out.push(misread(wrong).into());
        self.allowance.charge(1.0 + bytes as f64 / REFUSED_BYTES);
    }
}

/// Why a message could not be read.
pub fn unread(error: axum::Error) -> Code {
    match error.into_inner().downcast_ref() {
        Some(tungstenite::Error::Capacity(_)) => Code::FrameTooLong,
        Some(_) | None => Code::BadFrame,
    }
}

//! Requests that are worked on: a few at a time, begun in their order, answered as they come.

use std::{future::Future, pin::Pin};

use axum::extract::ws::Utf8Bytes;
use futures_util::{FutureExt, StreamExt};
use serde_json::Value;
use tulou_protocol::{
    Commanded, Question,
    frame::{Busy, INTERNAL_ERROR, Refusal, Request},
    limits,
};

use super::{Session, flying::Flight, refused};
use crate::{
    app::execute::InFlight,
    store::{telling::asking, wire},
    task::attended,
};

/// Bytes of an answer that cost as much as a request.
const ANSWER_BYTES: f64 = 65_536.0;
/// Logs in a question that cost as much as a request.
const LOGS: f64 = 4.0;

/// A request that was answered: in which frame and at which place of it.
pub struct Answered {
    pub is_watch: bool,
    pub frame: u64,
    pub at: usize,
    pub flight: Option<Flight>,
    pub json: String,
    pub is_busy: bool,
}

pub type Working = Pin<Box<dyn Future<Output = Answered> + Send>>;

/// What comes to an answer that is worked on.
pub type Beginning = Pin<Box<dyn Future<Output = Working> + Send>>;

impl Session {
    /// Begins and collects until what still waits does so for something that is being worked on: what was collected last
    /// may have been what the next request waited for, and nothing else would wake the session for it.
    pub fn go_on(&mut self) {
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
            let Some((_, _, next)) = self.waiting.front() else {
                return;
            };
            let may_begin = match next {
                Request::Command(commanded) => self.flights.may_follow(self.flight_of(commanded)),
                Request::Question(_, question) => !(is_watch(question) && self.is_watching),
            };
            if !may_begin {
                return;
            }
            let Some((frame, at, request)) = self.waiting.pop_front() else {
                return;
            };
            let waits = self.allowance.take().err();
            match request {
                Request::Question(number, question) => {
                    let id = Value::from(number);
                    match waits {
                        Some(busy) => self.close(frame, at, refused(&id, &Refusal::Busy(busy))),
                        None => self.ask((frame, at), id, question),
                    }
                }
                Request::Command(commanded) => {
                    let id = Value::from(commanded.id.to_string());
                    let flight = self.flight_of(&commanded);
                    let is_put_off = self.frames.is_put_off(frame, flight.log);
                    let waits = waits.or(is_put_off.then_some(Busy {
                        retry_after_ms: 1_000,
                    }));
                    if let Some(busy) = waits {
                        self.frames.put_off(frame, flight.log);
                        self.close(frame, at, refused(&id, &Refusal::Busy(busy)));
                    } else {
                        self.give((frame, at), id, flight, commanded);
                    }
                }
            }
        }
    }

    fn flight_of(&self, commanded: &Commanded) -> Flight {
        let command = &commanded.command;
        Flight::of(command.home(self.line.account()), command)
    }

    /// Has a question answered.
    fn ask(&mut self, (frame, at): (u64, usize), id: Value, question: Question) {
        self.allowance.charge(extra(&question));
        let is_watch = is_watch(&question);
        self.is_watching |= is_watch;
        let (app, line) = (self.app.clone(), self.line.clone());
        let account = self.allowance.account();
        // A session that is writing for long does not keep its account's turns. One that ends gives up what waits for a
        // turn; what has one keeps it to its end, and is paid for, or hanging up would give more than others get.
        let answering = attended(async move {
            let turn = app.turn(line.account()).await;
            let answering = tokio::spawn(async move {
                let _turn = turn;
                let answer = asking(line.account(), app.answer(&line, question)).await;
                if let Ok(json) = &answer {
                    account.charge(app.uptime_ms(), cost_of(json));
                }
                answer
            });
            answering.await
        });
        self.working.push(Box::pin(async move {
            let json = match answering.await {
                Some(Ok(Ok(json))) => wire::result_json(&id, &json),
                Some(Ok(Err(refusal))) => refused(&id, &refusal),
                Some(Err(_)) | None => refused(&id, &Refusal::Misunderstood(INTERNAL_ERROR)),
            };
            Answered {
                is_watch,
                frame,
                at,
                flight: None,
                json,
                is_busy: false,
            }
        }));
    }

    /// Has a command handed to the store.
    #[expect(
        clippy::async_yields_async,
        reason = "what was handed to the store is waited for beside what is begun next"
    )]
    fn give(&mut self, (frame, at): (u64, usize), id: Value, flight: Flight, commanded: Commanded) {
        self.flights.begin(flight);
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
                flight: Some(flight),
                json,
                is_busy,
            }
        };
        let mut beginning: Pin<Box<dyn Future<Output = InFlight> + Send>> =
            Box::pin(async move { app.begin(actor, commanded).await });
        // One that waits for others' turns does not keep the session from anything else, nor the session, which may be
        // writing for long, the turn from others. It is given up with the session.
        if let Some(begun) = (&mut beginning).now_or_never() {
            self.begun(Box::pin(answer(begun)));
        } else {
            let beginning = attended(beginning);
            let beginning: Beginning = Box::pin(async move {
                let begun = beginning.await.unwrap_or_else(failed);
                let working: Working = Box::pin(answer(begun));
                working
            });
            self.beginning = Some(beginning);
        }
    }

    /// A command was handed to the store.
    pub fn begun(&mut self, mut working: Working) {
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

    /// Something was answered: that makes room for what waited for it.
    pub fn answered(&mut self, answered: Answered) {
        if answered.is_watch {
            self.is_watching = false;
        }
        self.allowance.charge_session(cost_of(&answered.json));
        if let Some(flight) = answered.flight {
            if answered.is_busy {
                self.frames.put_off(answered.frame, flight.log);
            }
            self.flights.end(flight);
        }
        self.close(answered.frame, answered.at, answered.json);
    }

    /// One request of a frame is answered; the last one sends the answers.
    pub fn close(&mut self, frame: u64, at: usize, json: String) {
        let whole = self.frames.answer(frame, at, json);
        self.out.extend(whole.map(Utf8Bytes::from));
    }
}

/// What is being handed to the store, once it is; none if nothing is.
pub async fn begun(beginning: &mut Option<Beginning>) -> Option<Working> {
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

/// What an answer costs.
fn cost_of(json: &str) -> f64 {
    json.len() as f64 / ANSWER_BYTES
}

const fn is_watch(question: &Question) -> bool {
    matches!(question, Question::SessionWatch { .. })
}

/// What a question costs beyond a request, whatever it is answered with.
fn extra(question: &Question) -> f64 {
    if let Question::LogSync { logs } = question {
        logs.len().saturating_sub(1) as f64 / LOGS
    } else {
        0.0
    }
}

//! How a session begins: the first request names the token and the version; nothing else is answered before.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt;
use serde_json::Value;
use tulou_protocol::{
    ClientFrame, Code, Counted, Greeting, Log, Question, Rejection, VERSION,
    frame::{Misread, Refusal, Request},
    limits,
    push::AccountLimits,
    question::Told,
};

use super::{Allowance, ONLY_TEXT, misread, news::News, refused};
use crate::{
    App,
    hub::Line,
    store::{StoreError, wire},
};

/// Frames before the session is open, unless one opens it: then the link is closed.
const WRONG_FRAMES: usize = 8;

/// A session that the hub knows until this is dropped, whatever the reason: nobody waits for one that was given up.
pub struct Attached {
    app: App,
    pub line: Arc<Line>,
}

impl Attached {
    /// The hub knows the session already.
    pub fn of(app: &App, line: Arc<Line>) -> Self {
        Self {
            app: app.clone(),
            line,
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.app.hub().detach(&self.line);
    }
}

/// The first request: `session.open`. None if the link is to be closed.
pub async fn open(app: &App, socket: &mut WebSocket) -> Option<(Attached, News)> {
    // Nobody waits for the answers of one who is not known, so nothing slows him but this.
    for _ in 0..WRONG_FRAMES {
        let text = match socket.next().await?.ok()? {
            Message::Text(text) => text,
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Binary(_) => {
                let wrong = misread(&Misread::of_frame(ONLY_TEXT));
                socket.send(Message::Text(wrong.into())).await.ok()?;
                continue;
            }
            Message::Close(_) => return None,
        };
        let request = match ClientFrame::parse_some(&text, 2) {
            Ok(requests) => match <[_; 1]>::try_from(requests) {
                Ok([request]) => request,
                Err(_) => Err(Misread::of_frame("expected session.open alone")),
            },
            Err(_) => Err(Misread::of_text()),
        };
        let (number, token, version) = match request {
            Ok(Request::Question(number, Question::SessionOpen { token, version })) => {
                (Value::from(number), token, version)
            }
            Ok(Request::Question(number, _)) => {
                return not_open(socket, Value::from(number)).await;
            }
            Ok(Request::Command(commanded)) => {
                return not_open(socket, Value::from(commanded.id.to_string())).await;
            }
            Err(wrong) => {
                let wrong = misread(&wrong);
                socket.send(Message::Text(wrong.into())).await.ok()?;
                continue;
            }
        };
        let answer = greet(app, &token, version).await;
        return match answer {
            Ok((attached, news, greeting)) => {
                let told = Told::Greeting(Box::new(greeting));
                let json = serde_json::to_string(&told).ok()?;
                let greeting = wire::result_json(&number, &json);
                socket.send(Message::Text(greeting.into())).await.ok()?;
                Some((attached, news))
            }
            Err(refusal) => {
                let refused = refused(&number, &refusal);
                socket.send(Message::Text(refused.into())).await.ok()?;
                None
            }
        };
    }
    None
}

/// Refuses what has to wait for a session, and ends the link.
async fn not_open(socket: &mut WebSocket, id: Value) -> Option<(Attached, News)> {
    let refused = refused(&id, &Refusal::Rejected(Code::NotOpen.into()));
    socket.send(Message::Text(refused.into())).await.ok()?;
    None
}

/// Attaches whoever has this token, with what he is told, and with what becomes another thing after that.
pub(super) async fn greet(
    app: &App,
    token: &str,
    version: u32,
) -> Result<(Attached, News, Greeting), Refusal> {
    if version != VERSION {
        return Err(Refusal::Rejected(Rejection::outdated(VERSION)));
    }
    let broken = |error: StoreError| App::broken(&error);
    let found = app.session(token).await.map_err(broken)?;
    let found = found.ok_or_else(|| App::rejected(Code::SignedOut))?;
    Allowance::open(app, found.account, found.communities.len()).map_err(Refusal::Busy)?;
    let line = app.hub().attach(
        found.account,
        found.session,
        found.profile_rev,
        app.config().queue_bytes,
    );
    let attached = Attached::of(app, line.clone());
    if app.presence().count_sockets(found.account) > limits::SOCKETS {
        let refusal = Rejection::limit(Code::TooMany, limits::SOCKETS).of(Counted::Sockets);
        return Err(Refusal::Rejected(refusal));
    }
    // From here on joining and leaving reach the session, and so does its revocation: what was before is read now.
    let gathered = async {
        let Some(found) = app.session(token).await? else {
            return Ok(false);
        };
        let own = Log::Account(line.account());
        for head in app.store().heads(vec![own]).await?.into_iter().flatten() {
            app.hub().stands_at(own, head.rev);
        }
        for community in found.communities {
            app.gather(community, line.account()).await?;
        }
        Ok(true)
    };
    if !gathered.await.map_err(broken)? {
        return Err(App::rejected(Code::SignedOut));
    }
    let identity = app.identity();
    let news = News::of(app);
    let greeting = Greeting {
        version: VERSION,
        server: identity.server,
        server_name: app.config().name.clone(),
        epoch: identity.epoch,
        session: line.session,
        account: line.account(),
        now: app.now(),
        limits: app.limits().clone(),
        account_limits: AccountLimits::default(),
        addresses: app.addresses(),
    };
    Ok((attached, news, greeting))
}

#[cfg(test)]
mod tests;

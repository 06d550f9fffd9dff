//! How a session begins: the first request names the token and the version; nothing else is answered before.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt;
use serde_json::Value;
use tulou_protocol::{
    ClientFrame, Code, Greeting, Log, Question, Rejection, VERSION,
    frame::{Misread, Refusal, Request},
    question::Told,
};

use super::{ONLY_TEXT, misread, refused};
use crate::{App, hub::Line, store::wire};

/// The first request: `session.open`. None if the link is to be closed.
pub async fn open(app: &App, socket: &mut WebSocket) -> Option<Arc<Line>> {
    loop {
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
        let request = match ClientFrame::parse(&text) {
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
            Ok((line, greeting)) => {
                let told = Told::Greeting(Box::new(greeting));
                let json = serde_json::to_string(&told).ok()?;
                let sent = socket
                    .send(Message::Text(wire::result_json(&number, &json).into()))
                    .await;
                if sent.is_err() {
                    app.hub().detach(&line);
                    return None;
                }
                Some(line)
            }
            Err(refusal) => {
                let refused = refused(&number, &refusal);
                socket.send(Message::Text(refused.into())).await.ok()?;
                None
            }
        };
    }
}

/// Refuses what has to wait for a session, and ends the link.
async fn not_open(socket: &mut WebSocket, id: Value) -> Option<Arc<Line>> {
    let refused = refused(&id, &Refusal::Rejected(Code::NotOpen.into()));
    socket.send(Message::Text(refused.into())).await.ok()?;
    None
}

async fn greet(app: &App, token: &str, version: u32) -> Result<(Arc<Line>, Greeting), Refusal> {
    if version != VERSION {
        return Err(Refusal::Rejected(Rejection::outdated(VERSION)));
    }
    let broken = |error| App::broken(&error);
    let found = app.session(token).await.map_err(broken)?;
    let found = found.ok_or_else(|| App::rejected(Code::SignedOut))?;
    let line = app.hub().attach(
        found.account,
        found.session,
        found.profile_rev,
        app.config().queue_bytes,
    );
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
    let refusal = match gathered.await {
        Ok(true) => None,
        Ok(false) => Some(App::rejected(Code::SignedOut)),
        Err(error) => Some(App::broken(&error)),
    };
    if let Some(refusal) = refusal {
        app.hub().detach(&line);
        return Err(refusal);
    }
    let identity = app.identity();
    let greeting = Greeting {
        version: VERSION,
        server: identity.server,
        server_name: app.config().name.clone(),
        epoch: identity.epoch,
        session: line.session,
        account: line.account(),
        now: app.now(),
        limits: app.limits().clone(),
        addresses: app.addresses(),
    };
    Ok((line, greeting))
}

//! The doors: HTTP for what is not a conversation, and the WebSocket.

mod accounts;
mod bounds;
mod connections;
mod peer;
#[cfg(test)]
mod tests;

use std::{future::Future, net::IpAddr};

use axum::{
    Json, Router,
    extract::{Path, State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    http::{HeaderName, HeaderValue, StatusCode, Version, header::RETRY_AFTER},
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use tokio::net::TcpListener;
use tulou_protocol::{
    Code, Rejection, SUBPROTOCOL, VERSION,
    http::{
        CAME_AS_HEADER, InviteCard, KEY_HEADER, Refused, Registration, SERVER_HEADER, ServerCard,
        status,
    },
};

use crate::{
    App, Error,
    accounts::AccountRefusal,
    doors::{Doors, PATIENCE},
    rate::TooMany,
    session,
    store::StoreError,
};
use accounts::Asking;
use bounds::Table;
use connections::Connections;
use peer::Peer;

/// What is read of a socket at once: most frames are small, and there may be many sessions.
const READ_BYTES: usize = 4 * 1_024;
/// A frame so many times the limit is not even read.
const READ_FACTOR: usize = 4;

/// What can be asked for.
fn routes(app: App) -> Router {
    let router = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/v1/server", get(server))
        .route("/v1/invites/{code}", get(invite))
        .route("/ws", any(open_socket))
        .merge(accounts::routes());
    Table::of_doors()
        .bind(router)
        .layer(map_response(introduce(&app)))
        .with_state(app)
}

/// Every answer says who answers: a client looks before it sends anything that is not for everybody.
fn introduce(app: &App) -> impl Fn(Response) -> std::future::Ready<Response> + Clone + use<> {
    let header = |text: String| HeaderValue::from_str(&text).ok();
    let server = header(app.identity().server.to_string());
    let key = app.key().and_then(|key| header(key.to_string()));
    move |mut response| {
        for (name, value) in [(SERVER_HEADER, &server), (KEY_HEADER, &key)] {
            if let Some(value) = value {
                let name = HeaderName::from_static(name);
                response.headers_mut().insert(name, value.clone());
            }
        }
        std::future::ready(response)
    }
}

/// Serves connections until `shutdown`, then ends the sessions and closes the store.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    app.listens_at(listener.local_addr().map_err(Error::Serve)?);
    let doors = Doors::new(listener, app.certificate().tls());
    let ending = app.clone();
    let visited = app.clone();
    let admit = move |from: IpAddr| {
        let proxies = &visited.config().proxies;
        // Whom a proxy brings is counted by each request that becomes a socket.
        let is_proxy = proxies.iter().any(|proxy| proxy.contains(from));
        visited.visits().open(Some(from).filter(|_| !is_proxy))
    };
    let connections = Connections::new(routes(app.clone()), PATIENCE, admit);
    connections
        .serve(doors, async move {
            tokio::select! {
                () = shutdown => ending.end_sessions(),
                // Something broke.
                () = ending.closing() => {}
            }
        })
        .await;
    app.close().await;
    match app.broken_part() {
        Some(part) => Err(Error::Broken(part)),
        None => Ok(()),
    }
}

async fn open_socket(
    State(app): State<App>,
    Peer(from): Peer,
    version: Version,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(why) => {
            // A client that is told how its request came can say which proxy setting is missing.
            let came_as = format!("{version:?}");
            app.crowd().lost_an_upgrade(&came_as);
            let mut response = why.into_response();
            if let Ok(value) = HeaderValue::try_from(came_as) {
                let name = HeaderName::from_static(CAME_AS_HEADER);
                response.headers_mut().insert(name, value);
            }
            return response;
        }
    };
    let Some(open) = app.sockets().open(from) else {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    };
    let most = app.limits().frame_bytes.saturating_mul(READ_FACTOR);
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BYTES)
        .max_message_size(most)
        .max_frame_size(most)
        .on_upgrade(async move |socket| {
            session::run(app, socket, from).await;
            drop(open);
        })
}

async fn server(State(app): State<App>) -> Result<Json<ServerCard>, No> {
    // The first account needs nobody's leave.
    let registration = if app.store().has_accounts().await? {
        app.config().registration
    } else {
        Registration::Open
    };
    Ok(Json(ServerCard {
        server: app.identity().server,
        name: app.config().name.clone(),
        version: VERSION,
        registration,
        addresses: app.addresses(),
        key: app.key(),
        limits: app.limits().clone(),
    }))
}

async fn invite(
    State(app): State<App>,
    Path(code): Path<String>,
    Asking(account): Asking,
) -> Result<Json<InviteCard>, No> {
    let structure = app
        .invited_to(code, account)
        .await?
        .ok_or(Code::InviteInvalid)?;
    Ok(Json(InviteCard {
        community: structure.id,
        name: structure.community.body.name.clone(),
        introduction: structure.community.body.introduction.clone(),
        members: structure.members(),
    }))
}

/// A refusal over HTTP.
struct No(AccountRefusal);

impl<T: Into<AccountRefusal>> From<T> for No {
    fn from(refused: T) -> Self {
        Self(refused.into())
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let (rejection, retry_after_s) = match self.0 {
            AccountRefusal::Rejected(rejection) => (rejection, None),
            AccountRefusal::Later(seconds) => {
                (Rejection::new(Code::TooManyAttempts), Some(seconds))
            }
            AccountRefusal::TooMany(TooMany {
                limit,
                retry_after_s,
            }) => (
                Rejection::limit(Code::TooManySignUps, limit as usize),
                Some(retry_after_s),
            ),
            AccountRefusal::Broken(StoreError::Unwritable) => {
                (Rejection::new(Code::ServerFull), None)
            }
            AccountRefusal::Broken(error) => {
                tracing::error!(error = ?error, "the store failed a request");
                (Rejection::new(Code::Internal), None)
            }
        };
        let status = StatusCode::from_u16(status(rejection.code))
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = Refused {
            rejection,
            retry_after_s,
        };
        let mut response = (status, Json(body)).into_response();
        if let Some(seconds) = retry_after_s {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

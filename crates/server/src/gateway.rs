//! The doors: HTTP for what is not a conversation, and the WebSocket.

use std::future::Future;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, State, WebSocketUpgrade, rejection::JsonRejection},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
    routing::{any, delete, get, post},
};
use tokio::net::TcpListener;
use tulou_protocol::{
    Code, Rejection, SUBPROTOCOL, VERSION,
    http::{InviteCard, Refused, Register, ServerCard, SignIn},
};

use crate::{App, Error, accounts, session, store::StoreError};

/// Bytes of a body that are read.
const BODY_BYTES: usize = 16 * 1_024;
/// What is read of a socket at once: most frames are small, and there may be many sessions.
const READ_BYTES: usize = 4 * 1_024;
/// A frame so many times the limit is not even read.
const READ_FACTOR: usize = 4;

/// What can be asked for.
fn routes(app: App) -> Router {
    Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/v1/server", get(server))
        .route("/v1/invites/{code}", get(invite))
        .route("/v1/accounts", post(register))
        .route("/v1/sessions", post(sign_in))
        .route("/v1/sessions/current", delete(sign_out))
        .route("/ws", any(open_socket))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(app)
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
    let ending = app.clone();
    let served = axum::serve(listener, routes(app.clone()))
        .with_graceful_shutdown(async move {
            shutdown.await;
            ending.end_sessions();
        })
        .await;
    app.close().await;
    served.map_err(Error::Serve)
}

async fn open_socket(State(app): State<App>, upgrade: WebSocketUpgrade) -> Response {
    let most = app.limits().frame_bytes.saturating_mul(READ_FACTOR);
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BYTES)
        .max_message_size(most)
        .max_frame_size(most)
        .on_upgrade(move |socket| session::run(app, socket))
}

async fn server(State(app): State<App>) -> Json<ServerCard> {
    Json(ServerCard {
        server: app.identity().server,
        name: app.config().name.clone(),
        version: VERSION,
        registration: app.config().registration,
    })
}

async fn invite(State(app): State<App>, Path(code): Path<String>) -> Result<Json<InviteCard>, No> {
    let community = app
        .store()
        .invite(code, app.now())
        .await?
        .ok_or(Code::InviteInvalid)?;
    let loaded = app.loaded(community).await?.ok_or(Code::InviteInvalid)?;
    let structure = loaded.structure();
    Ok(Json(InviteCard {
        community,
        name: structure.community.body.name.clone(),
        introduction: structure.community.body.introduction.clone(),
        members: structure.members,
    }))
}

async fn register(
    State(app): State<App>,
    body: Result<Json<Register>, JsonRejection>,
) -> Result<Response, No> {
    let Json(asked) = body.map_err(|_| Code::Malformed)?;
    let signed_in = app.register(asked).await?;
    Ok((StatusCode::CREATED, Json(signed_in)).into_response())
}

async fn sign_in(
    State(app): State<App>,
    body: Result<Json<SignIn>, JsonRejection>,
) -> Result<Response, No> {
    let Json(asked) = body.map_err(|_| Code::Malformed)?;
    let signed_in = app.sign_in(asked).await?;
    Ok((StatusCode::CREATED, Json(signed_in)).into_response())
}

async fn sign_out(State(app): State<App>, headers: HeaderMap) -> Result<StatusCode, No> {
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or(Code::SignedOut)?;
    if app.sign_out(token).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Code::SignedOut.into())
    }
}

/// A refusal over HTTP.
struct No(accounts::Refused);

impl<T: Into<accounts::Refused>> From<T> for No {
    fn from(refused: T) -> Self {
        Self(refused.into())
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let (status, rejection, retry_after_s) = match self.0 {
            accounts::Refused::Rejected(rejection) => (status(rejection.code), rejection, None),
            accounts::Refused::Later(seconds) => (
                StatusCode::TOO_MANY_REQUESTS,
                Rejection::new(Code::WrongPassword),
                Some(seconds),
            ),
            accounts::Refused::Broken(error) => {
                let error: StoreError = error;
                tracing::error!(error = ?error, "the store failed a request");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    Rejection::new(Code::Internal),
                    None,
                )
            }
        };
        let body = Refused {
            rejection,
            retry_after_s,
        };
        (status, Json(body)).into_response()
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other refusal is a bad request"
)]
fn status(code: Code) -> StatusCode {
    match code {
        Code::WrongPassword | Code::SignedOut => StatusCode::UNAUTHORIZED,
        Code::Closed => StatusCode::FORBIDDEN,
        Code::InviteInvalid | Code::NotFound => StatusCode::NOT_FOUND,
        Code::NameTaken => StatusCode::CONFLICT,
        _ => StatusCode::BAD_REQUEST,
    }
}

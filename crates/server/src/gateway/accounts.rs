//! The doors of accounts: registering, signing in, and what a signed-in account does with itself.

use std::{convert::Infallible, error::Error};

use axum::{
    Json, Router,
    extract::{
        FromRequest, FromRequestParts, Path, Query, Request, State, rejection::JsonRejection,
    },
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
use serde::{Deserialize, de::DeserializeOwned};
use tulou_protocol::{
    AccountId, Code, Rejection, SessionId,
    frame::Wrong,
    http::{
        AccountCard, AccountList, ChangePassword, Confirm, DeleteAccount, Recover, RecoveryCodes,
        Register, Reset, SignIn,
    },
    openapi::Bounds,
};

use super::{No, peer::Peer};
use crate::{App, store::SignedInAs};

/// What can be asked for.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/accounts", post(register).get(list_accounts))
        .route("/v1/accounts/{id}/reset", post(reset_account))
        .route("/v1/sessions", post(sign_in))
        .route("/v1/sessions/current", delete(sign_out))
        .route("/v1/recoveries", post(recover))
        .route("/v1/account", get(account))
        .route("/v1/account/password", put(change_password))
        .route("/v1/account/recovery-codes", post(new_recovery_codes))
        .route("/v1/account/sessions", delete(end_other_sessions))
        .route("/v1/account/sessions/{id}", delete(end_session))
        .route("/v1/account/deletion", post(delete_account))
}

/// A body that was to be JSON, and what its route is bound to.
struct Body<T> {
    json: Result<Json<T>, JsonRejection>,
    bounds: Bounds,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let bounds = request.extensions().get::<Bounds>().copied();
        Ok(Self {
            json: Json::from_request(request, state).await,
            bounds: bounds.unwrap_or(Bounds::USUAL),
        })
    }
}

impl<T> Body<T> {
    /// What it holds. Which field cannot be read is told, but not what stood there: it may be a secret.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "axum may add kinds: what is no JSON is malformed"
    )]
    fn read(self) -> Result<T, No> {
        let unread = |rejection| match rejection {
            JsonRejection::JsonDataError(error) => {
                let wrong = wrong_of(&error).map(|wrong| wrong.field);
                Rejection {
                    field: wrong.filter(|field| !field.is_empty()),
                    ..Rejection::new(Code::Malformed)
                }
            }
            JsonRejection::MissingJsonContentType(_) => Code::Malformed.at("content-type"),
            rejection if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Rejection::limit(Code::TooLong, self.bounds.body_bytes)
            }
            _ => Code::Malformed.into(),
        };
        Ok(self.json.map_err(unread)?.0)
    }
}

/// What was wrong, from the causes of an error.
fn wrong_of(error: &(dyn Error + 'static)) -> Option<Wrong> {
    match error.downcast_ref::<serde_path_to_error::Error<serde_json::Error>>() {
        Some(error) => Some(Wrong::of(
            &error.path().to_string(),
            &error.inner().to_string(),
        )),
        None => wrong_of(error.source()?),
    }
}

/// The token that a request names.
struct Token(String);

impl<S: Sync> FromRequestParts<S> for Token {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, No> {
        let token = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or(Code::SignedOut)?;
        Ok(Self(token.to_owned()))
    }
}

/// Whose session a request names.
struct Me(SignedInAs);

impl FromRequestParts<App> for Me {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, No> {
        let Token(token) = Token::from_request_parts(parts, app).await?;
        let session = app.session(&token).await?;
        Ok(Self(session.ok_or(Code::SignedOut)?))
    }
}

/// Who asks, where it may also be somebody without an account.
pub(super) struct Asking(pub Option<AccountId>);

impl FromRequestParts<App> for Asking {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, No> {
        let Ok(Token(token)) = Token::from_request_parts(parts, app).await else {
            return Ok(Self(None));
        };
        let session = app.session(&token).await?;
        Ok(Self(session.map(|session| session.account)))
    }
}

async fn register(
    State(app): State<App>,
    Peer(from): Peer,
    body: Body<Register>,
) -> Result<Response, No> {
    if app.is_read_only() {
        return Err(Code::ServerFull.into());
    }
    let registered = app.register(body.read()?, from).await?;
    Ok((StatusCode::CREATED, Json(registered)).into_response())
}

async fn sign_in(
    State(app): State<App>,
    Peer(from): Peer,
    body: Body<SignIn>,
) -> Result<Response, No> {
    let signed_in = app.sign_in(body.read()?, from).await?;
    Ok((StatusCode::CREATED, Json(signed_in)).into_response())
}

async fn sign_out(State(app): State<App>, Token(token): Token) -> Result<StatusCode, No> {
    if app.sign_out(&token).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Code::SignedOut.into())
    }
}

async fn recover(
    State(app): State<App>,
    Peer(from): Peer,
    body: Body<Recover>,
) -> Result<Response, No> {
    let signed_in = app.recover(body.read()?, from).await?;
    Ok((StatusCode::CREATED, Json(signed_in)).into_response())
}

async fn account(State(app): State<App>, Me(me): Me) -> Result<Json<AccountCard>, No> {
    Ok(Json(app.account_card(&me).await?))
}

async fn change_password(
    State(app): State<App>,
    Peer(from): Peer,
    Me(me): Me,
    body: Body<ChangePassword>,
) -> Result<StatusCode, No> {
    app.change_password(&me, body.read()?, from).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn new_recovery_codes(
    State(app): State<App>,
    Peer(from): Peer,
    Me(me): Me,
    body: Body<Confirm>,
) -> Result<Json<RecoveryCodes>, No> {
    Ok(Json(app.new_recovery_codes(&me, body.read()?, from).await?))
}

async fn end_other_sessions(State(app): State<App>, Me(me): Me) -> Result<StatusCode, No> {
    app.revoke_sessions(&me, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn end_session(
    State(app): State<App>,
    Me(me): Me,
    Path(id): Path<String>,
) -> Result<StatusCode, No> {
    let id: SessionId = id.parse().map_err(|_| Code::NotFound.at("id"))?;
    app.revoke_sessions(&me, Some(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_account(
    State(app): State<App>,
    Peer(from): Peer,
    Me(me): Me,
    body: Body<DeleteAccount>,
) -> Result<StatusCode, No> {
    app.delete_account(&me, body.read()?, from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which accounts are listed.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Listing {
    search: String,
    after: String,
}

async fn list_accounts(
    State(app): State<App>,
    Me(me): Me,
    Query(Listing { search, after }): Query<Listing>,
) -> Result<Json<AccountList>, No> {
    Ok(Json(app.list_accounts(&me, search, after).await?))
}

async fn reset_account(
    State(app): State<App>,
    Me(me): Me,
    Path(id): Path<String>,
) -> Result<Json<Reset>, No> {
    let id: AccountId = id.parse().map_err(|_| Code::NotFound.at("id"))?;
    Ok(Json(app.reset_account(&me, id).await?))
}

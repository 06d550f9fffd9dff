//! What is not a conversation: looking at a server or an invite, registering, signing in and out.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use tulou_protocol::{
    Code, Rejection,
    http::{InviteCard, Refused, Register, ServerCard, SignIn, SignedIn},
    invite::Link,
};

use crate::error::Error;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long an address may take to be reached.
const CONNECT: Duration = Duration::from_secs(5);
/// Bytes of an answer.
const MOST: usize = 1024 * 1024;

/// Asks servers by HTTP.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
}

/// A server that answered at one of a link's addresses.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it says of itself.
    pub card: ServerCard,
    /// The address that answered, `ws://…` or `wss://…`.
    pub address: String,
}

impl Http {
    /// A client of its own.
    pub fn new() -> Result<Self, Error> {
        // Another part of the program may have chosen a provider already; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            reqwest::Client::builder()
                .connect_timeout(CONNECT)
                .timeout(PATIENCE)
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
        };
        // A system without certificates can host and reach itself; servers elsewhere cannot be verified from it.
        let client = builder()
            .build()
            .or_else(|_| builder().tls_certs_only([]).build())
            .map_err(|error| Error::Unreachable(chain(&error)))?;
        Ok(Self { client })
    }

    /// The first of a link's addresses at which its server answers.
    pub async fn find(&self, link: &Link) -> Result<Found, Error> {
        let mut why = Error::Unreachable("the link has no address".into());
        for address in &link.addresses {
            match self.server(address).await {
                Ok(card) if link.server.is_some_and(|server| server != card.server) => {
                    why = Error::Certificate(format!("another server answers at {address}"));
                }
                Ok(card) => {
                    return Ok(Found {
                        card,
                        address: address.clone(),
                    });
                }
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    async fn server(&self, address: &str) -> Result<ServerCard, Error> {
        self.ask::<(), _>(Method::GET, address, "/v1/server", None, None)
            .await
    }

    /// What an invite's code leads to.
    pub async fn invite(&self, address: &str, code: &str) -> Result<InviteCard, Error> {
        self.ask::<(), _>(
            Method::GET,
            address,
            &format!("/v1/invites/{code}"),
            None,
            None,
        )
        .await
    }

    /// Makes an account.
    pub async fn register(&self, address: &str, body: &Register) -> Result<SignedIn, Error> {
        self.ask(Method::POST, address, "/v1/accounts", Some(body), None)
            .await
    }

    /// Signs in.
    pub async fn sign_in(&self, address: &str, body: &SignIn) -> Result<SignedIn, Error> {
        self.ask(Method::POST, address, "/v1/sessions", Some(body), None)
            .await
    }

    /// Ends the session of a token.
    pub async fn sign_out(&self, address: &str, token: &str) -> Result<(), Error> {
        self.send::<()>(
            Method::DELETE,
            address,
            "/v1/sessions/current",
            None,
            Some(token),
        )
        .await
        .map(|_| ())
    }

    async fn ask<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        address: &str,
        path: &str,
        body: Option<&B>,
        token: Option<&str>,
    ) -> Result<T, Error> {
        let bytes = self.send(method, address, path, body, token).await?;
        serde_json::from_slice(&bytes)
            .map_err(|_| Error::Unreachable(format!("{address} is not such a server")))
    }

    async fn send<B: Serialize>(
        &self,
        method: Method,
        address: &str,
        path: &str,
        body: Option<&B>,
        token: Option<&str>,
    ) -> Result<Vec<u8>, Error> {
        let mut request = self
            .client
            .request(method, format!("{}{path}", web(address)));
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let unreachable = |error: reqwest::Error| {
            let why = chain(&error.without_url());
            if why.contains("certificate") || why.contains("UnknownIssuer") {
                Error::Certificate(why)
            } else {
                Error::Unreachable(why)
            }
        };
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if bytes.len() + chunk.len() > MOST {
                return Err(Error::Unreachable("the answer is too long".into()));
            }
            bytes.extend_from_slice(&chunk);
        }
        if status.is_success() {
            Ok(bytes)
        } else {
            Err(refused(status, &bytes))
        }
    }
}

fn refused(status: StatusCode, body: &[u8]) -> Error {
    match serde_json::from_slice::<Refused>(body) {
        Ok(Refused {
            retry_after_s: Some(seconds),
            ..
        }) => Error::Busy {
            retry_after_s: u32::try_from(seconds).unwrap_or(u32::MAX),
        },
        Ok(Refused { rejection, .. }) => rejection.into(),
        Err(_) if status == StatusCode::NOT_FOUND => Rejection::from(Code::NotFound).into(),
        Err(_) => Error::Unreachable(format!("status {status}")),
    }
}

/// `ws://…` as `http://…`.
fn web(address: &str) -> String {
    match address.strip_prefix("ws") {
        Some(rest) => format!("http{rest}"),
        None => address.to_owned(),
    }
}

/// An error with its causes on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

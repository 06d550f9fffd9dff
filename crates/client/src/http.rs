//! What is not a conversation: looking at a server or an invite, registering, signing in and out.

mod account;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Method, StatusCode, header::LOCATION};
use serde::{Serialize, de::DeserializeOwned};
use tulou_protocol::{
    Code, Fingerprint, Rejection, VERSION,
    http::{
        InviteCard, Refused, Register, Registered, SERVER_HEADER, ServerCard, SignIn, SignedIn,
    },
};

use crate::{
    error::{Error, chain},
    link,
    route::{Route, race},
    tls::{self, distrust},
    unusable::{Unusable, in_tls},
};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long an address may take to be reached.
const CONNECT: Duration = Duration::from_secs(5);
/// Bytes of an answer.
const MOST: usize = 1024 * 1024;

/// Asks one server by HTTP, or whichever a route leads to.
#[derive(Clone)]
pub struct Http {
    route: Route,
    /// By the key that is trusted; none: those that the system trusts.
    clients: Arc<Mutex<HashMap<Option<Fingerprint>, reqwest::Client>>>,
}

/// A server that answered at one of a route's addresses.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it says of itself.
    pub card: ServerCard,
    /// The address that answered, `ws://…` or `wss://…`.
    pub address: String,
}

impl Http {
    /// A client that trusts nobody in particular.
    pub fn new() -> Self {
        // Another part of the program may have chosen a provider already; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            route: Route {
                server: None,
                addresses: Vec::new(),
                sighted: Vec::new(),
                key: None,
            },
            clients: Arc::default(),
        }
    }

    /// The same for one server: only it, by its key, is told anything.
    pub fn with(&self, route: Route) -> Self {
        Self {
            route,
            clients: Arc::clone(&self.clients),
        }
    }

    /// The way to the server that is asked.
    pub fn route(&self) -> &Route {
        &self.route
    }

    fn client(&self) -> Result<reqwest::Client, Error> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&self.route.key) {
            return Ok(client.clone());
        }
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_backend_preconfigured(rustls::ClientConfig::clone(&tls::config(self.route.key)))
            .build()
            .map_err(|error| Error::Unreachable(chain(&error)))?;
        clients.insert(self.route.key, client.clone());
        Ok(client)
    }

    /// The first of the route's addresses at which its server answers.
    pub async fn find(&self) -> Result<Found, Error> {
        let addresses = self.route.everywhere();
        let attempt = async |address| {
            let asked = self.server(address).await;
            asked.map_err(|error| self.route.weigh(address, error))
        };
        let (card, address) = race(&addresses, attempt).await?;
        Ok(Found {
            card,
            address: address.to_owned(),
        })
    }

    /// The same, for somebody who wants to sign in there: it has to speak this version.
    pub async fn find_to_sign_in(&self) -> Result<Found, Error> {
        let found = self.find().await?;
        if found.card.version == VERSION {
            return Ok(found);
        }
        Err(Error::OtherVersion {
            is_server_newer: found.card.version > VERSION,
        })
    }

    /// The same, for somebody who goes in: a socket has to get through as well. Who finds out only with an account made
    /// has an account that is of no use.
    pub async fn find_to_enter(&self) -> Result<Found, Error> {
        let found = self.find_to_sign_in().await?;
        link::try_one(&self.route, &found.address).await?;
        Ok(found)
    }

    /// Makes sure that the route's server, and no other, is at an address.
    async fn server(&self, address: &str) -> Result<ServerCard, Error> {
        let card: ServerCard = self
            .ask::<(), _>(Method::GET, address, "/v1/server", None, None)
            .await?;
        self.route.check(address, Some(card.server), card.key)?;
        Ok(card)
    }

    /// What an invite's code leads to; with a token also if that account keeps a place, though the invite is used up.
    pub async fn invite(
        &self,
        address: &str,
        code: &str,
        token: Option<&str>,
    ) -> Result<InviteCard, Error> {
        self.ask::<(), _>(
            Method::GET,
            address,
            &format!("/v1/invites/{code}"),
            None,
            token,
        )
        .await
    }

    /// Makes an account.
    pub async fn register(&self, address: &str, body: &Register) -> Result<Registered, Error> {
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
        serde_json::from_slice(&bytes).map_err(|_| Unusable::NotTulou.into())
    }

    async fn send<B: Serialize>(
        &self,
        method: Method,
        address: &str,
        path: &str,
        body: Option<&B>,
        token: Option<&str>,
    ) -> Result<Vec<u8>, Error> {
        // What is meant for one server is not told to another that happens to be where it was. Over TLS the key or the
        // name stands for it.
        if token.is_some() && self.route.server.is_some() && address.starts_with("ws://") {
            Box::pin(self.server(address)).await?;
        }
        let mut request = self
            .client()?
            .request(method, format!("{}{path}", web(address)));
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let unreachable = |error: reqwest::Error| {
            distrust(&error)
                .or_else(|| in_tls(&error).map(Error::Unusable))
                .unwrap_or_else(|| Error::Unreachable(chain(&error.without_url())))
        };
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let headers = response.headers();
        let is_the_servers = headers.contains_key(SERVER_HEADER);
        let location = headers.get(LOCATION).cloned();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if bytes.len() + chunk.len() > MOST {
                return Err(Error::Unreachable("the answer is too long".into()));
            }
            bytes.extend_from_slice(&chunk);
        }
        if !is_the_servers {
            let location = location
                .as_ref()
                .and_then(|location| location.to_str().ok());
            return Err(Unusable::of_answer(status.as_u16(), location, &bytes).into());
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
            rejection,
            retry_after_s: Some(seconds),
        }) => {
            let retry_after_s = u32::try_from(seconds).unwrap_or(u32::MAX);
            if rejection.code == Code::TooManySignUps {
                Error::SignUps { retry_after_s }
            } else {
                Error::Busy { retry_after_s }
            }
        }
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

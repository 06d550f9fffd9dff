//! A server that speaks another version of the protocol: whoever greets it is told so, and nothing else.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response as Accepted},
        http::HeaderValue,
    },
};
use tulou_protocol::{
    Rejection, SUBPROTOCOL,
    frame::{Refusal, Response},
    http::SERVER_HEADER,
};

/// Speaks `version` where `server` was, until it is dropped.
pub struct OtherVersion(AbortHandle);

impl OtherVersion {
    /// Answers at an address that nobody listens at any more.
    pub fn serve(listener: TcpListener, server: String, version: u32) -> Self {
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(refuse(stream, server.clone(), version));
            }
        });
        Self(task.abort_handle())
    }
}

impl Drop for OtherVersion {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[expect(
    clippy::result_large_err,
    reason = "the handshake has an error of its own, which never comes here"
)]
async fn refuse(stream: TcpStream, server: String, version: u32) -> Option<()> {
    let name_itself = |_: &Request, mut accepted: Accepted| {
        let headers = accepted.headers_mut();
        let value = HeaderValue::from_str(&server).expect("an id is a header's value");
        headers.insert(SERVER_HEADER, value);
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        headers.insert("sec-websocket-protocol", protocol);
        Ok(accepted)
    };
    let mut socket = accept_hdr_async(stream, name_itself).await.ok()?;
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        let asked: Value = serde_json::from_str(&text).ok()?;
        let asked = asked.get(0).unwrap_or(&asked);
        let refusal = Refusal::Rejected(Rejection::outdated(version));
        let refused = Response::refused(asked["id"].clone(), &refusal);
        let refused = serde_json::to_string(&refused).ok()?;
        socket.send(Message::text(refused)).await.ok()?;
    }
    Some(())
}

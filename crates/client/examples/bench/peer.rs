//! A client that speaks the protocol itself, so that the load costs little beside the server.

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde::{de::DeserializeOwned, de::IgnoredAny};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{ClientRequestBuilder, Message, protocol::WebSocketConfig},
};
use tulou_protocol::{
    ClientFrame, Command, CommandId, Commanded, MessageId, Question, SUBPROTOCOL, ServerFrame,
    TopicId, VERSION,
    frame::Request,
    http::{Register, SignedIn},
};
use uuid::Uuid;

/// A socket with an account's session.
pub struct Peer {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    questions: u64,
}

impl Peer {
    /// Registers an account and opens a session of it.
    pub async fn new(http: &reqwest::Client, address: &str, name: &str) -> Result<Self> {
        let body = Register {
            account_name: name.to_owned(),
            display_name: name.to_owned(),
            password: "correct horse".to_owned(),
            invite: None,
            device: String::new(),
        };
        let signed_in: SignedIn = http
            .post(format!("{}/v1/accounts", address.replacen("ws", "http", 1)))
            .json(&body)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        Self::open(address, signed_in.token, WebSocketConfig::default()).await
    }

    /// Opens a session.
    pub async fn open(address: &str, token: String, config: WebSocketConfig) -> Result<Self> {
        let request = ClientRequestBuilder::new(format!("{address}/ws").parse()?)
            .with_sub_protocol(SUBPROTOCOL);
        let (socket, _) = connect_async_with_config(request, Some(config), true).await?;
        let mut peer = Self {
            socket,
            questions: 0,
        };
        let open = Question::SessionOpen {
            token,
            version: VERSION,
        };
        let _: IgnoredAny = peer.ask(open).await?;
        Ok(peer)
    }

    /// Asks, and waits for the answer.
    pub async fn ask<T: DeserializeOwned>(&mut self, question: Question) -> Result<T> {
        self.questions += 1;
        let number = self.questions;
        self.put(Request::Question(number, question)).await?;
        self.answer(&serde_json::json!(number)).await
    }

    /// Commands, and waits for the answer.
    pub async fn command<T: DeserializeOwned>(&mut self, command: Command) -> Result<T> {
        let id = CommandId(Uuid::now_v7());
        self.put(Request::Command(Commanded { id, command }))
            .await?;
        self.answer(&serde_json::json!(id.to_string())).await
    }

    async fn put(&mut self, request: Request) -> Result<()> {
        let text = ClientFrame(vec![request]).to_text()?;
        Ok(self.socket.send(Message::text(text)).await?)
    }

    async fn answer<T: DeserializeOwned>(&mut self, id: &serde_json::Value) -> Result<T> {
        loop {
            let text = self.text().await?;
            if let ServerFrame::Responses(responses) = ServerFrame::parse(&text)? {
                for response in responses {
                    if response.id == *id {
                        return response
                            .into_result()
                            .map_err(|refusal| anyhow::anyhow!("refused: {refusal:?}"));
                    }
                }
            }
        }
    }

    /// The next frame.
    pub async fn text(&mut self) -> Result<String> {
        loop {
            match self.socket.next().await.context("the server closed")?? {
                Message::Text(text) => return Ok(text.to_string()),
                Message::Close(_) => bail!("the server closed"),
                Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Writes one send without looking at the answer.
    pub async fn send(&mut self, topic: TopicId, text: &str) -> Result<()> {
        let frame = format!(
            r#"{{"jsonrpc":"2.0","id":"{}","method":"message.send","params":{{"topic":"{topic}","message":"{}","text":"{text}","written_at":1}}}}"#,
            CommandId(Uuid::now_v7()),
            MessageId(Uuid::now_v7()),
        );
        Ok(self.socket.send(Message::text(frame)).await?)
    }

    /// Reads until at least one send is acknowledged; how many were.
    pub async fn acknowledged(&mut self) -> Result<usize> {
        #[derive(serde::Deserialize)]
        struct Head<'a> {
            #[serde(borrow)]
            id: Option<&'a str>,
            error: Option<serde_json::Value>,
        }
        loop {
            let text = self.text().await?;
            let heads: Vec<Head<'_>> = if text.starts_with('[') {
                serde_json::from_str(&text)?
            } else {
                vec![serde_json::from_str(&text)?]
            };
            let mut count = 0;
            for head in heads {
                if let Some(error) = head.error {
                    bail!("refused: {error}");
                }
                count += usize::from(head.id.is_some());
            }
            if count > 0 {
                return Ok(count);
            }
        }
    }
}

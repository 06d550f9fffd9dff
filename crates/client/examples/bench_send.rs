//! Measures `send`: durable, acknowledged sends of 200 bytes. Speaks the protocol itself, so that the load generator
//! costs little beside the server.

#[path = "bench/server.rs"]
mod server;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, de::DeserializeOwned, de::IgnoredAny};
use server::{Server, percentile, print};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{ClientRequestBuilder, Message},
};
use tulou_protocol::{
    ClientFrame, Command, CommandId, Commanded, CommunityId, GroupId, MessageId, Question,
    SUBPROTOCOL, ServerFrame, TopicId, VERSION,
    frame::Request,
    http::{Register, SignedIn},
    question::Invite,
};
use uuid::Uuid;

const CONNECTIONS: usize = 100;
const IN_FLIGHT: usize = 4;
const TOPICS: usize = 10;
const BYTES: usize = 200;
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(10);
const ALONE: usize = 2_000;

struct Peer {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    questions: u64,
    text: String,
}

impl Peer {
    async fn new(http: &reqwest::Client, address: &str, name: &str) -> Result<Self> {
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
        let request = ClientRequestBuilder::new(format!("{address}/ws").parse()?)
            .with_sub_protocol(SUBPROTOCOL);
        let (socket, _) = connect_async_with_config(request, None, true).await?;
        let mut peer = Self {
            socket,
            questions: 0,
            text: "x".repeat(BYTES),
        };
        let open = Question::SessionOpen {
            token: signed_in.token,
            version: VERSION,
        };
        let _: IgnoredAny = peer.ask(open).await?;
        Ok(peer)
    }

    async fn ask<T: DeserializeOwned>(&mut self, question: Question) -> Result<T> {
        self.questions += 1;
        let number = self.questions;
        self.put(Request::Question(number, question)).await?;
        self.answer(&serde_json::json!(number)).await
    }

    async fn command<T: DeserializeOwned>(&mut self, command: Command) -> Result<T> {
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

    async fn text(&mut self) -> Result<String> {
        loop {
            match self.socket.next().await.context("the server closed")?? {
                Message::Text(text) => return Ok(text.to_string()),
                Message::Close(_) => bail!("the server closed"),
                Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Writes one send without looking at the answer.
    async fn send(&mut self, topic: TopicId) -> Result<()> {
        let frame = format!(
            r#"{{"jsonrpc":"2.0","id":"{}","method":"message.send","params":{{"topic":"{topic}","message":"{}","text":"{}","written_at":1}}}}"#,
            Uuid::now_v7(),
            MessageId(Uuid::now_v7()),
            self.text,
        );
        Ok(self.socket.send(Message::text(frame)).await?)
    }

    /// Reads until at least one send is acknowledged; how many were.
    async fn acknowledged(&mut self) -> Result<usize> {
        #[derive(Deserialize)]
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

#[tokio::main]
async fn main() -> Result<()> {
    // Another library may have chosen a provider already; any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Server::start().await?;
    let http = reqwest::Client::new();
    let mut owner = Peer::new(&http, &server.address, "owner").await?;
    let (community, topics) = build(&mut owner).await?;
    let question = Question::InviteCreate {
        community,
        expires_at: None,
        max_uses: None,
    };
    let invite: Invite = owner.ask(question).await?;
    eprintln!(
        "{CONNECTIONS} connections of as many accounts, at most {IN_FLIGHT} in flight each, {TOPICS} topics, {BYTES} bytes, {} s after {} s of warming up; server and load on this computer, data in {}",
        MEASURED.as_secs(),
        WARM_UP.as_secs(),
        server.folder.path().display(),
    );

    let mut alone = Vec::with_capacity(ALONE);
    for _ in 0..ALONE {
        let begin = Instant::now();
        owner.send(topics[0]).await?;
        owner.acknowledged().await?;
        alone.push(begin.elapsed());
    }
    print("send.p50_ms", percentile(&mut alone, 50), "ms");
    print("send.p99_ms", percentile(&mut alone, 99), "ms");

    let mut peers = Vec::with_capacity(CONNECTIONS);
    for number in 0..CONNECTIONS {
        let mut peer = Peer::new(&http, &server.address, &format!("peer{number}")).await?;
        let join = Command::CommunityJoin {
            community,
            invite: Some(invite.code.clone()),
        };
        let _: IgnoredAny = peer.command(join).await?;
        peers.push(peer);
    }
    let done = Arc::new(AtomicU64::new(0));
    let is_over = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::with_capacity(CONNECTIONS);
    for (number, mut peer) in peers.into_iter().enumerate() {
        let topic = topics[number % topics.len()];
        let (done, is_over) = (Arc::clone(&done), Arc::clone(&is_over));
        tasks.push(tokio::spawn(async move {
            for _ in 0..IN_FLIGHT {
                peer.send(topic).await?;
            }
            while !is_over.load(Ordering::Relaxed) {
                let count = peer.acknowledged().await?;
                done.fetch_add(count as u64, Ordering::Relaxed);
                for _ in 0..count {
                    peer.send(topic).await?;
                }
            }
            anyhow::Ok(())
        }));
    }
    tokio::time::sleep(WARM_UP).await;
    let (before, begin) = (done.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(MEASURED).await;
    let sent = done.load(Ordering::Relaxed) - before;
    let took = begin.elapsed();
    is_over.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await??;
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    print("send.per_second", sent as f64 / took.as_secs_f64(), "1/s");
    Ok(())
}

/// A community with some topics.
async fn build(owner: &mut Peer) -> Result<(CommunityId, Vec<TopicId>)> {
    let community = CommunityId(Uuid::now_v7());
    let group = GroupId(Uuid::now_v7());
    let mut topics = vec![TopicId(Uuid::now_v7())];
    let create = Command::CommunityCreate {
        community,
        name: "bench".into(),
        group,
        group_name: "g".into(),
        topic: topics[0],
        topic_name: "t".into(),
    };
    let _: IgnoredAny = owner.command(create).await?;
    for number in 1..TOPICS {
        let topic = TopicId(Uuid::now_v7());
        let create = Command::TopicCreate {
            community,
            group,
            topic,
            name: format!("t{number}"),
            introduction: String::new(),
            closed: false,
            position: format!("z{number}"),
        };
        let _: IgnoredAny = owner.command(create).await?;
        topics.push(topic);
    }
    Ok((community, topics))
}

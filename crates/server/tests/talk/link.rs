//! A server for a test, and people who are connected with it.

use std::{collections::VecDeque, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};
use tulou_protocol::{CommandId, MessageId};
use tulou_server::{Config, Hosted};
use uuid::Uuid;

/// No answer takes longer, even on a loaded machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// A running server with its folder.
pub struct Place {
    hosted: Hosted,
    config: Config,
    folder: tempfile::TempDir,
}

/// Starts a server.
pub async fn host(set: impl FnOnce(&mut Config)) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config {
        data: folder.path().to_owned(),
        listen: ([127, 0, 0, 1], 0).into(),
        digest_ms: 50,
        ..Config::default()
    };
    config.limits.requests_per_s = 1_000;
    config.limits.requests_burst = 1_000;
    config.limits.messages_per_10s = 1_000;
    set(&mut config);
    let hosted = Hosted::start(config.clone()).await.unwrap();
    Place {
        hosted,
        config,
        folder,
    }
}

impl Place {
    /// Stops the server.
    pub async fn stop(self) {
        self.hosted.stop().await;
        drop(self.folder);
    }

    /// Stops the server and starts it again on the same folder.
    pub async fn restart(self) -> Self {
        self.restart_after(|| {}).await
    }

    /// Stops the server, does something to its files, and starts it again.
    pub async fn restart_after(self, act: impl FnOnce()) -> Self {
        self.hosted.stop().await;
        act();
        let hosted = Hosted::start(self.config.clone()).await.unwrap();
        Self { hosted, ..self }
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.hosted.address()
    }

    /// Its id.
    pub fn server(&self) -> String {
        self.hosted.app().identity().server.to_string()
    }

    /// Where its store is.
    pub fn data(&self) -> &std::path::Path {
        &self.config.data
    }

    /// Until the server's clock has moved on.
    pub async fn next_millisecond(&self) {
        let now = self.hosted.app().now();
        while self.hosted.app().now() == now {
            tokio::task::yield_now().await;
        }
    }

    /// Sends a body.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.http("POST", path, "", &body.to_string()).await
    }

    /// An HTTP request, by hand: status and body.
    pub async fn http(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.hosted.address()).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let status = text.split(' ').nth(1).unwrap().parse().unwrap();
        let body = text.split_once("\r\n\r\n").unwrap().1;
        (status, serde_json::from_str(body).unwrap_or_default())
    }
}

/// Somebody who is connected.
pub struct Guest {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What it signed in with.
    pub token: String,
    last: u64,
    answers: VecDeque<Vec<Value>>,
    /// The account's id.
    pub account: String,
    /// The greeting.
    pub greeting: Value,
    /// All notifications so far.
    pub seen: Vec<Value>,
    looked_at: usize,
}

impl Guest {
    /// Makes an account and connects.
    pub async fn register(place: &Place, name: &str, invite: Option<&str>) -> Self {
        let (status, body) = place
            .post(
                "/v1/accounts",
                &json!({"account_name": name, "display_name": name, "password": "correct horse", "invite": invite}),
            )
            .await;
        assert_eq!(status, 201, "{name} may register: {body}");
        Self::connect(
            place,
            body["token"].as_str().unwrap(),
            body["account"].as_str().unwrap(),
        )
        .await
    }

    /// Connects with a token.
    pub async fn connect(place: &Place, token: &str, account: &str) -> Self {
        Self::try_connect(place, token, account).await.unwrap()
    }

    /// Connects with a token that may not hold any more; why it does not.
    pub async fn try_connect(place: &Place, token: &str, account: &str) -> Result<Self, Value> {
        let stream = TcpStream::connect(place.address()).await.unwrap();
        let mut guest = Self::stranger(stream).await;
        guest.token = token.to_owned();
        guest.account = account.to_owned();
        guest.greeting = guest
            .ask("session.open", json!({"token": token, "version": 2}))
            .await?;
        Ok(guest)
    }

    /// Connects with a small buffer for what it receives, and reads nothing unless it is asked to.
    pub async fn connect_narrow(place: &Place, token: &str, account: &str) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let stream = socket.connect(place.address()).await.unwrap();
        let mut guest = Self::stranger(stream).await;
        guest.token = token.to_owned();
        guest.account = account.to_owned();
        guest.greeting = guest
            .ask("session.open", json!({"token": token, "version": 2}))
            .await
            .unwrap();
        guest
    }

    /// A link on which no session was opened.
    pub async fn stranger(stream: TcpStream) -> Self {
        let mut request = format!("ws://{}/ws", stream.peer_addr().unwrap())
            .into_client_request()
            .unwrap();
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", "tulou.v1".parse().unwrap());
        let stream = MaybeTlsStream::Plain(stream);
        let (socket, response) = tokio_tungstenite::client_async(request, stream)
            .await
            .unwrap();
        assert_eq!(
            response.headers()["Sec-WebSocket-Protocol"],
            "tulou.v1",
            "the server speaks it"
        );
        Self {
            socket,
            token: String::new(),
            last: 0,
            answers: VecDeque::new(),
            account: String::new(),
            greeting: Value::Null,
            seen: Vec::new(),
            looked_at: 0,
        }
    }

    /// Writes bytes past the WebSocket's own rules.
    pub async fn raw(&mut self, bytes: &[u8]) {
        self.socket.get_mut().write_all(bytes).await.unwrap();
    }

    /// Until the server has closed the link.
    pub async fn closed(mut self) {
        let closed = async { while let Some(Ok(_)) = self.socket.next().await {} };
        tokio::time::timeout(DEADLINE, closed)
            .await
            .expect("the server closes it");
    }

    /// Until the server has ended the session; why it did.
    pub async fn ended(mut self) -> String {
        let goodbye = self.pushed("goodbye", |_| true).await;
        let closed = async { while let Some(Ok(_)) = self.socket.next().await {} };
        tokio::time::timeout(DEADLINE, closed).await.unwrap();
        goodbye["reason"].as_str().unwrap().to_owned()
    }

    /// Connects once more.
    pub async fn again(self, place: &Place) -> Self {
        Self::connect(place, &self.token, &self.account).await
    }

    /// Sends a text.
    pub async fn text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Sends bytes.
    pub async fn binary(&mut self, bytes: &'static [u8]) {
        self.socket.send(Message::binary(bytes)).await.unwrap();
    }

    async fn receive(&mut self) {
        let message = tokio::time::timeout(DEADLINE, self.socket.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        let Message::Text(text) = message else { return };
        let frame: Value = serde_json::from_str(&text).unwrap();
        if let Some(answers) = frame.as_array() {
            self.answers.push_back(answers.clone());
        } else if frame.get("method").is_some() {
            self.seen.push(frame);
        } else {
            self.answers.push_back(vec![frame]);
        }
    }

    /// The next answers.
    pub async fn answers(&mut self) -> Vec<Value> {
        loop {
            if let Some(answers) = self.answers.pop_front() {
                return answers;
            }
            self.receive().await;
        }
    }

    /// The next notification of a kind that fits; its params.
    pub async fn pushed(&mut self, method: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            while let Some(seen) = self.seen.get(self.looked_at) {
                self.looked_at += 1;
                if seen["method"] == method && fits(&seen["params"]) {
                    return seen["params"].clone();
                }
            }
            self.receive().await;
        }
    }

    /// The next notification that fits, among all that came so far; each is found once.
    pub async fn pushed_again(&mut self, method: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let found = self
                .seen
                .iter()
                .position(|seen| seen["method"] == method && fits(&seen["params"]));
            if let Some(at) = found {
                self.looked_at = self.looked_at.saturating_sub(1);
                return self.seen.remove(at)["params"].clone();
            }
            self.receive().await;
        }
    }

    /// Sends a request and waits for its answer; a refusal's data.
    pub async fn request(
        &mut self,
        id: &Value,
        method: &str,
        params: &Value,
    ) -> Result<Value, Value> {
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.text(&request.to_string()).await;
        let mut answers = self.answers().await;
        let answer = answers.remove(0);
        assert_eq!(answer["id"], *id, "it is the answer to this");
        if answer.get("error").is_some() {
            return Err(answer["error"]["data"].clone());
        }
        Ok(answer["result"].clone())
    }

    /// Gives a command.
    pub async fn command(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.request(&json!(CommandId(Uuid::now_v7())), method, &params)
            .await
    }

    /// Asks a question.
    pub async fn ask(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.last += 1;
        self.request(&json!(self.last), method, &params).await
    }

    /// Writes a message; the answer.
    pub async fn say(&mut self, topic: &str, text: &str) -> Value {
        self.command("message.send", send(topic, text))
            .await
            .unwrap()
    }

    /// The newest page of a topic.
    pub async fn page(&mut self, topic: &str) -> Value {
        self.ask(
            "topic.page",
            json!({"topic": topic, "at": "end", "limit": 200}),
        )
        .await
        .unwrap()
    }

    /// Watches topics; the answer.
    pub async fn watch(&mut self, topics: &[&str]) -> Value {
        self.ask("session.watch", json!({"topics": topics}))
            .await
            .unwrap()
    }

    /// Makes an invite link; its code.
    pub async fn invite(&mut self, community: &str) -> String {
        let invite = self
            .ask("invite.create", json!({"community": community}))
            .await
            .unwrap();
        invite["code"].as_str().unwrap().to_owned()
    }

    /// Joins a community by an invite link.
    pub async fn join(&mut self, community: &str, code: &str) {
        self.command(
            "community.join",
            json!({"community": community, "invite": code}),
        )
        .await
        .unwrap();
    }

    /// A log as `log.sync` answers it.
    pub async fn sync(&mut self, asked: Value) -> Value {
        let synced = self
            .ask("log.sync", json!({"logs": [asked]}))
            .await
            .unwrap();
        synced["logs"][0].clone()
    }

    /// The first group of a community.
    pub async fn group_of(&mut self, community: &str) -> String {
        let tree = self.sync_community(community).await;
        let rows = tree["rows"].as_array().unwrap();
        let group = rows.iter().find(|row| row["kind"] == "group").unwrap();
        group["id"].as_str().unwrap().to_owned()
    }

    /// The present state of a community.
    pub async fn sync_community(&mut self, community: &str) -> Value {
        let synced = self
            .sync(json!({"log": format!("community/{community}"), "since": 0}))
            .await;
        assert_eq!(synced["outcome"], "reset", "all of it");
        synced
    }
}

/// The server's name in a greeting.
pub fn greeting_text(greeting: &Value) -> &str {
    greeting["server_name"].as_str().unwrap_or_default()
}

/// A new id.
pub fn id() -> String {
    MessageId(Uuid::now_v7()).to_string()
}

/// Alice hosts a community, bob has joined it by an invite.
pub async fn alice_and_bob(place: &Place) -> (Guest, Guest, String, String) {
    let mut alice = Guest::register(place, "alice", None).await;
    let (community, topic) = (id(), id());
    let made = alice
        .command(
            "community.create",
            json!({"community": community, "name": "土楼", "group": id(), "group_name": "大厅", "topic": topic, "topic_name": "闲聊"}),
        )
        .await
        .unwrap();
    assert_eq!(
        made["pushes"][0]["log"],
        format!("community/{community}"),
        "the home log comes first"
    );
    let code = alice.invite(&community).await;
    let mut bob = Guest::register(place, "bob", Some(&code)).await;
    bob.join(&community, &code).await;
    (alice, bob, community, topic)
}

/// What sends a text.
pub fn send(topic: &str, text: &str) -> Value {
    json!({"topic": topic, "message": id(), "text": text, "written_at": 1})
}

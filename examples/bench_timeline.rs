//! Measures the timeline in the window: how far what is in view moves when something happens elsewhere, and long frames
//! while a long history is scrolled.
//!
//! `timeline.drift_px` is the largest distance, over every frame for a second after each of 500 random events, between
//! where the first message in view is and where it was, in whole CSS pixels. `TULOU_SEED` repeats a run.

#[path = "../crates/client/examples/bench/server.rs"]
mod server;

use std::{collections::BTreeMap, path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use fantoccini::{Client as Page, ClientBuilder, wd::Capabilities};
use hyper_util::client::legacy::connect::HttpConnector;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::Deserialize;
use serde_json::{Value, json};
use server::{Server, percentile, print};
use tulou_client::{
    Client, InMemory,
    action::Action,
    view::{MessageView, Stretch},
};

/// Messages that are scrolled.
const MESSAGES: usize = 5_000;
/// How many people write them.
const AUTHORS: usize = 3;
/// Random events.
const EVENTS: usize = 500;
/// Events between two movements of the person.
const AT_A_PLACE: usize = 8;
/// Between two events. Each is watched for a second or longer: watching ends that long after the last one.
const PAUSE: Duration = Duration::from_millis(250);
/// A frame that took longer is a long one.
const LONG_MS: f64 = 50.0;
/// Pixels scrolled in a frame.
const STEP: u32 = 120;
/// How long anything may take before something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "correct horse 电池";

#[tokio::main]
async fn main() -> Result<()> {
    let seed = match std::env::var("TULOU_SEED") {
        Ok(seed) => seed.parse().context("TULOU_SEED is a number")?,
        Err(_) => rand::random(),
    };
    let app = PathBuf::from(
        std::env::var_os("TULOU_APP")
            .context("TULOU_APP names the app; use `cargo xtask bench timeline`")?,
    );
    eprintln!(
        "{MESSAGES} messages of {AUTHORS} people, {EVENTS} events at {} ms, software rendering, TULOU_SEED={seed}",
        PAUSE.as_millis()
    );
    let server = Server::start().await?;
    let people = People::new(&server).await?;
    people.write().await?;
    let mut window = Window::open(&app, &server, &people).await?;
    let result = measure(&mut window, &people, seed).await;
    window.close().await?;
    people.go().await;
    result
}

async fn measure(window: &mut Window, people: &People, seed: u64) -> Result<()> {
    let scrolled: Scrolled = window
        .run("return bench.up(arguments[0])", vec![json!(STEP)])
        .await?;
    ensure!(
        scrolled.heights.len() >= MESSAGES,
        "{} of {MESSAGES} messages came into view",
        scrolled.heights.len()
    );
    let bare: Scrolled = window
        .run(
            "return bench.bare(arguments[0], arguments[1])",
            vec![json!(scrolled.heights), json!(STEP)],
        )
        .await?;
    for (name, frames) in [("timeline", &scrolled.took), ("bare list", &bare.took)] {
        let mut took: Vec<_> = frames
            .iter()
            .map(|ms| Duration::from_secs_f64(ms / 1_000.0))
            .collect();
        eprintln!(
            "{name}: {} frames, p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
            took.len(),
            percentile(&mut took, 50),
            percentile(&mut took, 99),
            percentile(&mut took, 100)
        );
    }
    print(
        "timeline.long_frames",
        long(&scrolled.took) as f64,
        "frames",
    );
    print(
        "timeline.bare_long_frames",
        long(&bare.took) as f64,
        "frames",
    );

    let mut rng = StdRng::seed_from_u64(seed);
    let mut worst: BTreeMap<String, f64> = BTreeMap::new();
    let mut most = 0.0_f64;
    let mut frames = 0;
    let mut done = 0;
    window
        .script("bench.days(arguments[0])", vec![json!(40)])
        .await?;
    let newest: u64 = window.run("return bench.newest()", vec![]).await?;
    ensure!(newest >= MESSAGES as u64, "the newest message is in view");
    while done < EVENTS {
        let by = rng.random_range(-2_500..2_000);
        let first: u64 = window
            .run("return bench.place(arguments[0])", vec![json!(by)])
            .await?;
        ensure!(first > 0, "a message is in view");
        // Every other time a page is fetched above.
        let (what, pages) = match rng.random_bool(0.5) {
            true => ("await bench.reach(); return bench.watch('Pages')", 1),
            false => ("return bench.watch('nothing')", 0),
        };
        let first: u64 = window.run(what, vec![]).await?;
        done += pages;
        for _ in 0..AT_A_PLACE.min(EVENTS - done) {
            let event = Event::random(&mut rng);
            window
                .script("bench.note(arguments[0])", vec![json!(event.name())])
                .await?;
            event.happen(window, people, first, &mut rng).await?;
            tokio::time::sleep(PAUSE).await;
            done += 1;
        }
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        let seen: Seen = window.run("return bench.seen()", vec![]).await?;
        ensure!(seen.frames > 0, "frames were drawn");
        frames += seen.frames;
        most = most.max(seen.drift.round());
        if seen.drift.round() > 0.0 {
            let known = worst.entry(seen.at).or_default();
            *known = known.max(seen.drift);
        }
    }
    eprintln!("{done} events, {frames} frames looked at");
    for (event, drift) in worst {
        eprintln!("moved by {drift:.1} px after {event}");
    }
    print("timeline.drift_px", most, "px");
    Ok(())
}

fn long(frames: &[f64]) -> usize {
    frames.iter().filter(|ms| **ms > LONG_MS).count()
}

/// What can happen while a person reads.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// A message arrives at the end.
    Arrives,
    /// One above becomes longer.
    Grows,
    /// One above becomes shorter.
    Shrinks,
    /// A reaction is added above.
    Reacts,
    /// One above is recalled.
    Recalls,
    /// The person changes the size of the text.
    TextSize,
    /// The window becomes wider or narrower, higher or lower.
    Window,
    /// Separators of days come and go.
    Days,
    /// My own message is sent from elsewhere: first waiting, then a row.
    Sends,
}

impl Event {
    fn random(rng: &mut StdRng) -> Self {
        match rng.random_range(0..19) {
            0..3 => Self::Arrives,
            3..6 => Self::Grows,
            6..9 => Self::Shrinks,
            9..12 => Self::Reacts,
            12..14 => Self::Recalls,
            14..15 => Self::TextSize,
            15..16 => Self::Window,
            16..17 => Self::Days,
            _ => Self::Sends,
        }
    }

    fn name(self) -> String {
        format!("{self:?}")
    }

    async fn happen(
        self,
        window: &Window,
        people: &People,
        first: u64,
        rng: &mut StdRng,
    ) -> Result<()> {
        // Some of these are in the page, some only in what is held.
        let above = first.saturating_sub(rng.random_range(1..30)).max(1);
        match self {
            Self::Arrives => people.send(rng.random_range(0..AUTHORS), &text(rng)).await,
            Self::Grows => {
                people
                    .edit(
                        above,
                        &format!("{}\n{}\n{}", text(rng), text(rng), text(rng)),
                    )
                    .await
            }
            Self::Shrinks => people.edit(above, "1").await,
            Self::Reacts => {
                people
                    .react(above, ["🔥", "👍", "🎉", "😂"][rng.random_range(0..4)])
                    .await
            }
            Self::Recalls => people.recall(above).await,
            Self::TextSize => {
                let size = [90, 100, 110, 120][rng.random_range(0..4)];
                let body = "const app = await invoke('app_view');
                    await invoke('set_settings', { settings: { ...app.settings, textSize: arguments[0] } }); return 0";
                window.run::<u32>(body, vec![json!(size)]).await.map(drop)
            }
            Self::Window => {
                let width = [1000, 1120, 1280][rng.random_range(0..3)];
                let height = [640, 720, 800][rng.random_range(0..3)];
                window.resize(width, height).await
            }
            Self::Days => {
                let ms = [20, 40, 90, 1_000][rng.random_range(0..4)];
                window
                    .script("bench.days(arguments[0])", vec![json!(ms)])
                    .await?;
                people.react(above, "🌙").await
            }
            Self::Sends => {
                let body = "const app = await invoke('app_view');
                    const action = { type: 'sendMessage', topic: arguments[0], text: arguments[1], replyTo: null };
                    await invoke('submit', { account: app.accounts[0].key, action }); return 0";
                let arguments = vec![json!(people.topic), json!(text(rng))];
                window.run::<u32>(body, arguments).await.map(drop)
            }
        }
    }
}

/// Something that somebody might write: short, long, several lines, code.
fn text(rng: &mut StdRng) -> String {
    let words = [
        "今晚九点开始，还缺两个人，有空的回一下。",
        "Bring the second map, the first one is out of date.",
        "集合場所はいつもの広場でいいですか？",
        "오늘은 조금 늦을 것 같아요, 먼저 시작하세요.",
        "**记得** 看一下公告，`v2` 的规则变了",
    ];
    let line = |rng: &mut StdRng| words[rng.random_range(0..words.len())];
    match rng.random_range(0..10) {
        0..6 => line(rng).to_owned(),
        6 => "好".to_owned(),
        7 => (0..rng.random_range(2..8))
            .map(|_| line(rng))
            .collect::<Vec<_>>()
            .join(" "),
        8 => (0..rng.random_range(2..5))
            .map(|_| line(rng))
            .collect::<Vec<_>>()
            .join("\n"),
        _ => format!(
            "```rust\nfn main() {{\n    println!(\"{}\");\n}}\n```",
            line(rng)
        ),
    }
}

/// Those who write, each with a client of his own. The first one owns the community.
struct People {
    clients: Vec<(Client, String)>,
    topic: String,
    link: String,
}

impl People {
    async fn new(server: &Server) -> Result<Self> {
        let mut clients = Vec::new();
        let mut place: Option<(String, String, String)> = None;
        for n in 0..AUTHORS {
            let folder = server.folder.path().join(format!("person{n}"));
            let client = Client::open(folder, Arc::new(InMemory::default())).await?;
            let name = format!("person{n}");
            let key = client
                .register(&server.address, &name, &name, PASSWORD)
                .await?;
            if let Some((_, _, link)) = &place {
                client.join_link(&key, link).await?;
            } else {
                let create = Action::CreateCommunity {
                    name: "Bench".into(),
                    group: "Group".into(),
                    topic: "talk".into(),
                };
                let community = client.submit(&key, create).await?.context("a community")?;
                let topic = until("the community", async || {
                    let tree = client.tree_view(&key, &community).await.ok()?;
                    let group = tree.groups.first().filter(|_| !tree.is_pending)?;
                    Some(group.topics.first()?.id.clone())
                })
                .await?;
                let invite = client.create_invite(&key, &community, None, None).await?;
                place = Some((community, topic, invite.link));
            }
            clients.push((client, key));
        }
        let (community, topic, link) = place.context("a place to talk")?;
        for (client, key) in &clients {
            until("the topic", async || {
                client
                    .tree_view(key, &community)
                    .await
                    .ok()?
                    .groups
                    .first()
                    .map(drop)
            })
            .await?;
            client.enter_topic(key, &topic).await?;
        }
        Ok(Self {
            clients,
            topic,
            link,
        })
    }

    /// Fills the topic.
    async fn write(&self) -> Result<()> {
        let mut rng = StdRng::seed_from_u64(1);
        for n in 0..MESSAGES {
            // Everybody writes a few lines in a row.
            self.send(n / 4 % AUTHORS, &text(&mut rng)).await?;
        }
        until("all messages", async || {
            let (client, key) = &self.clients[0];
            let end = Stretch::End { count: 1 };
            let view = client.timeline_view(key, &self.topic, end).await.ok()?;
            (view.head >= MESSAGES as u64).then_some(())
        })
        .await
    }

    async fn act(&self, who: usize, action: Action) -> Result<()> {
        let (client, key) = &self.clients[who];
        client.submit(key, action).await?;
        Ok(())
    }

    async fn send(&self, who: usize, text: &str) -> Result<()> {
        let action = Action::SendMessage {
            topic: self.topic.clone(),
            text: text.to_owned(),
            reply_to: None,
        };
        self.act(who, action).await
    }

    /// A message and who of us wrote it; none when it is recalled, or the window's.
    async fn written(&self, seq: u64) -> Result<Option<(usize, MessageView)>> {
        let (client, key) = &self.clients[0];
        let row = until("the message's row", async || {
            let at = Stretch::Range {
                from: seq,
                to: Some(seq),
            };
            let view = client.timeline_view(key, &self.topic, at).await.ok()?;
            view.rows.into_iter().find(|row| row.seq == Some(seq))
        })
        .await?;
        let who = self
            .clients
            .iter()
            .position(|(_, key)| key.ends_with(&row.author.id));
        Ok(who.filter(|_| row.recalled.is_none()).map(|who| (who, row)))
    }

    async fn edit(&self, seq: u64, text: &str) -> Result<()> {
        let Some((who, row)) = self.written(seq).await? else {
            return self.send(0, text).await;
        };
        let action = Action::EditMessage {
            topic: self.topic.clone(),
            message: row.id,
            text: text.to_owned(),
        };
        self.act(who, action).await
    }

    async fn react(&self, seq: u64, key: &str) -> Result<()> {
        let Some((who, row)) = self.written(seq).await? else {
            return self.send(1, key).await;
        };
        let action = Action::React {
            topic: self.topic.clone(),
            message: row.id,
            key: key.to_owned(),
            on: true,
        };
        self.act(who, action).await
    }

    async fn recall(&self, seq: u64) -> Result<()> {
        let Some((_, row)) = self.written(seq).await? else {
            return self.send(2, "…").await;
        };
        let action = Action::RecallMessage {
            topic: self.topic.clone(),
            message: row.id,
        };
        self.act(0, action).await
    }

    async fn go(self) {
        for (client, _) in self.clients {
            client.shutdown().await;
        }
    }
}

/// The app in its window.
struct Window {
    page: Page,
    driver: tokio::process::Child,
}

impl Window {
    /// Starts the app and has it join.
    async fn open(app: &std::path::Path, server: &Server, people: &People) -> Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .port();
        let driver = tokio::process::Command::new("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .arg("--host=127.0.0.1")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("TULOU_HOME", server.folder.path().join("window"))
            .env("TULOU_WINDOW_SIZE", "1280x800")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("start WebKitWebDriver")?;
        until("the driver", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .ok()
        })
        .await?;
        let mut wishes = Capabilities::new();
        wishes.insert(
            "webkitgtk:browserOptions".into(),
            json!({"binary": app, "args": []}),
        );
        wishes.insert("timeouts".into(), json!({"script": 600_000}));
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(wishes)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .context("a session with the app")?;
        let window = Self { page, driver };
        until("the page", async || {
            let there = "return document.querySelector('[data-testid]') !== null";
            (window.page.execute(there, vec![]).await.ok()? == Value::Bool(true)).then_some(())
        })
        .await?;
        let input = json!({"link": people.link, "name": "reader", "displayName": "reader",
            "password": PASSWORD, "register": true, "code": null});
        let joined: Value = window
            .run(
                "return invoke('join', { input: arguments[0] })",
                vec![input],
            )
            .await?;
        if !joined.is_object() {
            bail!("the window could not join: {joined}");
        }
        until("messages in view", async || {
            let there = "return document.querySelectorAll('[data-message-id]').length > 8";
            (window.page.execute(there, vec![]).await.ok()? == Value::Bool(true)).then_some(())
        })
        .await?;
        window
            .script(include_str!("bench/timeline.js"), vec![])
            .await?;
        Ok(window)
    }

    async fn script(&self, body: &str, arguments: Vec<Value>) -> Result<()> {
        self.page.execute(body, arguments).await?;
        Ok(())
    }

    /// Runs the body of an asynchronous function; its answer.
    async fn run<T: serde::de::DeserializeOwned>(
        &self,
        body: &str,
        arguments: Vec<Value>,
    ) -> Result<T> {
        let whole = format!(
            "const done = arguments[arguments.length - 1], bench = globalThis.bench;
            const invoke = window.__TAURI_INTERNALS__.invoke;
            (async (...arguments_) => {{ {} }})(...[...arguments].slice(0, -1)).then(done, error => done({{ error: String(error.message ?? error) }}))",
            body.replace("arguments[", "arguments_[")
        );
        let answer = self.page.execute_async(&whole, arguments).await?;
        if let Some(error) = answer.get("error") {
            bail!("the page says: {error}");
        }
        Ok(serde_json::from_value(answer)?)
    }

    async fn resize(&self, width: u32, height: u32) -> Result<()> {
        self.page.set_window_size(width, height).await?;
        Ok(())
    }

    async fn close(mut self) -> Result<()> {
        // The app closes on the way; an answer is not always sent any more.
        let _ = self.page.close().await;
        self.driver.kill().await?;
        Ok(())
    }
}

#[derive(Deserialize)]
struct Scrolled {
    #[serde(default)]
    heights: Vec<(u64, f64)>,
    took: Vec<f64>,
}

#[derive(Deserialize)]
struct Seen {
    drift: f64,
    at: String,
    frames: u64,
}

/// Asks again until there is an answer.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> Result<T> {
    let end = tokio::time::Instant::now() + PATIENCE;
    let mut pause = tokio::time::interval(Duration::from_millis(20));
    loop {
        if let Some(answer) = ask().await {
            return Ok(answer);
        }
        if tokio::time::Instant::now() > end {
            bail!("waited {} s for {what}", PATIENCE.as_secs());
        }
        pause.tick().await;
    }
}

//! The real window under WebDriver: started, looked at, used, killed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use fantoccini::{
    Client, ClientBuilder, Locator,
    actions::{InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction},
    elements::Element,
    wd::Capabilities,
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

/// How long anything may take before the test says what it waited for.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// The app in its window.
pub struct Window {
    driver: Child,
    page: Client,
    home: PathBuf,
}

impl Window {
    /// Starts the app with its folder; `TULOU_WINDOW_SIZE=940x600` shows every test in a small window.
    pub async fn start(home: &Path) -> Self {
        let size = std::env::var("TULOU_WINDOW_SIZE").unwrap_or_default();
        let (width, height) = size
            .split_once('x')
            .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)))
            .unwrap_or((1280, 800));
        Self::start_sized(home, width, height).await
    }

    /// Starts the app where no keyring can be reached.
    pub async fn start_without_keyring(home: &Path) -> Self {
        Self::start_with(
            home,
            1280,
            800,
            &[("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")],
        )
        .await
    }

    /// Starts the app with its folder, in a window of this size.
    pub async fn start_sized(home: &Path, width: u32, height: u32) -> Self {
        Self::start_with(home, width, height, &[]).await
    }

    /// Starts the app with its folder, in a window of this size, with more in its environment.
    pub async fn start_with(
        home: &Path,
        width: u32,
        height: u32,
        environment: &[(&str, &str)],
    ) -> Self {
        let port = free_port();
        let driver = Command::new("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .arg("--host=127.0.0.1")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("TULOU_HOME", home)
            .env("TULOU_WINDOW_SIZE", format!("{width}x{height}"))
            .env("LANG", "en_US.UTF-8")
            .env("LANGUAGE", "en")
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("WebKitWebDriver starts; `cargo xtask setup` installs it");
        until("the driver's port", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .ok()
        })
        .await;
        let mut wishes = Capabilities::new();
        wishes.insert(
            "webkitgtk:browserOptions".into(),
            json!({"binary": env!("CARGO_BIN_EXE_tulou"), "args": []}),
        );
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(wishes)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("a session with the app");
        Self {
            driver,
            page,
            home: home.to_owned(),
        }
    }

    /// Kills the app the hard way, as a power cut would, and the driver with it.
    pub async fn kill(mut self) {
        for pid in processes_of(&self.home) {
            // A process that has ended meanwhile is what is wanted.
            let _ = std::process::Command::new("kill")
                .args(["-9", &pid.to_string()])
                .status();
        }
        until("the app's end", async || {
            processes_of(&self.home).is_empty().then_some(())
        })
        .await;
        self.driver.kill().await.expect("the driver ends");
    }

    /// Ends the session; the app ends with it.
    pub async fn close(mut self) {
        // The driver closes the window on the way; an answer is not always sent any more.
        let _ = self.page.close().await;
        let end = Instant::now() + Duration::from_secs(5);
        while !processes_of(&self.home).is_empty() && Instant::now() < end {
            tokio::task::yield_now().await;
        }
        for pid in processes_of(&self.home) {
            let _ = std::process::Command::new("kill")
                .args(["-9", &pid.to_string()])
                .status();
        }
        self.driver.kill().await.expect("the driver ends");
    }

    /// The element, as soon as it is there and shown.
    pub async fn find(&self, css: &str) -> Element {
        until(&format!("{css} in the window"), async || {
            let element = self.page.find(Locator::Css(css)).await.ok()?;
            element.is_displayed().await.ok()?.then_some(element)
        })
        .await
    }

    /// Whether the element is there now.
    pub async fn has(&self, css: &str) -> bool {
        self.page.find(Locator::Css(css)).await.is_ok()
    }

    /// Waits until the element is gone.
    pub async fn gone(&self, css: &str) {
        until(&format!("the end of {css}"), async || {
            (!self.has(css).await).then_some(())
        })
        .await;
    }

    /// Clicks it as soon as it can be clicked.
    pub async fn click(&self, css: &str) {
        until(&format!("a click on {css}"), async || {
            self.page
                .find(Locator::Css(css))
                .await
                .ok()?
                .click()
                .await
                .ok()
        })
        .await;
    }

    /// Replaces what stands in a field.
    pub async fn fill(&self, css: &str, text: &str) {
        until(&format!("{css} filled"), async || {
            let field = self.page.find(Locator::Css(css)).await.ok()?;
            field.clear().await.ok()?;
            field.send_keys(text).await.ok()?;
            let value = field.prop("value").await.ok()??;
            (value == text).then_some(())
        })
        .await;
    }

    /// Presses keys in the element.
    pub async fn keys(&self, css: &str, keys: &str) {
        self.find(css)
            .await
            .send_keys(keys)
            .await
            .expect("keys reach the element");
    }

    /// Moves the pointer there, in CSS pixels of the page, on a way that takes a moment.
    pub async fn point(&self, x: f64, y: f64) {
        let duration = Some(Duration::from_millis(120));
        self.pointer(PointerAction::MoveTo { duration, x, y }).await;
    }

    /// Presses the pointer's first button, and holds it.
    pub async fn press(&self) {
        let button = MOUSE_BUTTON_LEFT;
        self.pointer(PointerAction::Down { button }).await;
    }

    /// Lets the pointer's first button go.
    pub async fn release(&self) {
        let button = MOUSE_BUTTON_LEFT;
        self.pointer(PointerAction::Up { button }).await;
    }

    async fn pointer(&self, action: PointerAction) {
        self.page
            .perform_actions(MouseActions::new("pointer".into()).then(action))
            .await
            .expect("the pointer does it");
    }

    /// Strikes a key wherever the keyboard is, whatever the pointer holds.
    pub async fn strike(&self, value: char) {
        let keys = KeyActions::new("keyboard".into())
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });
        self.page
            .perform_actions(keys)
            .await
            .expect("the keyboard does it");
    }

    /// Runs a function body in the page.
    pub async fn js(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.page
            .execute(body, arguments)
            .await
            .unwrap_or(Value::Null)
    }

    /// Runs a function body in the page that calls its last argument when it is done.
    pub async fn js_async(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.page
            .execute_async(body, arguments)
            .await
            .unwrap_or(Value::Null)
    }

    /// Waits until the function body is true in the page.
    pub async fn until(&self, what: &str, body: &str) {
        until(what, async || {
            (self.js(body, vec![]).await == Value::Bool(true)).then_some(())
        })
        .await;
    }

    /// A picture of the page at rest: nothing moves any more, and two frames have been drawn since.
    pub async fn picture(&self, name: &str) {
        let frames = "const done = arguments[0];
            const moving = document.getAnimations().filter(one => one.effect.getTiming().iterations !== Infinity);
            Promise.allSettled(moving.map(one => one.finished))
                .then(() => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))";
        self.page
            .execute_async(frames, vec![])
            .await
            .expect("two frames are drawn");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
        fs::create_dir_all(&folder).expect("a folder for pictures");
        // The driver's own screenshots do not come back while frames are drawn without DMA buffers.
        let area = self
            .js(
                "return `${innerWidth}x${innerHeight}+${screenX}+${screenY}`",
                vec![],
            )
            .await;
        let done = Command::new("import")
            .args(["-window", "root", "-strip", "-crop"])
            .arg(area.as_str().unwrap_or("100%x100%"))
            .arg("+repage")
            .arg(folder.join(format!("{name}.png")))
            .status()
            .await
            .expect("import starts; `cargo xtask setup` installs it");
        assert!(done.success(), "the picture {name} is kept");
    }
}

/// Says where a long story is.
pub fn stage(name: &str) {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    eprintln!("[{}] {name}", now.as_secs() % 10_000);
}

/// Asks again until there is an answer; says what it waited for if none comes.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    let mut pause = tokio::time::interval(Duration::from_millis(20));
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(
            Instant::now() < end,
            "waited {} s for {what}",
            PATIENCE.as_secs()
        );
        pause.tick().await;
    }
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its number").port()
}

/// Processes of the app that were started with this folder, children of the web view included.
fn processes_of(home: &Path) -> Vec<u32> {
    let mark = format!("TULOU_HOME={}", home.display());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let folder = entry.path();
        let is_ours = fs::read(folder.join("environ")).is_ok_and(|all| {
            all.split(|byte| *byte == 0)
                .any(|one| one == mark.as_bytes())
        });
        let is_app = fs::read_link(folder.join("exe"))
            .is_ok_and(|exe| exe == Path::new(env!("CARGO_BIN_EXE_tulou")));
        if is_ours && is_app {
            found.push(pid);
        }
    }
    found
}

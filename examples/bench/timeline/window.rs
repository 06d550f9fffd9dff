//! The app in its window, driven from outside.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use fantoccini::{Client as Page, ClientBuilder, wd::Capabilities};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use super::{
    people::{PASSWORD, People},
    server::Server,
    until,
};

/// The app in its window.
pub struct Window {
    page: Page,
    driver: tokio::process::Child,
}

impl Window {
    /// Starts the app and has it join.
    pub async fn open(app: &std::path::Path, server: &Server, people: &People) -> Result<Self> {
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
            .script(include_str!("../timeline.js"), vec![])
            .await?;
        Ok(window)
    }

    /// Runs a function body in the page.
    pub async fn script(&self, body: &str, arguments: Vec<Value>) -> Result<()> {
        self.page.execute(body, arguments).await?;
        Ok(())
    }

    /// Runs the body of an asynchronous function; its answer.
    pub async fn run<T: serde::de::DeserializeOwned>(
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

    /// Makes it so wide and high.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        self.page.set_window_size(width, height).await?;
        Ok(())
    }

    /// Ends the app.
    pub async fn close(mut self) -> Result<()> {
        // The app closes on the way; an answer is not always sent any more.
        let _ = self.page.close().await;
        self.driver.kill().await?;
        Ok(())
    }
}

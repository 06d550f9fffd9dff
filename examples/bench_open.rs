//! Measures switching to a topic of 1,000,000 messages in the window: from the click to the painted rows; and
//! to one of the worst messages that can be sent.

#[path = "bench/fill.rs"]
mod fill;
#[path = "../crates/client/examples/bench/load.rs"]
mod load;

use std::{path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context, Result};
use fantoccini::{ClientBuilder, Locator, wd::Capabilities};
use hyper_util::client::legacy::connect::HttpConnector;
use load::load;
use serde_json::json;

/// How often the topic is opened.
const SAMPLES: usize = 200;
/// Messages of the large topic.
const MESSAGES: usize = 1_000_000;
/// Messages of the topic with the worst texts.
const HARD: usize = 200;

/// Clicks a topic and answers with the milliseconds until its rows were painted.
const OPEN: &str = "
    const [topic, done] = arguments;
    const before = performance.getEntriesByName('tulou:painted').length;
    const from = performance.now();
    document.querySelector(`[data-topic-id=\"${topic}\"]`).click();
    const look = () => {
        const marks = performance.getEntriesByName('tulou:painted');
        if (marks.length > before) done(marks[marks.length - 1].startTime - from);
        else requestAnimationFrame(look);
    };
    look()";

#[tokio::main]
async fn main() -> Result<()> {
    let (messages, hard, times) = load((MESSAGES, HARD, SAMPLES), (1_000, 3, 3));
    let app = PathBuf::from(
        std::env::var_os("TULOU_APP")
            .context("TULOU_APP names the app; use `cargo xtask bench open`")?,
    );
    let folder = tempfile::Builder::new()
        .prefix("bench-open")
        .tempdir_in(app.parent().context("the app's folder")?)?;
    let filled = fill::fill(folder.path(), &[messages, 1_000, hard, 1_000], Some(2))?;
    eprintln!(
        "a topic of {messages} messages, opened {times} times in turn with one of 1,000, software rendering, account {}",
        filled.account
    );

    let port = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    let mut driver = tokio::process::Command::new("WebKitWebDriver")
        .arg(format!("--port={port}"))
        .arg("--host=127.0.0.1")
        .env("TAURI_WEBVIEW_AUTOMATION", "true")
        .env("TULOU_HOME", folder.path())
        .env("TULOU_WINDOW_SIZE", "1280x800")
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("start WebKitWebDriver")?;
    while tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .is_err()
    {
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let mut wishes = Capabilities::new();
    wishes.insert(
        "webkitgtk:browserOptions".into(),
        json!({"binary": app, "args": []}),
    );
    let page = ClientBuilder::new(HttpConnector::new())
        .capabilities(wishes)
        .connect(&format!("http://127.0.0.1:{port}"))
        .await
        .context("a session with the app")?;
    page.wait()
        .for_element(Locator::Css(&format!(
            "[data-topic-id=\"{}\"]",
            filled.topics[0]
        )))
        .await?;
    page.wait()
        .for_element(Locator::Css("[data-testid=\"message\"]"))
        .await?;
    for (name, topic) in [
        ("open.painted_p99_ms", &filled.topics[0]),
        ("open.worst_painted_p99_ms", &filled.topics[2]),
    ] {
        let mut samples = Vec::new();
        for _ in 0..times {
            let took = page.execute_async(OPEN, vec![json!(topic)]).await?;
            samples.push(took.as_f64().context("milliseconds")?);
            page.execute_async(OPEN, vec![json!(filled.topics[1])])
                .await?;
        }
        samples.sort_by(f64::total_cmp);
        let at = |share: f64| samples[((samples.len() - 1) as f64 * share).round() as usize];
        eprintln!(
            "{name}: p50 {:.1} ms, p90 {:.1} ms, most {:.1} ms",
            at(0.5),
            at(0.9),
            at(1.0)
        );
        println!("{}", json!({"name": name, "value": at(0.99), "unit": "ms"}));
    }
    // The app closes on the way; an answer is not always sent any more.
    let _ = page.close().await;
    driver.kill().await?;
    Ok(())
}

//! Measures the timeline in the window: how far what is in view moves when something happens elsewhere, and long frames
//! while a long history, and one of blocks of code, is scrolled.
//!
//! `timeline.drift_px` is the largest distance, over every frame for a second after each of 500 random events, between
//! where the first message in view is and where it was, in whole CSS pixels. `TULOU_SEED` repeats a run; `TULOU_EVENTS`
//! and `TULOU_MESSAGES` make a shorter one.

#[path = "bench/timeline/event.rs"]
mod event;
#[path = "../crates/client/examples/bench/load.rs"]
mod load;
#[path = "bench/timeline/people.rs"]
mod people;
#[path = "../crates/client/examples/bench/server.rs"]
mod server;
#[path = "bench/timeline/text.rs"]
mod text;
#[path = "bench/timeline/window.rs"]
mod window;

use std::{collections::BTreeMap, path::PathBuf, str::FromStr, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use event::Event;
use load::load;
use people::{AUTHORS, People};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::Deserialize;
use serde_json::json;
use server::{Server, percentile, print};
use window::Window;

/// Messages that are scrolled.
const MESSAGES: usize = 5_000;
/// Blocks of code that are scrolled.
const BLOCKS: usize = 200;
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

/// A number from the environment, if it is there.
fn wished<T: FromStr>(name: &str) -> Result<Option<T>>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    match std::env::var(name) {
        Ok(text) => Ok(Some(
            text.parse()
                .with_context(|| format!("{name} is a number"))?,
        )),
        Err(_) => Ok(None),
    }
}

fn messages() -> Result<usize> {
    Ok(wished("TULOU_MESSAGES")?.unwrap_or(load(MESSAGES, 60)))
}

fn blocks() -> usize {
    load(BLOCKS, 10)
}

fn events() -> Result<usize> {
    Ok(wished("TULOU_EVENTS")?.unwrap_or(load(EVENTS, 3)))
}

#[tokio::main]
async fn main() -> Result<()> {
    let seed = wished("TULOU_SEED")?.unwrap_or_else(rand::random);
    let app = PathBuf::from(
        std::env::var_os("TULOU_APP")
            .context("TULOU_APP names the app; use `cargo xtask bench timeline`")?,
    );
    let (messages, events) = (messages()?, events()?);
    eprintln!(
        "{messages} messages of {AUTHORS} people, {} blocks of code, {events} events at {} ms, software \
         rendering, TULOU_SEED={seed}",
        blocks(),
        PAUSE.as_millis()
    );
    let server = Server::start(server::folder()?, None).await?;
    let people = People::new(&server).await?;
    people.write(messages, blocks()).await?;
    let window = Window::open(&app, &server, &people).await?;
    let result = measure(&window, &people, seed).await;
    window.close().await?;
    people.go().await;
    result
}

async fn measure(window: &Window, people: &People, seed: u64) -> Result<()> {
    let (long, bare) = scroll(window, "talk", messages()?).await?;
    print("timeline.long_frames", long, "frames");
    print("timeline.bare_long_frames", bare, "frames");
    window
        .run::<u64>("return bench.open(arguments[0])", vec![json!(people.code)])
        .await?;
    let (long, bare) = scroll(window, "code", blocks()).await?;
    print("timeline.code_long_frames", long, "frames");
    print("timeline.bare_code_long_frames", bare, "frames");
    window
        .run::<u64>("return bench.open(arguments[0])", vec![json!(people.topic)])
        .await?;
    let drift = drift(window, people, seed).await?;
    print("timeline.drift_px", drift, "px");
    Ok(())
}

/// Scrolls a topic of so many messages from its end to its beginning, then a bare list of the same heights; how many
/// frames were long in each.
async fn scroll(window: &Window, name: &str, count: usize) -> Result<(f64, f64)> {
    let scrolled: Scrolled = window
        .run("return bench.up(arguments[0])", vec![json!(STEP)])
        .await?;
    ensure!(
        scrolled.heights.len() >= count,
        "{} of {count} messages of {name} came into view",
        scrolled.heights.len()
    );
    let bare: Scrolled = window
        .run(
            "return bench.bare(arguments[0], arguments[1])",
            vec![json!(scrolled.heights), json!(STEP)],
        )
        .await?;
    for (list, frames) in [("timeline", &scrolled.took), ("bare list", &bare.took)] {
        let mut took: Vec<_> = frames
            .iter()
            .map(|ms| Duration::from_secs_f64(ms / 1_000.0))
            .collect();
        eprintln!(
            "{name}, {list}: {} frames, p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
            took.len(),
            percentile(&mut took, 50),
            percentile(&mut took, 99),
            percentile(&mut took, 100)
        );
    }
    Ok((long(&scrolled.took), long(&bare.took)))
}

fn long(frames: &[f64]) -> f64 {
    frames.iter().filter(|ms| **ms > LONG_MS).count() as f64
}

/// The largest distance, in whole CSS pixels, that the first message in view moved.
async fn drift(window: &Window, people: &People, seed: u64) -> Result<f64> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut worst: BTreeMap<String, f64> = BTreeMap::new();
    let mut most = 0.0_f64;
    let mut frames = 0;
    let mut done = 0;
    window
        .script("bench.days(arguments[0])", vec![json!(40)])
        .await?;
    let newest: u64 = window.run("return bench.newest()", vec![]).await?;
    ensure!(
        newest >= messages()? as u64,
        "the newest message is in view"
    );
    let events = events()?;
    while done < events {
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
        for _ in 0..AT_A_PLACE.min(events - done) {
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
    Ok(most)
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

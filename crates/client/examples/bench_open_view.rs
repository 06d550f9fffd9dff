//! Measures the Rust part of `open`: the view of a topic of 1,000,000 messages at its first unread row, and that of a
//! topic with the worst messages that can be sent.

#[path = "../../../examples/bench/fill.rs"]
mod fill;
#[path = "bench/load.rs"]
mod load;
#[path = "bench/server.rs"]
#[expect(dead_code, reason = "this measurement needs no server")]
mod server;

use std::{sync::Arc, time::Instant};

use anyhow::{Context, Result};
use load::load;
use server::{percentile, print};
use tulou_client::{Client, InMemory, store::Store, view::Stretch};
use tulou_engine::Write;
use tulou_protocol::{
    AccountId, Log, Rev, Row, Seq,
    row::{Cursor, More},
};

const MESSAGES: usize = 1_000_000;
/// Messages of the topic with the worst texts.
const HARD: usize = 200;
const ROWS: u32 = 50;
const SAMPLES: usize = 1_000;

#[tokio::main]
async fn main() -> Result<()> {
    let (messages, hard_ones, times) = load((MESSAGES, HARD, SAMPLES), (1_000, 3, 3));
    let me = std::env::current_exe()?;
    let folder = tempfile::Builder::new()
        .prefix("bench-open-view")
        .tempdir_in(me.parent().context("the program's folder")?)?;
    let filled = fill::fill(folder.path(), &[messages, 1_000, hard_ones], Some(2))?;
    let large = &filled.topics[0];
    unread_from_the_middle(folder.path(), &filled.account, large, messages)?;
    eprintln!(
        "a topic of {messages} messages, {ROWS} rows at the first unread in the middle, {times} times in turn with another topic"
    );

    let client = Client::open(folder.path().to_owned(), Arc::new(InMemory::default())).await?;
    let viewer = client.viewer();
    let mut samples = Vec::with_capacity(times);
    for _ in 0..times {
        for topic in [&filled.topics[1], large] {
            let begin = Instant::now();
            viewer.enter_topic(&filled.account, topic).await?;
            let stretch = Stretch::Unread { count: ROWS };
            let view = viewer
                .timeline_view(&filled.account, topic, stretch)
                .await?;
            let took = begin.elapsed();
            viewer.leave_topic(&filled.account, topic)?;
            anyhow::ensure!(view.rows.len() == ROWS as usize, "{} rows", view.rows.len());
            if topic == large {
                anyhow::ensure!(view.first_unread == Some(messages as u64 / 2 + 1));
                samples.push(took);
            }
        }
    }
    print("open.view_p99_ms", percentile(&mut samples, 99), "ms");
    let hard = &filled.topics[2];
    let mut samples = Vec::with_capacity(hard_ones);
    for first in 1..=hard_ones as u64 {
        let begin = Instant::now();
        viewer.enter_topic(&filled.account, hard).await?;
        let stretch = Stretch::Range {
            from: first,
            to: Some((first + u64::from(ROWS) - 1).min(hard_ones as u64)),
        };
        let view = viewer.timeline_view(&filled.account, hard, stretch).await?;
        samples.push(begin.elapsed());
        viewer.leave_topic(&filled.account, hard)?;
        anyhow::ensure!(!view.rows.is_empty(), "the topic has rows");
    }
    print("open.worst_view_p99_ms", percentile(&mut samples, 99), "ms");
    client.shutdown().await;
    Ok(())
}

/// Half of the topic is unread.
fn unread_from_the_middle(
    home: &std::path::Path,
    account: &str,
    topic: &str,
    messages: usize,
) -> Result<()> {
    let (_, id) = account.split_once('.').context("the account's key")?;
    let me = AccountId(id.parse()?);
    let store = Store::open(&home.join("accounts").join(format!("{account}.sqlite")), me)?;
    let cursor = Cursor {
        seq: Seq(messages as u64 / 2),
        own: 0,
        set_no: 1,
        more: More::new(),
    };
    let row = Row {
        id: topic.to_owned(),
        rev: Rev(3),
        body: cursor.into(),
    };
    store.apply(&[Write::Rows(Log::Account(me), vec![row])], 0)?;
    Ok(())
}

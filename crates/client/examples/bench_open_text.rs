//! Measures the reading of the worst messages that can be sent: the tree of the dialect, the excerpt, and what the window
//! gets of it, folded and whole.

#[path = "bench/load.rs"]
mod load;
#[path = "bench/server.rs"]
#[expect(dead_code, reason = "this measurement needs no server")]
mod server;
#[path = "../../protocol/src/markup/tests/worst.rs"]
mod worst;

use std::{hint::black_box, time::Instant};

use anyhow::{Context, Result};
use load::load;
use server::{percentile, print};
use tulou_client::markdown::{Names, blocks, excerpt, folded};
use tulou_protocol::limits::TEXT_BYTES;

/// How often each is read.
const SAMPLES: usize = 20;
/// As the window asks for the quotation of a reply.
const EXCERPT: usize = 120;

fn main() -> Result<()> {
    let names = Names::default();
    let mut worst = Vec::new();
    for (name, text) in worst::texts() {
        anyhow::ensure!(text.len() <= TEXT_BYTES, "{name} can be sent");
        let mut samples: Vec<_> = (0..load(SAMPLES, 1))
            .map(|_| {
                let begin = Instant::now();
                black_box(excerpt(&text, &names, EXCERPT));
                black_box(folded(&text, &names));
                black_box(blocks(&text, &names));
                begin.elapsed()
            })
            .collect();
        worst.push((percentile(&mut samples, 50), name));
    }
    worst.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (took, name) in worst.iter().take(5) {
        eprintln!("{name}: {took:.1} ms");
    }
    let (took, _) = worst.first().context("a text")?;
    print("text.worst_parse_max_ms", *took, "ms");
    Ok(())
}

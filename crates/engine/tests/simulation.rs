//! Several clients, a server, a network that delays, cuts and loses, programs that crash: at rest everything agrees.
//!
//! `TULOU_SEED` is the first run's seed, `TULOU_SEEDS` how many runs there are; `TULOU_LONG` asks for very many. `TULOU_TRACE` prints what
//! goes into the engines and what comes out.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails where it expects something else"
)]

#[path = "simulation/chance.rs"]
mod chance;
#[path = "simulation/check.rs"]
mod check;
#[path = "simulation/client.rs"]
mod client;
#[path = "simulation/decide.rs"]
mod decide;
#[path = "simulation/model.rs"]
mod model;
#[path = "simulation/server.rs"]
mod server;
#[path = "simulation/store.rs"]
mod store;
#[path = "simulation/world.rs"]
mod world;

use std::{
    env,
    panic::{self, AssertUnwindSafe},
    time::{SystemTime, UNIX_EPOCH},
};

const SEEDS: u64 = 300;
/// Runs when nobody waits for them.
const LONG_SEEDS: u64 = 20_000;

fn from_env(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

#[test]
fn at_rest_everything_agrees() {
    let base = from_env("TULOU_SEED").unwrap_or_else(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        since.as_nanos() as u64 >> 10
    });
    let is_long = std::env::var_os("TULOU_LONG").is_some();
    let runs = from_env("TULOU_SEEDS").unwrap_or(if is_long { LONG_SEEDS } else { SEEDS });
    println!("{runs} runs from seed {base}");
    for seed in base..base + runs {
        let run = panic::catch_unwind(AssertUnwindSafe(|| {
            world::World::new(seed).run(seed % 8 == 0)
        }));
        if let Err(cause) = run {
            println!(
                "replay with: TULOU_SEED={seed} TULOU_SEEDS=1 cargo test -p tulou-engine --test simulation -- --nocapture"
            );
            panic::resume_unwind(cause);
        }
    }
}

//! At how many points power is lost, and chance that can be replayed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Points in an ordinary run; a long one has ten times as many.
const SEEDS: u64 = 50;

/// Where the chance of this run begins: printed, so that a failure can be repeated with `TULOU_SEED`.
pub fn seed() -> u64 {
    let named = std::env::var("TULOU_SEED").ok();
    let seed = match named.and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed,
        None => u64::from(rand::random::<u32>()),
    };
    println!("seed {seed} (repeat with TULOU_SEED={seed})");
    seed
}

/// Whether the numbers of a long run are asked for.
pub fn is_long() -> bool {
    std::env::var_os("TULOU_LONG").is_some()
}

/// The seeds of this run.
pub fn seeds() -> impl Iterator<Item = u64> {
    let base = seed();
    let count = if is_long() { 10 * SEEDS } else { SEEDS };
    base..base + count
}

pub struct Chance(ChaCha8Rng);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0.random_range(0..end)
    }
}

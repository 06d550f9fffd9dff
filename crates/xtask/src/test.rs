//! Everything that has to hold before a change goes in.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::{
    bench, check,
    display::Display,
    fuzz, repo, run, setup,
    step::{Remedy, Steps},
    wine,
};

/// How much is tested.
#[derive(clap::Args)]
pub struct Arguments {
    /// The full numbers: more seeds, longer simulations, larger stores.
    #[arg(long)]
    long: bool,
    /// Repeat a run with its seed.
    #[arg(long, env = "TULOU_SEED")]
    seed: Option<u64>,
    /// Instead of everything: what differs on Windows, under Wine.
    #[arg(long)]
    windows: bool,
    /// Take only the steps whose name contains this.
    #[arg(long)]
    only: Option<String>,
}

/// Takes all steps; whether they passed.
pub fn test(arguments: &Arguments) -> Result<bool> {
    let seed = match arguments.seed {
        Some(seed) => seed,
        None => new_seed()?,
    };
    println!("Seed: {seed} (repeat with: cargo xtask test --seed {seed})");

    let with_seed = |mut command: std::process::Command| {
        command.env("TULOU_SEED", seed.to_string());
        if arguments.long {
            command.env("TULOU_LONG", "1");
            command.env("PROPTEST_CASES", "20000");
        }
        command
    };
    let mut steps = Steps::only(arguments.only.clone());
    if arguments.windows {
        wine::test(&mut steps, with_seed);
        return Ok(steps.finish());
    }
    steps.take(
        "setup",
        Remedy::Repeat("cargo xtask setup".to_owned()),
        || setup::setup(setup::Scope::Everything),
    );
    steps.take(
        "ui build",
        Remedy::Repeat("npm --prefix ui run build".to_owned()),
        run::build_ui,
    );
    check::all(&mut steps);
    // Also the programs that tests start, with the features that the tests choose.
    steps.run(
        "rust build",
        repo::cargo(&[
            "build",
            "--workspace",
            "--all-targets",
            "--test",
            "*",
            "--features",
            "tauri/custom-protocol",
        ]),
        None,
    );
    steps.run(
        "rust tests",
        with_seed(repo::cargo(&[
            "test",
            "--workspace",
            "--no-fail-fast",
            "--features",
            "tauri/custom-protocol",
        ])),
        None,
    );
    steps.run(
        "ui tests",
        with_seed(repo::npm(&["run", "--silent", "test"])),
        None,
    );
    steps.run(
        "ui stories",
        repo::npm(&[
            "run",
            "--silent",
            "stories",
            "--",
            "build",
            "--logLevel",
            "warn",
        ]),
        None,
    );
    let each = Duration::from_secs(if arguments.long { 3_600 } else { 60 });
    steps.take(
        "fuzz",
        Remedy::Repeat(format!("cargo xtask test --only fuzz --seed {seed}")),
        || fuzz::fuzz(each, seed),
    );
    window(&mut steps, with_seed);
    steps.take(
        "benches run",
        Remedy::Repeat("cargo xtask test --only benches".to_owned()),
        bench::smoke,
    );
    println!("Seed: {seed}");
    Ok(steps.finish())
}

/// The tests that need a display; plain `cargo test` leaves them out.
fn window(steps: &mut Steps, with_seed: impl Fn(std::process::Command) -> std::process::Command) {
    let remedy = Remedy::Repeat("cargo xtask test --only window".to_owned());
    steps.take("real window", remedy, || {
        let display = Display::start(1280, 800)?;
        let mut tests = display.session("cargo");
        tests.args([
            "test",
            // All packages, as in the step before: with fewer, cargo would choose other features and build anew.
            "--workspace",
            "--features",
            "tauri/custom-protocol",
            "--test",
            "window",
            "--",
            "--nocapture",
            "--test-threads=1",
        ]);
        repo::finish(with_seed(tests))
    });
}

fn new_seed() -> Result<u64> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("read the clock")?;
    // The quickly moving digits, short enough to be typed again.
    Ok(u64::from(now.subsec_nanos()) ^ (now.as_secs() << 20 & 0xffff_ffff))
}

//! Fuzzing of what is read from strangers: the targets in `fuzz/`, built for coverage with the stable compiler.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::repo;

/// The targets, each with the folder of its seeds in `fuzz/seeds`; frames have theirs from the snapshots.
const TARGETS: [(&str, Option<&str>); 4] = [
    ("frame", None),
    ("text", Some("text")),
    ("markdown", Some("text")),
    ("invite", Some("invite")),
];

/// So many run at the same time: one for each core of a small machine.
const AT_ONCE: usize = 2;

/// What `cargo fuzz --sanitizer none` gives the compiler.
const FLAGS: [&str; 8] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

/// A target that is running.
struct Running {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

/// Builds the targets and runs each for a while. What was learnt is kept beside what was built, and gone on from.
pub fn fuzz(each: Duration, seed: u64) -> Result<()> {
    let built = build()?;
    let mut failed = Vec::new();
    for few in TARGETS.chunks(AT_ONCE) {
        let running: Result<Vec<_>> = few
            .iter()
            .map(|(name, seeds)| start(&built, name, *seeds, each, seed))
            .collect();
        for target in running? {
            failed.extend(finish(&built, target)?);
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("{}", failed.join("; "))
}

fn folder() -> PathBuf {
    repo::target().join("fuzz")
}

/// Where the programs are.
fn build() -> Result<PathBuf> {
    let mut rustc = repo::command("rustc");
    rustc.arg("-vV");
    let version = repo::output(rustc)?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("find out what rustc builds for")?;
    // With a target of its own, build scripts and macros are left as they are.
    let mut build = repo::cargo(&["build", "--release", "--quiet", "--target", host]);
    build
        .args(["--manifest-path", "fuzz/Cargo.toml"])
        .env("CARGO_TARGET_DIR", folder())
        .env("RUSTFLAGS", FLAGS.join(" "));
    repo::finish(build)?;
    Ok(folder().join(host).join("release"))
}

fn start(
    built: &Path,
    name: &'static str,
    seeds: Option<&str>,
    each: Duration,
    seed: u64,
) -> Result<Running> {
    let made = |what: &str| -> Result<PathBuf> {
        let folder = folder().join(what).join(name);
        fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        Ok(folder)
    };
    let (learnt, crashes) = (made("corpus")?, made("crashes")?);
    let seeds = match seeds {
        Some(seeds) => repo::root().join("fuzz/seeds").join(seeds),
        None => {
            let seeds = made("seeds")?;
            write_frames(&seeds)?;
            seeds
        }
    };
    let log = folder().join(format!("{name}.log"));
    let file = fs::File::create(&log).with_context(|| format!("write {}", log.display()))?;
    let child = Command::new(built.join(name))
        .arg(format!("-max_total_time={}", each.as_secs()))
        .arg(format!("-seed={}", seed % u64::from(u32::MAX)))
        .args(["-max_len=20000", "-timeout=20", "-rss_limit_mb=1024"])
        .args(["-print_final_stats=1", "-verbosity=1"])
        .arg(format!("-artifact_prefix={}/", crashes.display()))
        .args([&learnt, &seeds])
        .stdin(Stdio::null())
        .stdout(file.try_clone().context("share the log")?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("start the target {name}"))?;
    Ok(Running { name, child, log })
}

/// Waits for a target; what is to be said if it found something.
fn finish(built: &Path, mut target: Running) -> Result<Option<String>> {
    let status = target.child.wait().context("wait for a target")?;
    let said = fs::read_to_string(&target.log).context("read what a target said")?;
    let count = |what: &str| said.lines().find_map(|line| line.strip_prefix(what));
    let runs = count("stat::number_of_executed_units:").unwrap_or("?");
    println!("    {}: {} inputs", target.name, runs.trim());
    if status.success() {
        return Ok(None);
    }
    let from = said.lines().count().saturating_sub(40);
    for line in said.lines().skip(from) {
        println!("    {}: {line}", target.name);
    }
    let written = said
        .lines()
        .find_map(|line| line.split("Test unit written to ").nth(1));
    Ok(Some(match written {
        Some(input) => format!(
            "{} fails on an input; repeat it with: {} {input}",
            target.name,
            built.join(target.name).display()
        ),
        None => format!("{} failed; see {}", target.name, target.log.display()),
    }))
}

/// The frames of the protocol's snapshots, as they would be sent.
fn write_frames(into: &Path) -> Result<()> {
    let snapshots = repo::root().join("crates/protocol/src/frame/snapshots");
    for (at, path) in fs::read_dir(&snapshots)
        .with_context(|| format!("list {}", snapshots.display()))?
        .enumerate()
    {
        let text = fs::read_to_string(path?.path()).context("read a snapshot")?;
        for (no, frame) in frames(&text).into_iter().enumerate() {
            fs::write(into.join(format!("{at}-{no}")), frame).context("write a seed")?;
        }
    }
    Ok(())
}

/// The frames in a snapshot: after its head there is one, or an array of them.
fn frames(snapshot: &str) -> Vec<String> {
    let body = snapshot.splitn(3, "---\n").nth(2).unwrap_or_default();
    match serde_json::from_str(body) {
        Ok(serde_json::Value::Array(frames)) => {
            let batch = serde_json::Value::Array(frames.clone());
            let mut all: Vec<String> = frames.iter().map(ToString::to_string).collect();
            all.push(batch.to_string());
            all
        }
        Ok(frame) => vec![frame.to_string()],
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_out_of_their_snapshots() {
        let one = "---\nsource: x.rs\nexpression: wire\n---\n{\n  \"id\": 1\n}\n";
        assert_eq!(frames(one), [r#"{"id":1}"#]);
        let many = "---\nsource: x.rs\n---\n[{\"a\": 1}, {\"b\": 2}]\n";
        assert_eq!(
            frames(many),
            [r#"{"a":1}"#, r#"{"b":2}"#, r#"[{"a":1},{"b":2}]"#],
            "each, and all as a batch"
        );
    }

    #[test]
    fn the_protocol_has_frames_to_begin_with() {
        let folder = repo::root().join("crates/protocol/src/frame/snapshots");
        let found = fs::read_dir(folder).unwrap().count();
        assert!(found > 10, "only {found} snapshots: have they moved?");
    }
}

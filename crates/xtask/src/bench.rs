//! Measurements. Each is an example program of the workspace that is named `bench_NAME`, prints one JSON object
//! `{"name", "value", "unit"}` a line to its standard output, and describes its configuration on standard error.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{display::Display, repo, run, setup};

/// What is measured.
#[derive(clap::Args)]
pub struct Arguments {
    /// What to measure.
    #[arg(value_enum)]
    name: Name,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    /// From exec to the painted timeline, and memory.
    Start,
    /// Switching to a topic of a million messages.
    Open,
    /// Durable sends a second.
    Send,
    /// From send to another client's store.
    Seen,
}

impl Name {
    fn example(self) -> &'static str {
        match self {
            Self::Start => "bench_start",
            Self::Open => "bench_open",
            Self::Send => "bench_send",
            Self::Seen => "bench_seen",
        }
    }

    fn needs_window(self) -> bool {
        matches!(self, Self::Start | Self::Open)
    }
}

/// One result.
#[derive(Debug, PartialEq, Deserialize)]
struct Measure {
    name: String,
    value: f64,
    unit: String,
}

/// Measures; whether that succeeded.
pub fn bench(arguments: &Arguments) -> Result<bool> {
    let example = arguments.name.example();
    let package = package_of(example)?;
    let scope = if arguments.name.needs_window() {
        setup::Scope::Everything
    } else {
        setup::Scope::Build
    };
    setup::setup(scope)?;
    let mut build = vec![
        "build",
        "--release",
        "--package",
        &package,
        "--example",
        example,
    ];
    let mut app = None;
    if arguments.name.needs_window() {
        app = Some(run::build_app(run::Speed::Release)?);
        if package == "tulou" {
            build.extend(["--features", "tauri/custom-protocol"]);
        }
    }
    repo::finish(repo::cargo(&build))?;
    let program = repo::target().join("release/examples").join(example);
    let (display, mut command) = match app {
        Some(app) => {
            let display = Display::start(1280, 800)?;
            let mut command = display.session(program);
            command.env("TULOU_APP", app);
            (Some(display), command)
        }
        None => (None, repo::command(&program.to_string_lossy())),
    };
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {example}"))?;
    let written = child.stdout.take().context("read the results")?;
    let mut measures = Vec::new();
    for line in BufReader::new(written).lines() {
        let line = line.context("read the results")?;
        match measure(&line) {
            Some(found) => {
                if arguments.json {
                    println!("{line}");
                }
                measures.push(found);
            }
            None => eprintln!("{line}"),
        }
    }
    let status = child.wait().context("wait for the results")?;
    drop(display);
    if !arguments.json {
        print!("{}", table(&measures));
    }
    if measures.is_empty() {
        bail!("{example} measured nothing");
    }
    Ok(status.success())
}

/// The package that has the example.
fn package_of(example: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        targets: Vec<Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
        kind: Vec<String>,
    }
    let text = repo::output(repo::cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
    ]))?;
    let metadata: Metadata =
        serde_json::from_str(&text).context("read what cargo metadata says")?;
    metadata
        .packages
        .into_iter()
        .find(|package| {
            package.targets.iter().any(|target| {
                target.name == example && target.kind.iter().any(|kind| kind == "example")
            })
        })
        .map(|package| package.name)
        .with_context(|| format!("no package of the workspace has the example {example}"))
}

fn measure(line: &str) -> Option<Measure> {
    serde_json::from_str(line).ok()
}

fn table(measures: &[Measure]) -> String {
    let wide = measures
        .iter()
        .map(|measure| measure.name.len())
        .max()
        .unwrap_or(0);
    measures
        .iter()
        .map(|measure| {
            format!(
                "{:<wide$}  {:>12}  {}\n",
                measure.name,
                rounded(measure.value),
                measure.unit
            )
        })
        .collect()
}

/// Three significant digits are what a measurement is good for.
fn rounded(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_told_from_other_lines() {
        let line = r#"{"name":"send.p50_ms","value":1.25,"unit":"ms"}"#;
        assert_eq!(
            measure(line),
            Some(Measure {
                name: "send.p50_ms".into(),
                value: 1.25,
                unit: "ms".into()
            })
        );
        assert_eq!(measure("connected 100 clients"), None);
    }

    #[test]
    fn a_table_lines_up() {
        let measures = [
            r#"{"name":"a","value":12345.6,"unit":"/s"}"#,
            r#"{"name":"long","value":0.5,"unit":"ms"}"#,
        ]
        .map(|line| measure(line).unwrap());
        assert_eq!(
            table(&measures),
            "a            12346  /s\nlong          0.50  ms\n"
        );
    }
}

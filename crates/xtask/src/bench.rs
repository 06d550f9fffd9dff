//! Measurements. What measures NAME are the example programs of the workspace that are called `bench_NAME` or
//! `bench_NAME_…`. Each prints one JSON object `{"name", "value", "unit"}` a line to its standard output, and its
//! configuration to standard error.
//!
//! They find the release build of the app in `TULOU_APP` and that of the server in `TULOU_SERVER`. Those of the
//! app's own package run on a virtual display.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
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

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// From exec to the painted timeline, and memory.
    Start,
    /// Switching to a topic of a million messages.
    Open,
    /// How still the timeline stands, and how smoothly it scrolls.
    Timeline,
    /// Durable sends a second.
    Send,
    /// From send to another client's store.
    Seen,
    /// A change of rights, and a join, in a large community that is connected.
    Rights,
    /// What others notice of an account that asks for as much as it can.
    Hostile,
    /// What a client has become after two years of five busy communities.
    Years,
}

impl Name {
    /// Measures for people and programs carry this before the dot.
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Open => "open",
            Self::Timeline => "timeline",
            Self::Send => "send",
            Self::Seen => "seen",
            Self::Rights => "rights",
            Self::Hostile => "hostile",
            Self::Years => "years",
        }
    }
}

/// A program that measures.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Program {
    example: String,
    package: String,
}

impl Program {
    /// The app's own examples look at its window.
    fn needs_window(&self) -> bool {
        self.package == "tulou"
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
    let programs = programs_of(arguments.name.word())?;
    if programs.is_empty() {
        bail!("no package has an example bench_{}", arguments.name.word());
    }
    let needs_window = programs.iter().any(Program::needs_window);
    setup::setup(if needs_window {
        setup::Scope::Everything
    } else {
        setup::Scope::Build
    })?;
    let app = if needs_window {
        Some(run::build_app(run::Speed::Release)?)
    } else {
        None
    };
    let server = [
        "build",
        "--release",
        "--package",
        "tulou-server",
        "--bin",
        "tulou-server",
    ];
    repo::finish(repo::cargo(&server))?;
    let mut measures = Vec::new();
    let mut succeeded = true;
    for program in &programs {
        succeeded &= measure_with(program, app.as_deref(), arguments.json, &mut measures)?;
    }
    if !arguments.json {
        print!("{}", table(&measures));
    }
    if measures.is_empty() {
        bail!("nothing was measured");
    }
    Ok(succeeded)
}

/// Runs every program that measures with a tiny load, as the tests have built it: that it works, not what comes out.
pub fn smoke() -> Result<()> {
    let built = repo::target().join("debug");
    let app = built.join(format!("tulou{}", std::env::consts::EXE_SUFFIX));
    for name in Name::value_variants() {
        let programs = programs_of(name.word())?;
        if programs.is_empty() {
            bail!("no package has an example bench_{}", name.word());
        }
        for program in &programs {
            let mut measures = Vec::new();
            let app = program.needs_window().then_some(&*app);
            let succeeded = run_program(program, &built, app, false, true, &mut measures)?;
            if !succeeded || measures.is_empty() {
                bail!("{} measures nothing any more", program.example);
            }
            if let Some(measure) = measures.iter().find(|measure| !measure.value.is_finite()) {
                bail!("{} says no number of {}", program.example, measure.name);
            }
            let names: Vec<_> = measures.iter().map(|measure| &*measure.name).collect();
            println!("    {}: {}", program.example, names.join(", "));
        }
    }
    Ok(())
}

/// Builds and runs one program; whether it succeeded.
fn measure_with(
    program: &Program,
    app: Option<&Path>,
    json: bool,
    measures: &mut Vec<Measure>,
) -> Result<bool> {
    let mut build = vec![
        "build",
        "--release",
        "--package",
        &program.package,
        "--example",
        &program.example,
    ];
    if program.needs_window() {
        build.extend(["--features", "tauri/custom-protocol"]);
    }
    repo::finish(repo::cargo(&build))?;
    let release = repo::target().join("release");
    run_program(program, &release, app, json, false, measures)
}

/// Runs one program that was built; whether it succeeded.
fn run_program(
    program: &Program,
    built: &Path,
    app: Option<&Path>,
    json: bool,
    is_smoke: bool,
    measures: &mut Vec<Measure>,
) -> Result<bool> {
    let path = built.join("examples").join(&program.example);
    let display = if program.needs_window() {
        Some(Display::start(1280, 800)?)
    } else {
        None
    };
    let mut command = match &display {
        Some(display) => display.session(path),
        None => repo::command(&path.to_string_lossy()),
    };
    command.env("TULOU_SERVER", built.join("tulou-server"));
    if is_smoke {
        command.env("TULOU_SMOKE", "1");
    }
    if let Some(app) = app {
        command.env("TULOU_APP", app);
    }
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {}", program.example))?;
    let written = child.stdout.take().context("read the results")?;
    for line in BufReader::new(written).lines() {
        let line = line.context("read the results")?;
        match measure(&line) {
            Some(found) => {
                if json {
                    println!("{line}");
                }
                measures.push(found);
            }
            None => eprintln!("{line}"),
        }
    }
    let status = child.wait().context("wait for the results")?;
    Ok(status.success())
}

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

fn programs_of(word: &str) -> Result<Vec<Program>> {
    let text = repo::output(repo::cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
    ]))?;
    let metadata = serde_json::from_str(&text).context("read what cargo metadata says")?;
    Ok(programs_in(metadata, word))
}

/// `bench_open` and `bench_open_window` measure `open`.
fn programs_in(metadata: Metadata, word: &str) -> Vec<Program> {
    let name = format!("bench_{word}");
    let prefix = format!("{name}_");
    let mut programs: Vec<_> = metadata
        .packages
        .into_iter()
        .flat_map(|package| {
            package
                .targets
                .into_iter()
                .map(move |target| (package.name.clone(), target))
        })
        .filter(|(_, target)| target.kind.iter().any(|kind| kind == "example"))
        .filter(|(_, target)| target.name == name || target.name.starts_with(&prefix))
        .map(|(package, target)| Program {
            example: target.name,
            package,
        })
        .collect();
    programs.sort();
    programs
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
    fn a_name_is_measured_by_all_its_programs() {
        let metadata = serde_json::from_str(
            r#"{"packages": [
                {"name": "tulou", "targets": [
                    {"name": "bench_open_window", "kind": ["example"]},
                    {"name": "bench_opening", "kind": ["example"]},
                    {"name": "bench_open_test", "kind": ["test"]}]},
                {"name": "tulou-client", "targets": [{"name": "bench_open", "kind": ["example"]}]}]}"#,
        )
        .unwrap();
        let programs = programs_in(metadata, "open");
        let names: Vec<_> = programs
            .iter()
            .map(|program| program.example.as_str())
            .collect();
        assert_eq!(names, ["bench_open", "bench_open_window"]);
        assert!(
            !programs[0].needs_window(),
            "the view is measured without a window"
        );
        assert!(programs[1].needs_window());
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

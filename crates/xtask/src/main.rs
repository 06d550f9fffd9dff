//! Sets up, runs, checks, tests, measures and packs Tulou: the only scripts of this repository.
//!
//! - `setup`: what a fresh machine lacks
//! - `run`, `display`: the app, on a real or a virtual display
//! - `check`, `test`, `step`, `policy`, `circles`: what has to hold before a change goes in
//! - `systems`, `wine`: Windows and macOS, as far as they can be had on Debian
//! - `fuzz`: what is read from strangers, with whatever may come
//! - `bench`: measurements
//! - `dist`, `trial`: packages, and the .deb tried in a fresh system
//! - `repo`: where things lie, and how commands are run there

mod bench;
mod check;
mod circles;
mod display;
mod dist;
mod fuzz;
mod policy;
mod repo;
mod run;
mod setup;
mod step;
mod systems;
mod test;
mod trial;
mod wine;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Everything one does with this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what a fresh machine lacks: system packages and the window's npm packages.
    Setup,
    /// Build the app at release speed and start it.
    Run(run::Arguments),
    /// The quick checks: formatting, lints, docs, dependencies, generated files. Or whether it compiles for other systems.
    Check(check::Arguments),
    /// Everything: the checks, all tests, the real window.
    Test(test::Arguments),
    /// Measure something by its name.
    Bench(bench::Arguments),
    /// Make the .deb and the .rpm.
    Dist(dist::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Setup => setup::setup(setup::Scope::Everything).map(|()| true),
        Task::Run(arguments) => run::run(&arguments),
        Task::Check(arguments) => check::check(&arguments),
        Task::Test(arguments) => test::test(&arguments),
        Task::Bench(arguments) => bench::bench(&arguments),
        Task::Dist(arguments) => dist::dist(&arguments).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
